"""Protection, names that move, are traded and passed on, and fields left to the live side: over several commits."""

from collections.abc import Iterator

import pytest
from conftest import Workspace
from live_state import InProcess, actions, sql
from test_identity import bench, category, connector, documents, step

__all__ = ["bench"]  # a fixture
SAME = "spec: {"
GUARD = "a protected record would be deleted"


def with_lifecycle(text: str, block: str) -> str:
    """The definition with a lifecycle block."""
    return text.replace(SAME, f"spec: {{lifecycle: {{{block}}}, ")


def uids(bench: InProcess) -> dict[str, str]:
    """Identity of each record by name."""
    return dict(sql(bench.path, "SELECT name, uid FROM records"))


def problems(bench: InProcess) -> list[str]:
    """What stands against the plan."""
    return [problem["message"] for problem in bench.plan_json()["problems"]]


# protection


def test_protection_outlives_the_block_and_the_document(bench: InProcess, empty: Workspace) -> None:
    """Leaving out the block changes nothing; removing the document is refused; lifting it is a change of its own."""
    keep = category("keep", "Keep")
    documents(empty, keep, with_lifecycle(category("a", "A"), "protect: true"))
    bench.apply()
    documents(empty, keep, category("a", "A"))
    assert actions(bench.plan_json()) == [], "the block is gone, the protection is not"
    bench.apply()
    assert "protect: true" in empty.ok("get", "category/a").stdout
    documents(empty, keep)
    assert problems(bench) == [GUARD]
    result = empty.run("apply", "--yes")
    assert result.exit_code == 5 and "lifecycle: {protect: false}" in result.stderr
    documents(empty, keep, with_lifecycle(category("a", "A"), "protect: false"))
    (change,) = bench.plan_json()["changes"]
    (field,) = change["fields"]
    assert (field["path"], field["before"], field["origin"]) == (["spec", "lifecycle"], {"protect": True}, "git")
    step(bench, ("update", "category/a"))
    documents(empty, keep, category("a", "A"))
    assert actions(bench.plan_json()) == [], "to say it no longer is no change"
    documents(empty, keep)
    step(bench, ("delete", "category/a"))


def test_other_changes_leave_the_protection_as_it_is(bench: InProcess, empty: Workspace) -> None:
    """The plan says that it stays; a block that says something else keeps it too, and so does a rename."""
    documents(empty, with_lifecycle(category("a", "A"), "protect: true"))
    bench.apply()
    documents(empty, category("a", "A2"))
    (change,) = bench.plan_json()["changes"]
    assert [field["path"][1] for field in change["fields"]] == ["displayName"]
    assert change["notes"] == ["it stays protected, as git does not lift that; `lifecycle: {protect: false}` would"]
    step(bench, ("update", "category/a"))
    documents(empty, with_lifecycle(category("b", "A2", ", previously: [a]"), "ignore: [description]"))
    step(bench, ("rename", "category/b"))
    documents(empty, category("c", "C"))
    assert problems(bench) == [GUARD]


def test_protection_that_somebody_lifts_around_the_tool_holds(bench: InProcess, empty: Workspace) -> None:
    """The plan restores it, also where git says nothing about it; and the record is not deleted meanwhile."""
    documents(empty, category("keep", "Keep"), with_lifecycle(category("a", "A"), "protect: true"))
    bench.apply()
    documents(empty, category("keep", "Keep"), category("a", "A"))
    bench.apply()
    sql(bench.path, "UPDATE documents SET live = json_remove(live, '$.spec.lifecycle') WHERE live LIKE '%protect%'")
    plan = bench.plan_json()
    assert (actions(plan), plan["changes"][0]["origin"]) == ([("update", "category/a")], "drift")
    documents(empty, category("keep", "Keep"))
    assert problems(bench) == [GUARD]
    documents(empty, category("keep", "Keep"), category("a", "A"))
    step(bench, ("update", "category/a"))
    documents(empty, category("keep", "Keep"))
    assert problems(bench) == [GUARD]


# earlier names


