"""``reconciler drift``, and ``reconciler adopt``, which takes it into git."""

import os
import sys
from typing import TYPE_CHECKING

import click

from reconciler.cli.completion import ADDRESS
from reconciler.cli.options import ExplainedCommand, choose_format, common_options, key_of
from reconciler.cli.output import answer, answer_in_utf8, options, say, say_error, wants_color
from reconciler.cli.plan import witness_option
from reconciler.cli.run import load_desired, open_run, settings_of_run, warn_lost
from reconciler.core.drift import DriftReport
from reconciler.diagnostics import FaultyDefinitions
from reconciler.errors import ExitCode, InvalidDefinitions
from reconciler.render.style import plural
from reconciler.services.drift import DriftQuery, find_drift
from reconciler.version import __version__
from reconciler.wiring.run import now, open_source, open_store

if TYPE_CHECKING:
    from reconciler.core.drift import DriftOfAll
    from reconciler.render.adoption import Spans
    from reconciler.wiring.adoption import PreparedAdoption


FORMATS = ("text", "json", "markdown")


@click.command(
    "drift",
    cls=ExplainedCommand,
    examples=(
        ("reconciler drift", "what moved since the last apply"),
        ("reconciler drift connector/crm-contacts -o json", "one record, for a program"),
        ("reconciler drift --all --detailed-exitcode", "for a nightly job: exits with 2 where something moved"),
    ),
)
@click.argument("addresses", nargs=-1, type=ADDRESS, metavar="[ADDRESS]...")
@click.option("--all", "everybody", is_flag=True, help="The records of all owners, and of none.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when something was changed.")
@witness_option()
@common_options()
def drift(addresses: tuple[str, ...], everybody: bool, detailed_exitcode: bool, witness: str | None) -> int:
    """Show drift: live records that are not as this repository last applied them, since when, and by whom if known.

    It looks at the store alone: no git, no definitions, no secrets. What moved and moved back, and what is left to
    the live side, is no drift. An ADDRESS is such as connector/crm-contacts.

    Formats (-o): text, json, markdown.
    """
    chosen = choose_format(FORMATS)
    keys = tuple(map(key_of, addresses))
    settings = settings_of_run()
    warn_lost(settings)
    store = open_store(settings, os.environ)
    from reconciler.wiring.witnesses import refuse_gone_back

    try:
        refuse_gone_back(settings, store, witness)
        report = find_drift(store, DriftQuery(settings.target, settings.owner, keys, everybody, now()))
    finally:
        store.close()
    _show(report, chosen)
    return ExitCode.CHANGES_PENDING if report.drifted and detailed_exitcode else ExitCode.OK


def _show(report: DriftReport, chosen: str) -> None:
    if chosen == "json":
        from reconciler.render.drift import drift_json

        answer(drift_json(report))
    elif chosen == "markdown":
        from reconciler.render.drift import drift_markdown

        answer(drift_markdown(report))
    elif report.drifted or not options().quiet:
        from reconciler.render.drift import drift_text

        answer(drift_text(report, now(), color=wants_color(options().color, sys.stdout)))


