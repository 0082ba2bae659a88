"""Whatever becomes of index, attributes, filters and files: both ways to plan agree, and git starts nothing.

A random walk over what people and pull requests do to a checkout. Filters and hooks of the repository name a program
that leaves a trace; the walk itself runs git without them.
"""

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from conftest import Workspace, timeless
from git_world import OWNERS, Canary, connector
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

NAMES = ("connectors/a.yaml", "connectors/b.yml", "connectors/deep/c.yaml", "connectors/ü é.yaml", "policies/p.yaml")
ATTRIBUTES = (
    "* text=auto", "*.yaml text eol=crlf", "*.yaml ident", "*.yaml filter=known", "*.yml filter=evil", "* -text", "* binary",
    "[attr]odd filter=evil\n*.yaml odd", "*.yaml working-tree-encoding=ISO-8859-1", "* crlf", "* merge=evil diff=evil", "",
)  # fmt: skip
SETTINGS = (
    ("core.autocrlf", "true"), ("core.autocrlf", "input"), ("core.autocrlf", "false"), ("core.ignoreCase", "true"),
    ("core.fileMode", "false"), ("core.trustCTime", "false"), ("core.ignoreStat", "true"), ("core.symlinks", "false"),
    ("core.untrackedCache", "true"), ("core.splitIndex", "true"), ("status.showUntrackedFiles", "no"), ("core.eol", "crlf"),
    ("core.quotePath", "true"), ("status.relativePaths", "true"), ("diff.ignoreSubmodules", "all"), ("core.safecrlf", "true"),
)  # fmt: skip


