"""A plan, and the report of an apply; schemas/plan.schema.json describes both."""

from types import NoneType
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from reconciler.models.common import Action, Count, Output, Version, Whole, text

Address = Annotated[str, text(pattern="^(access-test|category|connector|group|policy)/.+$")]
Digest = Annotated[str, text(pattern="^[0-9a-f]{64}$")]
Origin = Literal["git", "drift", "both", "secret", "token"]


class PlanSource(Output):
    """Where the definitions were read from.

    Attributes:
        commit: None outside git.
        ref: what was named, or None for the working tree.
        dirty: whether the working tree differs from the commit.
        past: of a rollback or a restore, the earlier state.
    """

    commit: str | None
    ref: str | None
    dirty: StrictBool
    past: str = ""


class OriginCounts(Output):
    """How many changes there are of each origin."""

    git: Count
    drift: Count
    both: Count
    secret: Count
    token: Count


class PlanSummary(Output):
    """How many changes there are of each action.

    Attributes:
        kept: owned records that are no longer defined and not pruned.
        owned: live records of the owner, before the changes.
        conflicts: fields that both git and the live record moved.
        left: changes of other records than those that were asked for.
    """

    create: Count
    update: Count
    rename: Count
    adopt: Count
    delete: Count
    restore: Count
    kept: Count
    owned: Count
    origins: OriginCounts | None = None
    conflicts: Count = 0
    left: Count = 0


class FieldChange(Output):
    """One field that differs. A side that is not among `model_fields_set` means that the field is not there.

    Attributes:
        path: keys from the body's root; entries of params and headers by name.
        origin: who moved it.
        secret: whether the values are references, fingerprints or words for secrets; never the secrets.
        before, after: the live value, and the one to be written.
        applied: what was last applied, where the live record moved.
        default: what holds on the side where the field is not there, if the kind has a default.
    """

    path: list[str]
    origin: Origin
    secret: StrictBool
    before: Any = Field(default_factory=NoneType)
    after: Any = Field(default_factory=NoneType)
    applied: Any = Field(default_factory=NoneType)
    default: Any = Field(default_factory=NoneType)


class Drift(Output):
    """Since when the live record is not what was last applied, and by whom, as far as is known."""

    fate: Literal["changed", "created", "deleted", "replaced"]
    since: str | None
    by: str | None
    run: Whole | None


class LiveRecord(Output):
    """The live record that a change starts from; the change is refused when it moved.

    Attributes:
        version: another one after each write; in an SQL store a number that grows.
    """

    address: Address
    owner: str | None
    version: Count | str
    fingerprint: str


class Restored(Output):
    """The deleted record that comes back."""

    uid: str
    deleted_at: str | None
    run: Whole | None
    secrets: list[str]


class Change(Output):
    """One change of one record.

    Attributes:
        name: after the change.
        notes: what a reviewer should see beside it.
        fields: what differs; none for a create and a delete.
        file: of the definition; "" for a delete.
        fingerprint: SHA-256 of the canonical body; "" for a delete.
        after: the body of a new record, with references for secrets.
        before: the body of a record that goes.
    """

    action: Action
    address: Address
    kind: str
    name: str
    origin: Origin
    notes: list[str]
    fields: list[FieldChange]
    drift: Drift | None = None
    record: LiveRecord | None = None
    restores: Restored | None = None
    file: str = ""
    fingerprint: Digest = ""
    after: dict[str, Any] | None = None
    before: dict[str, Any] | None = Field(default_factory=NoneType)


class Problem(Output):
    """Why the plan may not be applied.

    Attributes:
        exit_code: what `apply` would exit with.
        guard: the guard that stops it and that can be overridden, with what it counts.
    """

    exit_code: Whole
    message: str
    hint: str
    details: list[str]
    guard: str | None
    count: Whole | None


class Place(Output):
    """Where access holds: of the connector named, filed under all of the categories, with all of the labels."""

    connectors: list[str]
    categories: list[str]
    labels: dict[str, str]


class AccessRoute(Output):
    """How somebody comes to access: the groups, from the person's up to the policy's, and the grant."""

    groups: list[str]
    policy: str
    grant: Whole | None
    super_admin: StrictBool
    expires: str | None
    file: str | None
    line: Whole | None


class AccessChange(Output):
    """People for whom the same permissions shift in the same way by the same route."""

    shift: Literal["gain", "widen", "prolong", "shorten", "narrow", "lose"]
    permissions: list[str]
    users: list[str]
    empty_groups: list[str]
    scopes: list[Place]
    expires: str | None
    instead_of: str | None
    targets: dict[str, Count]
    route: AccessRoute


class AccessChanges(Output):
    """What the changes of policies and groups do to access.

    Attributes:
        own: growth of the actor's own access.
    """

    actor: str | None
    policies: list[str]
    groups: list[str]
    super_admins: list[AccessChange]
    own: list[AccessChange]
    others: list[AccessChange]


class ExpiringGrant(Output):
    """A grant that ends within 14 days."""

    address: str
    file: str
    grant: Whole
    permissions: list[str]
    expires: str
    days: Whole


class Check(Output):
    """One thing that a preflight tried."""

    check: Literal["secrets", "secret", "token", "server"]
    passed: StrictBool
    message: str
    hint: str


class Forecast(Output):
    """What carrying the plan out takes, at a live store that is a server.

    Attributes:
        seconds: about so long, by how long its answers took so far.
    """

    requests: Count
    seconds: Annotated[float, Field(ge=0)]


class Preflight(Output):
    """What trying a connector found."""

    address: str
    passed: StrictBool
    checks: list[Check]


class LeftOut(Output):
    """A change that was planned and not carried out."""

    address: str
    reason: str


class Run(Output):
    """The run that carried the changes out.

    Attributes:
        head: the last hash of the store's history.
    """

    actor: str
    started: str
    finished: str
    secrets: Count
    tokens: Count
    left_out: list[LeftOut]
    head: Digest | None


class Plan(Output):
    """What `plan --format json` prints, and with `run` what `apply --format json` does.

    Attributes:
        owner: whose records are managed.
        fingerprint: of what the plan does.
        problems: why it may not be applied; none where it may.
        overridden: guards that were overridden, such as deletes=12.
        only: addresses that the plan was asked to be about; empty for all.
    """

    version: Version
    type: Literal["plan", "report"]
    target: str
    owner: str
    fingerprint: str
    source: PlanSource
    summary: PlanSummary
    changes: list[Change]
    problems: list[Problem]
    overridden: list[str]
    only: list[str] = []
    access: AccessChanges | None = None
    notices: list[str] = []
    forecast: Forecast | None = None
    expiring: list[ExpiringGrant] = []
    preflight: list[Preflight] = []
    run: Run | None = None
