"""What is measured: each case sets two commands against one another and may have a goal."""

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import peers
from measuring import Command

HERE = Path(__file__).resolve().parent
SCHEMA = HERE.parent / "schemas/connector.schema.json"
INVALID = 3
"""Exit code of `reconciler validate` for invalid definitions."""

Pair = tuple[Command, Command]


@dataclass(frozen=True, slots=True)
class Goal:
    """What we want of a comparison: the largest ratio of wall times, the largest peak of ours in megabytes."""

    ratio: float
    peak_megabytes: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison.

    Attributes:
        build: makes what the case needs and gives the two commands.
        runs: how many pairs make a result.
        heavy: takes minutes; left out of a quick run.
    """

    name: str
    build: Callable[["Workbench"], Pair]
    goal: Goal | None = None
    runs: int = 9
    heavy: bool = False


@dataclass(frozen=True, slots=True)
class Workbench:
    """Where corpora and peers lie, and how our programs are started.

    Attributes:
        out: directory for everything that is made here.
        python: interpreter that runs the product, the limit program and the plain one.
        reconciler: first words of the product's command.
        environment: what every command gets.
    """

    out: Path
    python: str
    reconciler: tuple[str, ...]
    environment: Mapping[str, str]

    def corpus(self, n: int, bad: int = 0) -> Path:
        """A corpus of `n` connectors, made on first use and made anew when corpus.py has changed."""
        directory = self.out / "corpora" / (f"{n}-bad-{bad}" if bad else str(n))
        stamp = directory.with_suffix(".stamp")
        script = HERE / "corpus.py"
        if not (stamp.exists() and stamp.read_bytes() == script.read_bytes()):
            shutil.rmtree(directory, ignore_errors=True)
            self.call(self.python, str(script), str(n), str(directory), "--bad", str(bad), "--git", "--check")
            stamp.write_bytes(script.read_bytes())
        return directory

    def ours(self, corpus: Path, *words: str, expect: int = 0, cold: bool = False) -> Command:
        """A command of the product in a corpus; `cold` forgets its store and caches before each run."""
        label = f"reconciler {words[0]}, {corpus.name}"
        argv = (*self.reconciler, "-C", str(corpus), *self.options(words[0], corpus), *words)
        prepare = partial(self.forget, corpus) if cold else lambda: None
        return Command(label, argv, cwd=HERE.parent, expect=expect, prepare=prepare)

    def options(self, verb: str, corpus: Path) -> tuple[str, ...]:
        """Global options that a verb needs: validate reads no secrets."""
        return () if verb == "validate" else ("--env-file", str(corpus / ".env"))

    def script(self, name: str, *arguments: str, prepare: Callable[[], None] = lambda: None) -> Command:
        """One of the programs beside this file."""
        return Command(f"{name} {arguments[2]}", (self.python, str(HERE / name), *arguments), prepare=prepare)

    def bare_python(self) -> Command:
        """The least that a Python program can take."""
        return Command("python -c pass", (self.python, "-c", "pass"))

    def database(self, n: int) -> Path:
        """Path of the limit program's database."""
        return self.out / f"limit-{n}.db"

    def forget(self, corpus: Path) -> None:
        """Drop the product's store and whatever it caches."""
        shutil.rmtree(corpus / ".reconciler", ignore_errors=True)
        shutil.rmtree(self.environment["XDG_CACHE_HOME"], ignore_errors=True)

    def apply_both(self, n: int, revision: str) -> None:
        """Apply a revision of a corpus with the product and with the limit program, then return to the last one."""
        corpus = self.corpus(n)
        self.forget(corpus)
        remove_database(self.database(n))
        self.call("git", "-C", str(corpus), "checkout", "-q", revision)
        try:
            self.call(*self.ours(corpus, "apply", "--yes", "--quiet").argv)
            self.call(self.python, str(HERE / "limit.py"), str(corpus), str(self.database(n)), "apply")
        finally:
            self.call("git", "-C", str(corpus), "checkout", "-q", "main")

    def call(self, *argv: str) -> None:
        """Run a command that is not measured; its words go to standard error."""
        subprocess.run(argv, check=True, cwd=HERE.parent, stdout=sys.stderr, env=dict(self.environment))

    @property
    def peers(self) -> Path:
        """Environment of the peers."""
        return self.out / "peers"


