"""A plan, and the report of an apply, as JSON and Markdown; schemas/plan.schema.json describes the JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.core.calls import PreflightVerdict
from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.history import Report
from reconciler.core.plan import Action, Change, Plan, Revision, fingerprint_of
from reconciler.core.secret import masked, masked_field
from reconciler.harmless import harmless
from reconciler.kinds.defaults import Default, with_default
from reconciler.kinds.registry import address
from reconciler.render.call import preflight_json, preflight_markdown
from reconciler.render.contents import content_lines
from reconciler.render.plan import new_endpoint
from reconciler.render.plan_parts import (
    EXPIRING,
    MARKS,
    NEW,
    expiring_lines,
    forecast_text,
    grouped,
    kind_totals,
    notes_json,
    plural_kind,
    totals,
)
from reconciler.render.style import code, diff_block, escape, fitted, json_text
from reconciler.render.values import (
    field_name,
    line_changes,
    move_text,
    moved_json,
    set_change,
    shown,
    shown_pair,
    shown_sides,
    told_move,
)

VERSION = 1
_FEW_LINES = 10


def plan_json(plan: Plan, verdicts: Sequence[PreflightVerdict] | None = None) -> str:
    """The plan, versioned; with the verdicts of a preflight when there was one."""
    content = plan_content(plan)
    if verdicts is not None:
        content["preflight"] = preflight_json(verdicts)
    return _dump(content)


def report_json(report: Report) -> str:
    """What an apply did, versioned."""
    run = {
        "actor": report.actor,
        "started": report.started,
        "finished": report.finished,
        "secrets": report.secrets,
        "tokens": report.tokens,
        "leftOut": [
            {"address": address(*change.key), "reason": failure.message} for change, failure in report.left_out
        ],
        "head": report.head or None,
    }
    return _dump({**plan_content(report.plan, "report"), "run": run})


def _dump(content: dict[str, Any]) -> str:
    return json_text(content)


def plan_content(plan: Plan, kind: str = "plan") -> dict[str, Any]:
    """The plan as plain values."""
    found = _content(plan, kind)
    if plan.access is not None:
        from reconciler.render.access_diff import access_json

        found["access"] = access_json(plan.access)
    return found | notes_json(plan)


def _content(plan: Plan, kind: str) -> dict[str, Any]:
    return {
        "version": VERSION,
        "type": kind,
        "target": plan.target,
        "owner": plan.owner,
        "fingerprint": fingerprint_of(plan),
        "source": _source(plan.revision),
        "summary": {**{action.value: count for action, count in plan.counts.items()}, "kept": plan.kept, "owned": plan.owned, "left": plan.left,
                    "origins": {origin.value: count for origin, count in plan.origins.items()}, "conflicts": plan.conflicts},
        "changes": [_change(change) for change in plan.changes],
        "problems": [
            {
                "exitCode": int(problem.exit_code), "message": problem.message, "hint": problem.hint,
                "details": list(problem.details), "guard": problem.guard or None, "count": problem.count if problem.guard else None,
            }
            for problem in plan.problems
        ],
        "overridden": list(plan.overridden),
        "only": [address(*key) for key in plan.only],
    }  # fmt: skip


def _source(revision: Revision) -> dict[str, Any]:
    found = {"commit": revision.commit or None, "ref": revision.ref or None, "dirty": revision.dirty}
    return {**found, "past": revision.past} if revision.past else found


def _change(change: Change) -> dict[str, Any]:
    found: dict[str, Any] = {
        "action": change.action.value,
        "address": address(*change.key),
        "kind": change.key.kind,
        "name": change.key.name,
        "origin": change.origin.value,
        "notes": list(change.notes),
        "fields": [field_json(with_default(change.key.kind, field)) for field in change.fields],
    }
    if moved := told_move(change):
        found["drift"] = moved_json(moved)
    if change.record is not None:
        found["record"] = {
            "address": address(*change.record.key),
            "owner": change.record.owner or None,
            "version": int(version) if (version := change.record.version).isdecimal() else version,
            "fingerprint": change.record.fingerprint,
        }
    if change.revival is not None:
        found["restores"] = {
            "uid": change.revival.uid,
            "deletedAt": change.revival.deleted_at or None,
            "run": change.revival.run or None,
            "secrets": list(change.revival.secrets),
        }
    if change.resource is not None:
        found["file"] = change.resource.file
        found["fingerprint"] = change.resource.fingerprint
    if change.record is None and change.resource is not None:
        found["after"] = masked(change.after)
    if change.resource is None:
        found["before"] = masked(change.before)
    return found


def field_json(unmasked: FieldChange) -> dict[str, Any]:
    """What became of one field, with secrets masked."""
    field = masked_field(unmasked)
    found: dict[str, Any] = {
        "path": [str(step) for step in field.path],
        "origin": field.origin.value,
        "secret": field.secret,
    }
    sides = {"before": field.before, "after": field.after, "applied": field.applied}
    for name, value in sides.items():
        if isinstance(value, Default):
            found["default"] = value.value
        elif value is not MISSING:
            found[name] = value_json(field, value)
    return found


def value_json(field: FieldChange, value: Any) -> Any:
    """A value of a masked field; of a secret it is shown only where it is a reference, a fingerprint or a word."""
    shows = not field.secret or isinstance(value, dict) or field.printed or field.origin in ("secret", "token")
    return value if shows else None


def plan_markdown(plan: Plan, verdicts: Sequence[PreflightVerdict] = ()) -> str:
    """The plan as a comment: totals first, problems next, then the changes, folded where they are long, cut to fit."""
    if plan.is_empty:
        title = f"### Plan for {escape(plan.target)}: nothing to do"
        return "\n".join([title, "", *_noted(plan), *_expiring(plan)]).rstrip() + "\n"
    lines = [f"### Plan for {escape(plan.target)}: {totals(plan)}", "", f"From {escape(str(plan.revision))}.", ""]
    for problem in plan.problems:
        lines.append(f"> **It will not be applied like this:** {escape(problem.message)}")
        lines += [f"> - {escape(detail)}" for detail in problem.details]
        lines += [f"> {escape(problem.hint)}", ""] if problem.hint else [""]
    lines += _noted(plan)
    lines += _expiring(plan)
    if plan.forecast is not None and plan.forecast.requests:
        lines += [f"It takes {forecast_text(plan.forecast)}.", ""]
    if len(plan.changes) > 1:
        lines += [*(f"- {word}: {words}" for word, words in kind_totals(plan)), ""]
    if verdicts:
        lines += [*preflight_markdown(verdicts).splitlines()[1:], ""]
    if plan.access is not None and not plan.access.is_empty:
        from reconciler.render.access_diff import access_markdown

        lines += [access_markdown(plan.access)]
    alone, together = grouped(plan.changes)
    blocks = [*map(_block, alone), *(_deleted(word, names) for word, names in together.items())]
    return fitted(lines, blocks, len(blocks), "plan")


def _block(change: Change) -> Iterator[str]:
    yield from (f"#### {_title(change)}", "", *_notes(change))
    yield from _folded(list(_body(change)))


def _deleted(word: str, names: Sequence[str]) -> Iterator[str]:
    yield from (f"#### `{MARKS[Action.DELETE]}` delete {plural_kind(len(names), word)}", "")
    yield from _folded([f"- {word}/{harmless(name)}" for name in names])


def _folded(lines: Sequence[str]) -> Iterator[str]:
    """Lines of a difference; many of them are hidden until somebody asks for them."""
    if len(lines) <= _FEW_LINES:
        yield from diff_block(lines)
    else:
        yield from (f"<details><summary>{len(lines):,} lines</summary>", "", *diff_block(lines), "</details>", "")


def _noted(plan: Plan) -> list[str]:
    return [line for notice in plan.notices for line in (f"> **Note:** {escape(notice)}", "")]


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
        yield from (f"+ {line}" for line in content_lines(masked(change.after or {})))
    if change.action is Action.DELETE:
        name = (change.before or {}).get("spec", {}).get("displayName")
        if name:
            yield f"- displayName: {shown(name)}"
    for field in change.fields:
        yield from field_block(with_default(change.key.kind, field))


def field_block(unmasked: FieldChange) -> Iterator[str]:
    """What became of one field, as lines of a diff."""
    field = masked_field(unmasked)
    members, lines = set_change(field), line_changes(field)
    origin = f"  # {field.origin.value}" if field.origin.value != "git" else ""
    if request := new_endpoint(field):
        yield f"+ {request[0]}{origin}"
        yield from (f"+ {line}" for line in request[1:])
    elif field.origin is Origin.BOTH:
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
