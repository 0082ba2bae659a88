"""`call` on a terminal asks before a method that writes."""

import os
import pty
import subprocess
import sys

import pytest
from call_world import connector, make_live
from conftest import Workspace, clean_environment


def on_terminal(workspace: Workspace, keys: str, *arguments: str) -> tuple[int, str]:
    """Exit code and all that is shown; `keys` are pressed at once."""
    own, theirs = pty.openpty()
    os.write(own, keys.encode())
    environment = clean_environment({**workspace.env, "TERM": "xterm"})
    command = [sys.executable, "-m", "reconciler", *arguments]
    process = subprocess.Popen(command, cwd=workspace.root, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            data = os.read(own, 65536)
        except OSError:  # Linux says so at the end of a terminal
            break
        if not data:
            break
        shown += data
    os.close(own)
    return process.wait(20), shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(("keys", "exit_code"), [("n\n", 5), ("\n", 5), ("y\n", 0)])
def test_it_asks_and_takes_no_for_an_answer(empty: Workspace, front, keys: str, exit_code: int) -> None:
    """After it has shown what it would send; the answer is in colour."""
    live = make_live(empty, connector(front.url, "    post: {method: DELETE, url: URL/anything}\n"))
    code, shown = on_terminal(live, keys, "call", "bin", "post")
    assert code == exit_code
    assert f"DELETE {front.url}/anything\nheaders: Accept, Authorization\n" in shown
    assert "Send it with the credentials of bin? [y/N]" in shown
    assert len(front.requests) == (exit_code == 0)
    assert ("\x1b[32;1m200 OK\x1b[0m" in shown) == (exit_code == 0)
