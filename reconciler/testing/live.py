"""What every live store has to do, as tests that its author runs.

    from reconciler.testing.live import LiveContract

    class TestMine(LiveContract):
        def open(self, tmp_path):
            return MyStore(...)  # empty

`open` gives an empty store; called again with the same path it gives the same one, as another process would have it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.model import Key
from reconciler.core.ports.live import Live, Outcome, Result, SeesOthers, Write
from reconciler.core.secret import Secret

CANARY = "canary-1f6c0e57-in-the-clear"
"""The value of every secret that is written; no read may give it back."""
_NO_SECRETS: Mapping[str, Secret] = {}


def category(text: str) -> dict[str, Any]:
    """A body without secrets."""
    return {"spec": {"displayName": text}}


def connector(text: str) -> dict[str, Any]:
    """A body with a secret reference, whose secret goes with it under `ADDRESS`; in the category crm, which comes first."""
    return {
        "metadata": {"labels": {"team": "sales"}},
        "spec": {
            "displayName": text,
            "categories": ["crm"],
            "authorization": {"method": "basic", "username": "svc", "password": {"env": "CRM_PASSWORD"}},
            "endpoints": {"list": {"method": "GET", "url": "https://crm.example.com/{{account}}"}},
        },
    }


ADDRESS = "authorization.password"


class _Opened:
    """How a class of tests gets its store."""

    def open(self, tmp_path: Path) -> Live:
        """The store at a path, empty at first."""
        raise NotImplementedError

    @pytest.fixture
    def live(self, tmp_path: Path) -> Iterator[Live]:
        """One that is empty."""
        opened = self.open(tmp_path)
        yield opened
        opened.close()


class LiveContract(_Opened):
    """What every live store does. A class of one's own inherits it, and says how the store is opened."""

    def test_an_empty_store(self, live: Live) -> None:
        """Holds nothing, and is asked for nothing in vain."""
        assert list(live.read()) == []
        assert list(live.read(["nobody"])) == []
        assert list(live.write([])) == []

    def test_what_was_written_is_read(self, live: Live) -> None:
        """All of it, or those asked for, each once."""
        one, two = done(live, create("crm"), create("two", kind="Connector"))
        held = {record.id: record for record in live.read()}
        assert held.keys() == {one.id, two.id}
        assert (held[one.id].key, held[one.id].body) == (Key("Category", "crm"), category("crm"))
        assert (held[two.id].key, held[two.id].body) == (Key("Connector", "two"), connector("two"))
        assert {record.id: record.version for record in held.values()} == {one.id: one.version, two.id: two.version}
        assert [record.id for record in live.read([two.id, "nobody"])] == [two.id]

    def test_another_process_reads_the_same(self, live: Live, tmp_path: Path) -> None:
        """The same records under the same ids, of a store of the same identity."""
        (one,) = done(live, create("one"))
        identity = live.identity()
        live.close()
        again = self.open(tmp_path)
        assert again.identity() == identity != ""
        assert [(record.id, record.version) for record in again.read()] == [(one.id, one.version)]
        again.close()

    def test_a_closed_store_opens_anew(self, live: Live) -> None:
        """Closing twice does no harm."""
        done(live, create("one"))
        live.close()
        live.close()
        assert [record.key.name for record in live.read()] == ["one"]

    def test_an_update(self, live: Live) -> None:
        """Keeps the id, and gives another version."""
        (one,) = done(live, create("one"))
        (after,) = done(live, update(one, "one", category("another text")))
        (record,) = live.read()
        assert (record.id, record.body, record.version) == (one.id, category("another text"), after.version)
        assert after.version != one.version

    def test_the_same_once_more(self, live: Live) -> None:
        """Writing what is there already is no failure, and changes nothing that is read."""
        (one,) = done(live, create("one"))
        (after,) = done(live, update(one, "one", category("one")))
        (record,) = live.read()
        assert (record.id, record.body, record.version) == (one.id, category("one"), after.version)

    def test_a_rename(self, live: Live) -> None:
        """Keeps the id."""
        (one,) = done(live, create("one"))
        done(live, update(one, "other", category("one")))
        (record,) = live.read()
        assert (record.id, record.key.name) == (one.id, "other")

    def test_names_are_swapped_and_passed_on(self, live: Live) -> None:
        """Within one call; each record keeps its id."""
        one, two, three = done(live, create("one"), create("two"), create("three"))
        done(
            live,
            update(one, "two", category("one")),
            update(two, "one", category("two")),
            Write(Key("Category", "three"), three.id, three.version, None, _NO_SECRETS),
            create("three", text="a new one"),
        )
        held = {record.id: record for record in live.read()}
        assert (held[one.id].key.name, held[two.id].key.name) == ("two", "one")
        assert three.id not in held
        assert sorted(record.key.name for record in held.values()) == ["one", "three", "two"]

    def test_a_delete(self, live: Live) -> None:
        """Is gone; a later record of the name is another one."""
        one, two = done(live, create("one"), create("two"))
        done(live, Write(Key("Category", "one"), one.id, one.version, None, _NO_SECRETS))
        assert [record.id for record in live.read()] == [two.id]
        (again,) = done(live, create("one"))
        assert again.id not in (one.id, two.id)

    def test_an_older_version_is_a_conflict(self, live: Live) -> None:
        """Nothing of the record changes."""
        (one,) = done(live, create("one"))
        (after,) = done(live, update(one, "one", category("by somebody else")))
        for body in (category("mine"), None):
            (outcome,) = live.write([Write(Key("Category", "one"), one.id, one.version, body, _NO_SECRETS)])
            is_refused(outcome)
        (record,) = live.read()
        assert (record.body, record.version) == (category("by somebody else"), after.version)

    def test_a_record_that_is_gone_is_a_conflict(self, live: Live) -> None:
        """It is not made anew."""
        (one,) = done(live, create("one"))
        done(live, Write(Key("Category", "one"), one.id, one.version, None, _NO_SECRETS))
        (outcome,) = live.write([update(one, "one", category("one"))])
        is_refused(outcome)
        assert list(live.read()) == []

    def test_a_taken_address_is_a_conflict(self, live: Live) -> None:
        """By a new record, and by a rename."""
        one, two = done(live, create("one"), create("two"))
        (outcome,) = live.write([create("one", text="another")])
        is_refused(outcome)
        (outcome,) = live.write([update(two, "one", category("two"))])
        is_refused(outcome)
        assert {record.id: record.key.name for record in live.read()} == {one.id: "one", two.id: "two"}

    def test_outcomes_are_true(self, live: Live) -> None:
        """Where some can be done and some cannot, each outcome says what is read afterwards, in the order of the writes."""
        one, two = done(live, create("one"), create("two"))
        stale = Write(Key("Category", "one"), one.id, one.version + "0", category("changed"), _NO_SECRETS)
        outcomes = live.write([create("new"), stale, update(two, "two", category("changed"))])
        held = {record.key.name: record for record in live.read()}
        changed = ("new" in held, held["one"].body == category("changed"), held["two"].body == category("changed"))
        assert tuple(outcome.result is Result.DONE for outcome in outcomes) == changed
        assert not changed[1]
        for outcome, name in zip(outcomes, ("new", "one", "two"), strict=True):
            if outcome.result is Result.DONE:
                assert (held[name].id, held[name].version) == (outcome.id, outcome.version)

    def test_the_order_of_new_records_does_not_matter(self, live: Live) -> None:
        """They come in any order."""
        writes = [create(name) for name in ("b", "c", "a")]
        done(live, *writes)
        assert sorted(record.key.name for record in live.read()) == ["a", "b", "c"]

    def test_secrets_are_never_read(self, live: Live, tmp_path: Path) -> None:
        """Neither from a record, nor from an outcome; also not after a change that leaves them."""
        _, one = done(live, create("crm"), create("one", kind="Connector"))
        (again,) = done(live, update(one, "one", connector("changed"), kind="Connector"))
        assert CANARY not in repr((one, again, list(live.read()), live.identity()))
        for file in tmp_path.rglob("*"):
            assert not file.is_file() or CANARY.encode() not in file.read_bytes(), f"{file} holds a secret in the clear"

    @pytest.mark.parametrize(
        "text",
        ["漢字 and 🦆", "e\u0301 is not \u00e9", "two\nlines\ttabbed", "{{mustache}} <b>markup</b> & more", " outer ", "'; --", "x" * 20_000],
    )  # fmt: skip
    def test_odd_texts(self, live: Live, text: str) -> None:
        """Come back as they were written."""
        body = {"metadata": {"labels": {"team": "a"}}, "spec": {"displayName": "One", "description": text}}
        done(live, create("one", body=body))
        (record,) = live.read()
        assert record.body == body

    def test_odd_values(self, live: Live) -> None:
        """Numbers, truth values, null, what is empty and what is nested keep what they are."""
        sample: dict[str, Any] = {
            "n": 1,
            "big": 2**53,
            "neg": -7,
            "half": 0.5,
            "yes": True,
            "none": None,
            "": "",
            "deep": [[[]], {}],
        }
        body = connector("One")
        body["spec"]["endpoints"]["list"]["sample"] = sample
        _, one = done(live, create("crm"), create("one", kind="Connector", body=body))
        (record,) = live.read([one.id])
        found = record.body["spec"]["endpoints"]["list"]["sample"]
        assert found == sample
        assert [type(found[key]) for key in sample] == [type(value) for value in sample.values()]

    def test_many(self, live: Live) -> None:
        """A few hundred at once."""
        made = done(live, *(create(f"c-{number}") for number in range(300)))
        assert len({outcome.id for outcome in made}) == 300
        assert {record.id for record in live.read()} == {outcome.id for outcome in made}
        wanted = [outcome.id for outcome in made[::2]]
        assert {record.id for record in live.read(wanted)} == set(wanted)


