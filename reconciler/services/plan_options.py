"""How a plan is made."""

from msgspec import Struct, field

from reconciler.core.guards import Override
from reconciler.core.ports.source import SecretBackend
from reconciler.core.progress import UNTOLD, Progress
from reconciler.core.references import Bounds
from reconciler.services.access_objections import AccessLimits


class PlanOptions(Struct, frozen=True):
    """How to plan.

    Attributes:
        target, owner: where to, and on whose behalf.
        prune: whether records that git no longer defines are deleted.
        adopt: whether records of other owners may be taken over.
        max_deletes: a number or a share, or None for the default; see `guards.too_many_deletes`.
        actor, now: whose plan it is, and when it is made; without a time nothing is said about access.
        limits: of permissions and of losing access.
        overrides: the guards that somebody has overridden.
        require_commit: whether the definitions have to be just those of a commit.
        bounds: what secret references may lead to.
        secrets: when given, all secrets are resolved and compared, so that a rotated value is a change.
        progress: told how far planning has come.
    """

    target: str
    owner: str
    prune: bool = True
    adopt: bool = False
    max_deletes: str | None = None
    actor: str = ""
    now: str = ""
    limits: AccessLimits = field(default_factory=AccessLimits)
    overrides: tuple[Override, ...] = ()
    require_commit: bool = False
    bounds: Bounds = field(default_factory=lambda: Bounds("/"))
    secrets: SecretBackend | None = None
    progress: Progress = UNTOLD
