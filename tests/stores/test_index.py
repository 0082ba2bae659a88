"""The store answers a plan of what moved by its indexes, and never by looking through all records."""

import re
from pathlib import Path

import pytest
from conftest import Workspace
from live_state import InProcess

from reconciler.core.model import Key

KEYS = [Key("Category", "crm"), Key("Connector", "crm-contacts")]
QUESTIONS = {
    "moved": lambda index: index.moved(1),
    "records": lambda index: index.records(KEYS),
    "files": lambda index: index.files(KEYS),
    "declared_in": lambda index: index.declared_in(["connectors/crm.yaml"]),
    "claimants": lambda index: index.claimants(KEYS),
    "odd": lambda index: index.odd(),
    "due": lambda index: index.due("2027-01-01T00:00:00.000Z"),
    "referrers": lambda index: index.referrers(KEYS),
    "referrers of a kind": lambda index: index.referrers(KEYS, ("AccessTest",)),
    "namesakes": lambda index: index.namesakes([("Connector", "sales team's contacts")]),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_a_whole_table(workspace: Workspace, question: str) -> None:
    """As SQLite says of every statement."""
    workspace.commit()
    world = InProcess(workspace.root, workspace.env)
    world.apply()
    store = world.store()
    asked: list[tuple[str, tuple[object, ...]]] = []
    index = store.index("local")
    rows = index._rows
    index._rows = lambda query, *values: asked.append((query, values)) or rows(query, *values)
    QUESTIONS[question](index)
    index._rows = rows
    steps = [row[3] for query, values in asked for row in rows(f"EXPLAIN QUERY PLAN {query}", *values)]
    store.close()
    assert steps and not [step for step in steps if re.match(r"SCAN (?!wanted|(\d+ )?CONSTANT)", step)], steps
