"""What was read before is not read anew, and nobody can tell the difference: also not when it is damaged or shared."""

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.model import Content
from reconciler.core.model import Resource
from reconciler.source import cache as caching
from reconciler.source import parallel, repository
from reconciler.source.repository import Extent, RepositorySource

NOW = "2027-01-01T00:00:00.000Z"
DATED = POLICY.split("---\n")[1].replace(
    "    - permissions", '    - expires: "2027-06-30T22:00:00Z"\n      permissions'
)
SECRET = "a-secret-in-the-clear"


def connector(number: int, more: str = "") -> str:
    """A connector of its own."""
    text = CONNECTOR.replace("crm-contacts", f"c{number}").replace("Sales team's contacts", f"Contacts {number}")
    return text.replace("Contacts of the CRM.", f"Of the CRM. {more}")


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few files are enough for two workers, and for the cache."""
    monkeypatch.setattr(parallel, "MIN_ITEMS", 8)
    monkeypatch.setattr(repository, "MIN_ITEMS", 8)
    monkeypatch.setattr(parallel, "_TURN", 3)
    monkeypatch.setattr(parallel, "_cores", lambda: 2)
    yield


@pytest.fixture
def many(empty: Workspace, cores: None) -> Workspace:
    """Two dozen files: valid, dated, and with faults of every sort that counts here."""
    empty.write("connectors/crm.yaml", CATEGORY)
    for number in range(20):
        empty.write(f"connectors/some/c{number}.yaml", connector(number))
    empty.write("connectors/two.yaml", connector(20) + "---\n" + connector(21))
    empty.write("connectors/comment.yaml", "# nothing yet\n")
    empty.write("connectors/looks-odd.yaml", connector(22, "eyJhbGciOiJI is no token"))
    empty.write("policies/groups.yaml", POLICY.split("---\n", maxsplit=1)[0])
    empty.write("policies/dated.yaml", DATED)
    return empty


def cache_of(workspace: Workspace) -> Path:
    """Where what was read is kept."""
    return workspace.root.parent / "cache" / "parsed" / "one"


def _said(resource: Resource) -> tuple[object, ...]:
    """All that a resource is, but where its body is."""
    return tuple(getattr(resource, name) for name in Resource.__struct_fields__ if name != "stored")


def seen(root: Path, cache: Path | str = "", ref: str = "", now: str = NOW) -> tuple[object, ...]:
    """All that anybody can see of a load."""
    desired = RepositorySource(root, ref, now, Extent(cache=str(cache))).load()
    resources = [(_said(item), item.body, item.content.value) for item in desired.resources.values()]
    return resources, desired.files, desired.documents, desired.diagnostics


def known(workspace: Workspace, ref: str = "") -> int:
    """How many files had been read before."""
    return RepositorySource(workspace.root, ref, NOW, Extent(cache=str(cache_of(workspace)))).load().known


def kept(workspace: Workspace) -> Path:
    """The file that is there, and nothing else is."""
    (found,) = cache_of(workspace).iterdir()
    return found


def test_a_warm_read_gives_what_a_cold_one_does(many: Workspace) -> None:
    """From the working tree and from commits, on both; and only what is settled is known the next time."""
    many.commit()
    plain = seen(many.root)
    assert seen(many.root, cache_of(many)) == plain
    assert seen(many.root, cache_of(many)) == plain == seen(many.root, cache_of(many), "main")
    files = len(plain[1])  # type: ignore[arg-type]
    assert known(many) == known(many, "main") == files - 2, "the dated policy and what looks like a token are read anew"
    many.edit("connectors/some/c3.yaml", "Of the CRM.", "Of another.")
    many.edit("connectors/some/c4.yaml", "GET", "GETT")
    many.write("connectors/c99.yaml", connector(99))
    (many.root / "connectors/some/c5.yaml").unlink()
    assert seen(many.root, cache_of(many)) == seen(many.root)
    assert seen(many.root, cache_of(many), "main") == plain
    assert known(many) == files - 2 - 1, "the fault is found each time"


def test_a_date_that_passes_is_not_overlooked(many: Workspace) -> None:
    """What depends on the time is judged each time."""
    later = "2028-01-01T00:00:00.000Z"
    seen(many.root, cache_of(many))
    assert seen(many.root, cache_of(many), now=later) == seen(many.root, now=later) != seen(many.root)


def test_a_file_is_judged_by_where_it_lies(many: Workspace) -> None:
    """A group that moves to connectors/ is an error, though its bytes are known."""
    seen(many.root, cache_of(many))
    (many.root / "policies/groups.yaml").rename(many.root / "connectors/groups.yaml")
    found = seen(many.root, cache_of(many))
    assert found == seen(many.root)
    assert [item.code for item in found[3]] == ["RC306"]  # type: ignore[attr-defined]


EDITS = st.lists(
    st.tuples(st.sampled_from(["edit", "break", "token", "date", "move", "delete", "damage", "forget", "load", "load"]), st.integers(0, 30), st.integers(0, 3)),
    max_size=12,
)  # fmt: skip


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDITS, st.randoms(use_true_random=False))
def test_whatever_happens_the_cache_changes_nothing(
    many: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    edits: list[tuple[str, int, int]],
    chance: random.Random,
) -> None:
    """Over random histories of files and of the cache, each load is the one without a cache."""
    monkeypatch.setattr(parallel, "_cores", lambda: 1 + (chance.random() < 0.1))
    root = tmp_path_factory.mktemp("history") / "repository"
    shutil.copytree(many.root, root)
    cache = root.parent / "cache" / "one"
    seen(root, cache)
    for what, number, version in [*edits, ("load", 0, 0)]:
        path = root / f"connectors/some/c{number}.yaml"
        if what == "edit":
            path.write_text(connector(number, f"version {version}"), "utf-8")
        elif what == "break":
            path.write_text(connector(number).replace("GET", "GETT"), "utf-8")
        elif what == "token":
            path.write_text(connector(number, "ghp_" + "a" * 36), "utf-8")
        elif what == "date":
            (root / "policies/dated.yaml").write_text(DATED.replace("2027-06-30", f"202{6 + version}-06-30"), "utf-8")
        elif what == "move" and path.exists():
            path.rename(root / f"connectors/c{number}.yaml")
        elif what == "delete":
            path.unlink(missing_ok=True)
        elif what == "damage" and cache.exists():
            for path in cache.iterdir():
                damage(path, chance.randrange(path.stat().st_size))
        elif what == "forget":
            shutil.rmtree(cache, ignore_errors=True)
        elif what == "load":
            assert seen(root, cache) == seen(root)


def damage(path: Path, place: int) -> None:
    """Change a byte of a file in place."""
    data = bytearray(path.read_bytes())
    data[place] ^= 0x55
    path.write_bytes(data)


def test_damage_anywhere_is_noticed(many: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte that is another one, an end that is missing, more than there was: what is read stays the same."""
    monkeypatch.setattr(parallel, "_cores", lambda: 1)
    plain = seen(many.root)
    seen(many.root, cache_of(many))
    path = kept(many)
    whole = path.read_bytes()
    places = [0, *range(17, 120, 13), *range(120, len(whole), len(whole) // 60), len(whole) - 100, len(whole) - 1]
    for turn, place in enumerate(places):
        for spoilt in ("byte", ("end", "more")[turn % 2]):
            path.write_bytes(whole)
            if spoilt == "byte":
                damage(path, place)
            elif spoilt == "end":
                path.write_bytes(whole[:place])
            else:
                path.write_bytes(whole[:place] + b"x" + whole[place:])
            assert seen(many.root, cache_of(many)) == plain, (place, spoilt)


@pytest.mark.parametrize("table", ["facts", "bodies"])
def test_each_row_is_proven(many: Workspace, table: str) -> None:
    """Whatever its bytes are: SQLite itself does not look at them."""
    plain = seen(many.root)
    seen(many.root, cache_of(many))
    for spoil in (
        "{0} = (SELECT {0} FROM {0} WHERE id = 1)", "{0} = x'00' || substr({0}, 2)", "{0} = NULL", "{0} = 7", "{0} = 'text'",
    ):  # fmt: skip
        with closing(sqlite3.connect(kept(many))) as connection:
            connection.execute(f"UPDATE {table} SET {spoil.format(table)}")
            connection.commit()
        assert seen(many.root, cache_of(many)) == plain, spoil
        assert seen(many.root, cache_of(many)) == plain, spoil


@pytest.mark.parametrize("content", [b"", b"not a database " * 50, "other tables"])
def test_what_cannot_be_used_is_replaced(many: Workspace, content: bytes | str) -> None:
    """It is gone after the run that met it, and what was read is kept anew."""
    assert known(many) == 0 < known(many)
    path = kept(many)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript("DROP TABLE facts; CREATE TABLE facts (a)")
    assert known(many) == 0
    assert known(many) > 20


def test_damaged_facts_are_replaced(many: Workspace) -> None:
    """Nothing is believed of a file with one wrong row."""
    assert known(many) == 0 < known(many)
    with closing(sqlite3.connect(kept(many))) as connection:
        connection.execute("UPDATE facts SET proof = proof + 1 WHERE id = 3")
        connection.commit()
    assert known(many) == 0
    assert known(many) > 20


def test_a_number_after_which_there_is_none_is_damage(many: Workspace) -> None:
    """What is read is right all the same, and the next run keeps what it reads."""
    seen(many.root, cache_of(many))
    with closing(sqlite3.connect(kept(many))) as connection, connection:
        connection.execute("INSERT INTO bodies VALUES (9223372036854775807, x'00')")
    many.write("connectors/c99.yaml", connector(99))
    assert seen(many.root, cache_of(many)) == seen(many.root)
    assert known(many) == 0, "it was removed"
    assert known(many) == len(RepositorySource(many.root, "", NOW).load().files) - 2


def test_it_may_be_damaged_or_removed_while_it_is_used(many: Workspace) -> None:
    """Bodies are read as they are needed: then from the definitions, if something else is there."""
    plain = seen(many.root)
    for harm in (
        lambda path: path.write_bytes(bytes(path.stat().st_size)),
        Path.unlink,
        lambda path: path.write_bytes(b""),
    ):
        seen(many.root, cache_of(many))
        desired = RepositorySource(many.root, "", NOW, Extent(cache=str(cache_of(many)))).load()
        assert desired.known > 20
        harm(kept(many))
        assert [(_said(item), item.body) for item in desired.resources.values()] == [found[:2] for found in plain[0]]  # type: ignore[attr-defined]


def test_bodies_are_not_held(many: Workspace) -> None:
    """Those of what is known, or was kept just now, stay in the file; also where nothing is kept for other runs."""
    for cache in (str(cache_of(many)), str(cache_of(many)), ""):
        desired = RepositorySource(many.root, "", NOW, Extent(cache=cache)).load()
        held = [key.name for key, item in desired.resources.items() if isinstance(item.stored, Content)]
        assert sorted(held) == ["c22", "integration-team"], "what is not settled is"


def test_other_judges_judge_anew(many: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of the program, of a library or of Python found is not believed, nor removed."""
    assert known(many) == 0 < known(many)
    path = kept(many)
    with monkeypatch.context() as patched:
        patched.setattr(caching, "_judges", lambda scope: "another")
        assert known(many) == 0 < known(many)
    monkeypatch.setattr(caching, "rules_digest", lambda: "other schemas")
    assert known(many) == 0 < known(many)
    assert path in cache_of(many).iterdir()


def test_another_run_may_be_writing(many: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for too long does without, and says nothing."""
    plain = seen(many.root, cache_of(many))
    monkeypatch.setattr(caching, "_SECONDS", 0.01)
    many.write("connectors/some/c1.yaml", connector(1, "version 2"))
    for lock in ("IMMEDIATE", "EXCLUSIVE"):
        with closing(sqlite3.connect(kept(many), isolation_level=None)) as other:
            other.execute(f"BEGIN {lock}")
            assert seen(many.root, cache_of(many)) == seen(many.root) != plain
        assert known(many) > 20, "nor is it removed"


def test_all_code_that_reads_a_file_is_among_its_judges() -> None:
    """Whatever is loaded to read files, to say what is wrong with them and where."""
    code = (
        "import sys; from reconciler.source.documents import DocumentReader as R;"
        "R().read('connectors/a.yaml', b'apiVersion: reconciler/v1\\nkind: Connector\\nmetadata: {name: &a x, labels: *a}');"
        "print(*(module.__file__ for name, module in sys.modules.items() if name.startswith('reconciler')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert {"source", "yaml"} <= {Path(file).parent.name for file in loaded}
    assert {*loaded} <= {*caching._modules()}


def test_what_is_kept_is_for_its_owner_alone_and_holds_no_fault(many: Workspace) -> None:
    """No file in which something is wrong is kept, so no secret that stands in the clear either."""
    many.write("connectors/clear.yaml", connector(50).replace("{env: CRM_PASSWORD}", SECRET))
    many.write("connectors/token.yaml", connector(51, f"{SECRET} ghp_" + "a" * 36))
    many.write("connectors/broken.yaml", connector(52, SECRET).replace("GET", "GETT"))
    many.write("connectors/syntax.yaml", f"password: {SECRET}\na: [")
    seen(many.root, cache_of(many))
    assert stat.S_IMODE(cache_of(many).stat().st_mode) == 0o700
    assert stat.S_IMODE(kept(many).stat().st_mode) == 0o600
    assert b"Of the CRM." in kept(many).read_bytes()
    assert SECRET.encode() not in kept(many).read_bytes()


def test_a_folder_that_others_may_write_to_is_not_used(many: Workspace) -> None:
    """Whoever could write there could have anything judged valid."""
    seen(many.root, cache_of(many))
    cache_of(many).chmod(0o770)
    assert known(many) == 0
    shutil.move(cache_of(many), cache_of(many).with_name("elsewhere"))
    cache_of(many).with_name("elsewhere").chmod(0o700)
    cache_of(many).symlink_to("elsewhere")
    assert known(many) == 0
    cache_of(many).unlink()
    cache_of(many).with_name("elsewhere").rename(cache_of(many))
    assert known(many) > 20
    kept(many).chmod(0o666)
    assert known(many) == 0


def test_without_a_place_nothing_is_kept(many: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be made, or no room is left, everything is read all the same."""
    plain = seen(many.root)
    cache_of(many).parent.mkdir(parents=True)
    cache_of(many).write_text("a file")
    assert seen(many.root, cache_of(many)) == plain
    cache_of(many).unlink()

    with monkeypatch.context() as patched:
        patched.setattr(caching, "_TABLES", (*caching._TABLES, "PRAGMA max_page_count = 3"))
        assert seen(many.root, cache_of(many)) == plain == seen(many.root), (
            "neither in the file nor in one without a name"
        )
    cache_of(many).chmod(0o500)
    kept(many).chmod(0o400)
    assert seen(many.root, cache_of(many)) == plain
    cache_of(many).chmod(0o700)


def test_it_stays_small(many: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not used any more goes, and so do the files that were used longest ago, of all repositories."""
    monkeypatch.setattr(caching, "_MOST_TIMES", 1)
    monkeypatch.setattr(caching, "_SPARE", 10)
    seen(many.root, cache_of(many))
    sizes = set()
    for version in range(40):
        many.write("connectors/some/c1.yaml", connector(1, f"version {version}"))
        seen(many.root, cache_of(many))
        sizes.add(kept(many).stat().st_size)
        with closing(sqlite3.connect(kept(many))) as connection:
            for table in ("facts", "bodies"):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] < 60
    assert len(sizes) < 5
    assert known(many) == 24, "what is used stays"
    os.utime(kept(many), (1, 1))
    assert known(many) == 24
    assert kept(many).stat().st_mtime > 1, "it was used just now"
    os.utime(kept(many), (1, 1))
    other = cache_of(many).with_name("two")
    monkeypatch.setattr(caching, "_MOST_BYTES", kept(many).stat().st_size + 1)
    seen(many.root, other)
    assert not list(cache_of(many).iterdir()), "the oldest go first"
    assert list(other.iterdir())


def test_processes_beside_each_other_do_no_harm(many: Workspace) -> None:
    """Three at once, each of which changes the files and loads them, see just what they would see alone."""
    children = []
    for process in range(3):
        child = os.fork()
        if child:
            children.append(child)
            continue
        status = 1
        try:
            root = many.root.parent / f"clone{process}"
            shutil.copytree(many.root, root)
            for version in range(4):
                (root / "connectors/some/c1.yaml").write_text(connector(1, f"version {version % 2}"), "utf-8")
                assert seen(root, cache_of(many)) == seen(root)
                if version == process:
                    shutil.rmtree(cache_of(many), ignore_errors=True)
            status = 0
        finally:
            os._exit(status)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]


def test_the_commands_say_what_they_used_and_can_do_without(empty: Workspace) -> None:
    """`-v` counts the files that were in the cache; `--no-cache` leaves it alone; the answers are the same. None lies in the repository."""
    empty.write("connectors/crm.yaml", CATEGORY)
    for number in range(420):
        empty.write(
            f"connectors/some/c{number}.yaml",
            CATEGORY.replace("crm", f"c{number}").replace("Customer data", f"Data {number}"),
        )
    empty.commit()
    empty.env["XDG_CACHE_HOME"] = str(empty.root.parent / "cache")
    without = empty.ok("validate", "-v", "--no-cache")
    assert without.stderr == "read 421 files with 421 documents\n"
    assert not (empty.root.parent / "cache").exists()
    plans = [empty.ok("plan", "--full", "-o", "json", *more) for more in (("--no-cache",), (), (), ("--ref", "main"))]
    assert plans[0].stdout == plans[1].stdout == plans[2].stdout
    warm = empty.ok("validate", "-v")
    assert warm.stderr == "read 421 files with 421 documents; 421 of the files were in the cache\n"
    assert warm.stdout == without.stdout
    assert empty.ok("validate", "-v", env={"RECONCILER_NO_CACHE": "1"}).stderr == without.stderr
    assert empty.ok("validate", "-v", "--ref", "main").stderr == warm.stderr
    (empty.root.parent / "link").symlink_to(empty.root)
    for place in (empty.root / ".cache", empty.root.parent / "link/.cache", Path(".cache")):
        empty.env["XDG_CACHE_HOME"] = str(place)
        assert empty.ok("validate", "-v").stderr == without.stderr, "a commit may have brought it along"
        assert not (empty.root / ".cache").exists()
