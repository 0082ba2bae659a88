"""A definition that is not read is told, and no record is deleted that one stands for."""

import json

import pytest
from conftest import CONNECTOR, Workspace, copy_of
from git_world import connector, fill
from live_state import sql

ESCAPED = r'{"apiVersion": "reconciler\/v1", "kind": "Connector", "metadata": {"name": "a"}, "spec": {}}'
PLACES = {
    "connectors/a.YAML": "", "connectors/a.Yml": "", "connectors/a.yaml.bak": "", "connectors/a.yml~": "",
    "connectors/a.yaml.disabled": "", "connectors/a.yaml.orig": "", "connectors/a.yaml_old": "", "connectors/a": "",
    "connectors/a.txt": "", "connectors/.a.yaml": "", "connectors/.old/a.yaml": "", "connectors/x/.y/z/a.yml": "",
    ".hidden/a.yaml": "", "a.yaml": "", "Connectors/a.yaml": "", "conectors/deep/a.yaml": "", "policy/a.yml": "",
    "connectors/a.json": "json", "a.json": "json", "connectors/a.JSON": "escaped", "backup/a.json.1": "escaped",
    "connectors/b.yaml.bak": "broken",
}  # fmt: skip


@pytest.fixture
def world(empty: Workspace) -> Workspace:
    """Two commits, applied."""
    return copy_of(empty, "git-world", fill)


def put(world: Workspace, place: str) -> None:
    """Move a definition to where it is not read."""
    (world.root / "connectors/a.yaml").unlink()
    match PLACES[place]:
        case "json":
            text = json.dumps(
                {"apiVersion": "reconciler/v1", "kind": "Connector", "metadata": {"name": "a"}, "spec": {}}
            )
        case "escaped":
            text = ESCAPED
        case "broken":
            text = connector("a") + "\n\t- [\n"
        case _:
            text = connector("a")
    world.write(place, text)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_not_read_is_told_and_deletes_nothing(world: Workspace, place: str) -> None:
    """In the working tree and in the commit, by a plan of what moved and by one of everything."""
    put(world, place)
    for committed in (False, True):
        if committed:
            world.commit()
        for ref in ([], ["--ref", "HEAD"]) if committed else ([],):
            told = world.ok("validate", *ref)
            assert "warning[RC117]" in told.output and place in told.output, told.output
            assert world.run("validate", "--strict", *ref).exit_code == 3
            for full in ([], ["--full"]):
                plan = world.run("plan", *ref, *full)
                assert plan.exit_code == 5 and f"connector/a is defined in {place}" in plan.output, plan.output
                assert "- connector/a" not in plan.output
    applied = world.run("apply", "--yes", "--as", "margaret")
    assert applied.exit_code == 5, applied.output
    assert sql(world.store, "SELECT count(*) FROM records WHERE name = 'a'") == [(1,)]


def test_what_git_ignores_is_told_too(world: Workspace) -> None:
    """A backup that is not in the commit stops the delete as well, where the plan is of that commit."""
    world.write(".gitignore", ".reconciler/\n*.bak\n")
    put(world, "connectors/a.yaml.bak")
    world.commit()
    for words in (["plan"], ["plan", "--full"], ["apply", "--yes", "--as", "margaret"]):
        result = world.run(*words)
        assert result.exit_code == 5 and "is defined in connectors/a.yaml.bak" in result.output, result.output


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("connectors/README.md", f"# How\n\n```yaml\n{CONNECTOR}```\n"), ("docs/how.md", CONNECTOR),
        ("examples/crm/reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: x\n"),
        ("connectors/other.json", '{"apiVersion": "v1"}'), ("node_modules/x/a.yaml", CONNECTOR),
        ("k8s.yaml", "apiVersion: v1\nkind: Pod\n# as reconciler/v1 does\n"),
    ],
)  # fmt: skip
def test_what_is_no_definition_is_not_told(world: Workspace, place: str, text: str) -> None:
    """A text about definitions, another tool's file, another repository's."""
    world.write(place, text)
    if place.startswith("examples"):
        world.write("examples/crm/connectors/a.yaml", connector("a"))
    world.commit()
    for ref in ([], ["--ref", "HEAD"]):
        assert "RC117" not in world.ok("validate", *ref).output
