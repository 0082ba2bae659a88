"""A life of every kind of record that an instance keeps, right and wrong requests alike."""

from simulator.profiles import GROUP_TYPE, USER_TYPE

DS, CAT, GRP, MEM = "/data_sources", "/data_source_categories", "/groups", "/group_members"
USR, PERM = "/users", "/permissions"
CONNECTOR = {"name": "C", "authtype": "NONE", "data_source_category_id": "1"}


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
