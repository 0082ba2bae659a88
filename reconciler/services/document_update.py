"""Bring a newer OpenAPI document into a definition: three-way, so that what a person edited stays."""

import json
from collections.abc import Mapping
from typing import Any

from reconciler.core.diff import MISSING, Path, at, diff, put, same
from reconciler.core.document_update import Body, DocumentUpdate, UpdateField
from reconciler.kinds.merge import is_secret_value
from reconciler.kinds.mustache import WRITTEN_TAG

_ENDPOINTS = ("spec", "endpoints")
_BLOCKS = (("spec", "authorization"), ("spec", "authorizations"))
_LISTS = ("params", "headers", "pathParams", "formFields")


def update(mine: Body, base: Body | None, theirs: Body) -> DocumentUpdate:
    """Take over into a definition what a newer document changed.

    Args:
        mine: the definition's canonical content.
        base: what an import of the earlier document gives; without it nobody can tell who changed what, and only
            what is new is taken over.
        theirs: what an import of the newer one gives.
    """
    mine, base, theirs = _with_same_names(mine, base, theirs)
    made = DocumentUpdate(mine, based=base is not None)
    for path, old, new in diff(mine if base is None else base, theirs, _atomic(base or mine, theirs)):
        own = at(mine if path[-1] == "(order)" else made.content, path)
        found = UpdateField(path, MISSING if base is None else old, own, new)
        if base is None:
            _add(made, found, theirs)
        elif same(own, new) or _was_removed(made.content, base, path):
            continue
        elif same(own, old):
            _take(made, found, theirs)
        elif path[-1] != "(order)":
            made.conflicts.append(found)
    made.content = _without_idle_samples(made.content, mine)
    return made


def _add(made: DocumentUpdate, found: UpdateField, theirs: Body) -> None:
    """Without an earlier document: take what is new, and tell all the rest that an import would say otherwise."""
    path = found.path
    is_new = found.mine is MISSING and (
        path[:2] == _ENDPOINTS and (len(path) == 3 or (len(path) == 5 and path[3] in _LISTS))
    )
    if is_new:
        _take(made, found, theirs)
    elif found.theirs is not MISSING and path[-1] != "(order)" and path[:2] != ("spec", "categories"):
        made.conflicts.append(found)


def _take(made: DocumentUpdate, found: UpdateField, theirs: Body) -> None:
    made.content = put(made.content, found.path, found.theirs, theirs)
    made.taken.append(found)


def _was_removed(content: Body, base: Body, path: Path) -> bool:
    """Whether somebody has removed what the field belongs to, and means that."""
    return any(
        at(content, path[:count]) is MISSING and at(base, path[:count]) is not MISSING for count in range(3, len(path))
    ) or (
        len(path) in (3, 5)
        and path[:2] == _ENDPOINTS
        and at(content, path) is MISSING
        and at(base, path) is not MISSING
    )


def _atomic(one: Body, other: Body) -> Any:
    """Secret references are one value; so are authorizations of another method, whose fields belong together."""

    def atomic(path: Path, value: Any) -> bool:
        if is_secret_value(path, value):
            return True
        is_block = path == _BLOCKS[0] or (len(path) == 3 and path[:2] == _BLOCKS[1])
        return is_block and not same(at(one, (*path, "method")), at(other, (*path, "method")))

    return atomic


def _with_same_names(mine: Body, base: Body | None, theirs: Body) -> tuple[Body, Body | None, Body]:
    """The three with each endpoint under one name: what a person called it, or else what the newer document does."""
    before, own = _paired(base or mine, theirs), _paired(base, mine) if base else {}
    to_mine: dict[str, str] = {}
    to_base: dict[str, str] = {}
    for old, new in before.items():
        renamed = own.get(old, old)
        name = renamed if base is None or renamed != old else new
        if name != renamed and name in _endpoints(mine):
            name = renamed
        to_base[old], to_mine[renamed] = name, name
    to_theirs = {new: to_base[old] for old, new in before.items()}
    for old, new in own.items():
        to_base.setdefault(old, new)
    return _renamed(mine, to_mine), base and _renamed(base, to_base), _renamed(theirs, to_theirs)


def _paired(before: Body, after: Body) -> dict[str, str]:
    """Names in `before` with those in `after`: the same, or that of the one with the same method and URL."""
    old, new = _endpoints(before), _endpoints(after)
    found = {name: name for name in old if name in new}
    by_request = {_request(new[name]): name for name in reversed(new) if name not in found}
    for name in old:
        if name not in found and (other := by_request.pop(_request(old[name]), None)) is not None:
            found[name] = other
    return found


def _request(endpoint: Mapping[str, Any]) -> tuple[Any, ...]:
    url = endpoint["url"].partition("?")[0]
    return endpoint["method"], WRITTEN_TAG.sub("{}", url)


def _endpoints(content: Body) -> dict[str, Any]:
    found: dict[str, Any] = content["spec"].get("endpoints", {})
    return found


def _renamed(content: Body, names: Mapping[str, str]) -> Body:
    if all(old == new for old, new in names.items()):
        return content
    endpoints: dict[str, Any] = {}
    for name, endpoint in _endpoints(content).items():
        wanted = names.get(name, name)
        endpoints[name if wanted in endpoints else wanted] = endpoint
    return {**content, "spec": {**content["spec"], "endpoints": endpoints}}


def _without_idle_samples(content: Body, mine: Body) -> Body:
    """Without the samples that came along with something that a person's own text stands in the place of."""
    endpoints = {}
    for name, endpoint in _endpoints(content).items():
        endpoints[name] = endpoint
        before = _endpoints(mine).get(name, {}).get("sample", {})
        new = [key for key in endpoint.get("sample", {}) if key not in before]
        if new and name in _endpoints(mine):
            rest = json.dumps({key: value for key, value in endpoint.items() if key != "sample"}, ensure_ascii=False)
            idle = {key for key in new if f"{{{{{key}" not in rest and f"{{{{{{{key}" not in rest}
            kept = {key: item for key, item in endpoint["sample"].items() if key not in idle}
            endpoints[name] = {**endpoint, "sample": kept}
    return {**content, "spec": {**content["spec"], "endpoints": endpoints}} if endpoints else content
