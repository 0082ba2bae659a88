"""A plan as text."""

from collections.abc import Iterator
from typing import Any

from reconciler.core.conditions import Expiring
from reconciler.core.diff import FieldChange, Origin
from reconciler.core.history import Report
from reconciler.core.plan import Action, Change, Plan, Problem
from reconciler.core.secret import masked_field
from reconciler.harmless import harmless
from reconciler.kinds.registry import address
from reconciler.render.style import BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint, plural
from reconciler.render.values import (
    field_name,
    line_changes,
    move_text,
    set_change,
    shown,
    shown_pair,
    shown_sides,
    summary_lines,
    told_move,
)

EXPIRING = "Ends within 14 days:"
_MOST = 50


def expiring_lines(plan: Plan) -> list[str]:
    """A line for each grant that ends soon."""
    lines = [
        f"{address('PermissionPolicy', item.policy)} {_words(item)}  {harmless(item.file)}" for item in plan.expiring
    ]
    return [*lines[:_MOST], *([f"and {len(lines) - _MOST:,} more"] if len(lines) > _MOST else [])]


def _words(item: Expiring) -> str:
    left = f"in {plural(item.days, 'day')}" if item.days else "within a day"
    return f"grants[{item.index}]: {', '.join(item.permissions)}, {left} ({item.expires})"


def notes_text(plan: Plan) -> list[str]:
    """Both as lines of text, each part with an empty line behind it."""
    lines = [line for notice in plan.notices for line in (f"note: {harmless(notice)}", "")]
    return lines + ([EXPIRING, *(f"  {line}" for line in expiring_lines(plan)), ""] if plan.expiring else [])


def notes_json(plan: Plan) -> dict[str, Any]:
    """Both as JSON, where there are any."""
    found: dict[str, Any] = {}
    if plan.notices:
        found["notices"] = list(plan.notices)
    if plan.expiring:
        found["expiring"] = [
            {
                "address": address("PermissionPolicy", item.policy),
                "file": item.file,
                "grant": item.index,
                "permissions": list(item.permissions),
                "expires": item.expires,
                "days": item.days,
            }
            for item in plan.expiring
        ]
    return found


MARKS = {
    Action.CREATE: "+", Action.UPDATE: "~", Action.RENAME: "»",
    Action.ADOPT: "&", Action.DELETE: "-", Action.RESTORE: "«",
}  # fmt: skip
_COLORS = {
    Action.CREATE: GREEN, Action.UPDATE: YELLOW, Action.RENAME: CYAN,
    Action.ADOPT: CYAN, Action.DELETE: RED, Action.RESTORE: GREEN,
}  # fmt: skip
_ORIGINS = {
    Origin.DRIFT: "drift",
    Origin.SECRET: "the secret has a new value",
}
_WORDS = {
    Action.CREATE: "to create", Action.UPDATE: "to update", Action.RENAME: "to rename",
    Action.ADOPT: "to adopt", Action.DELETE: "to delete", Action.RESTORE: "to restore",
}  # fmt: skip
_DONE = {
    Action.CREATE: "created", Action.UPDATE: "updated", Action.RENAME: "renamed",
    Action.ADOPT: "adopted", Action.DELETE: "deleted", Action.RESTORE: "restored",
}  # fmt: skip

NEW = (Action.CREATE, Action.RESTORE)
"""Of these a reviewer wants to see what the record holds."""

MAX_DETAILED = 200
"""Up to so many changes are shown field by field; of more only the fields of updates are."""

_MAX_ACCESS = 20


def plan_text(plan: Plan, now: str, *, color: bool) -> str:
    """The plan as people read it; one line when there is nothing to do.

    Args:
        now: from which times are told.
    """
    detailed = len(plan.changes) <= MAX_DETAILED
    if plan.is_empty:
        return "\n".join([_nothing_text(plan), *notes_text(plan)[:-1]]) + "\n"
    lines = [f"Plan for {paint(plan.target, BOLD, color=color)}, from {plan.revision}:", ""]
    for change in plan.changes:
        lines += _change_lines(change, now, color=color, detailed=detailed)
        if detailed or change.fields:
            lines.append("")
    if not detailed:
        lines += [
            "",
            f"New records are shown by name only, as there are more than {MAX_DETAILED} changes; -o json has all.",
            "",
        ]
    if plan.access is not None and not plan.access.is_empty:
        from reconciler.render.access_diff import access_text

        lines += [*access_text(plan.access, None, None, color=color, most=_MAX_ACCESS).splitlines(), ""]
    lines += notes_text(plan)
    for problem in plan.problems:
        lines += problem_lines(problem, color=color)
        lines.append("")
    if plan.changes:
        lines.append(f"{totals(plan)}{_kept(plan)}.")
    if plan.problems:
        lines.append(paint("It will not be applied like this.", RED, color=color))
    return "\n".join(lines) + "\n"


