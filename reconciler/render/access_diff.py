"""Access gained and lost, as text, JSON and Markdown; schemas/access-diff.schema.json describes the JSON."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from reconciler.core.access import Where
from reconciler.core.access_diff import GROWTH, SUPER_ADMIN, AccessChange, AccessDiff, Scope, Shift
from reconciler.harmless import harmless
from reconciler.render.style import BOLD, GREEN, RED, YELLOW, escape, json_text, paint, reason, route_json

_MAX_NAMES, _MAX_CHANGES, _FEW = 8, 200, 3
_MARKS = {
    Shift.GAIN: ("+", GREEN), Shift.WIDEN: ("+", GREEN), Shift.PROLONG: ("+", GREEN),
    Shift.SHORTEN: ("-", RED), Shift.NARROW: ("-", RED), Shift.LOSE: ("-", RED),
}  # fmt: skip
_NOUNS = {"connectors": "connector", "categories": "category", "groups": "group", "policies": "policy"}


def access_text(
    found: AccessDiff, before: Where | None, after: Where | None, *, color: bool, most: int = _MAX_CHANGES
) -> str:
    """The difference as people read it: new super admins and the author's own growth stand first."""
    lines = [headline(found)]
    for title, changes in sections(found):
        lines.append("")
        if title:
            lines.append(paint(title, YELLOW, BOLD, color=color))
        for change in changes[:most]:
            sign, style = _MARKS[change.shift]
            mark = paint("!" if title else sign, YELLOW if title else style, BOLD, color=color)
            lines.append(f"{mark} {sentence(found, change)}")
            lines += [f"    {line}" for line in details(change, before, after)]
        if len(changes) > most:
            lines.append(f"… and {len(changes) - most:,} more; -o json has all.")
    return "\n".join(lines) + "\n"


def headline(found: AccessDiff) -> str:
    """How many people are concerned."""
    changes = (*found.admins, *found.own, *found.others)
    if not changes:
        return "Access: nobody gains or loses any."
    parts = []
    for word, up in (("gain", True), ("lose", False)):
        users = {user for change in changes if (change.shift in GROWTH) is up for user in change.users}
        if users:
            parts.append(f"{people(len(users))} {word if len(users) != 1 else word + 's'} some")
    return f"Access: {', '.join(parts) or 'nobody gains or loses any yet'}."


def sections(found: AccessDiff) -> Iterator[tuple[str, Sequence[AccessChange]]]:
    """Titles with their changes; the last section has no title."""
    if found.admins:
        yield "New super admins", found.admins
    if found.own:
        yield f"More access for {harmless(found.actor)}, whose change it is", found.own
    if found.others:
        yield "", found.others


def people(count: int) -> str:
    """``1 person``, ``12 people``."""
    return "1 person" if count == 1 else f"{count:,} people"


def sentence(found: AccessDiff, change: AccessChange) -> str:
    """One change, such as ``12 people gain connectors:edit on 31 connectors``."""
    who, many = _who(found, change)
    if change.permissions == (SUPER_ADMIN,):
        does = (
            ("become" if many else "becomes")
            if change.shift is Shift.GAIN
            else ("stop being" if many else "stops being")
        )
        return f"{who} {does} super admin: everything, on {_targets(change, more=False)}"
    does = _VERBS[change.shift] + ("" if many else "s")
    ends = _ends(change)
    more = change.shift in (Shift.WIDEN, Shift.NARROW)
    kept = "; elsewhere it stays" if change.shift is Shift.NARROW else ""
    wide = change.shift is Shift.WIDEN
    return f"{who} {does} {', '.join(change.permissions)} on {_targets(change, more=wide)}{_scoped(change.scopes)}{ends}{kept if more else ''}"


_VERBS = {
    Shift.GAIN: "gain", Shift.WIDEN: "gain", Shift.PROLONG: "keep",
    Shift.SHORTEN: "keep", Shift.NARROW: "lose", Shift.LOSE: "lose",
}  # fmt: skip


def _who(found: AccessDiff, change: AccessChange) -> tuple[str, bool]:
    if not change.users:
        return f"whoever joins {', '.join(change.groups)}, which has no members,", False
    if len(change.users) > _FEW:
        return people(len(change.users)), True
    names = [f"{harmless(user)} (the author)" if user == found.actor else harmless(user) for user in change.users]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names), len(names) > 1


def _targets(change: AccessChange, *, more: bool) -> str:
    parts = []
    for area, count in change.targets.items():
        noun = _NOUNS[area] if count == 1 else area
        if count or len(change.targets) == 1:
            parts.append(f"{count:,} {'more ' if more else ''}{noun}")
    return ", ".join(parts) or "nothing yet"


