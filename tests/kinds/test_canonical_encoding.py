"""The two encoders of canonical JSON write the same bytes, and the digests are those of hashlib."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler import digests
from reconciler.kinds import canonical

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text(st.characters(), max_size=3)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
)


@pytest.fixture(autouse=True)
def early(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process that has encoded nothing yet."""
    monkeypatch.setattr(canonical, "_left", 1 << 40)
    return iter(())


def encoded(value: Any) -> bytes | None:
    """What orjson writes, or None for what it refuses."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None


def nested(levels: int) -> Any:
    """A list in a list, and so on."""
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


@given(VALUES)
@example({"b": 1, "a": '\u2028 \x7f \x00 \ud7ff \U0001f600 / " \\'})
@example({"\U0001f600": 1, "\uffff": 2, "\ue000": 3, "z": 4, "Z": 5, "": 6})
@example(["\ud800"])
@example({1: 2})
@example([2**63, -(2**63), 2**64 - 1])
@example([2**64])
@example([1.0, 1e16, 1e-7])
@example(nested(98))
@example(nested(130))
@example(nested(300))
def test_encoding(value: Any) -> None:
    """Small runs, which do without orjson, write what it writes, and refuse what it refuses."""
    wanted = encoded(value)
    if wanted is None:
        with pytest.raises(TypeError):
            canonical.encode(value)
    else:
        assert canonical.encode(value) == wanted
        assert canonical.decode(wanted) == orjson.loads(wanted)


def test_that_json_is_what_was_tested() -> None:
    """Without that the test above would compare orjson with itself."""
    assert canonical._is_plain({"a": [1, "x", None, True]}, 3) and not canonical._is_plain([1.5], 3)
    assert canonical._is_early() and json.loads(canonical.encode({"a": 1})) == {"a": 1}


@given(st.lists(st.binary(), min_size=1, max_size=3))
def test_digests(contents: list[bytes]) -> None:
    """Python's own and OpenSSL's, as the function goes over from the one to the other."""
    for name, made in (
        ("sha256", digests._Digest("sha256", "_sha256", "_sha2")),
        ("sha1", digests._Digest("sha1", "_sha1")),
    ):
        made._left = len(contents)
        for content in contents * 2:
            assert made(content).hexdigest() == hashlib.new(name, content).hexdigest()
        assert made._function is getattr(hashlib, name)
