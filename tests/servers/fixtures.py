"""The servers as pytest fixtures. Importing this starts nothing; each server starts when a test first asks for it.

Servers live as long as the session. What a test did to a proxy's script and records is undone before the next test.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from servers.process import HOST, free_port


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the servers keep their files and logs."""
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def authority(server_folder: Path):
    """Certificates, good and bad: see servers.authority.Authority."""
    from servers.authority import make_authority

    return make_authority(server_folder)


@pytest.fixture(scope="session")
def httpbin(server_folder: Path):
    """httpbin without TLS: see servers.httpbin.Site."""
    from servers.httpbin import plain_site

    with plain_site(server_folder) as site:
        yield site


@pytest.fixture(scope="session")
def httpbin_tls(server_folder: Path, authority):
    """httpbin with a certificate that the authority signed."""
    from servers.httpbin import tls_site

    with tls_site(server_folder, authority) as site:
        yield site


@pytest.fixture(scope="session")
def httpbin_bad_tls(server_folder: Path, authority):
    """httpbins with TLS that is expired, for another host, of a stranger, or wants to know its client: BadSites."""
    from servers.httpbin import bad_sites

    with bad_sites(server_folder, authority) as sites:
        yield sites


@pytest.fixture(scope="session")
def _front(httpbin):
    from servers.faults import Front

    front = Front(httpbin.url)
    yield front
    front.close()


@pytest.fixture
def front(_front):
    """A proxy before httpbin that misbehaves on demand and records requests: see servers.faults.Front."""
    _front.clear()
    yield _front
    _front.clear()


@pytest.fixture(scope="session")
def _front_tls(httpbin, authority):
    from servers.faults import Front

    front = Front(httpbin.url, tls=authority.good.server_context())
    yield front
    front.close()


@pytest.fixture
def front_tls(_front_tls):
    """The same with TLS, by the tests' authority."""
    _front_tls.clear()
    yield _front_tls
    _front_tls.clear()


@pytest.fixture
def make_front() -> Iterator[Callable]:
    """Makes further proxies: make_front(upstream_url, tls=..., upstream_tls=...). They end with the test."""
    from servers.faults import Front

    made: list[Front] = []

    def make(upstream: str, **options) -> Front:
        made.append(Front(upstream, **options))
        return made[-1]

    yield make
    for front in made:
        front.close()


@pytest.fixture(scope="session")
def _django_oauth(server_folder: Path, authority):
    from servers.oauth import django_oauth

    with django_oauth(server_folder, authority, 3600) as server:
        yield server


@pytest.fixture(scope="session")
def _django_oauth_short(server_folder: Path, authority):
    from servers.oauth import django_oauth

    with django_oauth(server_folder, authority, 3) as server:
        yield server


@pytest.fixture(scope="session")
def _glewlwyd(server_folder: Path, authority):
    from servers.oauth import glewlwyd

    with glewlwyd(server_folder, authority) as servers:
        yield servers


@pytest.fixture(scope="session")
def _nanoidp(server_folder: Path, authority):
    from servers.oauth import nanoidp

    with nanoidp(server_folder, authority) as server:
        yield server


def _fresh(server):
    server.front.clear()
    yield server
    server.front.clear()


@pytest.fixture
def django_oauth(_django_oauth):
    """django-oauth-toolkit with tokens of an hour: see servers.oauth.OAuthServer."""
    yield from _fresh(_django_oauth)


@pytest.fixture
def django_oauth_short(_django_oauth_short):
    """django-oauth-toolkit with tokens of three seconds."""
    yield from _fresh(_django_oauth_short)


@pytest.fixture
def glewlwyd(_glewlwyd):
    """glewlwyd with tokens of an hour."""
    yield from _fresh(_glewlwyd.usual)


@pytest.fixture
def glewlwyd_short(_glewlwyd):
    """glewlwyd with tokens of three seconds."""
    yield from _fresh(_glewlwyd.short)


@pytest.fixture
def nanoidp(_nanoidp):
    """nanoidp with tokens of an hour; it knows no shorter than a minute."""
    yield from _fresh(_nanoidp)


