"""Odd names, attributes, index states and YAML, thrown together, through every command that only reads."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace, clean_environment

READING = [
    "validate", "validate -o json", "validate -o sarif", "validate -o junit", "validate -o github", "validate -o gitlab",
    "validate --ref HEAD", "validate --changed-since HEAD~1", "fmt --check", "fmt --check --diff", "plan", "plan --full",
    "plan -o json", "plan -o markdown", "plan --ref HEAD", "drift", "drift -o json", "get connectors", "export",
    "adopt --dry-run", "history", "history -o json", "authorize --base HEAD~1 --head HEAD --actor bob",
    "authorize --base HEAD~1 --head WORKTREE --actor bob -o markdown", "authorize --base HEAD~1 --head HEAD --actor bob -o json",
    "access-diff --base HEAD~1 --head HEAD", "can bob connectors:edit", "who-can connectors:edit",
]  # fmt: skip
ALLOWED = {0, 3, 4, 5, 6, 10}
OWNERS = "---\napiVersion: reconciler/v1\nkind: PermissionPolicy\nmetadata: {name: owners}\nspec: {subjects: [{user: margaret}], superAdmin: true}\n"
NAMES = [
    b"a.yaml", b"b.YAML", b"c.yml.bak", b"caf\xe9.yaml", b"caf\xc3\xa9.yaml", "cafe\u0301.yaml".encode(), b"two\nlines.yaml",
    b"##[stop-commands]x.yaml", b"\x1b[31m.yaml", b"quote\".yaml", b"back\\slash.yaml", b" blank .yaml", b"-n.yaml", b":(top)x.yaml",
    b"a\xe2\x80\xae.yaml", b".hidden.yaml", b"sub/x.yaml", b".dot/x.yaml", b"HEAD", b"config", b"objects/x", b"refs/x", b"x.json",
    b"*.yaml", b"x" * 200 + b".yaml", "\U0001f600.yaml".encode(), b".gitattributes", b".gitmodules", b"A.yaml",
]  # fmt: skip
ATTRIBUTES = ["*.yaml filter=evil", "*.yaml ident", "* text=auto", "*.yaml eol=crlf", "*.yaml working-tree-encoding=UTF-16", "*.yaml diff=evil merge=evil", "*.yaml -text", "a.yaml filter=a=b"]  # fmt: skip
PIECES = ["\u0085", "\u2028", "\ufeff", "\r", "\r\n", "\t", "\x00", "\x1b[2J", "{{#a}}", "{{x}}", "*a", "&a ", "!!binary ", "<<: ", "1e999", "9" * 5000, "'", '"', "[", "{", "- ", "? ", ": ", "#", "---\n", "...\n", "%YAML 1.1\n", "\ud800", "::set-output name=a::b", "##vso[task.setvariable variable=PATH]x"]  # fmt: skip


class Fuzzed:
    """A repository that somebody with odd ideas has worked on."""

    def __init__(self, root: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.workspace = Workspace(root)
        self.canary = root.parent / "started"
        root.mkdir()
        for path, text in self.sound().items():
            self.workspace.write(path, text)
        self.workspace.commit()
        self.workspace.commit()  # so that there is one before
        self.workspace.run("apply", "--yes", "--as", "margaret", env={"CRM_PASSWORD": "canary-of-the-password"})
        script = f"touch {self.canary}; cat"
        for name in ("filter.evil.clean", "filter.evil.smudge", "filter.a=b.clean", "diff.evil.command", "diff.evil.textconv", "merge.evil.driver", "core.fsmonitor", "diff.external", "core.pager", "core.sshCommand"):  # fmt: skip
            self.workspace.git("config", name, script)

    def sound(self) -> dict[str, str]:
        """Definitions that hold."""
        return {"connectors/crm.yaml": CATEGORY, "connectors/contacts.yaml": CONNECTOR, "policies/team.yaml": POLICY + OWNERS, ".gitignore": ".reconciler/\n"}  # fmt: skip

    def quietly(self, *words: str, stdin: bytes = b"") -> None:
        """Run git without what the repository's settings start; it may refuse."""
        off = [f"-c{name}=" for name in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge")]
        subprocess.run(
            ["git", *off, "-c", "core.fsmonitor=false", *words], cwd=self.workspace.root, env=clean_environment(), input=stdin,
            capture_output=True, check=False,
        )  # fmt: skip

    def step(self) -> str:
        """Do something odd."""
        act = self.random.choice([self.edit, self.edit, self.add, self.add, self.attribute, self.flag, self.link, self.remove, self.submodule])  # fmt: skip
        act()
        return act.__name__

    def files(self) -> list[Path]:
        """All that may be worked on."""
        root = self.workspace.root
        found = [path for folder in ("connectors", "policies") for path in sorted((root / folder).rglob("*"))]
        return [path for path in found if path.is_file() and not path.is_symlink()]

    def edit(self) -> None:
        path = self.random.choice(self.files())
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        place = self.random.randrange(len(text) + 1)
        piece = self.random.choice(PIECES)
        path.write_bytes((text[:place] + piece + text[place:]).encode("utf-8", "surrogatepass"))

    def add(self) -> None:
        name = self.random.choice([b"connectors/", b"policies/", b"", b"docs/"]) + self.random.choice(NAMES)
        path = os.path.join(os.fsencode(self.workspace.root), name)
        text = self.random.choice(list(self.sound().values())).replace("crm", f"n{self.random.randrange(99)}")
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as opened:
                opened.write(text.encode())
        except OSError:  # something else is there
            return

    def attribute(self) -> None:
        place = self.random.choice([".gitattributes", "connectors/.gitattributes", ".git/info/attributes"])
        with (self.workspace.root / place).open("a") as opened:
            opened.write(self.random.choice(ATTRIBUTES) + "\n")

    def flag(self) -> None:
        names = subprocess.run(["git", "ls-files", "-z"], cwd=self.workspace.root, env=clean_environment(), capture_output=True, check=True).stdout  # fmt: skip
        name = self.random.choice(names.split(b"\0")[:-1] or [b"connectors/crm.yaml"])
        flag = self.random.choice(
            ["--assume-unchanged", "--skip-worktree", "--no-assume-unchanged", "--no-skip-worktree"]
        )
        self.quietly("update-index", flag, "-z", "--stdin", stdin=name + b"\0")

    def link(self) -> None:
        name = self.random.choice(["connectors/l.yaml", "connectors/l", "policies/l.yaml", "l", "reconciler.yaml"])
        target = self.random.choice(["/etc/passwd", "/dev/zero", "nowhere", "..", "contacts.yaml", "../../started"])
        path = self.workspace.root / name
        if not os.path.lexists(path):
            path.symlink_to(target)

    def remove(self) -> None:
        path = self.random.choice(self.files())
        path.unlink()

    def submodule(self) -> None:
        where = self.workspace.root / self.random.choice(["connectors/sub", "policies/sub", "sub"])
        if not where.exists():
            shutil.copytree(self.workspace.root / "connectors", where, symlinks=True)
            subprocess.run(["git", "init", "-q", where], env=clean_environment(), check=True)


def live_through(root: Path, seed: int) -> int:
    """Some odd steps, with every reading command after them; how many command lines ran."""
    fuzzed = Fuzzed(root, seed)
    done, ran = [], 0
    for _ in range(3):
        done += [fuzzed.step() for _ in range(fuzzed.random.randrange(1, 4))]
        if fuzzed.random.random() < 0.6 and fuzzed.files():
            fuzzed.quietly("add", "-A")
            fuzzed.quietly("commit", "-qm", "odd")
        fuzzed.canary.unlink(missing_ok=True)
        said = {}
        for line in READING:
            result = fuzzed.workspace.run(*line.split(), env={"CRM_PASSWORD": "canary-of-the-password"}, timeout=60)
            ran += 1
            assert result.exit_code in ALLOWED, (seed, done, line, result)
            assert not fuzzed.canary.exists(), (seed, done, line, "started a program")
            assert "canary-of-the-password" not in result.output, (seed, done, line)
            said[line] = (result.exit_code, result.stdout)
        assert said["plan"] == said["plan --full"], (seed, done)
        if not fuzzed.files():
            break
    return ran


@pytest.mark.parametrize("seed", range(2))
def test_every_reading_command_ends_well(tmp_path: Path, seed: int) -> None:
    """With a verdict or a refusal: never exit code 1, never a program, never a secret; both plans are one."""
    assert live_through(tmp_path / "r", seed) >= len(READING)


@pytest.mark.long
def test_very_many_of_them(tmp_path: Path) -> None:
    """As many as RECONCILER_FUZZ says, 300 by default."""
    seeds = int(os.environ.get("RECONCILER_FUZZ", "300"))
    for seed in range(1000, 1000 + seeds):
        live_through(tmp_path / str(seed), seed)
        shutil.rmtree(tmp_path / str(seed))
