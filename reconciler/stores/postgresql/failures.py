"""What a server, or the way to it, says; in words that tell what to do.

What a server calls details is never repeated: it holds values.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from reconciler.errors import ReconcilerError, StoreLocked, StoreUnavailable
from reconciler.stores.postgresql.wire import Silent

_ROLES = "an apply needs the role that writes, a plan the one that reads, and init the owner: see reconciler store init --roles"
_NO_ROOM = "free some space on the server and run the command again"
_LATER = "run the command again when it is up"

_BY_STATE: dict[str, tuple[str, str]] = {
    "08006": ("went away: the connection was lost", "run the command again"),
    "40001": ("gave the transaction up for the sake of others; nothing was changed", "run the command again"),
    "40P01": ("gave the transaction up for the sake of others; nothing was changed", "run the command again"),
    "25006": ("is a standby or read-only, and cannot be written; nothing was changed", "name its primary, or all hosts: postgresql://A,B/DB?target_session_attrs=read-write"),
    "25P03": ("ended the transaction, because this process stood still for too long; nothing was changed", "run the command again"),
    "3D000": ("does not exist: there is no such database", "check the name in the URL, or make it: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"),
    "3F000": ("does not exist", "make it: reconciler store init"),
    "42P01": ("does not exist, or lacks a table", "make it: reconciler store init; look it over: reconciler store check"),
    "42703": ("lacks a column, or is no store", "look it over: reconciler store check"),
    "53100": ("cannot be written: the disk of the server is full; nothing was changed", _NO_ROOM),
    "53200": ("cannot be used: the server is out of memory; nothing was changed", "run the command again, or ask whoever runs the server"),
    "53300": ("has no connection left for this process", "run the command again later, raise max_connections, or put a pooler in front"),
    "57014": ("took too long for one statement, or somebody cancelled it; nothing was changed", "run the command again; allow more seconds in the URL: ?timeout=120"),
    "57P01": ("went away: the server is shutting down, or somebody ended the connection; nothing was changed", _LATER),
    "57P02": ("went away: the server crashed; nothing was changed", _LATER),
    "57P03": ("cannot be used now: the server is starting or stopping", _LATER),
    "22P05": ("cannot keep a character: the database is not UTF8", "make a database with ENCODING 'UTF8'"),
    "22021": ("cannot keep a character: the database is not UTF8", "make a database with ENCODING 'UTF8'"),
    "XX001": ("is damaged", "restore it from a backup"),
    "XX002": ("is damaged: an index does not fit to its table", "have it made anew: REINDEX"),
}  # fmt: skip

_CONNECTING: tuple[tuple[str, str, str], ...] = (
    ("certificate has expired", "cannot be used: the certificate of the server has expired", "ask whoever runs it to renew the certificate"),
    ("certificate is not yet valid", "cannot be used: the certificate of the server is not valid yet", "check the clock of this machine"),
    ("does not match host name|Hostname mismatch|IP address mismatch|could not get server's host name", "cannot be used: the certificate of the server is for another host", "use the host name that the certificate is for, or check whether it is the right server"),
    ("certificate verify failed|self.signed certificate|unable to get local issuer", "cannot be used: the certificate of the server is not from a trusted authority", "name the authority's certificate in PGSSLROOTCERT, or in the URL: ?sslrootcert=FILE"),
    ("root certificate file|root.crt", "cannot be used: the file with the authority's certificate is not there, or is none", "check PGSSLROOTCERT, or sslrootcert in the URL"),
    ("does not support SSL|server does not support TLS", "cannot be used: the server has no TLS", "have it switched on there; on a network that you trust say so in the URL: ?sslmode=disable"),
    ("authentication method requirement", "wants the password in the clear, and nobody made sure which server it is", "have the server use scram-sha-256, or make sure of it: sslmode=verify-full"),
    ("password authentication failed|SASL authentication failed|auth failed|no such user", "does not accept the role and its password", "check the role in the URL, and PGPASSWORD, PGPASSFILE or the password of the target"),
    ("no password supplied|empty password", "wants a password, and none is given", "set PGPASSWORD, name a file in PGPASSFILE, or write a reference into the target: password: {env: NAME}"),
    ('role ".*" does not exist|Peer authentication failed|Ident authentication failed', "does not know the role", "check the role in the URL: postgresql://ROLE@HOST/DATABASE"),
    ('database ".*" does not exist|no such database', *_BY_STATE["3D000"]),
    ("no pg_hba.conf entry|pg_hba.conf rejects", "lets nobody in from here: no line of its pg_hba.conf fits", "ask whoever runs the server to allow this role, database, address and TLS"),
    ("permission denied for database", "does not let the role into the database", "have it granted: GRANT CONNECT ON DATABASE … TO …"),
    ("too many clients|connection slots|too many connections|no more connections allowed", *_BY_STATE["53300"]),
    ("is starting up|shutting down|in recovery mode|not yet accepting|not accepting connections", *_BY_STATE["57P03"]),
    ("session is read-only|in hot standby mode", "has no server that can be written to", "wait until a standby was promoted, or name all hosts in the URL"),
    ("session is not read-only|not in hot standby", "has no standby", "leave target_session_attrs out of the URL"),
    ("unsupported startup parameter", "is behind a pooler that refuses a parameter", "leave PGOPTIONS out"),
    ("Connection refused|No such file or directory|connection to server on socket", "does not answer: nothing listens there", "check host and port in the URL, and whether the server runs"),
    ("timeout expired|timed out|Connection timed out", "does not answer", "check host and port in the URL, and the network; wait longer with ?connect_timeout=30"),
    ("could not translate host name|failed to resolve|Name or service not known|No address associated", "has a host whose address nobody knows", "check the host in the URL"),
    ("Network is unreachable|No route to host", "cannot be reached from here", "check the network"),
)  # fmt: skip


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Failures of a server as errors that say what to do; what may be tried again, or asked after, stays what it is.

    Args:
        name: of the store.

    Raises:
        StoreLocked: somebody holds what was to be locked.
        StoreUnavailable: anything else.
    """
    try:
        yield
    except psycopg.Error as failure:
        raise told(failure, name) from failure


