"""Values and texts of a document that may be wrong anywhere, looked at without trust."""

import json
import re
from collections.abc import Callable
from typing import Final, TypeAlias
from urllib.parse import unquote_plus

from reconciler.core.secret import TOKEN, carries_credentials

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Object: TypeAlias = dict[str, Json]
Pointer: TypeAlias = tuple[str | int, ...]

MAX_DEPTH: Final = 30  # of an example; the deepest seen in 2,600 real documents is 12
MAX_VALUES: Final = 2_000
MAX_INTEGER: Final = 2**53  # of those that every reader of JSON keeps exact
MIN_FLOAT: Final = 1e-15


def mapping(value: Json) -> Object:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Json) -> list[Json]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Json) -> str:
    """`value` if it is a text, a number's digits, else ""."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def is_true(value: Json) -> bool:
    """Whether `value` is true; some documents say it in a text."""
    return value is True or value == "true"


def spell(value: Json) -> str:
    """`value` as it stands in a query parameter, a header or a form field."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(spell(item) for item in value if not isinstance(item, list | dict))
    if isinstance(value, dict):
        return compact(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < MAX_INTEGER:
        return str(int(value))  # 1e10 is written with its digits, as JSON's own language does
    return "" if value is None else str(value)


def compact(value: Json) -> str:
    """`value` as JSON on one line; "" when it is too large to be of use as a sample."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": ")) if is_small(value) else ""


def parsed(value: Json) -> Json:
    """`value`, or what it holds when it is JSON written into a text."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        found: Json = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return found


_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def typed(value: Json, kind: str) -> Json:
    """`value` as the JSON type `kind`, where it says such a value in another way: 7 in quotes, 1e3 as an integer."""
    if kind == "string":
        return spell(value) if isinstance(value, bool | int | float) else value
    if kind == "integer" and isinstance(value, float) and value.is_integer() and abs(value) < MAX_INTEGER:
        return int(value)
    if not isinstance(value, str) or kind not in _KINDS:
        return value
    try:
        found: Json = json.loads(value)
    except (ValueError, RecursionError):
        return value
    if kind == "integer" and isinstance(found, float):
        return typed(found, kind)
    return found if type(found) in _KINDS[kind] else value


def is_portable(value: Json) -> bool:
    """Whether every reader of YAML takes `value` for the same: numbers of many digits they read differently."""
    if isinstance(value, float):
        return value == 0 or MIN_FLOAT < abs(value) < 1 / MIN_FLOAT
    return not isinstance(value, int) or abs(value) < MAX_INTEGER


def is_small(value: Json) -> bool:
    """Whether `value` is flat and short enough to be copied."""
    level, count = [value], 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_VALUES:
            return False
        level = [item for parent in level for item in _children(parent)]
        if not level:
            return True
    return False


def _children(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def pointer(path: Pointer) -> str:
    """The JSON pointer (RFC 6901) of a path; "" is the whole document."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


REMOVED: Final = "[removed]"

_LINE_BREAK = re.compile(r"\r\n?|[\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z ]+ )?PRIVATE KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)", re.DOTALL)
_USERINFO = re.compile(r"(?<=://)[^/\s@:]*:[^/\s@]+@")
_USER = re.compile(r"(?<=://)[^/?#\s]*@")
_SPOKEN = re.compile(
    r"""(\b(?:bearer|basic)\s+|(?<![a-z])(?:password|passwd|pwd|(?:[a-z]+[_-])?(?:secret|token|key))["']?\s*[=:]\s*["']?)"""
    r"(?=(?:[A-Za-z._~+/-]{0,200}\d){2})[A-Za-z0-9._~+/-]{16,}=*",
    re.IGNORECASE,
)
"""What people write of a credential in a text: its name or scheme, and a long value in which there are digits."""


def clean(content: str) -> str:
    """`content` without control characters, its lines ended by line feeds.

    Those characters, and the separators that only some YAML loaders take for a line's end, may not
    stand in our files.
    """
    if content.isascii() and content.isprintable():
        return content
    return _CONTROL.sub("", _LINE_BREAK.sub("\n", content))


def one_line(content: str) -> str:
    """`content` with every run of white space as one space."""
    return " ".join(clean(content).split())


def holds_secret(content: str) -> bool:
    """Whether some part of `content` has the form of a token, a private key, a URL with a password, or a credential."""
    return (
        TOKEN.search(content) is not None
        or ("@" in content and _USERINFO.search(content) is not None)
        or (len(content) > _SHORTEST and _SPOKEN.search(content) is not None)
    )


def without_secrets(content: str) -> str:
    """`content` with whatever `holds_secret` finds in it removed."""
    known = _USERINFO.sub("", TOKEN.sub(REMOVED, _PRIVATE_KEY.sub(REMOVED, content)))
    return _SPOKEN.sub(rf"\1{REMOVED}", known) if len(known) > _SHORTEST else known


_SHORTEST = 20  # what `_SPOKEN` finds is longer


def url_without_secrets(url: str) -> str:
    """As `without_secrets`, for a URL: what replaces a token is a placeholder, and no user is left at all."""
    return _USER.sub("", without_secrets(url).replace(REMOVED, "{removed}"))


def without_credentials(url: str) -> str:
    """`url` without a user, tokens, and the parameters of its query that carry credentials by their name."""
    path, _, query = url_without_secrets(url.partition("#")[0]).partition("?")
    kept = [pair for pair in query.split("&") if pair and not names_secret(unquote_plus(pair.partition("=")[0]))]
    return f"{path}?{'&'.join(kept)}" if kept else path


def names_secret(name: str, place: str = "query") -> bool:
    """Whether a value of this name is a credential, so that not even an example of it is copied.

    In a path or a body, `key` and `sig` are names like others.
    """
    return carries_credentials(name) and (place in ("query", "header") or name.lower() not in ("key", "sig"))


def hides(name: str, sample: str, place: str = "query") -> bool:
    """Whether `sample`, a value called `name`, may be a secret. True and false never are one."""
    return holds_secret(sample) or (names_secret(name, place) and sample not in ("true", "false"))


def variable(*parts: str) -> str:
    """The name of an environment variable that holds the secret which `parts` describe."""
    name = re.sub(r"[^A-Z0-9]+", "_", "_".join(parts).upper()).strip("_")[:255]
    return f"_{name}" if name[:1].isdigit() else name


def unique(wanted: str, taken: Callable[[str], bool], limit: int, form: str = "{} ({})") -> str:
    """`wanted`, or its first numbered form that is not `taken`; at most `limit` characters."""
    found, number = wanted[:limit].rstrip(), 1
    while taken(found):
        number += 1
        room = limit - len(form.format("", number))
        found = form.format(wanted[:room].rstrip(), number)
    return found
