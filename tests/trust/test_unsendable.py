"""What cannot be sent is found at apply, by its reference, before anything is written; and never called a failed connection."""

from collections.abc import Iterator

import pytest
from answering import CATEGORY, Answering, Said, answering, connector
from conftest import Workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.references import unsendable
from reconciler.net.client import Sender
from reconciler.core.calls import Trust
from reconciler.errors import ReconcilerError

FAULTS = {
    "secret\n": "ends with a line break",
    "secret\r": "ends with a line break",
    "secret\r\n": "ends with a line break",
    "sec\nret": "holds a line break",
    "secret ": "ends with a blank",
    "secret\t": "ends with a blank",
    " secret": "begins with a blank",
    "\ufeffsecret": "begins with a byte order mark",
    "sécret": "holds letters beyond ASCII",
    "“secret”": "holds letters beyond ASCII",
    "sec\x1bret": "holds a control character",
    "sec\x7fret": "holds a control character",
}
ANYWHERE = {value: words for value, words in FAULTS.items() if "blank" not in words and "ASCII" not in words}
BEARER = "{method: bearer, token: {env: T}}"
BASIC = "{method: basic, username: ada, password: {env: T}}"
HEADER = "    get: {method: GET, url: 'URL/data', headers: [{name: X-Key, value: {env: T}}]}\n"
PARAM = "    get: {method: GET, url: 'URL/data', params: [{name: key, value: {env: T}}]}\n"


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as found:
        yield found


def define(empty: Workspace, server: Answering, authorization: str, endpoints: str = "") -> Workspace:
    text = connector("one", server.url, authorization, endpoints.replace("URL", server.url))
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + text)
    return empty


def assert_refused(workspace: Workspace, server: Answering, *words: str) -> None:
    """Nothing is sent, nothing is written, and it is said what to mend."""
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 10, result.output
    for word in (*words, "nothing was changed", "hint: "):
        assert word in result.stderr, result.stderr
    assert "connection failed" not in result.stderr and "secret" not in result.stderr.replace("a secret cannot", "")
    assert not server.asked
    assert '"records": []' in workspace.ok("get", "-o", "json").stdout


@pytest.mark.parametrize(("value", "words"), FAULTS.items(), ids=map(ascii, FAULTS))
def test_a_token_that_no_header_can_carry(empty: Workspace, server: Answering, value: str, words: str) -> None:
    """The value of {env: T} is at fault, and how."""
    empty.env["T"] = value
    place = "connector/one authorization.token: the value of {env: T} " + words
    assert_refused(define(empty, server, BEARER), server, place)


@pytest.mark.parametrize("value", FAULTS, ids=map(ascii, FAULTS))
def test_a_header_that_cannot_be_sent(empty: Workspace, server: Answering, value: str) -> None:
    """By the same rule."""
    empty.env["T"] = value
    place = "endpoints.get.headers.X-Key.value: the value of {env: T} " + FAULTS[value]
    assert_refused(define(empty, server, "{method: none}", HEADER), server, place)


@pytest.mark.parametrize("value", ANYWHERE, ids=map(ascii, ANYWHERE))
def test_what_is_encoded_on_the_way_may_hold_no_line_breaks_and_controls(
    empty: Workspace, server: Answering, value: str
) -> None:
    """Passwords and parameters: blanks and other scripts are fine there, and arrive as they are."""
    empty.env["T"] = value
    assert_refused(
        define(empty, server, BASIC), server, "authorization.password: the value of {env: T} " + FAULTS[value]
    )
    assert_refused(define(empty, server, "{method: none}", PARAM), server, "the value of {env: T} " + FAULTS[value])
    empty.env["T"] = " pässwörd "
    define(empty, server, BASIC).ok("apply", "--yes")
    empty.ok("call", "one", "get")
    assert server.of("/data")[0].headers["authorization"].startswith("Basic ")
    server.asked.clear()


def test_a_file_s_final_line_break_is_no_part_of_it_but_its_mark_is(empty: Workspace, server: Answering) -> None:
    """One is what every editor writes; two, or a byte order mark, are not."""
    path = empty.root.parent / "t"
    define(empty, server, f"{{method: bearer, token: {{file: {path}}}}}")
    for data, words in (
        (b"\xef\xbb\xbfsecret\n", "begins with a byte order mark"),
        (b"secret\n\n", "ends with a line break"),
    ):
        path.write_bytes(data)
        assert_refused(empty, server, f"the value of {{file: {path}}} {words}")
    path.write_bytes(b"cnry-token\r\n")
    empty.ok("apply", "--yes")
    empty.ok("call", "one", "get")
    assert server.of("/data")[0].headers["authorization"] == "Bearer cnry-token"


def test_a_user_with_a_colon_is_refused_for_basic(empty: Workspace, server: Answering) -> None:
    """In the definition by validate, behind a reference by apply; other methods send it."""
    empty.env |= {"T": "pw", "U": "ada:smith"}
    literal = define(empty, server, "{method: basic, username: 'ada:smith', password: {env: T}}").run("validate")
    assert literal.exit_code == 3 and "RC406" in literal.stderr + literal.stdout
    request = f"{{url: '{server.url}/token', username: 'ada:smith', password: {{env: T}}, send: basic}}"
    assert define(empty, server, f"{{method: bearer, tokenRequest: {request}}}").run("validate").exit_code == 3
    assert_refused(
        define(empty, server, "{method: basic, username: {env: U}, password: {env: T}}"),
        server,
        "the value of {env: U} holds a colon",
    )
    server.says["/token"] = Said(b'{"access_token": "t"}')
    grant = f"{{method: oauth2-password, tokenUrl: '{server.url}/token', username: {{env: U}}, password: {{env: T}}}}"
    define(empty, server, grant).ok("apply", "--yes")
    assert b"username=ada%3Asmith" in server.of("/token")[0].body


def test_the_preflight_and_the_plan_find_it_too(empty: Workspace, server: Answering) -> None:
    """Whatever resolves secrets judges them."""
    empty.env["T"] = "secret\n"
    result = define(empty, server, BEARER).run("apply", "--yes", "--preflight")
    assert result.exit_code == 10 and "the value of {env: T} ends with a line break" in result.output


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=20))
def test_what_passes_arrives_and_nothing_else_is_sent(server: Answering, text: str) -> None:
    """The judgement agrees with what sends it; whatever that refuses is no failed connection."""
    fault = unsendable(text, in_header=True)
    server.asked.clear()
    with Sender(Trust()) as sender:
        try:
            sender.send("GET", server.url, headers=[("X-A", text)])
        except ReconcilerError as refused:
            assert fault, ascii(text)
            assert "connection" not in refused.message
            assert not server.asked
        else:
            assert fault or server.asked[0].headers["x-a"] == text
