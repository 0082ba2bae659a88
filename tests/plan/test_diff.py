"""The comparison of two bodies: by JSON's values, not by Python's."""

from typing import Any

import pytest

from reconciler.core.diff import MISSING, diff, same


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (0, False), (1, 1.0), ("1", 1), ("", None), ([], {}), ([1], [True]), ({"a": [0]}, {"a": [0.0]}),
     ({"a": {"b": 1}}, {"a": {"b": True}}), ({"a": 1}, {"b": 1}), ([1, 2], [2, 1]), ([1], [1, 1])],
)  # fmt: skip
def test_what_is_another_value_in_json(one: Any, other: Any) -> None:
    """Though Python may call it equal, at whatever depth."""
    assert not same(one, other) and not same(other, one)
    assert same(one, one) and same(other, other)
    assert list(diff({"x": one}, {"x": other}, lambda path, value: True))


def test_the_order_of_keys_is_none() -> None:
    """A mapping has no order."""
    assert same({"a": 1, "b": {"c": [1, {"d": None}], "e": ""}}, {"b": {"e": "", "c": [1, {"d": None}]}, "a": 1})


def test_paths_are_told_in_their_order() -> None:
    """Each with both values, down to what differs; entries by name, and their order apart."""
    before = {"z": 1, "a": {"k": 1, "same": [1]}, "list": [{"name": "x", "v": 1}, {"name": "y"}], "gone": 0}
    after = {"a": {"k": True, "same": [1]}, "list": [{"name": "y"}, {"name": "x", "v": 2}], "z": 1, "new": None}
    assert list(diff(before, after, lambda path, value: False)) == [
        (("a", "k"), 1, True),
        (("gone",), 0, MISSING),
        (("list", "x", "v"), 1, 2),
        (("list", "(order)"), ["x", "y"], ["y", "x"]),
        (("new",), MISSING, None),
    ]
