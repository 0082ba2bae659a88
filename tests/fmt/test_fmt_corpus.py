"""Files that people wrote: set YAML_CORPUS to a folder and run ``pytest -m long tests/fmt``."""

import os
from collections import Counter
from pathlib import Path

import pytest

from reconciler.source.roundtrip.format import format_document_text
from reconciler.source.roundtrip.layout import own_ending, with_line_feeds
from reconciler.source.roundtrip.format import STEPS, taken_steps
from reconciler.source.roundtrip.layout import read
from reconciler.source.text import SourceText


@pytest.mark.long
def test_corpus(capsys: pytest.CaptureFixture[str]) -> None:
    """Every file is formatted or refused, no step has to be undone, and a second run changes nothing."""
    folder = os.environ.get("YAML_CORPUS")
    assert folder, "name a folder of YAML files in YAML_CORPUS"
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for path in sorted(Path(folder).rglob("*.y*ml")):
        if path.is_file():
            counts["files"] += 1
            faults += [f"{path}: {fault}" for fault in look_at(path, counts)]
    with capsys.disabled():
        print("", *(f"{number:7} {name}" for name, number in counts.most_common()), *faults, sep="\n")
    assert faults == []


def look_at(path: Path, counts: Counter[str]) -> list[str]:
    """Format one file and count what was changed; returns what must not happen."""
    data = path.read_bytes()
    formatted = format_document_text(data, path.name)
    if formatted.text is None:
        counts[f"refused: {formatted.diagnostics[0].code}"] += 1
        return []
    text = SourceText(path.name, data).text
    layout = read(with_line_feeds(text))
    counts["changed" if formatted.changed else "unchanged"] += 1
    counts["changed: line ends"] += layout.text.replace("\n", own_ending(text)) != text
    for step, after in taken_steps(layout):
        counts[f"changed: {step.name}"] += after is not layout
        layout = after
    faults = [f"step {step.name} was undone" for step in STEPS if step.edit(layout) != layout.text]
    if format_document_text(formatted.text, path.name).changed:
        faults.append("a second run changes it")
    if not formatted.changed and layout.text != with_line_feeds(text):
        faults.append("the second reader sees a difference")
    return faults
