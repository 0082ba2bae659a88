"""Try again, as often and as patiently as the server asks for."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct

from reconciler.errors import NetworkFailure
from reconciler.net.sending import Answer

RETRIED = frozenset((429, 502, 503, 504))
"""Too many requests, and what gateways say of servers that are away for a moment."""


class Patience(Struct, frozen=True):
    """How often to try again, and how long to wait.

    Attributes:
        attempts: further tries after the first.
        wait_seconds: before the first further try.
        growth: factor of each wait to the one before.
        longest_seconds: the longest wait for what a server's Retry-After asks; a longer one ends the tries.
        statuses: which answers are tried again, beside failures to get one.
    """

    attempts: int
    wait_seconds: float
    growth: float = 1.0
    longest_seconds: float = 60.0
    statuses: frozenset[int] = RETRIED


def with_patience(
    attempt: Callable[[], Answer], patience: Patience, *, sleep: Callable[[float], None] = time.sleep
) -> tuple[Answer, int]:
    """The answer of the first good attempt, or of the last one, and how many there were.

    Raises:
        NetworkFailure: the last attempt got no answer.
    """
    wait = patience.wait_seconds
    for number in range(1, patience.attempts + 2):
        last = number == patience.attempts + 1
        try:
            answer = attempt()
        except NetworkFailure as failure:
            if last or not failure.transient:
                raise
            pause = wait
        else:
            asked = retry_after(answer.header("retry-after"), datetime.now(UTC))
            pause = max(wait, asked)
            if last or answer.status not in patience.statuses or asked > patience.longest_seconds:
                return answer, number
        sleep(pause)
        wait *= patience.growth
    raise AssertionError("the last attempt returns or raises")


def retry_after(value: str, now: datetime) -> float:
    """Seconds that a Retry-After header asks to wait; 0 for none, or for one that cannot be read.

    RFC 9110, section 10.2.3: seconds or a date.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), 10**8))
    try:
        then = parsedate_to_datetime(value)
        return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):  # no date, or one whose zone leads out of all years
        return 0.0
