"""Which grants no access test explains."""

from collections.abc import Mapping

from reconciler.core.model import Coverage, Key, Resource
from reconciler.diagnostics import Path
from reconciler.kinds.access_testing import Ground
from reconciler.kinds.crosscheck import Clash

_HINT = "add an expectation with `can` that fails without it, or remove what nobody needs"


def coverage(resources: Mapping[Key, Resource], grounds: frozenset[Ground]) -> tuple[Coverage, list[Clash]]:
    """Count, and point at what is not explained.

    Args:
        grounds: what expectations rest on.
    """
    grants = explained = 0
    clashes = []
    for key in sorted(resources):
        if key.kind != "PermissionPolicy":
            continue
        spec = resources[key].content.value["spec"]
        if spec.get("superAdmin"):  # it gives everything, so its grants give nothing more
            held: list[tuple[list[str], int | None, Path]] = [([""], None, ("spec", "superAdmin"))]
        else:
            held = [(grant["permissions"], index, ("spec", "grants", index)) for index, grant in enumerate(spec.get("grants", ()))]  # fmt: skip
        for permissions, index, path in held:
            missing = [name for name in permissions if (key.name, index, name) not in grounds]
            grants += 1
            explained += not missing
            if missing:
                what = "this grant" if len(missing) == len(permissions) else ", ".join(missing)
                message = "no access test explains " + ("these super admins" if index is None else what)
                clashes.append(Clash(resources[key], "RC706", message, "path", hint=_HINT, path=path))
    return Coverage(grants, explained), clashes
