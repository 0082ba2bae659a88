"""What a user reads when PostgreSQL, or the way to it, is not as it should be: what is wrong, and what to do."""

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from conftest import CATEGORY, Result, Workspace, clean_environment
from programs import needs_mounts
from servers.authority import Authority, Certificate
from servers.postgresql import DEBIANS, Database, PostgreSQL, postgresql

from reconciler.errors import ExitCode

CANARY = "canary-7d41c09e"


class Team:
    """A repository with one category, and a store by URL."""

    def __init__(self, workspace: Workspace, database: Database) -> None:
        self.workspace = workspace
        self.database = database
        workspace.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: acme/connectors\n")
        workspace.write("connectors/crm.yaml", CATEGORY)

    def run(self, *arguments: str, url: str = "", env: dict[str, str] | None = None, timeout: float = 60) -> Result:
        given = {**self.database.environment, **(env or {})}
        return self.workspace.run("--store", url or self.database.url, *arguments, env=given, timeout=timeout)

    def fails(self, *arguments: str, says: str, hint: str, **options) -> Result:
        """It ends with the code for the world, one message and what to do."""
        done = self.run(*arguments, **options)
        assert done.exit_code == ExitCode.WORLD, done.output
        assert says in done.stderr, done.stderr
        assert hint in done.stderr.partition("hint: ")[2], done.stderr
        assert done.stderr.startswith("error: ")
        return done


@pytest.fixture
def team(empty: Workspace, database: Database) -> Team:
    return Team(empty, database)


@pytest.fixture
def team_tls(empty: Workspace, database_tls: Database) -> Team:
    return Team(empty, database_tls)


# who, and where


def test_wrong_password(team: Team):
    team.fails("plan", says="does not accept the role and its password", hint="PGPASSWORD", env={"PGPASSWORD": "wrong"})


def test_unknown_role(team: Team):
    url = team.database.server.url(database=team.database.name, user="nobody-here")
    team.fails("plan", says="does not accept the role and its password", hint="role in the URL", url=url)


def test_no_password(team: Team):
    team.fails("plan", says="wants a password, and none is given", hint="PGPASSFILE", env={"PGPASSWORD": ""})


def test_a_file_of_passwords_is_read(team: Team, tmp_path: Path):
    file = tmp_path / "passwords"
    database = team.database
    file.write_text(f"127.0.0.1:{database.server.port}:*:{database.user}:{database.password}\n")
    file.chmod(0o600)
    assert team.run("plan", env={"PGPASSWORD": "", "PGPASSFILE": str(file)}).exit_code == 0


def test_missing_database(team: Team):
    url = team.database.server.url(database="elsewhere", user=team.database.user)
    team.fails("plan", says="there is no such database", hint="CREATE DATABASE", url=url)


def test_nothing_listens(team: Team, closed_port: int):
    url = f"postgresql://u@127.0.0.1:{closed_port}/app"
    team.fails("plan", says="nothing listens there", hint="check host and port", url=url)


def test_unknown_host(team: Team):
    team.fails(
        "plan", says="whose address nobody knows", hint="check the host", url="postgresql://u@nowhere.invalid/app"
    )


def test_each_of_several_hosts_is_told_of(team: Team, closed_port: int):
    url = f"postgresql://u@127.0.0.1:{closed_port},nowhere.invalid:5432/app?sslmode=disable"
    done = team.fails("plan", says=f"127.0.0.1:{closed_port}", hint="", url=url)
    assert "nowhere.invalid" in done.stderr


def test_a_server_that_accepts_and_never_answers(team: Team, mute_port: int):
    began = time.monotonic()
    url = f"postgresql://u@127.0.0.1:{mute_port}/app?connect_timeout=2"
    team.fails("plan", says="does not answer", hint="connect_timeout", url=url)
    assert time.monotonic() - began < 8


# certificates


@pytest.fixture(scope="module")
def presenting(authority: Authority) -> Iterator[Callable[[Certificate], PostgreSQL]]:
    """Debian's server with another certificate."""
    with ExitStack() as ends:
        server = ends.enter_context(postgresql(authority, DEBIANS))

        def made(certificate: Certificate) -> PostgreSQL:
            server.stop()
            server.present(certificate)
            server.start()
            return server

        yield made


@pytest.mark.parametrize(
    ("name", "says", "hint"),
    [
        ("expired", "the certificate of the server has expired", "renew"),
        ("wrong_host", "the certificate of the server is for another host", "host name"),
        ("unknown_ca", "the certificate of the server is not from a trusted authority", "PGSSLROOTCERT"),
    ],
)
def test_certificates_that_are_not_accepted(
    empty: Workspace,
    presenting: Callable[[Certificate], PostgreSQL],
    authority: Authority,
    name: str,
    says: str,
    hint: str,
):
    server = presenting(getattr(authority, name))
    team = Team(empty, server.create())
    url = f"{team.database.url}?sslmode=verify-full"
    team.fails("plan", says=says, hint=hint, url=url, env={"PGSSLROOTCERT": str(authority.ca)})


