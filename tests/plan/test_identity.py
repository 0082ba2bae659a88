"""Which live record a resource is: names, earlier names, display names, owners, and the order of changes."""

from collections.abc import Callable

import pytest
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace
from live_state import InProcess, actions, plan_of, sql


def category(name: str, display: str, extra: str = "") -> str:
    """A category."""
    return f"apiVersion: reconciler/v1\nkind: Category\nmetadata: {{name: {name}{extra}}}\nspec: {{displayName: {display}}}\n"


def connector(name: str, display: str, in_category: str, extra: str = "") -> str:
    """A connector without endpoints."""
    return f"apiVersion: reconciler/v1\nkind: Connector\nmetadata: {{name: {name}{extra}}}\nspec: {{displayName: {display}, categories: [{in_category}]}}\n"


def group(name: str, *below: str) -> str:
    """A group of groups."""
    return f"apiVersion: reconciler/v1\nkind: Group\nmetadata: {{name: {name}}}\nspec: {{displayName: G {name}, members: {{mode: authoritative, groups: [{', '.join(below)}]}}}}\n"


def documents(workspace: Workspace, *texts: str, at: str = "connectors/all.yaml") -> None:
    """Make these the documents of a file."""
    workspace.write(at, "---\n".join(texts))


@pytest.fixture
def bench(empty: Workspace) -> InProcess:
    """An empty repository, planned and applied in this process."""
    return InProcess(empty.root, empty.env)


def step(bench: InProcess, *expected: tuple[str, str], **options: object) -> None:
    """The plan is this; apply it; then it is empty."""
    assert actions(bench.plan_json(**options)) == list(expected)
    bench.apply(**options)
    assert actions(bench.plan_json()) == []


def test_names_are_swapped_in_three_steps(bench: InProcess, empty: Workspace) -> None:
    """By way of a third name; the records keep their identity."""
    documents(empty, category("a", "One"), category("b", "Two"))
    bench.apply()
    uids = dict(sql(bench.path, "SELECT name, uid FROM records"))
    documents(empty, category("c", "One", ", previously: [a]"), category("b", "Two"))
    step(bench, ("rename", "category/c"))
    documents(empty, category("c", "One"), category("a", "Two", ", previously: [b]"))
    step(bench, ("rename", "category/a"))
    documents(empty, category("b", "One", ", previously: [c]"), category("a", "Two"))
    step(bench, ("rename", "category/b"))
    assert dict(sql(bench.path, "SELECT name, uid FROM records")) == {"a": uids["b"], "b": uids["a"]}


def test_a_chain_of_earlier_names(bench: InProcess, empty: Workspace) -> None:
    """A store that missed renames in between catches up in one; one that never had any creates."""
    documents(empty, category("a", "One"))
    bench.apply()
    documents(empty, category("d", "One", ", previously: [c, b, a]"))
    step(bench, ("rename", "category/d"))
    bench.path.unlink()
    assert actions(bench.plan_json()) == [("create", "category/d")]


def test_a_renamed_category_takes_its_connectors_along(bench: InProcess, empty: Workspace) -> None:
    """The rename is an update of the category and of what refers to it, with their own changes besides."""
    documents(empty, category("old", "Old"), connector("x", "X", "old"), connector("y", "Y", "old"))
    bench.apply()
    documents(
        empty,
        category("new", "New", ", previously: [old]"),
        connector("x", "X2", "new"),
        connector("z", "Y", "new", ", previously: [y]"),
    )
    step(bench, ("rename", "category/new"), ("update", "connector/x"), ("rename", "connector/z"))
    assert sorted(sql(bench.path, "SELECT DISTINCT kind, name FROM refs")) == [("Category", "new")]


def test_a_category_gives_its_display_name_to_its_successor(bench: InProcess, empty: Workspace) -> None:
    """Replaced, not renamed: the unique name passes from the one that goes to the one that comes."""
    documents(empty, category("old", "Sales"), connector("x", "X", "old"))
    bench.apply()
    documents(empty, category("new", "SALES"), connector("x", "X", "new"))
    step(bench, ("create", "category/new"), ("update", "connector/x"), ("delete", "category/old"))


