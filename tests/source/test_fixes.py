"""`validate --fix`: what it writes, what it leaves to people, and that it touches nothing else."""

import json
import os
import stat
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, POLICY, Workspace
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.services.fixes import edited, fix_file
from reconciler.source.documents import DocumentReader

CRM = "connectors/crm.yaml"
FILE = CATEGORY + "---\n" + CONNECTOR
READER = DocumentReader()


def judge(path: str, content: bytes) -> list[Diagnostic]:
    return READER.read(path, content).diagnostics


def fixed(text: str, path: str = CRM) -> str:
    """What becomes of a file."""
    return fix_file(path, text.encode(), judge).after.decode()


MENDED = [
    ("displayName: Sales", "display_name: Sales", "unknown key by its signs"),
    ("method: GET", "methd: GET", "unknown key that is near one"),
    ("endpoints:", '"endpoint":', "a quoted key stays quoted"),
    ("method: GET", "method: get", "case of a value"),
    ("method: basic", "method: basci", "value that is near one"),
    ("kind: Category", "kind: category", "case of a kind"),
    ("kind: Category", "Kind: Category", "case of kind"),
    ("apiVersion: reconciler/v1\nkind: Connector", "apiVersion: Reconciler/v1\nkind: Connector", "case of the version"),
    ('{team: "2024"}', "{team: 2024}", "number for a text"),
    ('{team: "010"}', "{team: 010}", "number that readers disagree on"),
    ('{team: "1e3"}', "{team: 1e3}", "another"),
    ('{team: "true"}', "{team: true}", "true for a text"),
    ('{"1": sales}', "{1: sales}", "key that is no text"),
    ("categories: [crm]", "categories: crm", "item for a list"),
    ("categories: [crm]", "categories: [crm, crm]", "item that stands twice"),
    ("---\napiVersion: reconciler/v1\nkind: Connector", "apiVersion: reconciler/v1\nkind: Connector", "no ---"),
    ('url: "{{base}}/x"', "url: {{base}}/x", "placeholder first"),
    ('value: "{{q}}"}', "value: {{q}}}", "placeholder in brackets"),
    ("/{{account}}", "/{account}", "braces of another language"),
    ("/{{account}}", "/${account}", "another"),
    ("/{{account}}", "/<account>", "and another"),
    ("spec:\n  displayName: Sales", "spec:\n\tdisplayName: Sales", "tab"),
    ("kind: Category", "%YAML 1.2\n---\nkind: Category", "directive"),
]  # fmt: skip
BASES = [
    FILE,
    FILE.replace("{team: sales}", '{team: "2024"}'),
    FILE.replace("{team: sales}", '{team: "010"}'),
    FILE.replace("{team: sales}", '{team: "1e3"}'),
    FILE.replace("{team: sales}", '{team: "true"}'),
    FILE.replace("{team: sales}", '{"1": sales}'),
    FILE.replace("endpoints:", '"endpoints":'),
    FILE.replace("https://crm.example.com/contacts/{{account}}", '"{{base}}/x"   # where it is'),
    FILE.replace('value: "1"}', 'value: "{{q}}"}'),
]


@pytest.mark.parametrize(
    ("right", "wrong", "what"), MENDED[:-2], ids=[f"{n}-{what}" for n, (*_, what) in enumerate(MENDED[:-2])]
)
def test_one_answer_is_written(right: str, wrong: str, what: str) -> None:
    """And gives the valid definition that was meant, byte for byte, with comments and layout."""
    base = next(base for base in BASES if right in base.replace('"endpoints":', "endpoints:"))
    if wrong.startswith('"endpoint"'):
        base, right = next(base for base in BASES if '"endpoints":' in base), '"endpoints":'
    base = base.replace("  authorization:", "  # why\n\n  authorization:   # so")
    broken = base.replace(right, wrong, 1)
    assert broken != base
    assert fixed(broken) == base
    assert not [item for item in judge(CRM, base.encode()) if item.severity is Severity.ERROR]


def test_tabs_directives_and_marks_in_the_middle() -> None:
    """What some editors leave."""
    body = 'apiVersion: reconciler/v1\nkind: Category\nmetadata:\n\tname: crm\nspec:\n\tdisplayName: "a\tb"\n'
    assert fixed(body) == body.replace("\n\t", "\n  ")
    assert fixed("%YAML 1.2\n---\n" + CATEGORY) == "---\n" + CATEGORY
    assert fixed(CATEGORY + "---\n\ufeff" + CATEGORY) == CATEGORY + "---\n" + CATEGORY
    assert fixed("\ufeff" + CATEGORY.replace("Category", "category")) == "\ufeff" + CATEGORY