def totals(plan: Plan) -> str:
    """How much there is to do."""
    parts = [f"{count:,} {_WORDS[action]}" for action, count in plan.counts.items() if count]
    if not parts:
        return "Nothing to do"
    drifted = sum(change.origin in (Origin.DRIFT, Origin.BOTH) for change in plan.changes)
    conflicts = f", {plural(plan.conflicts, 'conflict')}" if plan.conflicts else ""
    return ", ".join(parts) + (f" ({drifted:,} with drift{conflicts})" if drifted else "")


def _nothing_text(plan: Plan) -> str:
    revision = f"{plan.revision}," if "," in str(plan.revision) else str(plan.revision)
    return f"Nothing to do: {plan.target} is what {revision} says ({plural(plan.owned, 'record')}{_kept(plan)})."


def report_text(report: Report) -> str:
    """What an apply did, in one line."""
    plan = report.plan
    parts = [f"{count:,} {_DONE[action]}" for action, count in plan.counts.items() if count]
    if not parts:
        return _nothing_text(plan) + "\n" + _noted(plan)
    resolved = f"; {plural(report.secrets, 'secret')} resolved" if report.secrets else ""
    fetched = f"; {plural(report.tokens, 'access token')} fetched" if report.tokens else ""
    return f"Applied to {plan.target}: {', '.join(parts)}{resolved}{fetched}.\n" + _noted(plan)


def _noted(plan: Plan) -> str:
    """What was changed live and is declared like that by now."""
    count = len(plan.confirmed)
    return (
        f"{plural(count, 'record')} noted as applied: others had made {'it' if count == 1 else 'them'} what git declares.\n"
        if count
        else ""
    )


def problem_lines(problem: Problem, *, color: bool) -> list[str]:
    """What stands against the plan, and what to do."""
    lines = [f"{paint('!', RED, BOLD, color=color)} {harmless(problem.message)}"]
    lines += [f"    {harmless(detail)}" for detail in problem.details]
    return [*lines, f"    hint: {harmless(problem.hint)}"] if problem.hint else lines


def _kept(plan: Plan) -> str:
    return f"; {plural(plan.kept, 'record')} no longer defined, kept" if plan.kept else ""


def _change_lines(change: Change, now: str, *, color: bool, detailed: bool) -> Iterator[str]:
    mark = paint(MARKS[change.action], _COLORS[change.action], BOLD, color=color)
    yield f"{mark} {_title(change, color=color)}"
    for note in change.notes:
        yield f"    {paint('! ' + harmless(note), YELLOW, color=color)}"
    if moved := told_move(change):
        yield f"    {paint('! ' + move_text(moved, now), YELLOW, color=color)}"
    if change.action in NEW and detailed:
        for name, value in summary_lines(change):
            yield f"    {paint('+', GREEN, color=color)} {name}: {value}"
    for field in change.fields:
        yield from field_lines(field, color=color)


def field_lines(unmasked: FieldChange, *, color: bool) -> Iterator[str]:
    """What became of one field."""
    field = masked_field(unmasked)
    name = field_name(field)
    origin = paint(f"  ({_ORIGINS[field.origin]})", DIM, color=color) if field.origin in _ORIGINS else ""
    members, lines = set_change(field), line_changes(field)
    if field.origin is Origin.BOTH:
        yield f"    {paint('! ' + name + ': conflict,', RED, BOLD, color=color)} git and live were changed"
        yield from (f"        {side + ':':<13} {text}" for side, text in shown_sides(field))
    elif lines is not None:
        yield f"    ~ {name}:{origin}"
        for sign, text in lines:
            yield f"        {paint(f'{sign} {text}', GREEN if sign == '+' else RED, color=color)}"
    elif members is not None:
        added, removed = members
        parts = [paint(f"+{harmless(item)}", GREEN, color=color) for item in added]
        parts += [paint(f"-{harmless(item)}", RED, color=color) for item in removed]
        yield f"    ~ {name}: {' '.join(parts)}{origin}"
    else:
        before, after = shown_pair(field)
        yield f"    ~ {name}: {paint(before, RED, color=color)} -> {paint(after, GREEN, color=color)}{origin}"


def _title(change: Change, *, color: bool) -> str:
    title = paint(address(*change.key), BOLD, color=color)
    where = paint(f"  {harmless(change.resource.file)}", DIM, color=color) if change.resource else ""
    if change.action is Action.RENAME and change.record:
        return f"{title} (was {address(*change.record.key)}){where}"
    if change.action is Action.ADOPT and change.record:
        was = f"was {address(*change.record.key)}, " if change.record.key != change.key else ""
        return f"{title} ({was}owned by {change.record.owner or 'nobody'}){where}"
    if change.action is Action.DELETE and change.before:
        name = change.before.get("spec", {}).get("displayName")
        return f"{title}  {shown(name)}" if name else title
    return f"{title}{where}"
