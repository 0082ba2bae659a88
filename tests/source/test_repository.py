"""Definitions from the working tree and from commits, by both parsers, on one core and on several."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import CATEGORY, CONNECTOR, Workspace, clean_environment
from programs import needs

from reconciler.source import documents, parallel
from reconciler.source.repository import RepositorySource

ROOT = Path(__file__).parents[2]


def loaded(root: Path, ref: str = "") -> tuple[object, ...]:
    """All that a load gives, in a form that compares."""
    desired = RepositorySource(root, ref).load()
    return dict(desired.resources), desired.files, desired.documents, desired.diagnostics


@pytest.fixture
def mixed(empty: Workspace) -> Workspace:
    """Good files, and one with each sort of fault."""
    empty.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR)
    faults = {
        "twice": CATEGORY, "unknown": CONNECTOR.replace("categories: [crm]", "categories: [crn]").replace("crm-contacts", "x"),
        "syntax": "a: [", "ambiguous": CONNECTOR.replace('"1"', "010"), "schema": CONNECTOR.replace("GET", "GETT"),
        "token": CONNECTOR.replace("Contacts of the CRM.", "ghp_" + "a" * 36), "mustache": CONNECTOR.replace("{{account}}", "{{#account}}"),
        "alias": CONNECTOR.replace("categories: [crm]", "categories: &c [crm]") + "  # end\n", "policy": CATEGORY.replace("Category", "Group"),
    }  # fmt: skip
    for name, text in faults.items():
        empty.write(f"connectors/{name}.yaml", text)
    return empty


def test_without_the_fast_library_all_is_the_same(mixed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fallback reads our own definitions, and finds the same faults at the same places."""
    quick = [loaded(ROOT), loaded(mixed.root)]
    monkeypatch.setitem(sys.modules, "yaml_rs", None)
    assert documents.fast_parser() is None
    slow = [loaded(ROOT), loaded(mixed.root)]
    assert quick == slow
    assert {item.code for item in quick[1][3]} >= {"RC104", "RC109", "RC204", "RC302", "RC306", "RC401", "RC501"}


