"""Settings to the places of the live store's key: the present one, the next, and that of a copy."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.settings import Settings
from reconciler.wiring.run import open_state

if TYPE_CHECKING:
    from reconciler.secrets.sealer import NewKey


def next_key(settings: Settings, environment: Mapping[str, str]) -> "NewKey":
    """The key to change to; see `make_next_key`."""
    from reconciler.secrets.sealer import make_next_key

    return make_next_key(environment, settings.key_file, _embedded(settings))


def key_place(settings: Settings, environment: Mapping[str, str], copy: Path) -> tuple[str, str]:
    """Where the live store's key is, and where a copy that is used as a store looks for its own; "" where that is the same."""
    from reconciler.secrets.keys import find_place
    from reconciler.stores.host import key_beside

    place = find_place(environment, settings.key_file, _embedded(settings))
    return place.name, str(key_beside(copy)) if place.private else ""


def _embedded(settings: Settings) -> Path | None:
    files = open_state(settings, os.environ).files()
    return files.key if files else None
