"""HAR recordings."""

import json
from typing import Any

import pytest
from openapi_checks import check

from reconciler.importers.har import Choice, convert
from reconciler.importers.openapi import Imported
from reconciler.importers.syntax import NotImportable

API = "https://api.example.com"
JSON_TYPE = "application/json; charset=utf-8"


def entry(url: str, method: str = "GET", *, body: Any = None, media: str = JSON_TYPE, **more: Any) -> dict[str, Any]:
    """One request of a recording."""
    headers = [{"name": name, "value": value} for name, value in more.pop("headers", {}).items()]
    request: dict[str, Any] = {"method": method, "url": url, "headers": headers}
    if body is not None:
        request["postData"] = {"mimeType": media, "text": body if isinstance(body, str) else json.dumps(body)}
    return {"request": request, **more}


def recording(*entries: dict[str, Any]) -> dict[str, Any]:
    """A recording of a browser."""
    return {"log": {"version": "1.2", "creator": {"name": "Browser", "version": "1"}, "entries": list(entries)}}


def imported(*entries: dict[str, Any], server: str | None = None, pages: bool = False) -> Imported:
    """The import of a recording; what is true of every import is checked on the way."""
    found = convert(recording(*entries), Choice(None, ["pets"], server, pages))
    check(found)
    return found


