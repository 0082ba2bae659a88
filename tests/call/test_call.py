"""`call` against httpbin: what is sent, what is shown, and how it ends."""

import json
import time

import jsonschema
import pytest
from call_world import BASIC, SECRETS, assert_error, call_json, connector, echoed, make_live
from schema_checks import fits
from conftest import Workspace
from live_state import drift

from reconciler.kinds import registry
from servers import faults

ENDPOINTS = """\
    get:
      method: GET
      url: URL/anything/{{account}}?fixed=1
      params: [{name: page, value: "{{page}}"}, {name: key, value: {env: KEY}}, {name: empty}, {name: needed, required: true}]
      headers: [{name: X-Api-Key, value: {env: HEADER_KEY}, required: true}, {name: X-Other, value: hello}]
      sample: {account: "42", page: 1}
    create:
      method: POST
      url: URL/anything
      body: '{"name": "{{name}}", "count": {{count}}}'
      sample: {count: 3}
    form: {method: PUT, url: URL/anything, bodyType: multipart, body: '{"name": "{{name}}"}', sample: {name: Ada}}
    login: {method: GET, url: URL/basic-auth/ada/cnry-Pa55w%2Brd%251%26x}
    status: {method: GET, url: "URL/status/{{code}}"}
    retried: {method: GET, url: "URL/anything", retry: {attempts: 2, waitSeconds: 0}}
    slow: {method: GET, url: URL/delay/10, timeoutSeconds: 1}
    image: {method: GET, url: URL/image/png}
    bytes: {method: GET, url: "URL/range/{{size}}"}
    own: {method: GET, url: /anything/own}
"""


@pytest.fixture
def live(empty: Workspace, front) -> Workspace:
    """A connector to httpbin, through the proxy that remembers."""
    return make_live(empty, connector(front.url, ENDPOINTS))


def test_a_call_shows_status_time_headers_and_body(live: Workspace) -> None:
    """With the sample's data, the live authorization, and everything secret masked."""
    result = live.ok("call", "bin", "get")
    first, *rest = result.stdout.splitlines()
    assert first.startswith("200 OK in 0.") and first.endswith(" s")
    assert "content-type: application/json" in rest
    body = json.loads(result.stdout.partition("\n\n")[2])
    assert body["args"] == {"fixed": "1", "key": "********", "needed": "", "page": "1"}
    assert body["url"].endswith("/anything/42?fixed=1&page=1&key=********&needed=")
    assert {"X-Api-Key": "********", "X-Other": "hello", "Accept": "application/json", "Authorization": "Basic ********"}.items() <= body["headers"].items()  # fmt: skip
    assert result.stderr == ""


def test_the_answer_as_json_follows_its_schema(live: Workspace) -> None:
    """Sent, not sent, binary, and the checks of --all."""
    for arguments in (
        ["bin", "get"],
        ["bin", "get", "--dry-run"],
        ["bin", "form", "--dry-run"],
        ["bin", "image"],
        ["--all"],
    ):
        result = live.run("call", *arguments, "-o", "json")
        fits(json.loads(result.stdout), "call.schema.json")
    content = call_json(live, "bin", "image")["response"]
    assert (content["encoding"], content["bytes"], content["body"][:8]) == ("base64", 8090, "iVBORw0K")


def test_data_comes_from_sample_file_and_settings(live: Workspace) -> None:
    """Later ones win, and the path stays one step."""
    live.write("data.yaml", "account: from file\npage: 2\n")
    assert echoed(live, "bin", "get", "--data", "data.yaml")["url"].split("?")[0].endswith("/anything/from%20file")
    assert echoed(live, "bin", "get", "--data", "data.yaml", "--set", "page:=3")["args"]["page"] == "3"
    assert_error(live.run("call", "bin", "create", "--yes"), 64, "there is no data for name", "--set name=...")
    assert_error(live.run("call", "bin", "get", "--data", "none.json"), 64, "--data none.json: No such file")
    live.write("bad.yaml", "a: [")
    assert_error(live.run("call", "bin", "get", "--data", "bad.yaml"), 64, "--data bad.yaml:1")


