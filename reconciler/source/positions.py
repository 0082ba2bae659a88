"""Where things stand in files: the lines that an answer points at."""

from collections.abc import Callable, Mapping
from functools import cache

from reconciler.core.access import Route
from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Finding, Path, Place

Positions = Callable[[Resource, Path], tuple[str, int]]
"""From a resource and a path in its document to file and line."""


def positions(read: Callable[[str], bytes]) -> Positions:
    """Looks up lines; a file is parsed once.

    Args:
        read: the bytes of a file.
    """

    @cache
    def parsed(file: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
        from reconciler.source.text import SourceText
        from reconciler.source.yaml.parsing import parse

        source = SourceText(file, read(file))
        return source, parse(source).documents

    def position(resource: Resource, path: Path) -> tuple[str, int]:
        from reconciler.source.locate import locate

        source, documents = parsed(resource.file)
        (found,) = locate(source, documents, [Finding("RC209", "", Place(resource.document, path))])
        return resource.file, found.span.line

    return position


class Lines:
    """Where routes stand in the files of one revision."""

    def __init__(self, read: Callable[[str], bytes], policies: Mapping[Key, Resource]) -> None:
        """Parse nothing yet.

        Args:
            read: the bytes of a file.
        """
        self._policies = policies
        self._position = positions(read)

    def of(self, route: Route) -> tuple[str, int]:
        """File and line of the grant, or of what makes a super admin."""
        resource = self._policies[Key("PermissionPolicy", route.policy)]
        path = ("spec", "grants", route.grant.index) if route.grant else ("spec", "superAdmin")
        return self._position(resource, path)
