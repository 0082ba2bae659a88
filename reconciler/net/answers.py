"""Read an answer's body up to a limit, and say in words why there is none."""

import zlib
from collections.abc import Iterable, Iterator

from reconciler.errors import NetworkFailure
from reconciler.net.urls import Proxy, host_of

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


_CERTIFICATE_FAULTS: tuple[tuple[str, str, str], ...] = (
    ("certificate has expired", "its certificate has expired", "ask whoever runs it to renew the certificate"),
    ("certificate is not yet valid", "its certificate is not valid yet", "check the clock of this machine"),
    ("Hostname mismatch", "its certificate is for another host", "check the host name in the URL"),
    ("IP address mismatch", "its certificate is for another host", "use the host name that the certificate is for"),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not from a trusted authority", "name a private authority with  tls: {ca: {file: PATH}}"),
    ("certificate required", "it demands a client certificate", "name one with  tls: {clientCertificate: {file: PATH}, clientKey: {file: PATH}}"),
    ("handshake failure", "it refuses the TLS connection", "it may demand a client certificate: tls.clientCertificate"),
    ("UNKNOWN_CA", "it does not trust the client certificate", "check tls.clientCertificate"),
    ("WRONG_VERSION_NUMBER", "it does not speak TLS there", "check the port, and whether the URL should begin with http://"),
)  # fmt: skip
_CAUSES: tuple[tuple[str, str, str], ...] = (
    ("'idna' codec", "its name is none that can be looked up", "check the host name in the URL"),
    ("Name or service not known", "its name cannot be resolved", "check the host name in the URL"),
    ("nodename nor servname", "its name cannot be resolved", "check the host name in the URL"),
    ("No address associated", "its name cannot be resolved", "check the host name in the URL"),
    ("Temporary failure in name resolution", "its name cannot be resolved", "check the network and the name server"),
    ("Connection refused", "the connection was refused", "check the host and port in the URL, and whether the server runs"),
    ("Connection reset", "it cut the connection", "try again; see the server's log"),
    ("Server disconnected", "it closed the connection without an answer", "try again; see the server's log"),
    ("peer closed connection", "it closed the connection in the middle of its answer", "try again; see the server's log"),
    ("unreachable", "the network does not reach it", "check the network and any proxy"),
)  # fmt: skip


def translate(failure: Exception, url: str, proxy: Proxy | None = None) -> NetworkFailure:
    """A failure of httpx as one of ours.

    The cause is not kept: it holds the request, with everything that was sent.

    Args:
        proxy: which the request went through.
    """
    import httpx

    found = _translated(failure, url, proxy)
    never_sent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol, UnicodeError)
    found.unsent = isinstance(failure, never_sent)
    return found


def _translated(failure: Exception, url: str, proxy: Proxy | None) -> NetworkFailure:
    import httpx

    host, text = host_of(url), _texts(failure)
    if isinstance(failure, httpx.ProxyError) and proxy:
        return refused_by(proxy, url) if "407" in text else _of_proxy(proxy, url, "does not let the request through")
    for mark, reason, hint in _CERTIFICATE_FAULTS:
        if mark in text:
            return NetworkFailure(f"{host}: {reason}", hint=hint)
    if isinstance(failure, (httpx.ConnectError, httpx.ConnectTimeout, UnicodeError)) and proxy:
        return _of_proxy(proxy, url, "cannot be reached")
    if not isinstance(failure, httpx.TimeoutException):
        for mark, reason, hint in _CAUSES:
            if mark in text:
                return NetworkFailure(f"{host}: {reason}", hint=hint, transient=True)
    reason, hint, transient = next(words for name, words in _SORTS.items() if isinstance(failure, _sort(name)))
    return NetworkFailure(f"{host}: {reason}", hint=hint, transient=transient)


def refused_by(proxy: Proxy, url: str) -> NetworkFailure:
    """That a proxy answered 407 in a server's place."""
    found = _of_proxy(proxy, url, "wants other credentials", transient=False)
    found.unsent = True
    return found


def _of_proxy(proxy: Proxy, url: str, reason: str, *, transient: bool = True) -> NetworkFailure:
    message = f"{host_of(url)}: the proxy {proxy.shown} {reason}"
    return NetworkFailure(message, hint=f"check {proxy.variable}; NO_PROXY exempts hosts", transient=transient)


_SORTS: dict[str, tuple[str, str, bool]] = {
    "ConnectTimeout": ("no connection in time", "check the network and any proxy", True),
    "TimeoutException": ("no answer in time", "is the server slow? check its log", True),
    "UnsupportedProtocol": ("the URL is neither http nor https", "write https://...", False),
    "LocalProtocolError": ("the request cannot be sent in HTTP", "check headers and URL", False),
    "RemoteProtocolError": ("its answer is not HTTP", "check the port in the URL", True),
    "DecodingError": ("its answer cannot be decoded", "see the server's log", False),
    "": ("the connection failed", "check the network and any proxy", True),
}
"""By httpx's class, the narrower first."""


def _sort(name: str) -> type[BaseException]:
    import httpx

    found: type[BaseException] = getattr(httpx, name) if name else BaseException
    return found


def _texts(failure: BaseException) -> str:
    """The texts of a failure and of what caused it, for matching alone."""
    texts: list[str] = []
    seen: BaseException | None = failure
    while seen is not None and len(texts) < 10:
        texts.append(str(seen))
        seen = seen.__cause__ or seen.__context__
    return "\n".join(texts)
