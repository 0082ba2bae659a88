"""The canonical form of a YAML file, reached by the author's own lines, with ruamel.yaml as the witness."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from reconciler.diagnostics import Diagnostic, sorted_diagnostics
from reconciler.source.roundtrip.layout import Layout, indent_evenly, own_ending, read, trim, with_line_feeds
from reconciler.source.roundtrip.order import order_block_mappings, order_flow_mappings, order_for
from reconciler.source.roundtrip.tree import AsWritten
from reconciler.source.text import SourceText
from reconciler.source.yaml.loader import fast_parser, load_carefully
from reconciler.yaml.nodes import Node, NodeKind
from reconciler.yaml.tree import DocumentTree, documents


class Meaning(Struct, frozen=True):
    """All of a file that formatting keeps: values, order of items, anchors, aliases, tags, quotes, comments, markers.

    Attributes:
        documents: a digest each.
        comments: how often each stands in the file.
    """

    documents: tuple[bytes, ...]
    comments: Counter[str]


def meaning(layout: Layout, *, any_order: bool) -> Meaning:
    """What a text means. With `any_order` the order of keys in documents of our kinds does not matter."""
    comments = Counter(comment.text for comment in layout.tokens.comments)
    return Meaning(digests(layout.documents, any_order=any_order), comments)


def digests(documents: Iterable[DocumentTree[Node]], *, any_order: bool) -> tuple[bytes, ...]:
    """One digest for each document."""
    return tuple(
        _Digester(any_order=any_order and order_for(item.root) is not None).document(item) for item in documents
    )


class _Digester:
    """Digests the nodes of one document; an alias counts as the node that it repeats."""

    def __init__(self, *, any_order: bool) -> None:
        self._any_order = any_order
        self._anchors: dict[str, bytes] = {}

    def document(self, document: DocumentTree[Node]) -> bytes:
        return _digest(document.header.encode(), self._node(document.root))

    def _node(self, node: Node) -> bytes:
        if node.kind is NodeKind.ALIAS:
            return _digest(b"alias", node.text.encode(), self._anchors.get(node.text, b""))
        parts = [self._child(child.key, child.value) for child in node.children]
        if self._any_order and node.kind is NodeKind.MAPPING:
            parts.sort()
        head = (node.kind, node.style, node.anchor, node.tag, node.text)
        found = _digest(*(text.encode("utf-8", "surrogatepass") for text in head), *parts)
        if node.anchor:
            self._anchors[node.anchor] = found
        return found

    def _child(self, key: Node | None, value: Node) -> bytes:
        return _digest(self._node(key) if key else b"", self._node(value))


def _digest(*parts: bytes) -> bytes:
    state = blake2b(digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8, "big") + part)
    return state.digest()


class ReferenceRefuses(Exception):
    """ruamel.yaml does not read a text.

    Attributes:
        line, column: where, from 1.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def diagnostic(self, source: SourceText) -> Diagnostic:
        """The refusal of the file `source`."""
        start = (self.line, self.column)
        return source.diagnostic("RC104", self.message, start, (self.line, self.column + 1))


def reference_digests(text: str) -> tuple[bytes, ...]:
    """What ruamel.yaml makes of each document, without regard to the order of keys in our kinds.

    Its scanner and parser are used, not its emitter and constructor: they know YAML 1.2 and give all that
    is to be compared.

    Raises:
        ReferenceRefuses: it does not read the text, for whatever reason.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = documents(YAML(typ="safe", pure=True).parse(text), AsWritten())
            return digests(found, any_order=True)
    except MarkedYAMLError as fault:
        raise _refusal(fault) from fault
    except YAMLError as fault:
        raise ReferenceRefuses(_one_line(fault), 1, 1) from fault


def _refusal(fault: Any) -> ReferenceRefuses:
    mark = fault.problem_mark or fault.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return ReferenceRefuses(_one_line(fault.problem or fault.context), line, column)


def _one_line(text: object) -> str:
    return " ".join(str(text or "not well-formed").split())[:200]


class Formatted(Struct, frozen=True):
    """A file in canonical form.

    Attributes:
        text: the file's new content; None when there are diagnostics, the file is to be left alone then.
        changed: whether `text` differs from what was given.
    """

    text: bytes | None
    changed: bool
    diagnostics: tuple[Diagnostic, ...] = ()


class FormatStep(Struct, frozen=True):
    """One edit of a text.

    Attributes:
        reorders: whether it may alter the order of keys in documents of our kinds.
    """

    name: str
    edit: Callable[[Layout], str]
    reorders: bool = False


STEPS = (
    FormatStep("whitespace", trim),  # first too: lines can be moved freely once the last one ends as the others do
    FormatStep("flow order", order_flow_mappings, reorders=True),
    FormatStep("block order", order_block_mappings, reorders=True),
    FormatStep("indentation", indent_evenly),
    FormatStep("whitespace", trim),
)
# What keeps a file from being read at all. Other faults, such as tags and dates without quotes, are for
# `validate`: they do not keep a file from being formatted.
_UNREADABLE = frozenset({"RC102", "RC103", "RC104", "RC105", "RC106", "RC107", "RC108", "RC112", "RC118"})


def format_document_text(data: bytes, file: str) -> Formatted:
    """The file `file` with the content `data` in canonical form. Never raises for what the file holds.

    The package's description says what is guaranteed: the same values, comments, anchors, quotes and markers.
    """
    faults = _faults(data, file)
    if faults:
        return Formatted(None, changed=False, diagnostics=tuple(sorted_diagnostics(faults)))
    source = SourceText(file, data)
    result = canonical_text(source.text)
    formatted = result.encode()
    if formatted == data:
        return Formatted(data, changed=False)
    try:
        if reference_digests(source.text) != reference_digests(result):
            return Formatted(data, changed=False)
    except ReferenceRefuses as refusal:
        return Formatted(None, changed=False, diagnostics=(refusal.diagnostic(source),))
    return Formatted(formatted, changed=True)


def canonical_text(text: str) -> str:
    """The canonical form of a text that parses, with the line endings that it has."""
    layout = read(with_line_feeds(text))
    for _, done in taken_steps(layout):
        layout = done
    return layout.text.replace("\n", own_ending(text))


def taken_steps(layout: Layout) -> Iterator[tuple[FormatStep, Layout]]:
    """Each step with the layout after it; a step that would alter the meaning leaves the layout as it is."""
    for step in STEPS:
        text = step.edit(layout)
        if text != layout.text:
            layout = _checked(layout, text, step) or layout
        yield step, layout


def _checked(before: Layout, text: str, step: FormatStep) -> Layout | None:
    """The layout of the edited text when it means the same as `before`."""
    import yaml

    try:
        after = read(text)
    except yaml.YAMLError:
        return None
    same = meaning(before, any_order=step.reorders) == meaning(after, any_order=step.reorders)
    return after if same else None


def _faults(data: bytes, file: str) -> list[Diagnostic]:
    return [fault for fault in load_carefully(data, file, fast_parser()).faults if fault.code in _UNREADABLE]


__all__ = ["Formatted", "format_document_text"]
