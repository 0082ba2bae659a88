"""The careful parser: PyYAML's events to nodes with positions, and every fault on the way.

It reads YAML 1.2 core by rules of its own, because PyYAML's are those of YAML 1.1. It is the second
speed of the loader (failing files only), and the fallback should the fast library ever be dropped.
"""

import re
from typing import Any

from msgspec import Struct

from reconciler.diagnostics import MAX_FAULTS, Diagnostic
from reconciler.source.text import Position, SourceText
from reconciler.source.yaml.guard import MAX_DEPTH, MAX_VALUES, too_deep, too_many
from reconciler.source.yaml.nodes import MAPPING, SCALAR, SEQUENCE, Node

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
_WORDS: dict[str, object] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_HINTS = (
    ("mapping values are not allowed", "quote the value if it holds ': ', or check the indentation"),
    ("expected <block end>", "check the indentation"),
    ("did not find expected key", "check the indentation, and that quotes and brackets are closed"),
    ("could not find expected ':'", "a key needs a colon and a space after it"),
    ("found unexpected end of stream", "close the quote"),
    ("did not find expected ',' or", "close the bracket, or add a comma"),
    ("cannot start any token", "quote the text"),
    ("undefined alias", "define it before with &name"),
)


class Parsed(Struct, frozen=True):
    """The documents of one file (None for an empty one) and the faults found on the way."""

    documents: list[Node | None]
    faults: list[Diagnostic]


