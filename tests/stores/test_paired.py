"""A live store of another kind, by an entry point, with its state in a database of ours: through the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace
from live_state import actions, plan_of

from reconciler.testing.live import CANARY, LiveContract, SeesOthersContract
from reconciler.testing.memory import MemoryStore

DRIVER = '''
"""A driver with whims: some records cannot be written, others come out otherwise, and it knows who wrote."""

from reconciler.core.ports.live import Outcome, Result, Touch
from reconciler.errors import StoreUnavailable
from reconciler.testing.memory import MemoryStore


def open_odd(url, context):
    return Odd(context.root / url.partition(":")[2])


class Odd(MemoryStore):
    def write(self, writes):
        if any("crash" in write.key.name for write in writes):
            super().write(writes[:1])
            raise StoreUnavailable("the server is gone")
        hindered = [write for write in writes if "hinder" in write.key.name]
        altered = {write.key for write in writes if "alter" in write.key.name}
        done = iter(super().write([write for write in writes if write not in hindered]))
        failed = Outcome(Result.FAILED, reason="the server answers 500")
        outcomes = [failed if write in hindered else next(done) for write in writes]
        for write, outcome in zip(writes, outcomes):
            if write.key in altered and outcome.id:
                self._rows[outcome.id]["body"]["spec"]["description"] = "altered by the server"
                self._save()
        return outcomes

    def touches(self, ids):
        return {uid: Touch("2026-01-02T03:04:05.000Z", "grace") for uid in ids if uid in self._rows}
'''


class TestOdd(SeesOthersContract, LiveContract):
    """The driver of these tests keeps to the contract where it has no whims."""

    def open(self, tmp_path: Path) -> MemoryStore:
        """A file of JSON."""
        found: dict[str, Any] = {}
        exec(DRIVER, found)
        return found["Odd"](tmp_path / "live.json")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A distribution with two drivers, and one that is broken."""
    folder = tmp_path / "site"
    (folder / "drivers-1.0.dist-info").mkdir(parents=True)
    (folder / "odd.py").write_text(DRIVER)
    (folder / "needy.py").write_text("import a_module_that_nobody_has\n")
    (folder / "drivers-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: drivers\nVersion: 1.0\n")
    (folder / "drivers-1.0.dist-info/entry_points.txt").write_text(
        "[reconciler.stores]\nmemory = reconciler.testing.memory:open_memory\nodd = odd:open_odd\nneedy = needy:open\n"
        "none = builtins:repr\nfails = builtins:int\nidle = builtins:print\n"
    )
    return folder


@pytest.fixture
def foreign(empty: Workspace, site: Path) -> Workspace:
    """A repository with a category and a connector, and a live store in a file of JSON."""
    empty.env |= {"PYTHONPATH": str(site), "CRM_PASSWORD": CANARY}
    target(empty, "memory:live.json")
    empty.write("connectors/crm.yaml", f"{CATEGORY}---\n{CONNECTOR}")
    return empty


def target(workspace: Workspace, url: str, state: str = "") -> None:
    """Set where the live store is."""
    said = f", state: '{state}'" if state else ""
    workspace.write(
        "reconciler.yaml",
        f"apiVersion: reconciler/v1\nkind: Project\nowner: acme/crm\ntargets:\n  local: {{store: '{url}'{said}}}\n",
    )


def live(workspace: Workspace) -> dict[str, Any]:
    """What the file holds, by name."""
    content = json.loads((workspace.root / "live.json").read_text())
    return {row["name"]: {"id": uid, **row} for uid, row in content["records"].items()}


def edit(workspace: Workspace, name: str, **spec: Any) -> None:
    """Somebody edits a live record, or removes it when nothing is said."""
    path = workspace.root / "live.json"
    content = json.loads(path.read_text())
    uid = live(workspace)[name]["id"]
    if spec:
        content["records"][uid]["body"]["spec"] |= spec
    else:
        del content["records"][uid]
    path.write_text(json.dumps(content))


def test_plan_apply_and_nothing_to_do(foreign: Workspace) -> None:
    """A plan writes nothing; an apply writes both; then there is nothing to do."""
    assert actions(plan_of(foreign)) == [("create", "category/crm"), ("create", "connector/crm-contacts")]
    assert not (foreign.root / "live.json").exists() and not (foreign.root / ".reconciler").exists()
    foreign.ok("apply", "--yes")
    held = live(foreign)
    assert held["crm-contacts"]["body"]["spec"]["authorization"]["password"] == {"env": "CRM_PASSWORD"}
    assert set(held["crm-contacts"]["secrets"]) == {"authorization.password"}
    assert actions(plan_of(foreign)) == []
    assert "CRM_PASSWORD" in foreign.ok("get", "connector/crm-contacts").stdout
    assert "2 created" in foreign.ok("history").stdout
    foreign.ok("store", "check")
    for file in foreign.root.rglob("*"):
        assert not file.is_file() or CANARY.encode() not in file.read_bytes(), file


