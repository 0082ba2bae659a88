"""What people get wrong in URLs, bodies, headers and samples: what is told, where, and what is almost the fault and passes."""

import json
from functools import cache
from typing import Any

import pytest
from conftest import CATEGORY, Workspace
from draws import draws
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds.connector import _of_endpoints
from reconciler.kinds.plain_endpoints import are_plain
from reconciler.source.documents import DocumentReader

HEAD = "apiVersion: reconciler/v1\nkind: Connector\nmetadata: {name: one}\nspec:\n  displayName: One\n  categories: [crm]\n  endpoints:\n    e:\n"


@cache
def reader() -> DocumentReader:
    return DocumentReader()


def told(*lines: str) -> list[str]:
    """What is found in an endpoint of these lines: code, line of the endpoint, columns, message."""
    found = reader().read("connectors/one.yaml", (HEAD + "".join(f"      {line}\n" for line in lines)).encode())
    return [
        f"{item.code} {item.span.line - 8}:{item.span.column}-{item.span.end_column} {item.message}"
        for item in found.diagnostics
    ]


def of_url(url: str) -> list[str]:
    return told("method: GET", f"url: {json.dumps(url)}")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.example/{id}", ["RC506 2:31-35 {id} would be sent as it stands"]),
        ("https://x.example/${id}/y", ["RC506 2:31-36 ${id} would be sent as it stands"]),
        ("https://x.example/<id>", ["RC506 2:31-35 <id> would be sent as it stands"]),
        ("https://x.example/{{a}}/{id}", ["RC506 2:37-41 {id} would be sent as it stands"]),
        ("https://x.example/:id/y", ["RC507 2:31-34 :id is sent as it stands"]),
        ("https://x.example/%7Bid%7D", ["RC507 2:31-39 %7Bid%7D is sent as it stands"]),
        ("https://x.example/${{id}}", ["RC507 2:31-32 a $ before a placeholder is sent with its value"]),
        ("https://x.example/?api_key=abc", ["RC411 2:32-43 the URL carries credentials: api_key"]),
        ("https://x.example/?a=1&access_token=abc&b=2", ["RC411 2:36-52 the URL carries credentials: access_token"]),
        ("https://x.example/a?X%2DApi%2DKey=abc", ["RC411 2:33-50 the URL carries credentials: X-Api-Key"]),
        ("https://x.example/{{removed}}", ["RC511 2:31-42 here `import` took out what looked like a secret"]),
    ],
)  # fmt: skip
def test_urls_that_say_something_else(url: str, expected: list[str]) -> None:
    """The place is that of the part which is wrong."""
    assert of_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/{{id}}", "https://x.example/{{{id}}}", "https://{{host}}:8080/a:b/{{a.b}}?q={{q}}&page=1",
        "https://x.example/v1/things:cancel", "https://x.example/root:/{{path}}:/children", "https://x.example/%7B%7D",
        "https://x.example/?api_key={{key}}", "https://x.example/?page_token=abc", "https://x.example/?key=",
        "https://x.example/?filter={A1B2C3D4-0000-1111-2222-333344445555}", "/own/{{id}}", "{{base}}/x",
        "https://x.example/{{#a}}{{b}}{{/a}}", "https://x.example/?fields={a,b}", "https://x.example/Items('{{id}}')",
    ],
)  # fmt: skip
def test_urls_that_are_meant(url: str) -> None:
    """Nothing is said of what a server may want like that."""
    assert of_url(url) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"a": 1,}', ["RC508 3:21-22 the body is no JSON: a comma stands before the end of a list or mapping"]),
        ("{'a': 1}", ["RC508 3:13-25 the body is no JSON: a text stands in single quotes"]),
        ('{"a": b}', ["RC508 3:20-21 the body is no JSON: a value or its quotes are missing"]),
        ('{"a": 1} x', ["RC508 3:23-24 the body is no JSON: something stands behind its end"]),
        ('{"a": {{a}} "b": 2}', ["RC508 3:26-27 the body is no JSON: a comma is missing, or a quote ends too early"]),
        ('{"a": "[removed]"}', ["RC511 3:21-30 here `import` took out what looked like a secret"]),
    ],
)
def test_bodies_that_no_call_can_send(body: str, expected: list[str]) -> None:
    """Whatever the placeholders hold; told at the character."""
    line = "'" + body.replace("'", "''") + "'"
    assert told("method: POST", "url: https://x.example/", f"body: {line}") == expected


def test_a_line_of_a_body_is_told() -> None:
    """Within a block the line and column of the file are those of the fault."""
    lines = ("method: POST", "url: https://x.example/", "body: |", "  {", '    "a": {{a}},', '    "b": 1,', "  }")
    assert told(*lines) == [
        "RC508 6:17-18 the body is no JSON: a comma stands before the end of a list or mapping (line 3 of it)"
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ('body: \'{"a": {{a}}, "b": "x{{b}}", {{k}}: -{{n}}}\'',),
        ("body: '{{body}}'",),
        ("body: '{{#a}}{\"x\": 1}{{/a}}'",),
        ("body: '{\"a\": {{{raw}}} }'",),
        ("body: <xml/>", "headers: [{name: content-type, value: text/xml}]"),
        ("body: '{{form}}'", "bodyType: form-urlencoded"),
        ("body: '{\"a\": {{a}}}'", "bodyType: multipart"),
        ("body: ' '",),
    ],
)
def test_bodies_that_may_be_right(lines: tuple[str, ...]) -> None:
    """Sections and raw values may make JSON of anything, and other types need not be JSON."""
    assert told("method: POST", "url: https://x.example/", *lines) == []


