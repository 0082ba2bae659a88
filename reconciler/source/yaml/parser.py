"""The careful parser: nodes with values and positions, and every fault on the way.

It reads YAML 1.2 core by rules of its own, because PyYAML's are those of YAML 1.1. It is the second
speed of the loader (failing files only), and the fallback should the fast library ever be dropped.
"""

import re
from typing import Any, NoReturn

from msgspec import Struct

from reconciler.diagnostics import MAX_FAULTS, Diagnostic
from reconciler.source.text import Position, SourceText
from reconciler.source.yaml.guard import MAX_DEPTH, MAX_VALUES, too_deep, too_many
from reconciler.source.yaml.slips import bare_placeholder, conflicts, further_documents, slip_on
from reconciler.yaml.nodes import Node, NodeKind, collection_node, mark_of, scalar_node
from reconciler.yaml.tree import WORDS, Anchored, Language, TreeLimits, documents, events

MAX_VALUES_OF_FILE = 1_000_000

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_LARGEST = 2**53  # the largest integer that every JSON reader keeps exact
# Whatever YAML 1.1 or 1.2 takes for a number, a time or a date: https://yaml.org/type/ and
# https://yaml.org/spec/1.2.2/#103-core-schema
_AMBIGUOUS = re.compile(
    r"""[-+]?(?:0b[01_]+|0o[0-7]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)
      | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
      | [-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?
      | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN) | =
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]*)?)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?""",
    re.VERBOSE,
)
_HINTS = (
    ("mapping values are not allowed", "quote the value if it holds ': ', or check the indentation"),
    ("expected <block end>", "check the indentation"),
    ("did not find expected key", "check the indentation, and that quotes and brackets are closed"),
    ("could not find expected ':'", "a key needs a colon and a space after it"),
    ("found unexpected end of stream", "close the quote"),
    ("did not find expected ',' or", "close the bracket, or add a comma"),
    ("cannot start any token", "quote the text"),
    ("expected <document start>", "write --- on a line of its own between two documents"),
    ("undefined alias", "define it before with &name"),
)


class Parsed(Struct, frozen=True):
    """The documents of one file (None for an empty one, and for several in one) and the faults found on the way."""

    documents: list[Node | None]
    faults: list[Diagnostic]


def parse(source: SourceText) -> Parsed:
    """All documents of a file that `guard` let through; an alias is the node that it repeats.

    After a syntax error the documents before it are still returned.
    """
    import yaml

    if unresolved := conflicts(source):
        return Parsed([], unresolved)
    language = _Definitions(source)
    found: list[Node | None] = []
    try:
        for _, root, _ in documents(events(source.text), language):
            found.append(None if root.kind is NodeKind.SCALAR and root.value is None else root)
            if several := further_documents(source, root):
                language.replace_repeated(root, several)
                found[-1] = None
    except _Enough:
        pass
    except yaml.MarkedYAMLError as fault:
        language.add_syntax(_syntax(source, fault))
    except yaml.YAMLError as fault:  # a reader error: guard leaves none that we know of
        language.faults.append(source.diagnostic("RC104", str(fault).splitlines()[0], (1, 1), (1, 2)))
    return Parsed(found, language.faults)


class _Enough(Exception):
    """A fault behind which nothing is read."""


