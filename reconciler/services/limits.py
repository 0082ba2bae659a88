"""What a plan would write, and the live store cannot hold."""

from collections.abc import Sequence

from reconciler.core.plan import Change, Problem
from reconciler.core.ports.abilities import Limits
from reconciler.core.ports.store import Store
from reconciler.diagnostics import RULES, Severity
from reconciler.errors import ExitCode
from reconciler.kinds.common import dotted
from reconciler.kinds.registry import address


def beyond_limits(changes: Sequence[Change], store: Store, target: str) -> list[Problem]:
    """Why the store of the target cannot hold what is to be written, all of it in the details."""
    if not isinstance(store, Limits):
        return []
    declared = {change.key: after for change in changes if (after := change.after) is not None}
    details = tuple(
        f"{address(*key)} {dotted(finding.place.path)}: {finding.message}"
        for key, finding in store.objections(declared)
        if RULES[finding.code].severity is Severity.ERROR
    )
    if not details:
        return []
    what = "something is declared" if len(details) == 1 else f"{len(details):,} things are declared"
    hint = f"see where, and what to do instead: reconciler validate --target {target}"
    return [Problem(ExitCode.INVALID, f"{what} that the live store cannot hold", hint, details)]
