"""Random histories of a repository and its live store, for the law that a plan of what moved is the plan of everything."""

import contextlib
import gc
import io
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import engines
import pytest
import yaml
from conftest import clean_environment
from engines import Placed
from live_state import database_at

from reconciler.cli.app import run
from reconciler.errors import ReconcilerError
from reconciler.render.plan_formats import plan_json
from reconciler.services.access_objections import AccessLimits
from reconciler.services.judgement import PlanOptions
from reconciler.services.saved_plans import revive
from reconciler.stores.host import LocalHost
from reconciler.stores.sqlite.database import SqliteDatabase
from reconciler.stores.sql.store import LiveSqlStore
from reconciler.wiring.saved_plans import read_plan

VERBOSE = (
    "repository ",
    "looking at everything: ",
    "looked at ",
    "read ",
    "run by ",
    "history head ",
    "the next plan ",
    "saved to ",
)
"""How the lines begin that only `-v` prints."""

Document = dict[str, Any]


def document(kind: str, name: str, spec: Document, **metadata: Any) -> Document:
    """One document of definitions."""
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


class History:
    """One repository with a store beside it, another owner's repository, a clock, and steps that change any of them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = Random(seed)
        self.root = folder / "repo"
        self.other = folder / "other"
        self.store: Path | Placed = folder / "live" / "store.db"
        self.clock = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.told: list[str] = []
        self.fresh = 0
        self.calls = 0
        for root, owner in ((self.root, "us"), (self.other, "them")):
            (root / "connectors").mkdir(parents=True)
            target = {"store": f"sqlite:{self.store}", "tokens": self.random.choice(["apply", "demand"])}
            project = {"apiVersion": "reconciler/v1", "kind": "Project", "owner": owner, "targets": {"local": target}}
            (root / "reconciler.yaml").write_text(engines.project(root, yaml.safe_dump(project)))
        if engine := engines.current():
            self.store = engine.at(self.store)
        self.files: dict[str, list[Document]] = {
            "connectors/categories.yaml": [self.category("crm"), self.category("erp")]
        }
        for index in range(self.random.randint(2, 6)):
            self.files.setdefault(f"connectors/{'ab'[index % 2]}{index % 3}.yaml", []).append(
                self.connector(f"c{index}")
            )
        if self.random.random() < 0.7:
            self.add_people()
        self.write_all()
        self.git("init", "-q", "-b", "main")
        self.commit()

    # documents

    def category(self, name: str) -> Document:
        return document("Category", name, {"displayName": f"Category {name}"})

    def connector(self, name: str) -> Document:
        spec: Document = {
            "displayName": f"Connector {name}",
            "categories": [self.random.choice(["crm", "erp"])],
            "endpoints": {"list": {"method": "GET", "url": f"https://{name}.example.com/"}},
        }
        if self.random.random() < 0.3:
            spec["authorization"] = {
                "method": "oauth2-client-credentials", "tokenUrl": "https://t.example.com/token", "clientId": "x",
                "clientSecret": {"env": "SECRET"},
            }  # fmt: skip
        labels = self.random.choice([{}, {"labels": {"team": "a"}}, {"labels": {"team": "b", "x/y.z": 'quoted "é"'}}])
        return document("Connector", name, spec, **labels)

    def add_people(self) -> None:
        self.files["policies/groups.yaml"] = [
            document(
                "Group",
                "team",
                {"displayName": "Team", "members": {"mode": "authoritative", "users": ["ada", "grace"]}},
            ),
            document("Group", "guests", {"displayName": "Guests", "members": {"mode": "additive", "users": ["alan"]}}),
        ]
        grants: list[Document] = [{"permissions": ["connectors:view", "connectors:edit"]}]
        if self.random.random() < 0.7:
            grants.append({"permissions": ["categories:view"], "on": {"categories": ["crm"]}, "expires": self.soon()})
        self.files["policies/team.yaml"] = [
            document("PermissionPolicy", "team", {"subjects": [{"group": "team"}], "grants": grants})
        ]
        if self.random.random() < 0.6:
            expect: list[Document] = [
                {"user": "ada", "can": "connectors:edit"},
                {"user": "alan", "cannot": "connectors:edit"},
            ]
            if "connectors/a0.yaml" in self.files:
                expect.append({"user": "ada", "can": "connectors:view", "on": "connector/c0"})
            self.files["policies/tests.yaml"] = [document("AccessTest", "basics", {"expect": expect})]

    def scope(self) -> Document:
        """What a grant is narrowed to, if anything."""
        scopes: list[Document] = [
            {}, {}, {"categories": ["crm"]}, {"categories": ["crm", "erp"]}, {"labels": {"team": "a"}},
            {"categories": ["crm"], "labels": {"team": "b", "x/y.z": 'quoted "é"'}}, {"labels": {"x/y.z": 'quoted "é"'}},
        ]  # fmt: skip
        chosen = self.random.choice(scopes)
        return {"on": chosen} if chosen else {}

    def soon(self) -> str:
        moment = self.clock + timedelta(
            days=self.random.choice([-3, 1, 5, 13, 20, 60]), hours=self.random.randint(0, 5)
        )
        return moment.isoformat().replace("+00:00", "Z")

    def some(self, *kinds: str) -> Document | None:
        found = [item for items in self.files.values() for item in items if item["kind"] in kinds]
        return self.random.choice(found) if found else None

    def where(self, wanted: Document) -> str:
        return next(path for path, items in self.files.items() if any(item is wanted for item in items))

    def name(self) -> str:
        self.fresh += 1
        return f"n{self.fresh}"

    # files

    def write_all(self) -> None:
        for path, items in self.files.items():
            full = self.root / path
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_text("---\n".join(yaml.safe_dump(item, sort_keys=False) for item in items))

    def save(self, *paths: str) -> None:
        for path in paths:
            full = self.root / path
            if self.files.get(path):
                full.parent.mkdir(parents=True, exist_ok=True)
                full.write_text("---\n".join(yaml.safe_dump(item, sort_keys=False) for item in self.files[path]))
            else:
                self.files.pop(path, None)
                full.unlink(missing_ok=True)

    def reload(self) -> None:
        """Take what is in the working tree for what the files hold; what cannot be read is left out."""
        self.files = {}
        for folder in ("connectors", "policies"):
            for path in sorted((self.root / folder).rglob("*.yaml")):
                with contextlib.suppress(yaml.YAMLError, OSError):
                    found = [
                        item
                        for item in yaml.safe_load_all(path.read_text())
                        if isinstance(item, dict) and "metadata" in item
                    ]
                    if found and not path.is_symlink():
                        self.files[path.relative_to(self.root).as_posix()] = found

    # git

    def git(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, env=clean_environment(), capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, (arguments, done.stderr)
        return done.stdout.strip()

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")

    # the program

    def call(self, *arguments: str, root: Path | None = None) -> tuple[int, str, str]:
        """Exit code and what the program says, without what only -v says."""
        out, err = io.StringIO(), io.StringIO()
        with engines.as_one_process(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(["-C", str(root or self.root), *arguments])
        self.calls += 1
        if self.calls % 20 == 0:
            gc.collect()  # closes the stores that a process of its own would have closed by ending
        lines = err.getvalue().splitlines(keepends=True)
        self.told += [line for line in lines if line.startswith(VERBOSE)]
        return code, out.getvalue(), "".join(line for line in lines if not line.startswith(VERBOSE))

    def now(self) -> str:
        """The clock that the program reads."""
        return self.clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Write to the store around the program; what its constraints refuse is not written."""
        if not self.store.exists():
            return []
        if isinstance(self.store, Placed):
            with contextlib.suppress(engines.refusals()):
                return self.store.sql(statement, *values)
            return []
        with contextlib.closing(sqlite3.connect(self.store)) as connection, contextlib.suppress(sqlite3.IntegrityError):
            connection.execute("PRAGMA foreign_keys = ON")
            found = connection.execute(statement, values).fetchall()
            connection.commit()
            return found
        return []

    def content(self) -> dict[str, list[Any]]:
        """What the store holds, without what differs from run to run."""
        queries = {
            "records": "SELECT kind, name, display, owner, fingerprint, applied, version, revision FROM records ORDER BY 1, 2",
            "documents": "SELECT kind, name, live FROM records JOIN documents USING (uid) ORDER BY 1, 2",
            "applied": "SELECT kind, name, body FROM records JOIN applied USING (uid) ORDER BY 1, 2",
            "refs": "SELECT r.kind, r.name, f.kind, f.name FROM records r JOIN refs f USING (uid) ORDER BY 1, 2, 3, 4",
            "revision": "SELECT value FROM meta WHERE key = 'revision'",
            "baselines": "SELECT owner, connectors, policies, rules, revision, total, warnings, dated FROM baselines ORDER BY 1",
            "declared": "SELECT * FROM declared ORDER BY 1, 2, 3",
            "claimed": "SELECT * FROM claimed ORDER BY 1, 2, 3",
            "history": "SELECT kind, name, action, fingerprint FROM history ORDER BY seq",
        }  # fmt: skip
        return {name: self.sql(query) for name, query in queries.items()}

    def apply_both_ways(self, *arguments: str) -> tuple[Any, Any]:
        """Apply what moved, and in a copy of the store everything; what was said and what is there after each."""
        if isinstance(self.store, Placed):
            self.store.keep()
            whole = self.call("apply", "--yes", *arguments, "--full"), self.content()
            self.store.put_back()
            return whole, (self.call("apply", "--yes", *arguments), self.content())
        before = self.store.parent.with_name("before")
        shutil.rmtree(before, ignore_errors=True)
        if self.store.parent.exists():
            shutil.copytree(self.store.parent, before)
        whole = self.call("apply", "--yes", *arguments, "--full"), self.content()
        shutil.rmtree(self.store.parent, ignore_errors=True)
        if before.exists():
            shutil.copytree(before, self.store.parent)
        part = self.call("apply", "--yes", *arguments), self.content()
        return whole, part


