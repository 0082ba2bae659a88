"""Whatever stands in a repository, a store or a command line: nobody who reads an output obeys it or is deceived by it."""

import json
import re
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from conftest import Workspace
from hypothesis import example, given, settings
from hypothesis import strategies as st
from live_state import sql
from wicked import COLOR, FORBIDDEN, PIECES, TEXT, active, harms, quoted

import reconciler
from reconciler.harmless import harmless, harmless_lines, own
from reconciler.yaml.writer import flow, mapping_lines
from reconciler.render.style import json_text
from reconciler.render.style import code, diff_block, escape, fitted

ODD_FILE = "connectors/##[group]x`@team<details>\udce9\u202e\x1b[31m::.yaml"
ANY = st.lists(st.one_of(st.text(st.characters(codec=None), max_size=8), st.sampled_from([*PIECES.values(), "#", "##", "[", "::", "`", "\u200d", "👩"])), max_size=6).map("".join)  # fmt: skip


def definitions(piece: str) -> tuple[str, str]:
    """Connectors and policies that are valid, and as wicked as that allows: U+0000 it does not."""
    piece = piece.replace("\0", "")
    name, text = quoted("x" + re.sub(r"[\n\r\u2028\u2029]", " ", piece) + "x"), quoted(TEXT.replace("\0", ""))
    line = quoted(piece)
    label = "{team: " + line + "}"
    connectors = f"""\
apiVersion: reconciler/v1
kind: Category
metadata: {{name: crm, labels: {label}}}
spec: {{displayName: {name}, description: {text}}}
---
apiVersion: reconciler/v1
kind: Connector
metadata: {{name: one, labels: {label}}}
spec:
  displayName: {name}
  description: {text}
  categories: [crm]
  tls: {{verify: false, reason: {text}}}
  authorization: {{method: basic, username: "@team##[x]<b>|`", password: {{env: CRM_PASSWORD}}}}
  endpoints:
    list:
      description: {text}
      method: POST
      url: {quoted("https://127.0.0.1:1/" + "".join(char for char in piece if " " < char < chr(127) and char not in chr(92) + "<>"))}
      params: [{{name: {line}, value: {text}}}]
      headers: [{{name: X-Odd, value: {line}}}]
      body: {text}
      bodyType: raw
      sample: {{a: {text}}}
"""
    policies = f"""\
apiVersion: reconciler/v1
kind: Group
metadata: {{name: staff}}
spec: {{displayName: {name}, description: {text}, members: {{mode: authoritative, users: [ada, "@team##|*x`"]}}}}
---
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {{name: staff}}
spec:
  description: {text}
  subjects: [{{group: staff}}]
  grants: [{{permissions: [connectors:view, connectors:edit], on: {{labels: {label}}}}}]
---
apiVersion: reconciler/v1
kind: AccessTest
metadata: {{name: staff}}
spec: {{description: {text}, expect: [{{user: ada, can: connectors:view, on: connector/one}}]}}
"""
    return connectors, policies


def written(place: Workspace, piece: str) -> None:
    """Commit them; one file has an odd name."""
    connectors, policies = definitions(piece)
    (place.root / ODD_FILE).write_text(connectors, "utf-8")
    place.write("policies/p.yaml", policies)
    place.commit(PIECES["commands"])


@pytest.fixture(params=PIECES)
def hostile(request: pytest.FixtureRequest, empty: Workspace) -> Workspace:
    """A repository that is applied, with a branch that changes all of it, and a store that others wrote to."""
    empty.write("connectors/crm.yaml", "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: gone}\nspec: {displayName: Gone}\n")  # fmt: skip
    empty.commit()
    empty.ok("apply", "--yes")
    piece = PIECES[request.param]
    (empty.root / "connectors/crm.yaml").unlink()
    written(empty, piece)
    empty.ok("apply", "--yes")
    with sqlite3.connect(empty.store) as store:
        changed = store.execute("SELECT uid, live FROM documents").fetchall()
        for uid, live in changed:
            body = json.loads(live)
            body["spec"]["displayName"] = body["spec"].get("displayName", "") + TEXT
            store.execute("UPDATE documents SET live = ? WHERE uid = ?", (json.dumps(body), uid))
    store.close()
    empty.git("checkout", "-q", "-b", "change")
    (empty.root / ODD_FILE).unlink()
    written(empty, PIECES["lines"] if request.param == "markup" else PIECES["markup"])
    return empty


