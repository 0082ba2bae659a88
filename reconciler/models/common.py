"""What the models share: their form, and the types that many of them use.

The shapes and limits are those of schemas/*.schema.json; a property test holds the two together. What a schema lets be
absent and not null has None for its default here.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Frozen, with the keys of the JSON as aliases."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _absent_is_not_null(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for name, field in cls.model_fields.items():
                key = field.alias or name
                if field.default is None and key in value and value[key] is None:
                    raise ValueError(f"{key} is null; leave it out instead")
        return value


class Output(Model):
    """What this program says. A later version may say more, which is passed over."""

    model_config = ConfigDict(extra="ignore")


def whole(value: Any) -> Any:
    """JSON Schema counts 30.0 as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def differ(items: list[Any]) -> list[Any]:
    """The items, of which no two are the same.

    Raises:
        ValueError: two are.
    """
    seen: list[Any] = []
    for item in items:
        if any(item == other and isinstance(item, bool) is isinstance(other, bool) for other in seen):
            raise ValueError("items repeat")
        seen.append(item)
    return items


def text(minimum: int = 0, maximum: int | None = None, pattern: str | None = None) -> Any:
    """The limits of a text: its length in characters, and its form."""
    return StringConstraints(min_length=minimum, max_length=maximum, pattern=pattern, strict=True)


Name = Annotated[str, text(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
# White space as JSON Schema's regular expressions have it (ECMA-262); pydantic's \s is Unicode's, which differs.
SPACE = "\\t\\n\\x0b\\x0c\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff"
TRIMMED = f"^[^{SPACE}](.*[^{SPACE}])?$"
DisplayName = Annotated[str, text(1, 255, TRIMMED)]
Description = Annotated[str, text(0, 4000)]
LabelKey = Annotated[str, text(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$")]
Labels = Annotated[dict[LabelKey, Annotated[str, text(0, 255)]], Field(max_length=64)]
User = Annotated[str, text(pattern=r"^[A-Za-z0-9.!#$%&'*+/:=?@\[\\\]^_`{|}~-]{1,255}$")]
Status = Literal["active", "inactive"]
Distinct = AfterValidator(differ)
Names = Annotated[list[Name], Distinct]


Whole = Annotated[int, BeforeValidator(whole)]
"""A whole number, which JSON may write as 30.0."""
Action = Literal["create", "update", "rename", "adopt", "delete", "restore"]
"""What happens to a record."""
Version = Annotated[Whole, Field(ge=1, le=1)]
"""Of a format; True is not 1 here, as it is in a Literal."""
Count = Annotated[Whole, Field(ge=0)]


class Metadata(Model):
    """Identity and labels of a resource."""

    name: Name
    previously: Annotated[Names, Field(max_length=20)] = []
    labels: Labels = {}


class Lifecycle(Model):
    """How the reconciler treats the live record."""

    protect: StrictBool = False
    ignore: Annotated[
        list[Annotated[str, text(pattern=rf"^[^{SPACE}.]+(\.[^.]+)*$")]], Field(max_length=64), Distinct
    ] = []


class Document(Model):
    """What every document says."""

    api_version: Literal["reconciler/v1"]
    metadata: Metadata
