"""Where findings and answers stand: file, line and column."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import islice

from msgspec.structs import replace

from reconciler.core.access import Route
from reconciler.core.model import Key, Resource
from reconciler.diagnostics import MAX_FAULTS, Diagnostic, Finding, Path, Place
from reconciler.source.fixes import fix_of, part_of
from reconciler.source.text import SourceText
from reconciler.source.yaml.guard import too_many
from reconciler.yaml.nodes import Node, NodeKind, steps

Positions = Callable[[Resource, Path], tuple[str, int]]
"""From a resource and a path in its document to file and line."""


def positions(read: Callable[[str], bytes]) -> Positions:
    """Looks up lines; a file is parsed once.

    Args:
        read: the bytes of a file.
    """

    @cache
    def parsed(file: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        from reconciler.source.yaml.parser import parse

        source = SourceText(file, read(file))
        return source, parse(source).documents

    def position(resource: Resource, path: Path) -> tuple[str, int]:

        source, documents = parsed(resource.file)
        (found,) = locate(source, documents, [Finding("RC209", "", Place(resource.document, path))])
        return resource.file, found.span.line

    return position


class Lines:
    """Where routes stand in the files of one revision."""

    def __init__(self, read: Callable[[str], bytes], policies: Mapping[Key, Resource]) -> None:
        """Parse nothing yet.

        Args:
            read: the bytes of a file.
        """
        self._policies = policies
        self._position = positions(read)

    def of(self, route: Route) -> tuple[str, int]:
        """File and line of the grant, or of what makes a super admin."""
        resource = self._policies[Key("PermissionPolicy", route.policy)]
        path = ("spec", "grants", route.grant.index) if route.grant else ("spec", "superAdmin")
        return self._position(resource, path)


def locate(source: SourceText, documents: Sequence[Node | None], findings: Iterable[Finding]) -> list[Diagnostic]:
    """Diagnostics for the findings of one file, in the order given; what is beyond `MAX_FAULTS` is one that says so."""
    every = iter(findings)
    found = [_diagnostic(source, documents, finding) for finding in islice(every, MAX_FAULTS)]
    for finding in islice(every, 1):
        span = _diagnostic(source, documents, finding).span
        found.append(too_many(source, (span.line, span.column)))
    return found


def _diagnostic(source: SourceText, documents: Sequence[Node | None], finding: Finding) -> Diagnostic:
    node, root = _node(documents, finding.place), _root(documents, finding.place)
    start, end = (node.start.position, node.opened.position) if node else ((1, 1), None)
    if node and finding.place.part and (span := part_of(source, node, *finding.place.part)):
        start, end = (span.line, span.column), (span.line, span.end_column)
    found = source.diagnostic(finding.code, finding.message, start, end, hint=finding.hint)
    return replace(found, fix=fix_of(source, root, finding)) if finding.repair else found


def _root(documents: Sequence[Node | None], place: Place) -> Node | None:
    return documents[place.document] if place.document < len(documents) else None


def _node(documents: Sequence[Node | None], place: Place) -> Node | None:
    """The value when it is a scalar, else the key that it stands under; the nearest one above where there is none."""
    root = _root(documents, place)
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


def by_index(content: object, path: Path) -> Path:
    """A path with the items of lists by their index, also those that it has by name, as far as it leads."""
    steps: list[str | int] = []
    for step in path:
        if isinstance(content, list):
            names = [item.get("name") if isinstance(item, dict) else None for item in content]
            index = step if isinstance(step, int) else names.index(step) if step in names else len(content)
            if index >= len(content):
                break
            steps.append(index)
            content = content[index]
        elif isinstance(content, dict) and step in content:
            steps.append(step)
            content = content[step]
        else:
            break
    return tuple(steps)
