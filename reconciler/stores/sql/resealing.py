"""Seals all secrets and tokens of an SQL store under another key."""

import json
import sqlite3

from reconciler.core.ports import Sealer
from reconciler.core.rekeying import MadeWith
from reconciler.core.secret import Secret

_UPDATE = "UPDATE tokens SET made_with = ?, access = ?, refresh = ? WHERE uid = ?"

Opened = dict[str, dict[str, Secret]]
"""uid to address to value."""


def reseal_secrets(connection: sqlite3.Connection, table: str, old: Sealer, new: Sealer) -> tuple[int, Opened]:
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


def reseal_tokens(connection: sqlite3.Connection, opened: Opened, old: Sealer, new: Sealer, made_with: MadeWith) -> int:
    """Seal the access tokens anew; how many there are.

    Args:
        opened: the secrets that they may have been made with.

    Raises:
        KeyUnavailable: one cannot be opened.
    """
    query = "SELECT t.uid, t.made_with, t.access, t.refresh, d.live FROM tokens t LEFT JOIN documents d USING (uid)"
    sealed = []
    for uid, printed, access, refresh, live in connection.execute(query).fetchall():
        values = opened.get(uid, {})
        renewal = _again(uid, "token.refresh", refresh, old, new) if refresh is not None else None
        kept = _made_with(live, values, new, made_with) if _made_with(live, values, old, made_with) == printed else None
        # One that was made with something else than is live must not seem to be made with it under the new key.
        other = new.fingerprint(Secret(f"not of the live authorization: {printed}"))
        sealed.append((kept or other, _again(uid, "token.access", access, old, new), renewal, uid))
    connection.executemany(_UPDATE, sealed)
    return len(sealed)


def _again(uid: str, address: str, ciphertext: bytes, old: Sealer, new: Sealer) -> bytes:
    return new.seal(uid, address, "", old.open(uid, address, ciphertext)).ciphertext


def _made_with(live: str | None, values: dict[str, Secret], sealer: Sealer, made_with: MadeWith) -> str | None:
    """The fingerprint of the live authorization; None where others have written what is no connector."""
    try:
        return made_with(json.loads(live or "")["spec"], values, sealer)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
