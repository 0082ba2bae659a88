"""How writes become requests: their order, what they are held against, what they leave alone, and what is told of them."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pm_apply import (
    ADDRESS,
    AFTER,
    BEFORE,
    Book,
    Desired,
    Journal,
    apply,
    category,
    connector,
    doubles,
    group,
    held,
    planned,
    policy,
)
from pm_stores import opened, visited
from servers.processmaker import Instance

from reconciler.core.model import Key
from reconciler.core.ports.abilities import Recollection
from reconciler.core.ports.live import Outcome, Result, Write
from reconciler.core.ports.requests import Carrying
from reconciler.core.secret import Secret
from reconciler.errors import StoreLocked, StoreUnavailable
from reconciler.stores.processmaker.facts import Facts
from reconciler.stores.processmaker.wire.line import Line

CANARY = "canary-9d3f-in-the-clear"


@pytest.fixture(params=["4.14", "2020"])
def either(request: pytest.FixtureRequest) -> Iterator[Instance]:
    with visited(request.param) as server:
        yield server


@pytest.fixture
def server() -> Iterator[Instance]:
    with visited() as made:
        yield made


class Desk:
    """An instance, a state, and what was declared last."""

    def __init__(self, server: Instance, desired: Desired, **options: Any) -> None:
        self.server, self.options = server, options
        self.store = opened(server, **options)
        self.book = Book()
        self.done(desired)
        self.since = len(server.requests)

    def carried(self, desired: Desired, *, goes_on: bool = False) -> dict[str, Outcome]:
        """What came of each write, by address."""
        self.since = len(self.server.requests)
        self.journal = Journal()
        writes, _ = planned(self.store, self.book, desired)
        outcomes = apply(self.store, self.book, desired, self.journal, goes_on=goes_on)
        assert not self.journal.lacks(self.server, self.since)
        return {f"{write.key.kind}/{write.key.name}": one for write, one in zip(writes, outcomes, strict=True)}

    def done(self, desired: Desired) -> None:
        """All of it is done, and a plan is empty."""
        outcomes = self.carried(desired)
        assert {key: one.reason for key, one in outcomes.items() if one.result is not Result.DONE} == {}
        assert planned(self.store, self.book, desired)[0] == []

    @property
    def writes(self) -> list[tuple[str, str, Any]]:
        """Requests of the last apply that change something."""
        return [
            (one["method"], one["path"], one["body"])
            for one in self.server.requests[self.since :]
            if one["method"] != "GET"
        ]

    @property
    def verbs(self) -> list[str]:
        return [f"{verb} {path}" for verb, path, _ in self.writes]


def one_of(*docs: Any) -> Desired:
    return dict(docs)


def test_an_apply_of_everything_and_back(either: Instance) -> None:
    """All is done, a plan is empty, the journal knows each request, and so it is the other way round."""
    desk = Desk(either, BEFORE)
    first = held(either)
    desk.done(AFTER)
    assert len(desk.writes) > 40
    assert doubles(either) == []
    desk.done(BEFORE)
    assert held(either) == first


def test_the_order_of_requests(server: Instance) -> None:
    """What is referred to is made first; what is given comes before what is taken; deletes come last."""
    desk = Desk(server, BEFORE)
    desk.done(AFTER)
    kinds = [f"{verb} {path.split('/')[1]}" for verb, path, _ in desk.writes]
    order = [
        "POST data_source_categories", "POST data_sources", "POST groups", "POST group_members", "PUT permissions",
        "DELETE group_members", "DELETE data_sources", "DELETE data_source_categories", "DELETE groups",
    ]  # fmt: skip
    firsts, lasts = [kinds.index(kind) for kind in order], [len(kinds) - 1 - kinds[::-1].index(kind) for kind in order]
    assert firsts == sorted(firsts)
    assert all(last < first for last, first in zip(lasts[:-1], firsts[1:], strict=True))


def test_what_is_given_comes_before_what_is_taken(server: Instance) -> None:
    """Who moves from one group to another is never without."""
    both = [group("one", "ada"), group("two", "grace")]
    desk = Desk(server, one_of(*both, policy("p", ["one"], "connectors:view", "categories:view")))
    desk.done(one_of(*both, policy("p", ["two"], "connectors:view", "categories:view")))
    numbers = {row["name"]: row["id"] for row in server.store.groups.rows.values()}
    assert [(body["group_id"], len(body["permission_names"])) for _, _, body in desk.writes] == [
        (numbers["two"], 2),
        (numbers["one"], 0),
    ]


def test_nothing_is_sent_that_changes_nothing(server: Instance) -> None:
    """Another name of ours, other labels: that is for the state alone."""
    desk = Desk(server, one_of(category("crm"), connector("one", "crm"), group("team", "ada"), policy("p", ["team"], "groups:view")))  # fmt: skip
    desk.store.recall(Recollection(dict(desk.book.known)))
    live = {one.key.kind: one for one in desk.store.read()}
    since = len(server.requests)
    writes = [
        Write(Key(kind, "another"), one.id, one.version, {"metadata": {"labels": {"a": "b"}}, **one.body}, {}, is_sealed_anew=False)
        for kind, one in live.items()
        if kind != "Connector"
    ]  # fmt: skip
    one = live["Connector"]
    filed = {"spec": {**one.body["spec"], "categories": ["another"]}, "metadata": {"labels": {"x": "y"}}}
    writes.append(Write(Key("Connector", "another"), one.id, one.version, filed, {}, is_sealed_anew=False))
    outcomes = desk.store.write(writes)
    assert [outcome.result for outcome in outcomes if outcome.id.startswith(("category", "group:"))] == [
        Result.DONE
    ] * 2
    assert [one["method"] for one in server.requests[since:] if one["method"] in ("POST", "DELETE")] == []
    assert not any(one["path"].startswith(("/groups/", "/data_source_categories/", "/permissions")) for one in server.requests[since:])  # fmt: skip


# names


def test_names_are_traded_in_a_circle(server: Instance) -> None:
    """By a third name for one of them; everybody keeps the id."""
    desk = Desk(server, one_of(category("crm"), *(connector(name, "crm", title=name) for name in "abc")))
    ids = {one.key.name: uid for uid, one in desk.book.known.items()}
    titles = {"a": "b", "b": "c", "c": "a"}
    desk.done(one_of(category("crm"), *(connector(name, "crm", title=title) for name, title in titles.items())))
    assert {one.key.name: uid for uid, one in desk.book.known.items()} == ids
    assert len(desk.writes) == 4


def test_a_chain_of_names_needs_no_third_one(server: Instance) -> None:
    """Who gives a name up comes first."""
    desk = Desk(server, one_of(*(category(name, name) for name in "abc")))
    desk.done(one_of(category("a", "b"), category("b", "c"), category("c", "d")))
    assert [body["name"] for _, _, body in desk.writes] == ["d", "c", "b"]


@pytest.mark.parametrize(
    ("hidden", "said"),
    [(False, "its name is that of connector:1"), (True, "its name is taken by a connector that no list shows")],
)
def test_a_name_that_is_taken(server: Instance, hidden: bool, said: str) -> None:
    """By a record that anybody sees, or by one that no list shows: nothing is made, and it is said which."""
    filed = server.store.add_category("Somebody's", is_system=int(hidden))
    server.store.add_connector("Tákén", [filed["id"]], endpoints={})
    desk = Desk(server, one_of(category("crm")))
    outcome = desk.store.write([Write(Key("Connector", "one"), "", "", connector("one", "crm", title="taken")[1][0], {ADDRESS: Secret("x")})])[0]  # fmt: skip
    assert (outcome.result, outcome.id) == (Result.CONFLICT, "")
    assert said in outcome.reason


# what others wrote meanwhile


def edited(server: Instance, desk: Desk) -> Iterator[tuple[str, Any]]:
    """What people do by hand between the plan and the write, each to a record, with its address."""
    number = {one.key.name: int(uid.split(":")[1]) for uid, one in desk.book.known.items() if not uid.startswith("policy")}  # fmt: skip
    base = {"authtype": "BASIC", "data_source_category_id": str(number["crm"])}
    yield "Connector/one", ("PUT", f"/data_sources/{number['one']}", {"name": "one", **base, "status": "INACTIVE"})
    yield "Connector/two", ("PUT", f"/data_sources/{number['two']}", {"name": "two", **base, "credentials": {"username": "x"}})  # fmt: skip
    yield "Category/erp", ("PUT", f"/data_source_categories/{number['erp']}", {"name": "ERP 2", "status": "ACTIVE"})
    yield "Group/team", ("POST", "/group_members", {"group_id": number["team"], "member_type": "ProcessMaker\\Models\\User", "member_id": server.tokens["grace"]["id"]})  # fmt: skip
    yield "PermissionPolicy/p", ("PUT", "/permissions", {"group_id": number["ops"], "permission_names": ["view-data-sources"]})  # fmt: skip
    yield "Connector/three", ("DELETE", f"/data_sources/{number['three']}", None)


def test_what_others_wrote_meanwhile_is_a_conflict(server: Instance) -> None:
    """Be it a field, credentials alone, a member, a permission, or a delete; and nothing of it is written over."""
    base = [category("crm"), category("erp"), group("team", "ada"), group("ops", "ada")]
    names = ("one", "two", "three", "four")
    desk = Desk(server, one_of(*base, *(connector(name, "crm") for name in names), policy("p", ["ops"], "groups:view")))
    wanted = one_of(
        category("crm"), category("erp", "ERP"), group("team", "admin"), group("ops", "ada"),
        *(connector(name, "crm", description="changed") for name in names), policy("p", ["ops"], "groups:edit"),
    )  # fmt: skip
    by_hand = dict(edited(server, desk))
    writes, _ = planned(desk.store, desk.book, wanted)
    for call in by_hand.values():
        server.call(*call)
    before, since = held(server), len(server.requests)
    outcomes = desk.store.carry_out(writes, Journal(), Carrying(True, lambda _: None, lambda: False))
    told = {f"{one.key.kind}/{one.key.name}": outcome for one, outcome in zip(writes, outcomes, strict=True)}
    assert {key for key, one in told.items() if one.result is Result.CONFLICT} == by_hand.keys()
    assert all(one.reason and not one.id for key, one in told.items() if key in by_hand)
    assert told["Connector/four"].result is Result.DONE
    assert [one["path"] for one in server.requests[since:] if one["method"] != "GET"] == [
        f"/data_sources/{told['Connector/four'].id.split(':')[1]}"
    ]
    after = held(server)
    assert {key: value for key, value in after.items() if key != "connectors"} == {
        key: value for key, value in before.items() if key != "connectors"
    }


def test_a_write_after_the_plan_is_old(server: Instance) -> None:
    """Of what was read since, the version alone tells it."""
    desk = Desk(server, one_of(category("crm")))
    (write,), _ = planned(desk.store, desk.book, one_of(category("crm", "Customers")))
    server.call("PUT", "/data_source_categories/1", {"name": "crm", "status": "INACTIVE"})
    list(desk.store.read())
    (outcome,) = desk.store.write([write])
    assert (outcome.result, outcome.reason) == (Result.CONFLICT, "somebody else has written to it")


# secrets


def test_credentials_are_sent_when_they_are_others(server: Instance) -> None:
    """And then whole; else the ciphertext stays byte for byte."""
    desk = Desk(server, one_of(category("crm"), connector("one", "crm"), connector("two", "crm")))
    sealed = {row["id"]: row["credentials"] for row in server.store.connectors.rows.values()}
    desk.done(one_of(category("crm"), connector("one", "crm", description="changed"), connector("two", "crm", password="another")))  # fmt: skip
    bodies = {body["name"]: body for _, _, body in desk.writes}
    assert "credentials" not in bodies["one"]
    assert bodies["two"]["credentials"] == {"username": "svc", "password": "another of two", "verify_certificate": True}
    changed = {row["name"]: row["credentials"] != sealed[row["id"]] for row in server.store.connectors.rows.values()}
    assert changed == {"one": False, "two": True}


def test_what_others_made_of_credentials_is_taken_back(server: Instance) -> None:
    """Whoever writes a record whose secrets nobody knows writes these, too."""
    desired = one_of(category("crm"), connector("one", "crm"))
    desk = Desk(server, desired)
    server.call("PUT", "/data_sources/1", {"name": "one", "authtype": "BASIC", "data_source_category_id": "1", "credentials": {"username": "x", "password": "theirs"}})  # fmt: skip
    desk.done(desired)
    assert server.plaintext(1)["password"] == "a-password of one"


def test_a_token_that_is_ours_to_fetch(server: Instance) -> None:
    """Is written as a bearer token; without one nothing is sent."""
    spec = {"authorization": {"method": "oauth2-client-credentials", "tokenUrl": "https://sso.example.com/t", "clientId": "x", "clientSecret": {"env": "S"}}}  # fmt: skip
    body = connector("one", "crm", password="", **spec)[1][0]
    desk = Desk(server, one_of(category("crm")))
    secrets = {"authorization.clientSecret": Secret(CANARY)}
    (outcome,) = desk.store.write([Write(Key("Connector", "one"), "", "", body, secrets)])
    assert outcome.result is Result.FAILED
    assert "not at hand" in outcome.reason
    (outcome,) = desk.store.write(
        [Write(Key("Connector", "one"), "", "", body, secrets, tokens={"": Secret("token-1")})]
    )
    assert outcome.result is Result.DONE
    assert server.store.connectors.rows[1]["authtype"] == "OAUTH2_BEARER"
    assert server.plaintext(1) == {"token": "token-1", "verify_certificate": True}


def test_no_secret_leaves_but_to_the_instance(server: Instance) -> None:
    """No outcome, digest or message holds one; what is refused neither."""
    desk = Desk(server, one_of(category("crm")))
    bodies = [connector("one", "crm")[1][0], connector("refused", "crm", title="One")[1][0]]
    writes = [Write(Key("Connector", str(place)), "", "", body, {ADDRESS: Secret(CANARY)}) for place, body in enumerate(bodies)]  # fmt: skip
    journal = Journal()
    outcomes = desk.store.carry_out(writes, journal, Carrying(True, lambda _: None, lambda: False))
    assert {one.result for one in outcomes} == {Result.DONE, Result.CONFLICT}
    again = Journal()
    writes = [Write(Key("Connector", "two"), "", "", connector("two", "crm")[1][0], {ADDRESS: Secret("another")})]
    desk.store.carry_out(writes, again, Carrying(True, lambda _: None, lambda: False))
    assert CANARY not in repr((outcomes, journal.steps, writes))
    digests = [step.intent.digest for each in (journal, again) for step in each.steps.values()]
    assert all(digests)


# what is nobody's


def test_keys_that_we_do_not_know_stay(server: Instance) -> None:
    """In endpoints, and of the record itself."""
    desk = Desk(server, one_of(category("crm"), connector("one", "crm")))
    there = server.call("GET", "/data_sources/1")["endpoints"]
    there["list"]["theirs"] = {"deep": [1, None]}
    server.call("PUT", "/data_sources/1", {"name": "one", "authtype": "BASIC", "data_source_category_id": "1", "endpoints": there, "mappings": "[1]"})  # fmt: skip
    desk.done(one_of(category("crm"), connector("one", "crm", url="https://other.example.com/")))
    after = server.call("GET", "/data_sources/1")
    assert after["endpoints"]["list"]["theirs"] == {"deep": [1, None]}
    assert after["endpoints"]["list"]["url"] == "https://other.example.com/"
    assert after["mappings"] is not None


@pytest.mark.parametrize("place", [0, 1])
def test_a_category_that_somebody_uses_stays(server: Instance, place: int) -> None:
    """Also where it is a further category of a connector that nobody manages: the instance would drop it unseen."""
    desk = Desk(server, one_of(category("crm"), category("erp"), connector("mine", "crm")))
    numbers = {row["name"]: row["id"] for row in server.store.categories.rows.values()}
    filed = [numbers["crm"], numbers["erp"]]
    server.store.add_connector("Theirs", filed if place else filed[::-1], type="SOAP")
    told = desk.carried(one_of(category("crm"), connector("mine", "crm")))
    outcome = told["Category/erp"]
    assert (outcome.result, outcome.reason) == (Result.CONFLICT, "connectors are filed under it: Theirs (2)")
    assert server.call("GET", f"/data_source_categories/{numbers['erp']}")["name"] == "erp"


def test_a_category_goes_once_its_connectors_have_moved(server: Instance) -> None:
    """Within one run."""
    desk = Desk(server, one_of(category("crm"), category("erp"), connector("one", "erp"), connector("two", "erp")))
    desk.done(one_of(category("crm"), connector("one", "crm")))


# groups and what they may do


def test_members_come_and_go(either: Instance) -> None:
    """Users and groups; those whom nobody can name stay."""
    desk = Desk(either, one_of(group("one", "ada"), group("two", groups=["one"])))
    desk.done(one_of(group("one", "grace", groups=["two"]), group("two", "ada")))
    assert held(either)["members"] == [("one", "grace"), ("one", "two"), ("two", "ada")]


def test_a_user_that_is_not_there(server: Instance) -> None:
    """Is told before anything is sent."""
    desk = Desk(server, one_of(category("crm")))
    told = desk.carried(one_of(category("crm"), category("new"), group("team", "ada", "nobody", "ad")))
    assert told["Group/team"] == Outcome(Result.CONFLICT, reason="the instance has no user ad, nobody")
    assert told["Category/new"] == Outcome(Result.FAILED, reason="not begun, as group/team was not done")
    assert desk.writes == []


def test_what_needs_no_request_is_not_done_by_a_run_that_is_refused(server: Instance) -> None:
    """Nothing at all is: it would be noted as applied."""
    docs = [category("crm"), connector("one", "crm"), group("team", "ada"), policy("p", ["team"], "groups:view")]
    desk = Desk(server, one_of(*docs))
    labels = {"metadata": {"labels": {"a": "b"}}}
    wanted = {key: ({**body, **labels}, values) for key, (body, values) in one_of(*docs).items()}
    told = desk.carried({**wanted, **one_of(group("other", "nobody"))})
    assert told.pop("Group/other").result is Result.CONFLICT
    assert {one.result for one in told.values()} == {Result.FAILED}
    assert len(told) == 4
    desk.done(wanted)
    assert desk.writes == []


def test_policies_add_up_and_the_rest_stays(server: Instance) -> None:
    """What two policies give a group is written at once, one request; names of other sorts go back as they were."""
    made = server.store.add_group("team")
    server.call("PUT", "/permissions", {"group_id": made["id"], "permission_names": ["view-users", "create-users"]})
    team = group("team")
    desk = Desk(server, one_of(team))
    desk.done(one_of(team, policy("a", ["team"], "connectors:view"), policy("b", ["team"], "connectors:view", "groups:edit")))  # fmt: skip
    assert [sorted(body["permission_names"]) for _, _, body in desk.writes] == [
        ["create-users", "edit-groups", "view-data-sources", "view-users"]
    ]
    desk.done(one_of(team, policy("a", ["team"], "connectors:view")))
    assert held(server)["rights"] == [("team", name) for name in ("create-users", "view-data-sources", "view-users")]


def test_a_policy_that_makes_super_admins_is_never_written(server: Instance) -> None:
    """It is for the state alone."""
    body = {"spec": {"subjects": [{"group": "team"}], "superAdmin": True}}
    desk = Desk(server, one_of(group("team", "ada")))
    desk.done(one_of(group("team", "ada"), (Key("PermissionPolicy", "admins"), (body, {}))))
    assert desk.writes == []
    desk.done(one_of(group("team", "ada")))
    assert desk.writes == []


def test_names_given_by_hand_are_taken_back(server: Instance) -> None:
    """And it is foretold, by group and name."""
    desired = one_of(group("team", "ada"), policy("p", ["team"], "groups:view"))
    desk = Desk(server, desired)
    server.call("PUT", "/permissions", {"group_id": 1, "permission_names": ["view-groups", "edit-data-sources", "view-users"]})  # fmt: skip
    writes, _ = planned(desk.store, desk.book, desired)
    notes = desk.store.forecast(writes).notes
    assert "group 'team' holds edit-data-sources, which no policy gives it: that is taken" in notes
    desk.done(desired)
    assert held(server)["rights"] == [("team", "view-groups"), ("team", "view-users")]


def test_a_name_that_is_there_twice_stays_and_goes_as_one(server: Instance) -> None:
    """To make one of two it would have to be taken in between; taken, both go."""
    desk = Desk(server, one_of(group("team", "ada"), policy("p", ["team"], "groups:view", "groups:edit")))
    server.store.grants.append(next(grant for grant in server.store.grants if grant[0].endswith("Group")))
    assert planned(desk.store, desk.book, one_of(group("team", "ada"), policy("p", ["team"], "groups:view", "groups:edit")))[0] == []  # fmt: skip
    desk.done(one_of(group("team", "ada")))
    assert held(server)["rights"] == []


def test_the_token_s_own_rights_go_last(server: Instance) -> None:
    """What the run itself works by is taken when all else is done."""
    server.store.add_user("robot")
    server.store.add_token("robot")
    rights = ["connectors:view", "connectors:delete", "categories:view", "categories:delete", "groups:view", "groups:edit", "groups:delete"]  # fmt: skip
    admins = group("a-team", "robot")
    base = [category("crm"), connector("one", "crm"), group("z-team", "ada"), admins]
    desk = Desk(server, one_of(*base, policy("p", ["a-team"], *rights), policy("q", ["z-team"], "groups:view")))
    number = next(row["id"] for row in server.store.groups.rows.values() if row["name"] == "a-team")
    held_names = server.store.names_of("ProcessMaker\\Models\\Group", number)
    server.call("PUT", "/permissions", {"group_id": number, "permission_names": [*held_names, "edit-users", "view-users"]})  # fmt: skip
    facts = Facts(profile="4.14", user=1, username="admin", is_administrator=True).encode()  # found by another token
    store = opened(server, user="robot")
    wanted = one_of(admins, policy("p", ["a-team"], "groups:view"))
    desk.store = store
    store.recall(Recollection(dict(desk.book.known), facts=facts))
    live = {one.key: one for one in store.read()}
    writes = [
        Write(key, live[key].id, live[key].version, wanted[key][0] if key in wanted else None, {})
        for key in live
        if key.name in ("crm", "one", "z-team", "p", "q")
    ]
    since = len(server.requests)
    outcomes = store.carry_out(writes, Journal(), Carrying(False, lambda _: None, lambda: False))
    assert [one.reason for one in outcomes if one.result is not Result.DONE] == []
    last = [one for one in server.requests[since:] if one["method"] != "GET"][-1]
    assert (last["path"], last["body"]["group_id"]) == ("/permissions", number)


def test_a_group_that_is_in_itself(server: Instance) -> None:
    """Its deletion answers 500 although it is done."""
    desk = Desk(server, one_of(group("team")))
    server.call("POST", "/group_members", {"group_id": 1, "member_type": "ProcessMaker\\Models\\Group", "member_id": 1})
    desk.done(one_of())
    assert held(server)["groups"] == []


def test_a_group_that_goes_leaves_other_groups(either: Instance) -> None:
    """Also such as are nobody's: the instance would leave its memberships behind, and fail at them later."""
    desk = Desk(either, one_of(group("team", "ada")))
    other = either.store.add_group("theirs")
    either.call("POST", "/group_members", {"group_id": other["id"], "member_type": "ProcessMaker\\Models\\Group", "member_id": 1})  # fmt: skip
    desk.done(one_of())
    assert list(either.store.members.rows) == []


