"""Arguments that several commands take."""

import re
from datetime import UTC, datetime

from reconciler.core.model import Key
from reconciler.errors import UsageError


def key_of(address: str) -> Key:
    """Kind and name of an address, such as connector/crm-contacts.

    Raises:
        UsageError: it is none.
    """
    from reconciler.cli.get import kind_named  # with all that a search takes

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
