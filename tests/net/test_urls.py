"""URLs that nothing can be sent to are told as such, whatever is wrong with them."""

import os

import pytest

from reconciler.core.calls import Trust
from reconciler.errors import NetworkFailure, ReconcilerError, UsageError
from reconciler.net.client import Sender

ODD = [
    "http://127.0.0.1:0/", "http://127.0.0.1:70000/", "http://127.0.0.1:-1/", "http:///x", "https://:443/", "ftp://x/", "//x/", "x", "", "http://[::1",
    "http://\ud800/", "http://xn--/", "http://a b/", "http://127.0.0.1:1/" + "a" * 70_000, "http://127.0.0.1:1/\ud800",
]  # fmt: skip
UNKNOWN = ["http://" + "a" * 64 + ".x/", "http://a..b/", "http://.a/"]


@pytest.mark.parametrize("url", ODD, ids=lambda url: ascii(url[:30]))
def test_what_is_no_url_of_a_server(url: str) -> None:
    """It is wrong usage, or no such host; never a bug."""
    with Sender(Trust()) as sender, pytest.raises(ReconcilerError) as refused:
        sender.send("GET", url)
    assert isinstance(refused.value, UsageError | NetworkFailure)
    assert "connection failed" not in refused.value.message


@pytest.mark.parametrize("url", UNKNOWN, ids=lambda url: url[:20])
def test_a_name_that_cannot_be_looked_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a server, or of the proxy on the way."""
    with Sender(Trust()) as sender:
        with pytest.raises(NetworkFailure, match="its name is none that can be looked up"):
            sender.send("GET", url)
        monkeypatch.setitem(os.environ, "HTTP_PROXY", url)
        with pytest.raises(NetworkFailure, match="the proxy .* cannot be reached"):
            sender.send("GET", "http://127.0.0.1/")
