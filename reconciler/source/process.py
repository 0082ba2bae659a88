"""How git is started: what it is told, whatever the repository's settings are, and in which environment."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import IO

from reconciler.errors import SourceUnavailable

_SETTINGS = {
    "color.ui": "false",
    "core.checkStat": "default",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.ignoreCase": "false",
    "core.ignoreStat": "false",
    "core.quotePath": "false",
    "core.splitIndex": "false",
    "core.trustCTime": "true",
    "core.untrackedCache": "false",
    "core.warnAmbiguousRefs": "true",
    "grep.fullName": "false",
    "merge.default": "",
    "merge.renormalize": "false",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
}
_PLAIN = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_GRAFT_FILE": f"{os.devnull}/none",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_TRACE2": "0",
    "GIT_TRACE2_EVENT": "0",
    "GIT_TRACE2_PERF": "0",
    "LC_ALL": "C",
}
_KEPT = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM", "GIT_TEST_ASSUME_DIFFERENT_OWNER")  # fmt: skip
"""Of git's own variables those that say who commits, where the user's settings are, and git's own test of an owner."""


class ChildProcess:
    """Git at work."""

    def __init__(self, process: "subprocess.Popen[bytes]", feed: bytes) -> None:
        self._process = process
        assert process.stdout is not None
        self.output = process.stdout
        self._feeder = Thread(target=_feed, args=(process.stdin, feed), daemon=True) if process.stdin else None
        process.stdin = None  # it has a thread of its own
        if self._feeder:
            self._feeder.start()

    def finish(self) -> tuple[int, bytes, str]:
        """Exit code, the rest of the output, and what git says of errors."""
        output, said = self._process.communicate()
        if self._feeder:
            self._feeder.join()
        return self._process.returncode, output, said.decode("utf-8", "replace").strip()

    def answer(self, cannot: str, hint: str = "", *, most: int = 0) -> bytes:
        """All of its output.

        Args:
            cannot: what git cannot do where it refuses, as in "list the files".
            most: the highest exit code that is no refusal.

        Raises:
            SourceUnavailable: git refuses.
        """
        code, output, message = self.finish()
        if code > most:
            reason = message.splitlines()[-1] if message else f"it ends with {code}"
            raise SourceUnavailable(f"git cannot {cannot}: {reason}", hint=hint)
        return output

    def give_up(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self.finish()


def _feed(pipe: IO[bytes], feed: bytes) -> None:
    with suppress(OSError), pipe:
        pipe.write(feed)


def launch(top: str, words: Sequence[str], around: Mapping[str, str], stdin: bytes = b"") -> ChildProcess:
    """Start git.

    Args:
        top: the repository's folder; no program is taken from there.
        around: its environment.

    Raises:
        SourceUnavailable: git is not installed.
    """
    try:
        process = subprocess.Popen(
            ["git", *(os.fsencode(word) for word in words)],
            env={**around, "PATH": _trusted_path(top)},
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError as failure:
        raise SourceUnavailable("git is not installed", hint="install git; reconciler starts it to read history") from failure  # fmt: skip
    return ChildProcess(process, stdin)


def program(top: str) -> str:
    """Where git is; "" where it is not, or only in the repository."""
    import shutil

    return shutil.which("git", path=_trusted_path(top)) or ""


def _trusted_path(top: str) -> str:
    """The folders that hold programs, without those that a commit could bring along."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(
        folder for folder in folders if os.path.isabs(folder) and not os.path.realpath(folder).startswith(f"{top}/")
    )


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """What git is started in, with its settings, which go before those of every file."""
    around = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    pairs = [*_given_settings(), *_SETTINGS.items(), *settings.items()]
    for number, (key, value) in enumerate(pairs):
        around[f"GIT_CONFIG_KEY_{number}"], around[f"GIT_CONFIG_VALUE_{number}"] = key, value
    return {**around, **_PLAIN, "GIT_CONFIG_COUNT": str(len(pairs))}


def _given_settings() -> Iterator[tuple[str, str]]:
    """Settings that whoever started us gives git by the environment, such as a safe.directory."""
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    for number in range(int(count) if count.isdecimal() and len(count) < 4 else 0):
        key = os.environ.get(f"GIT_CONFIG_KEY_{number}", "")
        if key:
            yield key, os.environ.get(f"GIT_CONFIG_VALUE_{number}", "")
