"""What a run says whose token may only look, or is not taken any more."""

import shutil
from pathlib import Path

import pytest
from conftest import run_command

EXAMPLE = Path(__file__).parents[3] / "examples" / "processmaker"


@pytest.fixture
def run(processmaker, tmp_path):
    """The program, with what the example declares."""
    for name in ("connectors", "policies"):
        shutil.copytree(EXAMPLE / name, tmp_path / name)
    (tmp_path / "connectors/stock.yaml").unlink()  # its token would be fetched
    target = f"{{store: '{processmaker.url}', token: {{env: TOKEN}}, processmaker: {{allowPlainHttp: a test}}}}"
    project = f"apiVersion: reconciler/v1\nkind: Project\nowner: a/b\ntargets: {{test: {target}}}\n"
    (tmp_path / "reconciler.yaml").write_text(project, "utf-8")
    given = ["--env-file", EXAMPLE / "test.env.example"]
    return lambda user, *command: run_command(*command, *given, cwd=tmp_path, env={"TOKEN": processmaker.token(user)})


def test_a_token_that_may_only_view_changes_nothing(processmaker, run):
    """A sentence, what to do, and the exit code of a store that cannot be used; the instance is as it was."""
    done = run("ada", "apply", "--yes")
    assert (done.exit_code, done.stderr) == (
        10,
        "error: the token's user may not view users; nothing was changed\n"
        "  hint: the token's user lacks a permission for that: see  reconciler store check\n",
    )
    assert processmaker.writes == []


def test_a_run_that_came_to_nothing_does_not_say_that_there_was_nothing_to_do(processmaker, run):
    """Its token is not taken any more from the first write on."""
    processmaker.faults.add(action="expire_token", method="POST", path="/data_source_categories")
    done = run("admin", "apply", "--yes")
    assert done.exit_code == 7
    assert done.stdout.endswith("Of 9 changes none is known to be applied to test.\n")
    assert "connector/tickets was left out: " in done.stderr