def test_line_ends_stay_as_they_are() -> None:
    """What is put in has those of the file."""
    windows = FILE.replace("\n", "\r\n")
    assert fixed(windows.replace("---\r\n", "").replace("GET", "get")) == windows


def test_a_comment_above_a_document_goes_with_it() -> None:
    """Where --- was missing."""
    assert fixed(CATEGORY + "# contacts\n" + CONNECTOR) == CATEGORY + "---\n# contacts\n" + CONNECTOR


def test_many_faults_of_one_file() -> None:
    """Also those that hide others."""
    wrong = FILE.replace("---\n", "").replace("kind: Category", "kind: category").replace("method: GET", "methd: get")
    wrong = wrong.replace("https://crm.example.com/contacts/{{account}}", "{{base}}/x").replace(
        'value: "1"', "value: {{p}}"
    )
    right = FILE.replace("https://crm.example.com/contacts/{{account}}", '"{{base}}/x"').replace(
        'value: "1"', 'value: "{{p}}"'
    )
    assert fixed(wrong) == right


LEFT = [
    ("  authorization:", "  tls: {verfy: false}\n  authorization:", "makes less secure"),
    ("  authorization:", "  tls: {verify: no, reason: x}\n  authorization:", "makes less secure"),
    ("method: basic", "method: nnone", "makes less secure"),
    ("displayName: Sales", "name: Sales", "is near nothing"),
    ("params:", "param: []\n      params:", "is there already"),
    ("method: GET", "method: PUST", "may be POST or PUT"),
    ("      method: GET", "      method: GET\n      timeoutSeconds: 010", "is no text"),
    ("categories: [crm]", "categories: [crm, &a other, *a]", "is an alias"),
    ("{env: CRM_PASSWORD}", "12345", "is a secret"),
    ("{env: CRM_PASSWORD}", "{evn: CRM_PASSWORD}", "is in a secret"),
]


@pytest.mark.parametrize(("right", "wrong", "why"), LEFT, ids=[f"{n}-{why}" for n, (*_, why) in enumerate(LEFT)])
def test_what_people_decide_is_left(right: str, wrong: str, why: str) -> None:
    """Where two things can have been meant, or somebody would be let in."""
    broken = FILE.replace(right, wrong, 1)
    assert broken != FILE
    assert judge(CRM, broken.encode())
    assert fixed(broken) == broken


@pytest.mark.parametrize(
    "wrong",
    [
        "superAdmin: yes\n  grants:",
        "grants:\n    - permissions: [connectors:veiw]\n   ",
        "Grants:\n    - permissions: [Connectors:View]\n   ",
    ],
)
def test_nobody_gets_a_permission_by_a_fix(wrong: str) -> None:
    """Permissions and super admins are written by people."""
    text = POLICY.replace("grants:", wrong, 1)
    after = fixed(text, "policies/team.yaml")
    assert ("superAdmin: true" in after, "connectors:view]" in after.replace("connectors:view, ", "")) == (False, False)


def test_files_are_written_and_what_remains_is_told(workspace: Workspace) -> None:
    """The exit code is of what remains, too; the file's mode stays."""
    workspace.edit(CRM, "method: GET", "methd: get")
    before = (workspace.root / CRM).read_text("utf-8")
    os.chmod(workspace.root / CRM, 0o640)
    result = workspace.run("validate")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (
        3, "2 errors in 2 files. 1 can be mended by  reconciler validate --fix",
    )  # fmt: skip
    shown = workspace.run("validate", "--fix", "--diff")
    assert shown.exit_code == 3
    assert "-      methd: get\n+      method: GET\n" in shown.stdout
    assert (workspace.root / CRM).read_text("utf-8") == before
    assert workspace.ok("validate", "--fix").stdout == (
        "fixed connectors/crm.yaml:21:7: [RC201] unknown key 'methd' in endpoints.list: write method\n"
        "fixed connectors/crm.yaml:21:15: [RC204] endpoints.list.method cannot be 'get': write GET\n"
        "2 files, 4 documents: valid.\n"
    )
    assert stat.S_IMODE((workspace.root / CRM).stat().st_mode) == 0o640
    assert workspace.ok("validate", "--fix").stdout == "2 files, 4 documents: valid.\n"


