"""What was called and what came of it, as JSON; schemas/call.schema.json describes it."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any

from reconciler.core.calls import Check, Outcome, Shown
from reconciler.render.call import Sent
from reconciler.render.json_text import json_text

VERSION = 1


def call_json(sent: Sent, outcome: Outcome | None) -> str:
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
        },
        "attempts": outcome.attempts if outcome else 0,
        "redirects": [
            {"status": hop.status, "url": hop.url, "credentials": hop.credentials}
            for hop in (outcome.redirects if outcome else ())
        ],
        "response": _response(outcome.answer) if outcome else None,
    }
    return json_text(content)


def checks_json(checks: Sequence[Check]) -> str:
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


def _response(answer: Shown) -> dict[str, Any]:
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
