"""The types of body that an operation takes, and the body that an endpoint gets."""

from msgspec import Struct

from reconciler.importers.values import Json, Object, Pointer


class MediaContent(Struct, frozen=True):
    """One type of body that an operation takes.

    Attributes:
        media: the media type, as written.
        example: an example of the whole body, or empty.
        encoding: how fields of a form are written, by name, as OpenAPI 3 says it; in Swagger 2.0 made of the fields.
        places: where the fields of a form stand in Swagger 2.0, by name.
    """

    media: str
    schema: Json
    example: tuple[Json, ...]
    where: Pointer
    encoding: Object = {}
    places: dict[str, Pointer] = {}


class SampleBody(Struct, frozen=True):
    """A body as an endpoint has it; `content_type` is "" when the usual one is sent."""

    text: str = ""
    form: str = "json"
    content_type: str = ""
    fields: tuple[Object, ...] = ()


def bare(media: str) -> str:
    """A media type in lower case, without its parameters."""
    return media.split(";", 1)[0].strip().lower()


def is_json(name: str) -> bool:
    """Whether a body of this bare type is JSON. What takes anything takes that, too."""
    return name in ("application/json", "text/json", "*/*", "application/*", "") or name.endswith("+json")
