"""The verdict on a pull request, as text, JSON, Markdown and annotations; schemas/authorize.schema.json describes the JSON."""

from collections.abc import Iterator
from typing import Any

from reconciler.core.access import Where, odd_characters
from reconciler.core.permit import SETTINGS, Wanted
from reconciler.core.verdicts import Approvers, GateStep, Judged, Verdict
from reconciler.harmless import harmless
from reconciler.kinds.common import dotted
from reconciler.kinds.registry import address
from reconciler.render.diagnostics.formats import command
from reconciler.render.style import (
    BOLD,
    DIM,
    GREEN,
    RED,
    YELLOW,
    code,
    escape,
    fitted,
    json_text,
    paint,
    plural,
    reason,
    route_json,
)

_MAX_FIELDS, _MAX_NAMES = 6, 8


def verdict_text(verdict: Verdict, where: Where, *, color: bool, verbose: bool) -> str:
    """The answer as people read it: what is refused stands first.

    Args:
        verbose: whether to say what grants the changes that are allowed.
    """
    lines = [paint(headline(verdict), GREEN if verdict.allowed else RED, BOLD, color=color)]
    lines += [paint(note, YELLOW, color=color) for note in notes(verdict)]
    for change in sorted(verdict.changes, key=lambda change: change.permit.allowed):
        ok = verdict.bootstrap or change.permit.allowed
        mark = paint("ok" if ok else "no", GREEN if ok else RED, BOLD, color=color)
        lines += ["", f"{mark} {title(change)}{paint('  ' + harmless(change.file), DIM, color=color)}"]
        lines += [f"     {line}" for line in _details(verdict, change, where, verbose=verbose)]
    return "\n".join(lines) + "\n"


def headline(verdict: Verdict) -> str:
    """The answer in one line."""
    by = f"by the policies at {verdict.base[:12]}"
    actor, count = harmless(verdict.actor), len(verdict.changes)
    if not count:
        return f"Nothing to judge: no definition changes between {verdict.base[:12]} and {head(verdict)}."
    if verdict.bootstrap:
        return f"Allowed: the base {verdict.base[:12]} has no super admin yet, so nothing is judged."
    if verdict.allowed:
        return f"{actor} may make this change ({plural(count, 'change')}{_approved(verdict)}), {by}."
    refused = sum(not change.permit.allowed for change in verdict.changes)
    return f"{actor} may not make this change: {refused:,} of {plural(count, 'change')} refused, {by}."


def _approved(verdict: Verdict) -> str:
    found = [change.permit.approved_by for change in verdict.changes if change.permit.approved_by]
    return f", {len(found):,} of them approved by {harmless(_listed(tuple(sorted(set(found)))))}" if found else ""


def head(verdict: Verdict) -> str:
    """The head as people name it."""
    return verdict.head[:12] if verdict.head else "the working tree"


def notes(verdict: Verdict) -> Iterator[str]:
    """What a reader should know beside the answer."""
    if verdict.merged:
        yield f"{head(verdict)} does not descend from the base; judged is what merging it would give."
    if verdict.bootstrap and verdict.changes:
        yield "Everybody may change everything until a policy with superAdmin: true is merged; merge one first."
    elif not verdict.known:
        yield unknown(verdict)
    if verdict.approvals and not verdict.allowed:
        yield f"Approved by {harmless(_listed(verdict.approvals))}, who may not make what is refused either."


def unknown(verdict: Verdict) -> str:
    """That nobody knows the actor; whom it looks like is a hint and never an answer."""
    text = f"No policy and no group at the base names '{harmless(verdict.actor)}'"
    if not verdict.alike:
        return f"{text}."
    odd = odd_characters(verdict.actor)
    letters = f", and {odd} in the name is not what it looks like" if odd else ""
    return f"{text}. '{verdict.alike}' is somebody else: names are compared exactly{letters}."


def title(change: Judged) -> str:
    """What happens to what."""
    if change.key is None:
        return f"{SETTINGS}: {harmless(change.file)}"
    was = f" (was {address(*change.was)})" if change.was else ""
    return f"{change.step.value} {address(*change.key)}{was}"


