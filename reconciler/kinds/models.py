"""Typed, frozen models of the documents, for programs that work with definitions in Python.

The shapes and limits are those of schemas/*.schema.json; a property test holds the two together.
Nothing on the way of `validate`, `plan` and `apply` imports this module: pydantic takes longer to load
than those take to run.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic.alias_generators import to_camel


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
    )


def _whole(value: Any) -> Any:
    """JSON Schema counts 30.0 as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _differ(items: list[Any]) -> list[Any]:
    seen: list[Any] = []
    for item in items:
        if any(item == other and isinstance(item, bool) is isinstance(other, bool) for other in seen):
            raise ValueError("items repeat")
        seen.append(item)
    return items


def _text(minimum: int = 0, maximum: int | None = None, pattern: str | None = None) -> Any:
    return StringConstraints(min_length=minimum, max_length=maximum, pattern=pattern, strict=True)


Name = Annotated[str, _text(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
# White space as JSON Schema's regular expressions have it (ECMA-262); pydantic's \s is Unicode's, which differs.
_SPACE = "\\t\\n\\x0b\\x0c\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff"
_Trimmed = f"^[^{_SPACE}](.*[^{_SPACE}])?$"
DisplayName = Annotated[str, _text(1, 255, _Trimmed)]
Description = Annotated[str, _text(0, 4000)]
LabelKey = Annotated[str, _text(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$")]
Labels = Annotated[dict[LabelKey, Annotated[str, _text(0, 255)]], Field(max_length=64)]
User = Annotated[str, _text(pattern=r"^[A-Za-z0-9.!#$*+=^_`|~@-]{1,255}$")]
Status = Literal["active", "inactive"]
_Distinct = AfterValidator(_differ)
Names = Annotated[list[Name], _Distinct]


class Metadata(_Model):
    """Identity and labels of a resource."""

    name: Name
    previously: Annotated[Names, Field(max_length=20)] = []
    labels: Labels = {}


class Lifecycle(_Model):
    """How the reconciler treats the live record."""

    protect: StrictBool = False
    ignore: Annotated[
        list[Annotated[str, _text(pattern=rf"^[^{_SPACE}.]+(\.[^.]+)*$")]], Field(max_length=64), _Distinct
    ] = []


class _Document(_Model):
    api_version: Literal["reconciler/v1"]
    metadata: Metadata


class CategorySpec(_Model):
    """What a category is called and whether connectors may be filed under it."""

    display_name: Annotated[str, _text(1, 100, _Trimmed)]
    description: Description = ""
    status: Status = "active"
    lifecycle: Lifecycle = Lifecycle()


class Category(_Document):
    """A folder that connectors are filed under."""

    kind: Literal["Category"]
    spec: CategorySpec


class SecretRef(_Model):
    """Where a secret is read from: exactly one place."""

    env: Annotated[str, _text(0, 255, r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    file: Annotated[str, _text(1, 4096)] | None = None
    vault: Annotated[str, _text(0, 1024, rf"^[^{_SPACE}/#]+(/[^{_SPACE}/#]+)+#[^{_SPACE}#]+$")] | None = None
    sops: Annotated[str, _text(0, 4096, rf"^[^{_SPACE}#][^#]*(#[^{_SPACE}#]+)?$")] | None = None
    age: Annotated[str, _text(1, 4096)] | None = None
    aws: Annotated[str, _text(0, 2048, rf"^[^{_SPACE}#]+(#[^{_SPACE}#]+)?$")] | None = None
    exec: Annotated[str, _text(0, 1024, rf"^[a-z0-9]([a-z0-9-]*[a-z0-9])?:[^{_SPACE}-][^{_SPACE}]*$")] | None = None
    plugin: (
        Annotated[str, _text(0, 4096, rf"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?:[^{_SPACE}][^\n\r\u2028\u2029]*$")]
        | None
    ) = None

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict) and None in value.values():
            raise ValueError("a place is empty")
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("name exactly one place")
        return self


TextOrSecret = Annotated[str, _text(0, 8192)] | SecretRef
RequestUrl = Annotated[str, _text(0, 8192, rf"^(https?://|\{{\{{)[^{_SPACE}]")]
_Scopes = Annotated[list[Annotated[str, _text(1, 512, rf"^[^{_SPACE}]+$")]], Field(max_length=500), _Distinct]


_FieldName = Annotated[str, _text(0, 255, r"^[A-Za-z0-9_.-]+$")]
_ClientAuthentication = Literal["basic", "body"]


class NoAuthorization(_Model):
    """Requests go out as they are."""

    method: Literal["none"] = "none"


class BasicAuthorization(_Model):
    """A user and a password."""

    method: Literal["basic"]
    username: TextOrSecret
    password: SecretRef


class TokenRequest(_Model):
    """How to get an access token with a user and a password."""

    url: RequestUrl
    username: TextOrSecret
    password: SecretRef
    send: Literal["form", "json", "basic"] = "form"
    username_field: _FieldName = "username"
    password_field: _FieldName = "password"  # noqa: S105 (a field's name)
    token_field: Annotated[str, _text(0, 255, r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")] = "access_token"  # noqa: S105


class BearerAuthorization(_Model):
    """An access token, stored or requested."""

    method: Literal["bearer"]
    token: SecretRef | None = None
    token_request: TokenRequest | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.token is None) == (self.token_request is None) or len(self.model_fields_set) != 2:
            raise ValueError("give either token or tokenRequest")
        return self


class PasswordAuthorization(_Model):
    """OAuth 2.0 resource owner password credentials."""

    method: Literal["oauth2-password"]
    token_url: RequestUrl
    client_id: TextOrSecret | None = None
    client_secret: SecretRef | None = None
    client_authentication: _ClientAuthentication = "basic"
    username: TextOrSecret
    password: SecretRef
    scopes: _Scopes = []

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict) and any(value.get(key, "") is None for key in ("clientId", "clientSecret")):
            raise ValueError("a value is empty")
        return value


class ClientCredentialsAuthorization(_Model):
    """OAuth 2.0 client credentials."""

    method: Literal["oauth2-client-credentials"]
    token_url: RequestUrl
    client_id: TextOrSecret
    client_secret: SecretRef
    client_authentication: _ClientAuthentication = "basic"
    scopes: _Scopes = []


Authorization = Annotated[
    NoAuthorization | BasicAuthorization | BearerAuthorization | PasswordAuthorization | ClientCredentialsAuthorization,
    Field(discriminator="method"),
]


class Tls(_Model):
    """Certificate verification, and the certificate that the client shows."""

    verify: StrictBool = True
    reason: Annotated[str, _text(1, 1000)] | None = None
    ca: SecretRef | None = None
    client_certificate: SecretRef | None = None
    client_key: SecretRef | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict) and None in value.values():
            raise ValueError("a value is empty")
        return value

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Self:
        if self.client_key is not None and self.client_certificate is None:
            raise ValueError("a key without its certificate")
        return self


class Parameter(_Model):
    """One query parameter."""

    name: Annotated[str, _text(1, 255)]
    value: TextOrSecret = ""
    required: StrictBool = False
    description: Description = ""


class Header(_Model):
    """One request header."""

    name: Annotated[str, _text(0, 255, r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
    value: TextOrSecret = ""
    required: StrictBool = False
    description: Description = ""


class Retry(_Model):
    """What happens when a request fails."""

    attempts: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=50)] = 0
    wait_seconds: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=3600)] = 5


class Endpoint(_Model):
    """One request that consumers can make."""

    description: Description = ""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: Annotated[str, _text(0, 8192, rf"^(https?://[^{_SPACE}]|/|\{{\{{)")]
    params: Annotated[list[Parameter], Field(max_length=500)] = []
    headers: Annotated[list[Header], Field(max_length=500)] = []
    body: Annotated[str, _text(0, 1048576)] = ""
    body_type: Literal["json", "form-data", "raw"] = "json"
    sample: Annotated[dict[str, Any], Field(max_length=500)] = {}
    timeout_seconds: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=3600)] = 30
    retry: Retry = Retry()


