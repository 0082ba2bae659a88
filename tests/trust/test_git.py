"""Git starts no program, takes no orders from the repository, and shows what the ids name."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CATEGORY, Workspace, clean_environment, copy_of
from git_world import OWNERS, READING, Canary, connector, fill, singing, touch
from live_state import drift

Arm = Callable[[Workspace, Canary], None]


@pytest.fixture
def world(empty: Workspace) -> Workspace:
    """Two commits, applied."""
    return copy_of(empty, "git-world", fill)


@pytest.fixture
def canary(tmp_path: Path) -> Canary:
    """A program that nobody may start."""
    return Canary(tmp_path / "outside")


def plainly(workspace: Workspace, *words: str) -> None:
    """Run git as it is, whatever comes of it."""
    subprocess.run(["git", *words], cwd=workspace.root, env=clean_environment(), capture_output=True, check=False)


def configured(**values: str) -> Arm:
    """Set in the repository's settings, where CANARY stands for the program."""

    def arm(workspace: Workspace, canary: Canary) -> None:
        for name, value in values.items():
            key = name.replace("__", ".")
            workspace.git("config", key, value.replace("CANARY", str(canary)))

    return arm


def filtered(name: str, part: str) -> Arm:
    """A filter of that name, by attributes that are not in the commit."""

    def arm(workspace: Workspace, canary: Canary) -> None:
        workspace.git("config", f"filter.{name}.{part}", str(canary))
        workspace.git("config", f"filter.{name}.required", "true")
        workspace.write(".git/info/attributes", f"*.yaml filter={name}\n")

    return arm


def hooked(name: str) -> Arm:
    """A hook."""

    def arm(workspace: Workspace, canary: Canary) -> None:
        canary.place(workspace.root / ".git" / "hooks" / name)

    return arm


def included(workspace: Workspace, canary: Canary) -> None:
    """Settings in a file of the commit, which the repository's settings include."""
    workspace.write("git.conf", f'[core]\n\tfsmonitor = {canary}\n[filter "z"]\n\tclean = {canary}\n')
    workspace.git("config", "includeIf.gitdir:**.path", str(workspace.root / "git.conf"))


def textconv(workspace: Workspace, canary: Canary) -> None:
    """A program that makes text of a file for git to compare or search."""
    workspace.git("config", "diff.x.textconv", str(canary))
    workspace.git("config", "diff.x.command", str(canary))
    workspace.write(".git/info/attributes", "*.yaml diff=x\n")
    workspace.edit("connectors/a.yaml", "Contacts.", "Others.")


ARMS: dict[str, tuple[Arm, tuple[str, ...]]] = {
    "fsmonitor": (configured(core__fsmonitor="CANARY"), ("status",)),
    "included fsmonitor": (included, ("status",)),
    "clean filter": (filtered("x", "clean"), ("status",)),
    "clean filter with an equals sign": (filtered("a=b.c", "clean"), ("status",)),
    "clean filter in capitals": (filtered("X.Y", "clean"), ("status",)),
    "filter process": (filtered("x", "process"), ("status",)),
    "smudge filter": (filtered("x", "smudge"), ("archive", "HEAD")),
    "textconv": (textconv, ("diff",)),
    "what shows, asks and edits": (configured(
        diff__external="CANARY", core__pager="CANARY", pager__status="CANARY", color__ui="always", credential__helper="!CANARY",
        core__sshCommand="CANARY", core__askPass="CANARY", core__editor="CANARY", sequence__editor="CANARY", core__alternateRefsCommand="CANARY",
    ), ()),
    "hook on the index": (hooked("post-index-change"), ("add", ".")),
    "hook on refs": (hooked("reference-transaction"), ("update-ref", "refs/heads/x", "HEAD")),
    "hooks elsewhere": (configured(core__hooksPath="CANARYS"), ()),
    "hook on checkout": (hooked("post-checkout"), ("checkout", "-q", "HEAD")),
    "signatures": (configured(gpg__program="CANARY", commit__gpgSign="true", log__showSignature="true"), ("commit", "--allow-empty", "-m", "x")),
}  # fmt: skip


