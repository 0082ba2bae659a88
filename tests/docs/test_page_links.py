"""Links of the documentation lead somewhere, as files and as a site."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        ROOT / "benchmarks/README.md",
        ROOT / "examples/live/README.md",
        ROOT / "examples/team/README.md",
    )
)
_FENCE = re.compile(r"^(`{3,})[^\n]*\n.*?^\1`*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")


def links(page: Path) -> list[str]:
    """Where the links of a page lead, but for those of other sites."""
    text = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text("utf-8")))
    found = [first or second for first, second in _LINK.findall(text)]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges and the site's generator make them."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} (.+?)\s*$", text, re.MULTILINE):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        found.add(re.sub(r"[^\w\- ]", "", shown).replace(" ", "-"))
    return found


def faults(page: Path) -> list[str]:
    """What is wrong with the links of a page."""
    wrong = []
    for link in links(page):
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            wrong.append(f"{link}: there is no such file")
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
            wrong.append(f"{link}: there is no such heading")
        elif page.is_relative_to(DOCS) and not target.is_relative_to(DOCS):
            wrong.append(f"{link}: leads out of docs/, and so to nothing on the site")
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Files, and headings in them."""
    assert faults(page) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a](none.md)", ["none.md: there is no such file"]),
        ("[a](b.md#c-d)\n\n[a](b.md#none)", ["b.md#none: there is no such heading"]),
        ('<img src="none.svg">', ["none.svg: there is no such file"]),
        ("```\n[a](none.md)\n```\n`[a](none.md)` [a](https://example.com/none.md)", []),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, text: str, said: list[str]) -> None:
    """And nothing else."""
    (tmp_path / "b.md").write_text("# B\n\n## C `D`\n")
    page = tmp_path / "a.md"
    page.write_text(text)
    assert faults(page) == said


def test_every_page_is_in_the_navigation_and_in_the_index() -> None:
    """So that somebody finds it."""
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    named = {
        page
        for part in navigation
        for pages in part.values()
        for page in ([pages] if isinstance(pages, str) else pages)
    }
    assert named == pages
    assert {link for link in links(DOCS / "index.md") if not link.startswith("#")} == pages - {"index.md"}


def test_the_readme_is_short() -> None:
    """People finish what is."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 200
