"""Command lines that are read without click are read as click reads them."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.cli import checking, drift, main, plan, planning, validate
from reconciler.cli.line import read
from reconciler.cli.said import options

WORDS = [
    "plan", "drift", "--ref", "main", "HEAD~1", "-C", "--directory", "/tmp", "--env-file", ".env", "-q", "--quiet", "-v",
    "--verbose", "--no-input", "--full", "--no-prune", "--adopt", "--detailed-exitcode", "-o", "--output", "json",
    "markdown", "text", "xml", "", "--", "-", "--out", "--ref=main", "-ojson", "-qv", "--help", "apply", "--color", "--coverage",
    "--strict", "--changed-since", "--no-cache", "sarif", "validate",
]  # fmt: skip
LINES = st.lists(st.sampled_from(WORDS), max_size=7)


@given(LINES.map(lambda words: ["plan", *words]) | LINES.map(lambda words: ["-q", "-v", "drift", *words]) | LINES)
@example(["plan", "plan"])
@example(["plan", "drift"])
@example(["--ref", "main", "plan"])
@example(["plan", "--ref", "plan"])
@example(["plan", "--ref", "-q"])
@example(["-C", "plan", "plan"])
@settings(max_examples=300)
def test_as_click_reads_them(words: list[str]) -> None:
    """Whatever is read without it, with the same options, the same output format and the same switches."""
    asked = read(words)
    if asked is None or asked["command"] != "plan":
        return
    seen: list[tuple[Any, ...]] = []

    def look(flags: Any, saving: Any, chosen: str, *, detailed: bool) -> int:
        seen.append((flags, saving, chosen, detailed, options()))
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "plan_and_show", look)
        patch.setattr(planning, "plan_and_show", look)
        assert (main.run(words), planning.run_simple(asked)) == (0, 0)
    assert seen[0] == seen[1]


@given(LINES.map(lambda words: ["validate", *words]) | LINES)
@example(
    ["validate", "--ref", "main", "--changed-since", "HEAD~1", "--coverage", "--strict", "--no-cache", "-o", "sarif"]
)
@example(["--env-file", ".env", "validate"])
@example(["--no-cache", "validate"])
@settings(max_examples=200)
def test_validate(words: list[str]) -> None:
    """The same of the command that reads definitions alone."""
    asked = read(words)
    if asked is None or asked["command"] != "validate":
        return
    seen: list[tuple[Any, ...]] = []

    def look(flags: Any, chosen: str) -> int:
        seen.append((flags, chosen, options()))
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validate, "check_and_show", look)
        patch.setattr(checking, "check_and_show", look)
        assert (main.run(words), checking.run_simple(asked)) == (0, 0)
    assert seen[0] == seen[1]


@given(LINES.map(lambda words: ["drift", *words]))
@settings(max_examples=100)
def test_drift(words: list[str]) -> None:
    """The same of the other command that may be answered at once."""
    asked = read(words)
    if asked is None:
        return
    seen: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift.command, "callback", lambda **flags: seen.append((flags, options())))
        assert main.run(words) == 0
    flags, said = seen[0]
    assert flags == {"detailed_exitcode": "detailed" in asked, "addresses": (), "everybody": False}
    wanted = {name: value or True for name, value in asked.items() if name in said._fields}
    assert said == type(said)(**wanted)


@pytest.mark.parametrize("name", ["RECONCILER_TARGET", "RECONCILER_AS", "RECONCILER_OUTPUT"])
def test_settings_of_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are for click to read."""
    monkeypatch.setenv(name, "x")
    assert read(["plan"]) is None
