"""One verdict: what the schema refuses has a diagnostic, and what is valid can be sent."""

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace
from draws import draws
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import InvalidDefinitions
from reconciler.kinds.registry import KINDS
from reconciler.kinds.requests import GivenData, build
from reconciler.kinds.connector import rules
from reconciler.kinds.registry import is_valid
from reconciler.source.project import explain

TEST = """\
apiVersion: reconciler/v1
kind: AccessTest
metadata: {name: who}
spec:
  expect:
    - {user: ada, can: "connectors:edit", on: connector/crm-contacts}
"""
TOKENS = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: tokens, labels: {team: sales}}
spec:
  displayName: Tokens
  categories: [crm]
  authorization:
    method: oauth2-password
    tokenUrl: https://crm.example.com/token
    clientId: onboarding
    clientSecret: {env: A_SECRET}
    username: {env: A_USER}
    password: {vault: "secret/crm#client_secret"}
    scopes: [contacts.read]
  endpoints:
    list: {method: GET, url: /x, headers: [{name: X-Key, value: {exec: "pass:crm/key"}}]}
"""
DOCUMENTS = [yaml.safe_load(text) for text in (CATEGORY, CONNECTOR, *POLICY.split("---\n"), TEST, TOKENS)]
FREE = ("description", "reason", "body", "value", "sample", "url", "tokenUrl", "username", "clientId")
"""Texts of any form; of URLs the rules say more."""


def texts_in(value: Any, path: tuple = ()) -> list[tuple]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    keys = [
        (*path, step, None) for step, _ in items if isinstance(step, str) and path[-1:] in (("labels",), ("endpoints",))
    ]
    found = [path] if isinstance(value, str) else []
    return found + keys + [place for step, item in items for place in texts_in(item, (*path, step))]


def with_line_break(document: Any, path: tuple) -> Any:
    """The document with a line break behind the text, or the key, at a path."""
    copy = json.loads(json.dumps(document))
    at_key = path[-1] is None
    path = path[:-1] if at_key else path
    above = copy
    for step in path[:-1]:
        above = above[step]
    if at_key:
        above[path[-1] + "\n"] = above.pop(path[-1])
    else:
        above[path[-1]] += "\n"
    return copy


PLACES = [
    (document, path)
    for document in DOCUMENTS
    for path in texts_in(document)
    if not set(path) & set(FREE) and (path[-1] is None or "labels" not in path)
]


@pytest.mark.parametrize(
    ("document", "path"), PLACES, ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else ""
)
def test_a_final_line_break(document: Any, path: tuple) -> None:
    """Of no name, in no kind and field."""
    broken = with_line_break(document, path)
    assert explain(broken, 0, tuple(KINDS)), path
    assert broken["kind"] not in KINDS or not is_valid(broken["kind"], broken)


@pytest.mark.parametrize(
    "name", ['"crm\\n"', "|\n    crm", ">\n    crm\n", '"crm\\r"', '"crm\\u2028"', '"crm\\u0085"', '"crm\\0"']
)
def test_a_name_with_a_line_break(empty: Workspace, name: str) -> None:
    """At the line where it stands."""
    empty.write("connectors/c.yaml", CATEGORY.replace("{name: crm}", f"\n  name: {name}"))
    result = empty.run("validate")
    assert result.exit_code == 3 and "connectors/c.yaml:4:9: error[RC205]: metadata.name" in result.stdout, (
        result.output
    )


VALUES = (
    None, True, False, 0, 1, 1.0, 1.5, -1, 2**31, 2**53, 10.0**300, "", "a", "\n", "a\n", "é", "😀" * 70, "a" * 70, [], [1, True],
    [1, 1.0], ["a", "a"], [{}], {}, {"a": 1}, {"env": "A\n"}, {"env": "A", "file": "b"}, "2026-13-01T00:00:00Z",
)  # fmt: skip


def places(value: Any, path: tuple = ()) -> list[tuple]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *[place for step, item in items for place in places(item, (*path, step))]]


@settings(max_examples=draws(200), deadline=None)
@given(st.integers(0, 2**63))
def test_nothing_is_refused_without_a_word(seed: int) -> None:
    """Values of other types and forms in each place, more keys and fewer: what is invalid has a diagnostic, and only that."""
    chance = Random(seed)
    document = json.loads(json.dumps(chance.choice(DOCUMENTS)))
    kind = document["kind"]
    for _ in range(chance.randint(1, 3)):
        path = chance.choice(places(document)[1:])
        if path == ("kind",):
            continue
        above = document
        for step in path[:-1]:
            above = above[step]
        match chance.randrange(3):
            case 0:
                del above[path[-1]]
            case 1:
                above[path[-1]] = json.loads(json.dumps(chance.choice(VALUES)))
            case _ if isinstance(above, dict):
                above[chance.choice(("x", "name", "a\n", "", "é", "method", "k" * 300))] = chance.choice(VALUES)
    assert is_valid(kind, document) == (not explain(document, 0, tuple(KINDS)))


URLS = {
    "line break": "https://a.example.com/x\n", "blank": "https://a.example.com/a b", "no host": "https:///x",
    "port too large": "https://a.example.com:99999/", "port 0": "https://a.example.com:0/", "no port": "https://a:/",
    "empty label": "https://a..example.com/", "no address": "https://999.1.1.1/", "no IPv6": "https://[::g]/",
    "control": "https://a.example.com/\x01", "tab": "https://a.example.com/\tx", "backslash": "https://a.example.com\\@b.example.com/",
    "line separator": "https://a.example.com/\u2028", "no-break space": "https://a.example.com/\u00a0", "long label": f"https://{'a' * 64}.com/",
    "no name in IDNA": "https://☃\u200d.example.com/", "only a query": "https://?x", "path with a blank": "/a b", "path with a line break": "/x\n",
    "blank behind a placeholder": "https://a.example.com/{{a}} b", 
    "no host before a placeholder": "https:///{{a}}", "port before a placeholder": "https://a.example.com:99999/{{a}}",
    "blank behind a base": "{{base}}/a b",
}  # fmt: skip
SENDABLE = (
    "https://a.example.com", "https://a.example.com/x?y=1#z", "http://127.0.0.1:8000/x", "http://[::1]:80/", "https://é.example.com/é",
    "https://{{host}}/x", "https://{{host}}:{{port}}/", "{{base}}/x", "{{{base}}}", "{{base}}{{path}}", "https://a.example.com/{{a}}?p=/../{{b}}",
    "/api/{{a}}", "https://a.example.com/{{#a}}x{{/a}}", "https://a.example.com/{{ a }}", "https://a_b.example.com/",
    "https://a.example.com./", "https://a.b.c.d.e.example.com/", "https://a.example.com/%20",
)  # fmt: skip


def codes(url: str) -> set[str]:
    spec = {"displayName": "X", "categories": ["crm"], "endpoints": {"list": {"method": "GET", "url": url}}}
    return {finding.code for finding in rules(spec, 0)}


@pytest.mark.parametrize("name", URLS)
def test_url_that_no_call_can_send(workspace: Workspace, name: str) -> None:
    """Of an endpoint, a token and a request for a token; at its line."""
    url = URLS[name]
    document = {**DOCUMENTS[1], "spec": {**DOCUMENTS[1]["spec"], "endpoints": {"list": {"method": "GET", "url": url}}}}
    assert codes(url) & {"RC402", "RC503"} or not is_valid("Connector", document)
    if url.startswith("https://") and "{{" not in url:
        written = json.dumps(url, ensure_ascii=True)
        workspace.edit("connectors/crm.yaml", "https://crm.example.com/contacts/{{account}}", written)
        workspace.write("connectors/t.yaml", TOKENS.replace("https://crm.example.com/token", written))
        result = workspace.run("validate")
        assert result.exit_code == 3, result.output
        assert (
            "connectors/crm.yaml:22:12: error[RC" in result.stdout
            and "connectors/t.yaml:9:15: error[RC" in result.stdout
        )


@pytest.mark.parametrize("url", SENDABLE)
def test_url_that_can_be_sent(url: str) -> None:
    """Where any data makes it one."""
    assert "RC503" not in codes(url)


@settings(max_examples=draws(200), deadline=None)
@given(
    st.text("ahttps:/.?#[]@%1é \\\n{}_-", max_size=12),
    st.sampled_from(("https://a", "https://", "/", "http://a:", "https://a/")),
)
def test_valid_means_sendable(rest: str, start: str) -> None:
    """Of what has no placeholders, by what builds the request."""
    url = start + rest
    if "{{" in url or url.startswith("//"):  # which names a host, and no scheme
        return
    try:
        build("list", {"method": "GET", "url": url}, GivenData({}, base_url="https://b.example"), {})
        refused = False
    except InvalidDefinitions:
        refused = True
    assert ("RC503" in codes(url) or "RC402" in codes(url)) == refused or "RC402" in codes(url), url


@pytest.mark.store_file
def test_project_file_that_is_no_file(workspace: Workspace, tmp_path: Path) -> None:
    """A link, also one that leads nowhere, a device and a pipe are refused by every command alike, at once."""
    workspace.ok("apply", "--yes", "-q")
    place = workspace.root / "reconciler.yaml"
    (tmp_path / "elsewhere.yaml").write_text("apiVersion: reconciler/v1\nkind: Project\nowner: x\n")
    for target in ("/dev/zero", str(tmp_path / "elsewhere.yaml"), "nowhere.yaml", "."):
        place.symlink_to(target)
        for command in (
            ["validate"],
            ["plan"],
            ["plan", "--full"],
            ["drift"],
            ["apply", "--yes"],
            ["fmt", "--check"],
            ["get"],
        ):
            result = workspace.run(*command)
            assert result.exit_code == 3 and "the file cannot be read" in result.output, (
                target,
                command,
                result.output,
            )
        place.unlink()
    os.mkfifo(place)
    for command in (["validate"], ["plan"], ["drift"], ["fmt", "--check"]):
        result = workspace.run(*command)
        assert result.exit_code == 3 and "the file cannot be read" in result.output, (command, result.output)


@pytest.mark.store_file
@pytest.mark.parametrize("line", ["keyFile: ", "envFile: ", "requireCommitOn: ", "signedBy: [", "store: "])
def test_project_file_that_names_what_no_file_is_called(workspace: Workspace, line: str) -> None:
    """No path and no branch holds the character 0; the system would refuse it in the middle of an apply."""
    store = "" if line.startswith("store") else "store: 'sqlite:x.db', "
    value = '"sqlite:a\\0b"' if not store else '"a\\0b"' + ("]" if "[" in line else "")
    workspace.write(
        "reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\ntargets: {{local: {{{store}{line}{value}}}}}\n"
    )
    for command in (("validate",), ("plan",), ("apply", "--yes")):
        assert workspace.run(*command).exit_code == 3, command
