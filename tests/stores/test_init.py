"""``store init``: makes a store before its first apply, and the roles of its server."""

import json
import re

import pytest
from conftest import Workspace
from live_state import holds_nothing, sql
from schema_checks import fits

ENDS = ("owner", "writer", "reader", "application")


@pytest.fixture
def served(empty: Workspace, database) -> Workspace:
    """A repository whose store is to be on a server."""
    empty.env |= {**database.environment, "PGUSER": database.user}
    empty.write("reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\nowner: a/b\ntargets: {{local: {{store: '{database.url}'}}}}\n")  # fmt: skip
    return empty


def roles_of(database, prefix: str) -> set[str]:
    """The roles with a prefix that are there."""
    found = database.sql("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", f"{prefix}\\_%")
    return {name for (name,) in found}


def test_statements_are_the_answer(served: Workspace, database) -> None:
    """On stdout, each ended once, for the client of the server, which makes the roles; what was done is said on stderr."""
    first = served.ok("store", "init")
    assert "made the store of local" in first.stderr
    assert database.sql("SELECT value FROM meta WHERE key = 'version'") == [("4",)]
    again = served.ok("store", "init")
    assert again.stdout == first.stdout and "is there already" in again.stderr
    with database.server.superuser(database.name) as connection:
        for _ in range(2):
            connection.execute(again.stdout.replace("reconciler_", "printed_"))
    assert roles_of(database, "printed") == {f"printed_{end}" for end in ENDS}


def test_roles_are_made(served: Workspace, database) -> None:
    """Under a prefix of one's own, by whoever may; then nothing is left to be done."""
    refused = served.run("store", "init", "--roles", "crm")
    assert refused.exit_code == 10 and "Traceback" not in refused.output and "hint: " in refused.stderr
    database.sql(f'ALTER ROLE "{database.user}" CREATEROLE')
    made = served.ok("store", "init", "--roles", "crm")
    assert made.stdout == "" and "made its roles" in made.stderr
    assert roles_of(database, "crm") == {f"crm_{end}" for end in ENDS}
    with database.server.superuser(database.name) as superuser:  # whose view is in nobody's way
        superuser.execute("CREATE VIEW reconciler.of_another AS SELECT 1")
    served.ok("store", "init", "--roles", "crm", "-q")
    for prefix in ("", "Crm", "crm;drop", "9", "a" * 41):
        assert served.run("store", "init", f"--roles={prefix}").exit_code == 64


def test_as_json(served: Workspace) -> None:
    """All that was done."""
    for new in (True, False):
        said = json.loads(served.ok("store", "init", "-o", "json").stdout)
        fits(said, "store.schema.json")
        assert said["made"] is new and said["roles"]["made"] is False
        assert re.search("reconciler_owner", said["roles"]["statements"][0])


def test_a_file(workspace: Workspace) -> None:
    """Is made, empty, and has no roles."""
    made = workspace.ok("store", "init")
    assert made.stdout == "" and "made the store of local" in made.stderr
    assert holds_nothing(workspace.store) and sql(workspace.store, "SELECT count(*) FROM meta") == [(2,)]
    assert "is there already" in workspace.ok("store", "init").stderr
    roles = workspace.run("store", "init", "--roles")
    assert roles.exit_code == 64 and "has no roles" in roles.stderr
    assert "4 created" in workspace.ok("apply", "--yes").stdout


def test_a_file_that_was_lost(workspace: Workspace) -> None:
    """Is not made anew in silence."""
    workspace.ok("apply", "-y", "-q", env={"RECONCILER_STORE_KEY": ""})
    workspace.store.unlink()
    found = workspace.run("store", "init")
    assert found.exit_code == 5 and "it is gone" in found.stderr
