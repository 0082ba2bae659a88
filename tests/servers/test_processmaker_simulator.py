"""Each rule of the simulated instance is there, and faults do what they say."""

import base64
import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import datetime
from urllib.parse import urlencode

import pytest
from simulator import start
from simulator.profiles import API, GROUP_TYPE, USER_TYPE

from servers.processmaker import SIMULATOR, instance

DS, CAT, GRP, MEM, USR, PERM = (
    "/data_sources",
    "/data_source_categories",
    "/groups",
    "/group_members",
    "/users",
    "/permissions",
)


class Client:
    """One simulator and requests to it."""

    def __init__(self, server):
        self.server = server

    def call(
        self,
        method,
        path,
        body=None,
        user="admin",
        raw=None,
        kind="application/json",
        accept="application/json",
        headers=None,
        token=None,
    ):
        sent = dict(headers or {})
        if accept:
            sent["Accept"] = accept
        if token or user:
            sent["Authorization"] = "Bearer " + (token or self.server.token(user))
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        if data is not None:
            sent["Content-Type"] = kind
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            connection.request(
                method, (API if path.startswith("/") and not path.startswith("/__") else "") + path, data, sent
            )
            reply = connection.getresponse()
            found = reply.read()
        finally:
            connection.close()
        is_json = (reply.getheader("Content-Type") or "").startswith("application/json") and found
        return Reply(
            reply.status,
            {key.lower(): value for key, value in reply.getheaders()},
            found,
            json.loads(found) if is_json else None,
        )

    def category(self, name="CRM", **more):
        return self.call("POST", CAT, {"name": name, "status": "ACTIVE", **more}).json["id"]

    def connector(self, name="one", category="1", **more):
        reply = self.call("POST", DS, {"name": name, "authtype": "NONE", "data_source_category_id": category, **more})
        assert reply.status == 201, reply.body
        return reply.json["id"]

    def change(self, number, name="one", category="1", **more):
        return self.call(
            "PUT", f"{DS}/{number}", {"name": name, "authtype": "NONE", "data_source_category_id": category, **more}
        )

    def get(self, path, **more):
        return self.call("GET", path, **more).json


class Reply:
    def __init__(self, status, headers, body, data):
        self.status, self.headers, self.body, self.json = status, headers, body, data


@pytest.fixture(params=["4.14", "2020"])
def api(request):
    with start(request.param) as server:
        yield Client(server)


@pytest.fixture
def modern():
    with start("4.14") as server:
        yield Client(server)


@pytest.fixture
def old():
    with start("2020") as server:
        yield Client(server)


@pytest.fixture
def clock(monkeypatch):
    """The simulator's clock, moved by hand."""
    moment = [0]

    class Clock(datetime):
        @classmethod
        def now(cls, zone):
            return cls(2027, 1, 1, 0, 0, moment[0], tzinfo=zone)

    monkeypatch.setattr("simulator.clock.datetime", Clock)
    return moment


def is_modern(api):
    return api.server.simulator.profile.modern


