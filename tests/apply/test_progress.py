"""The bar on a terminal: for what takes more than a second, gone when it is done, and nowhere else."""

import io
import re
import time

import pytest
from conftest import Workspace
from test_terminal import Terminal, records

from reconciler.cli.output import Bar
from reconciler.cli.streams import Border
from reconciler.core.progress import UNTOLD, told

LINE = re.compile(r"\r([a-z]+ +\[[#-]{24}\] [\d,]+ of [\d,]+(?:, [\d,.]+/s, .+? left)?)\x1b\[K")


class Clock:
    """The time, as it is set."""

    now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def bar() -> tuple[Bar, io.StringIO, Clock]:
    """One that writes into a text."""
    text, clock = io.StringIO(), Clock()
    return Bar(Border(text), clock), text, clock


def test_nothing_is_shown_within_a_second() -> None:
    """Not even that it is done."""
    shown, text, clock = bar()
    with shown:
        for done in range(100):
            clock.now += 0.0099
            shown.tell("reading", done, 100)
    assert text.getvalue() == ""


def test_how_far_how_fast_and_how_long_yet() -> None:
    """Then it tells of each sort of work from its own beginning, and takes the line away at the end."""
    shown, text, clock = bar()
    with shown:
        shown.tell("reading", 0, 20_000)
        clock.now += 2
        shown.tell("reading", 5_000, 20_000)
        clock.now += 0.5
        shown.tell("writing", 0, 20_000)
        clock.now += 0.5
        shown.tell("writing", 1, 20_000)
    assert text.getvalue().split("\x1b[K") == [
        "\rreading   [######------------------] 5,000 of 20,000, 2,500/s, 6 s left",
        "\rwriting   [------------------------] 0 of 20,000",
        "\rwriting   [------------------------] 1 of 20,000, 2.0/s, 2 h 46 min left",
        "\r",
        "",
    ]


def test_at_most_ten_times_a_second() -> None:
    """However often it is told."""
    shown, text, clock = bar()
    clock.now += 1
    for done in range(3_000):
        clock.now += 0.001
        shown.tell("reading", done, 3_000)
    assert len(LINE.findall(text.getvalue())) in (29, 30)


def test_a_failure_leaves_a_clean_line() -> None:
    """What is said of it begins where the bar was."""
    shown, text, clock = bar()
    with pytest.raises(KeyboardInterrupt), shown:
        shown.tell("reading", 0, 2)
        clock.now += 3
        shown.tell("reading", 1, 2)
        raise KeyboardInterrupt
    assert text.getvalue().endswith("left\x1b[K\r\x1b[K")


def test_every_item_passes() -> None:
    """Whoever watches; and where nobody does the items are not even looked at."""
    shown, text, clock = bar()
    clock.now += 2
    assert list(told(iter(range(130)), "reading", 130, shown)) == list(range(130))
    assert "0 of 130" in text.getvalue()
    items = [1, 2]
    assert told(items, "reading", 2, UNTOLD) is items


@pytest.fixture
def slow(workspace: Workspace) -> Workspace:
    """A repository with ten passwords, each of a helper that takes its time; eight are asked for at once."""
    workspace.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nsecrets: {helpers: {slow: {command: [sh, -c, 'sleep 0.8; echo pass']}}}\n",
    )
    for number in range(10):
        workspace.write(f"connectors/slow-{number}.yaml", _CONNECTOR.replace("NUMBER", str(number)))
    return workspace


_CONNECTOR = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: slow-NUMBER}
spec:
  displayName: Slow NUMBER
  description: One of many.
  categories: [crm]
  authorization: {method: basic, username: svc, password: {exec: "slow:NUMBER"}}
  endpoints: {list: {method: GET, url: "https://crm.example.com"}}
"""


def test_a_terminal_shows_it_and_keeps_nothing_of_it(slow: Workspace) -> None:
    """What stays on the screen is what a pipe gets."""
    terminal = Terminal(slow, "apply", "--yes", "--color", "never")
    assert terminal.end() == 0
    assert any(line.startswith("secrets") and " of 10, " in line for line in LINE.findall(terminal.text)), terminal.text
    assert screen(terminal.text).endswith("Applied to local: 14 created; 11 secrets resolved.\n")
    assert "#" not in screen(terminal.text)


@pytest.mark.parametrize(
    ("arguments", "env"),
    [(["-q"], {}), (["-o", "json"], {"TERM": "vt100"}), ([], {"CI": "true"})],
)
def test_where_nobody_watches_there_is_no_trace(slow: Workspace, arguments: list[str], env: dict[str, str]) -> None:
    """Quiet, for machines, and in CI."""
    terminal = Terminal(slow, "apply", "--yes", *arguments, env=env)
    assert terminal.end() == 0
    assert "[K" not in terminal.text and "of 10" not in terminal.text


def test_a_pipe_gets_no_trace(slow: Workspace) -> None:
    """Neither of the streams."""
    done = slow.run("apply", "--yes")
    assert done.exit_code == 0
    assert "\r" not in done.stdout + done.stderr and "\x1b" not in done.stdout + done.stderr


def test_ctrl_c_leaves_a_clean_line(slow: Workspace) -> None:
    """It says so where the bar was, and nothing was changed."""
    project = (slow.root / "reconciler.yaml").read_text()
    slower = project.replace("sleep 0.8", "if [ {name} = 9 ]; then sleep 3; else sleep 1.1; fi")
    assert slower != project
    slow.write("reconciler.yaml", slower)  # the first ones take longer than nothing is shown, and the last one long
    terminal = Terminal(slow, "apply", "--yes", "--color", "never", env={"NO_COLOR": "1"})
    terminal.read_until("of 10")
    time.sleep(0.1)
    terminal.type("\x03")
    assert terminal.end() == 130
    said = ["error: interrupted; nothing was changed", "  hint: run the command again"]
    assert screen(terminal.text).splitlines()[-2:] == said
    assert records(slow) == 0


def screen(text: str) -> str:
    """What is on the screen when `text` was written: a carriage return goes back, and ESC [K clears the rest."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for part in re.split(r"(?=\r)", line):
            written = part.removeprefix("\r")
            kept, cleared, rest = written.partition("\x1b[K")
            over = shown if not part.startswith("\r") else ""
            shown = over + kept + rest if cleared or not part.startswith("\r") else kept + shown[len(kept) :]
        lines.append(shown)
    return "\n".join(lines)