def remove_database(path: Path) -> None:
    """Remove an SQLite database with its side files."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def connector_directories(corpus: Path) -> list[str]:
    """Directories that hold connectors and nothing else; the categories' file stands above them."""
    return sorted(entry.path for entry in os.scandir(corpus / "connectors") if entry.is_dir())


def connector_files(corpus: Path) -> list[str]:
    """All connectors' files."""
    return sorted(str(path) for directory in connector_directories(corpus) for path in Path(directory).rglob("*.yaml"))


def start_up(bench: Workbench, option: str) -> Pair:
    """A command that does nothing, against Python itself."""
    return Command(f"reconciler {option}", (*bench.reconciler, option), cwd=HERE.parent), bench.bare_python()


def validate_against_limit(bench: Workbench, n: int) -> Pair:
    """Cold validation against the least program that reads, parses and decides."""
    corpus = bench.corpus(n)
    limit = bench.script("limit.py", str(corpus), str(bench.database(n)), "validate", "--from", "tree")
    return bench.ours(corpus, "validate", cold=True), limit


def validate_commit_against_limit(bench: Workbench, n: int) -> Pair:
    """Cold validation of a commit instead of the working tree, against the limit program doing the same."""
    corpus = bench.corpus(n)
    limit = bench.script("limit.py", str(corpus), str(bench.database(n)), "validate", "--from", "git")
    return bench.ours(corpus, "validate", "--ref", "HEAD", cold=True), limit


def validate_against_check_jsonschema(bench: Workbench, n: int) -> Pair:
    """Cold validation against the usual Python tool on the connectors' files."""
    corpus = bench.corpus(n)
    program = peers.script(bench.peers, "check-jsonschema")
    argv = (program, "--schemafile", str(SCHEMA), *connector_files(corpus))
    return bench.ours(corpus, "validate", cold=True), Command("check-jsonschema", argv)


def validate_against_sourcemeta(bench: Workbench, n: int, *options: str) -> Pair:
    """Cold validation against the native validator (C++) on the connectors' directories."""
    corpus = bench.corpus(n)
    argv = (peers.sourcemeta(bench.peers), "validate", *options, str(SCHEMA), *connector_directories(corpus))
    label = " ".join(("sourcemeta jsonschema validate", *options))
    return bench.ours(corpus, "validate", cold=True), Command(label, argv)


def validate_faulty(bench: Workbench, n: int, bad: int) -> Pair:
    """Validation that has something to explain, against one that has not."""
    faulty = bench.ours(bench.corpus(n, bad), "validate", expect=INVALID, cold=True)
    return faulty, bench.ours(bench.corpus(n), "validate", cold=True)


def apply_against_validate(bench: Workbench, n: int) -> Pair:
    """Applying everything for the first time, against validating it."""
    corpus = bench.corpus(n)
    return bench.ours(corpus, "apply", "--yes", cold=True), bench.ours(corpus, "validate", cold=True)


def apply_against_limit(bench: Workbench, n: int) -> Pair:
    """Applying everything for the first time, against the limit program."""
    corpus, database = bench.corpus(n), bench.database(n)
    limit = bench.script("limit.py", str(corpus), str(database), "apply", prepare=partial(remove_database, database))
    return bench.ours(corpus, "apply", "--yes", cold=True), limit


def apply_against_plain(bench: Workbench, n: int) -> Pair:
    """Applying everything for the first time, against the same written plainly with the usual packages."""
    corpus, database = bench.corpus(n), bench.out / f"plain-{n}.db"
    plain = bench.script("plain.py", str(corpus), str(database), "apply", prepare=partial(remove_database, database))
    return bench.ours(corpus, "apply", "--yes", cold=True), plain


