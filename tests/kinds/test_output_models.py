"""The models of plans, saved plans and diagnostics agree with their schemas, on real ones and on edited ones."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from conftest import CATEGORY, Workspace
from pydantic import BaseModel, ValidationError
from test_models import compare

from reconciler.kinds import registry
from reconciler.models.validation import ValidationResult
from reconciler.models.plan import Plan
from reconciler.models.saved_plan import SavedPlanFile

MODELS: dict[str, type[BaseModel]] = {
    "plan.schema.json": Plan,
    "saved-plan.schema.json": SavedPlanFile,
    "diagnostics.schema.json": ValidationResult,
}
VALIDATORS = {name: jsonschema_rs.validator_for(registry.load(name)) for name in MODELS}
ODD = (
    None, True, -1, 0, 3, 2**54, 0.0, 1.5, -1.0, 2.0**60, "", "x", "create", "restore", "delete", "git", "token", "error", "RC101",
    "0" * 64, "connector/x", "2027-01-31T00:00:00Z", [], {}, [""], [0], [2**30], {"a": "b"}, {"a": 1},
)  # fmt: skip


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What the program says of a repository with faults, and of plans with every sort of change."""
    from conftest import CONNECTOR, POLICY

    work = Workspace(tmp_path_factory.mktemp("outputs"))
    work.write("connectors/crm.yaml", CATEGORY + "---\n" + CONNECTOR)
    work.write("policies/team.yaml", POLICY)
    work.env["CRM_PASSWORD"] = "a password of the tests"
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in MODELS}

    def plan(*arguments: str) -> None:
        done = work.run("plan", "-o", "json", "--out", "plan.json", *arguments)
        found["plan.schema.json"].append(json.loads(done.stdout))
        found["saved-plan.schema.json"].append(json.loads((work.root / "plan.json").read_bytes()))

    plan()
    report = work.ok("apply", "--yes", "-o", "json")
    found["plan.schema.json"].append(json.loads(report.stdout))
    work.edit("connectors/crm.yaml", "Contacts of the CRM.", "Other words.")
    work.edit("policies/team.yaml", "[ada, grace]", "[ada, hedy]")
    work.write("connectors/new.yaml", CATEGORY.replace("crm", "new").replace("Customer data", "New"))
    plan("--secrets", "check")
    (work.root / "policies/team.yaml").unlink()
    plan("--max-deletes", "0")
    work.ok("apply", "--yes", "-q", "--max-deletes", "100%")
    work.ok("rollback", "1", "--out", "plan.json")
    found["saved-plan.schema.json"].append(json.loads((work.root / "plan.json").read_bytes()))
    work.write("connectors/bad.yaml", "apiVersion: reconciler/v1\nkind: Connector\nx: 1\nx: 2\n")
    found["diagnostics.schema.json"].append(json.loads(work.run("validate", "-o", "json").stdout))
    return found


@pytest.mark.parametrize("name", MODELS)
def test_real_ones_load_and_dump_unchanged(name: str, outputs: dict[str, list[dict[str, Any]]]) -> None:
    """Nothing of them is lost; of a saved plan what is not used may be."""
    for content in outputs[name]:
        assert VALIDATORS[name].is_valid(content)
        model = MODELS[name].model_validate_json(json.dumps(content))
        dumped = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
        if name == "saved-plan.schema.json":
            dumped["plan"], content = {}, {**content, "plan": {}}
        assert dumped == content


@pytest.mark.parametrize("name", MODELS)
def test_schema_and_model_agree(name: str, outputs: dict[str, list[dict[str, Any]]]) -> None:
    """On real ones with one place dropped, repeated, or with odd values in it; each place of them in turn."""
    seen: dict[bool, int] = {True: 0, False: 0}
    for content in copy.deepcopy(outputs[name]):
        tried = set()
        for holder, step, where in places(content):
            if where in tried:
                continue
            tried.add(where)
            for what in edits(holder, step):
                accepted = VALIDATORS[name].is_valid(content)
                seen[accepted] += 1
                try:
                    MODELS[name].model_validate(content)
                except ValidationError as refusal:
                    assert not accepted, f"only the model refuses {what} at {where}: {refusal}"
                else:
                    assert accepted, f"only the schema refuses {what} at {where}"
    assert min(seen.values()) > 50


def places(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, Any, tuple[Any, ...]]]:
    """Every value below one: what holds it, under which key or position, and its path, with all items of a list as one."""
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for step, below in items:
        path = (*where, "[]" if isinstance(value, list) else step)
        yield value, step, path
        yield from places(below, path)


def edits(holder: Any, step: Any) -> Iterator[str]:
    """Edit a value in one way after the other; after the last one it is as it was."""
    before = holder.copy()
    for odd in ODD:
        holder[step] = odd
        yield f"{odd!r}"
    holder[step] = before[step]
    if isinstance(holder, list):
        holder.append(before[step])
        yield "its repetition"
        holder.pop()
    else:
        del holder[step]
        yield "its absence"
        holder.clear()
        holder.update(before)


@pytest.mark.parametrize("name", ["plan.schema.json", "diagnostics.schema.json"])
def test_both_name_the_same_fields(name: str) -> None:
    """Recursively."""
    schema = registry.load(name)
    compare(schema, schema, [MODELS[name]], name)


def test_what_a_later_version_adds_is_passed_over(outputs: dict[str, list[dict[str, Any]]]) -> None:
    content = copy.deepcopy(outputs["plan.schema.json"][0])
    content["later"] = content["changes"][0]["later"] = 1
    assert Plan.model_validate(content) == Plan.model_validate(outputs["plan.schema.json"][0])


def test_a_model_of_what_comes_in_knows_every_key(outputs: dict[str, list[dict[str, Any]]]) -> None:
    content = copy.deepcopy(outputs["saved-plan.schema.json"][0])
    content["steps"][0]["later"] = 1
    with pytest.raises(ValidationError):
        SavedPlanFile.model_validate(content)
