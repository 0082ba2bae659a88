"""Attempts to change what a connector or a helper reads, without changing a definition: the gate judges them all."""

from pathlib import Path

import pytest
from conftest import Workspace
from gate_checks import refused
from gates import POLICIES, authorize, begin, category, connector, fill, git, verdict

HR_EDIT = [("connector/hr-a", "connectors:edit")]


def secret_at(workspace: Workspace, reference: str) -> None:
    """The connector hr-a takes its password from there."""
    fill(workspace)
    workspace.write("connectors/hr-a.yaml", connector("hr-a", "hr", password=reference))


NAMES = [
    "a b", "a'b", 'a"b', "a\nb", "a\tb", "a\rb", "\u00e9", "e\u0301", "\u0439\u0306", "\u6f22\u5b57", "\U0001f511", "a\\b",
    ":x", "-x", "*", "?", "[x]", "(x|y)", "^x$", "a#b", "%2e", "$HOME", "~", "#", "file", " ", "x" * 200, "a\u2028b", "..x",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_secret_file_under_any_name(empty: Workspace, name: str) -> None:
    """Whatever a search would make of its characters."""
    escaped = "".join(f"\\U{ord(char):08x}" for char in f"secrets/{name}")
    secret_at(empty, f'{{file: "{escaped}"}}')
    empty.write(f"secrets/{name}", "one")
    begin(empty)
    empty.write(f"secrets/{name}", "two")
    assert refused(verdict(empty, "ada")) == HR_EDIT
    assert refused(verdict(empty, "hedy")) == []


def link(workspace: Workspace, path: str, target: str) -> None:
    full = workspace.root / path
    full.parent.mkdir(parents=True, exist_ok=True)
    full.unlink(missing_ok=True)
    full.symlink_to(target)


LINKS = {
    "a link": ([("secrets/x", "../data/y")], "data/y"),
    "a link to a link": ([("secrets/x", "z"), ("secrets/z", "../data/y")], "data/y"),
    "a linked folder": ([("secrets", "data/inner")], "data/inner/x"),
    "a linked folder and a link in it": ([("secrets", "data/inner"), ("data/inner/x", "../y")], "data/y"),
    "a link up and down": ([("secrets/x", "../secrets/../data/./y")], "data/y"),
    "through a folder's parent": ([("secrets", "data/inner")], "data/y"),
    "a link into the definitions' folder": ([("secrets/x", "../connectors/.hidden/y")], "connectors/.hidden/y"),
}  # fmt: skip


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("scheme", ["file: {}", "sops: '{}#key'", "age: {}"])
def test_secret_file_behind_links(empty: Workspace, name: str, scheme: str) -> None:
    """What is at their end is what counts."""
    links, end = LINKS[name]
    path = "secrets/../y" if name == "through a folder's parent" else "secrets/x"
    secret_at(empty, f"{{{scheme.format(path)}}}")
    empty.write("data/inner/keep", "")
    for at, target in links:
        link(empty, at, target)
    empty.write(end, "one")
    empty.write("data/other", "one")
    begin(empty)
    empty.write("data/other", "two")
    assert refused(verdict(empty, "bob")) == []
    empty.write(end, "two")
    assert refused(verdict(empty, "bob")) == HR_EDIT


@pytest.mark.parametrize("target", ["../data/z", "/etc/hostname", "../../outside", "x", "nowhere"])
def test_link_that_leads_elsewhere_now(empty: Workspace, target: str) -> None:
    """A link is changed, and no file."""
    secret_at(empty, "{file: secrets/x}")
    empty.write("data/y", "one")
    empty.write("data/z", "two")
    link(empty, "secrets/x", "../data/y")
    begin(empty)
    link(empty, "secrets/x", target)
    assert refused(verdict(empty, "bob")) == HR_EDIT


def test_link_out_of_the_repository_that_leads_elsewhere_now(empty: Workspace) -> None:
    """Although neither of the files is git's."""
    secret_at(empty, "{file: secrets/x}")
    link(empty, "secrets/x", "/run/secrets/one")
    begin(empty)
    link(empty, "secrets/x", "/run/secrets/two")
    assert refused(verdict(empty, "bob")) == HR_EDIT


def test_file_in_the_place_of_a_folder_and_the_other_way(empty: Workspace) -> None:
    """What is there is another thing."""
    secret_at(empty, "{file: secrets/x}")
    empty.write("secrets/x", "one")
    begin(empty)
    (empty.root / "secrets/x").unlink()
    (empty.root / "secrets").rmdir()
    empty.write("secrets", "two")
    assert refused(verdict(empty, "bob")) == HR_EDIT


def test_secret_file_that_goes_and_one_that_comes(empty: Workspace) -> None:
    """Both are changes."""
    secret_at(empty, "{file: secrets/x}")
    empty.write("connectors/crm-a.yaml", connector("crm-a", "crm", password="{file: secrets/y}"))
    empty.write("secrets/x", "one")
    begin(empty)
    (empty.root / "secrets/x").unlink()
    empty.write("secrets/y", "one")
    assert refused(verdict(empty, "bob")) == [("connector/crm-a", "connectors:edit"), *HR_EDIT]


def test_links_in_a_circle_and_without_end(empty: Workspace) -> None:
    """End in a verdict, and hide nothing."""
    secret_at(empty, "{file: loop/x/x/x}")
    link(empty, "loop/x", ".")
    empty.write("connectors/crm-a.yaml", connector("crm-a", "crm", password="{file: chain/0}"))
    for number in range(300):
        link(empty, f"chain/{number}", str(number + 1))
    empty.write("chain/300", "one")
    begin(empty)
    empty.write("chain/300", "two")
    assert ("connector/crm-a", "connectors:edit") in refused(verdict(empty, "bob"))
    link(empty, "loop/x", "../loop/x")
    assert ("connector/hr-a", "connectors:edit") in refused(verdict(empty, "bob"))


@pytest.mark.parametrize(("path", "file"), [("Secrets/x", "secrets/x"), ("secrets/\u00e9", "secrets/e\u0301")])
def test_name_that_a_file_system_takes_for_the_same(empty: Workspace, path: str, file: str) -> None:
    """By case, or by Unicode form: on some machines it is the file that the reference leads to."""
    secret_at(empty, f"{{file: {path}}}")
    empty.write(file, "one")
    begin(empty)
    empty.write(file, "two")
    assert refused(verdict(empty, "bob")) == HR_EDIT


YAML = {
    "an escape": '{"\\x66ile": "secrets/\\x78"}',
    "an explicit key": "{? file : secrets/x}",
    "a quoted key": "{'file': 'secrets/x'}",
    "a path with dots": "{file: ./secrets//./x}",
    "a path with dots that goes up": "{file: secrets/none/../../secrets/x}",
    "folded over lines": '{"file": "secrets\\\n        /x"}',
}


@pytest.mark.parametrize("name", YAML)
def test_reference_however_it_is_written(empty: Workspace, name: str) -> None:
    """It is read as YAML, and not as text. What leads through a folder that is not there leads nowhere."""
    secret_at(empty, YAML[name])
    if "goes up" in name:
        empty.write("secrets/none/keep", "")
    empty.write("secrets/x", "one")
    begin(empty)
    empty.write("secrets/x", "two")
    result = authorize(empty, "bob")
    assert result.exit_code in (3, 4), result.output
    assert result.exit_code == 3 or "a secret of it comes from secrets/x" in result.stdout


@pytest.fixture
def mono(tmp_path: Path) -> Workspace:
    """A configuration repository in a folder of a larger repository."""
    root = tmp_path / "mono" / "teams" / "data"
    (root / "connectors").mkdir(parents=True)
    (root / "policies").mkdir()
    git(tmp_path / "mono", "init", "-q", "-b", "main")
    return Mono(root)


class Mono(Workspace):
    """Commits all of the larger repository."""

    def commit(self, message: str = "change") -> str:
        git(self.root.parents[1], "add", "-A")
        git(self.root.parents[1], "commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("reference", "links"),
    [
        ("../../shared/x", []),
        ("secrets/x", [("secrets", "../../shared")]),
        ("secrets/x", [("secrets/x", "../../../shared/x")]),
        ("{top}/shared/x", []),
        ("../../../mono/shared/x", []),
        ("secrets/x", [("secrets", "../../../mono/shared")]),
    ],
)
def test_secret_file_outside_of_the_root(mono: Workspace, reference: str, links: list[tuple[str, str]]) -> None:
    """In the same repository, beside the folder that holds the definitions."""
    secret_at(mono, f"{{file: {reference.format(top=mono.root.parents[1])}}}")
    for at, target in links:
        link(mono, at, target)
    mono.write("../../shared/x", "one")
    mono.write("../../shared/other", "one")
    begin(mono)
    mono.write("../../shared/other", "two")
    assert refused(verdict(mono, "bob")) == []
    mono.write("../../shared/x", "two")
    assert refused(verdict(mono, "bob")) == HR_EDIT


def helper(words: str) -> str:
    """A project file with one."""
    return f"apiVersion: reconciler/v1\nkind: Project\nsecrets: {{helpers: {{ours: {{command: [{words}]}}}}}}\n"


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("./tools/get", "tools/get"),
        ("sh, -c, '. tools/lib.sh; get \"$1\"'", "tools/lib.sh"),
        ("python3, --config=tools/a.conf", "tools/a.conf"),
        ("python3, -m, get, tools", "tools/deep/get.py"),
        ("./run", "tools/get"),
        ("'./tools/a b'", "tools/a b"),
        ("../../bin/get", "../../bin/get"),
    ],
)
def test_what_a_helper_names(mono: Workspace, words: str, path: str) -> None:
    """A program, what it is told to read, a folder, a link, outside of the root: it takes a super admin."""
    fill(mono)
    mono.write("reconciler.yaml", helper(f"{words}, '{{name}}'"))
    if words == "./run":
        link(mono, "run", "tools/get")
    mono.write(path, "one")
    mono.write("other", "one")
    begin(mono)
    mono.write("other", "two")
    assert refused(verdict(mono, "bob")) == []
    mono.write(path, "two")
    assert {permission for _, permission in refused(verdict(mono, "bob"))} == {"project settings"}
    assert refused(verdict(mono, "margaret")) == []


