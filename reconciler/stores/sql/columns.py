"""The tables of an SQL store: what their columns hold, whatever the engine."""

_TEXT, _NUMBER, _BLOB, _JSON, _TIME = "text", "integer", "blob", "json", "time"

COLUMNS: dict[str, dict[str, str]] = {
    "meta": {"key": _TEXT, "value": _TEXT},
    "records": {"uid": _TEXT, "kind": "kind", "name": _TEXT, "display": "text?", "owner": _TEXT, "fingerprint": "text?", "applied": _TEXT, "version": _NUMBER, "revision": "integer?", "changed_at": _TEXT},
    "documents": {"uid": _TEXT, "live": _JSON},
    "applied": {"uid": _TEXT, "body": _JSON},
    "refs": {"uid": _TEXT, "kind": _TEXT, "name": _TEXT},
    "secrets": {"uid": _TEXT, "address": _TEXT, "reference": _TEXT, "fingerprint": _TEXT, "ciphertext": _BLOB},
    "tokens": {"uid": _TEXT, "authorization": _TEXT, "made_with": _TEXT, "obtained": _TIME, "expires": "time?", "scope": _TEXT, "access": _BLOB, "refresh": "blob?"},
    "notes": {"uid": _TEXT, "note": _TEXT},
    "held_tokens": {"uid": _TEXT, "authorization": _TEXT, "obtained": _TIME},
    "unfinished": {"owner": _TEXT, "number": _NUMBER, "run": _JSON, "change": _JSON},
    "journal": {"owner": _TEXT, "number": _NUMBER, "change": _NUMBER, "verb": _TEXT, "path": _TEXT, "digest": _TEXT, "sent": _TIME, "status": "integer?", "made": "text?"},
    "leases": {"name": _TEXT, "holder": _TEXT, "expires": "real", "fence": "integer?", "seen": "text?", "boot": "text?", "uptime": "real?"},
    "attempts": {"id": _NUMBER, "started": _TIME, "finished": "time?", "verb": _TEXT, "actor": _TEXT, "holder": _TEXT, "owner": _TEXT, "target": _TEXT, "git_commit": _TEXT, "outcome": _TEXT, "run": "integer?"},
    "drifts": {"uid": _TEXT, "since": _TIME, "body": "json?", "kind": "kind?", "name": "text?", "display": "text?", "owner": "text?", "declared": "json?", "refs": "json?", "secrets": "json?", "applied": "text?", "writer": "text?", "settled": "integer?"},
    "quarantine": {"uid": _TEXT, "kind": "kind", "name": _TEXT, "owner": _TEXT, "live": _JSON, "applied": "json?", "deleted_at": _TIME, "run": _NUMBER},
    "quarantined_secrets": {"uid": _TEXT, "address": _TEXT, "reference": _TEXT, "fingerprint": _TEXT, "ciphertext": _BLOB},
    "declarations": {"uid": _TEXT, "run": _NUMBER, "body": _JSON},
    "baselines": {"owner": _TEXT, "connectors": _TEXT, "policies": _TEXT, "rules": _TEXT, "revision": _NUMBER, "total": _NUMBER, "records": _JSON, "judged": _TEXT, "warnings": _JSON, "dated": _JSON},
    "declared": {"owner": _TEXT, "kind": "kind", "name": _TEXT, "file": _TEXT, "odd": _NUMBER, "token": _NUMBER},
    "claimed": {"owner": _TEXT, "kind": "kind", "name": _TEXT, "file": _TEXT},
    "runs": {"id": _NUMBER, "started": _TEXT, "finished": _TEXT, "actor": _TEXT, "owner": _TEXT, "target": _TEXT, "git_commit": _TEXT, "changes": _NUMBER, "verb": _TEXT, "outcome": _TEXT, "plan": "text?", "overrides": "text?", "approvals": "text?", "hash": "blob?"},
    "history": {"seq": _NUMBER, "run": _NUMBER, "uid": _TEXT, "kind": _TEXT, "name": _TEXT, "action": _TEXT, "fingerprint": _TEXT, "before": "text?", "was": "text?", "drifted_at": "text?", "drifted_from": "text?", "hash": "blob?"},
}  # fmt: skip
"""What each column holds; "?" where it may be NULL."""
SINCE = {"notes": 4, "held_tokens": 4, "unfinished": 4, "journal": 4}
"""The version of the store that has a table first, where that is not the first of all."""
LARGEST = 9_223_372_036_854_775_807
"""The largest number that a column holds. In SQLite a column may hold a text or bytes, which are greater."""
CHAINED = ("runs", "history")
"""The tables that are append-only: their rows are held against their hashes."""

CHILDREN = ("documents", "applied", "refs", "secrets", "tokens")
"""The tables whose rows belong to a record."""

PICTURED = ("body", "kind", "name", "display", "owner", "declared", "refs", "secrets", "applied")
"""The columns of `drifts` that hold the picture of a record, from before others wrote to it."""

KEY_CHECK = "SELECT value FROM meta WHERE key = 'key_check'"
