"""Secret references that a plan would follow: which lead to nothing, and which hosts get the values."""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from sys import intern
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from reconciler.core.model import Key, encode
from reconciler.core.plan import Action, Change, Problem
from reconciler.core.ports.abilities import Limits
from reconciler.core.ports.source import SecretBackend
from reconciler.core.ports.store import Store
from reconciler.core.references import BOUNDS_HINT, HINT, Bounds, only, own
from reconciler.core.secret import Secret
from reconciler.errors import ExitCode, SecretRefused, SecretUnavailable
from reconciler.kinds.authorization_blocks import OWN, carries, secret_fault, used
from reconciler.kinds.canonical import may_hold_references, written_references
from reconciler.kinds.common import SecretField
from reconciler.kinds.registry import KINDS, address, is_definition

Refuse = Callable[[Mapping[str, str]], None]
"""Raises SecretRefused for a reference that nobody may follow."""


class Unresolved(NamedTuple):
    """One of them.

    Attributes:
        field: where its reference stands.
    """

    key: Key
    field: SecretField
    failure: SecretUnavailable


def followed(change: Change) -> Iterator[SecretField]:
    """The references that carrying out a change follows; sealed secrets that come back are left as they are."""
    kept = change.revival.secrets if change.revival is not None else ()
    fields = KINDS[change.key.kind].secret_fields(change.after["spec"]) if change.after else ()
    yield from (field for field in fields if field.address not in kept)


def forbidden(changes: Iterable[Change], refuse: Refuse) -> list[Unresolved]:
    """The references that carrying out changes would follow, and that nobody may. Nothing is read."""
    bodies = ((change.key, change.body, partial(followed, change)) for change in changes if not change.is_token_only)
    return forbidden_in(bodies, refuse)


def forbidden_in(
    bodies: Iterable[tuple[Key, bytes, Callable[[], Iterable[SecretField]]]], refuse: Refuse
) -> list[Unresolved]:
    """The same of records.

    Args:
        bodies: address, canonical body and what gives its references; called only where one may be refused.
    """
    found: list[Unresolved] = []
    known: dict[tuple[bytes, bytes], bool] = {}
    for key, body, fields in bodies:
        for written in written_references(body):
            if written not in known:
                known[written] = _refused({written[0].decode(): json.loads(b'"%s"' % written[1])}, refuse) is None
            if not known[written]:
                pairs = ((field, _refused(field.reference, refuse)) for field in fields())
                found += [Unresolved(key, field, failure) for field, failure in pairs if failure is not None]
                break
    return found


def _refused(reference: Mapping[str, str], refuse: Refuse) -> SecretRefused | None:
    try:
        refuse(reference)
    except SecretRefused as failure:
        return failure
    return None


def bounds_problem(changes: Iterable[Change], bounds: Bounds) -> list[Problem]:
    """What stands against a plan whose references lead out of the bounds; see `refuse_unresolved` for the rest."""

    def refuse(reference: Mapping[str, str]) -> None:
        scheme, target = only(reference)
        if own(scheme, target) or not bounds.permit(scheme, target):
            raise SecretRefused(f"{{{scheme}: {target}}}", hint=BOUNDS_HINT)

    found = forbidden(changes, refuse) if bounds.lists else []
    if not found:
        return []
    count = f"{len(found)} secret references lead" if len(found) > 1 else "a secret reference leads"
    details = tuple(_line(item, alone=True) for item in found)
    return [Problem(ExitCode.NOT_PERMITTED, f"{count} where none may lead here", BOUNDS_HINT, details)]


def resolve_values(
    kind: str, body: Mapping[str, Any], secrets: SecretBackend, store: Store | Limits | None, kept: Container[str] = ()
) -> tuple[dict[str, Secret], dict[str, str], list[tuple[SecretField, SecretUnavailable]]]:
    """Values and references of a record's secrets by address, and why others have no value that can be sent or held.

    Args:
        store: where they are to be held; None for nowhere.
        kept: addresses that are left out.
    """
    values: dict[str, Secret] = {}
    references: dict[str, str] = {}
    missing: list[tuple[SecretField, SecretUnavailable]] = []
    fields = [field for field in KINDS[kind].secret_fields(body["spec"]) if field.address not in kept]
    for field in fields:
        try:
            value = secrets.resolve(field.reference)
        except SecretUnavailable as failure:
            missing.append((field, failure))
            continue
        if fault := secret_fault(field.path, value.reveal(), body["spec"]):
            missing.append((field, _unusable(field, fault)))
            continue
        values[field.address] = value
        references[field.address] = intern(encode(field.reference).decode())  # few are named by very many
    if values and isinstance(store, Limits):
        objections = store.secret_objections(body, values)
        missing += [
            (field, _unusable(field, objections[field.address])) for field in fields if field.address in objections
        ]
    return values, references, missing


def _unusable(field: SecretField, why: str) -> SecretUnavailable:
    ((scheme, target),) = field.reference.items()
    return SecretUnavailable(f"the value of {{{scheme}: {target}}} {why}", hint=HINT)


def refuse_unresolved(found: Sequence[Unresolved], consequence: str = "") -> None:
    """Stop when there are any.

    Args:
        consequence: what comes of it, e.g. "nothing was changed".

    Raises:
        SecretUnavailable: with all of them in the details.
        SecretRefused: nobody may read one of them; with all such in the details.
    """
    if not found:
        return
    refused = [item for item in found if isinstance(item.failure, SecretRefused)]
    if refused:
        what = f"{len(refused)} secret references lead" if len(refused) > 1 else "a secret reference leads"
        raise SecretRefused(
            f"{what} where none may lead" + (f"; {consequence}" if consequence else ""),
            hint=refused[0].failure.hint,
            details=tuple(_line(item, alone=True) for item in refused),
        )
    count = f"{len(found)} secrets" if len(found) > 1 else "a secret"
    general = "provide them; --env-file FILE names a file of NAME=value lines for {env: NAME}"
    raise SecretUnavailable(
        f"{count} cannot be resolved" + (f"; {consequence}" if consequence else ""),
        hint=general if len(found) > 1 else found[0].failure.hint,
        details=tuple(_line(item, alone=len(found) == 1) for item in found),
    )