Purpose = Annotated[str, _text(1, 255, _Trimmed)]


class ConnectorSpec(_Model):
    """Details, authorization, TLS settings and endpoints."""

    display_name: DisplayName
    description: Description = ""
    categories: Annotated[Names, Field(min_length=1, max_length=32)]
    authorization: Authorization = NoAuthorization()
    tls: Tls = Tls()
    endpoints: Annotated[dict[Purpose, Endpoint], Field(max_length=2000)] = {}
    status: Status = "active"
    lifecycle: Lifecycle = Lifecycle()


class Connector(_Document):
    """How an application platform reaches a data source."""

    kind: Literal["Connector"]
    spec: ConnectorSpec


class Members(_Model):
    """Who belongs to a group, directly."""

    mode: Literal["authoritative", "additive"]
    users: Annotated[list[User], Field(max_length=10000), _Distinct] = []
    groups: Annotated[Names, Field(max_length=1000)] = []


class GroupSpec(_Model):
    """What a group is called and who belongs to it."""

    display_name: DisplayName
    description: Description = ""
    members: Members | None = None
    lifecycle: Lifecycle = Lifecycle()

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("members", "") is None:
            raise ValueError("members is empty")
        return value


class Group(_Document):
    """A set of user accounts and of other groups."""

    kind: Literal["Group"]
    spec: GroupSpec


