"""httpbin: a source of data over HTTP with basic and bearer authentication, redirects, status codes and delays."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers.authority import Authority
from servers.gunicorn import launch_gunicorn
from servers.process import HOST, Server, answers, wait

READY = "/status/204"


@dataclass(frozen=True)
class Site:
    """One httpbin."""

    url: str
    port: int
    server: Server


@dataclass(frozen=True)
class BadSites:
    """httpbins that a careful client does not accept, or that do not accept every client."""

    expired: Site
    wrong_host: Site
    unknown_ca: Site
    client_certificate: Site  # demands a certificate that the tests' authority signed


@contextmanager
def plain_site(folder: Path) -> Iterator[Site]:
    """httpbin without TLS."""
    server = launch_gunicorn("httpbin:app", folder)
    try:
        wait(server, answers(READY))
        yield Site(f"http://{HOST}:{server.port}", server.port, server)
    finally:
        server.stop()


@contextmanager
def tls_site(folder: Path, authority: Authority) -> Iterator[Site]:
    """httpbin with a good certificate."""
    server = launch_gunicorn("httpbin:app", folder, certificate=authority.good)
    try:
        wait(server, answers(READY, authority.trusting()))
        yield Site(f"https://{HOST}:{server.port}", server.port, server)
    finally:
        server.stop()


@contextmanager
def bad_sites(folder: Path, authority: Authority) -> Iterator[BadSites]:
    """The four others, started side by side."""
    careless = ssl.create_default_context()
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    known = authority.trusting(authority.client)
    servers: list[Server] = []
    try:
        for certificate in (authority.expired, authority.wrong_host, authority.unknown_ca):
            servers.append(launch_gunicorn("httpbin:app", folder, certificate=certificate))
        servers.append(launch_gunicorn("httpbin:app", folder, certificate=authority.good, client_ca=authority.ca))
        for server, context in zip(servers, (careless, careless, careless, known), strict=True):
            wait(server, answers(READY, context))
        yield BadSites(*(Site(f"https://{HOST}:{server.port}", server.port, server) for server in servers))
    finally:
        for server in servers:
            server.stop()