@click.command(
    "adopt",
    cls=ExplainedCommand,
    examples=(
        ("reconciler adopt --dry-run", "what drift would become in the definitions"),
        (
            "reconciler adopt connector/crm-contacts --branch adopt-crm",
            "one record, as a commit on a branch of its own",
        ),
    ),
)
@click.argument("addresses", nargs=-1, type=ADDRESS, metavar="[ADDRESS]...")
@click.option(
    "--branch", default="", metavar="NAME", help="Commit to a new branch from HEAD; index and files stay as they are."
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--theirs", is_flag=True, help="Take the live value of fields that git has changed too.")
@common_options(reads=True)
def adopt(addresses: tuple[str, ...], branch: str, dry_run: bool, theirs: bool) -> int:
    """Write drift back into the definitions, and nothing else.

    Without ADDRESS everything of this repository that drifted is written; a live record that git does not define
    has to be named. Comments, quotes, anchors and the order of keys stay. Formats (-o): text, json.
    """
    from reconciler.wiring.adoption import commit, drift_of, places_of, prepare, start_of_branch, write

    chosen = choose_format(("text", "json"))
    run = open_run(reading=True)
    root, said = run.settings.root, options()
    parent = start_of_branch(root, branch) if branch else ""
    desired = load_desired(open_source(root, parent, cached=not said.no_cache))
    keys = frozenset(map(key_of, addresses))
    prepared = prepare(root, parent, desired, drift_of(run.settings, desired, run.store, keys, theirs=theirs))
    drifted = prepared.drifted
    spans = places_of(root, parent, drifted.conflicts)
    if prepared.faults:
        _refuse_faults(prepared)
    written, made = bool(prepared.after) and not dry_run, ""
    if written and branch:
        from reconciler.render.adoption import commit_message

        made = commit(root, parent, branch, prepared, commit_message(drifted, prepared.files, run.settings.target))
    elif written:
        write(root, prepared)
    if chosen == "json":
        from reconciler.render.adoption import adopted_json

        answer(
            adopted_json(drifted, prepared.files, spans, written=written, branch=branch if made else "", commit=made)
        )
    else:
        if not said.quiet:
            answer_in_utf8()  # a difference may be taken for a patch
            _show_diffs(prepared)
            _show_summary(prepared, "would be " if dry_run else "", f" on the new branch {branch}" if branch else "")
        _show_conflicts(drifted, spans)
    _say_rest(drifted, run.settings.owner, written=written)
    return ExitCode.CONFLICT if drifted.conflicts or drifted.refusals else ExitCode.OK


def _refuse_faults(prepared: "PreparedAdoption") -> None:
    """Stop, as the definitions would not be valid together.

    Raises:
        InvalidDefinitions: always.
    """
    from reconciler.render import diagnostics as render

    checked = render.Checked(len(prepared.after), len(prepared.drifted.adoptions), tuple(prepared.after), __version__)
    color = wants_color(options().color, sys.stderr)
    sys.stderr.write(render.render("text", prepared.faults, checked=checked, color=color))
    hint = "adopt with it what belongs to it, name what is to be adopted, or take it back with an apply"
    message = "with what is live the definitions would not be valid; nothing was written"
    raise InvalidDefinitions(message, hint=hint) from FaultyDefinitions(prepared.faults)


def _show_diffs(prepared: "PreparedAdoption") -> None:
    from reconciler.render.adoption import file_diff

    for path, data in sorted(prepared.after.items()):
        answer(file_diff(path, prepared.before[path], data))


_AFTERWARDS = (
    "once this is reviewed and merged, an apply notes that git declares it; it writes nothing to these records"
)


def _show_summary(prepared: "PreparedAdoption", word: str, where: str) -> None:
    from reconciler.render.adoption import adoption_line

    adoptions = prepared.drifted.adoptions
    for found in adoptions:
        answer(adoption_line(found, prepared.files[found.key]) + "\n")
    if not adoptions:
        answer("Nothing to adopt.\n")
        return
    answer(f"{plural(len(adoptions), 'record')} {word}adopted in {plural(len(prepared.after), 'file')}{where}.\n")


def _show_conflicts(drifted: "DriftOfAll", spans: "Spans") -> None:
    from reconciler.render.adoption import conflict_lines

    for conflict in drifted.conflicts:
        answer("".join(f"{line}\n" for line in conflict_lines(conflict, spans)))


def _say_rest(drifted: "DriftOfAll", owner: str, *, written: bool) -> None:
    """What is left to do, and what could not be done."""
    from reconciler.core.drift import Deed
    from reconciler.kinds.registry import address
    from reconciler.render.adoption import refusal_lines

    if not options().quiet:
        if written and any(found.deed is not Deed.CREATE for found in drifted.adoptions):
            say(_AFTERWARDS)
        if drifted.pending:
            names = ", ".join(address(*key) for key in drifted.pending[:5])
            more = f" and {len(drifted.pending) - 5} more" if len(drifted.pending) > 5 else ""
            say(f"git has other changes of {names}{more}, which an apply carries out")
        if drifted.unmanaged:
            say(f"{plural(drifted.unmanaged, 'live record')} of nobody left alone; name them to adopt them")
        if any(
            found.definition and found.definition.owner != owner
            for found in drifted.adoptions
            if found.deed is Deed.CREATE
        ):
            say("to own what was added: reconciler apply --adopt")
    if drifted.conflicts:
        hint = "edit the files, or take the live values with --theirs"
        say_error(f"git and the live side both changed {plural(len(drifted.conflicts), 'record')}", hint=hint)
    if drifted.refusals:
        lines = [line for refusal in drifted.refusals for line in refusal_lines(refusal)]
        say_error(f"{plural(len(drifted.refusals), 'record')} cannot be adopted", lines)
