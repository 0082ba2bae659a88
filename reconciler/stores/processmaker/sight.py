"""An instance as it was read last: what a plan, a forecast and the requests of a run go by."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.core.ports.live import LiveRecord, Recollection
from reconciler.stores.processmaker.rows import Picture

if TYPE_CHECKING:
    from reconciler.stores.processmaker.client import Client


class Sight(Struct, frozen=True):
    """What there is, in three forms.

    Attributes:
        picture: the rows. Those of connectors on pages that the server called unchanged are known in outline alone:
            see `ConnectorRow.endpoints`.
        recollection: what the state knew before it was read.
        records: by id what was told of it, with the names that records have.
    """

    client: "Client"
    picture: Picture
    recollection: Recollection
    records: Mapping[str, LiveRecord]
