"""Options and arguments that several commands share, and how help shows them."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.output import answer_in_utf8, note, options
from reconciler.core.model import Key
from reconciler.errors import UsageError
from reconciler.kinds.registry import KINDS, WORDS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


Examples = Sequence[tuple[str, str]]
"""Command lines, each with what it is for."""


class CommonOption(click.Option):
    """An option that commands share."""


class ExplainedCommand(click.Command):
    """A command with examples.

    Attributes:
        examples: shown below what it does.
        below: commands that its first argument chooses, as one of a group does.
    """

    def __init__(
        self, *arguments: Any, examples: Examples = (), below: Sequence[click.Command] = (), **settings: Any
    ) -> None:
        """As click's, with examples and commands below it."""
        super().__init__(*arguments, **settings)
        self.examples = examples
        self.below = {str(command.name): command for command in below}

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command, or of the one below it that is meant."""
        if args and args[0] in self.below:
            return self.below[args[0]].make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, the command's own options, then those that commands share."""
        if self.examples:
            with formatter.section("Examples"):
                indent = " " * formatter.current_indent
                for line, purpose in self.examples:
                    formatter.write(f"{indent}# {purpose}\n{indent}{line}\n")
        if self.below:
            with formatter.section("Commands"):
                formatter.write_dl([(name, found.get_short_help_str(200)) for name, found in self.below.items()])
        write_options(self.get_params(ctx), ctx, formatter)


class SectionedGroup(click.Group):
    """A group of such commands."""

    command_class = ExplainedCommand


