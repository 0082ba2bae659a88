"""From a schema or an example to the form of a body: which fields it has, and what to put there."""

from math import isfinite
from typing import Final, NamedTuple, TypeAlias

from msgspec import Struct, field

from reconciler.importers.document import ForeignDocument
from reconciler.importers.schemas import examples, is_composite, is_null, merge, type_of, typical
from reconciler.importers.values import (
    Json,
    Object,
    Pointer,
    is_portable,
    is_small,
    is_true,
    mapping,
    sequence,
    spell,
    text,
    typed,
)

MAX_FIELDS: Final = 200  # of one body
MAX_NESTED: Final = 60  # of those, how many may stand below the first level
MAX_LEVELS: Final = 5
MAX_DEPTH: Final = 60  # of schemas in each other, lists in lists and allOf in allOf included
MAX_STEPS: Final = 3_000  # schemas looked at for one body: those that refer to each other multiply


class Slot(Struct, frozen=True):
    """A place in a body for a value that the consumer gives.

    Attributes:
        path: keys from the body's root.
        sample: a value for a test call, of the type that is sent; None when there is none to show.
        quoted: whether the value is a text, which stands in quotation marks.
    """

    path: tuple[str, ...]
    sample: Json
    quoted: bool


class Fixed(Struct, frozen=True):
    """A value that stands in the body as it is."""

    value: Json


class Written(Struct, frozen=True):
    """A part of the body that has its text, tags included, already."""

    text: str


Tree: TypeAlias = "Slot | Fixed | Written | list[Tree] | dict[str, Tree]"


class Expanded(NamedTuple):
    """A schema with what it refers to put together, and where that stands."""

    node: Object
    where: Pointer


_COMBINING: Final = ("allOf", "oneOf", "anyOf")
_REFERRING: Final = ("$ref", "$dynamicRef")


def value_of(tree: Tree) -> Json:
    """What a test call sends of a tree."""
    if isinstance(tree, dict):
        return {key: value_of(item) for key, item in tree.items()}
    if isinstance(tree, list):
        return [value_of(item) for item in tree]
    if isinstance(tree, Written):
        return tree.text
    return tree.sample if isinstance(tree, Slot) else tree.value


def _is_plain(items: list[Json]) -> bool:
    """Whether a list is given as a whole: one of texts, numbers and truth values that every reader keeps."""
    return bool(items) and all(
        isinstance(item, str | bool | int | float)
        and is_portable(item)
        and (not isinstance(item, float) or isfinite(item))
        for item in items
    )


