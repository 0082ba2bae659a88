"""What a target says of its instance beside the URL."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from reconciler.core.calls import Trust
from reconciler.core.secret import Secret
from reconciler.errors import UsageError

_LARGEST = 1024 * 1024  # bytes of certificates; all public authorities together are a fifth of that


class Options(Struct, frozen=True, rename="camel"):
    """What schemas/project.schema.json says of `processmaker` in a target.

    Attributes:
        allow_plain_http: the reason why the instance is spoken to in the clear; "" for that it is not.
        in_flight: how many requests are under way at once.
        page_size: how many records of a list are asked for at once.
        timeout_seconds: how long one request may take.
        ca: a file of PEM certificates that are trusted instead of the public authorities.
        expiry: "byApply" where grants that expire are taken by the first apply after that.
        allow_secrets_in_endpoints: whether secrets may stand in headers and parameters, which all who may view read.
        token_renewal: "scheduled" where something renews the access tokens that the instance is given.
    """

    allow_plain_http: str = ""
    in_flight: Annotated[int, Meta(ge=1, le=32)] = 4
    page_size: Annotated[int, Meta(ge=1, le=1000)] = 200
    timeout_seconds: Annotated[int, Meta(ge=1, le=600)] = 30
    ca: str = ""
    expiry: Literal["byApply", ""] = ""
    allow_secrets_in_endpoints: bool = False
    token_renewal: Literal["scheduled", ""] = ""


def read_options(said: Mapping[str, Any]) -> Options:
    """The options that a target gives.

    Raises:
        UsageError: it says what is none, where nobody has held it against the schema.
    """
    try:
        return msgspec.convert(dict(said), Options)
    except msgspec.ValidationError as failure:
        raise UsageError(
            f"the target's processmaker settings are wrong: {failure}", hint="see docs/reference"
        ) from None


def trust_of(options: Options, root: Path) -> Trust:
    """Whose certificates are trusted.

    Args:
        root: of the repository, where relative paths start.

    Raises:
        UsageError: the file of certificates is not there, or is none.
    """
    if not options.ca:
        return Trust()
    path = root / options.ca
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:  # a device would give no end
            raise FileNotFoundError(options.ca)
        return Trust(authority=Secret(path.read_text("ascii", "replace")))
    except (OSError, ValueError):
        hint = "name a PEM file by its path from the root of the repository"
        raise UsageError("processmaker.ca of the target names no file of certificates", hint=hint) from None
