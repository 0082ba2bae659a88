"""Who could do what at some time, as text."""

from collections.abc import Callable, Iterator, Sequence

from reconciler.core.verdicts import Answer, Past, Setting
from reconciler.harmless import harmless
from reconciler.kinds.registry import address
from reconciler.render.history import by
from reconciler.render.routes import reason
from reconciler.render.style import BOLD, DIM, GREEN, RED, paint

Place = Callable[[Answer], tuple[str, int] | None]
"""File and line of what an answer rests on, in the commit that it was applied from."""


def answer_text(state: Past, answer: Answer, place: Place, *, color: bool) -> str:
    """The answer with its reason."""
    allowed = answer.decision.allowed
    word = paint("yes" if allowed else "no", GREEN if allowed else RED, BOLD, color=color)
    had = "had" if allowed else "did not have"
    what = f"{harmless(answer.actor)} {had} {state.permission}{_on(state)} at {state.time}"
    lines = [f"{word}: {what}", *_why(answer, place), *_foot(state)]
    return "\n".join(lines) + "\n"


def answers_text(state: Past, answers: Sequence[Answer], place: Place, *, color: bool) -> str:
    """Everybody who could, each with the reason."""
    if not answers:
        return "\n".join([f"Nobody had {state.permission}{_on(state)} at {state.time}.", *_foot(state)]) + "\n"
    lines = []
    for answer in answers:
        lines += [paint(harmless(answer.actor), BOLD, color=color), *_why(answer, place)]
    count = f"{len(answers):,} {'person' if len(answers) == 1 else 'people'} had {state.permission}{_on(state)} at {state.time}"
    return "\n".join([*lines, *_foot(state), paint(count, DIM, color=color)]) + "\n"


def _on(state: Past) -> str:
    return f" on {address(*state.key)}" if state.key else ""


def _why(answer: Answer, place: Place) -> Iterator[str]:
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


def _foot(state: Past) -> Iterator[str]:
    if state.run is None:
        yield "    the history begins later: what is known is what others had written by then"
    elif not state.enforced:
        yield "    there was no super admin then: the store asked for no permission"
