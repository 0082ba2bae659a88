"""Which answers to a fault are beyond doubt, so that `validate --fix` may write them.

An answer is one when a single thing can have been meant, and when it gives nobody more than the definition gave: what
lets somebody do something, or keeps others out, is for people to write.
"""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

from reconciler.diagnostics import Path, Place, Repair

_WEIGHTY = frozenset(("verify", "allowPlainHttp", "superAdmin", "permissions", "protect", "expires", "mode", "none"))
"""Keys and values that decide on who may do or read what."""
_NEAR, _APART = 0.8, 0.15
_SIGNS = re.compile(r"[\W_]+")
_LIST_ITEM = re.compile(r"[A-Za-z][\w.-]*")


def renamed(word: str, among: Iterable[str], place: Place) -> Repair | None:
    """`word`, at `place`, is a misspelling of just one of `among`."""
    meant = _meant(word, list(among))
    if meant is None or _is_weighty(meant, place.path[:-1] if place.at_key else place.path):
        return None
    return Repair(f"write {meant}", "replace", meant, place)


def quoted(value: object) -> Repair | None:
    """A text that is not in quotes was read as something else."""
    return Repair("put it in quotes", "quote") if isinstance(value, bool | int | float) else None


def as_truth(word: str, path: Path) -> Repair | None:
    """yes, no, on or off of YAML 1.1, as what it meant there: `word`."""
    return None if _is_weighty(str(path[-1]), path) else Repair(f"write {word}", "replace", word)


def listed(value: object) -> Repair | None:
    """One item where a list of items belongs."""
    is_item = isinstance(value, str) and _LIST_ITEM.fullmatch(value)
    return Repair("write it as a list", "list") if is_item else None


def dropped(item: object) -> Repair | None:
    """An item of a list that stands there already."""
    return Repair("remove it", "drop") if isinstance(item, str | int | float | bool) else None


def _is_weighty(word: str, path: Path) -> bool:
    return word in _WEIGHTY or any(step in _WEIGHTY for step in path)


def _meant(word: str, among: list[str]) -> str | None:
    """The one that differs in case and signs alone; else the one that is near, if no other is nearly as near."""
    folded = _SIGNS.sub("", word).lower()
    same = [name for name in among if _SIGNS.sub("", name).lower() == folded]
    if same:
        return same[0] if len(same) == 1 else None
    if not folded or len(word) > 63:
        return None
    near = get_close_matches(word.lower(), [name.lower() for name in among], n=2, cutoff=_NEAR - _APART)
    ratios = [SequenceMatcher(None, name, word.lower()).ratio() for name in near]
    if not near or ratios[0] < _NEAR or (len(near) > 1 and ratios[1] > ratios[0] - _APART):
        return None
    return next(name for name in among if name.lower() == near[0])
