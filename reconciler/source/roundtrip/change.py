"""The edits that make a document declare something else, and touch nothing else.

What is written and what is meant differ: defaults are written out or not, sets stand in any order. So the
nodes of the document are walked along with two canonical bodies, the one that it declares and the one that
it is to declare, and only where these differ the text is edited.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

from msgspec.structs import replace

from reconciler.core.diff import MISSING, same
from reconciler.kinds import registry
from reconciler.kinds.common import UNORDERED_LISTS
from reconciler.source.roundtrip.entries import FIRST, change_flow, put_in_block, swapped, take_out_of_block
from reconciler.source.roundtrip.layout import CannotEdit, Layout, Splice
from reconciler.source.roundtrip.order import KeyOrder, order_for
from reconciler.source.roundtrip.scalars import Replacing
from reconciler.yaml.nodes import Child, Node, NodeKind
from reconciler.yaml.writer import Style, entry_lines, flow, item_lines, scalar


def changes(layout: Layout, before: dict[str, Any], after: dict[str, Any], style: Style, line: int) -> list[Splice]:
    """The edits of a text of one document.

    Args:
        style: of the file that it is from.
        line: of that file, from 0, at which the text begins.
        before, after: canonical bodies, with the lists that must not be left out.

    Raises:
        CannotEdit: it would take more than editing the places that differ.
    """
    (document,) = layout.documents
    order = order_for(document.root)
    if order is None or layout.has_explicit_keys(0):
        raise CannotEdit("the document has keys that are marked with a question mark", document.start)
    walk = _Walk(layout, document.root, style, line)
    walk.mapping(document.root, _with_name(before), _with_name(after), order)
    walk.refuse_lost_anchors()
    return walk.splices


def _with_name(body: dict[str, Any]) -> dict[str, Any]:
    """A body with the key of its metadata that no edit touches: they are never empty."""
    return {**body, "metadata": {"name": "", **body.get("metadata", {})}}


class _Walk:
    """Goes through one document and collects the edits."""

    def __init__(self, layout: Layout, root: Node, style: Style, line: int) -> None:
        self._layout = layout
        self._style = style
        self._line = line
        self._anchors: dict[str, Node] = {}
        self._aliases: list[Node] = []
        self._register(root)
        self.splices: list[Splice] = []
        self._replacing = Replacing(layout, self._style)

    def _register(self, node: Node) -> None:
        if node.kind is NodeKind.ALIAS:
            self._aliases.append(node)
        elif node.anchor:
            self._anchors[node.anchor] = node
        for child in node.children:
            if child.key is not None:
                self._register(child.key)
            self._register(child.value)

    def change(self, child: Child, parent: Node, before: Any, after: Any, order: KeyOrder) -> None:
        """Make the value of one entry another one."""
        node = child.value
        self._refuse_repeated(node)
        if node.kind is NodeKind.MAPPING and node.children and isinstance(after, dict) and after:
            self.mapping(node, before if isinstance(before, dict) else {}, after, order)
        elif (
            node.kind is NodeKind.SEQUENCE
            and node.children
            and isinstance(before, list)
            and after
            and isinstance(after, list)
        ):
            self.sequence(node, before, after, order, child.key.text if child.key else "")
        else:
            self.splices += self._replacing.value(child, parent, registry.arranged(after, order.schema, order.node))

    def _refuse_repeated(self, node: Node) -> None:
        for alias in self._aliases if node.anchor else ():
            if alias.text == node.anchor:
                raise CannotEdit(
                    f"the value is anchored as &{node.anchor}, and line {self._line + alias.start.line + 1} repeats it",
                    node.start,
                    "write it out there, or change both by hand",
                )

    def mapping(self, node: Node, before: dict[str, Any], after: dict[str, Any], order: KeyOrder) -> None:
        """Change the entries of a mapping that differ."""
        gone, names = [], []
        for position, child in enumerate(node.children):
            if child.key is None or child.key.kind is not NodeKind.SCALAR:
                raise CannotEdit("a key is an alias", child.start)
            names.append(child.key.text)
            old, new = before.get(names[-1], MISSING), after.get(names[-1], MISSING)
            if same(old, new):
                continue
            if new is MISSING:
                gone.append(position)
            else:
                self.change(child, node, old, new, order.below(child))
        added: dict[int, list[str]] = {}
        ranks = {name: rank for rank, name in enumerate(order.node.get("properties", ()))}
        kept = [position for position in range(len(names)) if position not in gone]
        for name in sorted(after.keys() - set(names), key=lambda name: (ranks.get(name, len(ranks)), name)):
            above = [
                position for position in kept if ranks.get(names[position], len(ranks)) <= ranks.get(name, len(ranks))
            ]
            place = max(above, key=lambda position: (ranks.get(names[position], len(ranks)), position), default=FIRST)
            added.setdefault(place, []).append(self._entry(node, name, after[name], order))
        self._edit(node, gone, added)

    def _entry(self, node: Node, name: str, value: Any, order: KeyOrder) -> str:
        described = registry.resolve(
            order.schema, order.node.get("properties", {}).get(name, order.node.get("additionalProperties"))
        )
        arranged = registry.arranged(value, order.schema, described)
        if not node.is_block:
            return f"{flow(name)}: {flow(arranged)}"
        return "\n".join(entry_lines(f"{' ' * node.column}{scalar(name)}:", arranged, node.column, self._style))

    def sequence(self, node: Node, before: list[Any], after: list[Any], order: KeyOrder, key: str) -> None:
        """Change the items of a list that differ."""
        unordered = key in UNORDERED_LISTS
        found = self._by_identity(node, before, after) if unordered or _are_named(before, after) else None
        targets = found if found is not None else _by_place(node, before, after)
        kept = [position for position, target in enumerate(targets) if target is not None]
        placed = [target for target in targets if target is not None]
        if not unordered and any(one > other for one, other in pairwise(placed)):
            if len(placed) != len(after) or len(placed) != len(targets):
                raise CannotEdit("items change places and others come or go", node.start)
            self.splices += swapped(self._layout, node, [placed.index(place) for place in range(len(placed))])
            return
        olds = {_identity(item): item for item in before} if found is not None else {}
        for position in kept:
            child, new = node.children[position], after[targets[position] or 0]
            old = olds.get(_identity(new), MISSING) if found is not None else before[position]
            if not same(old, new):
                self.change(child, node, old, new, order.below(child))
        added: dict[int, list[str]] = {}
        for place in (place for place in range(len(after)) if place not in placed):
            above = [position for position in kept if unordered or (targets[position] or 0) < place]
            text = self._item(node, after[place], order)
            added.setdefault(above[-1] if above else FIRST, []).append(text)
        self._edit(node, [position for position, target in enumerate(targets) if target is None], added)

    def _by_identity(self, node: Node, before: list[Any], after: list[Any]) -> list[int | None] | None:
        """For each item as it is written its place in `after`; None when the items cannot be told apart."""
        written = [self._plain(child.value) for child in node.children]
        known = [_identity(item) for item in written]
        if len(set(known)) != len(known) or set(known) != {_identity(item) for item in before}:
            return None
        places = {_identity(item): place for place, item in enumerate(after)}
        return [places.get(name) for name in known]

    def _plain(self, node: Node) -> Any:
        """A node as nothing but texts."""
        if node.kind is NodeKind.ALIAS:
            return self._plain(self._anchors[node.text])
        if node.kind is NodeKind.MAPPING:
            return {child.key.text if child.key else "": self._plain(child.value) for child in node.children}
        if node.kind is NodeKind.SEQUENCE:
            return [self._plain(child.value) for child in node.children]
        return node.text

    def _item(self, node: Node, item: Any, order: KeyOrder) -> str:
        arranged = registry.arranged(item, order.schema, registry.resolve(order.schema, order.node.get("items")))
        if not node.is_block:
            return flow(arranged)
        siblings = [not child.value.is_block for child in node.children if child.value.kind is NodeKind.MAPPING]
        style = replace(self._style, leaves_in_flow=sum(siblings) * 2 > len(siblings)) if siblings else self._style
        return "\n".join(item_lines(arranged, node.column, style))

    def _edit(self, node: Node, gone: Sequence[int], added: dict[int, list[str]]) -> None:
        if node.is_block:
            self.splices += take_out_of_block(self._layout, node, gone) if gone else []
            self.splices += put_in_block(self._layout, node, added) if added else []
        elif gone or added:
            self.splices += change_flow(self._layout, node, gone, added)

    def refuse_lost_anchors(self) -> None:
        """Stop when what is removed is repeated elsewhere."""

        def is_gone(node: Node) -> bool:
            return any(splice.start <= node.start.index < splice.end for splice in self.splices)

        for name, node in self._anchors.items():
            for alias in self._aliases if is_gone(node) else ():
                if alias.text == name and not is_gone(alias):
                    raise CannotEdit(
                        f"what is to be removed is anchored as &{name}, and line {self._line + alias.start.line + 1} repeats it",
                        node.start,
                        "write it out there first",
                    )


def _are_named(before: list[Any], after: list[Any]) -> bool:
    return all(
        all(isinstance(item, dict) and "name" in item for item in items)
        and len({item["name"] for item in items}) == len(items)
        for items in (before, after)
    )


def _identity(item: Any) -> str:
    """What tells an item of a list apart from the others."""
    if isinstance(item, dict) and isinstance(item.get("name"), str):
        return str(item["name"])
    return repr(sorted(item.items())) if isinstance(item, dict) else repr(item)


def _by_place(node: Node, before: list[Any], after: list[Any]) -> list[int | None]:
    """For each item as it is written its place in `after`, by what stayed the same around it."""
    if len(node.children) != len(before):
        raise CannotEdit("the items of the list cannot be told apart", node.start)
    targets: list[int | None] = [None] * len(before)
    matcher = SequenceMatcher(None, list(map(repr, before)), list(map(repr, after)), autojunk=False)
    for tag, start, stop, begin, end in matcher.get_opcodes():
        if tag in ("equal", "replace"):
            for offset in range(min(stop - start, end - begin)):
                targets[start + offset] = begin + offset
    return targets
