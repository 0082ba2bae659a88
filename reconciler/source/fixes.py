"""From an answer to the edits of a file that write it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from reconciler.diagnostics import Diagnostic, Edit, Finding, Fix, Repair, Span
from reconciler.source.text import Position, SourceText
from reconciler.yaml.nodes import Child, Node, NodeKind, steps

_PLAIN = re.compile(r"""[^\s"'\\#]+""")
_LONG = 4_096  # characters of a line that is looked at


def fix_of(source: SourceText, root: Node | None, finding: Finding) -> Fix | None:
    """How the file `source` is edited for the repair of a finding; None where its place does not allow it."""
    repair = finding.repair
    if repair is None:
        return None
    place = repair.place or finding.place
    way = list(steps(root, place.path))
    if len(way) != len(place.path) or not way:
        return None
    node = way[-1].key if place.at_key else way[-1].value
    if node is None or node.kind is not NodeKind.SCALAR or node.anchor or node.tag:
        return None
    if repair.how == "drop":
        siblings = way[-2].value if len(way) > 1 else None
        edits = _dropped(source, siblings, way[-1]) if siblings else ()
    elif repair.how == "within":
        within = [(part_of(source, node, start, end), text) for start, end, text in repair.parts]
        edits = tuple(Edit(span, text) for span, text in within if span)
        edits = edits if len(edits) == len(within) else ()
    else:
        edits = tuple(_scalar_edits(source, node, repair))
    return Fix(repair.title, edits) if edits else None


def _scalar_edits(source: SourceText, node: Node, repair: Repair) -> Iterator[Edit]:
    if node.start.line != node.end.line or node.style in ("|", ">"):
        return
    line, start, end = node.start.line + 1, node.start.column + 1, node.end.column + 1
    if repair.how == "replace":
        quote = len(node.style)
        yield Edit(Span(source.file, line, start + quote, line, end - quote), repair.text)
    elif node.style == "":
        before, behind = {"quote": ('"', '"'), "list": ("[", "]")}[repair.how]
        if _PLAIN.fullmatch(source.lines[line - 1][start - 1 : end - 1]):
            yield from _around(source, line, (start, end), (before, behind))


def _around(source: SourceText, line: int, columns: tuple[int, int], signs: tuple[str, str]) -> Iterator[Edit]:
    for column, sign in zip(columns, signs, strict=True):
        yield Edit(Span(source.file, line, column, line, column), sign)


def _dropped(source: SourceText, siblings: Node, item: Child) -> tuple[Edit, ...]:
    """The item's line in a block list, and what separates it from the item before in a list between brackets."""
    at = next((index for index, child in enumerate(siblings.children) if child is item), 0)
    node, before = item.value, siblings.children[at - 1].value
    if at == 0 or node.start.line != node.end.line or before.end.line > node.start.line:
        return ()
    line = node.start.line + 1
    if not siblings.is_block:
        span = Span(source.file, line, before.end.column + 1, line, node.end.column + 1)
        return (Edit(span, ""),) if before.end.line == node.start.line else ()
    text = source.lines[line - 1]
    alone = text[: node.start.column].strip() == "-" and not text[node.end.column :].strip()
    return (Edit(Span(source.file, line, 1, line + 1, 1), ""),) if alone and line < len(source.lines) else ()


def part_of(source: SourceText, node: Node, start: int, end: int) -> Span | None:
    """Where a part of a scalar's text stands in the file, if it stands there as it is read and within one line."""
    if node.kind is not NodeKind.SCALAR:
        return None
    text = node.text
    if node.style == "|":
        above = text.count("\n", 0, start)
        first = text.rfind("\n", 0, start) + 1
        shown, line = text[first:].partition("\n")[0], node.start.line + 1 + above
        if line >= len(source.lines) or not source.lines[line].endswith(shown):
            return None
        indent = len(source.lines[line]) - len(shown)
        column, width = indent + start - first, min(end, first + len(shown)) - start
    else:
        quote, line = len(node.style), node.start.line
        raw = source.lines[line][node.start.column + quote : node.end.column - quote]
        if line != node.end.line or raw != text:
            return None
        column, width = node.start.column + quote + start, end - start
    return Span(source.file, line + 1, column + 1, line + 1, column + 1 + max(width, 0))