def test_drift_is_seen_taken_back_and_kept(foreign: Workspace) -> None:
    """An edit, a removal and a record of somebody else, from the next look on; the history has what they held."""
    foreign.ok("apply", "--yes")
    edit(foreign, "crm-contacts", description="by hand")
    (found,) = json.loads(foreign.ok("drift", "-o", "json").stdout)["records"]
    assert (found["address"], found["since"]) == ("connector/crm-contacts", None)
    plan = plan_of(foreign)
    assert [(field["origin"], field["before"]) for field in plan["changes"][0]["fields"]] == [("drift", "by hand")]
    foreign.ok("apply", "--yes")
    assert live(foreign)["crm-contacts"]["body"]["spec"]["description"] == "Contacts of the CRM."
    assert "by hand" in foreign.ok("history", "connector/crm-contacts").stdout
    before = live(foreign)["crm-contacts"]["id"]
    edit(foreign, "crm-contacts")
    assert actions(plan_of(foreign)) == [("create", "connector/crm-contacts")]
    foreign.ok("apply", "--yes")
    assert live(foreign)["crm-contacts"]["id"] != before
    assert actions(plan_of(foreign)) == []


def test_a_rename_keeps_the_identity(foreign: Workspace) -> None:
    """In the live store as in the state."""
    foreign.ok("apply", "--yes")
    before = live(foreign)["crm-contacts"]["id"]
    foreign.edit("connectors/crm.yaml", "name: crm-contacts", "name: people\n  previously: [crm-contacts]")
    foreign.ok("apply", "--yes")
    assert live(foreign)["people"]["id"] == before
    assert "was connector/crm-contacts" in foreign.ok("history", "connector/people").stdout


def test_a_delete_and_its_restore(foreign: Workspace) -> None:
    """What comes back is another record of the live store, with the secret that was sealed."""
    foreign.ok("apply", "--yes")
    foreign.write("connectors/crm.yaml", CATEGORY)
    foreign.ok("apply", "--yes", "--max-deletes", "100%")
    assert set(live(foreign)) == {"crm"}
    del foreign.env["CRM_PASSWORD"]
    foreign.ok("restore", "connector/crm-contacts", "--yes")
    assert set(live(foreign)["crm-contacts"]["secrets"]) == {"authorization.password"}
    foreign.write("connectors/crm.yaml", f"{CATEGORY}---\n{CONNECTOR}")
    assert actions(plan_of(foreign)) == []


def test_a_stale_plan_changes_nothing(foreign: Workspace) -> None:
    """A saved plan of a record that somebody has edited meanwhile."""
    foreign.ok("apply", "--yes")
    foreign.edit("connectors/crm.yaml", "Contacts of the CRM", "Other contacts")
    foreign.ok("plan", "--out", "plan.json")
    edit(foreign, "crm-contacts", description="by hand")
    result = foreign.run("apply", "plan.json", "--yes")
    assert result.exit_code == 6 and "description" in result.stderr, result.output
    assert live(foreign)["crm-contacts"]["body"]["spec"]["description"] == "by hand"


def test_partly_applied(foreign: Workspace) -> None:
    """What cannot be written is named, all else is done and noted, and the next apply does what is left."""
    target(foreign, "odd:live.json")
    foreign.write("connectors/more.yaml", CATEGORY.replace("crm", "hinder-me").replace("Customer data", "More"))
    result = foreign.run("apply", "--yes")
    assert result.exit_code == 7, result.output
    assert "category/hinder-me was left out: the server answers 500" in result.stderr
    assert "2 created" in result.stdout
    assert set(live(foreign)) == {"crm", "crm-contacts"}
    assert actions(plan_of(foreign)) == [("create", "category/hinder-me")]
    assert json.loads(foreign.ok("history", "-o", "json").stdout)["runs"][0]["outcome"] == "partly"
    result = foreign.run("apply", "--yes")
    assert result.exit_code == 10 and "nothing was changed" in result.stderr, result.output
    target(foreign, "memory:live.json")
    foreign.ok("apply", "--yes")
    assert actions(plan_of(foreign)) == []


