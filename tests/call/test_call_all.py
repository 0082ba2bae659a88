"""`call --all`: a smoke test of every GET endpoint."""

import json
import signal
import subprocess
import sys
import time

from call_world import assert_error, connector, make_live
from conftest import Workspace, clean_environment

from servers import faults

NONE = "{method: none}"


def test_a_table_of_every_endpoint(empty: Workspace, httpbin, closed_port: int) -> None:
    """What is well, what fails and why, what cannot be called; nothing that writes is called."""
    endpoints = """\
    fine: {method: GET, url: "URL/status/{{code}}", sample: {code: 204}}
    gone: {method: GET, url: URL/status/404}
    bare: {method: GET, url: "URL/anything/{{account}}"}
    write: {method: POST, url: URL/anything}
"""
    live = make_live(
        empty,
        connector(httpbin.url, endpoints),
        connector(
            f"http://127.0.0.1:{closed_port}", "    list: {method: GET, url: URL/x}\n", name="dead", authorization=NONE
        ),
        connector(httpbin.url, endpoints, name="off", extra="  status: inactive\n"),
    )
    result = live.run("call", "--all")
    assert result.exit_code == 10
    rows = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
    assert [row[:2] for row in rows[1:-1]] == [["bin", "bare"], ["bin", "fine"], ["bin", "gone"], ["dead", "list"]]
    text = result.stdout
    assert "skipped  there is no data for account" in text
    assert "failed   404 NOT FOUND" in text
    assert f"failed   127.0.0.1:{closed_port}: the connection was refused" in text
    assert text.splitlines()[-1] == "1 ok, 2 failed, 1 skipped"
    content = json.loads(live.run("call", "--all", "-o", "json").stdout)
    assert [check["verdict"] for check in content["checks"]] == ["skipped", "ok", "failed", "failed"]


def test_filters_choose_connectors(empty: Workspace, httpbin) -> None:
    """By category and label; without a failure the exit code is 0."""
    endpoint = "    get: {method: GET, url: URL/status/200}\n"
    live = make_live(empty, connector(httpbin.url, endpoint), connector(httpbin.url, endpoint, name="other"))
    assert live.ok("call", "--all", "--label", "team=other").stdout.splitlines()[-1] == "1 ok"
    assert live.ok("call", "--all", "--category", "crm").stdout.splitlines()[-1] == "2 ok"
    assert live.ok("call", "--all", "--category", "none").stdout == "There is no GET endpoint to call.\n"
    assert_error(live.run("call", "--all", "bin"), 64, "--all takes no connector")
    assert_error(live.run("call", "bin", "get", "--label", "a=b"), 64, "go with --all")


def test_endpoints_are_called_in_parallel(empty: Workspace, front) -> None:
    """Sixteen that take half a second each take two rounds of eight."""
    endpoints = "".join(f"    e{number}: {{method: GET, url: URL/status/200}}\n" for number in range(16))
    live = make_live(empty, connector(front.url, endpoints, authorization=NONE))
    front.play(*[faults.Delay(0.5)] * 16)
    began = time.monotonic()
    assert live.ok("call", "--all").stdout.splitlines()[-1] == "16 ok"
    assert time.monotonic() - began < 5


def test_an_interrupt_ends_what_is_under_way(empty: Workspace, front) -> None:
    """At once, and not when the servers have answered."""
    live = make_live(empty, connector(front.url, "    get: {method: GET, url: URL/status/200}\n", authorization=NONE))
    front.play(faults.Silent())
    command = [sys.executable, "-m", "reconciler", "call", "--all"]
    process = subprocess.Popen(command, cwd=live.root, env=clean_environment(live.env), stderr=subprocess.PIPE)
    until = time.monotonic() + 20
    while not front.requests and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert b"interrupted" in process.communicate(timeout=5)[1]
    assert process.returncode == 130
