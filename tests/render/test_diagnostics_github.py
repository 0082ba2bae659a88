"""Diagnostics as GitHub workflow commands, read as its runner reads them and compared with others who write them."""

import json
import re
import subprocess
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import github_action_utils
from hostile import HOSTILE, checked_for, read_as_runner
from hypothesis import given, settings
from hypothesis import strategies as st
from ruff import find_ruff_bin

from reconciler.diagnostics import Diagnostic, Span
from reconciler.render.diagnostics import Checked, render
from reconciler.harmless import harmless, harmless_lines


def commands(*found: Diagnostic) -> list[str]:
    """One line each."""
    return harmless_lines(render("github", found, checked=Checked(1, 1))).split("\n")[:-1]


def test_an_annotation_says_where_what_and_what_to_do() -> None:
    """The severity is the command."""
    found = [
        Diagnostic("RC203", "a, b: 100%", Span("connectors/a,b:c%.yaml", 4, 3, 4, 9), "", "quote it"),
        Diagnostic("RC603", "two\nlines", Span("connectors/c.yaml", 9, 1, 11, 2)),
    ]
    assert commands(*found) == [
        "::error file=connectors/a%2Cb%3Ac%25.yaml,line=4,endLine=4,col=3,endColumn=9,title=RC203"
        "::a, b: 100%25; quote it",
        "::warning file=connectors/c.yaml,line=9,endLine=11,title=RC603::two%0Alines",
    ]
    assert commands() == []


def kept(text: str) -> str:
    """What reaches the annotation: line breaks do, other unseen characters are shown."""
    return "".join(part if part in "\r\n" else harmless(part) for part in re.split("([\r\n])", text))


@settings(max_examples=100, deadline=None)
@given(HOSTILE)
def test_the_runner_reads_what_was_meant(found: list[Diagnostic]) -> None:
    """One command for each diagnostic; no text breaks out of its place."""
    lines = harmless_lines(render("github", found, checked=checked_for(found))).splitlines()
    for line, item in zip(lines, found, strict=True):
        command = read_as_runner(line)
        assert command is not None
        assert command.name == item.severity
        assert command.properties == {
            "file": kept(item.span.file),
            "line": str(item.span.line),
            "endLine": str(item.span.end_line),
            "col": str(item.span.column),
            "endColumn": str(item.span.end_column),
            "title": item.code,
        }
        assert command.data == kept(f"{item.message}; {item.hint}" if item.hint else item.message)


PLAIN = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.sampled_from(" %:,=\r\n"), min_size=1
).filter(lambda text: kept(text) == text)  # what it lets through as it is, such as an older command


@settings(max_examples=100, deadline=None)
@given(PLAIN, PLAIN)
def test_it_escapes_as_a_toolkit_for_actions_does(path: str, message: str) -> None:
    """Where nothing unseen has to be shown."""
    said = StringIO()
    with redirect_stdout(said):
        github_action_utils.error(message, title="RC104", file=path, line=2, end_line=2, col=3, end_column=4)
    (ours,) = commands(Diagnostic("RC104", message, Span(path, 2, 3, 2, 4)))
    theirs = said.getvalue().removesuffix("\n")
    assert parts(ours) == parts(theirs)


def parts(command: str) -> tuple[str, set[str], str]:
    """Name, properties and message of a command, still escaped."""
    head, message = command.removeprefix("::").split("::", 1)
    name, _, properties = head.partition(" ")
    return name, set(properties.split(",")), message


def test_it_has_the_properties_that_ruff_gives(tmp_path: Path) -> None:
    """So that both look alike on one pull request."""
    (tmp_path / "a.py").write_text("import os\n")
    arguments = ["check", "--isolated", "--no-cache", "--select", "F", "--output-format", "github", "a.py"]
    theirs = subprocess.run([find_ruff_bin(), *arguments], cwd=tmp_path, capture_output=True, text=True).stdout
    (ours,) = commands(Diagnostic("RC104", "wrong", Span("a.yaml", 1, 8, 1, 10)))
    read, model = read_as_runner(ours), read_as_runner(theirs.strip())
    assert read is not None and model is not None
    assert read.properties.keys() == model.properties.keys()
    same = ("line", "endLine", "col", "endColumn")
    assert [read.properties[key] for key in same] == [model.properties[key] for key in same], json.dumps(theirs)
