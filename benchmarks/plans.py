"""What plans and the drift check are set against."""

from functools import partial

import peers
from measuring import Command
from workbench import HERE, Sides, Workbench

BEFORE = "main~1"
"""Applied before a plan of one change; the last commit changes one file."""

SELECT = "import sqlite3, sys; print(len(sqlite3.connect(sys.argv[1]).execute({!r}).fetchall()))"
ROWS = "SELECT kind, name, fingerprint FROM records"


def against_limit(bench: Workbench, n: int, applied: str, *words: str) -> Sides:
    """A plan after `applied` was applied, against the limit program."""
    return bench.ours(bench.apply_both(n, applied), "plan", *words), bench.limit(n, "plan")


def against_python(bench: Workbench, n: int, applied: str, *words: str) -> Sides:
    """A plan after `applied` was applied, against Python itself."""
    return bench.ours(bench.apply_both(n, applied), "plan", *words), bench.bare_python()


def of_the_tree_over_the_commit(bench: Workbench, n: int) -> Sides:
    """What a plan of the working tree takes on top of the same plan of its commit, against `git status`."""
    corpus = bench.apply_both(n, BEFORE)
    return bench.ours(corpus, "plan"), bench.git_status(corpus), bench.ours(corpus, "plan", "--ref", "main")


def against_status(bench: Workbench, n: int, applied: str) -> Sides:
    """A plan of the working tree, against what git takes to tell whether it is clean."""
    corpus = bench.apply_both(n, applied)
    return bench.ours(corpus, "plan"), bench.git_status(corpus)


def growth(bench: Workbench, large: int, small: int, *words: str) -> Sides:
    """A plan of one change in a large repository, against the same in a small one."""
    return tuple(bench.ours(bench.apply_both(n, BEFORE), "plan", *words) for n in (large, small))


def limit_growth(bench: Workbench, large: int, small: int, mode: str) -> Sides:
    """The limit program in a large repository, against itself in a small one."""
    for n in (large, small):
        bench.apply_both(n, BEFORE)
    return bench.limit(large, mode), bench.limit(small, mode)


def one_against_full(bench: Workbench, n: int) -> Sides:
    """A plan of what moved, against the same plan of everything."""
    corpus = bench.apply_both(n, BEFORE)
    return bench.ours(corpus, "plan"), bench.ours(corpus, "plan", "--full")


def full_against_limit(bench: Workbench, n: int) -> Sides:
    """A plan that compares everything and finds nothing cached, against the limit program."""
    return bench.full(bench.apply_both(n, BEFORE)), bench.limit(n, "plan-full", "tree")


def full_growth(bench: Workbench, large: int, small: int) -> Sides:
    """A plan that compares everything in a large repository, against the same in a small one."""
    return tuple(bench.full(bench.apply_both(n, BEFORE)) for n in (large, small))


def first_growth(bench: Workbench, large: int, small: int) -> Sides:
    """The plan that creates everything in a large repository, against the same in a small one."""
    return tuple(bench.cold(bench.corpus(n), "plan", "--quiet") for n in (large, small))


def against_terraform(bench: Workbench, n: int, *, full: bool) -> Sides:
    """A plan of one change, against terraform's with the same documents as its state and one of them changed."""
    corpus = bench.apply_both(n, BEFORE)
    ours = bench.full(corpus) if full else bench.ours(corpus, "plan", "--ref", "main")
    return ours, bench.once(("terraform plan", n), partial(terraform_plan, bench, n))


def terraform_plan(bench: Workbench, n: int) -> Command:
    """terraform's plan of one change."""
    directory = bench.out / f"terraform-plan-{n}"
    argv = (peers.terraform(), "plan", "-input=false", "-no-color", "-detailed-exitcode", "-lock=false")
    bench.call(
        bench.python, str(HERE / "peers.py"), "terraform", str(bench.corpus(n)), str(directory), "--applied", BEFORE
    )
    return Command(f"terraform plan, {n}", argv, cwd=directory, expect=2, once=True)


def against_octodns(bench: Workbench, n: int, *, full: bool) -> Sides:
    """A plan of one change, against octoDNS with as many records, one of them changed."""
    corpus, directory = bench.apply_both(n, BEFORE), bench.out / f"octodns-plan-{n}"
    program = peers.script(bench.peers, "octodns-sync")
    bench.call(bench.python, str(HERE / "peers.py"), "octodns", str(corpus), str(directory), "--applied", BEFORE)
    bench.call(program, "--config-file", "applied.json", "--doit", cwd=directory)
    ours = bench.full(corpus) if full else bench.ours(corpus, "plan", "--ref", "main")
    return ours, Command(f"octodns-sync, {n}", (program, "--config-file", "desired.json"), directory)


def first_against_octodns(bench: Workbench, n: int) -> Sides:
    """The plan that creates everything, against octoDNS' with nothing live."""
    corpus, directory = bench.corpus(n), bench.out / f"octodns-first-{n}"
    program = peers.script(bench.peers, "octodns-sync")
    bench.call(bench.python, str(HERE / "peers.py"), "octodns", str(corpus), str(directory))
    other = Command(f"octodns-sync, {n} new", (program, "--config-file", "desired.json", "--force"), directory)
    return bench.cold(corpus, "plan"), other


def drift_against_plan(bench: Workbench, n: int) -> Sides:
    """The drift check, against a plan of a commit that finds nothing to do."""
    corpus = bench.apply_both(n, "main")
    return bench.ours(corpus, "drift"), bench.ours(corpus, "plan", "--ref", "main")


def drift_against_select(bench: Workbench, n: int) -> Sides:
    """The drift check, against a program that only reads the fingerprints of all records."""
    corpus = bench.apply_both(n, "main")
    argv = (bench.python, "-c", SELECT.format(ROWS), str(corpus / ".reconciler/store.db"))
    return bench.ours(corpus, "drift"), Command(f"a bare SELECT, {n} rows", argv)
