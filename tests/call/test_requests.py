"""Requests are built as the definition says, and no value can make another request of them."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.secret import Secret
from reconciler.errors import InvalidDefinitions, ReconcilerError, SecretUnavailable, UsageError
from reconciler.kinds.requests import DataMissing, GivenData, Request, build
from reconciler.kinds.requests import gather
from reconciler.kinds.requests import shown_url

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def make(data: dict[str, Any] | None = None, secrets: dict[str, Secret] | None = None, **endpoint: Any) -> Request:
    """The request of an endpoint with these keys; those of the caller begin with `given_`."""
    caller = {key: endpoint.pop(f"given_{key}") for key in ("params", "headers", "base_url") if f"given_{key}" in endpoint}  # fmt: skip
    whole = {"method": "GET", "url": "https://example.com/x", **endpoint}
    return build("get", whole, GivenData(data or {}, **caller), secrets or {})


def text_pairs(pairs: Any) -> list[tuple[str, str]]:
    return [(name, value.reveal() if isinstance(value, Secret) else value) for name, value in pairs]


@given(TEXTS)
@example('"<&>\\')
def test_a_text_in_a_json_string_comes_out_as_it_was(value: str) -> None:
    """Whatever it holds, and without HTML's escapes."""
    request = make({"x": value}, method="POST", body='{"a": "{{x}}", "b": "before {{x}} after", "c": [{{x}}]}')
    assert json.loads(request.body.content) == {"a": value, "b": f"before {value} after", "c": [value]}
    assert dict(request.headers)["Content-Type"] == "application/json"


@given(JSON)
def test_a_value_in_json_comes_out_as_it_was(value: Any) -> None:
    """Without quotes it is JSON; {{{x}}} is raw."""
    request = make({"x": value, "raw": json.dumps(value)}, method="POST", body='{"a": {{x}}, "b": {{{raw}}}}')
    assert json.loads(request.body.content) == {"a": value, "b": value}


@given(TEXTS.filter(lambda text: text.strip() and text not in (".", "..")))
@example("../../admin")
@example("a/b?c#d%2e é")
@example("%2e%2e")
def test_a_value_in_a_path_is_one_step_of_it(value: str) -> None:
    """It comes out as it was, and nothing else of the URL changes, also when httpx has parsed it."""
    url = httpx.URL(make({"x": value}, url="https://example.com/a/{{x}}/b?c={{x}}&d=1").url)
    assert (url.host, url.params["c"], url.params["d"]) == ("example.com", value, "1")
    head, step, tail = url.raw_path.decode().partition("?")[0].removeprefix("/").split("/")
    assert (head, unquote(step), tail) == ("a", value, "b")


@given(TEXTS, st.sampled_from(["https://example.com/{{{x}}}", "https://example.com{{{x}}}", "https://example.com{{x}}", "https://api.example.com:80{{x}}",
                               "https://exa{{{x}}}mple.com/", "https://example.com/a?b={{{x}}}", "https://example.com{{{x}}}.org/"]))  # fmt: skip
@example("@evil.org/", "https://example.com{{{x}}}")
@example(".evil.org", "https://example.com{{{x}}}")
@example("evil.org/", "https://exa{{{x}}}mple.com/")
@example("/evil", "https://example.com{{{x}}}.org/")
@example("\\@evil.org", "https://example.com/{{{x}}}")
@example("..", "https://example.com/{{{x}}}")
@example("é", "https://exa{{{x}}}mple.com/")
@example("99", "https://api.example.com:80{{x}}")
def test_no_value_changes_the_host(value: str, url: str) -> None:
    """It is refused, or the host is the template's with host characters in the placeholder."""
    try:
        built = make({"x": value}, url=url).url
    except UsageError:
        return
    except InvalidDefinitions:
        pytest.fail("the definition is not to blame")
    head, _, tail = url.removeprefix("https://").partition("/")[0].partition("{{{x}}}")
    host = urlsplit(built).netloc
    assert host.startswith(head.replace("{{x}}", "")) and host.endswith(tail)
    assert httpx.URL(built).host.endswith((".com", ".com.org") if not host.endswith(".org") else (".org",))
    assert "@" not in host
    assert built.isprintable() or not built.isascii()


