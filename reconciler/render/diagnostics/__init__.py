"""Diagnostics in the formats that people and other tools read."""

from collections.abc import Sequence
from importlib import import_module

from msgspec import Struct

from reconciler.diagnostics import Diagnostic

FORMATS = ("text", "json", "sarif", "junit", "github", "gitlab")


class Checked(Struct, frozen=True):
    """What was checked.

    Attributes:
        files, documents: how many.
        paths: of the files.
        version: of this tool.
        since: what was looked at is what differs from this revision, and what that concerns; "" for everything.
    """

    files: int
    documents: int
    paths: tuple[str, ...] = ()
    version: str = ""
    since: str = ""


def render(format_name: str, diagnostics: Sequence[Diagnostic], *, checked: Checked, color: bool = False) -> str:
    """The diagnostics, which are sorted, in one of `FORMATS`; `color` is for text."""
    module = import_module(f"reconciler.render.diagnostics.{format_name}")
    text: str = module.render(diagnostics, checked, color=color)
    return text
