"""What plans and the drift check are set against."""

from collections.abc import Callable
from functools import partial

import peers
from measuring import Command
from workbench import HERE, Sides, Workbench

Plan = Callable[[Workbench, int], Command]
"""Which of ours is compared."""

BEFORE = "main~1"
"""Applied before a plan of one change; the last commit changes one file."""

NOTHING, ONE = "Nothing to do", "1 to update."
"""What a plan of ours says."""

SELECT = "import sqlite3, sys; print(len(sqlite3.connect(sys.argv[1]).execute({!r}).fetchall()))"
ROWS = "SELECT kind, name, fingerprint FROM records"


def plan(bench: Workbench, n: int, applied: str, *words: str) -> Command:
    """A plan after `applied` was applied: of nothing, or of one change."""
    return bench.ours(bench.apply_both(n, applied), "plan", *words, says=ONE if applied == BEFORE else NOTHING)


def full(bench: Workbench, n: int) -> Command:
    """A plan of one change that compares everything with a full store, and finds nothing cached."""
    return bench.ours(bench.apply_both(n, BEFORE), "plan", "--full", says=ONE, prepare=bench.forget_caches)


def against_limit(bench: Workbench, n: int, applied: str, *words: str) -> Sides:
    """A plan after `applied` was applied, against the limit program."""
    return plan(bench, n, applied, *words), bench.limit(n, "plan")


def against_python(bench: Workbench, n: int, applied: str, *words: str) -> Sides:
    """A plan after `applied` was applied, against Python itself."""
    return plan(bench, n, applied, *words), bench.bare_python()


def of_the_tree_over_the_commit(bench: Workbench, n: int) -> Sides:
    """What a plan of the working tree takes on top of the same plan of its commit, against `git status`."""
    return plan(bench, n, BEFORE), bench.git_status(bench.corpus(n)), plan(bench, n, BEFORE, "--ref", "main")


def against_status(bench: Workbench, n: int, applied: str) -> Sides:
    """A plan of the working tree, against what git takes to tell whether it is clean."""
    return plan(bench, n, applied), bench.git_status(bench.corpus(n))


def full_against_plain(bench: Workbench, n: int) -> Sides:
    """A plan that compares everything, against the same written plainly with the usual packages."""
    database = bench.out / f"plain-plan-{n}.db"
    corpus = bench.apply_both(n, BEFORE)
    bench.call("git", "-C", str(corpus), "checkout", "-q", BEFORE)
    try:
        bench.call(*bench.script("plain.py", str(corpus), str(database), "apply").argv)
    finally:
        bench.call("git", "-C", str(corpus), "checkout", "-q", "main")
    return full(bench, n), bench.script("plain.py", str(corpus), str(database), "plan", says="1 to change")


def growth(bench: Workbench, large: int, small: int, *words: str) -> Sides:
    """A plan of one change in a large repository, against the same in a small one."""
    return tuple(plan(bench, n, BEFORE, *words) for n in (large, small))


def limit_growth(bench: Workbench, large: int, small: int, mode: str) -> Sides:
    """The limit program in a large repository, against itself in a small one."""
    for n in (large, small):
        bench.apply_both(n, BEFORE)
    return bench.limit(large, mode), bench.limit(small, mode)


def one_against_full(bench: Workbench, n: int) -> Sides:
    """A plan of what moved, against the same plan of everything."""
    return plan(bench, n, BEFORE), plan(bench, n, BEFORE, "--full")


def full_against_limit(bench: Workbench, n: int) -> Sides:
    """A plan that compares everything and finds nothing cached, against the limit program."""
    return full(bench, n), bench.limit(n, "plan-full", "tree")


def full_growth(bench: Workbench, large: int, small: int) -> Sides:
    """A plan that compares everything in a large repository, against the same in a small one."""
    return tuple(full(bench, n) for n in (large, small))


def one(bench: Workbench, n: int) -> Command:
    """A plan of a commit, of one change."""
    return plan(bench, n, BEFORE, "--ref", "main")


def against_terraform(bench: Workbench, n: int, ours: Plan) -> Sides:
    """A plan of one change, against terraform's with the same documents as its state and one of them changed."""
    return ours(bench, n), bench.once(("terraform plan", n), partial(terraform_plan, bench, n))


def terraform_plan(bench: Workbench, n: int) -> Command:
    """terraform's plan of one change."""
    directory = bench.out / f"terraform-plan-{n}"
    argv = (peers.terraform(), "plan", "-input=false", "-no-color", "-detailed-exitcode", "-lock=false")
    bench.call(
        bench.python, str(HERE / "peers.py"), "terraform", str(bench.corpus(n)), str(directory), "--applied", BEFORE
    )
    return Command(f"terraform plan, {n}", argv, cwd=directory, expect=2, once=True, says="0 to add, 1 to change")


def against_octodns(bench: Workbench, n: int, ours: Plan) -> Sides:
    """A plan of one change, against octoDNS with as many records, one of them changed."""
    corpus, directory = bench.corpus(n), bench.out / f"octodns-plan-{n}"
    program = peers.script(bench.peers, "octodns-sync")
    bench.call(bench.python, str(HERE / "peers.py"), "octodns", str(corpus), str(directory), "--applied", BEFORE)
    bench.call(program, "--config-file", "applied.json", "--doit", cwd=directory)
    return ours(bench, n), Command(
        f"octodns-sync, {n}", (program, "--config-file", "desired.json"), directory, says="Creates=0, Updates=1,"
    )


def first_against_octodns(bench: Workbench, n: int) -> Sides:
    """The plan that creates everything, against octoDNS' with nothing live."""
    corpus, directory = bench.corpus(n), bench.out / f"octodns-first-{n}"
    program = peers.script(bench.peers, "octodns-sync")
    bench.call(bench.python, str(HERE / "peers.py"), "octodns", str(corpus), str(directory))
    other = Command(
        f"octodns-sync, {n} new", (program, "--config-file", "desired.json", "--force"), directory, says=f"Creates={n}"
    )
    return bench.cold(corpus, "plan", says=" to create"), other


def drift(bench: Workbench, n: int) -> Command:
    """The drift check, with a store that nobody else has written to."""
    return bench.ours(bench.apply_both(n, BEFORE), "drift", says="No drift")


def drift_against_plan(bench: Workbench, n: int) -> Sides:
    """The drift check, against a plan of a commit that finds nothing to do."""
    return drift(bench, n), bench.ours(bench.corpus(n), "plan", "--ref", BEFORE, says=NOTHING)


def drift_against_python(bench: Workbench, n: int) -> Sides:
    """The drift check, against Python itself."""
    return drift(bench, n), bench.bare_python()


def drift_against_select(bench: Workbench, n: int) -> Sides:
    """The drift check, against a program that only reads the fingerprints of all records."""
    argv = (bench.python, "-c", SELECT.format(ROWS), str(bench.corpus(n) / ".reconciler/store.db"))
    return drift(bench, n), Command(f"a bare SELECT, {n} rows", argv)
