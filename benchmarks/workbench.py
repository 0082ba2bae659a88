"""Where corpora and peers lie, how programs are started, and what a case is."""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from textwrap import shorten

from measuring import LOG_TAIL, Command, CommandFailed

HERE = Path(__file__).resolve().parent
SCHEMA = HERE.parent / "schemas/connector.schema.json"

Sides = tuple[Command, ...]
"""Ours and what it is compared with; a third is taken off ours first."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What we want of a comparison; each is an upper bound.

    Attributes:
        ratio: of wall times, ours to the other's; of a case with `growth` the exponent.
        peak_megabytes: memory of ours, all its processes.
        peak_ratio: of memory, ours to the other's.
        requests: to a server.
    """

    ratio: float
    peak_megabytes: float | None = None
    peak_ratio: float | None = None
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison.

    Attributes:
        build: makes what the case needs and gives the commands.
        runs: how many pairs make a result.
        heavy: takes minutes; left out of a quick run.
        growth: how many times as much ours has to do as the other; then the result is told as the exponent.
    """

    name: str
    build: Callable[["Workbench"], Sides]
    goal: Goal | None = None
    runs: int = 9
    heavy: bool = False
    growth: int = 0


@dataclass(frozen=True, slots=True)
class Workbench:
    """Where corpora and peers lie, and how our programs are started.

    Attributes:
        out: directory for everything that is made here.
        python: interpreter that runs the product, the limit program and the plain one.
        reconciler: first words of the product's command.
        environment: what every command gets.
        applied: the revision that each corpus' stores are known to hold.
        built: commands that run once.
    """

    out: Path
    python: str
    reconciler: tuple[str, ...]
    environment: Mapping[str, str]
    applied: dict[Path, str] = field(default_factory=dict)
    built: dict[tuple[str, int], Command] = field(default_factory=dict)

    def corpus(self, n: int, bad: int = 0) -> Path:
        """A corpus of `n` connectors, made on first use and made anew when corpus.py has changed."""
        directory = self.out / "corpora" / (f"{n}-bad-{bad}" if bad else str(n))
        stamp = directory.with_suffix(".stamp")
        script = HERE / "corpus.py"
        if not (stamp.exists() and stamp.read_bytes() == script.read_bytes()):
            shutil.rmtree(directory, ignore_errors=True)
            self.call(self.python, str(script), str(n), str(directory), "--bad", str(bad), "--git", "--check")
            stamp.write_bytes(script.read_bytes())
        return directory

    def ours(
        self,
        corpus: Path,
        *words: str,
        expect: int = 0,
        says: str = "",
        prepare: Callable[[], None] = lambda: None,
    ) -> Command:
        """A command of the product in a corpus, after `prepare`."""
        label = f"reconciler {shorten(' '.join(words), 40, placeholder=' ...')}, {corpus.name}"
        argv = (*self.reconciler, "-C", str(corpus), *self.options(words[0], corpus), *words)
        return Command(label, argv, cwd=HERE.parent, expect=expect, prepare=prepare, says=says)

    def cold(self, corpus: Path, *words: str, expect: int = 0, says: str = "") -> Command:
        """A command of the product that finds neither its store nor its caches."""
        return self.ours(corpus, *words, expect=expect, says=says, prepare=partial(self.forget, corpus))

    def options(self, verb: str, corpus: Path) -> tuple[str, ...]:
        """Global options that a verb needs: these read no secrets."""
        return () if verb in ("validate", "drift") else ("--env-file", str(corpus / ".env"))

    def script(self, name: str, *arguments: str, prepare: Callable[[], None] = lambda: None, says: str = "") -> Command:
        """One of the programs beside this file, about a corpus."""
        label = f"{name} {arguments[2]}, {Path(arguments[0]).name}"
        return Command(label, (self.python, str(HERE / name), *arguments), prepare=prepare, says=says)

    def limit(self, n: int, mode: str, origin: str = "git", *, prepare: Callable[[], None] = lambda: None) -> Command:
        """The limit program."""
        words = (str(self.corpus(n)), str(self.database(n)), mode, "--from", origin)
        return self.script("limit.py", *words, prepare=prepare)

    def bare_python(self) -> Command:
        """The least that a Python program can take."""
        return Command("python -c pass", (self.python, "-c", "pass"))

    def git_status(self, corpus: Path) -> Command:
        """What git takes to tell whether a working tree is clean."""
        return Command(f"git status, {corpus.name}", ("git", "-C", str(corpus), "status", "--porcelain"))

    def waiting(self, seconds: float) -> Command:
        """Nothing, for as long as something may take."""
        return Command(f"sleep {seconds:g}", (self.python, "-c", f"import time; time.sleep({seconds})"))

    def once(self, name: tuple[str, int], build: Callable[[], Command]) -> Command:
        """A command that takes minutes: built once, so that all cases compare with the same run of it."""
        if name not in self.built:
            self.built[name] = build()
        return self.built[name]

    def database(self, n: int) -> Path:
        """Path of the limit program's database."""
        return self.out / f"limit-{n}.db"

    def forget(self, corpus: Path) -> None:
        """Drop the product's store and whatever it caches."""
        self.applied.pop(corpus, None)
        shutil.rmtree(corpus / ".reconciler", ignore_errors=True)
        self.forget_caches()

    def forget_caches(self) -> None:
        """Drop whatever the product caches, of all corpora; the live stores stay."""
        shutil.rmtree(self.environment["XDG_CACHE_HOME"], ignore_errors=True)

    def apply_both(self, n: int, revision: str) -> Path:
        """Have a revision of a corpus applied, by the product and by the limit program; the last one is checked out."""
        corpus = self.corpus(n)
        if self.applied.get(corpus) != revision:
            self.forget(corpus)
            remove_database(self.database(n))
            with self.checked_out(corpus, revision):
                self.call(*self.ours(corpus, "apply", "--yes", "--quiet").argv)
                self.call(*self.limit(n, "apply").argv)
            self.applied[corpus] = revision
        self.call(*self.ours(corpus, "plan").argv)  # so that what comes of the project file is noted
        return corpus

    @contextmanager
    def checked_out(self, corpus: Path, revision: str) -> Iterator[None]:
        """Have a revision checked out for a while."""
        self.call("git", "-C", str(corpus), "checkout", "-q", revision)
        try:
            yield
        finally:
            self.call("git", "-C", str(corpus), "checkout", "-q", "main")

    def call(self, *argv: str, cwd: Path = HERE.parent) -> None:
        """Run a command that is not measured.

        Raises:
            CommandFailed: it did not work; with the end of what it said.
        """
        done = subprocess.run(
            argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(self.environment)
        )
        if done.returncode:
            said = done.stdout.decode(errors="replace")[-LOG_TAIL:].strip()
            raise CommandFailed(f"{' '.join(argv[:4])}: exit code {done.returncode}\n{said}")

    @property
    def peers(self) -> Path:
        """Environment of the peers."""
        return self.out / "peers"


def remove_database(path: Path) -> None:
    """Remove an SQLite database with its side files."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
