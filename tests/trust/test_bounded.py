"""Every input ends in seconds and in bounded memory, and says little."""

import resource
import subprocess
import sys
import time

import pytest
from conftest import CATEGORY, Workspace, clean_environment

from reconciler.diagnostics import MAX_FAULTS
from reconciler.source.documents import DocumentReader
from reconciler.source.roundtrip.format import format_document_text

SIZE = 256 * 1024
SECONDS = 8
"""Of the processor: what is linear takes a tenth, what is quadratic very much more."""
HEAD = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: x}
spec:
  displayName: X
  categories: [crm]
  endpoints:
    l:
      method: GET
      url: /x
"""


def repeated(unit: str | bytes, before: str = "", after: str = "", size: int = SIZE) -> bytes:
    unit = unit.encode() if isinstance(unit, str) else unit
    return before.encode() + unit * (size // len(unit)) + after.encode()


TEXT, SAMPLE = HEAD + "      description: ", HEAD + "      sample: "
INPUTS = {
    "digits": repeated("1", TEXT, "x\n"), "digits with dots": repeated("1.", TEXT, "\n"), "digits with colons": repeated("1:", TEXT, "\n"),
    "digits with underscores": repeated("1_", TEXT, "x\n"), "a number": repeated("1", SAMPLE + "{a: ", "}\n"),
    "brackets": repeated("[", SAMPLE + "{a: ", "}\n"), "braces": repeated("{"), "dashes": repeated("- "), "items": repeated("- a\n"),
    "anchors": repeated("- &a b\n"), "aliases": repeated("- *a\n", "- &a b\n"), "unknown aliases": repeated("- *a\n"), "tags": repeated("- !x y\n"),
    "quotes": repeated("'"), "double quotes": repeated('"'), "backslashes": repeated("\\"), "escaped backslashes": repeated("\\\\", 'a: "', '"\n'),
    "directives": repeated("%YAML 1.2\n---\n"), "comments": repeated("#\n"), "line feeds": repeated("\n"), "returns": repeated("\r"),
    "spaces": repeated(" "), "tabs": repeated("\t"), "emoji": repeated("😀", TEXT, "\n"), "one line": repeated("a b ", TEXT, ": c\n"),
    "keys": HEAD.encode() + b"      sample:\n" + b"".join(b"        k%d: v\n" % number for number in range(30_000)),
    "unknown keys": HEAD.encode() + b"".join(b"      k%d: v\n" % number for number in range(30_000)),
    "the same key": repeated("  a: b\n", HEAD), "ambiguous values": repeated("          - 010\n", "a:\n b:\n  c:\n"),
    "ambiguous items": repeated("- 010\n"), "control characters": repeated("\x01"), "next lines": repeated("\u0085"), "separators": repeated("\u2028"),
    "byte order marks": repeated("\ufeff"), "no UTF-8": repeated(b"\xff"), "document starts": repeated("---\n"), "documents": repeated("---\na: b\n"),
    "categories of one name": repeated("---\napiVersion: reconciler/v1\nkind: Category\nmetadata: {name: c}\nspec: {displayName: C}\n"),
    "values in brackets": repeated("a,", SAMPLE + "{", "}\n"), "lines in brackets": repeated("a,\n", "a: [", "]\n"), "question marks": repeated("? a\n"),
    "block scalars": b"".join(b"k%d: |\n x\n" % number for number in range(40_000)), "signs of blocks": repeated("| "), "text": repeated("  text\n", "a: |\n"),
    "tags of mustache": repeated("{{", HEAD + "      body: '", "'\n"), "sections": repeated("{{#a}}", HEAD + "      body: '", "'\n"),
    "halves of tokens": repeated("eyJaaaaaaaa.", TEXT, "\n"), "secrets": repeated("  password: x\n", HEAD), "slashes": repeated("/", HEAD + "      token: {vault: ", "}\n"),
    "dashes in a row": repeated("-"), "colons": repeated(":"), "merge keys": repeated("<<: a\n"), "null keys": repeated(": b\n"), "a long key": repeated("k", HEAD + "      ", ": v\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_reading_and_formatting(name: str) -> None:
    """A quarter of a mebibyte of it, in this process."""
    began = time.process_time()
    found = DocumentReader().read("connectors/x.yaml", INPUTS[name])
    format_document_text(INPUTS[name], "connectors/x.yaml")
    assert time.process_time() - began < SECONDS
    assert len(found.diagnostics) <= 2 * MAX_FAULTS + 2
    assert sum(len(item.snippet) + len(item.message) + len(item.hint) for item in found.diagnostics) < 1_000_000


@pytest.mark.parametrize(
    "name", ["digits", "control characters", "ambiguous values", "unknown keys", "tags of mustache"]
)
def test_command(empty: Workspace, name: str) -> None:
    """As a user meets it: in 1.5 GiB and half a minute of the processor."""
    empty.write("connectors/x.yaml", INPUTS[name])
    empty.write("connectors/c.yaml", CATEGORY)
    limits = {resource.RLIMIT_AS: 1536 * 1024 * 1024, resource.RLIMIT_CPU: 30}
    for arguments in (["validate"], ["fmt", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments], cwd=empty.root, env=clean_environment(), capture_output=True, check=False,
            preexec_fn=lambda: [resource.setrlimit(limit, (most, most)) for limit, most in limits.items()],
        )  # fmt: skip
        assert done.returncode in (0, 3), done.stderr[-2000:]
        assert len(done.stdout + done.stderr) < 100_000


def test_what_is_left_out_is_told(empty: Workspace) -> None:
    """A hundred faults of a file, and that there are more."""
    empty.write("connectors/x.yaml", "a:\n" + "  - 010\n" * 1000)
    result = empty.run("validate", "-o", "github")
    lines = result.stdout.splitlines()
    assert result.exit_code == 3 and len(lines) == MAX_FAULTS + 1, result.output
    assert "title=RC118::there are more faults in this file than the 100 that are told" in lines[-1]


def test_faults_of_very_many_files(empty: Workspace) -> None:
    """Each file is named, and the output ends."""
    for number in range(220):
        empty.write(f"connectors/f{number:03}.yaml", "a:\n" + "  - 010\n" * 200)
    lines = empty.run("validate", "-o", "github").stdout.splitlines()
    assert 10_000 < len(lines) < 10_000 + 2 * 220 and "f219.yaml" in lines[-1]
