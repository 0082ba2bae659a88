"""An instance is read in pages, and what moves meanwhile is noticed."""

from collections.abc import Iterator
from itertools import count

import pytest
from pm_stores import asked, by_id, filled, opened, remembered, visited
from servers.processmaker import Instance
from simulator.messages import Request, as_json
from simulator.profiles import GROUP_TYPE, USER_TYPE

from reconciler.core.model import Key
from reconciler.errors import RecordConflict, StoreUnavailable


@pytest.fixture(params=["4.14", "2020"])
def server(request: pytest.FixtureRequest) -> Iterator[Instance]:
    """An instance of each sort, with nothing in it."""
    with visited(request.param) as started:
        yield started


def test_it_is_read_in_pages_and_no_record_by_itself(server: Instance) -> None:
    """450 connectors are three pages of 200; all else is one page each."""
    filled(server, connectors=450, categories=5)
    store = opened(server)
    found = by_id(store.read())
    assert found.keys() == {f"connector:{n}" for n in range(1, 451)} | {f"category:{n}" for n in range(1, 6)}
    lists = ["/data_source_categories#1", "/groups#1", *(f"/data_sources#{number}" for number in (1, 2, 3))]
    assert sorted(asked(server)) == sorted(lists)
    assert max(one["in_flight"] for one in server.requests) <= 3


def test_no_more_are_in_flight_than_the_target_says(server: Instance) -> None:
    """One at a time, where it says so."""
    filled(server, connectors=30)
    server.switches.latency = 0.01
    assert len(by_id(opened(server, in_flight=1, page_size=5).read())) == 32
    assert {one["in_flight"] for one in server.requests} == {1}


def test_a_row_that_slipped_past_is_found(server: Instance) -> None:
    """A delete between two pages moves a row from the second to the first, which was read already: all is read again."""
    filled(server, connectors=30)
    on(server, "/data_sources", "2", lambda: server.store.connectors.rows.pop(3, None))
    found = by_id(opened(server, page_size=10, in_flight=1).read())
    assert {uid for uid in found if uid.startswith("connector:")} == {f"connector:{n}" for n in range(1, 31) if n != 3}


def test_a_list_that_never_stands_still_is_told(server: Instance) -> None:
    """After some tries; nothing is taken for gone."""
    filled(server, connectors=30)
    fresh = count(1)
    on(server, "/data_sources", "2", lambda: server.store.add_connector(f"New {next(fresh)}", [1], authtype="NONE"))
    with pytest.raises(StoreUnavailable) as told:
        opened(server, page_size=10, in_flight=1).read()
    assert told.value.message == "the list of connectors changed each of 4 times while it was read"
    assert "pageSize" in told.value.hint


def on(server: Instance, path: str, page: str, do: object) -> None:
    """Do something each time that a page is asked for, before it is answered."""

    def look(request: Request) -> None:
        if request.path == path and request.query.get("page") == page:
            do()  # type: ignore[operator]

    server.simulator.on_request.append(look)


@pytest.mark.parametrize(
    "answer",
    [{}, {"data": {}}, {"data": [], "meta": {}}, {"data": [], "meta": {"total": "9", "last_page": 1}},
     {"data": [], "meta": {"total": 1, "last_page": 10**9}}, {"data": [{"name": "x"}], "meta": {"total": 1, "last_page": 1}},
     {"data": ["x"], "meta": {"total": 1, "last_page": 1}}],
)  # fmt: skip
def test_an_answer_that_is_no_list_is_told(answer: object) -> None:
    """Whatever a server says, it ends in words."""
    with visited(contract=False) as server:
        server.simulator.api.answer = lambda request: as_json(200, answer)
        with pytest.raises(StoreUnavailable) as told:
            opened(server).read()
    assert told.value.hint


