"""Files for an instance: what is declared goes in, and an import gets it out again."""

import json
import re
from typing import Any

import pytest
from conftest import Workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pm_bodies import CATEGORIES, Body, connectors

from reconciler.core.model import Key
from reconciler.core.secret import Secret
from reconciler.importers.placeholders import is_kept
from reconciler.importers.processmaker import Choice, convert
from reconciler.importers.processmaker_seal import opened
from reconciler.importers.values import clean
from reconciler.kinds.canonical import canonical
from reconciler.kinds.connector import secret_fields
from reconciler.kinds.registry import KINDS
from reconciler.stores.processmaker.forms.connectors import connector_body, connector_fields, connector_row, image
from reconciler.stores.processmaker.forms.package import Packed, package, sendable

FOLDERS = {name: {"spec": {"displayName": name}} for name in CATEGORIES}
PASSWORD = "the words of an export"  # noqa: S105 (of a file that the test makes)
PROJECT = "apiVersion: reconciler/v1\nkind: Project\nowner: acme/connectors\n"


def packed(body: Body, name: str = "one", *, with_secrets: bool = True) -> Packed:
    """A connector with a value for each of its secrets, that looks like one: a file does not say which headers are."""
    fields = secret_fields(sendable(body["spec"]))
    secrets = {field.address: Secret(f"ghp_{'a1B2c3D4e5' * 3}{number}") for number, field in enumerate(fields)}
    return Packed(Key("Connector", name), body, secrets if with_secrets else None)


def back(document: dict[str, Any]) -> dict[str, Any]:
    """The spec that an import makes of the one connector of a file."""
    text: dict[str, Any] = json.loads(json.dumps(document))
    (found,) = convert(text, Choice()).documents
    spec: dict[str, Any] = canonical({"spec": found["spec"]}, KINDS["Connector"])["spec"]
    return spec


