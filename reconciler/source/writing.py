"""Documents as text, held against everything that they will be held against when they are read."""

from collections.abc import Container
from typing import Any

from reconciler.core.model import Key, Resource, content_of
from reconciler.diagnostics import RULES, Finding, Place, Severity
from reconciler.kinds.canonical import canonical
from reconciler.kinds.merge import document
from reconciler.kinds.registry import KINDS, Kind
from reconciler.source.documents import DocumentReader, token_findings
from reconciler.source.schema import explain
from reconciler.yaml.writer import text_of

_LITERAL_HINT = "move the value to where a reference can lead to, and declare that"


class DefinitionWriter:
    """Writes definitions; holds the compiled schemas."""

    def __init__(self, now: str = "") -> None:
        """Compile the schemas.

        Args:
            now: the time to judge dates by, RFC 3339.
        """
        self._now = now
        self._reader = DocumentReader(now)

    def write(self, key: Key, content: dict[str, Any], secrets: Container[str]) -> tuple[str, Resource] | list[Finding]:
        """The text of a document that declares `content`, with what it declares, or why there is none."""
        kind = KINDS[key.kind]
        declared = document(key.kind, key.name, content)
        text = text_of(declared) if _is_plain(declared) else ""
        read = self._reader.read(f"{kind.directory}/{key.name}.yaml", text.encode("utf-8", "replace"))
        literal = _literals(key, content, secrets)
        if (
            len(read.resources) == 1
            and not literal
            and not any(found.severity is Severity.ERROR for found in read.diagnostics)
        ):
            (resource,) = read.resources
            if resource.key == key and resource.body == _body_of(content, kind):
                return text, resource
        return literal + findings_of(declared, self._now) or [_UNWRITABLE]


def _body_of(content: dict[str, Any], kind: Kind) -> bytes:
    return content_of(canonical(content, kind)).body


_UNWRITABLE = Finding(
    "RC209",
    "it holds a value that definitions cannot hold",
    Place(0, ("spec",)),
    "numbers have at most 15 digits, texts no lone surrogates",
)


def findings_of(declared: dict[str, Any], now: str) -> list[Finding]:
    """The errors in a document that was decoded already."""
    found = explain(declared, 0, tuple(KINDS))
    if not found:
        kind = KINDS[declared["kind"]]
        found = kind.rules(declared["spec"], 0) + kind.dated_rules(declared["spec"], 0, now)
    return [item for item in [*found, *token_findings(declared, 0)] if RULES[item.code].severity is Severity.ERROR]


def _literals(key: Key, content: dict[str, Any], secrets: Container[str]) -> list[Finding]:
    """Texts that stand where the store keeps a secret."""
    try:
        found = list(KINDS[key.kind].literals(content["spec"], secrets))
    except (KeyError, TypeError, AttributeError):  # the schema's own faults are told instead
        return []
    return [
        Finding("RC210", f"a text stands where the secret {address} belongs", Place(0, path), _LITERAL_HINT)
        for path, address in found
    ]


def _is_plain(value: Any) -> bool:
    """Whether it holds nothing but what the text of a document can say."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, float) or abs(value) < float("inf")
