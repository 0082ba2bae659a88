"""Holds what the program prints against the published schemas."""

from functools import cache
from typing import Any

from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from reconciler.kinds import registry


def fits(content: Any, schema: str) -> None:
    """The content is as the schema of this file name says. A schema is looked over once: that takes a while."""
    _validator(schema).validate(content)


@cache
def _validator(name: str) -> Validator:
    schema = registry.load(name)
    kind = validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)
