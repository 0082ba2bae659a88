"""What is said to be a commit's is the commit's, byte for byte, and both ways to plan say the same."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CATEGORY, Workspace, copy_of
from git_world import connector, fill
from live_state import sql

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
owner: local
defaultTarget: local
targets: {{local: {{store: "sqlite:.reconciler/store.db"{more}}}}}
"""


@pytest.fixture
def world(empty: Workspace) -> Workspace:
    """Two commits, applied."""
    return copy_of(empty, "git-world", fill)


def agreed(world: Workspace) -> tuple[int, str]:
    """Exit code and output of the plan, which is the same whether everything is read or only what moved."""
    for words in ([], ["-o", "json"], ["-o", "markdown"]):
        part, whole = world.run("plan", *words), world.run("plan", *words, "--full")
        assert (part.exit_code, part.stdout) == (whole.exit_code, whole.stdout), (part.output, whole.output)
    plain = world.run("plan")
    return plain.exit_code, plain.output


def is_clean(world: Workspace) -> bool:
    """Whether the plan says that it is of a commit; then every byte has to be."""
    _, said = agreed(world)
    clean = "clean at commit" in said
    if clean:
        assert said.partition("clean at commit ")[2][:12] == world.git("rev-parse", "HEAD")[:12]
        assert files_of(world) == blobs_of(world)
    return clean


def files_of(world: Workspace) -> dict[str, bytes]:
    """What a reader of the working tree finds."""
    found = {}
    for folder in ("connectors", "policies"):
        for at, _, names in os.walk(world.root / folder):
            for name in names:
                path = Path(at, name)
                if path.suffix in (".yaml", ".yml"):
                    found[path.relative_to(world.root).as_posix()] = path.read_bytes()
    return found


def blobs_of(world: Workspace) -> dict[str, bytes]:
    """What the commit holds."""
    paths = world.git("ls-tree", "-r", "--name-only", "-z", "HEAD", "connectors", "policies").split("\0")[:-1]
    return {path: world.git("cat-file", "-p", f"HEAD:{path}").encode() + b"\n" for path in paths}


def edit_unseen(world: Workspace, path: str = "connectors/a.yaml") -> None:
    """Change a file, leaving its size and its times as they were."""
    target = world.root / path
    about = target.stat()
    target.write_bytes(target.read_bytes().replace(b"Contacts.", b"Hijacked."))
    os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_edits_behind_an_index_flag(world: Workspace, flag: str) -> None:
    """What git was told not to look at is looked at."""
    world.git("update-index", flag, "connectors/a.yaml")
    assert is_clean(world)
    edit_unseen(world)
    code, said = agreed(world)
    assert code == 0 and "changed since commit" in said and "Hijacked" in said


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_definition_that_a_flag_leaves_out(world: Workspace, flag: str) -> None:
    """It is not taken for deleted; the remedy is told."""
    world.git("update-index", flag, "connectors/a.yaml")
    (world.root / "connectors/a.yaml").unlink()
    for words in (["plan"], ["plan", "--full"], ["apply", "--yes", "--as", "margaret"], ["validate"]):
        refused = world.run(*words)
        assert refused.exit_code == 10 and "leaves out connectors/a.yaml" in refused.stderr, words
        assert f"{flag.replace('--', '--no-')} " in refused.stderr
    assert "Nothing to do" in world.ok("plan", "--ref", "HEAD").stdout
    assert sql(world.store, "SELECT count(*) FROM records") == [(4,)]


@pytest.mark.parametrize("way", ["cone", "no-cone", "sparse-index"])
def test_a_sparse_checkout(world: Workspace, way: str) -> None:
    """What it leaves out is not deleted, and what it shows is compared."""
    world.write("connectors/other/c.yaml", connector("c"))
    world.commit()
    world.ok("apply", "--yes", "--as", "margaret")
    if way == "no-cone":
        world.git("sparse-checkout", "set", "--no-cone", "/*", "!/connectors/other/")
    else:
        world.git(
            "sparse-checkout", "set", "--cone", *(["--sparse-index"] if way == "sparse-index" else []), "policies"
        )
    for words in (["plan"], ["plan", "--full"], ["apply", "--yes", "--as", "margaret"]):
        refused = world.run(*words)
        assert refused.exit_code == 10 and "leaves out connectors/" in refused.stderr, (words, refused.output)
    assert "Nothing to do" in world.ok("plan", "--ref", "HEAD").stdout
    world.write("connectors/other/c.yaml", connector("c", "Hijacked."))
    if way == "no-cone":
        code, said = agreed(world)
        assert code == 0 and "Hijacked" in said and "changed since commit" in said


Change = Callable[[Workspace], None]


