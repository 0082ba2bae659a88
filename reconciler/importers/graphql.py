"""Requests of GraphQL, told by their bodies."""

import json
import re
from typing import Final

from reconciler.importers.templates import Template, changed, literal, merged, variables
from reconciler.importers.values import Json

OF_GRAPHQL: Final = (("query",), ("operationName",))
"""Paths of the texts in a body that say what the endpoint does, and are no values."""

_QUERY = re.compile(r"\s*(?:query|mutation|subscription|fragment|\{|#)")


def is_graphql(value: Json) -> bool:
    """Whether a body is a request of GraphQL."""
    query = value.get("query") if isinstance(value, dict) else None
    return isinstance(query, str) and _QUERY.match(query) is not None


def graphql_body(query: Template, given: Template) -> Template:
    """The JSON that is sent for a query; `given` is the JSON of its variables."""
    quoted = changed(query, lambda part: json.dumps(part, ensure_ascii=False)[1:-1])
    inner: Template = given if literal(given).strip() or variables(given) else ("{}",)
    return merged(('{"query": "', *quoted, '", "variables": ', *inner, "}"))