def lines_of(place: Workspace) -> Iterator[tuple[str, ...]]:
    """Every command that shows something, in every format."""
    for form in ("text", "json", "sarif", "junit", "github", "gitlab"):
        yield "validate", "-o", form
    for form in ("text", "json", "markdown"):
        yield "plan", "-o", form
        yield "plan", "--adopt", "--ref", "main", "-o", form
        yield "drift", "-o", form
        yield "access-diff", "--base", "main", "--head", "change", "-o", form
    for form in ("text", "json", "markdown", "github"):
        yield "authorize", "--base", "main", "--head", "change", "--actor", "@team##[x]<b>|`", "-o", form
    for form in ("table", "yaml", "json"):
        yield "get", "connectors", "-o", form
        yield "get", "connector/one", "-o", form
        yield "get", "-o", form
    for form in ("text", "json"):
        yield "history", "-o", form
        yield "history", "connector/one", "-o", form
        yield "export", "-o", form
        yield "adopt", "--dry-run", "-o", form
        yield "can", "@team##[x]<b>|`", "connectors:view", "connector/one", "-o", form
        yield "who-can", "connectors:view", "connector/one", "-o", form
        yield "who-can", "connectors:view", "connector/one", "--live", "-o", form
        yield "store", "check", "-o", form
        yield "call", "one", "list", "--dry-run", "-o", form
        yield "call", "one", "list", "--yes", "-o", form
        yield "call", "--all", "-o", form
        yield "lock", "show", "-o", form
    yield "plan", "--color", "always", "-v"
    yield "validate", "--color", "always"
    yield "plan", "--out", f"{place.root}/p.json"
    yield "apply", f"{place.root}/p.json", "--yes", "-v"
    yield "apply", "--yes"
    yield "rollback", "1", "--yes"
    yield ("restore",)
    yield ("history",)
    yield "fmt", "--check"
    yield "fmt", "--diff"


def test_no_output_of_a_hostile_repository_is_obeyed(hostile: Workspace) -> None:
    """Text, Markdown, JSON, SARIF, JUnit, annotations, YAML and errors, on both streams; data formats stay what they are."""
    for line in lines_of(hostile):
        result = hostile.run(*line)
        form = line[line.index("-o") + 1] if "-o" in line else ""
        shown = COLOR.sub("", result.output) if "always" in line else result.output
        assert harms(shown, github=form == "github") == [], (line, result.exit_code)
        assert result.exit_code not in ((1,) if line[0] == "call" else (1, 64)), (line, result.output)
        if form in ("json", "sarif", "gitlab") and result.stdout:
            json.loads(result.stdout)
        elif form == "junit":
            ElementTree.fromstring(result.stdout)
        elif form == "markdown":
            assert active(result.stdout) == [], line


def test_data_formats_hold_the_data_as_it_is(empty: Workspace) -> None:
    """What is made harmless there is written otherwise, and means the same."""
    for piece in PIECES.values():
        written(empty, piece)
        empty.ok("apply", "--yes")
        found = json.loads(empty.ok("get", "connector/one", "-o", "json").stdout)["records"][0]["document"]
        assert found["spec"]["description"] == TEXT.replace("\0", "")
        assert found["metadata"]["labels"] == {"team": piece}
        for line in (["get", "connector/one", "-o", "yaml"], ["export", "connector/one"]):
            loaded = yaml.safe_load(empty.ok(*line).stdout)
            assert loaded["spec"]["description"] == TEXT.replace("\0", ""), line
            assert loaded["spec"]["endpoints"]["list"]["headers"][0]["value"] == piece
        sarif = json.loads(empty.ok("validate", "-o", "sarif").stdout)["runs"][0]["results"]
        uris = {place["physicalLocation"]["artifactLocation"]["uri"] for one in sarif for place in one["locations"]}
        assert uris == {"connectors/%23%23%5Bgroup%5Dx%60%40team%3Cdetails%3E%E9%E2%80%AE%1B%5B31m%3A%3A.yaml"}