def _scoped(scopes: Sequence[Scope]) -> str:
    """Where it is narrowed to, unless it is not."""
    texts = []
    for scope in scopes:
        parts = [f"connector {name}" for name in sorted(scope.connectors)]
        parts += [f"category {name}" for name in sorted(scope.categories)]
        parts += [f"label {key}={value}" for key, value in sorted(scope.labels)]
        if not parts:
            return ""
        texts.append(" and ".join(parts))
    return harmless(f" ({', or '.join(texts)})") if texts else ""


def moment(when: datetime | None) -> str:
    """A time as people read it."""
    return when.isoformat().replace("+00:00", "Z") if when else "for ever"


def _ends(change: AccessChange) -> str:
    if change.shift in (Shift.PROLONG, Shift.SHORTEN):
        now, then = (
            (change.expires, change.expired) if change.shift is Shift.PROLONG else (change.expired, change.expires)
        )
        end = f"until {moment(now)}" if now else "without end"
        return f" {end}, {f'not until {moment(then)}' if then else 'not without end'}"
    return f" until {moment(change.expires)}" if change.expires and change.shift in GROWTH else ""


def details(change: AccessChange, before: Where | None, after: Where | None) -> Iterator[str]:
    """Who it is, where they are many, and why."""
    if len(change.users) > _FEW:
        names = [harmless(user) for user in change.users]
        yield ", ".join(names[:_MAX_NAMES]) + (
            f" and {len(names) - _MAX_NAMES:,} more" if len(names) > _MAX_NAMES else ""
        )
    if change.users and change.groups:
        yield f"and whoever joins {', '.join(change.groups)}, which has no members"
    someone = change.users[0] if change.users else "whoever joins"
    if change.shift in GROWTH:
        yield f"because {reason(someone, change.route, after)}"
    else:
        yield f"so far {reason(someone, change.route, before)}"


VERSION = 1


class Compared(Struct, frozen=True):
    """What was compared, and when.

    Attributes:
        base, head: ids of commits; head is "" for the working tree.
        merged: whether head is what merging it into the base would give.
        at: RFC 3339.
    """

    base: str
    head: str
    merged: bool
    at: str


def access_diff_json(found: AccessDiff, before: Where, after: Where, compared: Compared) -> str:
    """The difference between two revisions, versioned."""
    content = {
        "version": VERSION,
        "base": compared.base,
        "head": compared.head or None,
        "merged": compared.merged,
        "at": compared.at,
        **access_json(found, before, after),
    }
    return json_text(content)


def access_json(found: AccessDiff, before: Where | None = None, after: Where | None = None) -> dict[str, Any]:
    """The difference as data."""

    def listed(changes: tuple[AccessChange, ...]) -> list[dict[str, Any]]:
        return [_change(change, after if change.shift in GROWTH else before) for change in changes]

    return {
        "actor": found.actor or None,
        "policies": list(found.policies),
        "groups": list(found.groups),
        "superAdmins": listed(found.admins),
        "own": listed(found.own),
        "others": listed(found.others),
    }


def _change(change: AccessChange, where: Where | None) -> dict[str, Any]:
    return {
        "shift": change.shift.value,
        "permissions": list(change.permissions),
        "users": list(change.users),
        "emptyGroups": list(change.groups),
        "scopes": list(map(_scope, change.scopes)),
        "expires": change.expires.isoformat() if change.expires else None,
        "insteadOf": change.expired.isoformat() if change.expired else None,
        "targets": dict(change.targets),
        "route": route_json(change.route, where),
    }


def _scope(scope: Scope) -> dict[str, Any]:
    return {
        "connectors": sorted(scope.connectors),
        "categories": sorted(scope.categories),
        "labels": dict(sorted(scope.labels)),
    }


_MOST = 100


def access_markdown(found: AccessDiff, before: Where | None = None, after: Where | None = None) -> str:
    """The difference as a section of a comment."""
    lines = [f"### {escape(headline(found))}", ""]
    for title, changes in sections(found):
        lines += [f"#### {escape(title)}", ""] if title else []
        for change in changes[:_MOST]:
            text = escape(sentence(found, change))
            lines.append(f"- **{text}**" if title else f"- {text}")
            lines += [f"  - {escape(line)}" for line in details(change, before, after)]
        if len(changes) > _MOST:
            lines.append(f"- … and {len(changes) - _MOST:,} more; `reconciler access-diff -o json` has all.")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
