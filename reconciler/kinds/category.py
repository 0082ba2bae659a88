"""What a category is."""

from typing import Any

from reconciler.kinds.common import canonical_lifecycle, drop_default


def canonical(spec: dict[str, Any]) -> None:
    """Bring `spec` to its canonical form, in place: defaults left out."""
    drop_default(spec, "description", "")
    drop_default(spec, "status", "active")
    canonical_lifecycle(spec)
