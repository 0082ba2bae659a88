"""Each role in PostgreSQL does its own work and none of the others'."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from pg_plain import SCHEMA, Plain, fill, make_store, plain, taken_back
from psycopg.errors import InsufficientPrivilege
from servers.postgresql import DEBIANS, NEWEST

from reconciler.errors import UsageError
from reconciler.stores.postgresql import roles
from reconciler.stores.postgresql.roles import Role
from reconciler.stores.postgresql.tables import TABLES, VIEW_NAMES

ALL = frozenset(Role)
NOBODY: frozenset[Role] = frozenset()
O, W, R, A = Role.OWNER, Role.WRITER, Role.READER, Role.APPLICATION


class Roles:
    """A store with roles, and a connection as a member of each."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.database = server.create()
        self.prefix = self.database.name
        self.admin = plain(server, self.database.name)
        make_store(self.admin)
        fill(self.admin)
        give(self.admin, self.prefix)
        self.members: dict[Role, Plain] = {}
        for role, name in roles.names(self.prefix).items():
            member = self.database.login(member_of=(name,))
            self.members[role] = Plain(member.connect(prepare_threshold=None))

    def close(self) -> None:
        for connection in (*self.members.values(), self.admin):
            connection.close()
        self.server.drop(self.database)
        with self.server.superuser() as connection:
            for name in roles.names(self.prefix).values():
                connection.execute(f"DROP ROLE {roles.quoted(name)}")


def give(connection: Plain, prefix: str, schema: str = SCHEMA) -> None:
    """Run what makes the roles, in one transaction."""
    connection.begin()
    for statement in roles.statements(schema, connection.raw.info.dbname, prefix):
        connection.execute(statement)
    connection.commit()


@pytest.fixture(scope="module", params=[NEWEST, DEBIANS])
def store(_postgresql, request: pytest.FixtureRequest) -> Iterator[Roles]:
    """On each major, of which no test alters anything for good."""
    made = Roles(_postgresql(request.param))
    yield made
    made.close()


