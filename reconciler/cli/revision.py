"""The type of options that name a commit, a branch or a tag; shells complete it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.said import options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_SAFE = re.compile(r"[A-Za-z0-9._/@+-]+")
"""Names that no shell takes for more than a word: whoever pushes a branch chooses its name."""


class Revision(click.types.StringParamType):
    """A text that git resolves."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """The branches and tags that begin so."""
        from click.shell_completion import CompletionItem

        from reconciler.source.git import names

        found = names(Path(options().directory or ".").resolve())
        return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete) and _SAFE.fullmatch(name)]


REVISION = Revision()