@pytest.mark.parametrize("name", ARMS)
def test_no_program_of_the_settings_is_started(world: Workspace, canary: Canary, name: str) -> None:
    """Whatever the repository's settings, attributes and hooks name; where plain git would, that is seen first."""
    arm, proof = ARMS[name]
    drift(world, "a", "$.spec.description", '"By hand."')
    arm(world, canary)
    touch(world)
    if proof:
        plainly(world, *proof)
        assert not canary.is_silent(), "git itself does not start it: the attack is none"
    assert singing(world, canary, ("adopt", "--branch", "live"), ("apply", "--yes", "--as", "margaret")) == []
    assert world.git("-c", "core.hooksPath=/dev/null", "rev-parse", "--verify", "live")


def diverged(world: Workspace) -> None:
    """Both sides change the same file, so that a merge has to look into it."""
    world.write("connectors/c.yaml", connector("c") + "\n# 1\n# 2\n# 3\n# 4\n# 5\n")
    world.commit()
    world.git("checkout", "-q", "-b", "change")
    world.edit("connectors/c.yaml", "# 5", "# five")
    world.write(".gitattributes", "*.yaml merge=x\n")
    world.commit()
    world.git("checkout", "-q", "main")
    world.edit("connectors/c.yaml", "Contacts.", "Others.")
    world.commit()


@pytest.mark.parametrize("chosen", ["head", "info", "default"])
def test_no_program_merges(world: Workspace, canary: Canary, chosen: str) -> None:
    """Neither by attributes of the head, of the clone or of the checkout, nor as the default of the settings."""
    diverged(world)
    world.git("config", "merge.x.driver", f"{canary} %A")
    if chosen == "default":
        world.git("config", "merge.default", "x")
    if chosen == "info":
        world.write(".git/info/attributes", "* merge=x\n")
    world.git("checkout", "-q", "change")
    plainly(world, "merge", "--no-commit", "main")
    assert not canary.is_silent(), "git itself does not start it: the attack is none"
    plainly(world, "merge", "--abort")
    plainly(world, "reset", "-q", "--hard")
    world.git("checkout", "-q", "change" if chosen == "head" else "main")
    canary.is_silent()
    result = world.run("authorize", "--base", "main", "--head", "change", "--actor", "margaret")
    assert canary.is_silent()
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("form", ["ssh", "ext", "path"])
def test_nothing_is_fetched_into_a_partial_clone(world: Workspace, canary: Canary, tmp_path: Path, form: str) -> None:
    """A missing object would make git start what the settings name to reach the remote."""
    world.git("config", "uploadpack.allowFilter", "true")
    partial = Workspace(tmp_path / "partial")
    plainly(world, "clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{world.root}", str(partial.root))
    urls = {"ssh": "ssh://none.example/x", "ext": f"ext::{canary}", "path": str(world.root)}
    partial.git("config", "remote.origin.url", urls[form])
    partial.git("config", "remote.origin.uploadpack", str(canary))
    partial.git("config", "core.sshCommand", str(canary))
    partial.git("config", "protocol.ext.allow", "always")
    partial.git("config", "protocol.allow", "always")
    plainly(partial, "cat-file", "-p", "HEAD:connectors/a.yaml")
    assert not canary.is_silent(), "git itself does not start it: the attack is none"
    (partial.root / "connectors").mkdir()
    for words in READING:
        partial.run(*words)
        assert canary.is_silent(), words
    missing = partial.run("plan", "--ref", "HEAD")
    assert missing.exit_code == 10 and "git cannot read object" in missing.stderr and "refetch" in missing.stderr


FAKE = """\
[core]
\trepositoryformatversion = 0
\tbare = false
\tworktree = ..
\tfsmonitor = "{canary}; false"
[filter "x"]
\tclean = {canary}
"""


@pytest.mark.parametrize("below", ["crm", ""])
def test_a_folder_that_looks_like_a_repository(world: Workspace, canary: Canary, tmp_path: Path, below: str) -> None:
    """The commit brings HEAD, config, objects and refs along, where the definitions are."""
    mono = Workspace(tmp_path / "mono")
    inner = Workspace(mono.root / below)
    for name in ("connectors", "policies"):
        shutil.copytree(world.root / name, inner.root / name)
    inner.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: a/b\n")
    mono.commit()
    mono.commit()
    inner.write("HEAD", "ref: refs/heads/main\n")
    inner.write("objects/keep", "")
    inner.write("refs/keep", "")
    inner.write("config", FAKE.format(canary=canary))
    shutil.copy(mono.root / ".git" / "index", inner.root / "index")
    mono.git("-c", "safe.bareRepository=explicit", "add", "-A", "--force")
    mono.git("-c", "safe.bareRepository=explicit", "commit", "-q", "-m", "evil")
    if below:
        plainly(inner, "status")
        assert not canary.is_silent(), "git itself does not start it: the attack is none"
    assert singing(inner, canary, ("apply", "--yes", "--as", "margaret")) == []
    assert inner.ok("history", "-o", "json").stdout.count(mono.git("rev-parse", "HEAD")) >= 1


