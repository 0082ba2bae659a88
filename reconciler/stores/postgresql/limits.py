"""How a transaction begins: all that holds in it is said there, and ends with it.

What belongs to a session would stay with a pooler's connection, and reach others.
"""

from msgspec import Struct

from reconciler.stores.postgresql.statements import quoted

READING = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITING = b"BEGIN ISOLATION LEVEL READ COMMITTED"
SETTINGS = (
    b"SELECT extract(epoch FROM clock_timestamp())::float8, set_config('search_path', $1, true),"
    b" set_config('lock_timeout', $2, true), set_config('statement_timeout', $3, true),"
    b" set_config('idle_in_transaction_session_timeout', $4, true),"
    # a role may have less than that, and then nothing that it is told lasts
    b" set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
    b" WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true),"
    # by a warning the server says that a commit may be lost
    b" set_config('client_min_messages', 'warning', true), set_config('standard_conforming_strings', 'on', true),"
    b" set_config('jit', 'off', true)"
)
"""Gives the time of the server first."""


class Limits(Struct, frozen=True):
    """What holds in a transaction.

    Attributes:
        schema: of the tables.
        lock_seconds: how long the server waits for what others have locked.
        seconds: how long it may take for one statement beside that.
        idle_seconds: how long the transaction may stand still; a client that is gone locks nothing any longer.
    """

    schema: str
    lock_seconds: float
    seconds: float
    idle_seconds: float

    def values(self) -> tuple[str, ...]:
        """As `SETTINGS` takes them; times in milliseconds, of which 0 would be no limit."""
        times = (self.lock_seconds, self.lock_seconds + self.seconds, self.idle_seconds)
        return (f"{quoted(self.schema)}, pg_temp", *(str(max(1, round(seconds * 1000))) for seconds in times))