def test_a_name_moves_on_over_several_commits_and_back(bench: InProcess, empty: Workspace) -> None:
    """a, b, c, with an edit on the way, then a again: one record throughout."""
    documents(empty, category("a", "One"), connector("x", "X", "a"))
    bench.apply()
    first = uids(bench)["a"]
    documents(empty, category("b", "Two", ", previously: [a]"), connector("x", "X", "b"))
    assert [field["path"][1] for field in bench.plan_json()["changes"][0]["fields"]] == ["displayName"]
    step(bench, ("rename", "category/b"), ("update", "connector/x"))
    documents(empty, category("c", "Two", ", previously: [b, a]"), connector("x", "X", "c"))
    step(bench, ("rename", "category/c"), ("update", "connector/x"))
    documents(empty, category("a", "Two", ", previously: [b, c]"), connector("x", "X", "a"))
    step(bench, ("rename", "category/a"), ("update", "connector/x"))
    documents(empty, category("b", "Two", ", previously: [a, c]"), connector("x", "X", "b"))
    step(bench, ("rename", "category/b"), ("update", "connector/x"))
    assert uids(bench)["b"] == first


def test_a_rename_where_both_names_are_there(bench: InProcess, empty: Workspace) -> None:
    """Each is a record of its own: the new name keeps its own, and the earlier one goes."""
    documents(empty, category("a", "One"), category("b", "Two"))
    bench.apply()
    before = uids(bench)
    documents(empty, category("b", "One", ", previously: [a]"))
    step(bench, ("update", "category/b"), ("delete", "category/a"))
    assert uids(bench) == {"b": before["b"]}


# traded names


RINGS = {"two": ["a", "b"], "three": ["a", "b", "c"], "five": ["a", "b", "c", "d", "e"]}


@pytest.mark.parametrize("ring", RINGS)
def test_names_are_traded(bench: InProcess, empty: Workspace, ring: str) -> None:
    """Records keep their identity, display names and tokens; the next plan is empty though the ring stays in git."""
    names = RINGS[ring]
    documents(empty, category("k", "K"), *(connector(name, f"Display {name}", "k") for name in names))
    bench.apply()
    before = uids(bench)
    earlier = dict(zip(names, [*names[1:], names[0]], strict=True))
    traded = [connector(new, f"Display {old}", "k", f", previously: [{old}]") for new, old in earlier.items()]
    documents(empty, category("k", "K"), *traded)
    assert empty.ok("validate").exit_code == 0
    step(bench, *(("rename", f"connector/{name}") for name in names))
    assert uids(bench) == {"k": before["k"], **{new: before[old] for new, old in earlier.items()}}
    bench.path.unlink()
    assert [action for action, _ in actions(bench.plan_json())] == ["create"] * (len(names) + 1)


def test_traded_names_with_edits_and_what_refers_to_them(bench: InProcess, empty: Workspace) -> None:
    """What refers to a name refers to whatever bears it then."""
    documents(empty, category("a", "A"), category("b", "B"), connector("x", "X", "a"))
    bench.apply()
    before = uids(bench)
    one, other = category("a", "B2", ", previously: [b]"), category("b", "A2", ", previously: [a]")
    documents(empty, one, other, connector("x", "X", "b"))
    step(bench, ("rename", "category/a"), ("rename", "category/b"), ("update", "connector/x"))
    assert uids(bench) == {**before, "a": before["b"], "b": before["a"]}
    documents(empty, category("a", "B2"), category("b", "A2"), connector("x", "X", "b"))
    assert actions(bench.plan_json()) == []
    documents(empty, category("a", "A2", ", previously: [b]"), category("b", "B2", ", previously: [a]"), connector("x", "X", "b"))  # fmt: skip
    step(bench, ("update", "category/a"), ("update", "category/b"))


@pytest.mark.parametrize(
    ("text", "clash"),
    [
        (category("a", "A", ", previously: [b]") + "---\n" + category("b", "B"), "'b' is still defined"),
        (category("a", "A", ", previously: [a]"), "'a' is this resource itself"),
        ("---\n".join([category("a", "A", ", previously: [b]"), category("b", "B", ", previously: [a]"), category("c", "C", ", previously: [a]")]), "claims the earlier name 'a' too"),
        ("---\n".join([category("a", "A", ", previously: [b, c]"), category("b", "B", ", previously: [a]"), category("c", "C")]), "is still defined"),
        ("---\n".join([category("a", "A", ", previously: [b]"), category("b", "B", ", previously: [c]"), category("c", "C")]), "is still defined"),
    ],
)  # fmt: skip
def test_a_ring_that_is_none(empty: Workspace, text: str, clash: str) -> None:
    """It has to close, and nobody else may claim a name of it."""
    empty.write("connectors/all.yaml", text)
    result = empty.run("validate")
    assert result.exit_code == 3 and "RC304" in result.output and clash in result.output


# display names


