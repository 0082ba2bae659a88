"""The project file, reconciler.yaml, and why a document does not satisfy its schema."""

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.core.store_urls import holds_password, is_instance, remedy_of
from reconciler.diagnostics import MAX_FAULTS, Diagnostic, Finding, Place
from reconciler.kinds import registry
from reconciler.kinds.registry import SCHEMA_FILES, compiled, is_valid
from reconciler.source import files, text
from reconciler.source.yaml.loader import Loaded, fast_parser, load, load_carefully

if TYPE_CHECKING:
    from jsonschema import ValidationError

    from reconciler.source.objections import Objection


def explain(content: dict[str, Any], document: int, kinds: tuple[str, ...]) -> list[Finding]:
    """What is wrong with a document, at most `MAX_FAULTS` times its schema's objections; empty when it is valid."""
    kind = content.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        from reconciler.source.objections import kind_finding

        return [kind_finding(content, document, kinds)]
    try:
        if is_valid(kind, content):
            return []
    except (TypeError, ValueError):  # what JSON cannot express
        return _told(_explained(kind, content), document) or [_beyond_json(document)]
    return _told(_explained(kind, content), document) or _told(_decided(kind, content), document)


def _told(faults: "Iterable[Objection]", document: int) -> list[Finding]:
    from reconciler.source.objections import findings_of

    found: dict[tuple[str, Place, str], Finding] = {}
    for fault in islice(faults, MAX_FAULTS + 1):
        for finding in islice(findings_of(fault, document), MAX_FAULTS + 1):
            found.setdefault((finding.code, finding.place, finding.message), finding)
    return list(found.values())


def _beyond_json(document: int) -> Finding:
    return Finding("RC209", "the document holds what JSON cannot express", Place(document), "quote long numbers")


def _explained(kind: str, content: dict[str, Any]) -> "Iterator[Objection]":
    """What jsonschema objects to."""
    from reconciler.source.objections import Objection

    for error in _reference(kind).iter_errors(content):
        steps, path = tuple(error.absolute_schema_path), tuple(error.absolute_path)
        rule = "propertyNames" if "propertyNames" in steps else error.validator or "falseSchema"
        yield Objection(rule, error.instance, path, error.schema if isinstance(error.schema, dict) else {}, steps, kind)


def _decided(kind: str, content: dict[str, Any]) -> "Iterator[Objection]":
    """What jsonschema-rs objects to."""
    from reconciler.source.objections import Objection

    for error in compiled(kind).iter_errors(content):
        steps = tuple(error.schema_path)
        schema: Any = registry.load(SCHEMA_FILES[kind])
        for step in steps[:-1]:
            schema = schema[step]
        rule = error.kind.name
        objection: Any = error.kind
        instance = objection.error.instance if rule == "propertyNames" else error.instance
        yield Objection(
            rule, instance, tuple(error.instance_path), schema if isinstance(schema, dict) else {}, steps, kind
        )


@cache
def _reference(kind: str) -> Any:
    """The validator of jsonschema, which compares the items of a list by what they are written as, each once."""
    from jsonschema import Draft202012Validator as Reference
    from jsonschema import ValidationError
    from jsonschema.validators import extend

    from reconciler.source.objections import first_repeated

    def unique_items(_: Any, wanted: bool, instance: Any, schema: Any) -> "Iterator[ValidationError]":
        if wanted and isinstance(instance, list) and first_repeated(instance) is not None:
            yield ValidationError("not unique")

    return extend(Reference, {"uniqueItems": unique_items})(registry.load(SCHEMA_FILES[kind]))


PROJECT_FILE = text.PROJECT_FILE


def read_project(root: Path) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The settings in the project file, {} without one, and what is wrong with it."""
    if not os.path.lexists(root / PROJECT_FILE):
        return {}, []
    content = next(files.read_working_tree(root, [PROJECT_FILE]))
    return ({}, [content]) if isinstance(content, Diagnostic) else parse_project(content)


def parse_project(content: bytes) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The settings in the bytes of a project file, and what is wrong with them."""
    loaded = load(content, PROJECT_FILE, fast_parser())
    if loaded.faults or not loaded.documents:
        return {}, loaded.faults
    if _is_valid(loaded.documents):
        return loaded.documents[0][1], []
    careful = load_carefully(content, PROJECT_FILE, fast_parser())  # knows positions, and decides
    if careful.faults or not careful.documents:
        return {}, careful.faults
    return careful.documents[0][1], _located(content, careful, _findings(careful.documents))


def _is_valid(documents: list[tuple[int, Any]]) -> bool:
    try:
        return documents[0][1].get("kind") == "Project" and not _findings(documents)
    except (TypeError, ValueError):  # keys that are not texts, numbers beyond JSON
        return False


def _findings(documents: list[tuple[int, Any]]) -> list[Finding]:

    first, document = documents[0]
    found = [
        Finding("RC209", "the project file holds more than one document", Place(index), "remove it")
        for index, _ in documents[1:]
    ]
    if document.get("kind") != "Project" or not is_valid("Project", document):
        found += explain(document, first, ("Project",))
    for name, settings in () if found else document.get("targets", {}).items():
        found += _at_odds(settings, Place(first, ("targets", name)))
    target = document.get("defaultTarget")
    if not found and target is not None and target not in document.get("targets", {}):
        message = f"the target '{target}' is not defined"
        found.append(Finding("RC301", message, Place(first, ("defaultTarget",)), "define it under targets"))
    return found


def _at_odds(target: Mapping[str, Any], place: Place) -> Iterator[Finding]:
    """What of a target does not go together."""
    for key in ("store", "state"):
        if holds_password(url := target.get(key, "")):
            at = Place(place.document, (*place.path, key))
            yield Finding("RC412", "the URL holds a password", at, remedy_of(url))
    others = () if is_instance(target["store"]) else ("token", "login", "processmaker")
    for key in others:
        if key in target:
            at = Place(place.document, (*place.path, key), at_key=True)
            yield Finding(
                "RC201", f"'{key}' does not go with this store", at, "it is for a store at processmaker+https://HOST"
            )
    if not others and "token" in target and "login" in target:
        at = Place(place.document, (*place.path, "login"), at_key=True)
        yield Finding("RC201", "'login' does not go with 'token'", at, "give one of the two")


def _located(data: bytes, loaded: Loaded, findings: list[Finding]) -> list[Diagnostic]:
    from reconciler.source.positions import locate
    from reconciler.source.text import SourceText

    return locate(SourceText(PROJECT_FILE, data), loaded.nodes, findings)


def find_root(start: Path) -> Path | None:
    """The nearest directory at or above `start` that is a configuration repository."""
    found = text.find_root(str(start))
    return Path(found) if found is not None else None


def is_root(folder: Path) -> bool:
    """Whether `folder` holds a project file or definitions."""
    return text.is_root(str(folder))