def together(count, work):
    """Runs work(0), work(1), … at once and gives their results."""
    results, gate = [None] * count, threading.Barrier(count)

    def run(at):
        gate.wait()
        results[at] = work(at)

    threads = [threading.Thread(target=run, args=(at,)) for at in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# forms of every answer


def test_no_token_is_401_and_without_accept_302_in_2020(api):
    assert api.call("GET", DS, user=None).json == {"error": "Unauthenticated."}
    assert api.call("GET", DS, token="nonsense").status == 401
    plain = api.call("GET", DS, user=None, accept=None)
    assert plain.status == (401 if is_modern(api) else 302)
    if not is_modern(api):
        assert plain.headers["location"].endswith("/login") and b"<html>" in plain.body


def test_browser_like_accept_in_4_14(modern):
    assert modern.call("GET", DS, user=None, accept="text/html").status == 401
    assert (
        modern.call("GET", DS, user=None, accept="text/html, application/json").headers["location"].startswith("https:")
    )


def test_lacking_permission_is_403_with_the_texts_of_the_version(api):
    assert api.call("GET", DS, user="grace").json == {"message": "This action is unauthorized."}
    wanted = "Not authorized to view groups." if is_modern(api) else "This action is unauthorized."
    assert api.call("GET", GRP, user="grace").json == {"message": wanted}
    assert api.call("GET", f"{DS}/999", user="grace").status == 404


@pytest.mark.parametrize(
    "permission, method, path",
    [
        ("view-data-sources", "GET", DS),
        ("create-data-sources", "POST", DS),
        ("view-data-source-categories", "GET", CAT),
        ("create-data-source-categories", "POST", CAT),
        ("view-groups", "GET", GRP),
        ("create-groups", "POST", GRP),
        ("edit-groups", "POST", MEM),
        ("edit-users", "PUT", PERM),
        ("view-users", "GET", USR),
    ],
)
def test_each_route_wants_its_permission(api, permission, method, path):
    grace = api.server.tokens["grace"]["id"]
    assert api.call(method, path, {}, user="grace").status == 403
    api.call("PUT", PERM, {"user_id": grace, "permission_names": [permission]})
    assert api.call(method, path, {}, user="grace").status in (200, 422, 500)
    assert api.server.tokens["grace"]["permissions"] == [permission]


def test_unknown_routes_ids_and_verbs(api):
    for path in ("/nosuch", f"{DS}/999", f"{DS}/abc", f"{GRP}/abc"):
        assert api.call("GET", path).json == {"error": "Not Found"}
    reply = api.call("PATCH", f"{GRP}/1", {})
    assert reply.status == 405 and reply.headers["allow"] == "GET, HEAD, PUT, DELETE"
    assert api.call("POST", "/nosuch", {}, user=None).status == 405
    assert api.call("GET", "/nosuch", user=None).status == 401
    assert api.call("PUT", f"{GRP}/abc", {}).status == (405 if is_modern(api) else 404)


def test_422_words_it_as_the_version_does(api):
    reply = api.call("POST", CAT, {})
    if is_modern(api):
        assert reply.json == {
            "message": "The Name field is required. (and 1 more error)",
            "errors": {"name": ["The Name field is required."], "status": ["The Status field is required."]},
        }
    else:
        assert reply.json["message"] == "The given data was invalid."
        assert reply.json["errors"]["name"] == ["The name field is required."]


@pytest.mark.parametrize(
    "path",
    [
        DS + "?include=x",
        DS + "?order_by=x",
        DS + "?order_direction=x",
        DS + "?per_page=-1",
        DS + "?per_page=x",
        DS + "?filter[]=x",
        CAT + "?status=",
    ],
)
def test_500_for_a_query_no_rule_covers(api, path):
    api.category()
    api.connector()
    assert api.call("GET", path).json == {"message": "Server Error"}


@pytest.mark.parametrize(
    "more",
    [
        {"name": "x" * 256},
        {"description": "x" * 65536},
        {"credentials": {"a": "x" * 40000}},
        {"data_source_category_id": "99"},
        {"data_source_category_id": "abc"},
        {"data_source_category_id": [1]},
        {"data_source_category_id": "1,"},
        {"mappings": {"a": 1}},
    ],
)
def test_500_for_a_body_no_rule_covers_leaves_nothing(api, more):
    api.category()
    body = {"name": "q", "authtype": "NONE", "data_source_category_id": "1", **more}
    assert api.call("POST", DS, body).status == 500
    assert api.get(DS)["meta"]["total"] == 0


def test_a_late_failure_uses_up_an_id(api):
    api.category()
    assert api.call("POST", DS, {"name": "q", "authtype": "NONE", "data_source_category_id": "99"}).status == 500
    assert api.connector("q") == 2


def test_204_is_empty(api):
    api.category()
    reply = api.change(api.connector())
    assert reply.status == 204 and reply.body == b""
    assert reply.headers.get("content-type") == (None if is_modern(api) else "text/html; charset=UTF-8")


def test_maintenance_and_too_large(api):
    api.server.switches.maintenance = True
    reply = api.call("GET", DS)
    assert (
        reply.status == 503
        and reply.headers["retry-after"] == "60"
        and reply.json == {"message": "Service Unavailable"}
    )
    assert b"<html>" in api.call("GET", DS, accept=None).body
    api.server.switches.maintenance = False
    assert api.call("POST", DS, raw=b"x" * (8 * 1024 * 1024 + 1)).json == {"message": ""}


def test_json_that_does_not_parse_counts_as_empty(api):
    for raw in (b'{"name": "x', b"[]", b"null", b'{"name":"\\ud800"}', b"\xff"):
        assert api.call("POST", CAT, raw=raw).status == 422
    assert api.call("POST", CAT, raw=b'{"name":"x","status":"ACTIVE"}', kind="text/plain").status == 422
    assert api.call("POST", CAT, raw=b"name=x&status=ACTIVE", kind="application/x-www-form-urlencoded").status == 500


def test_method_override(api):
    api.category()
    assert api.call("POST", f"{CAT}/1", {"_method": "PUT", "name": "B", "status": "ACTIVE"}).json["name"] == "B"
    assert api.call("POST", f"{CAT}/1", {}, headers={"X-HTTP-Method-Override": "DELETE"}).status == 204


# lists


def test_meta_and_pages(api):
    for number in range(5):
        api.category(f"c{number}")
    meta = api.get(CAT + "?per_page=2&page=2")["meta"]
    assert (meta["count"], meta["total_pages"], meta["from"], meta["to"], meta["total"], meta["last_page"]) == (
        2,
        3,
        3,
        4,
        5,
        3,
    )
    assert meta["per_page"] == (2 if is_modern(api) else "2") and ("links" in meta) == is_modern(api)
    empty = api.get(CAT + "?filter=zzz")["meta"]
    assert (empty["from"], empty["to"], empty["total_pages"], empty["last_page"]) == (None, None, 0, 1)
    assert api.get(CAT + "?per_page=0")["meta"]["per_page"] == 15
    assert api.get(CAT + "?page=99")["data"] == []


def test_links_leave_gaps(modern):
    for number in range(20):
        modern.category(f"c{number}")
    labels = [link["label"] for link in modern.get(CAT + "?per_page=1&page=10")["meta"]["links"]]
    assert labels == [
        "&laquo; Previous",
        "1",
        "2",
        "...",
        "7",
        "8",
        "9",
        "10",
        "11",
        "12",
        "13",
        "...",
        "19",
        "20",
        "Next &raquo;",
    ]


def test_order_and_filter(api):
    for name in ("Zed", "ähnlich", "Beta", "b_c"):
        api.category(name)
    assert [row["name"] for row in api.get(CAT)["data"]] == ["ähnlich", "b_c", "Beta", "Zed"]
    assert [row["id"] for row in api.get(CAT + "?order_by=id&order_direction=DESC")["data"]] == [4, 3, 2, 1]
    assert api.get(CAT + "?filter=Be")["data"] == [] and len(api.get(CAT + "?filter=be%25")["data"]) == 1
    for name in ("Zed", "Ähnlich", "b_c", "bxc"):
        api.connector(name)
    assert len(api.get(DS + "?filter=AHN")["data"]) == 1 and len(api.get(DS + "?filter=b_c")["data"]) == 2


def test_include(api):
    api.category("a"), api.category("b")
    api.connector("one", "1"), api.connector("two", "2,1")
    one, two = api.get(DS + "?include=category,categories")["data"]
    assert one["category"]["id"] == 1 and two["category"] is None and len(two["categories"]) == 2
    assert "categories" not in api.get(f"{DS}/1?include=categories")
    counts = {row["id"]: row["datasources_count"] for row in api.get(CAT + "?include=datasourcesCount")["data"]}
    assert counts == {1: 1, 2: 1}


def test_etag_is_of_user_and_body_and_saves_the_transfer(modern, old):
    tag = modern.call("GET", GRP).headers["etag"]
    reply = modern.call("GET", GRP, headers={"If-None-Match": "W/" + tag})
    assert reply.status == 304 and reply.body == b"" and reply.headers["etag"] == tag
    assert modern.call("GET", PERM, user="ada").headers["etag"] != modern.call("GET", PERM).headers["etag"]
    assert modern.call("HEAD", GRP).headers["etag"] != tag
    assert "etag" not in old.call("GET", GRP).headers


def test_writes_ignore_if_match(modern):
    modern.category()
    number = modern.connector()
    body = {"name": "x", "authtype": "NONE", "data_source_category_id": "1"}
    assert modern.call("PUT", f"{DS}/{number}", body, headers={"If-Match": '"x"'}).status == 204


# connectors


def test_create_repeats_only_what_was_sent(api):
    api.category()
    reply = api.call("POST", DS, {"name": "one", "authtype": "NONE", "data_source_category_id": 1})
    assert list(reply.json) == ["name", "authtype", "data_source_category_id", "updated_at", "created_at", "id"]
    assert reply.json["data_source_category_id"] == "1"
    assert api.get(f"{DS}/1")["status"] == "ACTIVE"


@pytest.mark.parametrize("name", ["CRM ONE", " crm one ", "crm öne", "Crm\u00a0one"])
def test_names_are_unique_without_case_accents_and_blanks(api, name):
    api.category()
    api.connector("crm one")
    assert list(
        api.call("POST", DS, {"name": name, "authtype": "NONE", "data_source_category_id": "1"}).json["errors"]
    ) == ["name"]


@pytest.mark.parametrize("name", ["a/b", "a,b", "a&b", "😀", "a\u0301", "½"])
def test_names_hold_few_signs(api, name):
    assert "name" in api.call("POST", GRP, {"name": name}).json["errors"]
    assert api.call("POST", GRP, {"name": "Über 日本 a-b_c.d'e ५"}).status == 201


def test_own_name_in_another_case(api):
    api.category()
    number = api.connector("crm")
    assert api.change(number, "CRM").status == 204 and api.get(f"{DS}/{number}")["name"] == "CRM"


def test_put_wants_three_fields_and_keeps_the_rest(api):
    api.category()
    number = api.connector(description="d", endpoints={"a": {"x": 1}})
    assert set(api.call("PUT", f"{DS}/{number}", {"description": "x"}).json["errors"]) == {
        "name",
        "authtype",
        "data_source_category_id",
    }
    api.change(number, "two")
    record = api.get(f"{DS}/{number}")
    assert (record["name"], record["description"], record["endpoints"]) == ("two", "d", {"a": {"x": 1}})


def test_unknown_keys(api):
    api.category()
    assert api.change(api.connector(), bogus=1).status == (204 if is_modern(api) else 500)


def test_texts_are_trimmed_and_empty_ones_null(api):
    api.category()
    number = api.connector(
        " one ",
        description="",
        endpoints={" k ": {"a": " x ", "b": "", "c": {}, "d": [" y "]}},
        credentials={"password": " p w ", "empty": ""},
    )
    record = api.get(f"{DS}/{number}")
    assert record["name"] == "one" and record["description"] is None
    assert record["endpoints"] == {" k ": {"a": "x", "b": None, "c": [], "d": ["y"]}}
    assert api.server.plaintext(number) == {"password": "p w", "empty": None}


@pytest.mark.parametrize(
    "sent, read",
    [
        ({}, []),
        (None, None),
        ([], []),
        ({"0": {"a": 1}, "1": 2}, [{"a": 1}, 2]),
        ({"5": 1, "3": 2}, [1, 2]),
        ("text", "text"),
        ({"a": 1.0, "b": 10**19}, {"a": 1, "b": 1e19}),
        ({"a": "<b>{{x}}</b>"}, {"a": "<b>{{x}}</b>"}),
    ],
)
def test_endpoints(api, sent, read):
    api.category()
    assert api.get(f"{DS}/{api.connector(endpoints=sent)}")["endpoints"] == read


def test_endpoints_as_a_text_lose_markup(api):
    api.category()
    read = api.get(f"{DS}/{api.connector(endpoints='{%s: <b>x</b> {{y}}}' % chr(34))}")["endpoints"]
    assert read == ('{": x y' + "}" if is_modern(api) else '{": x {{y}}}')[: len(read)]
    assert "<b>" not in read and ("{{" in read) != is_modern(api)


def test_markup_goes_from_descriptions(api):
    api.category()
    number = api.connector(description="a <b>c</b> & {{m}} <!-- x -->5<6")
    assert api.get(f"{DS}/{number}")["description"] == ("a c & m 5<6" if is_modern(api) else "a c & {{m}} 5")
    reply = api.call("POST", GRP, {"name": "G <i>x</i>", "description": "<p>d</p>"})
    assert (reply.json["name"], reply.json["description"]) == ("G x", "d")


def test_endpoint_keys_reordered_as_mysql_does():
    with start(reorder_keys=True) as server:
        api = Client(server)
        api.category()
        number = api.connector(endpoints={"list": {"url": 1, "body": 2, "id": 3}, "a": 1})
        read = api.get(f"{DS}/{number}")["endpoints"]
        assert list(read) == ["a", "list"] and list(read["list"]) == ["id", "url", "body"]


def test_credentials_look_encrypted_and_change_with_every_write(api):
    api.category()
    number = api.connector(credentials={"username": "u"})
    first = api.get(f"{DS}/{number}")["credentials"]
    assert list(json.loads(base64.b64decode(first))) == ["iv", "value", "mac"] + ["tag"] * is_modern(api)
    api.change(number, credentials={"username": "u"})
    second = api.get(f"{DS}/{number}")["credentials"]
    assert second != first and api.server.plaintext(number) == {"username": "u"}
    api.change(number, "other", authtype="BASIC")
    assert api.get(f"{DS}/{number}")["credentials"] == second


def test_ciphertext_sent_back_is_encrypted_twice(api):
    api.category()
    number = api.connector(credentials={"username": "u"})
    first = api.get(f"{DS}/{number}")["credentials"]
    api.change(number, credentials=first)
    second = api.get(f"{DS}/{number}")["credentials"]
    assert api.server.plaintext(number) == first and len(second) > len(first)


@pytest.mark.parametrize("sent", [None, {}, [], ""])
def test_empty_credentials_are_encrypted_too(api, sent):
    api.category()
    assert isinstance(api.get(f"{DS}/{api.connector(credentials=sent)}")["credentials"], str)
    assert api.get(f"{DS}/{api.connector('two')}")["credentials"] is None


def test_first_category_must_exist_others_are_dropped(api):
    api.category("a"), api.category("b")
    number = api.connector(category="1, 99,2,2")
    assert set(api.get(f"{DS}/{number}")["data_source_category_id"].split(",")) == {"1", "2"}
    assert api.change(number, category="99,1").status == 500


@pytest.mark.parametrize("written, read", [("1,2", "1,2"), ("1, 2", "1"), ("1,02", "1"), ("2,1", "1,2")])
def test_a_category_that_is_there_gets_lost_when_a_put_writes_it_otherwise(api, written, read):
    api.category("a"), api.category("b")
    number = api.connector(category="1, 2")
    assert api.get(f"{DS}/{number}")["data_source_category_id"] == "1,2", "a POST takes the blank"
    assert api.change(number, category=written).status == 204
    assert api.get(f"{DS}/{number}")["data_source_category_id"] == read


def test_a_dropped_category_appears_when_it_comes_to_exist(api):
    api.category("a")
    number = api.connector(category="1,2")
    assert api.get(f"{DS}/{number}")["data_source_category_id"] == "1"
    api.category("b")
    assert set(api.get(f"{DS}/{number}")["data_source_category_id"].split(",")) == {"1", "2"}


def test_delete_of_a_category_is_refused_only_while_it_is_the_first(api):
    api.category("a"), api.category("b")
    number = api.connector(category="1,2")
    assert api.call("DELETE", f"{CAT}/1").json == {
        "message": "The item should not have associated datasources",
        "errors": {"datasources": 1},
    }
    assert api.call("DELETE", f"{CAT}/2").status == 204
    assert api.get(f"{DS}/{number}")["data_source_category_id"] == "1"


def test_updated_at(api, clock):
    api.category("a"), api.category("b")
    number = api.connector(description="5", category="1", endpoints={"a": 1}, credentials={"u": 1})

    def moves(**more):
        clock[0] += 1
        api.change(number, **more)
        return api.get(f"{DS}/{number}")["updated_at"].endswith(f":{clock[0]:02d}+00:00")

    assert not moves()
    assert not moves(description=5) and not moves(endpoints={"a": 1.0}) and not moves(description=" 5 ")
    assert not moves(category="1,2"), "the second category alone does not count"
    assert moves(category="2,1") and moves(credentials={"u": 1}, category="2") and moves(description="6", category="2")
    assert moves(description=True, category="2") and moves(description=True, category="2"), "a boolean always counts"


def test_a_failed_put_moves_the_categories_in_2020_alone(api):
    api.category("a"), api.category("b")
    number = api.connector(category="1")
    assert api.change(number, category="2", name="two", mappings={"a": 1} if not is_modern(api) else "x").status == 500
    record = api.get(f"{DS}/{number}")
    assert record["name"] == "one" and record["data_source_category_id"] == ("1" if is_modern(api) else "2")


def test_delete_and_again(api):
    api.category()
    number = api.connector()
    assert [api.call("DELETE", f"{DS}/{number}").status for _ in range(2)] == [204, 404]
    assert api.connector() == number + 1


def test_hidden_rows_keep_their_names(api):
    api.category("a"), api.category("System", is_system=True)
    number = api.connector("in system", "2")
    assert api.get(DS)["meta"]["total"] == 0 and len(api.get(CAT)["data"]) == 1
    assert api.call("GET", f"{DS}/{number}").status == (200 if is_modern(api) else 404)
    assert api.call("GET", f"{CAT}/2").status == (200 if is_modern(api) else 404)
    assert (
        "name"
        in api.call("POST", DS, {"name": "In System", "authtype": "NONE", "data_source_category_id": "1"}).json[
            "errors"
        ]
    )


def test_templates_assets_soap_and_collections(modern):
    store = modern.server.store
    category = modern.category()
    store.add_connector("template", [category], is_template=1)
    store.add_connector("asset", [category], asset_type="x")
    store.add_connector("soap", [category], type="SOAP", credentials={"wsdl": "x"})
    collection = store.add_collection(7, "Collection 7")
    rows = modern.get(DS)["data"]
    assert [row["name"] for row in rows] == ["soap", "Collection 7"] and rows[0]["type"] == "SOAP"
    assert rows[1]["endpoints"]["list"]["url"] == "/api/1.0/collections/7/records"
    assert modern.get(f"{CAT}/{collection['category']}")["name"] == "Generated"
    assert modern.call("GET", f"{DS}/1").json["is_template"] == 1


@pytest.mark.parametrize(
    "path, body",
    [
        (DS, {"name": "R", "authtype": "NONE", "data_source_category_id": "1"}),
        (CAT, {"name": "R", "status": "ACTIVE"}),
        (GRP, {"name": "R"}),
    ],
)
def test_no_unique_index_behind_the_names(path, body):
    with start(race_window=0.2) as server:
        api = Client(server)
        api.category("first")
        assert [reply.status for reply in together(4, lambda _: api.call("POST", path, body))] == [201] * 4
        server.switches.race_window = 0
        assert api.call("POST", path, body).status == 422


# groups, members, permissions


def test_groups(api):
    group = api.call("POST", GRP, {"name": "G", "bogus": 1}).json["id"]
    assert api.get(f"{GRP}/{group}")["status"] == "ACTIVE"
    assert api.call("PUT", f"{GRP}/{group}", {"name": "G", "description": "d"}).status == 204
    assert "permissions" not in api.get(f"{GRP}/{group}?include=permissions")
    assert api.get(GRP + "?include=permissions,membersCount")["data"][0]["group_members_count"] == 0


def member(api, group, kind, number):
    return api.call("POST", MEM, {"group_id": group, "member_type": kind, "member_id": number})


def test_membership_is_safe_to_repeat(api):
    group = api.call("POST", GRP, {"name": "G"}).json["id"]
    first = member(api, group, USER_TYPE, 1)
    assert first.status == 201 and first.json["group"]["name"] == "G" and first.json["member"]["username"] == "admin"
    again = member(api, group, USER_TYPE, 1)
    assert (again.status, again.json) == (201, [])
    assert member(api, group, USER_TYPE, 99).status == 404 and member(api, group, "x", 1).status == 422
    assert [api.call("DELETE", f"{MEM}/{first.json['id']}").status for _ in range(2)] == [204, 404]


def test_rights_come_through_groups_also_inactive_ones(api):
    grace = api.server.tokens["grace"]["id"]
    groups = [api.call("POST", GRP, {"name": name}).json["id"] for name in ("a", "b", "c", "d", "e")]
    group, outer = groups[-1], groups[-2]
    api.call("PUT", PERM, {"group_id": group, "permission_names": ["view-data-sources"]})
    api.call("PUT", PERM, {"group_id": outer, "permission_names": ["view-groups"]})
    member(api, group, USER_TYPE, grace)
    api.call("PUT", f"{GRP}/{group}", {"name": "e", "status": "INACTIVE"})
    assert api.call("GET", DS, user="grace").status == 200
    member(api, outer, GROUP_TYPE, group)
    assert api.call("GET", GRP, user="grace").status == (200 if is_modern(api) else 403), (
        "nested groups count in 4.14 alone"
    )


def test_others_see_their_own_memberships(api):
    group = api.call("POST", GRP, {"name": "G"}).json["id"]
    ada = api.server.tokens["ada"]["id"]
    member(api, group, USER_TYPE, 1), member(api, group, USER_TYPE, ada)
    assert api.get(MEM)["meta"]["total"] == 2 and api.get(MEM, user="ada")["meta"]["total"] == 1
    assert api.call("GET", MEM, user="grace").status == (403 if is_modern(api) else 200)


def test_group_lists_give_the_membership_s_id(api):
    group = api.call("POST", GRP, {"name": "G"}).json["id"]
    api.call("POST", GRP, {"name": "H"})
    member(api, group, GROUP_TYPE, 2), member(api, group, USER_TYPE, 1)
    path = f"{GRP}/{group}/users" if is_modern(api) else f"/group_users/{group}"
    wanted = [(2, 1, "admin")]
    if not is_modern(api):
        wanted.insert(0, (1, 2, "ada"))  # 2020 takes the member group 2 for user 2
    assert [(row["id"], row["member_id"], row["username"]) for row in api.get(path)["data"]] == wanted
    if is_modern(api):
        assert [(row["id"], row["member_id"], row["name"]) for row in api.get(f"{GRP}/{group}/groups")["data"]] == [
            (1, 2, "H")
        ]


def test_deleting_a_group_takes_members_and_rights_along(api):
    group = api.call("POST", GRP, {"name": "G"}).json["id"]
    member(api, group, USER_TYPE, 1)
    api.call("PUT", PERM, {"group_id": group, "permission_names": ["view-groups"]})
    assert api.call("DELETE", f"{GRP}/{group}").status == 204
    assert api.get(MEM)["data"] == [] and not [grant for grant in api.server.store.grants if grant[0] == GROUP_TYPE]


def test_a_membership_of_a_lost_group_is_500_in_4_14_but_deleted(api):
    outer, inner = (api.call("POST", GRP, {"name": name}).json["id"] for name in ("outer", "inner"))
    number = member(api, outer, GROUP_TYPE, inner).json["id"]
    api.call("DELETE", f"{GRP}/{inner}")
    assert api.get(MEM)["meta"]["total"] == 1, "the membership of the deleted group stays"
    assert [api.call("DELETE", f"{MEM}/{number}").status for _ in range(2)] == [500 if is_modern(api) else 204, 404]


def test_deleting_a_group_in_itself_is_500_but_done(api):
    group = api.call("POST", GRP, {"name": "G"}).json["id"]
    member(api, group, GROUP_TYPE, group)
    assert api.call("DELETE", f"{GRP}/{group}").status == (500 if is_modern(api) else 204)
    assert api.call("GET", f"{GRP}/{group}").status == 404


def names_of(api, group):
    row = next(row for row in api.get(GRP + "?include=permissions&per_page=100")["data"] if row["id"] == group)
    return sorted(entry["name"] for entry in row["permissions"])


def test_put_permissions_replaces_and_drops_unknown_names(api):
    group = api.call("POST", GRP, {"name": "G"}).json["id"]
    for sent, have in (
        (["view-data-sources", "nosuch"], ["view-data-sources"]),
        (["VIEW-groups", " edit-groups "], ["edit-groups", "view-groups"]),
        ([], []),
    ):
        assert api.call("PUT", PERM, {"group_id": str(group), "permission_names": sent}).status == 204
        assert names_of(api, group) == have
    for body in (
        {"group_id": group},
        {"group_id": group, "permission_names": "view-groups"},
        {"permission_names": []},
        {"group_id": group, "permission_names": None},
    ):
        assert api.call("PUT", PERM, body).status == 500
    assert api.call("PUT", PERM, {"group_id": 99, "permission_names": []}).status == 404


def test_catalogue(modern, old):
    catalogue = modern.get(PERM, user="grace")
    assert "view-data-sources" in [entry["name"] for entry in catalogue["Data Connectors"]]
    assert old.call("GET", PERM).status == 404


def test_put_permissions_is_not_atomic():
    with start(permission_window=0.2) as server:
        api = Client(server)
        group = api.call("POST", GRP, {"name": "G"}).json["id"]
        sets = (["view-groups", "view-users"], ["view-groups", "edit-groups"])
        together(2, lambda at: api.call("PUT", PERM, {"group_id": group, "permission_names": sets[at]}))
        assert names_of(api, group) == ["edit-groups", "view-groups", "view-groups", "view-users"]
        server.switches.permission_window = 0
        mix = {"group_id": group, "permission_names": ["view-groups", "view-users", "edit-groups"]}
        api.call("PUT", PERM, mix)
        assert names_of(api, group).count("view-groups") == 2, "writing the set does not mend it"
        api.call("PUT", PERM, {"group_id": group, "permission_names": []})
        api.call("PUT", PERM, mix)
        assert names_of(api, group).count("view-groups") == 1


def test_group_n_meets_user_n(modern):
    ada = modern.server.tokens["ada"]["id"]
    for number in range(ada):
        modern.call("POST", GRP, {"name": f"g{number}"})
    assert modern.call("GET", DS, user="ada").status == 200
    modern.call("PUT", PERM, {"group_id": ada, "permission_names": ["view-users"]})
    assert modern.call("GET", USR, user="ada").status == 200 and modern.call("GET", DS, user="ada").status == 403
    modern.call("PUT", PERM, {"group_id": ada, "permission_names": []})
    assert modern.call("GET", USR, user="ada").status == 403 and modern.call("GET", DS, user="ada").status == 403
    modern.call("PUT", PERM, {"user_id": ada, "permission_names": ["view-data-sources"]})
    assert modern.call("GET", DS, user="ada").status == 200


def test_group_n_does_not_meet_user_n_in_2020_or_switched_off(old):
    for api, stop in ((old, None), (Client(start(group_meets_user=False)), True)):
        ada = api.server.tokens["ada"]["id"]
        for number in range(ada):
            api.call("POST", GRP, {"name": f"g{number}"})
        api.call("PUT", PERM, {"group_id": ada, "permission_names": ["view-users"]})
        assert api.call("GET", USR, user="ada").status == 403 and api.call("GET", DS, user="ada").status == 200
        if stop:
            api.server.stop()


def test_edit_users_makes_itself_super_admin_unless_switched_off(modern):
    grace = modern.server.tokens["grace"]["id"]
    modern.call("PUT", PERM, {"user_id": grace, "permission_names": ["edit-users"]})
    body = {"user_id": grace, "permission_names": ["edit-users"], "is_administrator": True}
    modern.server.switches.self_promotion = False
    assert modern.call("PUT", PERM, body, user="grace").status == 403
    modern.server.switches.self_promotion = True
    assert modern.call("PUT", PERM, body, user="grace").status == 204
    assert modern.get(f"{USR}/{grace}")["is_administrator"] is True


def test_users(api):
    assert [row["username"] for row in api.get(USR)["data"]] == ["ada", "admin", "grace"]
    assert len(api.get(USR + "?filter=ADA")["data"]) == 1
    ada = api.server.tokens["ada"]["id"]
    assert api.call("GET", f"{USR}/{ada}", user="ada").status == 200
    assert api.call("GET", f"{USR}/1", user="ada").json == {"message": "Not authorized to update this user."}


# faults

NEW = {"name": "crm", "status": "ACTIVE"}


def attempt(api, **fault):
    """One POST of a category under a fault: the reply, or None for a connection that ended; and what is there then."""
    api.server.faults.add(method="POST", path=CAT, nth=1, **fault)
    try:
        reply = api.call("POST", CAT, NEW)
    except (http.client.HTTPException, OSError):
        reply = None
    return reply, api.get(CAT)["meta"]["total"]


@pytest.mark.parametrize(
    "fault, status, done",
    [
        ({"action": "lose_reply"}, None, 1),
        ({"action": "fail_before"}, 500, 0),
        ({"action": "fail_before", "status": 502}, 502, 0),
        ({"action": "error_after"}, 500, 1),
        ({"action": "too_many", "retry_after": 3}, 429, 0),
        ({"action": "unavailable"}, 503, 0),
        ({"action": "unavailable", "after": True}, 503, 1),
        ({"action": "bad_gateway"}, 502, 0),
        ({"action": "gateway_timeout", "after": True}, 504, 1),
        ({"action": "truncate"}, None, 1),
        ({"action": "login_page"}, 200, 0),
        ({"action": "login_page", "status": 302}, 302, 0),
        ({"action": "delay", "seconds": 0.05}, 201, 1),
    ],
)
def test_faults(modern, fault, status, done):
    reply, total = attempt(modern, **fault)
    assert (reply.status if reply else None, total) == (status, done)
    if status in (429, 503):
        assert reply.headers["retry-after"] == str(fault.get("retry_after", 60))
    if status in (502, 504) and fault["action"] != "fail_before" or status in (200, 302):
        assert b"<html" in reply.body and reply.json is None
    assert modern.server.requests[0]["faults"] == [fault["action"]]


def test_truncate_keeps_the_named_number_of_bytes(modern):
    modern.server.faults.add(action="truncate", keep=5)
    connection = http.client.HTTPConnection("127.0.0.1", modern.server.port)
    connection.request("GET", API + GRP, headers={"Authorization": "Bearer " + modern.server.token()})
    with pytest.raises(http.client.IncompleteRead) as caught:
        connection.getresponse().read()
    assert len(caught.value.partial) == 5


def test_expired_token_stays_expired(modern):
    token = modern.server.token("ada")
    modern.server.faults.add(action="expire_token", nth=2)
    assert [modern.call("GET", DS, token=token).status for _ in range(3)] == [200, 401, 401]


def test_faults_choose_by_method_path_and_number(modern):
    modern.category()
    modern.server.faults.replace(
        [
            {"action": "fail_before", "method": "GET", "path": "/data_sources/*", "nth": [2, 3]},
            {"action": "too_many", "path": GRP, "times": 1},
        ]
    )
    number = modern.connector()
    assert [modern.call("GET", f"{DS}/{number}").status for _ in range(4)] == [200, 500, 500, 200]
    assert [modern.call("GET", GRP).status for _ in range(2)] == [429, 200]
    assert modern.call("GET", DS).status == 200


def test_chance_is_seeded():
    def run(seed):
        with start(random_seed=seed, faults=[{"action": "fail_before", "chance": 0.5}]) as server:
            return [Client(server).call("GET", GRP).status for _ in range(20)]

    assert run(7) == run(7) and 200 in run(7) and 500 in run(7) and run(7) != run(8)


def test_control_endpoint(modern):
    reply = modern.call(
        "POST", "/__faults", {"faults": [{"action": "error_after", "path": CAT}], "switches": {"retry_after": 5}}
    )
    assert reply.json["faults"][0]["action"] == "error_after" and reply.json["switches"]["retry_after"] == 5
    assert modern.call("POST", CAT, NEW).status == 500
    assert modern.call("DELETE", "/__faults").json["faults"] == []
    assert modern.call("GET", CAT).json["meta"]["total"] == 1
    assert modern.call("POST", "/__faults", {"faults": [{"action": "nonsense"}]}).status == 400
    assert [entry["method"] for entry in modern.call("GET", "/__requests").json] == ["POST", "GET"]
    modern.call("POST", "/__reset", {})
    assert modern.get(CAT)["meta"]["total"] == 0


def test_rate_limit_and_latency(modern):
    modern.server.simulator.set(rate_limit=3)
    statuses = [modern.call("GET", GRP).status for _ in range(6)]
    assert statuses.count(429) >= 2 and statuses[:3] == [200] * 3
    modern.server.simulator.set(rate_limit=0, latency=0.2)
    began = time.monotonic()
    modern.call("GET", GRP)
    assert time.monotonic() - began >= 0.2


def test_killed_between_two_writes_and_started_again(modern):
    modern.server.faults.add(action="kill", method="POST", nth=2)
    port = modern.server.port
    modern.category("a")
    with pytest.raises((http.client.HTTPException, OSError)):
        modern.category("b")
    with pytest.raises(OSError):
        modern.get(CAT)
    assert modern.server.killed
    modern.server.restart()
    assert modern.server.port == port and [row["name"] for row in modern.get(CAT)["data"]] == ["a"]


def test_requests_are_logged_without_secrets(modern):
    modern.call("POST", CAT + "?x=1", NEW, user="ada")
    entry = modern.server.requests[-1]
    assert (entry["method"], entry["path"], entry["query"], entry["body"], entry["user"], entry["status"]) == (
        "POST",
        CAT,
        {"x": "1"},
        NEW,
        "ada",
        403,
    )
    assert "authorization" not in entry["headers"]


# starting it


def command(*more):
    process = subprocess.Popen([sys.executable, str(SIMULATOR), *more], stdout=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())


def test_command_line_prints_one_line_and_ends_on_a_signal():
    process, ready = command("--profile", "2020", "--port", "0")
    assert ready["url"].startswith("http://127.0.0.1:") and ready["url"].endswith(API)
    assert set(ready["tokens"]) == {"admin", "ada", "grace"} and ready["tokens"]["admin"]["permissions"] == ["*"]
    process.send_signal(signal.SIGTERM)
    with process:
        assert process.wait(5) == 0 and process.stdout.read() == ""


def test_state_outlives_a_killed_process(tmp_path):
    faults, state = tmp_path / "faults.json", tmp_path / "state.json"
    faults.write_text(json.dumps([{"action": "kill", "method": "POST", "nth": 2, "after": True}]))
    process, ready = command("--state", str(state), "--faults", str(faults))

    def post(name):
        connection = http.client.HTTPConnection(ready["url"].split("/")[2], timeout=5)
        connection.request(
            "POST",
            API + CAT,
            json.dumps({"name": name, "status": "ACTIVE"}),
            {"Authorization": "Bearer " + ready["tokens"]["admin"]["token"], "Content-Type": "application/json"},
        )
        with closing(connection):
            return connection.getresponse().status

    assert post("a") == 201
    with pytest.raises((http.client.HTTPException, OSError)):
        post("b")
    with process:
        assert process.wait(5) == 137
    process, again = command("--state", str(state))
    try:
        assert again["tokens"]["admin"]["token"] == ready["tokens"]["admin"]["token"]
        assert len(json.loads(state.read_text())["categories"]["rows"]) == 2
    finally:
        process.terminate()
        process.communicate(timeout=5)


def test_tls(authority):
    with instance(authority=authority) as server:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=authority.trusting())
        headers = {"Authorization": "Bearer " + server.token(), "Accept": "application/json"}
        with closing(connection):
            connection.request("GET", API + CAT, headers=headers)
            meta = json.loads(connection.getresponse().read())["meta"]
        assert server.url == f"processmaker+https://127.0.0.1:{server.port}"
        assert server.api.startswith("https:") and meta["path"].startswith("https://127.0.0.1")


