"""Several repositories in one store: each changes its own, sees nobody else's in its plans, and may refer to others'."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Workspace
from live_state import plan_of
from schema_checks import fits

Make = Callable[[str], Workspace]


def project(workspace: Workspace, owner: str, *elsewhere: str) -> None:
    """A repository's settings."""
    store = workspace.root.parent / "shared.db"
    content = {"apiVersion": "reconciler/v1", "kind": "Project", "owner": owner, "targets": {"shared": {"store": f"sqlite:{store}"}}}  # fmt: skip
    if elsewhere:
        content["definedElsewhere"] = list(elsewhere)
    fits(content, "project.schema.json")
    workspace.write("reconciler.yaml", json.dumps(content, indent=2))


def category(name: str, display: str) -> str:
    return f"apiVersion: reconciler/v1\nkind: Category\nmetadata: {{name: {name}}}\nspec: {{displayName: {display}}}\n"


def connector(name: str, *categories: str, display: str = "") -> str:
    return (
        f"apiVersion: reconciler/v1\nkind: Connector\nmetadata: {{name: {name}}}\nspec:\n"
        f"  displayName: {display or name}\n  categories: [{', '.join(categories)}]\n  authorization: {{method: none}}\n"
        f"  endpoints: {{list: {{method: GET, url: 'https://{name}.example.com/x'}}}}\n"
    )


@pytest.fixture
def platform(make_workspace: Make) -> Workspace:
    """A repository with a category and a group that others refer to, applied."""
    made = make_workspace("platform")
    project(made, "acme/platform")
    made.write("connectors/crm.yaml", category("crm", "Customers"))
    made.write("policies/g.yaml", "apiVersion: reconciler/v1\nkind: Group\nmetadata: {name: staff}\nspec:\n  displayName: Staff\n  members: {mode: authoritative, users: [ada]}\n")  # fmt: skip
    made.ok("apply", "-y", "-q")
    return made


@pytest.fixture
def sales(platform: Workspace, make_workspace: Make) -> Workspace:
    """A repository that refers to these."""
    made = make_workspace("sales")
    project(made, "acme/sales", "category/crm", "group/staff")
    made.write("connectors/sales.yaml", connector("orders", "crm"))
    made.write("policies/p.yaml", "apiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: sales}\nspec:\n  subjects: [{group: staff}]\n  grants: [{permissions: [connectors:view], on: {categories: [crm]}}]\n")  # fmt: skip
    return made


def addresses(workspace: Workspace, *arguments: str) -> list[str]:
    """What a plan changes."""
    return [change["address"] for change in plan_of(workspace, *arguments)["changes"]]


def test_references_to_what_others_define(sales: Workspace, platform: Workspace) -> None:
    """Are valid, planned and applied; the record itself is in nobody else's plan, by all ways of planning."""
    sales.ok("validate")
    assert addresses(sales) == ["connector/orders", "policy/sales"]
    sales.ok("apply", "-y", "-q")
    for full in ((), ("--full",)):
        assert addresses(sales, *full) == [] and addresses(platform, *full) == []
    sales.commit()
    sales.ok("apply", "-y", "-q")
    sales.edit("connectors/sales.yaml", "displayName: orders", "displayName: Orders")
    assert addresses(sales) == ["connector/orders"]
    base = sales.git("rev-parse", "HEAD")
    sales.commit()
    assert "looked at 1 files" in sales.ok("plan", "-v").stderr
    sales.ok("validate", "--changed-since", base)
    sales.ok("authorize", "--base", base, "--head", "HEAD", "--actor", "ada")
    assert plan_of(sales)["summary"]["owned"] == 2
    platform.edit("connectors/crm.yaml", "Customers", "Clients")
    assert addresses(platform) == ["category/crm"]
    platform.ok("apply", "-y", "-q")
    assert addresses(sales, "--full") == ["connector/orders"]
    assert sales.run("drift").stdout.startswith("No drift")


def test_what_nobody_is_said_to_define(sales: Workspace) -> None:
    """Is a fault as before; so is what is said to be defined elsewhere and is not in the store, in the plan."""
    sales.write("connectors/sales.yaml", connector("orders", "crm", "misspelt"))
    assert "there is no category 'misspelt'" in sales.run("validate").stdout
    project(sales, "acme/sales", "category/crm", "category/misspelt", "group/staff")
    sales.ok("validate")
    for command in (["plan"], ["plan", "--full"], ["apply", "-y"]):
        found = sales.run(*command)
        assert found.exit_code == 6 and "connector/orders refers to category/misspelt" in found.output
    assert "the repository that defines it applies first" in sales.run("plan").stdout


