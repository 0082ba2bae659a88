"""The runs that are cut off, each at all of its points. To add one, add it to `RUNS`."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from conftest import CATEGORY, CONNECTOR, POLICY, Workspace
from live_state import InProcess, sql
from servers.oauth import OAuthServer

OWN_KEY = {"RECONCILER_STORE_KEY": ""}
"""The key lies in a file beside the store, and is made by the first apply."""


@dataclass(frozen=True)
class Run:
    """A command line and what stands before it.

    Attributes:
        prepare: makes the repository and its store as they are before.
        adds: how many runs the history has afterwards more than before.
        oauth: whether it takes the OAuth server.
        read: whether another process reads all the while, so that SQLite does not tidy up at the end.
    """

    prepare: Callable[[Workspace, OAuthServer | None], None]
    command: tuple[str, ...] = ("apply", "--yes")
    adds: int = 1
    oauth: bool = False
    read: bool = False


def _connector(name: str, secret: str, more: str = "") -> str:
    text = CONNECTOR.replace("crm-contacts", name).replace("Sales team's contacts", f"The {name}")
    return text.replace("CRM_PASSWORD", secret).replace(
        "  labels: {team: sales}\n", f"  labels: {{team: sales}}\n{more}"
    )


def _small(workspace: Workspace, server: OAuthServer | None) -> None:
    workspace.env |= OWN_KEY
    workspace.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR)
    workspace.write("policies/team.yaml", POLICY)


def _applied(workspace: Workspace, server: OAuthServer | None) -> None:
    _small(workspace, server)
    InProcess(workspace.root, workspace.env).apply()


def _of_each_kind(workspace: Workspace, server: OAuthServer | None) -> None:
    """Secrets come, go, change and move with their records."""
    workspace.env |= OWN_KEY | {name: f"secret-{name}" for name in ("ONE", "TWO", "THREE", "FOUR")}
    workspace.write("policies/team.yaml", POLICY)
    for name, secret in (("one", "ONE"), ("two", "TWO"), ("three", "THREE")):
        workspace.write(f"connectors/{name}.yaml", _connector(name, secret))
    workspace.write("connectors/category.yaml", CATEGORY)
    InProcess(workspace.root, workspace.env).apply()
    workspace.write("connectors/one.yaml", _connector("one", "FOUR").replace("method: GET", "method: PUT"))
    workspace.write("connectors/two.yaml", _connector("two-b", "TWO", "  previously: [two]\n"))
    (workspace.root / "connectors/three.yaml").unlink()
    workspace.write("connectors/four.yaml", _connector("four", "FOUR"))
    workspace.edit("policies/team.yaml", "[ada, grace]", "[ada]")


def _with_a_deleted_record(workspace: Workspace, server: OAuthServer | None) -> None:
    _of_each_kind(workspace, server)
    InProcess(workspace.root, workspace.env).apply()
    assert sql(workspace.store, "SELECT name FROM quarantine") == [("three",)]


def _after_a_kill(workspace: Workspace, server: OAuthServer | None) -> None:
    """The changes stand in the write-ahead log alone: whoever made them was killed before they were moved."""
    _applied(workspace, server)
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    folder, kept = workspace.store.parent, workspace.root.parent / f"{workspace.root.name}.kept"
    with closing(sqlite3.connect(workspace.store)) as reader:
        reader.execute("SELECT 1 FROM meta").fetchone()  # whoever is not the last to close does not move them
        InProcess(workspace.root, workspace.env).apply()
        shutil.copytree(folder, kept)
    shutil.rmtree(folder)
    shutil.move(kept, folder)
    assert workspace.store.with_name("store.db-wal").stat().st_size > 0
    workspace.edit("connectors/crm.yaml", "method: PUT", "method: PATCH")


def with_grant(workspace: Workspace, server: OAuthServer | None) -> None:
    """Two connectors whose tokens come from the server."""
    assert server
    workspace.env |= OWN_KEY | {"SECRET": server.client_secret, "PASSWORD": server.password}
    grant = (
        f"method: oauth2-password\n    tokenUrl: {server.token_url}\n    clientId: {server.client_id}\n"
        f"    clientSecret: {{env: SECRET}}\n    username: {server.user}\n    password: {{env: PASSWORD}}\n"
        f"  tls: {{ca: {{file: '{server.ca}'}}}}"
    )
    basic = "method: basic\n    username: svc\n    password: {env: CRM_PASSWORD}"
    for name in ("one", "two"):
        text = _connector(name, "CRM_PASSWORD")
        assert basic in text
        workspace.write(f"connectors/{name}.yaml", text.replace(basic, grant))
    workspace.write("connectors/category.yaml", CATEGORY)


def with_due_tokens(workspace: Workspace, server: OAuthServer | None) -> None:
    """Applied, and long ago: both tokens have to be renewed, with refresh tokens that work once."""
    with_grant(workspace, server)
    InProcess(workspace.root, workspace.env).apply(fetch=True)
    assert sql(workspace.store, "SELECT count(*) FROM tokens WHERE refresh IS NOT NULL") == [(2,)]
    sql(workspace.store, "UPDATE tokens SET obtained = '2026-01-01T00:00:00Z', expires = '2026-01-01T01:00:00Z'")


RUNS: dict[str, Run] = {
    "the first apply": Run(_small),
    "create, update, rename and delete": Run(_of_each_kind),
    "an apply while another process reads": Run(_of_each_kind, read=True),
    "an apply after a kill": Run(_after_a_kill),
    "restore": Run(_with_a_deleted_record, ("restore", "connector/three", "--yes")),
    "rollback": Run(_with_a_deleted_record, ("rollback", "1", "--yes")),
    "store purge": Run(_with_a_deleted_record, ("store", "purge", "--older-than", "0", "--yes")),
    "a first apply with tokens": Run(with_grant, oauth=True),
    "an apply that renews tokens": Run(with_due_tokens, oauth=True),
    "store rotate-key": Run(with_due_tokens, ("store", "rotate-key"), oauth=True),
    "token renew": Run(with_due_tokens, ("token", "renew"), adds=0, oauth=True),
}


@contextmanager
def copied(root: Path) -> Iterator[Path]:
    """A copy of a repository without its store for the time of a test, in memory where the system has such a folder."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with TemporaryDirectory(dir=memory) as folder:
        yield Path(shutil.copytree(root, f"{folder}/stage", ignore=shutil.ignore_patterns(".reconciler")))
