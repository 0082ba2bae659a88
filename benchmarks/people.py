"""Write people, groups and policies beside the connectors of a corpus, and changes to them as commits.

    python benchmarks/people.py CORPUS DIR [--users N] [--groups N] [--policies N] [--seed S]

DIR becomes a copy of CORPUS with a history of its own: the tag ``base`` has everything; on top of each other ``policy``
changes one grant for the people of a few groups, ``root`` one for everybody, and ``connector`` one connector. Groups are
nested in one tree, six deep: each of them is in the one whose number is a quarter of its own. Each user is in two. The
same arguments always write the same bytes.
"""

import argparse
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from corpus import CATEGORIES, git, initialize

DOCUMENTS_PER_FILE = 20
VERBS = ("view", "edit", "create", "delete", "call")
ENDS = "2035-01-01T00:00:00Z"
OWNERS = ("owner-0", "owner-1")

Document = dict[str, Any]


def main() -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(description="Write people and policies beside the connectors of a corpus.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("directory", type=Path, help="emptied first")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--groups", type=int, default=1_000)
    parser.add_argument("--policies", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    write(args.corpus, args.directory, world(args.users, args.groups, args.policies, args.seed))


def world(users: int, groups: int, policies: int, seed: int = 1) -> list[Document]:
    """Groups and policies."""
    rng = random.Random(seed)
    members: dict[int, list[str]] = {index: [] for index in range(groups)}
    for user in range(users):
        for index in rng.sample(range(groups), 2):
            members[index].append(f"user-{user:05}")
    found = []
    for index in range(groups):
        inner = [f"group-{below:04}" for below in range(4 * index, 4 * index + 4) if index < below < groups]
        spec = {"mode": "authoritative", "users": members[index], "groups": inner}
        found.append(document("Group", f"group-{index:04}", {"displayName": f"Group {index}", "members": spec}))
    for index in range(policies):
        found.append(document("PermissionPolicy", f"policy-{index:04}", policy(rng, index, groups)))
    owners = {"subjects": [{"user": name} for name in OWNERS], "superAdmin": True}
    return [*found, document("PermissionPolicy", "owners", owners)]


def policy(rng: random.Random, index: int, groups: int) -> Document:
    """What one policy gives: most narrowed to some categories, some to a label, some until a time."""
    verbs = VERBS[: rng.randint(1, len(VERBS) - 1)]
    grant: Document = {"permissions": [f"connectors:{verb}" for verb in verbs]}
    if rng.random() < 0.8:
        grant["on"] = {"categories": rng.sample(CATEGORIES, 2)}
    if rng.random() < 0.2:
        grant.setdefault("on", {})["labels"] = {"region": "eu-west-1"}
    if rng.random() < 0.2:
        grant["expires"] = ENDS
    return {"subjects": [{"group": f"group-{index % groups:04}"}], "grants": [grant]}


def document(kind: str, name: str, spec: Document) -> Document:
    """A definition."""
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def write(corpus: Path, directory: Path, documents: Sequence[Document]) -> None:
    """Write everything and make the commits."""
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(corpus, directory, ignore=shutil.ignore_patterns(".git", ".reconciler"))
    (directory / "policies").mkdir(exist_ok=True)
    for number, start in enumerate(range(0, len(documents), DOCUMENTS_PER_FILE)):
        text = "---\n".join(as_yaml(item) for item in documents[start : start + DOCUMENTS_PER_FILE])
        (directory / f"policies/people-{number:03}.yaml").write_text(text, encoding="utf-8")
    initialize(directory)
    commit(directory, "base")
    for number, tag in ((100, "policy"), (0, "root")):
        give_more(directory, f"name: policy-{number:04}")
        commit(directory, tag)
    touched = sorted((directory / "connectors").rglob("*/*.yaml"))[41]
    text = touched.read_text("utf-8")
    touched.write_text(text.replace("  displayName: ", "  displayName: New ", 1), encoding="utf-8")
    commit(directory, "connector")
    git(directory, "gc", "-q")


def give_more(directory: Path, mark: str) -> None:
    """Let a policy grant calls too."""
    changed = next(path for path in sorted((directory / "policies").iterdir()) if mark in path.read_text("utf-8"))
    before, name, after = changed.read_text("utf-8").partition(mark)
    more = after.replace('"connectors:view"', '"connectors:view", "connectors:call"', 1)
    changed.write_text(before + name + more, encoding="utf-8")


def commit(directory: Path, tag: str) -> None:
    """Commit everything under a tag."""
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", tag)
    git(directory, "tag", tag)


def as_yaml(item: Document) -> str:
    """A definition as a person would write it: block style, short lists in one line."""
    return "\n".join(lines(item, 0)) + "\n"


def lines(value: Document, depth: int) -> Iterator[str]:
    """The lines of a mapping."""
    indent = "  " * depth
    for key, item in value.items():
        if isinstance(item, dict):
            yield f"{indent}{key}:"
            yield from lines(item, depth + 1)
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            yield f"{indent}{key}:"
            for entry in item:
                first, *rest = lines(entry, depth + 2)
                yield f"{indent}  - {first.strip()}"
                yield from rest
        elif isinstance(item, list):
            yield f"{indent}{key}: [{', '.join(quoted(entry) for entry in item)}]"
        else:
            yield f"{indent}{key}: {'true' if item is True else quoted(item)}"


def quoted(text: str) -> str:
    """A text, with quotes where YAML needs them."""
    return f'"{text}"' if ":" in text else text


if __name__ == "__main__":
    main()
