"""A primary and its standby, which a test may cut off and promote."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from psycopg import sql

from servers.authority import Authority
from servers.postgresql import NEWEST, SUPERUSER, Database, PostgreSQL, postgresql
from servers.process import HOST

WAITS = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = %s"


def wait_until(true: Callable[[], object], limit: float = 20, every: float = 0.02) -> float:
    """Wait until something is true; returns after how many seconds it was."""
    begun = time.monotonic()
    while time.monotonic() < begun + limit:
        if true():
            return time.monotonic() - begun
        time.sleep(every)
    raise AssertionError(f"not within {limit} s")


class Pair:
    """Two servers of which one follows the other. COMMIT waits for the standby unless told otherwise."""

    def __init__(self, primary: PostgreSQL) -> None:
        self.primary = primary
        self.standby = primary.standby(synchronous=True)
        self._whole = True

    def begin(self) -> None:
        """Make it whole again."""
        if not self._whole:
            self.standby.discard()
            if not self.primary.running:
                self.primary.start()
            self.standby = self.primary.standby(synchronous=True)
        self._whole = True

    def url(self, database: Database) -> str:
        """Of a database on whichever of the two takes writes, without the password."""
        hosts = ",".join(f"{HOST}:{port}" for port in (self.primary.port, self.standby.port))
        return f"postgresql://{database.user}@{hosts}/{database.name}?target_session_attrs=read-write&timeout=1"

    def lose_standby(self) -> None:
        """From now on no COMMIT is acknowledged."""
        self._whole = False
        self.standby.stop("immediate")

    def bring_back_standby(self) -> None:
        """COMMIT is acknowledged again, also that which waits."""
        self.standby.start()
        wait_until(lambda: self.primary_says("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))

    def wait_for_nobody(self) -> None:
        """What is committed from now on is lost when the primary is."""
        self._whole = False
        self.primary.reload(synchronous_standby_names="")
        wait_until(lambda: self.primary_says("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'async'"))

    def waiting(self, database: Database) -> list[int]:
        """The processes whose COMMIT waits for the standby."""
        return [process for (process,) in self.primary_says(WAITS, database.name)]

    def fail_over(self) -> None:
        """Kill the primary and promote the standby, started first if it was lost."""
        self._whole = False
        self.primary.kill()
        if not self.standby.running:
            self.standby.start()
        self.standby.promote()

    def promoted(self, database: Database) -> Database:
        """The same database on the standby."""
        return Database(self.standby, database.name, database.user, database.password)

    def primary_says(self, statement: str, *values: object) -> list[tuple]:
        """Ask it as the superuser."""
        with self.primary.superuser() as connection:
            return connection.execute(statement, values).fetchall()

    def set_for_role(self, database: Database, setting: str, value: str) -> None:
        """Have sessions of the database's role begin with a setting."""
        with self.primary.superuser() as connection:
            changed = sql.SQL("ALTER ROLE {} SET {} = {}")
            connection.execute(changed.format(*map(sql.Identifier, (database.user, setting)), sql.Literal(value)))


@contextmanager
def pair(authority: Authority, major: str = NEWEST) -> Iterator[Pair]:
    """Two servers of their own. Each test has to `begin` with them."""
    with postgresql(authority, major) as primary:
        made = Pair(primary)
        try:
            yield made
        finally:
            made.standby.discard()
