"""Bytes of a YAML file to its canonical form."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from reconciler.diagnostics import Diagnostic, sorted_diagnostics
from reconciler.source.roundtrip.block_order import order_block_mappings
from reconciler.source.roundtrip.endings import own_ending, with_line_feeds
from reconciler.source.roundtrip.flow_order import order_flow_mappings
from reconciler.source.roundtrip.indentation import indent_evenly
from reconciler.source.roundtrip.layout import Layout, read
from reconciler.source.roundtrip.reference import ReferenceRefuses, reference_digests
from reconciler.source.roundtrip.sameness import meaning
from reconciler.source.roundtrip.whitespace import trim
from reconciler.source.text import SourceText
from reconciler.source.yaml.loading import fast_parser, load_carefully


class Formatted(Struct, frozen=True):
    """A file in canonical form.

    Attributes:
        text: the file's new content; None when there are diagnostics, the file is to be left alone then.
        changed: whether `text` differs from what was given.
    """

    text: bytes | None
    changed: bool
    diagnostics: tuple[Diagnostic, ...] = ()


class Step(Struct, frozen=True):
    """One edit of a text.

    Attributes:
        reorders: whether it may alter the order of keys in documents of our kinds.
    """

    name: str
    edit: Callable[[Layout], str]
    reorders: bool = False


STEPS = (
    Step("whitespace", trim),  # first too: lines can be moved freely once the last one ends as the others do
    Step("flow order", order_flow_mappings, reorders=True),
    Step("block order", order_block_mappings, reorders=True),
    Step("indentation", indent_evenly),
    Step("whitespace", trim),
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


def taken_steps(layout: Layout) -> Iterator[tuple[Step, Layout]]:
    """Each step with the layout after it; a step that would alter the meaning leaves the layout as it is."""
    for step in STEPS:
        text = step.edit(layout)
        if text != layout.text:
            layout = _checked(layout, text, step) or layout
        yield step, layout


def _checked(before: Layout, text: str, step: Step) -> Layout | None:
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
