"""The documents that say what is promised name tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_TEST = re.compile(r"`((?:tests/[a-z_/]+\.py)?)::(\w+)`")


@pytest.mark.parametrize("document", ["guarantees.md", "security.md"])
def test_every_promise_names_its_tests(document: str) -> None:
    """By file and name; a name alone is of the file before it."""
    text = (ROOT / "docs" / document).read_text("utf-8")
    tables = re.findall(r"^\| promise \| held by \|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
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