def test_what_comes_out_otherwise_is_told_and_is_drift(foreign: Workspace) -> None:
    """It cannot be taken back; the next plan shows it, with who and when as the store knows it."""
    target(foreign, "odd:live.json")
    foreign.write("connectors/more.yaml", CATEGORY.replace("crm", "alter-me").replace("Customer data", "More"))
    result = foreign.run("apply", "--yes")
    assert result.exit_code == 7 and "category/alter-me was left out: " in result.stderr, result.output
    assert "the store made something else of it: description is not what was planned" in result.stderr
    (change,) = plan_of(foreign)["changes"]
    assert (change["action"], change["address"]) == ("update", "category/alter-me")
    (found,) = json.loads(foreign.ok("drift", "-o", "json").stdout)["records"]
    assert (found["since"], found["by"]) == ("2026-01-02T03:04:05.000Z", "grace")


def test_a_live_store_is_no_state(foreign: Workspace) -> None:
    """Its records would be taken for gone from the other store, and be removed."""
    own = "sqlite:.reconciler/store.db"
    target(foreign, own)
    foreign.ok("apply", "--yes")
    target(foreign, "memory:live.json", own)
    for command in (("plan",), ("apply", "--yes"), ("get",)):
        refused = foreign.run(*command)
        assert refused.exit_code == 10 and "the state of the target is a live store itself" in refused.stderr
    target(foreign, own)
    assert actions(plan_of(foreign)) == []


def test_a_state_is_no_live_store(foreign: Workspace) -> None:
    """Nothing would reach the live store by what is written there."""
    foreign.ok("apply", "--yes")
    target(foreign, "sqlite:.reconciler/local.state.db")
    foreign.edit("connectors/crm.yaml", "Contacts of the CRM.", "Of another.")
    for command in (("plan",), ("apply", "--yes"), ("drift",), ("get",), ("rollback", "1", "--yes")):
        refused = foreign.run(*command)
        assert refused.exit_code == 10 and "the store is the state of another live store" in refused.stderr
    target(foreign, "memory:live.json")
    assert actions(plan_of(foreign)) == [("update", "connector/crm-contacts")]


def test_the_state_is_of_one_store(foreign: Workspace) -> None:
    """Another live store behind the same state is refused, by every command."""
    foreign.ok("apply", "--yes")
    (foreign.root / "live.json").write_text(json.dumps({"name": "another", "records": {}}))
    for command in (["plan"], ["apply", "--yes"], ["get"]):
        result = foreign.run(*command)
        assert result.exit_code == 10 and "of another live store" in result.stderr, result.output
    target(foreign, "memory:live.json", "sqlite:.reconciler/other.db")
    foreign.ok("apply", "--yes")


def test_records_of_one_name(foreign: Workspace) -> None:
    """They are named, and nothing is done."""
    foreign.ok("apply", "--yes")
    path = foreign.root / "live.json"
    content = json.loads(path.read_text())
    content["records"]["twin"] = content["records"][live(foreign)["crm"]["id"]]
    path.write_text(json.dumps(content))
    result = foreign.run("plan")
    assert result.exit_code == 6 and "category/crm twice" in result.stderr, result.output


def test_a_scheme_without_a_driver(foreign: Workspace) -> None:
    """What there is is listed; a driver that cannot be loaded says what it wants."""
    for url, words in (
        (
            "nobody:x",
            "known are: sqlite:PATH, postgresql://HOST/DATABASE, processmaker+https://HOST, fails:, idle:, memory:, needy:, none:, odd:",
        ),
        ("needy:x", "pip install a_module_that_nobody_has"),
        ("none:x", "the store driver for 'none:' failed (TypeError)"),
        ("fails:x", "failed (TypeError)"),
        ("idle:x", "is none: it gives no live store"),
    ):
        target(foreign, url)
        result = foreign.run("plan")
        assert result.exit_code == 64 and words in result.stderr, result.output
        foreign.ok("validate")
    target(foreign, "memory:live.json", "memory:state.json")
    result = foreign.run("plan")
    assert result.exit_code == 64 and "cannot be the state" in result.stderr, result.output


def test_an_end_half_way(foreign: Workspace) -> None:
    """What was done shows as what belongs to nobody, is not taken without being asked, and never made twice."""
    target(foreign, "odd:live.json")
    foreign.write("connectors/more.yaml", CATEGORY.replace("crm", "crash-it").replace("Customer data", "More"))
    result = foreign.run("apply", "--yes")
    assert result.exit_code == 10 and "what was done until then is not noted" in result.stderr, result.output
    (made,) = live(foreign)
    target(foreign, "memory:live.json")
    result = foreign.run("apply", "--yes")
    assert result.exit_code == 5 and f"{made} belongs to nobody" in result.stderr, result.output
    foreign.ok("apply", "--yes", "--adopt")
    assert set(live(foreign)) == {"crm", "crash-it", "crm-contacts"}
    assert actions(plan_of(foreign)) == []