def attributes(line: str, **config: str) -> Change:
    """Attributes, with the files checked out once more under them."""

    def change(world: Workspace) -> None:
        for name, value in config.items():
            world.git("config", name.replace("__", "."), value)
        world.write(".gitattributes", line + "\n")
        world.git("add", ".gitattributes")
        world.git("commit", "-q", "-m", "attributes")
        shutil.rmtree(world.root / "connectors")
        world.git("checkout", "-q", "--", "connectors")
        world.git("status")

    return change


REWRITTEN: dict[str, tuple[Change, str]] = {
    "filter": (attributes("*.yaml filter=x", filter__x__smudge="sed s/Contacts/Hijacked/", filter__x__clean="sed s/Hijacked/Contacts/"), "Hijacked"),
    "ident": (attributes("*.yaml ident"), ""),
    "encoding": (attributes("*.yaml working-tree-encoding=UTF-16"), ""),
    "crlf": (attributes("*.yaml text eol=crlf"), ""),
    "legacy crlf": (attributes("*.yaml crlf", core__autocrlf="true"), ""),
    "autocrlf": (attributes("*.txt text", core__autocrlf="true"), ""),
    "core.eol": (attributes("*.yaml text=auto", core__eol="crlf"), ""),
}  # fmt: skip


@pytest.mark.parametrize("way", REWRITTEN)
def test_files_that_git_rewrote(world: Workspace, way: str) -> None:
    """They are not the commit's, though git calls them clean."""
    world.write("connectors/a.yaml", connector("a") + "# $Id$\n")
    world.commit()
    change, shown = REWRITTEN[way]
    change(world)
    assert world.git("status", "--porcelain") == ""
    assert files_of(world) != blobs_of(world)
    code, said = agreed(world)
    assert code in (0, 3) and "clean at" not in said and shown in said, said
    assert "Nothing to do" in world.ok("plan", "--ref", "HEAD").stdout


def test_autocrlf_without_a_value(world: Workspace) -> None:
    """A setting that is only named is switched on."""
    config = world.root / ".git" / "config"
    config.write_text(config.read_text() + "[core]\n\tautocrlf\n")
    shutil.rmtree(world.root / "connectors")
    world.git("checkout", "-q", "--", "connectors")
    assert files_of(world) != blobs_of(world)
    assert not is_clean(world)


@pytest.mark.parametrize("line", ["* text=auto", "*.yaml text", "*.yaml text eol=lf", "*.yaml -text", "*.yaml binary"])
def test_harmless_attributes(world: Workspace, line: str) -> None:
    """Files that are the commit's are said to be, whatever attributes they have."""
    attributes(line)(world)
    assert is_clean(world)
    world.ok("validate")
    target = world.root / "connectors/a.yaml"
    target.write_bytes(target.read_bytes().replace(b"\n", b"\r\n"))
    assert not is_clean(world)


@pytest.mark.parametrize("where", [".gitattributes", "connectors/.gitattributes", ".git/info/attributes"])
@pytest.mark.parametrize(
    "attribute", ["filter=x", "ident", "working-tree-encoding=ISO-8859-1", "eol=crlf", "[attr]odd ident\n* odd"]
)
def test_attributes_that_rewrite_are_refused(world: Workspace, where: str, attribute: str) -> None:
    """By validate of the working tree and of the commit, and by the gate."""
    if "[attr]" in attribute and where.startswith("connectors"):
        pytest.skip("git takes macros at the top alone")
    world.write(where, f"* {attribute}\n" if "[attr]" not in attribute else attribute + "\n")
    told = world.run("validate")
    assert told.exit_code == 3 and "RC116" in told.output, told.output
    if where.startswith(".git/"):
        return
    world.git("add", where)
    world.git("commit", "-q", "-m", "attributes")
    assert world.run("validate", "--ref", "HEAD").exit_code == 3
    gate = world.run("authorize", "--base", "HEAD~1", "--head", "HEAD", "--actor", "margaret")
    assert gate.exit_code == 3 and "RC116" in gate.output, gate.output


@pytest.mark.parametrize("how", ["folder", ".gitignore", "exclude"])
def test_ignored_definitions(world: Workspace, how: str) -> None:
    """They are read as all are, and so the working tree is not the commit's."""
    line = "new.yaml\nnew/\n"
    if how == "exclude":
        world.write(".git/info/exclude", line)
    else:
        world.write(".gitignore", ".reconciler/\n" + line)
        world.commit()
    world.write("connectors/new/new.yaml" if how == "folder" else "connectors/new.yaml", connector("new"))
    code, said = agreed(world)
    assert code == 0 and "connector/new" in said and "changed since" in said


