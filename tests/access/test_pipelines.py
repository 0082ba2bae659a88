"""The pipeline files that `init` writes: their gates, run as the platforms run them.

The platforms are not to be had here: `gh` is a program that answers as GitHub's published API does, and the
variables are those that GitHub and GitLab document.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from conftest import Workspace, clean_environment
from programs import needs
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


SHARED = """\
apiVersion: reconciler/v1
kind: Project
owner: acme/connectors
targets:
  production: {store: "sqlite:STORE"}
"""


def review(login: str, state: str, commit: str) -> dict[str, Any]:
    return {"user": {"login": login}, "state": state, "commit_id": commit}


def run_script(script: str, origin: Workspace, tmp_path: Path, variables: dict[str, str], reviews: list[Any]) -> Any:
    """The script of a job in a fresh clone of the branch that the change goes into."""
    needs("bash", *(["jq"] if "jq " in script else []))
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--branch", "main", origin.root, clone], check=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    (tmp_path / "reviews.json").write_text("".join(json.dumps(page) for page in reviews))
    for name, command in {
        "gh": f'''case "$*" in
            "api --paginate repos/o/r/pulls/7/reviews") cat "{tmp_path}/reviews.json" ;;
            "api repos/o/r/commits/$COMMIT/pulls") cat "{tmp_path}/pulls.json" ;;
            *) exit 1 ;;
            esac''',
        "reconciler": f'exec "{sys.executable}" -m reconciler "$@"',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{command}\n")
        (programs / name).chmod(0o755)
    summary = tmp_path / "summary.md"
    env = clean_environment(
        {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(summary), **variables}
    )
    if "DATABASE" in variables:  # where the state before the merge is live
        store = f"{tmp_path}/store.db"
        (clone / "reconciler.yaml").write_text(SHARED.replace("STORE", store))
        command = [sys.executable, "-m", "reconciler", "apply", "--yes", "-q", "--as", "margaret"]
        subprocess.run(command, cwd=clone, env=env, check=True, capture_output=True)
        subprocess.run(["git", "merge", "-q", "origin/change"], cwd=clone, env=env, check=True)
    done = subprocess.run(["bash", "-e", "-c", script], cwd=clone, env=env, capture_output=True, text=True, check=False)
    return done, summary.read_text() if summary.exists() else ""


@pytest.mark.parametrize(
    ("author", "sender", "reviews", "code"),
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
def test_github(gate: Workspace, tmp_path: Path, author: str, sender: str, reviews: list[Any], code: int) -> None:
    """Author and sender have to be permitted; an approval counts for the commit that it was given to."""
    workflow = written("gate.yaml")
    assert list(workflow["on"]) == ["pull_request_target"]
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "read"}
    (job,) = workflow["jobs"].values()
    checkout, step = job["steps"][0], job["steps"][-1]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.ref }}"  # never the head
    assert "${{" not in step["run"]  # what others have written reaches the shell as variables only
    assert step["env"]["SENDER"] == "${{ github.event.sender.login }}"  # whatever happened
    head = gate.git("rev-parse", "change")
    variables = {"HEAD": head, "AUTHOR": author, "SENDER": sender or author, "REVIEWS": "repos/o/r/pulls/7/reviews"}
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


@pytest.mark.parametrize(
    ("author", "reviews", "code"),
    [
        ("ada", [("margaret", "APPROVED", "HEAD")], 0),
        ("margaret", [], 0),
        ("ada", [], 4),
        ("ada", [("grace", "APPROVED", "HEAD")], 4),
        ("ada", [("ada", "APPROVED", "HEAD")], 4),
        ("ada", [("margaret", "APPROVED", "main")], 4),
        ("ada", [("margaret", "APPROVED", "HEAD"), ("margaret", "DISMISSED", "HEAD")], 4),
        ("", [], 4),
    ],
)
def test_github_applies_what_was_approved(
    gate: Workspace, tmp_path: Path, author: str, reviews: list[Any], code: int
) -> None:
    """For its author, with who approved its last commit; what came without a pull request, for who pushed it."""
    job = written("workflow.yaml")["jobs"]["apply"]
    assert job["permissions"] == {"contents": "read", "pull-requests": "read"} and "push" in job["if"]
    step = job["steps"][-1]
    assert "${{" not in step["run"]
    head, merged = gate.git("rev-parse", "change"), gate.git("rev-parse", "change")
    pull = {"number": 7, "merged_at": "2027-01-01T00:00:00Z", "merge_commit_sha": merged, "head": {"sha": head}, "base": {"ref": "main"}, "user": {"login": author}}  # fmt: skip
    elsewhere = {**pull, "number": 9, "base": {"ref": "sandbox"}, "user": {"login": "margaret"}}
    others = {**pull, "number": 8, "merge_commit_sha": gate.git("rev-parse", "main"), "user": {"login": "margaret"}}
    (tmp_path / "pulls.json").write_text(json.dumps([others, elsewhere, *([pull] if author else [])]))
    variables = {
        "REPOSITORY": "repos/o/r",
        "COMMIT": merged,
        "PUSHER": "ada",
        "TARGET": "production",
        "DATABASE": "",
        "GITHUB_REF_NAME": "main",
        **KEYS,
    }
    assert (
        variables.keys() - {"DATABASE", "GITHUB_REF_NAME", *KEYS} | {"GH_TOKEN", "RECONCILER_STORE_KEY"}
        == step["env"].keys()
    )
    given = [
        review(login, state, gate.git("rev-parse", "main") if on == "main" else head) for login, state, on in reviews
    ]
    done, _ = run_script(step["run"], gate, tmp_path, variables, [given[:1], given[1:]])
    assert done.returncode == code, done.stdout + done.stderr


KEYS = {"CRM_PASSWORD": "a-password", "RECONCILER_STORE_KEY": "k" * 64}


class Api(BaseHTTPRequestHandler):
    """Answers as GitLab does: https://docs.gitlab.com/api/merge_request_approvals."""

    answers: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        known = self.answers.get(self.path) if self.headers["PRIVATE-TOKEN"] == "a-token" else None
        self.send_response(404 if known is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(known).encode())

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api/v4"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("approver", ["margaret", "grace", ""])
@pytest.mark.parametrize("name", ["authorize", "apply"])
def test_gitlab_approvals(gate: Workspace, tmp_path: Path, api: str, name: str, approver: str) -> None:
    """The gate and the apply take who approved the merge request; what is applied is its author's.

    A request of the same commit that is open, or went into another branch, says nothing of it, whoever made it.
    """
    commit = gate.git("rev-parse", "change")
    others = [
        {"iid": 8, "sha": commit, "merge_commit_sha": None, "squash_commit_sha": None, "author": {"username": "margaret"}, **which}
        for which in ({"state": "opened", "target_branch": "main"}, {"state": "merged", "target_branch": "sandbox"})
    ]  # fmt: skip
    Api.answers = {
        f"/api/v4/projects/3/repository/commits/{commit}/merge_requests": [
            {
                "iid": 7,
                "sha": commit,
                "merge_commit_sha": None,
                "squash_commit_sha": None,
                "state": "merged",
                "target_branch": "main",
                "author": {"username": "ada"},
            },
            *others,
        ],
        "/api/v4/projects/3/merge_requests/7/approvals": {
            "approved_by": [{"user": {"username": name}} for name in [approver] if name]
        },
        "/api/v4/projects/3/merge_requests/8/approvals": {"approved_by": [{"user": {"username": "margaret"}}]},
    }
    variables = {
        "CI_API_V4_URL": api, "CI_PROJECT_ID": "3", "CI_COMMIT_SHA": commit, "GITLAB_USER_LOGIN": "ada", "RECONCILER_API_TOKEN": "a-token",
        **({"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "lax", "CI_DEFAULT_BRANCH": "main"} if name == "authorize" else {"CI_COMMIT_BRANCH": "main", "RECONCILER_TARGET": "production", "DATABASE": "", **KEYS}),
    }  # fmt: skip
    # A runner's folder holds the files of the merge request; none of them is run.
    planted = r"""printf 'print("ada\nmargaret"); raise SystemExit(0)' | tee json.py urllib.py >/dev/null"""
    script = "\n".join([planted, "git fetch -q origin change", *written("gitlab-ci.yaml")[name]["script"]])
    done, _ = run_script(script, gate, tmp_path, variables, [])
    assert done.returncode == (0 if approver == "margaret" else 4), done.stdout + done.stderr


@pytest.mark.parametrize(("user", "code"), [("margaret", 0), ("ada", 4)])
def test_gitlab(gate: Workspace, tmp_path: Path, user: str, code: int) -> None:
    """Whoever runs the job is judged, by the policies of the default branch, wherever the change is said to go."""
    job = written("gitlab-ci.yaml")["authorize"]
    assert job["variables"]["GIT_DEPTH"] == 0
    variables = {
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "lax",
        "CI_DEFAULT_BRANCH": "main",
        "CI_COMMIT_SHA": gate.git("rev-parse", "change"),
        "GITLAB_USER_LOGIN": user,
    }
    script = "\n".join(["git fetch -q origin change", *job["script"]])
    done, _ = run_script(script, gate, tmp_path, variables, [])
    assert done.returncode == code, done.stdout + done.stderr


def test_the_gate_of_github_judges_only_what_goes_into_the_branch_that_is_applied() -> None:
    """A verdict by the policies of another branch would stay with the commit once the request is retargeted.

    A request that is reopened or edited was perhaps pushed to by others, for whom neither event speaks.
    """
    assert written("gate.yaml")["on"]["pull_request_target"] == {
        "branches": ["main"],
        "types": ["opened", "synchronize"],
    }


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
