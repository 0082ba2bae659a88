"""Parts of what an instance says of a record, checked: it may answer anything."""

from collections.abc import Mapping
from typing import Any, NoReturn

from reconciler.core.model import encode
from reconciler.errors import StoreUnavailable
from reconciler.stores.processmaker.forms.canonical import text_of

_LONGEST = 20


def refuse(what: str, said: str) -> NoReturn:
    """Stop at an answer that says nothing sensible of a record.

    Args:
        what: the record, in words.
        said: what is wrong with it; never a value.

    Raises:
        StoreUnavailable: always.
    """
    hint = "see whether the address is that of a ProcessMaker instance, and what stands before it"
    raise StoreUnavailable(f"the instance's answer cannot be understood: {what} {said}", hint=hint)


def record(raw: Any, word: str) -> tuple[Mapping[str, Any], int, str]:
    """The fields of a record, its id, and what it is called in messages.

    Raises:
        StoreUnavailable: it is none.
    """
    if not isinstance(raw, dict):
        refuse(f"a {word}", "is no object")
    number = whole(raw.get("id"), f"a {word}", "id")
    return raw, number, f"{word} {number}"


def whole(value: Any, what: str, key: str) -> int:
    """A number that identifies something; it may come as a text.

    Raises:
        StoreUnavailable: it is none.
    """
    if isinstance(value, str) and len(value) < _LONGEST and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        refuse(what, f"has no number as {key}")
    return value


def text(raw: Mapping[str, Any], key: str, what: str) -> str:
    """A field that has to be a text; names may be numbers.

    Raises:
        StoreUnavailable: it is none.
    """
    value = raw.get(key)
    if value is None or isinstance(value, bool | dict | list):
        refuse(what, f"has no text as {key}")
    return whole_text(value, what, key)


def optional(raw: Mapping[str, Any], key: str, what: str) -> str | None:
    """A field that may be a text or nothing; what is structured comes as the JSON that stands for it.

    Raises:
        StoreUnavailable: the text cannot be written in UTF-8.
    """
    value = raw.get(key)
    return None if value is None or value == "" else whole_text(value, what, key)


def whole_text(value: Any, what: str, key: str) -> str:
    """A value as a text that can be written down.

    Raises:
        StoreUnavailable: it holds half a character.
    """
    found = value if isinstance(value, str) else text_of(value)
    try:
        found.encode()
    except UnicodeEncodeError:
        refuse(what, f"has half a character in {key}")
    return found


def content(value: Any, what: str, key: str) -> Any:
    """A value of any form that canonical JSON can hold.

    Raises:
        StoreUnavailable: it cannot.
    """
    try:
        encode(value)
    except TypeError:
        refuse(what, f"has {key} that cannot be held: nested too deeply, or with half a character")
    return value
