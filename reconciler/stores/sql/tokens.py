"""Access tokens and leases in the SQL store."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from reconciler.core.calls import TokenKey, TokenState
from reconciler.core.model import encode
from reconciler.core.ports.source import FetchedToken, Sealer
from reconciler.core.secret import Secret
from reconciler.errors import RecordConflict
from reconciler.stores.sql import leases
from reconciler.stores.sql.database import Connection, Database
from reconciler.stores.sql.transaction import reading, writing

_STATE = 'uid, "authorization", made_with, obtained, expires, scope'


class SqlTokens:
    """The tokens of one store. Each call is a transaction of its own, so that several processes see each other."""

    def __init__(self, database: Database, sealer: Callable[[], Sealer]) -> None:
        """Open nothing yet.

        Args:
            sealer: gives what seals and opens the tokens.
        """
        self._database = database
        self._sealer = sealer

    def states(self) -> dict[TokenKey, TokenState]:
        """What may be shown of every token."""
        with reading(self._database) as connection:
            rows = (
                connection.execute(f"SELECT {_STATE}, {connection.engine.renewable} FROM tokens").fetchall()
                if connection
                else []
            )
        return dict(map(_state, rows))

    def opened(self, key: TokenKey) -> tuple[TokenState, Secret, Secret | None] | None:
        """A token with its access and refresh token, or None when there is none.

        Raises:
            KeyUnavailable: the store's key is missing or is another one.
        """
        with reading(self._database) as connection:
            query = f'SELECT {_STATE}, access, refresh FROM tokens WHERE uid = ? AND "authorization" = ?'
            row = connection.execute(query, key).fetchone() if connection else None
        if row is None:
            return None
        *state, access, refresh = row
        state.append(refresh is not None)
        sealer = self._sealer()
        renewal = sealer.open(key.uid, address_of(key, "refresh"), refresh) if refresh is not None else None
        return _state(state)[1], sealer.open(key.uid, address_of(key, "access"), access), renewal

    def holder(self) -> str:
        """This process, as one that takes leases now."""
        return str(self._database.host().holder())

    def keep(self, tokens: Mapping[TokenKey, FetchedToken], holder: str) -> set[TokenKey]:
        """Store the tokens whose lease `holder` still has, and end those leases; returns which."""
        with writing(self._database, self._database.lock_seconds) as connection:
            held = leases.held(connection, [_lease(key) for key in tokens], holder)
            kept = {key: token for key, token in tokens.items() if _lease(key) in held}
            write_tokens(connection, kept, self._sealer)
            leases.drop(connection, map(_lease, kept), holder)
        return set(kept)

    def lease(self, keys: Sequence[TokenKey], holder: str, seconds: float) -> frozenset[TokenKey]:
        """Take, or extend, the lease on the tokens that nobody else is fetching; returns which.

        Raises:
            RecordConflict: the store's key was changed since this process read it.
        """
        names, host = list(map(_lease, keys)), self._database.host()
        with writing(self._database, self._database.lock_seconds) as connection:
            self._refuse_moved_key(connection)
            leases.drop_ended(connection, names, host, seconds)
            leases.put(connection, names, holder, host.moment().after(seconds))
            held = leases.held(connection, names, holder)
        return frozenset(key for key in keys if _lease(key) in held)

    def release(self, keys: Iterable[TokenKey], holder: str) -> None:
        """End the leases."""
        with writing(self._database, self._database.lock_seconds) as connection:
            leases.drop(connection, map(_lease, keys), holder)

    def _refuse_moved_key(self, connection: Connection) -> None:
        """Stop before a token is fetched that would be sealed with a key that the store has no more.

        While somebody has a lease on a token, the key is not changed.

        Raises:
            RecordConflict: the key was changed.
        """
        row = connection.execute("SELECT value FROM meta WHERE key = 'key_check'").fetchone()
        if row is not None and row[0] != self._sealer().key_check():
            raise RecordConflict("the store's key was changed meanwhile; nothing was fetched", hint="run the command again")  # fmt: skip


def write_tokens(
    connection: Connection, tokens: Mapping[TokenKey, FetchedToken], make_sealer: Callable[[], Sealer]
) -> None:
    """Seal tokens, and put them in the place of those that the records had."""
    sealer = make_sealer() if tokens else None
    rows = (
        (
            *key,
            token.state.made_with,
            token.state.obtained,
            token.state.expires,
            token.state.scope,
            _sealed(sealer, key, "access", token.access),
            _sealed(sealer, key, "refresh", token.refresh),
        )
        for key, token in tokens.items()
    )
    connection.insert("tokens", _COLUMNS, rows, _IN_PLACE)


_COLUMNS = ("uid", "authorization", "made_with", "obtained", "expires", "scope", "access", "refresh")
_IN_PLACE = 'ON CONFLICT (uid, "authorization") DO UPDATE SET ' + ", ".join(
    f"{column} = excluded.{column}" for column in _COLUMNS[2:]
)


def _sealed(sealer: Sealer | None, key: TokenKey, which: str, token: Secret | None) -> bytes | None:
    assert sealer is not None
    return None if token is None else sealer.seal(key.uid, address_of(key, which), "", token).ciphertext


def address_of(key: TokenKey, which: str) -> str:
    """What an access or refresh token is sealed for."""
    return f"token.{which}.{key.authorization}" if key.authorization else f"token.{which}"


def drop_other_tokens(connection: Connection, kept: Mapping[str, Mapping[str, str]]) -> None:
    """Delete the tokens of records whose authorization is another now.

    Args:
        kept: uid to the fingerprint of each authorization that needs a token, by name.
    """
    pairs = connection.engine.pairs
    connection.executemany(
        "DELETE FROM tokens WHERE uid = ? AND NOT EXISTS"
        f' (SELECT 1 FROM {pairs} kept WHERE kept.key = "authorization" AND kept.value = made_with)',
        ((uid, encode(printed).decode()) for uid, printed in kept.items()),
    )


def _lease(key: TokenKey) -> str:
    uid, name = key
    return f"{leases.OF_TOKENS}{uid}/{name}" if name else f"{leases.OF_TOKENS}{uid}"


def _state(row: Sequence[object]) -> tuple[TokenKey, TokenState]:
    uid, name, made_with, obtained, expires, scope, renewable = row
    return TokenKey(str(uid), str(name)), TokenState(
        str(made_with), str(obtained), str(expires) if expires else None, str(scope), bool(renewable)
    )
