"""haproxy: true rate limiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from programs import needs
from servers.process import HOST, free_port, launch, listens, wait

CONFIGURATION = """\
global
  maxconn 256
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind {host}:{port}
  {rules}
  default_backend back
backend back
  server real {host}:{upstream}
"""


@contextmanager
def haproxy(folder: Path, upstream: int, rules: str) -> Iterator[int]:
    """haproxy before a port; gives its own port. `rules` are lines of a frontend."""
    port = free_port()
    text = CONFIGURATION.format(host=HOST, port=port, upstream=upstream, rules=rules)
    file = folder / f"haproxy-{port}.cfg"
    file.write_text(text, "utf-8")
    server = launch("haproxy", [needs("haproxy"), "-db", "-f", file], folder=folder, port=port)
    try:
        wait(server, listens)
        yield port
    finally:
        server.stop()


def at_most(requests: int, seconds: int) -> str:
    """Rules that answer 429 with Retry-After to a client that asks more often."""
    return (
        f"stick-table type ip size 1k expire {seconds}s store http_req_rate({seconds}s)\n"
        "  http-request track-sc0 src\n"
        f"  http-request return status 429 content-type text/plain string slow-down hdr Retry-After {seconds}"
        f" if {{ sc_http_req_rate(0) gt {requests} }}"
    )
