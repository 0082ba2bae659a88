"""To whom the secrets of connectors are sent: a host that gets them by a plan and did not before is told to reviewers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from reconciler.core.plan import Action, Change
from reconciler.kinds.canonical import decode, may_hold_references, readable
from reconciler.kinds.registry import address

_MOST = 20
_WITH_HOSTS = (("spec", "authorization"), ("spec", "endpoints"))
_OF_THE_CALLER = "whichever host a caller names"


def recipient_notices(changes: Iterable[Change]) -> Iterator[str]:
    """A line for each connector whose secrets go to a new host, and one for all connectors that are new."""
    told: list[str] = []
    new: Counter[str] = Counter()
    made = 0
    for change in changes:
        if change.key.kind != "Connector" or change.action is Action.DELETE or not may_hold_references(change.body or b""):  # fmt: skip
            continue
        if change.record is None:
            found = _recipients(_spec(change))
            new.update(found)
            made += bool(found)
        elif any(field.path[:2] in _WITH_HOSTS for field in change.fields):
            hosts = _recipients(_spec(change)) - _recipients_before(change)
            if hosts:
                noun = "a new host" if len(hosts) == 1 else "new hosts"
                told.append(f"secrets of {address(*change.key)} will be sent to {noun}: {_listed(sorted(hosts))}")
    yield from told[:_MOST]
    if len(told) > _MOST:
        yield f"secrets of {len(told) - _MOST:,} more connectors will be sent to new hosts; -o json has all changes"
    if made:
        whose = "a new connector" if made == 1 else f"{made:,} new connectors"
        yield f"secrets of {whose} will be sent to {_listed([host for host, _ in sorted(new.items(), key=_rarest)])}"


def _rarest(item: tuple[str, int]) -> tuple[int, str]:
    """What few connectors send secrets to comes first: it is the odd one that reviewers look for."""
    return item[1], item[0]


def _listed(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - _MOST:,} more hosts" if len(hosts) > _MOST else ""
    return ", ".join(hosts[:_MOST]) + more


def _spec(change: Change) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = decode(change.body or b"{}").get("spec", {})
    return spec


def _recipients_before(change: Change) -> frozenset[str]:
    """Of what is live; what no record may hold sends nothing."""
    body, valid = readable(change.key.kind, change.before)
    return _recipients(body["spec"]) if valid else frozenset()


def _recipients(spec: Mapping[str, Any]) -> frozenset[str]:
    """Hosts that get a secret, or a token that one was given for."""
    authorization = spec.get("authorization", {})
    urls = []
    if "tokenUrl" in authorization:
        urls.append(authorization["tokenUrl"])
    if "tokenRequest" in authorization:
        urls.append(authorization["tokenRequest"]["url"])
    authorized = authorization.get("method", "none") != "none"
    endpoints = spec.get("endpoints", {}).values()
    urls += [endpoint["url"] for endpoint in endpoints if authorized or _holds_references(endpoint)]
    return frozenset(host for host in map(_host, urls) if host)


def _holds_references(endpoint: Mapping[str, Any]) -> bool:
    entries = (entry for group in ("params", "headers") for entry in endpoint.get(group, ()))
    return any(isinstance(entry.get("value"), dict) for entry in entries)


def _host(url: str) -> str:
    """Host of a URL, with the port where one is named, and with the scheme where that is not https; "" for the platform's own.

    Letters beyond ASCII are shown as they are looked up, so that none looks like another.
    """
    if url.startswith("/"):
        return ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return _OF_THE_CALLER
    if not host or "{" in parts.netloc or "{" in parts.scheme:
        return _OF_THE_CALLER
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            host = host.encode("ascii", "backslashreplace").decode()
    host = f"[{host}]" if ":" in host else host
    return ("" if parts.scheme == "https" else f"{parts.scheme}://") + host + (f":{port}" if port else "")