def test_what_a_helper_reads_for_a_connector(empty: Workspace) -> None:
    """The reference completes the helper's command, and so leads to a file."""
    secret_at(empty, "{exec: 'ours:hr'}")
    empty.write("reconciler.yaml", helper("cat, 'data/{name}.txt'"))
    empty.write("data/hr.txt", "one")
    begin(empty)
    empty.write("data/hr.txt", "two")
    assert refused(verdict(empty, "bob")) == HR_EDIT


def test_project_file_that_becomes_a_folder_of_the_same_content(empty: Workspace) -> None:
    """A file in it is not the project file."""
    fill(empty)
    text = "apiVersion: reconciler/v1\nkind: Project\nowner: acme\n"
    empty.write("reconciler.yaml", text)
    begin(empty)
    (empty.root / "reconciler.yaml").unlink()
    empty.write("reconciler.yaml/x", text)
    assert authorize(empty, "bob").exit_code == 3


@pytest.mark.parametrize("target", ["other.yaml", "/etc/passwd", "/dev/zero", "reconciler.yaml"])
def test_project_file_that_becomes_a_link(empty: Workspace, target: str) -> None:
    """It is refused, wherever it leads."""
    fill(empty)
    text = "apiVersion: reconciler/v1\nkind: Project\nowner: acme\n"
    empty.write("reconciler.yaml", text)
    empty.write("other.yaml", text)
    begin(empty)
    link(empty, "reconciler.yaml", target)
    assert authorize(empty, "bob").exit_code == 3


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: evil\n"),
        ("Policies/mine.yaml", POLICIES.replace("margaret", "bob")),
        ("CONNECTORS/x.yaml", category("more")),
        (".reconciler/store.db", "a store"),
    ],
)
def test_what_a_checkout_elsewhere_would_read(empty: Workspace, path: str, text: str) -> None:
    """Where case does not count another name is the same; and the store's folder is no place for git's files."""
    fill(empty)
    begin(empty)
    empty.write(path, text)
    assert [permission for _, permission in refused(verdict(empty, "bob"))] == ["project settings"]