# failures


def test_what_depends_on_a_failure_is_not_begun(server: Instance) -> None:
    """And what does not is done, when the run goes on; else nothing more is begun."""
    server.faults.add(action="fail_before", method="POST", path="/data_source_categories")
    desk = Desk(server, one_of())
    wanted = one_of(category("crm"), connector("one", "crm"), connector("two", "there"), group("team", "ada"), policy("p", ["team"], "groups:view"))  # fmt: skip
    server.store.add_category("there")
    told = desk.carried(wanted, goes_on=True)
    assert told["Category/crm"].result is Result.FAILED
    assert told["Connector/one"] == Outcome(Result.FAILED, reason="not begun, as it needs category/crm")
    done = {key for key, one in told.items() if one.result is Result.DONE}
    assert done == {"Connector/two", "Group/team", "PermissionPolicy/p"}
    again = Desk(server, one_of())
    told = again.carried({**wanted, Key("Category", "next"): category("next")[1]})
    assert told["Category/crm"].result is Result.FAILED
    assert not any(path.startswith("/groups") for _, path, _ in again.writes)


def test_a_permission_that_the_token_lacks(server: Instance) -> None:
    """Is told as what it is; nothing else ends by it."""
    desk = Desk(server, one_of(category("crm")))
    store = opened(server, user="ada")
    list(store.read())
    (outcome,) = store.write([Write(Key("Category", "new"), "", "", category("new")[1][0], {})])
    assert outcome.result is Result.FAILED
    assert "403" in outcome.reason
    assert desk.server.tokens