@pytest.fixture(params=["django_oauth", "glewlwyd", "nanoidp"])
def oauth_server(request: pytest.FixtureRequest):
    """Each of the three in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["django_oauth_short", "glewlwyd_short"])
def oauth_server_short(request: pytest.FixtureRequest):
    """Each of those whose tokens can last three seconds."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def rate_limited(httpbin, server_folder: Path) -> Iterator[str]:
    """The address of httpbin behind a haproxy that lets two requests through in a second, then answers 429."""
    from servers.haproxy import at_most, haproxy

    with haproxy(server_folder, httpbin.port, at_most(2, 1)) as port:
        yield f"http://{HOST}:{port}"


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    return free_port()


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A port that accepts connections, and that is all: no TLS handshake, no answer."""
    with socket.create_server((HOST, 0), backlog=16) as listener:
        yield listener.getsockname()[1]


@pytest.fixture(scope="session")
def _aws(server_folder: Path):
    from servers.aws import aws

    with aws(server_folder) as server:
        yield server


@pytest.fixture
def aws(_aws):
    """AWS Secrets Manager without secrets: see servers.aws.Aws."""
    _aws.clear()
    return _aws


@pytest.fixture(scope="session")
def age_key(server_folder: Path):
    """A key of age, and sops to encrypt files with it: see servers.sops.AgeKey."""
    from servers.sops import make_age_key

    return make_age_key(server_folder)


@pytest.fixture(scope="session")
def other_age_key(server_folder: Path):
    """A key that cannot read what the other encrypted."""
    from servers.sops import make_age_key

    return make_age_key(server_folder, "other-key.txt")


@pytest.fixture(scope="session")
def _postgresql(authority) -> Iterator[Callable]:
    """Starts the server of a major when it is first asked for, and gives it again from then on."""
    from servers.postgresql import PostgreSQL, postgresql

    with ExitStack() as ends:
        found: dict[str, PostgreSQL] = {}

        def of(major: str) -> PostgreSQL:
            if major not in found:
                found[major] = ends.enter_context(postgresql(authority, major))
            return found[major]

        yield of


@pytest.fixture
def major(request: pytest.FixtureRequest) -> str:
    """Which PostgreSQL a test runs on: the newest, unless it is marked by `on_both_majors` or asks for another."""
    from servers.postgresql import NEWEST

    return getattr(request, "param", NEWEST)


@pytest.fixture
def postgresql(_postgresql, major: str):
    """A PostgreSQL server: see servers.postgresql.PostgreSQL. Other tests of this worker use it, too."""
    return _postgresql(major)


@pytest.fixture
def postgresql_tls(_postgresql):
    """One with TLS, and a certificate by the tests' authority: Debian's, as the package index has none."""
    from servers.postgresql import DEBIANS

    return _postgresql(DEBIANS)


@pytest.fixture
def database(postgresql):
    """An empty database on that server, and the role that owns it: see servers.postgresql.Database."""
    made = postgresql.create()
    yield made
    postgresql.drop(made)


@pytest.fixture
def database_tls(postgresql_tls):
    """An empty database on the server that has TLS."""
    made = postgresql_tls.create()
    yield made
    postgresql_tls.drop(made)


@pytest.fixture
def standby(postgresql):
    """A server that follows that one without its waiting: see servers.postgresql.PostgreSQL.standby."""
    made = postgresql.standby()
    yield made
    made.discard()


@pytest.fixture
def pgbouncer(postgresql):
    """pgbouncer in transaction mode before that server: see servers.pgbouncer.Pooler."""
    from servers.pgbouncer import pgbouncer

    with pgbouncer(postgresql) as pooler:
        yield pooler


@pytest.fixture
def wire(postgresql):
    """A proxy before that server which counts round trips, delays and cuts: see servers.wire.Wire."""
    from servers.wire import Wire

    made = Wire(postgresql.port)
    yield made
    made.close()


@pytest.fixture
def make_wire() -> Iterator[Callable]:
    """Makes further ones, before any port: make_wire(pgbouncer.port, delay=0.02). They end with the test."""
    from servers.wire import Wire

    made: list[Wire] = []

    def make(upstream: int, **options) -> Wire:
        made.append(Wire(upstream, **options))
        return made[-1]

    yield make
    for wire in made:
        wire.close()


@pytest.fixture
def processmaker():
    """A simulated ProcessMaker instance of today: see servers.processmaker.Instance."""
    from servers.processmaker import instance

    with instance() as running:
        yield running