def test_without_libyaml_all_is_the_same(mixed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML's parser in Python, where its wheel has no other, and no fast library: only words on syntax differ."""
    quick = [loaded(ROOT), loaded(mixed.root)]
    monkeypatch.setitem(sys.modules, "yaml_rs", None)
    for name in [name for name in vars(yaml) if name.startswith("C") and name.endswith("Loader")]:
        monkeypatch.delattr(yaml, name)
    slow = [loaded(ROOT), loaded(mixed.root)]
    assert quick[0] == slow[0]
    assert quick[1][:3] == slow[1][:3]
    assert [(item.code, item.span.line) for item in quick[1][3]] == [(item.code, item.span.line) for item in slow[1][3]]


def test_on_several_cores_all_is_the_same(mixed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers answer in order, faults included, from the working tree and from a commit."""
    for number in range(900):
        mixed.write(
            f"connectors/many/c{number}.yaml",
            CATEGORY.replace("crm", f"c{number}").replace("Customer data", f"C{number}"),
        )
    mixed.commit()
    monkeypatch.setattr(parallel, "_cores", lambda: 1)
    one = [loaded(mixed.root), loaded(mixed.root, "main")]
    monkeypatch.setattr(parallel, "_cores", lambda: 3)
    several = [loaded(mixed.root), loaded(mixed.root, "main")]
    assert one == several
    assert one[0] == one[1], "the commit holds what the working tree holds"


def test_a_worker_that_dies_is_not_overlooked(mixed: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its part is read by the parent; a signal is an error."""
    import os
    import signal

    from reconciler.errors import SourceUnavailable

    for number in range(900):
        mixed.write(
            f"connectors/many/c{number}.yaml",
            CATEGORY.replace("crm", f"c{number}").replace("Customer data", f"C{number}"),
        )
    whole = loaded(mixed.root)
    parent = os.getpid()
    read = documents.DocumentReader.read

    def fail(self: documents.DocumentReader, file: str, data: bytes) -> documents.FileContent:
        if os.getpid() != parent:
            raise MemoryError
        return read(self, file, data)

    def die(self: documents.DocumentReader, file: str, data: bytes) -> documents.FileContent:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return read(self, file, data)

    monkeypatch.setattr(parallel, "_cores", lambda: 2)
    monkeypatch.setattr(documents.DocumentReader, "read", fail)
    assert loaded(mixed.root) == whole
    monkeypatch.setattr(documents.DocumentReader, "read", die)
    with pytest.raises(SourceUnavailable, match="signal 9"):
        loaded(mixed.root)


def test_commits_are_read_by_any_name(workspace: Workspace) -> None:
    """Branch, tag, short id; the working tree does not matter."""
    first = workspace.commit("first")
    workspace.git("tag", "v1")
    workspace.edit("connectors/crm.yaml", "Sales team's contacts", "Contacts")
    workspace.commit("second")
    workspace.write("connectors/crm.yaml", "not valid: [")
    for ref in (first, first[:8], "v1", "HEAD~1", "main~1"):
        assert workspace.ok("validate", "--ref", ref).stdout == "2 files, 4 documents: valid.\n"
    assert workspace.run("validate").exit_code == 3


def test_a_repository_below_a_larger_one(workspace: Workspace) -> None:
    """Paths start at the configuration root, wherever the git repository starts."""
    outer = Workspace(workspace.root.parent)
    outer.commit("all")
    workspace.ok("validate", "--ref", "HEAD")
    workspace.write("connectors/bad.yaml", "kind: x")
    outer.commit("bad")
    assert "connectors/bad.yaml:1:7: error[RC208]" in workspace.run("validate", "--ref", "HEAD").stdout
    inside = Workspace(workspace.root / "connectors")
    assert "connectors/bad.yaml:1:7" in inside.run("validate").stdout, "found from a directory below"


def test_links_in_a_commit_are_refused(workspace: Workspace) -> None:
    """As they are in the working tree."""
    (workspace.root / "connectors" / "link.yaml").symlink_to("crm.yaml")
    workspace.commit()
    assert "connectors/link.yaml:1:1: error[RC101]" in workspace.run("validate", "--ref", "main").stdout
    assert "connectors/link.yaml:1:1: error[RC101]" in workspace.run("validate").stdout


@pytest.mark.parametrize(
    ("prepare", "ref", "words"),
    [(None, "main", "is not inside a git repository"), ("init", "main", "there is no commit 'main'"), ("commit", "mian", "did you mean 'main'?"),
     ("commit", "--help", "there is no commit '--help'"), ("commit", "deadbeef", "there is no commit")],
)  # fmt: skip
def test_a_commit_that_is_not_there(workspace: Workspace, prepare: str | None, ref: str, words: str) -> None:
    """Wrong usage, with the name that was probably meant."""
    if prepare == "init":
        workspace.git("init", "-q", "-b", "main")
    elif prepare == "commit":
        workspace.commit()
    result = workspace.run("validate", f"--ref={ref}")
    assert result.exit_code == 64
    assert words in result.stderr


def test_only_what_is_tracked_counts_in_a_commit_and_all_that_is_there_outside(workspace: Workspace) -> None:
    """Hidden files, such as those of editors, and other endings count nowhere."""
    workspace.commit()
    for name in (".hidden.yaml", ".git-thing/x.yaml", "note.txt", "x.yaml~", "json.json"):
        workspace.write(f"connectors/{name}", "not: [valid")
    workspace.ok("validate")
    workspace.write("connectors/new.yml", "not: [valid")
    assert workspace.run("validate").exit_code == 3
    workspace.ok("validate", "--ref", "HEAD")


def test_validate_needs_no_network_no_store_and_no_variables(workspace: Workspace) -> None:
    """Watched from outside: no socket is made, and only files of the program and of the repository are opened."""
    workspace.commit()
    (workspace.root / ".reconciler").mkdir()
    (workspace.root / ".reconciler" / "store.db").write_text("not a store")
    trace = workspace.root.parent / "trace"
    command = [
        needs("strace"),
        "-f",
        "-e",
        "trace=socket,connect,openat,open",
        "-o",
        str(trace),
        sys.executable,
        "-m",
        "reconciler",
        "validate",
    ]
    done = subprocess.run(
        command, cwd=workspace.root, env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "2 files, 4 documents: valid.\n"
    calls = trace.read_text()
    assert "socket(" not in calls and "connect(" not in calls
    assert ".reconciler" not in calls


def test_paths_narrow_what_is_reported(workspace: Workspace) -> None:
    """Everything is checked together, so that references hold."""
    workspace.write("connectors/bad.yaml", "kind: x")
    workspace.ok("validate", "connectors/crm.yaml", "policies")
    assert workspace.run("validate", "connectors").exit_code == 3
    assert workspace.run("validate", workspace.root / "connectors" / "bad.yaml").exit_code == 3
    assert workspace.run("validate", "/etc").exit_code == 64


def test_the_project_file_is_checked(workspace: Workspace) -> None:
    """By validate, and before a store is used."""
    workspace.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nowner: a b\ndefaultTarget: x\ntargets:\n  local: {stor: y}\n",
    )
    result = workspace.run("validate")
    assert result.exit_code == 3
    assert "reconciler.yaml:6:11: error[RC201]" in result.stdout
    assert workspace.run("plan").exit_code == 3
    workspace.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\ndefaultTarget: x\ntargets:\n  local: {store: 'sqlite:s.db'}\n",
    )
    assert "reconciler.yaml:3:16: error[RC301]" in workspace.run("validate").stdout
    assert workspace.run("--target", "local", "plan").exit_code == 3


def test_strict_lets_warnings_fail(workspace: Workspace) -> None:
    """And only then."""
    workspace.edit("policies/team.yaml", "[connectors:view, connectors:edit]", "[connectors:edit]")
    assert "warning[RC604]" in workspace.ok("validate").stdout
    assert workspace.run("validate", "--strict").exit_code == 3
