"""The lines of git that the store's history speaks of."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from reconciler.core.access import Route
from reconciler.core.model import Key, Resource
from reconciler.errors import ReconcilerError


class PastLines:
    """Where policies stood in the commits that they were applied from."""

    def __init__(self, root: Path) -> None:
        """Of the repository at `root`; read nothing yet."""
        self._root = root
        self._policies = cache(self._load)

    def of(self, commit: str, fingerprint: str, route: Route) -> tuple[str, int] | None:
        """File and line of a grant, or of what makes a super admin; None where git does not show it.

        Args:
            commit: as a run has it.
            fingerprint: of the body that was applied.
        """
        from reconciler.wiring.comparing import lines_of

        if not commit or commit.endswith("-dirty"):
            return None
        try:
            policies = self._policies(commit)
            found = policies.get(Key("PermissionPolicy", route.policy))
            if found is None or found.fingerprint != fingerprint:
                return None
            return lines_of(self._root, commit, policies).of(route)
        except ReconcilerError:  # the commit is of another repository, or git is not there
            return None

    def _load(self, commit: str) -> Mapping[Key, Resource]:
        from reconciler.source import files
        from reconciler.source.comparison import PartReader

        return PartReader(self._root).load(dict(files.committed(self._root, commit, ("policies",)))).resources