def test_a_token_that_ends_before_anything_is_sent(server: Instance) -> None:
    """Is an error, and nothing is unknown by it; in the middle, what was done is done, and the rest has failed."""
    desk = Desk(server, one_of(), in_flight=1)
    writes = [Write(Key("Category", f"c{number}"), "", "", category(f"c{number}")[1][0], {}) for number in range(6)]
    how = Carrying(True, lambda _: None, lambda: False)
    list(desk.store.read())
    server.faults.add(action="expire_token", method="POST", nth=1)
    with pytest.raises(StoreUnavailable):
        desk.store.carry_out(writes, Journal(), how)
    server.faults.replace([])
    server.store.tokens[server.token()] = 1
    list(desk.store.read())
    server.faults.add(action="expire_token", method="POST", nth=3)
    outcomes = desk.store.carry_out(writes, Journal(), how)
    results = [one.result for one in outcomes]
    assert results.count(Result.FAILED) == 4
    assert results.count(Result.UNKNOWN) == 2  # they are there, and cannot be looked at


def test_the_right_to_write_is_lost(server: Instance) -> None:
    """Before anything was sent that is an error; later, what was not begun has failed, and the rest is told as it is."""

    def lose(after: int) -> Journal:
        groups = []

        def before(intents: Any) -> None:
            groups.append(intents)
            if len(groups) > after:
                raise StoreLocked("another run has taken the right to write")

        return Journal(before)

    desk = Desk(server, one_of(), in_flight=1)
    writes = [Write(Key("Category", f"c{number}"), "", "", category(f"c{number}")[1][0], {}) for number in range(12)]
    how = Carrying(True, lambda _: None, lambda: False)
    with pytest.raises(StoreLocked):
        desk.store.carry_out(writes, lose(0), how)
    assert len(server.store.categories.rows) == 0
    journal = lose(2)
    outcomes = desk.store.carry_out(writes, journal, how)
    done = [one for one in outcomes if one.result is Result.DONE]
    assert len(done) == len(server.store.categories.rows) == len(journal.steps)
    assert {one.result for one in outcomes} == {Result.DONE, Result.FAILED}
    assert any("another run has taken the right to write" in one.reason for one in outcomes)