class GroupSubject(_Model):
    """The members of a group."""

    group: Name


class UserSubject(_Model):
    """One user account."""

    user: User


def _subject_kind(value: Any) -> str:
    found = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    return "group" if "group" in found else "user"


Subject = Annotated[
    Annotated[GroupSubject, Tag("group")] | Annotated[UserSubject, Tag("user")], Discriminator(_subject_kind)
]
Permission = Literal[
    "connectors:view", "connectors:create", "connectors:edit", "connectors:delete", "connectors:call",
    "categories:view", "categories:create", "categories:edit", "categories:delete",
    "groups:view", "groups:create", "groups:edit", "groups:delete",
    "policies:view", "policies:create", "policies:edit", "policies:delete",
]  # fmt: skip


_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"


class Scope(_Model):
    """Narrows a grant: the resource must match everything given here."""

    categories: Annotated[Names, Field(min_length=1, max_length=100)] = []
    labels: Annotated[Labels, Field(min_length=1)] = {}

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give categories or labels")
        return self


class Grant(_Model):
    """Permissions, where they hold and until when."""

    permissions: Annotated[list[Permission], Field(min_length=1), _Distinct]
    on: Scope | None = None
    expires: Annotated[str, _text(pattern=_MOMENT)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict) and any(value.get(key, "") is None for key in ("on", "expires")):
            raise ValueError("a value is empty")
        return value


class PermissionPolicySpec(_Model):
    """Who is granted what."""

    description: Description = ""
    subjects: Annotated[list[Subject], Field(min_length=1, max_length=1000), _Distinct]
    super_admin: StrictBool = False
    grants: Annotated[list[Grant], Field(max_length=200)] = []
    lifecycle: Lifecycle = Lifecycle()


class PermissionPolicy(_Document):
    """What groups and users may do."""

    kind: Literal["PermissionPolicy"]
    spec: PermissionPolicySpec


class Expectation(_Model):
    """What access has to be like; `kinds.access_test.rules` says which keys go together."""

    user: User | None = None
    group: Name | None = None
    can: Permission | None = None
    cannot: Permission | None = None
    at_most: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=1_000_000)] | None = None
    separation_of_duty: Annotated[list[Permission], Field(min_length=2, max_length=17), _Distinct] | None = None
    except_: Annotated[list[User], Field(min_length=1, max_length=1000), _Distinct] | None = Field(None, alias="except")
    on: (
        Annotated[str, _text(pattern=r"^(connector|category|group|policy)/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")] | None
    ) = None
    at: Annotated[str, _text(pattern=_MOMENT)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _something(cls, value: Any) -> Any:
        if isinstance(value, dict) and (not value or any(item is None for item in value.values())):
            raise ValueError("a value is empty")
        return value


class AccessTestSpec(_Model):
    """What is expected."""

    description: Description = ""
    expect: Annotated[list[Expectation], Field(min_length=1, max_length=1000)]
    lifecycle: Lifecycle = Lifecycle()


class AccessTest(_Document):
    """What policies have to give and must not give."""

    kind: Literal["AccessTest"]
    spec: AccessTestSpec


MODELS: dict[str, type[_Document]] = {
    "Category": Category,
    "Connector": Connector,
    "Group": Group,
    "PermissionPolicy": PermissionPolicy,
    "AccessTest": AccessTest,
}
"""The model of each kind."""