@pytest.mark.parametrize("folder", ["policies", "connectors"])
def test_folder_of_definitions_that_becomes_a_link(empty: Workspace, folder: str) -> None:
    """Even where there was none before."""
    fill(empty)
    for path in list((empty.root / folder).iterdir()):
        if folder == "policies":
            break
        path.unlink()
    if folder == "connectors":
        (empty.root / folder).rmdir()
    begin(empty)
    if folder == "policies":
        git(empty.root, "rm", "-q", "-r", "policies")
    link(empty, folder, "elsewhere")
    empty.write("elsewhere/x.yaml", POLICIES if folder == "policies" else category("more"))
    assert authorize(empty, "margaret").exit_code == 3


def test_submodule_below_the_definitions(empty: Workspace) -> None:
    """A checkout that follows it would apply what no review has seen."""
    fill(empty)
    begin(empty)
    commit = empty.git("rev-parse", "HEAD")
    git(empty.root, "update-index", "--add", "--cacheinfo", f"160000,{commit},policies/sub")
    git(empty.root, "commit", "-q", "-m", "sub")
    result = empty.run("authorize", "--base", "main", "--head", "change", "--actor", "bob")
    assert result.exit_code == 3 and "policies/sub:1:1" in result.stderr and "a submodule" in result.stderr


