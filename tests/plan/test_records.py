"""A live record beside its resource is the record that it was, and holds once what both say."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import Key, Record, Resource
from reconciler.core.model import beside, owned_by
from reconciler.kinds.canonical import make_resource
from reconciler.kinds.registry import KINDS


def category(number: int) -> Resource:
    """A declared category."""
    content = {"metadata": {"name": f"c{number}"}, "spec": {"displayName": f"Category {number}"}}
    return make_resource(content, KINDS["Category"], "connectors/c.yaml", number)


RECORDS = st.builds(
    Record,
    st.builds(Key, st.just("Category"), st.sampled_from([f"c{number}" for number in range(4)])),
    st.sampled_from(["0" * 32, "short"]),
    st.sampled_from([category(1).fingerprint, category(2).fingerprint, "", "unreadable"]),
    st.sampled_from([category(1).fingerprint, category(2).fingerprint, ""]),
    st.sampled_from(["one", "two", ""]),
    st.sampled_from(["category 1", "category 2", ""]),
    st.one_of(st.integers(0, 2**70).map(str), st.sampled_from(["", "007", "\u0663", "etag-1", "-1"])),
    st.booleans(),
)


@given(RECORDS, st.none() | st.integers(0, 3).map(category))
def test_it_is_the_record_that_it_was(record: Record, resource: Resource | None) -> None:
    """Whatever stands beside it."""
    assert beside(record, resource) == record


def test_what_both_say_is_held_once() -> None:
    """A record that is as declared adds its identity and version to the resource, and no texts."""
    resource = category(1)
    texts = [f"{part}" for part in (resource.fingerprint, resource.fingerprint, resource.display)]
    printed, applied, display = ("".join(list(text)) for text in texts)  # others that are equal
    shared = beside(Record(Key("Category", "c1"), "0" * 32, printed, applied, "one", display, 7), resource)
    assert shared.key is resource.key and shared.display is resource.display
    assert shared.fingerprint is shared.applied is resource.fingerprint


def test_owners_are_counted() -> None:
    """By kind, and nobody's too."""
    owners = ("one", "two", "", "one")
    records = {
        Key("Category", f"c{number}"): Record(Key("Category", f"c{number}"), f"{number}", "", "", owner, "", 1)
        for number, owner in enumerate(owners)
    }
    assert owned_by(records, "one") == Counter({"Category": 2})
    assert owned_by(records, "") == Counter({"Category": 1})
    assert owned_by(records, "three") == Counter()
