"""Verdicts of a preflight, behind the plan that they are of."""

from collections.abc import Iterator, Sequence

from reconciler.core.calls import Verdict
from reconciler.harmless import harmless
from reconciler.render.style import BOLD, GREEN, RED, paint


def preflight_text(verdicts: Sequence[Verdict], *, color: bool) -> str:
    """One line for each connector that passed, and the reasons for those that did not."""
    if not verdicts:
        return "Preflight: no connector changes.\n"
    return "\n".join(["Preflight:", *_lines(verdicts, color=color), "", f"{_total(verdicts)}."]) + "\n"


def _lines(verdicts: Sequence[Verdict], *, color: bool) -> Iterator[str]:
    for verdict in verdicts:
        mark = paint("ok", GREEN, color=color) if verdict.passed else paint("failed", RED, BOLD, color=color)
        yield f"  {verdict.address}: {mark}"
        for check in verdict.checks:
            sign = "" if check.passed else "! "
            yield f"      {sign}{check.name}: {harmless(check.message)}"
            if check.hint and not check.passed:
                yield f"        hint: {harmless(check.hint)}"


def preflight_markdown(verdicts: Sequence[Verdict]) -> str:
    """A section for a pull request."""
    if not verdicts:
        return ""
    rows = [
        f"| `{verdict.address}` | {'passed' if verdict.passed else '**failed**'} |"
        f" {'; '.join(f'{check.name}: {_cell(check.message)}' for check in verdict.checks)} |"
        for verdict in verdicts
    ]
    head = ["", f"#### Preflight: {_total(verdicts)}", "", "| connector | verdict | what was tried |", "|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def preflight_json(verdicts: Sequence[Verdict]) -> list[dict[str, object]]:
    """As schemas/plan.schema.json describes it."""
    return [
        {
            "address": verdict.address,
            "passed": verdict.passed,
            "checks": [
                {"check": check.name, "passed": check.passed, "message": check.message, "hint": check.hint}
                for check in verdict.checks
            ],
        }
        for verdict in verdicts
    ]


def _total(verdicts: Sequence[Verdict]) -> str:
    return f"{sum(verdict.passed for verdict in verdicts)} of {len(verdicts)} passed"


def _cell(text: str) -> str:
    return harmless(text).replace("|", "\\|").replace("<", "&lt;")
