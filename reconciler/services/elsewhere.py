"""References to what another repository applies to the same store."""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.core.model import Key, Record
from reconciler.core.plan import Change, Problem
from reconciler.core.ports.store import Store
from reconciler.errors import ExitCode
from reconciler.kinds.canonical import refs_after
from reconciler.kinds.registry import address


def missing_elsewhere(
    changes: Sequence[Change], live: Mapping[Key, Record], store: Store, elsewhere: frozenset[Key]
) -> Iterator[Problem]:
    """References to what another repository is said to define, and has not applied."""
    wanted = {ref for change in changes for ref in refs_after(change)} & elsewhere if elsewhere else set()
    absent = {ref for ref in wanted if ref not in live and not any(store.search(*ref))}
    if absent:
        details = tuple(
            f"{address(*change.key)} refers to {address(*ref)}"
            for change in changes
            for ref in sorted(refs_after(change) & absent)
        )
        hint = "the repository that defines it applies first; see definedElsewhere in reconciler.yaml"
        yield Problem(ExitCode.CONFLICT, "what is defined elsewhere is not in the store", hint, details)
