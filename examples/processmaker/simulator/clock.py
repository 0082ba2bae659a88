"""Moments as the servers keep and write them."""

from __future__ import annotations

from datetime import datetime, timezone


def now() -> str:
    """One second of resolution."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def zoned(moment: str) -> str:
    return moment.replace(" ", "T") + "+00:00"
