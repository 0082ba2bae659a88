"""Where a store in PostgreSQL is: a URL as libpq reads it, what the environment adds, and who may say what.

The URL may come from a branch that nobody has judged. It names servers, a database, a role and how sure of the server
one has to be; what reads files, sends credentials or changes a session is said by whoever runs the command, in the
variables and files of libpq.
"""

import os
import ssl
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as Unparsable
from pathlib import Path
from urllib.parse import quote, unquote

from msgspec import Struct

from reconciler.core.references import own_place
from reconciler.core.store_urls import HOSTS, is_here, remedy_of, strangers
from reconciler.errors import NotPermitted, UsageError
from reconciler.harmless import harmless

SCHEMA = "reconciler"
_SECONDS = 30.0
_MOST_SECONDS = 86_400
_PER_HOST_SECONDS = "5"

_OURS = ("schema", "timeout")
_PERMITTED = frozenset({
    "application_name", "channel_binding", "connect_timeout", "dbname", "host", "hostaddr", "keepalives",
    "keepalives_count", "keepalives_idle", "keepalives_interval", "load_balance_hosts", "port", "service", "sslmode",
    "sslnegotiation", "sslrootcert", "target_session_attrs", "tcp_user_timeout", "user",
})  # fmt: skip
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_WEAK = {
    "verify-ca": "is any server with a certificate of the same authority",
    "require": "is encrypted, but may be any server that answers there",
    "prefer": "may be any server that answers there, and need not be encrypted",
    "allow": "may be any server that answers there, and need not be encrypted",
    "disable": "is not encrypted, and may be any server that answers there",
}


class Address(Struct, frozen=True):
    """A URL, read.

    Attributes:
        name: as messages have it: without role, password and what only concerns the connection.
        schema: of the tables.
        seconds: how long the server may take for one statement.
        named: parameters of libpq that the URL has.
    """

    name: str
    schema: str
    seconds: float
    named: Mapping[str, str]


def read_url(url: str, root: Path) -> Address:
    """What a URL says; nothing is looked up.

    Args:
        root: where a relative path to certificates starts.

    Raises:
        UsageError: it is none, or says what only whoever runs the command may say.
    """
    try:
        from psycopg.pq import Conninfo
    except ImportError as failure:
        raise UsageError("stores in PostgreSQL need psycopg", hint="pip install 'reconciler[postgres]'") from failure
    from psycopg import OperationalError

    bare, ours, theirs = _split(url)
    if "\0" in url:
        raise UsageError("the URL of the store holds a NUL character", hint="check --store or reconciler.yaml")
    variables = {option.keyword.decode(): (option.envvar or b"").decode() for option in Conninfo.get_defaults()}
    for key in theirs:
        _refuse(key, variables.get(key, ""), key in variables)
    try:
        parsed = Conninfo.parse(bare.encode())
        named = {option.keyword.decode(): option.val.decode() for option in parsed if option.val is not None}
    except (OperationalError, UnicodeError):  # whose message repeats the URL
        raise UsageError("the URL of the store cannot be read", hint="write postgresql://USER@HOST:PORT/DATABASE, and %XX for odd characters") from None  # fmt: skip
    if "password" in named:
        _refuse("password", "", known=True)
    if "service" in named and ("host" in named or "hostaddr" in named):
        raise UsageError("the URL of the store names a service and a host", hint="leave one of them out: a service says where it is")  # fmt: skip
    if named.get("sslrootcert", "system") != "system":
        named["sslrootcert"] = str(root / named["sslrootcert"])
    schema = _schema(ours.get("schema", SCHEMA))
    return Address(_name(named, schema), schema, _seconds(ours.get("timeout")), named)


