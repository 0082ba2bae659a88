"""The document that says what is promised names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TEST = re.compile(r"`((?:tests/[a-z_/]+\.py)?)::(\w+)`")


def test_every_promise_names_its_tests() -> None:
    """By file and name; a name alone is of the file before it."""
    text = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) >= 10
    for row in rows:
        found = _TEST.findall(row)
        assert found, row
        file = ""
        for named, test in found:
            file = named or file
            assert re.search(
                rf"^(def {test}\(|class {test}\b|{test} = )", (ROOT / file).read_text("utf-8"), re.MULTILINE
            ), f"{file}::{test}"
