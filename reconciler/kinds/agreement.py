"""Hold the endpoints of a connector against a contract: what no call can succeed with, and what differs besides."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from reconciler.core.secret import mask_text
from reconciler.diagnostics import Path
from reconciler.kinds.contract import Contract, ContractMatch, ContractParameter, OperationDetail, OperationIndex
from reconciler.kinds.contract_bodies import body_differences
from reconciler.kinds.contract_security import security_differences

_ANYWHERE = frozenset(
    (
        "accept", "accept-charset", "accept-encoding", "accept-language", "authorization", "baggage", "cache-control",
        "connection", "content-encoding", "content-language", "content-type", "cookie", "date", "dnt", "expect",
        "forwarded", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "keep-alive", "max-forwards", "origin", "pragma", "prefer", "range", "referer", "te",
        "traceparent", "tracestate", "upgrade", "user-agent", "via", "x-correlation-id", "x-forwarded-for",
        "x-forwarded-host", "x-forwarded-proto", "x-request-id", "x-requested-with",
    )
)  # fmt: skip
"""Headers that every request may have: those of HTTP itself, and those that trace requests."""
_LONE = re.compile(r"\{\{\{?[^{}]++\}?\}\}")


class Disagreement(Struct, frozen=True):
    """Where a connector and its contract differ.

    Attributes:
        path: from the document's root; entries of lists by name.
        group: what else it comes down to: of those that are alike, the first alone is told; "" for nothing.
    """

    code: str
    message: str
    path: Path
    hint: str
    group: str = ""


def hold(spec: Mapping[str, Any], contract: Contract, index: OperationIndex, update: str) -> Iterator[Disagreement]:
    """All disagreements of a connector's canonical spec, those that are alike as one.

    Args:
        index: of the contract's operations.
        update: what to run so that the definition follows the document.
    """
    alike: dict[str, list[Disagreement]] = {}
    for purpose, endpoint in spec.get("endpoints", {}).items():
        for found in _Endpoint(purpose, endpoint, spec, contract, update).hold(index):
            if found.group:
                alike.setdefault(found.group, []).append(found)
            else:
                yield found
    for first, *others in alike.values():
        count = f", as {len(others):,} more" if others else ""
        yield Disagreement(first.code, f"{first.message}{count}", first.path, first.hint)


class _Endpoint:
    """One endpoint, to be held against its operation."""

    def __init__(
        self, purpose: str, endpoint: Mapping[str, Any], spec: Mapping[str, Any], contract: Contract, update: str
    ) -> None:
        self._endpoint, self._spec, self._contract = endpoint, spec, contract
        self._purpose = purpose
        self._path: Path = ("spec", "endpoints", purpose)
        self._update = f"run: {update}" if update else "bring the two together"

    def hold(self, index: OperationIndex) -> Iterator[Disagreement]:
        method, url = self._endpoint["method"], self._endpoint["url"]
        found = index.find(method, url, self._purpose)
        if found is None:
            yield self._missing(index, method, url)
            return
        detail = self._contract.detail(found.operation)
        where = found.operation.where
        if detail.deprecated:
            yield self._told(
                "RC808",
                f"the contract calls {method} {found.operation.path} deprecated",
                where,
                (),
                "move to what its document names instead",
                "deprecated",
            )
        if not found.at_server:
            listed = ", ".join(found.operation.servers[:3]) or "none"
            yield self._told("RC803", f"the contract names another server: {listed}", "", ("url",), group=f"server {listed}")  # fmt: skip
        yield from self._parameters(detail)
        yield from self._path_styles(detail, found)
        for one in [
            *body_differences(self._endpoint, detail.body, where),
            *security_differences(self._endpoint, self._spec, detail.security, where),
        ]:
            yield self._told(one.code, one.message, one.where, one.path, one.hint, one.group)

    def _told(self, code: str, message: str, where: str, path: Path, hint: str = "", group: str = "") -> Disagreement:
        place = f" ({self._contract.file}#{where})" if where else f" ({self._contract.file})"
        return Disagreement(code, shown(message) + shown(place), (*self._path, *path), hint or self._update, group)

    def _missing(self, index: OperationIndex, method: str, url: str) -> Disagreement:
        moved, methods = index.named(self._purpose), index.methods(url)
        if moved is not None:
            message = f"the contract has {self._purpose} as {moved.method} {moved.path} now"
            return self._told("RC802", message, moved.where, ("method" if methods else "url",))
        if methods:
            message = f"the contract has {', '.join(methods)} at this path, and no {method}"
            return self._told("RC802", message, "/paths", ("method",))
        hint = f"{self._update}, or leave it if the endpoint is your own"
        return self._told("RC809", "the contract has no such path", "/paths", ("url",), hint)

    def _parameters(self, detail: OperationDetail) -> Iterator[Disagreement]:
        for place, group in (("query", "params"), ("header", "headers")):
            entries: Sequence[Mapping[str, Any]] = self._endpoint.get(group, ())
            known = {self._name(place, one.name): one for one in detail.parameters if one.place == place}
            own: dict[str, Mapping[str, Any]] = {}
            for entry in entries:
                own.setdefault(self._name(place, entry["name"]), entry)
            in_url = set(_query_names(self._endpoint["url"])) if place == "query" else set()
            for name, parameter in known.items():
                if name in own:
                    yield from self._entry(parameter, own[name], group)
                elif parameter.required and name not in in_url and not self._is_elsewhere(place, name, own):
                    message = f"the contract requires the {_WORDS[place]} '{parameter.name}', and the endpoint has none"
                    yield self._told("RC804", message, parameter.where, (group,) if entries else ())
            for name, entry in own.items():
                if name not in known and not self._is_allowed(place, name, known):
                    message = f"the contract does not know the {_WORDS[place]} '{entry['name']}'"
                    hint = f"{self._update}, or remove it"
                    yield self._told("RC805", message, "", (group, entry["name"], "name"), hint)

    def _name(self, place: str, name: str) -> str:
        return name.lower() if place == "header" else name

    def _is_elsewhere(self, place: str, name: str, own: Mapping[str, Any]) -> bool:
        """Whether a parameter that is missing is there under other names, or is sent without being declared."""
        if place == "header":
            return name in _ANYWHERE or ("header", name) in self._contract.keys
        return ("query", name.lower()) in self._contract.keys or any(one.startswith(f"{name}[") for one in own)

    def _is_allowed(self, place: str, name: str, known: Mapping[str, Any]) -> bool:
        if "{{" in name or (place, name.lower()) in self._contract.keys:
            return True
        return name in _ANYWHERE if place == "header" else name.partition("[")[0] in known

    def _entry(self, parameter: ContractParameter, entry: Mapping[str, Any], group: str) -> Iterator[Disagreement]:
        path = (group, parameter.name if group == "params" else entry["name"])
        value = entry.get("value", "")
        word = _WORDS[parameter.place]
        if (
            parameter.required
            and not entry.get("required")
            and (not value or (isinstance(value, str) and "{{" in value))
        ):
            message = f"the contract requires the {word} '{parameter.name}', and the endpoint may leave it out"
            yield self._told("RC805", message, parameter.where, (*path, "required"), "add  required: true")
        yield from self._style(parameter, entry, path)

    def _style(self, parameter: ContractParameter, entry: Mapping[str, Any], path: Path) -> Iterator[Disagreement]:
        value = entry.get("value", "")
        if not parameter.style or not isinstance(value, str) or not _LONE.fullmatch(value.strip()):
            return
        style = entry.get("style", "form" if parameter.place == "query" else "simple")
        explode = entry.get("explode", style == "form")
        counts = style in ("form", "label", "matrix")
        if style != parameter.style or (counts and explode != parameter.explode):
            wanted = f"style: {parameter.style}" + (f", explode: {str(parameter.explode).lower()}" if counts else "")
            message = f"the contract writes lists and objects of the {_WORDS[parameter.place]} '{parameter.name}' otherwise: {wanted}"  # fmt: skip
            yield self._told("RC805", message, parameter.where, path)

    def _path_styles(self, detail: OperationDetail, found: ContractMatch) -> Iterator[Disagreement]:
        own = {entry["name"]: entry for entry in self._endpoint.get("pathParams", ())}
        for parameter in detail.parameters:
            if parameter.place == "path" and parameter.name in found.placeholders:
                name = found.placeholders[parameter.name]
                entry = {"value": "{{value}}", **own.get(name, {})}
                yield from self._style(parameter, entry, ("pathParams", name) if name in own else ("url",))


_WORDS = {"query": "query parameter", "header": "header", "path": "path parameter"}


def _query_names(url: str) -> Iterator[str]:
    yield from (name for name, _ in parse_qsl(urlsplit(url.replace("{{", "").replace("}}", "")).query, True))


def shown(text: str) -> str:
    """A text of the document's, as messages may have it."""
    masked = mask_text(text)
    return masked if len(masked) <= _LONGEST else f"{masked[:_LONGEST]}…"


_LONGEST = 400
