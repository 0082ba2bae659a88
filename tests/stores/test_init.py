"""``store init``: makes a store before its first apply, and the roles of its server."""

import json
from pathlib import Path

import pytest
from conftest import Workspace
from schema_checks import fits

DRIVER = '''
"""A store with roles, as a server has them: a store of SQLite, and a file that says what was done."""
from reconciler.stores.drivers import open_url


class Served:
    """As SQLite's, with what can be made beforehand."""

    def __init__(self, file, inner):
        self._file, self._inner = file, inner

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def init(self):
        new = not self._file.exists()
        self._file.touch()
        return new

    def role_statements(self, prefix):
        return (f"CREATE ROLE {prefix}_owner NOLOGIN", f"CREATE ROLE {prefix}_writer NOLOGIN;")

    def make_roles(self, prefix):
        self._file.write_text(prefix)

    @property
    def notes(self):
        raise AttributeError


for name in ("store", "beside", "files", "lost", "history", "locks", "keys", "repairs", "tokens", "audit", "back_up"):
    setattr(Served, name, lambda self, *a, _name=name, **k: getattr(self._inner, _name)(*a, **k))


def open_served(url, context):
    return Served(context.root / "served", open_url("sqlite:inner.db", context))
'''


@pytest.fixture
def served(empty: Workspace, tmp_path: Path) -> Workspace:
    """A repository whose store is of that driver."""
    site = tmp_path / "site"
    (site / "served-1.0.dist-info").mkdir(parents=True)
    (site / "served.py").write_text(DRIVER)
    (site / "served-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: served\nVersion: 1.0\n")
    (site / "served-1.0.dist-info/entry_points.txt").write_text("[reconciler.stores]\nserved = served:open_served\n")
    empty.env |= {"PYTHONPATH": str(site)}
    empty.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: a/b\ntargets: {local: {store: 'served:x'}}\n")  # fmt: skip
    return empty


def test_statements_are_the_answer(served: Workspace) -> None:
    """On stdout, each ended once, for the client of the server; what was done is said on stderr."""
    first = served.ok("store", "init")
    assert first.stdout == "CREATE ROLE reconciler_owner NOLOGIN;\nCREATE ROLE reconciler_writer NOLOGIN;\n"
    assert "made the store of local" in first.stderr
    again = served.ok("store", "init")
    assert again.stdout == first.stdout and "is there already" in again.stderr


def test_roles_are_made(served: Workspace) -> None:
    """Under a prefix of one's own; then nothing is left to be done."""
    made = served.ok("store", "init", "--roles")
    assert made.stdout == "" and "made its roles" in made.stderr
    assert (served.root / "served").read_text() == "reconciler"
    served.ok("store", "init", "--roles", "crm", "-q")
    assert (served.root / "served").read_text() == "crm"
    for prefix in ("", "Crm", "crm;drop", "9", "a" * 41):
        assert served.run("store", "init", f"--roles={prefix}").exit_code == 64


def test_as_json(served: Workspace) -> None:
    """All that was done."""
    for arguments, new, roles in (((), True, False), (("--roles", "crm"), False, True)):
        said = json.loads(served.ok("store", "init", "-o", "json", *arguments).stdout)
        fits(said, "store.schema.json")
        assert said["made"] is new and said["roles"]["made"] is roles and len(said["roles"]["statements"]) == 2


def test_a_file_that_was_lost(workspace: Workspace) -> None:
    """Is not made anew in silence."""
    workspace.ok("apply", "-y", "-q", env={"RECONCILER_STORE_KEY": ""})
    workspace.store.unlink()
    found = workspace.run("store", "init")
    assert found.exit_code == 5 and "it is gone" in found.stderr
