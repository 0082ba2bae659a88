"""From a finding at a logical place to a diagnostic with line and column."""

from collections.abc import Iterable, Sequence
from itertools import islice

from reconciler.diagnostics import MAX_FAULTS, Diagnostic, Finding, Place
from reconciler.source.text import SourceText
from reconciler.source.yaml.guard import too_many
from reconciler.source.yaml.nodes import SCALAR, Node, find, key_above


def locate(source: SourceText, documents: Sequence[Node | None], findings: Iterable[Finding]) -> list[Diagnostic]:
    """Diagnostics for the findings of one file, in the order given; what is beyond `MAX_FAULTS` is one that says so."""
    every = iter(findings)
    found = [_diagnostic(source, documents, finding) for finding in islice(every, MAX_FAULTS)]
    for finding in islice(every, 1):
        span = _diagnostic(source, documents, finding).span
        found.append(too_many(source, (span.line, span.column)))
    return found


def _diagnostic(source: SourceText, documents: Sequence[Node | None], finding: Finding) -> Diagnostic:
    node = _node(documents, finding.place)
    if node is None:
        return source.diagnostic(finding.code, finding.message, (1, 1), hint=finding.hint)
    return source.diagnostic(finding.code, finding.message, node.start, node.end, hint=finding.hint)


def _node(documents: Sequence[Node | None], place: Place) -> Node | None:
    """The value when it is a scalar, else the key that it stands under."""
    root = documents[place.document] if place.document < len(documents) else None
    if not place.path:
        return _first_key(root)
    node = find(root, place.path, at_key=place.at_key)
    if place.at_key or (node is not None and node.kind is SCALAR and node.end > node.start):
        return node
    return key_above(root, place.path) or _first_key(root)


def _first_key(root: Node | None) -> Node | None:
    if root is None or root.kind is SCALAR or not root.value:
        return root
    first: Node | tuple[Node, Node] = root.value[0]
    return first[0] if isinstance(first, tuple) else first
