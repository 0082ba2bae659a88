"""How many resources some scopes cover: the blast radius."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from reconciler.core.access import AREAS, Target
from reconciler.core.access_diff import SUPER_ADMIN, Scope


class Beyond(Protocol):
    """Further resources, which were not read; the store knows what they are filed under and labelled with."""

    def count(self, area: str) -> int:
        """How many there are."""
        ...

    def named(self, area: str) -> set[str]:
        """The names of all."""
        ...

    def filed(self, area: str, category: str) -> set[str]:
        """The names of those in a category."""
        ...

    def labelled(self, area: str, label: tuple[str, str]) -> set[str]:
        """The names of those with a label."""
        ...


class Covering:
    """Resources, indexed by area, category and label."""

    def __init__(self, targets: Iterable[Target], beyond: Beyond | None = None) -> None:
        """Index them.

        Args:
            beyond: those that are not among `targets`.
        """
        self._beyond = beyond
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
            return {area: self._count(area) for area in AREAS}
        area = permission.partition(":")[0]
        key = (area, tuple(scopes), frozenset(without))
        if key not in self._counts:
            self._counts[key] = self._counted(area, scopes, without)
        return {area: self._counts[key]}

    def _counted(self, area: str, scopes: Sequence[Scope], without: Sequence[Scope]) -> int:
        if not without and Scope() in scopes:
            return self._count(area)
        covered = frozenset().union(*(self._covered(area, scope) for scope in scopes))
        for scope in without:
            covered -= self._covered(area, scope)
        return len(covered)

    def _count(self, area: str) -> int:
        return len(self._all.get(area, ())) + (self._beyond.count(area) if self._beyond else 0)

    def _covered(self, area: str, scope: Scope) -> frozenset[str]:
        known = self._known.get((area, scope))
        if known is None:
            parts = [self._filed(area, name) for name in scope.categories]
            parts += [self._labelled(area, label) for label in scope.labels]
            found = set.intersection(*parts) if parts else self._named(area)
            known = self._known[area, scope] = frozenset(found)
        return known

    def _named(self, area: str) -> set[str]:
        read = self._all.get(area, set())
        return read | self._beyond.named(area) if self._beyond else read

    def _filed(self, area: str, category: str) -> set[str]:
        read = self._by_category.get((area, category), set())
        return read | self._beyond.filed(area, category) if self._beyond else read

    def _labelled(self, area: str, label: tuple[str, str]) -> set[str]:
        read = self._by_label.get((area, label), set())
        return read | self._beyond.labelled(area, label) if self._beyond else read
