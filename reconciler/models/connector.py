"""Categories and connectors."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool, model_validator

from reconciler.models.common import (
    SPACE,
    TRIMMED,
    Description,
    DisplayName,
    Distinct,
    Document,
    Lifecycle,
    Model,
    Name,
    Names,
    Status,
    Whole,
    text,
)  # fmt: skip


class CategorySpec(Model):
    """What a category is called and whether connectors may be filed under it."""

    display_name: Annotated[str, text(1, 100, TRIMMED)]
    description: Description = ""
    status: Status = "active"
    lifecycle: Lifecycle = Lifecycle()


class Category(Document):
    """A folder that connectors are filed under."""

    kind: Literal["Category"]
    spec: CategorySpec


class SecretRef(Model):
    """Where a secret is read from: exactly one place."""

    env: Annotated[str, text(0, 255, r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    file: Annotated[str, text(1, 4096)] | None = None
    vault: Annotated[str, text(0, 1024, rf"^[^{SPACE}/#]+(/[^{SPACE}/#]+)+#[^{SPACE}#]+$")] | None = None
    sops: Annotated[str, text(0, 4096, rf"^[^{SPACE}#][^#]*(#[^{SPACE}#]+)?$")] | None = None
    age: Annotated[str, text(1, 4096)] | None = None
    aws: Annotated[str, text(0, 2048, rf"^[^{SPACE}#]+(#[^{SPACE}#]+)?$")] | None = None
    exec: Annotated[str, text(0, 1024, rf"^[a-z0-9]([a-z0-9-]*[a-z0-9])?:[^{SPACE}-][^{SPACE}]*$")] | None = None
    plugin: (
        Annotated[str, text(0, 4096, rf"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?:[^{SPACE}][^\n\r\u2028\u2029]*$")]
        | None
    ) = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("name exactly one place")
        return self


TextOrSecret = Annotated[str, text(0, 8192)] | SecretRef
RequestUrl = Annotated[str, text(0, 8192, rf"^(https?://|\{{\{{)[^{SPACE}]")]
_Scopes = Annotated[list[Annotated[str, text(1, 512, rf"^[^{SPACE}]+$")]], Field(max_length=500), Distinct]


_HeaderName = Annotated[str, text(0, 255, r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
_FieldName = Annotated[str, text(0, 255, r"^[A-Za-z0-9_.-]+$")]
_ClientAuthentication = Literal["basic", "body"]


class TokenFormField(Model):
    """One further field of a token request."""

    name: _FieldName
    value: TextOrSecret


class TokenHeader(Model):
    """One further header of a token request."""

    name: _HeaderName
    value: TextOrSecret


class FurtherTokenSettings(Model):
    """What every token request can have besides credentials."""

    fields: Annotated[list[TokenFormField], Field(max_length=50)] = []
    headers: Annotated[list[TokenHeader], Field(max_length=50)] = []
    lifetime_seconds: Annotated[Whole, Field(ge=1, le=31536000)] | None = None


class OAuthSettings(FurtherTokenSettings):
    """What every OAuth 2.0 token request can have besides credentials."""

    audience: Annotated[str, text(1, 2048)] | None = None
    resource: Annotated[
        list[Annotated[str, text(0, 2048, rf"^[A-Za-z][A-Za-z0-9+.-]*:[^{SPACE}#]+$")]], Field(max_length=50), Distinct
    ] = []


class NoAuthorization(Model):
    """Requests go out as they are."""

    method: Literal["none"] = "none"


class BasicAuthorization(Model):
    """A user and a password."""

    method: Literal["basic"]
    username: TextOrSecret
    password: SecretRef


class TokenRequest(FurtherTokenSettings):
    """How to get an access token with a user and a password."""

    url: RequestUrl
    username: TextOrSecret
    password: SecretRef
    send: Literal["form", "json", "basic"] = "form"
    username_field: _FieldName = "username"
    password_field: _FieldName = "password"  # noqa: S105 (a field's name)
    token_field: Annotated[str, text(0, 255, r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")] = "access_token"  # noqa: S105


class BearerAuthorization(Model):
    """An access token, stored or requested."""

    method: Literal["bearer"]
    token: SecretRef | None = None
    token_request: TokenRequest | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.token is None) == (self.token_request is None) or len(self.model_fields_set) != 2:
            raise ValueError("give either token or tokenRequest")
        return self


class PasswordAuthorization(OAuthSettings):
    """OAuth 2.0 resource owner password credentials."""

    method: Literal["oauth2-password"]
    token_url: RequestUrl
    client_id: TextOrSecret | None = None
    client_secret: SecretRef | None = None
    client_authentication: _ClientAuthentication = "basic"
    username: TextOrSecret
    password: SecretRef
    scopes: _Scopes = []


class ClientCredentialsAuthorization(OAuthSettings):
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


class Tls(Model):
    """Certificate verification, and the certificate that the client shows."""

    verify: StrictBool = True
    allow_plain_http: StrictBool = False
    reason: Annotated[str, text(1, 1000)] | None = None
    ca: SecretRef | None = None
    client_certificate: SecretRef | None = None
    client_key: SecretRef | None = None

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Self:
        if self.client_key is not None and self.client_certificate is None:
            raise ValueError("a key without its certificate")
        return self


_Delimited = Literal["form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject", "json"]


class PathParameter(Model):
    """How the value of one placeholder is written into the URL."""

    name: Annotated[str, text(1, 255)]
    style: Literal["simple", "label", "matrix", "json"] = "simple"
    explode: StrictBool | None = None
    description: Description = ""


class FormField(Model):
    """How the value of one key of the body is written into a field of the form."""

    name: Annotated[str, text(1, 255)]
    style: _Delimited | None = None
    explode: StrictBool | None = None
    content_type: Annotated[str, text(0, 255, r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( *;[ -~]*)?$")] | None = (
        None
    )
    filename: Annotated[str, text(1, 255, r"^[^\u0000-\u001f\u007f]+$")] | None = None


class Parameter(Model):
    """One query parameter."""

    name: Annotated[str, text(1, 255)]
    value: TextOrSecret = ""
    required: StrictBool = False
    style: _Delimited = "form"
    explode: StrictBool | None = None
    description: Description = ""


class Header(Model):
    """One request header."""

    name: _HeaderName
    value: TextOrSecret = ""
    required: StrictBool = False
    style: Literal["simple", "json"] = "simple"
    explode: StrictBool | None = None
    description: Description = ""


class Retry(Model):
    """What happens when a request fails."""

    attempts: Annotated[Whole, Field(ge=0, le=50)] = 0
    wait_seconds: Annotated[Whole, Field(ge=0, le=3600)] = 5


class Endpoint(Model):
    """One request that consumers can make."""

    description: Description = ""
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    url: Annotated[str, text(0, 8192, rf"^(https?://[^{SPACE}]|/|\{{\{{)")]
    authorization: Name | None = None
    path_params: Annotated[list[PathParameter], Field(max_length=100)] = []
    params: Annotated[list[Parameter], Field(max_length=500)] = []
    headers: Annotated[list[Header], Field(max_length=500)] = []
    body: Annotated[str, text(0, 1048576)] = ""
    body_type: Literal["json", "form-urlencoded", "multipart", "raw"] = "json"
    form_fields: Annotated[list[FormField], Field(max_length=500)] = []
    sample: Annotated[dict[str, Any], Field(max_length=500)] = {}
    timeout_seconds: Annotated[Whole, Field(ge=1, le=3600)] = 30
    retry: Retry = Retry()


Purpose = Annotated[str, text(1, 255, TRIMMED)]


class ConnectorSpec(Model):
    """Details, authorization, TLS settings and endpoints."""

    display_name: DisplayName
    description: Description = ""
    categories: Annotated[Names, Field(min_length=1, max_length=32)]
    authorization: Authorization = NoAuthorization()
    authorizations: Annotated[dict[Name, Authorization], Field(max_length=32)] = {}
    contract: Annotated[str, text(1, 1024, rf"^[^./\\:{SPACE}][^\\:]*$")] | None = None
    tls: Tls = Tls()
    endpoints: Annotated[dict[Purpose, Endpoint], Field(max_length=2000)] = {}
    status: Status = "active"
    lifecycle: Lifecycle = Lifecycle()


class Connector(Document):
    """How an application platform reaches a data source."""

    kind: Literal["Connector"]
    spec: ConnectorSpec
