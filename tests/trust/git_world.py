"""A repository whose author wants git to start a program, and every command that starts git."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from conftest import CATEGORY, CONNECTOR, Workspace

READING = (
    ("validate",), ("validate", "--ref", "HEAD"), ("validate", "--changed-since", "HEAD~1"), ("fmt", "--check"),
    ("plan",), ("plan", "--full"), ("plan", "--ref", "HEAD"), ("drift",), ("adopt", "--dry-run"),
    ("authorize", "--base", "HEAD~1", "--head", "HEAD", "--actor", "ada"),
    ("authorize", "--base", "HEAD", "--head", "WORKTREE", "--actor", "ada"),
    ("access-diff", "--base", "HEAD~1", "--head", "WORKTREE"),
)  # fmt: skip
"""Every command that reads definitions, and so starts git."""
OWNERS = """\
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: owners}
spec: {subjects: [{user: margaret}], superAdmin: true}
"""


def connector(name: str, said: str = "Contacts.") -> str:
    """A valid connector of its own."""
    return CONNECTOR.replace("crm-contacts", name).replace("Sales team's contacts", name).replace("Contacts of the CRM.", said)  # fmt: skip


def fill(workspace: Workspace) -> None:
    """Definitions, applied at a commit with one before it."""
    workspace.write("connectors/crm.yaml", CATEGORY)
    workspace.write("policies/owners.yaml", OWNERS)
    workspace.write("connectors/a.yaml", connector("a"))
    workspace.write(".gitignore", ".reconciler/\n")
    workspace.commit()
    workspace.write("connectors/b.yaml", connector("b"))
    workspace.commit()
    workspace.ok("apply", "--yes", "--as", "margaret")


class Canary:
    """A program that leaves a file behind when somebody starts it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.sung = folder / "sung"
        self.program = folder / "canary"
        self.program.write_text(f"#!/bin/sh\necho x >> '{self.sung}'\nexit 1\n")
        self.program.chmod(0o755)

    def __str__(self) -> str:
        """The way to it."""
        return str(self.program)

    def is_silent(self) -> bool:
        """Whether nobody has started it since it was asked last."""
        silent = not self.sung.exists()
        self.sung.unlink(missing_ok=True)
        return silent

    def place(self, path: Path) -> None:
        """Put it at a path, as a hook or as git itself."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.program.read_bytes())
        path.chmod(0o755)


def singing(
    workspace: Workspace, canary: Canary, *more: Sequence[str], env: Mapping[str, str] | None = None
) -> list[str]:
    """The commands that start the canary; none of them may end in a fault of the program."""
    found = []
    for words in (*READING, *more):
        touch(workspace)
        result = workspace.run(*words, env=env)
        assert result.exit_code != 1, result.output
        if not canary.is_silent():
            found.append(" ".join(words))
    return found


def touch(workspace: Workspace) -> None:
    """Make git look at the files once more."""
    for path in (workspace.root / "connectors").glob("*.yaml"):
        os.utime(path)