def endpoints_of(*entries: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The endpoints of the one connector."""
    (document,) = imported(*entries, **options).documents
    found: dict[str, Any] = document["spec"]["endpoints"]
    return found


def test_an_entry_becomes_an_endpoint() -> None:
    """What the client adds is left out; ids in the path are placeholders; the body's values are samples."""
    headers = {
        "Host": "api.example.com",
        ":authority": "api.example.com",
        "User-Agent": "Mozilla/5.0",
        "sec-ch-ua": "x",
        "Origin": "https://app.example.com",
        "Referer": "https://app.example.com/",
        "Accept": "*/*",
        "Accept-Encoding": "gzip",
        "Content-Type": JSON_TYPE,
        "X-Team": "blue",
    }
    body = {"name": "Jo", "n": 7, "on": False, "meta": {"x": [1.5, None]}}
    url = f"{API}/pets/42/toys/7d444840-9dc0-11d1-b245-5ffdce74fad2?expand=a%20b&owner=123456"
    assert endpoints_of(entry(url, "PUT", body=body, headers=headers)) == {
        "PUT /pets/{pet_id}/toys/{toy_id}": {
            "method": "PUT",
            "url": f"{API}/pets/{{{{pet_id}}}}/toys/{{{{toy_id}}}}",
            "params": [{"name": "expand", "value": "a b"}, {"name": "owner", "value": "{{owner}}"}],
            "headers": [{"name": "X-Team", "value": "blue"}],
            "body": '{\n  "name": "{{name}}",\n  "n": {{n}},\n  "on": {{on}},\n  "meta": {\n    "x": [\n      {{meta_x}},\n      null\n    ]\n  }\n}',
            "sample": {
                "pet_id": "42",
                "toy_id": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
                "owner": "123456",
                "name": "Jo",
                "n": 7,
                "on": False,
                "meta_x": 1.5,
            },
        }
    }  # fmt: skip


def test_requests_that_are_alike_are_one_endpoint() -> None:
    """What differs among them is a placeholder; another body, method or query is another endpoint."""
    found = endpoints_of(
        entry(f"{API}/pets/1?page=1&size=9"),
        entry(f"{API}/pets/2?page=2&size=9"),
        entry(f"{API}/pets/2"),
        entry(f"{API}/pets", "POST", body={"a": 1}),
        entry(f"{API}/pets", "POST", body={"a": 2}),
        entry(f"{API}/pets", "POST", body={"a": "x"}),
    )
    assert list(found) == ["GET /pets/{pet_id}", "GET /pets/{pet_id} (2)", "POST /pets", "POST /pets (2)"]
    assert found["GET /pets/{pet_id}"]["params"] == [
        {"name": "page", "value": "{{page}}"},
        {"name": "size", "value": "9"},
    ]
    assert found["GET /pets/{pet_id}"]["sample"] == {"pet_id": "1", "page": "1"}


def test_queries_of_graphql_stay_as_they_are() -> None:
    """Two of them are two endpoints, though their bodies are alike."""
    bodies = [{"query": f"query {name} {{ a }}", "variables": {"id": "5"}} for name in ("One", "Two")]
    found = endpoints_of(*(entry(f"{API}/graphql", "POST", body=body) for body in bodies))
    assert [json.loads(one["body"])["query"] for one in found.values()] == ["query One { a }", "query Two { a }"]


def test_what_a_page_loads_is_left_out_and_counted() -> None:
    """By the browser's word, or the type of the answer; --pages takes it over."""
    entries = [
        entry(f"{API}/", _resourceType="document"),
        entry(f"{API}/a.js", _resourceType="script"),
        entry(f"{API}/b", response={"content": {"mimeType": "image/png"}}),
        entry(f"{API}/c.css"),
        entry(f"{API}/d", _resourceType="fetch"),
    ]
    found = imported(*entries)
    assert [note.message for note in found.notes if note.code == "resource-skipped"] == [
        "4 requests for pages, images, styles, scripts and the like were left out; see --pages"
    ]
    assert list(endpoints_of(*entries)) == ["GET /d"]
    assert len(endpoints_of(*entries, pages=True)) == 5


def test_each_host_has_a_connector() -> None:
    """So that none is sent what authorizes at another; --server chooses one."""
    entries = [
        entry(f"{API}/a", headers={"Authorization": "Bearer abcdefgh"}),
        entry(f"{API}/b", headers={"Authorization": "Bearer ijklmnop"}),
        entry("https://other.example/v1/c"),
        entry("https://other.example/v10/d"),
    ]
    found = {document["metadata"]["name"]: document["spec"] for document in imported(*entries).documents}
    assert {name: spec["authorization"] for name, spec in found.items()} == {
        "api-example-com": {"method": "bearer", "token": {"env": "API_EXAMPLE_COM_TOKEN"}},
        "other-example": {"method": "none"},
    }
    assert list(endpoints_of(*entries, server="https://other.example/v1/")) == ["GET /v1/c"]


@pytest.mark.parametrize("with_params", [True, False])
def test_forms(with_params: bool) -> None:
    """From the fields that the recording tells, or from the text."""
    url_encoded = entry(f"{API}/a", "POST", body="a=x%20y&b=", media="application/x-www-form-urlencoded")
    multipart = entry(f"{API}/b", "POST", body='--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name="f"; filename="g"\r\n\r\nG\r\n--x--', media="multipart/form-data; boundary=x")  # fmt: skip
    if with_params:
        url_encoded["request"]["postData"]["params"] = [{"name": "a", "value": "x%20y"}, {"name": "b", "value": ""}]
        multipart["request"]["postData"]["params"] = [{"name": "a", "value": "1"}, {"name": "f", "fileName": "g"}]
    one, two = endpoints_of(url_encoded, multipart).values()
    assert (one["bodyType"], json.loads(one["body"]), one["sample"]) == ("form-urlencoded", {"a": "{{a}}", "b": "{{b}}"}, {"a": "x y", "b": ""})  # fmt: skip
    assert (two["bodyType"], json.loads(two["body"]), two["sample"]["a"]) == ("multipart", {"a": "{{a}}", "f": "{{f}}"}, "1")  # fmt: skip


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"entries": []}, "this is no HAR recording: it has no list log.entries"),
        (recording(), "the recording holds no request that a connector can send"),
        (recording(entry("wss://a.example/b")), "the recording holds no request that a connector can send"),
        (
            recording(entry("https://a.example/b", "OPTIONS")),
            "the recording holds no request that a connector can send",
        ),
    ],
)
def test_refusals(document: dict[str, Any], message: str) -> None:
    """Say what is missing."""
    with pytest.raises(NotImportable) as refused:
        convert(document, Choice(None, ["pets"], None, pages=False))
    assert str(refused.value) == message
