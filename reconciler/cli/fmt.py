"""``reconciler fmt``."""

import sys
from collections.abc import Sequence

import click

from reconciler import __version__
from reconciler.cli.help import Command
from reconciler.cli.options import common_options
from reconciler.cli.output import answer, wants_color
from reconciler.cli.said import options
from reconciler.diagnostics import Diagnostic
from reconciler.errors import ExitCode
from reconciler.harmless import harmless
from reconciler.render.adoption import file_diff
from reconciler.render.style import plural
from reconciler.services.files import FileOutcome, format_all
from reconciler.wiring.run import canonical_text, definition_files, locate_root, replace_file


@click.command(
    "fmt",
    cls=Command,
    examples=(
        ("reconciler fmt", "all definitions"),
        ("reconciler fmt --check --diff", "what would change, for a pipeline; exits with 3"),
    ),
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 3 when a file is not in canonical form.")
@click.option("--diff", "show_diff", is_flag=True, help="Show what changes.")
@common_options(store=False)
def command(paths: tuple[str, ...], check: bool, show_diff: bool) -> int:
    """Bring definitions to their canonical form. Comments, anchors and quotes stay as they are.

    Without PATHs all files below connectors/ and policies/, and reconciler.yaml, are formatted.
    """
    root = locate_root(options().directory)
    files = definition_files(root, paths)
    outcomes = list(format_all(files, canonical_text))
    changed = [outcome for outcome in outcomes if outcome.text is not None]
    for outcome in changed:
        if show_diff:
            answer(_diff_of(outcome, dict(files)[outcome.path]))
        elif not options().quiet:
            answer(harmless(f"{'would change' if check else 'changed'} {outcome.path}") + "\n")
        if not check:
            replace_file(root / outcome.path, outcome.text or b"")
    faults = [diagnostic for outcome in outcomes for diagnostic in outcome.diagnostics]
    if faults:
        _show(faults, len(outcomes))
    if not options().quiet and not show_diff:
        answer(f"{plural(len(outcomes), 'file')}, {len(changed):,} {'to change' if check else 'changed'}.\n")
    return ExitCode.INVALID if faults or (check and changed) else ExitCode.OK


def _show(faults: Sequence[Diagnostic], files: int) -> None:
    from reconciler.render import diagnostics as render

    checked = render.Checked(files, 0, (), __version__)
    sys.stderr.write(render.render("text", faults, checked=checked, color=wants_color(options().color, sys.stderr)))


def _diff_of(outcome: FileOutcome, before: bytes | Diagnostic) -> str:
    assert isinstance(before, bytes)
    return file_diff(outcome.path, before, outcome.text)
