"""The worlds in which stores have to survive: what they do to connections is real."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from servers.namespaces import Machine, machines, reached_from
from servers.pair import Pair, pair, wait_until
from servers.patroni import cluster
from servers.postgresql import Database, PostgreSQL


@pytest.fixture(scope="module")
def _both(authority):
    with pair(authority) as made:
        yield made


@pytest.fixture
def both(_both):
    """A primary and the standby that it waits for."""
    _both.begin()
    return _both


@pytest.fixture
def numbers(both):
    """A database with a table."""
    made = both.primary.create()
    made.sql("CREATE TABLE public.numbers (number int); GRANT ALL ON numbers TO public")
    return made


class Insert:
    """An INSERT that commits by itself, in a process of its own, as COMMIT may never return."""

    SCRIPT = """
import sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.add_notice_handler(lambda notice: print(notice.sqlstate))
    print(connection.execute("INSERT INTO numbers VALUES (1)").statusmessage)
"""

    def __init__(self, both: Pair, database: Database) -> None:
        environment = {**database.environment, "PATH": "/usr/bin"}
        command = [sys.executable, "-c", self.SCRIPT, both.url(database).replace("&timeout=1", "")]
        self._child = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def said(self) -> str:
        """Notices, and the tag if it did not fail."""
        output, errors = self._child.communicate(timeout=20)
        assert "Error" in errors or not errors
        return " ".join(output.split())


def failed_over(both, database):
    both.fail_over()
    return both.promoted(database)


def test_what_was_acknowledged_is_on_the_standby(both, numbers):
    assert Insert(both, numbers).said() == "INSERT 0 1"
    assert failed_over(both, numbers).sql("SELECT * FROM public.numbers") == [(1,)]


@pytest.mark.parametrize(
    ("end", "said"),
    [("pg_cancel_backend", "01000 INSERT 0 1"), ("pg_terminate_backend", "57P01")],
)
def test_a_commit_waits_for_the_standby_until_somebody_ends_it(both, numbers, end, said):
    both.lose_standby()
    inserted = Insert(both, numbers)
    wait_until(lambda: both.waiting(numbers))
    both.primary_says(f"SELECT {end}(%s)", both.waiting(numbers)[0])
    assert inserted.said() == said
    assert numbers.sql("SELECT * FROM public.numbers") == [(1,)]
    assert failed_over(both, numbers).sql("SELECT * FROM public.numbers") == []


def test_a_cable_may_be_unplugged(authority):
    """Nobody is told; what was connected before goes on when it is plugged in again."""
    script = "import sys, psycopg; print(*psycopg.connect(sys.argv[1]).execute('SELECT inet_client_addr()').fetchone())"

    def ask(machine: Machine, server: PostgreSQL) -> str:
        url = f"postgresql://postgres@{machine.server}:{server.port}/postgres?connect_timeout=2"
        asked = machine.start_program(
            [sys.executable, "-c", script, url], cwd=Path("/"), env={"PGPASSWORD": server.password}
        )
        return "".join(asked.communicate(timeout=20))

    with machines(2) as (one, other), reached_from(authority, (one, other)) as server:
        assert (ask(one, server).strip(), ask(other, server).strip()) == (one.address, other.address)
        one.unplug()
        assert "connection timeout expired" in ask(one, server)
        assert ask(other, server).strip() == other.address
        one.plug()
        assert ask(one, server).strip() == one.address


@pytest.mark.long
def test_patroni_fails_over(server_folder):
    """Within the time to live of the primary's lock; what was acknowledged is there, and the killed one follows."""
    with cluster() as made:
        made.primary().execute("CREATE TABLE numbers (number int)")
        for number in range(2):
            with psycopg.connect(made.url()) as connection:
                connection.execute("INSERT INTO numbers VALUES (%s)", (number,))
            killed = made.kill_primary()
            made.wait_writable()
            assert made.primary() is not killed
            assert made.primary().execute("SELECT max(number) FROM numbers") == [(number,)]
            killed.start()
            made.wait_synchronous()
