"""The URL of a store in PostgreSQL: read as libpq does, checked for TLS, and without what only the operator may say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Workspace, clean_environment
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from reconciler.errors import NotPermitted, ReconcilerError, UsageError
from reconciler.stores.postgresql.address import Address, read_url, refuse_device, refuse_strangers, settle, weakness

ROOT = Path("/repository")
CANARY = "canary-2f8c"
FAR = "postgresql://writer@db.example/app"


def read(url: str) -> Address:
    return read_url(url, ROOT)


def test_several_hosts_and_our_own_parameters_are_told_apart():
    address = read(
        "postgresql://u@a.example:5433,b.example/app?schema=team%20x&target_session_attrs=prefer-standby&timeout=4"
    )
    assert address.schema == "team x"
    assert address.seconds == 4
    assert dict(address.named) == {
        "user": "u", "host": "a.example,b.example", "port": "5433,", "dbname": "app", "target_session_attrs": "prefer-standby",
    }  # fmt: skip
    assert address.name == "postgresql://a.example:5433,b.example/app?schema=team%20x"


def test_a_socket_is_named_by_its_folder():
    assert read("postgresql:///app?host=/run/pg").name == "postgresql:///app?host=/run/pg&schema=reconciler"
    assert read("postgresql://%2Frun%2Fpg/app").named["host"] == "/run/pg"


parts = st.text("abcXY019.-_~%@:?&=,/[] é", max_size=8)


@given(
    st.lists(parts, min_size=1, max_size=5).map("".join),
    st.sampled_from(["", "?schema=s", "?connect_timeout=3&schema=s", "?schema=s&host=h"]),
)
def test_what_libpq_makes_of_a_url_is_what_is_made_of_it_here(rest: str, ours: str):
    try:
        address = read(f"postgresql://{rest}{ours}")
    except UsageError:
        return
    bare = f"postgresql://{rest}{ours.replace('&schema=s', '').replace('?schema=s&', '?').replace('?schema=s', '')}"
    if "schema=" not in rest and "timeout=" not in rest:
        named = {key: value for key, value in conninfo_to_dict(bare).items() if key != "sslrootcert"}
        assert {key: value for key, value in address.named.items() if key != "sslrootcert"} == named


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{CANARY}@db.example/app",
        f"postgresql://db.example/app?password={CANARY}",
        f"postgresql://db.example/app?pass%77ord={CANARY}",
        f"postgresql://db.example/app?sslpassword={CANARY}",
        f"postgresql://db.example/app?{CANARY}",
        f"postgresql://u:{CANARY}@db.example/%zz",
        f"postgresql://{CANARY}%a0/app",
        f"postgresql://[{CANARY}/app",
    ],
)
def test_a_url_with_a_secret_is_refused_without_repeating_it(url: str):
    with pytest.raises(UsageError) as failure:
        read(url)
    if f"?{CANARY}" not in url:  # there it is the name of a parameter
        assert CANARY not in failure.value.message + failure.value.hint


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("passfile", "PGPASSFILE"),
        ("sslkey", "PGSSLKEY"),
        ("sslcert", "PGSSLCERT"),
        ("options", "PGOPTIONS"),
        ("require_auth", "PGREQUIREAUTH"),
        ("krbsrvname", "PGKRBSRVNAME"),
        ("sslcrl", "PGSSLCRL"),
    ],
)
def test_what_only_the_operator_may_say_is_refused_and_its_variable_named(name: str, says: str):
    with pytest.raises(UsageError, match=f"may not say '{name}'") as failure:
        read(f"postgresql://db.example/app?{name}=x")
    assert says in failure.value.hint


@pytest.mark.parametrize("schema", ["", "pg_catalog", "information_schema", "x" * 64, "é" * 32])
def test_names_that_no_schema_can_have_are_refused(schema: str):
    with pytest.raises(UsageError, match="no schema can have the name"):
        read(f"postgresql://db.example/app?schema={schema}")


# TLS


def test_another_machine_has_to_prove_who_it_is():
    said = settle(read(FAR), {})
    assert said["sslmode"] == "verify-full"
    assert Path(said["sslrootcert"]).is_file() or said["sslrootcert"] == "system"
    assert weakness(read(FAR), {}) == ""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "%2Frun%2Fpg", ""])
def test_this_machine_need_not(host: str):
    address = read(f"postgresql://{host}/app")
    assert "sslmode" not in settle(address, {})
    assert weakness(address, {}) == ""


def test_a_name_of_this_machine_with_the_address_of_another_is_the_other():
    assert settle(read("postgresql://localhost/app?hostaddr=192.0.2.1"), {})["sslmode"] == "verify-full"
    assert settle(read("postgresql://localhost,db.example/app"), {})["sslmode"] == "verify-full"
    assert settle(read("postgresql:///app"), {"PGHOST": "db.example"})["sslmode"] == "verify-full"


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_less_is_possible_and_said_and_then_no_password_is_sent_in_the_clear(mode: str):
    for address, environment in ((read(f"{FAR}?sslmode={mode}"), {}), (read(FAR), {"PGSSLMODE": mode})):
        assert f"(sslmode={mode})" in weakness(address, environment)
        assert settle(address, environment)["require_auth"] == "!password"


def test_the_authority_may_be_a_file_of_the_repository_or_the_operators():
    assert (
        settle(read(f"{FAR}?sslrootcert=certificates/ca.pem"), {})["sslrootcert"] == "/repository/certificates/ca.pem"
    )
    assert settle(read(FAR), {"PGSSLROOTCERT": "/etc/ca.pem"})["sslrootcert"] == "/etc/ca.pem"


# services, and hosts


def test_a_service_says_where_it_is_and_the_url_comes_first(tmp_path: Path):
    file = tmp_path / "services"
    file.write_text("[prod]\nhost=db.example\nport=6543\nuser=writer\nsslmode=require\n")
    environment = {"PGSERVICEFILE": str(file), "PGPORT": "1"}
    said = settle(read("postgresql://ada@/app?service=prod"), environment)
    assert (said["host"], said["port"], said["user"], said["sslmode"]) == ("db.example", "6543", "ada", "require")
    assert "service" not in said
    with pytest.raises(UsageError, match="there is no service 'other'"):
        settle(read("postgresql:///app?service=other"), environment)


def test_a_service_and_a_host_would_send_its_password_elsewhere():
    with pytest.raises(UsageError, match="a service and a host"):
        read("postgresql://evil.example/app?service=prod")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://evil.example/app",
        "postgresql://localhost?x@evil.example/app",
        "postgresql://localhost/app?hostaddr=192.0.2.1",
        "postgresql://localhost%2Cevil.example/app",
    ],
)
def test_nobody_connects_to_what_libpq_makes_of_a_url_that_nobody_stands_for(url: str):
    with pytest.raises((NotPermitted, UsageError)):
        refuse_strangers(read(url), {})


def test_hosts_that_the_operator_names_are_no_strangers():
    refuse_strangers(read(FAR), {"RECONCILER_STORE_HOSTS": "other.example, DB.example"})
    refuse_strangers(read(FAR), {"PGHOST": "db.example"})


def test_certificates_are_read_from_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/proc/kcore")
    (tmp_path / "ca.pem").touch()
    for path in ("pipe", "link", "/dev/stdin", "/dev/zero", ".", "../../../../../../../proc/kcore"):
        with pytest.raises(UsageError, match="no file of certificates"):
            refuse_device(read_url(f"{FAR}?sslrootcert={path}", tmp_path))
    (tmp_path / "system").mkdir()
    monkeypatch.chdir(tmp_path)
    for path in ("ca.pem", "missing.pem", "system"):
        refuse_device(read_url(f"{FAR}?sslrootcert={path}", tmp_path))


def test_every_failure_says_what_to_do():
    for url in ("postgresql:", "postgresql://h/d%zz", "postgresql://h/d?foo=1", "postgresql://h/d?timeout=soon"):
        with pytest.raises(ReconcilerError) as failure:
            read(url)
        assert failure.value.hint


def test_psycopg_is_not_loaded_for_a_store_in_sqlite(workspace: Workspace):
    program = (
        "import sys\nfrom reconciler.__main__ import main\n"
        "try:\n    main()\nfinally:\n    sys.stderr.write(' '.join(sorted(m for m in sys.modules if m.startswith('psycopg'))))"
    )
    for arguments in (["plan"], ["apply", "--yes"], ["history"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=workspace.root, env=clean_environment(workspace.env),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "psycopg" not in done.stderr