def comparable(spec: dict[str, Any]) -> Any:
    """What an instance holds, with secrets as what they are and no more; as an import writes texts."""
    held = image(spec)
    for endpoint in held["endpoints"].values():
        if not clean(endpoint["body"]).strip():
            endpoint["bodyType"] = "json"  # of nothing
        endpoint["sample"] = {key: value for key, value in endpoint["sample"].items() if is_kept(value)}
    return _masked(held)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and {*value} <= {"env", "vault"}:
            return "a secret"
        return {clean(key): _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return re.sub(r"^\s+|\s+$", "", clean(value)) if isinstance(value, str) else value


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(connectors())
def test_what_goes_in_comes_out(body: Body) -> None:
    """As far as an instance holds it: the definitions are the same but for the names of their secrets."""
    found = back(package([packed(body)], FOLDERS, "acme"))
    assert comparable(found) == comparable(body["spec"])
    ours, theirs = (spec.get("authorization", {"method": "none"}) for spec in (body["spec"], found))
    if "token" in theirs:
        assert ours["method"] in ("bearer", "oauth2-client-credentials")
    else:
        assert {*theirs} == {*ours} and theirs.get("tokenUrl") == ours.get("tokenUrl")
        assert found.get("tls", {}).get("verify", True) == body["spec"].get("tls", {}).get("verify", True)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(connectors())
def test_a_file_and_the_api_say_the_same(body: Body) -> None:
    """What is imported of an instance's export is what is read of the instance: nothing is left to plan."""
    item = packed(body)
    numbers = {name: number for number, name in enumerate(CATEGORIES, 1)}
    row = connector_row({"id": 1, **connector_fields(body, numbers, None, item.secrets)})
    read = connector_body(row, None, {number: name for name, number in numbers.items()})
    found = back(package([item], FOLDERS, "acme"))
    assert comparable(found) == comparable(read["spec"])
    wanted = {*read["spec"].get("authorization", {"method": "none"})}
    assert {*found.get("authorization", {"method": "none"})} <= wanted  # clients need not have an id


@settings(deadline=None, max_examples=15)
@given(st.lists(connectors(), min_size=1, max_size=3), st.booleans())
def test_a_file_is_the_same_for_the_same_definitions(bodies: list[Body], with_secrets: bool) -> None:
    """So that an instance updates what it has, and does not make another one."""
    items = [packed(body, f"n{number}", with_secrets=with_secrets) for number, body in enumerate(bodies)]
    document = package(items, FOLDERS, "acme")
    assert package(items, FOLDERS, "acme") == document
    others = package(items, FOLDERS, "others")
    assert not document["export"].keys() & others["export"].keys()
    assert document["root"] in document["export"] and len(document["export"]) == len(items) + len(FOLDERS)
    for entry in document["export"].values():
        assert all(dependent["uuid"] in document["export"] for dependent in entry["dependents"])


# as people run it


@pytest.fixture
def declared(workspace: Workspace) -> Workspace:
    """A repository with an owner, and a second connector."""
    workspace.write("reconciler.yaml", PROJECT)
    workspace.write(
        "connectors/orders.yaml",
        """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: orders}
spec:
  displayName: Orders
  categories: [crm]
  authorization: {method: oauth2-client-credentials, tokenUrl: "https://e.example/t", clientId: c, clientSecret: {env: NOT_ASKED}}
  endpoints:
    list: {method: GET, url: "https://e.example/", headers: [{name: X-Api-Key, value: {env: ORDERS_KEY}}]}
""",
    )
    return workspace


def test_without_a_password_there_are_no_credentials(declared: Workspace) -> None:
    """Those that the instance has to be given are listed, and no secret is looked up."""
    done = declared.ok("export", "processmaker", "--out", "file.json")
    assert done.stdout == "wrote file.json: 2 connectors in 1 category, without credentials.\n"
    assert done.stderr == (
        "To be given by hand, once the instance has imported the file:\n"
        "  connector/crm-contacts: authorization.password\n"
        "  connector/orders: authorization.token, endpoints.list.headers.X-Api-Key.value\n"
    )
    file = declared.root / "file.json"
    document = json.loads(file.read_text())
    assert file.stat().st_mode & 0o777 == 0o600
    assert [entry["references"]["credentials"] for entry in document["export"].values() if entry["references"]] == [None, None]  # fmt: skip
    again = declared.run("export", "processmaker", "--out", "file.json")
    assert (again.exit_code, again.stderr[:23]) == (64, "error: file.json exists")


def test_a_password_protects_the_credentials(declared: Workspace) -> None:
    """They are in the file for whoever has the password, and nowhere else."""
    environment = {"CRM_PASSWORD": "canary-of-a-password", "P": PASSWORD}
    done = declared.run(
        "export", "processmaker", "connector/crm-contacts", "--out", "file.json", "--password", "env:P", env=environment
    )
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "wrote file.json: 1 connector in 1 category, protected by the password.\n"
    text = (declared.root / "file.json").read_text()
    assert "canary" not in text + done.output and "crm.example.com" not in text
    (entry,) = [
        entry
        for entry in opened(json.loads(text), Secret(PASSWORD))["export"].values()  # type: ignore[union-attr]
        if entry["type"] == "DataConnector"  # type: ignore[index, call-overload]
    ]
    credentials = {"username": "svc", "password": "canary-of-a-password", "verify_certificate": True}
    assert entry["references"]["credentials"] == credentials  # type: ignore[index, call-overload]
    declared.write("connectors/all.yaml", "")
    made = declared.run("import", "processmaker", "file.json", "--password", "env:P", "--out", "-", env=environment)
    assert made.exit_code == 0 and "env: SALES_TEAMS_CONTACTS_PASSWORD" in made.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--password", "env:P"], 3, "error[RC914]: in ProcessMaker everybody who may view connectors reads"),
        (
            ["connector/crm-contacts", "--password", "env:P", "--secrets-allowed", "env:ORDERS_*"],
            4,
            "nothing was written",
        ),
        (["connector/crm-contacts", "--password", "env:SHORT"], 64, "the password is shorter than 12 characters"),
        (["connector/crm-contacts", "--password", "ask"], 64, "nobody to ask for it"),
        (["connector/nobody"], 64, "the definitions have no connector 'nobody'"),
        (["category/crm"], 64, "a file for ProcessMaker is of connectors"),
    ],
)
def test_what_cannot_be_written_is_told(declared: Workspace, arguments: list[str], code: int, message: str) -> None:
    """And no file is made."""
    done = declared.run("export", "processmaker", "--out", "file.json", *arguments, env={"P": PASSWORD, "SHORT": "short"})  # fmt: skip
    assert (done.exit_code, message in done.stderr) == (code, True), done.stderr
    assert not (declared.root / "file.json").exists()


def test_the_target_may_allow_secrets_in_headers(declared: Workspace) -> None:
    """As it does for an instance that is reached by its API; it is not asked anything here."""
    target = "processmaker+https://pm.example.com"
    options = "{allowSecretsInEndpoints: true}"
    declared.write("reconciler.yaml", f"{PROJECT}targets:\n  prod: {{store: '{target}', token: {{env: T}}, state: 'sqlite:s.db', processmaker: {options}}}\n")  # fmt: skip
    environment = {"P": PASSWORD, "ORDERS_KEY": "canary-of-a-header"}
    done = declared.run("export", "processmaker", "connector/orders", "--out", "file.json", "--password", "env:P", env=environment)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert done.stderr == "To be given by hand, once the instance has imported the file:\n  connector/orders: authorization.token\n"  # fmt: skip
    assert "canary-of-a-header" in json.dumps(opened(json.loads((declared.root / "file.json").read_text()), Secret(PASSWORD)))  # fmt: skip


def test_records_need_an_owner(workspace: Workspace) -> None:
    """Two repositories are not to be taken for one."""
    done = workspace.run("export", "processmaker", "--out", "file.json")
    assert done.exit_code == 64 and "owner: acme/connectors" in done.stderr
