"""What `fmt` leaves as it is, byte for byte."""

import pytest

from reconciler.source.roundtrip.format import format_document_text

KEPT = {
    "quotes and escapes": """a: "\\u00e9 \\x41 \\/ \\t"\nb: 'it''s'\nc: "yes"\nd: no\n""",
    "the spelling of numbers": "a: 010\nb: 0x1F\nc: 1e3\nd: 1_000\ne: 12:30\nf: 2027-01-31\ng: .5\nh: +1\n",
    "long lines": "a: " + "word " * 60 + "end\nb: [" + ", ".join(["item"] * 80) + "]\n",
    "spaces inside a line": "a:   1\nb  : 2      # aligned\nlonger: 3 # with this\n-x: {a: 1,b:   2 , }\n",
    "comments without a space": "#a\n#\n##  b\na: 1 #c\n",
    "spaces behind a dash": "-   a: 1\n    b: 2\n-   - 3\n    - 4\n",
    "anchors, aliases, merge keys and tags": "a: &x !!map {b: 1}\nc: *x\nd:\n  <<: *x\ne: !vault |\n  text\nf: !local x\n",
    "document markers": "%YAML 1.2\n---\na: 1\n...\n---\n# empty\n---\nb: 2\n...\n",
    "no document markers": "a: 1\n",
    "literal and folded text": "a: |2-\n    indented\n   less\nb: >+\n  folded\n  line\n\n    more\n\n\nc: >-   # why\n  x\n",
    "spaces inside text": "a: |\n  two spaces  \n     \n  tab\t\nb: 'folded  \n  here '\nc: plain  \n  text\n",
    "blank lines inside text": "a: 'one\n\n\n\n  two'\nb: one\n\n\n\n  two\n",
    "signs beyond ASCII": "ключ: значение\n鍵: 値  # コメント\nspace: a\u00a0\u3000b\nastral: 𝄞\n",
    "keys behind a question mark": "? [a, b]\n: - c\n  - d\n? |\n  long\n: e\n",
    "empty values": "a:\nb: \"\"\nc: ~\nd: []\n-e: {}\n",
    "a file indented as a whole": "  a:\n    b: 1\n  c: 2\n",
    "one style for mappings, another for dashes": "a:\n    b:\n      - c\n      - d\n",
    "text without a line end": "a: |\n  text",
    "carriage returns": "a: 1\rb: 2\r",
    "an order that an alias needs": "apiVersion: reconciler/v1\nkind: Category\nspec: {displayName: &name crm}\nmetadata: {name: *name}\n",
    "the order of a commented flow mapping": "apiVersion: reconciler/v1\nkind: Category\nmetadata: {\n  labels: {},  # none\n  name: a}\n",
    "our kinds of another version": "kind: Category\napiVersion: other/v1\n",
}  # fmt: skip


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT.keys())
def test_kept(text: str) -> None:
    """A file that holds nothing else to change is not changed."""
    formatted = format_document_text(text.encode(), "file.yaml")
    assert formatted.diagnostics == ()
    assert formatted.text == text.encode()
    assert not formatted.changed


# Nothing can stand in front of a directive, nor behind text without a line end.
MOVABLE = {name: text for name, text in KEPT.items() if not text.startswith("%") and not text.endswith("text")}


@pytest.mark.parametrize("text", MOVABLE.values(), ids=MOVABLE.keys())
def test_kept_while_the_rest_changes(text: str) -> None:
    """The same holds next to something that does change."""
    ending = "\r" if "\r" in text else "\n"
    formatted = format_document_text((ending * 3 + text + ending).encode(), "file.yaml")
    assert formatted.text == text.encode()
    assert formatted.changed


def test_text_at_the_end_that_must_not_move() -> None:
    """The last value of a file may end without a line feed; moved up it would gain one, so it stays."""
    text = "apiVersion: reconciler/v1\nkind: Category\nspec:\n  status: active \n  displayName: |\n    text"
    formatted = format_document_text(text.encode(), "file.yaml")
    assert formatted.text == text.replace("active ", "active").encode()


def test_an_alias_is_no_hindrance_where_it_keeps_its_anchor() -> None:
    """Keys move as long as every alias stays behind its own anchor."""
    text = "kind: Category\napiVersion: reconciler/v1\nmetadata: {labels: {a: *n}, name: &n crm}\n"
    wrong = format_document_text(text.encode(), "file.yaml")
    assert [item.code for item in wrong.diagnostics] == ["RC104"]
    right = format_document_text(text.replace("*n", "&n x").replace("name: &n crm", "name: *n").encode(), "file.yaml")
    assert right.text == b"kind: Category\napiVersion: reconciler/v1\nmetadata: {labels: {a: &n x}, name: *n}\n"
    free = format_document_text(b"kind: Category\napiVersion: &v reconciler/v1\nmetadata: *v\n", "file.yaml")
    assert free.text == b"apiVersion: &v reconciler/v1\nkind: Category\nmetadata: *v\n"
