"""Access tokens as a table and as JSON (schemas/tokens.schema.json): never their values."""

from collections.abc import Mapping, Sequence

from reconciler.core.calls import Condition, TokenState, TokenStatus, moment, renew_at
from reconciler.core.history import ago, duration
from reconciler.errors import ReconcilerError
from reconciler.render.json_text import json_text
from reconciler.render.style import DIM, RED, YELLOW, paint, plural
from reconciler.render.table import table

VERSION = 1
_MARKS = {Condition.EXPIRED: RED, Condition.MISSING: RED, Condition.EXPIRING: YELLOW}


def tokens_table(statuses: Sequence[TokenStatus], now: str, *, color: bool) -> str:
    """One line a connector, with a count below."""
    if not statuses:
        return "No live connector needs an access token.\n"
    rows = [
        [item.name, item.method, item.condition.value, *_times(item.state, now), _scope(item.state), _renewal(item)]
        for item in statuses
    ]
    header = ["CONNECTOR", "METHOD", "TOKEN", "AGE", "EXPIRES", "SCOPE", "RENEWED BY"]
    lines = table(header, rows, color=color, marked=[_MARKS.get(item.condition, "") for item in statuses])
    return "\n".join([*lines, paint(plural(len(statuses), "connector"), DIM, color=color)]) + "\n"


def tokens_json(statuses: Sequence[TokenStatus]) -> str:
    """The tokens, versioned."""
    return _dump({"version": VERSION, "tokens": [_token(item) for item in statuses]})


def care_json(done: Sequence[str], failed: Mapping[str, ReconcilerError]) -> str:
    """What was fetched, versioned."""
    failures = [{"connector": name, "reason": failure.message} for name, failure in failed.items()]
    return _dump({"version": VERSION, "fetched": list(done), "failed": failures})


def _dump(content: object) -> str:
    return json_text(content)


def _token(item: TokenStatus) -> dict[str, object]:
    state = item.state
    due = renew_at(state) if state else None
    return {
        "connector": item.name,
        "method": item.method,
        "condition": item.condition.value,
        "obtained": state.obtained if state else None,
        "expires": state.expires if state else None,
        "renewAt": due.isoformat(timespec="milliseconds").replace("+00:00", "Z") if due else None,
        "scope": state.scope if state else None,
        "renewable": state.renewable if state else False,
    }


def _times(state: TokenState | None, now: str) -> tuple[str, str]:
    if state is None:
        return "", ""
    age = duration((moment(now) - moment(state.obtained)).total_seconds())
    if state.expires is None:
        return age, "not said"
    return age, ago(state.expires, now)


def _scope(state: TokenState | None) -> str:
    return state.scope if state else ""


def _renewal(item: TokenStatus) -> str:
    if item.state is None:
        return ""
    return "refresh token" if item.state.renewable else "credentials"
