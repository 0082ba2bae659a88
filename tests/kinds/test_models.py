"""The schemas and the pydantic models accept and refuse the same documents, and name the same fields."""

import copy
import json
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import jsonschema_rs
import pytest
from draws import draws
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from reconciler.kinds import registry
from reconciler.models import access
from reconciler.models.project import Project
from reconciler.kinds.registry import SCHEMA_FILES
from reconciler.source.yaml.loader import fast_parser, load

MODELS: dict[str, type[BaseModel]] = {**access.MODELS, "Project": Project}
ROOT = Path(__file__).parents[2]
VALIDATORS = {kind: jsonschema_rs.validator_for(registry.load(SCHEMA_FILES[kind])) for kind in MODELS}


def real_documents() -> list[dict[str, Any]]:
    """Our own definitions, and the examples of the schemas."""
    found = [example for kind in MODELS for example in registry.load(SCHEMA_FILES[kind])["examples"]]
    for folder in ("connectors", "policies", "examples"):
        for path in sorted((ROOT / folder).glob("**/*.yaml")):
            found += [document for _, document in load(path.read_bytes(), path.name, fast_parser()).documents]
    return found


FULL_CONNECTOR: dict[str, Any] = {
    "apiVersion": "reconciler/v1",
    "kind": "Connector",
    "metadata": {"name": "full", "previously": ["old", "older"], "labels": {"team": "sales"}},
    "spec": {
        "displayName": "Every field", "description": "d", "categories": ["a", "b"], "status": "inactive",
        "authorization": {
            "method": "oauth2-password", "tokenUrl": "https://example.com/t", "clientId": "id", "clientSecret": {"env": "S"},
            "username": {"file": "u"}, "password": {"env": "P"}, "scopes": ["a", "b"],
        },
        "tls": {"verify": False, "reason": "r"},
        "endpoints": {
            "a purpose": {
                "description": "d", "method": "POST", "url": "/x", "body": "b", "bodyType": "raw", "sample": {"a": [1, None, {"b": 1.5}]},
                "params": [{"name": "p", "value": {"env": "V"}, "required": True, "description": "d"}],
                "headers": [{"name": "H", "value": "v", "required": False, "description": "d"}],
                "timeoutSeconds": 3600, "retry": {"attempts": 50, "waitSeconds": 3600},
            }
        },
        "lifecycle": {"protect": True, "ignore": ["description", "endpoints.a purpose.url"]},
    },
}  # fmt: skip
FULL_PROJECT: dict[str, Any] = {
    "apiVersion": "reconciler/v1", "kind": "Project", "owner": "acme/connectors", "defaultTarget": "live",
    "secrets": {"helpers": {"pass": {"command": ["pass", "{name}"], "protocol": "git-credential", "variables": ["PASS_*"], "timeoutSeconds": 600}}},
    "targets": {
        "live": {
            "store": "sqlite:/srv/live.db", "state": "sqlite:state.db", "envFile": ".env", "keyFile": "key", "maxDeletes": "5", "maxAccessLoss": "5%", "quarantineDays": 0,
            "requireCommit": True, "requireCommitOn": "main", "signedBy": ["keys.pub"], "secrets": "check", "secretsAllowed": ["env:CRM_*"], "tokens": "demand",
        },
        "other": {"store": "sqlite:"},
    },
}  # fmt: skip
DOCUMENTS = [*real_documents(), FULL_CONNECTOR, FULL_PROJECT]
NAMES = sorted(
    {
        key
        for kind in MODELS
        for part in [registry.load(SCHEMA_FILES[kind]), *registry.load(SCHEMA_FILES[kind])["$defs"].values()]
        for key in part.get("properties", {})
    }
)
ODD_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 5000), st.sampled_from([0.0, 1.0, 30.0, 1.5, 3601.0, -1.0]),
    st.sampled_from(["", " ", "a ", " a", "a\n", "a\nb", "A", "a-", "-a", "a" * 64, "a" * 256, "none", "basic", "bearer", "GET", "SOAP", "active",
                     "https://example.com", "http://", "{{x}}", "ftp://x", "NAME", "1NAME", "é", "a.b", "a..b", "2027-01-31T00:00:00Z",
                     "2027-01-31T00:00:00", "connectors:view", "connectors:fly", "authoritative", "reconciler/v1", "reconciler/v2"]),
    st.just([]), st.just({}), st.just({"env": "A"}), st.just({"env": "A", "file": "b"}), st.just({"env": None}), st.just({"env": "1"}), st.just({"vault": "x"}),
    st.just(["a", "a"]), st.just([1, True]), st.just([1, 1.0]), st.just([{"group": "a"}, {"group": "a"}]),
    st.just({"method": "none"}), st.just({"method": "bearer", "token": {"env": "T"}}), st.text(max_size=8),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for step, item in items for place in places(item, (*path, step)))]


