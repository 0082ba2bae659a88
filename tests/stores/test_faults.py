"""What happens to a store when the world is against it: it is as it was before, or as it is after.

Kills and power cuts: see test_cut_off.py.
"""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import CATEGORY, Workspace, clean_environment
from programs import needs_mounts

from reconciler.stores.host import APPLICATION_ID, UNRELEASED
from reconciler.stores.sqlite.schema import VERSION

MANY = 300


def start(workspace: Workspace, *arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start a command line without waiting for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments], cwd=workspace.root, env=clean_environment(workspace.env),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def fill(workspace: Workspace, text: str) -> None:
    """Many categories, all with the same description."""
    body = CATEGORY.replace("{displayName: Customer data}", "{displayName: NAME, description: TEXT}")
    documents = [body.replace("crm", f"c{n}").replace("NAME", f"C{n}").replace("TEXT", text) for n in range(MANY)]
    workspace.write("connectors/many.yaml", "---\n".join(documents))


def descriptions(workspace: Workspace) -> set[str]:
    """The different descriptions that are live."""
    if not workspace.store.exists():
        return set()
    with sqlite3.connect(workspace.store) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        rows = connection.execute("SELECT description FROM categories").fetchall() if tables else []
    connection.close()
    assert len(rows) in (0, MANY)
    return {row[0] for row in rows}


def test_an_interrupted_apply_says_so(empty: Workspace) -> None:
    """Ctrl-C: exit code 130, and the store is whole."""
    fill(empty, "v0")
    began = time.monotonic()
    start(empty, "apply", "--yes", "-q").communicate()
    length = time.monotonic() - began
    assert descriptions(empty) == {"v0"}
    codes = set()
    for attempt in range(8):
        fill(empty, f"w{attempt}")
        process = start(empty, "apply", "--yes", "-q")
        time.sleep(length * (0.5 + attempt * 0.06))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        codes.add(process.returncode)
        if process.returncode == -signal.SIGINT:
            continue  # so early that Python itself was not ready; it says so in its own way
        assert "Traceback" not in errors
        if process.returncode == 130:
            assert "interrupted" in errors
        assert len(descriptions(empty)) == 1
    assert codes <= {0, 130, -signal.SIGINT}
    empty.ok("apply", "--yes", "-q")


def test_a_full_disk_changes_nothing(empty: Workspace) -> None:
    """Here a limit on the size of files stands for the disk; the message says what to do."""
    fill(empty, "old")
    empty.ok("apply", "--yes", "-q")
    size = empty.store.stat().st_size
    fill(empty, "new " + "x" * 2000)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 4096, size + 4096))

    process = start(empty, "apply", "--yes", "-q", preexec_fn=limit)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 10, errors
    assert "nothing was changed" in errors and "free space" in errors
    assert descriptions(empty) == {"old"}
    empty.ok("apply", "--yes", "-q")


def _not_a_database(path: Path) -> str:
    path.write_bytes(b"this is a text, not a database. " * 20)
    return "is not a SQLite file"


