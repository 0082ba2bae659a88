"""Find what a plan has to look at, when all the rest is known to be as it was at the baseline.

A closure: from the files and records that moved to whatever a rule could look at because of them. What it finds goes
through the same functions as everything does in a full plan; docs/adr/0008-incremental-plans.md has the argument.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core.baseline import POLICY_KINDS, Baseline, DatedGrant, Index, PartialSource, Unprovable, parted
from reconciler.core.calls import MARGIN, later, moment
from reconciler.core.model import Key, Record, Resource
from reconciler.core.ports.source import Desired
from reconciler.diagnostics import Diagnostic, sorted_diagnostics
from reconciler.harmless import is_text
from reconciler.kinds.registry import KINDS

_FEW = 500
"""So many files are always read one by one; of more, a quarter of all."""


class Narrow(Struct, frozen=True):
    """What a plan has to look at.

    Attributes:
        desired: of the files that matter; its diagnostics and its number of documents are those of everything.
        live: the records that they may be matched with.
        owned: how many live records the owner has, by kind.
        revision: of the store.
        files: all that may differ from the baseline, or were read beside.
        dated: all grants that end; None when `desired` has all policies.
        declared: how many resources of each kind there are.
        contracts: documents that connectors were held against at the baseline.
    """

    desired: Desired
    live: Mapping[Key, Record]
    owned: Counter[str]
    revision: int
    files: frozenset[str]
    dated: tuple[DatedGrant, ...] | None
    declared: Counter[str]
    contracts: Collection[str] = ()


def narrow(source: PartialSource, index: Index, owner: str, rules: str, now: str, *, tokens: bool) -> Narrow:
    """Find it.

    Args:
        rules: by which definitions are judged now.
        tokens: whether access tokens that are missing or due are looked at.

    Raises:
        Unprovable: everything has to be looked at; the message says why.
    """
    base = index.baseline()
    if base is None:
        raise Unprovable("nothing is recorded yet for this owner")
    recorded, contracts = parted(base.rules)
    if recorded != rules:
        raise Unprovable("another version of the rules was recorded")
    if contracts and source.contracts(contracts) != contracts:
        raise Unprovable("a document that connectors are held against has changed")
    changed = source.changed_since(base.trees)
    refuse_undecodable(changed)
    closure = _Closure(source, index, sum(base.records.values()))
    closure.read(changed)
    until = later(now, MARGIN.total_seconds())
    index.foresee(changed, closure.resources, base.revision, until)
    moves = _moves(index, base, owner)
    closure.start(base, moves)
    if tokens:
        closure.add(index.files(index.due(until)).values())
    if _has_ended(base, now):
        closure.take_policies()
    closure.close()
    return replace(_narrowed(closure, base, moves), contracts=tuple(contracts))


def refuse_undecodable(paths: Iterable[str]) -> None:
    """What the store remembers is text, and a name of bytes that are none is not.

    Raises:
        Unprovable: one of `paths` is no text.
    """
    if any(not path.isascii() and not is_text(path) for path in paths):
        raise Unprovable("the name of a file is not UTF-8")


class _Moves(Struct, frozen=True):
    """What became of the records.

    Attributes:
        moved: records, of whomever, that were written since.
        owned: those of the owner among them.
        declared: addresses declared at the baseline whose record moved or is gone, with the file.
    """

    revision: int
    moved: tuple[Record, ...] = ()
    owned: tuple[Record, ...] = ()
    untouched: Mapping[str, int] = field(default_factory=dict)
    declared: Mapping[Key, str] = field(default_factory=dict)


def _moves(index: Index, base: Baseline, owner: str) -> _Moves:
    revision = index.revision()
    if revision < base.revision:
        raise Unprovable("the store is older than what it recorded")
    moved = index.moved(base.revision)
    if revision == base.revision and not moved:  # what others write need not raise the number
        return _Moves(revision, untouched=base.records)
    if any(record.key.kind not in KINDS for record in moved):
        raise Unprovable("a record is of no kind")
    declared = index.files(record.key for record in moved)
    untouched = index.untouched(base.revision)
    if sum(base.records.values()) - sum(untouched.values()) > len(declared):
        declared |= index.files(index.missing())
    owned = tuple(record for record in moved if record.owner == owner)
    return _Moves(revision, tuple(moved), owned, untouched, declared)


def _has_ended(base: Baseline, now: str) -> bool:
    """Whether a grant ended between the baseline's judgement and now, or the other way round."""
    first, last = sorted((moment(base.judged), moment(now)))
    return any(first < moment(grant.expires) <= last for grant in base.dated)


def _had_ended(base: Baseline) -> bool:
    """Whether a declared grant had ended by then: it is not live, and so the store does not know what it refers to."""
    return any(moment(grant.expires) <= moment(base.judged) for grant in base.dated)