def change(document: dict[str, Any], data: st.DataObject) -> None:
    """Change one place of the document: drop, replace, repeat or add something."""
    path = data.draw(st.sampled_from([place for place in places(document) if place]))
    *parents, last = path
    holder: Any = document
    for step in parents:
        holder = holder[step]
    match data.draw(st.sampled_from(["drop", "replace", "add", "repeat", "number"])):
        case "drop":
            del holder[last]
        case "replace":
            holder[last] = copy.deepcopy(data.draw(ODD_VALUES))
        case "add" if isinstance(holder, dict):
            holder[data.draw(st.sampled_from([*NAMES, "vendor", "Description", ""]))] = copy.deepcopy(
                data.draw(ODD_VALUES)
            )
        case "repeat" if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[last]))
        case "number" if isinstance(holder[last], int) and not isinstance(holder[last], bool):
            holder[last] = float(holder[last])


@settings(max_examples=draws(800), deadline=None)
@given(st.data())
def test_schema_and_model_agree(data: st.DataObject) -> None:
    """On real documents with up to three changes, most of them mistakes."""
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    kind = document["kind"]
    for _ in range(data.draw(st.integers(0, 3))):
        if places(document) != [()]:
            change(document, data)
    accepted = VALIDATORS[kind].is_valid(document)
    try:
        model = MODELS[kind].model_validate(document)
    except ValidationError as refusal:
        assert not accepted, f"only the model refuses: {refusal}"
        return
    assert accepted, f"only the schema refuses: {[str(error) for error in VALIDATORS[kind].iter_errors(document)]}"
    dumped = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert dumped == document


@pytest.mark.parametrize("index", range(len(DOCUMENTS)))
def test_real_documents_load_and_dump_unchanged(index: int) -> None:
    """Key order included."""
    document = DOCUMENTS[index]
    dumped = (
        MODELS[document["kind"]].model_validate(document).model_dump(by_alias=True, exclude_unset=True, mode="json")
    )
    assert dumped == document


@pytest.mark.parametrize("kind", MODELS)
def test_both_name_the_same_fields_and_defaults(kind: str) -> None:
    """Recursively, so that no field is known to one side alone."""
    schema = registry.load(SCHEMA_FILES[kind])
    compare(schema, schema, [MODELS[kind]], kind)


def compare(schema: dict[str, Any], node: Any, models: list[type[BaseModel]], where: str) -> None:
    """Hold the properties of one schema node against the fields of the models that stand for it."""
    node = registry.resolve(schema, node)
    fields = {field.alias or name: field for model in models for name, field in model.model_fields.items()}
    if models == [m for m in models if set(m.model_fields) <= {"group", "user"}] and len(models) == 2:
        assert set(node["properties"]) == set(fields), where
        return
    assert set(node["properties"]) == set(fields), where
    for name, part in node["properties"].items():
        found = registry.resolve(schema, part)
        if len(models) == 1:
            field = fields[name]
            assert field.is_required() == (name in node.get("required", ())), f"{where}.{name}"
            if "default" in found and not field.is_required():
                default = (
                    field.default.model_dump(by_alias=True) if isinstance(field.default, BaseModel) else field.default
                )
                assert json.loads(json.dumps(default)) == found["default"], f"{where}.{name}"
        below = found.get("items") or (found.get("additionalProperties") or None) or found
        inner = registry.resolve(schema, below)
        nested = [model for field in [fields[name]] for model in models_in(field.annotation)]
        if "properties" in inner and nested and name not in ("value", "username", "clientId"):
            compare(schema, inner, nested, f"{where}.{name}")


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, list, dict) or get_args(annotation):
        return [model for part in get_args(annotation) for model in models_in(part)]
    return []


def test_models_are_frozen() -> None:
    """A definition that was read is not changed by accident."""
    model = MODELS["Connector"].model_validate(FULL_CONNECTOR)
    with pytest.raises(ValidationError):
        model.metadata.name = "other"  # type: ignore[misc]
