"""What a connector's credentials are at an instance, which takes them whole and shows them to nobody."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.secret import Secret
from reconciler.stores.processmaker.forms.connectors import BASIC, BEARER, NONE, PASSWORD, authtype_of

_KEYS = {
    BASIC: {"username": "username", "password": "password"},
    PASSWORD: {
        "tokenUrl": "url",
        "clientId": "client_id",
        "clientSecret": "client_secret",
        "username": "username",
        "password": "password",
    },
}
"""By sort our keys and the instance's."""


def is_token_ours(spec: Mapping[str, Any]) -> bool:
    """Whether the instance is given an access token that we fetch, because it cannot fetch that itself."""
    block = spec.get("authorization", {})
    return authtype_of(spec) == BEARER and "token" not in block


def credentials(body: Mapping[str, Any], secrets: Mapping[str, Secret], token: Secret | None = None) -> dict[str, Any]:
    """The credentials whole, secrets revealed: for the line that sends them.

    Args:
        secrets: by address, such as authorization.password.
        token: the access token, where that is ours to fetch.

    Raises:
        KeyError: a secret, or the token, is not there.
    """
    spec = body["spec"]
    block = spec.get("authorization", {})
    made: dict[str, Any] = {"verify_certificate": spec.get("tls", {}).get("verify", True)}
    authtype = authtype_of(spec)
    if is_token_ours(spec):
        if token is None:
            raise KeyError("authorization.token")
        return made | {"token": token.reveal()}
    if authtype == BEARER:
        return made | {"token": secrets["authorization.token"].reveal()}
    for ours, theirs in _KEYS.get(authtype, {}).items():
        if ours in block:
            value = block[ours]
            made[theirs] = secrets[f"authorization.{ours}"].reveal() if isinstance(value, dict) else value
    return made


def needs_credentials(body: Mapping[str, Any], before: Mapping[str, Any] | None, *, is_sealed_anew: bool) -> bool:
    """Whether credentials have to be sent so that the instance has those of `body`.

    Args:
        before: the body that it has now, None for a new record.
        is_sealed_anew: whether secrets, or what obtains a token by them, are others than those that it has.
    """
    wanted = _outline(body["spec"])
    if before is None:
        return wanted != (NONE, True, ())
    return wanted != _outline(before["spec"]) or (is_sealed_anew and wanted[0] != NONE)


def _outline(spec: Mapping[str, Any]) -> tuple[str, bool, tuple[tuple[str, str], ...]]:
    """What of the credentials is no secret: sort, whether certificates are verified, and texts."""
    block, authtype = spec.get("authorization", {}), authtype_of(spec)
    texts = sorted((key, "" if isinstance(block[key], dict) else block[key]) for key in _KEYS.get(authtype, ()) if key in block)  # fmt: skip
    return authtype, spec.get("tls", {}).get("verify", True), tuple(texts)