def apply_against_terraform(bench: Workbench, n: int) -> Pair:
    """Applying everything for the first time, against terraform storing the same documents."""
    corpus, directory = bench.corpus(n), bench.out / f"terraform-{n}"
    program = peers.terraform()
    bench.call(bench.python, str(HERE / "peers.py"), "terraform", str(corpus), str(directory))
    argv = (program, "apply", "-auto-approve", "-input=false", "-no-color")
    return bench.ours(corpus, "apply", "--yes", cold=True), Command("terraform apply", argv, cwd=directory, once=True)


def apply_against_octodns(bench: Workbench, n: int) -> Pair:
    """Applying everything for the first time, against octoDNS writing as many records."""
    corpus, directory = bench.corpus(n), bench.out / f"octodns-{n}"
    program = peers.script(bench.peers, "octodns-sync")
    bench.call(bench.python, str(HERE / "peers.py"), "octodns", str(corpus), str(directory))
    argv = (program, "--config-file", "config.yaml", "--doit")
    prepare = partial(peers.remake, directory / "live")
    return bench.ours(corpus, "apply", "--yes", cold=True), Command("octodns-sync --doit", argv, directory, 0, prepare)


def plan_against_limit(bench: Workbench, n: int, applied: str) -> Pair:
    """A plan after `applied` was applied, against the limit program."""
    bench.apply_both(n, applied)
    corpus = bench.corpus(n)
    return bench.ours(corpus, "plan"), bench.script("limit.py", str(corpus), str(bench.database(n)), "plan")


def plan_against_python(bench: Workbench, n: int, applied: str, *words: str) -> Pair:
    """A plan after `applied` was applied, against Python itself."""
    bench.apply_both(n, applied)
    bench.call(*bench.ours(bench.corpus(n), "plan").argv)  # so that what comes of the project file is noted
    return bench.ours(bench.corpus(n), "plan", *words), bench.bare_python()


def plan_against_full(bench: Workbench, n: int) -> Pair:
    """A plan of what moved, against the same plan of everything."""
    bench.apply_both(n, "main~1")
    return bench.ours(bench.corpus(n), "plan"), bench.ours(bench.corpus(n), "plan", "--full")


def plan_against_status(bench: Workbench, n: int, applied: str) -> Pair:
    """A plan of the working tree, against what git takes to tell whether it is clean."""
    ours, _ = plan_against_python(bench, n, applied)
    return ours, Command("git status", ("git", "-C", str(bench.corpus(n)), "status", "--porcelain"))


def plan_growth(bench: Workbench, large: int, small: int, *words: str) -> Pair:
    """A plan of one change in a large repository, against the same in a small one."""
    for n in (large, small):
        bench.apply_both(n, "main~1")
    return bench.ours(bench.corpus(large), "plan", *words), bench.ours(bench.corpus(small), "plan", *words)


def slow_server(bench: Workbench, seconds: float) -> int:
    """Start a server that answers after `seconds`; it ends with this process. Returns its port."""
    argv = (bench.python, str(HERE / "slow_server.py"), str(seconds))
    server = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    atexit.register(server.kill)
    assert server.stdout is not None
    return int(server.stdout.readline())


def with_connectors(bench: Workbench, name: str, port: int, count: int) -> Path:
    """A repository, applied, with connectors of a server on loopback that want access tokens."""
    root = bench.out / name
    shutil.rmtree(root, ignore_errors=True)
    (root / "connectors").mkdir(parents=True)
    head = "apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
    parts = [head.format(kind="Category", name="crm") + "spec: {displayName: CRM}\n"]
    for index in range(count):
        parts.append(
            head.format(kind="Connector", name=f"c{index:03}")
            + f"""spec:
  displayName: Connector {index}
  categories: [crm]
  authorization:
    method: oauth2-client-credentials
    tokenUrl: http://127.0.0.1:{port}/token
    clientId: client-{index}
    clientSecret: {{env: SECRET}}
  endpoints:
    get: {{method: GET, url: "http://127.0.0.1:{port}/contacts"}}
"""
        )
    (root / "connectors/all.yaml").write_text("---\n".join(parts))
    (root / ".env").write_text("SECRET=made-up\n")
    bench.call(*bench.ours(root, "apply", "--yes", "--tokens", "demand", "--quiet").argv)
    return root


