"""What a simulated instance answers is as the contract says, and the check that is held over our requests finds faults."""

import httpx
import pytest
from servers.processmaker import instance
from simulator.profiles import GROUP_TYPE, USER_TYPE

DS, CAT, GRP, MEM = "/data_sources", "/data_source_categories", "/groups", "/group_members"
USR, PERM = "/users", "/permissions"
CONNECTOR = {"name": "C", "authtype": "NONE", "data_source_category_id": "1"}


def send(server, method, path, body=None, user="admin", accept="application/json"):
    sent = {"Accept": accept, **({"Authorization": f"Bearer {server.token(user)}"} if user else {})}
    return httpx.request(method, server.api + path, json=body, headers=sent, verify=False)


def life(modern):
    """(method, path, body, user) of a life of every kind of record."""
    entry = {
        "purpose": "list",
        "method": "GET",
        "url": "/x",
        "headers": [],
        "body": "",
        "testData": "{}",
        "params": [{"id": 1, "key": "a", "value": "", "required": True}],
        "outboundConfig": [],
    }
    write = {
        "name": "C one",
        "authtype": "BASIC",
        "description": "d",
        "credentials": {"username": "u", "password": "p"},
        "endpoints": {"list": entry},
        "data_source_category_id": "1,2",
    }
    yield "POST", CAT, {"name": "A", "status": "ACTIVE"}
    yield "POST", CAT, {"name": "B", "status": "ACTIVE"}
    yield "POST", CAT, {"name": "a", "status": "ACTIVE"}
    yield "POST", CAT, {}
    yield "POST", DS, write
    for number, authtype in enumerate(("NONE", "OAUTH2_BEARER", "OAUTH2_PASSWORD")):
        yield "POST", DS, {"name": f"C {number}", "authtype": authtype, "data_source_category_id": 1}
    yield "POST", DS, write
    for query in (
        "",
        "?per_page=500&order_by=id",
        "?include=categories,category",
        "?page=99",
        "?order_by=nope",
        "?filter=zzz",
    ):
        yield "GET", DS + query, None
    for body in (
        write,
        {},
        {**write, "endpoints": {}},
        {**write, "endpoints": {"0": {}}},
        {**write, "endpoints": None},
        {**write, "data_source_category_id": "999"},
        {**write, "endpoints": "text"},
    ):
        yield "PUT", f"{DS}/1", body
        if (
            body.get("data_source_category_id") != "999"
        ):  # the categories of 2020 are then read as a number: not in the contract
            yield "GET", f"{DS}/1", None
    yield "GET", f"{DS}/999", None
    yield "GET", DS, None, None
    yield "GET", DS, None, "grace"
    yield "GET", f"{CAT}/1", None
    yield "PUT", f"{CAT}/1", {"name": "A", "status": "INACTIVE"}
    yield "DELETE", f"{CAT}/1", None
    yield "GET", CAT + "?include=datasourcesCount", None
    for number in (1, 2, 3, 4, 1):
        yield "DELETE", f"{DS}/{number}", None
    yield "DELETE", f"{CAT}/1", None
    yield "DELETE", f"{CAT}/1", None
    yield "POST", GRP, {"name": "G", "description": None, "status": "ACTIVE"}
    yield "POST", GRP, {"name": "G"}
    yield "PUT", PERM, {"group_id": 1, "permission_names": ["view-data-sources"]}
    for body in ({"group_id": 999, "permission_names": []}, {"group_id": 1}):
        yield "PUT", PERM, body
    yield "PUT", PERM, {"group_id": 1, "permission_names": []}, "grace"
    for kind, member in ((USER_TYPE, 1), (USER_TYPE, 1), ("x", 1), (USER_TYPE, 999), (GROUP_TYPE, 1)):
        yield "POST", MEM, {"group_id": 1, "member_type": kind, "member_id": member}
    yield "GET", GRP + "?include=permissions,groupMembers,membersCount", None
    yield "GET", f"{GRP}/1", None
    yield "PUT", f"{GRP}/1", {"name": "G"}
    yield "PUT", f"{GRP}/1", {}
    yield "GET", MEM, None
    if modern:
        yield "GET", f"{GRP}/1/users", None
        yield "GET", f"{GRP}/1/groups", None
        yield "GET", PERM, None
    yield "DELETE", f"{MEM}/1", None
    yield "DELETE", f"{MEM}/1", None
    yield "GET", USR, None
    yield "GET", f"{USR}/1", None
    yield "GET", f"{USR}/999", None
    yield "DELETE", f"{GRP}/1", None
    yield "DELETE", f"{GRP}/1", None


@pytest.mark.parametrize("profile", ["4.14", "2020"])
def test_all_answers_are_described(profile):
    with instance(profile) as server:
        for method, path, body, *user in life(profile == "4.14"):
            send(server, method, path, body, *user)
        server.breaches = [line for line in server.breaches if " answered: " in line]
        assert len(server.requests) > 60


@pytest.mark.parametrize(
    ("method", "path", "body", "fault"),
    [
        ("GET", "/environment_variables", None, "GET /environment_variables asked: no such operation"),
        ("PATCH", DS + "/1", CONNECTOR, "PATCH /data_sources/1 asked: no such operation"),
        ("GET", DS + "/9f3c2a10-5b1e", None, "GET /data_sources/9f3c2a10-5b1e asked: no such operation"),
        ("GET", DS + "?sort=id", None, "GET /data_sources asked: query parameter sort is not described"),
        ("GET", DS + "?per_page=many", None, "GET /data_sources asked: query parameter per_page: : … is not of type \"integer\""),
        ("POST", DS, {**CONNECTOR, "labels": {}}, "POST /data_sources asked: body: key labels is not described"),
        ("POST", DS, {**CONNECTOR, "data_source_category_id": "1,"}, "POST /data_sources asked: body: data_source_category_id: … does not match"),
        ("PUT", GRP + "/1", {"name": "G", "labels": {}}, "PUT /groups/1 asked: body: key labels is not described"),
        ("DELETE", DS + "/1", {"force": True}, "DELETE /data_sources/1 asked: a body where none is described"),
    ],
)  # fmt: skip
def test_a_request_outside_of_the_contract_fails_the_test(method, path, body, fault):
    with pytest.raises(AssertionError) as raised, instance() as server:
        send(server, method, path, body)
    assert fault in str(raised.value)


def test_a_request_without_accept_or_token_fails_the_test():
    with pytest.raises(AssertionError) as raised, instance() as server:
        send(server, "GET", DS, user=None, accept="*/*")
    assert "GET /data_sources asked: no Authorization\nGET /data_sources asked: Accept is not application/json" in str(
        raised.value
    )


def test_an_answer_outside_of_the_contract_fails_the_test():
    with pytest.raises(AssertionError) as raised, instance() as server:
        server.store.add_category("CRM")
        server.store.add_connector("one", [1], description=7)
        send(server, "GET", DS)
    assert 'data/0/description: … is not of type "string"' in str(raised.value) or "data/0/description" in str(
        raised.value
    )


def test_what_a_person_does_is_not_held_against_the_contract():
    with instance() as server:
        assert server.call("POST", CAT, {"name": "CRM", "status": "ACTIVE", "is_system": True})["id"] == 1
        assert server.writes == [("POST", CAT)]
        with pytest.raises(httpx.HTTPStatusError, match="404"):
            server.call("GET", "/nothing")
