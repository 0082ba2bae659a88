"""What a plan of what moved looks at beside it: one case for each way in which something else can matter."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from histories import History, document, told_time


def new(h: History, name: str, **spec: object) -> None:
    """A connector in a file of its own."""
    previously = spec.pop("previously", None)
    made = h.connector(name)
    made["spec"] |= spec
    made["metadata"] |= {"previously": previously} if previously else {}
    h.files[f"connectors/new-{name}.yaml"] = [made]
    h.save(f"connectors/new-{name}.yaml")


def category(h: History, index: int, **spec: object) -> None:
    h.files["connectors/categories.yaml"][index]["spec"] |= spec
    h.save("connectors/categories.yaml")


def gone(h: History) -> None:
    del h.files["connectors/categories.yaml"][1]
    h.save("connectors/categories.yaml")


def refile(h: History) -> None:
    h.files["connectors/a.yaml"][0]["spec"]["categories"] = ["erp"]
    h.save("connectors/a.yaml")


def drift(h: History) -> None:
    h.sql(
        "UPDATE documents SET live = json_set(live, '$.spec.description', 'x') WHERE uid = (SELECT uid FROM records WHERE name = 'c1')"
    )


def later(h: History) -> None:
    h.clock += timedelta(days=3)


CASES: dict[str, tuple[Callable[[History], None], str]] = {
    "a new name is an earlier one of another": (lambda h: new(h, "old0"), "the earlier name 'old0' is still defined"),
    "an earlier name is still in use": (lambda h: new(h, "n1", previously=["c1"]), "the earlier name 'c1' is still defined"),
    "an earlier name is claimed twice": (lambda h: new(h, "n1", previously=["old0"]), "claims the earlier name 'old0' too"),
    "an address is taken": (lambda h: new(h, "c1"), "is already defined in"),
    "a display name is taken": (lambda h: new(h, "n1", displayName="CONNECTOR C1"), "has the same display name"),
    "a display name is taken that live does not bear": (lambda h: new(h, "n1", displayName="Connector c2"), "has the same display name"),
    "a category goes that is in use": (gone, "there is no category 'erp'"),
    "a category in use becomes inactive": (lambda h: category(h, 1, status="inactive"), "category 'erp' is inactive"),
    "an inactive category becomes active": (lambda h: category(h, 2, status="active"), "category/idle"),
    "an access test is about what changed": (refile, "does not have connectors:edit on connector/c0"),
    "a grant ended": (later, "grants that have ended are revoked"),
    "a record is gone": (lambda h: h.sql("DELETE FROM records WHERE name = 'c1'"), "+ connector/c1"),
    "a record has another name": (lambda h: h.sql("UPDATE records SET name = 'x' WHERE name = 'c1'"), "» connector/c1 (was connector/x)"),
    "a record drifted": (drift, "~ connector/c1"),
    "a token is missing": (lambda h: None, "accessToken"),
}  # fmt: skip


IN_FULL = ("a grant ended", "a record is gone", "a record has another name")
"""What is known to matter, and then looked at with everything."""


@pytest.fixture
def history(tmp_path: Path) -> History:
    """A repository in which everything has something to do with something else."""
    h = History(tmp_path, 1)
    h.random.random = lambda: 0.9  # no access tokens
    idle = h.category("idle")
    idle["spec"]["status"] = "inactive"
    h.files = {"connectors/categories.yaml": [h.category("crm"), h.category("erp"), idle]}
    for name, categories in (("c0", ["crm"]), ("c1", ["erp"]), ("c2", ["crm"]), ("c3", ["idle"])):
        made = h.connector(name)
        made["spec"]["categories"] = categories
        h.files[f"connectors/{'abcd'[int(name[1])]}.yaml"] = [made]
    h.files["connectors/a.yaml"][0]["metadata"]["previously"] = ["old0"]
    h.files["connectors/c.yaml"][0]["spec"]["lifecycle"] = {"ignore": ["displayName"]}
    ends = (h.clock + timedelta(days=2)).isoformat().replace("+00:00", "Z")
    edit = ["connectors:view", "connectors:edit"]
    grants = [{"permissions": edit, "on": {"categories": ["crm"]}}, {"permissions": ["groups:view"], "expires": ends}]
    h.files["policies/all.yaml"] = [
        document("PermissionPolicy", "team", {"subjects": [{"user": "ada"}], "grants": grants}),
        document("AccessTest", "basics", {"expect": [{"user": "ada", "can": "connectors:edit", "on": "connector/c0"}]}),
    ]
    for path in (tmp_path / "repo").glob("*s/*.yaml"):
        path.unlink()
    h.write_all()
    return h


@pytest.mark.parametrize("case", CASES)
def test_what_matters_beside_what_moved(history: History, case: str) -> None:
    """Is looked at: the plan is that of everything, and says so."""
    step, said = CASES[case]
    with told_time(history):
        if case == "a token is missing":
            history.random.random = lambda: 0.1
            history.files["connectors/b.yaml"] = [history.connector("c1")]
            history.save("connectors/b.yaml")
        history.commit()
        assert history.call("apply", "--yes", "--tokens", "demand")[0] == 0
        history.sql("UPDATE records SET display = 'another' WHERE name = 'c2'")
        history.sql(
            "UPDATE documents SET live = json_set(live, '$.spec.displayName', 'Another') WHERE uid = (SELECT uid FROM records WHERE name = 'c2')"
        )
        history.call("apply", "--yes", "--tokens", "demand")
        step(history)
        history.commit()
        history.told.clear()
        part = history.call("plan", "-v", "--tokens", "apply")
        whole = history.call("plan", "--full", "--tokens", "apply")
    assert part == whole
    assert said in whole[1] + whole[2]
    if not whole[0] and case not in IN_FULL:
        assert any(line.startswith("looked at") for line in history.told), history.told


@pytest.mark.parametrize("kept", [False, True])
def test_what_is_gone_is_looked_for_where_nothing_else_moved(history: History, kept: bool) -> None:
    """Nothing but the file in which it stood is read before."""
    for path in ("connectors/d.yaml", "policies/all.yaml"):
        history.files.pop(path)
        (history.root / path).unlink()
    history.files["connectors/categories.yaml"].pop()
    history.files["connectors/c.yaml"][0]["spec"].pop("lifecycle")
    history.save("connectors/categories.yaml", "connectors/c.yaml")
    words = ["--tokens", "demand", *(["--no-prune"] if kept else [])]
    with told_time(history):
        history.commit()
        assert history.call("apply", "--yes", "--tokens", "demand")[0] == 0
        gone(history)
        history.commit()
        part = history.call("apply", "--yes", *words, "-v")
        assert part == history.call("apply", "--yes", *words, "--full")
    assert "there is no category 'erp'" in part[2]
