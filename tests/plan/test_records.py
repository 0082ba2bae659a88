"""Live records held in little memory are the records that they were."""

import sys
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import Key, Record, Resource
from reconciler.core.records import Records
from reconciler.kinds.canonical import make_resource
from reconciler.kinds.registry import KINDS


def category(number: int) -> Resource:
    """A declared category."""
    content = {"metadata": {"name": f"c{number}"}, "spec": {"displayName": f"Category {number}"}}
    return make_resource(content, KINDS["Category"], "connectors/c.yaml", number)


NEAR = {resource.key: resource for resource in map(category, range(6))}


def of(number: int, uid: str = "0123456789abcdef" * 2) -> Record:
    """The record that is just as declared."""
    resource = category(number)
    return Record(resource.key, uid, resource.fingerprint, resource.fingerprint, "one", resource.display, 7)


RECORDS = st.builds(
    Record,
    st.builds(Key, st.just("Category"), st.sampled_from([f"c{number}" for number in range(9)])),
    st.sampled_from(["0" * 32, "ab" * 16, "AB" * 16, "short", "é" * 32, "0123456789abcdef" * 2]),
    st.sampled_from([category(1).fingerprint, category(2).fingerprint, "", "unreadable"]),
    st.sampled_from([category(1).fingerprint, category(2).fingerprint, ""]),
    st.sampled_from(["one", "two", ""]),
    st.sampled_from(["category 1", "category 2", ""]),
    st.integers(0, 2**63),
    st.booleans(),
)


@given(st.lists(st.one_of(RECORDS, st.integers(0, 5).map(of)), max_size=12))
def test_they_are_what_a_dictionary_would_hold(records: list[Record]) -> None:
    """Whatever is near, each record comes back as it was, in order; owners are counted."""
    plain = {record.key: record for record in records}
    for near in ({}, NEAR):
        held = Records(near)
        for record in plain.values():
            held.add(record)
        assert list(held.items()) == list(plain.items())
        assert [held.get(Key("Category", f"c{number}")) for number in range(9)] == [plain.get(Key("Category", f"c{number}")) for number in range(9)]  # fmt: skip
        for owner in ("one", "two", ""):
            assert held.owned(owner) == Counter(record.key.kind for record in plain.values() if record.owner == owner)


def test_what_is_as_declared_takes_few_bytes() -> None:
    """A record beside its resource shares the key, and holds a row of bytes."""
    held = Records(NEAR)
    held.add(of(1))
    (key,) = held
    assert key is NEAR[key].key
    assert held[key] == of(1)
    assert sys.getsizeof(held._rows[key]) < 64
