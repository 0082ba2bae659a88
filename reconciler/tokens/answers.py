"""What a token endpoint's answer says, and which scopes of it may be shown."""

import json
import re
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from reconciler.core.calls import Token
from reconciler.core.references import unsendable
from reconciler.core.secret import Secret
from reconciler.errors import CredentialsRefused, NetworkFailure
from reconciler.kinds.authorization import TokenGrant
from reconciler.net.client import Response
from reconciler.net.urls import host_of

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")  # RFC 6749, section 3.3
_MOST = 500
_RUN = 8
"""So many characters of a secret in a row are a part of it, and no accident."""


def shown_scopes(said: Any, asked: Sequence[str], secrets: Iterable[Secret]) -> list[str]:
    """The scopes of a text or list. Where any but those asked for repeats a part of a secret, none but those are kept."""
    words = said.split() if isinstance(said, str) else said if isinstance(said, list) else ()
    scopes = [word for word in words[:_MOST] if isinstance(word, str) and _SCOPE.fullmatch(word)]
    others = "".join(scope for scope in scopes if scope not in asked)
    if others and not _runs(others).isdisjoint(run for secret in secrets for run in _secret_runs(secret.reveal())):
        return [scope for scope in scopes if scope in asked]
    return scopes


def _secret_runs(value: str) -> Iterator[str]:
    """Runs of a secret as it is, reversed, and as URLs, Base64 and hexadecimals write it."""
    data = value.encode("utf-8", "surrogatepass")
    yield from _runs(value)
    yield from _runs(value[::-1])
    yield from _runs(quote(data, safe=""))
    yield from _runs(data.hex())
    for shift in range(3):
        written = b64encode(bytes(shift) + data).decode()[4 * bool(shift) :].rstrip("=")[:-1]
        yield from _runs(written)
        yield from _runs(written.translate({43: "-", 47: "_"}))


def _runs(text: str) -> set[str]:
    small = text.lower()
    return {small[start : start + _RUN] for start in range(len(small) - _RUN + 1)}


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
    "invalid_target": "check audience and resource",
    "unauthorized_client": "the server does not let this client use this grant",
    "unsupported_grant_type": "the server does not know this grant; choose another method",
}
_OF_REQUEST = frozenset(("invalid_scope", "invalid_target"))
"""Codes by which a server refuses what was asked for, after it has accepted the credentials."""
_UNAUTHORIZED, _TOO_MANY, _SERVER_FAULT, _REDIRECT, _OK = 401, 429, 500, 300, 200
_LONGEST = 10.0**10
"""Seconds that a token may last; a server that says more says nothing."""
_FORM = re.compile(r"[^\s<>{}\"]+")
_ANY_CREDENTIALS = "check the credentials; some servers want  clientAuthentication: body"
_LONGEST_TOKEN = 16 * 1024
"""Characters; no server takes a header that is longer."""


def read_token(answer: Response, grant: TokenGrant, now: float) -> Token:
    """The token in an answer. Where that is good, members beside it that are not as they should be are left aside.

    Args:
        now: seconds since 1970, for tokens that say themselves when they expire.

    Raises:
        CredentialsRefused: the server gives none, with its status and OAuth error code.
        NetworkFailure: the server is at fault.
    """
    fields = _fields(answer)
    if not _OK <= answer.status < _REDIRECT or fields.get("error"):
        raise _refusal(answer, fields, grant)
    *above, access = _steps(fields, grant.token_field)
    if fault := _fault(answer, fields, access, grant):
        hint = "check the URL" if grant.kind != "request" else "check tokenRequest.tokenField and the URL"
        raise CredentialsRefused(f"{host_of(grant.url)} answered {answer.status}: {fault}", hint=hint, of_request=True)
    fields = {key: value for members in above for key, value in members.items()}  # those beside the token count most
    if fault := _type_fault(fields.get("token_type")):
        raise CredentialsRefused(f"{host_of(grant.url)} answered {answer.status}: {fault}", hint="ask for bearer tokens, which are the only ones that can be sent", of_request=True)  # fmt: skip
    refresh = fields.get("refresh_token")
    if not isinstance(refresh, str) or unsendable(refresh, in_header=False):
        refresh = ""
    return Token(
        Secret(access),
        Secret(refresh) if refresh else None,
        _lifetime(fields, access, now) or grant.lifetime,
        " ".join(shown_scopes(fields.get("scope"), grant.scopes, map(Secret, (*_sent(grant), access, refresh)))),
    )


def _sent(grant: TokenGrant) -> Iterator[str]:
    """What a server was told, which it might repeat."""
    further = (value for _, value in (*grant.fields, *grant.headers))
    for told in (grant.client_id, grant.client_secret, grant.username, grant.password, *further):
        if told is not None:
            yield told.reveal()


