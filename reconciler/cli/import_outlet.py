"""Options that all imports share, and how what was imported is written and told."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from reconciler.cli.options import choose_format, common_options
from reconciler.cli.output import answer, answer_in_utf8, options, say
from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.errors import ExitCode
from reconciler.render.style import json_text, plural
from reconciler.wiring.imports import PreparedImport, as_written, write_new
from reconciler.wiring.roots import locate_root

_SHOWN_NOTES = 20
_BY_WEIGHT = ("risk", "lost", "chosen", "changed")


class Outlet(Struct, frozen=True):
    """Where the outcome of an import goes.

    Attributes:
        root: the repository, or None where `out` needs none.
        all_notes: whether every note is listed, however many there are.
        format: of what is printed, text or json.
    """

    root: Path | None
    out: str | None
    force: bool
    all_notes: bool
    format: str


def import_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that all imports share; `command` gets name, categories and an outlet of them."""

    @wraps(command)
    def wrapper(*, out: str | None, force: bool, all_notes: bool, **own: Any) -> int:
        chosen = choose_format(("text", "json"))
        root = locate_root(options().directory) if out is None or options().directory else None
        return command(outlet=Outlet(root, out, force, all_notes, chosen), **own)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return common_options(store=False)(wrapper)


_OPTIONS = (
    click.option("--name", metavar="NAME", help="Name of the connector; default: from the title."),
    click.option(
        "--category",
        "categories",
        multiple=True,
        metavar="NAME",
        help="Category to file it under; default: what the document says, or imported.",
    ),
    click.option(
        "--out", metavar="PATH", help="Where to write; a file, a directory, or - for stdout. Default: connectors/."
    ),
    click.option("--force", is_flag=True, help="Replace files that exist."),
    click.option("--all-notes", is_flag=True, help="List every note, however many there are."),
)


def deliver(prepared: PreparedImport, outlet: Outlet) -> int:
    """Write what was imported, and tell what there is to know about it; returns the exit code."""
    written = _write(prepared, outlet)
    if outlet.format == "json":
        answer(_json(prepared, written))
        return ExitCode.INVALID if has_errors(prepared.diagnostics) else ExitCode.OK
    _say_notes(prepared, show_all=outlet.all_notes)
    for path in written:
        say(f"wrote {path}")
    if not options().quiet:
        say(f"{plural(prepared.endpoints, 'endpoint')} from {prepared.format}, {plural(len(prepared.notes), 'note')}.")
        if prepared.variables:
            say(f"Secrets are read from: {', '.join(prepared.variables)}")
    _say_diagnostics(as_written(prepared, written))
    return ExitCode.INVALID if has_errors(prepared.diagnostics) else ExitCode.OK


def _say_diagnostics(found: Sequence[Diagnostic]) -> None:
    """What `validate` will find: the first of each rule, and how many there are."""
    if found:
        say("As it stands, validate will find:")
    counts = Counter(item.code for item in found)
    for code, count in counts.items():
        first = next(item for item in found if item.code == code)
        more = f" (and {count - 1:,} more)" if count > 1 else ""
        say(f"  {first.span}: {first.severity}[{code}]: {first.message}{more}")
        if first.hint:
            say(f"    hint: {first.hint}")


def _write(prepared: PreparedImport, outlet: Outlet) -> list[str]:
    if outlet.out == "-":
        answer_in_utf8()
        answer("---\n".join(prepared.files.values()))
        return []
    return write_new(prepared.files, outlet.root, outlet.out, force=outlet.force)


def _say_notes(prepared: PreparedImport, *, show_all: bool) -> None:
    shown = prepared.notes
    if not show_all and len(shown) > _SHOWN_NOTES:  # what is a risk, or lost, is not to be among those that are cut off
        shown = sorted(shown, key=lambda note: _BY_WEIGHT.index(note.effect))[:_SHOWN_NOTES]
    for note in shown:
        say(f"{note.effect}: {note.where or '/'}: {note.message}")
    if len(shown) == len(prepared.notes):
        return
    say(f"... and {len(prepared.notes) - len(shown):,} more; --all-notes lists them. In all:")
    for summary, count in prepared.summary.items():
        say(f"  {count:,} x {summary}")


def _json(prepared: PreparedImport, written: list[str]) -> str:
    notes = [
        {
            "code": note.code,
            "effect": str(note.effect),
            "where": note.where,
            "message": note.message,
            "places": list(note.places),
        }
        for note in prepared.notes
    ]
    content = {
        "version": 1,
        "written": written,
        "endpoints": prepared.endpoints,
        "variables": list(prepared.variables),
        "notes": notes,
        "diagnostics": [
            {"code": item.code, "severity": item.severity.value, "where": str(item.span), "message": item.message}
            for item in as_written(prepared, written)
        ],
    }
    return json_text(content)
