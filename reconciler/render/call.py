"""What was called or tried and what came of it; schemas/call.schema.json describes the JSON."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from reconciler.core.calls import CallOutcome, CallResult, PreflightVerdict, ShownResponse
from reconciler.core.secret import MASK
from reconciler.harmless import harmless
from reconciler.kinds.requests import Request, shown_pairs
from reconciler.render.style import BOLD, DIM, GREEN, RED, YELLOW, json_text, paint, plural

MOST = 64 * 1024
_BREAKS = re.compile(r"\r\n|\n")
_COLORS = {"ok": GREEN, "failed": RED, "skipped": YELLOW}
_WIDEST = 44


class Sent(Struct, frozen=True):
    """What is said of a request.

    Attributes:
        url: with its parameters; what is secret is masked.
        proofs: names of the headers that the authorization adds.
        verified: whether certificates are verified.
        declared: whether the connector is not the live one, but as it is declared.
        body: as it may be shown, where it is to be shown.
        references: of the secrets that it takes, by their address, where these were not looked up; else None.
    """

    connector: str
    endpoint: str
    request: Request
    url: str
    proofs: tuple[str, ...]
    verified: bool
    declared: bool = False
    body: str | None = None
    references: Mapping[str, str] | None = None

    def headers(self) -> list[tuple[str, str]]:
        """Its headers as they may be shown."""
        proofs = {name.lower() for name in self.proofs}
        own = [pair for pair in shown_pairs(self.request.headers) if pair[0].lower() not in proofs]
        return [*own, *((name, MASK) for name in self.proofs)]


def request_text(sent: Sent, *, values: bool = True) -> str:
    """The request; without `values` only the names of its headers."""
    lines = [f"{sent.request.method} {harmless(sent.url)}"]
    if values:
        lines += [f"{harmless(name)}: {harmless(value)}" for name, value in sent.headers()]
    else:
        lines.append("headers: " + harmless(", ".join(name for name, _ in sent.headers())))
    body = sent.request.body
    if sent.body is not None and body.size:
        lines += ["", *_harmless_lines(sent.body)]
    elif body.size:
        if body.form is not None:
            lines.append("form fields: " + harmless(", ".join(body.form)))
        lines.append(f"body of {plural(body.size, 'byte')}")
    if sent.references:
        lines += ["", "secrets, which were not looked up:"]
        lines += [f"  {harmless(address)}: {harmless(found)}" for address, found in sorted(sent.references.items())]
    return "\n".join(lines) + "\n"


def _harmless_lines(text: str) -> list[str]:
    return [harmless(part.replace("\t", "    ")) for part in _BREAKS.split(text)]


def outcome_text(outcome: CallOutcome, *, color: bool) -> str:
    """Status, time, headers and body."""
    answer = outcome.answer
    good = answer.status < 400
    line = paint(harmless(f"{answer.status} {answer.reason}".rstrip()), GREEN if good else RED, BOLD, color=color)
    line += f" in {answer.seconds:.2f} s"
    if outcome.attempts > 1:
        line += f", attempt {outcome.attempts}"
    lines = [line, *(paint(harmless(f"{name}: {value}"), DIM, color=color) for name, value in answer.headers)]
    return "\n".join(lines) + "\n" + _body_text(outcome)


def _body_text(outcome: CallOutcome) -> str:
    answer = outcome.answer
    more = f"(cut: there is more than {plural(answer.size, 'byte')}; see --max-bytes)\n" if answer.cut else ""
    if isinstance(answer.body, bytes):
        kind = harmless(answer.media_type.partition(";")[0]) or "unknown"
        return f"\n({plural(answer.size, 'byte')} of type {kind}, which is no text; -o json holds them)\n{more}"
    if not answer.body:
        return more
    shown = answer.body[:MOST]
    text = "\n" + "\n".join(_harmless_lines(shown)).rstrip("\n") + "\n"
    if len(answer.body) > MOST:
        text += f"(shortened: {plural(len(answer.body) - MOST, 'character')} more; -o json holds them)\n"
    return text + more


def checks_text(checks: Sequence[CallResult], *, color: bool) -> str:
    """A table with a line for each endpoint, and a count below."""
    if not checks:
        return "There is no GET endpoint to call.\n"
    header = ("CONNECTOR", "ENDPOINT", "STATUS", "TIME", "VERDICT")
    rows = [tuple(map(_cell, _row(check))) for check in checks]
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    lines = [paint(_line(header, widths), BOLD, color=color)]
    for check, row in zip(checks, rows, strict=True):
        reason = f"  {harmless(check.reason)}" if check.reason else ""
        verdict = paint(check.verdict, _COLORS[check.verdict], color=color)
        lines.append(_line(row[:-1], widths) + "  " + verdict + " " * (widths[-1] - len(check.verdict)) + reason)
    counts = {verdict: sum(check.verdict == verdict for check in checks) for verdict in _COLORS}
    lines.append(paint(", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count), DIM, color=color))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _row(check: CallResult) -> tuple[str, ...]:
    status = "" if check.status is None else str(check.status)
    seconds = "" if check.seconds is None else f"{check.seconds:.2f} s"
    return check.connector, check.endpoint, status, seconds, check.verdict


def _cell(text: str) -> str:
    text = harmless(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False))


VERSION = 1


def call_json(sent: Sent, outcome: CallOutcome | None) -> str:
    """One call; without an outcome it was not sent."""
    body = sent.request.body
    content: dict[str, Any] = {
        "version": VERSION,
        "connector": sent.connector,
        "endpoint": sent.endpoint,
        "tlsVerified": sent.verified,
        "request": {
            "method": sent.request.method,
            "url": sent.url,
            "headers": _pairs(sent.headers()),
            "formFields": None if body.form is None else list(body.form),
            "bodyBytes": body.size,
            "body": sent.body if body.size else None,
        },
        "definition": sent.declared,
        "references": None if sent.references is None else dict(sorted(sent.references.items())),
        "attempts": outcome.attempts if outcome else 0,
        "redirects": [
            {"status": hop.status, "url": hop.url, "credentials": hop.credentials}
            for hop in (outcome.redirects if outcome else ())
        ],
        "response": _response(outcome.answer) if outcome else None,
    }
    return json_text(content)


def checks_json(checks: Sequence[CallResult]) -> str:
    """The results of ``call --all``."""
    rows = [
        {
            "connector": check.connector,
            "endpoint": check.endpoint,
            "status": check.status,
            "seconds": None if check.seconds is None else round(check.seconds, 3),
            "verdict": check.verdict,
            "reason": check.reason or None,
        }
        for check in checks
    ]
    return json_text({"version": VERSION, "checks": rows})


def _response(answer: ShownResponse) -> dict[str, Any]:
    text = isinstance(answer.body, str)
    return {
        "status": answer.status,
        "reason": answer.reason,
        "seconds": round(answer.seconds, 3),
        "headers": _pairs(answer.headers),
        "body": answer.body if isinstance(answer.body, str) else b64encode(answer.body).decode(),
        "encoding": "text" if text else "base64",
        "bytes": answer.size,
        "truncated": answer.cut,
    }


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def preflight_text(verdicts: Sequence[PreflightVerdict], *, color: bool) -> str:
    """One line for each connector that passed, and the reasons for those that did not."""
    if not verdicts:
        return "Preflight: no connector changes.\n"
    return "\n".join(["Preflight:", *_lines(verdicts, color=color), "", f"{_total(verdicts)}."]) + "\n"


def _lines(verdicts: Sequence[PreflightVerdict], *, color: bool) -> Iterator[str]:
    for verdict in verdicts:
        mark = paint("ok", GREEN, color=color) if verdict.passed else paint("failed", RED, BOLD, color=color)
        yield f"  {verdict.address}: {mark}"
        for check in verdict.checks:
            sign = "" if check.passed else "! "
            yield f"      {sign}{check.name}: {harmless(check.message)}"
            if check.hint and not check.passed:
                yield f"        hint: {harmless(check.hint)}"


def preflight_markdown(verdicts: Sequence[PreflightVerdict]) -> str:
    """A section for a pull request."""
    if not verdicts:
        return ""
    rows = [
        f"| `{verdict.address}` | {'passed' if verdict.passed else '**failed**'} |"
        f" {'; '.join(f'{check.name}: {_markdown_cell(check.message)}' for check in verdict.checks)} |"
        for verdict in verdicts
    ]
    head = ["", f"#### Preflight: {_total(verdicts)}", "", "| connector | verdict | what was tried |", "|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def preflight_json(verdicts: Sequence[PreflightVerdict]) -> list[dict[str, object]]:
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


def _total(verdicts: Sequence[PreflightVerdict]) -> str:
    return f"{sum(verdict.passed for verdict in verdicts)} of {len(verdicts)} passed"


def _markdown_cell(text: str) -> str:
    return harmless(text).replace("|", "\\|").replace("<", "&lt;")