APPLY = (
    "INSERT INTO writing VALUES (pg_current_xact_id()); SELECT set_config('reconciler.writing', '1', true);"
    "UPDATE documents SET live = '{\"spec\":{}}' WHERE uid = 'a'; DELETE FROM records WHERE uid = 'b';"
    "INSERT INTO runs SELECT 2, started, finished, actor, owner, target, git_commit, changes, verb, outcome FROM runs;"
    "INSERT INTO history SELECT 2, 2, uid, kind, name, action, fingerprint FROM history;"
    "DELETE FROM baselines; UPDATE meta SET value = '2' WHERE key = 'revision'; DELETE FROM writing"
)
GRANTED = (
    "DO 'BEGIN IF NOT has_table_privilege(''public'', ''secrets'', ''SELECT'')"
    " THEN RAISE insufficient_privilege; END IF; END'"
)
"""Who has no right to grant is but warned."""
WORK: dict[str, tuple[str, frozenset[Role]]] = {
    # the application's
    "read connectors": ("SELECT * FROM connectors", ALL),
    "read endpoints": ("SELECT * FROM endpoints", ALL),
    "read grants": ("SELECT * FROM effective_grants", ALL),
    # the reader's
    "read records": ("SELECT * FROM records", ALL - {A}),
    "read bodies": ("SELECT * FROM documents", ALL - {A}),
    "read the history": ("SELECT * FROM history JOIN runs ON runs.id = run", ALL - {A}),
    "read which secrets there are": ("SELECT uid, address, reference, fingerprint FROM secrets", ALL - {A}),
    "read which tokens there are": ('SELECT uid, "authorization", made_with, obtained, expires, scope, renewable FROM tokens', ALL - {A}),
    "read what drifted": (f"SELECT uid, since, writer, {Plain.engine.pictured} FROM drifts", ALL - {A}),
    "read what is live": (f"SELECT r.uid, {Plain.engine.picture} FROM records r", ALL - {A}),
    "read leases": ("SELECT * FROM leases, attempts", ALL - {A}),
    "check values": ("SELECT count(*) FROM documents WHERE NOT is_json(live)", ALL - {A}),
    "check triggers": ("SELECT tgname FROM pg_trigger", ALL),
    # the writer's
    "read ciphertext": ("SELECT ciphertext FROM secrets", frozenset({O, W})),
    "read all of secrets": ("SELECT * FROM secrets", frozenset({O, W})),
    "read ciphertext in quarantine": ("SELECT ciphertext FROM quarantined_secrets", frozenset({O, W})),
    "read access tokens": ("SELECT access FROM tokens", frozenset({O, W})),
    "read refresh tokens": ("SELECT refresh IS NOT NULL FROM tokens", frozenset({O, W})),
    "read sealed pictures": ("SELECT secrets FROM drifts", frozenset({O, W})),
    "sort by what is sealed": ("SELECT uid FROM secrets ORDER BY ciphertext", frozenset({O, W})),
    "lock": ("SELECT 1 FROM meta WHERE key = 'store' FOR UPDATE", frozenset({O, W})),
    "lock bodies and records": ("SELECT 1 FROM documents FOR UPDATE; SELECT 1 FROM records ORDER BY uid FOR UPDATE", frozenset({O, W})),
    "apply": (APPLY, frozenset({O, W})),
    "take a lease": ("INSERT INTO leases VALUES ('apply', 'h', 1, 1) ON CONFLICT (name) DO UPDATE SET fence = excluded.fence", frozenset({O, W})),
    "write around an apply": ("UPDATE records SET owner = 'x'", frozenset({O, W})),
    "silence the triggers": ("INSERT INTO writing VALUES (pg_current_xact_id())", frozenset({O, W})),
    # the owner's
    "empty a table": ("TRUNCATE tokens", frozenset({O})),
    "switch a trigger off": ("ALTER TABLE documents DISABLE TRIGGER watch", frozenset({O})),
    "add a trigger": ("CREATE TRIGGER t BEFORE UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()", frozenset({O})),
    "drop a trigger": ("DROP TRIGGER watch ON documents", frozenset({O})),
    "replace a function": ("CREATE OR REPLACE FUNCTION reconciler.append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'", frozenset({O})),
    "alter a table": ("ALTER TABLE records ADD COLUMN more text", frozenset({O})),
    "make a table": ("CREATE TABLE reconciler.more (id int)", frozenset({O})),
    "make a function": ("CREATE FUNCTION reconciler.more() RETURNS int LANGUAGE sql AS 'SELECT 1'", frozenset({O})),
    "drop a table": ("DROP TABLE tokens", frozenset({O})),
    "alter what was declared": ("UPDATE declarations SET body = '{}'", frozenset({O})),
    "grant": (f"GRANT SELECT ON reconciler.secrets TO PUBLIC; {GRANTED}", frozenset({O})),
    # nobody's
    "alter the history": ("UPDATE history SET action = 'x'", NOBODY),
    "delete the history": ("DELETE FROM history", NOBODY),
    "alter runs": ("UPDATE runs SET actor = 'x'", NOBODY),
    "empty the history": ("TRUNCATE history", NOBODY),
    "switch triggers off": ("SET LOCAL session_replication_role = replica", NOBODY),
    "make a role": ("CREATE ROLE somebody_else", NOBODY),
    "call what a trigger does": ("SELECT reconciler.guard()", NOBODY),
    "become the owner's superior": ("SET LOCAL ROLE postgres", NOBODY),
}  # fmt: skip
"""By what is done: how, and who can."""


@pytest.mark.parametrize("work", WORK)
def test_each_role_does_its_own_work_alone(store: Roles, work: str) -> None:
    """A table of who can do what."""
    statement, able = WORK[work]
    done = set()
    for role, connection in store.members.items():
        with taken_back(connection):
            with suppress(
                psycopg.errors.InsufficientPrivilege,
                psycopg.errors.RestrictViolation,
                psycopg.errors.FeatureNotSupported,
            ):
                connection.execute(statement)
                done.add(role)
    assert done == able


def test_every_table_and_view_is_owned_and_granted(store: Roles) -> None:
    """By the owner, who is no superuser: the functions run with his rights."""
    names = roles.names(store.prefix)
    with taken_back(store.admin) as admin:
        query = "SELECT relname::text FROM pg_class WHERE relnamespace = 'reconciler'::regnamespace AND relkind IN ('r', 'v') AND relowner = to_regrole(?)"
        owned = {name for (name,) in admin.all(query, roles.quoted(names[O]))}
        assert owned == {*TABLES, *VIEW_NAMES}
        query = "SELECT proname FROM pg_proc WHERE pronamespace = 'reconciler'::regnamespace AND (proowner <> to_regrole(?) OR has_function_privilege('public', oid, 'EXECUTE'))"
        assert admin.all(query, roles.quoted(names[O])) == []
        query = "SELECT rolname FROM pg_roles WHERE rolname = ANY (?) AND (rolcanlogin OR rolsuper OR rolcreaterole)"
        assert admin.all(query, list(names.values())) == []
        assert admin.engine.found_triggers(admin) == admin.engine.own_triggers()


