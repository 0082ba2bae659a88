"""What goes wrong, with which requests."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass
from typing import Any

ACTIONS = (
    "lose_reply",
    "fail_before",
    "error_after",
    "too_many",
    "unavailable",
    "bad_gateway",
    "gateway_timeout",
    "delay",
    "truncate",
    "login_page",
    "expire_token",
    "kill",
)


@dataclass
class Fault:
    """One rule: what goes wrong, with which of the requests that match method and path (README)."""

    action: str
    method: str = "*"
    path: str = "*"  # below /api/1.0, * for anything, also for slashes
    nth: int | list[int] | None = None  # which of the matching requests, from 1; none: each
    times: int | None = None  # at most so often
    chance: float = 1.0  # drawn from the seeded generator of the plan
    status: int | None = None  # of fail_before (500), login_page (200 or 302)
    seconds: float = 1.0  # of delay
    keep: int | None = None  # bytes that truncate lets through; none: half
    retry_after: int | None = None  # of too_many and unavailable
    after: bool = False  # bad_gateway, gateway_timeout, unavailable, kill: only when the work is done
    matched: int = 0
    fired: int = 0

    def __post_init__(self):
        if self.action not in ACTIONS:
            raise ValueError(f"unknown action {self.action!r}; known: {', '.join(ACTIONS)}")

    def matches(self, method: str, path: str) -> bool:
        pattern = "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", self.path))
        return self.method in ("*", method) and bool(re.fullmatch(pattern, path))


class Plan:
    """The faults in force. Deterministic: counters and one seeded generator decide, not the clock."""

    def __init__(self, faults: list[dict | Fault] = (), seed: int = 1):
        self.lock = threading.Lock()
        self.replace(faults, seed)

    def replace(self, faults: list[dict | Fault], seed: int = 1) -> None:
        made = [fault if isinstance(fault, Fault) else Fault(**fault) for fault in faults]
        with self.lock:
            self.faults, self.random = made, random.Random(seed)

    def add(self, **fault: Any) -> Fault:
        made = Fault(**fault)
        with self.lock:
            self.faults.append(made)
        return made

    def hits(self, method: str, path: str) -> list[Fault]:
        with self.lock:
            return [fault for fault in self.faults if fault.matches(method, path) and self._fires(fault)]

    def _fires(self, fault: Fault) -> bool:
        fault.matched += 1
        wanted = fault.nth if isinstance(fault.nth, list) else [fault.nth]
        if (
            fault.nth is not None
            and fault.matched not in wanted
            or fault.times is not None
            and fault.fired >= fault.times
        ):
            return False
        if fault.chance < 1 and self.random.random() >= fault.chance:
            return False
        fault.fired += 1
        return True


class Hangup(Exception):
    """The connection ends without an answer."""


class Killed(Exception):
    """The process is to end."""