def test_data_is_escaped_where_it_stands(live: Workspace, front) -> None:
    """In a path and in JSON, and never for HTML."""
    sent = echoed(live, "bin", "create", "--set", 'name="<a>&\\', "--yes")
    assert sent["json"] == {"name": '"<a>&\\', "count": 3}
    assert sent["headers"]["Content-Type"] == "application/json"
    live.ok("call", "bin", "get", "--set", "account=a/../b?c")
    assert front.requests[-1].path == "/anything/a%2F..%2Fb%3Fc"
    assert_error(live.run("call", "bin", "get", "--set", "account=.."), 64, "a step of its path")


def test_parameters_and_headers_of_the_caller(live: Workspace) -> None:
    """They win; of the definition's headers only the required ones stay."""
    sent = echoed(live, "bin", "get", "--param", "page=9", "--param", "more=x y", "--header", "X-Mine: 1", "--header", "Accept: text/plain")  # fmt: skip
    assert sent["args"] == {"fixed": "1", "key": "********", "needed": "", "page": "9", "more": "x y"}
    assert sent["headers"]["X-Mine"] == "1" and sent["headers"]["Accept"] == "text/plain"
    assert "X-Other" not in sent["headers"] and "X-Api-Key" in sent["headers"]
    assert_error(
        live.run("call", "bin", "get", "--header", "X-Mine: 1\r\nX-Evil: 2"), 64, "the value of the header X-Mine"
    )
    assert_error(live.run("call", "bin", "get", "--header", "Mine"), 64, "write --header 'Name: value'")


def test_form_data_is_sent_as_multipart(live: Workspace) -> None:
    """As httpbin reads it."""
    sent = echoed(live, "bin", "form", "--yes")
    assert sent["form"] == {"name": "Ada"}
    assert sent["headers"]["Content-Type"].startswith("multipart/form-data; boundary=")


def test_basic_authorization_is_accepted(live: Workspace) -> None:
    """httpbin compares user and password itself."""
    assert json.loads(call_json(live, "bin", "login")["response"]["body"])["authenticated"] is True


def test_fail_turns_a_bad_status_into_an_exit_code(live: Workspace) -> None:
    """Without it any answer is success."""
    assert live.run("call", "bin", "status", "--set", "code=404").exit_code == 0
    for code, exit_code in (("204", 0), ("404", 10), ("500", 10)):
        assert live.run("call", "bin", "status", "--set", f"code={code}", "--fail").exit_code == exit_code


def test_what_is_missing_is_named_with_what_comes_near(live: Workspace) -> None:
    """Connector and endpoint; and what git has but the store has not."""
    assert_error(live.run("call", "bim", "get"), 64, "there is no live connector 'bim'", "did you mean 'bin'?")
    assert_error(live.run("call", "bin", "gte"), 64, "has no endpoint 'gte'", "did you mean 'get'?")
    assert_error(live.run("call", "bin"), 64, "which endpoint?", "it has bytes, create")
    assert_error(live.run("call"), 64, "which connector?")
    live.edit("connectors/all.yaml", "name: bin,", "name: newer,")
    assert_error(live.run("call", "newer", "get"), 64, "not live yet", "run: reconciler apply")


def test_the_platform_s_own_url_wants_a_base(live: Workspace, httpbin) -> None:
    """From the option or the environment."""
    assert_error(live.run("call", "bin", "own"), 64, "the platform's own", "--base-url")
    assert echoed(live, "bin", "own", "--base-url", httpbin.url)["url"].endswith("/anything/own")
    live.env["RECONCILER_BASE_URL"] = httpbin.url + "/"
    live.ok("call", "bin", "own")


