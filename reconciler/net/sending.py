"""Send one request and read its answer within limits of time and size."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from reconciler import __version__
from reconciler.core.trust import Trust
from reconciler.errors import NetworkFailure, UsageError
from reconciler.net.deadline import Deadline
from reconciler.net.decoding import ACCEPTED, read_limited
from reconciler.net.failures import host_of, translate
from reconciler.net.trust import make_context
from reconciler.value_class import value_class

if TYPE_CHECKING:
    import ssl

    import httpx

CONNECT_SECONDS = 10.0
USER_AGENT = f"reconciler/{__version__}"


@value_class
class Answer:
    """What a server said.

    Attributes:
        headers: in the order in which they came.
        body: decoded from its content encoding; at most the limit.
        cut: whether the body is longer than the limit.
        seconds: from the start of the request to the end of the answer.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: bool
    seconds: float

    def header(self, name: str) -> str:
        """The first value of a header, or ""."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@value_class
class Limits:
    """How long a request may take in all, and how much is read of its answer."""

    seconds: float = 30.0
    max_bytes: int = 1024 * 1024


USUAL = Limits()


class Sender:
    """A client for servers that are trusted in the same way. Redirects are not followed. Not for several threads.

    Proxies are those of the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY).
    """

    def __init__(self, trust: Trust, context: "ssl.SSLContext | None" = None) -> None:
        """Make the client.

        Args:
            context: made for `trust` before.

        Raises:
            CertificateUnusable: see `make_context`.
        """
        self._deadline = Deadline()
        self._client: httpx.Client | None = None
        self._context = context or make_context(trust)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        params: Sequence[tuple[str, str]] = (),
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        limits: Limits = USUAL,
    ) -> Answer:
        """Send a request; the answer may have any status.

        Args:
            params: appended to the query that `url` may have.
            content: the body; None for none.
            form: fields of a multipart/form-data body, instead of `content`.

        Raises:
            NetworkFailure: there was no whole answer in time.
            UsageError: `url` is not a URL.
        """
        import httpx

        began = time.perf_counter()
        try:
            client = self._open()
            target = httpx.URL(url)
            if params:
                target = target.copy_merge_params(list(params)) if not target.query else _appended(target, params)
            files = {name: (None, value.encode()) for name, value in form.items()} if form else None
            request = client.build_request(
                method,
                target,
                headers=list(headers),
                content=content,
                files=files,
                timeout=httpx.Timeout(limits.seconds, connect=min(CONNECT_SECONDS, limits.seconds)),
                extensions={"trace": self._deadline.trace},
            )
            with self._deadline.running(limits.seconds):
                answer = client.send(request, stream=True)
                try:
                    encoding = answer.headers.get("content-encoding", "")
                    body, cut = read_limited(answer.iter_raw(), encoding, limits.max_bytes, host_of(url))
                finally:
                    answer.close()
        except httpx.InvalidURL:
            raise UsageError(f"{host_of(url)}: this is not a URL", hint="write https://...") from None
        except (httpx.HTTPError, httpx.StreamError, OSError, UnicodeError) as failure:
            if self._deadline.passed:
                message = f"{host_of(url)}: no whole answer within {limits.seconds:g} s"
                hint = "is the server slow? the limit is the endpoint's timeoutSeconds"
                raise NetworkFailure(message, hint=hint, transient=True) from None
            raise translate(failure, url) from None
        except ValueError:
            raise UsageError(f"{host_of(url)}: a header or parameter cannot be sent as it is") from None
        if self._deadline.passed:
            raise NetworkFailure(f"{host_of(url)}: no whole answer within {limits.seconds:g} s", transient=True)
        received = tuple((key, value) for key, value in answer.headers.multi_items())
        return Answer(answer.status_code, answer.reason_phrase, received, body, cut, time.perf_counter() - began)

    def _open(self) -> "httpx.Client":
        import httpx

        if self._client is None:
            self._client = httpx.Client(
                verify=self._context, headers={"User-Agent": USER_AGENT, "Accept-Encoding": ACCEPTED}
            )
            self._client.headers.pop("Accept", None)
        return self._client

    def abort(self) -> None:
        """End what is under way, from another thread."""
        self._deadline.end()

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
        self._deadline.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _appended(url: "httpx.URL", params: Sequence[tuple[str, str]]) -> "httpx.URL":
    """`url` with `params` behind its own query, which stays byte for byte."""
    from urllib.parse import urlencode

    return url.copy_with(query=url.query + b"&" + urlencode(list(params)).encode())
