"""What can be told of a store by its URL alone, as libpq reads those of databases.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

_INSTANCES = ("processmaker+https", "processmaker+http")
OF_SERVERS = ("postgresql", "postgres", *_INSTANCES)
"""Schemes of stores that a connection is made to."""
_PASSWORDS = frozenset(("password", "sslpassword"))
HOSTS = "RECONCILER_STORE_HOSTS"
"""The variable in which whoever runs a command names servers that a project file may have its stores on."""


def scheme_of(url: str) -> str:
    """What stands before its first colon."""
    return url.partition(":")[0]


def is_instance(url: str) -> bool:
    """Whether a URL is that of a ProcessMaker instance."""
    return scheme_of(url) in _INSTANCES


def remedy_of(url: str) -> str:
    """What to do about a password in a URL."""
    if is_instance(url):
        return "take it out; name the token in reconciler.yaml:  token: {env: NAME}"
    return "take it out; set PGPASSWORD or PGPASSFILE, or name it in reconciler.yaml:  password: {env: NAME}"


def holds_password(url: str) -> bool:
    """Whether a URL carries one, which would stand in files, lists of processes and logs; also where it is written amiss."""
    scheme, colon, rest = url.partition(":")
    if scheme in OF_SERVERS and not rest.startswith("//"):
        url = f"{scheme}://{rest.lstrip('/')}"
    if not colon or "=" in scheme:  # libpq knows  host=H password=P,  too, which is no URL
        return any(f"{name}=" in url.replace(" ", "") for name in _PASSWORDS)
    _, mark, _, user, query = _parts(url)
    if is_instance(url):  # there a name alone is none, but may be a token
        return bool(user) or any(value for _, value in query)
    return bool(mark) and (bool(user.partition(":")[2]) or any(name in _PASSWORDS and value for name, value in query))


def strangers(url: str, environment: Mapping[str, str]) -> list[str]:
    """The hosts of a URL that are neither this machine nor named by whoever runs the command.

    A URL without a host, or with a service, goes where the operator's variables and files say.
    """
    _, mark, hosts, _, query = _parts(url)
    if not mark:
        return []
    variables = (HOSTS,) if is_instance(url) else (HOSTS, "PGHOST", "PGHOSTADDR")
    further = [host for name, value in query if name in ("host", "hostaddr") for host in value.split(",")]
    named = {host for name in variables for host in _listed(environment.get(name, ""))}
    elsewhere = {host for host in map(str.lower, (*hosts, *further)) if not is_here(host) and host not in named}
    return sorted(elsewhere | {value for name, value in query if name == "servicefile"})


def _listed(text: str) -> list[str]:
    return text.replace(",", " ").lower().split()


def is_here(host: str) -> bool:
    """Whether a host, as libpq has it, is this machine by its name: a socket, an address of its own, or none."""
    if not host or host.lower() == "localhost" or host.startswith(("/", "@")):
        return True
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _parts(url: str) -> tuple[str, str, list[str], str, list[tuple[str, str]]]:
    """Scheme, its mark, hosts, user with password, and parameters; no mark where the URL has another form."""
    scheme, mark, rest = url.partition("://")
    if scheme == "sqlite":
        return scheme, "", [], "", []
    before, _, parameters = rest.partition("?")
    user, _, places = before.partition("/")[0].rpartition("@")
    hosts = [unquote(_without_port(place)) for place in places.split(",")]
    return scheme, mark, hosts, unquote(user) if ":" in user else user, list(_parameters(parameters))


def _without_port(place: str) -> str:
    return place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        yield unquote(name), unquote(value)