def test_some_records_are_read_one_by_one(server: Instance) -> None:
    """A few by themselves, many by pages; those that are gone are left out."""
    filled(server, connectors=40)
    store = opened(server, page_size=20)
    whole = by_id(store.read())
    since = len(server.requests)
    few = by_id(store.read(["connector:7", "category:1", "connector:99", "nobody", "policy:none", "group:none"]))
    assert few == {uid: whole[uid] for uid in ("connector:7", "category:1")}
    assert sorted(asked(server, since))[:3] == ["/data_source_categories/1", "/data_sources/7", "/data_sources/99"]
    since = len(server.requests)
    many = [f"connector:{number}" for number in range(1, 41)]
    assert by_id(store.read(many)) == {uid: whole[uid] for uid in many}
    assert [path.split("#")[0] for path in asked(server, since)] == ["/data_sources", "/data_sources"]


def test_others_changes_give_another_version(server: Instance) -> None:
    """Whatever somebody changes of a connector, secrets too; what the server alone moves does not."""
    filled(server, connectors=1, categories=3)
    store = opened(server)
    versions = [by_id(store.read())["connector:1"].version]
    row = server.store.connectors.rows[1]
    required = {"name": row["name"], "authtype": "BASIC", "data_source_category_id": "2"}
    for more in (
        {"description": "new"},
        {"credentials": {"username": "svc", "password": "canary-1"}},
        {"endpoints": {}},
        {"data_source_category_id": "2,3"},
    ):
        server.call("PUT", "/data_sources/1", {**required, **more})
        required |= {key: value for key, value in more.items() if key == "data_source_category_id"}
        versions.append(by_id(store.read())["connector:1"].version)
    assert len(set(versions)) == len(versions)
    row["updated_at"] = "2031-01-01 00:00:00"
    assert by_id(store.read())["connector:1"].version == versions[-1]


def test_members_come_with_their_groups(server: Instance) -> None:
    """By user name and by the names of groups; of users only those are looked at that groups have."""
    for number in range(60):
        server.store.add_user(f"user-{number}")
    one, two = server.store.add_group("One"), server.store.add_group("Two")
    ids = {row["username"]: row["id"] for row in server.store.users.rows.values()}
    member(server, one["id"], USER_TYPE, ids["user-7"])
    member(server, one["id"], GROUP_TYPE, two["id"])
    found = by_id(opened(server, page_size=10).read())
    assert found["group:1"].body["spec"]["members"] == {"mode": "authoritative", "users": ["user-7"], "groups": ["two"]}
    assert [path for path in asked(server) if path.startswith("/users")] == [f"/users/{ids['user-7']}"]
    for number in range(60):
        member(server, two["id"], USER_TYPE, ids[f"user-{number}"])
    since = len(server.requests)
    found = by_id(opened(server, page_size=10).read())
    assert found["group:2"].body["spec"]["members"]["users"] == sorted(f"user-{number}" for number in range(60))
    paths = [path for path in asked(server, since) if path.startswith("/users")]
    assert paths[0] == "/users#1"
    assert {path.rstrip("*") for path in paths} == {f"/users#{number}" for number in range(1, 8)} and len(paths) == 8


def member(server: Instance, group: int, kind: str, number: int) -> None:
    """Make somebody a member, as a person does."""
    server.call("POST", "/group_members", {"group_id": group, "member_type": kind, "member_id": number})


def test_names_of_members_are_told_where_users_are_closed(server: Instance) -> None:
    """By the lists of each group's users, which are open to who may view groups; 2020 has no such lists."""
    group = server.store.add_group("One")
    ids = {row["username"]: row["id"] for row in server.store.users.rows.values()}
    member(server, group["id"], USER_TYPE, ids["grace"])
    store = opened(server, user="ada")
    body = by_id(store.read())["group:1"].body
    if server.simulator.profile.modern:
        assert body["spec"]["members"]["users"] == ["grace"]
        assert store.notes() == ()
    else:
        assert "members" not in body["spec"]
        assert "1 member of groups cannot be seen" in " ".join(store.notes())