def write_options(parameters: Iterable[click.Parameter], ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write options, each sort in a section."""
    own: list[tuple[str, str]] = []
    common: list[tuple[str, str]] = []
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record is not None:
            (common if isinstance(parameter, CommonOption) or "--help" in parameter.opts else own).append(record)
    for title, records in (("Options", own), ("Common options", common)):
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


Command = TypeVar("Command", bound=Callable[..., Any])


def _keep(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is None or value is False or not parameter.name:
        return
    note(parameter.name, value)
    typed = ctx.get_parameter_source(parameter.name) is click.core.ParameterSource.COMMANDLINE
    if parameter.name == "env_file" and typed and not ctx.resilient_parsing:
        from reconciler.settings import refuse_env_file

        refuse_env_file(Path(value))  # also where no secret is needed, or no store


_SPECIFICATIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "directory": (("-C", "--directory", "directory"), {"metavar": "DIR", "help": "The configuration repository; else the nearest one above."}),
    "target": (("--target",), {"metavar": "NAME", "help": "Target of reconciler.yaml."}),
    "store": (("--store",), {"metavar": "URL", "help": "Live store, instead of the target's, e.g. sqlite:PATH."}),
    "env_file": (("--env-file",), {"metavar": "FILE", "help": "NAME=value lines for {env: NAME} secrets that the environment lacks."}),
    "secrets_allowed": (("--secrets-allowed",), {"metavar": "LIST", "help": "What secret references may lead to, such as 'env:CRM_* file:/run/secrets/*'; narrows reconciler.yaml's secretsAllowed."}),
    "actor": (("--as", "actor"), {"metavar": "ACTOR", "help": "Who acts; else the pipeline's actor."}),
    "output": (("-o", "--output"), {"metavar": "FORMAT", "help": "Output format."}),
    "color": (("--color",), {"type": click.Choice(["auto", "always", "never"]), "help": "Colour; auto colours terminals and minds NO_COLOR."}),
    "quiet": (("-q", "--quiet"), {"is_flag": True, "help": "Say only what is wrong."}),
    "verbose": (("-v", "--verbose"), {"is_flag": True, "help": "Say what is done, on stderr."}),
    "no_input": (("--no-input",), {"is_flag": True, "help": "Never ask."}),
    "no_cache": (("--no-cache",), {"is_flag": True, "help": "Read all files anew, and keep nothing of it."}),
}  # fmt: skip
_STORE_ONLY = ("target", "store", "env_file", "secrets_allowed", "actor", "no_input")
_READERS_ONLY = ("no_cache",)
_FOR_PEOPLE = ("text", "table")
"""Output formats that are in the encoding of the terminal."""
_VARIABLES = {"actor": "RECONCILER_AS", "directory": "RECONCILER_DIRECTORY"}


def common_options(
    *, environment: bool = False, store: bool = True, reads: bool = False, formats: bool = True
) -> Callable[[Command], Command]:
    """Add the common options to a command.

    Args:
        environment: whether they read RECONCILER_<NAME> too; true for the group alone, so that an option
            before the command wins over the environment.
        store: whether the command has to do with a store.
        reads: whether the command reads all definitions.
        formats: whether its answer can be had in several formats.
    """

    def decorate(function: Command) -> Command:
        for name, (declarations, settings) in reversed(_SPECIFICATIONS.items()):
            if (not store and name in _STORE_ONLY) or (not (reads or environment) and name in _READERS_ONLY):
                continue
            if name == "output" and not formats:
                continue
            variable = _VARIABLES.get(name, f"RECONCILER_{name.upper()}") if environment else None
            function = click.option(
                *declarations,
                cls=CommonOption,
                **settings,
                expose_value=False,
                callback=_keep,
                envvar=variable,
                default=None,
            )(function)
        return function

    return decorate


def choose_format(known: tuple[str, ...], default: str = "text") -> str:
    """The output format, which must be one of `known`.

    Raises:
        click.BadParameter: it is not.
    """
    wanted = options().output or default
    if wanted not in known:
        raise click.BadParameter(f"'{wanted}' is not one of {', '.join(known)}", param_hint="'-o' / '--output'")
    if wanted not in _FOR_PEOPLE:
        answer_in_utf8()
    if wanted == "json":
        note("json", True)
    return wanted


def key_of(address: str) -> Key:
    """Kind and name of an address, such as connector/crm-contacts.

    Raises:
        UsageError: it is none.
    """
    word, slash, name = address.partition("/")
    if not slash or not name:
        from reconciler.cli.addresses import suggestion

        form = "write KIND/NAME, such as connector/crm-contacts; list what there is with: reconciler get"
        raise UsageError(f"'{address}' is not an address", hint=suggestion(address, form))
    return Key(kind_named(word) or "", name)


def time_of(option: str, text: str) -> str:
    """A time as the store writes it.

    Raises:
        UsageError: it is none, or its zone is missing.
    """
    hint = "write 2027-03-01 or 2027-03-01T12:00:00Z"
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None and len(text) == len("2027-03-01"):
            found = found.replace(tzinfo=UTC)
        if found.tzinfo is None:
            raise UsageError(f"{option} {text} is without a time zone", hint=hint)
        moment = found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text} is no time", hint=hint) from None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST = 3650 * 86_400


def parse_duration(option: str, text: str) -> int:
    """A length of time in seconds.

    Raises:
        UsageError: it is none, or is longer than ten years.
    """
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < seconds <= _MOST:
        raise UsageError(f"{option} {text} is no length of time", hint="write a number with s, m, h or d, such as 12h")
    return seconds


def kind_named(word: str | None) -> str | None:
    """The kind that `word` stands for: its name, its word, or the plural of either."""
    if word is None:
        return None
    from difflib import get_close_matches

    wanted = word.lower()
    plurals = {"policies": "policy", "categories": "category", "permissionpolicies": "permissionpolicy"}
    for candidate in (wanted, plurals.get(wanted, wanted.removesuffix("s"))):
        if candidate in WORDS:
            return WORDS[candidate]
        for kind in KINDS:
            if kind.lower() == candidate:
                return kind
    from reconciler.cli.addresses import suggestion

    near = get_close_matches(wanted, [*WORDS, "policies", "categories"], n=1)
    known = f"kinds are {', '.join(WORDS)}; look for a text with --search TEXT"
    raise UsageError(f"there is no kind '{word}'", hint=f"did you mean {near[0]}?" if near else suggestion(word, known))


def labels_of(given: tuple[str, ...]) -> dict[str, str]:
    """Labels as they stand on the command line.

    Raises:
        UsageError: one is no KEY=VALUE.
    """
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"'{text}' is not a label", hint="write --label key=value")
        found[key] = value
    return found


_SAFE = re.compile(r"[A-Za-z0-9._/@+-]+")
"""Names that no shell takes for more than a word: whoever pushes a branch chooses its name."""


class RevisionType(click.types.StringParamType):
    """A text that git resolves."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """The branches and tags that begin so."""
        from click.shell_completion import CompletionItem

        from reconciler.source.git import names

        found = names(Path(options().directory or ".").resolve())
        return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete) and _SAFE.fullmatch(name)]


REVISION = RevisionType()


def stacked(*options: Callable[..., Any]) -> Callable[[Command], Command]:
    """Several options as one decorator, in the order in which help shows them."""

    def decorate(function: Command) -> Command:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
