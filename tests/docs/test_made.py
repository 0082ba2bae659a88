"""Pages of reference, pictures and sessions are what the program says now."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from programs import needs

ROOT = Path(__file__).parents[2]
GENERATE = ROOT / "docs/generate"
PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in (*ROOT.glob("docs/**/*.md"), ROOT / "README.md")
    if "<!-- session" in page.read_text("utf-8")
)


def generate(*arguments: str | Path, root: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run the generator, whose sessions are those of a bash."""
    needs("bash")
    command = [sys.executable, root / "docs/generate", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the generator reads and writes."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_reference_and_pictures_are_as_made() -> None:
    """After a change of a command, a schema or a rule: python docs/generate."""
    done = generate("--check")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("page", "old", "new"),
    [
        ("docs/reference/exit-codes.md", "not permitted", "permitted"),
        ("docs/reference/commands.md", "## plan\n", "## plans\n"),
        ("docs/figures/plan.svg", "1 to create", "2 to create"),
        ("schemas/category.schema.json", '"maxLength": 100', '"maxLength": 101'),
    ],
)
def test_what_differs_is_told(copy: Path, page: str, old: str, new: str) -> None:
    """A page that was edited, and a schema that moved on."""
    text = (copy / page).read_text("utf-8")
    assert old in text
    (copy / page).write_text(text.replace(old, new, 1), "utf-8")
    done = generate("--check", root=copy)
    told = page if page.startswith("docs/") else "docs/reference/files.md"
    assert done.returncode == 1
    assert f"{copy / told} is not what it would be" in done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_session(page: str, request: pytest.FixtureRequest) -> None:
    """What a page shows is done, and says what it shows. After a change on purpose: --update, and read the difference."""
    if "ssh-keygen" in (ROOT / page).read_text("utf-8"):
        needs("ssh-keygen")
    check = () if request.config.getoption("--update") else ("--check",)
    done = generate(*check, "--sessions", page)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("shown", "code"),
    [("$ reconciler --version\nreconciler 9.9.9\n", 1), ("$ echo a; echo b; echo c\na\n…\nc\n", 0), ("$ echo a; echo b\n…\na\n", 1),
     ("$ echo 2027-03-01T12:00:00.123Z 3af3a35f9 12 ms\n2026-11-29T01:27:25Z 84897473da10 9 ms\n", 0), ("$ false; echo $?\n1\n", 0),
     ("$ cat a.txt\nhello\n", 0)],
)  # fmt: skip
def test_what_a_session_takes_for_alike(tmp_path: Path, shown: str, code: int) -> None:
    """Times, digests and spans differ from run to run; nothing else may."""
    page = tmp_path / "page.md"
    page.write_text(
        f"<!-- session -->\n\n<!-- file: a.txt -->\n```text\nhello\n```\n\n```console\n{shown}```\n", "utf-8"
    )
    done = generate("--check", "--sessions", page)
    assert done.returncode == code, done.stderr


def test_a_page_shows_one_run(tmp_path: Path) -> None:
    """What differs on one line takes the times of all the others along, but for what is abridged."""
    page = tmp_path / "page.md"
    shown = "$ echo {0}\n{0}\n$ echo a; echo {0}\na\n…\n$ echo {1}\n{2}\n"
    page.write_text(f"<!-- session -->\n\n```console\n{shown.format('2027-03-01', 'b', 'b')}```\n", "utf-8")
    before = page.read_text("utf-8").replace(
        "$ echo 2027-03-01\n2027-03-01", "$ echo 2027-03-01T12:00Z\n2026-01-01T10:00Z"
    )
    page.write_text(before, "utf-8")
    assert generate("--sessions", page).returncode == 0
    assert page.read_text("utf-8") == before, "all alike: it stays"
    page.write_text(before.replace("$ echo b\nb\n", "$ echo b\nc\n"), "utf-8")
    assert generate("--sessions", page).returncode == 0
    assert page.read_text("utf-8") == before.replace("2026-01-01T10:00Z", "2027-03-01T12:00Z")
