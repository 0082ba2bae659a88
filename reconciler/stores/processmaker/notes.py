"""What is kept in the state with a connector, to be found again with it: how its secrets looked when we last knew them."""

import msgspec
from msgspec import Struct


class _Note(Struct, frozen=True, omit_defaults=True):
    """The note. Its seal is that of `connectors.seal`: no secret, and nothing that leads to one."""

    seal: str = ""


def connector_note(seal: str) -> str:
    """The note of a connector whose secrets look like that; "" for one that shows none."""
    return msgspec.json.encode(_Note(seal)).decode() if seal else ""


def noted_seal(note: str) -> str:
    """How the secrets looked by a note; "" where it does not say."""
    try:
        return msgspec.json.decode(note.encode(), type=_Note).seal
    except (msgspec.MsgspecError, RecursionError):
        return ""
