"""What may be meant by a word that is no address, such as `psp` for connector/psp. For people who mistyped: it may take its time."""

import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from reconciler.core.model import Key
from reconciler.errors import ReconcilerError
from reconciler.kinds.registry import address

_MOST = 3
_NEAR = 0.7


def suggestion(word: str, otherwise: str) -> str:
    """Which addresses may be meant; `otherwise` where nothing is called so.

    The names of live and of deleted records count, and where none of them is like it, those of the definitions.
    """
    for known in (_in_store, _defined):
        found = _named(word, known())
        if found:
            listed = [address(*key) for key in found]
            return f"did you mean {' or '.join(listed)}?"
    return otherwise


def near(key: Key, otherwise: str) -> str:
    """Which address may be meant by one that is of no record; `otherwise` where none is like it."""
    known = set(_in_store())
    same = sorted(other for other in known if other.name == key.name)
    close = get_close_matches(key.name, sorted(other.name for other in known if other.kind == key.kind), n=1)
    if close:
        return f"did you mean {address(key.kind, close[0])}?"
    return f"did you mean {' or '.join(address(*other) for other in same[:_MOST])}?" if same else otherwise


def _named(word: str, keys: Iterable[Key]) -> list[Key]:
    by_name: dict[str, set[Key]] = {}
    for key in keys:
        by_name.setdefault(key.name, set()).add(key)
    names = [word] if word in by_name else get_close_matches(word.lower(), by_name, n=1, cutoff=_NEAR)
    return sorted(key for name in names for key in by_name[name])[:_MOST]


def _in_store() -> Iterator[Key]:
    from reconciler.cli.run import settings_of_run
    from reconciler.wiring.run import open_store

    try:
        store = open_store(settings_of_run(), os.environ)
        try:
            yield from store.records()
            yield from (item.key for item in store.deleted())
        finally:
            store.close()
    except ReconcilerError:
        return


def _defined() -> Iterator[Key]:
    from reconciler.cli.output import options
    from reconciler.wiring.roots import locate_root
    from reconciler.wiring.run import open_source

    try:
        yield from open_source(locate_root(options().directory), "").load().resources
    except ReconcilerError:
        return