@contextlib.contextmanager
def told_time(history: History) -> Iterator[None]:
    """Have the program read the history's clock, in a clean environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("RECONCILER_", "GITHUB_", "GITLAB_", "GIT_")):
                patch.delenv(name)
        own = {"SECRET": "a-secret-for-the-tests", "XDG_CACHE_HOME": str(history.root.parent / "cache")}
        for name, value in clean_environment(own).items():
            patch.setenv(name, value)
        for module in ("wiring.run", "wiring.plan", "cli.run", "cli.execution"):
            patch.setattr(f"reconciler.{module}.now", history.now)
        if isinstance(history.store, Placed):
            from reconciler.stores.postgresql.database import PostgresDatabase

            patch.setattr(PostgresDatabase, "clock", lambda _: history.now())
        yield


Step = Callable[[History], None]


def edit_connector(h: History) -> None:
    """One field of a connector."""
    found = h.some("Connector")
    if found is None:
        return
    spec = found["spec"]
    match h.random.randrange(9):
        case 0:
            spec["description"] = h.name()
        case 1:
            found["metadata"]["labels"] = {"team": h.random.choice(["a", "b"]), "x/y.z": 'quoted "é"'}
        case 2:
            spec["categories"] = h.random.choice([["crm"], ["erp"], ["crm", "erp"], ["nowhere"]])
        case 3:
            spec["tls"] = {"verify": False, "reason": "why not"}
        case 4:
            spec.pop("tls", None)
        case 5:
            spec["lifecycle"] = {"ignore": h.random.choice([["description"], ["displayName"], ["categories"]])}
        case 6:
            spec.pop("lifecycle", None)
        case 7:
            spec["displayName"] = h.random.choice(["Connector c0", "CONNECTOR c1", f"Connector {h.name()}"])
        case 8:
            spec["status"] = h.random.choice(["active", "inactive"])
    h.save(h.where(found))


def edit_category(h: History) -> None:
    """A category: active or not, labelled, gone, new or renamed."""
    found = h.some("Category")
    path = h.where(found) if found else "connectors/more.yaml"
    match h.random.randrange(6):
        case 0 | 1 if found:
            found["spec"]["status"] = h.random.choice(["active", "inactive"])
        case 2 if found:
            found["spec"]["description"] = h.name()
        case 3 if found:
            h.files[path].remove(found)
        case 4 if found:
            found["metadata"]["previously"] = [found["metadata"]["name"]]
            found["metadata"]["name"] = h.name()
        case _:
            path = "connectors/more.yaml"
            h.files.setdefault(path, []).append(h.category(h.random.choice(["crm", "erp", h.name()])))
    h.save(path)


def add_connector(h: History) -> None:
    """A connector, in a new file or an old one; perhaps under a name that is there, or that another one had."""
    path = h.random.choice([f"connectors/{h.name()}.yaml", "connectors/deep/er.yaml", *h.files])
    claimed = [name for items in h.files.values() for item in items for name in item["metadata"].get("previously", ())]
    h.files.setdefault(path, []).append(h.connector(h.random.choice([h.name(), h.name(), "c0", "c1", *claimed[:1]])))
    h.save(path)


def remove_connector(h: History) -> None:
    """A connector, or a whole file."""
    found = h.some("Connector")
    if found:
        path = h.where(found)
        h.files[path] = [] if h.random.random() < 0.3 else [item for item in h.files[path] if item is not found]
        h.save(path)


def rename(h: History) -> None:
    """A connector that says what it was called; perhaps what another one is called, or was."""
    found = h.some("Connector")
    if found:
        was = found["metadata"]["name"]
        found["metadata"]["name"] = h.random.choice([h.name(), h.name(), "c0"])
        found["metadata"]["previously"] = h.random.choice([[was], [was], [was, "c1"], ["c0"]])
        h.save(h.where(found))


def forget_names(h: History) -> None:
    """A connector that no longer says what it was called."""
    for found in [item for items in h.files.values() for item in items if "previously" in item["metadata"]][:1]:
        del found["metadata"]["previously"]
        h.save(h.where(found))


def move_document(h: History) -> None:
    """A document to another file, or a file to another name."""
    found = h.some("Connector", "Category", "Group")
    if not found:
        return
    path = h.where(found)
    folder = path.split("/")[0]
    target = h.random.choice([f"{folder}/{h.name()}.yaml", *[other for other in h.files if other.startswith(folder)]])
    moving = h.files[path] if h.random.random() < 0.5 else [found]
    if target != path:
        h.files[path] = [item for item in h.files[path] if not any(item is other for other in moving)]
        h.files[target] = h.files.get(target, []) + moving
        h.save(path, target)


def edit_people(h: History) -> None:
    """A group, a policy or an access test."""
    if not any(path.startswith("policies/") for path in h.files):
        h.add_people()
        h.save(*[path for path in h.files if path.startswith("policies/")])
        return
    found = h.some("Group", "PermissionPolicy", "AccessTest")
    if not found:
        return
    path, spec = h.where(found), found["spec"]
    match h.random.randrange(6):
        case 0:
            h.files[path].remove(found)
        case 1 | 2 if found["kind"] == "Group":
            spec["members"] = {
                "mode": h.random.choice(["authoritative", "additive"]),
                "users": h.random.choice([["ada"], ["ada", "grace"], []]),
            }
        case 3 | 4 if found["kind"] == "PermissionPolicy":
            permissions = [
                ["connectors:view"],
                ["connectors:view", "connectors:edit"],
                ["groups:edit"],
                ["categories:view"],
            ]
            spec["grants"] = [
                {"permissions": h.random.choice(permissions), **h.scope()},
                {"permissions": h.random.choice(permissions), **h.scope()},
                {"permissions": ["groups:view"], "expires": h.soon()},
            ]
        case 5 if found["kind"] == "PermissionPolicy":
            spec["superAdmin"] = not spec.get("superAdmin", False)
        case _ if found["kind"] == "AccessTest":
            spec["expect"] = [
                {
                    "user": h.random.choice(["ada", "adaa", "eve"]),
                    "can": "connectors:edit",
                    "on": h.random.choice(["connector/c0", "category/crm"]),
                }
            ]
        case _:
            spec["description"] = h.name()
    h.save(path)


def break_something(h: History) -> None:
    """A file that is wrong, or that is not what it seems."""
    path = h.root / h.random.choice(list(h.files or ["connectors/x.yaml"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    match h.random.randrange(7):
        case 0:
            path.write_text("a: [")
        case 1:
            path.write_text("kind: Nothing\nspec: {}\n")
        case 2:
            (h.root / "connectors" / "link.yaml").unlink(missing_ok=True)
            (h.root / "connectors" / "link.yaml").symlink_to("categories.yaml")
        case 3:
            (h.root / "connectors" / "notes.txt").write_text(h.name())
        case 4:
            (h.root / "connectors" / ".hidden.yaml").write_text("a: [")
        case 5:
            (h.root / ".gitignore").write_text("ignored*.yaml\n")
            (h.root / "connectors" / "ignored.yaml").write_text(yaml.safe_dump(h.connector(h.name())))
        case 6:
            (h.root / "connectors" / "empty.yaml").write_text("# nothing\n")


def mend(h: History) -> None:
    """Everything as it was committed."""
    h.git("reset", "-q", "--hard", check=False)
    h.git("clean", "-q", "-fdx", "connectors", "policies")
    h.reload()


def branch(h: History) -> None:
    """Another branch, or the last one."""
    names = h.git("branch", "--format=%(refname:short)").split()
    h.git("stash", "-q", "-u", check=False)
    if len(names) < 3 and h.random.random() < 0.5:
        h.git(
            "checkout",
            "-q",
            "-b",
            f"branch{len(names)}",
            h.random.choice(["HEAD", "HEAD~1"]) if h.git("rev-list", "--count", "HEAD") != "1" else "HEAD",
        )
    else:
        h.git("checkout", "-q", h.random.choice(names))
    h.reload()


def rewrite(h: History) -> None:
    """The last commit, made anew, and the old one forgotten."""
    h.git("add", "-A")
    h.git("commit", "-q", "--amend", "--allow-empty", "-m", h.name())
    if h.random.random() < 0.3:
        h.git("reflog", "expire", "--expire=now", "--all")
        h.git("gc", "-q", "--prune=now")


def drift(h: History) -> None:
    """Something written to the store around the program."""
    name = h.random.choice(["c0", "c1", "c2", "n1", "crm", "team", "guests"])
    uid = "(SELECT uid FROM records WHERE name = ? ORDER BY kind LIMIT 1)"
    match h.random.randrange(9):
        case 0 | 1:
            h.sql(
                f"UPDATE documents SET live = json_set(live, '$.spec.description', ?) WHERE uid = {uid}", h.name(), name
            )
        case 2:
            h.sql("DELETE FROM records WHERE name = ?", name)
        case 3:
            h.sql("UPDATE records SET name = ? WHERE name = ?", h.name(), name)
        case 4:
            h.sql("UPDATE records SET owner = ? WHERE name = ?", h.random.choice(["", "them", "us"]), name)
        case 5:
            h.sql(
                f"UPDATE documents SET live = json_set(live, '$.spec.members.users', json('[\"eve\"]')) WHERE uid = {uid}",
                "team",
            )
        case 6:
            h.sql(f"DELETE FROM documents WHERE uid = {uid}", name)
        case 7:
            h.sql(
                f"INSERT INTO records (uid, kind, name, display, owner) VALUES ('{h.name()}', 'Connector', ?, ?, ?)",
                h.random.choice([h.name(), "c0"]),
                h.random.choice([None, "connector n1", "connector c0"]),
                h.random.choice(["", "us", "them"]),
            )
        case 8:
            h.sql(
                "UPDATE records SET display = ? WHERE name = ?", h.random.choice([None, "connector n1", "taken"]), name
            )


def keep_token(h: History) -> None:
    """An access token, as a fetch would have kept it."""
    expires = (
        (h.clock + timedelta(minutes=h.random.choice([-5, 3, 30, 6000])))
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
    for (uid,) in h.sql(
        "SELECT uid FROM records WHERE kind = 'Connector' AND name = ?", h.random.choice(["c0", "c1", "c2", "c3"])
    ):
        h.sql(
            "INSERT OR REPLACE INTO tokens VALUES (?, '', 'x', ?, ?, '', x'00', NULL)",
            uid,
            h.now(),
            h.random.choice([None, expires, expires]),
        )


def other_owner(h: History) -> None:
    """An apply of another repository to the same store, which may take over."""
    name = h.random.choice([h.name(), "c0", "n2"])
    items = [
        document("Category", "theirs", {"displayName": "Theirs"}),
        document("Connector", name, {"displayName": f"Their {name}", "categories": ["theirs"]}),
    ]
    (h.other / "connectors" / "all.yaml").write_text("---\n".join(map(yaml.safe_dump, items)))
    h.call(
        "apply",
        "--yes",
        "-q",
        "--tokens",
        "demand",
        "--max-deletes",
        "100%",
        *(["--adopt"] if h.random.random() < 0.5 else []),
        root=h.other,
    )


def pass_time(h: History) -> None:
    """Time goes on, or the clock is set back."""
    h.clock += timedelta(days=h.random.choice([1, 2, 8, 30, -1]))


def apply_saved(h: History) -> None:
    """A plan is saved, and perhaps something happens before it is applied."""
    path = str(h.root.parent / "plan.json")
    Path(path).unlink(missing_ok=True)
    ref = h.random.choice([[], ["--ref", "HEAD"], ["--ref", "main"]])
    h.call(
        "plan", "-q", "--out", path, "--tokens", "demand", *ref, *h.random.choice([[], [], ["--no-prune"], ["--adopt"]])
    )
    if h.random.random() < 0.3:
        h.random.choice([edit_connector, edit_people, drift, pass_time, mend])(h)
    if not Path(path).exists():
        return  # what there is cannot be planned
    assert revived(h, path, whole=False) == revived(h, path, whole=True)
    code, said, told = h.call("apply", path, "--yes", "-q", "--tokens", "demand", "--max-deletes", "100%")
    assert code in {0, 4, 5, 6}, (code, said, told)


class Indexless:
    """A store that answers by no index, so that all its records are looked at."""

    def __init__(self, store: LiveSqlStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        if name in {"index", "remember"}:
            raise AttributeError(name)
        return getattr(self._store, name)


def revived(h: History, path: str, *, whole: bool) -> Any:
    """The saved plan as it would be applied, or why it would not be."""
    database = database_at(h.store) if isinstance(h.store, Placed) else SqliteDatabase(h.store, LocalHost, h.now, 0)
    store = LiveSqlStore(database, remains=tuple, make_sealer=None)
    options = PlanOptions("local", "us", max_deletes="30%", actor="ada", now=h.now(), limits=AccessLimits("ada"))
    try:
        return plan_json(revive(read_plan(Path(path)), Indexless(store) if whole else store, options))
    except ReconcilerError as failure:
        return type(failure), failure.message, failure.details
    finally:
        store.close()


def forget(h: History) -> None:
    """What the store remembers is another version's, or lost."""
    h.sql(h.random.choice(["UPDATE baselines SET rules = 'others'", "DELETE FROM baselines"]))


STEPS: list[tuple[int, Step]] = [
    (8, edit_connector), (5, edit_category), (4, add_connector), (3, remove_connector), (4, rename), (2, forget_names),
    (4, move_document), (5, edit_people), (2, break_something), (3, mend), (2, branch), (1, rewrite), (6, drift),
    (2, keep_token), (2, other_owner), (3, pass_time), (1, forget), (4, apply_saved),
]  # fmt: skip


def take_step(h: History) -> str:
    """Something happens; returns its name."""
    (step,) = h.random.choices([step for _, step in STEPS], [weight for weight, _ in STEPS])
    step(h)
    return step.__name__
