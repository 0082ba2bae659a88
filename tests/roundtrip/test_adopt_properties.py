"""What holds for every adoption."""

import difflib
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from live_state import InProcess, sql
from styled import Author

sys.path.insert(0, str(Path(__file__).parents[1] / "laws"))
from test_convergence import FEW, Document, desired_states

from reconciler.core.model import Key
from reconciler.wiring.adoption import PreparedAdoption, drift_of, prepare, write
from reconciler.wiring.run import open_source


def lay_out(root: Path, documents: list[Document], author: Author) -> None:
    """The documents in one file for each folder, in a manner of the author's."""
    for folder, kinds in (("connectors", ("Category", "Connector")), ("policies", ("Group", "PermissionPolicy"))):
        (root / folder).mkdir()
        mine = [found for found in documents if found["kind"] in kinds]
        if mine:
            (root / folder / "all.yaml").write_bytes(author.text(mine).encode())


def adopt(bench: InProcess, *names: Key, theirs: bool = False) -> PreparedAdoption:
    """What `adopt` does, in this process."""
    store = bench.store()
    desired = open_source(bench.root, "").load()
    drifted = drift_of(bench.settings, desired, store, frozenset(names), theirs=theirs)
    store.close()
    prepared = prepare(bench.root, "", desired, drifted)
    if not prepared.faults:
        write(bench.root, prepared)
    return prepared


def change_live(bench: InProcess, before: list[Document], after: list[Document], choice: random.Random) -> list[Key]:
    """Give live records other bodies, as somebody would who writes to the store; returns which."""
    others = {(found["kind"], found["metadata"]["name"]): found for found in after}
    categories = [found["metadata"]["name"] for found in before if found["kind"] == "Category"]
    groups = [found["metadata"]["name"] for found in before if found["kind"] == "Group"]
    changed = []
    for found in before:
        key = Key(found["kind"], found["metadata"]["name"])
        other = others.get(key)
        if other is None or choice.randrange(4) == 0:
            continue
        spec = json.loads(json.dumps(other["spec"]))
        if "displayName" in spec:
            spec["displayName"] = found["spec"]["displayName"] + choice.choice(["", " by hand", ": by hand", "'s"])
        if "categories" in spec:
            spec["categories"] = choice.sample(categories, choice.randint(1, len(categories)))
        if "lifecycle" in spec or "lifecycle" in found["spec"]:
            spec["lifecycle"] = found["spec"].get("lifecycle", {})
        if key.kind == "Group":
            spec["members"]["groups"] = [name for name in groups if name > key.name and choice.randrange(2)]
        if key.kind == "PermissionPolicy":
            spec["subjects"] = [{"group": choice.choice(groups)}]
            spec["grants"] = choice.choice(
                [
                    [],
                    [{"permissions": ["connectors:view", "groups:view"]}],
                    [{"permissions": ["policies:view"]}, *found["spec"]["grants"]],
                ]
            )
        body: Document = {"spec": spec}
        if choice.randrange(3) == 0:
            body["metadata"] = {"labels": {"team": choice.choice(["sales", "yes", "a: b"])}}
        sql(
            bench.path,
            "UPDATE documents SET live = ? WHERE uid = (SELECT uid FROM records WHERE kind = ? AND name = ?)",
            json.dumps(body),
            *key,
        )
        changed.append(key)
    return changed


def entries(value: Any, path: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Paths of all entries of a decoded document, items by name or value."""
    found = {path}
    if isinstance(value, dict):
        for key, item in value.items():
            found |= entries(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            step = str(item["name"]) if isinstance(item, dict) and "name" in item else str(item)
            found |= {(*path, "*")} if isinstance(item, dict) and "name" not in item else entries(item, (*path, step))
    return found


def comments(text: str) -> Counter[str]:
    """The comments of the author."""
    return Counter(part for line in text.splitlines() for part in [line[line.find("# c") :].rstrip()] if "# c" in line)


@FEW
@given(before=desired_states(), after=desired_states(), seed=st.integers(0, 10_000), plain=st.booleans())
def test_adopted_drift_plans_empty_and_nothing_else_is_touched(
    before: list[Document], after: list[Document], seed: int, plain: bool
) -> None:
    """Whatever the manner of the file: the plan is empty, comments stay, other documents stay byte for byte."""
    choice = random.Random(seed)
    author = Author(seed, anchors=not plain, flow=not plain)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        lay_out(root, before, author)
        bench = InProcess(root, {"S1": "s1", "S2": "s2"})
        bench.apply()
        changed = change_live(bench, before, after, choice)
        texts = {path: path.read_bytes().decode() for path in root.glob("*/*.yaml")}
        prepared = adopt(bench)
        assert not prepared.faults, prepared.faults
        drifted = prepared.drifted
        assert not drifted.conflicts and not drifted.pending
        refused = {refusal.key for refusal in drifted.refusals}
        assert {found.key for found in drifted.adoptions} | refused <= set(changed)
        for refusal in drifted.refusals:
            if refusal.span is None:  # a text where git has a reference, or a body that is no JSON
                assert {finding.code for finding in refusal.findings} <= {"RC210", "RC508"}, refusal
            else:
                assert (not plain and "anchored as" in refusal.message) or "come or go" in refusal.message, refusal
        desired = open_source(root, "").load()
        for change in bench.plan().changes:
            assert change.key in refused or not change.fields, change
        now_there = {
            path
            for key, found in desired.resources.items()
            for path in entries(found.content.value, (f"{key.kind}/{key.name}",))
        }
        for path, text in texts.items():
            result = path.read_bytes().decode()
            assert ("\r\n" in text) == ("\r\n" in result)
            assert Counter(result.splitlines()) - Counter(text.splitlines()) == Counter() or drifted.adoptions
            for comment in comments(text) - comments(result):
                owner = author.owners[comment]
                assert owner not in now_there, f"{comment} is lost, but {owner} is still there"
            only_changed(text, result, {found.key for found in drifted.adoptions})
        bench.apply()
        assert bench.plan().is_empty and not bench.plan().confirmed


def only_changed(before: str, after: str, keys: set[Key]) -> None:
    """Documents of other records are what they were."""

    def parts(text: str) -> dict[str, str]:
        return {
            part.split("metadata:")[0] + part.split("name:")[1].splitlines()[0]: part
            for part in text.replace("\r\n", "\n").split("---\n")
            if "name:" in part
        }

    names = {key.name for key in keys}
    old, new = parts(before), parts(after)
    for head, part in old.items():
        if not any(name in head for name in names):
            assert new[head] == part, "".join(difflib.unified_diff(part.splitlines(True), new[head].splitlines(True)))
