"""Diagnostics as text, looked at on an emulated terminal."""

import re
from time import process_time
from unicodedata import normalize

import pyte
import pytest
from hostile import HOSTILE, LINE, checked_for
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcswidth

from reconciler.diagnostics import Diagnostic, Span
from reconciler.render.diagnostics import Checked, render
from reconciler.harmless import harmless_lines

GOOD = Checked(12, 15)
FAULT = Diagnostic(
    "RC203", "text expected, not a number", Span("connectors/crm.yaml", 14, 9, 14, 11), "  name: 42", "quote it"
)
WARNING = Diagnostic("RC603", "category 'old' is inactive", Span("connectors/crm.yaml", 20))


def shown(*found: Diagnostic, checked: Checked = GOOD, color: bool = False) -> str:
    """The diagnostics as text."""
    return render("text", found, checked=checked, color=color)


def test_a_diagnostic_says_where_what_and_what_to_do() -> None:
    """The line of the file stands in between; without one, and without a hint, the sentence stands alone."""
    assert shown(FAULT, WARNING) == (
        "connectors/crm.yaml:14:9: error[RC203]: text expected, not a number\n"
        "   14 |   name: 42\n"
        "      |         ^^\n"
        "  hint: quote it\n"
        "\n"
        "connectors/crm.yaml:20:1: warning[RC603]: category 'old' is inactive\n"
        "\n"
        "1 error and 1 warning in 12 files.\n"
    )


@pytest.mark.parametrize(
    ("errors", "warnings", "checked", "summary"),
    [
        (0, 0, Checked(12, 15), "12 files, 15 documents: valid."),
        (0, 0, Checked(1, 1), "1 file, 1 document: valid."),
        (0, 0, Checked(0, 0), "0 files, 0 documents: valid."),
        (0, 0, Checked(10_000, 1), "10,000 files, 1 document: valid."),
        (3, 1, Checked(12, 15), "3 errors and 1 warning in 12 files."),
        (1, 2, Checked(1, 1), "1 error and 2 warnings in 1 file."),
        (2, 0, Checked(2, 1), "2 errors in 2 files."),
        (0, 1, Checked(2, 1), "1 warning in 2 files."),
    ],
)
def test_the_last_line_counts(errors: int, warnings: int, checked: Checked, summary: str) -> None:
    """In right English."""
    assert shown(*[FAULT] * errors, *[WARNING] * warnings, checked=checked).splitlines()[-1] == summary


def test_colour_is_for_those_who_ask() -> None:
    """It changes nothing but the colour: red for errors, yellow for warnings, cyan for hints."""
    painted = harmless_lines(shown(FAULT, WARNING, color=True))
    assert "\x1b[31;1merror[RC203]:\x1b[0m" in painted
    assert "\x1b[33;1mwarning[RC603]:\x1b[0m" in painted
    assert "\x1b[36mhint:\x1b[0m" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == shown(FAULT, WARNING)
    assert "\x1b" not in shown(FAULT, WARNING)


@settings(max_examples=60, deadline=None)
@given(HOSTILE)
def test_colour_is_all_that_steers_a_terminal(found: list[Diagnostic]) -> None:
    """Whatever stands in the files."""
    painted = harmless_lines(render("text", found, checked=checked_for(found), color=True))
    plain = re.sub(r"\x1b\[(31;1|33;1|1|2|36)m|\x1b\[0m", "", painted).replace(r"\x3a:", "::")
    assert plain == harmless_lines(render("text", found, checked=checked_for(found))).replace(r"\x3a:", "::")


@settings(max_examples=60, deadline=None)
@given(HOSTILE)
def test_a_diagnostic_takes_the_lines_that_it_should(found: list[Diagnostic]) -> None:
    """No text of a file makes more lines: one says what, two show the line, one hints, one is empty."""
    expected = sum(2 + 2 * bool(item.snippet.strip()) + bool(item.hint) for item in found) + 1
    text = render("text", found, checked=checked_for(found))
    assert text.count("\n") == expected == len(text.splitlines())


CELLS = st.sampled_from([*"abc {}:-", "\t", "名", "한", "ｗ", "ﾊ", "é", "e\u0301", "🙂", "\x1b", "\u200b", "##["])