def test_other_ignored_files_do_not_count(world: Workspace) -> None:
    """An editor's file beside the definitions is read by nobody."""
    world.write(".git/info/exclude", "*.swp\n.DS_Store\n")
    world.write("connectors/a.yaml.swp", "x")
    world.write("connectors/.DS_Store", "x")
    world.write("reconciler.yaml", PROJECT.format(more=", requireCommit: true"))
    world.commit()
    assert is_clean(world)
    world.edit("connectors/a.yaml", "Contacts.", "Others.")
    world.commit()
    world.ok("apply", "--yes", "--as", "margaret")


@pytest.mark.parametrize("folder", ["connectors", "policies"])
@pytest.mark.parametrize(
    "how", ["nested", "nested ignored", "empty nested", "submodule", "staged submodule", "empty submodule"]
)
def test_repositories_in_the_folders(world: Workspace, tmp_path: Path, folder: str, how: str) -> None:
    """Nothing of a repository of its own is read, and it is told."""
    other = Workspace(tmp_path / "other")
    other.write("x.yaml", CATEGORY.replace("crm", "x"))
    other.commit()
    place = f"{folder}/sub"
    if "submodule" in how:
        world.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), place)
        if how != "staged submodule":
            world.git("commit", "-q", "-m", "submodule")
        if how == "empty submodule":
            world.git("submodule", "--quiet", "deinit", "-f", place)
    elif how == "empty nested":
        (world.root / place).mkdir()
        Workspace(world.root / place).git("init", "-q")
        world.write(f"{place}/x.yaml", CATEGORY.replace("crm", "x"))
    else:
        shutil.copytree(other.root, world.root / place)
        if how == "nested ignored":
            world.write(".git/info/exclude", f"{place}/\n")
    code, said = agreed(world)
    assert code == 3 and "RC101" in said and place in said, said
    assert world.run("validate").exit_code == 3
    gate = world.run("authorize", "--base", "HEAD~1", "--head", "WORKTREE", "--actor", "bob")
    assert gate.exit_code in (3, 4), gate.output


def test_a_submodule_that_is_only_unstaged(world: Workspace, tmp_path: Path) -> None:
    """The commit has it, the index has not: what is there is not the commit's."""
    other = Workspace(tmp_path / "other")
    other.write("README", "x")
    other.commit()
    world.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "connectors/sub")
    world.git("commit", "-q", "-m", "submodule")
    world.git("rm", "-q", "-r", "--cached", "connectors/sub")
    shutil.rmtree(world.root / "connectors/sub")
    assert not is_clean(world)
    assert world.run("validate", "--ref", "HEAD").exit_code == 3


def test_a_repository_around_files_that_are_tracked(world: Workspace) -> None:
    """`git init` in a folder of definitions does not take them away."""
    world.write("connectors/deep/c.yaml", connector("c"))
    world.commit()
    world.ok("apply", "--yes", "--as", "margaret")
    Workspace(world.root / "connectors/deep").git("init", "-q")
    assert is_clean(world)
    world.write("connectors/deep/d.yaml", connector("d"))
    code, said = agreed(world)
    assert code in (0, 3) and "clean at" not in said


@pytest.mark.parametrize("folder", ["connectors", "policies"])
@pytest.mark.parametrize("what", ["link", "dangling", "file", "submodule", "fifo"])
def test_a_folder_that_is_none(world: Workspace, tmp_path: Path, folder: str, what: str) -> None:
    """Nothing is deleted for it, in the working tree and in a commit alike."""
    elsewhere = tmp_path / "elsewhere"
    shutil.move(world.root / folder, elsewhere)
    match what:
        case "link":
            (world.root / folder).symlink_to(elsewhere)
        case "dangling":
            (world.root / folder).symlink_to(tmp_path / "nothing")
        case "file":
            world.write(folder, CATEGORY)
        case "fifo":
            os.mkfifo(world.root / folder)
        case "submodule":
            other = Workspace(tmp_path / "other")
            other.write("x.yaml", CATEGORY)
            other.commit()
            world.git("rm", "-q", "-r", "--cached", folder)
            world.git(
                "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--force", str(other.root), folder
            )
    assert agreed(world)[0] == 3
    assert world.run("validate").exit_code == 3
    assert world.run("apply", "--yes", "--as", "margaret").exit_code == 3
    if what != "fifo":
        world.commit()
        assert agreed(world)[0] == 3
        for words in (["validate", "--ref", "HEAD"], ["plan", "--ref", "HEAD"], ["plan", "--ref", "HEAD", "--full"]):
            assert world.run(*words).exit_code == 3, words
        assert world.run("authorize", "--base", "HEAD~1", "--head", "HEAD", "--actor", "bob").exit_code in (3, 4)


