"""Overrides: that somebody has looked at one plan, and means what a guard stops.

An override names the plan by the beginning of its fingerprint, the guard, and the exact count that the guard found.
For another plan, or another count, it is none.
"""

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.plan import Problem
from reconciler.errors import ExitCode

GUARDS = ("deletes", "access-loss", "own-loss", "no-super-admin", "dirty", "lost-store")
"""The guards that can be overridden; what stops the others is mended."""
SHOWN = 12
"""So many digits of a plan's fingerprint are shown."""
FORM = re.compile(r"([0-9a-f]{8,64}):([a-z-]+)=([0-9]{1,9})")


class Override(Struct, frozen=True):
    """One of them.

    Attributes:
        plan: the beginning of the plan's fingerprint.
        guard: one of `GUARDS`.
        count: what the guard counts.
    """

    plan: str
    guard: str
    count: int

    def __str__(self) -> str:
        return f"{self.guard}={self.count}"


def settle(
    problems: Sequence[Problem], overrides: Sequence[Override], fingerprint: str
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """The problems that are left, each saying how it could be overridden, and the overrides that were needed.

    Args:
        fingerprint: of the plan.
    """
    fitting = {(found.guard, found.count): found for found in overrides if fingerprint.startswith(found.plan)}
    left: list[Problem] = []
    used: list[str] = []
    for problem in problems:
        override = fitting.get((problem.guard, problem.count))
        if override is not None:
            used.append(str(override))
        elif problem.guard in GUARDS:
            left.append(replace(problem, hint=_hint(problem, overrides, fingerprint)))
        else:
            left.append(problem)
    return (*left, *_of_others(overrides, fingerprint)), tuple(used)


def _hint(problem: Problem, overrides: Sequence[Override], fingerprint: str) -> str:
    meant = f"if this is meant: --override {fingerprint[:SHOWN]}:{problem.guard}={problem.count}"
    wrong = [found.count for found in overrides if found.guard == problem.guard and fingerprint.startswith(found.plan)]
    said = f"the override says {wrong[0]}, and it is {problem.count}: look again at what changed; " if wrong else ""
    return f"{said}{problem.hint}; {meant}" if problem.hint else said + meant


def _of_others(overrides: Sequence[Override], fingerprint: str) -> list[Problem]:
    others = sorted({found.plan for found in overrides if not fingerprint.startswith(found.plan)})
    if not others:
        return []
    message = f"an override is for the plan {', '.join(others)}, and this is {fingerprint[:SHOWN]}"
    return [Problem(ExitCode.GUARDED, message, "look at this plan; it is not the one that somebody looked at")]