def collisions() -> Iterator[tuple[str, list[str], list[str], list[tuple[str, str]]]]:
    """What it is, definitions before and after, and the plan."""
    a, b, c = category("a", "One"), category("b", "Two"), category("c", "Three")
    yield (
        "swapped",
        [a, b],
        [category("a", "Two"), category("b", "One")],
        [("update", "category/a"), ("update", "category/b")],
    )
    yield (
        "passed on",
        [a, b, c],
        [category("a", "Two"), category("b", "Three"), category("c", "Four")],
        [("update", f"category/{name}") for name in "abc"],
    )
    yield (
        "of one that is deleted",
        [a, b],
        [b, category("n", "ONE")],
        [("create", "category/n"), ("delete", "category/a")],
    )
    yield (
        "of one that is renamed and renamed to another",
        [a],
        [category("z", "Other", ", previously: [a]"), category("n", "One")],
        [("create", "category/n"), ("rename", "category/z")],
    )
    yield (
        "of one that is edited",
        [a],
        [category("a", "Other"), category("n", "öne".replace("ö", "o"))],
        [("update", "category/a"), ("create", "category/n")],
    )
    yield (
        "name and display name of one that is renamed",
        [a],
        [category("z", "Two", ", previously: [a]")],
        [("rename", "category/z")],
    )
    yield (
        "the name of one that is renamed",
        [a, category("keep", "K")],
        [category("z", "One", ", previously: [a]"), category("keep", "One more")],
        [("update", "category/keep"), ("rename", "category/z")],
    )


@pytest.mark.parametrize("case", list(collisions()), ids=lambda case: case[0])
def test_unique_names_that_are_swapped_or_passed_on(bench: InProcess, empty: Workspace, case: tuple[str, list[str], list[str], list[tuple[str, str]]]) -> None:  # fmt: skip
    """In one transaction, in whatever order they come."""
    _, before, after, expected = case
    documents(empty, *before)
    bench.apply()
    documents(empty, *after)
    assert sorted(actions(bench.plan_json())) == sorted(expected)
    bench.apply()
    assert actions(bench.plan_json()) == []


def test_categories_move_before_categories_go(bench: InProcess, empty: Workspace) -> None:
    """A connector leaves a category in the same apply that deletes it, and one that stays is in the way."""
    documents(empty, category("a", "A"), category("b", "B"), connector("x", "X", "a"), connector("y", "Y", "b"))
    bench.apply()
    documents(empty, category("b", "B"), connector("x", "X", "b"), connector("y", "Y", "b"))
    step(bench, ("update", "connector/x"), ("delete", "category/a"))
    documents(empty, category("c", "C"), connector("x", "X", "c"))
    step(
        bench, ("create", "category/c"), ("update", "connector/x"), ("delete", "connector/y"), ("delete", "category/b")
    )
    sql(bench.path, "UPDATE records SET owner = 'acme/x' WHERE name = 'x'")
    documents(empty, category("d", "D"))
    assert problems(bench) == ["records in use would be deleted or renamed"]


# names changed outside of a run


def test_names_that_are_swapped_around_the_tool_are_swapped_back(bench: InProcess, empty: Workspace) -> None:
    """As renames: the records keep their identity, and nothing else of them is written."""
    documents(empty, category("a", "A"), category("b", "B"))
    bench.apply()
    before = uids(bench)
    for name, other in (("a", "~"), ("b", "a"), ("~", "b")):
        sql(bench.path, "UPDATE records SET name = ? WHERE name = ?", other, name)
    plan = bench.plan_json()
    assert {change["origin"] for change in plan["changes"]} == {"drift"}
    assert [[field["path"] for field in change["fields"]] for change in plan["changes"]] == [[["metadata", "name"]]] * 2
    step(bench, ("rename", "category/a"), ("rename", "category/b"))
    assert uids(bench) == before


def test_a_name_that_git_and_others_changed(bench: InProcess, empty: Workspace) -> None:
    """To the same there is nothing to do but to note it; to another it is a conflict, and one record still."""
    documents(empty, category("a", "A"))
    bench.apply()
    before = uids(bench)["a"]
    sql(bench.path, "UPDATE records SET name = 'b' WHERE name = 'a'")
    documents(empty, category("b", "A", ", previously: [a]"))
    bench.apply()
    assert actions(bench.plan_json()) == [] and uids(bench) == {"b": before}
    sql(bench.path, "UPDATE records SET name = 'x' WHERE name = 'b'")
    documents(empty, category("c", "A", ", previously: [b]"))
    (change,) = bench.plan_json()["changes"]
    assert (change["action"], change["origin"], change["record"]["address"]) == ("rename", "both", "category/x")
    step(bench, ("rename", "category/c"))
    assert uids(bench) == {"c": before}
