"""Slips of the hand that YAML has no words for: an unresolved merge, a bare placeholder, a separator that is missing."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from reconciler.diagnostics import MAX_FAULTS, Diagnostic
from reconciler.source.text import Position, SourceText
from reconciler.yaml.nodes import Node, NodeKind

_MARKER = re.compile(r"(<{7}|\|{7}|={7}|>{7})(?: .*)?")
"""What git writes around the sides of a conflict, each at the beginning of a line."""
_ENDS = ("<<<<<<<", ">>>>>>>")
_IN_BLOCK = re.compile(r"""\s*+(?:- ++)*+(?:[^\s"'{}\[\],#][^"'{}\[\],#]*: ++)?""")
_BLOCK_VALUE = re.compile(r"[^#]*+(?:(?<!\s)#[^#]*+)*+")
_FLOW_VALUE = re.compile(r"(?:\{\{\{[^{}]*\}\}\}|\{\{[^{}]*\}\}|[^,{}\[\]])+")
_WIDE = 4_096  # characters of a line that is looked at
_LONGEST = 120  # characters of a line that is written out anew in a hint
_OF_A_DOCUMENT = frozenset({"apiVersion", "kind", "metadata", "spec"})


def conflicts(source: SourceText) -> list[Diagnostic]:
    """The merges that are not resolved, each with the lines of its markers; whatever else is wrong follows from them."""
    marked = [(number, found[1]) for number, line in enumerate(source.lines, 1) if (found := _MARKER.fullmatch(line))]
    if not any(marker in _ENDS for _, marker in marked):
        return []
    return [_conflict(source, group) for group in islice(_grouped(marked), MAX_FAULTS)]


def _grouped(marked: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    group: list[tuple[int, str]] = []
    for number, marker in marked:
        if marker == _ENDS[0] and group:
            yield group
            group = []
        group.append((number, marker))
        if marker == _ENDS[1]:
            yield group
            group = []
    if group:
        yield group


def _conflict(source: SourceText, group: Sequence[tuple[int, str]]) -> Diagnostic:
    listed = ", ".join(f"{marker} on line {number}" for number, marker in group[:4])
    hint = "keep what is to stay of the two sides, and remove these lines"
    start = (group[0][0], 1)
    return source.diagnostic("RC119", f"a merge that is not resolved: {listed}", start, (start[0], 8), hint=hint)


def bare_placeholder(source: SourceText, key: Node) -> Diagnostic | None:
    """That a value begins with `{{`, where a mapping is read as the key of a mapping."""
    line, column = source.lines[key.start.line], key.start.column - 1
    if column < 0 or not line.startswith("{{", column):
        return None
    in_block = _IN_BLOCK.fullmatch(line, 0, column) is not None
    found = (_BLOCK_VALUE if in_block else _FLOW_VALUE).match(line, column)
    written = found[0].rstrip() if found else ""
    end = (key.start.line + 1, column + 1 + len(written)) if written else None
    start = (key.start.line + 1, column + 1)
    hint = _quoted(line, column, written if source.snippet(start[0]) == line else "")
    return source.diagnostic("RC120", "a placeholder that is not quoted", start, end, hint=hint)


def _quoted(line: str, column: int, written: str) -> str:
    hint = "quote the whole value: YAML takes {{ for the beginning of a mapping"
    if not written or "}}" not in written or "\\" in written or ('"' in written and "'" in written):
        return hint
    sign = "'" if '"' in written else '"'
    key = re.search(r"(?:- {1,20})?(?:[\w.-]{1,100}: {1,20})?\Z", line[:column])
    shown = f"{key[0] if key else ''}{sign}{written}{sign}"
    return f"write  {shown}  as YAML takes {{{{ for the beginning of a mapping" if len(shown) <= _LONGEST else hint


def further_documents(source: SourceText, root: Node) -> list[Diagnostic]:
    """Where further documents begin in what is read as one, for want of a separator."""
    if root.kind is not NodeKind.MAPPING:
        return []
    seen: set[str] = set()
    repeated: set[str] = set()
    starts: list[Node] = []
    for child in root.children:
        key = child.key
        if key is None or key.value not in _OF_A_DOCUMENT:
            continue
        if key.value in seen:
            seen = set()
            starts.append(key)
        repeated |= {key.value} if starts else set()
        seen.add(key.value)
    if len(repeated) < 2:
        return []
    return [_further(source, key.start.position, key.opened.position) for key in starts[:MAX_FAULTS]]


def _further(source: SourceText, start: Position, end: Position) -> Diagnostic:
    message = "does another document begin here? It is not separated from the one above"
    return source.diagnostic("RC121", message, start, end, hint=f"write --- on a line of its own above line {start[0]}")


_NO_SPACE = re.compile(r"\s*(?:- +)?[A-Za-z][\w-]*:(?![\s/]|$)")
_APOSTROPHE = re.compile(r"(?:^|[\s\[{,])'[^']*[^\W\d_]'[^\W\d_][^']*'")


def slip_on(lines: Sequence[str], number: int) -> str:
    """What to do about a syntax error at a line, where the line or the one above shows how it came about; else ""."""
    line = lines[number - 1] if number <= len(lines) else ""
    above = lines[number - 2] if number > 1 else ""
    if len(line) > _WIDE or len(above) > _WIDE:
        return ""
    if re.search(r"\$\{", line):
        return "${...} is not filled in here: a secret is {env: NAME}, other text has to be quoted"
    if "{%" in line:
        return "files are not made from templates here; only {{placeholders}} in quotes are filled in, by each call"
    if _APOSTROPHE.search(line):
        return "write an apostrophe within single quotes twice, or use double quotes"
    if _NO_SPACE.match(above):
        return f"put a blank behind the colon on line {number - 1}"
    return ""
