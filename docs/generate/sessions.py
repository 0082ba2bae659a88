"""Pages as sessions of a terminal: what they show is done, in order, and what it says is compared.

On a page with the line ``<!-- session -->`` (or ``<!-- session: NAME -->``, which begins as starts/NAME.sh leaves a folder)

- a block ``console`` is run: each line that begins with ``$ `` by one shell, which goes on from block to block. What
  follows is what it has to say; a line ``…`` stands for any lines;
- a block behind a line such as ``<!-- file: connectors/crm.yaml -->`` is written to that file;
- an HTML comment that begins with ``run`` is run and not shown.

Times, digests and the like may differ. Blocks of other languages, such as ``sh``, are shown and not run.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

MARK = re.compile(r"^<!-- session(?:: (\w+))? -->$", re.MULTILINE)
BLOCK = re.compile(r"^(?:<!-- file: (\S+) -->\n)?```(\w+)\n(.*?)^```$|^<!-- run\n(.*?)^-->$", re.MULTILINE | re.DOTALL)
VARYING = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?", "TIME"),
    (r"\b[0-9a-f]{7,64}\b|\bSHA256:\S+", "HASH"),
    (r"\b\d+(\.\d+)? ?(ms|s|min|h|seconds?|minutes?|hours?|days?)\b", "SPAN"),
    (r"\bjust now\b|\bSPAN( SPAN)* ago\b", "AGO"),
    (r"[ \t]+", " "),
)
"""What may differ between two runs, and what stands for it when they are compared."""


ABRIDGED = "…\n"


class Command(NamedTuple):
    """One command with what it has to say, and where that stands on the page."""

    line: str
    said: str
    start: int
    end: int


def pages(docs: Path) -> list[Path]:
    """The pages that are sessions, README among them."""
    found = sorted(path for path in (*docs.rglob("*.md"), docs.parent / "README.md"))
    return [path for path in found if MARK.search(path.read_text("utf-8"))]


def played(page: Path) -> str:
    """The page with what its commands say now; where all is as before but for what varies, it stays.

    Else all of it is of one run, so that times and commits that it shows twice are the same; but for what is abridged.
    """
    text = page.read_text("utf-8")
    heard = list(performed(page, text))
    if all(alike(command.said, said) for command, said in heard):
        return text
    out, done = [], 0
    for command, said in heard:
        out += [
            text[done : command.start],
            command.said if ABRIDGED in command.said and alike(command.said, said) else said,
        ]
        done = command.end
    return "".join((*out, text[done:]))


def performed(page: Path, text: str) -> Iterator[tuple[Command, str]]:
    """Each command of a page with what it says now."""
    begin = MARK.search(text)
    assert begin, f"{page} has no <!-- session -->"
    with TemporaryDirectory() as folder:
        shell = Shell(Path(folder))
        if begin[1]:
            shell.run((Path(__file__).parent / "starts" / f"{begin[1]}.sh").read_text("utf-8"))
        for block in BLOCK.finditer(text, begin.end()):
            file, language, content, hidden = block.groups()
            if hidden is not None:
                shell.run(hidden)
            elif file:
                shell.write(file, content)
            elif language == "console":
                for command in commands(content, block.start(3)):
                    yield command, shell.run(command.line)
        shell.end()


def commands(content: str, offset: int) -> Iterator[Command]:
    """The commands of a block; a line that ends with a backslash, or begins with ``> ``, goes on."""
    for found in re.finditer(r"^\$ (.*(?:\n> .*)*)\n((?:(?!\$ ).*\n)*)", content, re.MULTILINE):
        yield Command(found[1].replace("\n> ", "\n"), found[2], offset + found.start(2), offset + found.end(2))


def alike(shown: str, said: str) -> bool:
    """Whether a page may show this for what was said."""
    pattern = "".join(
        ".*" if part == ABRIDGED else re.escape(part)
        for part in re.split(r"^(…\n)", settled(shown), flags=re.MULTILINE)
    )
    return re.fullmatch(pattern, settled(said), re.DOTALL) is not None


def settled(text: str) -> str:
    """The text without what may differ, and without notes behind a blank and a #."""
    for pattern, name in VARYING:
        text = re.sub(pattern, name, text)
    return re.sub(r" *$", "", text, flags=re.MULTILINE)


class Shell:
    """A bash that goes on from command to command, in a home of its own."""

    def __init__(self, home: Path) -> None:
        """Start it in a new home, /home/ada in what it says."""
        self._home = home / "ada"
        self._home.mkdir()
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=self._home, env=environment(self._home), text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, script: str) -> str:
        """What a piece of script says, on both streams."""
        assert self._process.stdin and self._process.stdout
        end = "<end of what was said>"
        self._process.stdin.write(f"{{ {script}\n}} </dev/null; status=$?; printf '{end}\\n'; (exit $status)\n")
        self._process.stdin.flush()
        said = []
        for line in self._process.stdout:
            if line.endswith(end + "\n"):
                said.append(line.removesuffix(end + "\n"))
                break
            said.append(line)
        else:
            raise AssertionError(f"the shell ended within: {script}\n{''.join(said)}")
        return "".join(said).replace(str(self._home), "/home/ada")

    def write(self, path: str, text: str) -> None:
        """Write a file, from where the shell is."""
        where = self._home / self.run("pwd").strip().replace("/home/ada", str(self._home)) / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_text(text, "utf-8")

    def end(self) -> None:
        """End the shell."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def environment(home: Path) -> dict[str, str]:
    """An environment that is the same on every machine."""
    names = {
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
    }
    return {
        **names,
        "GIT_AUTHOR_DATE": "2027-03-01T12:00:00Z", "GIT_COMMITTER_DATE": "2027-03-01T12:00:00Z",
        "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
        "EXAMPLES": str(Path(__file__).parents[2] / "examples"),
        "HOME": str(home), "USER": "ada", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