def test_a_writing_method_asks(live: Workspace, front) -> None:
    """Where nobody can be asked it wants --yes, and shows what it would have sent; --dry-run sends nothing."""
    result = live.run("call", "bin", "create", "--set", "name=Ada")
    assert_error(result, 64, "call asks before it sends a POST", "--yes", f"POST {front.url}/anything", "headers: Accept, Content-Type, Authorization", "body of 27 bytes")  # fmt: skip
    shown = live.ok("call", "bin", "create", "--set", "name=Ada", "--dry-run").stdout
    assert shown == f"POST {front.url}/anything\nAccept: application/json\nContent-Type: application/json\nAuthorization: ********\n\n{{\"name\": \"Ada\", \"count\": 3}}\n"  # fmt: skip
    assert front.requests == ()


def test_a_request_is_retried_as_its_definition_says(live: Workspace, front) -> None:
    """On 429, 502, 503, 504 and without an answer; the last answer counts."""
    front.play(faults.unavailable(0), faults.Reset(), faults.Pass())
    assert call_json(live, "bin", "retried")["attempts"] == 3
    front.play(*[faults.too_many(0)] * 3)
    result = live.run("call", "bin", "retried", "--fail")
    assert (result.exit_code, result.stdout.splitlines()[0][:21]) == (10, "429 Too Many Requests")
    assert ", attempt 3" in result.stdout.splitlines()[0]
    front.play(faults.Close())
    assert_error(live.run("call", "bin", "get"), 10, "closed the connection without an answer")
    front.play(faults.Raw(b"not HTTP at all\r\n\r\n"))
    assert_error(live.run("call", "bin", "get"), 10, "its answer is not HTTP")


@pytest.mark.parametrize("step", [None, faults.Silent(), faults.Drip(50), faults.HalfThenStall()])
def test_no_answer_takes_longer_than_its_time(live: Workspace, front, step) -> None:
    """A slow server, a silent one, one that drips and one that stops in the middle."""
    if step:
        front.play(step)
    began = time.monotonic()
    result = live.run("call", "bin", "slow")
    assert result.exit_code == 10 and "127.0.0.1" in result.stderr, result.output
    assert time.monotonic() - began < 8


def test_a_large_answer_is_cut(live: Workspace, front) -> None:
    """At --max-bytes, and one without an end at 10 MiB."""
    content = call_json(live, "bin", "bytes", "--set", "size=5000", "--max-bytes", "1000")["response"]
    assert (len(content["body"]), content["truncated"]) == (1000, True)
    shown = live.ok("call", "bin", "bytes", "--set", "size=5000", "--max-bytes", "1000").stdout
    assert "(cut: there is more than 1,000 bytes; see --max-bytes)" in shown
    front.play(faults.Endless())
    result = live.ok("call", "bin", "status", "--set", "code=200")
    assert "(shortened: 10,420,224 characters more; -o json holds them)" in result.stdout
    assert "(cut: there is more than 10,485,760 bytes; see --max-bytes)" in result.stdout
    assert len(result.stdout) < 100_000


def test_an_answer_does_nothing_to_the_terminal(live: Workspace, front) -> None:
    """Control characters and marks of text direction are shown as escapes, in JSON too; binary data is not dumped."""
    front.play(*[faults.Answer("200 \x1b[31mOK", "a\x1b]0;b\x07\u202ec\tdé\r\n".encode(), {"X-A": "x\x1b[2J"})] * 2)
    shown = live.ok("call", "bin", "retried").stdout
    assert "a\\x1b]0;b\\x07\\u202ec    dé" in shown
    assert (
        json.loads(live.ok("call", "bin", "retried", "-o", "json").stdout)["response"]["body"]
        == "a\x1b]0;b\x07\u202ec\tdé\r\n"
    )
    front.play(faults.Answer("200 OK", b"\x00\x1b[31m" * 100, {"Content-Type": "application/octet-stream"}))
    binary = live.ok("call", "bin", "retried").stdout
    assert "(600 bytes of type application/octet-stream, which is no text; -o json holds them)" in binary
    assert "\x1b" not in shown + binary