def parse(source: SourceText) -> Parsed:
    """All documents of a file that `guard` let through.

    After a syntax error the documents before it are still returned.
    """
    import yaml

    builder = _Builder(source)
    try:
        for event in yaml.parse(source.text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
            builder.add(event)
            if builder.stopped:
                break
    except yaml.MarkedYAMLError as fault:
        builder.faults.append(_syntax(source, fault))
    except yaml.YAMLError as fault:  # a reader error: guard leaves none that we know of
        builder.faults.append(source.diagnostic("RC104", str(fault).splitlines()[0], (1, 1), (1, 2)))
    return Parsed(builder.documents, builder.faults)


class _Builder:
    """Turns events into nodes without recursion."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.documents: list[Node | None] = []
        self.faults: list[Diagnostic] = []
        self.stopped = False
        self._open: list[tuple[Node, list[Node], str | None]] = []
        self._anchors: dict[str, Node | None] = {}
        self._root: Node | None = None
        self._in_document = self._in_file = 0

    def add(self, event: Any) -> None:
        handler = getattr(self, "_on_" + type(event).__name__, None)
        if handler is not None:
            handler(event)

    def _fault(self, code: str, message: str, event: Any, hint: str = "") -> None:
        self._report(code, message, *_marks(event), hint)

    def _report(self, code: str, message: str, start: Position, end: Position | None = None, hint: str = "") -> None:
        """Note a fault; beyond `MAX_FAULTS` none is made any more, and parsing ends."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(self.source.diagnostic(code, message, start, end, hint=hint))
        elif not self.stopped:
            self.faults.append(too_many(self.source, start))
            self.stopped = True

    def _on_DocumentStartEvent(self, event: Any) -> None:
        self._anchors, self._root, self._in_document = {}, None, 0
        if event.version or event.tags:
            self._fault("RC115", "a directive", event, "remove it; the language is YAML 1.2")

    def _on_DocumentEndEvent(self, event: Any) -> None:
        root = self._root
        empty = root is None or (root.kind is SCALAR and root.value is None)
        self.documents.append(None if empty else root)

    def _on_ScalarEvent(self, event: Any) -> None:
        self._count(event, 1)
        self._check_tag(event)
        start, end = _marks(event)
        plain = not event.style
        node = Node(SCALAR, self._resolve(event) if plain else event.value, start, end, 1)
        self._anchor(event, node)
        self._place(node)

    def _resolve(self, event: Any) -> object:
        text: str = event.value
        if text in _WORDS:
            return _WORDS[text]
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

    def _on_AliasEvent(self, event: Any) -> None:
        node = self._anchors.get(event.anchor, ...)
        if node is ...:
            self._fault("RC104", f"undefined alias *{event.anchor[:60]}", event, "define it before with &name")
            node = Node(SCALAR, None, *_marks(event), 1)
        elif node is None:
            self._stop("RC107", f"alias *{event.anchor[:60]} stands inside what it repeats", event)
            return
        assert isinstance(node, Node)
        self._count(event, node.weight)
        self._place(node)

    def _on_MappingStartEvent(self, event: Any) -> None:
        self._start(MAPPING, event)

    def _on_SequenceStartEvent(self, event: Any) -> None:
        self._start(SEQUENCE, event)

    def _start(self, kind: str, event: Any) -> None:
        self._count(event, 1)
        self._check_tag(event)
        if len(self._open) >= MAX_DEPTH:
            self.faults.append(too_deep(self.source, _marks(event)[0]))
            self.stopped = True
            return
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append((Node(kind, [], *_marks(event), 1), [], event.anchor))

    def _on_MappingEndEvent(self, event: Any) -> None:
        node, items, anchor = self._open.pop()
        pairs = list(zip(items[::2], items[1::2], strict=True))
        self._check_keys(pairs)
        node.value = pairs
        self._finish(node, items, anchor)

    def _on_SequenceEndEvent(self, event: Any) -> None:
        node, items, anchor = self._open.pop()
        node.value = items
        self._finish(node, items, anchor)

    def _finish(self, node: Node, items: list[Node], anchor: str | None) -> None:
        node.weight = 1 + sum(item.weight for item in items)
        if anchor is not None:
            self._anchors[anchor] = node
        self._place(node)

    def _count(self, event: Any, weight: int) -> None:
        """Stop as soon as there are too many values, before they take memory."""
        self._in_document += weight
        self._in_file += weight
        for what, held, limit in (
            ("document", self._in_document, MAX_VALUES),
            ("file", self._in_file, MAX_VALUES_OF_FILE),
        ):
            if held > limit:
                message = f"with its aliases written out this {what} holds more than {limit:,} values"
                self._stop("RC107", message, event, "use fewer aliases, or several files")

    def _stop(self, code: str, message: str, event: Any, hint: str = "") -> None:
        """Note a fault that ends parsing."""
        if not self.stopped:
            start, end = _marks(event)
            self.faults.append(self.source.diagnostic(code, message, start, end, hint=hint))
            self.stopped = True

    def _anchor(self, event: Any, node: Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node

    def _place(self, node: Node) -> None:
        if self._open:
            self._open[-1][1].append(node)
        else:
            self._root = node

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None:
            start, _ = _marks(event)
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self._report("RC111", f"the tag {tag[:60]}", start, (start[0], start[1] + len(tag)), "remove the tag")

    def _check_keys(self, pairs: list[tuple[Node, Node]]) -> None:
        seen: dict[str, Node] = {}
        for key, _ in pairs:
            if key.kind is not SCALAR:
                self._report("RC113", "a key is a list or a mapping", key.start, hint="keys are texts")
                key.kind, key.value = SCALAR, f"(key at {key.start[0]}:{key.start[1]})"
            elif not isinstance(key.value, str):
                self._check_text_key(key)
            first = seen.setdefault(key.value, key)
            if first is not key:
                message = f"{_shown(key.value)} stands twice in this mapping, first on line {first.start[0]}"
                self._report("RC108", message, key.start, key.end, "remove one")

    def _check_text_key(self, key: Node) -> None:
        line = self.source.lines[key.start[0] - 1]
        written = line[key.start[1] - 1 : key.end[1] - 1] if key.start[0] == key.end[0] else ""
        hint = f'quote it: "{written[:60]}"' if written else "write a text before the colon"
        self._report("RC113", "the key is not a text", key.start, key.end, hint)
        key.value = written or f"(key at {key.start[0]}:{key.start[1]})"


def _shown(text: str) -> str:
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"


def _marks(event: Any) -> tuple[Position, Position]:
    start, end = event.start_mark, event.end_mark
    return (start.line + 1, start.column + 1), (end.line + 1, end.column + 1)


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
    hint = next((text for part, text in _HINTS if part in problem), "")
    if start[0] > len(source.lines):
        start = (len(source.lines), len(source.lines[-1]) + 1)
    return source.diagnostic("RC104", problem, start, (start[0], start[1] + 1), hint=hint)
