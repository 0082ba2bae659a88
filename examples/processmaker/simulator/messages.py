"""Requests and answers."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field
from typing import Any

from simulator.values import write_json


@dataclass
class Request:
    method: str
    path: str  # below /api/1.0, decoded, without query
    query: dict[str, Any]
    body: dict[str, Any]  # of JSON alone: what a write stores
    form: dict[str, Any]  # of a form: checks see it, writes do not (seen)
    headers: Any
    base: str  # scheme and host
    user: dict | None = None
    raw: bytes = b""  # the body as it came
    raw_query: str = ""

    @property
    def inputs(self) -> dict[str, Any]:
        return {**self.query, **self.form, **self.body}

    @property
    def wants_json(self) -> bool:
        accept = (self.headers.get("Accept") or "").split(",")[0].strip().lower()
        ajax = self.headers.get("X-Requested-With") == "XMLHttpRequest" and accept in ("", "*/*")
        return "/json" in accept or "+json" in accept or ajax


@dataclass
class Answer:
    status: int
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class Failure(Exception):
    """Ends a request with an answer other than the good one."""

    def __init__(self, status: int, message: str = "", errors: dict | None = None):
        super().__init__(status, message)
        self.status, self.message, self.errors = status, message, errors


def server_error() -> Failure:
    return Failure(500, "Server Error")


def as_json(status: int, value: Any) -> Answer:
    return Answer(status, write_json(value).encode())


def pretty_message(status: int, message: str) -> Answer:
    return Answer(status, ('{\n    "message": %s\n}' % json.dumps(message)).encode())


def html_page(title: str, text: str) -> bytes:
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{text}</h1></body></html>\n".encode()


def redirect(request: Request, path: str, modern: bool) -> Answer:
    """To the login page, as HTML. 4.14 names it with https whatever the request came over (seen)."""
    base = request.base.replace("http:", "https:") if modern else request.base
    place = html.escape(base + path)
    page = (
        f'<!DOCTYPE html>\n<html>\n    <head>\n        <meta charset="UTF-8" />\n        <meta http-equiv="refresh" '
        f"content=\"0;url='{place}'\" />\n    </head>\n    <body>Redirecting</body>\n</html>"
    )
    return Answer(302, page.encode(), "text/html; charset=UTF-8", {"Location": base + path})
