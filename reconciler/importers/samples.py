"""From a schema or an example to the form of a body: which fields it has, and what to put there."""

from math import isfinite
from typing import Final, TypeAlias

from msgspec import Struct, field

from reconciler.importers.document import ForeignDocument
from reconciler.importers.values import (
    Json,
    Object,
    Pointer,
    is_portable,
    is_small,
    is_true,
    mapping,
    parsed,
    sequence,
    spell,
    text,
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

_COMBINING: Final = ("allOf", "oneOf", "anyOf")
_FORMATS: Final[dict[str, str]] = {
    "date": "2024-01-31",
    "date-time": "2024-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "someone@example.com",
    "uri": "https://example.com",
    "url": "https://example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "ZXhhbXBsZQ==",
}


def examples(schema: Object) -> list[Json]:
    """The values that a schema itself gives, the most telling first."""
    found = [schema[key] for key in ("example", "x-example", "default", "const") if schema.get(key) is not None]
    return [*found, *sequence(schema.get("examples"))[:1], *sequence(schema.get("enum"))[:1]]


def type_of(schema: Object) -> str:
    """The JSON type that a schema asks for: of several the first but null, or what its keywords imply."""
    declared = schema.get("type")
    names = [text(name) for name in declared] if isinstance(declared, list) else [text(declared)]
    named = next((name for name in names if name and name != "null"), "")
    if named:
        return named
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else ""


def typical(schema: Object) -> Json:
    """A value for a test call, from the schema's examples or else its type."""
    given = examples(schema)
    if given:
        return given[0]
    kind = type_of(schema)
    if kind in ("integer", "number"):
        minimum = schema.get("minimum")
        return minimum if isinstance(minimum, int | float) and not isinstance(minimum, bool) else 1
    if kind == "boolean":
        return True
    return _FORMATS.get(text(schema.get("format")), "example")


def is_file(schema: Object) -> bool:
    """Whether the value is the content of a file."""
    return schema.get("type") == "file" or schema.get("format") == "binary" or "contentMediaType" in schema


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

    def from_example(self, value: Json, path: tuple[str, ...] = ()) -> Tree:
        """The tree of an example; `value` must be small. Beyond the size of use, values stay as they are."""
        if isinstance(value, dict):
            return {key: self.from_example(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            steps = [path if index == 0 else (*path, str(index + 1)) for index in range(len(value))]
            return [self.from_example(item, step) for item, step in zip(value, steps, strict=True)]
        if isinstance(value, float) and not isfinite(value):
            return Slot(path, None, quoted=False)  # JSON has no infinity
        if value is None or self.fields >= MAX_FIELDS or not is_portable(value):
            return Fixed(value)
        self.fields += 1
        return Slot(path, value, isinstance(value, str))

    def from_schema(self, schema: Json, where: Pointer, path: tuple[str, ...] = ()) -> "Tree | None":
        """The tree of a schema, or None when it has to be left out."""
        active = len(self._active)
        self._depth += 1
        found = self.expand(schema, where)
        tree = None if found is None else self._tree(found, where, path)
        self._depth -= 1
        del self._active[active:]
        return tree

    def fields_of(self, schema: Json, where: Pointer) -> dict[str, Object] | None:
        """The schemas of an object's own fields, or None when the schema does not tell them."""
        found = self.expand(schema, where)
        if found is None or ("properties" not in found and type_of(found) != "object"):
            return None
        fields = {}
        for name, inner in list(mapping(found.get("properties")).items())[:MAX_FIELDS]:
            if not is_true(mapping(inner).get("readOnly")):
                depth = len(self._active)
                fields[name] = self.expand(inner, (*where, "properties", name)) or {}
                del self._active[depth:]
        self.cut = self.cut or len(mapping(found.get("properties"))) > MAX_FIELDS
        return fields

    def expand(self, schema: Json, where: Pointer) -> Object | None:
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
        beside = {key: value for key, value in mapping(schema).items() if key != "$ref"} if target.references else {}
        return self._combine({**node, **beside}, target.where)

    def _combine(self, node: Object, where: Pointer) -> Object:
        if node.keys().isdisjoint(_COMBINING):
            return node
        parts = [(part, (*where, "allOf", index)) for index, part in enumerate(sequence(node.get("allOf")))]
        for key in ("oneOf", "anyOf"):
            options = sequence(node.get(key))
            index = next((index for index, option in enumerate(options) if not _is_null(option)), None)
            if index is not None:
                parts.append((options[index], (*where, key, index)))
            if sum(not _is_null(option) for option in options) > 1:
                self.source.notes.add(
                    "alternative-chosen", (*where, key), f"the first of {len(options)} schemas is used"
                )
        merged = {key: value for key, value in node.items() if key not in _COMBINING}
        self._depth += 1
        depth, met = len(self._active), list[str]()
        for part, place in parts:  # neighbours may refer to the same schema: that is no recursion
            merged = _merge(merged, self.expand(part, place) or {})
            met += self._active[depth:]
            del self._active[depth:]
        self._active += met
        self._depth -= 1
        return merged

    def _tree(self, schema: Object, where: Pointer, path: tuple[str, ...]) -> "Tree | None":
        given = examples(schema)[:1]
        kind = type_of(schema)
        if given and isinstance(given[0], dict | list) and given[0] and is_small(given[0]):
            return self.from_example(given[0], path)
        if kind == "object" and mapping(schema.get("properties")):
            return self._object(schema, where, path)
        if kind == "array":
            item = self.from_schema(schema.get("items"), (*where, "items"), path) if "items" in schema else None
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
        if kind in ("integer", "number", "boolean"):
            return Slot(path, parsed(typical(schema)), quoted=False)
        return Slot(path, spell(typical(schema)), quoted=True)

    def _object(self, schema: Object, where: Pointer, path: tuple[str, ...]) -> Tree:
        """Plain fields are asked for first, so that a large inner object does not use up the room of its neighbours."""
        properties = mapping(schema.get("properties"))
        required = {text(name) for name in sequence(schema.get("required"))}
        found: dict[str, Tree] = {}
        for name in sorted(properties, key=lambda name: _is_composite(properties[name])):
            node = mapping(properties[name])
            if is_true(node.get("readOnly")):
                continue
            if len(path) >= MAX_LEVELS or (len(path) >= 2 and required and name not in required):
                self.cut = True
                continue
            tree = self.from_schema(properties[name], (*where, "properties", name), (*path, name))
            if tree is not None:
                found[name] = tree
        return {name: found[name] for name in properties if name in found}


def _is_null(schema: Json) -> bool:
    """Whether an alternative only says that there may be no value; OpenAPI 3.0 has no other words for it."""
    node = mapping(schema)
    return node.get("type") == "null" or (is_true(node.get("nullable")) and node.keys() <= {"type", "nullable"})


def _is_composite(schema: Json) -> bool:
    return not isinstance(schema, dict) or type_of(schema) in ("object", "array", "")


def _merge(first: Object, second: Object) -> Object:
    """Both schemas together; where they disagree, `first` wins, which stands nearer to the body."""
    merged = {**second, **first}
    merged["properties"] = {**mapping(second.get("properties")), **mapping(first.get("properties"))}
    merged["required"] = [*sequence(first.get("required")), *sequence(second.get("required"))]
    if not merged["properties"]:
        del merged["properties"]
    return merged
