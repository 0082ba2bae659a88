"""Redirects are followed for GET, and take no credentials to another origin."""

import pytest
from call_world import assert_error, call_json, connector, make_live
from conftest import Workspace

from servers import faults

ENDPOINTS = """\
    get:
      method: GET
      url: URL/anything
      params: [{name: key, value: {env: KEY}}]
      headers: [{name: X-Api-Key, value: {env: HEADER_KEY}}, {name: Cookie, value: {env: KEY}}, {name: X-Other, value: hello}]
    post: {method: POST, url: URL/anything, body: '{}'}
"""


@pytest.fixture
def live(empty: Workspace, front) -> Workspace:
    return make_live(empty, connector(front.url, ENDPOINTS))


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_within_the_origin_credentials_go_along(live: Workspace, front, status: str) -> None:
    """The parameters do not: Location says where to."""
    front.play(faults.redirect("/anything/else?a=1", status))
    content = call_json(live, "bin", "get")
    assert content["redirects"] == [
        {"status": int(status[:3]), "url": f"{front.url}/anything/else?a=1", "credentials": True}
    ]
    last = front.requests[-1]
    assert (last.target, last.header("x-other")) == ("/anything/else?a=1", "hello")
    assert last.header("authorization") and last.header("x-api-key") and last.header("cookie")


def test_another_origin_gets_no_credentials(live: Workspace, front, make_front, httpbin) -> None:
    """Neither another port is trusted, nor the way back."""
    other = make_front(httpbin.url)
    front.play(faults.redirect(f"{other.url}/anything/other"))
    other.play(faults.redirect(f"{front.url}/anything/back"))
    result = live.ok("call", "bin", "get")
    assert result.stderr == f"redirected with 302 to {other.url}/anything/other, without credentials\nredirected with 302 to {front.url}/anything/back, without credentials\n"  # fmt: skip
    for request in (other.requests[0], front.requests[-1]):
        assert request.header("x-other") == "hello"
        assert not any(request.header(name) for name in ("authorization", "x-api-key", "cookie"))
        assert "key" not in request.target
    host = live.ok("call", "bin", "get")
    front.play(faults.redirect(f"http://localhost:{front.port}/anything/host"))
    host = live.ok("call", "bin", "get")
    assert "without credentials" in host.stderr
    assert front.requests[-1].header("authorization") is None


def test_another_origin_never_gets_a_secret_in_the_url(live: Workspace, front, make_front, httpbin) -> None:
    """Although the server, which knows it, asks for that."""
    other = make_front(httpbin.url)
    front.play(faults.redirect(f"{other.url}/?key=cnry-key%2F77%2Bx%26y"))
    assert_error(live.run("call", "bin", "get"), 10, "redirects to another host with a secret in the URL")
    assert other.requests == ()


def test_https_is_not_left(empty: Workspace, front, front_tls, authority) -> None:
    """For http the answer is refused."""
    live = make_live(empty, connector(front_tls.url, ENDPOINTS, extra=f"  tls: {{ca: {{file: {authority.ca}}}}}\n"))
    live.ok("call", "bin", "get")
    front_tls.play(faults.redirect(f"{front.url}/anything"))
    assert_error(live.run("call", "bin", "get"), 10, "it redirects from https to http, which is not followed")
    assert front.requests == ()


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://u:p@127.0.0.1/", "//127.0.0.1:99999/"]
)
def test_odd_places_are_refused(live: Workspace, front, to: str) -> None:
    """Nothing but http and https, without a user."""
    front.play(faults.redirect(to))
    assert_error(live.run("call", "bin", "get"), 10, "it redirects to what is no")


def test_redirects_end(live: Workspace, front) -> None:
    """After five."""
    front.play(*[faults.redirect("/anything")] * 10)
    assert_error(live.run("call", "bin", "get"), 10, "redirects more than 5 times")
    assert len(front.requests) == 6


def test_a_token_in_a_fragment_is_not_shown(live: Workspace, front) -> None:
    """Where OAuth's implicit flow puts it."""
    front.play(faults.redirect("https://a.example/back#access_token=cnry-fragment&state=1"))
    result = live.ok("call", "bin", "post", "--yes")
    assert "https://a.example/back#access_token=********&state=1" in result.stdout
    assert "cnry-fragment" not in result.output


def test_a_writing_method_is_not_redirected(live: Workspace, front) -> None:
    """The redirect is the answer."""
    front.play(faults.redirect("/anything", "307 Temporary Redirect"))
    content = call_json(live, "bin", "post", "--yes")
    assert (content["response"]["status"], content["redirects"], len(front.requests)) == (307, [], 1)