def changed_fields(change: Judged) -> str:
    """The fields of an update, or what else made it one."""
    if change.why:
        return harmless(change.why)
    names = [harmless(dotted(path)) for path in change.fields]
    more = f" and {len(names) - _MAX_FIELDS:,} more" if len(names) > _MAX_FIELDS else ""
    return ", ".join(names[:_MAX_FIELDS]) + more


def refusals(actor: str, change: Judged, where: Where) -> Iterator[str]:
    """The permissions that are wanted and not held, each with the reason."""
    for wanted in change.permit.wanted:
        if wanted.refusal:
            near = f" ({reason(actor, wanted.route, where)})" if wanted.route else ""
            yield f"wants {wanted_name(change, wanted)}: {wanted.refusal}{near}"


def wanted_name(change: Judged, wanted: Wanted) -> str:
    """The permission, with what it is about where that may be two things."""
    if wanted.category:
        return f"{wanted.permission} in {wanted.category}, which {_MOVES[wanted.on]}"
    if change.step not in (GateStep.UPDATE, GateStep.RENAME) or len(change.permit.wanted) == 1:
        return wanted.permission
    return f"{wanted.permission} on it as it {'was' if wanted.on == 'was' else 'becomes'}"


_MOVES = {"was": "it leaves", "becomes": "it comes into"}


def approvers_text(found: Approvers) -> str:
    """Who could approve."""
    parts = [f"{'group' if len(found.groups) == 1 else 'groups'} {_listed(found.groups)}"] if found.groups else []
    parts += [f"{'user' if len(found.users) == 1 else 'users'} {_listed(found.users)}"] if found.users else []
    return "; ".join(parts) or "nobody at the base"


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MAX_NAMES:,} more" if len(names) > _MAX_NAMES else ""
    return ", ".join(names[:_MAX_NAMES]) + more


def _details(verdict: Verdict, change: Judged, where: Where, *, verbose: bool) -> Iterator[str]:
    if changed_fields(change):
        yield changed_fields(change)
    if verdict.bootstrap:
        return
    if change.permit.approved_by:
        yield f"approved by {harmless(change.permit.approved_by)}"
    elif not change.permit.granted:
        yield from refusals(verdict.actor, change, where)
        yield f"could approve: {approvers_text(change.approvers)}"
    elif verbose:
        for wanted in change.permit.wanted:
            granted = reason(verdict.actor, wanted.route, where) if wanted.route else "a super admin may"
            yield f"{wanted_name(change, wanted)}: because {granted}"


VERSION = 1


def verdict_json(verdict: Verdict, where: Where) -> str:
    """The answer, versioned."""
    content = {
        "version": VERSION,
        "allowed": verdict.allowed,
        "actor": verdict.actor,
        "approvals": list(verdict.approvals),
        "known": verdict.known,
        "alike": verdict.alike or None,
        "bootstrap": verdict.bootstrap,
        "base": verdict.base,
        "head": verdict.head or None,
        "merged": verdict.merged,
        "at": verdict.moment,
        "changes": [_change(verdict, change, where) for change in verdict.changes],
    }
    return json_text(content)


def _change(verdict: Verdict, change: Judged, where: Where) -> dict[str, Any]:
    return {
        "action": change.step.value,
        "address": address(*change.key) if change.key else None,
        "was": address(*change.was) if change.was else None,
        "file": change.file,
        "fields": [[str(step) for step in path] for path in change.fields],
        "why": change.why or None,
        "allowed": verdict.bootstrap or change.permit.allowed,
        "approvedBy": change.permit.approved_by or None,
        "wanted": [_wanted(wanted, where) for wanted in change.permit.wanted],
        "approvers": {"groups": list(change.approvers.groups), "users": list(change.approvers.users)},
    }


def _wanted(wanted: Wanted, where: Where) -> dict[str, Any]:
    return {
        "permission": wanted.permission,
        "on": wanted.on,
        "category": wanted.category or None,
        "granted": not wanted.refusal,
        "refusal": wanted.refusal or None,
        "route": route_json(wanted.route, where),
        "viewRoute": route_json(wanted.view, where),
    }


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
