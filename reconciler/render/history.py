"""Runs, and versions of a record, as text."""

from collections.abc import Iterator, Sequence

from reconciler.core.calls import moment
from reconciler.core.diff import FieldChange
from reconciler.core.history import DRIFT, LOST, REPAIR, Futile, RunEntry, Version, ago
from reconciler.core.model import Key
from reconciler.core.secret import masked
from reconciler.harmless import harmless
from reconciler.kinds.registry import address
from reconciler.render.lock import outcome_text
from reconciler.render.plan_text import field_lines
from reconciler.render.style import BOLD, DIM, GREEN, RED, paint, plural
from reconciler.render.table import table
from reconciler.render.values import content_lines

DONE = {
    "create": "created", "update": "updated", "rename": "renamed", "adopt": "adopted", "delete": "deleted",
    "restore": "restored", "purge": "purged", REPAIR: "noted as it was", DRIFT: "drifted",
}  # fmt: skip


def runs_table(listed: Sequence[RunEntry | Futile], now: str, *, more: bool, color: bool) -> str:
    """One line a run, the latest first.

    Args:
        now: from which times are told; they are there exactly too, as other commands take them.
        more: whether there are older ones.
    """
    if not listed:
        return "The history holds no run.\n"
    rows = [_row(run, now) for run in listed]
    marked = [RED if isinstance(run, Futile) else "" for run in listed]
    header = ["RUN", "WHEN", "TIME", "TOOK", "ACTOR", "COMMAND", "COMMIT", "TARGET", "OUTCOME"]
    lines = table(header, rows, color=color, marked=marked)
    older = "; older ones with --limit" if more else ""
    return "\n".join([*lines, paint(f"{plural(len(listed), 'run')}{older}", DIM, color=color)]) + "\n"


def _row(run: RunEntry | Futile, now: str) -> list[str]:
    number, said = (str(run.id), _outcome(run)) if isinstance(run, RunEntry) else ("-", outcome_text(run.outcome))
    seconds = seconds_of(run)
    took = f"{seconds:,.1f} s" if seconds is not None else ""
    time = run.finished or run.started
    return [number, ago(time, now), time, took, run.actor, run.verb, commit(run), run.target, said]


def seconds_of(run: RunEntry | Futile) -> float | None:
    """How long it took; None while it runs, and where the clock was set back meanwhile."""
    if run.finished is None:
        return None
    seconds = (moment(run.finished) - moment(run.started)).total_seconds()
    return seconds if seconds >= 0 else None


def commit(run: RunEntry | Futile) -> str:
    """The commit, short."""
    identity, dash, rest = run.commit.partition("-")
    return f"{identity[:12]}{dash}{rest}"


_WITHOUT_RECORDS = {"rotate-key": "the key changed"}
"""What those runs did that change no record, by verb; the others fetched tokens alone."""


def _outcome(run: RunEntry) -> str:
    """What it changed, whether that was all, the guards that were overridden, and who approved it."""
    if run.verb == REPAIR:
        mended = [said for said in run.overrides if not said.startswith(("seal=", "broken="))]
        return f"mended {', '.join(mended)}"
    if run.verb == LOST:
        return "removed outside of a run; not known"
    counts = [f"{count:,} {DONE.get(action, action)}" for action, count in sorted(run.counts.items())]
    partly = ["partly"] if run.outcome == "partly" else []
    overridden = [f"override {override}" for override in run.overrides]
    approved = [f"approved by {name}" for name in run.approvals]
    return ", ".join([*(counts or [_WITHOUT_RECORDS.get(run.verb, "tokens")]), *partly, *overridden, *approved])


def versions_text(key: Key, versions: Sequence[Version], now: str, *, more: bool, color: bool) -> str:
    """Each version with who, when, from which commit and what changed; the latest first.

    Args:
        now: from which times are told; they are there exactly too, as other commands take them.
        more: whether there are others that are not shown.
    """
    lines = []
    for version in versions:
        lines += [*_version(version, now, asked=key, color=color), ""]
    older = "; others with --limit or without --since" if more else ""
    lines.append(paint(f"{plural(len(versions), 'version')}{older}", DIM, color=color))
    return "\n".join(lines) + "\n"


def _version(version: Version, now: str, *, asked: Key, color: bool) -> Iterator[str]:
    number = paint(str(version.number), BOLD, color=color)
    who = f" by {by(version.run)}" if version.run else ""
    time = f"{version.time} ({ago(version.time, now)})" if version.time else "at an unknown time"
    yield f"{number}  {harmless(f'{time}  {_done(version, asked)}{who}')}"
    if not version.known:
        yield "    (what it held is not known: it had drifted before the store kept such bodies)"
    elif version.action in ("create", DRIFT) and version.body is not None and not version.fields:
        yield from _content(version, color=color)
    for field in version.fields:
        yield from field_lines(field, color=color)


def by(run: RunEntry) -> str:
    """Who made a run, and from what."""
    where = f" from commit {commit(run)}" if run.commit else ""
    approved = f", approved by {', '.join(run.approvals)}," if run.approvals else ""
    return f"{run.actor}{approved}{where} (run {run.id})"


def _done(version: Version, asked: Key) -> str:
    gone = version.action == DRIFT and version.body is None
    done = "deleted outside of a run" if gone else DONE.get(version.action, version.action)
    named = f" as {address(*version.key)}" if version.key != asked else ""
    was = f", was {address(version.key.kind, version.was)}" if version.was else ""
    return f"{done}{named}{was}"


def _content(version: Version, *, color: bool) -> Iterator[str]:
    try:
        found = list(content_lines(masked(version.body)))
    except (AttributeError, KeyError, TypeError, IndexError):  # others have written what is no body
        found = [("(unreadable)", "")]
    for name, value in found:
        yield f"    {paint('+', GREEN, color=color)} {name}: {value}"


def difference_text(key: Key, before: Version, after: Version, fields: Sequence[FieldChange], *, color: bool) -> str:
    """What differs between two versions."""
    title = f"{address(*key)}: from version {before.number} to version {after.number}"
    if not fields:
        return f"{title}: nothing differs\n"
    lines = [paint(title, BOLD, color=color)]
    for field in fields:
        lines += field_lines(field, color=color)
    return "\n".join(lines) + "\n"
