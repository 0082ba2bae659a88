"""What is kept in the state with a connector, to be found again with it: how it looked when its secrets were known."""

from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from reconciler.core.ports.abilities import Known
from reconciler.stores.processmaker.forms.connectors import seal
from reconciler.stores.processmaker.forms.rows import ConnectorRow
from reconciler.stores.sql.observed import number_of


class ConnectorNote(Struct, frozen=True, omit_defaults=True):
    """The note. Nothing in it is a secret, or leads to one.

    Attributes:
        seal: what `connectors.seal` gave when we last knew the secrets; "" where there were none to be seen.
        version: of the row that the known body is of; "" where others wrote its secrets since.
        print: what `print_of` gave of that row: a row that gives it again has that version.
    """

    seal: str = ""
    version: str = ""
    print: str = ""

    def text(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self).decode()


def connector_note(row: ConnectorRow, body: Any, version: str) -> str:
    """The note of a row whose secrets are those that we know.

    Args:
        body: what the row holds, in our words.
        version: of the row, as `connector_digest` gives it.
    """
    return ConnectorNote(seal(row, body), version, print_of(row)).text()


def print_of(row: ConnectorRow) -> str:
    """A digest of all that a row says but for times: quicker to be had than its version, which asks what it means."""
    said = (row.name, row.description, row.authtype, row.status, row.categories, row.endpoints, row.seal, row.type, row.others)  # fmt: skip
    return sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def read_note(note: str) -> ConnectorNote:
    """What a note says; nothing where there is none that can be read."""
    try:
        return msgspec.json.decode(note.encode(), type=ConnectorNote)
    except (msgspec.MsgspecError, RecursionError):
        return ConnectorNote()


def current_note(known: Known | None) -> ConnectorNote:
    """What was noted of the very row that the known body is of; nothing where the state takes it for another one."""
    noted = read_note(known.note) if known else ConnectorNote()
    return noted if known and known.version == str(number_of(noted.version)) else ConnectorNote()
