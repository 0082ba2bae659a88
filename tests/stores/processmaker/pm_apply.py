"""An apply without a command line: desired records, a state that is a dictionary, and a journal that tests can read.

What it does is what the state beside a live store does, as plainly as it can be said: it finds out about what was cut
off, reads, compares, has the difference carried out, and notes what came of it.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from servers.processmaker import Instance

from reconciler.core.model import Key
from reconciler.core.ports.abilities import Known, Recollection
from reconciler.core.ports.live import LiveRecord, Outcome, Result, Write
from reconciler.core.ports.requests import Answer, Carrying, Intent, Step, Unfinished
from reconciler.core.secret import Secret
from reconciler.kinds.canonical import canonical, fold
from reconciler.kinds.registry import KINDS
from reconciler.stores.processmaker.store import ProcessMakerStore

ADDRESS = "authorization.password"
Desired = Mapping[Key, tuple[dict[str, Any], Mapping[str, str]]]
"""Bodies, and the values of secrets by address."""


class Journal:
    """Kept in memory. `before` is called with each group of intents, before they are noted."""

    def __init__(self, before: Callable[[Sequence[Intent]], None] = lambda _: None) -> None:
        self.steps: dict[int, Step] = {}
        self.transactions = 0
        self._before = before

    def keep(self, answered: Sequence[Answer], intended: Sequence[Intent]) -> None:
        self._before(intended)
        self.transactions += 1
        for one in answered:
            step = self.steps[one.number]
            self.steps[one.number] = Step(step.intent, step.sent, one)
        for one in intended:
            assert one.number not in self.steps
            self.steps[one.number] = Step(one, datetime.now(UTC).isoformat(), None)

    def of(self, write: int) -> list[Step]:
        """The requests of a write."""
        return [step for _, step in sorted(self.steps.items()) if step.intent.write == write]

    def lacks(self, server: Instance, since: int) -> list[tuple[str, str]]:
        """Requests that the instance did not put off, and the journal does not know."""
        sent = (one for one in server.requests[since:] if one["method"] != "GET" and one["status"] not in (429, 503))
        got = Counter((one["method"], one["path"]) for one in sent)
        got -= Counter((step.intent.verb, step.intent.path) for step in self.steps.values())
        return sorted(got.elements())


class Book(Struct):
    """What the state knows: records by id with their secrets, and a run that was cut off."""

    known: dict[str, Known] = {}
    secrets: dict[str, Mapping[str, str]] = {}
    names: Mapping[tuple[str, str], str] = {}
    open: tuple[Sequence[Write], Mapping[str, LiveRecord], Journal] | None = None

    def note(self, write: Write, outcome: Outcome) -> None:
        """What came of a write."""
        if not outcome.id:
            return
        if write.body is None:
            self.known.pop(outcome.id, None)
            return
        self.known[outcome.id] = Known(write.key, write.body, outcome.version, outcome.note, is_owned=True)
        if outcome.result is Result.DONE and outcome.version != "~":
            self.secrets[outcome.id] = {place: one.reveal() for place, one in write.secrets.items()}


def apply(
    store: ProcessMakerStore,
    book: Book,
    desired: Desired,
    journal: Journal,
    *,
    goes_on: bool = False,
    begins: Callable[[], None] = lambda: None,
) -> list[Outcome]:
    """One apply, which first finds out about the one before. `begins` is called before anything is written."""
    settle(store, book)
    writes, live = planned(store, book, desired)
    book.open = (writes, live, journal)
    begins()
    outcomes = list(store.carry_out(writes, journal, Carrying(goes_on, lambda _: None, lambda: False)))
    for write, outcome in zip(writes, outcomes, strict=True):
        book.note(write, outcome)
    if all(one.result is not Result.UNKNOWN for one in outcomes):
        book.open = None
    return outcomes


def settle(store: ProcessMakerStore, book: Book) -> None:
    """Note what became of a run that was cut off."""
    if book.open is None:
        return
    writes, live, journal = book.open
    store.recall(Recollection(dict(book.known), book.names))
    numbers = [number for number in range(len(writes)) if journal.of(number)]
    bare = [Write(one.key, one.id, "", one.body, {}) for one in writes]
    found = store.find_out([_unfinished(bare[number], live, journal.of(number)) for number in numbers], patiently=True)
    for number, outcome in zip(numbers, found, strict=True):
        assert outcome.result is not Result.UNKNOWN
        if outcome.result is Result.DONE:
            book.note(writes[number], outcome)
    book.open = None


def _unfinished(write: Write, live: Mapping[str, LiveRecord], steps: Sequence[Step]) -> Unfinished:
    before = live.get(write.id)
    return Unfinished(write, steps, before.body if before else None, before.note if before else "")


def planned(store: ProcessMakerStore, book: Book, desired: Desired) -> tuple[list[Write], Mapping[str, LiveRecord]]:
    """What has to be written, and what is live."""
    book.names = {
        (key.kind, fold(body["spec"]["displayName"])): key.name
        for key, (body, _) in desired.items()
        if "displayName" in body["spec"]
    }
    store.recall(Recollection(dict(book.known), book.names))
    live = {one.id: one for one in store.read()}
    by_key = {one.key: one for one in live.values()}
    writes = []
    for key, (body, values) in desired.items():
        wanted = canonical(body, KINDS[key.kind])
        there = by_key.get(key)
        secrets = {place: Secret(value) for place, value in values.items()}
        if there is None:
            writes.append(Write(key, "", "", wanted, secrets))
            continue
        is_anew = book.secrets.get(there.id, {}) != dict(values) or there.is_resealed
        if there.body != wanted or is_anew:
            writes.append(Write(key, there.id, there.version, wanted, secrets, is_anew))
        elif not (there.id in book.known and book.known[there.id].is_owned):
            writes.append(Write(key, there.id, there.version, wanted, secrets, is_anew))
    for uid, one in live.items():
        if one.key not in desired and uid in book.known and book.known[uid].is_owned:
            writes.append(Write(one.key, uid, one.version, None, {}))
    return writes, live


def held(server: Instance) -> dict[str, Any]:
    """What an instance holds, without numbers and times: by names, with secrets in the clear."""
    store = server.store
    filed = {row["id"]: row["name"] for row in store.categories.rows.values()}
    users = {row["id"]: row["username"] for row in store.users.rows.values()}
    groups = {row["id"]: row["name"] for row in store.groups.rows.values()}
    names = {row["id"]: row["name"] for row in store.permissions.rows.values()}
    members = [
        (
            groups[row["group_id"]],
            users.get(row["member_id"]) if "User" in row["member_type"] else groups[row["member_id"]],
        )
        for row in store.members.rows.values()
    ]
    rights = [(groups[holder], names[name]) for kind, holder, name in store.grants if kind.endswith("Group")]
    return {
        "categories": sorted((row["name"], row["status"]) for row in store.categories.rows.values()),
        "connectors": sorted(
            (
                row["name"], row["status"], row["authtype"], row["endpoints"], row["description"],
                json.dumps(server.plaintext(row["id"]) if row["credentials"] else None, sort_keys=True),
                sorted(filed[category] for category in store.pivots.of(row["id"])),
            )
            for row in store.connectors.rows.values()
        ),
        "groups": sorted((row["name"], row["description"]) for row in store.groups.rows.values()),
        "members": sorted(members),
        "rights": sorted(rights),
    }  # fmt: skip


def doubles(server: Instance) -> list[str]:
    """Names that two records have."""
    store = server.store
    found = []
    for table in (store.categories, store.connectors, store.groups):
        counted = Counter(fold(row["name"]) for row in table.rows.values())
        found += [name for name, times in counted.items() if times > 1]
    return found


# an apply of some forty changes


def category(name: str, title: str = "", **spec: Any) -> tuple[Key, tuple[dict[str, Any], dict[str, str]]]:
    return Key("Category", name), ({"spec": {"displayName": title or name, **spec}}, {})


def connector(
    name: str, *categories: str, password: str = "a-password", title: str = "", url: str = "https://crm.example.com/", **spec: Any
) -> tuple[Key, tuple[dict[str, Any], dict[str, str]]]:  # fmt: skip
    """With basic authorization, unless the password is ""."""
    basic = {"authorization": {"method": "basic", "username": "svc", "password": {"env": "CRM_PASSWORD"}}}
    body = {
        "displayName": title or name,
        "categories": list(categories),
        **(basic if password else {}),
        "endpoints": {"list": {"method": "GET", "url": url}},
        **spec,
    }
    return Key("Connector", name), ({"spec": body}, {ADDRESS: f"{password} of {name}"} if password else {})


def group(name: str, *users: str, groups: Sequence[str] = (), title: str = "", **spec: Any) -> tuple[Key, tuple[dict[str, Any], dict[str, str]]]:  # fmt: skip
    members = {"mode": "authoritative", "users": list(users), "groups": list(groups)}
    return Key("Group", name), ({"spec": {"displayName": title or name, "members": members, **spec}}, {})


def policy(name: str, groups: Sequence[str], *permissions: str) -> tuple[Key, tuple[dict[str, Any], dict[str, str]]]:
    subjects = [{"group": one} for one in groups]
    return Key("PermissionPolicy", name), (
        {"spec": {"subjects": subjects, "grants": [{"permissions": list(permissions)}]}},
        {},
    )


BEFORE: Desired = dict(
    [
        category("crm"), category("erp"), category("old"), category("s1", "swap one"), category("s2", "swap two"),
        *(connector(f"c{number}", "crm", "erp") for number in range(12)),
        connector("gone1", "old"), connector("gone2", "old", password=""),
        connector("x1", "crm", title="cross one"), connector("x2", "crm", title="cross two"),
        group("team", "ada"), group("ops", "grace", groups=["team"]), group("leaving", "ada"),
        policy("p1", ["team"], "connectors:view", "connectors:edit"),
        policy("p2", ["ops", "team"], "categories:view"), policy("p4", ["leaving"], "groups:view"),
    ]
)  # fmt: skip
AFTER: Desired = dict(
    [
        category("crm", status="inactive"), category("erp"), category("new"), category("newer", "old"),
        category("s1", "swap two"), category("s2", "swap one"),
        *(connector(f"c{number}", "crm", "new", url="https://other.example.com/") for number in range(4)),
        *(connector(f"c{number}", "crm", "erp", password="another") for number in range(4, 7)),
        *(connector(f"c{number}", "erp", description="described") for number in range(7, 9)),
        *(connector(f"c{number}", "crm", "erp") for number in range(9, 12)),
        *(connector(f"n{number}", "new", "erp", password="fresh") for number in range(6)),
        *(connector(f"m{number}", "newer", password="") for number in range(2)),
        connector("x1", "crm", title="cross two"), connector("x2", "crm", title="cross one"),
        group("team", "grace", description="the team"), group("ops", "grace", "ada", groups=["next"]),
        group("next", "ada"), group("again", "ada", title="leaving"),
        policy("p1", ["team", "next"], "connectors:view", "connectors:create"),
        policy("p2", ["ops"], "categories:view", "categories:edit"), policy("p3", ["next"], "groups:view"),
    ]
)  # fmt: skip
"""Of each kind some are made, changed, deleted; names are traded, and passed on by what is deleted."""
