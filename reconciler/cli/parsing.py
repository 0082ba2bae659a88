"""Arguments that several commands take."""

import re
from datetime import UTC, datetime

from reconciler.core.model import Key
from reconciler.errors import UsageError
from reconciler.kinds.registry import KINDS, WORDS


def key_of(address: str) -> Key:
    """Kind and name of an address, such as connector/crm-contacts.

    Raises:
        UsageError: it is none.
    """
    word, slash, name = address.partition("/")
    if not slash or not name:
        raise UsageError(f"'{address}' is not an address", hint="write KIND/NAME, such as connector/crm-contacts")
    return Key(kind_named(word) or "", name)


def time_of(option: str, text: str) -> str:
    """A time as the store writes it.

    Raises:
        UsageError: it is none, or its zone is missing.
    """
    hint = "write 2027-03-01 or 2027-03-01T12:00:00Z"
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None and len(text) == len("2027-03-01"):
            found = found.replace(tzinfo=UTC)
        if found.tzinfo is None:
            raise UsageError(f"{option} {text} is without a time zone", hint=hint)
        moment = found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text} is no time", hint=hint) from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST = 3650 * 86_400


def parse_duration(option: str, text: str) -> int:
    """A length of time in seconds.

    Raises:
        UsageError: it is none, or is longer than ten years.
    """
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= _MOST:
        raise UsageError(f"{option} {text} is no length of time", hint="write a number with s, m, h or d, such as 12h")
    return seconds


def kind_named(word: str | None) -> str | None:
    """The kind that `word` stands for: its name, its word, or the plural of either."""
    if word is None:
        return None
    wanted = word.lower()
    plurals = {"policies": "policy", "categories": "category", "permissionpolicies": "permissionpolicy"}
    for candidate in (wanted, plurals.get(wanted, wanted.removesuffix("s"))):
        if candidate in WORDS:
            return WORDS[candidate]
        for kind in KINDS:
            if kind.lower() == candidate:
                return kind
    raise UsageError(
        f"there is no kind '{word}'", hint=f"kinds are {', '.join(WORDS)}; look for a text with --search TEXT"
    )


def labels_of(given: tuple[str, ...]) -> dict[str, str]:
    """Labels as they stand on the command line.

    Raises:
        UsageError: one is no KEY=VALUE.
    """
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"'{text}' is not a label", hint="write --label key=value")
        found[key] = value
    return found
