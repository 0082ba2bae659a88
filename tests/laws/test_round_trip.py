"""What holds for every export."""

import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml
import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_state import InProcess, sql
from test_convergence import EDITS, FEW, Document, desired_states, lay_out, snapshot

from reconciler.kinds.registry import address
from reconciler.services.records import Choice
from reconciler.source.roundtrip.format import format_document_text
from reconciler.wiring.exchange import export_records, write_export
from reconciler.wiring.run import open_source


def exported(bench: InProcess) -> Any:
    """All records as definitions, in place of the repository's own."""
    store = bench.store()
    done = export_records(store, Choice())
    store.close()
    for folder in ("connectors", "policies"):
        shutil.rmtree(bench.root / folder)
        (bench.root / folder).mkdir()
    write_export(bench.root, done.definitions, force=False)
    return done


@FEW
@given(documents=desired_states(), seed=st.integers(0, 1000))
def test_an_export_is_valid_canonical_and_plans_empty(documents: list[Document], seed: int) -> None:
    """Whatever was applied: exported into an empty repository it validates clean, and an apply does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), documents, random.Random(seed))
        bench = InProcess(Path(folder), {"S1": "s1", "S2": "s2"})
        bench.apply()
        before = snapshot(bench)
        done = exported(bench)
        assert not done.refused
        assert [item.document["metadata"]["name"] for item in done.definitions] == [
            item.key.name for item in done.definitions
        ]
        desired = open_source(bench.root, "").load()
        assert [found for found in desired.diagnostics if found.code not in ("RC603", "RC505", "RC509", "RC510")] == []
        for path in desired.files:
            text = (bench.root / path).read_bytes()
            assert format_document_text(text, path).text == text
        assert bench.plan().is_empty
        assert not bench.apply().plan.changes
        assert snapshot(bench) == before


@FEW
@given(documents=desired_states(), edits=EDITS)
def test_an_export_of_drift_declares_what_is_live(documents: list[Document], edits: Any) -> None:
    """What others have written plans no change of any field once it is exported, or it is named."""
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), documents, random.Random(0))
        bench = InProcess(Path(folder), {"S1": "s1", "S2": "s2"})
        bench.apply()
        uids = [uid for (uid,) in sql(bench.path, "SELECT uid FROM records ORDER BY kind, name")]
        for position, edit in edits:
            sql(bench.path, f"UPDATE documents SET live = {edit} WHERE uid = ?", uids[position % len(uids)])
        done = exported(bench)
        assert len(done.definitions) + len(done.refused) == len(uids)
        gone = {item.key for item in done.refused}
        named = {key for key, _ in done.notes} | gone
        written = [yaml.safe_load(item.text) for item in done.definitions]
        assert written == [item.document for item in done.definitions]
        if gone:
            return
        for change in bench.plan().changes:
            assert not change.fields and change.key in named, address(*change.key)
