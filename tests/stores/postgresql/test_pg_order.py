"""A database that sorts as people do gives what a file gives, byte for byte."""

import re
from pathlib import Path

import pytest
from conftest import CATEGORY, Workspace
from servers.postgresql import DEBIANS, PostgreSQL

NAMES = ("b", "a", "a0", "a-z", "ab", "z9", "z-0", "a-b")
SHOWN = ("Z", "a", "äb", "_", "B", "Äc", "é", "ß")
ORDERS = {
    "icu": "LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' LOCALE 'C.UTF-8'",
    "icu-numeric": "LOCALE_PROVIDER icu ICU_LOCALE 'de-u-kn-true-ka-shifted' LOCALE 'C.UTF-8'",
}


def fill(workspace: Workspace) -> None:
    """Categories whose names and display names are in another order each way, with keys of any sort in the bodies."""
    body = 'displayName: "N-{}", description: "{} ÄZ_a"'
    texts = [
        CATEGORY.replace("name: crm", f"name: {name}x, labels: {{B: '1', a: '2', _c: '3'}}".replace("_c", "c_d"))
        .replace("displayName: Customer data", body.format(shown, shown))
        for name, shown in zip(NAMES, SHOWN, strict=True)
    ]  # fmt: skip
    workspace.write("connectors/all.yaml", "---\n".join(texts))
    members = ", ".join(f"{name}@x" for name in ("Z", "a", "b", "_"))
    policy = (
        "apiVersion: reconciler/v1\nkind: Group\nmetadata: {name: g}\n"
        f"spec: {{displayName: G, members: {{mode: authoritative, users: [{members}]}}}}\n"
    )
    workspace.write("policies/g.yaml", policy)


def told(workspace: Workspace) -> list[str]:
    """What all commands say that list something, before an apply, after it and after more of it."""
    said = []

    def say(*words: str) -> None:
        result = workspace.run(*words)
        assert result.exit_code in (0, 5), result.output
        said.append(f"{words}\n{result.output}")

    def say_all() -> None:
        for words in (("plan",), ("plan", "--full", "-o", "json"), ("get",), ("get", "-o", "yaml"), ("history",), ("drift",)):  # fmt: skip
            say(*words)

    say_all()
    workspace.ok("apply", "--yes")
    say_all()
    say("export", "--out", str(workspace.root / "out"))
    files = sorted((workspace.root / "out").rglob("*.yaml"))
    said += [f"{path.name}\n{path.read_text()}" for path in files]
    for path in files:
        path.unlink()
    workspace.edit("connectors/all.yaml", "ÄZ_a", "changed")
    text = (workspace.root / "connectors/all.yaml").read_text().replace("ÄZ_a", "changed").split("---\n")
    workspace.write("connectors/all.yaml", "---\n".join(text[2:]))
    say_all()
    workspace.ok("apply", "--yes")
    say("history", "-o", "json")
    say("restore")
    return [timeless(workspace, one) for one in said]


def timeless(workspace: Workspace, text: str) -> str:
    """Without times, identities, digests, and where it is."""
    text = text.replace(str(workspace.root), "ROOT")
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "TIME", text)
    text = re.sub(r'(?<="seconds": )[\d.]+', "LONG", text)
    text = re.sub(r"\b\d+\.\d s\b", "LONG", text)
    text = re.sub(r"just now|\d+ (s|min) ago", "AGO", text)
    return re.sub(r"\b[0-9a-f]{32,64}\b", "DIGEST", text)


@pytest.fixture(scope="module")
def of_a_file(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The same with SQLite."""
    root = tmp_path_factory.mktemp("order") / "repo"
    (root / "connectors").mkdir(parents=True)
    workspace = Workspace(root)
    workspace.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowner: local\n")
    fill(workspace)
    return told(workspace)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("major", [DEBIANS], indirect=True)
def test_an_order_of_its_own_alters_nothing(
    of_a_file: list[str], make_workspace, postgresql: PostgreSQL, order: str, tmp_path: Path
) -> None:
    """Of plan, get, export, history, drift and restore."""
    made = postgresql.create(options=ORDERS[order])
    try:
        with made.connect() as connection:
            found = [
                one for (one,) in connection.execute("SELECT x FROM (VALUES ('Z'), ('a'), ('_')) v (x) ORDER BY x")
            ]
        assert found != sorted(found), "it sorts as Python does"
        workspace = make_workspace("repo")
        target = f"targets:\n  local: {{store: '{made.url}'}}\n"
        workspace.write("reconciler.yaml", f"apiVersion: reconciler/v1\nkind: Project\nowner: local\n{target}")
        workspace.env |= made.environment
        fill(workspace)
        for ours, files in zip(told(workspace), of_a_file, strict=True):
            assert ours == files
    finally:
        postgresql.drop(made)
