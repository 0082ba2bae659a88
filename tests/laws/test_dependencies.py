"""What users have to install does something for them, and what is used is said."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def named(requirements: list[str]) -> set[str]:
    """The names of packages, in one form: https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=! ]", line, maxsplit=1)[0]).lower() for line in requirements}


def imported() -> set[str]:
    """The packages whose modules the package imports, wherever it does; `reconciler.testing` runs under pytest."""
    modules = set()
    for path in (ROOT / "reconciler").rglob("*.py"):
        if path.is_relative_to(ROOT / "reconciler/testing"):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module.partition(".")[0])
    foreign = modules - sys.stdlib_module_names - {"reconciler"}
    owners = packages_distributions() | {"ruamel": ["ruamel.yaml"]}
    return named([owners[module][0] for module in foreign])


def test_every_dependency_is_used_and_what_is_used_is_one() -> None:
    """Those of extras among them."""
    optional = [
        line for extra in ("age", "aws", "postgres", "vault") for line in PROJECT["optional-dependencies"][extra]
    ]
    known = named([*PROJECT["dependencies"], *optional])
    assert imported() - {"botocore", "requests"} == known, "botocore comes with boto3, requests with hvac"