def test_links_that_git_wrote_as_files(world: Workspace) -> None:
    """Where a file system has no links, git puts the target into a file and calls it clean."""
    world.write("shared.yaml", connector("c"))
    (world.root / "connectors/c.yaml").symlink_to("../shared.yaml")
    world.commit()
    world.git("config", "core.symlinks", "false")
    (world.root / "connectors/c.yaml").unlink()
    world.git("checkout", "-q", "--", "connectors/c.yaml")
    assert not (world.root / "connectors/c.yaml").is_symlink()
    assert "clean at" not in agreed(world)[1]


def test_files_that_differ_in_case_alone(world: Workspace) -> None:
    """Where git was told that the file system ignores case, it hides a file beside another one."""
    world.git("config", "core.ignoreCase", "true")
    world.write("connectors/A.yaml", connector("c"))
    assert world.git("status", "--porcelain") == ""
    code, said = agreed(world)
    assert code == 0 and "connector/c" in said and "changed since" in said


def test_an_intent_to_add(world: Workspace) -> None:
    """A file that is only announced is not the commit's, even an empty one."""
    world.write("connectors/c.yaml", "")
    world.git("add", "-N", "connectors/c.yaml")
    assert not is_clean(world)
    world.write("connectors/c.yaml", connector("c"))
    assert "connector/c" in agreed(world)[1]


def test_a_conflict(world: Workspace) -> None:
    """What is half merged is not the commit's."""
    world.git("checkout", "-q", "-b", "one")
    world.edit("connectors/a.yaml", "Contacts.", "One.")
    world.commit()
    world.git("checkout", "-q", "main")
    world.edit("connectors/a.yaml", "Contacts.", "Two.")
    world.commit()
    with pytest.raises(Exception, match="merge"):
        world.git("merge", "-q", "one")
    assert agreed(world)[0] == 3
    world.write("connectors/a.yaml", world.git("show", "HEAD:connectors/a.yaml") + "\n")
    assert not is_clean(world)


@pytest.mark.parametrize("setting", ["core.trustCTime=false", "core.checkStat=minimal", "core.ignoreStat=true", ""])
def test_an_edit_with_the_same_size_and_time(world: Workspace, setting: str) -> None:
    """Whatever git was told to go by."""
    if setting:
        world.git("config", *setting.split("="))
    time.sleep(1.1)  # git compares no more than the seconds of the time at which a file's entry changed
    edit_unseen(world)
    code, said = agreed(world)
    assert code == 0 and "Hijacked" in said and "changed since" in said


@pytest.mark.parametrize("demand", ["requireCommit: true", "requireCommitOn: main"])
def test_a_target_that_demands_a_commit_applies_its_blobs(world: Workspace, demand: str) -> None:
    """What lies in the working tree at the moment of reading does not count, as long as nothing is said to differ."""
    world.write("reconciler.yaml", PROJECT.format(more=f", {demand}"))
    world.edit("connectors/a.yaml", "Contacts.", "Reviewed.")
    world.commit()
    world.edit("connectors/a.yaml", "Reviewed.", "Hijacked.")
    refused = world.run("apply", "--yes", "--as", "margaret")
    assert refused.exit_code == 5 and "commit" in refused.stderr, refused.output
    world.git("checkout", "-q", "--", "connectors")
    checked_out_otherwise(world)
    applied = world.ok("apply", "--yes", "--as", "margaret")
    assert "Reviewed." in applied.stdout and "Hijacked" not in applied.output
    assert sql(world.store, "SELECT count(*) FROM documents WHERE live LIKE '%Hijacked%'") == [(0,)]


def checked_out_otherwise(world: Workspace) -> None:
    """A checkout made under attributes which are gone since: git calls it clean, and its bytes are others."""
    world.write(".git/info/attributes", "*.yaml filter=x\n")
    world.git("config", "filter.x.smudge", "sed s/Reviewed/Hijacked/")
    world.git("config", "filter.x.clean", "sed s/Hijacked/Reviewed/")
    (world.root / "connectors/a.yaml").unlink()
    world.git("checkout", "-q", "--", "connectors")
    time.sleep(1.1)
    world.git("update-index", "--refresh")
    (world.root / ".git/info/attributes").unlink()
    assert b"Hijacked" in (world.root / "connectors/a.yaml").read_bytes()
    assert world.git("status", "--porcelain") == ""


def test_a_checkout_under_other_attributes(world: Workspace) -> None:
    """What git calls clean is read from the commit, by every way to plan."""
    world.edit("connectors/a.yaml", "Contacts.", "Reviewed.")
    world.commit()
    checked_out_otherwise(world)
    code, said = agreed(world)
    assert code == 0 and "clean at commit" in said and "Reviewed." in said and "Hijacked" not in said
