"""Files of definitions: ``reconciler init`` and ``fmt``."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.options import ExplainedCommand, common_options
from reconciler.cli.output import answer, answer_in_utf8, options, say, wants_color
from reconciler.diagnostics import Diagnostic
from reconciler.errors import ExitCode
from reconciler.harmless import harmless
from reconciler.render.adoption import file_diff
from reconciler.render.style import plural
from reconciler.services.files import PIPELINES, FileOutcome, format_all, make_repository
from reconciler.source import git
from reconciler.version import __version__
from reconciler.wiring.roots import locate_root
from reconciler.wiring.run import canonical_text, definition_files, replace_file


@click.command(
    "init",
    cls=ExplainedCommand,
    examples=(("reconciler init connectors-repo", "a repository in a new directory, with a pipeline for GitHub"),),
)
@click.argument("where", default=".", metavar="[DIR]")
@click.option(
    "--ci",
    type=click.Choice(PIPELINES),
    default="github",
    show_default=True,
    help="Whose pipeline files to write: validation, and the gate that judges who may change what.",
)
@common_options(store=False, formats=False)
def init(where: str, ci: str) -> int:
    """Make a new configuration repository that validates and applies at once.

    It comes with settings for editors, for pre-commit and for a pipeline.
    """
    root = Path(options().directory or ".") / where
    top = git.top_of(root.resolve())
    made = make_repository(root.resolve(), ci, top or root.resolve())
    alone = top is None
    if alone:
        git.create(root)
    if not options().quiet:
        for path in made.written:
            answer(f"wrote {harmless(path)}\n")
        for path in made.kept:
            answer(f"kept {harmless(path)}\n")
        answer("made a git repository\n" if alone else "")
        if any(path.endswith(".gitlab-ci.yml") and path.startswith("..") for path in made.kept):
            say(_ONE_PIPELINE)
        step = "" if where == "." else f"cd {harmless(where)} && "
        answer(f"Next: {step}reconciler validate && reconciler plan && reconciler apply\n")
    return 0


_ONE_PIPELINE = (
    "GitLab reads the one .gitlab-ci.yml at the repository's top, which was left alone: take the jobs over from what "
    "`reconciler init --ci gitlab DIR` writes elsewhere, each with a `cd` to this directory"
)


@click.command(
    "fmt",
    cls=ExplainedCommand,
    examples=(
        ("reconciler fmt", "all definitions"),
        ("reconciler fmt --diff", "what would change; writes nothing"),
        ("reconciler fmt --check --diff", "the same for a pipeline; exits with 3"),
    ),
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Change nothing; exit with 3 when a file is not in canonical form.")
@click.option("--diff", "show_diff", is_flag=True, help="Show what would change, and write nothing.")
@common_options(store=False, formats=False)
def fmt(paths: tuple[str, ...], check: bool, show_diff: bool) -> int:
    """Bring definitions to their canonical form. Comments, anchors and quotes stay as they are.

    Without PATHs all files below connectors/ and policies/, and reconciler.yaml, are formatted.
    """
    root = locate_root(options().directory)
    files = definition_files(root, paths)
    outcomes = list(format_all(files, canonical_text))
    changed = [outcome for outcome in outcomes if outcome.text is not None]
    for outcome in changed:
        if show_diff:
            answer_in_utf8()
            answer(_diff_of(outcome, dict(files)[outcome.path]))
        elif not options().quiet:
            answer(harmless(f"{'would change' if check else 'changed'} {outcome.path}") + "\n")
        if not (check or show_diff):
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
