"""May somebody do something, and who may? Answered from the definitions or from what is live."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.access import PERMISSIONS, Access, Target
from reconciler.core.model import Key
from reconciler.core.ports.store import Store
from reconciler.core.verdicts import Question
from reconciler.errors import UsageError
from reconciler.kinds.access import AREA_OF_KIND, live_target
from reconciler.kinds.registry import WORDS, address
from reconciler.services.enforcing import standing


def ask_definitions(
    access: Access, targets: Mapping[Key, Target], permission: str, key: Key | None, moment: str
) -> Question:
    """Ask about what git declares.

    Raises:
        UsageError: see `area_of`; or nothing has that address.
    """
    area = area_of(permission, key)
    if key is not None and key not in targets:
        raise UsageError(f"there is no {address(*key)}", hint=_near(key, targets))
    return Question(access, permission, key, targets[key] if key else Target(area), moment)


def ask_live(store: Store, permission: str, key: Key | None, moment: str) -> Question:
    """Ask about what the store holds.

    Raises:
        UsageError: see `ask_definitions`.
    """
    area, live = area_of(permission, key), store.records()
    target = Target(area)
    if key is not None:
        if key not in live:
            raise UsageError(f"there is no live {address(*key)}", hint=_near(key, live))
        uid = live[key].uid
        target = live_target(key, store.bodies([uid])[uid].live)
    return Question(standing(live, store, groups=True).access, permission, key, target, moment)


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
