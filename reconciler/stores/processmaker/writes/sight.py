"""An instance as it was read last: what a plan, a forecast and the requests of a run go by."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.core.ports.abilities import Recollection
from reconciler.core.ports.live import LiveRecord
from reconciler.stores.processmaker.forms.rows import Picture

if TYPE_CHECKING:
    from reconciler.stores.processmaker.wire.client import Client


class Sight(Struct, frozen=True):
    """What there is, in three forms.

    Attributes:
        picture: the rows, those of nobody too. In a run that only reads, a connector on a page that the server called
            unchanged is there with its id, its name as we know it, and its categories alone: its authtype is "".
        recollection: what the state knew before it was read.
        records: by id what was told of it, with the names that records have.
        managed: by our name what the instance calls a permission of ours; nothing where groups are not to be seen.
        page_size: so many rows of a list are asked for at once.
    """

    client: "Client"
    picture: Picture
    recollection: Recollection
    records: Mapping[str, LiveRecord]
    managed: Mapping[str, str] = {}
    page_size: int = 200
