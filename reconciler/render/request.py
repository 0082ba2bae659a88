"""The body of a request as it may be shown: as it is sent, with what is secret masked."""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from reconciler.core.secret import Redactor, Secret, carries_credentials, is_secret_key
from reconciler.kinds.requests import Request


def shown_body(request: Request, redactor: Redactor) -> str:
    """The body of a request, or "" without one.

    Args:
        redactor: masks the secrets of the call; what stands under a name that carries credentials is masked besides.
    """
    content = request.body.content or b""
    text = content.decode("utf-8", "replace")
    return Redactor(_named(content, text, request.body.media_type)).text(redactor.text(text))


def _named(content: bytes, text: str, media_type: str) -> Iterator[Secret]:
    """What stands in a body under a name that carries credentials."""
    if media_type == "application/x-www-form-urlencoded":
        yield from _secret(parse_qsl(text))
    elif media_type.startswith("multipart/"):
        yield from _secret(_parts(content, media_type))
    else:
        try:
            yield from _within(json.loads(text))
        except (ValueError, RecursionError):
            return


def _parts(content: bytes, media_type: str) -> Iterator[tuple[str, str]]:
    from email.parser import BytesParser
    from email.policy import HTTP

    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + media_type.encode() + b"\r\n\r\n" + content)
    for part in message.walk():
        if not part.is_multipart():
            value = part.get_payload(decode=True)
            if isinstance(value, bytes):
                yield str(part.get_param("name", "", "content-disposition")), value.decode("utf-8", "replace")


def _within(content: Any) -> Iterator[Secret]:
    if isinstance(content, dict):
        yield from _secret((name, value) for name, value in content.items() if isinstance(value, str))
    if isinstance(content, dict | list):
        for value in content.values() if isinstance(content, dict) else content:
            yield from _within(value)


def _secret(pairs: Iterable[tuple[str, str]]) -> Iterator[Secret]:
    return (Secret(value) for name, value in pairs if value and (carries_credentials(name) or is_secret_key(name)))
