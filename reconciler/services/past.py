"""An earlier state as a source of desired state."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.model import Content, Key, Resource
from reconciler.core.plan import Revision
from reconciler.core.ports.source import Desired
from reconciler.kinds.canonical import make_resource
from reconciler.kinds.registry import KINDS


class PastState(Struct, frozen=True):
    """What records were, and where that is known from.

    Attributes:
        notices: what whoever goes back to it should know.
    """

    desired: Desired
    known_from: Revision
    notices: tuple[str, ...] = ()

    def load(self) -> Desired:
        """The records as resources."""
        return self.desired

    def revision(self) -> Revision:
        """Where the state is known from."""
        return self.known_from


def resource_of(key: Key, body: Mapping[str, Any], known_from: str) -> Resource:
    """What a canonical body declares.

    Args:
        known_from: stands where definitions have their file.
    """
    metadata = {**body.get("metadata", {}), "name": key.name}
    made = make_resource({"metadata": metadata, "spec": body["spec"]}, KINDS[key.kind], known_from, 0)
    return replace(made, stored=Content(made.body), left_out=())  # it held what it held: nothing was forgotten
