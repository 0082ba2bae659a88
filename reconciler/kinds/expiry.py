"""Grants that end: what is left of a policy when some have, and which do so soon."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from reconciler.core.baseline import DatedGrant
from reconciler.core.conditions import Expiring
from reconciler.core.model import Resource

SOON = timedelta(days=14)


def may_expire(body: bytes) -> bool:
    """Whether a canonical body may be of a policy with grants that end: a test without decoding it."""
    return b'"expires":"' in body


def without_expired(spec: dict[str, Any], now: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The spec of a policy without the grants that have expired, and these; the same spec where there are none."""
    grants = spec.get("grants")
    if not now or not isinstance(grants, list):
        return spec, []
    moment = datetime.fromisoformat(now)
    gone = [grant for grant in grants if has_expired(grant, moment)]
    if not gone:
        return spec, []
    left = [grant for grant in grants if grant not in gone]
    kept = {key: value for key, value in spec.items() if key != "grants"}
    return {**kept, "grants": left} if left else kept, gone


def has_expired(grant: Any, now: datetime) -> bool:
    """Whether a grant has ended. One whose end cannot be read, as others have written it, has not."""
    end = _end(grant)
    return end is not None and now >= end


def dated_grants(policy: Resource) -> Iterator[DatedGrant]:
    """The grants of a policy that end, or have ended."""
    for index, grant in enumerate(policy.content.value["spec"].get("grants", ())):
        if _end(grant) is not None:
            yield DatedGrant(policy.key.name, policy.file, index, tuple(grant["permissions"]), grant["expires"])


def expiring(grants: Iterable[DatedGrant], now: datetime) -> Iterator[Expiring]:
    """Those that end within `SOON`."""
    for grant in grants:
        end = datetime.fromisoformat(grant.expires)
        if now < end <= now + SOON:
            yield Expiring(grant.policy, grant.file, grant.index, grant.permissions, grant.expires, (end - now).days)


def _end(grant: Any) -> datetime | None:
    expires = grant.get("expires") if isinstance(grant, dict) else None
    if not isinstance(expires, str):
        return None
    try:
        end = datetime.fromisoformat(expires)
    except ValueError:
        return None
    return end if end.tzinfo else None