def _split(url: str) -> tuple[str, dict[str, str], list[str]]:
    """The URL without our own parameters, these, and the names of the others."""
    scheme, _, rest = url.partition("://")
    user, slash = rest.find("@"), rest.find("/")
    authority = user + 1 if user >= 0 and (slash < 0 or user < slash) else 0
    start = rest.find("?", authority)
    if start < 0:
        return url, {}, []
    ours: dict[str, str] = {}
    kept, names = [], []
    for part in rest[start + 1 :].split("&"):
        key, _, value = part.partition("=")
        if unquote(key) in _OURS:
            ours[unquote(key)] = unquote(value)
        else:
            kept.append(part)
            names.append(unquote(key))
    query = f"?{'&'.join(kept)}" if kept else ""
    return f"{scheme}://{rest[:start]}{query}", ours, names if kept != [""] else []


def _refuse(key: str, variable: str, known: bool) -> None:
    """Stop at a parameter that a URL may not have; the value is not repeated.

    Raises:
        UsageError: it is one.
    """
    if key == "password":
        raise UsageError("the URL of the store holds a password, which others see", hint=remedy_of("postgresql:"))
    if key in _PERMITTED:
        return
    if not known:
        raise UsageError(f"the URL of the store has a parameter '{key}', which is not known", hint=f"known are: {', '.join(sorted((*_PERMITTED, *_OURS)))}")  # fmt: skip
    hint = f"whoever runs the command can set {variable}" if variable else "leave it out"
    raise UsageError(f"the URL of the store may not say '{key}'", hint=hint)


def _schema(name: str) -> str:
    if name and len(name.encode(errors="replace")) <= 63 and not name.startswith("pg_") and name != "information_schema" and "\0" not in name:  # fmt: skip
        return name
    raise UsageError("no schema can have the name that the URL of the store gives it", hint="write ?schema=NAME with 1 to 63 bytes; names that begin with pg_ are the server's own")  # fmt: skip


def _seconds(text: str | None) -> float:
    if text is None:
        return _SECONDS
    if text.isascii() and text.isdigit() and 0 < int(text) <= _MOST_SECONDS:
        return float(text)
    raise UsageError("the timeout in the URL of the store is no number of seconds", hint="write ?timeout=30")


