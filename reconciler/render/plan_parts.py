"""What the forms of a plan have in common: its marks and words, totals, notes and problems."""

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

from reconciler.core.conditions import Expiring
from reconciler.core.diff import Origin
from reconciler.core.history import duration
from reconciler.core.plan import Action, Change, Plan, Problem
from reconciler.core.ports.abilities import Forecast
from reconciler.harmless import harmless
from reconciler.kinds.registry import KINDS, address
from reconciler.render.style import BOLD, CYAN, GREEN, RED, YELLOW, paint, plural
from reconciler.render.values import told_move

_LINE = 100
_FEW_DELETES = 5
"""More deletes of one kind are told together."""


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
    if plan.forecast is not None:
        found["forecast"] = {"requests": plan.forecast.requests, "seconds": round(plan.forecast.seconds, 1)}
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
COLORS = {
    Action.CREATE: GREEN, Action.UPDATE: YELLOW, Action.RENAME: CYAN,
    Action.ADOPT: CYAN, Action.DELETE: RED, Action.RESTORE: GREEN,
}  # fmt: skip
_WORDS = {
    Action.CREATE: "to create", Action.UPDATE: "to update", Action.RENAME: "to rename",
    Action.ADOPT: "to adopt", Action.DELETE: "to delete", Action.RESTORE: "to restore",
}  # fmt: skip
DONE = {
    Action.CREATE: "created", Action.UPDATE: "updated", Action.RENAME: "renamed",
    Action.ADOPT: "adopted", Action.DELETE: "deleted", Action.RESTORE: "restored",
}  # fmt: skip


NEW = (Action.CREATE, Action.RESTORE)
"""Of these a reviewer wants to see what the record holds."""


def ending(plan: Plan, *, color: bool) -> Iterator[str]:
    """How much there is to do, and whether it can be done."""
    if plan.changes:
        yield f"{totals(plan)}{_kept(plan)}{_left(plan)}."
    if plan.forecast is not None and plan.forecast.requests:
        yield f"It takes {forecast_text(plan.forecast)}."
    if plan.problems:
        yield paint("It will not be applied like this.", RED, color=color)


def forecast_text(forecast: Forecast) -> str:
    """How many requests carrying a plan out takes, and how long."""
    return f"{plural(forecast.requests, 'request')}, about {duration(max(1, forecast.seconds))}"


def grouped(changes: Sequence[Change]) -> tuple[list[Change], dict[str, list[str]]]:
    """The changes that are told one by one; by kind the names of records that are deleted, where those are many.

    Deletes of which there is something to say are told one by one.
    """
    plain = [
        change for change in changes if change.action is Action.DELETE and not change.notes and not told_move(change)
    ]
    many = {kind for kind, count in Counter(change.key.kind for change in plain).items() if count > _FEW_DELETES}
    gone = {change.key for change in plain if change.key.kind in many}
    together: dict[str, list[str]] = {}
    for key in sorted(gone):
        together.setdefault(KINDS[key.kind].word, []).append(key.name)
    return [change for change in changes if change.key not in gone], together


def deletes_lines(word: str, names: Sequence[str], *, color: bool) -> Iterator[str]:
    """That records of one kind are deleted, with all of their names."""
    mark = paint(MARKS[Action.DELETE], RED, BOLD, color=color)
    yield f"{mark} {paint(plural_kind(len(names), word), BOLD, color=color)}:"
    yield from wrap(
        ", ".join(map(harmless, names)), _LINE, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )


def plural_kind(count: int, word: str) -> str:
    """``1 policy``, ``2 policies``."""
    return f"{count:,} {word[:-1]}ies" if count != 1 and word.endswith("y") else plural(count, word)


def kind_totals(plan: Plan) -> Iterator[tuple[str, str]]:
    """The word of each kind that changes, and how much there is to do to it."""
    counts = Counter((change.key.kind, change.action) for change in plan.changes)
    for kind in KINDS.values():
        parts = [
            f"{counts[kind.name, action]:,} {word}" for action, word in _WORDS.items() if counts[kind.name, action]
        ]
        if parts:
            yield kind.word, ", ".join(parts)


def _left(plan: Plan) -> str:
    return f"; {plural(plan.left, 'other change')} left out" if plan.left else ""


def only_text(plan: Plan) -> str:
    """What the plan was asked to be about, where that is not everything."""
    return ", ".join(address(*key) for key in plan.only)


def totals(plan: Plan) -> str:
    """How much there is to do."""
    parts = [f"{count:,} {_WORDS[action]}" for action, count in plan.counts.items() if count]
    if not parts:
        return "Nothing to do"
    drifted = sum(change.origin in (Origin.DRIFT, Origin.BOTH) for change in plan.changes)
    conflicts = f", {plural(plan.conflicts, 'conflict')}" if plan.conflicts else ""
    return ", ".join(parts) + (f" ({drifted:,} with drift{conflicts})" if drifted else "")


def nothing_text(plan: Plan) -> str:
    """That there is nothing to do, and of what that holds."""
    if plan.only:
        return f"Nothing to do for {only_text(plan)}{_left(plan)}."
    revision = f"{plan.revision}," if "," in str(plan.revision) else str(plan.revision)
    return f"Nothing to do: {plan.target} is what {revision} says ({plural(plan.owned, 'record')}{_kept(plan)})."


def problem_lines(problem: Problem, *, color: bool) -> list[str]:
    """What stands against the plan, and what to do."""
    lines = [f"{paint('!', RED, BOLD, color=color)} {harmless(problem.message)}"]
    lines += [f"    {harmless(detail)}" for detail in problem.details]
    return [*lines, f"    hint: {harmless(problem.hint)}"] if problem.hint else lines


def _kept(plan: Plan) -> str:
    return f"; {plural(plan.kept, 'record')} no longer defined, kept" if plan.kept else ""
