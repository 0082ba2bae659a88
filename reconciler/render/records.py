"""Live records and access tokens, as tables, documents and JSON; never a token's value."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.core.calls import Care, Condition, TokenState, TokenStatus, Whose, moment, renew_at
from reconciler.core.history import ago, duration
from reconciler.core.model import Found
from reconciler.core.secret import mask_text, masked
from reconciler.errors import ReconcilerError
from reconciler.harmless import harmless
from reconciler.kinds.authorization_blocks import blocks
from reconciler.kinds.merge import document, explicit
from reconciler.kinds.registry import address
from reconciler.render.style import DIM, RED, YELLOW, json_text, paint, plural, table
from reconciler.yaml.writer import joined, text_of

VERSION = 1


def records_json(records: Sequence[Found]) -> str:
    """The records, versioned. Secrets are references in them."""
    content = {"version": VERSION, "records": [_record(record) for record in records]}
    return json_text(content)


def _record(record: Found) -> dict[str, Any]:
    return {
        "address": address(record.kind, record.name),
        "owner": record.owner or None,
        "drifted": record.drifted,
        "changedAt": record.changed_at or None,
        "document": _document(record),
    }


def _document(record: Found) -> dict[str, Any]:
    """The live record in the form of a definition, as an export would write it if it declared all that is there."""
    content = masked(record.content)
    if not isinstance(content, dict):  # others have written what is no body
        content = {"spec": content}
    labels, spec = content.get("metadata"), content.get("spec", {})
    content = {"metadata": labels if isinstance(labels, dict) else {}, "spec": spec}
    if isinstance(spec, dict):
        content = explicit(record.kind, content)
    return document(record.kind, record.name, content)


def records_yaml(records: Sequence[Found]) -> str:
    """The records as YAML documents, each under a comment that says whose it is."""
    parts = []
    for record in records:
        state = ", drifted" if record.drifted else ""
        about = f"# {address(record.kind, record.name)}, owned by {record.owner or 'nobody'}, last applied {record.changed_at or 'never'}{state}"
        parts.append(f"{harmless(about)}\n{text_of(_document(record))}")
    return joined(parts)


def records_table(records: Sequence[Found], *, color: bool, columns: int = 0) -> str:
    """The records as a table, with a count below."""
    if not records:
        return "No record matches.\n"
    one_kind = len({record.kind for record in records}) == 1
    header = _header(records[0].kind if one_kind else "")
    rows = [_readable_row(record, len(header), one_kind=one_kind) for record in records]
    if len({record.owner for record in records}) > 1:
        header.insert(1, "OWNER")
        for row, record in zip(rows, records, strict=True):
            row.insert(1, record.owner or "nobody")
    lines = table(
        header, rows, color=color, columns=columns, marked=[YELLOW if record.drifted else "" for record in records]
    )
    lines.append(paint(plural(len(records), "record"), DIM, color=color))
    return "\n".join(lines) + "\n"


def _header(kind: str) -> list[str]:
    first = "NAME" if kind else "ADDRESS"
    if kind == "Connector":
        return [first, "DISPLAY NAME", "CATEGORIES", "AUTHORIZATION", "ENDPOINTS", "STATUS"]
    if kind == "Group":
        return [first, "DISPLAY NAME", "USERS", "GROUPS"]
    if kind == "PermissionPolicy":
        return [first, "SUBJECTS", "GRANTS", "SUPER ADMIN"]
    if kind == "AccessTest":
        return [first, "DESCRIPTION", "EXPECTATIONS"]
    return [first, "DISPLAY NAME", "STATUS"]


def _readable_row(record: Found, columns: int, *, one_kind: bool) -> list[str]:
    try:
        return [mask_text(cell) for cell in _row(record, one_kind=one_kind)]
    except (AttributeError, KeyError, TypeError):  # others have written what is no body
        first = record.name if one_kind else address(record.kind, record.name)
        return [first, "(unreadable)", *[""] * (columns - 2)]


def _row(record: Found, *, one_kind: bool) -> list[str]:
    spec = record.content.get("spec", {})
    status = spec.get("status", "active") + (" (drift)" if record.drifted else "")
    if not one_kind:
        return [address(record.kind, record.name), spec.get("displayName", ""), status]
    match record.kind:
        case "Connector":
            method = ", ".join(dict.fromkeys(block["method"] for _, block in blocks(spec))) or "none"
            endpoints = str(len(spec.get("endpoints", {})))
            return [
                record.name,
                spec.get("displayName", ""),
                ", ".join(spec.get("categories", ())),
                method,
                endpoints,
                status,
            ]
        case "Group":
            members = spec.get("members", {})
            return [
                record.name,
                spec.get("displayName", ""),
                ", ".join(members.get("users", ())),
                ", ".join(members.get("groups", ())),
            ]
        case "PermissionPolicy":
            subjects = ", ".join(
                f"{kind} {name}" for subject in spec.get("subjects", ()) for kind, name in subject.items()
            )
            permissions = sorted({name for grant in spec.get("grants", ()) for name in grant["permissions"]})
            return [record.name, subjects, ", ".join(permissions), "yes" if spec.get("superAdmin") else "no"]
        case "AccessTest":
            return [record.name, spec.get("description", ""), str(len(spec["expect"]))]
        case _:
            return [record.name, spec.get("displayName", ""), status]


_GIVEN = {True: "yes", False: "no", None: ""}
_MARKS = {Condition.EXPIRED: RED, Condition.MISSING: RED, Condition.EXPIRING: YELLOW}


def tokens_table(statuses: Sequence[TokenStatus], now: str, *, color: bool, columns: int = 0) -> str:
    """One line a connector, with a count below."""
    if not statuses:
        return "No live connector needs an access token.\n"
    is_given = any(item.is_held is not None for item in statuses)
    rows = [
        [
            str(item.whose),
            item.method,
            item.condition.value,
            *_times(item.state, now),
            _scope(item.state),
            _renewal(item),
            *([_GIVEN[item.is_held]] if is_given else []),
        ]
        for item in statuses
    ]
    header = ["CONNECTOR", "METHOD", "TOKEN", "AGE", "EXPIRES", "SCOPE", "RENEWED BY", *(["GIVEN"] if is_given else [])]
    lines = table(
        header, rows, color=color, columns=columns, marked=[_MARKS.get(item.condition, "") for item in statuses]
    )
    return "\n".join([*lines, paint(plural(len(statuses), "authorization"), DIM, color=color)]) + "\n"


def tokens_json(statuses: Sequence[TokenStatus]) -> str:
    """The tokens, versioned."""
    return _dump({"version": VERSION, "tokens": [_token(item) for item in statuses]})


def care_json(care: Care) -> str:
    """What was fetched, and given to a live store elsewhere, versioned."""
    found: dict[str, object] = {
        "version": VERSION,
        "fetched": [str(whose) for whose in care.done],
        "failed": _failures(care.failed),
    }
    if care.given is not None:
        found |= {"given": [str(whose) for whose in care.given], "notGiven": _failures(care.kept)}
    return _dump(found)


def _failures(failed: Mapping[Whose, ReconcilerError]) -> list[dict[str, object]]:
    return [{"connector": name, **_further(by), "reason": failure.message} for (name, by), failure in failed.items()]


def _further(authorization: str) -> dict[str, object]:
    return {"authorization": authorization} if authorization else {}


def _dump(content: object) -> str:
    return json_text(content)


def _token(item: TokenStatus) -> dict[str, object]:
    state = item.state
    due = renew_at(state) if state else None
    return {
        "connector": item.whose.connector,
        **_further(item.whose.authorization),
        "method": item.method,
        "condition": item.condition.value,
        "obtained": state.obtained if state else None,
        "expires": state.expires if state else None,
        "renewAt": due.isoformat(timespec="milliseconds").replace("+00:00", "Z") if due else None,
        "scope": state.scope if state else None,
        "renewable": state.renewable if state else False,
        **({} if item.is_held is None else {"given": item.is_held}),
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
