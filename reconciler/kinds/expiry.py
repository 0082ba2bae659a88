"""Grants that end: what is left of a policy when some have, and which do so soon."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from reconciler.core.enforcement import Expiring
from reconciler.core.model import Resource

SOON = timedelta(days=14)


def may_expire(body: bytes) -> bool:
    """Whether a canonical body may be of a policy with grants that end: a test without decoding it."""
    return b'"expires":"' in body


def without_expired(spec: dict[str, Any], now: str) -> list[dict[str, Any]]:
    """Take the grants that have expired out of the spec of a policy, in place, and return them."""
    grants = spec.get("grants")
    if not now or not isinstance(grants, list):
        return []
    moment = datetime.fromisoformat(now)
    gone = [grant for grant in grants if has_expired(grant, moment)]
    if gone:
        spec["grants"] = [grant for grant in grants if grant not in gone]
        if not spec["grants"]:
            del spec["grants"]
    return gone


def has_expired(grant: Any, now: datetime) -> bool:
    """Whether a grant has ended. One whose end cannot be read, as others have written it, has not."""
    end = _end(grant)
    return end is not None and now >= end


def expiring(policy: Resource, now: datetime) -> Iterator[Expiring]:
    """The grants of a policy that end within `SOON`."""
    for index, grant in enumerate(policy.content()["spec"].get("grants", ())):
        end = _end(grant)
        if end is not None and now < end <= now + SOON:
            permissions = tuple(grant["permissions"])
            yield Expiring(policy.key.name, policy.file, index, permissions, grant["expires"], (end - now).days)


def _end(grant: Any) -> datetime | None:
    expires = grant.get("expires") if isinstance(grant, dict) else None
    if not isinstance(expires, str):
        return None
    try:
        end = datetime.fromisoformat(expires)
    except ValueError:
        return None
    return end if end.tzinfo else None
