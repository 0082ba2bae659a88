"""Proxies of the environment are honoured, or refused by their variable's name; nothing goes another way in silence."""

from collections.abc import Iterator

import httpx
import pytest
from answering import CATEGORY, GOOD_TOKEN, Answering, Said, answering, client_credentials, connector
from conftest import Workspace
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import NetworkFailure
from reconciler.net.urls import proxy_for

UNUSABLE = [
    "socks5://127.0.0.1:9", "socks5h://127.0.0.1:9", "socks4://127.0.0.1:9", "socks4a://127.0.0.1:9", "socks://127.0.0.1:9",
    "ftp://127.0.0.1:9", "http://127.0.0.1:99999", "http://127.0.0.1:nine", "http://127.0.0.1:-1", "http://", "://", "http://[::1",
    "http://ada:cnry-pw/1@127.0.0.1:9", "http://ada:cnry-pw#1@127.0.0.1:9", "http://ada:9/cnry-pw@127.0.0.1", "http://127.0.0.1:9 9", "\udce9",
]  # fmt: skip


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as found:
        yield found


@pytest.fixture
def live(empty: Workspace, server: Answering) -> Workspace:
    empty.env["SECRET"] = "cnry-secret"
    server.says["/token"] = Said(GOOD_TOKEN)
    texts = (
        connector("one", server.url, "{method: none}"),
        connector("two", server.url, client_credentials(server.url)),
    )
    empty.write("connectors/all.yaml", "---\n".join([CATEGORY, *texts]))
    empty.ok("apply", "--yes")
    server.asked.clear()
    return empty


@pytest.mark.parametrize("value", UNUSABLE)
def test_a_proxy_that_cannot_be_used_is_refused_by_name(live: Workspace, server: Answering, value: str) -> None:
    """By calls, tokens, an apply that goes on, and imports; nothing is sent, and no password is repeated."""
    for arguments in (
        ("call", "one", "get"),
        ("token", "fetch", "two"),
        ("import", "openapi", f"{server.url}/x", "--out", "-"),
    ):
        result = live.run(*arguments, env={"ALL_PROXY": value})
        assert result.exit_code == 10, result.output
        assert "ALL_PROXY " in result.stderr and "cnry-pw" not in result.output, result.stderr
    assert not server.asked
    live.ok("call", "one", "get", env={"ALL_PROXY": value, "NO_PROXY": "127.0.0.1"})
    live.ok("token", "fetch", "two", env={"ALL_PROXY": value, "no_proxy": "*"})


def test_an_apply_goes_on_without_what_needs_the_proxy(live: Workspace, server: Answering) -> None:
    """As for any other token that is not to be had."""
    live.write("connectors/new.yaml", connector("new", server.url, client_credentials(server.url)))
    live.edit("connectors/all.yaml", "The one", "Another one")
    result = live.run("apply", "--yes", "--on-error", "continue", env={"ALL_PROXY": "socks5://127.0.0.1:9"})
    assert result.exit_code == 7 and "ALL_PROXY names a SOCKS proxy" in result.stderr, result.output


@pytest.mark.parametrize(
    ("name", "form"),
    [("ALL_PROXY", "{}"), ("all_proxy", "http://{}"), ("HTTP_PROXY", "HTTP://{}/"), ("http_proxy", "http://ada:cnry-pw@{}"), ("Http_Proxy", " {} ")],
)  # fmt: skip
def test_a_proxy_is_used(live: Workspace, name: str, form: str) -> None:
    """Under each name and in each form; it gets its own password, and nobody else does."""
    with answering() as proxy:
        result = live.ok("call", "one", "get", env={name: form.format(proxy.url.partition("://")[2])})
        (asked,) = proxy.asked
        assert asked.path.startswith("http://127.0.0.1:") and asked.path.endswith("/data")
        assert ("proxy-authorization" in asked.headers) == ("cnry-pw" in form)
        assert "cnry-pw" not in result.output


def test_a_proxy_that_refuses_or_is_away_is_told_by_name(live: Workspace, server: Answering) -> None:
    """And by host; never with the password in its URL."""
    with answering() as proxy:
        proxy.says[f"{server.url}/data"] = Said(status=407, headers=(("Proxy-Authenticate", "Basic realm=x"),))
        url = proxy.url.replace("://", "://ada:cnry-pw@")
        refused = live.run("call", "one", "get", env={"http_proxy": url})
        assert refused.exit_code == 10 and "wants other credentials" in refused.stderr, refused.output
    away = live.run("call", "one", "get", env={"http_proxy": url})
    assert away.exit_code == 10 and f"the proxy {proxy.url[7:]} cannot be reached" in away.stderr, away.output
    for result in (refused, away):
        assert "check http_proxy" in result.stderr and "cnry-pw" not in result.output
    assert not server.asked


