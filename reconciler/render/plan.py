"""A plan as text."""

from collections.abc import Iterator

from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.history import Report
from reconciler.core.plan import Action, Change, Plan
from reconciler.core.secret import masked, masked_field
from reconciler.harmless import harmless
from reconciler.kinds.defaults import with_default
from reconciler.kinds.registry import KINDS, address
from reconciler.render.contents import content_lines
from reconciler.render.endpoints import endpoint_lines
from reconciler.render.plan_parts import (
    COLORS,
    DONE,
    MARKS,
    NEW,
    deletes_lines,
    ending,
    grouped,
    kind_totals,
    notes_text,
    nothing_text,
    problem_lines,
)  # fmt: skip
from reconciler.render.style import BOLD, DIM, GREEN, RED, YELLOW, paint, plural
from reconciler.render.values import (
    field_name,
    line_changes,
    move_text,
    set_change,
    shown,
    shown_pair,
    shown_sides,
    told_move,
)

_ORIGINS = {
    Origin.DRIFT: "drift",
    Origin.SECRET: "the secret has a new value",
}
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
        return "\n".join([nothing_text(plan), *notes_text(plan)[:-1]]) + "\n"
    lines = [f"Plan for {paint(plan.target, BOLD, color=color)}, from {plan.revision}:", ""]
    alone, together = grouped(plan.changes)
    for change in alone:
        lines += _change_lines(change, now, color=color, detailed=detailed)
        if detailed or change.fields:
            lines.append("")
    for word, names in together.items():
        lines += ["", *deletes_lines(word, names, color=color), ""]
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
    return "\n".join([*lines, *ending(plan, color=color)]) + "\n"


def plan_summary(plan: Plan, *, color: bool) -> str:
    """How much there is to do of each kind, what is deleted, and what stands against it."""
    if plan.is_empty:
        return "\n".join([nothing_text(plan), *notes_text(plan)[:-1]]) + "\n"
    lines = [f"Plan for {paint(plan.target, BOLD, color=color)}, from {plan.revision}:", ""]
    lines += [f"  {word}: {words}" for word, words in kind_totals(plan)]
    lines.append("")
    gone: dict[str, list[str]] = {}
    for change in plan.changes:
        if change.action is Action.DELETE:
            gone.setdefault(KINDS[change.key.kind].word, []).append(change.key.name)
    for word, names in gone.items():
        lines += [*deletes_lines(word, names, color=color), ""]
    for change in plan.changes:
        lines += [
            f"{harmless(address(*change.key))}: {paint('! ' + harmless(note), YELLOW, color=color)}"
            for note in change.notes
        ]
    if plan.access is not None and not plan.access.is_empty:
        from reconciler.render.access_diff import headline

        lines += [headline(plan.access), ""]
    lines += notes_text(plan)
    for problem in plan.problems:
        lines += [*problem_lines(problem, color=color), ""]
    return "\n".join([*lines, *ending(plan, color=color)]) + "\n"


def report_text(report: Report) -> str:
    """What an apply did, in one line."""
    plan = report.plan
    parts = [f"{count:,} {DONE[action]}" for action, count in plan.counts.items() if count]
    if not parts and report.left_out:
        return f"Of {plural(len(report.left_out), 'change')} none is known to be applied to {plan.target}.\n" + _noted(
            plan
        )
    if not parts:
        return nothing_text(plan) + "\n" + _noted(plan)
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


def _change_lines(change: Change, now: str, *, color: bool, detailed: bool) -> Iterator[str]:
    mark = paint(MARKS[change.action], COLORS[change.action], BOLD, color=color)
    yield f"{mark} {_title(change, color=color)}"
    for note in change.notes:
        yield f"    {paint('! ' + harmless(note), YELLOW, color=color)}"
    if moved := told_move(change):
        yield f"    {paint('! ' + move_text(moved, now), YELLOW, color=color)}"
    if change.action in NEW and detailed:
        for line in content_lines(masked(change.after or {})):
            yield f"      {line}" if line.startswith(" ") else f"    {paint('+', GREEN, color=color)} {line}"
    for field in change.fields:
        yield from field_lines(with_default(change.key.kind, field), color=color)


def field_lines(unmasked: FieldChange, *, color: bool) -> Iterator[str]:
    """What became of one field."""
    field = masked_field(unmasked)
    name = field_name(field)
    origin = paint(f"  ({_ORIGINS[field.origin]})", DIM, color=color) if field.origin in _ORIGINS else ""
    members, lines = set_change(field), line_changes(field)
    if request := new_endpoint(field):
        yield f"    {paint('+', GREEN, color=color)} {request[0]}{origin}"
        yield from (f"      {line}" for line in request[1:])
    elif field.origin is Origin.BOTH:
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


def new_endpoint(field: FieldChange) -> list[str]:
    """The lines of a field that is an endpoint which was not there; none for any other."""
    is_endpoint = len(field.path) == 3 and field.path[:2] == ("spec", "endpoints") and field.before is MISSING
    if not is_endpoint or field.origin is Origin.BOTH or not isinstance(field.after, dict):
        return []
    return list(endpoint_lines(str(field.path[2]), field.after))


def _title(change: Change, *, color: bool) -> str:
    title = paint(harmless(address(*change.key)), BOLD, color=color)
    where = paint(f"  {harmless(change.resource.file)}", DIM, color=color) if change.resource else ""
    if change.action is Action.RENAME and change.record:
        return f"{title} (was {harmless(address(*change.record.key))}){where}"
    if change.action is Action.ADOPT and change.record:
        was = f"was {harmless(address(*change.record.key))}, " if change.record.key != change.key else ""
        return f"{title} ({was}owned by {change.record.owner or 'nobody'}){where}"
    if change.action is Action.DELETE and change.before:
        name = change.before.get("spec", {}).get("displayName")
        return f"{title}  {shown(name)}" if name else title
    return f"{title}{where}"
