"""``reconciler apply``."""

from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from reconciler.cli.execution import FORMATS, ApplyFlags, carry_out, carrying_options
from reconciler.cli.options import REVISION, ExplainedCommand, choose_format, common_options, key_of
from reconciler.cli.output import say
from reconciler.cli.plan import FILE, plan_options
from reconciler.cli.run import open_run, open_saved, planned_with, refuse_demanded
from reconciler.core.model import Key
from reconciler.core.ports.abilities import LeavesUndone
from reconciler.errors import ExitCode, UsageError
from reconciler.services.records import refuse_unknown
from reconciler.wiring.plan import OpenedRun, PlanFlags


@click.command(
    "apply",
    cls=ExplainedCommand,
    examples=(
        ("reconciler apply", "plan, ask, and carry it out"),
        ("reconciler apply connector/crm-contacts", "one connector among many, and what it refers to"),
        ("reconciler apply --yes --ref origin/main --as ada", "from a pipeline"),
        ("reconciler apply plan.json --verify deploy.pub", "just the plan that was saved and signed"),
        ("reconciler apply --yes --on-error continue", "leave out what cannot be done, and what depends on it"),
    ),
)
@click.argument("named", nargs=-1, metavar="[PLANFILE|ADDRESS...]")
@plan_options
@carrying_options
@click.option(
    "--verify",
    "keys",
    type=FILE,
    multiple=True,
    metavar="KEY",
    help="A public key that the saved plan has to be signed with; may be given again.",
)
@click.option(
    "--require-commit-on", "branch", type=REVISION, metavar="REV", help="The plan's commit has to be on this branch."
)
@click.option(
    "--resume", is_flag=True, help="Only what a run that was cut off has left undone, at a store without transactions."
)
@common_options(reads=True)
def apply(
    named: tuple[str, ...], yes: bool, on_error: str, parallelism: int | None, keys: tuple[Path, ...],
    branch: str | None, resume: bool, **flags: Any,
) -> int:  # fmt: skip
    """Take the live store to what git declares, in one transaction. Asks first on a terminal.

    With a PLANFILE, which `plan --out` wrote: carry out just that plan, or nothing when it is stale. With an ADDRESS,
    such as connector/crm-contacts: apply what changes of that, and of what it refers to.

    Formats (-o): text, json.
    """
    chosen = choose_format(FORMATS)
    planfile, only = _named(named)
    asked = PlanFlags(**flags, only=only)
    verb, memory = "apply", None
    if resume and named:
        raise UsageError("--resume says what is applied", hint="leave the plan or the addresses out")
    if planfile is not None:
        _refuse_planning(asked)
        run, plan, verb, memory = open_saved(planfile, asked, keys)
    else:
        if keys:
            raise UsageError("--verify is about a saved plan", hint="name it: reconciler apply PLANFILE --verify KEY")
        run = open_run(asked, judged=True)
        if resume and not (asked := replace(asked, only=_undone(run))).only:
            return ExitCode.OK
        planned = planned_with(run, asked, remember=True)
        plan, memory = planned.plan, planned.memory
        refuse_unknown(run.store, plan, lambda: run.source.load().resources)
    refuse_demanded(run, plan, branch, saved=planfile is not None)
    how = ApplyFlags(chosen, yes, on_error, parallelism, asked.preflight, asked.witness)
    return carry_out(run, plan, how, verb=verb, memory=memory)


def _undone(run: OpenedRun) -> tuple[Key, ...]:
    """What a run that was cut off has left undone; says so where that is nothing.

    Raises:
        UsageError: the store has transactions.
    """
    store = run.store
    if not isinstance(store, LeavesUndone):
        raise UsageError(
            "nothing is ever half done at this store, as it has transactions", hint="run: reconciler apply"
        )
    left = store.undone()
    known = {*store.records(), *run.source.load().resources} if left else set()
    found = tuple(key for key in left if key in known)
    if not found:
        store.confirm()
        say("no run has left anything undone")
    return found


def _named(words: tuple[str, ...]) -> tuple[Path | None, tuple[Key, ...]]:
    """The saved plan that the command line names, or the records.

    Raises:
        UsageError: it names one that is neither, or both.
    """
    files = [word for word in words if _is_file(word)]
    if not files:
        return None, tuple(map(key_of, words))
    if len(words) > 1:
        raise UsageError("apply takes one saved plan, or addresses", hint="write addresses as KIND/NAME")
    return Path(files[0]), ()


def _is_file(word: str) -> bool:
    """Whether a word is no address: such a file is there, or it is the name of one and of no record."""
    path = Path(word)
    return path.exists() or bool(path.suffix) or path.is_absolute()


def _is_on_the_line(option: str) -> bool:
    """Whether an option was given, and is no setting of the environment for every plan."""
    return click.get_current_context().get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE


def _refuse_planning(asked: PlanFlags) -> None:
    """Stop when an option says how to plan, and the plan is made.

    Raises:
        UsageError: one does.
    """
    said = [
        option
        for option, given in (
            ("--ref", asked.ref),
            ("--full", asked.full),
            ("--no-prune", asked.no_prune),
            ("--adopt", asked.adopt),
            ("--secrets", asked.secrets if _is_on_the_line("secrets") else None),
        )
        if given
    ]
    if said:
        raise UsageError(
            f"{said[0]} says how to plan, and this plan is made", hint=f"leave {said[0]} out, or plan anew"
        )
