"""What a live store elsewhere was given of what it cannot show again: access tokens, and other secrets."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.core.calls import TokenKey
from reconciler.core.model import Bodies, SecretState
from reconciler.core.ports.live import LiveRecord
from reconciler.core.ports.store import PlannedWrite
from reconciler.stores.sql.database import Connection


def is_sealed_anew(write: PlannedWrite, known: Bodies, held: Mapping[TokenKey, str]) -> bool:
    """Whether a record is to have other secrets than it is known to have, or another token, or uses them otherwise.

    The same value from elsewhere is the same secret.

    Args:
        known: of the record as it is.
        held: when the tokens were obtained that the live store has.
    """
    if any(held.get(TokenKey(write.uid, name)) != token.state.obtained for name, token in write.handed.items()):
        return True
    printed, before = _printed(write.states()), _printed(known.secrets)
    if printed != before or write.change.after is None:
        return printed != before
    return _use(write.change.after, printed) != _use(known.live, before)


def _printed(states: Mapping[str, SecretState]) -> dict[str, str]:
    return {address: state.fingerprint for address, state in states.items()}


def _use(body: Mapping[str, Any], printed: Mapping[str, str]) -> object:
    """What is sealed with the secrets or says what for: with fingerprints, where these are known, in place of references."""
    spec = body.get("spec")
    if not isinstance(spec, dict):
        return None
    tls = spec.get("tls")
    blocks = {group: spec.get(group) for group in ("authorization", "authorizations")}
    return _stamped(blocks, "", printed), tls.get("verify", True) if isinstance(tls, dict) else True


def _stamped(value: Any, address: str, printed: Mapping[str, str]) -> Any:
    if address in printed:
        return printed[address]
    if isinstance(value, dict):
        start = f"{address}." if address else ""
        return {key: _stamped(one, f"{start}{key}", printed) for key, one in value.items()}
    return value


def sealed(connection: Connection) -> dict[str, frozenset[str]]:
    """By uid the addresses of the secrets that records are known to have."""
    found: dict[str, set[str]] = {}
    for uid, address in connection.execute("SELECT uid, address FROM secrets"):
        found.setdefault(uid, set()).add(address)
    return {uid: frozenset(addresses) for uid, addresses in found.items()}


_HELD = 'SELECT uid, "authorization", obtained FROM held_tokens'


def held(connection: Connection) -> dict[TokenKey, str]:
    """Of the tokens that the live store was given, when the one that it has was obtained."""
    return {TokenKey(uid, name): obtained for uid, name, obtained in connection.execute(_HELD)}


def note_held(connection: Connection, given: Mapping[TokenKey, str]) -> None:
    """Keep which tokens it has now."""
    connection.executemany(
        'INSERT INTO held_tokens (uid, "authorization", obtained) VALUES (?, ?, ?)'
        ' ON CONFLICT (uid, "authorization") DO UPDATE SET obtained = excluded.obtained',
        [(*key, obtained) for key, obtained in given.items()],
    )


def forget_held(connection: Connection, uids: Iterable[str]) -> None:
    """Keep that nobody knows which tokens records have."""
    connection.executemany("DELETE FROM held_tokens WHERE uid = ?", [(uid,) for uid in uids])


def drop_resealed(connection: Connection, found: Iterable[LiveRecord]) -> None:
    """Forget what is known of secrets that others wrote: what the live store had it has no more.

    By what a token is obtained goes as well where that is all that it was given: so it shows, and nothing gives the
    live store another one before somebody has looked at it.
    """
    resealed = [one.id for one in found if one.is_resealed]
    forget_held(connection, resealed)
    connection.executemany("DELETE FROM secrets WHERE uid = ?", [(uid,) for uid in resealed])


_LACKING = "SELECT value FROM meta WHERE key = 'lacking_secrets'"


def lacking(connection: Connection) -> frozenset[str]:
    """The records that the live store may have got secrets of that the state has no values of."""
    row = connection.execute(_LACKING).fetchone()
    return frozenset(json.loads(row[0])) if row else frozenset()


def note_lacking(connection: Connection, *, more: Iterable[str] = (), less: Iterable[str] = ()) -> None:
    """Keep of which records that is so from now on, and of which not any more."""
    before = lacking(connection)
    after = before.difference(less).union(more)
    if after != before:
        connection.execute(
            "INSERT INTO meta VALUES ('lacking_secrets', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (json.dumps(sorted(after)),),
        )
