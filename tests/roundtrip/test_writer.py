"""One writer of YAML: what it writes reads back by every reader, and is as `fmt` leaves it."""

import json
from typing import Any

import pytest
from conftest import Workspace
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from test_editing import TEXT, edited, put

from reconciler.harmless import harmless_lines
from reconciler.source.roundtrip.format import format_document_text
from reconciler.source.yaml.loader import fast_parser, load, load_carefully
from reconciler.yaml.writer import joined, quoted, text_of

FAST = fast_parser()
ODD = (
    "", " ", "yes", "no", "~", "null", "010", "0x1F", "1_000", "12:30", "2020-01-01", "1e3", ".5", ".inf", "=", "<<", "---", "...", "- a", "? a", "a: b",
    "a #b", "#a", "a:", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "[", "{}", "it's", 'say "x"', "a\\b", "a\tb", "::error::x", "##[group]x",
    "\u202ereversed", "\u200b", "\ufeff", "\u2028", "\x07", "\x85", "é", "日本 😀", "a\nb", "a\nb\n", "a\n\nb", " a\nb", "a \nb", "a\n\n", "\na", "#a\n#b",
    "---\na", "a: 1\nb: 2\n", "x" * 200, "word " * 40 + "end", "{{a}}", "a\r\nb", "👨\u200d👩",
)  # fmt: skip
SCALARS = (
    st.sampled_from(ODD)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.lists(st.text("ab \n:#-{'\"", max_size=8), max_size=4).map("\n".join)
    | st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1).filter(lambda number: abs(number) < 10**15)
    | st.floats(-1e6, 1e6).map(lambda number: round(number, 3) + 0.0)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ODD) | st.text("ab:# -", max_size=5), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def assert_read_alike(text: str, expected: list[Any]) -> None:
    """Three readers that share no code give back what was to be written."""
    data = text.encode()
    for reader in (FAST, None):
        loaded = load(data, "f.yaml", reader)
        assert not loaded.faults, (text, loaded.faults)
        assert repr([document for _, document in loaded.documents]) == repr(expected)
    careful = load_carefully(data, "f.yaml", FAST)
    assert not careful.faults and repr([document for _, document in careful.documents]) == repr(expected)
    found = list(YAML(typ="safe", pure=True).load_all(text))
    assert json.dumps(found) == json.dumps(expected)


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(("a", "spec", *ODD)), VALUES, min_size=1, max_size=4), min_size=1, max_size=3
    )
)
def test_any_body_reads_back_and_is_as_fmt_leaves_it(bodies: list[dict[str, Any]]) -> None:
    """Texts that readers take for something else, that are not seen, or that runners obey."""
    text = joined(map(text_of, bodies))
    assert_read_alike(text, bodies)
    assert format_document_text(text.encode(), "f.yaml").text == text.encode()


CANONICAL = (format_document_text(TEXT.encode(), "f.yaml").text or b"").decode()
PLACES = {
    "plain": ("displayName",),
    "single quotes": ("authorization", "username"),
    "folded": ("description",),
    "literal": ("endpoints", "get", "body"),
    "in flow": ("endpoints", "list", "params", 1, "value"),
    "double quotes": ("endpoints", "list", "params", 0, "value"),
}


def at(place: tuple[Any, ...], text: str) -> str:
    """What a field of the second document holds; "" where it is not written."""
    (_, found) = YAML(typ="safe", pure=True).load_all(text)
    value = found["spec"]
    for step in place[:-1]:
        value = value[step]
    return value.get(place[-1], "")


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@settings(max_examples=30, deadline=None)
@given(st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
@example("##[group]x")
@example("1")
@example("a\n\u202ereversed\n")
def test_a_text_in_the_place_of_another_is_written_so_too(place: tuple[Any, ...], text: str) -> None:
    """In the style of the one before where that can hold it; what is not seen, or a runner obeys, is an escape."""
    done = edited(1, put(*place, text), CANONICAL)
    assert done.data is not None
    if done.data == CANONICAL.encode():
        # what the schema or a rule does not take, or what stands there already
        assert done.refused or not text.strip() or text == at(place, CANONICAL)
        return
    assert format_document_text(done.data, "f.yaml").text == done.data
    assert harmless_lines(done.data.decode()) == done.data.decode()
    assert at(place, done.data.decode()) == text


def documents(text: str) -> list[str]:
    """The texts of the documents without the comments above them."""
    return ["".join(line for line in part.splitlines(True) if line[0] != "#") for part in text.split("---\n")]


def test_get_and_export_write_one_text(workspace: Workspace) -> None:
    """Of every kind, with empty lists that a definition must hold, and texts of which others made a mess."""
    workspace.edit(
        "policies/team.yaml", "  grants:\n    - permissions: [connectors:view, connectors:edit]\n", "  grants: []\n"
    )
    body = quoted("".join(f"{text} {number}\n" for number, text in enumerate(ODD) if text not in ("---", "a\r\nb")))
    workspace.edit("connectors/crm.yaml", "description: Contacts of the CRM.", 'description: "two\\nlines"')
    workspace.edit(
        "connectors/crm.yaml", "      params:", f"      sample: {{b: {body}, a: [1.5, yes.]}}\n      params:"
    )
    workspace.ok("apply", "--yes")
    shown, exported = workspace.ok("get", "-o", "yaml").stdout, workspace.ok("export").stdout
    assert documents(shown) == documents(exported)
    assert "  grants: []\n" in shown
    one = workspace.ok("get", "connector/crm-contacts").stdout
    assert documents(one) == documents(workspace.ok("export", "connector/crm-contacts").stdout)
    whole = json.loads(workspace.ok("get", "connector/crm-contacts", "-o", "json").stdout)["records"][0]["document"]
    assert (
        whole
        == json.loads(workspace.ok("export", "connector/crm-contacts", "-o", "json").stdout)["records"][0]["document"]
    )
    assert [*whole["spec"]][:3] == ["displayName", "description", "categories"]
    for name, text in (("get", shown), ("export", exported)):
        workspace.write(f"connectors/{name}.yaml", text)
        workspace.ok("fmt", "--check", f"connectors/{name}.yaml")
