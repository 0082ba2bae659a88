"""What stands in the way of an earlier state, which nobody has validated beside what is live now."""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.core.model import Key, Record
from reconciler.core.plan import Change, Problem
from reconciler.errors import ExitCode
from reconciler.kinds.canonical import refs_after
from reconciler.kinds.registry import address


def clashes(changes: Sequence[Change], live: Mapping[Key, Record]) -> Iterator[Problem]:
    """Names that others bear now, and references to what is not there."""
    gone = {change.record.key for change in changes if change.record}
    after = {change.key for change in changes if change.resource}
    taken = tuple(
        f"{address(*change.key)} is live, and belongs to {live[change.key].owner or 'nobody'}"
        for change in changes
        if change.resource and change.key in live and change.key not in gone
    )
    if taken:
        hint = "rename or delete the live record first, where it is declared"
        yield Problem(ExitCode.CONFLICT, "names are borne by other records now", hint, taken)
    missing = tuple(
        f"{address(*change.key)} refers to {address(*ref)}"
        for change in changes
        for ref in sorted(refs_after(change))
        if ref not in after and (ref not in live or ref in gone)
    )
    if missing:
        names = ", ".join(sorted({line.rpartition(" ")[2] for line in missing}))
        yield Problem(ExitCode.CONFLICT, f"what is referred to is not there: {names}", _hint(missing), missing)


def _hint(missing: Sequence[str]) -> str:
    first = missing[0].rpartition(" ")[2]
    return f"bring it back first, such as with: reconciler restore {first}"
