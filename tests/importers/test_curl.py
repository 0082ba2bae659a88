"""curl command lines."""

import json
from typing import Any

import pytest
from openapi_checks import check

from reconciler.importers.curl import convert
from reconciler.importers.openapi import Imported
from reconciler.importers.syntax import NotImportable


def imported(text: str, **options: Any) -> Imported:
    """The import of commands; what is true of every import is checked on the way."""
    found = convert(text, "x.sh", **{"categories": ["pets"], **options})
    check(found)
    return found


def endpoint_of(text: str) -> dict[str, Any]:
    """The one endpoint of one command."""
    (document,) = imported(text).documents
    (endpoint,) = document["spec"]["endpoints"].values()
    found: dict[str, Any] = endpoint
    return found


def notes_of(text: str) -> dict[str, str]:
    """Code to place of all notes."""
    return {note.code: note.where for note in imported(text).notes}


def test_a_command_becomes_an_endpoint() -> None:
    """With what it sends, in its order; what it sends as JSON keeps its types as samples."""
    command = """curl -X PUT 'https://api.example.com/v1/pets/7?expand=a%20b&n=1' \\
      -H 'Content-Type: application/json' -H "X-Team: blue" -d '{"name": "Jo \\"x\\"", "age": 7, "tags": [true]}'"""
    assert endpoint_of(command) == {
        "method": "PUT",
        "url": "https://api.example.com/v1/pets/7",
        "params": [{"name": "expand", "value": "a b"}, {"name": "n", "value": "1"}],
        "headers": [{"name": "X-Team", "value": "blue"}],
        "body": '{\n  "name": "{{name}}",\n  "age": {{age}},\n  "tags": [\n    {{tags}}\n  ]\n}',
        "sample": {"name": 'Jo "x"', "age": 7, "tags": True},
    }


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("'a  b'", "a  b"),
        ("a\\ b", "a b"),
        ('"a \\"b\\" \\x"', 'a "b" \\x'),
        ("$'it\\'s \\u00e4\\x41\\101'", "it's äAA"),
        ("'$A `b` $(c)'", "$A `b` $(c)"),
        ("a'b'\"c\"d", "abcd"),
        ("a\\\nb", "ab"),
        ('"a\\\nb"', "ab"),
        ("a#b", "a#b"),
    ],
)
def test_quoting_is_that_of_bash(words: str, value: str) -> None:
    """Each kind of quotation marks, escapes, and lines that go on."""
    endpoint = endpoint_of(f"curl https://api.example.com -H X-A:{words}")
    assert endpoint["headers"] == [{"name": "X-A", "value": " ".join(value.split())}]


def test_variables_of_the_shell_are_not_expanded() -> None:
    """They are references where they are secrets, else placeholders."""
    command = 'curl "https://api.example.com/$ID" -H "X-Api-Key: $KEY" -H "X-Team: ${TEAM:-x}" -u "$USER:$PASS"'
    (document,) = imported(command).documents
    spec = document["spec"]
    assert spec["authorization"] == {"method": "basic", "username": {"env": "USER"}, "password": {"env": "PASS"}}
    (endpoint,) = spec["endpoints"].values()
    assert endpoint["url"] == "https://api.example.com/{{ID}}"
    assert endpoint["headers"] == [
        {"name": "X-Api-Key", "value": {"env": "KEY"}, "required": True},
        {"name": "X-Team", "value": "{{TEAM}}"},
    ]


@pytest.mark.parametrize(
    ("options", "authorization"),
    [
        ('-H "Authorization: Bearer $T"', {"method": "bearer", "token": {"env": "T"}}),
        ("-H 'authorization: bearer abc'", {"method": "bearer", "token": {"env": "API_EXAMPLE_COM_TOKEN"}}),
        ("--oauth2-bearer abc", {"method": "bearer", "token": {"env": "API_EXAMPLE_COM_TOKEN"}}),
        ("-uadmin:secret", {"method": "basic", "username": {"env": "API_EXAMPLE_COM_USERNAME"}, "password": {"env": "API_EXAMPLE_COM_PASSWORD"}}),
        ("-H 'Authorization: Basic YTpi'", {"method": "basic", "username": {"env": "API_EXAMPLE_COM_USERNAME"}, "password": {"env": "API_EXAMPLE_COM_PASSWORD"}}),
    ],
)  # fmt: skip
def test_authorization_becomes_the_connectors(options: str, authorization: dict[str, Any]) -> None:
    """By references, however the command says it."""
    (document,) = imported(f"curl https://api.example.com/a {options}").documents
    assert document["spec"]["authorization"] == authorization


def test_commands_that_are_authorized_differently_say_so() -> None:
    """The connector has what most of them have; two values of one name have two references."""
    text = "curl https://a.example.com/1 -u a:b12345\ncurl https://a.example.com/2 -u a:b12345\ncurl https://a.example.com/3\ncurl https://a.example.com/4 -u c:d12345"
    (document,) = imported(text).documents
    spec = document["spec"]
    assert spec["authorizations"]["basic-2"]["password"] == {"env": "A_EXAMPLE_COM_PASSWORD_2"}
    assert [endpoint.get("authorization") for endpoint in spec["endpoints"].values()] == [None, None, "none", "basic-2"]


def test_a_connector_may_have_all_of_it() -> None:
    """Several authorizations beside certificates that are not verified, in canonical order."""
    (document,) = imported(
        "curl -k https://a.example/1 -u a:b12345\ncurl https://a.example/2 --oauth2-bearer $T"
    ).documents
    assert [*document["spec"]][2:] == ["authorization", "authorizations", "tls", "endpoints"]


