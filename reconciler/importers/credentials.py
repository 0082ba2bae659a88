"""How single requests are authorized, and what of it becomes a connector's."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from reconciler.importers.values import Object

NOTHING: Final = b'{"method":"none"}'


class Credential(Struct, frozen=True):
    """An authorization block, written as JSON so that equal ones are the same."""

    block: bytes

    @classmethod
    def of(cls, block: Object) -> "Credential":
        """The credential that a block stands for."""
        return cls(msgspec.json.encode(block))

    @property
    def spec(self) -> Object:
        """The block."""
        found: Object = msgspec.json.decode(self.block)
        return found


class Assignment(Struct, frozen=True):
    """The authorization of a connector.

    Attributes:
        spec: the keys `authorization` and, where there are several, `authorizations`.
        names: what each endpoint says; "" where the connector's own is right.
    """

    spec: Object
    names: list[str]


_MAX_FURTHER: Final = 32  # maxProperties of authorizations in schemas/connector.schema.json


def assign(credentials: Sequence[Credential | None]) -> Assignment:
    """Give the connector what most endpoints carry, and name the others."""
    none = Credential(NOTHING)
    wanted = [found or none for found in credentials]
    counts = Counter(found for found in wanted if found != none)
    if not counts:
        return Assignment({"authorization": none.spec}, [""] * len(wanted))
    main, *others = sorted(counts, key=lambda found: -counts[found])
    names = {main: "", none: "none"}
    further: Object = {}
    for other in others[:_MAX_FURTHER]:
        method = str(other.spec["method"])
        number = sum(name.startswith(method) for name in further) + 1 + (main.spec["method"] == method)
        name = method if number == 1 else f"{method}-{number}"
        names[other], further[name] = name, other.spec
    spec: Object = {"authorization": main.spec}
    if further:
        spec["authorizations"] = further
    return Assignment(spec, [names.get(found, "none") for found in wanted])
