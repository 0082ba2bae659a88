"""Where things stand in files: the lines that an answer points at."""

from collections.abc import Callable
from functools import cache

from reconciler.core.model import Resource
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
