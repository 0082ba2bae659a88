"""What git keeps: what is in a commit, and the contents of its files."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler.errors import SourceUnavailable
from reconciler.source.git import Given, output, start
from reconciler.source.yaml.guard import MAX_BYTES


def list_entries(root: Path, commit: str, paths: Sequence[str]) -> list[tuple[str, str, str]]:
    """(mode, object id, path from `root`) of what is at `paths` of a commit or tree, and below them.

    Raises:
        SourceUnavailable: git refuses.
    """
    listed = output(root, "ls-tree", "-r", "-z", commit, "--", *paths, cannot=f"list {commit[:12]}")
    entries = []
    for entry in listed.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, _, oid = about.decode().split(" ")
        entries.append((mode, oid, os.fsdecode(path)))
    return entries


def read_blobs(root: Path, oids: Sequence[str]) -> Iterator[bytes]:
    """Contents of the objects, in their order, streamed; of large ones more than a definition may hold, and not all.

    Raises:
        SourceUnavailable: an object is missing, as it may be in a partial clone: nothing is fetched.
    """
    if not oids:
        return
    feed = os.fsencode("".join(f"{oid}\n" for oid in oids))
    child = start(root, "cat-file", "--batch", "--buffer", given=Given(feed))
    done = False
    try:
        for oid in oids:
            about = child.output.readline().split()
            if len(about) != 3 or about[1] != b"blob":
                hint = "run: git fsck; in a partial clone fetch it first, as with: git fetch --refetch --no-filter"
                raise SourceUnavailable(f"git cannot read object {oid[:12]}", hint=hint)
            size = int(about[2])
            content = child.output.read(min(size, MAX_BYTES + 1))
            rest = size - len(content)
            while rest > 0 and (skipped := child.output.read(min(rest, 1 << 20))):
                rest -= len(skipped)
            child.output.read(1)
            yield content
        done = True
    finally:
        child.finish() if done else child.give_up()