def test_a_run_that_is_to_end(server: Instance) -> None:
    """Ends what is under way, and begins nothing more."""
    desk = Desk(server, one_of(), in_flight=1)
    told: list[int] = []
    writes = [Write(Key("Category", f"c{number}"), "", "", category(f"c{number}")[1][0], {}) for number in range(12)]
    outcomes = desk.store.carry_out(
        writes, Journal(), Carrying(False, told.append, lambda: bool(told) and told[-1] > 3)
    )
    done = [one for one in outcomes if one.result is Result.DONE]
    assert 3 < len(done) == len(server.store.categories.rows) < 12
    assert {one.reason for one in outcomes if one.result is Result.FAILED} == {"not begun, as the run was to end"}
    assert told == sorted(told)


def test_so_many_are_in_flight_and_no_more(server: Instance) -> None:
    """As the target says; what groups may do is written one at a time a group; many notes are one transaction."""
    server.switches.latency = 0.005
    desk = Desk(server, one_of(), in_flight=3)
    desk.done(one_of(category("crm"), *(connector(f"c{number}", "crm") for number in range(40))))
    requests = server.requests[desk.since :]
    assert max(one["in_flight"] for one in requests) == 3
    assert desk.journal.transactions < len(desk.writes)
    assert sum(one["method"] == "GET" for one in requests) < 20


