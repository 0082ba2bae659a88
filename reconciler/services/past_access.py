"""Who could do what at some time, judged by the policies, groups and records that were live then."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from reconciler.core.access import Route, Target, decide, is_super_admin
from reconciler.core.history import Body, KeepsHistory, RunEntry, Trail
from reconciler.core.model import Key
from reconciler.core.verdicts import Answer, Past, Setting
from reconciler.errors import UsageError
from reconciler.kinds.access import live_target, make_access
from reconciler.kinds.registry import address
from reconciler.services.asking import area_of

KINDS = ("Group", "PermissionPolicy")


def past(history: KeepsHistory, permission: str, key: Key | None, time: str) -> Past:
    """The state at a time, from what is live and all that came since.

    Args:
        key: the record that is asked about; None for any of the permission's area.
        time: RFC 3339 in UTC, not in the future.

    Raises:
        UsageError: there is no such permission, or it is not about such a record, or the record was not there.
    """
    area = area_of(permission, key)
    last = history.last_run(time)
    bodies: list[tuple[Key, Body]] = []
    rests: dict[Key, Trail] = {}
    for trail in history.trails_of(KINDS):
        found = trail.at(last, time)
        if found is not None:
            bodies.append(found)
            rests[found[0]] = trail
    target = _target(history, key, last, time) if key else Target(area)
    access = make_access(bodies)
    rows = [trail.set_by(last) for trail in rests.values()]
    runs = {run.id: run for run in history.runs(ids=[last, *(row.run for row in rows if row)])}
    enforced = any(is_super_admin(access, user) for user in access.users())
    settings = {found: _setting(found, trail, last, time, runs) for found, trail in rests.items()}
    return Past(time, runs.get(last), permission, access, target, key, enforced, settings)


def could(state: Past, actor: str) -> Answer:
    """Whether somebody could do what is asked about."""
    moment = datetime.fromisoformat(state.time)
    decision = decide(state.access, actor, state.permission, state.target, moment)
    return Answer(actor, decision, tuple(_rests_on(state, decision.route)))


def who_could(state: Past) -> list[Answer]:
    """Everybody who could."""
    answers = (could(state, user) for user in sorted(state.access.users()))
    return [answer for answer in answers if answer.decision.allowed]


def _target(history: KeepsHistory, key: Key, last: int, time: str) -> Target:
    for trail in history.trails_named(key):
        found = trail.at(last, time)
        if found is not None and found[0] == key:
            return live_target(*found)
    raise UsageError(f"{address(*key)} was not there at {time}", hint=f"see: reconciler history {address(*key)}")


def _setting(key: Key, trail: Trail, last: int, time: str, runs: Mapping[int, RunEntry]) -> Setting:
    row = trail.set_by(last)
    if row is None or trail.is_drifted(last, time):
        return Setting(key, "", None)
    return Setting(key, row.fingerprint, runs.get(row.run))


def _rests_on(state: Past, route: Route | None) -> Iterator[Setting]:
    if route is None:
        return
    for key in (Key("PermissionPolicy", route.policy), *(Key("Group", name) for name in reversed(route.groups))):
        if key in state.settings:
            yield state.settings[key]
