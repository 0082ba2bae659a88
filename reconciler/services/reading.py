"""What may be shown of an answer: its text, and its headers without what opens doors."""

import codecs
import re

from reconciler.core.calls import Shown
from reconciler.core.secret import MASK, Redactor, carries_credentials
from reconciler.net.client import Answer

_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_TEXTUAL = re.compile(r"text/|application/(?:.*[/+])?(?:json|xml|javascript|yaml|x-www-form-urlencoded|graphql)", re.IGNORECASE)  # fmt: skip
_COOKIE_VALUE = re.compile(r"=[^;]*")
_TEXT_CODECS = ("utf-8", "ascii", "iso8859-", "cp12", "utf-16", "utf-32", "shift_jis", "euc_", "gb", "big5", "koi8")


def text_of(answer: Answer) -> str | None:
    """The body as text, or None where it is none."""
    media_type = answer.header("content-type")
    declared = _CHARSET.search(media_type)
    codec = _codec(declared[1]) if declared else ""
    if codec:
        return answer.body.decode(codec, "replace")
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(answer.body, final=not answer.cut)
    except UnicodeDecodeError:
        return answer.body.decode("utf-8", "replace") if _TEXTUAL.match(media_type) else None
    return None if "\0" in text else text


def _codec(name: str) -> str:
    """Python's name of a character set, or "" for what is none."""
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return ""
    return found if found.startswith(_TEXT_CODECS) else ""


def redacted(answer: Answer, redactor: Redactor) -> Shown:
    """The answer with what is secret masked; of cookies the name and the attributes stay."""
    headers = tuple((redactor.text(name), _header(name, value, redactor)) for name, value in answer.headers)
    text = text_of(answer)
    body = redactor.data(answer.body) if text is None else redactor.text(text, cut=answer.cut)
    return Shown(
        answer.status, redactor.text(answer.reason), headers, body, len(answer.body), answer.cut, answer.seconds
    )


def _header(name: str, value: str, redactor: Redactor) -> str:
    if name.lower() == "set-cookie":
        return redactor.text(_COOKIE_VALUE.sub(f"={MASK}", value, count=1) if "=" in value else MASK)
    masked = carries_credentials(name) and not name.lower().startswith("access-control-")
    return MASK if masked else redactor.text(value)
