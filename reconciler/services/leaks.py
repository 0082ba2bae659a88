"""Values of secrets that stand in the clear where somebody wrote them outside of a run."""

from collections.abc import Iterator
from typing import Any

from reconciler.core.drift import IsSecret
from reconciler.diagnostics import Finding, Place


def secrets_in(content: object, is_secret: IsSecret, known: frozenset[str]) -> list[Finding]:
    """That the value of a secret stands somewhere in the clear, alone or as a word.

    Args:
        known: texts that need not be looked at.
    """
    for text in texts_of(content):
        if text not in known and any(map(is_secret, {text, *text.split()})):
            hint = "give a reference in its place, and change the secret: others may have seen it"
            return [Finding("RC210", "the value of a secret stands in it in the clear", Place(0, ("spec",)), hint)]
    return []


def texts_of(value: Any) -> Iterator[str]:
    """All texts in a value, keys not among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_of(item)
