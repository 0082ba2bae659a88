"""The three sorts of records that an instance has: where they are, and what they are called."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from reconciler.stores.processmaker.forms.canonical import connector_digest
from reconciler.stores.processmaker.forms.categories import category_digest, category_row
from reconciler.stores.processmaker.forms.connectors import connector_row
from reconciler.stores.processmaker.forms.groups import group_digest
from reconciler.stores.processmaker.views.survey import group_with_members


class Sort(Struct, frozen=True):
    """One of them.

    Attributes:
        path: of their list; a record's is below it.
        word, words: one and many of them, in messages.
        row: from what is answered to a row; raises `StoreUnavailable`.
        version: what tells a row from what it was.
        limit: of the length of a name.
        params: of its list, so that it tells all that there is to know.
        most: so many rows a page at most.
    """

    kind: str
    path: str
    word: str
    words: str
    row: Callable[[Any], Any]
    version: Callable[[Any], str]
    limit: int = 255
    params: Mapping[str, str] = {}
    most: int = 1000

    def id(self, number: int) -> str:
        """A record's id in the words of `LiveRecord`."""
        return f"{self.word}:{number}"


CATEGORY = Sort("Category", "/data_source_categories", "category", "categories", category_row, category_digest, 100)
CONNECTOR = Sort("Connector", "/data_sources", "connector", "connectors", connector_row, connector_digest)
WHOLE_GROUPS = {"include": "permissions,groupMembers"}
GROUP = Sort("Group", "/groups", "group", "groups", group_with_members, group_digest, params=WHOLE_GROUPS, most=50)
SORTS = {sort.kind: sort for sort in (CATEGORY, CONNECTOR, GROUP)}


def number_of(uid: str) -> int:
    """The number of a record on the instance; 0 where the id is of what has none there."""
    word, _, number = uid.partition(":")
    is_one = any(word == sort.word for sort in SORTS.values()) and number.isascii() and number.isdigit()
    return int(number) if is_one else 0
