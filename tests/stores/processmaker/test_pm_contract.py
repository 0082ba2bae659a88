"""An instance does what every live store does.

What it cannot hold, such as labels or the description of a category, a state would keep for it; here the driver itself
remembers what it has written. What it would make something else of, such as names outside of its alphabet, is refused
before it comes to the driver.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pm_stores import opened, visited
from servers.processmaker import Instance

from reconciler.core.ports.live import Live
from reconciler.testing.live import LiveContract, SeesOthersContract


class _Opened:
    """Whose instance has nothing in it; the same path is the same instance."""

    @pytest.fixture(params=["4.14", "2020"], autouse=True)
    def server(self, request: pytest.FixtureRequest) -> Iterator[Instance]:
        """One of each sort; the younger one over MySQL, which re-orders keys, the other over MariaDB."""
        with visited(request.param, reorder_keys=request.param == "4.14") as started:
            self.instance = started
            yield started

    def open(self, tmp_path: Path) -> Live:
        return opened(self.instance, is_whole=True)


class TestLive(_Opened, LiveContract):
    """All of it."""


class TestSeesOthers(_Opened, SeesOthersContract):
    """When a connector was written; of other records nobody knows."""