def test_what_is_closed_is_told(server: Instance) -> None:
    """Without connectors nothing goes on; without groups it does, as long as nobody manages any."""
    filled(server, connectors=1)
    group = server.store.add_group("One")
    with pytest.raises(StoreUnavailable) as told:
        opened(server, user="grace").read()
    assert "the token's user may not view" in told.value.message
    assert "permission" in told.value.hint
    names = ["view-data-sources", "view-data-source-categories"]
    ada = next(row["id"] for row in server.store.users.rows.values() if row["username"] == "ada")
    server.call("PUT", "/permissions", {"user_id": ada, "permission_names": names})
    store = opened(server, user="ada")
    assert "group:1" not in by_id(store.read())
    assert "the token's user may not view groups" in " ".join(store.notes())
    everything = list(opened(server).read())
    store.recall(remembered(everything, owned=[f"group:{group['id']}"]))
    with pytest.raises(StoreUnavailable, match="may not view groups"):
        store.read()


def test_what_is_nobodys_is_left_alone_and_counted(server: Instance) -> None:
    """Unless somebody declares it, as far as that can be."""
    filled(server, connectors=1)
    if server.simulator.profile.modern:
        server.store.add_connector("Soap", [1], type="SOAP", authtype="NONE")
    server.store.add_connector("Odd", [1], authtype="OAUTH1")
    url = {"list": {**{"purpose": "list", "method": "GET"}, "url": "/api/1.0/collections/3/records"}}
    server.store.add_connector("Persons", [1], endpoints=url, authtype="OAUTH2_BEARER")
    store = opened(server)
    assert {uid for uid in by_id(store.read()) if uid.startswith("connector")} == {"connector:1"}
    (said,) = store.notes()
    assert "1 of collections" in said
    assert ("1 SOAP" in said) is server.simulator.profile.modern
    store.recall(remembered([], names={("Connector", "persons"): "people"}))
    found = by_id(store.read())
    (persons,) = (record for record in found.values() if record.key.name == "people")
    assert persons.body["spec"]["displayName"] == "Persons"


def test_twins_are_refused_where_somebody_claims_the_name(server: Instance) -> None:
    """Both are named, with what they are called; where nobody claims it, both are shown under their numbers."""
    server.store.add_category("Crm")
    server.store.add_category("CRM ")
    store = opened(server)
    found = by_id(store.read())
    assert {uid: record.key.name for uid, record in found.items()} == {"category:1": "crm-1", "category:2": "crm-2"}
    assert "category:1 and category:2 of the instance are called 'Crm'" in " ".join(store.notes())
    for recollection in (
        remembered([], names={("Category", "crm"): "customers"}),
        remembered(found.values(), owned=["category:2"]),
    ):
        store.recall(recollection)
        with pytest.raises(RecordConflict) as told:
            store.read()
        assert told.value.message == "the instance holds category 'Crm' more than once: category:1 and category:2"
        assert told.value.details == ("category:1 is called 'Crm'", "category:2 is called 'CRM '")


def test_records_are_called_as_their_owner_calls_them(server: Instance) -> None:
    """Then as they are declared, and else by their display names."""
    for name in ("Customers", "Suppliers", "Émile's 漢字"):
        server.store.add_category(name)
    store = opened(server)
    found = by_id(store.read())
    assert [record.key.name for record in found.values()] == ["customers", "suppliers", "emiles"]
    owned = [replaced(found["category:1"], "kunden"), *list(found.values())[1:]]
    store.recall(remembered(owned, owned=["category:1"], names={("Category", "suppliers"): "lieferanten"}))
    assert [record.key.name for record in by_id(store.read()).values()] == ["kunden", "lieferanten", "emiles"]


def replaced(record: object, name: str) -> object:
    """A record under another name."""
    from msgspec.structs import replace

    return replace(record, key=Key(record.key.kind, name))  # type: ignore[attr-defined]


def test_double_permissions_and_unsealed_secrets_are_told(server: Instance) -> None:
    """Two things that others can do, or a server can hide."""
    filled(server, connectors=1)
    server.store.add_group("One")
    server.store.grant(GROUP_TYPE, 1, ["view-groups", "view-groups"])
    for row in server.store.connectors.rows.values():
        row["credentials"] = None
    store = opened(server)
    store.read()
    said = " ".join(store.notes())
    assert "the instance does not show that credentials were written" in said
    assert "holds permissions of group/one twice" in said