def test_display_names_go_round_in_a_ring(bench: InProcess, empty: Workspace) -> None:
    """In one transaction, whatever the order."""
    documents(empty, *(category(f"c{n}", f"D{n}") for n in range(4)))
    bench.apply()
    documents(empty, *(category(f"c{n}", f"D{(n + 1) % 4}") for n in range(4)))
    step(bench, *(("update", f"category/c{n}") for n in range(4)))


def test_nested_groups_come_from_the_inside_out(bench: InProcess, empty: Workspace) -> None:
    """What is referred to first; deletes in reverse."""
    documents(empty, category("keep", "Keep"))
    documents(empty, group("a", "z", "m"), group("m", "z"), group("z"), group("b"), at="policies/all.yaml")
    inside_out = ["group/b", "group/z", "group/m", "group/a"]
    step(bench, ("create", "category/keep"), *(("create", name) for name in inside_out))
    (empty.root / "policies/all.yaml").unlink()
    step(bench, *(("delete", name) for name in ["group/a", "group/m", "group/b", "group/z"]))


def test_deep_nests_do_not_exhaust_the_stack(bench: InProcess, empty: Workspace) -> None:
    """Two thousand levels of groups, declared from the outside in."""
    names = [f"g{n:04}" for n in range(2000)]
    documents(empty, category("keep", "Keep"))
    documents(empty, *(group(name, *names[at + 1 : at + 2]) for at, name in enumerate(names)), at="policies/all.yaml")
    assert [name for _, name in actions(bench.plan_json())] == [
        "category/keep",
        *(f"group/{name}" for name in reversed(names)),
    ]


def test_an_earlier_name_that_is_somebody_elses_now_is_left_alone(bench: InProcess, empty: Workspace) -> None:
    """Unless it is to be adopted."""
    documents(empty, category("mine", "Mine", ", previously: [theirs]"))
    bench.apply()
    sql(bench.path, "UPDATE records SET owner = 'somebody/else', name = 'theirs', display = 'theirs'")
    assert actions(bench.plan_json()) == [("create", "category/mine")]
    assert actions(bench.plan_json(adopt=True)) == [("adopt", "category/mine")]
    sql(bench.path, "UPDATE records SET owner = ''")
    plan = bench.plan_json()
    assert actions(plan) == [("adopt", "category/mine")]
    assert plan["problems"][0]["details"] == ["category/theirs belongs to nobody"]
    step(bench, ("adopt", "category/mine"), adopt=True)


def test_what_is_kept_may_still_be_in_the_way(bench: InProcess, empty: Workspace) -> None:
    """Without pruning a kept record keeps its display name and what it refers to."""
    documents(empty, category("a", "A"), connector("x", "X", "a"))
    bench.apply()
    documents(empty, category("b", "A", ", previously: [a]"), connector("y", "x", "b"))
    plan = bench.plan_json(prune=False)
    assert [problem["message"] for problem in plan["problems"]] == [
        "display names are taken",
        "records in use would be deleted or renamed",
    ]
    assert [problem["details"] for problem in plan["problems"]] == [
        ["connector/y has the display name of connector/x, which belongs to local"], ["connector/x refers to category/a"]
    ]  # fmt: skip
    assert plan["summary"]["kept"] == 1
    step(bench, ("rename", "category/b"), ("create", "connector/y"), ("delete", "connector/x"))


def test_ignored_references_keep_what_they_refer_to(bench: InProcess, empty: Workspace) -> None:
    """A category that the live side chose for a connector cannot be deleted under it."""
    documents(
        empty,
        category("a", "A"),
        category("b", "B"),
        connector("x", "X", "a").replace("spec: {", "spec: {lifecycle: {ignore: [categories, displayName]}, "),
    )
    bench.apply()
    sql(
        bench.path,
        "UPDATE documents SET live = json_set(live, '$.spec.categories', json('[\"b\"]'), '$.spec.displayName', 'Theirs') WHERE live LIKE '%ignore%'",
    )
    assert actions(bench.plan_json()) == []
    text = connector("x", "X", "a").replace(
        "spec: {", "spec: {description: more, lifecycle: {ignore: [categories, displayName]}, "
    )
    documents(empty, category("a", "A"), text)
    plan = bench.plan_json()
    assert actions(plan) == [("update", "connector/x"), ("delete", "category/b")]
    assert plan["problems"][0]["details"] == ["connector/x refers to category/b"]
    documents(empty, category("a", "A"), category("b", "B"), text, connector("y", "THEIRS", "a"))
    (problem,) = bench.plan_json()["problems"]
    assert problem["details"] == ["connector/y would have the display name of connector/x"]
    documents(empty, category("a", "A"), category("b", "B"), text, connector("y", "Y", "a"))
    step(bench, ("update", "connector/x"), ("create", "connector/y"))