@pytest.mark.parametrize(
    ("url", "data", "built"),
    [
        ("https://{{tenant}}.example.com/x", {"tenant": "acme-1"}, "https://acme-1.example.com/x"),
        ("https://api.{{domain}}/x", {"domain": "example.com:8443"}, "https://api.example.com:8443/x"),
        ("{{base}}/x", {"base": "https://example.com/api"}, "https://example.com/api/x"),
        ("{{{base}}}{{{path}}}", {"base": "https://example.com", "path": "/a/b"}, "https://example.com/a/b"),
        ("https://example.com{{{path}}}", {"path": "/a/b?c=1"}, "https://example.com/a/b?c=1"),
        ("http://localhost:{{port}}/", {"port": 8080}, "http://localhost:8080/"),
        ("{{scheme}}://example.com/", {"scheme": "https"}, None),
        ("{{base}}.evil.org/", {"base": "https://example.com"}, None),
        ("{{base}}/", {"base": "https://u:p@example.com"}, None),
        ("{{base}}/", {"base": "file:///etc/passwd"}, None),
        ("{{base}}/", {"base": "https://[:::]"}, None),
        ("http://localhost:{{port}}/", {"port": 99999}, None),
        ("https://{{tenant}}.example.com/x", {"tenant": "evil.org/"}, None),
        ("https://{{tenant}}.example.com/x", {"tenant": "evil.org#"}, None),
        ("https://example.com/{{x}}/y", {"x": ".."}, None),
    ],
)
def test_placeholders_in_the_host(url: str, data: dict[str, Any], built: str | None) -> None:
    """They take what a host can hold; a URL may begin with one for its base."""
    if built:
        assert make(data, url=url).url == built
    else:
        with pytest.raises(UsageError):
            make(data, url=url)


@given(TEXTS)
@example("a\r\nX-Evil: 1")
@example("a\x00")
def test_a_value_never_makes_another_header(value: str) -> None:
    """A line break is refused, in headers of the definition, of the caller, and from secrets; blanks at the ends too."""
    fits = all(char == "\t" or " " <= char <= "~" for char in value) and value == value.strip(" \t")
    address = "endpoints.get.headers.X-A.value"
    attempts = [
        lambda: make({"x": value}, headers=[{"name": "X-A", "value": "{{x}}", "required": True}]),
        lambda: make(given_headers=[("X-A", value)]),
        lambda: make(secrets={address: Secret(value)}, headers=[{"name": "X-A", "value": {"env": "A"}, "required": True}]),
    ]  # fmt: skip
    for attempt in attempts:
        if fits:
            assert ("X-A", value) in text_pairs(attempt().headers)
        else:
            with pytest.raises(UsageError) as refused:
                attempt()
            assert len(value) < 3 or value not in refused.value.message


@given(st.text(max_size=60), JSON)
def test_whatever_a_live_record_holds_it_builds_or_says_why(template: str, value: Any) -> None:
    """Live records may be written by others."""
    for endpoint in (
        {"method": "GET", "url": template},
        {"method": "GET", "url": "https://example.com/", "body": template, "params": [{"name": template, "value": template}]},
        {"method": "GET", "url": value, "headers": value},
        {"method": value, "url": "https://example.com/", "params": [value]},
        {"method": "GET", "url": "https://example.com/", "body": value, "bodyType": value},
    ):  # fmt: skip
        try:
            build("get", endpoint, GivenData({"a": value}), {})
        except ReconcilerError as failure:
            assert failure.message


def test_all_missing_data_is_named_at_once() -> None:
    """But not what stands in a section, or in an optional parameter."""
    with pytest.raises(DataMissing) as missing:
        make(
            {"list": [{}]}, method="POST", url="https://example.com/{{account.id}}", body='{"a": "{{name}}{{#list}}{{inner}}{{/list}}"}',
            params=[{"name": "p", "value": "{{optional}}"}, {"name": "q", "value": "{{page}}", "required": True}],
        )  # fmt: skip
    assert missing.value.message == "there is no data for account.id, page, name"
    assert missing.value.hint.startswith("give  --set account.id=... --set page=... --set name=...")


def test_sections_repeat_and_vanish() -> None:
    """As mustache(5) says: lists, objects, inverted sections, dots."""
    body = '[{{#rows}}{{^first}},{{/first}}{"n": {{n}}, "of": "{{owner.name}}"}{{/rows}}{{^none}}{{/none}}]'
    data = {"rows": [{"n": 1, "first": True}, {"n": 2}], "owner": {"name": "Ada"}, "none": []}
    assert json.loads(make(data, method="POST", body=body).body.content) == [
        {"n": 1, "of": "Ada"},
        {"n": 2, "of": "Ada"},
    ]


@pytest.mark.parametrize(
    "template", ["{{> /etc/passwd}}", "{{#a}}", "{{a", "{{#a}}" * 60 + "{{/a}}" * 60, "{{a.__class__}}"]
)
def test_templates_reach_nothing_but_the_data(template: str) -> None:
    """No file, no attribute of an object."""
    with pytest.raises(ReconcilerError):
        make({"a": "text"}, method="POST", body=template, bodyType="raw")


def test_a_caller_s_parameter_wins_and_an_empty_one_is_sent_only_when_required() -> None:
    """The rules of run time."""
    stored = [{"name": "a", "value": "1"}, {"name": "b"}, {"name": "c", "required": True}, {"name": "d", "value": "4"},
              {"name": "e", "value": "5", "required": True}, {"name": "f", "value": "{{missing}}"}]  # fmt: skip
    assert list(make(params=stored).params) == [("a", "1"), ("c", ""), ("d", "4"), ("e", "5")]
    given_params = [("a", "x"), ("a", "y"), ("d", ""), ("e", ""), ("new", "z"), ("newer", "")]
    assert list(make(params=stored, given_params=given_params).params) == [("c", ""), ("a", "x"), ("a", "y"), ("e", ""), ("new", "z")]  # fmt: skip


