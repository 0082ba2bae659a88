"""Who may do what with a store in PostgreSQL: four roles without login, which those who connect are made members of.

The owner makes and alters the schema. The writer applies: it can neither alter what was noted of earlier runs, nor
empty tables, nor touch a trigger. The reader plans: it reads no sealed secret and no token, though it sees that one has
changed. The application reads the views alone, which have their owner's rights.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from reconciler.errors import UsageError
from reconciler.stores.postgresql.functions import FOR_READERS, FUNCTIONS, SEALED
from reconciler.stores.postgresql.statements import quoted as identifier
from reconciler.stores.postgresql.tables import COLUMNS, TABLES, VIEW_NAMES
from reconciler.stores.sql.columns import CHAINED


class Role(StrEnum):
    """What a role's name ends with."""

    OWNER = "owner"
    WRITER = "writer"
    READER = "reader"
    APPLICATION = "application"


_LONGEST = 63
"""So many bytes of a name PostgreSQL keeps."""
_MADE_ANEW = ("writing", "declarations")
"""Tables of which no row is ever altered."""


def quoted(name: str) -> str:
    """A name as statements have it.

    Raises:
        UsageError: nothing can have the name.
    """
    if not name or "\0" in name or len(name.encode()) > _LONGEST:
        raise UsageError(
            f"PostgreSQL has no name like {name!r}", hint=f"1 to {_LONGEST} bytes, without a NUL character"
        )
    return identifier(name)


def _literal(text: str) -> str:
    """A text as statements have it, whatever `standard_conforming_strings` says."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _done(body: str) -> str:
    """A statement that does what a block of PL/pgSQL says."""
    tag = "$do$"
    while tag in body:
        tag = f"$o{tag[1:]}"
    return f"DO {tag} {body} {tag}"


def names(prefix: str) -> dict[Role, str]:
    """The roles' names, not quoted."""
    return {role: f"{prefix}_{role}" for role in Role}


def statements(schema: str, database: str, prefix: str) -> list[str]:
    """What makes the roles and gives each its rights on the store; run twice, or after an upgrade, it leaves the same.

    Whoever runs them owns the schema, as a superuser or as one who may make roles, and hands it to the owner.

    Raises:
        UsageError: one of the names is none.
    """
    roles = {role: quoted(name) for role, name in names(prefix).items()}
    return [
        *map(_made, names(prefix).values()),
        _joined(names(prefix)[Role.OWNER]),
        *_handed_over(quoted(schema), roles[Role.OWNER]),
        *_granted(quoted(schema), quoted(database), roles),
    ]


def _made(name: str) -> str:
    """Make a role, unless it is there."""
    body = (
        f"BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {_literal(name)})"
        f" THEN CREATE ROLE {quoted(name)} NOLOGIN; END IF;"
        " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END"
    )
    return _done(body)


def _joined(owner: str) -> str:
    """Let whoever runs this act as the owner: nobody else can hand something over, but a superuser."""
    body = (
        f"BEGIN IF NOT pg_catalog.pg_has_role(current_user, {_literal(owner)}, 'USAGE')"
        f" THEN GRANT {quoted(owner)} TO CURRENT_USER; END IF; END"
    )
    return _done(body)


def _handed_over(schema: str, owner: str) -> Iterator[str]:
    """Also when a superuser made them: the functions run with their owner's rights, and these shall be few."""
    yield f"ALTER SCHEMA {schema} OWNER TO {owner}"
    for table in TABLES:
        yield f"ALTER TABLE {schema}.{table} OWNER TO {owner}"
    for view in VIEW_NAMES:
        yield f"ALTER VIEW {schema}.{view} OWNER TO {owner}"
    for function in FUNCTIONS.values():
        yield f"ALTER FUNCTION {schema}.{function.signature} OWNER TO {owner}"


def _granted(schema: str, database: str, roles: dict[Role, str]) -> Iterator[str]:
    others = ", ".join(roles[role] for role in (Role.WRITER, Role.READER, Role.APPLICATION))
    writer, reader = roles[Role.WRITER], roles[Role.READER]
    # what else is in the schema is somebody else's to grant
    yield f"REVOKE ALL ON {_listed(schema, (*TABLES, *VIEW_NAMES))} FROM PUBLIC, {others}"
    functions = (function.signature for function in FUNCTIONS.values())
    yield f"REVOKE ALL ON FUNCTION {_listed(schema, functions)} FROM PUBLIC, {others}"
    yield f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC, {others}"
    yield f"GRANT CONNECT ON DATABASE {database} TO {roles[Role.OWNER]}, {others}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {others}"
    for table in TABLES:
        yield f"GRANT {_rights(table)} ON {schema}.{table} TO {writer}"
        yield f"GRANT SELECT{_columns(table)} ON {schema}.{table} TO {reader}"
    yield f"GRANT SELECT ON {_listed(schema, VIEW_NAMES)} TO {others}"
    for name in FOR_READERS:
        yield f"GRANT EXECUTE ON FUNCTION {schema}.{FUNCTIONS[name].signature} TO {writer}, {reader}"


def _listed(schema: str, names: Iterable[str]) -> str:
    return ", ".join(f"{schema}.{name}" for name in names)


def _rights(table: str) -> str:
    """What an apply does with a table."""
    if table in CHAINED:
        return "SELECT, INSERT"
    return "SELECT, INSERT, DELETE" if table in _MADE_ANEW else "SELECT, INSERT, UPDATE, DELETE"


def _columns(table: str) -> str:
    """Which columns of a table the reader reads; "" for all."""
    sealed = SEALED.get(table)
    open_ = (f'"{column}"' for column in COLUMNS[table] if column not in (sealed or ()))
    return f" ({', '.join(open_)})" if sealed else ""