def _name(named: Mapping[str, str], schema: str) -> str:
    hosts = (named.get("host") or named.get("hostaddr") or "").split(",")
    ports = named.get("port", "").split(",")
    extra = [f"schema={quote(schema)}"]
    if "service" in named:
        extra.insert(0, f"service={quote(named['service'])}")
    if any(host.startswith(("/", "@")) for host in hosts):
        extra.insert(0, f"host={','.join(hosts)}")
        hosts = [""]
    where = ",".join(
        (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        for host, port in zip(hosts, ports if len(ports) == len(hosts) else ports[:1] * len(hosts), strict=True)
    )
    return f"postgresql://{where}/{quote(named.get('dbname', ''))}?{'&'.join(extra)}"


# with what the environment says


def settle(address: Address, environment: Mapping[str, str]) -> dict[str, str]:
    """All parameters of libpq for a connection: the URL before a service before the environment, and our own defaults.

    Raises:
        UsageError: there is no such service.
    """
    from psycopg.pq import Conninfo

    known = {option.keyword.decode(): option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar}
    said = {key: environment[name] for key, name in known.items() if environment.get(name)}
    service = address.named.get("service") or said.pop("service", "")
    said |= _service(service, environment) if service else {}
    said |= {key: value for key, value in address.named.items() if key != "service"}
    if len(list(_contacted(said))) > 1:  # a standby may be behind: only who asks for one reads there
        said.setdefault("target_session_attrs", "read-write")
    said.setdefault("connect_timeout", _PER_HOST_SECONDS)
    said.setdefault("fallback_application_name", "reconciler")
    said["client_encoding"] = "UTF8"
    if not _all_here(said):
        said.setdefault("sslmode", "verify-full")
    if said.get("sslmode") == "verify-full" and said.get("sslrootcert", "system") == "system":
        said["sslrootcert"] = _authorities("sslrootcert" in said, environment)
    if not _all_here(said) and said["sslmode"] != "verify-full" and "require_auth" in known:
        said.setdefault("require_auth", "!password")  # whoever answers there is told no password in the clear
    return said


def for_writing(said: Mapping[str, str]) -> dict[str, str]:
    """The same for a connection that writes, where others may be to a standby."""
    asked = said.get("target_session_attrs", "any")
    return dict(said) if asked in ("any", "primary") else {**said, "target_session_attrs": "read-write"}


def _authorities(asked: bool, environment: Mapping[str, str]) -> str:
    """The file of the authorities that this machine trusts.

    The libpq that comes with psycopg has an OpenSSL of its own, which looks for it where no system keeps one.
    """
    own = Path(environment.get("HOME", "~")).expanduser() / ".postgresql/root.crt"
    if not asked and own.is_file():
        return str(own)
    paths = (environment.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, *_BUNDLES)
    return next((path for path in paths if path and os.path.isfile(path)), "system")


def _service(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    home = Path(environment.get("HOME", "~")).expanduser()
    files = (
        environment.get("PGSERVICEFILE") or home / ".pg_service.conf",
        Path(environment.get("PGSYSCONFDIR", "/etc/postgresql-common")) / "pg_service.conf",
    )
    for file in files:
        sections = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",), strict=False, default_section="")  # fmt: skip
        try:
            sections.read(file, encoding="utf-8")
        except (Unparsable, UnicodeError):
            raise UsageError(f"the service file {file} cannot be read", hint="it has sections such as [name] with lines such as host=db.example") from None  # fmt: skip
        if sections.has_section(name):
            return dict(sections.items(name))
    raise UsageError(f"there is no service '{name}'", hint=f"looked in: {', '.join(map(str, files))}")


def _all_here(said: Mapping[str, str]) -> bool:
    """Whether all servers are on this machine, as far as their names tell."""
    return all(map(is_here, _contacted(said)))


def _contacted(said: Mapping[str, str]) -> Iterator[str]:
    hosts, addresses = said.get("host", "").split(","), said.get("hostaddr", "").split(",")
    for at in range(max(len(hosts), len(addresses))):
        literal = addresses[at] if at < len(addresses) else ""
        yield literal or (hosts[at] if at < len(hosts) else "")


def refuse_device(address: Address) -> None:
    """Stop where a URL has certificates read from a pipe, a device or the running system, which may never end.

    Raises:
        UsageError: it does.
    """
    named = address.named.get("sslrootcert", "system")
    path = os.path.realpath(named)
    if named != "system" and (own_place(path) or (os.path.exists(path) and not os.path.isfile(path))):
        raise UsageError("sslrootcert in the URL of the store names what is no file of certificates", hint="name one by its path from the root of the repository")  # fmt: skip


def weakness(address: Address, environment: Mapping[str, str]) -> str:
    """What whoever reads a plan has to know of how the server is reached; "" where nobody can come between.

    Raises:
        UsageError: there is no such service.
    """
    said = settle(address, environment)
    if _all_here(said) or said["sslmode"] not in _WEAK:
        return ""
    return f"the server of {address.name} {_WEAK[said['sslmode']]} (sslmode={said['sslmode']})"


def refuse_strangers(address: Address, environment: Mapping[str, str]) -> None:
    """Stop at servers that nobody named but a URL which nobody stands for; see `wiring.servers`, which asks the URL.

    This asks what libpq makes of it.

    Raises:
        NotPermitted: there are some.
    """
    asked = "&".join(f"{key}={quote(address.named.get(key, ''))}" for key in ("host", "hostaddr"))
    if found := strangers(f"postgresql:///?{asked}", environment):
        raise NotPermitted(
            f"the store is on {harmless(found[0])}, which only its URL names",
            hint=f"if you trust it, name it in {HOSTS}",
        )
