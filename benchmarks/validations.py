"""What validations are set against."""

import os
from pathlib import Path

import peers
from measuring import Command
from workbench import SCHEMA, Sides, Workbench

INVALID = 3
"""Exit code of `reconciler validate` for invalid definitions."""


def against_limit(bench: Workbench, n: int) -> Sides:
    """Cold validation against the least program that reads, parses and decides."""
    return bench.cold(bench.corpus(n), "validate"), bench.limit(n, "validate", "tree")


def of_a_commit_against_limit(bench: Workbench, n: int) -> Sides:
    """Cold validation of a commit instead of the working tree, against the limit program doing the same."""
    return bench.cold(bench.corpus(n), "validate", "--ref", "HEAD"), bench.limit(n, "validate", "git")


def against_check_jsonschema(bench: Workbench, n: int) -> Sides:
    """Cold validation against the usual Python tool on the connectors' files."""
    corpus = bench.corpus(n)
    argv = (peers.script(bench.peers, "check-jsonschema"), "--schemafile", str(SCHEMA), *connector_files(corpus))
    return bench.cold(corpus, "validate"), Command(f"check-jsonschema, {n}", argv)


def against_sourcemeta(bench: Workbench, n: int, *options: str) -> Sides:
    """Cold validation against the native validator (C++) on the connectors' directories."""
    corpus = bench.corpus(n)
    argv = (peers.sourcemeta(bench.peers), "validate", *options, str(SCHEMA), *connector_directories(corpus))
    label = " ".join(("sourcemeta jsonschema validate", *options))
    return bench.cold(corpus, "validate"), Command(f"{label}, {n}", argv)


def against_ajv(bench: Workbench, n: int) -> Sides:
    """Cold validation against the usual JavaScript tool, which finds the files by a pattern."""
    corpus = bench.corpus(n)
    argv = (peers.ajv(bench.peers), "validate", "--spec=draft2020", "--strict=false", "-s", str(SCHEMA))
    pattern = str(corpus / "connectors/*/**/*.yaml")
    return bench.cold(corpus, "validate"), Command(f"ajv validate, {n}", (*argv, "-d", pattern))


def faulty(bench: Workbench, n: int, bad: int) -> Sides:
    """Validation that has something to explain, against one that has not."""
    ours = bench.cold(bench.corpus(n, bad), "validate", expect=INVALID)
    return ours, bench.cold(bench.corpus(n), "validate")


def warm_against_cold(bench: Workbench, n: int) -> Sides:
    """Validation of what was just validated, against the first one; in turn, so that each first one warms the next."""
    corpus = bench.corpus(n)
    return bench.ours(corpus, "validate"), bench.cold(corpus, "validate")


def warm_against_status(bench: Workbench, n: int) -> Sides:
    """Validation of what was validated before, against what git takes to tell that nothing moved."""
    corpus = bench.corpus(n)
    return bench.ours(corpus, "validate"), bench.git_status(corpus)


def since_against_cold(bench: Workbench, n: int) -> Sides:
    """Validation of what differs from a commit that is valid, against validating everything."""
    corpus = bench.corpus(n)
    return bench.ours(corpus, "validate", "--changed-since", "main~1"), bench.cold(corpus, "validate")


def growth(bench: Workbench, large: int, small: int) -> Sides:
    """Cold validation of a large repository, against a small one's."""
    return tuple(bench.cold(bench.corpus(n), "validate") for n in (large, small))


def connector_directories(corpus: Path) -> list[str]:
    """Directories that hold connectors and nothing else; the categories' file stands above them."""
    return sorted(entry.path for entry in os.scandir(corpus / "connectors") if entry.is_dir())


def connector_files(corpus: Path) -> list[str]:
    """All connectors' files."""
    return sorted(str(path) for directory in connector_directories(corpus) for path in Path(directory).rglob("*.yaml"))
