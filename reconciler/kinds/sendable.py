"""What keeps the value of a connector's secret from being sent where the definition wants it."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.references import unsendable
from reconciler.diagnostics import Path

COLON = "holds a colon, which ends the user in Basic authorization"


def secret_fault(path: Path, value: str, spec: Mapping[str, Any]) -> str:
    """Why the value of the secret at `path` cannot be sent, as the rest of a sentence; "" where it can."""
    match path[1:]:
        case ("tls", *_):
            return ""
        case ("authorization", "token") | ("endpoints", _, "headers", *_):
            return unsendable(value, in_header=True)
        case ("authorization", *rest) if rest == user_of_basic(spec["authorization"]) and ":" in value:
            return COLON
    return unsendable(value, in_header=False)


def user_of_basic(authorization: Mapping[str, Any]) -> list[str]:
    """Where in an authorization the user of a Basic header stands (RFC 7617); nowhere where none is sent."""
    if authorization.get("method") == "basic":
        return ["username"]
    return ["tokenRequest", "username"] if authorization.get("tokenRequest", {}).get("send") == "basic" else []


def user_has_colon(authorization: Mapping[str, Any]) -> bool:
    """Whether the user of a Basic header stands in the definition itself, with a colon."""
    place = user_of_basic(authorization)
    block = authorization.get("tokenRequest", {}) if "tokenRequest" in place else authorization
    user = block.get("username") if place else None
    return isinstance(user, str) and ":" in user
