"""What was read before is not read anew, and nobody can tell the difference: also not when it is damaged or shared."""

import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.source import judges, kept, parallel, repository
from reconciler.source.packs import DRAFT
from reconciler.source.repository import Repository

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
    """Where packs are kept."""
    return workspace.root.parent / "cache" / "parsed" / "one"


def seen(root: Path, cache: Path | str = "", ref: str = "", now: str = NOW) -> tuple[object, ...]:
    """All that anybody can see of a load."""
    desired = Repository(root, ref, now, cache=str(cache)).load()
    resources = [(item, item.body, item.content.value, item.active, item.needs_token, item.is_plain) for item in desired.resources.values()]  # fmt: skip
    return resources, desired.files, desired.documents, desired.diagnostics


def known(workspace: Workspace, ref: str = "") -> int:
    """How many files had been read before."""
    return Repository(workspace.root, ref, NOW, cache=str(cache_of(workspace))).load().known


def packs(workspace: Workspace) -> list[Path]:
    """The packs that are there, and nothing else is."""
    found = sorted(cache_of(workspace).iterdir())
    assert all(path.suffix == ".pack" for path in found)
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


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
            for pack in cache.iterdir():
                damage(pack, chance.randrange(pack.stat().st_size))
        elif what == "forget":
            shutil.rmtree(cache, ignore_errors=True)
        elif what == "load":
            assert seen(root, cache) == seen(root)


def damage(pack: Path, place: int) -> None:
    """Change a byte of a file in place."""
    data = bytearray(pack.read_bytes())
    data[place] ^= 0x55
    pack.write_bytes(data)


