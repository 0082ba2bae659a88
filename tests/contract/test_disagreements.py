"""Connectors held against their documents, and updated from newer ones."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.importers.contract import read_contract
from reconciler.importers.openapi import convert
from reconciler.kinds.agreement import hold
from reconciler.kinds.canonical import canonical
from reconciler.kinds.contract import ContractOperation, OperationIndex
from reconciler.kinds.registry import KINDS
from reconciler.services.document_update import update

from conftest import Result, Workspace

OLD = """\
openapi: 3.0.3
info: {title: CRM, version: "1"}
servers: [{url: "https://crm.example.com/v1"}]
security: [{bearer: []}]
components:
  securitySchemes: {bearer: {type: http, scheme: bearer}}
paths:
  /contacts:
    get:
      operationId: listContacts
      parameters:
        - {name: limit, in: query, schema: {type: integer}}
        - {name: X-Tenant, in: header, required: true, schema: {type: string}}
      responses: {"200": {description: ok}}
    post:
      operationId: createContact
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}}}}}
      responses: {"201": {description: ok}}
  /contacts/{id}:
    get:
      operationId: getContact
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: ok}}
"""
CHANGES = {
    "RC802": ("/contacts/{id}:", "/people/{id}:"),
    "RC803": ("com/v1", "com/v2"),
    "RC804": ("name: X-Tenant", "name: X-Org"),
    "RC805": ("name: limit", "name: size"),
    "RC806": ("required: [name], properties: {name", "required: [phone], properties: {phone"),
    "RC807": ("scheme: bearer}", "scheme: basic}"),
    "RC808": ("operationId: getContact", "operationId: getContact\n      deprecated: true"),
}


def git(root: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=root, check=True, capture_output=True
    )


@pytest.fixture
def repo(empty: Workspace) -> Workspace:
    workspace = empty
    (workspace.root / "openapi").mkdir()
    (workspace.root / "openapi/crm.yaml").write_text(OLD)
    done = workspace.run("import", "openapi", "openapi/crm.yaml", "--name", "crm")
    assert done.exit_code == 0, done.stderr
    file = workspace.root / "connectors/crm.yaml"
    file.write_text(file.read_text().replace("  endpoints:\n", "  contract: openapi/crm.yaml\n  endpoints:\n"))
    return workspace


def codes(done: Result) -> set[str]:
    return {found["code"] for found in json.loads(done.stdout)["diagnostics"]}


def test_a_fresh_import_agrees_with_its_document(repo: Workspace) -> None:
    """What an import writes has nothing that its document would object to."""
    done = repo.run("validate", "--strict")
    assert done.exit_code == 0, done.stdout


@pytest.mark.parametrize("code", CHANGES)
def test_each_change_of_the_document_is_told_at_the_line_it_concerns(repo: Workspace, code: str) -> None:
    """A removed path, a changed parameter, body, server or authorization, each with a pointer and what to do."""
    (repo.root / "openapi/crm.yaml").write_text(OLD.replace(*CHANGES[code]))
    done = repo.run("validate", "-o", "json")
    assert code in codes(done), done.stdout
    assert done.exit_code == (3 if code in ("RC802", "RC804") else 0)
    text = repo.run("validate").stdout
    advice = "move to what its document names instead" if code == "RC808" else "--update crm"
    assert "openapi/crm.yaml" in text and advice in text and "connectors/crm.yaml:" in text


@pytest.mark.parametrize("what", ["missing", "link", "folder link", "not one", "odd"])
def test_a_contract_that_cannot_be_read_is_an_error_at_its_line(repo: Workspace, what: str) -> None:
    """Nothing is followed out of the repository, and nothing is guessed."""
    document = repo.root / "openapi/crm.yaml"
    if what == "missing":
        document.unlink()
    elif what == "link":
        document.rename(repo.root / "elsewhere.yaml")
        document.symlink_to("../elsewhere.yaml")
    elif what == "folder link":
        document.parent.rename(repo.root / "elsewhere")
        (repo.root / "openapi").symlink_to("elsewhere")
    elif what == "not one":
        document.write_text("a: 1\n")
    else:
        file = repo.root / "connectors/crm.yaml"
        file.write_text(file.read_text().replace("contract: openapi/crm.yaml", "contract: openapi/../../crm.yaml"))
    done = repo.run("validate", "-o", "json")
    assert done.exit_code == 3 and codes(done) == {"RC801"}, done.stdout


def test_a_commit_is_held_against_its_own_document(repo: Workspace) -> None:
    """The document of the working tree says nothing about a commit; --changed-since sees that it alone changed."""
    git(repo.root, "init", "-q")
    git(repo.root, "add", "-A")
    git(repo.root, "commit", "-qm", "one")
    (repo.root / "openapi/crm.yaml").write_text(OLD.replace(*CHANGES["RC804"]))
    assert repo.run("validate", "--ref", "HEAD", "--strict").exit_code == 0
    assert codes(repo.run("validate", "--changed-since", "HEAD", "-o", "json")) == {"RC804", "RC805"}
    git(repo.root, "commit", "-qam", "two")
    assert repo.run("validate", "--ref", "HEAD").exit_code == 3
    assert repo.run("validate", "--changed-since", "HEAD~1").exit_code == 3
    assert repo.run("validate", "--ref", "HEAD~1", "--strict").exit_code == 0


def test_an_endpoint_of_ones_own_is_no_error(repo: Workspace) -> None:
    """The document cannot tell it from one that it dropped: a warning, and no obstacle to an apply."""
    (repo.root / "openapi/crm.yaml").write_text(OLD.partition("  /contacts/{id}:")[0])
    done = repo.run("validate", "-o", "json")
    assert done.exit_code == 0 and codes(done) == {"RC809"}, done.stdout


def test_operations_of_one_path_are_told_apart_by_name(repo: Workspace) -> None:
    """Some documents write one path several times, each with another fragment."""
    document = {"openapi": "3.0.0", "info": {"title": "t"}, "servers": [{"url": "https://h.example"}], "paths": {
        f"/#Target={name}": {"post": {"operationId": name, "parameters": [{"name": name, "in": "query"}]}}
        for name in ("one", "two")
    }}  # fmt: skip
    contract = read_contract(json.dumps(document).encode(), "d.json")
    found = list(hold(imported(document)["spec"], contract, OperationIndex(contract.operations), ""))  # type: ignore[index]
    assert not found


def test_an_update_from_a_committed_document_finds_the_earlier_one(repo: Workspace) -> None:
    """When HEAD has the newer document already, the version before it is the base."""
    git(repo.root, "init", "-q")
    git(repo.root, "add", "-A")
    git(repo.root, "commit", "-qm", "one")
    (repo.root / "openapi/crm.yaml").write_text(OLD.replace(*CHANGES["RC805"]))
    git(repo.root, "commit", "-qam", "two")
    done = repo.run("import", "openapi", "openapi/crm.yaml", "--update", "crm")
    assert done.exit_code == 0 and "compared with HEAD" not in done.stderr, done.stderr
    text = (repo.root / "connectors/crm.yaml").read_text()
    assert "name: size" in text and "name: limit" not in text


def test_any_document_can_be_held_against(repo: Workspace, tmp_path: Path) -> None:
    """By name of the connector, or by what its endpoints call."""
    newer = tmp_path / "newer.yaml"
    newer.write_text(OLD.replace(*CHANGES["RC802"]))
    for named in (["crm"], [], ["connectors/crm.yaml"]):
        done = repo.run("validate", "--against", str(newer), *named)
        assert done.exit_code == 3 and "RC802" in done.stdout, done.stdout + done.stderr


def test_an_update_keeps_edits_and_comments_and_tells_conflicts(repo: Workspace, tmp_path: Path) -> None:
    """What the document changed comes, what a person edited stays; both at once is a conflict with all three values."""
    older = tmp_path / "older.yaml"
    older.write_text(OLD)
    file = repo.root / "connectors/crm.yaml"
    text = file.read_text().replace("    listContacts:", "    # ours\n    listContacts:")
    file.write_text(text.replace("        - name: limit\n", '        - name: limit\n          value: "10"\n'))
    new = OLD
    for code in ("RC802", "RC804", "RC805", "RC807"):
        new = new.replace(*CHANGES[code])
    (repo.root / "openapi/crm.yaml").write_text(new)
    before = file.read_text()
    arguments = ("import", "openapi", "openapi/crm.yaml", "--update", "crm", "--base", str(older))
    dry = repo.run(*arguments, "--dry-run", "--diff")
    assert dry.exit_code == 6 and file.read_text() == before and "+          " in dry.stdout
    done = repo.run(*arguments)
    assert done.exit_code == 6, done.stderr
    assert "conflict: endpoints.listContacts.params.limit" in done.stderr
    after = file.read_text()
    assert "# ours" in after and 'value: "10"' in after and "X-Org" in after and "/people/{{id}}" in after
    assert repo.run("validate").exit_code == 0
    assert repo.run("fmt", "--check").exit_code == 0


def test_without_an_earlier_document_only_what_is_new_comes(repo: Workspace) -> None:
    """Nothing of the definition's own is changed, and each difference is listed."""
    (repo.root / "openapi/crm.yaml").write_text(OLD.replace(*CHANGES["RC805"]).replace(*CHANGES["RC803"]))
    done = repo.run("import", "openapi", "openapi/crm.yaml", "--update", "crm")
    assert done.exit_code == 0, done.stderr
    text = (repo.root / "connectors/crm.yaml").read_text()
    assert "name: size" in text and "name: limit" in text and "com/v2" not in text
    assert "differs: endpoints.listContacts.url" in done.stderr and "--base" in done.stderr


