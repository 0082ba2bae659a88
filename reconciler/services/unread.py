"""The resources that a plan of what moved has not read: the store holds them as they are declared."""

from collections.abc import Iterable

from reconciler.core.baseline import Index
from reconciler.kinds.access import AREA_OF_KIND
from reconciler.services.narrowing import Narrow

_KINDS = {AREA_OF_KIND[kind]: kind for kind in ("Connector", "Category")}
"""Of what is in policies/ all is read, once it matters."""


class Unread:
    """What permissions can be about, beside what was read; see `services.covering.Beyond`."""

    def __init__(self, narrow: Narrow, index: Index) -> None:
        """Read nothing yet."""
        self._narrow = narrow
        self._index = index

    def count(self, area: str) -> int:
        """How many there are."""
        kind = _KINDS.get(area)
        read = sum(key.kind == kind for key in self._narrow.desired.resources)
        return self._narrow.declared[kind] - read if kind else 0

    def named(self, area: str) -> set[str]:
        """The names of all."""
        return self._unread(self._index.declared_of(_KINDS[area])) if area in _KINDS else set()

    def filed(self, area: str, category: str) -> set[str]:
        """The names of those in a category; a category is in itself."""
        if _KINDS.get(area) == "Category":
            return {category} & self.named(area)
        return self._unread(self._index.filed_under(category)) if area in _KINDS else set()

    def labelled(self, area: str, label: tuple[str, str]) -> set[str]:
        """The names of those with a label."""
        return self._unread(self._index.labelled(_KINDS[area], label)) if area in _KINDS else set()

    def _unread(self, found: Iterable[tuple[str, str]]) -> set[str]:
        return {name for name, file in found if file not in self._narrow.files}
