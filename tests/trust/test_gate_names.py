"""Odd names of files end in a verdict, in every format: of definitions and beside them, new, changed, renamed and gone."""

import json
import os
import subprocess
from typing import Any

import pytest
from conftest import Workspace
from gates import begin, category, fill, git

FORMATS = ("text", "json", "markdown", "github")
NAMES = {
    "not UTF-8": b"a\xff\xfe",
    "a part of a character": b"\xc3",
    "a surrogate in UTF-8": b"\xed\xa0\x80",
    "an overlong slash": b"\xc0\xaf",
    "line breaks": b"a\n\r\n::error::b",
    "escapes": b"\x1b[2J\x1b]0;x\x07",
    "quotes": b"'\"`",
    "blanks": b" \t ",
    "backslashes": b"a\\n\\xff\\",
    "directions": "\u202ea\u2066".encode(),
    "separators": "\x85\u2028\u2029\ufeff".encode(),
    "long": b"x" * 240,
    "git's magic": b":(exclude)*",
    "an option": b"--output=x",
    "a pattern": b"[*?",
    "brackets": b"{a,b}%0A%25",
}


def tree_with(workspace: Workspace, files: dict[bytes, bytes]) -> str:
    """A commit on top of what is checked out, with files of any name."""
    lines = []
    for path, data in files.items():
        oid = git(workspace.root, "hash-object", "-w", "--stdin", stdin=data).strip()
        lines.append(b"100644 " + oid + b"\t" + path + b"\0")
    git(workspace.root, "read-tree", "HEAD")
    git(workspace.root, "update-index", "-z", "--index-info", stdin=b"".join(lines))
    tree = git(workspace.root, "write-tree").strip().decode()
    return git(workspace.root, "commit-tree", tree, "-p", "HEAD", "-m", "odd").strip().decode()


def refused(
    workspace: Workspace, base: str, head: str, codes: tuple[int, ...], formats: tuple[str, ...] = FORMATS
) -> None:
    """A verdict in each format, all alike, that can be read as UTF-8."""
    for chosen in formats:
        result = workspace.run("authorize", "--base", base, "--head", head, "--actor", "bob", "-o", chosen)
        assert result.exit_code in codes, result.output
        result.stdout.encode("utf-8")
        result.stderr.encode("utf-8")
        assert "\x1b" not in result.output and "\u202e" not in result.output
        if chosen == "json" and result.exit_code != 3:
            content: dict[str, Any] = json.loads(result.stdout)
            assert content["allowed"] is (result.exit_code == 0)
    if formats != FORMATS:
        return
    diff = workspace.run("access-diff", "--base", base, "--head", head, "-o", "json")
    assert diff.exit_code in (0, 3), diff.output
    if diff.exit_code == 0:
        json.loads(diff.stdout.encode("utf-8"))


@pytest.fixture
def gate(empty: Workspace) -> Workspace:
    fill(empty)
    return begin(empty)


@pytest.mark.parametrize("name", NAMES)
def test_definitions_of_odd_names(gate: Workspace, name: str) -> None:
    """In the head, in the base, changed, renamed."""
    odd = b"connectors/" + NAMES[name] + b".yaml"
    policies = b"policies/" + NAMES[name] + b".yaml"
    mine = (
        b"apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: mine}\n"
        b"spec: {subjects: [{user: bob}], superAdmin: true}\n"
    )
    with_it = tree_with(gate, {odd: category("more").encode(), policies: mine})
    changed = tree_with(gate, {odd: category("more").replace("displayName: more", "displayName: other").encode()})
    moved = tree_with(gate, {b"connectors/" + NAMES[name] + b"2.yml": category("more").encode()})
    gate.git("branch", "-f", "main", "HEAD")
    refused(gate, "main", with_it, (4,))
    for base, head in ((with_it, changed), (changed, moved), (with_it, "main")):
        child = git(gate.root, "commit-tree", f"{head}^{{tree}}", "-p", base, "-m", "odd").strip().decode()
        refused(gate, base, child, (0, 4), ("json",))


@pytest.mark.parametrize("name", NAMES)
def test_broken_definitions_of_odd_names(gate: Workspace, name: str) -> None:
    """They are named, with exit code 3."""
    head = tree_with(gate, {b"connectors/" + NAMES[name] + b".yaml": b"kind: ["})
    refused(gate, "main", head, (3,))


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_beside_definitions(gate: Workspace, name: str) -> None:
    """Nothing to judge, whatever references lead to files."""
    gate.write("connectors/hr-a.yaml", (gate.root / "connectors/hr-a.yaml").read_text().replace("spec:\n", "spec:\n  authorization: {method: bearer, token: {file: secrets/x}}\n"))  # fmt: skip
    gate.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nsecrets: {helpers: {a: {command: [tools/x, '{name}']}}}\n",
    )
    gate.commit()
    gate.git("branch", "-f", "main", "HEAD")
    head = tree_with(gate, {folder + NAMES[name]: b"x" for folder in (b"", b"docs/", b"secrets/")})
    refused(gate, "main", head, (0,))


@pytest.mark.parametrize("name", NAMES)
def test_working_tree_with_odd_names(gate: Workspace, name: str) -> None:
    """As far as the file system takes them."""
    root = os.fsencode(gate.root)
    try:
        with open(root + b"/connectors/" + NAMES[name] + b".yaml", "wb") as opened:
            opened.write(category("more").encode())
    except OSError:
        pytest.skip("the file system does not take it")
    refused(gate, "main", "WORKTREE", (4,), ("text", "json"))


@pytest.mark.parametrize("name", NAMES)
def test_root_of_an_odd_name(gate: Workspace, name: str) -> None:
    """The folder that holds the definitions is odd, in a larger repository."""
    outer = gate.root.parent / "outer"
    inner = os.path.join(os.fsencode(outer), NAMES[name])
    try:
        os.makedirs(inner)
    except OSError:
        pytest.skip("the file system does not take it")
    for folder in ("connectors", "policies"):
        os.rename(gate.root / folder, os.path.join(inner, folder.encode()))
    with open(os.path.join(inner, b"connectors/hr-a.yaml"), "ab") as opened:
        opened.write(b"  authorization: {method: bearer, token: {file: ../shared}}\n")
    workspace = Workspace(outer)
    workspace.write("shared", "one")
    workspace.commit("base")
    workspace.git("checkout", "-q", "-b", "change")
    workspace.write("shared", "two")
    workspace.commit()
    result = workspace.run(
        "-C", os.fsdecode(inner), "authorize", "--base", "main", "--head", "change", "--actor", "bob"
    )
    assert result.exit_code == 4 and "a secret of it comes from ../shared" in result.stdout, result.output