PATHS = st.dictionaries(
    st.sampled_from(["/a", "/a/{x}", "/b", "/c/{y}/d"]), st.sampled_from(["get", "post"]), min_size=1
)
QUERIES = st.lists(st.sampled_from(["p", "q", "r"]), unique=True)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, object]:
    paths = {}
    for path, method in draw(PATHS).items():
        listed = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in draw(QUERIES)]
        paths[path] = {method: {"description": draw(st.sampled_from(["", "x", "y"])), "parameters": listed}}
    return {"openapi": "3.0.0", "info": {"title": "t"}, "servers": [{"url": "https://h.example/v1"}], "paths": paths}


def imported(document: dict[str, object]) -> dict[str, object]:
    made = convert(document, name="n", categories=["c"]).documents[0]
    return canonical({"spec": made["spec"]}, KINDS["Connector"])


@settings(max_examples=60, deadline=None)
@given(documents(), documents())
def test_updates_are_what_imports_are(old: dict[str, object], new: dict[str, object]) -> None:
    """An untouched definition becomes a fresh import; an unchanged document changes nothing; both agree with theirs."""
    mine, theirs = imported(old), imported(new)
    done = update(mine, imported(old), theirs)
    assert done.content == theirs and not done.conflicts
    assert update(theirs, mine, mine).content == theirs
    contract = read_contract(json.dumps(new).encode(), "new.json")
    assert not list(hold(theirs["spec"], contract, OperationIndex(contract.operations), ""))


@pytest.mark.parametrize(
    ("server", "path", "url", "there"),
    [
        ("https://h/v1", "/a/{id}", "https://h:443/v1/a/{{other}}", True),
        ("https://{region}.h/v1", "/a", "https://eu.h/v1/a", True),
        ("https://h/v1", "/a/{id}", "https://h/v1/a/me", True),
        ("https://h/v1", "/a", "{{host}}/v1/a", True),
        ("/v1", "/a", "https://anything/v1/a", True),
        ("https://h/v1", "/a", "/v1/a", True),
        ("https://h/v1", "/a", "https://h/v2/a", False),
        ("https://h/v1", "/a", "https://other/v1/a?x=1", False),
        ("https://h/v1", "/a", "https://h/v1/b", None),
        ("https://h/v1/a", "/", "https://h/v1/a", True),
        ("https://h/v1/a", "/", "https://h/v1/b", None),
    ],
)
def test_endpoints_are_found_by_the_structure_of_their_urls(
    server: str, path: str, url: str, there: bool | None
) -> None:
    """Names of placeholders do not count; servers do, as far as anybody can tell."""
    found = OperationIndex([ContractOperation("GET", path, "", (server,), "", 0)]).find("GET", url)
    assert (None if found is None else found.at_server) is there