class Walk:
    """A checkout, and what is done to it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = Random(seed)
        self.world = Workspace(folder / "repo")
        self.world.env["XDG_CACHE_HOME"] = str(folder / "cache")
        self.canary = Canary(folder / "outside")
        self.world.write(".gitignore", ".reconciler/\nignored*\n")
        self.world.write("connectors/crm.yaml", "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: crm}\nspec: {displayName: Crm}\n")  # fmt: skip
        for name in NAMES:
            self.write(name)
        self.world.commit()
        self.world.ok("apply", "--yes", "--as", "margaret")
        for key in (
            "filter.evil.clean",
            "filter.evil.process",
            "core.fsmonitor",
            "diff.evil.textconv",
            "merge.evil.driver",
        ):
            self.world.git("config", key, str(self.canary))
        self.world.git("config", "filter.known.smudge", "sed s/Contacts/Others/")
        self.world.git("config", "filter.known.clean", "sed s/Others/Contacts/")
        for hook in ("post-index-change", "reference-transaction", "post-checkout"):
            self.canary.place(self.world.root / ".git" / "hooks" / hook)

    def git(self, *words: str) -> None:
        """Run git without what would start the program; it may refuse."""
        off = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "filter.evil.clean=", "filter.evil.process=", "filter.evil.required=false")  # fmt: skip
        with suppress(subprocess.CalledProcessError):
            self.world.git(*(word for setting in off for word in ("-c", setting)), *words)

    def name(self) -> str:
        """Of a definition."""
        return self.random.choice(NAMES)

    def write(self, name: str) -> None:
        """Valid text, of a few sorts."""
        if name.startswith("policies"):
            text = OWNERS + "# $Id$\n" * self.random.randrange(2)
        else:
            text = connector(Path(name).stem.replace("ü é", "u"), self.random.choice(("Contacts.", "Contacts.", "More."))) + "# $Id$\n"  # fmt: skip
        if self.random.random() < 0.2:
            text = text.replace("\n", "\r\n")
        self.world.write(name, text)

    def step(self) -> str:
        """Do something; returns what."""
        done = self.random.choice(STEPS)
        done(self)
        self.canary.is_silent()
        return done.__name__

    def edit(self) -> None:
        self.write(self.name())

    def remove(self) -> None:
        (self.world.root / self.name()).unlink(missing_ok=True)

    def flag(self) -> None:
        self.git("update-index", self.random.choice(("--assume-unchanged", "--skip-worktree")), self.name())

    def unflag(self) -> None:
        self.git("update-index", "--no-assume-unchanged", "--no-skip-worktree", self.name())

    def attributes(self) -> None:
        where = self.random.choice((".gitattributes", "connectors/.gitattributes", ".git/info/attributes"))
        self.world.write(where, self.random.choice(ATTRIBUTES) + "\n")

    def setting(self) -> None:
        self.git("config", *self.random.choice(SETTINGS))

    def checkout(self) -> None:
        shutil.rmtree(self.world.root / "connectors", ignore_errors=True)
        self.git("checkout", "-q", "-f", "HEAD", "--", ".")
        (self.world.root / "connectors").mkdir(exist_ok=True)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "step")

    def refresh(self) -> None:
        self.git("status")

    def ignored(self) -> None:
        self.world.write("connectors/ignored.yaml", connector("ignored"))

    def announced(self) -> None:
        self.world.write("connectors/new.yaml", connector("new"))
        self.git("add", "-N", "connectors/new.yaml")

    def linked(self) -> None:
        target = self.world.root / self.name()
        target.unlink(missing_ok=True)
        if target.parent.is_dir():
            target.symlink_to("../x.yaml")

    def nested(self) -> None:
        self.git("init", "-q", self.random.choice(("connectors/deep", "connectors/own")))

    def sparse(self) -> None:
        self.git(
            "sparse-checkout",
            "set",
            *self.random.choice((("--no-cone", "/*", "!/connectors/deep/"), ("--cone", "policies"))),
        )

    def dense(self) -> None:
        self.git("sparse-checkout", "disable")

    def apply(self) -> None:
        self.world.run("apply", "--yes", "--as", "margaret", *self.random.choice(([], ["--ref", "HEAD"])))


STEPS: tuple[Callable[[Walk], None], ...] = (
    *(Walk.edit, Walk.flag, Walk.attributes, Walk.setting, Walk.checkout, Walk.commit) * 2, Walk.remove, Walk.unflag,
    Walk.refresh, Walk.ignored, Walk.announced, Walk.linked, Walk.nested, Walk.sparse, Walk.dense, Walk.apply,
)  # fmt: skip


def walk(seed: int, steps: int) -> None:
    """Both ways to plan after each step, and now and then what else reads."""
    with TemporaryDirectory() as folder:
        walking = Walk(Path(folder), seed)
        done: list[str] = []
        for _ in range(steps):
            done += [walking.step() for _ in range(walking.random.choice((1, 1, 2, 3)))]
            words = walking.random.choice(([], ["-o", "json"]))
            part = walking.world.run("plan", *words)
            whole = walking.world.run("plan", *words, "--full")
            assert part.exit_code in (0, 3, 5, 10), (seed, done, part.output)
            assert (part.exit_code, timeless(part.stdout)) == (whole.exit_code, timeless(whole.stdout)), (
                seed,
                done,
                part.output,
                whole.output,
            )
            if walking.random.random() < 0.3:
                for others in (["validate"], ["authorize", "--base", "HEAD", "--head", "WORKTREE", "--actor", "ada"]):
                    result = walking.world.run(*others)
                    assert result.exit_code in (0, 3, 4, 10), (seed, done, others, result.output)
            assert walking.canary.is_silent(), (seed, done)


def walks(examples: int) -> settings:
    return settings(
        max_examples=examples, deadline=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck), database=None,
    )  # fmt: skip


@walks(4)
@given(seed=st.integers(0, 2**32))
def test_both_ways_to_plan_agree_and_git_starts_nothing(seed: int) -> None:
    """A few walks."""
    walk(seed, 6)


@pytest.mark.long
@walks(150)
@given(seed=st.integers(0, 2**32))
def test_both_ways_to_plan_agree_and_git_starts_nothing_for_long(seed: int) -> None:
    """Many."""
    walk(seed, 12)
