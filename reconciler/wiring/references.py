"""What the targets of the project file make of the secret references of definitions, told without reading anything."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from reconciler.core.model import Resource
from reconciler.core.references import OF_FILES, Bounds, absolute, only, own, path_of
from reconciler.diagnostics import Diagnostic, Finding, Place
from reconciler.errors import UsageError
from reconciler.kinds.canonical import may_hold_references
from reconciler.kinds.registry import KINDS
from reconciler.settings import DEFAULT_STORE
from reconciler.stores.host import key_beside
from reconciler.wiring.run import store_files


class _Target(Struct, frozen=True):
    """What one target says of secret references.

    Attributes:
        keys: paths of its store and of the store's key.
    """

    name: str
    bounds: Bounds
    keys: frozenset[str]


def reference_diagnostics(
    root: Path, project: Mapping[str, Any], resources: Iterable[Resource], read: Callable[[str], bytes]
) -> list[Diagnostic]:
    """References that no apply to one of the targets would follow: to its key, or out of its bounds.

    Args:
        read: gives the bytes of a file of definitions.
    """
    targets = [_target(root, name, settings) for name, settings in project.get("targets", {}).items()]
    bounded = any(target.bounds.lists for target in targets)
    found: dict[str, list[Finding]] = {}
    for resource in resources if targets else ():
        if may_hold_references(resource.body) if bounded else resource.refers_to_files:
            findings = list(_findings(resource, targets))
            if findings:
                found.setdefault(resource.file, []).extend(findings)
    return [diagnostic for file, findings in found.items() for diagnostic in _located(file, read(file), findings)]


def _target(root: Path, name: str, settings: Mapping[str, Any]) -> _Target:
    bounds = Bounds(str(root), (tuple(settings["secretsAllowed"]),) if "secretsAllowed" in settings else ())
    keys = {absolute(str(root), settings["keyFile"])} if "keyFile" in settings else set()
    store = _store_at(root, settings.get("store", DEFAULT_STORE))
    if store is not None:
        keys |= {str(store), str(key_beside(store))}
    return _Target(name, bounds, frozenset(keys))


def _store_at(root: Path, url: str) -> Path | None:
    """Where a store was said to lie; None where it is no file, or has no driver here."""
    try:
        found = store_files(root, url)
    except UsageError:
        return None
    return Path(absolute(str(root), str(found.written))) if found else None


def _findings(resource: Resource, targets: Iterable[_Target]) -> Iterator[Finding]:
    for field in KINDS[resource.key.kind].secret_fields(resource.content.value["spec"]):
        scheme, written = only(field.reference)
        if own(scheme, written):  # found in the definition itself, whatever the targets are
            continue
        place = Place(resource.document, (*field.path, scheme))
        for target in targets:
            if scheme in OF_FILES and _path(target.bounds.root, scheme, written) in target.keys:
                yield Finding("RC404", f"it leads to the store of target {target.name}, or its key", place, "name another place")  # fmt: skip
            elif not target.bounds.permit(scheme, written):
                hint = f"it has to fit secretsAllowed of target {target.name} in reconciler.yaml"
                yield Finding("RC405", f"target {target.name} does not allow this secret reference", place, hint)


def _path(root: str, scheme: str, written: str) -> str:
    return absolute(root, path_of(written) if scheme == "sops" else written)


def _located(file: str, data: bytes, findings: Iterable[Finding]) -> list[Diagnostic]:
    from reconciler.source.positions import locate
    from reconciler.source.text import SourceText
    from reconciler.source.yaml.parser import parse

    text = SourceText(file, data)
    return locate(text, parse(text).documents, findings)