class Sampler(Struct):
    """Builds the tree of one body.

    Attributes:
        where: the body, where notes on its size belong.
        nested: fields below the first level so far.
        cut: whether something was left out for its size.
    """

    source: ForeignDocument
    where: Pointer
    fields: int = 0
    nested: int = 0
    steps: int = 0
    cut: bool = False
    _depth: int = 0
    _active: list[str] = field(default_factory=list)

    def from_example(self, value: Json, path: tuple[str, ...] = (), schema: Json = None, where: Pointer = ()) -> Tree:
        """The tree of an example; `value` must be small. Beyond the size of use, values stay as they are.

        What `schema` requires is added, what it says is only read is left out, and types are as it has them.
        """
        node, where = self._outline(schema, where)
        value = typed(value, type_of(node))
        if isinstance(value, dict):
            return self._example_object(value, path, Expanded(node, where))
        if isinstance(value, list):
            if _is_plain(value) and self.fields < MAX_FIELDS:
                self.fields += 1
                return Slot(path, [typed(item, type_of(mapping(node.get("items")))) for item in value], quoted=False)
            steps = [path if index == 0 else (*path, str(index + 1)) for index in range(len(value))]
            inner, place = node.get("items"), (*where, "items")
            return [self.from_example(item, step, inner, place) for item, step in zip(value, steps, strict=True)]
        if isinstance(value, float) and not isfinite(value):
            return Slot(path, 1, quoted=False)  # JSON has no infinity
        if value is None or self.fields >= MAX_FIELDS or not is_portable(value):
            return Fixed(value)
        self.fields += 1
        return Slot(path, value, isinstance(value, str))

    def _example_object(self, value: Object, path: tuple[str, ...], schema: Expanded) -> Tree:
        node, where = schema
        properties = mapping(node.get("properties"))
        found: dict[str, Tree] = {}
        for key, item in value.items():
            inner, place = properties.get(key), (*where, "properties", key)
            if self.is_read_only(inner, place):
                message = "an example holds fields that are only read; they are not sent"
                self.source.notes.add("example-completed", self.where, message, key)
            else:
                found[key] = self.from_example(item, (*path, key), inner, place)
        for name in map(text, sequence(node.get("required"))):
            place = (*where, "properties", name)
            if name in found or name not in properties or self.is_read_only(properties[name], place):
                continue
            tree = self.from_schema(properties[name], place, (*path, name))
            if tree is not None:
                found[name] = tree
                message = "an example leaves out fields that are required; they were added from the schema"
                self.source.notes.add("example-completed", self.where, message, name)
        return found

    def _outline(self, schema: Json, where: Pointer) -> Expanded:
        """What holds for every value of `schema`, whichever of its alternatives it is."""
        if schema is None or self.steps >= MAX_STEPS:
            return Expanded({}, where)
        depth = len(self._active)
        found = self.expand(schema, where, alternatives=False)
        del self._active[depth:]
        return found or Expanded({}, where)

    def is_read_only(self, schema: Json, where: Pointer) -> bool:
        """Whether a field is only in answers. What it refers to may say so, too."""
        node = mapping(schema)
        if "$ref" in node:
            node = {**mapping(self.source.follow(node, where).value), **node}
        return is_true(node.get("readOnly"))

    def from_schema(self, schema: Json, where: Pointer, path: tuple[str, ...] = ()) -> "Tree | None":
        """The tree of a schema, or None when it has to be left out."""
        active = len(self._active)
        self._depth += 1
        found = self.expand(schema, where)
        tree = None if found is None else self._tree(found.node, found.where, path)
        self._depth -= 1
        del self._active[active:]
        return tree

    def fields_of(self, schema: Json, where: Pointer) -> dict[str, Expanded] | None:
        """The schemas of an object's own fields, or None when the schema does not tell them."""
        found = self.expand(schema, where)
        if found is None or ("properties" not in found.node and type_of(found.node) != "object"):
            return None
        fields = {}
        listed = mapping(found.node.get("properties"))
        for name, inner in list(listed.items())[:MAX_FIELDS]:
            place = (*found.where, "properties", name)
            if not self.is_read_only(inner, place):
                depth = len(self._active)
                fields[name] = self.expand(inner, place) or Expanded({}, place)
                del self._active[depth:]
        self.cut = self.cut or len(listed) > MAX_FIELDS
        return fields

    def expand(self, schema: Json, where: Pointer, *, alternatives: bool = True) -> Expanded | None:
        """`schema` with references, allOf and the first of its alternatives put together.

        The references stay active until the caller has used the result: meeting one again is a recursion.
        """
        self.steps += 1
        if self.steps > MAX_STEPS or self._depth > MAX_DEPTH:
            self.cut = True
            return None
        target = self.source.follow(schema, where)
        if any(reference in self._active for reference in target.references):
            self.source.notes.add("recursion", target.where, "the schema contains itself; the inner one was left out")
            return None
        self._active += target.references
        node = mapping(target.value)
        beside = (
            {key: value for key, value in mapping(schema).items() if key not in _REFERRING} if target.references else {}
        )
        return Expanded(self._combine({**node, **beside}, target.where, alternatives=alternatives), target.where)

    def _combine(self, node: Object, where: Pointer, *, alternatives: bool) -> Object:
        if node.keys().isdisjoint(_COMBINING):
            return node
        parts = [(part, (*where, "allOf", index)) for index, part in enumerate(sequence(node.get("allOf")))]
        for key in ("oneOf", "anyOf"):
            options = sequence(node.get(key))
            usable = [(option, (*where, key, index)) for index, option in enumerate(options) if not is_null(option)]
            if len(usable) == 1 or alternatives:
                parts += usable[:1]
            if len(usable) > 1 and alternatives:
                self.source.notes.add("alternative-chosen", (*where, key), "the first of several schemas is used")
        merged = {key: value for key, value in node.items() if key not in _COMBINING}
        self._depth += 1
        depth, met = len(self._active), list[str]()
        for part, place in parts:  # neighbours may refer to the same schema: that is no recursion
            inner = self.expand(part, place, alternatives=alternatives)
            merged = merge(merged, inner.node if inner else {})
            met += self._active[depth:]
            del self._active[depth:]
        self._active += met
        self._depth -= 1
        return merged

    def _tree(self, schema: Object, where: Pointer, path: tuple[str, ...]) -> "Tree | None":
        given = examples(schema)[:1]
        kind = type_of(schema)
        if given and isinstance(given[0], dict | list) and given[0] and kind in ("object", "array", ""):
            if is_small(given[0]):
                return self.from_example(given[0], path, schema, where)
            self.source.notes.add("body-cut", where, "the example is too large; the schema is used instead")
        elif given and kind in ("object", "array") and given[0] not in ({}, []):
            self.source.notes.add("example-dropped", where, "the example is not of the schema's type")
        if kind == "object" and mapping(schema.get("properties")):
            return self._object(schema, where, path)
        if kind == "array":
            item = self.from_schema(schema.get("items"), (*where, "items"), path) if "items" in schema else None
            if isinstance(item, Slot) and item.sample is not None and _is_plain([item.sample]):
                return Slot(path, [item.sample], quoted=False)
            return [] if item is None else [item]
        return self._leaf(schema, kind, path)

    def _leaf(self, schema: Object, kind: str, path: tuple[str, ...]) -> "Tree | None":
        if self.fields >= MAX_FIELDS or (len(path) > 1 and self.nested >= MAX_NESTED):
            self.cut = True
            return None
        self.fields += 1
        self.nested += len(path) > 1
        if kind in ("object", ""):  # a map of anything, or anything
            given = [value for value in examples(schema)[:1] if is_small(value)]
            quoted = bool(given and isinstance(given[0], str)) or (kind == "" and "format" in schema)
            return Slot(path, spell(typical(schema)) if quoted else given[0] if given else {}, quoted)
        sample = typed(typical(schema), kind)
        if kind in ("integer", "number", "boolean"):
            return Slot(path, sample, quoted=False)
        return Slot(path, spell(sample), quoted=True)

    def _object(self, schema: Object, where: Pointer, path: tuple[str, ...]) -> Tree:
        """Plain fields are asked for first, so that a large inner object does not use up the room of its neighbours."""
        properties = mapping(schema.get("properties"))
        required = {text(name) for name in sequence(schema.get("required"))}
        found: dict[str, Tree] = {}
        for name in sorted(properties, key=lambda name: is_composite(properties[name])):
            if self.is_read_only(properties[name], (*where, "properties", name)):
                continue
            if len(path) >= MAX_LEVELS or (len(path) >= 2 and required and name not in required):
                self.cut = True
                continue
            tree = self.from_schema(properties[name], (*where, "properties", name), (*path, name))
            if tree is not None:
                found[name] = tree
        return {name: found[name] for name in properties if name in found}
