"""From a finding at a logical place to a diagnostic with line and column."""

from collections.abc import Iterable, Sequence
from itertools import islice

from reconciler.diagnostics import MAX_FAULTS, Diagnostic, Finding, Place
from reconciler.source.text import SourceText
from reconciler.source.yaml.guard import too_many
from reconciler.yaml.nodes import Node, NodeKind, steps


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
    return source.diagnostic(
        finding.code, finding.message, node.start.position, node.opened.position, hint=finding.hint
    )


def _node(documents: Sequence[Node | None], place: Place) -> Node | None:
    """The value when it is a scalar, else the key that it stands under; the nearest one above where there is none."""
    root = documents[place.document] if place.document < len(documents) else None
    way = list(steps(root, place.path))
    if not way:
        return root if place.path and place.at_key else _first_key(root)
    last = way[-1]
    if place.at_key:
        return last.key if last.key is not None and len(way) == len(place.path) else last.value
    if last.value.kind is NodeKind.SCALAR and last.value.end.index > last.value.start.index:
        return last.value
    return last.key or last.value


def _first_key(root: Node | None) -> Node | None:
    if root is None or not root.children:
        return root
    first = root.children[0]
    return first.key or first.value