class SeesOthersContract(_Opened):
    """What a live store does that knows who wrote to a record last."""

    def test_who_wrote(self, live: Live) -> None:
        """Of a record that was written it says when, or that it does not know; of one that never was it says nothing."""
        assert isinstance(live, SeesOthers)
        (one,) = done(live, create("one"))
        touches = live.touches([one.id, "nobody"])
        assert touches.keys() <= {one.id}
        assert all(
            touch.at == "" or datetime.fromisoformat(touch.at).utcoffset() == timedelta() for touch in touches.values()
        )


def create(name: str, kind: str = "Category", text: str = "", body: Mapping[str, Any] | None = None) -> Write:
    """A new record."""
    made = body or (category(text or name) if kind == "Category" else connector(text or name))
    return Write(Key(kind, name), "", "", made, {ADDRESS: Secret(CANARY)} if kind == "Connector" else _NO_SECRETS)


def update(before: Outcome, name: str, body: Mapping[str, Any], kind: str = "Category") -> Write:
    """A change of the record that an outcome speaks of."""
    secrets = {ADDRESS: Secret(CANARY)} if kind == "Connector" else _NO_SECRETS
    return Write(Key(kind, name), before.id, before.version, body, secrets)


def done(live: Live, *writes: Write) -> list[Outcome]:
    """The outcomes of writes that can all be done."""
    outcomes = list(live.write(writes))
    assert len(outcomes) == len(writes)
    for write, outcome in zip(writes, outcomes, strict=True):
        assert outcome.result is Result.DONE, f"{write.key}: {outcome}"
        assert outcome.id, f"{write.key}: an outcome has to name the record"
        assert write.body is None or outcome.version, f"{write.key}: an outcome has to say the version"
    return outcomes


def is_refused(outcome: Outcome) -> None:
    """That a write was not done, because something stands in the way."""
    assert outcome.result is Result.CONFLICT
    assert outcome.reason
    assert (outcome.id, outcome.version) == ("", "")
