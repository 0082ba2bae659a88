"""Files that are made to break a reader: each gets a diagnostic, in bounded time and memory."""

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import CATEGORY, Workspace, clean_environment

MEMORY = 1536 * 1024 * 1024


def bounded(workspace: Workspace, *arguments: str) -> tuple[int, str]:
    """Run a command line with 1.5 GiB of memory and 30 seconds; exit code and output."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments], cwd=workspace.root, env=clean_environment(), capture_output=True, check=False,
        timeout=30, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )  # fmt: skip
    output = (done.stdout + done.stderr).decode("utf-8", "backslashreplace")
    assert "Traceback" not in output and done.returncode >= 0, output[-2000:]
    return done.returncode, output


def laughs(levels: int) -> str:
    """An alias bomb."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]" for n in range(levels)]
    return "\n".join(lines) + "\n"


HOSTILE: dict[str, tuple[bytes, str, str]] = {
    "brackets": (b"[" * 100_000, "RC106", ":1:101:"),
    "balanced brackets": (b"[" * 50_000 + b"]" * 50_000, "RC106", ":1:101:"),
    "braces": (b"{a: " * 100_000, "RC106", ":"),
    "brackets in a value": (b"a: " + b"[" * 300 + b"]" * 300, "RC106", ":1:"),
    "compact lists": (b"- " * 60_000 + b"x", "RC106", ":1:1:"),
    "compact keys": (b"? " * 60_000 + b"x", "RC106", ":1:1:"),
    "deep block": ("".join(" " * n + "a:\n" for n in range(1500)).encode(), "RC106", ":101:"),
    "alias bomb": (laughs(9).encode(), "RC107", ":"),
    "small alias bomb": (laughs(5).encode(), "RC107", ":"),
    "alias in itself": (b"a: &a [*a]\n", "RC107", ":1:8:"),
    "ten megabytes": (b"# " + b"x" * 10_000_000, "RC102", ":1:1:"),
    "invalid UTF-8": (b"a: b\nc: \xc3\x28\n", "RC103", ":2:4:"),
    "UTF-16": ("a: b\n".encode("utf-16"), "RC103", ":1:1:"),
    "tab": (b"a:\n\tb: 1\n", "RC105", ":2:1:"),
    "control character": (b'a: "\x01"\n', "RC112", ":1:5:"),
    "escape sequence": (b"a: \x1b[31mred\n", "RC112", ":1:4:"),
    "next line": ("a: b\u0085c\n".encode(), "RC112", ":1:5:"),
    "NUL": (b"a: \x00\n", "RC112", ":1:4:"),
    "binary": (bytes(range(256)) * 50, "RC103", ":"),
    "directive": (b"%YAML 1.1\n---\na: no\n", "RC115", ":"),
    "tag": (b"a: !!python/object/apply:os.system ['true']\n", "RC111", ":1:4:"),
    "merge key": (b"a: &x {b: 1}\nc: {<<: *x}\n", "RC110", ":2:5:"),
    "duplicate key": (b"kind: Category\nkind: Connector\n", "RC108", ":2:1:"),
    "number as key": (b"1: a\n", "RC113", ":1:1:"),
    "list as key": (b"? [a]\n: b\n", "RC113", ":"),
    "list": (b"- a\n- b\n", "RC114", ":1:1:"),
    "text": (b"just a text\n", "RC114", ":1:1:"),
    "unclosed quote": (b"a: 'b\nc: d\n", "RC104", ":1:4:"),
    "unclosed bracket": (b"a: [b\nc: d\n", "RC104", ":2:2:"),
    "bad indentation": (b"a: b\n  c: d\n", "RC104", ":2:4:"),
    "octal": (b"a: 010\n", "RC109", ":1:4:"),
    "binary number": (b"a: 0b11\n", "RC109", ":1:4:"),
    "underscores": (b"a: 1_000\n", "RC109", ":1:4:"),
    "time": (b"a: 12:30\n", "RC109", ":1:4:"),
    "date": (b"a: 2020-01-01\n", "RC109", ":1:4:"),
    "time in flow": (b"a: [x,12:30]\n", "RC109", ":1:7:"),
    "huge number": (b"a: " + b"9" * 100_000 + b"\n", "RC109", ":1:4:"),
    "lone surrogate": (b'a: "\\ud800"\n', "RC104", ":1:7:"),
    "long line": (b"a: '" + b"x" * 1_000_000 + b"\nb: [\n", "RC104", ":1:4:"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file(empty: Workspace, name: str) -> None:
    """The code and place are those that help."""
    data, code, place = HOSTILE[name]
    empty.write("connectors/bad.yaml", data)
    empty.write("connectors/good.yaml", CATEGORY)
    status, output = bounded(empty, "validate")
    assert status == 3, output[:2000]
    assert f"connectors/bad.yaml{place}" in output, output[:2000]
    assert f"error[{code}]" in output, output[:2000]
    assert len(output) < 20_000
    status, output = bounded(empty, "plan")
    assert status == 3
    status, output = bounded(empty, "fmt", "--check")
    assert status in (0, 3)


def test_legitimate_size_is_no_fault(empty: Workspace) -> None:
    """Thousands of flow mappings, several documents, CRLF and a BOM are read in bounded time."""
    spec = "".join(f"    e{n}: {{method: GET, url: /x, params: [{{name: a, value: '1'}}]}}\n" for n in range(1900))
    text = f"{CATEGORY}---\napiVersion: reconciler/v1\nkind: Connector\nmetadata: {{name: big}}\nspec:\n  displayName: Big\n  categories: [crm]\n  endpoints:\n{spec}"
    empty.write("connectors/big.yaml", b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    status, output = bounded(empty, "validate")
    assert status == 0, output[:2000]


def test_every_fault_of_every_file_in_one_run(empty: Workspace) -> None:
    """Hundreds of them, sorted."""
    for number in range(40):
        empty.write(
            f"connectors/f{number:02}.yaml",
            "\n---\n".join(f"apiVersion: reconciler/v1\nkind: Kategory{n}" for n in range(25)),
        )
    result = empty.run("validate", "-o", "github")
    lines = result.stdout.splitlines()
    assert len(lines) == 1000
    places = [line.split("file=")[1].split(",col")[0] for line in lines]
    assert places == sorted(places, key=lambda place: (place.split(",")[0], int(place.split("line=")[1].split(",")[0])))


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket is short
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


def _link_outside(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere.yaml")


@pytest.mark.parametrize("make", [_fifo, _socket, _link_outside, _dangling])
def test_what_is_not_a_regular_file(empty: Workspace, make: Callable[[Path], None]) -> None:
    """It is named, not followed and not waited for."""
    make(empty.root / "connectors" / "odd.yaml")
    status, output = bounded(empty, "validate")
    assert status == 3
    assert "connectors/odd.yaml:1:1: error[RC101]" in output


@pytest.mark.parametrize(
    "name",
    ["a b.yaml", "new\nline.yaml", "\x1b[31mred.yaml", "é.yaml", b"\xff\xfe.yaml", "a,b:c%.yaml", "'\"$(x).yaml"],
)
@pytest.mark.parametrize("format_name", ["text", "json", "sarif", "junit", "github", "gitlab"])
def test_odd_names_of_files(empty: Workspace, name: str | bytes, format_name: str) -> None:
    """Whatever a name holds, no escape sequence reaches the terminal and the report stays well-formed."""
    path = os.path.join(os.fsencode(empty.root), b"connectors", name if isinstance(name, bytes) else os.fsencode(name))
    with open(path, "w") as opened:
        opened.write("kind: Nonsense\n")
    status, output = bounded(empty, "validate", "-o", format_name)
    assert status == 3
    assert "\x1b" not in output
    assert output.count("Nonsense") >= 1
