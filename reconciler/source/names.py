"""The names of a repository's branches and tags, which GitPython reads from its files; no program is started for them."""

import os
from pathlib import Path

from reconciler.source.git import top_of
from reconciler.source.launching import program


def names(root: Path) -> list[str]:
    """Names of the branches, of this clone and of remotes, and of the tags; none where they cannot be read."""
    top = top_of(root)
    if top is None:
        return []
    os.environ["GIT_PYTHON_GIT_EXECUTABLE"] = program(str(top))  # GitPython asks it for its version
    from git import Repo

    try:
        with Repo(top, expand_vars=False) as repository:
            return [reference.name for reference in repository.references]
    except (OSError, TypeError, ValueError):  # references that it cannot read
        return []
