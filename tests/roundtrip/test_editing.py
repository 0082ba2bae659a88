"""How an edit of a document looks, construct by construct."""

from collections.abc import Callable
from copy import deepcopy
from difflib import ndiff
from typing import Any

import pytest

from reconciler.core.model import Content, content_of
from reconciler.core.model import Resource
from reconciler.kinds.canonical import canonical
from reconciler.kinds.registry import KINDS
from reconciler.source.documents import DocumentReader
from reconciler.source.edits import Edited, edit_file

READER = DocumentReader()
TEXT = """\
# yaml-language-server: $schema=../schemas/resource.schema.json
# All of the CRM.
apiVersion: reconciler/v1
kind: Category
metadata: {name: crm}
spec: {displayName: Customer data}
---
apiVersion: reconciler/v1
kind: Connector
metadata:
  name: crm-contacts   # the name
  labels: {team: sales}
spec:
  displayName: Contacts
  # What it is.
  description: >
    Contacts of the
    CRM.
  categories: [crm]  # one
  authorization:
    method: basic
    # Not a person.
    username: 'svc'
    password: {env: CRM_PASSWORD}

  endpoints:
    # The first.
    list:
      method: GET
      url: https://crm.example.com/contacts
      params:
        - name: page
          value: "1"      # from 1
        # How many.
        - {name: size, value: "20", required: true}
      headers:
        - {name: Accept, value: json}

    get:
      method: GET
      url: "https://crm.example.com/contacts/{{id}}"
      timeoutSeconds: 30   # the default
      bodyType: raw
      body: |
        {"a": 1}
        # no comment
"""


def edited(index: int, change: Callable[[dict[str, Any]], object] | None, text: str = TEXT) -> Edited:
    """The file after its document at `index` was made to declare something else."""
    resources = READER.read("connectors/a.yaml", text.encode()).resources
    wanted = None if change is None else changed(resources[index], change)
    return edit_file(text.encode(), [(resources[index], wanted)], resources, READER)


def changed(resource: Resource, change: Callable[[dict[str, Any]], object]) -> Content:
    """What a resource declares once its spec was changed."""
    content = deepcopy(resource.content.value)
    change(content["spec"])
    return content_of(canonical(content, KINDS[resource.key.kind]))


def lines(index: int, change: Callable[[dict[str, Any]], object]) -> list[str]:
    """The lines that differ, after ``-`` and ``+``."""
    done = edited(index, change)
    assert done.data is not None and not done.refused, done.refused
    return [
        line[0] + line[2:].rstrip("\n")
        for line in ndiff(TEXT.splitlines(), done.data.decode().splitlines())
        if line[0] in "+-"
    ]


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """A change that gives a field a value."""
    *steps, last, value = path

    def change(spec: dict[str, Any]) -> None:
        for step in steps:
            spec = spec[step]
        spec[last] = value

    return change