@pytest.mark.parametrize("table", ["runs", "history"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET hash = NULL", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_writer_has_no_right_to_alter_the_history(store: Roles, table: str, statement: str) -> None:
    """Beside the trigger that refuses it to everybody."""
    with taken_back(store.members[W]) as member, pytest.raises(InsufficientPrivilege):
        member.execute(statement.format(table))


@pytest.mark.parametrize("role", [O, W, R])
def test_whoever_reads_can_look_the_store_over(store: Roles, role: Role) -> None:
    """All that a check asks the engine."""
    with taken_back(store.members[role]) as member:
        engine = member.engine
        for table, wrong in engine.misfits(member):
            assert member.all(f"SELECT count(*) FROM {table} WHERE {wrong}") == [(0,)]
        assert list(engine.silenced(member)) == list(engine.differing(member)) == []
        assert engine.found_triggers(member) == engine.own_triggers()


def test_what_the_application_writes_by_a_grant_of_its_own_is_seen(store: Roles) -> None:
    """With who it was; it needs no right on what is noted of it, and cannot silence that."""
    member = store.members[A]
    names = roles.names(store.prefix)
    store.admin.execute(f"GRANT SELECT, UPDATE ON reconciler.documents TO {roles.quoted(names[A])}")
    try:
        member.begin()
        member.execute("SET LOCAL application_name = 'crm'")
        member.execute("UPDATE documents SET live = '{}' WHERE uid = 'c'")
        member.commit()
        with taken_back(store.admin) as admin:
            login = member.raw.info.user
            assert admin.all("SELECT uid, writer FROM drifts") == [("c", f"{login} (crm at 127.0.0.1)")]
        for silencing in (
            "SET LOCAL reconciler.writing = '1'; UPDATE documents SET live = live",
            "UPDATE documents SET live = left(set_config('reconciler.writing', '1', true), 0) || '[]'",
        ):
            with taken_back(member), pytest.raises(InsufficientPrivilege):
                member.execute(silencing)
    finally:
        store.admin.execute(f"REVOKE ALL ON reconciler.documents FROM {roles.quoted(names[A])}")
        store.admin.execute("DELETE FROM reconciler.drifts")


def test_run_twice_it_leaves_the_same_and_takes_back_what_was_too_much(store: Roles) -> None:
    """As after an upgrade."""

    def granted() -> list[Any]:
        with taken_back(store.admin) as admin:
            tables = admin.all(
                "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'reconciler'::regnamespace ORDER BY 1"
            )
            columns = admin.all(
                "SELECT attrelid::regclass::text, attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL ORDER BY 1, 2"
            )
            return [
                tables,
                columns,
                admin.all(
                    "SELECT proname, proacl::text FROM pg_proc WHERE pronamespace = 'reconciler'::regnamespace ORDER BY 1"
                ),
            ]

    give(store.admin, store.prefix)
    before = granted()
    names = roles.names(store.prefix)
    store.admin.execute(f"GRANT SELECT (ciphertext) ON reconciler.secrets TO {roles.quoted(names[R])}")
    store.admin.execute("GRANT ALL ON reconciler.history TO PUBLIC")
    give(store.admin, store.prefix)
    assert granted() == before


@pytest.mark.parametrize("major", [NEWEST, DEBIANS], indirect=True)
def test_no_superuser_is_needed(postgresql, database) -> None:
    """Who owns the database and may make roles, as managed services give no more; names may be odd."""
    odd = "a \"b\" 'c' \\ $do$"
    admin = database.login("CREATEROLE")
    with postgresql.superuser() as connection:
        connection.execute(f"GRANT CREATE ON DATABASE {database.name} TO {admin.user}")
    connection = Plain(admin.connect(prepare_threshold=None), odd)
    names = roles.names(odd)
    try:
        make_store(connection, odd)
        give(connection, odd, odd)
        give(connection, odd, odd)
        with taken_back(connection):
            assert connection.engine.found_triggers(connection) == connection.engine.own_triggers()
            connection.execute("UPDATE meta SET value = '9' WHERE key = 'version'")
        member = database.login(member_of=(names[R],))
        reader = Plain(member.connect(), odd)
        with taken_back(reader):
            assert dict(reader.all("SELECT key, value FROM meta"))["version"] == "4"
        reader.close()
    finally:
        connection.close()
        postgresql.drop(database)
        with postgresql.superuser() as superuser:
            for name in names.values():
                superuser.execute(f"DROP OWNED BY {roles.quoted(name)}; DROP ROLE {roles.quoted(name)}")


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "é" * 32])
def test_names_that_postgresql_would_cut_off_are_refused(name: str) -> None:
    """Two of them would be one role."""
    for arguments in ((name, "d", "p"), ("s", name, "p"), ("s", "d", name + "x" * 60)):
        with pytest.raises(UsageError, match="PostgreSQL has no name like"):
            roles.statements(*arguments)
