"""Promises about the whole surface, each tested over all cases so that it cannot rot."""

import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from conftest import Workspace, clean_environment

from reconciler import errors
from reconciler.cli.options import ExplainedCommand
from reconciler.cli.app import COMMANDS, SECTIONS, cli
from reconciler.cli.output import forget
from reconciler.diagnostics import RULES
from reconciler.errors import EXIT_CODES, ExitCode, ReconcilerError

REFERENCE = Path(__file__).parents[2] / "docs/reference"


def all_errors() -> list[type[ReconcilerError]]:
    """Every public error class."""
    found = [item for _, item in inspect.getmembers(errors, inspect.isclass)]
    return [item for item in found if issubclass(item, ReconcilerError) and item is not ReconcilerError]


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_every_error_has_an_exit_code_of_its_own_and_says_when(error: type[ReconcilerError]) -> None:
    """An error never ends as a bug, and its docstring says when it is raised."""
    assert error.exit_code not in (ExitCode.OK, ExitCode.BUG, ExitCode.CHANGES_PENDING)
    assert error.__doc__ and error.__doc__ != ReconcilerError.__doc__


def test_every_exit_code_is_explained(workspace: Workspace) -> None:
    """By the command, and by the page of them."""
    page = (REFERENCE / "exit-codes.md").read_text("utf-8")
    explained = workspace.ok("explain", "exit-codes").stdout
    for code in ExitCode:
        assert re.search(rf"^ *{int(code)}  {re.escape(EXIT_CODES[code])}$", explained, re.MULTILINE)
        assert re.search(rf"^\| {int(code)} \|", page, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    """On the page of commands, and by a help of its own with a text for every option and argument."""
    assert re.search(rf"^## {name}$", (REFERENCE / "commands.md").read_text("utf-8"), re.MULTILINE)
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.name}"


def every_command(
    group: click.Group = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Name and command of all that do something."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name), command
            assert isinstance(command, ExplainedCommand)
            yield from (((*path, name, below), found) for below, found in command.below.items())


@pytest.mark.parametrize(
    ("path", "command"), [pytest.param(*found, id=" ".join(found[0])) for found in every_command()]
)
def test_every_command_has_examples_that_it_understands(path: tuple[str, ...], command: click.Command) -> None:
    """Commands, options and arguments are there; and its help shows them."""
    assert isinstance(command, ExplainedCommand) and command.examples
    shown = command.get_help(click.Context(command, info_name=" ".join(path)))
    for line, purpose in command.examples:
        assert line in shown and purpose in shown and not purpose.endswith(".")
        program, *words = shlex.split(line.partition(" > ")[0])
        assert (program, *words[: len(path)]) == ("reconciler", *path)
        command.make_context(" ".join(path), words[len(path) :])  # raises what is wrong with it
    forget()


def test_help_tells_what_is_the_commands_own(workspace: Workspace) -> None:
    """And which command is for what, of all that there are."""
    before, common = workspace.ok("plan", "--help").stdout.split("\nCommon options:\n")
    assert "\nExamples:\n" in before and "--detailed-exitcode" in before.split("\nOptions:\n")[1]
    assert "--directory" in common and "--help" in common and "--detailed-exitcode" not in common
    shown = workspace.ok("--help").stdout
    for section, commands in SECTIONS.items():
        part = shown.partition(f"\n{section}:\n")[2].partition("\n\n")[0]
        assert [line.split()[0] for line in part.splitlines() if line.startswith("  ") and line[2] != " "] == list(
            commands
        )


@pytest.mark.parametrize("line", ["init where", "fmt", "explain RC203", "schema connector", "completion bash"])
def test_what_has_one_format_takes_no_other(line: str, workspace: Workspace) -> None:
    """An option that changes nothing is refused."""
    done = workspace.run(*line.split(), "-o", "json")
    assert (done.exit_code, done.stdout) == (64, "") and "-o" in done.stderr


def test_every_rule_is_explained() -> None:
    """A code has a summary that fits a line and an explanation that is a sentence."""
    for code, rule in RULES.items():
        assert re.fullmatch(r"RC\d{3}", code)
        assert 0 < len(rule.summary) <= 50 and not rule.summary.endswith(".")
        assert rule.explanation.endswith((".", '"'))


HEAVY = (
    "click", "cryptography", "dotenv", "git", "httpx", "jsonschema", "jsonschema_rs", "pydantic", "ruamel.yaml",
    "sqlite3", "yaml", "yaml_rs", "chevron_blue", "oauthlib", "asyncio", "importlib.metadata",
)  # fmt: skip
MAY_LOAD = {
    "--version": set(),
    "--help": {"click"},
    "validate": {"click", "jsonschema_rs", "yaml_rs", "sqlite3"},
    "plan": {"click", "jsonschema_rs", "yaml_rs", "sqlite3"},
    "get": {"click", "sqlite3", "yaml_rs"},
    "token status": {"click", "sqlite3", "yaml_rs"},
    "call crm-contacts list --set account=1 --dry-run": {
        "click",
        "sqlite3",
        "yaml_rs",
        "cryptography",
        "chevron_blue",
        "jsonschema_rs",
    },
    "schema": {"click"},
    "explain RC203": {"click"},
}
"""What each command may load of `HEAVY`, when nothing is wrong with its input."""


@pytest.mark.store_file
@pytest.mark.parametrize("line", MAY_LOAD)
def test_a_command_loads_only_what_it_uses(line: str, workspace: Workspace) -> None:
    """Start-up is a feature: https://docs.python.org/3/using/cmdline.html#cmdoption-X importtime"""
    workspace.ok("apply", "--yes")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "reconciler", *line.split()],
        cwd=workspace.root, env=clean_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = {row.rpartition("|")[2].strip() for row in done.stderr.splitlines() if row.startswith("import time:")}
    assert loaded & set(HEAVY) <= MAY_LOAD[line]


