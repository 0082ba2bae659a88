"""A saved plan is data of others, even with the right digest: what it holds is judged, and never a bug of ours."""

import json
import os
from pathlib import Path

import pytest
from conftest import CATEGORY, Workspace

from reconciler.errors import GuardStopped, UsageError
from reconciler.wiring.saved_plans import _digest_of, read_plan

OTHER = CATEGORY.replace("name: crm", "name: other").replace("Customer data", "Other")


@pytest.fixture
def saved(workspace: Workspace) -> Workspace:
    """A plan that creates, updates and deletes, saved to plan.json."""
    workspace.write("connectors/other.yaml", OTHER)
    workspace.ok("apply", "--yes", "-q")
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "Reviewed words.")
    (workspace.root / "connectors/other.yaml").rename(workspace.root / "gone")
    workspace.write("connectors/new.yaml", OTHER.replace("name: other", "name: new").replace("Other", "New"))
    workspace.ok("plan", "-q", "--out", "plan.json", env={"CRM_PASSWORD": "another-password-of-the-tests"})
    return workspace


def seal(workspace: Workspace, content: dict) -> Path:
    content["digest"] = _digest_of(content)
    return workspace.write("edited.json", json.dumps(content))


def places(value: object, path: tuple = ()) -> list[tuple]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return ([path] if path else []) + [place for step, item in items for place in places(item, (*path, step))]


VALUES = (2**32, 2**63, -1, 1.5, 3.0, 1e300, True, None, "", "x\n", "2026-13-45T99:99:99Z", [], {}, [[]], {"a": 2**62})


def test_any_value_in_any_place(saved: Workspace) -> None:
    """Either it is not the plan that was saved, or it is refused for what it asks, or it is carried out."""
    text = (saved.root / "plan.json").read_bytes()
    whole = json.loads(text)
    tried, read = 0, []
    for place in places(whole):
        if place[0] in ("digest", "plan") and place[:2] not in (
            ("plan", "summary"),
            ("plan", "source"),
            ("plan", "owner"),
        ):
            continue
        for value in VALUES:
            content = json.loads(text)
            above = content
            for step in place[:-1]:
                above = above[step]
            above[place[-1]] = value
            tried += 1
            try:
                read_plan(seal(saved, content))
            except (GuardStopped, UsageError):
                continue
            if place[0] == "steps" and not {"declared", "leaves", "notes"} & set(place):
                read.append(content)
    assert tried > 500
    for content in read[:: max(len(read) // 25, 1)]:
        seal(saved, content)
        result = saved.run("apply", "edited.json", "--yes", env={"CRM_PASSWORD": "another-password-of-the-tests"})
        assert result.exit_code in (0, 4, 5, 6, 64), result.output


CONTENTS = {
    "a number of 100,000 digits": b'{"type": "saved-plan", "version": ' + b"1" * 100_000 + b"}",
    "1e999": b'{"type": "saved-plan", "version": 1e999}',
    "not UTF-8": b'{"type": "saved-plan", "\xff": 1}',
    "half a character": b'{"type": "saved-plan", "a": "\\ud800"}',
    "100,000 brackets": b"[" * 100_000,
    "300 levels": b'{"type": "saved-plan", "version": 1, "a": ' + b"[" * 300 + b"]" * 300 + b"}",
    "twice the same key": b'{"type": "saved-plan", "type": "saved-plan", "version": 1}',
    "NaN": b'{"type": "saved-plan", "version": NaN}',
}


@pytest.mark.parametrize("name", CONTENTS)
def test_contents(saved: Workspace, name: str) -> None:
    """What is no JSON, or hardly."""
    saved.write("edited.json", CONTENTS[name])
    result = saved.run("apply", "edited.json", "--yes")
    assert result.exit_code in (5, 64) and "saved plan" in result.stderr or "plan that was saved" in result.stderr, (
        result.output
    )


EDITS = {
    "the same step twice": lambda content: content["steps"].append(dict(content["steps"][0])),
    "a document beyond 32 bits": lambda content: content["steps"][0].update(document=2**32),
    "no document": lambda content: next(step for step in content["steps"] if step["declared"]).update(document=None),
    "an update of nothing": lambda content: next(s for s in content["steps"] if s["action"] == "update").update(
        record=None
    ),
    "a delete that declares": lambda content: next(s for s in content["steps"] if s["action"] == "update").update(
        action="delete"
    ),
    "a create that is one of an update": lambda content: next(
        s for s in content["steps"] if s["action"] == "update"
    ).update(action="create"),
    "a restore of nothing": lambda content: next(s for s in content["steps"] if s["action"] == "create").update(
        action="restore"
    ),
    "a date that does not exist": lambda content: content.update(expires="2099-13-45T99:99:99Z"),
    "an unknown kind of record": lambda content: next(s for s in content["steps"] if s["record"])["record"].update(
        kind="Spy"
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_edits(saved: Workspace, name: str) -> None:
    """With the right digest."""
    content = json.loads((saved.root / "plan.json").read_bytes())
    EDITS[name](content)
    seal(saved, content)
    result = saved.run("apply", "edited.json", "--yes")
    assert result.exit_code == 5 and "is not the plan that was saved" in result.stderr, result.output


TOLD = {
    "steps.0.action: has to be 'create'": lambda content: content["steps"][0].update(action="make"),
    "steps.1.name: is missing": lambda content: content["steps"][1].pop("name"),
    "steps.0.vendor\\x1b: is not known": lambda content: content["steps"][0].update({"vendor\x1b": CANARY}),
    "adopt: has to be true or false": lambda content: content.update(adopt=CANARY),
    "differing: has to be 0 at least": lambda content: content.update(differing=-1),
    "plan.owner: has to be a text": lambda content: content["plan"].update(owner=[CANARY]),
    "expires: there is no such moment": lambda content: content.update(expires="2099-13-45T99:99:99Z"),
    "steps: two are about the same resource or record": lambda content: content["steps"].append(content["steps"][0]),
    "steps.0.declared: is no valid Category": lambda content: content["steps"][0]["declared"]["spec"].update(x=CANARY),
    "and 5 more": lambda content: content.update({f"vendor{number}": CANARY for number in range(15)}),
}
CANARY = "Qcanary7k2m9x4w8"


@pytest.mark.parametrize("words", TOLD)
def test_what_is_wrong_is_told_with_its_place(saved: Workspace, words: str) -> None:
    """In words, without the value, and harmless for a terminal."""
    content = json.loads((saved.root / "plan.json").read_bytes())
    TOLD[words](content)
    seal(saved, content)
    result = saved.run("apply", "edited.json", "--yes")
    assert result.exit_code == 5, result.output
    assert any(line.strip().startswith(words) for line in result.stderr.splitlines()), result.stderr
    assert CANARY not in result.output and "\x1b" not in result.stderr


def test_what_is_no_file(saved: Workspace) -> None:
    """A device, a pipe and a folder."""
    os.mkfifo(saved.root / "pipe.json")
    (saved.root / "link.json").symlink_to("/dev/zero")
    for path in ("/dev/zero", "pipe.json", "link.json", "connectors", "nowhere.json"):
        result = saved.run("apply", path, "--yes")
        assert result.exit_code == 64, (path, result.output)


@pytest.mark.parametrize("out", ["", ".", "..", "connectors"])
def test_a_plan_that_is_to_be_saved_to_no_file(workspace: Workspace, out: str) -> None:
    """Wrong usage, told with the name."""
    result = workspace.run("plan", "--out", out)
    assert result.exit_code == 64, result.output
    assert "cannot be saved to" in result.stderr or "is a directory" in result.stderr
