"""What is kept in the state with a connector, to be found again with it: how it looked when its secrets were known."""

from typing import Any

import msgspec
from msgspec import Struct

from reconciler.stores.processmaker.canonical import connector_digest
from reconciler.stores.processmaker.connectors import seal
from reconciler.stores.processmaker.rows import ConnectorRow


class ConnectorNote(Struct, frozen=True, omit_defaults=True):
    """The note. Nothing in it is a secret, or leads to one.

    Attributes:
        seal: what `connectors.seal` gave when we last knew the secrets; "" where there were none to be seen.
        version: of the row that the known body is of; "" where others wrote its secrets since.
    """

    seal: str = ""
    version: str = ""

    def text(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self).decode()


def connector_note(row: ConnectorRow, body: Any) -> str:
    """The note of a row whose secrets are those that we know.

    Args:
        body: what the row holds, in our words.
    """
    return ConnectorNote(seal(row, body), connector_digest(row)).text()


def read_note(note: str) -> ConnectorNote:
    """What a note says; nothing where there is none that can be read."""
    try:
        return msgspec.json.decode(note.encode(), type=ConnectorNote)
    except (msgspec.MsgspecError, RecursionError):
        return ConnectorNote()