def test_text_comes_in_its_character_set(live: Workspace, front) -> None:
    """As declared, else UTF-8."""
    for data, kind in (("é".encode("latin-1"), "text/plain; charset=iso-8859-1"), ("é".encode("utf-16"), "text/plain; charset=utf-16"), ("é".encode(), "text/plain; charset=zip"), ("é".encode(), "")):  # fmt: skip
        front.play(faults.Answer("200 OK", data, {"Content-Type": kind}))
        assert call_json(live, "bin", "retried")["response"]["body"].lstrip("\ufeff") == "é"


def test_credentials_are_not_sent_over_plain_http(empty: Workspace) -> None:
    """Neither when somebody has written the live record outside of a run."""
    live = make_live(empty, connector("https://example.invalid", "    get: {method: GET, url: URL/x}\n"))
    live.ok("call", "bin", "get", "--dry-run")
    drift(live, "bin", "$.spec.endpoints.get.url", '"http://example.invalid/x"')
    assert_error(
        live.run("call", "bin", "get"), 3, "credentials would be sent over plain http to example.invalid", "https://"
    )
    assert_error(live.run("call", "bin", "get", "--dry-run"), 3, "plain http")


def test_certificates_are_verified_unless_the_definition_says_otherwise(
    empty: Workspace, httpbin_tls, authority
) -> None:
    """By a private authority; switched off it is said each time."""
    endpoints = "    get: {method: GET, url: URL/anything}\n"
    live = make_live(
        empty,
        connector(httpbin_tls.url, endpoints, name="strict"),
        connector(httpbin_tls.url, endpoints, name="private", extra=f"  tls: {{ca: {{file: {authority.ca}}}}}\n"),
        connector(
            httpbin_tls.url, endpoints, name="lax", extra="  tls: {verify: false, reason: self-signed until May}\n"
        ),
    )
    assert_error(live.run("call", "strict", "get"), 10, "its certificate is not from a trusted authority", "tls: {ca:")
    assert live.ok("call", "private", "get").stderr == ""
    lax = live.ok("call", "lax", "get", "-o", "json")
    assert lax.stderr == "warning: certificates are not verified for lax: self-signed until May\n"
    assert json.loads(lax.stdout)["tlsVerified"] is False


@pytest.mark.parametrize(
    "spec",
    ['{"endpoints": {"get": 4}}', '{"endpoints": 4}', '{"endpoints": {"get": {"method": "GET", "url": "http://127.0.0.1:9/"}}, "authorization": 4}',
     '{"endpoints": {"get": {"method": "GET", "url": "http://127.0.0.1:9/"}}, "tls": []}', '{"endpoints": {"get": {"method": "GET", "url": "http://127.0.0.1:9/", "retry": {"attempts": "x"}}}}',
     '{"endpoints": {"get": {"method": "GET", "url": "ftp://example.com/"}}}', '{"endpoints": {"get": {"method": "GET"}}}'],
)  # fmt: skip
def test_a_live_record_that_is_no_connector_is_no_bug(empty: Workspace, spec: str) -> None:
    """Others may write anything into the store."""
    live = make_live(
        empty,
        connector("https://example.invalid", "    get: {method: GET, url: URL/x}\n", authorization="{method: none}"),
    )
    drift(live, "bin", "$.spec", spec)
    for arguments in (["bin", "get"], ["bin", "get", "--dry-run"], ["--all"]):
        assert live.run("call", *arguments).exit_code in (0, 3, 10, 64)


def test_the_command_is_verbose_on_demand(live: Workspace, front) -> None:
    """-v says what is sent, without a secret."""
    talk = live.ok("call", "bin", "get", "-v").stderr
    assert f"GET {front.url}/anything/42?fixed=1&page=1&key=********&needed=" in talk
    assert "headers: Accept, X-Api-Key, X-Other, Authorization" in talk
    assert BASIC and all(value not in talk for value in SECRETS.values())