def test_only_the_paths_that_are_named_are_written(workspace: Workspace) -> None:
    """Others stay, and JSON on stdout stays JSON."""
    workspace.edit(CRM, "method: GET", "method: get")
    workspace.edit("policies/team.yaml", "displayName", "displayname")
    result = workspace.run("validate", "--fix", "policies", "-o", "json")
    assert json.loads(result.stdout)["diagnostics"] == []
    assert result.stderr.startswith("fixed policies/team.yaml:5:3: [RC201]")
    assert "method: get" in (workspace.root / CRM).read_text("utf-8")


def test_the_project_file_is_mended(workspace: Workspace) -> None:
    """It is one of the files that `validate` looks at."""
    workspace.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nowners: me\n")
    result = workspace.ok("validate", "--fix")
    assert "reconciler.yaml:3:1: [RC201]" in result.stdout
    assert (workspace.root / "reconciler.yaml").read_text("utf-8").endswith("\nowner: me\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fix", "--ref", "HEAD"), "--fix writes into the working tree, and --ref looks at commits"),
        (("--fix", "--changed-since", "HEAD"), "--fix writes into the working tree, and --changed-since looks at commits"),
        (("--diff",), "--diff shows what --fix would write"),
    ],
)  # fmt: skip
def test_commits_are_not_written(workspace: Workspace, arguments: tuple[str, ...], message: str) -> None:
    """And no option is there for nothing."""
    workspace.commit()
    result = workspace.run("validate", *arguments)
    assert result.exit_code == 64
    assert message in result.stderr


def test_what_hides_the_rest_is_told_and_mended() -> None:
    """RC120 and RC121 are mended, RC119 is for people: which side is meant?"""
    unquoted = FILE.replace("https://crm.example.com/contacts/{{account}}", "{{base}}/x")
    assert [item.code for item in judge(CRM, unquoted.encode())] == ["RC120"]
    joined = FILE.replace("---\n", "")
    assert [item.code for item in judge(CRM, joined.encode())] == ["RC121"]
    torn = FILE.replace("  authorization:", "<<<<<<< ours\n  authorization:")
    assert [item.code for item in judge(CRM, torn.encode())][:1] == ["RC119"]
    assert (fixed(joined), fixed(torn)) == (FILE, torn)


def test_links_are_not_followed(workspace: Workspace, tmp_path: Path) -> None:
    """Nothing outside is written."""
    outside = tmp_path / "outside.yaml"
    outside.write_text(CATEGORY.replace("Category", "category"), "utf-8")
    (workspace.root / "connectors" / "link.yaml").symlink_to(outside)
    assert workspace.run("validate", "--fix").exit_code == 3
    assert "kind: category" in outside.read_text("utf-8")


WRONG = st.sampled_from([(right, wrong) for right, wrong, _ in [*MENDED, *LEFT]])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(BASES), st.lists(WRONG, min_size=1, max_size=4), st.booleans())
def test_fixes_make_nothing_worse(base: str, wrong: list[tuple[str, str]], windows: bool) -> None:
    """Whatever is wrong: no more errors, no other line is touched, and a second time there is nothing to do."""
    text = base
    for right, instead in wrong:
        text = text.replace(right, instead, 1)
    text = text.replace("\n", "\r\n") if windows else text
    before = judge(CRM, text.encode())
    done = fix_file(CRM, text.encode(), judge)
    after = judge(CRM, done.after)
    hidden = any(item.code < "RC200" for item in before)
    assert hidden or sum(map(is_error, after)) <= sum(map(is_error, before))
    touched = {
        line
        for item in done.done
        for edit in (item.fix.edits if item.fix else ())
        for line in range(edit.span.line, edit.span.end_line + 1)
    }
    ours, theirs = done.after.decode().splitlines(keepends=True), text.splitlines(keepends=True)
    kept = [line for line in theirs if line in ours]
    assert len(theirs) - len(kept) <= len(touched)
    assert fix_file(CRM, done.after, judge).done == ()


def is_error(item: Diagnostic) -> bool:
    return item.severity is Severity.ERROR


@settings(max_examples=100, deadline=None)
@given(
    st.text(st.sampled_from("{}[]: -'\"ab\n\t\r\ufeff#&*1.e~é🙂,"), max_size=60), st.sampled_from(["", CATEGORY, FILE])
)
def test_anything_is_survived(text: str, start: str) -> None:
    """Edits stay within the file, and what they leave is text."""
    content = (start + text).encode()
    done = fix_file(CRM, content, judge)
    done.after.decode()
    if not done.done:
        assert done.after == content
    assert edited(content, [])[0] == content
