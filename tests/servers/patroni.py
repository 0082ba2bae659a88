"""PostgreSQL that fails over by itself: nodes under patroni, which agree through etcd."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg

from programs import needs
from servers.pair import wait_until
from servers.postgresql import SUPERUSER, own_folder, unprivileged
from servers.process import HOST, Server, free_port, launch, listens, wait

DATABASE = "store"
TTL = 20  # seconds until a primary that is not heard of is succeeded; patroni takes no less
SYNCHRONOUS = {"synchronous_mode": True, "synchronous_mode_strict": False}


class Member:
    """One node: an agent and the server that it starts, at an address of their own."""

    def __init__(self, folder: Path, number: int, etcd: int) -> None:
        self.folder, self.name, self.host = folder, f"node{number}", f"127.0.0.{number}"
        self.port, self._rest = free_port(), free_port()
        self.data = folder / self.name
        self._file = folder / f"{self.name}.json"
        self._file.write_text(json.dumps(self._configuration(etcd)), "utf-8")  # which YAML is, too
        self._agent: Server | None = None

    def _configuration(self, etcd: int) -> dict[str, Any]:
        rest, server = f"{self.host}:{self._rest}", f"{self.host}:{self.port}"
        limits = {"ttl": TTL, "loop_wait": 2, "retry_timeout": 5, **SYNCHRONOUS}
        rules = ["local all all trust", "host all all 127.0.0.0/8 trust", "host replication all 127.0.0.0/8 trust"]
        return {
            "scope": "store",
            "name": self.name,
            "restapi": {"listen": rest, "connect_address": rest},
            "etcd3": {"host": f"{HOST}:{etcd}"},
            "bootstrap": {
                "dcs": {**limits, "postgresql": {"use_pg_rewind": True}},
                "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "no-sync"],
            },
            "postgresql": {
                "listen": server,
                "connect_address": server,
                "data_dir": str(self.data),
                "bin_dir": str(Path(needs("postgres")).resolve().parent),
                "pgpass": str(self.folder / f"{self.name}.pgpass"),
                "authentication": {role: {"username": SUPERUSER} for role in ("superuser", "replication", "rewind")},
                "pg_hba": rules,
                "parameters": {"fsync": "off", "shared_buffers": "32MB", "unix_socket_directories": ""},
                "basebackup": ["no-sync", {"checkpoint": "fast"}],
            },
        }

    def start(self) -> None:
        """Start the agent, which starts the server in its own time."""
        command = [*unprivileged(), needs("patroni"), self._file]
        self._agent = launch(self.name, command, folder=self.folder, port=self._rest)

    def is_primary(self) -> bool:
        """Whether it may be written to, as the agent says."""
        return self._says("primary")

    def is_synchronous(self) -> bool:
        """Whether COMMIT on the primary waits for it."""
        return self._says("synchronous")

    def is_replica(self) -> bool:
        """Whether it follows the primary."""
        return self._says("replica")

    def _says(self, question: str) -> bool:
        with suppress(OSError):  # a status of 503 is one, too
            with urllib.request.urlopen(f"http://{self.host}:{self._rest}/{question}", timeout=2) as answer:
                return answer.status == 200
        return False

    def kill(self) -> None:
        """Kill agent and server with all their processes."""
        if self._agent is None:
            return
        with suppress(OSError, psutil.NoSuchProcess):
            server = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            for process in [psutil.Process(self._agent.child.pid), server, *server.children()]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._agent.stop()
        self._agent = None

    def execute(self, statement: str, *values: object, database: str = DATABASE) -> list[Any]:
        """Run one statement as the superuser, on this node alone."""
        link = f"postgresql://{SUPERUSER}@{self.host}:{self.port}/{database}?connect_timeout=2"
        with psycopg.connect(link, autocommit=True) as connection:
            done = connection.execute(statement, values or None)
            return done.fetchall() if done.description else []

    @contextmanager
    def locking(self, statement: str) -> Iterator[Callable[[], None]]:
        """Keep what a statement locks until the block ends, the node is killed, or what this gives is called."""
        link = f"postgresql://{SUPERUSER}@{self.host}:{self.port}/{DATABASE}"
        with suppress(psycopg.OperationalError), psycopg.connect(link) as connection:
            connection.execute(statement)
            yield connection.rollback

    def receivers(self) -> list[psutil.Process]:
        """The processes that receive what the primary commits."""
        server = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        return [process for process in server.children() if "walreceiver" in " ".join(process.cmdline())]

    def log_text(self) -> str:
        """What agent and server have said."""
        return "".join(file.read_text("utf-8", "replace") for file in self.folder.glob(f"{self.name}-*.log"))


class Cluster:
    """All nodes. One of them is the primary, one is its synchronous standby."""

    def __init__(self, members: list[Member]) -> None:
        self.members = members

    def primary(self) -> Member:
        """The one that may be written to; waits for it."""
        wait_until(lambda: any(member.is_primary() for member in self.members), 60)
        return next(member for member in self.members if member.is_primary())

    def kill_primary(self) -> Member:
        """Kill it with its agent; returns which it was."""
        primary = self.primary()
        primary.kill()
        return primary

    def wait_writable(self, limit: float = 90) -> float:
        """Wait until a transaction that writes is acknowledged; returns after how many seconds."""
        return wait_until(self._takes_writes, limit, every=0.2)

    def _takes_writes(self) -> bool:
        try:
            with psycopg.connect(self.url(), autocommit=True) as connection:
                connection.execute("SET statement_timeout = '2s'")
                return bool(connection.execute("SELECT pg_current_xact_id()").fetchall())
        except psycopg.Error:
            return False

    def wait_synchronous(self, limit: float = 90) -> float:
        """Wait until every other node follows and one of them is waited for; returns after how many seconds."""
        return wait_until(self._is_whole, limit, every=0.2)

    def _is_whole(self) -> bool:
        replicas = [member for member in self.members if member.is_replica()]
        return len(replicas) == len(self.members) - 1 and any(member.is_synchronous() for member in replicas)

    @contextmanager
    def lagging(self, *, lose: bool) -> Iterator[None]:
        """Have all standbys receive nothing, while they are connected; whether what was on its way is lost then."""
        stopped = [process for member in self.members if member.is_replica() for process in member.receivers()]
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                with suppress(psutil.NoSuchProcess):
                    if lose:
                        process.terminate()
                    process.resume()

    def url(self, database: str = DATABASE, user: str = SUPERUSER, **options: str) -> str:
        """Of whichever node may be written to."""
        hosts = ",".join(f"{member.host}:{member.port}" for member in self.members)
        given = {"target_session_attrs": "read-write", "connect_timeout": "2", **options}
        query = "&".join(f"{name}={value}" for name, value in given.items())
        return f"postgresql://{user}@{hosts}/{database}?{query}"


@contextmanager
def cluster(nodes: int = 3) -> Iterator[Cluster]:
    """Nodes that have found each other, with an empty database."""
    with own_folder("patroni") as folder:
        port, peers = free_port(), f"http://{HOST}:{free_port()}"
        clients = f"http://{HOST}:{port}"
        command = [
            *unprivileged(), needs("etcd"), "--data-dir", folder / "etcd", "--unsafe-no-fsync",
            "--listen-client-urls", clients, "--advertise-client-urls", clients,
            "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}",
        ]  # fmt: skip
        members = [Member(folder, number, port) for number in range(1, nodes + 1)]
        etcd = launch("etcd", command, folder=folder, port=port)
        try:
            wait(etcd, listens)
            for member in members:
                member.start()
            made = Cluster(members)
            made.primary().execute(f"CREATE DATABASE {DATABASE}", database="postgres")
            made.wait_synchronous()
            yield made
        finally:
            for member in members:
                member.kill()
            etcd.stop()