PAGE, SIZE = {"name": "page", "value": "1"}, {"name": "size", "value": "20", "required": True}
CASES: list[tuple[str, Callable[[dict[str, Any]], object], list[str]]] = [
    ("plain stays plain", put("displayName", "All contacts"), ["-  displayName: Contacts", "+  displayName: All contacts"]),
    ("plain is quoted where it must be", put("displayName", "a: b"), ["-  displayName: Contacts", '+  displayName: "a: b"']),
    ("single quotes stay", put("authorization", "username", "it's"), ["-    username: 'svc'", "+    username: 'it''s'"]),
    ("double quotes stay", put("endpoints", "get", "url", "https://x"), ['-      url: "https://crm.example.com/contacts/{{id}}"', '+      url: "https://x"']),
    ("folded stays folded", put("description", "Contacts of the CRM, of which there are very many, with all that is known.\n"),
     ["-    Contacts of the", "-    CRM.", "+    Contacts of the CRM, of which there are very many, with all", "+    that is known."]),
    ("literal stays literal", put("endpoints", "get", "body", "{}\n\n# x"), ["-      body: |", "+      body: |-", '-        {"a": 1}', "-        # no comment", "+        {}", "+", "+        # x"]),
    ("no block can hold it", put("endpoints", "get", "body", " x\n"), ["-      body: |", '+      body: " x\\n"', '-        {"a": 1}', "-        # no comment"]),
    ("a default that is written", put("endpoints", "get", "timeoutSeconds", 5), ["-      timeoutSeconds: 30   # the default", "+      timeoutSeconds: 5   # the default"]),
    ("a set keeps its order", put("categories", ["abc", "crm"]), ["-  categories: [crm]  # one", "+  categories: [crm, abc]  # one"]),
    ("a key in flow", put("endpoints", "list", "params", [PAGE, {**SIZE, "description": "d"}]),
     ['-        - {name: size, value: "20", required: true}', '+        - {name: size, value: "20", required: true, description: d}']),
    ("a key out of flow", put("endpoints", "list", "params", [PAGE, {"name": "size", "value": "20"}]),
     ['-        - {name: size, value: "20", required: true}', '+        - {name: size, value: "20"}']),
    ("a reference for a text", put("authorization", "username", {"env": "U"}), ["-    username: 'svc'", "+    username: {env: U}"]),
    ("another sort of reference", put("authorization", "password", {"file": "x"}), ["-    password: {env: CRM_PASSWORD}", "+    password: {file: x}"]),
    ("a key goes with its comment", lambda spec: spec.update(authorization={"method": "bearer", "token": {"env": "T"}}),
     ["-    method: basic", "-    # Not a person.", "-    username: 'svc'", "-    password: {env: CRM_PASSWORD}", "+    method: bearer", "+    token: {env: T}"]),
    ("an item goes with its comment", put("endpoints", "list", "params", [PAGE]), ["-        # How many.", '-        - {name: size, value: "20", required: true}']),
    ("an item comes in the style of the others", put("endpoints", "list", "headers", [{"name": "Accept", "value": "json"}, {"name": "X-A", "value": "1"}]),
     ['+        - {name: X-A, value: "1"}']),
    ("an item in the middle", put("endpoints", "list", "params", [PAGE, {"name": "sort"}, SIZE]), ["+        - name: sort"]),
    ("items that change places", put("endpoints", "list", "params", [SIZE, PAGE]),
     ["+        # How many.", '+        - {name: size, value: "20", required: true}', "         - name: page"][:2] + ["-        # How many.", '-        - {name: size, value: "20", required: true}']),
    ("the last item", lambda spec: spec["endpoints"]["list"].pop("headers"), ["-      headers:", "-        - {name: Accept, value: json}"]),
    ("a new key where it belongs", put("tls", {"ca": {"file": "ca.pem"}}), ["+  tls:", "+    ca: {file: ca.pem}"]),
    ("a new key at the end", put("status", "inactive"), ["+  status: inactive"]),
    ("an endpoint goes with a blank line", lambda spec: spec["endpoints"].pop("get"),
     ["-", "-    get:", "-      method: GET", '-      url: "https://crm.example.com/contacts/{{id}}"', "-      timeoutSeconds: 30   # the default",
      "-      bodyType: raw", "-      body: |", '-        {"a": 1}', "-        # no comment"]),
    ("an endpoint comes with a blank line", put("endpoints", "new", {"method": "GET", "url": "https://x", "sample": {"a": "1"}}),
     ["+", "+    new:", "+      method: GET", "+      url: https://x", '+      sample: {a: "1"}']),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_edit(change: Callable[[dict[str, Any]], object], expected: list[str]) -> None:
    """Just these lines differ, and the text is in canonical form as it was before."""
    assert sorted(lines(1, change)) == sorted(expected)


def test_documents_are_taken_out() -> None:
    """The first with the comments that are about it, but not with those of the file; the last leaves no file."""
    first, second = TEXT.split("---\n")
    assert edited(1, None).data == first.encode()
    head = "# yaml-language-server: $schema=../schemas/resource.schema.json\n# All of the CRM.\n"
    assert edited(0, None).data == (head + second).encode()
    about = TEXT.replace("# yaml-language-server: $schema=../schemas/resource.schema.json\n", "")
    assert edited(0, None, about).data == second.encode()
    assert edited(0, None, first).data is None


def test_what_an_edit_would_take_more_for_is_left() -> None:
    """With its place, and the other documents are edited all the same."""
    text = TEXT.replace("      params:\n", "      ? params\n      :\n")
    resources = READER.read("connectors/a.yaml", text.encode()).resources
    wanted = []
    for resource in resources:
        wanted.append((resource, changed(resource, lambda spec: spec.update(displayName="Another"))))
    done = edit_file(text.encode(), wanted, resources, READER)
    assert done.data == text.replace("displayName: Customer data", "displayName: Another").encode()
    (refused,) = done.refused
    assert (str(refused.span), refused.message) == (
        "connectors/a.yaml:7:1", "the document has keys that are marked with a question mark"
    )  # fmt: skip


def test_an_anchor_that_is_removed_is_not_when_something_repeats_it() -> None:
    """Nothing would be left to repeat."""
    text = TEXT.replace("headers:\n        - {name: Accept", "headers:\n        - &h {name: Accept").replace(
        "      timeoutSeconds: 30", "      headers: [*h]\n      timeoutSeconds: 30"
    )
    done = edited(1, lambda spec: spec["endpoints"]["list"].pop("headers"), text)
    (refused,) = done.refused
    assert refused.message == "what is to be removed is anchored as &h, and line 42 repeats it"
    assert done.data == text.encode()


def test_blank_lines_do_not_pile_up() -> None:
    """One stays between what is left, and none at the start of a file; so a canonical file stays canonical."""
    text = "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: crm}\nspec:\n  displayName: CRM\n\n  description: d\n\n  status: inactive\n"
    done = edited(0, lambda spec: spec.pop("description"), text)
    assert done.data == text.replace("  description: d\n\n", "").encode()
    following = "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: other}\nspec: {displayName: Other}\n"
    assert edited(0, None, f"{text}---\n\n{following}").data == following.encode()