@pytest.mark.parametrize("place", ["bin", "./bin", "", ".", "/absolute"])
def test_git_is_not_taken_from_the_repository(world: Workspace, canary: Canary, place: str) -> None:
    """Neither by a relative folder on the PATH nor by one that lies in the repository."""
    folder = world.root / (place if place not in ("/absolute", "", ".") else "bin" if place == "/absolute" else "")
    canary.place(folder / "git")
    first = str(folder) if place == "/absolute" else place
    path = f"{first}{os.pathsep}{os.environ['PATH']}"
    assert singing(world, canary, env={"PATH": path}) == []


REDIRECTING = {
    "GIT_DIR": "{other}/.git", "GIT_WORK_TREE": "{other}", "GIT_INDEX_FILE": "{other}/.git/index",
    "GIT_OBJECT_DIRECTORY": "{other}/.git/objects", "GIT_ALTERNATE_OBJECT_DIRECTORIES": "{other}/.git/objects",
    "GIT_COMMON_DIR": "{other}/.git", "GIT_NAMESPACE": "x", "GIT_SHALLOW_FILE": "{other}/shallow",
    "GIT_GRAFT_FILE": "{other}/grafts", "GIT_REPLACE_REF_BASE": "refs/heads", "GIT_PREFIX": "policies/",
    "GIT_ICASE_PATHSPECS": "1", "GIT_CEILING_DIRECTORIES": "/", "GIT_IMPLICIT_WORK_TREE": "0", "GIT_ATTR_SOURCE": "HEAD~1",
    "GIT_CONFIG": "{other}/config", "GIT_CONFIG_PARAMETERS": "'core.fsmonitor'='{canary}'",
    "GIT_EXTERNAL_DIFF": "{canary}", "GIT_SSH": "{canary}", "GIT_SSH_COMMAND": "{canary}", "GIT_ASKPASS": "{canary}",
    "GIT_PAGER": "{canary}", "GIT_EDITOR": "{canary}", "GIT_PROXY_COMMAND": "{canary}", "GIT_EXEC_PATH": "{other}",
    "GIT_TEMPLATE_DIR": "{other}", "GIT_TRACE": "{other}/traced", "GIT_TRACE2_EVENT": "{other}/traced",
    "GIT_TRACE_PACKET": "{other}/traced", "GIT_DEFAULT_HASH": "sha256", "GIT_QUARANTINE_PATH": "{other}",
}  # fmt: skip


def test_the_environment_does_not_redirect_git(world: Workspace, canary: Canary, make_workspace) -> None:
    """Each command says the same with all of git's variables set as without, and nothing is traced."""
    other = make_workspace("other")
    other.write("connectors/x.yaml", CATEGORY.replace("crm", "x"))
    other.commit()
    env = {name: value.format(other=other.root, canary=canary) for name, value in REDIRECTING.items()}
    for words in READING:
        plain, redirected = world.run(*words), world.run(*words, env=env)
        assert redirected == plain, words
    assert canary.is_silent() and not (other.root / "traced").exists()


