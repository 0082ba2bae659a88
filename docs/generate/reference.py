"""Pages of reference: from click's commands, the schemas, the rules and the exit codes."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import variables

from reconciler.cli.app import COMMANDS, SECTIONS, cli
from reconciler.cli.options import ExplainedCommand
from reconciler.diagnostics import RULES
from reconciler.errors import EXIT_CODES

REFERENCE = Path(__file__).parents[1] / "reference"
SCHEMAS = Path(__file__).parents[2] / "schemas"
NOTE = "<!-- Made by `python docs/generate`. Edit the program, not this page. -->"
KINDS = ("Category", "Connector", "Group", "PermissionPolicy", "AccessTest", "Project")
GROUPS = {
    "RC1": "Reading a file", "RC2": "The schema", "RC3": "Across documents", "RC4": "Secrets", "RC5": "URLs and templates",
    "RC6": "Advice", "RC7": "Access tests", "RC8": "Contracts", "RC9": "What a target cannot hold",
}  # fmt: skip
TYPES = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number", "boolean": "true or false"}
LIMITS = {
    "minLength": "at least {:,} characters", "maxLength": "at most {:,} characters", "minItems": "at least {:,}",
    "maxItems": "at most {:,}", "minimum": "at least {:,}", "maximum": "at most {:,}",
}  # fmt: skip


def pages() -> dict[Path, str]:
    """Each page with its text."""
    made = {
        "commands": commands(),
        "exit-codes": exit_codes(),
        "environment": environment(),
        "diagnostics": diagnostics(),
        "files": files(),
        "json": outputs(),
    }
    return {REFERENCE / f"{name}.md": "\n".join((NOTE, *lines)) + "\n" for name, lines in made.items()}


# Commands


def commands() -> Iterator[str]:
    """Every command with its options; those that commands share stand once."""
    yield from ("# Commands",)
    for title, section in SECTIONS.items():
        rows = ((f"[`{name}`](#{name})", text) for name, (_, text) in section.items())
        yield from ("", f"**{title}**", "", *table(("command", "does"), rows))
    shared = [parameter for parameter in cli.params if isinstance(parameter, click.Option) and parameter.envvar]
    yield from ("", "## Common options", "")
    yield "They may stand before or after the command. One on the command line wins over its variable."
    yield ""
    rows = ((spelled(option), f"`{option.envvar}`", prose(option.help)) for option in shared)
    yield from table(("option", "variable", "meaning"), rows)
    names = {option.name for option in shared}
    context = click.Context(cli, info_name="reconciler")
    for name in COMMANDS:
        found = cli.get_command(context, name)
        assert found is not None
        yield from command(found, click.Context(found, info_name=name, parent=context), names, "##")


def command(found: click.Command, context: click.Context, shared: set[str | None], heading: str) -> Iterator[str]:
    """One command, and those below it."""
    path = context.command_path.removeprefix("reconciler ")
    yield from ("", f"{heading} {path}", "")
    pieces = [piece for piece in found.collect_usage_pieces(context) if piece != "[OPTIONS]"]
    yield from ("```text", " ".join((context.command_path, *pieces, "[OPTIONS]")), "```")
    yield from paragraphs(found.help)
    examples = found.examples if isinstance(found, ExplainedCommand) else ()
    if examples:
        yield from ("", "```sh", *(line for shown, purpose in examples for line in (f"# {purpose}", shown)), "```")
    options = [item for item in found.params if isinstance(item, click.Option) and item.name not in shared]
    if options:
        yield ""
        yield from table(("option", "meaning"), ((spelled(option), meaning(option)) for option in options))
    for name, below in commands_below(found).items():
        yield from command(below, click.Context(below, info_name=name, parent=context), shared, heading + "#")


def commands_below(found: click.Command) -> Mapping[str, click.Command]:
    """Those of a group, or that a command has beside what it does itself."""
    if isinstance(found, click.Group):
        return found.commands
    return found.below if isinstance(found, ExplainedCommand) else {}


def paragraphs(text: str | None) -> Iterator[str]:
    """A help text."""
    for paragraph in inspect.cleandoc(text or "").split("\n\n"):
        yield from ("", prose(" ".join(paragraph.split())))


def spelled(option: click.Option) -> str:
    """An option as one types it."""
    value = "" if option.is_flag else f" {option.metavar or choices(option)}"
    return code(", ".join(option.opts) + value)


def choices(option: click.Option) -> str:
    """The values that it takes, or the name of its type."""
    return "|".join(option.type.choices) if isinstance(option.type, click.Choice) else option.type.name.upper()


def meaning(option: click.Option) -> str:
    """What an option says, its default and its variable."""
    said = [prose(option.help)]
    if option.show_default and option.default not in (None, False):
        said.append(f"Default: `{option.default}`.")
    if option.envvar:
        said.append(f"Variable: `{option.envvar}`.")
    return " ".join(said)


# The other pages


def exit_codes() -> Iterator[str]:
    """What the process tells its caller."""
    yield from ("# Exit codes", "")
    yield from table(("exit code", "meaning"), ((str(int(code)), prose(text)) for code, text in EXIT_CODES.items()))
    yield from ("", "`reconciler explain exit-codes` prints them. How they go together with what is printed:")
    yield "[what leaves the program](output.md)."


def environment() -> Iterator[str]:
    """Variables that are read."""
    yield from ("# Environment variables", "", "## Of options", "")
    yield "The option wins over its variable."
    yield ""
    yield from table(("variable", "option", "of"), sorted(read_by_options()))
    for title, known in variables.OTHERS.items():
        yield from ("", f"## {title}", "")
        yield from table(("variable", "meaning"), ((f"`{name}`", text) for name, text in known.items()))


def read_by_options() -> set[tuple[str, str, str]]:
    """Variables with their options, and the commands that have them."""
    found: dict[tuple[str, str], list[str]] = {}
    for option in cli.params:
        if isinstance(option, click.Option) and option.envvar:
            found[f"`{option.envvar}`", spelled(option)] = []
    for name in COMMANDS:
        for option in cli.get_command(click.Context(cli), name).params:  # type: ignore[union-attr]
            if isinstance(option, click.Option) and option.envvar:
                found.setdefault((f"`{option.envvar}`", spelled(option)), []).append(f"`{name}`")
    return {(*names, ", ".join(commands) or "every command") for names, commands in found.items()}


def diagnostics() -> Iterator[str]:
    """What `validate` finds, by code."""
    yield from (
        "# Diagnostics",
        "",
        "What `validate` finds. An error stops a plan, a warning does not; with `--strict`",
    )
    yield "warnings count as errors. `reconciler explain RC203` prints one of them."
    group = ""
    for name, rule in RULES.items():
        if name[:3] != group:
            group = name[:3]
            yield from ("", f"## {GROUPS[group]}")
        yield from ("", f"### {name}", "", f"**{rule.summary}** ({rule.severity.value})", "", prose(rule.explanation))


def outputs() -> Iterator[str]:
    """The published schemas."""
    yield from (
        "# Published schemas",
        "",
        "JSON Schema, draft 2020-12, in the folder `schemas/` and by `reconciler schema NAME`.",
    )
    yield "What `-o json` prints is held to them, and keys are added, not changed."
    yield ""
    names = sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json"))
    yield from table(("schema", "describes"), ((f"`{name}`", prose(load(name)["description"])) for name in names))


def load(name: str) -> dict[str, Any]:
    """A schema by the name that `reconciler schema` knows."""
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return found


def resolve(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """A node with its reference followed; keywords beside a reference win."""
    while "$ref" in node:
        target: Any = schema
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = {**target, **{name: value for name, value in node.items() if name != "$ref"}}
    return node


# The file format


def files() -> Iterator[str]:
    """Every key of every kind, from the schemas."""
    yield from (
        "# File format",
        "",
        "Definitions are YAML 1.2. A file may hold several documents; each has `apiVersion`, `kind`,",
    )
    yield "`metadata` and `spec`. `reconciler explain connector.spec.endpoints` says the same on a terminal."
    yield from ("", "| folder | kinds |", "|---|---|", "| `reconciler.yaml` | [Project](#project) |")
    yield "| `connectors/**/*.yaml` | [Category](#category), [Connector](#connector) |"
    yield "| `policies/**/*.yaml` | [Group](#group), [PermissionPolicy](#permissionpolicy), [AccessTest](#accesstest) |"
    for kind in KINDS:
        schema = load(kind.lower())
        yield from ("", f"## {kind}", "", prose(schema.get("description", "")), "")
        yield from table(("key", "value", "meaning"), keys(schema, schema, ""))


def keys(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[tuple[str, str, str]]:
    """A row for each key below a node, in the order of the schema."""
    for name, value in node.get("properties", {}).items():
        if isinstance(value, dict):
            yield from key(
                schema, resolve(schema, value), f"{path}.{name}".lstrip("."), needed=name in node.get("required", ())
            )


def key(schema: dict[str, Any], node: dict[str, Any], path: str, *, needed: bool) -> Iterator[tuple[str, str, str]]:
    """A row for one key, and those of what is below it."""
    said = [prose(node.get("description", ""))]
    said += ["One of " + ", ".join(f"`{value}`" for value in node["enum"]) + "."] if "enum" in node else []
    said += [f"Default: {code(json.dumps(node['default']))}."] if "default" in node else []
    limits = ["not empty"] if node.get("minLength") == 1 else []
    limits += [
        form.format(node[name])
        for name, form in LIMITS.items()
        if name in node and (name, node[name]) != ("minLength", 1)
    ]
    said += [f"{'; '.join(limits).capitalize()}."] if limits else []
    yield code(path), kind_of(schema, node) + ("; required" if needed else ""), " ".join(filter(None, said))
    if "properties" in node:
        if path not in ("apiVersion", "kind") and not is_reference(node):
            yield from keys(schema, node, path)
    elif isinstance(node.get("items"), dict):
        item = resolve(schema, node["items"])
        yield from () if is_reference(item) else keys(schema, item, f"{path}[]")
    elif isinstance(node.get("additionalProperties"), dict):
        value = resolve(schema, node["additionalProperties"])
        yield from () if is_reference(value) else keys(schema, value, f"{path}.NAME")


def is_reference(node: dict[str, Any]) -> bool:
    """Whether it is a reference to a secret, whose forms stand on a page of their own."""
    return {"env", "file", "vault"} <= node.get("properties", {}).keys()


def kind_of(schema: dict[str, Any], node: dict[str, Any]) -> str:
    """The type in words."""
    if is_reference(node):
        return "[secret reference](../how-to/secrets.md)"
    found = node.get("type", "text" if "enum" in node or "const" in node else "value")
    shown = " or ".join(TYPES.get(name, name) for name in ([found] if isinstance(found, str) else found))
    if "if" in node and "then" in node and found == ["string", "object"]:
        return "text or [secret reference](../how-to/secrets.md)"
    if isinstance(node.get("items"), dict):
        item = resolve(schema, node["items"])
        shown += f" of {kind_of(schema, item)}s" if "items" not in item else " of lists"
    return shown


# Markdown


def table(head: tuple[str, ...], rows: Any) -> Iterator[str]:
    """A table."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def prose(text: str | None) -> str:
    """Text that Markdown is to take for text, but for `code`; also within a cell of a table."""
    parts = re.split(r"(`[^`]+`)", text or "")
    return "".join(part.replace("|", "\\|") if at % 2 else escaped(part) for at, part in enumerate(parts))


def escaped(text: str) -> str:
    """What Markdown and HTML would take for marks."""
    return re.sub(r"([\\*<>|\[\]]|(?<!\w)_|_(?!\w))", r"\\\1", text)


def code(text: str) -> str:
    """Code within a cell of a table."""
    return "`" + text.replace("|", "\\|") + "`"