def test_a_certificate_that_is_accepted(team_tls: Team):
    assert team_tls.run("plan", url=team_tls.database.tls_url).exit_code == 0


def test_the_systems_authorities_do_not_know_the_tests(team_tls: Team):
    url = f"{team_tls.database.url}?sslmode=verify-full"
    team_tls.fails("plan", says="not from a trusted authority", hint="sslrootcert=FILE", url=url)


def test_a_server_without_tls(team: Team):
    if team.database.server.has_tls:
        pytest.skip("this one has TLS")
    url = f"{team.database.url}?sslmode=require"
    team.fails("plan", says="the server has no TLS", hint="sslmode=disable", url=url)


# what the database is


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_keep_every_text(empty: Workspace, postgresql: PostgreSQL, encoding: str):
    made = postgresql.create(options=f"ENCODING '{encoding}' LOCALE 'C'")
    try:
        team = Team(empty, made)
        for command in ("plan", "apply"):
            arguments = ["--yes"] if command == "apply" else []
            team.fails(command, *arguments, says=f"has the encoding {encoding}", hint="ENCODING 'UTF8'")
    finally:
        postgresql.drop(made)


def test_tables_of_another_application(team: Team):
    team.database.sql("CREATE SCHEMA crm; CREATE TABLE crm.meta (id int); CREATE TABLE crm.records (id int)")
    team.database.sql(
        f"GRANT ALL ON SCHEMA crm TO {team.database.user}; GRANT ALL ON ALL TABLES IN SCHEMA crm TO {team.database.user}"
    )
    url = f"{team.database.url}?schema=crm"
    team.fails("plan", says="is not a reconciler store", hint="?schema=NAME", url=url)
    team.fails("apply", "--yes", says="is not a reconciler store", hint="?schema=NAME", url=url)
    assert team.run("apply", "--yes").exit_code == 0  # beside it, in a schema of its own


def test_a_store_of_a_newer_version(team: Team):
    assert team.run("apply", "--yes").exit_code == 0
    team.database.sql("UPDATE meta SET value = '99' WHERE key = 'version'")
    team.fails("plan", says="written by a newer reconciler", hint="install the newer reconciler")
    team.fails("apply", "--yes", says="written by a newer reconciler", hint="install the newer reconciler")


def test_a_role_that_may_not_make_a_store(team: Team):
    other = team.database.login()
    team.database = other
    assert team.run("plan").exit_code == 0  # there is none yet
    done = team.fails("apply", "--yes", says="may not make one", hint="reconciler store init")
    assert "permission denied" in done.stderr


def test_a_role_that_may_not_read_the_store(team: Team):
    assert team.run("apply", "--yes").exit_code == 0
    team.database = team.database.login()
    team.fails("plan", says="the role may not do that", hint="store init --help")


# the server's life


def test_a_standby_cannot_be_applied_to_and_can_be_read(team: Team, standby: PostgreSQL):
    assert team.run("apply", "--yes").exit_code == 0
    team.workspace.edit("connectors/crm.yaml", "Customer data", "Customers")
    time.sleep(0.5)
    url = standby.url(database=team.database.name, user=team.database.user)
    assert team.run("plan", url=url).exit_code == 0
    team.fails("apply", "--yes", says="is a standby or read-only", hint="target_session_attrs=read-write", url=url)
    both = f"postgresql://{team.database.user}@127.0.0.1:{standby.port},127.0.0.1:{team.database.server.port}/{team.database.name}"
    assert team.run("apply", "--yes", url=f"{both}?target_session_attrs=prefer-standby").exit_code == 0


def test_a_server_that_stands_still(team: Team):
    assert team.run("apply", "--yes").exit_code == 0
    began = time.monotonic()
    with team.database.server.frozen():
        team.fails("plan", says="does not answer", hint="network", url=f"{team.database.url}?connect_timeout=2")
    assert time.monotonic() - began < 10
    assert team.run("plan").exit_code == 0