EXEMPT = [
    ("https://api.example.com/", "example.com"), ("https://api.example.com/", ".example.com"), ("https://api.example.com/", "*.example.com"),
    ("https://api.example.com/", "EXAMPLE.COM"), ("https://api.example.com/", "example.com."), ("https://api.example.com/", "other, example.com"),
    ("https://api.example.com/", "other example.com"), ("https://api.example.com/", "api.example.com:443"), ("https://api.example.com:8443/", "example.com:8443"),
    ("https://api.example.com/", "https://example.com/"), ("https://example.com/", "example.com"), ("https://example.com./", "example.com"),
    ("http://10.1.2.3/", "10.0.0.0/8"), ("http://10.1.2.3/", "10.0.0.0/255.0.0.0"), ("http://10.1.2.3/", "10.1.2.3"), ("http://10.1.2.3/", "10.1.2.3:80"), ("http://10.1.2.3/", "10.*"),
    ("http://[fd00::1]/", "fd00::/8"), ("http://[fd00::1]/", "[fd00::]/8"), ("http://[fd00::1]/", "FD00:0:0:0:0:0:0:1"), ("http://[fd00::1]/", "[fd00::1]"), ("http://[fd00::1]:81/", "[fd00::1]:81"),
    ("https://bücher.example/", "bücher.example"), ("https://bücher.example/", "xn--bcher-kva.example"), ("https://xn--bcher-kva.example/", "BÜCHER.example"),
    ("http://localhost/", "localhost"), ("http://anything/", "*"), ("http://anything/", "nonsense/x, *"),
]  # fmt: skip
NOT_EXEMPT = [
    ("https://badexample.com/", "example.com"), ("https://example.com.evil.org/", "example.com"), ("https://example.com/", "api.example.com"), ("https://api.example.com/", "api.example.com:80"),
    ("http://11.1.2.3/", "10.0.0.0/8"), ("http://10.1.2.3/", "10.1.2.3:81"), ("http://[fe00::1]/", "fd00::/8"), ("http://[fd00::1]/", "[fd00::1]:81"),
    ("http://api.example.com/", "10.0.0.0/8, ::/0"), ("http://anything/", ""), ("http://anything/", " , "),
]  # fmt: skip


@pytest.mark.parametrize(("url", "exempt"), EXEMPT)
def test_no_proxy_exempts(url: str, exempt: str) -> None:
    """Hosts, domains, addresses, ranges, ports, other scripts; whatever the proxy is."""
    for name in ("NO_PROXY", "no_proxy"):
        assert proxy_for(httpx.URL(url), {"ALL_PROXY": "socks5://p", name: exempt}) is None


@pytest.mark.parametrize(("url", "exempt"), NOT_EXEMPT)
def test_no_proxy_exempts_nothing_else(url: str, exempt: str) -> None:
    """A name that only looks alike goes through the proxy."""
    found = proxy_for(httpx.URL(url), {"ALL_PROXY": "p:3128", "NO_PROXY": exempt})
    assert found is not None and (found.variable, found.shown) == ("ALL_PROXY", "p:3128")


@pytest.mark.parametrize(
    "entry", ["10.0.0.0/33", "10.", "10.1", "example.com:http", "example.com/x", "a|b", "ada:cnry-pw@host"]
)
def test_an_exemption_that_cannot_be_read_is_refused(entry: str) -> None:
    """Rather than sending through the proxy what was meant not to be."""
    with pytest.raises(NetworkFailure, match=r"^NO_PROXY: entry 2 is neither") as refused:
        proxy_for(httpx.URL("https://api.example.org/"), {"ALL_PROXY": "p:3128", "NO_PROXY": f"other, {entry}"})
    assert "cnry" not in str(refused.value)
    assert proxy_for(httpx.URL("https://api.example.org/"), {"NO_PROXY": entry}) is None


def test_small_letters_win_and_an_empty_one_hides_the_other() -> None:
    """A scheme's own variable wins over the one for all."""
    url = httpx.URL("https://example.com/")
    environment = {"HTTPS_PROXY": "upper", "https_proxy": "lower", "ALL_PROXY": "all", "HTTP_PROXY": "other"}
    assert proxy_for(url, environment).shown == "lower"  # type: ignore[union-attr]
    assert proxy_for(url, {**environment, "https_proxy": ""}).variable == "ALL_PROXY"  # type: ignore[union-attr]
    assert proxy_for(url, {"HTTP_PROXY": "other"}) is None


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_the_variables_hold_it_is_read_or_refused(proxy: str, exempt: str) -> None:
    """Never another failure."""
    for url in ("https://api.example.com/", "http://[::1]:81/", "http://10.1.2.3/"):
        for scheme in ("", "http://", "socks5://"):
            try:
                found = proxy_for(httpx.URL(url), {"ALL_PROXY": scheme + proxy, "NO_PROXY": exempt})
            except NetworkFailure as refused:
                assert refused.message.startswith(("ALL_PROXY ", "NO_PROXY: "))
            else:
                assert found is None or httpx.Proxy(found.url.reveal())
