"""What first applies are set against."""

from functools import partial

import peers
from measuring import Command
from workbench import HERE, Sides, Workbench, remove_database


def ours(bench: Workbench, n: int) -> Command:
    """Applying everything for the first time."""
    return bench.cold(bench.corpus(n), "apply", "--yes")


def against_validate(bench: Workbench, n: int) -> Sides:
    """An apply against validating the same."""
    return ours(bench, n), bench.cold(bench.corpus(n), "validate")


def against_limit(bench: Workbench, n: int) -> Sides:
    """An apply against the limit program."""
    return ours(bench, n), bench.limit(n, "apply", prepare=partial(remove_database, bench.database(n)))


def against_plain(bench: Workbench, n: int) -> Sides:
    """An apply against the same written plainly with the usual packages."""
    database = bench.out / f"plain-{n}.db"
    prepare = partial(remove_database, database)
    return ours(bench, n), bench.script("plain.py", str(bench.corpus(n)), str(database), "apply", prepare=prepare)


def against_terraform(bench: Workbench, n: int) -> Sides:
    """An apply against terraform storing the same documents."""
    return ours(bench, n), bench.once(("terraform apply", n), partial(terraform_apply, bench, n))


def terraform_apply(bench: Workbench, n: int) -> Command:
    """terraform's first apply."""
    directory = bench.out / f"terraform-{n}"
    argv = (peers.terraform(), "apply", "-auto-approve", "-input=false", "-no-color")
    bench.call(bench.python, str(HERE / "peers.py"), "terraform", str(bench.corpus(n)), str(directory))
    return Command(f"terraform apply, {n}", argv, cwd=directory, once=True)


def against_octodns(bench: Workbench, n: int) -> Sides:
    """An apply against octoDNS writing as many records."""
    directory = bench.out / f"octodns-{n}"
    program = peers.script(bench.peers, "octodns-sync")
    bench.call(bench.python, str(HERE / "peers.py"), "octodns", str(bench.corpus(n)), str(directory))
    argv = (program, "--config-file", "desired.json", "--doit")
    prepare = partial(peers.remake, directory / "live")
    return ours(bench, n), Command(f"octodns-sync --doit, {n}", argv, directory, prepare=prepare)