@pytest.mark.parametrize(
    ("options", "form", "body", "sample"),
    [
        ("-d a=1 -d 'b=x y&c='", "form-urlencoded", {"a": "{{a}}", "b": "{{b}}", "c": "{{c}}"}, {"a": "1", "b": "x y", "c": ""}),
        ("--data-urlencode 'a=x&y'", "form-urlencoded", {"a": "{{a}}"}, {"a": "x&y"}),
        ("-F a=1 -F b=2", "multipart", {"a": "{{a}}", "b": "{{b}}"}, {"a": "1", "b": "2"}),
    ],
)  # fmt: skip
def test_forms(options: str, form: str, body: dict[str, str], sample: dict[str, str]) -> None:
    """Each field is a placeholder with what was sent."""
    endpoint = endpoint_of(f"curl https://api.example.com/a {options}")
    assert endpoint["method"] == "POST"
    assert endpoint["bodyType"] == form
    assert json.loads(endpoint["body"]) == body
    assert endpoint["sample"] == sample


def test_other_bodies_are_raw_with_their_type() -> None:
    """Text stays as it is; what mustache would read is a sample."""
    raw = endpoint_of("curl https://a.example/b -H 'Content-Type: text/csv' --data-binary 'a;b'")
    assert (raw["bodyType"], raw["body"]) == ("raw", "a;b")
    assert raw["headers"] == [{"name": "Content-Type", "value": "text/csv", "required": True}]
    tagged = endpoint_of("curl https://a.example/b -H 'Content-Type: text/csv' --data-raw '{{a}}'")
    assert (tagged["body"], tagged["sample"]) == ("{{body}}", {"body": "{{a}}"})


def test_get_moves_data_into_the_query() -> None:
    """With -G, and for --url-query."""
    endpoint = endpoint_of("curl -G https://a.example/b?x=0 -d q=1 --data-urlencode 'r=a b' --url-query s=2")
    assert endpoint["method"] == "GET"
    assert {entry["name"]: entry["value"] for entry in endpoint["params"]} == {"x": "0", "s": "2", "q": "1", "r": "a b"}


def test_options_that_an_endpoint_has() -> None:
    """A time limit, attempts, and certificates that are not verified, with the reason."""
    (document,) = imported("curl -sSLkm 9 --retry 3 https://a.example/b").documents
    (endpoint,) = document["spec"]["endpoints"].values()
    assert (endpoint["timeoutSeconds"], endpoint["retry"]) == (9, {"attempts": 3})
    assert document["spec"]["tls"] == {"verify": False, "reason": "The command that was imported had --insecure (-k)."}


@pytest.mark.parametrize(
    ("command", "code", "where"),
    [
        ("curl https://a.example/b -d @/etc/passwd", "file-not-read", "1:26"),
        ("curl https://a.example/b -F a=@/etc/passwd", "file-upload", "1:26"),
        ("curl https://a.example/b --data-urlencode a@/etc/passwd", "file-not-read", "1:26"),
        ("curl https://a.example/b -H @/etc/passwd", "file-not-read", "1:26"),
        ("curl https://a.example/b -T /etc/passwd", "file-not-read", "1:26"),
        ("curl https://a.example/b -b a=b", "cookie-parameter", "1:26"),
        ("curl https://a.example/b \\\n  --proxy http://p", "option-skipped", "2:3"),
        ("curl https://a.example/b --frobnicate", "option-skipped", "1:26"),
        ("curl a.example/b", "server-completed", "1:6"),
        ("curl https://a.example/b#c", "url-changed", "1:6"),
        ("curl https://a.example/b -d '{}'", "media-type-chosen", "1:1"),
        ("curl https://a.example/b -k", "tls-unverified", "1:1"),
        ("curl http://a.example/b -u a:b12345", "plain-http", "1:1"),
        ("curl -I https://a.example/c; curl https://a.example/b", "unsupported-method", "1:1"),
    ],
)
def test_what_cannot_be_carried_over_is_noted(command: str, code: str, where: str) -> None:
    """With line and column of the word."""
    assert notes_of(command)[code] == where


@pytest.mark.parametrize("part", [":id", "{id}", "{{id}}", "${id}", "%7Bid%7D", "<id>"])
def test_a_path_s_placeholders_of_another_language_are_placeholders(part: str) -> None:
    """As documentation writes them."""
    assert endpoint_of(f"curl 'https://a.example/b/{part}/c'")["url"] == "https://a.example/b/{{id}}/c"


def test_several_commands_in_a_file() -> None:
    """One connector a host; comments, prompts, pipes and redirections are no part of a command."""
    text = """# two of them
    $ curl https://a.example/1 | jq '.x' > out && /usr/bin/curl https://b.example/2 2>&1
    curl https://a.example/3 --next https://a.example/4 -o x
    """
    found = imported(text)
    names = {document["metadata"]["name"]: list(document["spec"]["endpoints"]) for document in found.documents}
    assert names == {"a-example": ["GET /1", "GET /3", "GET /4"], "b-example": ["GET /2"]}
    assert [document["metadata"]["name"] for document in imported(text, name="x").documents] == [
        "x-a-example",
        "x-b-example",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wget https://a.example", "x.sh:1:1: there is no curl command"),
        ("", "x.sh:1:1: there is no curl command"),
        ("curl https://a.example -H 'a", "x.sh:1:27: ' is never closed"),
        ('curl \\\n "a', 'x.sh:2:2: " is never closed'),
        ('curl ^"https://a.example^" ^\n -H ^"a: b^"', "x.sh:1:1: this was copied for Windows' cmd"),
        ("curl -I https://a.example", "x.sh holds no request that a connector can send"),
        ("curl", "x.sh holds no request that a connector can send"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    """Say where and what."""
    with pytest.raises(NotImportable) as refused:
        convert(text, "x.sh", categories=["pets"])
    assert str(refused.value) == message
    assert refused.value.hint
