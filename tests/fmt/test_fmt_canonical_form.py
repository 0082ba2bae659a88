"""What `fmt` changes, by example. Each example is a promise about the canonical form."""

from dataclasses import dataclass
from textwrap import dedent

import pytest

from reconciler.source.roundtrip.format import format_document_text


@dataclass(frozen=True, slots=True)
class Example:
    """A file before and after; the name says what it shows."""

    name: str
    before: str
    after: str


EXAMPLES = [
    Example(
        "keys come in the order of the schema, and comments go with their keys",
        """
        kind: Connector   # what it is
        apiVersion: reconciler/v1
        spec:
          # Switched off while the CRM moves.
          status: inactive
          categories: [crm]

          # What people see.
          displayName: "Sales team's contacts"
        metadata:
          labels: {team: sales}
          name: crm-contacts  # never changes
        """,
        """
        apiVersion: reconciler/v1
        kind: Connector   # what it is
        metadata:
          name: crm-contacts  # never changes
          labels: {team: sales}
        spec:
          # What people see.
          displayName: "Sales team's contacts"
          categories: [crm]

          # Switched off while the CRM moves.
          status: inactive
        """,
    ),
    Example(
        "comments at the top of a document stay there",
        """
        # yaml-language-server: $schema=../schemas/resource.schema.json
        # The team's own category.
        kind: Category
        apiVersion: reconciler/v1
        ---
        # The second document.
        kind: Category
        # About the version.
        apiVersion: reconciler/v1
        """,
        """
        # yaml-language-server: $schema=../schemas/resource.schema.json
        # The team's own category.
        apiVersion: reconciler/v1
        kind: Category
        ---
        # The second document.
        # About the version.
        apiVersion: reconciler/v1
        kind: Category
        """,
    ),
    Example(
        "a comment that a blank line sets off from what follows belongs to what is above it",
        """
        apiVersion: reconciler/v1
        kind: Category
        spec:
          status: active
          # was inactive until May

          # shown in menus
          displayName: Customer data
        """,
        """
        apiVersion: reconciler/v1
        kind: Category
        spec:
          # shown in menus
          displayName: Customer data

          status: active
          # was inactive until May
        """,
    ),
    Example(
        "commented-out keys of a nested mapping stay with it",
        """
        apiVersion: reconciler/v1
        kind: Connector
        spec:
          tls:
            verify: true
            # reason: self-signed
          displayName: CRM
        """,
        """
        apiVersion: reconciler/v1
        kind: Connector
        spec:
          displayName: CRM
          tls:
            verify: true
            # reason: self-signed
        """,
    ),
    Example(
        "the dash of an item goes to the key that comes first, comments above it",
        """
        apiVersion: reconciler/v1
        kind: Connector
        spec:
          endpoints:
            list:
              headers:
                - value: en
                  # the language of names
                  name: Accept-Language
                # always sent
                - required: true
                  name: X-Team
        """,
        """
        apiVersion: reconciler/v1
        kind: Connector
        spec:
          endpoints:
            list:
              headers:
                # the language of names
                - name: Accept-Language
                  value: en
                # always sent
                - name: X-Team
                  required: true
        """,
    ),
    Example(
        "entries of flow mappings are swapped, the spaces between them stay",
        """
        kind: Group
        apiVersion: reconciler/v1
        metadata: { labels: {b: "2", a: "1"},  name: interns }
        spec: {members: {users: [ada], mode: additive}, displayName: Interns}
        """,
        """
        apiVersion: reconciler/v1
        kind: Group
        metadata: { name: interns,  labels: {b: "2", a: "1"} }
        spec: {displayName: Interns, members: {mode: additive, users: [ada]}}
        """,
    ),
    Example(
        "unknown keys come last; endpoints, labels and samples keep their author's order",
        """
        apiVersion: reconciler/v1
        kind: Connector
        metadata:
          x-note: ours
          a-note: theirs
          labels:
            zone: eu
            area: crm
          name: crm
        spec:
          endpoints:
            update:
              url: /u
              method: PUT
            list:
              sample: {z: 1, a: 2}
              url: /l
              method: GET
        """,
        """
        apiVersion: reconciler/v1
        kind: Connector
        metadata:
          name: crm
          labels:
            zone: eu
            area: crm
          x-note: ours
          a-note: theirs
        spec:
          endpoints:
            update:
              method: PUT
              url: /u
            list:
              method: GET
              url: /l
              sample: {z: 1, a: 2}
        """,
    ),
    Example(
        "block scalars move with every line of theirs",
        """
        apiVersion: reconciler/v1
        kind: Connector
        spec:
          endpoints:
            create:
              body: |+
                {
                  "name": "{{name}}"   

                }


              url: /c
              method: POST
        """,
        """
        apiVersion: reconciler/v1
        kind: Connector
        spec:
          endpoints:
            create:
              method: POST
              url: /c
              body: |+
                {
                  "name": "{{name}}"   

                }


        """,
    ),
    Example(
        "project settings have an order too",
        """
        targets:
          local: {store: "sqlite:.reconciler/store.db"}
        kind: Project
        apiVersion: reconciler/v1
        """,
        """
        apiVersion: reconciler/v1
        kind: Project
        targets:
          local: {store: "sqlite:.reconciler/store.db"}
        """,
    ),
    Example(
        "files of other programs keep the order of their keys",
        """
        on: push
        name: CI   
        jobs: {}
        """,
        """
        on: push
        name: CI
        jobs: {}
        """,
    ),
    Example(
        "one blank line in a row, none at the ends, no spaces at line ends",
        """

        a: 1  


        # two  
        b: [1,   
          2]

        """,
        """
        a: 1

        # two
        b: [1,
          2]
        """,
    ),
    Example(
        "mappings are indented as most of the file is",
        """
        a:
            b:
                c: 1
                d: 2
            e:
              # about f
              f: |
                 text
                   deeper
              # behind f
              g: [1,
                2]
        """,
        """
        a:
            b:
                c: 1
                d: 2
            e:
                # about f
                f: |
                   text
                     deeper
                # behind f
                g: [1,
                  2]
        """,
    ),
    Example(
        "dashes stand where most of them do",
        """
        a:
        - 1
        - 2
        # about b
        b:
          # about x
          - x: 1
            y: 2
        # the end
        """,
        """
        a:
        - 1
        - 2
        # about b
        b:
        # about x
        - x: 1
          y: 2
        # the end
        """,
    ),
]


