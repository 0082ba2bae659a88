"""The limit: the least program that really validates, plans and applies a corpus, to know what is physically possible.

    python benchmarks/limit.py REPOSITORY DATABASE validate|plan-full|plan|apply [--from tree|git]

    validate   read, parse, decide by schema and hash every file
    apply      validate all, write what differs to SQLite, record git's tree
    plan-full  validate all, compare with the database's hashes
    plan       recorded tree is HEAD's: nothing to do; else read only the files that git says changed

It checks no references, explains no faults, keeps no history, guards nothing: whatever the product does on top is its
share over this. Imports are lazy, as a plan with nothing to do needs only sqlite3 and one git process.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sqlite3 import Connection

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
TABLES = """
    PRAGMA journal_mode = wal;
    PRAGMA synchronous = full;
    CREATE TABLE IF NOT EXISTS fingerprint (address TEXT PRIMARY KEY, hash TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS document (address TEXT PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Parsed(NamedTuple):
    """One accepted document: its address, the digest of its canonical form, and that form."""

    address: str
    hash: str
    text: str


def main() -> None:
    """Do what the command line asks for; the first faulty file ends the program with its error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository")
    parser.add_argument("database")
    parser.add_argument("mode", choices=["validate", "plan-full", "plan", "apply"])
    parser.add_argument("--from", dest="origin", choices=["tree", "git"], default="git", help="default: git's HEAD")
    args = parser.parse_args()
    read = read_tree if args.origin == "tree" else read_head
    match args.mode:
        case "validate":
            print(sum(1 for _ in parse(read(args.repository))), "valid")
        case "apply":
            print("applied", apply(args.repository, open_database(args.database), read))
        case "plan-full":
            print("plan: {} to write, {} to delete".format(*plan_full(args.repository, args.database, read)))
        case "plan":
            print("plan: {} to write, {} documents read".format(*plan(args.repository, args.database)))


def parse(contents: Iterable[bytes]) -> Iterator[Parsed]:
    """Turn files into accepted documents with yaml-rs, jsonschema-rs and msgspec."""
    import json
    from hashlib import sha256

    import jsonschema_rs
    import msgspec
    import yaml_rs

    accept: dict[str, Callable[[object], None]] = {}
    for kind in ("Connector", "Category"):
        schema = json.loads((SCHEMAS / f"{kind.lower()}.schema.json").read_bytes())
        accept[kind] = jsonschema_rs.validator_for(schema).validate
    for content in contents:
        loaded = yaml_rs.loads(content.decode(), parse_datetime=False)
        for document in loaded if isinstance(loaded, list) else (loaded,):
            kind = document["kind"]
            accept[kind](document)
            text = msgspec.json.encode(document, order="sorted")
            yield Parsed(f"{kind}/{document['metadata']['name']}", sha256(text).hexdigest(), text.decode())


def read_tree(repository: str) -> Iterator[bytes]:
    """Contents of the files of the working tree."""
    pending = [f"{repository}/connectors"]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.name.endswith(".yaml"):
                    yield read_file(entry.path, entry.stat().st_size)


def read_file(path: str, size: int) -> bytes:
    """Content of one file, in as few system calls as there are."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, size + 1)
    finally:
        os.close(file)


def read_head(repository: str) -> Iterator[bytes]:
    """Contents of the files of git's HEAD."""
    listing = git(repository, "ls-tree", "-r", "-z", "HEAD", "connectors")
    return read_blobs(repository, [line.split(b"\t")[0].split(b" ")[2] for line in listing.split(b"\0")[:-1]])


def read_blobs(repository: str, blobs: list[bytes]) -> Iterator[bytes]:
    """Contents of git blobs, by one process."""
    out = git(repository, "cat-file", "--batch", "--buffer", feed=b"\n".join(blobs) + b"\n")
    start = 0
    while start < len(out):
        header_end = out.index(b"\n", start)
        end = header_end + 1 + int(out[out.rindex(b" ", start, header_end) + 1 : header_end])
        yield out[header_end + 1 : end]
        start = end + 1


def git(repository: str, *arguments: str, feed: bytes | None = None) -> bytes:
    """Standard output of one git process, started through os: importing subprocess costs 7 ms."""
    reader, writer = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_CLOSE, reader)]
    if feed is not None:
        memory = os.memfd_create("feed")
        os.write(memory, feed)
        os.lseek(memory, 0, os.SEEK_SET)
        actions.append((os.POSIX_SPAWN_DUP2, memory, 0))
    pid = os.posix_spawnp("git", ["git", "-C", repository, *arguments], os.environ, file_actions=actions)
    os.close(writer)
    with open(reader, "rb") as pipe:
        out = pipe.read()
    if os.waitpid(pid, 0)[1]:
        sys.exit("git failed")
    return out


def open_database(path: str) -> "Connection":
    """Open the database, transactions left to us."""
    import sqlite3

    return sqlite3.connect(path, isolation_level=None)


def apply(repository: str, database: "Connection", read: Callable[[str], Iterator[bytes]]) -> int:
    """Write what differs from the database in one transaction; return how many documents that were."""
    database.executescript(TABLES)
    live = dict(database.execute("SELECT address, hash FROM fingerprint"))
    todo = [parsed for parsed in parse(read(repository)) if live.get(parsed.address) != parsed.hash]
    tree = git(repository, "rev-parse", "HEAD^{tree}").strip().decode()
    database.execute("BEGIN IMMEDIATE")
    database.executemany("REPLACE INTO fingerprint VALUES (?, ?)", [(item.address, item.hash) for item in todo])
    database.executemany("REPLACE INTO document VALUES (?, ?)", [(item.address, item.text) for item in todo])
    database.execute("REPLACE INTO meta VALUES ('tree', ?)", (tree,))
    database.execute("COMMIT")
    return len(todo)


def plan_full(repository: str, path: str, read: Callable[[str], Iterator[bytes]]) -> tuple[int, int]:
    """How many documents to write and to delete, everything compared."""
    live = dict(open_database(path).execute("SELECT address, hash FROM fingerprint"))
    desired = {parsed.address: parsed.hash for parsed in parse(read(repository))}
    return sum(live.get(address) != digest for address, digest in desired.items()), len(live.keys() - desired.keys())


def plan(repository: str, path: str) -> tuple[int, int]:
    """How many documents to write, and how many were read for that: those of the files that git says changed."""
    database = open_database(path)
    (applied,) = database.execute("SELECT value FROM meta WHERE name = 'tree'").fetchone()
    changed = git(repository, "diff-tree", "-r", "-z", applied, "HEAD", "--", "connectors").split(b"\0")
    blobs = [entry.split(b" ")[3] for entry in changed[0:-1:2]]
    desired = list(parse(read_blobs(repository, blobs))) if blobs else []
    query = "SELECT hash FROM fingerprint WHERE address = ?"
    return sum(database.execute(query, item[:1]).fetchone() != (item.hash,) for item in desired), len(desired)


if __name__ == "__main__":
    main()
