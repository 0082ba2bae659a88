"""OpenAPI and Swagger documents as contracts that endpoints are held against. Nothing in them is trusted."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.importers.document import ForeignDocument, Notebook
from reconciler.importers.openapi import check_language
from reconciler.importers.operations import find_operations
from reconciler.importers.schemas import type_of
from reconciler.importers.syntax import read
from reconciler.importers.values import Json, Object, Pointer, is_true, mapping, pointer, sequence, text
from reconciler.kinds.contract import (
    ContractBody,
    ContractOperation,
    ContractParameter,
    ContractScheme,
    OperationDetail,
    Shape,
)

_MAX_LEVELS: Final = 8
_MAX_STEPS: Final = 5_000  # schemas looked at for one body: those that refer to each other multiply
_MAX_SERVERS: Final = 50
_COLLECTIONS: Final = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
_SWAGGER_FLOWS: Final = {"application": "clientCredentials", "accessCode": "authorizationCode"}
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def read_contract(data: bytes, file: str) -> "ForeignContract":
    """The contract in `data`; `file` is the name that messages use.

    Raises:
        NotImportable: it is no OpenAPI 3 or Swagger 2.0 document, or too large.
    """
    return ForeignContract(read(data, file), file)


class ForeignContract:
    """A `reconciler.kinds.contract.Contract`: operations are listed at once, and looked at when they are asked for."""

    def __init__(self, document: Mapping[str, Any], file: str) -> None:
        """List the operations.

        Raises:
            NotImportable: the document is of another language, or version.
        """
        self.file = file
        root: Object = dict(document)
        self._source = ForeignDocument(root, Notebook(), check_language(root).startswith("Swagger"))
        self._found = list(find_operations(self._source))
        general = _swagger_servers(root) if self._source.is_swagger else _servers(root)
        self.operations: Sequence[ContractOperation] = [
            ContractOperation(
                method=found.method.upper(),
                path=found.path,
                name=text(found.node.get("operationId")),
                servers=_servers(found.node) or _servers(found.item) or general,
                where=pointer(found.where),
                number=number,
            )
            for number, found in enumerate(self._found)
        ]
        self._schemes = dict(_schemes(self._source))
        self.keys = frozenset(
            (scheme.place, scheme.key.lower()) for scheme in self._schemes.values() if scheme.kind == "apiKey"
        )

    def detail(self, operation: ContractOperation) -> OperationDetail:
        """What an operation takes."""
        found = self._found[operation.number]
        nodes = self._parameters(found.item, found.item_where) | self._parameters(found.node, found.where)
        parameters = [self._parameter(node, where) for (_, place), (node, where) in nodes.items() if place in _PLACES]
        if self._source.is_swagger:
            consumes = sequence(found.node.get("consumes")) or sequence(self._source.root.get("consumes"))
            body = self._swagger_body(nodes, [text(item) for item in consumes])
        else:
            body = self._body(found.node.get("requestBody"), (*found.where, "requestBody"))
        return OperationDetail(
            parameters, body, self._security(found.node), deprecated=is_true(found.node.get("deprecated"))
        )

    def _parameters(self, node: Object, where: Pointer) -> dict[tuple[str, str], tuple[Object, Pointer]]:
        """The parameters that `node` lists, by name and place; a later one of both replaces the earlier."""
        found = {}
        for index, item in enumerate(sequence(node.get("parameters"))):
            parameter, place = self._source.object_at(item, (*where, "parameters", index))
            name = text(parameter.get("name")).strip()
            if name:
                found[name, text(parameter.get("in"))] = (parameter, place)
        return found

    def _parameter(self, node: Object, where: Pointer) -> ContractParameter:
        place = text(node.get("in"))
        style, explode = self._style(node, place, where)
        return ContractParameter(
            text(node.get("name")).strip(),
            place,
            place == "path" or is_true(node.get("required")),
            style,
            explode,
            pointer(where),
        )

    def _style(self, node: Object, place: str, where: Pointer) -> tuple[str, bool]:
        """How a list or an object is written; "" for what is neither."""
        usual = "form" if place == "query" else "simple"
        if self._source.is_swagger:
            if type_of(node) != "array":
                return "", False
            style, explode = _COLLECTIONS.get(text(node.get("collectionFormat")), ("form", False))
            return (style, explode) if place == "query" else ("simple", False)
        if "schema" not in node and "content" in node:
            return "json", False
        schema = mapping(self._source.follow(node.get("schema"), (*where, "schema")).value)
        if type_of(schema) not in ("array", "object"):
            return "", False
        style = text(node.get("style")) or usual
        return style, is_true(node["explode"]) if "explode" in node else style == "form"

    def _body(self, node: Json, where: Pointer) -> ContractBody | None:
        body, place = self._source.object_at(node, where)
        content = mapping(body.get("content"))
        if not content:
            return None
        media = {}
        for name, entry in content.items():
            inner, here = self._source.object_at(entry, (*place, "content", name))
            shape = self._shape(inner.get("schema"), (*here, "schema"))
            media[_media(name)] = _with_example(shape, mapping(inner.get("example")))
        return ContractBody(is_true(body.get("required")), media, pointer(place))

    def _swagger_body(
        self, nodes: Mapping[tuple[str, str], tuple[Object, Pointer]], consumes: Sequence[str]
    ) -> ContractBody | None:
        for (_, place), (node, where) in nodes.items():
            if place == "body":
                shape = self._shape(node.get("schema"), (*where, "schema"))
                return ContractBody(
                    is_true(node.get("required")), {_media(name): shape for name in consumes or [""]}, pointer(where)
                )
        fields = {name: found for (name, place), found in nodes.items() if place == "formData"}
        if not fields:
            return None
        required = frozenset(name for name, (node, _) in fields.items() if is_true(node.get("required")))
        where = next(iter(fields.values()))[1]
        shape = Shape(
            pointer(where),
            {name: Shape(pointer(there)) for name, (_, there) in fields.items()},
            required,
            is_open=False,
        )
        media = [_media(name) for name in consumes if _media(name) in _FORMS] or list(_FORMS)
        return ContractBody(bool(required), dict.fromkeys(media, shape), pointer(where))

    def _shape(self, schema: Json, where: Pointer) -> Shape:
        return _Shaper(self._source).shape(schema, where, ())

    def _security(self, node: Object) -> list[list[ContractScheme]] | None:
        listed = node.get("security", self._source.root.get("security"))
        if not isinstance(listed, list):
            return None
        return [
            [self._schemes.get(name) or ContractScheme(name, "", pointer(("security",))) for name in mapping(one)]
            for one in listed
        ]


_PLACES: Final = ("query", "header", "path")


class _Shaper:
    """Follows the schemas of one body."""

    def __init__(self, source: ForeignDocument) -> None:
        self._source = source
        self._steps = 0

    def shape(self, schema: Json, where: Pointer, above: tuple[str, ...]) -> Shape:
        """What is known of the value; `above` are the references that lead to it."""
        found = self._source.follow(schema, where)
        self._steps += 1
        known = Shape(pointer(found.where))
        if self._steps > _MAX_STEPS or len(above) > _MAX_LEVELS or any(one in above for one in found.references):
            return known
        node, inner = mapping(found.value), (*above, *(found.references or ("",)))
        if type_of(node) == "array" and "items" in node:
            return Shape(known.where, item=self.shape(node["items"], (*found.where, "items"), inner))
        own = self._own(node, found.where, inner)
        parts = [
            self.shape(part, (*found.where, "allOf", index), inner)
            for index, part in enumerate(sequence(node.get("allOf")))
        ]
        if any(sequence(node.get(key)) for key in ("oneOf", "anyOf")) or "discriminator" in node:
            return Shape(known.where, own.fields, own.required)  # which of them holds, nobody can tell
        return _joined([*([own] if own.fields or own.required or not parts else []), *parts], known.where)

    def _own(self, node: Object, where: Pointer, above: tuple[str, ...]) -> Shape:
        """What the schema itself says of an object's fields."""
        properties = mapping(node.get("properties"))
        fields = {
            name: self.shape(inner, (*where, "properties", name), above)
            for name, inner in properties.items()
            if not is_true(mapping(inner).get("readOnly"))
        }
        unsent = (properties.keys() | mapping(node.get("example")).keys()) - fields.keys()
        required = frozenset(text(name) for name in sequence(node.get("required"))) & fields.keys()
        further = node.get("additionalProperties", False) is not False or bool(mapping(node.get("patternProperties")))
        return Shape(pointer(where), fields | {name: Shape(pointer(where)) for name in unsent}, required, further)


