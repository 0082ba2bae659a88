"""What a simulated instance answers is as the contract says, and the check that is held over our requests finds faults."""

import httpx
import pytest
from servers.processmaker import instance
from servers.processmaker_life import CAT, CONNECTOR, DS, GRP, life


def send(server, method, path, body=None, user="admin", accept="application/json"):
    sent = {"Accept": accept, **({"Authorization": f"Bearer {server.token(user)}"} if user else {})}
    return httpx.request(method, server.api + path, json=body, headers=sent, verify=False)


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


def test_a_person_acts_in_the_middle_of_a_run():
    with instance() as server:
        server.meanwhile("GET", CAT, lambda: server.call("POST", CAT, {"name": "CRM", "status": "ACTIVE"}), nth=2)
        assert [send(server, "GET", CAT).json()["meta"]["total"] for _ in range(3)] == [0, 1, 1]