class _Closure:
    """The files that matter, and what they declare."""

    def __init__(self, source: PartialSource, index: Index, total: int) -> None:
        self.source = source
        self.index = index
        self._most = max(_FEW, total // 4)
        self._waiting: set[str] = set()
        self._with_policies = False
        self.files: set[str] = set()
        self.resources: list[Resource] = []
        self.was: list[Key] = []
        self.changed: frozenset[str] = frozenset()

    @property
    def with_policies(self) -> bool:
        """Whether all of policies/ is among the files."""
        return self._with_policies

    def read(self, changed: frozenset[str]) -> None:
        """Read what changed, before anything is asked that depends on it."""
        self.changed = changed
        self._refuse_many(changed)
        first = set(changed)
        if any(file.startswith("policies/") for file in changed):
            self._with_policies = True
            first.update(self.source.policies())
        self.files |= first
        if first:  # a reader is loaded for something alone
            self.resources += self.source.read(first)

    def start(self, base: Baseline, moves: _Moves) -> None:
        """Begin with what was read, and what moved."""
        self._follow(self.resources)
        self.add(moves.declared.values())
        if any(record.key.kind in POLICY_KINDS for record in moves.owned):
            self.take_policies()
        if not self.changed:
            return
        self.was = self.index.declared_in(self.changed)
        self.add(self.index.odd())
        if self.index.referrers(self.was, POLICY_KINDS) or _had_ended(base):
            self.take_policies()
        if any(key.kind == "Category" for key in self.was):
            self.add(found.span.file for found in base.warnings if found.code == "RC603")

    def add(self, files: Iterable[str]) -> None:
        """Files to be looked at."""
        self._waiting |= set(files) - self.files
        self._refuse_many(self._waiting)
        if not self._with_policies and any(file.startswith("policies/") for file in self._waiting):
            self.take_policies()

    def _refuse_many(self, further: Collection[str]) -> None:
        if len(further) + len(self.files) > self._most:
            raise Unprovable("so much moved that everything is read as fast")

    def take_policies(self) -> None:
        """Look at all policies, groups and access tests: they are judged together."""
        if not self._with_policies:
            self._with_policies = True
            self.add(self.source.policies())
            self.add(self.index.odd())  # what policies are for is counted on what is declared

    def close(self) -> None:
        """Look at all files that matter."""
        self._look_back()  # what changed was read already
        while self._waiting:
            while self._waiting:
                files, self._waiting = self._waiting, set()
                self.files |= files
                read = self.source.read(files)
                self.resources += read
                self._follow(read)
            self._look_back()

    def _follow(self, read: list[Resource]) -> None:
        """What rules look at because of what these resources say."""
        own = {resource.key for resource in read}
        claims = {Key(resource.key.kind, name) for resource in read for name in resource.previously}
        refs = {ref for resource in read for ref in resource.refs}
        names = {(resource.key.kind, resource.display) for resource in read if resource.display}
        namesakes = self.index.namesakes(names)
        self.add(self.index.files(own | claims | refs | set(namesakes)).values())
        self.add(self.index.claimants(own | claims))

    def _look_back(self) -> None:
        """Who refers to what is gone, or to a category that is inactive."""
        there = {resource.key for resource in self.resources}
        gone = [key for key in self.was if key not in there]
        inactive = [
            resource.key
            for resource in self.resources
            if resource.key.kind == "Category" and not resource.active and resource.file in self.changed
        ]
        referrers = {*self.index.referrers(gone), *self.index.referrers(inactive, ("Connector",))}
        self.add(self.index.files(referrers).values())


def _narrowed(closure: _Closure, base: Baseline, moves: _Moves) -> Narrow:
    index, desired = closure.index, closure.source.desired()
    kept = tuple(found for found in base.warnings if found.span.file not in closure.files)
    declared = Counter(base.records)
    declared.subtract(key.kind for key in index.declared_in(closure.files))
    declared.update(key.kind for key in desired.resources)
    claims = {Key(key.kind, name) for key, resource in desired.resources.items() for name in resource.previously}
    keys = {*desired.resources, *claims, *closure.was, *(record.key for record in moves.owned)}
    live = {record.key: record for record in index.records(keys)}
    owned = Counter(moves.untouched)
    owned.update(record.key.kind for record in moves.owned)
    return Narrow(
        replace(desired, diagnostics=_together(kept, desired.diagnostics), documents=declared.total()),
        live,
        +owned,
        moves.revision,
        frozenset(closure.files),
        None if closure.with_policies else base.dated,
        +declared,
    )


def _together(kept: Iterable[Diagnostic], new: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted_diagnostics([*kept, *new]))