def _with_example(shape: Shape, example: Object) -> Shape:
    """Knows the fields of the document's own example too, whatever its schema forgets."""
    known = {name: Shape(shape.where) for name in example} | dict(shape.fields)
    return Shape(shape.where, known, shape.required, shape.is_open, shape.item) if shape.fields else shape


def _joined(shapes: Sequence[Shape], where: str) -> Shape:
    if len(shapes) == 1:
        return shapes[0]
    fields: dict[str, Shape] = {}
    for shape in shapes:
        fields |= shape.fields
    required = frozenset[str]().union(*(shape.required for shape in shapes))
    return Shape(where, fields, required, any(shape.is_open for shape in shapes))


def _media(name: str) -> str:
    return name.partition(";")[0].strip().lower()


def _servers(node: Object) -> tuple[str, ...]:
    """Base URLs, with the defaults of variables beside their names: both may stand in a definition."""
    found: dict[str, None] = {}
    for item in sequence(node.get("servers"))[:_MAX_SERVERS]:
        url = text(mapping(item).get("url")).strip()
        found[f"https:{url}" if url.startswith("//") else url] = None
    return tuple(found)


def _swagger_servers(root: Object) -> tuple[str, ...]:
    host, path = text(root.get("host")).strip(), text(root.get("basePath")).strip()
    if not host:
        return (path,)
    host = host.partition("://")[2] or host
    schemes = [text(item) for item in sequence(root.get("schemes"))] or ["https", "http"]
    return tuple(f"{scheme}://{host.strip('/')}/{path.strip('/')}" for scheme in schemes)


def _schemes(source: ForeignDocument) -> Iterator[tuple[str, ContractScheme]]:
    if source.is_swagger:
        where: Pointer = ("securityDefinitions",)
        listed = mapping(source.root.get("securityDefinitions"))
    else:
        where = ("components", "securitySchemes")
        listed = mapping(mapping(source.root.get("components")).get("securitySchemes"))
    for name, entry in listed.items():
        node, there = source.object_at(entry, (*where, name))
        kind = text(node.get("type"))
        kind = text(node.get("scheme")).lower() if kind == "http" else kind
        kind = "" if "x-amazon-apigateway-authtype" in node else kind  # a signature, which stands as a key there
        flow = text(node.get("flow"))
        flows = (_SWAGGER_FLOWS.get(flow, flow),) if flow else tuple(mapping(node.get("flows")))
        yield (
            name,
            ContractScheme(name, kind, pointer(there), text(node.get("in")), text(node.get("name")).strip(), flows),
        )