def told(failure: psycopg.Error, name: str) -> ReconcilerError:  # noqa: PLR0911 (one return a sort)
    """A failure of what was asked, in words."""
    if isinstance(failure, errors.LockNotAvailable):
        return StoreLocked(f"the store {name} is locked by another process", hint="try again when it has ended")
    if isinstance(failure, Silent):
        hint = "see whether the server runs and the network is up, and run the command again; allow more seconds in the URL: ?timeout=120"
        return StoreUnavailable(f"the store {name} stopped answering: {failure}", hint=hint)
    if isinstance(failure, errors.InsufficientPrivilege):
        return StoreUnavailable(f"the role may not do that in the store {name}: {failure}; nothing was changed", hint=_ROLES)  # fmt: skip
    state = failure.sqlstate or "08006"
    if isinstance(failure, errors.RaiseException):
        return StoreUnavailable(f"the store {name} refuses what is to be written: {failure}; nothing was changed", hint="a trigger that somebody added to the store does not allow it")  # fmt: skip
    if state in _BY_STATE:
        message, hint = _BY_STATE[state]
        return StoreUnavailable(f"the store {name} {message}", hint=hint)
    if state[:2] in ("22", "23"):  # what they say repeats values
        return StoreUnavailable(f"the store {name} refuses a write ({type(failure).__name__}); nothing was changed", hint="look it over: reconciler store check")  # fmt: skip
    return StoreUnavailable(f"the store {name} cannot be used: {failure}", hint="look it over: reconciler store check")


def refused(failure: psycopg.Error, name: str, reason: str = "") -> StoreUnavailable:
    """That no connection could be made, in words.

    Args:
        reason: why its certificate was not accepted, where that is known.
    """
    text = f"{failure}\n{reason}"
    details = _by_host(str(failure))
    if isinstance(failure, errors.ConnectionTimeout):
        text = f"timeout expired\n{text}" if len(details) < 2 else text
    for pattern, message, hint in _CONNECTING:
        if re.search(pattern, reason or text):
            return StoreUnavailable(f"the store {name} {message}", hint=hint, details=details if len(details) > 1 else ())  # fmt: skip
    said = text.strip().splitlines()[0]
    return StoreUnavailable(f"there is no connection to the store {name}: {said}", hint="check the URL of the store and the PG… variables", details=details)  # fmt: skip


def _by_host(text: str) -> tuple[str, ...]:
    """What came of each host, where there are several."""
    lines = re.findall(r"^- host: '([^']*)', port: '?([^',]*)'?, hostaddr: .*?: (.*)$", text, re.MULTILINE)
    return tuple(f"{host}:{port}: {said.rpartition('failed: ')[2]}" for host, port, said in lines)
