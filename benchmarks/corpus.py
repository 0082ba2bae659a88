"""Write a configuration repository of any size, the corpus of all measurements.

    python benchmarks/corpus.py N DIR [--bad K] [--seed S] [--git] [--check]

One connector a file, about 2.4 KB and 74 lines each, in directories of at most 500 files; the categories stand in
``connectors/categories.yaml``. The same arguments always write the same bytes. Secrets are references to a handful of
environment variables, whose (invented) values stand in ``DIR/.env``.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
FILES_PER_DIRECTORY = 500
CHANGED_FILE = 41
"""Index of the connector that the second commit of ``--git`` changes."""

TEAMS = ("billing", "crm", "data", "identity", "logistics", "marketing", "ops", "payments", "search", "support")
VENDORS = ("acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "wonka", "tyrell", "cyberdyne")
NOUNS = ("orders", "invoices", "contacts", "tickets", "shipments", "users", "events", "products", "refunds", "reports")
REGIONS = ("eu-west-1", "us-east-1", "ap-south-1")
FLAGS = ("true", "false")
VERBS = (("list", "GET"), ("create", "POST"), ("replace", "PUT"), ("remove", "DELETE"))
SHARE_WITH_API_KEY = 0.2
CATEGORIES = (*(f"team-{team}" for team in TEAMS), "public", "partner", "internal", "reference")
SECRETS = ("BENCH_PASSWORD", "BENCH_TOKEN", "BENCH_CLIENT_SECRET", "BENCH_API_KEY", "BENCH_TOKEN_PASSWORD")

Lines = list[str]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to spoil a connector's file: the first `old` becomes `new`."""

    name: str
    old: str
    new: str


FAULTS = (
    Fault("unknown key", "      timeoutSeconds: ", "      timeoutSecond: "),
    Fault("wrong type", "      timeoutSeconds: ", "      timeoutSeconds: about "),
    Fault("unknown category", "  categories:\n    - ", "  categories:\n    - no-"),
    Fault("bad enum", "      method: GET", "      method: FETCH"),
    Fault("YAML syntax error", "  displayName: ", "  displayName: ["),
    Fault("ambiguous scalar", "      timeoutSeconds: ", "      timeoutSeconds: 0"),
)


def main() -> None:
    """Write what the command line asks for and say how large it became."""
    args = parse_arguments()
    size = write_corpus(args.directory, args.n, bad=args.bad, seed=args.seed)
    if args.check:
        check_corpus(args.directory, faulty=bad_indexes(args.n, args.bad), seed=args.seed)
    if args.git:
        make_repository(args.directory, args.seed)
    print(f"{args.n} connectors, {size / max(args.n, 1):.0f} bytes each, {args.bad} of them faulty")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write a configuration repository of N connectors.")
    parser.add_argument("n", type=int, help="how many connectors")
    parser.add_argument("directory", type=Path, help="where; a directory that already holds files is refused")
    parser.add_argument("--bad", type=int, default=0, metavar="K", help="spoil K of them, one fault each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--git", action="store_true", help="two commits, the second changes one file")
    parser.add_argument("--check", action="store_true", help="validate against schemas/ (needs jsonschema-rs, yaml-rs)")
    args = parser.parse_args()
    if args.directory.exists() and any(args.directory.iterdir()):
        parser.error(f"{args.directory} is not empty")
    if args.bad > args.n:
        parser.error("--bad may not exceed N")
    return args


def write_corpus(directory: Path, n: int, *, bad: int, seed: int) -> int:
    """Write all files of a repository of `n` connectors; return the connectors' size in bytes."""
    faulty = {index: FAULTS[turn % len(FAULTS)] for turn, index in enumerate(sorted(bad_indexes(n, bad)))}
    write_file(directory / "connectors/categories.yaml", categories())
    write_file(directory / ".env", "".join(f"{name}=made-up-{name.lower()}-0123456789\n" for name in SECRETS))
    write_file(directory / ".gitignore", ".reconciler/\n.env\n")
    write_file(directory / "reconciler.yaml", PROJECT)
    size = 0
    for index in range(n):
        text = connector(index, seed)
        if index in faulty:
            text = spoil(text, faulty[index])
        write_file(directory / connector_path(index, seed), text)
        size += len(text)
    return size