def with_fixes(source: SourceText, faults: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The faults of a file that could not be read as it was meant, each with its fix where there is one."""
    return [fault if fault.fix else replace(fault, fix=_fix_of(source, fault)) for fault in faults]


def _fix_of(source: SourceText, fault: Diagnostic) -> Fix | None:
    line = source.lines[fault.span.line - 1] if fault.span.line <= len(source.lines) else ""
    if len(line) > _LONG:
        return None
    if fault.code in _BY_CODE:
        title, edits = _BY_CODE[fault.code](source, fault, line)
        if edits:
            return Fix(title, edits)
    if line.startswith("apiVersion:") and _continues(source, fault.span.line):
        at = _below_comments(source, fault.span.line)
        return Fix("put --- before it", (Edit(Span(source.file, at, 1, at, 1), "---\n"),))
    edits = tuple(_template_quoted(source, fault.span.line, line))
    return Fix("put it in quotes", edits) if edits else None


_Titled = tuple[str, tuple[Edit, ...]]


def _quoted(source: SourceText, fault: Diagnostic, line: str) -> _Titled:
    start, end = fault.span.column, fault.span.end_column
    text = line[start - 1 : end - 1]
    edits = _around(source, fault.span.line, (start, end), ('"', '"'))
    return "put it in quotes", tuple(edits) if _PLAIN.fullmatch(text) and text[0] not in "[{&*!" else ()


def _untabbed(source: SourceText, fault: Diagnostic, line: str) -> _Titled:
    """All lines that begin with a tab; each becomes as many spaces as one level has elsewhere in the file."""
    indents = (len(line) - len(line.lstrip(" ")) for line in source.lines if line.strip(" -"))
    level = " " * next((indent for indent in indents if indent), 2)
    tabs = [len(line) - len(line.lstrip("\t")) for line in source.lines]
    spans = [(Span(source.file, number, 1, number, count + 1), count) for number, count in enumerate(tabs, 1) if count]
    return "indent with spaces", tuple(Edit(span, level * count) for span, count in spans)


def _without_mark(source: SourceText, fault: Diagnostic, line: str) -> _Titled:
    is_mark = line[fault.span.column - 1 : fault.span.column] == "\ufeff"
    return "remove it", (Edit(fault.span, ""),) if is_mark else ()


def _without_directive(source: SourceText, fault: Diagnostic, line: str) -> _Titled:
    span = Span(source.file, fault.span.line, 1, fault.span.line + 1, 1)
    return "remove it", (Edit(span, ""),) if line.strip() == "%YAML 1.2" else ()


_BY_CODE: Mapping[str, Callable[[SourceText, Diagnostic, str], _Titled]] = {
    "RC105": _untabbed,
    "RC109": _quoted,
    "RC112": _without_mark,
    "RC113": _quoted,
    "RC115": _without_directive,
}


def _continues(source: SourceText, line: int) -> bool:
    """Whether the document of the line began above it, with the same key."""
    for above in reversed(source.lines[: line - 1]):
        if above.startswith("---"):
            return False
        if above.startswith("apiVersion:"):
            return True
    return False


def _below_comments(source: SourceText, line: int) -> int:
    """The first of the comments that stand right above a line; the line itself where there is none."""
    while line > 1 and source.lines[line - 2].startswith("#"):
        line -= 1
    return line


_IN_BLOCK = re.compile(
    r"""[ ]*+(?:-[ ]++)*+(?:[\w.$/-]++[ ]*+:[ ]++|(?<=-[ ]))(?P<value>\{\{[^#"]*+)(?:(?<=[ ])#.*)?"""
)
_IN_FLOW = re.compile(r"""(?<=:[ ])\{\{[ ]*[\w.-]+[ ]*\}\}[^\s,{}\[\]"'#]*(?=[ ]*[,}\]])""")


def _template_quoted(source: SourceText, number: int, line: str) -> Iterator[Edit]:
    """Values that begin with a placeholder, which YAML takes for a mapping."""
    found: Sequence[Position]
    block = _IN_BLOCK.fullmatch(line)
    if block and block["value"].count("{{") == block["value"].count("}}"):
        found = [(block.start("value"), block.start("value") + len(block["value"].rstrip(" ")))]
    else:
        found = [match.span() for match in _IN_FLOW.finditer(line)]
    for start, end in found:
        yield from _around(source, number, (start + 1, end + 1), ('"', '"'))
