"""Run whole processes in turn and compare them: wall time, processor time, peak memory."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

KIB = 1024
LOG_TAIL = 1500


class CommandFailed(Exception):
    """A command ended with an exit code that does not count, or took too long."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to measure.

    Attributes:
        label: what the report calls it.
        expect: the exit code without which a run does not count.
        prepare: what has to be done before each run; not timed.
        once: run it a single time and without warm-up, because it takes minutes.
    """

    label: str
    argv: tuple[str, ...]
    cwd: Path | None = None
    expect: int = 0
    prepare: Callable[[], None] = field(default=lambda: None)
    once: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: wall and processor (user and system, children included) seconds, bytes of the largest process."""

    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs of two commands, taken in turn."""

    ours: tuple[Sample, ...]
    other: tuple[Sample, ...]

    def ratios(self, of: Callable[[Sample], float]) -> list[float]:
        """Ours divided by the other's, pair by pair; a single run of the other stands in every pair."""
        others = self.other if len(self.other) == len(self.ours) else self.other * len(self.ours)
        return [of(one) / max(of(two), 1e-9) for one, two in zip(self.ours, others, strict=True)]

    @property
    def wall_ratio(self) -> float:
        """Median of the pairwise ratios of wall time."""
        return median(self.ratios(lambda sample: sample.wall))

    @property
    def cpu_ratio(self) -> float:
        """Median of the pairwise ratios of processor time."""
        return median(self.ratios(lambda sample: sample.cpu))


@dataclass(frozen=True, slots=True)
class Meter:
    """Runs commands with one environment and one log.

    The kernel counts this process's own memory into the peak of what it starts, so it imports little: a peak below
    about 20 MB is not to be trusted.
    """

    environment: Mapping[str, str]
    log: Path
    limit_seconds: float = 1800

    def compare(self, ours: Command, other: Command, *, runs: int) -> Comparison:
        """Warm both up, then run them in turn: A B A B."""
        self._warm_up(ours)
        self._warm_up(other)
        first: list[Sample] = []
        second: list[Sample] = []
        for turn in range(runs):
            first.append(self.run(ours))
            if turn == 0 or not other.once:
                second.append(self.run(other))
        return Comparison(tuple(first), tuple(second))

    def _warm_up(self, command: Command) -> None:
        if not command.once:
            self.run(command)

    def run(self, command: Command) -> Sample:
        """Run a command once.

        Raises:
            CommandFailed: its exit code is not the expected one, or it took longer than the limit.
        """
        command.prepare()
        with self.log.open("wb") as log:
            start = time.perf_counter()
            process = subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            watchdog = threading.Timer(self.limit_seconds, os.killpg, (process.pid, signal.SIGKILL))
            watchdog.start()
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != command.expect:
            raise CommandFailed(f"{command.label}: exit code {process.returncode}\n{self._tail()}")
        return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * KIB)

    def _tail(self) -> str:
        """End of what the last command wrote."""
        return self.log.read_text(errors="replace")[-LOG_TAIL:].strip()
