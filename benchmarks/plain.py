"""The same job written plainly with the usual packages: ruamel.yaml's round trip, jsonschema, pydantic.

    python benchmarks/plain.py REPOSITORY DATABASE validate|plan|apply

Every file of the working tree is loaded, validated and modelled; `plan` compares with a SQLite table and `apply`
writes what differs. It is what a careful first version would look like, and what the ratio in the report is to.
"""

import argparse
import json
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"


class Metadata(BaseModel):
    """Identity and labels."""

    name: str
    previously: list[str] = []
    labels: dict[str, str] = {}


class Resource(BaseModel):
    """One document."""

    model_config = ConfigDict(extra="forbid")

    apiVersion: str
    kind: str
    metadata: Metadata
    spec: dict[str, Any]

    @property
    def address(self) -> str:
        """Kind and name."""
        return f"{self.kind}/{self.metadata.name}"


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("database")
    parser.add_argument("mode", choices=["validate", "plan", "apply"])
    args = parser.parse_args()
    resources = list(load(args.repository))
    if args.mode == "validate":
        print(len(resources), "valid")
        return
    changes = plan(resources, args.database)
    print(len(changes), "to change")
    if args.mode == "apply":
        apply(changes, args.database)


def load(repository: Path) -> Iterator[Resource]:
    """Read, validate and model every document of the working tree."""
    yaml = YAML()
    validators = {
        kind: jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{kind.lower()}.schema.json").read_text()))
        for kind in ("Connector", "Category")
    }
    for path in sorted((repository / "connectors").rglob("*.yaml")):
        for document in yaml.load_all(path):
            validators[document["kind"]].validate(document)
            yield Resource.model_validate(document)


def plan(resources: list[Resource], path: str) -> list[tuple[str, str, str]]:
    """The rows that differ from the database."""
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE IF NOT EXISTS resource (address TEXT PRIMARY KEY, hash TEXT, text TEXT)")
    live = dict(database.execute("SELECT address, hash FROM resource"))
    changes = []
    for resource in resources:
        text = json.dumps(resource.model_dump(mode="json"), sort_keys=True)
        digest = sha256(text.encode()).hexdigest()
        if live.get(resource.address) != digest:
            changes.append((resource.address, digest, text))
    return changes


def apply(changes: list[tuple[str, str, str]], path: str) -> None:
    """Write them."""
    with sqlite3.connect(path) as database:
        database.executemany("REPLACE INTO resource VALUES (?, ?, ?)", changes)


if __name__ == "__main__":
    main()