def test_damage_anywhere_is_noticed(many: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte that is another one, an end that is missing, more than there was: what is read stays the same."""
    monkeypatch.setattr(parallel, "_cores", lambda: 1)
    plain = seen(many.root)
    seen(many.root, cache_of(many))
    whole = {path: path.read_bytes() for path in packs(many)}
    size = min(len(data) for data in whole.values())
    places = [0, *range(40, size, size // 25), size - 100, size - 90, size - 40, size - 1]
    for turn, place in enumerate(places):
        for spoilt in ("byte", ("end", "more")[turn % 2]):
            shutil.rmtree(cache_of(many))
            cache_of(many).mkdir(mode=0o700)
            for path, data in whole.items():
                path.write_bytes(data)
                if spoilt == "byte":
                    damage(path, place % len(data))
                elif spoilt == "end":
                    path.write_bytes(data[:place])
                else:
                    path.write_bytes(data[:place] + b"x" + data[place:])
            assert seen(many.root, cache_of(many)) == plain, (place, spoilt)


def test_a_damaged_pack_is_replaced(many: Workspace) -> None:
    """It is gone after the run that met it, and what it held is kept anew."""
    seen(many.root, cache_of(many))
    before = packs(many)
    for path in before:
        damage(path, path.stat().st_size - 20)
    assert known(many) == 0
    assert not {*before} & {*packs(many)}
    assert known(many) > 20


def test_it_may_be_damaged_or_removed_while_it_is_used(many: Workspace) -> None:
    """Bodies are read as they are needed: then from the definitions, if something else is there."""
    plain = seen(many.root)
    for harm in (lambda path: damage(path, 500), Path.unlink, lambda path: path.write_bytes(b"")):
        seen(many.root, cache_of(many))
        desired = Repository(many.root, "", NOW, cache=str(cache_of(many))).load()
        assert desired.known > 20
        for path in packs(many):
            harm(path)
        assert [(item, item.body) for item in desired.resources.values()] == [found[:2] for found in plain[0]]  # type: ignore[attr-defined]


def test_other_judges_judge_anew(many: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of the program, of a library or of Python found is not believed, nor removed."""
    assert known(many) == 0 < known(many)
    files = packs(many)
    with monkeypatch.context() as patched:
        patched.setattr(judges, "judges", lambda: b"another".ljust(32))
        assert known(many) == 0 < known(many)
    monkeypatch.setattr(judges, "rules_digest", lambda: "other schemas")
    assert known(many) == 0 < known(many)
    assert {*files} < {*packs(many)}


def test_all_code_that_reads_a_file_is_among_its_judges() -> None:
    """Whatever is loaded to read files, to say what is wrong with them and where."""
    code = (
        "import sys; from reconciler.source.documents import DocumentReader as R;"
        "R().read('connectors/a.yaml', b'apiVersion: reconciler/v1\\nkind: Connector\\nmetadata: {name: &a x, labels: *a}');"
        "print(*(module.__file__ for name, module in sys.modules.items() if name.startswith('reconciler')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    package = Path(judges.__file__).parents[1]
    folders = {str(Path(file).parent.relative_to(package)) for file in done.stdout.split()}
    assert {"source/yaml", "yaml"} <= folders <= {*judges._FOLDERS}


def test_what_is_kept_is_for_its_owner_alone_and_holds_no_fault(many: Workspace) -> None:
    """No file in which something is wrong is kept, so no secret that stands in the clear either."""
    many.write("connectors/clear.yaml", connector(50).replace("{env: CRM_PASSWORD}", SECRET))
    many.write("connectors/token.yaml", connector(51, f"{SECRET} ghp_" + "a" * 36))
    many.write("connectors/broken.yaml", connector(52, SECRET).replace("GET", "GETT"))
    many.write("connectors/syntax.yaml", f"password: {SECRET}\na: [")
    seen(many.root, cache_of(many))
    assert stat.S_IMODE(cache_of(many).stat().st_mode) == 0o700
    for path in packs(many):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"Of the CRM." in path.read_bytes()
        assert SECRET.encode() not in path.read_bytes()


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
    for path in packs(many):
        os.chmod(path, 0o666)
    assert known(many) == 0


def test_without_a_place_nothing_is_kept(many: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be made, or no room is left, everything is read all the same."""
    plain = seen(many.root)
    cache_of(many).parent.mkdir(parents=True)
    cache_of(many).write_text("a file")
    assert seen(many.root, cache_of(many)) == plain
    cache_of(many).unlink()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        assert seen(many.root, cache_of(many)) == plain
        assert packs(many) == []
    monkeypatch.setenv("TMPDIR", "/nowhere")
    monkeypatch.setattr("tempfile.mkstemp", full)
    assert seen(many.root) == plain


def test_it_stays_small(many: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small packs are brought together, and what was used longest ago goes, of all repositories."""
    seen(many.root, cache_of(many))
    for version in range(40):
        many.write("connectors/some/c1.yaml", connector(1, f"version {version}"))
        seen(many.root, cache_of(many))
        assert len(packs(many)) <= 10
    assert seen(many.root, cache_of(many)) == seen(many.root)
    assert known(many) > 20, "what is used stays"
    for path in packs(many):
        os.utime(path, (1, 1))
    size = sum(path.stat().st_size for path in packs(many))
    other = cache_of(many).with_name("two")
    monkeypatch.setattr(kept, "_MOST_BYTES", size + 1)
    seen(many.root, other)
    left = [path for folder in (cache_of(many), other) for path in folder.iterdir()]
    assert sum(path.stat().st_size for path in left) <= size + 1
    assert list(other.iterdir()), "the oldest go first"


def test_what_a_run_left_behind_goes_later(many: Workspace) -> None:
    """A draft of a process that was killed stays for an hour, as its process may live."""
    seen(many.root, cache_of(many))
    fresh, old = (cache_of(many) / f"{name}.pack{DRAFT}" for name in ("fresh", "old"))
    for path in (fresh, old):
        path.write_bytes(b"torn")
    os.utime(old, (1, 1))
    seen(many.root, cache_of(many))
    assert fresh.exists()
    assert not old.exists()


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
    """`-v` counts the files that were in the cache; `--no-cache` leaves it alone; the answers are the same."""
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
