"""What a team meets in a week with an instance: secrets and connectors that people made, wrote or deleted by hand."""

from collections.abc import Iterator

import pytest
from conftest import Workspace
from servers.processmaker import Instance, instance

HAND_MADE = {"username": "svc", "password": "canary-made-by-hand", "verify_certificate": True}
CONNECTOR = (
    "apiVersion: reconciler/v1\nkind: Connector\nmetadata: {name: crm}\nspec:\n"
    "  displayName: CRM\n  categories: [sales]\n"
    "  authorization: {method: basic, username: svc, password: {env: CRM_PASSWORD}}\n"
    '  endpoints: {list: {method: GET, url: "https://crm.example.com/list"}}\n'
)


@pytest.fixture
def server() -> Iterator[Instance]:
    with instance() as server:
        yield server


@pytest.fixture
def repository(empty: Workspace, server: Instance) -> Workspace:
    """A category and a connector, not applied yet."""
    empty.env |= {"PM_TOKEN": server.token(), "CRM_PASSWORD": "canary-of-git"}
    empty.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nowner: acme/crm\ntargets:\n  live:\n"
        f"    store: {server.url}\n    token: {{env: PM_TOKEN}}\n",
    )
    empty.write(
        "connectors/sales.yaml",
        "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: sales}\nspec: {displayName: Sales}\n",
    )
    empty.write("connectors/crm.yaml", CONNECTOR)
    return empty


def numbers(server: Instance) -> dict[str, int]:
    """The connectors' numbers, by name."""
    return {row["name"]: row["id"] for row in server.call("GET", "/data_sources?per_page=100")["data"]}


def write(server: Instance, number: int, **changes: object) -> None:
    """Edit a connector by hand."""
    row = server.call("GET", f"/data_sources/{number}")
    kept = {key: row[key] for key in ("name", "authtype", "data_source_category_id")}
    server.call("PUT", f"/data_sources/{number}", kept | changes)


def test_a_secret_that_somebody_wrote_is_not_known(repository: Workspace, server: Instance) -> None:
    """It is there, and another one: that is neither none nor one with a fingerprint."""
    repository.ok("apply", "--yes")
    write(server, numbers(server)["CRM"], credentials=HAND_MADE)
    drift = repository.run("drift")
    assert "authorization.password: (fingerprint " in drift.stdout
    assert ") -> (another one, not known)" in drift.stdout
    plan = repository.ok("plan").stdout
    assert "authorization.password: (another one, not known) -> (fingerprint " in plan
    assert '"live": "unknown"' in repository.run("drift", "-o", "json").stdout
    repository.ok("apply", "--yes")
    assert "No drift" in repository.ok("drift").stdout


def test_a_plan_tells_that_adopting_replaces_secrets(repository: Workspace, server: Instance) -> None:
    """Nobody can read what somebody gave it by hand: so what the references say is written, and that is told before."""
    category = server.call("POST", "/data_source_categories", {"name": "Sales", "status": "ACTIVE"})["id"]
    endpoint = {"purpose": "list", "method": "GET", "url": "https://crm.example.com/list"}
    made = {"name": "CRM", "authtype": "BASIC", "data_source_category_id": str(category)}
    made |= {"credentials": HAND_MADE, "endpoints": {"list": endpoint}}
    number = server.call("POST", "/data_sources", made)["id"]
    plan = repository.ok("plan", "--adopt").stdout
    assert "the secrets of 1 connector are written" in plan
    assert "replaced by those of their references, as nobody can read what they are: connector/crm" in plan
    assert "It takes 3 requests" in plan
    repository.ok("apply", "--adopt", "--yes")
    assert server.plaintext(number)["password"] == "canary-of-git"
    assert "Nothing to do" in repository.ok("plan").stdout


def test_a_rollback_keeps_what_was_made_again(repository: Workspace, server: Instance) -> None:
    """A connector that was deleted by hand and made again keeps its new number: processes refer to it by that."""
    repository.ok("apply", "--yes")
    server.call("DELETE", f"/data_sources/{numbers(server)['CRM']}")
    repository.write("connectors/crm.yaml", CONNECTOR.replace("displayName: CRM", "displayName: CRM 2"))
    repository.ok("apply", "--yes")
    again = numbers(server)["CRM 2"]
    plan = repository.ok("rollback", "1", "--yes").stdout
    assert '~ displayName: "CRM 2" -> "CRM"' in plan
    assert "to delete" not in plan
    assert "to restore" not in plan
    assert numbers(server) == {"CRM": again}


def test_what_is_restored_has_another_number(repository: Workspace, server: Instance) -> None:
    """And that is told."""
    repository.ok("apply", "--yes")
    before = numbers(server)["CRM"]
    (repository.root / "connectors/crm.yaml").unlink()
    repository.ok("apply", "--yes")
    said = repository.ok("restore", "connector/crm", "--yes").stdout
    assert "comes back with another identity" in said
    assert numbers(server)["CRM"] != before


def test_what_to_do_is_told_once_of_many_that_fail_alike(repository: Workspace, server: Instance) -> None:
    """A token that ends in the middle leaves many undone, and each is named."""
    repository.ok("apply", "--yes")
    names = ["a", "b", "c"]
    documents = [
        CONNECTOR.replace("{name: crm}", f"{{name: {name}}}").replace(": CRM\n", f": {name}\n") for name in names
    ]
    repository.write("connectors/more.yaml", "---\n".join(documents))
    settings = (repository.root / "reconciler.yaml").read_text("utf-8")
    repository.write("reconciler.yaml", settings + "    processmaker: {inFlight: 1}\n")
    server.faults.add(action="expire_token", method="POST", path="/data_sources", nth=2)
    result = repository.run("apply", "--yes")
    assert result.exit_code == 7
    assert "error: connector/b was left out: " in result.stderr
    assert "error: connector/c was left out: " in result.stderr
    assert result.stderr.count("hint: run: reconciler plan") == 1