def fetch_tokens(bench: Workbench, count: int, seconds: float, parallelism: int) -> Pair:
    """Fetching tokens from a server that takes its time, against just waiting as long as that must take."""
    root = with_connectors(bench, "tokens", slow_server(bench, seconds), count)
    names = [f"c{index:03}" for index in range(count)]
    ours = bench.ours(root, "token", "fetch", "--parallelism", str(parallelism), *names)
    return ours, waiting(bench, seconds * count / parallelism)


def call_against_httpx(bench: Workbench) -> Pair:
    """Calling an endpoint, against the same request by httpx alone."""
    port = slow_server(bench, 0)
    root = with_connectors(bench, "call", port, 1)
    bench.call(*bench.ours(root, "token", "fetch", "--quiet").argv)
    program = (
        "import httpx; answer = httpx.get('http://127.0.0.1:%d/contacts', headers={'Authorization': 'Bearer made-up'});"
        " print(answer.status_code, answer.headers, answer.text)" % port
    )
    return bench.ours(root, "call", "c000", "get"), Command("httpx.get", (bench.python, "-c", program))


def people(bench: Workbench, n: int) -> Path:
    """A corpus with 10,000 users, 1,000 nested groups and 1,000 policies; see people.py."""
    directory = bench.out / "corpora" / f"{n}-people"
    stamp = directory.with_suffix(".stamp")
    made_by = b"".join((HERE / name).read_bytes() for name in ("corpus.py", "people.py"))
    if not (stamp.exists() and stamp.read_bytes() == made_by):
        bench.call(bench.python, str(HERE / "people.py"), str(bench.corpus(n)), str(directory))
        stamp.write_bytes(made_by)
    return directory


def waiting(bench: Workbench, seconds: float) -> Command:
    """Nothing, for as long as something may take."""
    return Command(f"sleep {seconds:g}", (bench.python, "-c", f"import time; time.sleep({seconds})"))


def decide(bench: Workbench, count: int, against: str) -> Pair:
    """Loading people and policies and deciding `count` times, against another engine or a millisecond for each."""

    def command(python: str, engine: str) -> Command:
        argv = (python, str(HERE / "decisions.py"), engine, "--count", str(count))
        return Command(f"decisions.py {engine}", argv)

    other = command(peers.script(bench.peers, "python"), against) if against else waiting(bench, count / 1_000)
    return command(bench.python, "ours"), other


def access_diff_against_waiting(bench: Workbench, n: int, seconds: float, base: str, head: str) -> Pair:
    """The access diff of one policy changed."""
    return bench.ours(people(bench, n), "access-diff", "--base", base, "--head", head), waiting(bench, seconds)


def authorize_growth(bench: Workbench, large: int, small: int) -> Pair:
    """The gate's judgement of one connector changed in a large repository, against the same in a small one."""

    def command(n: int) -> Command:
        words = ("authorize", "--base", "root", "--head", "connector", "--actor", "owner-0")
        return bench.ours(people(bench, n), *words)

    return command(large), command(small)