@pytest.mark.long
def test_a_server_that_stops_in_the_middle_of_an_apply(team: Team):
    assert team.run("apply", "--yes").exit_code == 0
    team.workspace.edit("connectors/crm.yaml", "Customer data", "Customers")
    url = f"{team.database.url}?timeout=1&connect_timeout=2"
    with team.database.connect(autocommit=False) as other:
        other.execute(
            "LOCK TABLE reconciler.documents IN EXCLUSIVE MODE"
        )  # so that it is in the middle for long enough
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "--store", url, "apply", "--yes", "--lock-timeout", "2"],
            cwd=team.workspace.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=clean_environment({**team.workspace.env, **team.database.environment}),
        )  # fmt: skip
        _until(team, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        with team.database.server.frozen():
            _, said = process.communicate(timeout=30)
    assert process.returncode in (ExitCode.WORLD, ExitCode.LOCKED), said
    assert said.startswith("error: ") and "hint: " in said and "Traceback" not in said
    assert team.database.sql("SELECT live::json -> 'spec' ->> 'displayName' FROM documents") == [("Customer data",)]


def _until(team: Team, query: str) -> None:
    until = time.monotonic() + 15
    while not team.database.sql(query)[0][0]:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_server_that_restarts(team: Team):
    server = team.database.server
    assert team.run("apply", "--yes").exit_code == 0
    server.stop("immediate")
    try:
        team.fails("plan", says="nothing listens there", hint="whether the server runs")
    finally:
        server.start()
    assert "Nothing to do" in team.run("plan").stdout


def test_no_connection_left(team: Team):
    user = team.database.user
    with team.database.server.superuser() as connection:
        connection.execute(f"ALTER ROLE {user} CONNECTION LIMIT 1")
    with team.database.connect():
        team.fails("plan", says="has no connection left", hint="pooler")
    with team.database.server.superuser() as connection:
        connection.execute(f"ALTER ROLE {user} CONNECTION LIMIT -1")


def test_others_hold_a_lock(team: Team):
    assert team.run("apply", "--yes").exit_code == 0
    team.workspace.edit("connectors/crm.yaml", "Customer data", "Customers")
    with team.database.connect(autocommit=False) as other:
        other.execute("SELECT 1 FROM reconciler.meta FOR UPDATE")
        done = team.run("apply", "--yes", "--lock-timeout", "1")
        assert done.exit_code == ExitCode.LOCKED, done.output
        assert "is locked by another" in done.stderr
        assert team.run("plan").exit_code == 0


@contextmanager
def small_disk(server: PostgreSQL, folder: Path) -> Iterator[str]:
    """A tablespace of 2 MB."""
    folder.mkdir()
    owner = server.data.stat()
    options = f"size=2m,mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        with server.superuser() as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        yield "small"
        with server.superuser() as connection:
            connection.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk(team: Team):
    needs_mounts()
    server = team.database.server
    assert team.run("apply", "--yes").exit_code == 0
    with small_disk(server, server.folder / "small"):
        team.database.sql("ALTER TABLE documents SET TABLESPACE small")
        body = CATEGORY.replace("{displayName: Customer data}", "{displayName: NAME, description: TEXT}")
        long = "x" * 1_800
        many = [
            body.replace("crm", f"c{at}").replace("NAME", f"C{at}").replace("TEXT", f"{at} {long}")
            for at in range(1_500)
        ]
        team.workspace.write("connectors/many.yaml", "---\n".join(many))
        team.fails("apply", "--yes", says="the disk of the server is full; nothing was changed", hint="free some space")
        assert team.database.sql("SELECT count(*) FROM records") == [(1,)]
        team.database.sql("ALTER TABLE documents SET TABLESPACE pg_default")
    (team.workspace.root / "connectors/many.yaml").unlink()
    assert "Nothing to do" in team.run("plan").stdout


def test_through_a_pooler(team: Team, pgbouncer):
    url = pgbouncer.url(team.database)
    assert team.run("apply", "--yes", url=url).exit_code == 0
    assert "Nothing to do" in team.run("plan", url=url).stdout


# interrupts, and secrets


def test_an_interrupt_while_others_hold_a_lock(team: Team):
    assert team.run("apply", "--yes").exit_code == 0
    with team.database.connect(autocommit=False) as other:
        other.execute("LOCK TABLE reconciler.records")
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", "--store", team.database.url, "plan"], cwd=team.workspace.root,
            env=clean_environment({**team.workspace.env, **team.database.environment}), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        _until(team, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
    assert process.returncode == ExitCode.INTERRUPTED, said
    assert "Traceback" not in said


@pytest.mark.parametrize("where", ["right", "wrong", "gone", "no-database"])
def test_a_password_is_nowhere_to_be_read(team: Team, where: str, closed_port: int):
    database = team.database
    with database.server.superuser() as connection:
        connection.execute(f"ALTER ROLE {database.user} PASSWORD '{CANARY if where != 'wrong' else 'another'}'")
    url = {
        "gone": f"postgresql://{database.user}@127.0.0.1:{closed_port}/x",
        "no-database": database.server.url(database="elsewhere", user=database.user),
    }.get(where, database.url)
    for command in (["plan", "-o", "json"], ["apply", "--yes"], ["store", "check"], ["history"]):
        done = team.run("-v", *command, url=url, env={"PGPASSWORD": CANARY})
        assert (done.exit_code == 0) == (where == "right"), done.output
        assert CANARY not in done.output
    if where == "right":
        assert not database.sql("SELECT 1 FROM meta WHERE value LIKE %s", f"%{CANARY}%")


def test_a_url_with_a_password_is_refused(team: Team):
    url = team.database.url.replace("@", f":{CANARY}@")
    done = team.run("plan", url=url)
    assert done.exit_code == ExitCode.USAGE
    assert CANARY not in done.output
    assert "PGPASSWORD" in done.stderr


def test_psycopgs_own_log_holds_no_password(team: Team, caplog: pytest.LogCaptureFixture):
    with (
        caplog.at_level(logging.DEBUG, logger="psycopg"),
        psycopg.connect(team.database.url, password=team.database.password),
    ):
        pass
    assert team.database.password not in caplog.text