def _line(item: Unresolved, *, alone: bool) -> str:
    """What to do about a variable or a file is plain; other references say it."""
    line = f"{address(*item.key)} {item.field.address}: {item.failure.message}"
    plain = alone or not item.failure.hint or item.field.reference.keys() & {"env", "file"}
    return line if plain else f"{line} ({item.failure.hint})"


_MOST_LINES, _MOST_HOSTS = 10, 20
_WITH_HOSTS = (("spec", "authorization"), ("spec", "authorizations"), ("spec", "endpoints"))
_CHOICE = b'"authorization":"'
"""How a canonical body says that an endpoint chooses its authorization: then not all URLs get the same secrets."""
_URL = re.compile(rb'rl":"([^/"\\]*(?://[^/?#"\\]*)?)(\\?)')
"""URLs in a canonical body, behind `url` and `tokenUrl`, as far as their hosts, and whether something is escaped there.

A sample may hold others. It begins with plain letters, which lets the engine skip quickly.
"""
_OF_THE_CALLER = "whichever host a caller names"


def recipient_notices(changes: Iterable[Change]) -> Iterator[str]:
    """A line for each connector whose secrets go to a new host, and one for all the others where there are many.

    Hosts that few connectors send secrets to come first: the odd one is what reviewers look for.
    """
    found = {change.key: (change, hosts) for change, hosts in _candidates(changes)}
    counts = Counter(host for _, hosts in found.values() for host in hosts)

    def oddest(hosts: Iterable[str]) -> list[str]:
        return sorted(hosts, key=lambda host: (counts[host], host))

    told = 0
    rest: list[Key] = []
    for key in sorted(found, key=lambda key: (min(counts[host] for host in found[key][1]), key)):
        if told == _MOST_LINES:
            rest.append(key)
            continue
        hosts = oddest(_new_recipients(found[key][0]))
        if hosts:
            told += 1
            noun = "a new host" if len(hosts) == 1 else "new hosts"
            yield f"secrets of {address(*key)} will be sent to {noun}: {_listed(hosts)}"
    if rest:
        whose = "1 more connector" if len(rest) == 1 else f"{len(rest):,} more connectors"
        hosts = oddest({host for key in rest for host in found[key][1]})
        yield f"secrets of {whose} will be sent to new hosts: {_listed(hosts)}"


def _candidates(changes: Iterable[Change]) -> Iterator[tuple[Change, Collection[str]]]:
    """Changes by which secrets of a connector may go to new hosts, with these; of new connectors without decoding them."""
    for change in changes:
        body = change.body
        if change.key.kind != "Connector" or change.action is Action.DELETE or not may_hold_references(body):
            continue
        if change.record is not None and not any(field.path[:2] in _WITH_HOSTS for field in change.fields):
            continue
        urls = _URL.findall(body) if change.record is None else ()
        plain = bool(urls) and not any(escaped for _, escaped in urls) and _CHOICE not in body
        hosts: Collection[str] = {_host(url.decode()) for url, _ in urls} - {""} if plain else _new_recipients(change)
        if hosts:
            yield change, hosts


def _new_recipients(change: Change) -> frozenset[str]:
    """Hosts that secrets of a connector go to after a change, and did not before; all of them where it is new."""
    after = _recipients((change.after or {}).get("spec", {}))
    return after if change.record is None else after - _recipients_before(change)


def _listed(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - _MOST_HOSTS:,} more" if len(hosts) > _MOST_HOSTS else ""
    return ", ".join(hosts[:_MOST_HOSTS]) + more


def _recipients_before(change: Change) -> frozenset[str]:
    """Of what is live; what no record may hold sends nothing."""
    body = change.before or {"spec": {}}
    valid = is_definition(change.key.kind, body["spec"], body.get("metadata", {}).get("labels"))
    return _recipients(body["spec"]) if valid else frozenset()


def _recipients(spec: Mapping[str, Any]) -> frozenset[str]:
    """Hosts that get a secret, or a token that one was given for."""
    known = used(spec)
    urls = []
    for block in (by.block for by in known):
        if "tokenUrl" in block:
            urls.append(block["tokenUrl"])
        if "tokenRequest" in block:
            urls.append(block["tokenRequest"].get("url", ""))
    carrying = {by.name for by in known if carries(by)}
    urls += [
        endpoint.get("url", "")
        for endpoint in spec.get("endpoints", {}).values()
        if endpoint.get("authorization", OWN) in carrying or _holds_references(endpoint)
    ]
    return frozenset(host for host in map(_host, urls) if host)


def _holds_references(endpoint: Mapping[str, Any]) -> bool:
    entries = (entry for group in ("params", "headers") for entry in endpoint.get(group, ()))
    return any(isinstance(entry.get("value"), dict) for entry in entries)


@lru_cache(maxsize=4096)
def _host(url: str) -> str:
    """Host of a URL, with the port where one is named, and with the scheme where that is not https; "" for the platform's own.

    Letters beyond ASCII are shown as they are looked up, so that none looks like another.
    """
    if not url or (url.startswith("/") and not url.startswith("//")):  # which many take for a host of its own
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
    scheme = f"{parts.scheme}:" if parts.scheme else ""
    return ("" if scheme == "https:" else f"{scheme}//") + host + (f":{port}" if port else "")