def test_no_error_repeats_a_command_of_the_command_line(workspace: Workspace) -> None:
    """What was typed comes from a pipeline's variable at times, and those from the title of a pull request."""
    workspace.ok("apply", "--yes")
    odd = "x\n::add-mask::y\n##[group]\x1b[31m\u202e\udce9"
    for line in (
        [odd], ["plan", odd], ["plan", "--ref", odd], ["plan", f"--{odd}"], ["plan", "-o", odd], ["plan", "--target", odd],
        ["plan", "--store", odd], ["plan", "--as", odd], ["plan", "--env-file", odd], ["-C", odd, "plan"], ["validate", odd],
        ["fmt", odd], ["get", odd], ["get", f"connector/{odd}"], ["get", "connectors", "--search", odd], ["explain", odd],
        ["schema", odd], ["can", odd, odd], ["who-can", odd], ["history", odd], ["history", f"connector/{odd}"],
        ["history", "--since", odd], ["export", odd], ["adopt", odd], ["rollback", odd], ["restore", odd], ["call", odd, odd],
        ["call", "crm-contacts", odd], ["call", "crm-contacts", "list", "--param", odd], ["token", odd], ["token", "fetch", odd],
        ["lock", "release", odd], ["import", "openapi", odd], ["authorize", "--base", odd, "--actor", odd],
        ["access-diff", odd], ["apply", odd], ["apply", "--override", odd], ["completion", odd], ["store", "backup", f"no/{odd}"],
        ["apply", "--yes", "--parallelism", odd], ["validate", "--changed-since", odd],
    ):  # fmt: skip
        result = workspace.run(*line)
        assert harms(result.output) == [], line
        assert result.exit_code != 1, (line, result.output)


def test_import_notes_of_a_foreign_document(workspace: Workspace) -> None:
    """The document comes from another company's server."""
    operation = {"operationId": TEXT, "summary": TEXT, "parameters": [{"name": TEXT, "in": TEXT}], "responses": {}}
    api = {"openapi": "3.0.0", "info": {"title": TEXT, "version": TEXT}, "servers": [{"url": f"https://api.example.com/{TEXT}"}],
           "paths": {"/a": {"get": operation}, f"/{TEXT}": {"post": operation, TEXT: {}}},
           "components": {"securitySchemes": {TEXT: {"type": TEXT}}}}  # fmt: skip
    workspace.write("api.json", json.dumps(api))
    for line in (["--out", "-"], ["--out", "-", "-o", "json"], ["--all-notes", "--out", "new"]):
        result = workspace.run("import", "openapi", "api.json", "--name", "new", *line)
        assert harms(result.output) == [], line
        assert result.exit_code != 1, result.output


def test_what_others_wrote_into_the_store_is_shown_and_not_sent(workspace: Workspace) -> None:
    """Whoever can write to the store with SQL chooses names, owners and actors freely."""
    workspace.commit()
    workspace.ok("apply", "--yes")
    with sqlite3.connect(workspace.store) as store:
        for table, column in (
            ("runs", "actor"),
            ("runs", "target"),
            ("runs", "commit_id"),
            ("records", "owner"),
            ("records", "name"),
        ):
            if column in {row[1] for row in store.execute(f"PRAGMA table_info({table})")}:
                triggers = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,))]  # fmt: skip
                for trigger in triggers:
                    store.execute(f'DROP TRIGGER "{trigger}"')
                store.execute(f"UPDATE {table} SET {column} = {column} || ?", (TEXT,))
    store.close()
    for line in ("history", "history -o json", "get", "get -o json", "get -o yaml", "plan", "plan -o markdown", "drift", "drift -o markdown",
                 "export", "adopt --dry-run", "store check", "lock show", "restore", "apply --yes", "who-can connectors:view --live"):  # fmt: skip
        result = workspace.run(*line.split())
        assert harms(result.output) == [], line
        assert result.exit_code != 1, result.output
        if "markdown" in line:
            assert active(result.stdout) == [], line


def test_a_name_stays_on_its_line(workspace: Workspace) -> None:
    """Or somebody who writes into the store could have a plan say what is not so."""
    workspace.commit()
    workspace.ok("apply", "--yes")
    sql(workspace.store, "UPDATE records SET name = name || ? WHERE kind = 'Category'", "\n- category/forged")
    for line in ("plan", "plan -o markdown", "drift", "drift -o markdown", "get", "history", "store check", "export"):
        assert not re.search("^- category/forged", workspace.run(*line.split()).stdout, re.MULTILINE), line


@settings(max_examples=300, deadline=None)
@given(ANY)
@example("##️[x]##vso[" + "#" * 9 + "[a]#️#[b]")
def test_the_border_lets_nothing_through(text: str) -> None:
    """One line stays one line, many stay as many; a second time nothing changes."""
    once, many = harmless(text), harmless_lines(text)
    assert harms(once.replace("::", "")) == [] or "\u200d" in once
    assert "\n" not in once and harmless(once) == once
    assert many.count("\n") == text.count("\n") and harmless_lines(many) == many
    assert [found for found in harms(many) if "\\u200d" not in found] == []


@given(
    st.text(
        st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="#:\u3164\uffa0\u115f\u1160\u2800"),
        min_size=1,
    )
)
@example("👩‍💻 ❤️ été naïve 日本 שלום مرحبا हिन्दी 한국어 1️⃣")
@example("## not a command, vault#field, a # [list], ::")
def test_what_can_be_seen_is_not_touched(text: str) -> None:
    """Other scripts, accents, pictures."""
    assert harmless(text) == text


