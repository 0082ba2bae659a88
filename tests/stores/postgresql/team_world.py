"""A team's store on a server, seen from repositories that apply to it and from the server itself."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace, clean_environment
from servers.pair import wait_until
from servers.postgresql import Database

from reconciler.errors import ExitCode

UNCONFIRMED = ExitCode.UNCONFIRMED
NAMES = ("one", "two", "three")
BUSY = """
SELECT state, now() - state_change, wait_event, query FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'
"""


def category(name: str, text: str) -> str:
    """A category with a description."""
    return CATEGORY.replace("crm", name).replace("Customer data", f"The {name}, description: {text}")


def connector(name: str, text: str, categories: Sequence[str]) -> str:
    """A connector with a description and a secret."""
    named = CONNECTOR.replace("crm-contacts", name).replace("Sales team's contacts", f"Contacts of {name}")
    return named.replace("Contacts of the CRM.", text).replace("[crm]", f"[{', '.join(categories)}]")


class Repository(Workspace):
    """A repository of one owner, whose store is on a server."""

    def __init__(self, root: Path, url: str, password: str, owner: str = "us") -> None:
        super().__init__(root)
        self.write("reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\nowner: {owner}\n")
        self.env |= {"RECONCILER_STORE": url, "PGPASSWORD": password}

    def declare(self, text: str, names: Sequence[str] = NAMES, *, prefix: str = "") -> None:
        """Categories, and one connector in all of them, with one description."""
        categories = [f"{prefix}{name}" for name in names]
        documents = [category(name, text) for name in categories]
        self.write("connectors/all.yaml", "---\n".join([*documents, connector(f"{prefix}contacts", text, categories)]))

    def declare_categories(self, names: Sequence[str], text: str) -> None:
        """Categories alone, with one description."""
        self.write("connectors/all.yaml", "---\n".join(category(name, text) for name in names))

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command line and do not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=self.root,
            env=clean_environment(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def live(database: Database) -> dict[str, str]:
    """The description of each category and connector, by name."""
    both = "SELECT name, description FROM categories UNION ALL SELECT name, description FROM connectors"
    return dict(database.sql(both))


def runs(database: Database) -> list[str]:
    """Who has applied something, in the order of the history."""
    return [actor for (actor,) in database.sql("SELECT actor FROM runs ORDER BY id")]


def settle(database: Database, limit: float = 30) -> None:
    """Wait until nothing is under way on the server any more."""
    try:
        wait_until(lambda: not database.sql(BUSY), limit)
    except AssertionError:
        pytest.fail(f"still at work: {database.sql(BUSY)}")


def ended(process: "subprocess.Popen[str]", limit: float = 90) -> tuple[int, str]:
    """Exit code and all that it said."""
    out, err = process.communicate(timeout=limit)
    assert "Traceback" not in err, err
    return process.returncode, out + err


def whole(repository: Repository) -> None:
    """The store agrees with itself: its chain, its records, its triggers."""
    checked = repository.run("store", "check")
    assert checked.exit_code == 0, checked.output