@pytest.mark.parametrize("body", ["[1]", "1", "{}"])
def test_a_form_is_a_mapping(body: str) -> None:
    """A key for each field."""
    found = told("method: POST", "url: https://x.example/", f"body: '{body}'", "bodyType: form-urlencoded")
    assert [item[:5] for item in found] == ["RC508"]


def test_samples_and_templates_agree() -> None:
    """A misspelt key is one of both; an optional parameter is left out of a test call, and needs none."""
    lines = ("method: GET", "url: https://x.example/{{account}}", "params: [{name: p, value: '{{p}}'}]")
    assert told(*lines, "sample: {account: 1}") == []
    assert told(*lines, "sample: {acount: 1}") == [
        "RC510 4:7-13 the sample has no value for account",
        "RC509 4:16-22 no template of the connector uses acount",
    ]
    required = ("params: [{name: p, value: '{{p}}', required: true}]", "sample: {account: 1}")
    assert told(*lines[:2], *required) == ["RC510 4:7-13 the sample has no value for p"]
    assert told("method: GET", "url: https://x.example/{{password}}/{{a}}", "sample: {a: 1}") == []
    assert told("method: GET", "url: 'https://x.example/{{#l}}{{x}}{{/l}}{{a.b}}'", "sample: {l: [], a: {b: 1}}") == []


def test_headers_of_the_transport_and_twice() -> None:
    """What a call refuses, and what servers disagree on; other headers may be repeated."""
    lines = ("method: GET", "url: https://x.example/")
    assert told(*lines, "headers: [{name: Host, value: a}]") == [
        "RC513 3:24-28 the header host is set by the transport"
    ]
    two = "headers: [{name: %s, value: a}, {name: %s, value: %s}]"
    assert [item[:5] for item in told(*lines, two % ("Content-Type", "content-type", "b"))] == ["RC512"]
    assert [item[:5] for item in told(*lines, two % ("X-A", "X-a", "a"))] == ["RC512"]
    assert told(*lines, two % ("Prefer", "Prefer", "b")) == []


def test_values_of_other_languages() -> None:
    """A parameter that is one placeholder, but not of mustache."""
    lines = ("method: GET", "url: https://x.example/")
    assert told(*lines, "params: [{name: p, value: '${p}'}]") == ["RC507 3:33-39 ${p} is sent as it stands"]
    assert told(*lines, "params: [{name: p, value: '{\"a\": 1}'}]") == []


def test_credentials_in_a_query_are_never_shown(workspace: Workspace) -> None:
    """Neither in the line that is told, nor anywhere else."""
    workspace.edit("connectors/crm.yaml", "{{account}}", "{{account}}?api_key=cnry-secret&x=1")
    for name in ("text", "json", "sarif", "github", "gitlab", "junit"):
        result = workspace.run("validate", "-o", name)
        assert result.exit_code == 3
        assert "RC411" in result.output
        assert "cnry" not in result.output


PIECES = ["/", "{{a}}", "{{b}}", "{a}", "${a}", "<a>", ":a", "?", "a=1", "&key=x", "x", ".", "%7Ba%7D", "{{removed}}", "{{", "}}", "{{{a}}}", "@", " ", "\n"]  # fmt: skip
BODIES = ['{"a": {{a}}}', '{"a": "{{b}}"}', "{", "1", "", "{{a}}", '"[removed]"', "{{{a}}}", "null", "{{#a}}1{{/a}}"]
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "Host", "X", "x", "key", "{{a}}", "Authorization"])},
        optional={
            "value": st.sampled_from(["", "1", "{{a}}", "{{b", "{a}", "[removed]", "x {{a}}", "{{a}} {x}"])
            | st.just({"env": "A"}),
            "required": st.booleans(),
        },
    ),
    max_size=3,
)


@settings(max_examples=draws(600), deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "method": st.just("GET"),
                "url": st.tuples(
                    st.sampled_from(["https://x.example", "http://x.example", "", "https://h"]),
                    st.lists(st.sampled_from(PIECES), max_size=4).map("".join),
                ).map("".join),
            },
            optional={
                "body": st.sampled_from(BODIES),
                "bodyType": st.sampled_from(["json", "raw", "multipart"]),
                "params": ENTRIES,
                "headers": ENTRIES,
                "sample": st.dictionaries(st.sampled_from("abc"), st.just(1)),
            },
        ),
        min_size=1,
        max_size=2,
    )
)
def test_what_is_plain_has_no_fault(endpoints: list[dict[str, Any]]) -> None:
    """The fast question of whether there is anything to ask never says so wrongly."""
    spec = {
        "authorization": {"method": "basic"},
        "endpoints": {str(number): endpoint for number, endpoint in enumerate(endpoints)},
    }
    if are_plain(spec["endpoints"]):
        assert _of_endpoints(spec, 0, plain=False) == []


def test_a_usual_endpoint_is_plain() -> None:
    """Or else all would be asked everything."""
    usual = {
        "method": "POST",
        "url": "https://api.x.example:8443/v1/orders/{{account}}/lines:batch",
        "params": [{"name": "limit", "value": "5", "required": True}, {"name": "q", "value": "{{q}}"}],
        "headers": [{"name": "Accept", "value": "application/json"}, {"name": "X-Api-Key", "value": {"env": "A"}}],
        "bodyType": "json",
        "body": '{"n": {{n}}, "t": "{{t}}"}',
        "sample": {"account": 1, "q": "", "n": 1, "t": "x"},
    }
    assert are_plain({"e": usual, "f": {"method": "GET", "url": "/own"}})


def test_nothing_is_said_of_what_the_scaffold_holds(workspace: Workspace) -> None:
    """And the category beside it."""
    workspace.write("connectors/other.yaml", CATEGORY.replace("crm", "erp").replace("Customer data", "Orders"))
    assert workspace.ok("validate", "--strict").stdout.endswith("valid.\n")
