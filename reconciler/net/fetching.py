"""Fetch one document over HTTP."""

from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.core.sensitive import mask_text
from reconciler.errors import NetworkFailure, UsageError

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
MAX_REDIRECTS = 5


def fetch(url: str, *, limit: int) -> bytes:
    """The body of the answer to a GET of `url`.

    Certificates are verified; at most `limit` bytes are read. Proxies and certificate authorities are
    those of the environment, as httpx reads them (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR).

    Raises:
        NetworkFailure: no answer, an answer other than 200, or one that is too large.
        UsageError: `url` is not a URL.
    """
    import httpx

    shown = mask_text(url.partition("?")[0])
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    headers = {"User-Agent": f"reconciler/{__version__}", "Accept": "application/json, application/yaml, */*;q=0.5"}
    try:
        with (
            httpx.Client(
                timeout=timeout, follow_redirects=True, max_redirects=MAX_REDIRECTS, headers=headers
            ) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                message = f"{shown} answered {answer.status_code} {answer.reason_phrase}".rstrip()
                raise NetworkFailure(message, hint="check the URL")
            return _read(answer, shown, limit)
    except httpx.InvalidURL as failure:
        raise UsageError(f"{shown} is not a URL", hint="write https://...") from failure
    except httpx.TimeoutException as failure:
        raise NetworkFailure(f"{shown} did not answer in time", hint="check the network and any proxy") from failure
    except httpx.HTTPError as failure:
        raise NetworkFailure(f"{shown} cannot be fetched: {mask_text(str(failure))}", hint=_hint(failure)) from failure


def _read(answer: "httpx.Response", shown: str, limit: int) -> bytes:
    parts, size = [], 0
    for part in answer.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > limit:
            raise NetworkFailure(
                f"the answer of {shown} is larger than {limit // 2**20} MiB", hint="is it the right URL?"
            )
    return b"".join(parts)


def _hint(failure: Exception) -> str:
    if "CERTIFICATE" in str(failure).upper():
        return "the certificate is not trusted; name a private authority with SSL_CERT_FILE"
    return "check the host name, the network and any proxy"
