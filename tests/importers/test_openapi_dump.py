"""Connectors as YAML text."""

from typing import Any

import pytest
import yaml
import yaml_rs
from hypothesis import given
from hypothesis import strategies as st
from openapi_documents import imported, openapi
from ruamel.yaml import YAML

from reconciler.importers.openapi import Imported, dump, dump_files

AMBIGUOUS = (
    "yes no on off y n true False NULL ~ null 010 0x1F 0o7 1_000 12:30 190:20:30 2020-01-01 2020-01-01T00:00:00Z 1e3 .5 "
    "1. -1 +1 .inf -.inf .NaN nan << = ! & * - ? : @ ` % # | > [ ] { } , ' \" -- --- ... a:  #a a: |a >a *a &a !a %a @a"
).split(" ")


def written(value: object) -> Imported:
    """An import whose one document holds `value`; only `dump` has a say here."""
    return Imported([{"metadata": {"name": "a"}, "value": value}], [], "Pets", "1", "OpenAPI 3.0.0")


def assert_reads_back(value: object) -> str:
    text = dump(written(value))
    expected = {"metadata": {"name": "a"}, "value": value}
    assert yaml.safe_load(text) == expected
    assert yaml_rs.loads(text, parse_datetime=False) == expected
    return text


def test_the_text_says_where_it_comes_from() -> None:
    """Title and version, but no date: the same document always gives the same text."""
    document = openapi({"/a": {"get": {"operationId": "get", "summary": "One\ntwo"}}})
    assert dump(imported(document)) == (
        "# Imported from OpenAPI 3.0.3: Pets, version 1.2.\n"
        "# Placeholders in double braces are filled in by each call; `sample` holds values for a test call.\n"
        "# Bodies show every field that is known: remove those that are not needed.\n"
        "apiVersion: reconciler/v1\n"
        "kind: Connector\n"
        "metadata:\n"
        "  name: pets\n"
        "spec:\n"
        "  displayName: Pets\n"
        "  categories:\n"
        "    - pets\n"
        "  authorization:\n"
        "    method: none\n"
        "  endpoints:\n"
        "    get:\n"
        "      description: |-\n"
        "        One\n"
        "        two\n"
        "      method: GET\n"
        "      url: https://api.example.com/v1/a\n"
    )


@pytest.mark.parametrize(
    "text", [*AMBIGUOUS, "", " ", " a", "a ", "a\n", "\na", "a\n\n", "a\n b", "a\tb", "a\n\tb", "a \nb"]
)
def test_texts_that_loaders_read_differently_are_quoted(text: str) -> None:
    """As value, as item and as key."""
    assert_reads_back({"value": text, "items": [text, {"a": text, text: "b"}]})


def test_long_and_strange_keys() -> None:
    """Up to the 255 characters that an endpoint's name may have, on the key's own line."""
    text = assert_reads_back({"k" * 255: "a", "GET /a/{id}": "b", "a: b": "c", "日本 😀": "d", "e #f": "g"})
    assert "? " not in text


@given(st.text(max_size=60))
def test_any_text_reads_back_by_the_loader_of_yaml_1_1(text: str) -> None:
    """Characters that may not stand in our files come out as escapes, which both languages know."""
    dumped = dump(written({text: [text]}))
    assert yaml.load(dumped, Loader=yaml.SafeLoader)["value"] == {text: [text]}


_VALUES = st.recursive(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
    | st.sampled_from(AMBIGUOUS)
    | st.lists(st.text("ab \n:#-{", max_size=8), max_size=4).map("\n".join)
    | st.booleans()
    | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab:# -", max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(_VALUES)
def test_any_value_reads_back(value: Any) -> None:
    """By three loaders that share no code."""
    text = assert_reads_back(value)
    assert YAML(typ="safe", pure=True).load(text)["value"] == value


def test_each_document_can_have_a_file_of_its_own() -> None:
    """Together in one text, a line of three dashes stands between them."""
    found = imported(openapi({f"/a{n}": {"get": {}} for n in range(2001)}))
    files = dump_files(found)
    assert list(files) == ["pets-1.yaml", "pets-2.yaml"]
    assert list(yaml.safe_load_all(dump(found))) == [yaml.safe_load(text) for text in files.values()]
