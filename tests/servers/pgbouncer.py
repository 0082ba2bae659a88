"""pgbouncer: a pooler that gives each transaction another of a few connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

from programs import needs
from servers.postgresql import SUPERUSER, Database, PostgreSQL, own_folder, unprivileged
from servers.process import HOST, Server, free_port, launch, listens, wait

CONFIGURATION = """\
[databases]
* = host={host} port={upstream}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir = {folder}
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
auth_type = scram-sha-256
auth_file = {folder}/users
auth_user = {superuser}
auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1
admin_users = {superuser}
log_connections = 0
log_disconnections = 0
"""


@dataclass
class Pooler:
    """One pgbouncer before a server, for all of its databases and roles."""

    server: Server

    @property
    def port(self) -> int:
        return self.server.port

    def url(self, database: Database) -> str:
        """The address of a database through it, without a password."""
        return f"postgresql://{quote(database.user)}@{HOST}:{self.port}/{quote(database.name)}"


@contextmanager
def pgbouncer(upstream: PostgreSQL, *, size: int = 2) -> Iterator[Pooler]:
    """pgbouncer in transaction mode, with `size` connections to each database."""
    port = free_port()
    with own_folder("pgbouncer") as folder:
        file = folder / "pgbouncer.ini"
        text = CONFIGURATION.format(
            host=HOST, upstream=upstream.port, port=port, folder=folder, size=size, superuser=SUPERUSER
        )
        file.write_text(text, "utf-8")
        (folder / "users").write_text(f'"{SUPERUSER}" "{upstream.password}"\n', "utf-8")
        command = [*unprivileged(), needs("pgbouncer"), file]
        server = launch("pgbouncer", command, folder=folder, port=port)
        try:
            yield Pooler(wait(server, listens))
        finally:
            server.stop()