def test_a_reference_holds_the_record(sales: Workspace, platform: Workspace) -> None:
    """What others refer to can be neither deleted nor renamed by whom it belongs to."""
    sales.ok("apply", "-y", "-q")
    platform.write("connectors/crm.yaml", category("other", "Others"))
    found = platform.run("apply", "-y")
    assert found.exit_code == 6 and "connector/orders refers to category/crm" in found.output
    assert "policy/sales refers to category/crm" in found.output
    platform.write("connectors/crm.yaml", category("crm2", "Customers").replace("name: crm2", "name: crm2, previously: [crm]"))  # fmt: skip
    assert platform.run("apply", "-y").exit_code == 6


def test_a_record_of_another_owner_is_not_changed(sales: Workspace, platform: Workspace) -> None:
    """Whoever declares it is told whose it is; its display name is taken, too."""
    sales.write("connectors/mine.yaml", category("crm", "Mine"))
    found = sales.run("apply", "-y")
    assert found.exit_code == 5 and "category/crm belongs to acme/platform" in found.stderr
    sales.write("connectors/mine.yaml", category("mine", "CUSTOMERS"))
    found = sales.run("apply", "-y")
    assert found.exit_code == 6 and "category/crm, which belongs to acme/platform" in found.stderr
    (sales.root / "connectors/mine.yaml").unlink()
    sales.ok("apply", "-y", "-q")
    (sales.root / "connectors/sales.yaml").unlink()
    sales.ok("apply", "-y", "-q", "--max-deletes", "9")
    assert addresses(platform, "--full") == []


def test_get_by_owner(sales: Workspace, platform: Workspace) -> None:
    """Lists the records of one, or of several; a table says whose they are where that differs."""
    sales.ok("apply", "-y", "-q")
    table = sales.ok("get").stdout
    assert "OWNER" in table and "acme/platform" in table and "acme/sales" in table
    mine = sales.ok("get", "--owner", "acme/sales").stdout
    assert "OWNER" not in mine and "orders" in mine and "crm" not in mine.partition("\n")[0] and "2 records" in mine
    both = json.loads(sales.ok("get", "--owner", "acme/sales", "--owner", "acme/platform", "-o", "json").stdout)
    assert {record["owner"] for record in both["records"]} == {"acme/sales", "acme/platform"}
    assert len(both["records"]) == 4
    assert sales.ok("get", "--owner", "nobody-here").stdout == "No record matches.\n"


def test_a_branch_cannot_take_a_reference_for_granted(sales: Workspace) -> None:
    """Which references lead out of the repository is judged by each commit's own project file."""
    sales.commit()
    base = sales.git("rev-parse", "HEAD")
    sales.write("connectors/more.yaml", connector("more", "elsewhere"))
    sales.commit()
    found = sales.run("authorize", "--base", base, "--head", "HEAD", "--actor", "ada")
    assert found.exit_code == 3 and "there is no category 'elsewhere'" in found.output
    project(sales, "acme/sales", "category/crm", "category/elsewhere", "group/staff")
    sales.commit()
    sales.ok("authorize", "--base", base, "--head", "HEAD", "--actor", "ada")


def test_wrong_addresses(sales: Workspace) -> None:
    """Are told at their line."""
    project_file = sales.root / "reconciler.yaml"
    project_file.write_text(project_file.read_text().replace("group/staff", "staff"))
    found = sales.run("validate")
    assert found.exit_code == 3 and "RC205" in found.stdout, found.output


def test_many_at_once(platform: Workspace, make_workspace: Make) -> None:
    """Repositories that apply at the same time all come in, and drift of one is no other's."""
    repositories = []
    for number in range(6):
        made = make_workspace(f"team-{number}")
        project(made, f"acme/team-{number}", "category/crm")
        made.write("connectors/c.yaml", "---\n".join(connector(f"c-{number}-{each}", "crm") for each in range(5)))
        repositories.append(made)
    with ThreadPoolExecutor(3) as pool:
        codes = list(pool.map(lambda one: one.run("apply", "-y", "-q", "--lock-timeout", "60").exit_code, repositories))
    assert codes == [0] * 6
    for made in repositories:
        assert addresses(made) == [] and made.run("drift").stdout.startswith("No drift")
    assert plan_of(repositories[0])["summary"]["owned"] == 5
    platform.ok("store", "check")
