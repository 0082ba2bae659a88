"""Run whole processes in turn and compare them: wall time, processor time, peak memory."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

KIB = 1024
LOG_TAIL = 1500
GLANCE = 0.01
"""Seconds between two looks at the memory of a command's processes."""


class CommandFailed(Exception):
    """A command ended or answered in a way that does not count, or took too long."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to measure.

    Attributes:
        label: what the report calls it.
        expect: the exit code without which a run does not count.
        prepare: what has to be done before each run; not timed.
        once: run it a single time and without warm-up, because it takes minutes.
        says: what it has to print, so that a wrong answer is never measured; "" for whatever it says.
        requests: gives how many a server got of each run; None where nobody counts.
    """

    label: str
    argv: tuple[str, ...]
    cwd: Path | None = None
    expect: int = 0
    prepare: Callable[[], None] = field(default=lambda: None)
    once: bool = False
    says: str = ""
    requests: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One run.

    Attributes:
        wall: seconds.
        cpu: user and system seconds, children included.
        peak: bytes of the largest process.
        others: seconds of processor time that went elsewhere meanwhile.
        requests: to a server; 0 where nobody counts.
    """

    wall: float
    cpu: float
    peak: int
    others: float
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs of two commands, taken in turn.

    Attributes:
        less: a third command's runs, which are taken off ours before it is compared; empty for none.
        footprints: bytes of all processes together at once, ours and the other's; 0 where it was not looked at.
    """

    ours: tuple[Sample, ...]
    other: tuple[Sample, ...]
    less: tuple[Sample, ...] = ()
    footprints: tuple[int, int] = (0, 0)

    def ratios(self, of: Callable[[Sample], float]) -> list[float]:
        """Ours divided by the other's, turn by turn; a single run of the other stands in every pair."""
        turns = len(self.ours)
        others = self.other if len(self.other) == turns else self.other * turns
        less = [of(sample) for sample in self.less] or [0.0] * turns
        return [(of(one) - off) / max(of(two), 1e-9) for one, two, off in zip(self.ours, others, less, strict=True)]

    @property
    def peaks(self) -> tuple[int, int]:
        """Largest memory of ours and of the other, in bytes: of all processes together, if they were looked at."""
        ours, other = (max(sample.peak for sample in samples) for samples in (self.ours, self.other))
        return max(ours, self.footprints[0]), max(other, self.footprints[1])

    @property
    def others(self) -> float:
        """How many cores somebody else kept busy meanwhile."""
        samples = (*self.ours, *self.other, *self.less)
        return sum(sample.others for sample in samples) / max(sum(sample.wall for sample in samples), 1e-9)

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

    Attributes:
        single: what ran once, by its arguments.
    """

    environment: Mapping[str, str]
    log: Path
    limit_seconds: float = 1800
    single: dict[tuple[str, ...], Sample] = field(default_factory=dict)

    def compare(self, commands: Sequence[Command], *, runs: int) -> Comparison:
        """Warm all up, then run them in turn: A B A B. What runs once does so for all comparisons of this meter."""
        footprints = [0 if command.once else self._warm_up(command) for command in commands]
        sides: list[list[Sample]] = [[] for _ in commands]
        for turn in range(runs):
            for command, samples in zip(commands, sides, strict=True):
                if not command.once:
                    samples.append(self.run(command))
                elif turn == 0:
                    samples.append(self._run_once(command))
        ours, other, less = (*map(tuple, sides), ())[:3]
        return Comparison(ours, other, less, (footprints[0], footprints[1]))

    def _run_once(self, command: Command) -> Sample:
        if command.argv not in self.single:
            self.single[command.argv] = self.run(command)
        return self.single[command.argv]

    def _warm_up(self, command: Command) -> int:
        """Run a command for the file cache's sake, and see how much memory all its processes take together."""
        watch = Footprint()
        self.run(command, watch)
        return watch.peak

    def run(self, command: Command, watch: "Footprint | None" = None) -> Sample:
        """Run a command once.

        Raises:
            CommandFailed: it did not end or say as expected, or took longer than the limit.
        """
        command.prepare()
        with self.log.open("wb") as log:
            busy = busy_seconds()
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
            if watch is not None:
                watch.follow(process.pid)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            busy = busy_seconds() - busy
            watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != command.expect:
            raise CommandFailed(f"{command.label}: exit code {process.returncode}\n{self._tail()}")
        if command.says.encode() not in self.log.read_bytes():
            raise CommandFailed(f"{command.label}: did not say {command.says!r}\n{self._tail()}")
        cpu = usage.ru_utime + usage.ru_stime
        return Sample(wall, cpu, usage.ru_maxrss * KIB, busy - cpu, command.requests() if command.requests else 0)

    def _tail(self) -> str:
        """End of what the last command wrote."""
        return self.log.read_text(errors="replace")[-LOG_TAIL:].strip()


class Footprint:
    """Memory of a process and of what it starts, together, with what they share counted once.

    Looking takes time, so this is for runs that are not timed. Where the kernel does not tell, the peak stays 0.
    """

    def __init__(self) -> None:
        """Nothing has been seen."""
        self.peak = 0

    def follow(self, pid: int) -> None:
        """Look again and again until the process has ended, without reaping it."""
        while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self.peak = max(self.peak, sum(map(proportional_set_size, family(pid))))
            time.sleep(GLANCE)


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        children = [
            word for task in Path(f"/proc/{pid}/task").iterdir() for word in (task / "children").read_text().split()
        ]
    except OSError:
        children = []
    return [pid, *(one for child in children for one in family(int(child)))]


def proportional_set_size(pid: int) -> int:
    """Bytes of a process, what it shares with others by halves."""
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * KIB if found else 0


def busy_seconds() -> float:
    """Processor time that the whole machine has spent so far, and what a virtual one was not given; 0 if not told."""
    try:
        user, nice, system, _idle, _wait, irq, soft, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    except (OSError, ValueError):
        return 0.0
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")
