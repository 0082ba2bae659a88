"""The verdict on a pull request as GitHub workflow commands, which become annotations at the files that change."""

from reconciler.core.access import Where
from reconciler.core.verdicts import Verdict
from reconciler.render.diagnostics.github import command
from reconciler.render.gate import approvers_text, headline, notes, refusals, title


def verdict_github(verdict: Verdict, where: Where) -> str:
    """One error for each refused change, and the answer."""
    lines = [
        command(
            "error",
            {"file": change.file, "title": "not permitted"},
            f"{title(change)}: {'; '.join(refusals(verdict.actor, change, where))}; "
            f"could approve: {approvers_text(change.approvers)}",
        )
        for change in verdict.changes
        if not (verdict.bootstrap or change.permit.allowed)
    ]
    lines += [command("warning", {"title": "authorize"}, note) for note in notes(verdict)]
    lines.append(command("notice", {"title": "authorize"}, headline(verdict)))
    return "".join(f"{line}\n" for line in lines)
