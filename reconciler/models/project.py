"""The settings of a configuration repository; schemas/project.schema.json describes them."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from reconciler.core.secret import REFERENCE_KEYS
from reconciler.models.common import SPACE, Distinct, Model, Name, Whole, text
from reconciler.models.connector import SecretRef, TextOrSecret

_Url = Annotated[str, text(1, 4096, r"^[a-z][a-z0-9+]*:[^\x00]*$")]
_Path = Annotated[str, text(1, 4096, r"^[^\x00]*$")]
_Share = Annotated[str, text(pattern=r"^[0-9]{1,9}%?$")]
_Bound = Annotated[str, text(0, 4096, rf"^({'|'.join(REFERENCE_KEYS)}):(\*|[^*{SPACE}][^*]*\*?)$")]


_Address = Annotated[str, text(pattern=r"^(category|connector|group|policy)/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class Helper(Model):
    """A program that gives secrets."""

    command: Annotated[list[Annotated[str, text(1, 4096)]], Field(min_length=1, max_length=50)]
    protocol: Literal["plain", "git-credential"] = "plain"
    variables: Annotated[list[Annotated[str, text(0, 255, r"^[A-Za-z_][A-Za-z0-9_]*\*?$")]], Field(max_length=100)] = []
    timeout_seconds: Annotated[Whole, Field(ge=1, le=600)] = 60


class Secrets(Model):
    """What secret references may use."""

    helpers: Annotated[dict[Name, Helper], Field(max_length=50)] = {}


class Login(Model):
    """A user of a ProcessMaker instance, and a client of its password grant."""

    client_id: TextOrSecret
    client_secret: SecretRef
    username: TextOrSecret
    password: SecretRef


class ProcessMaker(Model):
    """How a ProcessMaker instance is spoken to, and what it may be told.

    Attributes:
        allow_plain_http: the reason why.
    """

    allow_plain_http: Annotated[str, text(1, 1000)] | None = None
    in_flight: Annotated[Whole, Field(ge=1, le=32)] = 4
    page_size: Annotated[Whole, Field(ge=1, le=1000)] = 200
    timeout_seconds: Annotated[Whole, Field(ge=1, le=600)] = 30
    ca: _Path | None = None
    expiry: Literal["byApply"] | None = None
    allow_secrets_in_endpoints: StrictBool = False
    token_renewal: Literal["scheduled"] | None = None


class Target(Model):
    """A live store, and how changes come to it.

    Attributes:
        password: where the password of the database server is read from.
        token: where the token of a ProcessMaker instance is read from.
        secrets_allowed: what secret references may lead to; None where the target does not say.
    """

    store: _Url
    password: SecretRef | None = None
    token: SecretRef | None = None
    login: Login | None = None
    processmaker: ProcessMaker = ProcessMaker()
    state: _Url | None = None
    env_file: _Path | None = None
    key_file: _Path | None = None
    max_deletes: _Share = "30%"
    max_access_loss: _Share = "30%"
    quarantine_days: Annotated[Whole, Field(ge=0, le=36500)] = 30
    require_commit: StrictBool = False
    require_commit_on: Annotated[str, text(1, 255, r"^[^\x00]*$")] | None = None
    signed_by: Annotated[list[_Path], Field(min_length=1, max_length=50)] = []
    secrets: Literal["unchanged", "check"] = "unchanged"
    secrets_allowed: Annotated[list[_Bound], Field(max_length=1000)] | None = None
    tokens: Literal["apply", "demand"] = "apply"


class Project(Model):
    """The project file, reconciler.yaml."""

    api_version: Literal["reconciler/v1"]
    kind: Literal["Project"]
    owner: Annotated[str, text(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?$")] | None = None
    default_target: Name | None = None
    defined_elsewhere: Annotated[list[_Address], Field(max_length=10000), Distinct] = []
    secrets: Secrets = Secrets()
    targets: Annotated[dict[Name, Target], Field(max_length=100)] = {}