def bad_indexes(n: int, bad: int) -> frozenset[int]:
    """Indexes of the faulty connectors, spread evenly."""
    return frozenset(turn * n // bad for turn in range(bad))


def spoil(text: str, fault: Fault) -> str:
    """Put one fault into a connector's text."""
    if fault.old not in text:
        raise ValueError(f"no place for the fault {fault.name!r}")
    return text.replace(fault.old, fault.new, 1)


PROJECT = """\
apiVersion: reconciler/v1
kind: Project
owner: benchmarks
targets:
  local: {store: "sqlite:.reconciler/store.db", tokens: demand}  # no server here would give one
"""


def write_file(path: Path, text: str) -> None:
    """Write a file and the directories above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def categories() -> str:
    """All categories, one document each."""
    return "---\n".join(
        "apiVersion: reconciler/v1\n"
        "kind: Category\n"
        f"metadata: {{name: {name}}}\n"
        f"spec: {{displayName: {name.replace('-', ' ').capitalize()}}}\n"
        for name in CATEGORIES
    )


def connector_name(index: int, seed: int) -> str:
    """Name of the connector with this index; unique because it ends with the index."""
    rng = random.Random(f"{seed} name {index}")
    return f"{rng.choice(VENDORS)}-{NOUNS[index % len(NOUNS)]}-{index:06d}"


def connector_path(index: int, seed: int) -> Path:
    """Path of a connector's file, relative to the repository's root."""
    team = TEAMS[index % len(TEAMS)]
    shard = index // len(TEAMS) // FILES_PER_DIRECTORY
    return Path("connectors", team, f"{shard:02d}", connector_name(index, seed) + ".yaml")


def connector(index: int, seed: int) -> str:
    """Text of one connector's file: comments, all quoting styles, folded text, flow and block collections."""
    rng = random.Random(f"{seed} body {index}")
    name = connector_name(index, seed)
    vendor = name.partition("-")[0]
    noun, team = NOUNS[index % len(NOUNS)], TEAMS[index % len(TEAMS)]
    lines = [
        f"# {name}: owned by the {team} team",
        "# Reviewed by the platform group; see the runbook before editing.",
        "apiVersion: reconciler/v1",
        "kind: Connector",
        "metadata:",
        f"  name: {name}",
        "  labels:",
        f"    team: {team}",
        f"    region: '{rng.choice(REGIONS)}'",
        f'    pci: "{rng.choice(FLAGS)}"   # quoted: labels are texts',
        "spec:",
        f'  displayName: "{vendor.title()} {noun} ({index})"',
        "  description: >-",
        f"    Reads {noun} from {vendor.title()} and publishes them to the internal bus.",
        f"    Falls back to polling every {rng.randrange(1, 60)} minutes when webhooks are down.",
        "  categories:",
        f"    - team-{team}",
        *(f"    - {category}" for category in rng.sample(CATEGORIES[len(TEAMS) :], rng.randrange(0, 3))),
        *authorization(rng, vendor),
        f"  status: {rng.choice(('active', 'active', 'inactive'))}",
        "  endpoints:",
    ]
    for purpose, method in VERBS[: rng.choice((3, 3, 4))]:
        lines += endpoint(rng, vendor, noun, purpose, method)
    return "\n".join(lines) + "\n"


def authorization(rng: random.Random, vendor: str) -> Lines:
    """Lines of an authorization, any of the methods."""
    token_url = f"https://auth.{vendor}.example.com/oauth/token"
    variants: tuple[Lines, ...] = (
        ["    method: none"],
        ["    method: basic", f"    username: 'svc-{vendor}'", "    password: {env: BENCH_PASSWORD}  # rotated by ops"],
        ["    method: bearer", "    token: {env: BENCH_TOKEN}"],
        [
            "    method: bearer",
            "    tokenRequest:",
            f'      url: "{token_url}"',
            f"      username: svc-{vendor}",
            "      password: {env: BENCH_TOKEN_PASSWORD}",
        ],
        [
            "    method: oauth2-password",
            f"    tokenUrl: {token_url}",
            "    clientId: onboarding",
            "    clientSecret: {env: BENCH_CLIENT_SECRET}",
            f'    username: "svc-{vendor}"',
            "    password: {env: BENCH_PASSWORD}",
        ],
        [
            "    method: oauth2-client-credentials",
            f"    tokenUrl: '{token_url}'",
            "    clientId: onboarding",
            "    clientSecret:",
            "      env: BENCH_CLIENT_SECRET",
            '    scopes: [read, "write:orders"]',
        ],
    )
    return ["  authorization:", *rng.choice(variants)]


def endpoint(rng: random.Random, vendor: str, noun: str, purpose: str, method: str) -> Lines:
    """Lines of one endpoint."""
    url = f"https://api.{vendor}.example.com/v{rng.randrange(1, 5)}/{noun}/{{{{account}}}}"
    lines = [
        f"    # {method} {noun}",
        f"    {purpose}:",
        f"      method: {method}",
        "      url: " + rng.choice((url, f"'{url}'", f'"{url}"')),
        "      params:",
        f'        - {{name: limit, value: "{rng.randrange(10, 500)}", required: true}}',
        *(["        - {name: cursor, value: '{{cursor}}'}"] if method == "GET" else []),
        "      headers:",
        "        - {name: Accept, value: application/json}",
        "        - name: X-Trace",
        f'          value: "trace-{rng.randrange(16**8):08x}"',
    ]
    if rng.random() < SHARE_WITH_API_KEY:
        lines += ["        - {name: X-Api-Key, value: {env: BENCH_API_KEY}, required: true}"]
    if method in ("POST", "PUT"):
        lines += ["      bodyType: json", """      body: '{"account": "{{account}}", "note": "{{note}}"}'"""]
    return [
        *lines,
        '      sample: {account: "42", cursor: "", note: From a test}',
        f"      timeoutSeconds: {rng.randrange(10, 120)}",
        f"      retry: {{attempts: {rng.randrange(5)}, waitSeconds: {rng.randrange(1, 30)}}}",
    ]


def make_repository(directory: Path, seed: int) -> None:
    """Make the corpus a git repository with two commits; the second changes exactly one file."""
    shutil.rmtree(directory / ".git", ignore_errors=True)
    initialize(directory)
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "All connectors")
    changed = directory / connector_path(min(CHANGED_FILE, connector_count(directory) - 1), seed)
    text = changed.read_text(encoding="utf-8")
    changed.write_text(text.replace("timeoutSeconds: ", "timeoutSeconds: 1", 1), encoding="utf-8")
    git(directory, "commit", "-q", "-a", "-m", "One change")
    git(directory, "gc", "-q")


