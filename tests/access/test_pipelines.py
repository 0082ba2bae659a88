"""The pipeline files that `init` writes: their gates, run as the platforms run them.

The platforms are not to be had here: `gh` is a program that answers as GitHub's published API does, and the
variables are those that GitHub and GitLab document.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Workspace, clean_environment
from gate_world import gated
from ruamel.yaml import YAML

SCAFFOLD = Path(__file__).parents[2] / "reconciler/scaffold"


def written(name: str) -> Any:
    return YAML(typ="safe").load(SCAFFOLD / name)


@pytest.fixture
def gate(workspace: Workspace) -> Workspace:
    """A change that ada may make, and one that only margaret may."""
    found = gated(workspace)
    found.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    found.edit("connectors/finance.yaml", "Contacts of the CRM.", "All accounts.")
    found.commit("change")
    return found


def review(login: str, state: str, commit: str) -> dict[str, Any]:
    return {"user": {"login": login}, "state": state, "commit_id": commit}


def run_script(script: str, origin: Workspace, tmp_path: Path, variables: dict[str, str], reviews: list[Any]) -> Any:
    """The script of a job in a fresh clone of the branch that the change goes into."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--branch", "main", origin.root, clone], check=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "reviews.json").write_text("".join(json.dumps(page) for page in reviews))
    for name, command in {
        "gh": f'[ "$1 $2 $3" = "api --paginate repos/o/r/pulls/7/reviews" ] && cat "{tmp_path}/reviews.json"',
        "reconciler": f'exec "{sys.executable}" -m reconciler "$@"',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{command}\n")
        (programs / name).chmod(0o755)
    summary = tmp_path / "summary.md"
    env = clean_environment(
        {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(summary), **variables}
    )
    done = subprocess.run(["bash", "-e", "-c", script], cwd=clone, env=env, capture_output=True, text=True, check=False)
    return done, summary.read_text() if summary.exists() else ""


@pytest.mark.parametrize(
    ("author", "pusher", "reviews", "code"),
    [
        ("margaret", "", [], 0),
        ("ada", "", [], 4),
        ("ada", "", [("margaret", "APPROVED", "HEAD")], 0),
        ("ada", "", [("grace", "APPROVED", "HEAD")], 4),
        ("ada", "", [("margaret", "APPROVED", "main")], 4),
        ("ada", "", [("margaret", "APPROVED", "HEAD"), ("margaret", "COMMENTED", "HEAD")], 0),
        ("ada", "", [("margaret", "APPROVED", "HEAD"), ("margaret", "DISMISSED", "HEAD")], 4),
        ("ada", "", [("margaret", "CHANGES_REQUESTED", "HEAD"), ("margaret", "APPROVED", "HEAD")], 0),
        ("margaret", "margaret", [], 0),
        ("margaret", "ada", [], 4),
        ("dependabot[bot]", "", [], 4),
    ],
)
def test_github(gate: Workspace, tmp_path: Path, author: str, pusher: str, reviews: list[Any], code: int) -> None:
    """Author and pusher have to be permitted; an approval counts for the commit that it was given to."""
    workflow = written("gate.yaml")
    assert list(workflow["on"]) == ["pull_request_target"]
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "read"}
    (job,) = workflow["jobs"].values()
    checkout, step = job["steps"][0], job["steps"][-1]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.ref }}"  # never the head
    assert "${{" not in step["run"]  # what others have written reaches the shell as variables only
    head = gate.git("rev-parse", "change")
    variables = {"HEAD": head, "AUTHOR": author, "PUSHER": pusher, "REVIEWS": "repos/o/r/pulls/7/reviews"}
    assert variables.keys() | {"GH_TOKEN"} == step["env"].keys()
    given = [
        review(login, state, gate.git("rev-parse", "main") if on == "main" else head) for login, state, on in reviews
    ]
    pages = [given[:1], given[1:]]
    done, summary = run_script(step["run"], gate, tmp_path, variables, pages)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("::error" in done.stdout) is (code == 4)
    assert "may make this change" in summary or "may not make this change" in summary
    assert "Access" in summary or "access" in summary


@pytest.mark.parametrize(("user", "code"), [("margaret", 0), ("ada", 4)])
def test_gitlab(gate: Workspace, tmp_path: Path, user: str, code: int) -> None:
    """Whoever runs the job is judged."""
    job = written("gitlab-ci.yaml")["authorize"]
    assert job["variables"]["GIT_DEPTH"] == 0
    variables = {
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_COMMIT_SHA": gate.git("rev-parse", "change"),
        "GITLAB_USER_LOGIN": user,
    }
    script = "\n".join(["git fetch -q origin change", *job["script"]])
    done, _ = run_script(script, gate, tmp_path, variables, [])
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("ci", "files"),
    [
        ("github", {".github/workflows/connectors.yaml", ".github/workflows/permissions.yaml"}),
        ("gitlab", {".gitlab-ci.yml"}),
        ("none", set()),
    ],
)
def test_init_writes_them(tmp_path: Path, ci: str, files: set[str]) -> None:
    """Those of the platform that is asked for."""
    command = [sys.executable, "-m", "reconciler", "init", str(tmp_path / "repo"), "--ci", ci]
    subprocess.run(command, check=True, capture_output=True, env=clean_environment({}))
    root = tmp_path / "repo"
    found = {str(path.relative_to(root)) for path in root.rglob("*.y*ml")}
    assert {path for path in found if path.startswith((".github", ".gitlab"))} == files