def test_seed():
    seed = {
        "permissions": [
            {
                "id": 5,
                "name": "view-data-sources",
                "title": "View",
                "group": "Data Connectors",
                "created_at": "2027-01-01 00:00:00",
                "updated_at": "2027-01-01 00:00:00",
            }
        ],
        "users": [{"id": 1, "username": "admin", "is_administrator": True}, {"id": 8, "username": "eve"}],
        "groups": [{"id": 4, "name": "Integrators"}],
        "categories": [{"id": 2, "name": "CRM"}],
        "connectors": [
            {"id": 7, "name": "contacts", "categories": [2], "credentials": {"a": 1}, "endpoints": {"l": {}}}
        ],
        "members": [{"id": 3, "group_id": 4, "member_type": USER_TYPE, "member_id": 8}],
        "grants": [{"group": 4, "names": ["view-data-sources"]}],
        "last_ids": {"connectors": 20},
    }
    with start(seed=seed) as server:
        api = Client(server)
        assert set(server.tokens) == {"admin", "eve"}
        assert api.get(DS, user="eve")["data"][0]["name"] == "contacts"
        assert api.connector("next", "2") == 21


def test_many_clients_at_once(modern):
    modern.category()
    numbers = together(8, lambda at: [modern.connector(f"c {at} {n}") for n in range(5)])
    assert sorted(number for group in numbers for number in group) == list(range(1, 41))
    assert max(entry["in_flight"] for entry in modern.server.requests) > 1