def initialize(directory: Path) -> None:
    """Make a directory an empty git repository."""
    git(directory, "init", "-q", "-b", "main")
    for key, value in (("user.email", "bench@example.com"), ("user.name", "bench"), ("gc.auto", "0")):
        git(directory, "config", key, value)


def connector_count(directory: Path) -> int:
    """How many connectors the corpus holds."""
    return sum(1 for path in (directory / "connectors").rglob("*.yaml") if path.name != "categories.yaml")


def git(directory: Path, *arguments: str) -> None:
    """Run git in the corpus, without the user's own configuration."""
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "-C", str(directory), *arguments], check=True, env=env)


def check_corpus(directory: Path, *, faulty: frozenset[int], seed: int) -> None:
    """Make sure that the clean files satisfy the schemas and that addresses and display names are unique."""
    bad_paths = {directory / connector_path(index, seed) for index in faulty}
    clean = (path for path in (directory / "connectors").rglob("*.yaml") if path not in bad_paths)
    seen: set[tuple[str, str]] = set()
    for path, document in documents(clean):
        kind, name = document["kind"], document["metadata"]["name"]
        for identity in ((kind, name), (f"{kind} called", document["spec"]["displayName"].casefold())):
            if identity in seen:
                sys.exit(f"{path}: {' '.join(identity)} is not unique")
            seen.add(identity)


def documents(paths: Iterator[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Read files and yield their documents once the schema of their kind has accepted them."""
    import json

    import jsonschema_rs
    import yaml_rs

    accept = {
        kind: jsonschema_rs.validator_for(json.loads((SCHEMAS / f"{kind.lower()}.schema.json").read_text())).validate
        for kind in ("Connector", "Category")
    }
    for path in paths:
        loaded = yaml_rs.loads(path.read_text(encoding="utf-8"), parse_datetime=False)
        for document in loaded if isinstance(loaded, list) else [loaded]:
            accept[document["kind"]](document)
            yield path, document


if __name__ == "__main__":
    main()
