"""Sources that hold several secrets: each is fetched once, whichever keys are asked for."""

import json
from collections.abc import Callable
from threading import Lock
from typing import Any

from reconciler.errors import SecretUnavailable


class Documents:
    """Fetches what SOURCE#KEY names. Safe for several threads, of which each fetches another source."""

    def __init__(self, fetch: Callable[[str], Any]) -> None:
        """Remember how.

        Args:
            fetch: from a source to its content: a mapping or a text.
        """
        self._fetch = fetch
        self._lock = Lock()
        self._known: dict[str, Any] = {}

    def resolve(self, target: str) -> str:
        """The secret at SOURCE#KEY, or the whole text of SOURCE."""
        source, _, key = target.partition("#")
        content = self._content(source)
        if not key:
            if not isinstance(content, str):
                raise SecretUnavailable("it holds several values", hint="name one of them: ...#KEY")
            return content
        return pick(content, key)

    def _content(self, source: str) -> Any:
        with self._lock:
            known = self._known.get(source)
        if known is None:
            try:
                known = self._fetch(source)
            except SecretUnavailable as failure:
                known = failure
            with self._lock:
                self._known[source] = known
        if isinstance(known, SecretUnavailable):
            raise known.again()
        return known


def pick(content: Any, key: str) -> str:
    """The value of a key, or of steps into mappings that are separated by dots.

    Raises:
        SecretUnavailable: there is no such key, or no single value at it.
    """
    if isinstance(content, str):
        content = _parsed(content)
    found = content[key] if isinstance(content, dict) and key in content else _at(content, key)
    if isinstance(found, bool) or not isinstance(found, (str, int, float)):
        state = "is no single value" if found is not None else "is not in it"
        raise SecretUnavailable(f"the key {key} {state}", hint="check the part behind #")
    if found == "":
        raise SecretUnavailable(f"the key {key} is empty", hint="store a value there")
    return str(found)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise SecretUnavailable("it holds no JSON, so it has no keys", hint="remove the part behind #") from None


def _at(content: Any, dotted: str) -> Any:
    for step in dotted.split("."):
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and step.isdecimal() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content
