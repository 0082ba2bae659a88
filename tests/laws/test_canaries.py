"""A secret never reaches git, a log, a plan, an error or the store in the clear."""

import base64
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import CATEGORY, Workspace
from engines import Placed

_DRAW = random.Random(20)
_LETTERS = "bcdfghjkmnpqrstvwxz23456789"


def _canary() -> str:
    """No two of them, and nothing else, begin with the same eight characters; some look different in a URL."""
    drawn = "".join(_DRAW.choices(_LETTERS, k=22))
    return f"Q{drawn[:9]}+{drawn[9:15]}%{drawn[15:]}"


CANARIES = {
    name: _canary()
    for name in ("basic_password", "bearer_token", "client_secret", "oauth_password", "api_key_header", "api_key_param",
                 "request_password", "user_name", "store_key", "token_field", "token_header", "further_password",
                 "request_field", "request_header")
}  # fmt: skip
STORE_KEY = CANARIES["store_key"] + "-and-some-more-characters"


def connector(name: str, authorization: str, extra: str = "") -> str:
    """A connector with an endpoint."""
    return (
        f"apiVersion: reconciler/v1\nkind: Connector\nmetadata: {{name: {name}}}\nspec:\n  displayName: The {name}\n  categories: [crm]\n"
        f"  authorization: {authorization}\n  endpoints:\n    get:\n      method: GET\n      url: https://example.com/{name}\n{extra}"
    )


def documents(values: dict[str, str]) -> str:
    """A connector for each method; `values` says what stands in each secret place."""
    return "---\n".join([
        CATEGORY,
        connector("one", f"{{method: basic, username: {values['user_name']}, password: {values['basic_password']}}}"),
        connector("two", f"{{method: bearer, token: {values['bearer_token']}}}",
                  f"      headers: [{{name: X-Api-Key, value: {values['api_key_header']}}}]\n      params: [{{name: api_key, value: {values['api_key_param']}}}]\n"),
        connector("three", f"{{method: oauth2-password, tokenUrl: 'https://example.com/t', clientId: id, clientSecret: {values['client_secret']}, username: u, password: {values['oauth_password']}, fields: [{{name: api_key, value: {values['token_field']}}}], headers: [{{name: X-Api-Key, value: {values['token_header']}}}]}}"),
        connector("four", f"{{method: bearer, tokenRequest: {{url: 'https://example.com/t', username: u, password: {values['request_password']}, fields: [{{name: api_key, value: {values['request_field']}}}], headers: [{{name: X-Api-Key, value: {values['request_header']}}}]}}}}",
                  f"      authorization: further\n  authorizations:\n    further: {{method: basic, username: u, password: {values['further_password']}}}\n"),
    ])  # fmt: skip


def forms(canary: str) -> set[bytes]:
    """How a canary could look: as it is, cut, or encoded; in base64 at any place of a longer text."""
    data = canary.encode()
    shifted = {base64.b64encode(bytes(shift) + data)[4:-4] for shift in range(3)}
    return shifted | {
        data[:8],
        data[-8:],
        quote(canary, safe="").encode()[:12],
        data.hex().encode(),
        data.hex().upper().encode(),
        canary[:8].encode("utf-16-le"),
        json.dumps(canary)[1:9].encode(),
        data[::-1][:8],
    }


def assert_no_canary(data: bytes, where: str) -> None:
    """None of the canaries is in the data."""
    for name, canary in CANARIES.items():
        for form in forms(canary):
            assert form not in data, f"{name} in {where}"


@pytest.fixture
def planted(empty: Workspace) -> Workspace:
    """A repository whose secrets are canaries, from variables and from a file."""
    values = {name: f"{{env: {name.upper()}}}" for name in CANARIES}
    values["client_secret"] = "{file: secret.txt}"
    empty.write("connectors/all.yaml", documents(values))
    empty.write("secret.txt", CANARIES["client_secret"] + "\n")
    empty.write(".gitignore", ".reconciler/\nsecret.txt\n")
    empty.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\ntargets: {local: {store: 'sqlite:.reconciler/store.db', tokens: demand}}\n",
    )
    empty.env = {name.upper(): canary for name, canary in CANARIES.items()} | {"RECONCILER_STORE_KEY": STORE_KEY}
    empty.commit("first")
    return empty


