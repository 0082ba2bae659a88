"""Canonical forms: made without touching what they are made of, and the same when they are made again."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import content_of, decode
from reconciler.kinds.canonical import canonical, readable
from reconciler.kinds.merge import effective
from reconciler.kinds.registry import KINDS

NAMES = st.sampled_from(["a", "b", "c", "B"])
NAME_LISTS = st.lists(NAMES, max_size=3)
SMALL = st.sampled_from([0, 0.0, 2, 5, 5.0, 30, 30.0])
TEXTS = st.sampled_from(["", "text"])
LIFECYCLE = st.fixed_dictionaries(
    {}, optional={"protect": st.booleans(), "ignore": st.lists(st.sampled_from(["description", "status", "tls.verify", "members.users", "endpoints.get.headers.X"]), max_size=3)}
)  # fmt: skip
COMMON = {"displayName": TEXTS, "description": TEXTS, "lifecycle": LIFECYCLE}
ENTRY = st.fixed_dictionaries(
    {"name": st.sampled_from(["X", "x", "Accept"])},
    optional={"value": TEXTS | st.just({"env": "E"}), "required": st.booleans(), "description": TEXTS},
)
ENDPOINT = st.fixed_dictionaries(
    {"method": st.just("GET"), "url": st.just("https://x")},
    optional={
        "description": TEXTS, "body": TEXTS, "bodyType": st.sampled_from(["json", "raw"]),
        "params": st.lists(ENTRY, max_size=3), "headers": st.lists(ENTRY, max_size=3),
        "sample": st.dictionaries(NAMES, TEXTS, max_size=2), "timeoutSeconds": SMALL,
        "retry": st.fixed_dictionaries({}, optional={"attempts": SMALL, "waitSeconds": SMALL}),
    },
)  # fmt: skip
AUTHORIZATION = st.fixed_dictionaries(
    {"method": st.sampled_from(["none", "basic", "oauth2-client-credentials"])},
    optional={
        "scopes": NAME_LISTS, "clientAuthentication": st.sampled_from(["basic", "body"]),
        "tokenRequest": st.fixed_dictionaries({"url": st.just("https://x")}, optional={
            "send": st.sampled_from(["form", "json"]), "tokenField": st.sampled_from(["access_token", "t"]),
        }),
    },
)  # fmt: skip
GRANT = st.fixed_dictionaries(
    {"permissions": NAME_LISTS}, optional={"on": st.fixed_dictionaries({}, optional={"categories": NAME_LISTS})}
)
EXPECTATION = st.fixed_dictionaries(
    {}, optional={"can": NAMES, "atMost": SMALL, "separationOfDuty": NAME_LISTS, "except": NAME_LISTS}
)
SPECS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "Category": st.fixed_dictionaries({}, optional={**COMMON, "status": st.sampled_from(["active", "inactive"])}),
    "Connector": st.fixed_dictionaries(
        {"categories": NAME_LISTS},
        optional={
            **COMMON, "status": st.sampled_from(["active", "inactive"]), "authorization": AUTHORIZATION,
            "tls": st.fixed_dictionaries({}, optional={"verify": st.booleans(), "reason": TEXTS}),
            "endpoints": st.dictionaries(st.sampled_from(["get", "list"]), ENDPOINT, max_size=2),
        },
    ),
    "Group": st.fixed_dictionaries({}, optional={**COMMON, "members": st.fixed_dictionaries(
        {"mode": st.sampled_from(["authoritative", "additive"])}, optional={"users": NAME_LISTS, "groups": NAME_LISTS})}),
    "PermissionPolicy": st.fixed_dictionaries(
        {"subjects": st.lists(st.fixed_dictionaries({"user": NAMES}), max_size=3)},
        optional={**COMMON, "superAdmin": st.booleans(), "grants": st.lists(GRANT, max_size=2)},
    ),
    "AccessTest": st.fixed_dictionaries({"expect": st.lists(EXPECTATION, max_size=2)}, optional=COMMON),
}  # fmt: skip
KIND_AND_SPEC = st.sampled_from(list(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), SPECS[kind]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.sampled_from(["name", "ignore", "retry"]), inner, max_size=3),
)  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Whether two values are so in JSON, where 30 and 30.0 are two."""
    return content_of({"value": one}).body == content_of({"value": other}).body


@given(KIND_AND_SPEC)
def test_canonical_forms(drawn: tuple[str, dict[str, Any]]) -> None:
    """The argument stays as it is, and a canonical form is its own."""
    kind, spec = drawn
    before = deepcopy(spec)
    made = KINDS[kind].canonical(spec)
    assert same(spec, before)
    kept = deepcopy(made)
    assert same(KINDS[kind].canonical(made), made)
    assert same(made, kept)


@given(KIND_AND_SPEC, st.data())
def test_whatever_others_wrote(drawn: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    """Anything that JSON can say is read without a change to it, and its body says what its value says."""
    kind, spec = drawn
    live: Any = {"metadata": {"labels": {"b": "1", "a": "2"}}, "spec": spec}
    if spec:
        spec[data.draw(st.sampled_from(sorted(spec)))] = data.draw(JSON)
    live = data.draw(st.sampled_from([live, data.draw(JSON)]))
    before = deepcopy(live)
    found, valid = readable(kind, live)
    assert same(live, before)
    assert same(decode(found.body), found.value)
    if valid:
        assert readable(kind, found.value) == (found, True)


@pytest.mark.parametrize("kind", list(KINDS))
@given(data=st.data())
def test_merging(kind: str, data: st.DataObject) -> None:
    """What git declares, what is live and what was applied stay as they are, whatever is made of them."""
    desired, live, applied = (
        canonical({"spec": data.draw(SPECS[kind])}, KINDS[kind]) for _ in range(3)
    )  # fmt: skip
    before = deepcopy((desired, live, applied))
    made = effective(kind, desired, live, applied, "2030-01-01T00:00:00Z", protect=data.draw(st.booleans()))
    content_of(made)
    assert same([desired, live, applied], list(before))


def test_what_a_form_field_says_of_exploding_stays() -> None:
    """Without a style it makes the difference between JSON and a style; beside a style only what is not its default."""
    fields = [{"name": "a", "explode": True}, {"name": "b", "style": "form", "explode": True}, {"name": "c", "explode": False}]  # fmt: skip
    endpoint = {"method": "POST", "url": "https://x", "params": [{"name": "a", "style": "form", "explode": True}]}
    spec = {"displayName": "X", "categories": ["a"], "endpoints": {"x": {**endpoint, "formFields": fields}}}
    made = KINDS["Connector"].canonical(spec)["endpoints"]["x"]
    assert made["formFields"] == [{"name": "a", "explode": True}, {"name": "b", "style": "form"}, {"name": "c", "explode": False}]  # fmt: skip
    assert made["params"] == [{"name": "a"}]
