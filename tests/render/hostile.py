"""Diagnostics with texts as hostile as files can make them, and a CI runner's way of reading a log."""

import re
from dataclasses import dataclass

from hypothesis import strategies as st

from reconciler.diagnostics import RULES, Diagnostic, Edit, Fix, Span
from reconciler.render.diagnostics import Checked

FRAGMENTS = [
    "::error::", "::stop-commands::x", "%0A::warning::", "##[add-mask]", "##[error]x", "##vso[task.setvariable variable=a]b",
    "\x1b[31m", "\x9b1m", "\x1b]0;title\x07", "\r", "\n", "\r\n", "\t", "\0", "\x7f", "\u2028", "\u202e", "\u200b", "\ufeff",
    "\U000e0041", "\ufffe", "\uffff", "\udcff", "]]>", "<!--", "&amp;", "&#0;", "\"'<>", "[text](https://evil.example)", "{0}",
    "%25", "%", ",", ":", "=", "\\", "日本", "e\u0301", "🙂",
]  # fmt: skip
TEXT = st.lists(st.one_of(st.text(st.characters(codec=None), max_size=12), st.sampled_from(FRAGMENTS)), max_size=5).map(
    "".join
)
LINE = TEXT.map(lambda text: re.sub("[\r\n\ud800-\udfff]", "", text))
UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0001\U000e0020-\U000e007f]"
)


@st.composite
def diagnostics(draw: st.DrawFn) -> Diagnostic:
    """Any diagnostic; its file is below connectors/, where files of definitions are."""
    line, column = draw(st.integers(1, 10**6)), draw(st.integers(1, 300))
    span = Span("connectors/" + draw(TEXT), line, column, line, column + draw(st.integers(1, 50)))
    edits = tuple(Edit(span, text) for text in draw(st.lists(TEXT, min_size=1, max_size=3)))
    fix = Fix(draw(TEXT), edits) if draw(st.booleans()) else None
    return Diagnostic(draw(st.sampled_from(sorted(RULES))), draw(TEXT), span, draw(LINE), draw(TEXT), fix)


HOSTILE = st.lists(diagnostics(), max_size=6)


def checked_for(found: list[Diagnostic]) -> Checked:
    """What was checked when `found` was found."""
    return Checked(3, 4, tuple({item.span.file for item in found} | {"connectors/good.yaml"}), "1.2.3")


@dataclass(frozen=True)
class Command:
    """What GitHub's runner makes of one line of a log."""

    name: str
    properties: dict[str, str]
    data: str


def read_as_runner(line: str) -> Command | None:
    """The workflow command in `line`, found as ActionCommand.TryParseV2 of github.com/actions/runner finds it."""
    line = line.lstrip()
    if not line.startswith("::") or "::" not in line[2:]:
        return None
    head, data = line[2:].split("::", 1)
    name, _, listed = head.partition(" ")
    pairs = (part.split("=", 1) for part in listed.strip().split(",") if part)
    return Command(name, {key: _decoded(value, {"%3A": ":", "%2C": ","}) for key, value in pairs}, _decoded(data, {}))


def _decoded(text: str, more: dict[str, str]) -> str:
    for escape, char in ({"%0D": "\r", "%0A": "\n"} | more | {"%25": "%"}).items():
        text = text.replace(escape, char)
    return text