def refuses_client(answer: Response, *, with_user: bool) -> bool:
    """Whether an answer is about the client's own id and secret.

    Args:
        with_user: whether a user's password was sent too; then only an answer that says so is about the client.
    """
    error = _fields(answer).get("error")
    return error == "invalid_client" or (answer.status == _UNAUTHORIZED and not error and not with_user)


def _fields(answer: Response) -> Mapping[str, Any]:
    """The members of the JSON object in an answer, or of an older server's form; none where it is neither."""
    text = answer.body.decode(json.detect_encoding(answer.body), "replace").lstrip("\ufeff")
    content = _json(text)
    if isinstance(content, dict):
        return content
    return dict(parse_qsl(text.strip())) if content is None and _FORM.fullmatch(text.strip()) else {}


def _json(text: str) -> Any:
    """What JSON says, with all numbers as floats, so that none is too long to be read; None where it is no JSON."""
    try:
        return json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        return None


def _fault(answer: Response, fields: Mapping[str, Any], access: Any, grant: TokenGrant) -> str:
    """Why an answer holds no token that can be used; "" where it does."""
    if answer.cut:
        return "the answer has no access token that can be read: it is too long"
    if not fields:
        return "the answer has no access token: it is no JSON object"
    if access is None or access == "":
        return f"the answer has no access token at {grant.token_field}"
    if not isinstance(access, str):
        return f"the access token at {grant.token_field} is no text"
    fault = "is too long" if len(access) > _LONGEST_TOKEN else unsendable(access, in_header=True)
    return f"the access token {fault}, which cannot be sent" if fault else ""


def _refusal(answer: Response, content: Mapping[str, Any], grant: TokenGrant) -> CredentialsRefused | NetworkFailure:
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
    return CredentialsRefused(f"{host} answered {said}: credentials refused", hint=_HINTS.get(code, _ANY_CREDENTIALS), of_request=code in _OF_REQUEST)  # fmt: skip


def _error_code(content: Mapping[str, Any]) -> str:
    code = content.get("error")
    return code if isinstance(code, str) and code in _ERROR_CODES else ""


def _steps(fields: Mapping[str, Any], dotted: str) -> Iterator[Any]:
    """What stands on the way to a member, and the member itself, or None."""
    content: Any = fields
    yield content
    for step in dotted.split("."):
        content = content.get(step) if isinstance(content, dict) else None
        yield content


_UNSENDABLE_TYPES = frozenset(("mac", "dpop", "pop"))
"""Types of tokens that come with a key, without which they are worth nothing."""


def _type_fault(said: Any) -> str:
    """Why a token of a type cannot be used: RFC 6749, section 7.1. What is no known type may be a bearer token."""
    known = said.strip().lower() if isinstance(said, str) else ""
    return f"the access token is of the type {known}, which needs a key" if known in _UNSENDABLE_TYPES else ""


_TIMES = ("expires_in", "expires", "expires_at", "expires_on", "expiresIn", "expiresAt")
_EPOCH = 10.0**9
"""A number above is no lifetime but a time; in milliseconds where it is above a thousand times that."""
_SECONDS = re.compile(r"(\d+(?:\.\d+)?) ?s(?:ec(?:onds)?)?", re.IGNORECASE)


def _lifetime(fields: Mapping[str, Any], access: str, now: float) -> float | None:
    """Seconds until the token expires: as the server says, else as a JSON Web Token says itself."""
    said = (_seconds(fields.get(name), now) for name in _TIMES)
    claim = _seconds(_expiry_claim(access), now)
    return next((seconds for seconds in (*said, claim) if seconds is not None and 0 < seconds < _LONGEST), None)


def _seconds(value: Any, now: float) -> float | None:
    """Seconds from now that a number says, a text that holds one, or a date."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    plain = _SECONDS.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        number = float(plain[1] if plain else value)
    except (ValueError, OverflowError):
        return _moment(str(value), now)
    if number > _EPOCH:
        return (number / 1000 if number > 1000 * _EPOCH else number) - now
    return number


def _moment(text: str, now: float) -> float | None:
    """Seconds until a date, in the form of ISO 8601 or of HTTP; without a zone it is in UTC."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError, TypeError, OverflowError, IndexError):
            then = read(text.strip())
            return (then.replace(tzinfo=then.tzinfo or UTC) - datetime.fromtimestamp(now, UTC)).total_seconds()
    return None


def _expiry_claim(access: str) -> Any:
    """The `exp` claim of a JSON Web Token (RFC 7519), read without checking it: it only says when to renew."""
    parts = access.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = _json(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode("utf-8", "replace"))
    except ValueError:
        return None
    return claims.get("exp") if isinstance(claims, dict) else None
