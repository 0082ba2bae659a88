"""What the store knows of the last time when live was just what git declares.

A baseline says: at `revision` the owner's records were exactly what `trees` declare, and a plan of them was empty
but for access tokens. It is a fact about the past, so that nothing that happens later makes it wrong.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.model import Key, Record, Resource
from reconciler.core.ports.source import Desired
from reconciler.diagnostics import Diagnostic

Trees = tuple[str, str]
"""Object ids of connectors/ and of policies/; "" for a folder that is not there."""

POLICY_KINDS = ("Group", "PermissionPolicy", "AccessTest")
"""The kinds of policies/: few, and judged together."""


class Unprovable(Exception):
    """Something cannot be concluded from the baseline; the message says what."""


class DatedGrant(Struct, frozen=True):
    """A grant that ends.

    Attributes:
        policy: its name.
        index: the grant's position in the policy.
        expires: as it is written in the policy.
    """

    policy: str
    file: str
    index: int
    permissions: tuple[str, ...]
    expires: str


class Baseline(Struct, frozen=True):
    """The fact.

    Attributes:
        rules: stands for everything by which definitions are judged; see `judged_by`.
        revision: of the store.
        records: how many records of each kind there were.
        judged: when, RFC 3339.
        warnings: of all definitions, sorted.
        dated: all grants that end, or have ended.
    """

    trees: Trees
    rules: str
    revision: int
    records: Mapping[str, int]
    judged: str
    warnings: tuple[Diagnostic, ...]
    dated: tuple[DatedGrant, ...]


def judged_by(rules: str, contracts: Mapping[str, str]) -> str:
    """What stands for the program's rules, with the documents that connectors are held against, and their ids."""
    return rules + "".join(f"\n{oid} {path}" for path, oid in sorted(contracts.items()))


def parted(judged: str) -> tuple[str, dict[str, str]]:
    """The two that `judged_by` put together."""
    rules, *lines = judged.split("\n")
    contracts = {}
    for line in lines:
        oid, _, path = line.partition(" ")
        contracts[path] = oid
    return rules, contracts


class Declared(Struct, frozen=True):
    """Where a record was declared.

    Attributes:
        odd: whether fields of it are left to the live side, so that live says little about what is declared.
        tokens: how many access tokens that can be fetched it takes.
        claims: earlier names.
    """

    key: Key
    file: str
    odd: bool
    tokens: int
    claims: tuple[str, ...]


class Memory(Struct, frozen=True):
    """What the store may remember once a plan is carried out, if it still is at the baseline's revision then.

    Attributes:
        declared: of `files`.
        files: those of which anything new is said; None for all.
    """

    owner: str
    baseline: Baseline
    declared: Sequence[Declared]
    files: frozenset[str] | None


class PartialSource(Protocol):
    """Files of definitions, read as it turns out that they are needed."""

    @property
    def trees(self) -> Trees:
        """Of the commit that is read, or that the working tree is compared with.

        Raises:
            Unprovable: there is none.
        """
        ...

    def changed_since(self, before: Trees) -> frozenset[str]:
        """Files that may differ from those in `before`, also those that are gone.

        Raises:
            Unprovable: that cannot be said.
        """
        ...

    def policies(self) -> list[str]:
        """All files below policies/."""
        ...

    def read(self, paths: Iterable[str]) -> list[Resource]:
        """What the files declare; those that are not there declare nothing.

        Raises:
            Unprovable: there is a fault in one.
        """
        ...

    def desired(self) -> Desired:
        """What was read, checked together.

        Raises:
            Unprovable: there is a fault.
        """
        ...

    def contracts(self, paths: Iterable[str]) -> dict[str, str]:
        """The ids of documents that connectors are held against; "" for one that is not there."""
        ...

    def as_committed(self, paths: Iterable[str]) -> bool:
        """Whether the files read at `paths` are those of the commit, byte for byte, and there are no others."""
        ...


@runtime_checkable
class TracksChanges(Protocol):
    """A source that knows which of its files differ from earlier ones."""

    def parts(self) -> PartialSource:
        """Its files, to be read one by one."""
        ...

    def proven(self, paths: Sequence[str]) -> Trees:
        """The trees that all that was loaded, from the files at `paths`, comes from.

        Raises:
            Unprovable: it may be something else.
        """
        ...


class Index(Protocol):
    """Answers of the store about one owner's baseline, each by an index."""

    def foresee(self, changed: Collection[str], resources: Sequence[Resource], revision: int, until: str) -> None:
        """Say what a plan starts from, so that a store on a server may be asked at once what follows from it.

        Args:
            changed: files that changed.
            resources: what they declare now.
            revision: at which the baseline holds.
            until: see `due`.
        """
        ...

    def revision(self) -> int:
        """The store's revision now."""
        ...

    def baseline(self) -> Baseline | None:
        """The last one, or None."""
        ...

    def moved(self, revision: int) -> list[Record]:
        """Records, of whomever, that were written after a revision."""
        ...

    def untouched(self, revision: int) -> dict[str, int]:
        """How many records of the owner were not, by kind."""
        ...

    def records(self, keys: Iterable[Key], kinds: Collection[str] = ()) -> list[Record]:
        """Records, of whomever, at the addresses or of the kinds; in the order in which the store lists them all."""
        ...

    def identified(self, uids: Iterable[str]) -> list[Record]:
        """Records, of whomever, by their identities."""
        ...

    def owned(self) -> dict[str, int]:
        """How many records of the owner there are, by kind."""
        ...

    def has_others(self) -> bool:
        """Whether another owner, or nobody, has some of the records."""
        ...

    def files(self, keys: Iterable[Key]) -> dict[Key, str]:
        """Where the addresses were declared, of those that were."""
        ...

    def declared_in(self, files: Iterable[str]) -> list[Key]:
        """What the files declared."""
        ...

    def claimants(self, keys: Iterable[Key]) -> set[str]:
        """The files of which a resource claims one of the addresses as its earlier one."""
        ...

    def odd(self) -> set[str]:
        """The files with a resource that leaves fields to the live side."""
        ...

    def declared_of(self, kind: str) -> list[tuple[str, str]]:
        """Name and file of all that was declared of a kind."""
        ...

    def filed_under(self, category: str) -> list[tuple[str, str]]:
        """Name and file of the declared connectors whose live record is in a category."""
        ...

    def labelled(self, kind: str, label: tuple[str, str]) -> list[tuple[str, str]]:
        """Name and file of what was declared of a kind and whose live record, as an apply wrote it, has a label."""
        ...

    def missing(self) -> list[Key]:
        """Declared addresses at which there is no record."""
        ...

    def due(self, until: str) -> list[Key]:
        """Declared connectors of which an access token is missing, or expires by a time, RFC 3339 in UTC."""
        ...

    def referrers(self, keys: Iterable[Key], kinds: Collection[str] = ()) -> list[Key]:
        """Records that refer to one of the addresses, all or those of some kinds."""
        ...

    def namesakes(self, names: Iterable[tuple[str, str]]) -> list[Key]:
        """Records with one of the folded display names, each given with its kind."""
        ...


@runtime_checkable
class KeepsBaselines(Protocol):
    """A store that can answer so."""

    def index(self, owner: str) -> Index:
        """The answers."""
        ...

    def remember(self, memory: Memory) -> bool:
        """Move the baseline on, in a transaction of its own; False when the store is not as it was."""
        ...
