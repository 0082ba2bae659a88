"""What was found out of an instance, in words."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from reconciler.core.ports.abilities import Trait
from reconciler.stores.processmaker.facts import Facts

_NEAR = timedelta(days=14)


def traits(facts: Facts, now: datetime) -> Iterator[Trait]:
    """What there is to say; nothing where nothing is known."""
    if not facts.is_known:
        return
    yield _version(facts)
    yield Trait(
        "records", ", ".join(f"{noun}: {count:,}" for noun, count in facts.counts.items()) or "none can be seen"
    )
    yield Trait("speed", f"{facts.seconds:.2f} s for a request")
    yield Trait("unchanged", "it says whether something moved (ETag)" if facts.has_etags else "it does not say whether something moved, so all is read each time")  # fmt: skip
    yield _secrets(facts)
    yield from _user(facts, now)
    yield from _permissions(facts)
    yield _members(facts)
    yield Trait("writing", "one request a record: no transaction, no compare-and-set, no way back from a delete")


def token_notes(ends: datetime | None, now: datetime) -> tuple[str, ...]:
    """That somebody has to replace the token soon.

    Args:
        ends: when it ends; None for never, or unknown.
    """
    if ends is None or ends - now > _NEAR:
        return ()
    days = max(0, (ends - now).days)
    return (f"the token of the target ends on {ends.date()}, in {days} days: make a new one before that",)


def _version(facts: Facts) -> Trait:
    if facts.profile == "2020":
        hint = "what a present version has beyond that is not used"
        return Trait("version", "of 2020, or near it: it has no list of permissions", hint)
    return Trait("version", "of mid-2021 or later" + (", 4.14 or near it: it sends ETags" if facts.has_etags else ""))


def _secrets(facts: Facts) -> Trait:
    if facts.shows_ciphertext is None:
        return Trait("secrets", "none of the connectors that were looked at has any")
    if facts.shows_ciphertext:
        return Trait("secrets", "shown as ciphertext: it is seen when somebody else writes them")
    return Trait("secrets", "not shown: it is not seen when somebody else writes them", "protect them by who may edit connectors")  # fmt: skip


def _user(facts: Facts, now: datetime) -> Iterator[Trait]:
    name = (
        f"{facts.username} (id {facts.user})" if facts.username else "not known, as the token does not say whose it is"
    )
    rank = ", a super admin" if facts.is_administrator else ""
    yield Trait("user", f"{name}{rank}")
    if facts.expires:
        is_near = datetime.fromisoformat(facts.expires) - now < _NEAR
        yield Trait("token", f"ends {facts.expires}", "make a new one before that" if is_near else "")
    hint = "put it into a group that does, or give it the permission by itself, which cannot be seen from here"
    for lack in facts.lacks:
        yield Trait("lacking", lack, "" if lack is not facts.lacks[-1] else hint)


def _permissions(facts: Facts) -> Iterator[Trait]:
    if facts.missing:
        hint = "policies that give them cannot be applied here"
        yield Trait("permissions", f"it has none for {', '.join(facts.missing)}", hint)
    elif facts.has_catalogue:
        yield Trait("permissions", "it has one for each that policies may give here")
    else:
        hint = "look at the groups after the first apply: names that it does not know are dropped without a word"
        yield Trait("permissions", "it does not list them, so the usual names are taken for granted", hint)


def _members(facts: Facts) -> Trait:
    unseen = [
        noun for noun, sees in (("users", facts.sees_users), ("members of groups", facts.sees_members)) if not sees
    ]
    if not unseen:
        return Trait("access", "all users and members of groups can be seen")
    hint = "give the token's user view-users and view-groups, so that guards can judge who loses access"
    return Trait("access", f"not all {' and '.join(unseen)} can be seen", hint)
