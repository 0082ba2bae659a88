"""Bodies of the type multipart/form-data (RFC 7578), with names escaped as browsers do (WHATWG, "multipart/form-data")."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from mimetypes import MimeTypes

from msgspec import Struct

from reconciler.errors import InvalidDefinitions

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class Part(Struct, frozen=True):
    """One field.

    Attributes:
        media_type: or "", which servers take for plain text.
        filename: or "" where the field is no file.
    """

    name: str
    text: str
    media_type: str = ""
    filename: str = ""


def multipart(parts: Sequence[Part]) -> tuple[bytes, str]:
    """The body and its media type.

    The boundary is made of what it has to stand between, so that it occurs in none of it, and a request that is sent
    again is the same.

    Raises:
        InvalidDefinitions: a media type would be more than a header.
        UnicodeEncodeError: a text holds half a character.
    """
    written = [(_head(part), part.text.encode()) for part in parts]
    digest = sha256()
    for head, content in written:
        digest.update(b"%d %d\n%b%b" % (len(head), len(content), head, content))
    boundary = f"reconciler-{digest.hexdigest()[:40]}"
    return b"".join(_lines(boundary.encode(), written)), f"multipart/form-data; boundary={boundary}"


def _lines(boundary: bytes, written: Iterable[tuple[bytes, bytes]]) -> Iterable[bytes]:
    for head, content in written:
        yield b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary, head, content)
    yield b"--%b--\r\n" % boundary


def _head(part: Part) -> bytes:
    lines = [f'Content-Disposition: form-data; name="{part.name.translate(_ESCAPES)}"']
    media_type = part.media_type
    if part.filename:
        lines[0] += f'; filename="{part.filename.translate(_ESCAPES)}"'
        # the table that Python brings, so that machines do not differ
        media_type = media_type or MimeTypes().guess_type(part.filename)[0] or "application/octet-stream"
    if media_type:
        if not (media_type.isascii() and media_type.isprintable()):
            raise InvalidDefinitions("formFields: a contentType is not a media type", hint="write type/subtype")
        lines.append(f"Content-Type: {media_type}")
    return "\r\n".join(lines).encode()
