"""Who may do something, or could at some time, and why."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from reconciler.core.access import PERMISSIONS, Access, AccessTarget, Route, decide, is_super_admin
from reconciler.core.history import Body, KeepsHistory, RunEntry, Trail
from reconciler.core.model import Key
from reconciler.core.ports.abilities import Limits
from reconciler.core.ports.store import Store
from reconciler.core.verdicts import Answer, PastState, Question, Setting
from reconciler.errors import UsageError
from reconciler.kinds.access import AREA_OF_KIND, live_target, make_access
from reconciler.kinds.registry import WORDS, address
from reconciler.services.enforcement import standing


def ask_definitions(
    access: Access, targets: Mapping[Key, AccessTarget], permission: str, key: Key | None, moment: str
) -> Question:
    """Ask about what git declares.

    Raises:
        UsageError: see `area_of`; or nothing has that address.
    """
    area = area_of(permission, key)
    if key is not None and key not in targets:
        raise UsageError(f"there is no {address(*key)}", hint=_near(key, targets))
    return Question(access, permission, key, targets[key] if key else AccessTarget(area), moment)


def ask_live(store: Store, permission: str, key: Key | None, moment: str) -> Question:
    """Ask about what the store holds.

    Raises:
        UsageError: see `ask_definitions`.
    """
    area, live = area_of(permission, key), store.records()
    target = AccessTarget(area)
    if key is not None:
        if key not in live:
            raise UsageError(f"there is no live {address(*key)}", hint=_near(key, live))
        uid = live[key].uid
        target = live_target(key, store.bodies([uid])[uid].live)
    unseen = store.unseen_access() if isinstance(store, Limits) else ""
    return Question(standing(live, store, groups=True).access, permission, key, target, moment, unseen)


def _near(key: Key, known: Mapping[Key, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key.name, [other.name for other in known if other.kind == key.kind], n=1)
    return f"did you mean '{address(key.kind, near[0])}'?" if near else f"{', '.join(WORDS)} have addresses KIND/NAME"


def area_of(permission: str, key: Key | None) -> str:
    """The area that a permission is about.

    Raises:
        UsageError: there is no such permission, or it is not about such a record.
    """
    if permission not in PERMISSIONS:
        from difflib import get_close_matches

        near = get_close_matches(permission, PERMISSIONS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"permissions are {', '.join(PERMISSIONS)}"
        raise UsageError(f"there is no permission '{permission}'", hint=hint)
    area = permission.partition(":")[0]
    if key is not None and AREA_OF_KIND.get(key.kind) != area:
        raise UsageError(f"{permission} is not about {address(*key)}", hint=f"it is about {area}")
    return area


KINDS = ("Group", "PermissionPolicy")


def past(history: KeepsHistory, permission: str, key: Key | None, time: str) -> PastState:
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
    target = _target(history, key, last, time) if key else AccessTarget(area)
    access = make_access(bodies)
    rows = [trail.set_by(last) for trail in rests.values()]
    runs = {run.id: run for run in history.runs(ids=[last, *(row.run for row in rows if row)])}
    enforced = any(is_super_admin(access, user) for user in access.users())
    settings = {found: _setting(found, trail, last, time, runs) for found, trail in rests.items()}
    return PastState(time, runs.get(last), permission, access, target, key, enforced, settings)


def could(state: PastState, actor: str) -> Answer:
    """Whether somebody could do what is asked about."""
    moment = datetime.fromisoformat(state.time)
    decision = decide(state.access, actor, state.permission, state.target, moment)
    return Answer(actor, decision, tuple(_rests_on(state, decision.route)))


def who_could(state: PastState) -> list[Answer]:
    """Everybody who could."""
    answers = (could(state, user) for user in sorted(state.access.users()))
    return [answer for answer in answers if answer.decision.allowed]


def _target(history: KeepsHistory, key: Key, last: int, time: str) -> AccessTarget:
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


def _rests_on(state: PastState, route: Route | None) -> Iterator[Setting]:
    if route is None:
        return
    for key in (Key("PermissionPolicy", route.policy), *(Key("Group", name) for name in reversed(route.groups))):
        if key in state.settings:
            yield state.settings[key]
