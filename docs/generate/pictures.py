"""The pictures that are made of what the program prints and of how its code is layered."""

import re
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from sessions import Shell

FIGURES = Path(__file__).parents[1] / "figures"
ROOT = Path(__file__).parents[2]
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
GROUND, TEXT, QUIET = "#0d1117", "#e6edf3", "#9198a1"
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#76e3ea"}
WIDTH, LINE, MARGIN = 880, 19, 18
STYLE = (
    "<style>rect{fill:#ddf4ff;stroke:#54aeff}text{fill:#1f2328}.bar{fill:#f6f8fa;stroke:#d1d9e0}"
    "@media(prefers-color-scheme:dark){rect{fill:#121d2f;stroke:#4493f8}text{fill:#f0f6fc}.bar{fill:#151b23;stroke:#3d444d}}"
    "</style>"
)
"""Of the layers: colours for light and dark pages."""


def pictures() -> dict[Path, str]:
    """Each picture with its text."""
    return {FIGURES / "plan.svg": plan(), FIGURES / "layers.svg": layers()}


# A plan


def plan() -> str:
    """A terminal with a plan: what the commands of plan.sh print at their end."""
    with TemporaryDirectory() as folder:
        said = Shell(Path(folder)).run((Path(__file__).parent / "plan.sh").read_text("utf-8"))
    lines = ["\x1b[1m$ reconciler plan\x1b[0m", *said.rstrip("\n").split("\n")]
    height = MARGIN * 2 + LINE * len(lines) + 22
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape('What reconciler plan prints: a connector that changes, one that is new, one that goes, and the hosts that secrets would go to')}</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{GROUND}"/>',
        *(
            f'<circle cx="{20 + 18 * at}" cy="18" r="5.5" fill="{fill}"/>'
            for at, fill in enumerate(("#ff5f57", "#febc2e", "#28c840"))
        ),
        f'<g font-family="{MONO}" font-size="13" fill="{TEXT}" xml:space="preserve">',
    ]
    for at, line in enumerate(lines):
        out.append(f'<text x="{MARGIN}" y="{MARGIN + 34 + at * LINE}">{"".join(spans(line))}</text>')
    return "\n".join((*out, "</g>", "</svg>")) + "\n"


def spans(line: str) -> Iterator[str]:
    """The pieces of a line in their colours."""
    style: dict[str, str] = {}
    for at, piece in enumerate(re.split(r"\x1b\[([0-9;]*)m", line)):
        if at % 2:
            for number in (piece or "0").split(";"):
                if number in ("0", "39", "22"):
                    style.clear()
                style |= {"fill": COLOURS[number]} if number in COLOURS else {}
                style |= {"font-weight": "bold"} if number == "1" else {"fill": QUIET} if number == "2" else {}
        elif piece:
            marks = "".join(f' {name}="{value}"' for name, value in style.items())
            yield f"<tspan{marks}>{escape(piece)}</tspan>"


# The layers


def layers() -> str:
    """Packages as the linter of imports holds them: each row may import what is below it, and nothing above."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    rows = next(one["layers"] for one in contracts if one["type"] == "layers")
    height, top = 54, 16
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top * 2 + len(rows) * (height + 14) - 14}" role="img">',
        "<title>The packages in layers: each imports only what is below it</title>",
        STYLE,
        f'<g font-family="{SANS}" font-size="14" text-anchor="middle">',
    ]
    for at, row in enumerate(rows):
        names = [name.strip(" ()").removeprefix("reconciler.") for name in row.split("|")]
        y = top + at * (height + 14)
        out.append(f'<rect class="bar" x="8" y="{y}" width="{WIDTH - 16}" height="{height}" rx="8"/>')
        wide = (WIDTH - 32) / len(names)
        for place, name in enumerate(names):
            x = 16 + place * wide
            out.append(f'<rect x="{x + 4:.0f}" y="{y + 9}" width="{wide - 8:.0f}" height="{height - 18}" rx="6"/>')
            out.append(f'<text x="{x + wide / 2:.0f}" y="{y + height / 2 + 5:.0f}">{escape(name)}</text>')
    return "\n".join((*out, "</g>", "</svg>")) + "\n"