@settings(max_examples=300, deadline=None)
@given(st.lists(CELLS, max_size=150), CELLS.filter(str.strip), st.lists(CELLS, max_size=150))
def test_the_caret_stands_below_what_it_means(before: list[str], marked: str, after: list[str]) -> None:
    """On a terminal, where characters are narrow, wide, or stand on the one before them."""
    snippet, column = "".join([*before, marked, *after]), len("".join(before)) + 1
    found = Diagnostic("RC203", "wrong", Span("a.yaml", 1, column, 1, column + len(marked)), snippet)
    screen = pyte.Screen(200, 8)
    pyte.Stream(screen).feed(shown(found).replace("\n", "\r\n"))
    line, caret = screen.buffer[1], screen.display[2]
    first, last = caret.index("^"), caret.rindex("^")
    assert caret == " " * 6 + "| " + " " * (first - 8) + "^" * (last - first + 1) + " " * (200 - last - 1)
    text = "".join(line[at].data for at in range(first, last + 1))
    escapes = {"\x1b": r"\x1b", "\u200b": r"\u200b", "##[": r"#\x23["}
    assert text == escapes.get(marked, normalize("NFC", marked))  # the emulator composes
    assert len(screen.display[1].rstrip()) <= 8 + 100 + 2


@pytest.mark.parametrize(
    "text", ["한글", "\u1112\u1161\u11ab", "e\u0301\u0323", "ก\u0e34\u0e48", "ｆｕｌｌ", "日本", "🙂", "a\u20dd", "ﷺ"]
)
def test_columns_are_counted_as_terminals_do(text: str) -> None:
    """By wcwidth's tables, which terminals use."""
    found = Diagnostic("RC203", "wrong", Span("a.yaml", 1, 1, 1, len(text) + 1), text)
    assert shown(found).splitlines()[2].count("^") == wcswidth(text)


@pytest.mark.parametrize(
    ("snippet", "column", "end", "caret"),
    [
        ("key: value", 6, 11, "     ^^^^^"),
        ("\tkey: value", 7, 12, "         ^^^^^"),
        ("名前: value", 5, 10, "      ^^^^^"),
        ("cafe\u0301: value", 8, 13, "      ^^^^^"),
        ("key:", 9, 10, "    ^"),
        ("key:", 5, 6, "    ^"),
        ("key: \u200bx", 6, 7, "     ^^^^^^"),
    ],
)
def test_the_caret_stands_under_its_text(snippet: str, column: int, end: int, caret: str) -> None:
    """Also behind the end of the line, where something is missing."""
    found = Diagnostic("RC203", "wrong", Span("a.yaml", 1, column, 1, end), snippet)
    assert shown(found).splitlines()[2] == f"      | {caret}"


@pytest.mark.parametrize(
    ("left", "right", "cut"), [(400, 400, "both"), (0, 400, "right"), (400, 0, "left"), (30, 60, "none")]
)
@pytest.mark.parametrize("char", ["x", "名"])
def test_a_long_line_is_cut_around_the_caret(left: int, right: int, cut: str, char: str) -> None:
    """An ellipsis stands where something is left out."""
    per = wcswidth(char)
    snippet = char * (left // per) + "BAD" + char * (right // per)
    column = left // per + 1
    found = Diagnostic("RC203", "wrong", Span("a.yaml", 1, column, 1, column + 3), snippet)
    line = shown(found).splitlines()[1].removeprefix("    1 | ")
    assert wcswidth(line) <= 102
    assert line.strip("…").strip(char) == "BAD"
    assert (line[0] == "…", line[-1] == "…") == (cut in ("both", "left"), cut in ("both", "right"))


@settings(max_examples=200, deadline=None)
@given(LINE.filter(str.strip), st.integers(1, 400), st.integers(1, 400))
def test_the_caret_stays_near_its_line(snippet: str, column: int, length: int) -> None:
    """Even where the position does not fit the line."""
    found = Diagnostic("RC203", "wrong", Span("a.yaml", 1, column, 1, column + length), snippet)
    caret = re.fullmatch(r"      \| ( *)(\^+)", shown(found).splitlines()[2])
    assert caret and len(caret[1]) + len(caret[2]) <= 1 + 100 + 1


def test_the_far_ends_of_a_huge_line_cost_nothing() -> None:
    """A file may be one line of megabytes with a thousand faults."""
    snippet = "x" * 4_000_000
    started = process_time()
    for column in range(1, 4_000_000, 40_000):
        shown(Diagnostic("RC203", "wrong", Span("a.yaml", 1, column, 1, column + 1), snippet))
    assert process_time() - started < 2