def fmt(text: str) -> str:
    """The formatted text; fails on diagnostics."""
    formatted = format_document_text(text.encode(), "file.yaml")
    assert formatted.diagnostics == ()
    assert formatted.text is not None
    assert formatted.changed == (formatted.text != text.encode())
    return formatted.text.decode()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example(example: Example) -> None:
    """The example comes out as written down, and is left alone then."""
    before, after = dedent(example.before).removeprefix("\n"), dedent(example.after).removeprefix("\n")
    assert fmt(before) == after
    assert fmt(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1", "a: 1\n"),
        ("a: 1\r\nb: 2 \r\n\r\n\r\nc: 3", "a: 1\r\nb: 2\r\n\r\nc: 3\r\n"),
        ("a: 1\r\nb: 2\nc: 3\n", "a: 1\nb: 2\nc: 3\n"),
        ("\ufeffa: 1\n", "a: 1\n"),
        ("", ""),
        ("  \n\n", ""),
        ("# only a comment", "# only a comment\n"),
        ("a: |-\n  text", "a: |-\n  text\n"),
    ],
    ids=["final line feed", "CRLF is kept", "mixed line ends become one sort", "byte order mark goes",
         "empty", "blank", "comment", "strip"],
)  # fmt: skip
def test_ends_of_lines_and_of_files(before: str, after: str) -> None:
    """A file has one sort of line ending, its own, and exactly one at its end."""
    assert fmt(before) == after
    assert fmt(after) == after
