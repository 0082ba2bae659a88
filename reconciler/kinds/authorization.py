"""What an authorization means: which header it becomes, and where its token comes from."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from reconciler.core.calls import Trust
from reconciler.core.secret import Secret
from reconciler.diagnostics import Path
from reconciler.errors import InvalidDefinitions
from reconciler.kinds.authorization_blocks import (
    COLON,
    TOKEN_REQUEST_DEFAULTS,
    Authorization,
    entry_address,
    used,
    user_has_colon,
)
from reconciler.kinds.common import PLAIN_HTTP_HINT, is_insecure

Values = Mapping[str, Secret]
"""Values of a connector's secrets, by the address that `secret_fields` gives them."""
Pairs = tuple[tuple[str, Secret], ...]


class TokenGrant(Struct, frozen=True):
    """How a token is asked for.

    Attributes:
        kind: password, client-credentials, or request for a token request that is not OAuth's.
        url: where.
        client_id, client_secret: None where the definition has none.
        in_body: whether they go into the body instead of the Authorization header.
        username, password: None for client credentials.
        audience: the API that the token is for, or "".
        resource: the resources that the token is for: RFC 8707.
        fields, headers: further ones of each request.
        lifetime: seconds that a token lasts whose answer does not say so, or None.
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
    audience: str = ""
    resource: tuple[str, ...] = ()
    fields: Pairs = ()
    headers: Pairs = ()
    lifetime: float | None = None
    send: str = "form"
    username_field: str = "username"
    password_field: str = "password"  # noqa: S105 (a field's name)
    token_field: str = "access_token"  # noqa: S105


def needs_token(authorization: Authorization) -> bool:
    """Whether requests carry a token that has to be fetched."""
    block = authorization.block
    return "tokenRequest" in block or block.get("method", "").startswith("oauth2-")


def with_tokens(spec: Mapping[str, Any]) -> list[Authorization]:
    """The authorizations that a connector uses and that need a token."""
    return [authorization for authorization in used(spec) if needs_token(authorization)]


def fetchable(spec: Mapping[str, Any]) -> list[Authorization]:
    """Those of them whose token can be fetched without a caller's data for its URL."""
    return [authorization for authorization in with_tokens(spec) if can_be_fetched(authorization)]


def can_be_fetched(authorization: Authorization) -> bool:
    """Whether its token can be fetched without a caller's data for its URL."""
    return "{{" not in _token_url(authorization.block)


def _token_url(block: Mapping[str, Any]) -> str:
    request = block.get("tokenRequest")
    url: str = request["url"] if request is not None else block["tokenUrl"]
    return url


def grant_of(authorization: Authorization, values: Values) -> TokenGrant:
    """How the token of an authorization that needs one is asked for.

    Raises:
        InvalidDefinitions: live records can be written outside of a run, so what `rules` refuses is refused here too.
    """
    block, start = authorization.block, authorization.address
    _check_url(authorization)
    request = block.get("tokenRequest")
    if request is not None:
        _check_user(block)
        settings = TOKEN_REQUEST_DEFAULTS | request
        return TokenGrant(
            "request",
            request["url"],
            username=_text(request["username"], f"{start}.tokenRequest.username", values),
            password=values[f"{start}.tokenRequest.password"],
            fields=_pairs(request, "fields", (*authorization.path, "tokenRequest"), values),
            headers=_pairs(request, "headers", (*authorization.path, "tokenRequest"), values),
            lifetime=request.get("lifetimeSeconds"),
            send=settings["send"],
            username_field=settings["usernameField"],
            password_field=settings["passwordField"],
            token_field=settings["tokenField"],
        )
    given = {
        key: _text(block[key], f"{start}.{key}", values)
        for key in ("clientId", "clientSecret", "username", "password")
        if key in block
    }
    return TokenGrant(
        block["method"].removeprefix("oauth2-"),
        block["tokenUrl"],
        client_id=given.get("clientId"),
        client_secret=given.get("clientSecret"),
        in_body=block.get("clientAuthentication") == "body",
        username=given.get("username"),
        password=given.get("password"),
        scopes=tuple(block.get("scopes", ())),
        audience=block.get("audience", ""),
        resource=tuple(block.get("resource", ())),
        fields=_pairs(block, "fields", authorization.path, values),
        headers=_pairs(block, "headers", authorization.path, values),
        lifetime=block.get("lifetimeSeconds"),
    )


def _pairs(block: Mapping[str, Any], group: str, start: Path, values: Values) -> Pairs:
    """Names and values of the further fields or headers."""
    entries = block.get(group, [])
    return tuple(
        (entry["name"], _text(entry["value"], entry_address((*start, group, index, "value"), entries), values))
        for index, entry in enumerate(entries)
    )


def _check_url(authorization: Authorization) -> None:
    url = _token_url(authorization.block)
    if "{{" in url:
        raise InvalidDefinitions("the token URL has placeholders", hint="write it out; see: reconciler explain RC502")
    if is_insecure(url) and not authorization.over_plain_http:
        raise InvalidDefinitions("credentials would be sent over plain http to the token URL", hint=PLAIN_HTTP_HINT)


def _check_user(block: Mapping[str, Any]) -> None:
    """Refuse a literal user with a colon; the value of a reference is looked at where it is resolved."""
    if user_has_colon(block):
        raise InvalidDefinitions(f"the user {COLON}", hint="see: reconciler explain RC406")


def static_header(authorization: Authorization, values: Values) -> Pairs:
    """The header of an authorization that needs no token to be fetched; nothing for the method none.

    Raises:
        InvalidDefinitions: the user holds a colon.
    """
    block, start = authorization.block, authorization.address
    method = block.get("method", "none")
    if method == "basic":
        username = _text(block["username"], f"{start}.username", values)
        _check_user(block)
        return (("Authorization", basic(username, values[f"{start}.password"])),)
    if method == "bearer":
        return (bearer(values[f"{start}.token"]),)
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
