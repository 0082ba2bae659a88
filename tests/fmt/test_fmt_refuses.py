"""Hostile and broken files: each gets diagnostics or comes out well, within bounds of time and memory."""

import time

import pytest

from reconciler.diagnostics import Diagnostic
from reconciler.source.roundtrip.format import format_document_text

REFUSED = {
    "open brackets": (b"[" * 100_000, "file.yaml:1:101", "RC106"),
    "open braces": (b"{" * 100_000, "file.yaml:1:101", "RC106"),
    "dashes on one line": (b"- " * 100_000, "file.yaml:1:1", "RC106"),
    "question marks on one line": (b"? " * 100_000, "file.yaml:1:1", "RC106"),
    "deep blocks": (b"".join(b" " * depth + b"a:\n" for depth in range(2_000)), "file.yaml:101:101", "RC106"),
    "aliases of aliases": (
        b"a: &a [1,2,3]\n" + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefghij"),
        "file.yaml:6:14", "RC107",
    ),
    "an alias inside its own anchor": (b"a: &a [*a]\n", "file.yaml:1:8", "RC107"),
    "an alias without an anchor": (b"a: *b\n", "file.yaml:1:4", "RC104"),
    "too large": (b"a: b \n" * 1_800_000, "file.yaml:1:1", "RC102"),
    "not UTF-8": (b"a: 1\nb: \xff\n", "file.yaml:2:4", "RC103"),
    "UTF-16": ("a: b".encode("utf-16"), "file.yaml:1:1", "RC103"),
    "a control character": (b"a: \x07\n", "file.yaml:1:4", "RC112"),
    "two byte order marks": (b"\xef\xbb\xbf" * 2 + b"a: 1\n", "file.yaml:1:1", "RC112"),
    "a tab in the indentation": (b"a:\n\tb: 1\n", "file.yaml:2:1", "RC105"),
    "a duplicate key": (b"a: 1\nb: 2\na: 3\n", "file.yaml:3:1", "RC108"),
    "a bracket that is not closed": (b"a: 1 \nb: [1, 2\nc: 3\n", "file.yaml:3:2", "RC104"),
    "an unknown directive": (b"%FOO bar\n--- a\n", "file.yaml:1:5", "RC104"),
    "an escape beyond Unicode": (b'a: "\\UFFFFFFFF"\n', "file.yaml:1:7", "RC104"),
    "half a surrogate pair": (b'a: "\\ud800"\n', "file.yaml:1:7", "RC104"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "place", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(data: bytes, place: str, code: str) -> None:
    """The file is left alone, and the first diagnostic says where and why."""
    formatted = format_document_text(data, "file.yaml")
    assert formatted.text is None
    assert not formatted.changed
    first = formatted.diagnostics[0]
    assert (str(first.span), first.code) == (place, code)


def test_what_only_the_second_reader_refuses() -> None:
    """ruamel.yaml is stricter about tabs; what it says becomes a diagnostic with a place."""
    formatted = format_document_text(b"a:  1 \nb c\td: 2\n", "file.yaml")
    assert formatted.text is None
    assert [show(item) for item in formatted.diagnostics] == [
        "file.yaml:2:4: RC104 found character '\\t' that cannot start any token | b c\td: 2"
    ]


def test_a_difference_that_only_the_second_reader_sees() -> None:
    """When the two readers disagree about what a text holds, the file stays as it is."""
    text = b">-\n---\na: 1\n\n\nb: 2\n"
    formatted = format_document_text(text, "file.yaml")
    assert (formatted.text, formatted.changed, formatted.diagnostics) == (text, False, ())


LARGE = {
    "nesting at the limit": b"".join(b" " * depth + b"a: \n" for depth in range(99)),
    "many documents": b"---\na: 1 \n" * 1_000,
    "many question marks": b"? a\n: b \n---\n" * 5_000,
    "many brackets": (b"[" * 99 + b"]" * 99 + b" \n---\n") * 20,
    "many anchors": b"".join(b"- &a%d x \n" % number for number in range(2_000)),
    "many comments": b"a:\n  b:\n    c: 1\n" + b"  # x \n" * 50_000,
    "blank lines": b"a: 1\n" + b" \n" * 500_000,
    "a long line": b'a: "' + b"x" * 1_000_000 + b'" \n',
    "spaces in a flow mapping": b"apiVersion: reconciler/v1\nmetadata: {labels:" + b" " * 500_000 + b"{}, name: a}\nkind: Group\n",
    "many words": b"a " * 50_000,
}  # fmt: skip


@pytest.mark.parametrize("data", LARGE.values(), ids=LARGE.keys())
def test_large_files_take_time_in_proportion(data: bytes) -> None:
    """No more than seconds, and the result is in canonical form."""
    begin = time.monotonic()
    formatted = format_document_text(data, "file.yaml")
    assert time.monotonic() - begin < 20
    assert formatted.text is not None
    assert formatted.changed
    assert not format_document_text(formatted.text, "file.yaml").changed


def show(item: Diagnostic) -> str:
    return f"{item.span}: {item.code} {item.message} | {item.snippet}"