def test_two_repositories_take_turns(make_workspace: Callable[[str], Workspace], empty: Workspace) -> None:
    """Each prunes its own; moving a record from one to the other is an adoption."""
    benches = []
    for name in ("one", "two"):
        space = make_workspace(name)
        space.write(
            "reconciler.yaml",
            f"apiVersion: reconciler/v1\nkind: Project\nowner: acme/{name}\ntargets: {{shared: {{store: 'sqlite:{empty.root}/s.db'}}}}\n",
        )
        documents(space, category(name, name), category(f"{name}-more", f"{name} more"))
        bench = InProcess(space.root, {})
        bench.apply()
        benches.append((space, bench))
    (one, bench_one), (two, bench_two) = benches
    documents(one, category("one", "one"))
    documents(
        two, category("two", "two"), category("one-more", "one more"), category("x", "y", ", previously: [two-more]")
    )
    plan = bench_two.plan_json()
    assert actions(plan) == [("adopt", "category/one-more"), ("rename", "category/x")]
    assert [problem["exitCode"] for problem in plan["problems"]] == [5]
    step(bench_two, ("adopt", "category/one-more"), ("rename", "category/x"), adopt=True)
    step(bench_one)
    owners = dict(sql(empty.root / "s.db", "SELECT name, owner FROM records"))
    assert owners == {"one": "acme/one", "two": "acme/two", "one-more": "acme/two", "x": "acme/two"}


def test_a_limit_in_the_project_file_is_meant(workspace: Workspace) -> None:
    """Only the built-in limit lets a few deletes pass in any case."""
    text = "apiVersion: reconciler/v1\nkind: Project\ntargets: {local: {store: 'sqlite:.reconciler/store.db', maxDeletes: 'LIMIT'}}\n"
    workspace.write("reconciler.yaml", text.replace("LIMIT", "1"))
    workspace.ok("apply", "--yes", "-q")
    (workspace.root / "policies/team.yaml").unlink()
    for limit, message in (("1", "the limit is 1\n"), ("30%", "the limit is 1 (30%)\n"), ("0", "the limit is 0\n")):
        workspace.write("reconciler.yaml", text.replace("LIMIT", limit))
        result = workspace.run("apply", "--yes")
        assert result.exit_code == 5 and f"2 of 4 records would be deleted; {message}" in result.stderr
    workspace.ok("apply", "--yes", "--max-deletes", "50%")


def test_all_objections_are_told_at_once(workspace: Workspace) -> None:
    """By plan and by apply, with what each is about."""
    workspace.edit(
        "policies/team.yaml",
        "  displayName: Integration team",
        "  displayName: Integration team\n  lifecycle: {protect: true}",
    )
    workspace.ok("apply", "--yes", "-q")
    sql(workspace.store, "UPDATE records SET owner = 'acme/x' WHERE name = 'crm'")
    (workspace.root / "policies/team.yaml").unlink()
    for line in ("plan --max-deletes 0", "apply --yes --max-deletes 0"):
        result = workspace.run(*line.split())
        assert result.exit_code == 5
        for text in ("2 of 3 records would be deleted; the limit is 0", "a protected record would be deleted", "group/integrators",
                     "1 live record does not belong to this repository", "category/crm belongs to acme/x"):  # fmt: skip
            assert text in result.output, line


