"""No secret is shown by `call`: not in what it prints of requests and answers, and not when it fails."""

import json
import re
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from call_world import SECRETS, connector, make_live
from conftest import Workspace
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.secret import Redactor
from reconciler.core.secret import Secret
from servers import faults

ENDPOINTS = """\
    get:
      method: GET
      url: URL/anything
      params: [{name: key, value: {env: KEY}}]
      headers: [{name: X-Key, value: {env: HEADER_KEY}}]
      timeoutSeconds: 2
    post:
      method: POST
      url: URL/anything
      body: '{"a": "{{a}}"}'
      params: [{name: key, value: {env: KEY}}]
"""
WAYS = ("", "-v", "-o json", "--dry-run", "--dry-run -o json", "--yes -v -o json")


def forms(value: str) -> list[str]:
    """How a value comes back."""
    basic = b64encode(f"ada:{value}".encode()).decode()
    return [value, quote(value), quote(value, safe=""), quote_plus(value), quote(quote(value, safe=""), safe=""), re.sub("%..", lambda found: found[0].lower(), quote(value, safe="")),
            json.dumps(value)[1:-1], value.replace("/", "\\/"), "".join(json.dumps(char)[1:-1] if char.isalnum() or ord(char) > 127 else f"\\u{ord(char):04x}" for char in value),
            escape(value), basic, b64encode(value.encode()).decode(), value.encode().hex()]  # fmt: skip


def assert_hidden(text: str, where: str) -> None:
    for value in SECRETS.values():
        for form in [*forms(value), value[:8] + value[8:12]]:
            assert form not in text, f"{form} in {where}"


@pytest.fixture
def live(empty: Workspace, front) -> Workspace:
    bearer = connector(front.url, ENDPOINTS, name="token", authorization="{method: bearer, token: {env: PASSWORD}}")
    return make_live(empty, connector(front.url, ENDPOINTS), bearer)


@pytest.mark.parametrize("name", ["bin", "token"])
def test_nothing_shows_a_secret_when_all_goes_well(live: Workspace, front, name: str) -> None:
    """httpbin repeats all that it is sent; so does --set when the caller passes one on."""
    for way in WAYS:
        result = live.run("call", name, "get", *way.split())
        assert result.exit_code == 0, result.output
        assert_hidden(result.output, way)
        assert "********" in result.output
        posted = live.run("call", name, "post", "--set", f"a={SECRETS['KEY']}", *way.split())
        assert_hidden(posted.output, f"post {way}")
    for way in ("", "-v", "-o json"):
        assert_hidden(live.run("call", "--all", *way.split()).output, f"--all {way}")
    assert SECRETS["HEADER_KEY"] in [request.header("x-key") for request in front.requests]


def test_nothing_shows_a_secret_when_something_fails(live: Workspace, front) -> None:
    """Whatever the server does, with the secrets in its answer in every form."""
    echo = "\n".join(form for value in SECRETS.values() for form in forms(value))
    headers = {
        "Set-Cookie": f"session={SECRETS['KEY']}; Path=/",
        "X-Echo": quote(SECRETS["PASSWORD"]),
        "Content-Type": "text/plain",
    }
    steps = [
        faults.Answer("401 Unauthorized", echo.encode(), headers),
        faults.Answer("500 " + SECRETS["HEADER_KEY"], echo.encode(), headers),
        faults.Answer("200 OK", echo.encode() + b"\0", {"Content-Type": "application/octet-stream"}),
        faults.Answer("200 OK", echo.encode("utf-16"), {"Content-Type": "text/plain; charset=utf-16"}),
        faults.redirect(f"/{quote(SECRETS['KEY'])}"),
        faults.redirect(f"http://{SECRETS['HEADER_KEY']}.invalid/"),
        faults.redirect(f"http://localhost:1/{SECRETS['HEADER_KEY']}"),
        faults.Raw(f"HTTP/1.1 {SECRETS['HEADER_KEY']}\r\n\r\n".encode()),
        faults.Raw(f"{SECRETS['PASSWORD']}\r\n\r\n".encode()),
        faults.HalfThenClose(), faults.HalfThenReset(), faults.Reset(), faults.Close(), faults.Silent(),
    ]  # fmt: skip
    for step in steps:
        ways = ("-v --fail", "-o json")
        front.play(step, step)
        with ThreadPoolExecutor() as pool:
            results = list(pool.map(lambda way: live.run("call", "bin", "get", *way.split()), ways))
        for way, result in zip(ways, results, strict=True):
            assert_hidden(result.output, f"{step} {way}")
        assert len(front.requests) >= 2, "both were answered so"
        front.clear()


def test_a_secret_that_is_cut_off_is_not_half_shown(live: Workspace, front) -> None:
    """At the end of what is read."""
    for size in range(4, len(SECRETS["PASSWORD"])):
        front.play(faults.Answer("200 OK", b"x" * 100 + SECRETS["PASSWORD"].encode() + b"y" * 100))
        result = live.ok("call", "bin", "get", "--max-bytes", str(100 + size))
        assert SECRETS["PASSWORD"][:4] not in result.stdout


def test_known_forms_of_tokens_and_cookies_are_masked(live: Workspace, front) -> None:
    """Also of secrets that are not the connector's own."""
    token = "ghp_" + "a1B2" * 9
    front.play(
        faults.Answer(
            "200 OK",
            f'{{"token": "{token}"}}'.encode(),
            {"Set-Cookie": "sid=abc123; HttpOnly", "X-Auth-Token": "t0k3n"},
        )
    )
    shown = live.ok("call", "bin", "get").stdout
    assert token not in shown and "abc123" not in shown and "t0k3n" not in shown
    assert "set-cookie: sid=********; HttpOnly" in shown


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=4, max_size=30), st.text("ab \n", max_size=5))
def test_every_form_of_every_secret_is_masked(value: str, around: str) -> None:
    """In text and in bytes."""
    redactor = Redactor([Secret(value)])
    for form in forms(value)[:-3]:
        masked = redactor.text(around + form + around)
        assert form not in masked or form in "********" + around
        assert (
            form.encode() not in redactor.data(around.encode() + form.encode() + around.encode())
            or form in "********" + around
        )


def test_short_secrets_do_not_make_the_answer_unreadable() -> None:
    """They are masked where they stand alone."""
    assert Redactor([Secret("ab")]).text("ab abc cab, ab.") == "******** abc cab, ********."
    assert Redactor([Secret("")]).text("text") == "text"
