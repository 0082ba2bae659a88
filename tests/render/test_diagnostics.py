"""What holds for diagnostics in every format."""

import json
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from conftest import Workspace
from hostile import HOSTILE, UNSEEN, checked_for, read_as_runner
from hypothesis import given, settings

from reconciler.diagnostics import Diagnostic, Span
from reconciler.render.diagnostics import FORMATS, render
from reconciler.harmless import harmless, harmless_lines


@pytest.mark.parametrize("format_name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(found=HOSTILE)
def test_nothing_unseen_is_printed(format_name: str, found: list[Diagnostic]) -> None:
    """No control character, mark of text direction or lone surrogate, whatever stands in files and their names."""
    text = harmless_lines(render(format_name, found, checked=checked_for(found)))
    text.encode("utf-8")
    assert not UNSEEN.search(text)


@pytest.mark.parametrize("format_name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(found=HOSTILE)
def test_a_ci_runner_finds_no_command_of_a_file_in_its_log(format_name: str, found: list[Diagnostic]) -> None:
    """GitHub's runner obeys ``::name::`` at the start of a line and ``##[name]`` anywhere, Azure's ``##vso[name]``."""
    lines = harmless_lines(render(format_name, found, checked=checked_for(found))).split("\n")
    commands = [command.name for line in lines if (command := read_as_runner(line))]
    assert commands == ([item.severity for item in found] if format_name == "github" else [])
    assert not [line for line in lines if "##[" in line or "##vso[" in line]


@pytest.mark.parametrize("format_name", FORMATS)
def test_rendering_does_not_depend_on_earlier_calls(format_name: str) -> None:
    """Nothing is kept between two calls."""
    found = [Diagnostic("RC104", "the file ends here", Span("connectors/a.yaml", 2, 3, 2, 4))]
    assert len({render(format_name, found, checked=checked_for(found)) for _ in range(2)}) == 1


def test_a_good_run_loads_next_to_nothing() -> None:
    """`validate` of good files pays for neither XML nor the formats of other tools."""
    code = """
import sys
from reconciler.render.diagnostics import Checked, render
print(render("text", [], checked=Checked(2, 3)), end="")
print(*sorted(sys.modules))
"""
    said, loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert said == "2 files, 3 documents: valid."
    assert not set(loaded.split()) & {
        "xml",
        "reconciler.render.diagnostics.formats",
        "reconciler.render.diagnostics.formats",
    }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("名前 é 🙂", "名前 é 🙂"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\r\nb", r"a\x0d\x0ab"),
        ("a\x9bb\u200bc\U000e0041", r"a\x9bb\u200bc\U000e0041"),
        ("a\udcffb", r"a\udcffb"),
        ("###[error] and ##vso[task]", r"##\x23[error] and #\x23vso[task]"),
    ],
)
def test_what_is_unseen_is_shown_as_an_escape(text: str, shown: str) -> None:
    """What can be seen stays as it is."""
    assert harmless(text) == shown


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
