"""Read an answer's body, decoded, up to a limit. A few bytes may decode to gigabytes, so never more than wanted is."""

import zlib
from collections.abc import Iterable, Iterator

from reconciler.errors import NetworkFailure

ACCEPTED = "gzip, deflate"
_GZIP_OR_ZLIB, _BARE = 32 + zlib.MAX_WBITS, -zlib.MAX_WBITS
_STEP = 65536


def read_limited(raw: Iterable[bytes], encoding: str, limit: int, host: str) -> tuple[bytes, bool]:
    """At most `limit` bytes of a body, and whether there is more.

    Args:
        encoding: the Content-Encoding header.
        host: whose answer it is.

    Raises:
        NetworkFailure: it cannot be decoded, or is encoded in a way that was not asked for.
    """
    parts, size = [], 0
    for part in _decoded(raw, encoding.strip().lower(), host):
        parts.append(part)
        size += len(part)
        if size > limit:
            return b"".join(parts)[:limit], True
    return b"".join(parts), False


def _decoded(raw: Iterable[bytes], encoding: str, host: str) -> Iterator[bytes]:
    if encoding in ("", "identity"):
        yield from raw
    elif encoding in ("gzip", "x-gzip", "deflate"):
        try:
            yield from _inflated(raw)
        except zlib.error:
            raise NetworkFailure(f"{host}: its answer cannot be decoded", hint="see the server's log") from None
    else:
        message = f"{host}: its answer has a content encoding that was not asked for"
        raise NetworkFailure(message, hint=f"the server should answer in one of: {ACCEPTED}")


def _inflated(raw: Iterable[bytes]) -> Iterator[bytes]:
    decoder, waiting = None, b""
    for data in raw:
        rest = waiting + data
        if decoder is None and len(rest) < 2:  # two bytes say which of the three it is
            waiting = rest
            continue
        waiting = b""
        while rest:
            if decoder is None:
                decoder = zlib.decompressobj(_window(rest))
            elif decoder.eof:  # gzip's members may follow one another
                decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
            yield decoder.decompress(rest, _STEP)
            rest = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    while decoder is not None and (part := decoder.decompress(decoder.unconsumed_tail, _STEP)):
        yield part


def _window(data: bytes) -> int:
    """How zlib is to read this; some servers send deflate without its header (RFC 9110, section 8.4.1.2)."""
    is_gzip = data.startswith(b"\x1f\x8b")
    is_zlib = data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
    return _GZIP_OR_ZLIB if is_gzip or is_zlib else _BARE
