"""Whether what a live store cannot show again has to be sent: secrets, what they are used for, and tokens."""

from copy import deepcopy
from typing import Any

import pytest

from reconciler.core.calls import TokenKey, TokenState
from reconciler.core.model import Bodies, Key, Record, SecretState, content_of
from reconciler.core.plan import Action, Change
from reconciler.core.ports.source import FetchedToken
from reconciler.core.ports.store import GivenSecret, PlannedWrite
from reconciler.core.secret import Secret
from reconciler.services.history import resource_of
from reconciler.stores.sql.handover import is_sealed_anew

SPEC = {
    "displayName": "CRM",
    "categories": ["crm"],
    "authorization": {"method": "basic", "username": "svc", "password": {"env": "PASSWORD"}},
    "endpoints": {},
}
NOON, ONE = "2026-01-01T12:00:00.000Z", "2026-01-01T13:00:00.000Z"


def write(spec: dict[str, Any], printed: str = "aa", reference: str = '{"env":"PASSWORD"}') -> PlannedWrite:
    """An update to a spec whose password has a fingerprint."""
    key = Key("Connector", "crm")
    body = {"spec": spec}
    record = Record(key, "connector:1", "", "", "acme", "crm", "1")
    change = Change(Action.UPDATE, key, resource_of(key, body, ""), record, None, content_of({"spec": SPEC}))
    secret = GivenSecret("authorization.password", reference, printed, Secret("-"))
    return PlannedWrite(change, "connector:1", (secret,))


def known(printed: str = "aa") -> Bodies:
    """What the state knows of it."""
    states = {"authorization.password": SecretState('{"env":"PASSWORD"}', printed)} if printed else {}
    return Bodies({"spec": SPEC}, None, states)


def with_token(obtained: str) -> PlannedWrite:
    """The same with a token."""
    state = TokenState("", obtained, None, "", renewable=False)
    return PlannedWrite(write(SPEC).change, "connector:1", write(SPEC).secrets, handed={"": FetchedToken(state, Secret("-"), None)})  # fmt: skip


def changed(*path: str, to: Any) -> dict[str, Any]:
    """The spec with another value somewhere."""
    spec: dict[str, Any] = deepcopy(SPEC)
    place = spec
    for step in path[:-1]:
        place = place.setdefault(step, {})
    place[path[-1]] = to
    return spec


@pytest.mark.parametrize(
    ("planned", "before", "anew"),
    [
        (write(SPEC), known(), False),
        (write(SPEC, "bb"), known(), True),
        (write(SPEC), known(""), True),  # somebody else has written them
        (write(changed("displayName", to="Contacts")), known(), False),
        (write(changed("authorization", "username", to="other")), known(), True),
        (write(changed("tls", "verify", to=False)), known(), True),
        (write(changed("tls", "verify", to=True)), known(), False),
        (write(changed("authorization", "password", to={"env": "OTHER"}), reference='{"env":"OTHER"}'), known(), False),
        (write(changed("authorization", to={"method": "none"})), known(), True),
    ],
)
def test_secrets_are_sent_when_they_or_their_use_are_others(planned: PlannedWrite, before: Bodies, anew: bool) -> None:
    """The same value by another reference is the same secret."""
    assert is_sealed_anew(planned, before, {}) is anew


def test_a_token_is_sent_when_another_one_is_held() -> None:
    """None, or one that was obtained before."""
    held = {TokenKey("connector:1"): NOON}
    assert not is_sealed_anew(with_token(NOON), known(), held)
    assert is_sealed_anew(with_token(ONE), known(), held)
    assert is_sealed_anew(with_token(NOON), known(), {})