def test_changes_go_before_reads() -> None:
    """What was looked at just before a change gets old while it waits."""
    line, came = Line(1), []

    def enter(is_change: bool) -> None:
        with line.place(is_change=is_change):
            came.append(is_change)

    threads = [threading.Thread(target=enter, args=[is_change]) for is_change in (False, False, True)]
    with line.place():
        for thread in threads:
            thread.start()
            time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert came == [True, False, False]


# what is foretold


def test_what_a_run_takes_is_foretold(server: Instance) -> None:
    """Within a quarter of what it takes then; and what cannot be taken back."""
    desk = Desk(server, BEFORE)
    server.switches.latency = 0.01
    writes, _ = planned(desk.store, desk.book, AFTER)
    since, met = len(server.requests), server.store.groups.rows[server.tokens["ada"]["id"]]["name"]
    forecast = desk.store.forecast(writes)
    assert len(server.requests) == since
    desk.store.carry_out(writes, Journal(), Carrying(False, lambda _: None, lambda: False))
    assert 0.75 < (len(server.requests) - since) / forecast.requests < 1.25
    assert forecast.seconds > 0
    text = "\n".join(forecast.notes)
    assert "no transactions" in text
    assert "a delete cannot be taken back" in text
    assert "connector/gone1" in text
    assert "the secrets of 9 connectors are written" in text
    assert "group-id-meets-user" in text
    assert f"user ada, by group '{met}'" in text


def test_nothing_to_send_says_nothing(server: Instance) -> None:
    """Not even notes."""
    desk = Desk(server, one_of(category("crm")))
    forecast = desk.store.forecast([])
    assert (forecast.requests, forecast.notes) == (0, ())
