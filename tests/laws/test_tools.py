"""What the linters and the type checker hold."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = {
    "ruff check": ["ruff", "check", "--no-cache", "."],
    "ruff format": ["ruff", "format", "--no-cache", "--check", "."],
    "mypy": ["mypy", "--no-incremental"],
    "import-linter": ["lint-imports", "--no-cache"],
    "bandit": ["bandit", "-q", "-r", "reconciler", "-c", "pyproject.toml"],
    "metaschema": ["check-jsonschema", "--check-metaschema", *map(str, sorted(ROOT.glob("schemas/*.json")))],
}


@pytest.mark.parametrize("name", TOOLS)
def test_tool_is_content(name: str) -> None:
    """With the settings of pyproject.toml."""
    command, *arguments = TOOLS[name]
    program = Path(sys.executable).with_name(command)
    done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_all_that_is_needed(tmp_path: Path) -> None:
    """The schemas and the scaffold, and nothing of the tests."""
    import zipfile

    from hatchling.builders.wheel import WheelBuilder

    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(built).namelist())
    assert {f"reconciler/_schemas/{path.name}" for path in ROOT.glob("schemas/*.json")} <= names
    assert {f"reconciler/scaffold/{path.name}" for path in ROOT.glob("reconciler/scaffold/*")} <= names
    assert {"reconciler/py.typed"} <= names
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)


def test_the_source_distribution_holds_the_documentation(tmp_path: Path) -> None:
    """And what its tests compare it with."""
    import tarfile

    from hatchling.builders.sdist import SdistBuilder

    (built,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"README.md", "CONTRIBUTING.md", "mkdocs.yml", "docs/index.md", "docs/reference/commands.md", "docs/figures/plan.svg",
            "docs/generate/__main__.py", "benchmarks/run.py", "schemas/connector.schema.json", "tests/conftest.py"} <= names  # fmt: skip
    assert not [name for name in names if name.startswith(("site/", "benchmarks/out/", ".venv/"))]
