"""No value of a placeholder makes another request of an endpoint than the one that is defined."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from answering import CATEGORY, Answering, answering, connector
from conftest import Workspace
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.kinds.requests import GivenData, build

URLS = {
    "step": "URL/items/{{id}}",
    "raw": "URL/items/{{{id}}}",
    "inner": "URL/items/{{id}}/parts",
    "dotted": "URL/items/{{id.x}}",
    "glued": "URL/items({{id}})",
    "section": "URL/items/{{#id}}{{x}}{{/id}}",
}
EMPTY: list[Any] = ["", None, " ", "\t\n", "\u00a0\u3000", [], {}]


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as found:
        yield found


@pytest.fixture
def live(empty: Workspace, server: Answering) -> Workspace:
    endpoints = "".join(
        f"    {name}: {{method: DELETE, url: '{url.replace('URL', server.url)}'}}\n" for name, url in URLS.items()
    )
    sample = f"    read: {{method: GET, url: '{server.url}/items/{{{{id}}}}', sample: {{id: ''}}}}\n"
    empty.write(
        "connectors/all.yaml", CATEGORY + "---\n" + connector("one", server.url, "{method: none}", endpoints + sample)
    )
    empty.ok("apply", "--yes")
    return empty


@pytest.mark.parametrize("value", EMPTY, ids=map(ascii, EMPTY))
def test_an_empty_value_never_deletes_the_whole_collection(live: Workspace, server: Answering, value: Any) -> None:
    """It is refused before anything is sent, whether it comes from a file or the command line."""
    for name in URLS:
        data = {"id": {"x": value} if name in ("dotted", "section") else value}
        live.write("d.json", json.dumps(data))
        result = live.run("call", "one", name, "--data", "d.json", "--yes")
        assert result.exit_code == 64, (name, result.output)
        assert "url: the value of " in result.stderr and "is empty" in result.stderr, result.stderr
    assert not server.asked


def test_an_empty_setting_or_sample_is_refused_too(live: Workspace, server: Answering) -> None:
    """Also in a call of everything, where it is one failure."""
    assert live.run("call", "one", "step", "--set", "id=", "--yes").exit_code == 64
    assert live.run("call", "one", "step", "--set", "id:=null", "--yes").exit_code == 64
    assert live.run("call", "one", "read").exit_code == 64
    result = live.run("call", "--all")
    assert result.exit_code == 10 and "is empty" in result.stdout
    assert not server.asked


@pytest.mark.parametrize("value", ["?", "#", "/", "//", "?all=1", "#x", ".", "..", "../", "./", "%2e%2e", "x/../.."])
def test_a_raw_value_cannot_empty_its_step_or_climb(live: Workspace, server: Answering, value: str) -> None:
    """What three braces hold is not encoded, so it is looked at as it is."""
    assert live.run("call", "one", "raw", "--set", f"id={value}", "--yes").exit_code == 64
    assert not server.asked


def test_what_is_not_empty_is_sent_as_one_step(live: Workspace, server: Answering) -> None:
    """Zero and false are values."""
    for value, sent in (("0", "0"), ("false", "false"), ("a/b", "a%2Fb"), ("?x", "%3Fx"), ("%2e", "%252e")):
        live.ok("call", "one", "inner", "--set", f"id={value}", "--yes")
        assert server.asked[-1].path == f"/items/{sent}/parts"


@given(
    st.text(max_size=12) | st.sampled_from(["..", "%2e%2e", "a/b", "?", "#", "@evil.org", "//evil.org", "\\evil"]),
    st.booleans(),
)
def test_any_value_is_refused_or_one_step_below_the_host(value: str, raw: bool) -> None:
    """The host stays, the fixed steps stay, and the value's own step is not empty."""
    url = "https://api.example.com/items/" + ("{{{id}}}" if raw else "{{id}}")
    try:
        built = httpx.URL(build("x", {"method": "DELETE", "url": url}, GivenData({"id": value}), {}).url)
    except UsageError:
        return
    except UnicodeError:
        assert any("\ud800" <= char <= "\udfff" for char in value)
        return
    assert (built.scheme, built.host, built.port, built.userinfo) == ("https", "api.example.com", None, b"")
    first, step, *_ = built.raw_path.decode().partition("?")[0].removeprefix("/").split("/")
    assert first == "items" and unquote(step).strip() not in ("", ".", "..") or raw


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("https://{{id}}.example.com/", "evil.org/"), ("https://{{id}}.example.com/", "evil.org#"), ("https://{{id}}.example.com/", "evil.org:443"),
        ("https://{{id}}.example.com/", "u@evil.org"), ("https://{{id}}.example.com/", ""), ("https://{{id}}.example.com/", "evil.org\\"),
        ("https://{{{id}}}.example.com/", "evil.org/x?"), ("https://example.com{{{id}}}", ".evil.org"), ("https://example.com{{{id}}}", "@evil.org/"),
        ("https://example.com:{{id}}/", "80@evil.org"), ("https://example.com:{{id}}/", ""), ("https://example.com:{{id}}/", "99999"), ("{{{id}}}/x", ""), ("{{id}}/x", "/"),
        ("https://{{id}}.example.com/", "evil.org／"), ("https://{{id}}.example.com/", "evil.org\t"),
    ],
)  # fmt: skip
def test_a_value_in_the_host_sends_credentials_nowhere_else(url: str, value: str) -> None:
    """It fills its part of the host, or is refused."""
    with pytest.raises(UsageError):
        build("x", {"method": "GET", "url": url}, GivenData({"id": value}), {})
