"""Files as a kernel knows them, in memory: names lead to nodes, and what was not synced may be lost.

A node is a file or a folder; a folder's names are its content. Everything that a run does is an effect on one
node, and a sync of that node makes the effects on it so far last.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from crash.tracing import Op

ROOT = 0


class Effect(NamedTuple):
    """What one call does to one node.

    Attributes:
        of: the node that has to be synced for it to last.
        node: for link, unlink and rename, what the name leads to.
        name, old: the name that is given, and the one that is taken away; either may be "".
    """

    of: int
    do: str  # name, write, truncate, chmod, sync
    node: int = -1
    name: str = ""
    old: str = ""
    offset: int = 0
    data: bytes = b""
    mode: int = 0


Files = dict[str, tuple[int, bytes | None]]
"""Path to mode and content; None for a folder."""


@dataclass
class Disk:
    """A folder and what is below it."""

    names: dict[tuple[int, str], int] = field(default_factory=dict)
    contents: dict[int, bytearray] = field(default_factory=dict)
    modes: dict[int, int] = field(default_factory=dict)

    @staticmethod
    def read(folder: Path, part: str) -> "Disk":
        """The files of `folder/part`; the folder itself is the root."""
        disk = Disk(modes={ROOT: 0o755})
        nodes = {".": ROOT}
        if not (folder / part).exists():
            return disk
        for path in [folder / part, *sorted((folder / part).rglob("*"))]:
            relative = path.relative_to(folder).as_posix()
            node = nodes[relative] = len(nodes)
            disk.names[nodes[os.path.dirname(relative) or "."], path.name] = node
            disk.modes[node] = path.stat().st_mode & 0o7777
            if not path.is_dir():
                disk.contents[node] = bytearray(path.read_bytes())
        return disk

    def copy(self) -> "Disk":
        """Another one, to go on with."""
        contents = {node: bytearray(content) for node, content in self.contents.items()}
        return Disk(dict(self.names), contents, dict(self.modes))

    def find(self, path: str) -> int | None:
        """The node that a path leads to."""
        node = ROOT
        for name in path.split("/") if path != "." else ():
            found = self.names.get((node, name))
            if found is None:
                return None
            node = found
        return node

    def apply(self, effect: Effect) -> None:
        """Do it. An effect on names whose forerunners were lost does what is left to do."""
        if effect.do == "write":
            content = self.contents[effect.of]
            content.extend(bytes(max(0, effect.offset - len(content))))
            content[effect.offset : effect.offset + len(effect.data)] = effect.data
        elif effect.do == "truncate":
            content = self.contents[effect.of]
            del content[effect.offset :]
            content.extend(bytes(effect.offset - len(content)))
        elif effect.do == "chmod":
            self.modes[effect.of] = effect.mode
        elif effect.do == "name":
            if effect.old and self.names.get((effect.of, effect.old)) == effect.node:
                del self.names[effect.of, effect.old]
            if effect.name:
                self.names[effect.of, effect.name] = effect.node

    def files(self) -> Files:
        """What can be reached."""
        below: dict[int, list[tuple[str, int]]] = {}
        for (folder, name), node in self.names.items():
            below.setdefault(folder, []).append((name, node))
        found: Files = {}

        def walk(folder: int, prefix: str) -> None:
            for name, node in sorted(below.get(folder, ())):
                content = self.contents.get(node)
                found[prefix + name] = (self.modes[node], None if content is None else bytes(content))
                if content is None:
                    walk(node, f"{prefix}{name}/")

        walk(ROOT, "")
        return found


@dataclass(frozen=True)
class Recording:
    """A run: the files before it, and its effects in order."""

    before: Disk
    effects: tuple[Effect, ...]

    def after(self) -> Disk:
        """The files when all is done."""
        disk = self.before.copy()
        for effect in self.effects:
            disk.apply(effect)
        return disk


def record(before: Disk, ops: Sequence[Op]) -> Recording:
    """Operations on paths as effects on nodes."""
    before, effects = before.copy(), []
    live = before.copy()
    for op in ops:
        for effect in _effects(op, live, before):
            live.apply(effect)
            effects.append(effect)
    return Recording(before, tuple(effects))


def _effects(op: Op, live: Disk, before: Disk) -> list[Effect]:
    node = live.find(op.path)
    folder, name = live.find(os.path.dirname(op.path) or "."), os.path.basename(op.path)
    assert folder is not None, op.path
    if op.do in ("make", "mkdir"):
        return [] if node is not None else [_new(op, folder, name, live, before)]
    assert node is not None, f"{op.do} of {op.path}, which is not there"
    if op.do == "write":
        offset = len(live.contents[node]) if op.offset is None else op.offset
        return [Effect(node, "write", offset=offset, data=op.data)]
    if op.do == "truncate":
        return [Effect(node, "truncate", offset=op.offset)] if len(live.contents[node]) != op.offset else []
    if op.do == "chmod":
        return [Effect(node, "chmod", mode=op.mode)]
    if op.do == "sync":
        return [Effect(node, "sync")]
    if op.do == "unlink":
        return [Effect(folder, "name", node, old=name)]
    assert os.path.dirname(op.to) == os.path.dirname(op.path), "a move between folders is not modelled"
    return [Effect(folder, "name", node, os.path.basename(op.to), name if op.do == "rename" else "")]


def _new(op: Op, folder: int, name: str, live: Disk, before: Disk) -> Effect:
    node = max(live.modes) + 1
    for disk in (live, before):  # a node is there from the start, and nobody finds it until a name leads to it
        disk.modes[node] = op.mode
        if op.do == "make":
            disk.contents[node] = bytearray()
    return Effect(folder, "name", node, name)
