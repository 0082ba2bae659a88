"""Canonical JSON: one text for one value, whatever the order of its keys, and the value again from it."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core import model

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
EXACT = st.none() | st.booleans() | st.integers() | TEXTS
VALUES = st.recursive(
    EXACT | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


def nested(levels: int) -> Any:
    """A list in a list, and so on."""
    value: Any = []
    for _ in range(levels - 1):
        value = [value]
    return value


def turned(value: Any) -> Any:
    """The same with its keys in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(item) for key, item in reversed(value.items())}
    return [turned(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
@example([-0.0, 0.1, 1e16, 1e-7, 5e-324, 1.7976931348623157e308])
@example([2**53 + 1, 2**64, -(2**63) - 1, 10**100])
@example(nested(250))
def test_there_and_back(value: Any) -> None:
    """A value comes back as it was, and the order of keys makes no difference."""
    body = model.encode(value)
    assert repr(turned(model.decode(body))) == repr(turned(json.loads(body)))
    assert model.decode(body) == value
    assert model.encode(turned(value)) == body == model.encode(model.decode(body))


@given(st.recursive(EXACT, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8))
@example({"b": 1, "a": '\u2028 \x7f \x00 \ud7ff \U0001f600 / " \\ \n'})
@example({"\U0001f600": 1, "\uffff": 2, "\ue000": 3, "z": 4, "Z": 5, "": 6})
def test_as_the_standard_library_writes_it(value: Any) -> None:
    """But for numbers with a point, whose exponents it writes otherwise; keys go by code point."""
    assert model.encode(value) == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "value", [["\ud800"], {"\udfff": 1}, {1: 2}, {None: 1}, [object()], nested(251), nested(100_000), [10**5000]],
    ids=["half a character", "key of half a character", "number as key", "null as key", "object", "deep", "too deep for Python", "5000 digits"],
)  # fmt: skip
def test_what_it_cannot_hold(value: Any) -> None:
    """Is refused in one way."""
    with pytest.raises(TypeError):
        model.encode(value)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"NaN", b"[1e400]", b'"\xff"', b'"\\ud800"', b'{"a":1} b', b"[" * 1_000_000 + b"]" * 1_000_000]
)
def test_what_is_no_json(body: bytes) -> None:
    """Is refused in one way too."""
    with pytest.raises(ValueError, match=r"."):
        model.decode(body)


def test_brackets_in_texts_are_no_levels() -> None:
    """Nor are those beside one another."""
    value = {"a": "[" * 300, "b": [{}] * 300}
    assert model.decode(model.encode(value)) == value