def test_with_headers_of_the_caller_only_the_required_ones_are_added() -> None:
    """Else all, and always one that accepts JSON."""
    stored = [{"name": "X-A", "value": "1"}, {"name": "X-B", "value": "2", "required": True}, {"name": "X-Empty"}]
    assert list(make(headers=stored).headers) == [("Accept", "application/json"), ("X-A", "1"), ("X-B", "2")]
    assert list(make(headers=stored, given_headers=[("x-c", "3"), ("accept", "text/csv")]).headers) == [("X-B", "2"), ("x-c", "3"), ("accept", "text/csv")]  # fmt: skip


@pytest.mark.parametrize(
    ("endpoint", "content", "media_type"),
    [
        ({"body": '{"a": 1}'}, b'{"a": 1}', "application/json"),
        ({"body": "<a>{{x}}</a>", "bodyType": "raw"}, b"<a>1 & 2</a>", None),
        ({"body": "<a>{{x}}</a>", "headers": [{"name": "content-type", "value": "text/xml"}]}, b"<a>1 & 2</a>", None),
        (
            {"body": '{"a": 1}', "headers": [{"name": "Content-Type", "value": "application/problem+json"}]},
            b'{"a": 1}',
            None,
        ),
        ({"body": "  "}, None, None),
    ],
)
def test_the_kind_of_body_decides_what_is_sent(
    endpoint: dict[str, Any], content: bytes | None, media_type: str | None
) -> None:
    """And which Content-Type is added."""
    request = make({"x": "1 & 2"}, method="POST", **endpoint)
    assert request.body.content == content
    assert dict(request.headers).get("Content-Type", None if media_type is None else "") in (
        media_type,
        "application/problem+json",
    )


@pytest.mark.parametrize("kind", ["multipart", "form-urlencoded"])
def test_a_form_wants_an_object_that_is_whole(kind: str) -> None:
    """A list, a text, what JSON does not know, and half a character are refused with words; a form may be empty."""
    for wrong in ("[1]", "text", '{"a": NaN}', r'{"a": "\ud800"}', '{"a": ' * 2000):
        with pytest.raises(InvalidDefinitions):
            make(method="POST", body=wrong, bodyType=kind)
    assert make(method="POST", body='{"a": null, "b": []}', bodyType=kind).body.form == ()


def test_a_kind_of_body_that_is_none_is_refused() -> None:
    """A live record may be older, or written by others: nothing is sent as what it is not."""
    with pytest.raises(InvalidDefinitions, match="not a readable definition"):
        make(method="POST", body='{"a": 1}', bodyType="form-data")
    with pytest.raises(InvalidDefinitions, match="not a readable definition"):
        make({"a": [1]}, params=[{"name": "a", "value": "{{a}}", "style": "csv"}])


def test_secrets_stay_sealed() -> None:
    """Stored ones, and literal values under a name that carries credentials."""
    secrets = {"endpoints.get.params.key.value": Secret("one"), "endpoints.get.params.key#2.value": Secret("two")}
    request = make(secrets=secrets, params=[{"name": "key", "value": {"env": "A"}}, {"name": "key", "value": {"env": "B"}}],
                   headers=[{"name": "X-Api-Key", "value": "literal"}], url="https://example.com/?sig=abc&page=1", given_headers=[("Cookie", "c=1")])  # fmt: skip
    assert text_pairs(request.params) == [("key", "one"), ("key", "two")]
    assert shown_url(request) == "https://example.com/?sig=********&page=1&key=********&key=********"
    assert all(word not in repr(request) for word in ("one'", "two'", "literal", "c=1"))
    with pytest.raises(SecretUnavailable, match=r"endpoints\.get\.params\.key\.value"):
        make(params=[{"name": "key", "value": {"env": "A"}}])


def test_the_platform_s_own_urls_want_a_base() -> None:
    """Given with --base-url; it cannot be left by what follows."""
    with pytest.raises(UsageError, match="platform's own"):
        make(url="/api/users")
    assert make({"x": "/evil.org"}, url="/{{{x}}}", given_base_url="https://p.example.com/sub/").url == "https://p.example.com/sub//evil.org"  # fmt: skip
    with pytest.raises(UsageError):
        make(url="/api", given_base_url="p.example.com")


def test_settings_nest_and_win() -> None:
    """--set over the file over the sample; := is JSON."""
    sample = {"a": {"b": "1", "c": "2"}, "d": "3", "e": "4"}
    data = gather(sample, {"d": "5"}, ["a.b=x=y", "n:=[1, null]", "new.er=z", "e="])
    assert data == {"a": {"b": "x=y", "c": "2"}, "d": "5", "e": "", "n": [1, None], "new": {"er": "z"}}
    assert sample["a"] == {"b": "1", "c": "2"}
    for wrong in ("novalue", "=x", ":=1", "n:=nope", "n:=NaN"):
        with pytest.raises(UsageError):
            gather({}, {}, [wrong])
    with pytest.raises(UsageError):
        gather({}, {"n": float("nan")}, [])
