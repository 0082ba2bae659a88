"""The tree ends at its root: nothing is read or written through a link that leads out of it."""

import os
import shutil
from pathlib import Path

import pytest
from conftest import CATEGORY, Workspace, copy_of
from git_world import connector, fill
from live_state import drift

UNTIDY = "kind: Category\napiVersion: reconciler/v1\nspec: {displayName: X}\nmetadata: {name: x}\n"
"""Valid, and not in the canonical form, so that `fmt` would write."""
OPENAPI = """\
openapi: 3.0.0
info: {title: pets, version: "1"}
servers: [{url: "https://pets.example.com"}]
paths: {/pets: {get: {operationId: list, responses: {"200": {description: ok}}}}}
"""


@pytest.fixture
def world(empty: Workspace) -> Workspace:
    """Two commits, applied."""
    return copy_of(empty, "git-world", fill)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that nobody may write to, with a repository of its own in it."""
    folder = tmp_path / "outside"
    (folder / "connectors").mkdir(parents=True)
    (folder / "x.yaml").write_text(UNTIDY)
    (folder / "connectors" / "x.yaml").write_text(UNTIDY)
    (folder / "reconciler.yaml").write_text("apiVersion: reconciler/v1\nkind: Project\nowner: theirs\n")
    return folder


def held(folder: Path) -> dict[str, bytes]:
    """All that is in a folder."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


