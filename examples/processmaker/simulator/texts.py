"""What the servers do to texts: trimming, markup, comparing."""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from typing import Any

from simulator.profiles import Profile

TRIM_OLD = " \t\n\r\0\x0b"
_TRIM_NEW = re.compile(r"^[\s\u200b\ufeff]+|[\s\u200b\ufeff]+$")
_PUNCTUATION = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"
_LETTERS = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o\ue000",
    "đ": "d\ue000",
    "ı": "i\ue000",
    "ł": "l\ue000",
    "þ": "z\ue000",
    "ð": "d\ue001",
}


def trim(profile: Profile, text: str) -> str:
    """Outer blanks: ASCII and NUL in 2020; every white space, U+200B and U+FEFF, but not NUL, in 4.14 (seen)."""
    return _TRIM_NEW.sub("", text) if profile.modern else text.strip(TRIM_OLD)


def strip_markup(profile: Profile, text: str) -> str:
    """Tags go, the text between them stays; 4.14 drops double braces as well."""
    if not profile.modern:
        return _without_tags_2020(text)
    for pattern in _TAGS:
        text = pattern.sub("", text)
    return text.replace("{{", "").replace("}}", "")


_TAGS = tuple(
    re.compile(pattern, re.I | re.S)
    for pattern in (  # of 4.14, one after the other, fitted to 2,000 texts (seen)
        r"<\?(?!\?>).+?\?>",
        r"<!--(?!-).+?-->",
        r"<[a-z0-9][^>]*>",
        r"</[a-z0-9][^>]*>|<[a-z0-9][^>]*/>",
    )
)
_BLANK = " \t\n\r\v\f"


def _without_tags_2020(text: str) -> str:
    """A walk with five states; an unfinished tag takes the rest along (seen: 5<6 becomes 5)."""
    out, state, depth, quote = [], "text", 0, ""
    for at, sign in enumerate(text):
        before, opens = text[max(0, at - 2) : at], sign == "<" and text[at + 1 : at + 2] not in (*_BLANK,)
        if state == "text":
            if opens:
                state = "tag"
            elif sign == ">" and depth:
                depth -= 1
            else:
                out.append(sign)
        elif sign in "\"'" and state != "comment":
            if quote in ("", sign) and (state == "tag" or not before.endswith("\\")):
                quote = "" if quote else sign
        elif sign == "<" and state == "tag":
            depth += opens and not quote
        elif sign in "!?" and state == "tag" and before.endswith("<"):
            state = "declaration" if sign == "!" else "code"
        elif sign == "-" and state == "declaration" and before == "!-":
            state = "comment"
        elif sign == ">" and depth and state != "comment":
            depth -= 1
        elif sign == ">" and not quote and _ends(state, before):
            state = "text"
    return "".join(out)


def _ends(state: str, before: str) -> bool:
    return {"code": before.endswith("?"), "comment": before == "--"}.get(state, True)


def clean_input(profile: Profile, value: Any, top: bool = True) -> Any:
    """Every text is trimmed, "" becomes null, {} becomes []; markup goes from top-level texts alone."""
    if isinstance(value, str):
        value = trim(profile, value)
        if value == "":
            return None
        return strip_markup(profile, value) if top else value
    if isinstance(value, dict):
        return {key: clean_input(profile, item, False) for key, item in value.items()} or []
    if isinstance(value, list):
        return [clean_input(profile, item, False) for item in value]
    return value


@functools.lru_cache(100_000)
def sort_key(text: str) -> tuple:
    """Primary weights of utf8mb4_unicode_ci, near enough: without case and accents (order seen)."""
    return tuple(itertools.chain.from_iterable(_char_key(char) for char in text.rstrip(" ")))


def _char_key(char: str) -> list[tuple]:
    expanded = _LETTERS.get(char.lower())
    if expanded:
        return [(3, ord(part)) for part in expanded]
    keys = []
    for part in unicodedata.normalize("NFKD", char.lower()):
        if unicodedata.combining(part):
            continue
        if part.isspace():
            keys.append((0, 32 if part == " " else ord(part)))
        elif part in _PUNCTUATION:
            keys.append((1, _PUNCTUATION.index(part)))
        elif part.isdigit():
            keys.append((2, unicodedata.digit(part)))
        else:
            keys.append((3, ord(part)) if ord(part) < 0x10000 else (4, 0))
    return keys


def like(pattern: str, text: str) -> bool:
    """SQL LIKE without case and accents: % any, _ one sign, backslash escapes."""
    tokens, signs = [], iter(pattern)
    for sign in signs:
        if sign in "%_":
            tokens.append(sign)
        else:
            tokens.append(tuple(_char_key(next(signs, sign) if sign == "\\" else sign)))
    return _matches(tokens, [tuple(_char_key(sign)) for sign in text])


def _matches(tokens: list, signs: list) -> bool:
    at = mark = 0
    star = -1
    index = 0
    while at < len(signs):
        if index < len(tokens) and tokens[index] == "%":
            star, mark = index, at
            index += 1
        elif index < len(tokens) and (tokens[index] == "_" or tokens[index] == signs[at]):
            index += 1
            at += 1
        elif star >= 0:
            mark += 1
            index, at = star + 1, mark
        else:
            return False
    return all(token == "%" for token in tokens[index:])