def _foreign_database(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    return "is not a reconciler store"


def _directory(path: Path) -> str:
    path.mkdir()
    return "is not a file, but a folder"


def _newer(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        connection.executescript(
            f"CREATE TABLE meta (a); PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 99"
        )
    connection.close()
    return f"written by a newer reconciler (store version 99, this one knows {VERSION})"


def _unreleased(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        connection.executescript(
            f"CREATE TABLE meta (a); PRAGMA application_id = {UNRELEASED}; PRAGMA user_version = 5"
        )
    connection.close()
    return "move the file away; then reconciler apply makes a new store"


@pytest.mark.parametrize("spoil", [_not_a_database, _foreign_database, _directory, _newer, _unreleased])
@pytest.mark.parametrize("command", ["plan", "apply --yes", "get"])
def test_what_is_not_a_store_is_left_alone(workspace: Workspace, spoil: object, command: str) -> None:
    """A clear message, exit code 10, and not a byte is changed."""
    workspace.store.parent.mkdir()
    message = spoil(workspace.store)
    before = None if workspace.store.is_dir() else workspace.store.read_bytes()
    result = workspace.run(*command.split())
    assert result.exit_code == 10, result.output
    assert message in result.stderr
    assert before is None or workspace.store.read_bytes() == before


def test_a_damaged_store_is_reported(empty: Workspace) -> None:
    """Not a bug, not a traceback."""
    fill(empty, "old")
    empty.ok("apply", "--yes", "-q")
    data = bytearray(empty.store.read_bytes())
    data[4096 : 4096 * 8] = os.urandom(4096 * 7)
    empty.store.write_bytes(data)
    fill(empty, "new")
    result = empty.run("apply", "--yes")
    assert result.exit_code == 10, result.output
    assert "is damaged" in result.stderr


def test_a_locked_store_is_waited_for_and_then_reported(workspace: Workspace) -> None:
    """Exit code 8; once the lock is gone the same command works."""
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    holder = sqlite3.connect(workspace.store, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert workspace.ok("plan").stdout, "planning does not lock"
    result = workspace.run("apply", "--yes", "--lock-timeout", "0.5")
    holder.execute("ROLLBACK")
    holder.close()
    assert result.exit_code == 8 and "locked by another run; waited 0.5 s" in result.stderr
    assert "--lock-timeout" in result.stderr
    workspace.ok("apply", "--yes")


def test_a_record_that_moved_after_planning_stops_the_apply(workspace: Workspace) -> None:
    """What was planned is not written over what was changed meanwhile."""
    import io

    from reconciler.errors import RecordConflict
    from reconciler.services.apply import ApplyOptions, TokenOptions, apply_plan
    from reconciler.services.plan import PlanOptions, make_plan
    from reconciler.settings import Overrides
    from reconciler.wiring.run import load_settings, now, open_secrets, open_source, open_store, open_tokens

    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    settings = load_settings(workspace.root, Overrides())
    environment = clean_environment(workspace.env)
    store, source = open_store(settings, environment), open_source(workspace.root, "")
    plan = make_plan(source.load(), source, store, PlanOptions(settings.target, settings.owner))
    with sqlite3.connect(workspace.store) as connection:
        connection.execute(
            "UPDATE documents SET live = json_set(live, '$.spec.description', 'moved') WHERE live LIKE '%CRM_PASSWORD%'"
        )
    connection.close()
    with pytest.raises(RecordConflict) as caught:
        apply_plan(
            plan,
            store,
            ApplyOptions(
                open_secrets(settings, environment), TokenOptions(open_tokens(settings, store), fetch=False), "ada", now
            ),
        )
    assert caught.value.exit_code == 6
    assert "moved" not in io.StringIO(str(caught.value)).read().replace("moved after planning", "")
    assert "moved" in workspace.ok("get", "connector/crm-contacts").stdout


def test_something_that_changes_what_is_written_is_found_out(workspace: Workspace) -> None:
    """Exit code 9, and nothing is kept."""
    workspace.ok("apply", "--yes")
    with sqlite3.connect(workspace.store) as connection:
        connection.execute(
            "CREATE TRIGGER meddle AFTER UPDATE ON documents BEGIN"
            " UPDATE documents SET live = json_set(NEW.live, '$.spec.description', 'meddled') WHERE uid = NEW.uid; END"
        )
    connection.close()
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    result = workspace.run("apply", "--yes")
    assert result.exit_code == 9 and "did not converge" in result.stderr
    assert "method: GET" in workspace.ok("get", "connector/crm-contacts").stdout


def test_concurrent_applies_end_as_one_after_the_other(empty: Workspace, tmp_path: Path) -> None:
    """Eight at once from eight versions of the repository: one version is live, whole, and every run is told apart."""
    fill(empty, "v0")
    empty.ok("apply", "--yes", "-q")
    spaces = []
    for number in range(8):
        root = tmp_path / f"copy{number}"
        shutil.copytree(empty.root, root, ignore=shutil.ignore_patterns(".reconciler"))
        space = Workspace(root)
        space.write(
            "reconciler.yaml",
            f"apiVersion: reconciler/v1\nkind: Project\nowner: local\ntargets: {{local: {{store: 'sqlite:{empty.store}'}}}}\n",
        )
        fill(space, f"copy{number}")
        spaces.append(space)
    processes = [start(space, "apply", "--yes", "-q") for space in spaces]
    codes = [(process.communicate(timeout=60), process.returncode)[1] for process in processes]
    assert set(codes) <= {0, 6, 8}, codes
    (live,) = descriptions(empty)
    assert codes[int(live.removeprefix("copy"))] == 0
    with sqlite3.connect(empty.store) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone()[0] == 1 + codes.count(0)
    connection.close()


def test_a_read_only_directory_can_be_planned_from(workspace: Workspace) -> None:
    """As an account that may not write there."""
    if os.geteuid() == 0:
        needs_mounts()
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", "method: GET", "method: PUT")
    for suffix in ("-wal", "-shm"):
        workspace.store.with_name(workspace.store.name + suffix).unlink(missing_ok=True)
    if os.geteuid() == 0:
        mounted = subprocess.run(["unshare", "-m", "sh", "-c", f"mount --bind {workspace.root} {workspace.root} && mount -o remount,bind,ro {workspace.root} && "
                                  f"cd {workspace.root} && {sys.executable} -m reconciler plan; {sys.executable} -m reconciler apply --yes; echo code $?"],
                                 cwd=workspace.root, env=clean_environment({**workspace.env, "PYTHONDONTWRITEBYTECODE": "1"}), capture_output=True, text=True, check=False)  # fmt: skip
        output, errors = mounted.stdout, mounted.stderr
    else:
        workspace.store.parent.chmod(0o500)
        workspace.store.chmod(0o400)
        output = workspace.run("plan").stdout
        result = workspace.run("apply", "--yes")
        output, errors = output + f"code {result.exit_code}", result.stderr
        workspace.store.parent.chmod(0o700)
    assert 'endpoints.list.method: "GET" -> "PUT"' in output
    assert "code 10" in output and "read-only" in errors or "cannot be" in errors
