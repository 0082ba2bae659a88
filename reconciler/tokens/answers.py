"""What a token endpoint's answer says. Servers disagree, and none of what they say is to be trusted."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

from reconciler.core.secret import Secret
from reconciler.core.token import Token
from reconciler.errors import CredentialsRefused, NetworkFailure
from reconciler.kinds.authorization import Grant
from reconciler.net.sending import Answer
from reconciler.net.urls import host_of

_ERROR_CODES = frozenset(
    (
        "invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "invalid_target", "invalid_token",
        "unauthorized_client", "unsupported_grant_type", "unsupported_token_type", "access_denied", "server_error",
        "temporarily_unavailable", "insufficient_scope", "interaction_required", "login_required", "consent_required",
        "account_selection_required", "mfa_required", "invalid_dpop_proof", "use_dpop_nonce", "expired_token", "slow_down",
    )
)  # fmt: skip
"""Codes that may be shown: of RFC 6749, the IANA registry of OAuth's extension errors, and OpenID Connect. Anything
else that a server says there may be what it was sent.
"""
_HINTS = {
    "invalid_client": "check clientId and clientSecret; some servers want  clientAuthentication: body",
    "invalid_grant": "check username and password",
    "invalid_scope": "check scopes",
    "unauthorized_client": "the server does not let this client use this grant",
    "unsupported_grant_type": "the server does not know this grant; choose another method",
}
_TOO_MANY, _SERVER_FAULT, _REDIRECT, _OK = 429, 500, 300, 200
_ANY_CREDENTIALS = "check the credentials; some servers want  clientAuthentication: body"


def read_token(answer: Answer, grant: Grant, now: float) -> Token:
    """The token in an answer.

    Args:
        now: seconds since 1970, for tokens that say themselves when they expire.

    Raises:
        CredentialsRefused: the server gives none, with its status and OAuth error code.
        NetworkFailure: the server is at fault.
    """
    content = _json_object(answer.body)
    if not _OK <= answer.status < _REDIRECT or "error" in content:
        raise _refusal(answer, content, grant)
    if grant.kind == "request" and grant.token_field != "access_token":  # noqa: S105 (a field's name)
        found = _at(content, grant.token_field)
        fields: Mapping[str, Any] = content
    else:
        fields = _oauth_fields(answer)
        found = fields.get("access_token")
    if not isinstance(found, str) or not found or not _fits_header(found):
        where = f"the answer has no access token at {grant.token_field}"
        hint = "check the URL" if grant.kind != "request" else "check tokenRequest.tokenField and the URL"
        raise CredentialsRefused(f"{host_of(grant.url)} answered {answer.status}: {where}", hint=hint)
    refresh = fields.get("refresh_token")
    scope = fields.get("scope", "")
    return Token(
        Secret(found),
        Secret(refresh) if isinstance(refresh, str) and refresh else None,
        _lifetime(fields.get("expires_in"), found, now),
        " ".join(scope) if isinstance(scope, list) else str(scope or ""),
    )


def _oauth_fields(answer: Answer) -> Mapping[str, Any]:
    """The fields of RFC 6749, section 5.1; of an older server's form-encoded answer too."""
    from oauthlib.oauth2 import OAuth2Error
    from oauthlib.oauth2.rfc6749.parameters import parse_token_response

    try:
        fields: Mapping[str, Any] = parse_token_response(answer.body.decode("utf-8", "replace"))
    except (OAuth2Error, ValueError, TypeError, AttributeError):
        return {}
    return fields


def _refusal(answer: Answer, content: Mapping[str, Any], grant: Grant) -> CredentialsRefused | NetworkFailure:
    """Why there is no token: the status and the error code, never anything else of the body."""
    host, code = host_of(grant.url), _error_code(content)
    said = f"{answer.status}" + (f" {code}" if code else "")
    if answer.status >= _SERVER_FAULT:
        return NetworkFailure(f"{host} answered {said}", hint="see the server's log, or try again later")
    if answer.status == _TOO_MANY:
        return NetworkFailure(f"{host} answered {said}: too many requests", hint="try again later")
    if _REDIRECT <= answer.status < 400:
        return CredentialsRefused(f"{host} answered {said}: a redirect, which token requests do not follow", hint="write the URL that it leads to")  # fmt: skip
    if answer.status == 404:
        return CredentialsRefused(f"{host} answered {said}: there is no token endpoint", hint="check the token URL")
    return CredentialsRefused(f"{host} answered {said}: credentials refused", hint=_HINTS.get(code, _ANY_CREDENTIALS))


def _error_code(content: Mapping[str, Any]) -> str:
    code = content.get("error")
    return code if isinstance(code, str) and code in _ERROR_CODES else ""


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _at(content: Any, dotted: str) -> Any:
    for step in dotted.split("."):
        content = content.get(step) if isinstance(content, dict) else None
    return content


def _fits_header(text: str) -> bool:
    return text.isascii() and text.isprintable() and text.strip() == text


def _lifetime(expires_in: Any, access: str, now: float) -> float | None:
    """Seconds until the token expires: as the server says, else as a JSON Web Token says itself."""
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError):
        seconds = -1.0
    if 0 < seconds < 10**10:
        return seconds
    claim = _expiry_claim(access)
    return claim - now if claim is not None and 0 < claim - now < 10**10 else None


def _expiry_claim(access: str) -> float | None:
    """The `exp` claim of a JSON Web Token (RFC 7519), read without checking it: it only says when to renew."""
    parts = access.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims["exp"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
