"""What is wrong with data of others, in words."""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

MOST = 10
_WORDS = {
    "bool_type": "has to be true or false",
    "dict_type": "has to be an object",
    "extra_forbidden": "is not known",
    "greater_than_equal": "has to be {ge} at least",
    "int_type": "has to be a whole number",
    "less_than_equal": "may be {le} at most",
    "list_type": "has to be a list",
    "literal_error": "has to be {expected}",
    "missing": "is missing",
    "model_type": "has to be an object",
    "string_pattern_mismatch": "does not have the form {pattern}",
    "string_type": "has to be a text",
    "too_short": "has to hold {min_length} at least",
}


def faults(refusal: ValidationError) -> tuple[str, ...]:
    """Where something is wrong, and what, one sentence each; never the value that stands there."""
    found = [*_told(refusal)]
    more = [f"and {len(found) - MOST:,} more"] if len(found) > MOST else []
    return (*found[:MOST], *more)


def _told(refusal: ValidationError) -> Iterator[str]:
    for error in refusal.errors(include_input=False, include_url=False):
        place = ".".join(str(step) for step in error["loc"])
        yield f"{place}: {_words(error)}" if place else _words(error)


def _words(error: Any) -> str:
    about = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(about["error"])
    known = _WORDS.get(error["type"])
    return known.format(**about) if known else str(error["msg"])
