"""What an authorization means: which header it becomes, and where its token comes from."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from reconciler.core.calls import Trust
from reconciler.core.secret import Secret
from reconciler.errors import InvalidDefinitions
from reconciler.kinds.common import COLON, user_has_colon
from reconciler.kinds.connector import TOKEN_REQUEST_DEFAULTS, is_insecure

Values = Mapping[str, Secret]
"""Values of a connector's secrets, by the address that `secret_fields` gives them."""


class TokenGrant(Struct, frozen=True):
    """How a token is asked for.

    Attributes:
        kind: password, client-credentials, or request for a token request that is not OAuth's.
        url: where.
        client_id, client_secret: None where the definition has none.
        in_body: whether they go into the body instead of the Authorization header.
        username, password: None for client credentials.
        send, username_field, password_field, token_field: of a token request.
    """

    kind: str
    url: str
    client_id: Secret | None = None
    client_secret: Secret | None = None
    in_body: bool = False
    username: Secret | None = None
    password: Secret | None = None
    scopes: tuple[str, ...] = ()
    send: str = "form"
    username_field: str = "username"
    password_field: str = "password"  # noqa: S105 (a field's name)
    token_field: str = "access_token"  # noqa: S105


def needs_token(spec: Mapping[str, Any]) -> bool:
    """Whether requests of the connector carry a token that has to be fetched."""
    authorization = spec.get("authorization", {})
    return "tokenRequest" in authorization or authorization.get("method", "").startswith("oauth2-")


def can_be_fetched(spec: Mapping[str, Any]) -> bool:
    """Whether the connector needs a token that can be fetched without a caller's data for its URL."""
    return needs_token(spec) and "{{" not in _token_url(spec["authorization"])


def _token_url(authorization: Mapping[str, Any]) -> str:
    request = authorization.get("tokenRequest")
    url: str = request["url"] if request is not None else authorization["tokenUrl"]
    return url


def grant_of(spec: Mapping[str, Any], values: Values) -> TokenGrant:
    """How the token of a connector that needs one is asked for.

    Raises:
        InvalidDefinitions: live records can be written outside of a run, so what `rules` refuses is refused here too.
    """
    authorization = spec["authorization"]
    _check_url(_token_url(authorization))
    request = authorization.get("tokenRequest")
    if request is not None:
        _check_user(authorization)
        settings = TOKEN_REQUEST_DEFAULTS | request
        return TokenGrant(
            "request",
            request["url"],
            username=_text(request["username"], "authorization.tokenRequest.username", values),
            password=values["authorization.tokenRequest.password"],
            send=settings["send"],
            username_field=settings["usernameField"],
            password_field=settings["passwordField"],
            token_field=settings["tokenField"],
        )
    given = {
        key: _text(authorization[key], f"authorization.{key}", values)
        for key in ("clientId", "clientSecret", "username", "password")
        if key in authorization
    }
    return TokenGrant(
        authorization["method"].removeprefix("oauth2-"),
        authorization["tokenUrl"],
        client_id=given.get("clientId"),
        client_secret=given.get("clientSecret"),
        in_body=authorization.get("clientAuthentication") == "body",
        username=given.get("username"),
        password=given.get("password"),
        scopes=tuple(authorization.get("scopes", ())),
    )


def _check_url(url: str) -> None:
    if "{{" in url:
        raise InvalidDefinitions("the token URL has placeholders", hint="write it out; see: reconciler explain RC502")
    if is_insecure(url):
        raise InvalidDefinitions("credentials would be sent over plain http to the token URL", hint="use https://")


def _check_user(authorization: Mapping[str, Any]) -> None:
    """Refuse a literal user with a colon; the value of a reference is looked at where it is resolved."""
    if user_has_colon(authorization):
        raise InvalidDefinitions(f"the user {COLON}", hint="see: reconciler explain RC406")


def static_header(spec: Mapping[str, Any], values: Values) -> tuple[tuple[str, Secret], ...]:
    """The Authorization header of a connector that needs no token to be fetched; nothing for the method none.

    Raises:
        InvalidDefinitions: the user holds a colon.
    """
    authorization = spec.get("authorization", {})
    method = authorization.get("method", "none")
    if method == "basic":
        username = _text(authorization["username"], "authorization.username", values)
        _check_user(authorization)
        return (("Authorization", basic(username, values["authorization.password"])),)
    if method == "bearer":
        return (bearer(values["authorization.token"]),)
    return ()


def bearer(token: Secret) -> tuple[str, Secret]:
    """The header that carries an access token: RFC 6750, section 2.1."""
    return "Authorization", Secret(f"Bearer {token.reveal()}")


def basic(username: Secret, password: Secret) -> Secret:
    """The value of a Basic Authorization header: RFC 7617."""
    return Secret("Basic " + b64encode(f"{username.reveal()}:{password.reveal()}".encode()).decode())


def trust_of(spec: Mapping[str, Any], values: Values) -> Trust:
    """Whom the connector's connections trust."""
    verify = spec.get("tls", {}).get("verify", True)
    return Trust(verify, values.get("tls.ca"), values.get("tls.clientCertificate"), values.get("tls.clientKey"))


def _text(value: Any, address: str, values: Values) -> Secret:
    return values[address] if isinstance(value, dict) else Secret(str(value))