def test_only_what_is_our_own_comes_through() -> None:
    """Its mark is drawn by lot, so that no text can hold it."""
    assert harmless_lines(own("\x1b[1m") + "\x1b[1m" + own("\x1b[0m")) == "\x1b[1m\\x1b[1m\x1b[0m"
    assert harmless_lines("\0" + "0" * 16 + "\0\x1b[1m") == "\\x00" + "0" * 16 + "\\x00\\x1b[1m"


@settings(max_examples=300, deadline=None)
@given(st.recursive(ANY, lambda inner: st.lists(inner) | st.dictionaries(ANY, inner), max_leaves=5))
def test_json_is_harmless_and_the_same(content: object) -> None:
    """The border finds nothing left to do, as it would break the data."""
    text = json_text(content)
    assert harmless_lines(text) == text and harms(text) == []
    if not any("\ud800" <= char <= "\udfff" for char in json.dumps(content, ensure_ascii=False)):
        assert json.loads(text) == content


@settings(max_examples=300, deadline=None)
@given(ANY.filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text)))
def test_yaml_is_harmless_and_the_same(text: str) -> None:
    """As a key, a value, an item, in block and in flow; what the border still changes is an escape within quotes."""
    content = {text: text, "a": [text, {"b": text}]}
    for shown in (harmless_lines("\n".join(mapping_lines(content)) + "\n"), harmless_lines(f"{flow(content)}\n")):
        assert harms(shown) == []
        assert len(text) > 100 or yaml.safe_load(shown) == content  # PyYAML wants longer keys marked


@settings(max_examples=300, deadline=None)
@given(ANY)
def test_markdown_is_text(text: str) -> None:
    """No HTML, link, mention, image, table or code block."""
    for shown in (f"- {escape(text)}", f"x {code(text)}", "\n".join(diff_block([f"+ {harmless(text)}"]))):
        assert active(harmless_lines(shown)) == [], shown


def test_a_cut_comment_has_no_open_code_block() -> None:
    """It is cut between blocks, and a head that is too long between lines."""
    block = ["#### x", "", *diff_block(["+ " + "`" * 7 + "x" * 5000])]
    cut = fitted(["### head"], [block] * 50, 50, "plan")
    assert len(cut) < 65_536 and active(cut) == [] and "more; `reconciler plan` shows all of them." in cut
    assert len(fitted(["- line " * 100] * 500, [block], 1, "plan")) < 65_536


def test_machines_get_utf8_whatever_the_terminal_reads(workspace: Workspace) -> None:
    """JSON, XML and YAML are defined by it; a person gets escapes for what the terminal lacks."""
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "Verträge 日本")
    workspace.ok("apply", "--yes")
    for encoding in ("ascii", "latin-1", "utf-16"):
        env = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
        for line in (
            ["get", "connector/crm-contacts", "-o", "json"],
            ["export"],
            ["get", "connector/crm-contacts", "-o", "yaml"],
        ):
            assert "Verträge 日本" in workspace.ok(*line, env=env).stdout, (encoding, line)
    shown = workspace.run("plan", "--target", "Verträge", env={"PYTHONIOENCODING": "ascii"})
    assert r"'Vertr\xe4ge'" in shown.stderr and shown.exit_code == 64


def test_the_checker_sees_what_it_is_for() -> None:
    """A test that cannot fail is none."""
    for piece in PIECES.values():
        assert harms(piece) or active(piece)
    assert active("```diff\n+ x") and active("- <b>") and active("[a](b)") and not active("`<b>` \\[a\\]")
    assert FORBIDDEN.search(os.fsdecode(b"\xe9"))


def test_nothing_is_written_past_the_border() -> None:
    """All goes through sys.stdout and sys.stderr, which `told` replaces, and all JSON through its one encoder."""
    past = re.compile(
        r"std(?:out|err)\.buffer|__std(?:out|err)__|os\.write\([12]|click\.(?:echo|secho|confirm|prompt|style)|json\.dumps\(.*indent"
    )
    package = Path(reconciler.__file__).parent
    found = {f"{path.relative_to(package)}: {one}" for path in package.rglob("*.py") for one in past.findall(path.read_text("utf-8"))}  # fmt: skip
    assert found == {
        "cli/descriptors.py: os.write(2",  # a constant of our own
        "render/style.py: json.dumps(content, indent",
        "testing/memory.py: json.dumps(content, indent",  # into a file
    }