LINES = [
    "validate", "validate -o json", "validate -o sarif", "validate -o junit", "validate -o github", "validate -o gitlab", "fmt --check --diff",
    "plan -v", "plan -o json", "plan -o markdown", "plan --secrets check", "apply --yes -v", "apply --yes -o json", "get", "get -o json", "get -o yaml",
    "get connector/one", "explain connector.spec", "plan --ref main", "plan --ref nowhere",
]  # fmt: skip


def test_nothing_shows_a_secret_when_all_goes_well(planted: Workspace) -> None:
    """Every command in every format, and every file that is left behind."""
    for line in [*LINES, "apply --yes -v --secrets check", *LINES]:
        result = planted.run(*line.split())
        assert_no_canary(result.output.encode("utf-8", "replace"), line)
    planted.edit("connectors/all.yaml", "username: u,", "username: v,")
    planted.env["BEARER_TOKEN"] = CANARIES["bearer_token"] + "-rotated"
    for line in (
        "plan --secrets check",
        "plan --secrets check -o json",
        "plan --secrets check -o markdown",
        "apply --yes --secrets check -o json",
    ):
        assert_no_canary(planted.ok(*line.split()).output.encode(), line)
    assert "5 records" in planted.ok("get").stdout
    planted.commit("second")
    assert_nothing_is_left(planted)


def assert_nothing_is_left(planted: Workspace) -> None:
    """No canary in the store, its journal and key, the repository's objects as they are inflated, and its other files."""
    for path in [*planted.root.glob(".reconciler/*"), *(planted.root / ".git").rglob("*")]:
        if path.is_file():
            assert_no_canary(path.read_bytes(), str(path))
    objects = subprocess.run(["git", "cat-file", "--batch-all-objects", "--batch"], cwd=planted.root, capture_output=True, check=True)  # fmt: skip
    assert b"kind: Connector" in objects.stdout
    assert_no_canary(objects.stdout, "the objects of git")
    if isinstance(planted.store, Placed):
        assert_no_canary(planted.store.read_bytes(), "the rows of the store")
        return
    with sqlite3.connect(planted.store) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert_no_canary(dump.encode(), "the rows of the store")


@pytest.mark.store_file
def test_nothing_is_left_by_an_apply_that_is_killed(planted: Workspace) -> None:
    """Neither in the journal that it leaves behind; a reader keeps the journal from being folded in."""
    planted.ok("apply", "--yes", "-q")
    reader = sqlite3.connect(planted.store)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM records").fetchone()
    planted.edit("connectors/all.yaml", "username: u,", "username: v,")
    planted.env["BEARER_TOKEN"] = CANARIES["bearer_token"] + "-2"
    planted.ok("apply", "--yes", "-q", "--secrets", "check")
    journal = planted.store.with_name("store.db-wal")
    assert journal.stat().st_size > 0
    assert_nothing_is_left(planted)
    reader.close()


