"""What has to hold for a write, whatever store it goes to: facts of the plan against rows that a driver has fetched."""

from collections.abc import Collection, Iterable, Mapping

from reconciler.core.enforcement import Basis
from reconciler.core.model import Key, Record

Place = tuple[str, str, str]
"""Kind, name and version of a record as the store holds it now."""


def moved_since(records: Iterable[Record], found: Mapping[str, Place]) -> list[Record]:
    """The records that are not those that were planned with: gone, renamed or written to since.

    Args:
        found: by uid what there is now.
    """
    return [record for record in records if found.get(record.uid) != (*record.key, record.version)]


def basis_moved(basis: Basis, found: Iterable[tuple[Key, str, str]]) -> list[Key]:
    """The policies and groups that are not those that the plan was judged by, no more and no less; sorted.

    Args:
        found: key, uid and version of all records of the basis' kinds.
    """
    return sorted({key for key, _, _ in basis.records.symmetric_difference(found)})


def dangling(references: Iterable[tuple[Key, Key]], there: Collection[Key]) -> list[tuple[Key, Key]]:
    """Of pairs of a record and what it refers to, those that lead to nothing; sorted.

    Args:
        there: the keys that there is a record of, at least of those referred to.
    """
    return sorted({pair for pair in references if pair[1] not in there})