def test_one_connection_serves_many_requests(modern):
    connection = http.client.HTTPConnection("127.0.0.1", modern.server.port)
    headers = {"Authorization": "Bearer " + modern.server.token(), "Content-Type": "application/json"}
    for name in ("a", "b"):
        connection.request("POST", API + CAT, json.dumps({"name": name, "status": "ACTIVE"}), headers)
        assert connection.getresponse().read()
    socket_before = connection.sock
    connection.request("DELETE", f"{API}{CAT}/1", headers=headers)
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (204, b"") and connection.sock is socket_before is not None
    connection.close()


def test_collections_in_a_seed():
    with start(
        seed={"users": [{"username": "admin", "is_administrator": True}], "collections": [{"number": 4, "name": "C"}]}
    ) as server:
        row = Client(server).get(DS)["data"][0]
        assert row["endpoints"]["get"]["url"] == "/api/1.0/collections/4/records/{{id}}"


# Tokens


def ask_token(server, **sent):
    data = urlencode(sent)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with closing(connection):
        connection.request("POST", "/oauth/token", data, {"Content-Type": "application/x-www-form-urlencoded"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())


def test_password_grant_and_refresh(api):
    login = api.server.login("ada")
    client = {"client_id": login["clientId"], "client_secret": login["clientSecret"]}
    person = {"grant_type": "password", "username": "ada", "password": login["password"]}
    status, first = ask_token(api.server, **client, **person)
    assert (status, first["expires_in"]) == (200, 31536000)
    assert api.call("GET", DS, token=first["access_token"]).status == 200
    assert api.server.requests[-1]["user"] == "ada"
    assert api.server.requests[0]["body"] == {"grant_type": "password", "client_id": "2", "username": "ada"}
    renewal = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    _, second = ask_token(api.server, **client, **renewal)
    assert api.call("GET", DS, token=first["access_token"]).status == 401
    assert api.call("GET", DS, token=second["access_token"]).status == 200
    assert ask_token(api.server, **client, **renewal)[0] == 401
    wrong = ask_token(api.server, **client, **{**person, "password": "x"})
    assert (wrong[0], wrong[1]["error"]) == (400, "invalid_grant")
    wrong = ask_token(api.server, **{**client, "client_secret": "x"}, **person)
    assert (wrong[0], wrong[1]["error"]) == (401, "invalid_client")


def test_a_client_s_own_token_is_no_good_and_tokens_end(modern):
    login = modern.server.login()
    client = {"client_id": login["clientId"], "client_secret": login["clientSecret"]}
    _, given = ask_token(modern.server, grant_type="client_credentials", **client)
    assert modern.call("GET", DS, token=given["access_token"]).status == 401
    modern.server.switches.token_seconds = 0
    person = {"username": login["username"], "password": login["password"]}
    _, given = ask_token(modern.server, grant_type="password", **client, **person)
    assert modern.call("GET", DS, token=given["access_token"]).status == 401
