"""The verdict on a pull request as Markdown, for a comment or a job's summary."""

from collections.abc import Iterator

from reconciler.core.access import Where
from reconciler.core.verdicts import Judged, Verdict
from reconciler.render.gate import approvers_text, changed_fields, headline, notes, refusals, title
from reconciler.render.markdown import code, escape, fitted


def verdict_markdown(verdict: Verdict, where: Where) -> str:
    """The answer, then what is refused, then what is allowed; cut to fit."""
    lines = [f"### {escape(headline(verdict))}", ""]
    for note in notes(verdict):
        lines += [f"> {escape(note)}", ""]
    ordered = sorted(verdict.changes, key=lambda change: change.permit.allowed)
    return fitted(lines, (_block(verdict, change, where) for change in ordered), len(ordered), "authorize")


def _block(verdict: Verdict, change: Judged, where: Where) -> Iterator[str]:
    allowed = verdict.bootstrap or change.permit.allowed
    file = f" in {code(change.file)}" if change.key else ""
    yield f"- {'allowed' if allowed else '**refused**'}: {escape(title(change))}{file}"
    if changed_fields(change):
        yield f"  - {escape(changed_fields(change))}"
    if not allowed:
        for refusal in refusals(verdict.actor, change, where):
            yield f"  - {escape(refusal)}"
        yield f"  - could approve: {escape(approvers_text(change.approvers))}"
    elif change.permit.approved_by:
        yield f"  - approved by {escape(change.permit.approved_by)}"