class _Definitions(Language[Node]):
    """The language of our own files: what readers of YAML disagree on is a fault."""

    limits = TreeLimits(MAX_DEPTH, MAX_VALUES, MAX_VALUES_OF_FILE)

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.faults: list[Diagnostic] = []

    def _fault(self, code: str, message: str, event: Any, hint: str = "") -> None:
        self._report(code, message, *_marks(event), hint)

    def _report(self, code: str, message: str, start: Position, end: Position | None = None, hint: str = "") -> None:
        """Note a fault; beyond `MAX_FAULTS` none is made any more, and reading ends."""
        self._note(self.source.diagnostic(code, message, start, end, hint=hint))

    def _note(self, fault: Diagnostic) -> None:
        if len(self.faults) >= MAX_FAULTS:
            self.faults.append(too_many(self.source, (fault.span.line, fault.span.column)))
            raise _Enough
        self.faults.append(fault)

    def replace_repeated(self, root: Node, faults: list[Diagnostic]) -> None:
        """Note that there are several documents, instead of all their keys that stand twice."""
        keys = {child.key.start.position for child in root.children if child.key}
        self.faults[:] = [
            fault for fault in self.faults if fault.code != "RC108" or (fault.span.line, fault.span.column) not in keys
        ]
        self.faults += faults

    def add_syntax(self, fault: Diagnostic) -> None:
        """Note a syntax error, unless it follows from a placeholder on its line."""
        if not any(known.code == "RC120" and known.span.line == fault.span.line for known in self.faults):
            self.faults.append(fault)

    def document(self, start: Any) -> None:
        if start.version or start.tags:
            self._fault("RC115", "a directive", start, "remove it; the language is YAML 1.2")

    def scalar(self, event: Any, *, is_key: bool) -> Node:
        self._check_tag(event)
        return scalar_node(event, event.value if event.style else self._resolve(event))

    def _resolve(self, event: Any) -> object:
        text: str = event.value
        if text in WORDS:
            return WORDS[text]
        if text == "<<":
            self._fault("RC110", "the merge key <<", event, "write the keys out, or quote it if it is a name")
            return text
        if _INTEGER.fullmatch(text) and abs(number := int(text[:400])) <= _LARGEST:
            return number
        if _FLOAT.fullmatch(text) and len(text) < 40:
            return float(text)
        if _AMBIGUOUS.fullmatch(text):
            hint = f'quote it if it is a text: "{text}"' if len(text) < 60 else "quote it if it is a text"
            self._fault("RC109", "loaders read this plain value differently", event, hint)
        return text

    def alias(self, event: Any, found: Anchored[Node] | None, *, is_key: bool) -> Node:
        if found is None:
            self._fault("RC104", f"undefined alias *{event.anchor[:60]}", event, "define it before with &name")
            start, end = mark_of(event.start_mark), mark_of(event.end_mark)
            return Node(NodeKind.SCALAR, start, end, end)
        if found.made is None:
            self._stop("RC107", f"alias *{event.anchor[:60]} stands inside what it repeats", event)
        return found.made

    def opening(self, start: Any, *, is_key: bool) -> None:
        self._check_tag(start)

    def collection(self, start: Any, items: list[Node], end: Any) -> Node:
        node = collection_node(start, items, end)
        if node.kind is NodeKind.MAPPING:
            self._check_keys(items[::2])
        return node

    def too_deep(self, event: Any) -> NoReturn:
        self.faults.append(too_deep(self.source, _marks(event)[0]))
        raise _Enough

    def too_many(self, event: Any, what: str, most: int) -> NoReturn:
        message = f"with its aliases written out this {what} holds more than {most:,} values"
        self._stop("RC107", message, event, "use fewer aliases, or several files")

    def _stop(self, code: str, message: str, event: Any, hint: str = "") -> NoReturn:
        """Note a fault that ends the reading."""
        self.faults.append(self.source.diagnostic(code, message, *_marks(event), hint=hint))
        raise _Enough

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None:
            start, _ = _marks(event)
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self._report("RC111", f"the tag {tag[:60]}", start, (start[0], start[1] + len(tag)), "remove the tag")

    def _check_keys(self, keys: list[Node]) -> None:
        seen: dict[str, Node] = {}
        for key in keys:
            start, end = key.start.position, key.opened.position
            if key.kind is not NodeKind.SCALAR and (placeholder := bare_placeholder(self.source, key)):
                self._note(placeholder)
                key.kind, key.value = NodeKind.SCALAR, f"(key at {start[0]}:{start[1]})"
            elif key.kind is not NodeKind.SCALAR:
                self._report("RC113", "a key is a list or a mapping", start, hint="keys are texts")
                key.kind, key.value = NodeKind.SCALAR, f"(key at {start[0]}:{start[1]})"
            elif not isinstance(key.value, str):
                self._check_text_key(key, start, end)
            first = seen.setdefault(key.value, key)
            if first is not key:
                message = f"{_shown(key.value)} stands twice in this mapping, first on line {first.start.line + 1}"
                self._report("RC108", message, start, end, "remove one")

    def _check_text_key(self, key: Node, start: Position, end: Position) -> None:
        line = self.source.lines[start[0] - 1]
        written = line[start[1] - 1 : end[1] - 1] if start[0] == end[0] else ""
        hint = f'quote it: "{written[:60]}"' if written else "write a text before the colon"
        self._report("RC113", "the key is not a text", start, end, hint)
        key.value = written or f"(key at {start[0]}:{start[1]})"


def _shown(text: str) -> str:
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"


def _marks(event: Any) -> tuple[Position, Position]:
    return mark_of(event.start_mark).position, mark_of(event.end_mark).position


def _syntax(source: SourceText, fault: Any) -> Diagnostic:
    problem = " ".join(str(fault.problem or fault.context or "not well-formed").split())
    unclosed = "end of stream" in problem or "document indicator" in problem
    mark = (fault.context_mark if unclosed else None) or fault.problem_mark or fault.context_mark
    start = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    shown = source.lines[start[0] - 1] if start[0] <= len(source.lines) else ""
    if "\t" in shown[: start[1]] and not shown[: start[1] - 1].strip():
        return source.diagnostic(
            "RC105", "a tab in the indentation", start, (start[0], start[1] + 1), hint="use spaces"
        )
    hint = slip_on(source.lines, start[0]) or next((text for part, text in _HINTS if part in problem), "")
    if start[0] > len(source.lines):
        start = (len(source.lines), len(source.lines[-1]) + 1)
    return source.diagnostic("RC104", problem, start, (start[0], start[1] + 1), hint=hint)
