"""Statements that tests write for SQLite do the same on PostgreSQL."""

import json
import sqlite3
from contextlib import closing

import engines
from servers.postgresql import on_both_majors

TABLES = """
CREATE TABLE documents (uid text PRIMARY KEY, live text);
CREATE TABLE refs (uid text, kind text, name text, PRIMARY KEY (uid, kind, name));
CREATE TABLE secrets (uid text, address text, reference text, fingerprint text, ciphertext {blob}, PRIMARY KEY (uid, address));
"""
BODY = '{"metadata":{},"spec":{"a":[1,{"y":2,"z":null}],"b":"é?","c":{"d":"it\'s 100 %"}}}'
STATEMENTS = [
    ("UPDATE documents SET live = json_set(live, '$.spec.members.users', json('[\"zoe\",\"a%\"]'))", ()),
    ("UPDATE documents SET live = json_set(live, '$.spec.n', 7) WHERE uid = ?", ("u",)),
    ("UPDATE documents SET live = json_set(live, '$.spec.s', 'by ?') WHERE live LIKE '%100 \\%%' OR uid = ?", ("u",)),
    ("UPDATE documents SET live = json_set(live, '$.spec.s', ?)", ("it's",)),
    ("UPDATE documents SET live = json_set(live, '$.metadata.labels.x', 'y')", ()),
    ("UPDATE documents SET live = json_set(live, '$.spec.a[1].y', json(?))", ('{"q":1}',)),
    ("UPDATE documents SET live = json_set(live, '$.spec.a', json('[]'), '$.spec.b', 'Theirs')", ()),
    ("UPDATE documents SET live = json_set(live, '$.spec.b', json_extract(live, '$.spec.a[0]'))", ()),
    ("UPDATE documents SET live = json_remove(live, '$.spec.b', '$.spec.a[0]', '$.spec.none')", ()),
    ("UPDATE documents SET live = json_set(json_remove(live, '$.spec'), '$.spec', json_extract(live, '$.spec'))", ()),
    ("REPLACE INTO documents SELECT uid, '[]' FROM documents", ()),
    ("INSERT OR REPLACE INTO documents VALUES ('u', '[1]')", ()),
    ("INSERT OR IGNORE INTO documents VALUES ('u', '[2]')", ()),
    ("INSERT INTO refs VALUES ('u', 'Category', ?)", ("it's",)),
    ("REPLACE INTO refs SELECT * FROM refs", ()),
    ("INSERT INTO secrets VALUES ('u', 'a', 'r', 'f', x'00ff')", ()),
    ("UPDATE secrets SET ciphertext = zeroblob(length(ciphertext)), fingerprint = hex(ciphertext)", ()),
    ("UPDATE secrets SET address = substr('abc', 1, length(hex(randomblob(1))))", ()),
]


@on_both_majors
def test_statements_do_the_same(database):
    """Each on the same rows, and what is there afterwards."""
    placed = engines.Placed(database, "public")
    engines.connection(database).execute(engines.LIKE_SQLITE)
    placed.sql(TABLES.format(blob="bytea"))
    with closing(sqlite3.connect(":memory:")) as lite:
        lite.executescript(TABLES.format(blob="blob"))
        for statement, values in STATEMENTS:
            for place in (placed.sql, lambda text, *given: lite.execute(text, given)):
                for table in ("documents", "refs", "secrets"):
                    place(f"DELETE FROM {table}")
                place("INSERT INTO documents VALUES ('u', ?)", BODY)
                place("INSERT INTO refs VALUES ('u', 'Category', 'a')")
                place("INSERT INTO secrets VALUES ('u', 'x', 'r', 'f', x'010203')")
                place(statement, *values)
            for table in ("documents", "refs", "secrets"):
                there, here = placed.sql(f"SELECT * FROM {table}"), lite.execute(f"SELECT * FROM {table}").fetchall()
                assert sorted(map(plain, there)) == sorted(map(plain, here)), statement


def plain(row):
    return [json.dumps(json.loads(one), sort_keys=True) if str(one)[:1] in ("{", "[") else one for one in row]
