"""What a category is."""

from typing import Any

from reconciler.kinds.common import Defaults, canonical_lifecycle, without

_DEFAULTS: Defaults = (("description", ""), ("status", "active"))


def canonical(spec: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a spec: defaults left out."""
    return canonical_lifecycle(without(spec, _DEFAULTS))