HELPERS = [
    ("python3, tools/get.py", "tools/json.py"),  # Python looks beside a script first
    ("./tools/get", "tools/lib/common.sh"),
    ("python3, -m, tools.get", "tools/get.py"),
    ("python3, -m, tools.get", "tools/get/__main__.py"),
    ("python3, -m, get", "get.py"),
    ("./run", "tools/lib.sh"),
    ("python3, -m, get, ../../bin", "../../bin/get.py"),
]


@pytest.mark.parametrize(("words", "path"), HELPERS)
def test_what_a_helper_takes_from_the_folder_that_it_lies_in(mono: Workspace, words: str, path: str) -> None:
    """A module or a library of its own, which nothing names: it comes along, and runs with what the helper may see."""
    fill(mono)
    mono.write("reconciler.yaml", helper(f"{words}, '{{name}}'"))
    if words == "./run":
        link(mono, "run", "tools/get")
    for known in ("tools/get", "tools/get.py", "../../bin/keep"):
        if not path.startswith(f"{known}/") and path != known:
            mono.write(known, "one")
    begin(mono)
    mono.write("other.md", "two")
    assert refused(verdict(mono, "bob")) == []
    mono.write(path, "two")
    assert [permission for _, permission in refused(verdict(mono, "bob"))][:1] == ["project settings"]
    assert refused(verdict(mono, "margaret")) == []


@pytest.mark.store_file
@pytest.mark.parametrize("store", ["state/live.db", "live.db", "linked/live.db", "./state/../live.db"])
@pytest.mark.parametrize("end", ["db-journal", "db-wal", "db-shm", "db", "key", "key.0123456789abcdef.next", "db.made"])
def test_what_sqlite_or_the_tool_reads_beside_the_store(empty: Workspace, store: str, end: str) -> None:
    """A journal that comes with a checkout is played into the store by whoever opens it next; a key seals with it."""
    fill(empty)
    empty.write(
        "reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\ntargets: {{t: {{store: 'sqlite:{store}'}}}}\n"
    )
    empty.write("state/keep", "")
    link(empty, "linked", "state")
    begin(empty)
    folder = "state/" if store.startswith(("state/live", "linked")) else ""
    empty.write(f"{folder}live.{end}", "two")
    assert {permission for _, permission in refused(verdict(empty, "bob"))} == {"project settings"}


@pytest.mark.parametrize("attribute", ["ident", "eol=crlf", "working-tree-encoding=ISO-8859-1", "filter=any"])
@pytest.mark.parametrize("file", [".gitattributes", "secrets/.gitattributes"])
def test_an_attribute_that_rewrites_a_secret_file(empty: Workspace, attribute: str, file: str) -> None:
    """The file stays as it is, and a checkout of it becomes another one."""
    secret_at(empty, "{file: link}")
    link(empty, "link", "secrets/x")
    empty.write("secrets/x", "a+b $Id$\n")
    empty.write("secrets/y", "one")
    begin(empty)
    empty.write(file, f"y {attribute}\nx text -diff\n")
    assert refused(verdict(empty, "bob")) == []
    empty.write(file, f"x {attribute}\n")
    assert refused(verdict(empty, "bob")) == HR_EDIT
    assert refused(verdict(empty, "hedy")) == []


@pytest.mark.parametrize("file", ["reconciler.yaml", "tools/get", "../../.gitattributes"])
def test_an_attribute_that_rewrites_settings_or_a_helper(mono: Workspace, file: str) -> None:
    """What they say after a checkout is another thing than what was reviewed."""
    fill(mono)
    mono.write("reconciler.yaml", helper("./tools/get, '{name}'"))
    mono.write("tools/get", "one")
    begin(mono)
    mono.write(
        file if file.startswith("..") else ".gitattributes",
        "reconciler.yaml ident\n" if file.startswith("..") else f"{file} ident\n",
    )
    assert {permission for _, permission in refused(verdict(mono, "bob"))} == {"project settings"}