def test_nothing_shows_a_secret_when_something_fails(planted: Workspace, tmp_path: Path) -> None:
    """A missing secret, a wrong key, a store that is none, a bug with its log."""
    planted.ok("apply", "--yes")
    planted.edit("connectors/all.yaml", "username: u,", "username: v,")
    (planted.root / "secret.txt").unlink()
    failing = [planted.run("apply", "--yes"), planted.run("plan", "--secrets", "check")]
    planted.write("secret.txt", CANARIES["client_secret"].encode("utf-16"))
    failing += [
        planted.run("apply", "--yes", "-v"),
        planted.run("apply", "--yes", env={"RECONCILER_STORE_KEY": STORE_KEY[::-1]}),
    ]
    failing.append(planted.run("--env-file", "secret.txt", "apply", "--yes"))
    planted.write("secret.txt", CANARIES["client_secret"])
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import reconciler.secrets.sealer as s\ndef boom(self, *a): raise RuntimeError(repr(a))\ns.AesSealer.seal = boom\n"
    )
    crash = planted.run("apply", "--yes", env={"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])})
    assert crash.exit_code == 1
    log = Path(re.search(r"details are in (\S+)", crash.stderr)[1])
    assert "RuntimeError" in log.read_text()
    assert_no_canary(log.read_bytes(), "the log of the bug")
    log.unlink()
    for result in [*failing, crash]:
        assert result.exit_code != 0
        assert_no_canary(result.output.encode("utf-8", "replace"), result.stderr)


STYLES = [
    "{}",
    "'{}'",
    '"{}"',
    "|\n      {}",
    ">-\n      {}\n      {}",
    "[{}]",
    "{{env: {}x y}}",
    "{{value: {}}}",
    "&a {}",
    "!!str {}",
    '"{}\n      {}"',
    "{}: x",
    "- {}",
    "\n      env: {} x",
    "\n      file: [{}]",
    "\n      vault: {}",
]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("damage", ["", "\n  broken: [", "\n\tx: y", "\n  a: b: c", "\nunknown: 1"])
def test_a_literal_secret_is_never_repeated(empty: Workspace, style: str, damage: str) -> None:
    """In whatever style it stands where a reference belongs, and whatever else is wrong with the file."""
    from reconciler.cli.app import run as _  # noqa: F401 (imported once, for speed)
    from reconciler.render.diagnostics import FORMATS, Checked, render
    from reconciler.source.repository import RepositorySource

    canary = CANARIES["basic_password"]
    for key in ("password", "token", "clientSecret"):
        text = (
            connector("one", f"\n    method: basic\n    username: u\n    {key}: {style.format(*[canary] * 2)}") + damage
        )
        empty.write("connectors/all.yaml", CATEGORY + "---\n" + text)
        desired = RepositorySource(empty.root).load()
        assert desired.diagnostics
        for format_name in FORMATS:
            shown = render(format_name, desired.diagnostics, checked=Checked(1, 1))
            assert_no_canary(shown.encode("utf-8", "replace"), f"{format_name}: {shown}")


@pytest.mark.parametrize(
    "line",
    ["      headers: [{name: Authorization, value: 'Bearer CANARY'}]", "      headers:\n        - value: CANARY\n          name: X-Api-Key\n",
     "      headers:\n        - name: X-Auth-Token\n          value: >-\n            CANARY\n", "      params: [{name: api_key, value: CANARY}, {name: b, bad: 1}]",
     "      params: [{value: CANARY, name: access_token, bad: 1}]", "      headers: [{name: Cookie, value: [CANARY]}]"],
)  # fmt: skip
def test_a_literal_secret_in_a_header_is_never_repeated(empty: Workspace, line: str) -> None:
    """Neither in the message nor in the line that is shown."""
    text = connector("one", "{method: none}", line.replace("CANARY", CANARIES["api_key_header"]) + "\n")
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + text)
    for format_name in ("text", "json", "github"):
        result = empty.run("validate", "-o", format_name)
        assert result.exit_code == 3
        assert_no_canary(result.output.encode(), result.output)


def test_credentials_in_a_url_are_never_repeated(empty: Workspace) -> None:
    """Wherever URLs stand."""
    text = connector(
        "one",
        f"{{method: oauth2-client-credentials, tokenUrl: 'https://u:{CANARIES['oauth_password']}@example.com/', clientId: a, clientSecret: {{env: A}}}}",
    )
    text = text.replace(
        "https://example.com/one", f"https://{CANARIES['user_name']}:{CANARIES['basic_password']}@example.com/"
    )
    empty.write("connectors/all.yaml", CATEGORY + "---\n" + text)
    result = empty.run("validate")
    assert result.output.count("RC402") == 2
    assert_no_canary(result.output.encode(), result.output)
