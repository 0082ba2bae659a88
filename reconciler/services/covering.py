"""How many resources some scopes cover: the blast radius."""

from collections.abc import Iterable, Sequence

from reconciler.core.access import AREAS, Target
from reconciler.core.access_diff import SUPER_ADMIN, Scope


class Covering:
    """Resources, indexed by area, category and label."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._all: dict[str, set[str]] = {}
        self._by_category: dict[tuple[str, str], set[str]] = {}
        self._by_label: dict[tuple[str, tuple[str, str]], set[str]] = {}
        self._counts: dict[object, int] = {}
        self._known: dict[tuple[str, Scope], frozenset[str]] = {}
        for target in targets:
            self._all.setdefault(target.area, set()).add(target.name)
            for category in target.categories:
                self._by_category.setdefault((target.area, category), set()).add(target.name)
            for label in target.labels.items():
                self._by_label.setdefault((target.area, label), set()).add(target.name)

    def counted(self, permission: str, scopes: Sequence[Scope], without: Sequence[Scope]) -> dict[str, int]:
        """How many resources of the permission's area `scopes` cover and `without` do not."""
        if permission == SUPER_ADMIN:
            return {area: len(self._all.get(area, ())) for area in AREAS}
        area = permission.partition(":")[0]
        key = (area, tuple(scopes), frozenset(without))
        if key not in self._counts:
            covered = frozenset().union(*(self._covered(area, scope) for scope in scopes))
            for scope in without:
                covered -= self._covered(area, scope)
            self._counts[key] = len(covered)
        return {area: self._counts[key]}

    def _covered(self, area: str, scope: Scope) -> frozenset[str]:
        known = self._known.get((area, scope))
        if known is None:
            parts = [self._by_category.get((area, name), set()) for name in scope.categories]
            parts += [self._by_label.get((area, label), set()) for label in scope.labels]
            found = set.intersection(*parts) if parts else self._all.get(area, set())
            known = self._known[area, scope] = frozenset(found)
        return known
