"""Pages that the server calls unchanged are not sent again: what they held is what the state knows."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pm_stores import ENDPOINTS, asked, by_id, filled, opened, remembered, visited
from servers.processmaker import Instance

from reconciler.core.ports.abilities import Recollection
from reconciler.core.ports.live import LiveRecord


@pytest.fixture
def server() -> Iterator[Instance]:
    """An instance of 25 connectors."""
    with visited() as started:
        filled(started, connectors=25)
        yield started


def read(server: Instance, recollection: Recollection, cache: Path, **more: object) -> tuple[dict[str, LiveRecord], list[str]]:  # fmt: skip
    """What another process reads that was told so, and which pages of connectors it asked for; * marks an unchanged one."""
    store, since = opened(server, cache=cache, page_size=10, in_flight=1, **more), len(server.requests)
    store.recall(recollection)
    found = by_id(store.read())
    store.close()
    return found, [page for page in asked(server, since) if page.startswith("/data_sources")]


WHOLE = [f"/data_sources#{number}" for number in (1, 2, 3)]
UNCHANGED = [f"{page}*" for page in WHOLE]


def test_pages_that_are_unchanged_are_not_sent_again(server: Instance, tmp_path: Path) -> None:
    """What is read is the same."""
    first, pages = read(server, Recollection(), tmp_path)
    assert pages == WHOLE
    assert read(server, remembered(first.values()), tmp_path) == (first, UNCHANGED)


def test_what_changed_is_sent(server: Instance, tmp_path: Path) -> None:
    """One page of three."""
    first, _ = read(server, Recollection(), tmp_path)
    row = server.store.connectors.rows[12]
    server.call("PUT", "/data_sources/12", {"name": row["name"], "authtype": "BASIC", "data_source_category_id": "1", "description": "new"})  # fmt: skip
    second, pages = read(server, remembered(first.values()), tmp_path)
    assert pages == [WHOLE[0] + "*", WHOLE[1], WHOLE[2] + "*"]
    assert [uid for uid in first if first[uid] != second[uid]] == ["connector:12"]
    assert second["connector:12"].body["spec"]["description"] == "new"
    assert read(server, remembered(second.values()), tmp_path) == (second, UNCHANGED)


def test_what_the_state_does_not_know_is_sent(server: Instance, tmp_path: Path) -> None:
    """Each page with such a record; also where it knows of another version."""
    first, _ = read(server, Recollection(), tmp_path)
    known = [one for uid, one in first.items() if uid != "connector:5"]
    assert read(server, remembered(known), tmp_path) == (first, [WHOLE[0], *UNCHANGED[1:]])
    older = first["connector:25"].__class__(*[getattr(first["connector:25"], name) for name in ("id", "key", "body", "version")], note="")  # fmt: skip
    known = [first[uid] if uid != "connector:25" else older for uid in first]
    assert read(server, remembered(known), tmp_path) == (first, [*UNCHANGED[:2], WHOLE[2]])


def test_what_the_state_takes_for_another_version_is_looked_at(server: Instance, tmp_path: Path) -> None:
    """As after a write that came out otherwise: its body is what was asked for, and the row what it was before."""
    first, _ = read(server, Recollection(), tmp_path)
    asked_for = {"spec": {**first["connector:3"].body["spec"], "description": "as it was to be"}}
    recollection = remembered(first.values())
    other = replace(recollection.records["connector:3"], body=asked_for, version="1")
    told = replace(recollection, records={**recollection.records, "connector:3": other})
    for cache in (tmp_path, tmp_path / "none"):
        second, _ = read(server, told, cache)
        assert second["connector:3"] == first["connector:3"]


def test_what_is_forgotten_between_two_readings_is_sent(server: Instance, tmp_path: Path) -> None:
    """What the first of them was told is worth nothing to the second."""
    first, _ = read(server, Recollection(), tmp_path)
    store = opened(server, cache=tmp_path, page_size=10)
    for recollection in (remembered(first.values()), Recollection()):
        store.recall(recollection)
        assert by_id(store.read()) == first


def test_secrets_that_are_hidden_are_told_each_time(server: Instance, tmp_path: Path) -> None:
    """Also of unchanged pages."""
    for row in server.store.connectors.rows.values():
        row["credentials"] = None
    first, _ = read(server, Recollection(), tmp_path)
    store = opened(server, cache=tmp_path, page_size=10)
    store.recall(remembered(first.values()))
    store.read()
    assert "does not show that credentials were written" in " ".join(store.notes())


def test_a_run_that_writes_reads_all(server: Instance, tmp_path: Path) -> None:
    """What it goes by is all that there is; what it has read itself it need not be sent twice."""
    first, _ = read(server, Recollection(), tmp_path)
    store = opened(server, cache=tmp_path, page_size=10, in_flight=1, is_whole=True)
    store.recall(remembered(first.values()))
    since = len(server.requests)
    assert by_id(store.read()) == by_id(store.read()) == first
    assert [page for page in asked(server, since) if page.startswith("/data_sources")] == [*WHOLE, *UNCHANGED]


def test_resealed_secrets_are_seen_each_time(server: Instance, tmp_path: Path) -> None:
    """Until somebody writes them: the note stays what it was."""
    first, _ = read(server, Recollection(), tmp_path)
    row = server.store.connectors.rows[3]
    server.call("PUT", "/data_sources/3", {"name": row["name"], "authtype": "BASIC", "data_source_category_id": "2", "credentials": {"username": "svc", "password": "other"}})  # fmt: skip
    found = first
    for _ in range(3):
        found, pages = read(server, remembered(found.values(), owned=["connector:3"]), tmp_path)
        assert pages == [WHOLE[0], *UNCHANGED[1:]]
        assert [uid for uid, record in found.items() if record.is_resealed] == ["connector:3"]
    nobodys, _ = read(server, remembered(first.values()), tmp_path)
    assert not any(record.is_resealed for record in nobodys.values())


def test_categories_that_have_other_names_here(server: Instance, tmp_path: Path) -> None:
    """A connector on an unchanged page is filed under what its category is called now."""
    first, _ = read(server, Recollection(), tmp_path)
    names = {("Category", "category 2"): "second"}
    second, pages = read(server, remembered(first.values(), names=names), tmp_path)
    assert pages == UNCHANGED
    assert second["category:2"].key.name == "second"
    assert second["connector:1"].body["spec"]["categories"] == ["second"]
    assert second == read(server, remembered(first.values(), names=names), tmp_path / "none")[0]


def test_what_is_left_alone_stays_so_until_somebody_claims_it(server: Instance, tmp_path: Path) -> None:
    """Its page is unchanged, and then it is sent after all."""
    server.store.add_connector("Odd", [1], authtype="OAUTH1")
    url = {"list": {**ENDPOINTS["list"], "url": "/api/1.0/collections/3/records"}}
    server.store.add_connector("Persons", [1], endpoints=url, authtype="OAUTH2_BEARER")
    first, _ = read(server, Recollection(), tmp_path)
    assert read(server, remembered(first.values()), tmp_path) == (first, UNCHANGED)
    names = {("Connector", "persons"): "people"}
    second, pages = read(server, remembered(first.values(), names=names), tmp_path)
    assert pages == [*UNCHANGED[:2], WHOLE[2]]
    assert second.keys() - first.keys() == {"connector:27"}
    server.store.add_category("Generated")
    server.call("PUT", "/data_sources/27", {"name": "Persons", "authtype": "OAUTH2_BEARER", "data_source_category_id": "3", "endpoints": {}})  # fmt: skip
    for number in (1, 2):
        third, _ = read(server, remembered(second.values()), tmp_path)
        assert "connector:27" not in third, number
    server.call("PUT", "/data_source_categories/3", {"name": "By hand", "status": "ACTIVE"})
    fourth, _ = read(server, remembered(third.values()), tmp_path)
    assert "connector:27" in fourth


@pytest.mark.parametrize("damage", [b"", b"\x00", b"[]", b"\xc1" * 100])
def test_a_damaged_file_is_not_believed(server: Instance, tmp_path: Path, damage: bytes) -> None:
    """All is read, and kept anew."""
    first, _ = read(server, Recollection(), tmp_path)
    (kept,) = (tmp_path / "processmaker").iterdir()
    kept.write_bytes(damage)
    assert read(server, remembered(first.values()), tmp_path) == (first, WHOLE)
    assert read(server, remembered(first.values()), tmp_path) == (first, UNCHANGED)


def test_a_file_that_others_may_write_to_is_not_used(server: Instance, tmp_path: Path) -> None:
    """Nor one of another instance or page size; and it is written for its owner alone."""
    first, _ = read(server, Recollection(), tmp_path)
    (kept,) = (tmp_path / "processmaker").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    content = kept.read_bytes()
    kept.chmod(0o666)
    assert read(server, remembered(first.values()), tmp_path) == (first, WHOLE)
    kept.chmod(0o600)
    kept.write_bytes(content.replace(b"127.0.0.1", b"127.0.0.2"))
    assert read(server, remembered(first.values()), tmp_path) == (first, WHOLE)
    os.chmod(tmp_path / "processmaker", 0o777)
    assert read(server, remembered(first.values()), tmp_path) == (first, WHOLE)


def test_nothing_that_was_written_is_kept(server: Instance, tmp_path: Path) -> None:
    """No name, no URL, no ciphertext."""
    read(server, Recollection(), tmp_path)
    (kept,) = (tmp_path / "processmaker").iterdir()
    content = kept.read_bytes()
    row = server.store.connectors.rows[1]
    for text in ("Connector", "crm.example.com", row["credentials"], "canary"):
        assert text.encode() not in content


def test_without_etags_all_is_sent(tmp_path: Path) -> None:
    """As by instances of 2020."""
    with visited("2020") as server:
        filled(server, connectors=25)
        first, pages = read(server, Recollection(), tmp_path)
        assert read(server, remembered(first.values()), tmp_path) == (first, pages) == (first, WHOLE)


EDITS = st.lists(
    st.tuples(st.sampled_from(("describe", "file", "seal", "add", "drop", "rename", "forget")), st.integers(1, 12)),
    max_size=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(rounds=st.lists(EDITS, min_size=1, max_size=3))
def test_whatever_others_do_it_is_read_as_without_a_cache(rounds: list[list[tuple[str, int]]], tmp_path_factory: pytest.TempPathFactory) -> None:  # fmt: skip
    """Between any edits, with whatever part of it the state knows."""
    cache, none = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("none")
    with visited() as server:
        filled(server, connectors=12)
        known: dict[str, LiveRecord] = {}
        for edits in rounds:
            for edit, number in edits:
                carry_out(server, known, edit, number)
            recollection = remembered(known.values(), owned=[uid for uid in known if uid.endswith(("1", "2"))])
            found = [by_id(_read_with(server, recollection, where)) for where in (cache, none)]
            assert found[0] == found[1]
            known = found[0]


def _read_with(server: Instance, recollection: Recollection, cache: Path) -> list[LiveRecord]:
    store = opened(server, cache=cache, page_size=4)
    store.recall(recollection)
    return list(store.read())


def carry_out(server: Instance, known: dict[str, LiveRecord], edit: str, number: int) -> None:
    """What a person does to the number-th connector, or a state forgets of it."""
    if edit == "forget":
        known.pop(f"connector:{number}", None)
        return
    if edit == "add":
        server.store.add_connector(
            f"Added {len(server.store.connectors.rows)} {number} {len(known)}", [1], authtype="NONE"
        )
        return
    row = server.store.connectors.rows.get(number)
    if row is None:
        return
    path, whole = f"/data_sources/{number}", {"name": row["name"], "authtype": row["authtype"]}
    match edit:
        case "describe":
            server.call(
                "PUT", path, {**whole, "data_source_category_id": "1", "description": f"{len(server.requests)}"}
            )
        case "file":
            server.call("PUT", path, {**whole, "data_source_category_id": "1,2"})
        case "seal":
            server.call("PUT", path, {**whole, "data_source_category_id": "2", "credentials": {"username": "a", "password": "b"}})  # fmt: skip
        case "rename":
            server.call(
                "PUT", path, {**whole, "name": f"Renamed {len(server.requests)}", "data_source_category_id": "2"}
            )
        case "drop":
            server.call("DELETE", path)
