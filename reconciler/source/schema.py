"""Whether a document satisfies the schema of its kind, and if not, why in words.

jsonschema-rs decides, because it is fifty times faster; jsonschema, the reference, explains. Where they disagree, what
was decided holds: what jsonschema has nothing to say about is told as jsonschema-rs sees it. No message of either is
passed on: they repeat values, and a value may be a secret.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from reconciler.diagnostics import MAX_FAULTS, Finding, Place
from reconciler.kinds import schemas
from reconciler.kinds.registry import SCHEMA_FILES, compiled, is_valid
from reconciler.source.objections import Objection, findings_of, first_repeated, kind_finding

if TYPE_CHECKING:
    from jsonschema import ValidationError


def explain(content: dict[str, Any], document: int, kinds: tuple[str, ...]) -> list[Finding]:
    """What is wrong with a document, at most `MAX_FAULTS` times its schema's objections; empty when it is valid."""
    kind = content.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        return [kind_finding(content, document, kinds)]
    try:
        if is_valid(kind, content):
            return []
    except (TypeError, ValueError):  # what JSON cannot express
        return _told(_explained(kind, content), document) or [_beyond_json(document)]
    return _told(_explained(kind, content), document) or _told(_decided(kind, content), document)


def _told(faults: Iterable[Objection], document: int) -> list[Finding]:
    found: dict[tuple[str, Place, str], Finding] = {}
    for fault in islice(faults, MAX_FAULTS + 1):
        for finding in islice(findings_of(fault, document), MAX_FAULTS + 1):
            found.setdefault((finding.code, finding.place, finding.message), finding)
    return list(found.values())


def _beyond_json(document: int) -> Finding:
    return Finding("RC209", "the document holds what JSON cannot express", Place(document), "quote long numbers")


def _explained(kind: str, content: dict[str, Any]) -> Iterator[Objection]:
    """What jsonschema objects to."""
    for error in _reference(kind).iter_errors(content):
        steps, path = tuple(error.absolute_schema_path), tuple(error.absolute_path)
        rule = "propertyNames" if "propertyNames" in steps else error.validator or "falseSchema"
        yield Objection(rule, error.instance, path, error.schema if isinstance(error.schema, dict) else {}, steps)


def _decided(kind: str, content: dict[str, Any]) -> Iterator[Objection]:
    """What jsonschema-rs objects to."""
    for error in compiled(kind).iter_errors(content):
        steps = tuple(error.schema_path)
        schema: Any = schemas.load(SCHEMA_FILES[kind])
        for step in steps[:-1]:
            schema = schema[step]
        rule = error.kind.name
        objection: Any = error.kind
        instance = objection.error.instance if rule == "propertyNames" else error.instance
        yield Objection(rule, instance, tuple(error.instance_path), schema if isinstance(schema, dict) else {}, steps)


@cache
def _reference(kind: str) -> Any:
    """The validator of jsonschema, which compares the items of a list by what they are written as, each once."""
    from jsonschema import Draft202012Validator as Reference
    from jsonschema import ValidationError
    from jsonschema.validators import extend

    def unique_items(_: Any, wanted: bool, instance: Any, schema: Any) -> "Iterator[ValidationError]":
        if wanted and isinstance(instance, list) and first_repeated(instance) is not None:
            yield ValidationError("not unique")

    return extend(Reference, {"uniqueItems": unique_items})(schemas.load(SCHEMA_FILES[kind]))