PLACES = {
    "connectors": "", "policies": "", "connectors/sub": "", "connectors/x.yaml": "x.yaml", "connectors/sub.yaml": "",
    "policies/dangling.yaml": "nothing", "connectors/new": "nothing", "reconciler.yaml": "reconciler.yaml",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_links_are_judged_alike(world: Workspace, outside: Path, place: str) -> None:
    """By validate of the working tree, of the commit, by fmt and by the gate; and nothing is read through them."""
    target = world.root / place
    if target.is_dir():
        shutil.rmtree(target)
    target.symlink_to(outside / PLACES[place])
    before = held(outside)
    world.commit()
    codes = {world.run(*words).exit_code for words in (("validate",), ("validate", "--ref", "HEAD"))}
    refused = place.endswith(".yaml") or place in ("connectors", "policies")
    if place != "reconciler.yaml":
        assert codes == ({3} if refused else {0})
    for words in (
        ("fmt",), ("fmt", "--check"), ("plan",), ("plan", "--full"), ("plan", "--ref", "HEAD"), ("drift",),
        ("adopt", "--dry-run"), ("authorize", "--base", "HEAD~1", "--head", "HEAD", "--actor", "bob"),
        ("authorize", "--base", "HEAD~1", "--head", "WORKTREE", "--actor", "bob"),
    ):  # fmt: skip
        result = world.run(*words)
        assert result.exit_code != 1, result.output
        assert "category/x" not in result.output and "theirs" not in result.output, words
        if refused and words[0] in ("plan", "fmt"):
            assert result.exit_code == 3 or (place == "reconciler.yaml" and "--ref" in words), (words, result.output)
    assert held(outside) == before


@pytest.mark.parametrize("place", ["connectors", "connectors/sub", "connectors/deep/sub"])
@pytest.mark.parametrize("dangling", [False, True])
def test_nothing_is_written_through_a_link(world: Workspace, outside: Path, place: str, dangling: bool) -> None:
    """Neither by import nor by export, with --force or without it, wherever the link lies on the way."""
    target = world.root / place
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(outside / "nothing" if dangling else outside)
    world.write("pets.yaml", OPENAPI)
    before = held(outside)
    for words in (
        ("import", "openapi", "pets.yaml", "--out", place), ("import", "openapi", "pets.yaml", "--out", f"{place}/a/b"),
        ("import", "openapi", "pets.yaml", "--out", f"{place}/x.yaml", "--force"),
        ("export", "--out", place), ("export", "--out", f"{place}/deeper", "--force"),
        *([("import", "openapi", "pets.yaml")] if place == "connectors" else []),
    ):  # fmt: skip
        result = world.run(*words)
        assert result.exit_code in (3, 10, 64), (words, result.output)
    assert held(outside) == before and not (outside / "nothing").exists()


@pytest.mark.parametrize("to", ["x.yaml", "nothing.yaml"])
def test_a_linked_file_is_replaced_and_not_written_to(world: Workspace, outside: Path, to: str) -> None:
    """Without --force it is in the way; with it the link goes."""
    link = world.root / "connectors" / "pets.yaml"
    link.symlink_to(outside / to)
    world.write("pets.yaml", OPENAPI)
    before = held(outside)
    words = ("import", "openapi", "pets.yaml", "--name", "pets", "--out", "connectors/pets.yaml")
    refused = world.run(*words)
    assert refused.exit_code == 64 and "exists" in refused.stderr, refused.output
    assert held(outside) == before
    world.ok(*words, "--force")
    assert held(outside) == before and not link.is_symlink() and link.is_file()


def test_adopt_writes_through_no_link(world: Workspace, outside: Path) -> None:
    """A record that somebody made live goes into a new file below connectors/, which is a link by then."""
    drift(world, "a", "$.spec.description", '"By hand."')
    shutil.copytree(world.root / "connectors", outside / "copy")
    shutil.rmtree(world.root / "connectors")
    (world.root / "connectors").symlink_to(outside / "copy")
    before = held(outside)
    assert world.run("adopt").exit_code == 3
    assert held(outside) == before


@pytest.mark.parametrize("place", ["connectors", "policies", ".github", ".vscode", "reconciler.yaml", ".gitignore"])
@pytest.mark.parametrize("dangling", [False, True])
def test_init_writes_through_no_link(tmp_path: Path, place: str, dangling: bool) -> None:
    """Whether what it leads to is there or not."""
    outside, target = tmp_path / "outside", Workspace(tmp_path / "new")
    target.root.mkdir()
    if not dangling:
        outside.mkdir()
    (target.root / place).symlink_to(outside)
    result = target.run("init")
    assert result.exit_code in (0, 64), result.output
    assert not os.listdir(outside) if outside.exists() else True
    assert dangling is not outside.exists()
    if place not in ("reconciler.yaml", ".gitignore"):
        assert result.exit_code == 64 and "link" in result.stderr


def test_a_hidden_folder_is_where_it_is_named(world: Workspace) -> None:
    """The way to a file that is written is taken as it is."""
    world.write("pets.yaml", OPENAPI)
    world.ok("import", "openapi", "pets.yaml", "--out", ".drafts", "--name", "pets")
    assert (world.root / ".drafts" / "pets.yaml").is_file() and not (world.root / "drafts").exists()


def test_edits_behind_a_flag_and_a_linked_folder(world: Workspace, outside: Path) -> None:
    """A folder that was swapped for a link to the same files is not the commit's."""
    world.write("connectors/sub/c.yaml", connector("c"))
    world.commit()
    world.git("update-index", "--skip-worktree", "connectors/sub/c.yaml")
    shutil.move(world.root / "connectors/sub", outside / "sub")
    (world.root / "connectors/sub").symlink_to(outside / "sub")
    plan = world.run("plan")
    assert "clean at" not in plan.output and plan.stdout == world.run("plan", "--full").stdout, plan.output


def test_a_link_whose_target_is_a_definition(world: Workspace) -> None:
    """A link's target is a text in git, and may read like a policy; it declares nothing."""
    evil = "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: b}\nspec: {subjects: [{user: bob}], superAdmin: true}\n"
    (world.root / "policies" / "b.yaml").symlink_to(evil)
    world.commit()
    world.edit("connectors/a.yaml", "Contacts.", "Others.")
    world.commit()
    for words in (
        ("validate", "--ref", "HEAD", "--changed-since", "HEAD~1"), ("validate", "--ref", "HEAD"), ("validate",),
        ("plan", "--ref", "HEAD"), ("plan", "--ref", "HEAD", "--full"), ("plan",), ("plan", "--full"),
    ):  # fmt: skip
        result = world.run(*words)
        assert result.exit_code == 3 and "policy/b" not in result.output, (words, result.output)
    gate = world.run("authorize", "--base", "HEAD~2", "--head", "HEAD", "--actor", "bob")
    assert gate.exit_code in (3, 4), gate.output


def test_nothing_outside_is_read_for_a_category(world: Workspace, outside: Path) -> None:
    """A definition that a link would bring in is not known to the rest."""
    (outside / "y.yaml").write_text(CATEGORY.replace("crm", "y"))
    (world.root / "connectors" / "y").symlink_to(outside)
    world.edit("connectors/a.yaml", "categories: [crm]", "categories: [y]")
    result = world.run("validate")
    assert result.exit_code == 3 and "RC301" in result.output
