"""What is posted to ask for a token: by oauthlib for OAuth 2.0 grants, else as the token request says."""

import json
from typing import NamedTuple
from urllib.parse import quote_plus, urlencode

from reconciler.core.secret import Secret
from reconciler.kinds.authorization import Grant, basic

Header = tuple[str, str]
_FORM: Header = ("Content-Type", "application/x-www-form-urlencoded")


class Posted(NamedTuple):
    """Headers and body of a request for a token."""

    headers: tuple[Header, ...]
    body: str


def token_request(grant: Grant, *, encoded: bool) -> Posted:
    """What asks for a token by credentials.

    Args:
        encoded: whether the client's id and secret are form-encoded inside of a Basic header.
    """
    from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient

    if grant.kind == "request":
        return _plain_request(grant)
    headers, fields = _client_authentication(grant, encoded=encoded)
    client_id, scope = fields.pop("client_id", ""), list(grant.scopes) or None
    named = bool(client_id)
    if grant.kind == "password":
        username, password = _user(grant)
        client = LegacyApplicationClient(client_id)
        body = client.prepare_request_body(username, password, scope=scope, include_client_id=named, **fields)
    else:
        body = BackendApplicationClient(client_id).prepare_request_body(scope=scope, include_client_id=named, **fields)
    return Posted((*headers, _FORM), body)


def refresh_request(grant: Grant, refresh: Secret, *, encoded: bool) -> Posted:
    """What asks for a token by a refresh token: RFC 6749, section 6."""
    from oauthlib.oauth2 import LegacyApplicationClient

    headers, fields = _client_authentication(grant, encoded=encoded)
    client_id = fields.get("client_id", "")
    body = LegacyApplicationClient(client_id).prepare_refresh_body(
        refresh_token=refresh.reveal(), include_client_id=bool(client_id), **fields
    )
    return Posted((*headers, _FORM), body)


def has_two_encodings(grant: Grant) -> bool:
    """Whether the client's id and secret look different when they are form-encoded inside of a Basic header.

    RFC 6749, section 2.3.1, asks for that, and servers disagree: some take them as they are.
    """
    if grant.in_body or grant.client_id is None or grant.client_secret is None or ":" in grant.client_id.reveal():
        return False  # a colon would end the id, if it went as it is
    return any(quote_plus(text.reveal()) != text.reveal() for text in (grant.client_id, grant.client_secret))


def _client_authentication(grant: Grant, *, encoded: bool) -> tuple[tuple[Header, ...], dict[str, str]]:
    """Headers and form fields that say which client asks. One without a secret names itself in the form."""
    if grant.client_id is None:
        return (), {}
    name = grant.client_id.reveal()
    if grant.client_secret is None:
        return (), {"client_id": name}
    secret = grant.client_secret.reveal()
    if grant.in_body:
        return (), {"client_id": name, "client_secret": secret}
    if encoded:
        name, secret = quote_plus(name), quote_plus(secret)
    return (("Authorization", basic(Secret(name), Secret(secret)).reveal()),), {}


def _plain_request(grant: Grant) -> Posted:
    """A token request that is not OAuth's; in a form it looks like one of OAuth's without a client."""
    username, password = _user(grant)
    if grant.send == "basic":
        header = ("Authorization", basic(Secret(username), Secret(password)).reveal())
        return Posted((header, _FORM), urlencode({"grant_type": "client_credentials"}))
    fields = {grant.username_field: username, grant.password_field: password}
    if grant.send == "json":
        return Posted((("Content-Type", "application/json"),), json.dumps(fields))
    return Posted((_FORM,), urlencode({"grant_type": "password", **fields}))


def _user(grant: Grant) -> tuple[str, str]:
    assert grant.username is not None and grant.password is not None
    return grant.username.reveal(), grant.password.reveal()
