"""A plan as Markdown for a pull request."""

from collections.abc import Iterator

from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.plan import Action, Change, Plan
from reconciler.core.secret import masked_field
from reconciler.harmless import harmless
from reconciler.kinds.registry import address
from reconciler.render.markdown import code, diff_block, escape, fitted
from reconciler.render.moves import move_text, told_move
from reconciler.render.plan_notes import EXPIRING, expiring_lines
from reconciler.render.plan_text import MARKS, NEW, totals
from reconciler.render.values import field_name, line_changes, set_change, shown, shown_pair, shown_sides, summary_lines


def plan_markdown(plan: Plan) -> str:
    """The plan as a comment: totals first, problems next, then the changes, cut to fit."""
    if plan.is_empty:
        return "\n".join([f"### Plan for {escape(plan.target)}: nothing to do", "", *_expiring(plan)]).rstrip() + "\n"
    lines = [f"### Plan for {escape(plan.target)}: {totals(plan)}", "", f"From {escape(str(plan.revision))}.", ""]
    for problem in plan.problems:
        lines.append(f"> **It will not be applied like this:** {escape(problem.message)}")
        lines += [f"> - {escape(detail)}" for detail in problem.details]
        lines += [f"> {escape(problem.hint)}", ""] if problem.hint else [""]
    lines += [line for notice in plan.notices for line in (f"> **Note:** {escape(notice)}", "")]
    lines += _expiring(plan)
    if plan.access is not None and not plan.access.is_empty:
        from reconciler.render.access_diff_markdown import access_markdown

        lines += [access_markdown(plan.access)]
    return fitted(lines, map(_block, plan.changes), len(plan.changes), "plan")


def _block(change: Change) -> Iterator[str]:
    yield from (f"#### {_title(change)}", "", *_notes(change))
    yield from diff_block(list(_body(change)))


def _expiring(plan: Plan) -> list[str]:
    if not plan.expiring:
        return []
    return [EXPIRING, "", *(f"- {escape(line)}" for line in expiring_lines(plan)), ""]


def _title(change: Change) -> str:
    title = f"`{MARKS[change.action]}` {change.action.value} {code(address(*change.key))}"
    if change.record and change.record.key != change.key:
        title += f" (was {code(address(*change.record.key))})"
    return title + (f" in {code(change.resource.file)}" if change.resource else "")


def _notes(change: Change) -> Iterator[str]:
    for note in change.notes:
        yield f"> **{escape(note)}**"
        yield ""
    if moved := told_move(change):
        yield f"> **{escape(move_text(moved, None))}**"
        yield ""


def _body(change: Change) -> Iterator[str]:
    if change.action in NEW:
        for name, value in summary_lines(change):
            yield f"+ {name}: {value}"
    if change.action is Action.DELETE:
        name = (change.before or {}).get("spec", {}).get("displayName")
        if name:
            yield f"- displayName: {shown(name)}"
    for field in change.fields:
        yield from field_block(field)


def field_block(unmasked: FieldChange) -> Iterator[str]:
    """What became of one field, as lines of a diff."""
    field = masked_field(unmasked)
    members, lines = set_change(field), line_changes(field)
    origin = f"  # {field.origin.value}" if field.origin.value != "git" else ""
    if field.origin is Origin.BOTH:
        yield f"! {field_name(field)}: conflict, git and live were changed"
        yield from (f"!     {side}: {text}" for side, text in shown_sides(field))
    elif lines is not None:
        yield f"  {field_name(field)}:{origin}"
        yield from (f"{sign}     {text}" for sign, text in lines)
    elif members is not None:
        yield from (f"- {field_name(field)}: {harmless(item)}{origin}" for item in members[1])
        yield from (f"+ {field_name(field)}: {harmless(item)}{origin}" for item in members[0])
    else:
        before, after = shown_pair(field)
        if field.before is not MISSING:
            yield f"- {field_name(field)}: {before}{origin}"
        if field.after is not MISSING:
            yield f"+ {field_name(field)}: {after}{origin}"