def test_a_missing_folder_and_an_empty_source(workspace: Workspace) -> None:
    """Nothing is deleted because a checkout went wrong; removing a part on purpose is a matter of the limit."""
    workspace.ok("apply", "--yes", "-q")
    (workspace.root / "connectors/crm.yaml").rename(workspace.root.parent / "crm.txt")
    plan = plan_of(workspace)
    assert actions(plan) == [("delete", "connector/crm-contacts"), ("delete", "category/crm")]
    (workspace.root / "policies/team.yaml").write_text("# nothing here\n---\n")
    plan = plan_of(workspace)
    assert (actions(plan), plan["problems"][0]["exitCode"], plan["summary"]["kept"]) == ([], 5, 4)
    import shutil

    shutil.rmtree(workspace.root / "connectors")
    assert plan_of(workspace)["problems"][0]["message"] == "the source defines nothing, but 4 live records belong to it"
    shutil.rmtree(workspace.root / "policies")
    result = workspace.run("plan")
    assert result.exit_code == 64 and "not a configuration repository" in result.stderr


def test_the_working_tree_says_whether_it_is_dirty(workspace: Workspace) -> None:
    """In the plan, and in the store's record of the run."""
    assert plan_of(workspace)["source"] == {"commit": None, "ref": None, "dirty": False}
    workspace.write(".gitignore", ".reconciler/\n")
    commit = workspace.commit()
    workspace.ok("apply", "--yes", "-q")
    assert plan_of(workspace)["source"] == {"commit": commit, "ref": None, "dirty": False}
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    assert plan_of(workspace)["source"] == {"commit": commit, "ref": None, "dirty": True}
    assert f"from the working tree, changed since commit {commit[:12]}" in workspace.ok("apply", "--yes").stdout
    assert sql(workspace.store, "SELECT git_commit FROM runs") == [(commit,), (f"{commit}-dirty",)]
    workspace.ok("apply", "--yes", "-q", "--ref", "HEAD")
    assert "method: GET" in workspace.ok("get", "connector/crm-contacts").stdout, "an earlier commit is the way back"


def test_formats_agree(workspace: Workspace) -> None:
    """Text, JSON and Markdown count alike, change by change."""
    workspace.write(
        "connectors/more.yaml", category("a", "A") + "---\n" + category("b", "B") + "---\n" + category("c", "C")
    )
    workspace.ok("apply", "--yes", "-q")
    sql(workspace.store, "UPDATE records SET owner = 'acme/x' WHERE name = 'c'")
    workspace.write(
        "connectors/more.yaml",
        category("a2", "A", ", previously: [a]") + "---\n" + category("n", "N") + "---\n" + category("c", "C"),
    )
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    plan = plan_of(workspace, "--adopt")
    wanted = {"create": 1, "update": 1, "rename": 1, "adopt": 1, "delete": 1}
    assert {action: plan["summary"][action] for action in wanted} == wanted
    text = workspace.ok("plan", "--adopt").stdout
    assert text.splitlines()[-1] == "1 to create, 1 to update, 1 to rename, 1 to adopt, 1 to delete (1 with drift)."
    markdown = workspace.ok("plan", "--adopt", "-o", "markdown").stdout
    assert markdown.splitlines()[0] == "### Plan for local: " + text.splitlines()[-1].rstrip(".")
    marks = {"create": "+", "update": "~", "rename": "»", "adopt": "&", "delete": "-"}
    for change in plan["changes"]:
        mark, address = marks[change["action"]], change["address"]
        assert any(line.startswith(f"{mark} {address}") for line in text.splitlines())
        assert f"#### `{mark}` {change['action']} `{address}`" in markdown
    done = workspace.ok("apply", "--yes", "--adopt").stdout.splitlines()[-1]
    assert done == "Applied to local: 1 created, 1 updated, 1 renamed, 1 adopted, 1 deleted; 1 secret resolved."


def test_a_plan_is_the_same_on_every_machine(workspace: Workspace, make_workspace: Callable[[str], Workspace]) -> None:
    """It depends on the definitions, not on files, their order, or hash seeds."""
    other = make_workspace("other")
    other.write("connectors/z.yaml", CATEGORY)
    other.write("connectors/sub/a.yaml", CONNECTOR)
    other.write("policies/z.yaml", "---\n".join(reversed(POLICY.split("---\n"))))
    found = []
    for space, seed in ((workspace, "1"), (workspace, "2"), (other, "3")):
        text = space.ok("plan", env={"PYTHONHASHSEED": seed}).stdout
        found.append("\n".join(line.split("  ")[0] if line[:1] in "+-~" else line for line in text.splitlines()))
    assert found[0] == found[1] == found[2]
