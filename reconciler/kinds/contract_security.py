"""Hold an endpoint's authorization against what a contract asks for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.diagnostics import Path
from reconciler.kinds.contract import ContractScheme
from reconciler.kinds.contract_bodies import Difference

_FLOWS = {"oauth2-client-credentials": "clientCredentials", "oauth2-password": "password"}


def security_differences(
    endpoint: Mapping[str, Any],
    spec: Mapping[str, Any],
    asked: Sequence[Sequence[ContractScheme]] | None,
    where: str,
) -> Iterator[Difference]:
    """What differs; `where` is the operation.

    Args:
        spec: the connector's.
        asked: see `OperationDetail.security`.
    """
    block, path = _authorization_of(endpoint, spec)
    if asked is None or any(all(_is_met(one, block, endpoint, spec) for one in schemes) for schemes in asked):
        return
    if not asked:
        if block:
            message = "the contract asks for no credentials here, and the endpoint sends some"
            yield Difference("RC807", message, where, path, "add  authorization: none", f"public {path}")
        return
    wanted = " or ".join(sorted({" with ".join(map(_said, schemes)) for schemes in asked}))
    sent = f"has {block['method']}" if block else "sends none"
    message = f"the contract asks for {wanted}, and the endpoint {sent}"
    first = next((scheme.where for schemes in asked for scheme in schemes), where)
    yield Difference("RC807", message, first, path, group=f"{path} {message}")


def _authorization_of(endpoint: Mapping[str, Any], spec: Mapping[str, Any]) -> tuple[Mapping[str, Any], Path]:
    """The block that the endpoint is sent with, empty for none, and where the endpoint says so."""
    name = endpoint.get("authorization")
    if name is None:
        return spec.get("authorization", {}), ()
    return ({} if name == "none" else spec.get("authorizations", {}).get(name, {})), ("authorization",)


def _is_met(
    scheme: ContractScheme, block: Mapping[str, Any], endpoint: Mapping[str, Any], spec: Mapping[str, Any]
) -> bool:
    """Whether the endpoint sends what the scheme asks for, as far as anybody can tell."""
    method: str = block.get("method", "none")
    match scheme.kind:
        case "apiKey":
            return _has_key(scheme, endpoint) or (scheme.key.lower() == "authorization" and method != "none")
        case "oauth2":
            return method == "bearer" or _FLOWS.get(method) in scheme.flows
        case "bearer" | "openIdConnect":
            return method == "bearer" or method.startswith("oauth2-")
        case "basic":
            return method == "basic"
        case "mutualTLS":
            return "clientCertificate" in spec.get("tls", {})
        case _:
            return True


def _has_key(scheme: ContractScheme, endpoint: Mapping[str, Any]) -> bool:
    group = {"header": "headers", "query": "params"}.get(scheme.place)
    if group is None:  # a cookie, which endpoints do not send
        return True
    return any(entry["name"].lower() == scheme.key.lower() for entry in endpoint.get(group, ()))


def _said(scheme: ContractScheme) -> str:
    if scheme.kind == "apiKey":
        return f"the {'query parameter' if scheme.place == 'query' else scheme.place} '{scheme.key}'"
    flows = f" ({', '.join(scheme.flows)})" if scheme.flows else ""
    return f"{scheme.kind or scheme.name}{flows}"
