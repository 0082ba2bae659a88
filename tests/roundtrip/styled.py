"""Documents written as people might write them: any style of collection and scalar, comments, blank lines, anchors.

Each comment names the entry that it belongs to, so that a test can tell whether it had a reason to go.
"""

import json
import random
from typing import Any

from reconciler.yaml.writer import is_plain, quoted

Path = tuple[str, ...]


class Author:
    """Writes documents in a manner of their own."""

    def __init__(self, seed: int, *, anchors: bool = True, flow: bool = True) -> None:
        self.random = random.Random(seed)
        self.mapping = self.random.choice([2, 2, 4])
        self.sequence = self.random.choice([0, 2])
        self.flow_in_ten = self.random.choice([1, 5, 9]) if flow else 0
        self.anchors = anchors
        self.known: dict[str, str] = {}
        self.owners: dict[str, Path] = {}

    def text(self, documents: list[dict[str, Any]]) -> str:
        """The text of a file."""
        parts = []
        for number, document in enumerate(documents):
            self.known = {}
            marker = "---\n" if number else ""
            name = f"{document['kind']}/{document['metadata']['name']}"
            parts.append(marker + "\n".join(self.block(document, 0, (name,))) + "\n")
        ending = self.random.choice(["\n", "\n", "\r\n"])
        return "".join(parts).replace("\n", ending)

    def comment(self, path: Path) -> str:
        """A comment that belongs to the entry at `path`."""
        text = f"# c{len(self.owners)} of {path[-1][:20]!r}".replace("\n", " ")
        self.owners[text] = path
        return text

    def chance(self, in_ten: int) -> bool:
        return self.random.randrange(10) < in_ten

    def block(self, value: dict[str, Any], column: int, path: Path) -> list[str]:
        lines: list[str] = []
        margin = " " * column
        for key, item in value.items():
            here = (*path, key)
            if lines and self.chance(1):
                lines.append("")
            if len(path) > 1 and self.chance(2):
                lines.append(margin + self.comment(here))
            lines += self.entry(f"{margin}{self.key(key)}:", item, column, here)
        return lines

    def entry(self, start: str, item: Any, column: int, path: Path) -> list[str]:
        end = f"  {self.comment(path)}" if self.chance(2) and len(path) > 2 else ""
        written = json.dumps(item, sort_keys=True)
        if written in self.known and len(path) > 2:
            return [f"{start} *{self.known[written]}{end}"]
        anchor = ""
        if self.anchors and self.chance(1) and len(path) > 2 and not isinstance(item, bool):
            anchor = f" &a{len(self.known)}"
            self.known[written] = anchor[2:]
        if isinstance(item, dict | list) and item and (len(path) < 3 or not self.chance(self.flow_in_ten)):
            if isinstance(item, dict):
                return [start + anchor + end, *self.block(item, column + self.mapping, path)]
            return [start + anchor + end, *self.items(item, column + self.sequence, path)]
        if isinstance(item, str) and "\n" in item and is_block(item) and self.chance(6):
            header = "|" if item.endswith("\n") else "|-"
            inner = " " * (column + self.mapping)
            body = [inner + line if line else "" for line in item.removesuffix("\n").split("\n")]
            return [f"{start}{anchor} {header}{end}", *body]
        return [f"{start}{anchor} {self.inline(item)}{end}"]

    def items(self, value: list[Any], column: int, path: Path) -> list[str]:
        lines: list[str] = []
        for number, item in enumerate(value):
            here = (
                *path,
                str(item["name"])
                if isinstance(item, dict) and "name" in item
                else f"[{number}]"
                if isinstance(item, dict)
                else str(item),
            )
            if self.chance(2):
                lines.append(" " * column + self.comment(here))
            if isinstance(item, dict) and not self.chance(self.flow_in_ten):
                first, *rest = self.block_item(item, column + 2, here)
                lines += [f"{' ' * column}- {first.lstrip(' ')}", *rest]
            else:
                end = f" {self.comment(here)}" if self.chance(2) else ""
                lines.append(f"{' ' * column}- {self.inline(item)}{end}")
        return lines

    def block_item(self, item: dict[str, Any], column: int, path: Path) -> list[str]:
        lines: list[str] = []
        for key, value in item.items():
            lines += self.entry(f"{' ' * column}{self.key(key)}:", value, column, (*path, key))
        return lines

    def key(self, key: str) -> str:
        return key if is_plain(key, in_flow=True) else quoted(key)

    def inline(self, value: Any) -> str:
        if isinstance(value, dict):
            space = self.random.choice(["", " "])
            return (
                "{"
                + space
                + ", ".join(f"{self.key(key)}: {self.inline(item)}" for key, item in value.items())
                + space
                + "}"
            )
        if isinstance(value, list):
            return "[" + ", ".join(map(self.inline, value)) + "]"
        if not isinstance(value, str):
            return json.dumps(value)
        if self.chance(3) and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        return value if self.chance(7) and is_plain(value, in_flow=True) else quoted(value)


def is_block(text: str) -> bool:
    """Whether a literal block can hold the text."""
    return text[0] not in " \n" and not text.endswith("\n\n") and " \n" not in text
