"""What the documentation names is there, and what is there is named."""

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from reconciler.cli.app import COMMANDS, cli
from reconciler.cli.options import ExplainedCommand

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *ROOT.glob("docs/**/*.md"),
        ROOT / "benchmarks/README.md",
        ROOT / "examples/live/README.md",
        ROOT / "examples/processmaker/README.md",
        ROOT / "examples/processmaker/simulator/README.md",
        ROOT / "examples/team/README.md",
    )
)
"""All but the changelog, which tells of what was, too."""
_BLOCK = re.compile(r"^```(?:sh|console|yaml|text)?[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(?:^|[\s;|&(/]|\$ |run: )reconciler ((?:[^;|&>#\n`)]|\\\n)+)", re.MULTILINE)


def command_lines(text: str) -> list[str]:
    """Arguments of the program, in blocks and in running text."""
    blocks = "\n".join(_BLOCK.findall(text))
    lines = [found for found in re.findall(r"`(?:\$ )?([A-Z_]+=\S+ )?reconciler ([^`\n]+)`", re.sub(_BLOCK, "", text))]
    shown = [line for line in blocks.splitlines() if "reconciler " in line and not line.startswith(("#", "wrote "))]
    return [second for _, second in lines] + [found for line in shown for found in _CALL.findall(line)]


def fault(line: str) -> str:
    """What is wrong with a command line; "" when its command and its options are there."""
    words = shlex.split(line, comments=True)
    command: click.Command = cli
    context = click.Context(cli, info_name="reconciler")
    known = {name for option in cli.params for name in (*option.opts, *option.secondary_opts)} | {"-h", "--help", "-V"}
    for word in words:
        if isinstance(command, ExplainedCommand) and word in command.below:
            command = command.below[word]
            known |= {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        elif word.startswith("-") and len(word) > 1:
            if word.partition("=")[0] not in known:
                return f"{command.name} has no option {word}"
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]*", word):
            below = command.get_command(context, word)
            if below is None:
                return (
                    f"{command.name} has no command {word}"
                    if command is not cli or not known_value(words, word)
                    else ""
                )
            command = below
            known |= {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    return ""


def known_value(words: list[str], word: str) -> bool:
    """Whether a word is the value of the option before it."""
    at = words.index(word)
    return at > 0 and words[at - 1].startswith("-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_command_lines_are_understood(page: Path) -> None:
    """Every command and option that is shown is one of the program."""
    assert [found for line in command_lines(page.read_text("utf-8")) if (found := fault(line))] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("```console\n$ reconciler plann\n```", "cli has no command plann"), ("`reconciler plan --frob`", "plan has no option --frob"),
     ("```sh\nX=1 reconciler store chekc -v\n```", "store has no command chekc"), ("```sh\nreconciler -o json plan --full # -x\n```", "")],
)  # fmt: skip
def test_what_is_not_understood_is_found(text: str, said: str) -> None:
    """In blocks and in running text."""
    (line,) = command_lines(text)
    assert fault(line) == said


def test_every_variable_is_told() -> None:
    """Those that begin with RECONCILER_."""
    package = "".join(
        path.read_text("utf-8") for path in ROOT.glob("reconciler/**/*") if path.suffix in (".py", ".yaml")
    )
    page = (ROOT / "docs/reference/environment.md").read_text("utf-8")
    pattern = r"(?<!\w)RECONCILER_[A-Z]+(?:_[A-Z]+)*"
    assert set(re.findall(pattern, package)) - set(re.findall(pattern, page)) == set()


def test_every_dependency_is_told() -> None:
    """And nothing that is none any more."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[A-Za-z0-9.-]+", line)[0].lower() for line in project["dependencies"]}
    page = (ROOT / "docs/dependencies.md").read_text("utf-8").split("## Own code")[0]
    told = {name.lower() for name in re.findall(r"^\| ([A-Za-z0-9.-]+) \|", page, re.MULTILINE)} - {"package", "---"}
    assert told == needed


def test_dependencies_are_where_the_page_says() -> None:
    """The packages of the program that import each; they do it inside of functions, too."""
    page = (ROOT / "docs/dependencies.md").read_text("utf-8").split("## Own code")[0]
    modules = {"jsonschema-rs": "jsonschema_rs", "yaml-rs": "yaml_rs", "PyYAML": "yaml", "ruamel.yaml": "ruamel", "gitpython": "git",
               "python-dotenv": "dotenv", "chevron-blue": "chevron_blue"}  # fmt: skip
    texts = {path: path.read_text("utf-8") for path in ROOT.glob("reconciler/**/*.py")}
    rows = re.findall(r"^\| ([A-Za-z0-9.-]+) \| [^|]+ \| ((?:`\w+`(?:, )?)+|everywhere) \|", page, re.MULTILINE)
    assert len(rows) > 12
    for name, told in rows:
        imported = re.compile(rf"^ *(?:import|from) {modules.get(name, name)}\b(?!_)", re.MULTILINE)
        packages = {
            path.relative_to(ROOT / "reconciler").parts[0] for path, text in texts.items() if imported.search(text)
        }
        assert told == "everywhere" or set(re.findall(r"\w+", told)) == packages, name


_MODULE = re.compile(r"`+([a-z_]+(?:/[a-z_]+)*\.py)(?::\w+|::\w+)?`+")


@pytest.mark.parametrize("folder", ["pages", "reconciler"])
def test_modules_that_texts_name_are_there(folder: str) -> None:
    """In pages, and in what modules say of each other."""
    wrong = []
    folders = ("reconciler", "tests", "docs", "benchmarks")
    modules = [f"/{path.relative_to(ROOT)}" for name in folders for path in (ROOT / name).rglob("*.py")]
    for page in PAGES if folder == "pages" else sorted(ROOT.glob("reconciler/**/*.py")):
        for name in _MODULE.findall(page.read_text("utf-8")):
            if not any(module.endswith(f"/{name}") for module in modules):
                wrong.append(f"{page.relative_to(ROOT)}: {name}")
    assert wrong == []


def test_every_command_has_its_place_in_what_commands_may_do() -> None:
    """What it may start, read and send."""
    page = (
        (ROOT / "docs/security.md").read_text("utf-8").partition("## What each command may do")[2].partition("\n## ")[0]
    )
    told = {
        name for row in re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE) for name in re.findall(r"`([a-z-]+)[ `]", row)
    }
    assert set(COMMANDS) - told == set()


def test_every_package_has_its_place_in_the_architecture() -> None:
    """In the table of the page."""
    page = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")
    told = {name for row in re.findall(r"^\| (`.+?`) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    packages = {path.parent.name for path in ROOT.glob("reconciler/*/__init__.py")}
    assert packages - told == set()
    assert {name for name in told if not (ROOT / "reconciler" / name).exists()} - {"api"} == set()


def test_files_that_recipes_name_are_there() -> None:
    """And hold what they are said to hold, but for those that a recipe makes."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    named = {
        name
        for name in re.findall(r"`((?:reconciler|tests|schemas|docs|benchmarks)/[^`\s]*)`", text)
        if "NAME" not in name and "*" not in name
    }
    assert len(named) > 20
    assert {name for name in named if not (ROOT / name).exists()} == set()
    for names, file in re.findall(r"`([A-Z_]{5,})`[^`.]* of\s+`(reconciler/[^`]+)`", text) + [
        (b, a) for a, b in re.findall(r"`(reconciler/[^`]+)`: (?:a row of|the key in|its name in) `([A-Z_]{5,})`", text)
    ]:
        assert re.search(rf"^{names}\b", (ROOT / file).read_text("utf-8"), re.MULTILINE), f"{file} has no {names}"
