"""A machine without the servers and tools that tests start still passes them, and says what it lacks; CI does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import clean_environment
from programs import PACKAGES, to_install

TESTS = Path(__file__).parents[1]
SUITE = """
import pytest
from programs import needs

@pytest.fixture(scope="session")
def server():
    return needs("haproxy")

def test_one():
    needs("bash", "jq")

def test_two(server):
    pass

def test_three(server):
    pass

def test_that_is_skipped_for_another_reason():
    pytest.skip("it rains")
"""


@pytest.mark.parametrize("ci", ["", "1"])
def test_a_machine_without_programs(tmp_path: Path, ci: str) -> None:
    """Skips, and ends with one line; or fails, where programs are to be installed."""
    (tmp_path / "test_suite.py").write_text(SUITE)
    # Of this machine's own programs none is to be found, also where no path leads.
    (tmp_path / "hiding.py").write_text("import programs; programs.program = lambda name: ''")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "conftest", "-p", "hiding", "-p", "no:cacheprovider", "test_suite.py"], cwd=tmp_path,
        env=clean_environment({"PYTHONPATH": f"{TESTS}{os.pathsep}{tmp_path}", "CI": ci}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == (1 if ci else 0), done.stdout + done.stderr
    assert "needs haproxy: apt install haproxy" in done.stdout and "needs bash: apt install bash" in done.stdout
    assert ("3 tests need programs that are not installed here; apt install bash haproxy\n" in done.stdout) == (not ci)


def test_what_to_install() -> None:
    """Each package once; nothing where nothing is missing."""
    assert to_install(["Skipped: it rains"]) == ""
    assert (
        to_install(["Skipped: needs jq: apt install jq"])
        == "1 test needs a program that is not installed here; apt install jq"
    )


def test_ci_installs_them() -> None:
    """All that are missing, whatever they are."""
    environment = {"PATH": str(TESTS / "nowhere")}
    said = subprocess.run([sys.executable, "-c", "import shutil, runpy; shutil.which = lambda *_, **__: None; runpy.run_path('programs.py', run_name='__main__')"], cwd=TESTS, env=environment, capture_output=True, text=True, check=True)  # fmt: skip
    assert said.stdout.split() == sorted(set(PACKAGES.values()))
    assert "python3 tests/programs.py" in (TESTS.parent / ".ci/run").read_text()
