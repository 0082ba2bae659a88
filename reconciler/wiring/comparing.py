"""Two revisions of a repository, opened for a judgement about what differs."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler.core.model import Key, Resource
from reconciler.core.verdicts import Comparison
from reconciler.source import files
from reconciler.source.commits import Revisions, settle
from reconciler.source.comparison import compare, connectors
from reconciler.source.files import read_blobs
from reconciler.source.positions import Lines


def compare_revisions(root: Path, base: str, head: str) -> tuple[Comparison, Revisions]:
    """What differs between two revisions; see `settle` and `compare`."""
    revisions = settle(root, base, head)
    return compare(root, revisions), revisions


def connectors_of(root: Path, revisions: Revisions) -> Iterator[Resource]:
    """Connectors and categories at the head, of files that are not valid those that can be read."""
    return connectors(root, revisions.tree)


def lines_of(root: Path, tree: str, policies: Mapping[Key, Resource]) -> Lines:
    """Of the policies in a commit or tree."""

    def read(path: str) -> bytes:
        return next(read_blobs(root, [dict(files.committed_at(root, tree, [path]))[path]]))

    return Lines(read, policies)
