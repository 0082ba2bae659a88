"""What is written is what independent readers read, and what an independent writer writes."""

import io
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from uritemplate import expand
from werkzeug.formparser import parse_form_data

from reconciler.kinds.requests import GivenData, Request, build, sent_url
from reconciler.kinds.styles import Style, as_text, expanded, percent_encoded

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = TEXTS | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
NAMES = TEXTS.filter(bool)
LISTS = st.lists(SCALARS, min_size=1, max_size=4)
OBJECTS = st.dictionaries(TEXTS, SCALARS, min_size=1, max_size=4)
TREES = st.recursive(SCALARS, lambda inner: st.dictionaries(TEXTS, inner, min_size=1, max_size=3), max_leaves=6)


def made(data: Any, **endpoint: Any) -> Request:
    """The request of an endpoint whose placeholder is `x`."""
    return build("get", {"method": "POST", "url": "https://example.com/x", **endpoint}, GivenData({"x": data}), {})


def queried(name: str, data: Any, **style: Any) -> str:
    """The query of an endpoint with one parameter."""
    entry = {"name": "{{n}}", "value": "{{x}}", "required": True, **style}
    endpoint = {"method": "GET", "url": "https://example.com/x", "params": [entry]}
    request = build("get", endpoint, GivenData({"x": data, "n": name}), {})
    assert sent_url(request).isascii() and sent_url(request).isprintable() and " " not in sent_url(request)
    return sent_url(request).partition("?")[2]


def read(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=1000)


@given(NAMES, LISTS)
def test_a_list_repeats_its_parameter(name: str, items: list[Any]) -> None:
    """Read by Python's own reader of queries."""
    assert read(queried(name, items)) == [(name, as_text(item)) for item in items]


@given(OBJECTS)
def test_an_object_s_keys_become_parameters(value: dict[str, Any]) -> None:
    """Its own name is said nowhere."""
    assert read(queried("name", value)) == [(key, as_text(item)) for key, item in value.items()]


@given(NAMES, LISTS, st.sampled_from([("form", ","), ("spaceDelimited", "%20"), ("pipeDelimited", "%7C"), ("tabDelimited", "%09")]))  # fmt: skip
@example("n", ["a,b", "c"], ("form", ","))
def test_a_delimited_list_is_split_again(name: str, items: list[Any], style: tuple[str, str]) -> None:
    """Where the delimiter cannot be told from data, as with all but the comma, the specification wants none in data."""
    sign = unquote(style[1])
    texts = [as_text(item) if style[0] == "form" else as_text(item).replace(sign, "_") for item in items]
    called, _, value = queried(name, texts, style=style[0], explode=False).partition("=")
    assert unquote(called) == name and [unquote(text) for text in value.split(style[1])] == texts


@given(st.dictionaries(TEXTS, TREES, min_size=1, max_size=3))
def test_a_deep_object_names_the_way_to_each_value(tree: dict[str, Any]) -> None:
    """In brackets, which readers see in what they have decoded."""

    def leaves(name: str, value: Any) -> list[tuple[str, str]]:
        if not isinstance(value, dict):
            return [(name, as_text(value))]
        return [leaf for key, inner in value.items() for leaf in leaves(f"{name}[{key}]", inner)]

    assert read(queried("f", tree, style="deepObject")) == leaves("f", tree)


MEMBERS = st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=4).map(lambda found: dict(sorted(found.items())))
VALUES = TEXTS | st.lists(TEXTS, min_size=1, max_size=4) | MEMBERS  # uritemplate sorts, which the RFC leaves open
OPERATORS = {"simple": "", "label": ".", "matrix": ";"}


@given(VALUES, st.sampled_from(list(OPERATORS)), st.booleans())
def test_styles_of_paths_are_those_of_rfc_6570(value: Any, style: str, explode: bool) -> None:
    """As another implementation of it expands the same."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    assume(style != "matrix" or "" not in members)  # which uritemplate gives an = against the RFC
    template = f"{{{OPERATORS[style]}color{'*' * explode}}}"
    assert expanded("color", value, Style(style, explode), percent_encoded) == expand(template, color=value)


@given(VALUES, st.booleans())
def test_the_style_form_is_that_of_rfc_6570(value: Any, explode: bool) -> None:
    """The same of queries."""
    assert "?" + queried("color", value, explode=explode) == expand(f"{{?color{'*' * explode}}}", color=value)


@given(st.dictionaries(TEXTS, SCALARS | LISTS, max_size=4))
def test_an_urlencoded_form_is_read_as_it_was(fields: dict[str, Any]) -> None:
    """By Python's own reader, and by werkzeug's."""
    wanted = [(name, as_text(item)) for name, value in fields.items() for item in (value if isinstance(value, list) else [value])]  # fmt: skip
    request = made(fields, bodyType="form-urlencoded", body="{{x}}")
    assert read_or_none(request.body.content) == wanted
    assert sorted(posted(request)) == sorted(wanted)


@given(st.dictionaries(TEXTS.filter(lambda name: not set(name) & set('"\r\n\\') and name.isprintable()), SCALARS | LISTS, max_size=4))  # fmt: skip
@example({"a": "--b\r\n\r\n--", "b": ["", "\r\n"]})
@example({"é": "--reconciler-"})
def test_a_multipart_form_is_read_as_it_was(fields: dict[str, Any]) -> None:
    """By werkzeug; whatever the values hold, no part ends early."""
    wanted = [(name, as_text(item)) for name, value in fields.items() for item in (value if isinstance(value, list) else [value])]  # fmt: skip
    assert sorted(posted(made(fields, bodyType="multipart", body="{{x}}"))) == sorted(wanted)


@given(TEXTS, TEXTS)
@example('"; filename="evil', "x")
@example('a"\r\nContent-Type: text/evil\r\n\r\n', "x")
def test_no_name_makes_another_part(name: str, filename: str) -> None:
    """Names and file names stay within their quotes and on their line."""
    entries = [{"name": name, "filename": filename or "f"}]
    request = made({name: "content"}, bodyType="multipart", body="{{x}}", formFields=entries)
    assert request.body.content is not None
    boundary, head, _, content, *rest = request.body.content.decode().split("\r\n", 4)
    assert head.startswith('Content-Disposition: form-data; name="') and head.count('"') == 4
    assert (content, *rest) == ("", f"content\r\n{boundary}--\r\n")


@pytest.mark.parametrize("kind", ["multipart", "form-urlencoded"])
def test_the_same_request_is_the_same_bytes(kind: str) -> None:
    """So that a second try is no other request; and other content has another boundary."""
    first, again, other = (made({"a": text}, bodyType=kind, body="{{x}}").body for text in ("1", "1", "2"))
    assert first == again and first != other


def read_or_none(content: bytes | None) -> list[tuple[str, str]]:
    return read((content or b"").decode()) if content else []


def posted(request: Request) -> list[tuple[str, str]]:
    """The fields that werkzeug finds."""
    content = request.body.content or b""
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": dict(request.headers)["Content-Type"],
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
    }
    _, form, files = parse_form_data(environ)
    assert not files
    return list(form.items(multi=True))