CASES = (
    Case("version", partial(start_up, option="--version"), Goal(1.5), runs=25),
    Case("help", partial(start_up, option="--help"), Goal(3), runs=25),
    Case("validate-1k-limit", partial(validate_against_limit, n=1_000), Goal(2.2), runs=15),
    Case("validate-1k-check-jsonschema", partial(validate_against_check_jsonschema, n=1_000), Goal(1 / 25), runs=3),
    Case("validate-10k-limit", partial(validate_against_limit, n=10_000)),
    Case("validate-10k-commit-limit", partial(validate_commit_against_limit, n=10_000)),
    Case("validate-10k-sourcemeta", partial(validate_against_sourcemeta, n=10_000), Goal(0.8)),
    Case("validate-10k-sourcemeta-fast", lambda bench: validate_against_sourcemeta(bench, 10_000, "--fast")),
    Case("validate-10k-bad", partial(validate_faulty, n=10_000, bad=100), Goal(1.15)),
    Case("apply-1k-terraform", partial(apply_against_terraform, n=1_000), Goal(1 / 300), runs=5, heavy=True),
    Case("apply-1k-octodns", partial(apply_against_octodns, n=1_000)),
    Case("apply-1k-limit", partial(apply_against_limit, n=1_000)),
    Case("apply-1k-plain", partial(apply_against_plain, n=1_000), runs=3),
    Case("apply-10k-validate", partial(apply_against_validate, n=10_000), Goal(1.6, peak_megabytes=150)),
    Case("apply-10k-limit", partial(apply_against_limit, n=10_000)),
    Case("plan-nothing-1k-limit", partial(plan_against_limit, n=1_000, applied="main"), runs=15),
    Case("plan-nothing-10k-limit", partial(plan_against_limit, n=10_000, applied="main"), runs=15),
    Case(
        "plan-nothing-10k-commit-python",
        lambda bench: plan_against_python(bench, 10_000, "main", "--ref", "main"),
        Goal(4),
        runs=15,
    ),
    Case("plan-nothing-10k-python", lambda bench: plan_against_python(bench, 10_000, "main"), runs=15),
    Case("plan-nothing-10k-status", partial(plan_against_status, n=10_000, applied="main"), runs=15),
    Case(
        "plan-one-10k-commit-python",
        lambda bench: plan_against_python(bench, 10_000, "main~1", "--ref", "main"),
        Goal(6, peak_megabytes=64),
        runs=15,
    ),
    Case("plan-one-10k-full", lambda bench: plan_against_full(bench, 10_000)),
    Case("plan-one-1k-limit", partial(plan_against_limit, n=1_000, applied="main~1"), runs=15),
    Case("plan-one-10k-limit", partial(plan_against_limit, n=10_000, applied="main~1"), runs=15),
    Case("tokens-200", partial(fetch_tokens, count=200, seconds=0.1, parallelism=8), Goal(1.5), runs=5),
    Case("decide-1k-a-millisecond-each", partial(decide, count=1_000, against=""), Goal(1)),
    Case("decide-1k-casbin", partial(decide, count=1_000, against="casbin"), runs=3),
    Case("decide-1k-cedar", partial(decide, count=1_000, against="cedar"), runs=3),
    Case(
        "access-diff-10k-2s",
        partial(access_diff_against_waiting, n=10_000, seconds=2, base="base", head="policy"),
        Goal(1),
    ),
    Case(
        "access-diff-10k-everybody-2s",
        partial(access_diff_against_waiting, n=10_000, seconds=2, base="policy", head="root"),
    ),
    Case("authorize-one-10k-1k", partial(authorize_growth, large=10_000, small=1_000), Goal(1.5), runs=15),
    Case("call-httpx", call_against_httpx, Goal(2), runs=15),
    Case("plan-one-10k-1k", partial(plan_growth, large=10_000, small=1_000), runs=15),
    Case(
        "plan-one-10k-1k-commit", lambda bench: plan_growth(bench, 10_000, 1_000, "--ref", "main"), Goal(1.6), runs=15
    ),
    Case(
        "plan-one-100k-1k-commit",
        lambda bench: plan_growth(bench, 100_000, 1_000, "--ref", "main"),
        Goal(1.6),
        runs=15,
        heavy=True,
    ),
)
