"""What an apply did."""

from msgspec import Struct

from reconciler.core.plan import Change, Plan
from reconciler.errors import ReconcilerError


class Report(Struct, frozen=True):
    """What an apply did.

    Attributes:
        plan: what was carried out.
        secrets: how many secrets were resolved.
        tokens: how many access tokens were fetched.
        left_out: what was not carried out, with the reason.
        head: the last hash of the store's history; "" when nothing was written.
    """

    plan: Plan
    actor: str
    started: str
    finished: str
    secrets: int
    tokens: int = 0
    left_out: tuple[tuple[Change, ReconcilerError], ...] = ()
    head: str = ""
