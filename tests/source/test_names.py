"""Names of branches and tags: suggested where one is misspelt, and completed by the shell."""

import os
import subprocess
import sys

import pytest
from conftest import Workspace, clean_environment

NAMES = ("release-2027", "feature/crm", "v1.0")


@pytest.fixture
def named(workspace: Workspace) -> Workspace:
    workspace.commit()
    workspace.git("branch", NAMES[0])
    workspace.git("update-ref", "refs/remotes/origin/feature/crm", "HEAD")
    workspace.git("tag", NAMES[2])
    return workspace


def completed(workspace: Workspace, *words: str, cwd: str = ".", env: dict[str, str] | None = None) -> list[str]:
    """What the shell would offer for the last word."""
    given = {"_RECONCILER_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["reconciler", *words]), "COMP_CWORD": str(len(words))}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "reconciler"], cwd=workspace.root / cwd, env=clean_environment({**given, **(env or {})}),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not done.stderr
    return [line.removeprefix("plain,") for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize(
    "words",
    ["plan --ref", "apply --ref", "apply --require-commit-on", "validate --ref", "validate --changed-since", "can --ref",
     "authorize --base", "authorize --head", "access-diff --base", "access-diff --head"],
)  # fmt: skip
def test_every_option_that_takes_a_revision_is_completed(named: Workspace, words: str) -> None:
    assert completed(named, *words.split(), "rel") == ["release-2027"]


def test_branches_of_remotes_and_tags_are_completed_too(named: Workspace) -> None:
    """Loose and packed, from below the top, and of the repository that -C names."""
    everything = ["main", "origin/feature/crm", "release-2027", "v1.0"]
    assert completed(named, "plan", "--ref", "") == everything
    named.git("pack-refs", "--all")
    assert completed(named, "plan", "--ref", "", cwd="connectors") == everything
    assert completed(named, "-C", str(named.root), "plan", "--ref", "o", cwd="/") == ["origin/feature/crm"]
    assert completed(named, "plan", "--ref", "", cwd="/") == []


def test_names_that_a_shell_would_run_are_not_offered(named: Workspace) -> None:
    """Whoever pushes a branch chooses its name."""
    for name in ("$(canary)", "`canary`", "x;canary", "x&canary", "x|canary", "x'y", 'x"y', "x>y"):
        named.git("update-ref", f"refs/heads/{name}", "HEAD")
    assert completed(named, "plan", "--ref", "") == ["main", "origin/feature/crm", "release-2027", "v1.0"]


def test_no_program_of_the_repository_is_started(named: Workspace) -> None:
    """Neither by its settings nor by a git that lies in it."""
    canary = named.write("bin/git", "#!/bin/sh\necho x >> sung\nexit 1\n")
    canary.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "core.askPass"):
        named.git("config", key, str(canary))
    named.git("config", "core.hooksPath", str(canary.parent))
    env = {"PATH": f"{canary.parent}:{os.environ['PATH']}"}
    (named.root / "sung").unlink(missing_ok=True)
    assert "main" in completed(named, "plan", "--ref", "", env=env)
    assert "hint: did you mean 'main'?" in named.run("validate", "--ref", "mian", env=env).stderr
    assert not (named.root / "sung").exists()


@pytest.mark.parametrize("folder", ["nowhere", "bin"])
def test_without_git_there_are_none(named: Workspace, folder: str) -> None:
    """Also where the repository brings the only git that PATH leads to."""
    canary = named.write("bin/git", "#!/bin/sh\necho x >> sung\necho git version 2.40.0\n")
    canary.chmod(0o755)
    assert completed(named, "plan", "--ref", "", env={"PATH": str(named.root / folder)}) == []
    assert not (named.root / "sung").exists()


def test_what_cannot_be_read_is_not_told(named: Workspace) -> None:
    """Damaged references end neither a completion nor an error with a fault of ours."""
    (named.root / ".git/packed-refs").write_bytes(b"\xff\xfe no references\n")
    (named.root / ".git/refs/heads/odd").write_bytes(b"ref: refs/heads/odd\n")
    assert "Traceback" not in str(completed(named, "plan", "--ref", ""))
    assert named.run("validate", "--ref", "nowhere").exit_code in (10, 64)


def test_a_folder_whose_name_has_a_dollar_is_read_as_it_is(named: Workspace) -> None:
    """GitPython would put a variable of the environment in its place."""
    moved = named.root.rename(named.root.parent / "$HOME")
    assert completed(Workspace(moved), "plan", "--ref", "rel") == ["release-2027"]
