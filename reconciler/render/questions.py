"""Who may do what, and who could at some time; schemas/access.schema.json describes the JSON."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reconciler.core.access import Decision, Route, Where, scope
from reconciler.core.verdicts import Answer, PastState, Question, Setting
from reconciler.harmless import harmless
from reconciler.kinds.registry import address
from reconciler.render.history import Place, by
from reconciler.render.style import BOLD, DIM, GREEN, RED, json_text, paint, reason, route_json

VERSION = 1
_MAX_NAMES = 12


def answer_text(question: Question, actor: str, decision: Decision, where: Where | None, *, color: bool) -> str:
    """Yes or no, and why."""
    allowed = decision.allowed
    word = paint("yes" if allowed else "no", GREEN if allowed else RED, BOLD, color=color)
    has = "has" if allowed else "does not have"
    lines = [f"{word}: {harmless(actor)} {has} {question.permission} {_on(question)}"]
    stranger = question.stranger(actor)
    if stranger:
        lines.append(f"    {harmless(stranger)}")
    else:
        lines += [f"    {line}" for line in _why(question, actor, decision, where)]
    return "\n".join([*lines, *_unseen(question)]) + "\n"


def answers_text(
    question: Question, answers: Sequence[tuple[str, Decision]], where: Where | None, *, color: bool
) -> str:
    """Everybody who may, those with the same reason together."""
    if not answers:
        return "\n".join([f"Nobody has {question.permission} {_on(question)}.", *_unseen(question)]) + "\n"
    together: dict[tuple[str, ...], list[tuple[str, Decision]]] = {}
    for actor, decision in answers:
        together.setdefault(tuple(_why(question, "each of them", decision, where)), []).append((actor, decision))
    lines = []
    for why, found in together.items():
        names = [actor for actor, _ in found]
        more = f" and {len(names) - _MAX_NAMES:,} more" if len(names) > _MAX_NAMES else ""
        lines.append(paint(harmless(", ".join(names[:_MAX_NAMES]) + more), BOLD, color=color))
        said = why if len(names) > 1 else _why(question, *found[0], where)
        lines += [f"    {line}" for line in said]
    people = "1 person has" if len(answers) == 1 else f"{len(answers):,} people have"
    lines += [*_unseen(question), paint(f"{people} {question.permission} {_on(question)}", DIM, color=color)]
    return "\n".join(lines) + "\n"


def _unseen(question: Question) -> list[str]:
    return [f"note: {harmless(question.note)}"] if question.note else []


def _on(question: Question) -> str:
    return f"on {address(*question.key)}" if question.key else f"on all {question.target.area}"


def _why(question: Question, actor: str, decision: Decision, where: Where | None) -> Iterator[str]:
    route, view = decision.route, decision.view
    if decision.refusal is not None:
        near = f": {reason(actor, route, where)}{_scoped(route)}" if route else ""
        yield f"{decision.refusal}{near}"
        return
    if route is not None:
        yield f"because {reason(actor, route, where)}{_scoped(route)}"
    if view is not None and view != route:
        yield f"and {question.target.area}:view because {reason(actor, view, where)}{_scoped(view)}"


def _scoped(route: Route) -> str:
    narrowed = harmless(scope(route.grant))
    return f" ({narrowed})" if narrowed else ""


def answers_json(question: Question, answers: Iterable[tuple[str, Decision]], where: Where | None) -> str:
    """The question and its answers, versioned."""
    content = {
        "version": VERSION,
        "permission": question.permission,
        "address": address(*question.key) if question.key else None,
        "at": question.moment,
        "answers": [_answer(actor, decision, where) for actor, decision in answers],
    }
    return json_text(content | ({"note": question.note} if question.note else {}))


def _answer(actor: str, decision: Decision, where: Where | None) -> dict[str, Any]:
    return {
        "actor": actor,
        "allowed": decision.allowed,
        "refusal": str(decision.refusal) if decision.refusal else None,
        "route": route_json(decision.route, where),
        "viewRoute": route_json(decision.view, where),
    }


def past_answer_text(state: PastState, answer: Answer, place: Place, *, color: bool) -> str:
    """The answer with its reason."""
    allowed = answer.decision.allowed
    word = paint("yes" if allowed else "no", GREEN if allowed else RED, BOLD, color=color)
    had = "had" if allowed else "did not have"
    what = f"{harmless(answer.actor)} {had} {state.permission}{_on_then(state)} at {state.time}"
    lines = [f"{word}: {what}", *_why_then(answer, place), *_foot(state)]
    return "\n".join(lines) + "\n"


def past_answers_text(state: PastState, answers: Sequence[Answer], place: Place, *, color: bool) -> str:
    """Everybody who could, each with the reason."""
    if not answers:
        return "\n".join([f"Nobody had {state.permission}{_on_then(state)} at {state.time}.", *_foot(state)]) + "\n"
    lines = []
    for answer in answers:
        lines += [paint(harmless(answer.actor), BOLD, color=color), *_why_then(answer, place)]
    count = f"{len(answers):,} {'person' if len(answers) == 1 else 'people'} had {state.permission}{_on_then(state)} at {state.time}"
    return "\n".join([*lines, *_foot(state), paint(count, DIM, color=color)]) + "\n"


def _on_then(state: PastState) -> str:
    return f" on {address(*state.key)}" if state.key else ""


def _why_then(answer: Answer, place: Place) -> Iterator[str]:
    decision = answer.decision
    found = place(answer)
    if decision.refusal:
        yield f"    {decision.refusal.value}"
    if decision.route:
        yield f"    {reason(answer.actor, decision.route, (lambda _: found) if found else None)}"
    for setting in answer.settings:
        yield f"    {_set_by(setting)}"


def _set_by(setting: Setting) -> str:
    if setting.run is None:
        return f"{address(*setting.key)} was as somebody had written it outside of a run"
    return harmless(f"{address(*setting.key)} was as {by(setting.run)} had set it at {setting.run.finished}")


def _foot(state: PastState) -> Iterator[str]:
    if state.run is None:
        yield "    the history begins later: what is known is what others had written by then"
    elif not state.enforced:
        yield "    there was no super admin then: the store asked for no permission"
