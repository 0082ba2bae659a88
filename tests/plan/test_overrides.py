"""What a guard stops passes for one plan, with the exact count, and is kept with the run."""

import json
import re

import pytest
from conftest import CATEGORY, Workspace
from live_state import plan_of, sql

COMMITTED = "apiVersion: reconciler/v1\nkind: Project\ntargets: {local: {store: 'sqlite:.reconciler/store.db', requireCommit: true}}\n"


def categories(first: int, last: int) -> str:
    """Documents of some categories."""
    numbers = range(first, last + 1)
    return "---\n".join(CATEGORY.replace("crm", f"c{n}").replace("Customer data", f"C{n}") for n in numbers)


@pytest.fixture
def many(workspace: Workspace) -> Workspace:
    """A store with twenty more categories, of which git drops all."""
    workspace.write("connectors/many.yaml", categories(1, 20))
    workspace.ok("apply", "--yes", "-q")
    (workspace.root / "connectors/many.yaml").unlink()
    return workspace


def advised(text: str) -> str:
    """What the hint says to pass."""
    found = re.search(r"if this is meant: --override ([0-9a-f]{12}:[a-z-]+=[0-9]+)\n", text)
    assert found, text
    return found[1]


def test_an_override_is_for_one_plan_and_is_kept(many: Workspace) -> None:
    """The same plan, made again, has the same fingerprint; another one has another."""
    meant = advised(many.run("apply", "--yes").stderr)
    assert advised(many.run("plan").stdout) == meant
    many.write("connectors/many.yaml", categories(1, 1))
    result = many.run("apply", "--yes", "--override", meant)
    assert result.exit_code == 5
    assert f"also: an override is for the plan {meant[:12]}, and this is" in result.stderr
    (many.root / "connectors/many.yaml").unlink()
    content = plan_of(many, "--override", meant)
    assert content["overridden"] == ["deletes=20"] and content["problems"] == []
    assert content["fingerprint"].startswith(meant[:12])
    many.ok("apply", "--yes", "--override", meant)
    assert sql(many.store, "SELECT overrides FROM runs ORDER BY id DESC LIMIT 1") == [('["deletes=20"]',)]
    assert sql(many.store, "SELECT plan FROM runs ORDER BY id DESC LIMIT 1") == [(content["fingerprint"],)]
    assert many.ok("store", "check").exit_code == 0


def test_an_override_with_another_count_is_none(many: Workspace) -> None:
    meant = advised(many.run("plan").stdout)
    result = many.run("apply", "--yes", "--override", meant.replace("=20", "=19"))
    assert result.exit_code == 5
    assert (
        f"the override says 19, and it is 20: look again at what changed; if this is meant: --override {meant}"
        in result.stderr
    )


@pytest.mark.parametrize("text", ["deletes=3", "0123456789ab:deletes=x", "0123456789ab:protected=1", "0123:deletes=1"])
def test_what_is_no_override(many: Workspace, text: str) -> None:
    result = many.run("plan", "--override", text)
    assert result.exit_code == 64 and "give PLAN:GUARD=COUNT" in result.stderr


def test_deletes_are_guarded_by_kind_too(workspace: Workspace) -> None:
    """Seven of ten categories are few of fifty records, and most categories."""
    workspace.write("connectors/more.yaml", categories(1, 9))
    groups = "apiVersion: reconciler/v1\nkind: Group\nmetadata: {name: g-X}\nspec: {displayName: g X}\n"
    workspace.write("policies/more.yaml", "---\n".join(groups.replace("X", str(n)) for n in range(40)))
    workspace.ok("apply", "--yes", "-q")
    workspace.write("connectors/more.yaml", categories(8, 9))
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 5
    assert "error: 7 of 10 categories would be deleted; the limit is 5\n" in result.stderr
    workspace.ok("apply", "--yes", "--override", advised(result.stderr))


def test_a_target_may_demand_a_commit(workspace: Workspace) -> None:
    """Outside git nothing passes; what differs from the commit is counted by file."""
    workspace.write("reconciler.yaml", COMMITTED)
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 5 and "takes definitions of a commit only, and there is none" in result.stderr
    commit = workspace.commit()
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    workspace.write("connectors/new.yaml", categories(1, 1))
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 5
    assert f"a commit only, and 2 files differ from commit {commit[:12]}\n" in result.stderr
    assert "hint: commit or stash what differs; if this is meant: --override " in result.stderr
    assert not workspace.store.exists()
    workspace.ok("apply", "--yes", "--ref", "main")
    (problem,) = json.loads(workspace.run("plan", "-o", "json").stdout)["problems"]
    assert (problem["guard"], problem["count"]) == ("dirty", 2)
    workspace.ok("apply", "--yes", "--override", advised(workspace.run("plan").stdout))
    workspace.commit()
    assert "Nothing to do" in workspace.ok("apply", "--yes").stdout