def test_options_may_stand_on_either_side(workspace: Workspace) -> None:
    """And read RECONCILER_<NAME>, which an option on the command line overrules."""
    before = workspace.ok("-o", "json", "plan").stdout
    after = workspace.ok("plan", "-o", "json").stdout
    variable = workspace.ok("plan", env={"RECONCILER_OUTPUT": "json"}).stdout
    assert before == after == variable
    assert workspace.ok("-o", "text", "plan", env={"RECONCILER_OUTPUT": "json"}).stdout.startswith("Plan for")


@pytest.mark.parametrize(
    "line", ["frobnicate", "plan --frobnicate", "plan -o sarif", "get gizmo", "validate nowhere.yaml", "-C nowhere plan", "explain RC999",
             "plan --ref nowhere", "apply", "plan --max-deletes many", "get -l team", "schema gizmo", "plan --target nowhere", "completion"]
)  # fmt: skip
def test_wrong_usage_says_so(line: str, workspace: Workspace) -> None:
    """One line, what to do, exit code 64, and nothing on stdout or in the store."""
    result = workspace.run(*line.split())
    assert result.exit_code == 64, result.output
    assert result.stderr.splitlines()[0].startswith("error: ")
    assert "hint: " in result.stderr and "\\x" not in result.stderr
    assert not workspace.store.exists()


def test_the_version_needs_no_import(workspace: Workspace) -> None:
    """And is what the package says."""
    from reconciler.version import __version__

    assert workspace.ok("--version").stdout == f"reconciler {__version__}\n"


def test_a_bug_is_one_line_and_a_log(workspace: Workspace, tmp_path: Path) -> None:
    """A user never sees a traceback."""
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import reconciler.wiring.roots as w\ndef boom(*a): raise RuntimeError('boom')\nw.locate_root = boom\n"
    )
    result = workspace.run("plan", env={"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])})
    assert result.exit_code == 1
    (line, hint) = result.stderr.splitlines()
    log = Path(re.search(r"details are in (\S+)", line)[1])
    assert "boom" in log.read_text() and log.stat().st_mode & 0o077 == 0
    log.unlink()
    assert "report" in hint


def test_every_rule_has_a_test() -> None:
    """A code that no test speaks of may never be given. RC209 is for keywords that no schema of ours uses yet."""
    tests = Path(__file__).parents[1]
    texts = "".join(path.read_text("utf-8") for path in tests.rglob("*") if path.suffix in (".py", ".txt"))
    assert set(RULES) - set(re.findall(r"RC\d{3}", texts)) == set()
