"""Secrets in the SQL store: sealed as they are written, sealed anew, and gone without a trace."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from reconciler.core.calls import TokenKey
from reconciler.core.care import MadeWith
from reconciler.core.model import encode
from reconciler.core.ports.source import Sealer
from reconciler.core.ports.store import PlannedWrite
from reconciler.core.secret import SealedSecret, Secret
from reconciler.errors import KeyUnavailable
from reconciler.stores.sql.database import Connection, Query
from reconciler.stores.sql.statements import chunks, marks
from reconciler.stores.sql.tokens import address_of


def write_secrets(connection: Connection, writes: Sequence[PlannedWrite], seals: Callable[[], Sealer]) -> None:
    """Seal what is given, keep what comes back, and drop what the records have no more. One that stays is not written.

    Args:
        seals: gives what seals; not called where there is nothing to seal.
    """
    connection.executemany(
        f"DELETE FROM secrets WHERE uid = ? AND address NOT IN ({connection.engine.elements})",
        ((write.uid, encode(list(write.states())).decode()) for write in writes if write.change.record),
    )
    connection.insert(
        "secrets",
        ("uid", "address", "reference", "fingerprint", "ciphertext"),
        ((uid, one.address, one.reference, one.fingerprint, one.ciphertext) for uid, one in _sealed(writes, seals)),
        "ON CONFLICT (uid, address) DO UPDATE SET reference = excluded.reference,"
        " fingerprint = excluded.fingerprint, ciphertext = excluded.ciphertext"
        " WHERE secrets.fingerprint <> excluded.fingerprint OR secrets.reference <> excluded.reference",
    )


def _sealed(writes: Sequence[PlannedWrite], seals: Callable[[], Sealer]) -> Iterator[tuple[str, SealedSecret]]:
    for write in writes:
        for given in write.secrets:
            yield write.uid, seals().seal(write.uid, given.address, given.reference, given.value)
        for kept in write.kept:
            yield write.uid, kept


_UPDATE = 'UPDATE tokens SET made_with = ?, access = ?, refresh = ? WHERE uid = ? AND "authorization" = ?'

Opened = dict[str, dict[str, Secret]]
"""uid to address to value."""


def reseal_secrets(connection: Connection, table: str, old: Sealer, new: Sealer) -> tuple[int, Opened]:
    """Seal the secrets of a table anew; how many there are, and their values.

    Raises:
        KeyUnavailable: one cannot be opened.
    """
    opened: Opened = {}
    sealed = []
    for uid, address, reference, ciphertext in connection.execute(
        f"SELECT uid, address, reference, ciphertext FROM {table}"
    ):
        value = opened.setdefault(uid, {})[address] = old.open(uid, address, ciphertext)
        again = new.seal(uid, address, reference, value)
        sealed.append((again.fingerprint, again.ciphertext, uid, address))
    connection.executemany(f"UPDATE {table} SET fingerprint = ?, ciphertext = ? WHERE uid = ? AND address = ?", sealed)
    return len(sealed), opened


def reseal(connection: Connection, old: Sealer, new: Sealer, made_with: MadeWith) -> tuple[int, int]:
    """Seal everything anew; how many secrets and access tokens there are.

    Raises:
        KeyUnavailable: something cannot be opened.
    """
    before = current(connection)
    secrets, opened = reseal_secrets(connection, "secrets", old, new)
    reseal_pictures(connection, before, old, new)
    deleted, _ = reseal_secrets(connection, "quarantined_secrets", old, new)
    tokens = reseal_tokens(connection, opened, old, new, made_with)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'key_check'", (new.key_check(),))
    return secrets + deleted, tokens


Current = dict[tuple[str, str], tuple[str, str]]
"""uid and address to fingerprint and ciphertext, in hexadecimal."""


def current(connection: Connection) -> Current:
    """The sealed secrets of the records that others have written to, and that were there before."""
    rows = connection.execute(
        "SELECT uid, address, fingerprint, ciphertext FROM secrets WHERE uid IN (SELECT uid FROM drifts)"
    )
    return {(uid, address): (printed, sealed.hex().upper()) for uid, address, printed, sealed in rows}


def reseal_pictures(connection: Connection, before: Current, old: Sealer, new: Sealer) -> None:
    """Seal anew what the store keeps of secrets from before others wrote to their records.

    What is still there is the same again. What the old key does not open was sealed with neither, and stays.

    Args:
        before: the secrets that were there before they were sealed anew.
    """
    now = current(connection)
    rows = connection.execute("SELECT uid, secrets FROM drifts WHERE secrets <> '[]'").fetchall()
    for uid, kept in rows:
        picture = [_pictured(uid, item, before, now, old, new) for item in json.loads(kept)]
        connection.execute("UPDATE drifts SET secrets = ? WHERE uid = ?", (json.dumps(picture), uid))


def _pictured(uid: str, item: list[str], before: Current, now: Current, old: Sealer, new: Sealer) -> list[str]:
    address, reference, printed, sealed = item
    if before.get((uid, address)) == (printed, sealed):
        return [address, reference, *now[uid, address]]
    try:
        again = new.seal(uid, address, reference, old.open(uid, address, bytes.fromhex(sealed)))
    except KeyUnavailable:
        return item
    return [address, reference, again.fingerprint, again.ciphertext.hex().upper()]


def reseal_tokens(connection: Connection, opened: Opened, old: Sealer, new: Sealer, made_with: MadeWith) -> int:
    """Seal the access tokens anew; how many there are.

    Args:
        opened: the secrets that they may have been made with.

    Raises:
        KeyUnavailable: one cannot be opened.
    """
    query = 'SELECT t.uid, t."authorization", t.made_with, t.access, t.refresh, d.live FROM tokens t LEFT JOIN documents d USING (uid)'
    sealed = []
    for uid, name, printed, access, refresh, live in connection.execute(query).fetchall():
        key, values = TokenKey(uid, name), opened.get(uid, {})
        renewal = _again(uid, address_of(key, "refresh"), refresh, old, new) if refresh is not None else None
        same = _made_with(live, values, old, made_with).get(name) == printed
        kept = _made_with(live, values, new, made_with)[name] if same else ""
        # One that was made with something else than is live must not seem to be made with it under the new key.
        other = new.fingerprint(Secret(f"not of the live authorization: {printed}"))
        sealed.append((kept or other, _again(uid, address_of(key, "access"), access, old, new), renewal, *key))
    connection.executemany(_UPDATE, sealed)
    return len(sealed)


def _again(uid: str, address: str, ciphertext: bytes, old: Sealer, new: Sealer) -> bytes:
    return new.seal(uid, address, "", old.open(uid, address, ciphertext)).ciphertext


def _made_with(live: str | None, values: dict[str, Secret], sealer: Sealer, made_with: MadeWith) -> Mapping[str, str]:
    """The fingerprints of the live authorizations; none where others have written what is no connector."""
    try:
        return made_with(json.loads(live or "")["spec"], values, sealer)
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


TOKENS = ("tokens",)
_PARENTS = {"tokens": "records", "secrets": "records", "quarantined_secrets": "quarantine"}
SECRETS = ("secrets", "quarantined_secrets", "drifts")


def write_anew(connection: Connection, tables: Iterable[str]) -> None:
    """Free all pages of tables, which overwrites them, and write what is left of them anew.

    What belongs to nothing, as somebody has deleted outside of a run what it belonged to, is not.
    """
    for table in tables:
        if parent := _PARENTS.get(table):
            connection.execute(
                f"DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.uid = {table}.uid)"
            )
        connection.engine.overwrite(connection, table)


def have_tokens(connection: Connection, writes: Iterable[PlannedWrite]) -> bool:
    """Whether there is an access token of a record that is written."""
    return any(
        connection.execute(*tokens_of(chunk)).fetchone()
        for chunk, _ in chunks(connection, (write.uid for write in writes))
    )


def tokens_of(uids: Sequence[str]) -> Query:
    """Whether there is an access token of one of the records."""
    return f"SELECT 1 FROM tokens WHERE uid IN ({marks(uids)}) LIMIT 1", tuple(uids)
