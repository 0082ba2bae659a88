"""What is asked of the store beside a plan: its history, keys, leaks, and two revisions to compare."""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reconciler.core.access import Route
from reconciler.core.care import LIVE, Audit, Fault
from reconciler.core.drift import IsSecret
from reconciler.core.model import Key, Resource
from reconciler.core.ports.abilities import Probes, TellsFacts
from reconciler.core.ports.state import KeepsFacts
from reconciler.core.ports.store import Store
from reconciler.core.secret import Secret
from reconciler.core.verdicts import Comparison
from reconciler.errors import KeyUnavailable, ReconcilerError, StoreLocked, StoreUnavailable
from reconciler.settings import Settings
from reconciler.source import files
from reconciler.source.commits import Revisions, settle
from reconciler.source.comparison import compare, connectors
from reconciler.source.files import read_blobs
from reconciler.source.positions import Lines
from reconciler.wiring.contracts import read_contract
from reconciler.wiring.run import open_both, open_state

if TYPE_CHECKING:
    from reconciler.secrets.sealer import NewKey


class PastLines:
    """Where policies stood in the commits that they were applied from."""

    def __init__(self, root: Path) -> None:
        """Of the repository at `root`; read nothing yet."""
        self._root = root
        self._policies = cache(self._load)

    def of(self, commit: str, fingerprint: str, route: Route) -> tuple[str, int] | None:
        """File and line of a grant, or of what makes a super admin; None where git does not show it.

        Args:
            commit: as a run has it.
            fingerprint: of the body that was applied.
        """
        if not commit or commit.endswith("-dirty"):
            return None
        try:
            policies = self._policies(commit)
            found = policies.get(Key("PermissionPolicy", route.policy))
            if found is None or found.fingerprint != fingerprint:
                return None
            return lines_of(self._root, commit, policies).of(route)
        except ReconcilerError:  # the commit is of another repository, or git is not there
            return None

    def _load(self, commit: str) -> Mapping[Key, Resource]:
        from reconciler.source.bulk import PartReader

        return PartReader(self._root).load(dict(files.committed(self._root, commit, ("policies",)))).resources


def next_key(settings: Settings, environment: Mapping[str, str]) -> "NewKey":
    """The key to change to; see `make_next_key`."""
    from reconciler.secrets.sealer import make_next_key

    return make_next_key(environment, settings.key_file, _embedded(settings))


def key_place(settings: Settings, environment: Mapping[str, str], copy: Path) -> tuple[str, str]:
    """Where the live store's key is, and where a copy that is used as a store looks for its own; "" where that is the same."""
    from reconciler.secrets.keys import find_place
    from reconciler.stores.host import key_beside

    place = find_place(environment, settings.key_file, _embedded(settings))
    return place.name, str(key_beside(copy)) if place.private else ""


def _embedded(settings: Settings) -> Path | None:
    files = open_state(settings, os.environ).files()
    return files.key if files else None


def with_live(audit: Audit, settings: Settings, environment: Mapping[str, str]) -> Audit:
    """The audit, with what asking the live store finds, where that is none of ours; it is kept in the state."""
    state, live = open_both(settings, environment)
    if not isinstance(live, Probes):
        return audit
    try:
        facts = live.probe()
    except StoreUnavailable as failure:
        return replace(audit, faults=(*audit.faults, Fault(LIVE, failure.message, failure.hint)))
    finally:
        live.close()
    notes = audit.notes
    if isinstance(state, KeepsFacts) and not state.lost():  # where the state is gone, nothing is to hide that
        try:
            state.keep_facts(facts)
        except (StoreLocked, StoreUnavailable) as failure:
            notes = (*notes, f"what was found out of the live store is not kept: {failure.message}")
    return replace(audit, notes=notes, live=tuple(live.traits(facts)) if isinstance(live, TellsFacts) else ())


def known_secrets(store: Store) -> IsSecret:
    """What tells the values of the store's secrets; without the store's key nothing is told to be one."""
    known = {printed for states in store.secret_states().values() for printed in states.values()}
    if not known:
        return _is_nothing
    try:
        sealer = store.sealer()
    except KeyUnavailable:
        return _is_nothing
    return lambda text: sealer.fingerprint(Secret(text)) in known


def _is_nothing(text: str) -> bool:
    return False


def compare_revisions(root: Path, base: str, head: str) -> tuple[Comparison, Revisions]:
    """What differs between two revisions; see `settle` and `compare`."""
    revisions = settle(root, base, head)
    return compare(root, revisions, read_contract), revisions


def connectors_of(root: Path, revisions: Revisions) -> Iterator[Resource]:
    """Connectors and categories at the head, of files that are not valid those that can be read."""
    return connectors(root, revisions.tree)


def lines_of(root: Path, tree: str, policies: Mapping[Key, Resource]) -> Lines:
    """Of the policies in a commit or tree."""

    def read(path: str) -> bytes:
        return next(read_blobs(root, [dict(files.committed_at(root, tree, [path]))[path]]))

    return Lines(read, policies)