def test_init_makes_its_own_repository(tmp_path: Path, canary: Canary, world: Workspace) -> None:
    """Whatever the environment names, and with no hooks of a template that it names."""
    canary.place(tmp_path / "template" / "hooks" / "post-checkout")
    target = Workspace(tmp_path / "new")
    target.root.mkdir()
    env = {"GIT_DIR": f"{world.root}/.git", "GIT_TEMPLATE_DIR": str(tmp_path / "template")}
    assert "made a git repository" in target.run("init", env=env).stdout
    assert (target.root / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert not (target.root / ".git" / "hooks" / "post-checkout").exists()


@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_safe_directory_is_honoured(world: Workspace, tmp_path: Path, where: str) -> None:
    """Somebody else's clone is read once whoever starts the program says so, in either way that git knows."""
    env = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    if where == "file":
        (tmp_path / "config").write_text(f"[safe]\n\tdirectory = {world.root}\n")
        env["GIT_CONFIG_GLOBAL"] = str(tmp_path / "config")
    else:
        env |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": str(world.root)}
    for words in READING:
        assert world.run(*words, env=env) == world.run(*words), words


def test_dubious_ownership_is_told(world: Workspace) -> None:
    """Git's reason and its remedy, by every command that asks git; and nothing is applied without its commit."""
    world.edit("connectors/a.yaml", "Contacts.", "Others.")
    world.commit()
    env = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    for words in (*READING, ("apply", "--yes", "--as", "margaret"), ("adopt", "--branch", "live")):
        if words[0] in ("fmt", "drift"):
            continue
        result = world.run(*words, env=env)
        assert result.exit_code == 10, (words, result.output)
        assert "dubious ownership" in result.stderr, words
        assert f"git config --global --add safe.directory {world.root}" in result.stderr, words
    assert "1 to update" in world.ok("plan").stdout


def test_replaced_objects_are_not_shown(world: Workspace) -> None:
    """A replace ref exchanges neither a blob, nor a tree, nor a commit."""
    world.git("checkout", "-q", "-b", "change")
    world.edit("connectors/a.yaml", "Contacts.", "Others.")
    world.commit()
    before = [world.run(*words) for words in READING]
    evil = world.write("evil.yaml", OWNERS.replace("margaret", "ada"))
    world.git("replace", world.git("rev-parse", "main:policies/owners.yaml"), world.git("hash-object", "-w", evil.name))
    world.git("replace", world.git("rev-parse", "HEAD"), world.git("rev-parse", "HEAD~1"))
    evil.unlink()
    assert [world.run(*words) for words in READING] == before
    assert world.run("authorize", "--base", "main", "--head", "change", "--actor", "ada").exit_code == 4


def test_grafts_make_no_ancestors(world: Workspace) -> None:
    """A graft does not make a foreign commit descend from the base, nor a plan one of the branch."""
    tree = world.git("rev-parse", "HEAD^{tree}")
    foreign = world.git("commit-tree", tree, "-m", "foreign")
    main = world.git("rev-parse", "main")
    world.write(".git/info/grafts", f"{foreign} {main}\n")
    refused = world.run("authorize", "--base", "main", "--head", foreign, "--actor", "margaret")
    assert refused.exit_code == 10, refused.output
    world.write(".git/info/grafts", f"{main} {foreign}\n")
    world.edit("connectors/a.yaml", "Contacts.", "Others.")
    world.commit()
    world.git("checkout", "-q", "--detach")
    world.git("update-ref", "refs/heads/main", main)
    result = world.run("apply", "--yes", "--require-commit-on", "main", "--as", "margaret")
    assert result.exit_code == 5 and "is not on main" in result.stderr, result.output


def test_a_shallow_clone_is_told_to_be_one(world: Workspace, tmp_path: Path) -> None:
    """What cannot be seen is not taken for what is not there."""
    clone = Workspace(tmp_path / "shallow")
    plainly(world, "clone", "-q", "--depth=1", f"file://{world.root}", str(clone.root))
    result = clone.run("authorize", "--base", world.git("rev-parse", "HEAD~1"), "--head", "HEAD", "--actor", "ada")
    assert result.exit_code == 10 and "shallow" in result.output


def test_a_name_that_means_two_things(world: Workspace) -> None:
    """Who may push a tag or any other ref does not choose what a branch's name stands for."""
    evil = world.git("commit-tree", world.git("rev-parse", "HEAD~1^{tree}"), "-m", "evil")
    for ref, name in (("refs/tags/main", "main"), ("refs/main", "main"), ("refs/heads/main", "main")):
        world.git("update-ref", ref, evil if ref != "refs/heads/main" else "HEAD")
        if ref == "refs/heads/main":
            continue
        for words in (
            ("plan", "--ref", name), ("validate", "--ref", name), ("validate", "--changed-since", name),
            ("authorize", "--base", name, "--head", "HEAD", "--actor", "ada"), ("access-diff", "--base", f"{name}~1", "--head", "HEAD"),
        ):  # fmt: skip
            result = world.run(*words)
            assert result.exit_code == 64 and f"'main' may be refs/heads/main or {ref}" in result.stderr, words
        world.ok("plan", "--ref", "refs/heads/main")
        world.git("update-ref", "-d", ref)
    for ref in ("refs/tags/HEAD", "refs/heads/HEAD"):
        world.git("update-ref", ref, evil)
        assert world.ok("plan", "--ref", "HEAD").stdout == world.ok("plan", "--ref", "refs/heads/main").stdout.replace(
            "refs/heads/main", "HEAD"
        )


def test_a_tag_is_no_branch(world: Workspace) -> None:
    """A target's `requireCommitOn` goes by branches; a pushed tag of that name, in a clone without the branch, is none."""
    world.write("reconciler.yaml", (
        "apiVersion: reconciler/v1\nkind: Project\nowner: local\ndefaultTarget: t\n"
        "targets: {t: {store: 'sqlite:.reconciler/store.db', requireCommitOn: origin/main}}\n"
    ))  # fmt: skip
    world.edit("connectors/a.yaml", "Contacts.", "Others.")
    world.commit()
    world.git("tag", "origin/main")
    refused = world.run("apply", "--yes", "--as", "margaret")
    assert refused.exit_code == 64 and "there is no branch 'origin/main'" in refused.stderr, refused.output
    world.git("tag", "-d", "origin/main")
    world.git("update-ref", "refs/remotes/origin/main", "HEAD")
    world.ok("apply", "--yes", "--as", "margaret")


@pytest.mark.parametrize(
    "form", ["worktree", "submodule", "subfolder", "split index", "untracked cache", "index v4", "sparse index", "sha256"]
)  # fmt: skip
def test_every_form_of_a_checkout(world: Workspace, tmp_path: Path, form: str) -> None:
    """Plans are the same in all of them, and tell what differs."""
    here = made(world, tmp_path, form)
    head = here.git("rev-parse", "HEAD")
    here.ok("apply", "--yes", "--as", "margaret")
    if form != "sparse index":
        assert head in here.ok("history", "-o", "json").stdout
    for said in ("Nothing to do", "1 to update"):
        plan = here.ok("plan")
        assert said in plan.stdout and here.ok("plan", "--full").stdout == plan.stdout
        for words in READING:
            assert here.run(*words).exit_code in (0, 4), words
        if said == "Nothing to do":
            here.edit("connectors/a.yaml", "Contacts.", "Others.")
    assert f"changed since commit {head[:12]}" in plan.stdout


def made(world: Workspace, tmp_path: Path, form: str) -> Workspace:
    """The same repository in another form."""
    match form:
        case "worktree":
            world.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
            return Workspace(tmp_path / "linked")
        case "submodule":
            outer = Workspace(tmp_path / "outer")
            outer.write("README", "x\n")
            outer.commit()
            outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(world.root), "inner")
            return Workspace(outer.root / "inner")
        case "subfolder":
            outer = Workspace(tmp_path / "outer")
            shutil.copytree(
                world.root, outer.root / "a b" / "inner", ignore=shutil.ignore_patterns(".git", ".reconciler")
            )
            outer.commit()
            outer.commit()
            return Workspace(outer.root / "a b" / "inner")
        case "sha256":
            fresh = Workspace(tmp_path / "sha256")
            shutil.copytree(world.root, fresh.root, ignore=shutil.ignore_patterns(".git", ".reconciler"))
            fresh.git("init", "-q", "-b", "main", "--object-format=sha256")
            fresh.commit()
            fresh.commit()
            return fresh
        case "split index":
            world.git("update-index", "--split-index")
        case "untracked cache":
            world.git("update-index", "--force-untracked-cache")
            world.git("status")
        case "index v4":
            world.git("update-index", "--index-version", "4")
        case "sparse index":
            world.write("elsewhere/x", "x\n")
            world.commit()
            world.git("sparse-checkout", "init", "--cone", "--sparse-index")
            world.git("sparse-checkout", "set", "connectors", "policies")
    return world


@pytest.mark.parametrize(
    "lost", ["the objects", "the branch", "a branch that is empty", "a commit that was checked out"]
)
def test_a_commit_that_is_lost_is_not_taken_for_none(workspace: Workspace, lost: str) -> None:
    """An apply would go on, and record no commit. A branch without commits is none."""
    workspace.ok("plan")  # nothing is committed yet
    workspace.commit()
    branch = workspace.root / ".git" / workspace.git("symbolic-ref", "HEAD")
    if lost == "a commit that was checked out":
        workspace.git("checkout", "-q", "--detach")
    if lost in ("the objects", "a commit that was checked out"):
        shutil.rmtree(workspace.root / ".git/objects")
        (workspace.root / ".git/objects").mkdir()
    else:
        branch.write_text("" if "empty" in lost else "none\n")
    for command in (["plan"], ["plan", "--full"], ["apply", "--yes"]):
        result = workspace.run(*command)
        assert result.exit_code == 10 and "git fsck" in result.stderr, result.output
    assert not workspace.store.exists()
