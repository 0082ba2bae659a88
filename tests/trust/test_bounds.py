"""What secret references may lead to is the operator's to bound, and nothing is read beyond it."""

import json
from pathlib import Path

import pytest
from conftest import Workspace
from live_state import holds_nothing
from secret_checks import CANARY, applied, declare

from reconciler.core.references import Bounds, is_bound


ROOT = """\
apiVersion: reconciler/v1
kind: PermissionPolicy
metadata: {name: root}
spec: {subjects: [{user: root}], superAdmin: true, grants: []}
"""


def project(workspace: Workspace, *bounds: str, **target: object) -> None:
    """A target with these bounds, and helpers that note that they were started."""
    settings = {"store": "sqlite:.reconciler/store.db", "secretsAllowed": list(bounds), **target}
    if not bounds:
        del settings["secretsAllowed"]
    helper = {"command": ["sh", "-c", f"touch {workspace.root}/started; echo value"]}
    content = {
        "apiVersion": "reconciler/v1",
        "kind": "Project",
        "secrets": {"helpers": {"any": helper}},
        "targets": {"local": settings},
    }
    workspace.write("reconciler.yaml", json.dumps(content))


@pytest.mark.parametrize(
    ("bound", "root", "inside", "outside"),
    [
        ("env:CRM_*", "/r", ["CRM_A", "CRM_"], ["OTHER", "XCRM_A", "crm_a"]),
        ("env:CRM", "/r", ["CRM"], ["CRM_A"]),
        ("env:*", "/r", ["ANY"], []),
        ("file:/run/secrets/*", "/r", ["/run/secrets/a", "/run//secrets/./a", "../run/secrets/a"], ["/run/secrets/../a", "/run/secrets", "/run/secrets2/a", "a", "/r/run/secrets/a"]),
        ("file:secrets/*", "/r", ["secrets/a", "./secrets/b/c", "/r/secrets/a"], ["secrets/../a", "/secrets/a", "secretsx/a"]),
        ("file:secrets/crm-*", "/r", ["secrets/crm-a"], ["secrets/crm", "secrets/x/../../crm-a"]),
        ("file:a*", "/r", ["ab", "a/b"], ["b", "../a"]),
        ("file:/*", "/r", ["/a", "b"], []),
        ("sops:s/crm.yaml#*", "/r", ["s/crm.yaml#a", "s/./crm.yaml#b"], ["s/crm.yaml", "s/crm.yaml2#a", "s/other.yaml#a"]),
        ("sops:s/*", "/r", ["s/crm.yaml#a"], ["t/crm.yaml#a"]),
        ("exec:pass:crm/*", "/r", ["pass:crm/a"], ["pass:crm/../b", "pass:crm2/a", "other:crm/a", "pass:crm/a/.."]),
        ("vault:secret/crm/*", "/r", ["secret/crm/a#b"], ["secret/crm/../x#b", "secret/crmx/a#b"]),
    ],
)  # fmt: skip
def test_what_fits(bound: str, root: str, inside: list[str], outside: list[str]) -> None:
    """Names, and beginnings of names; paths as they lead, not as they are written."""
    assert is_bound(bound)
    bounds = Bounds(root, ((bound,),))
    scheme = bound.partition(":")[0]
    assert [target for target in inside if not bounds.permit(scheme, target)] == []
    assert [target for target in outside if bounds.permit(scheme, target)] == []
    assert not bounds.permit("plugin", inside[0])


@pytest.mark.parametrize("text", ["", "env", "env:", "CRM_*", "env:C*M", "file:/a/**", "vars:X", "env: X"])
def test_what_says_no_bound(empty: Workspace, text: str) -> None:
    """Is refused where it stands, instead of allowing nothing or everything."""
    assert not is_bound(text)
    project(empty, text)
    assert empty.run("validate").exit_code == 3
    project(empty)
    if text and " " not in text:
        result = empty.run("plan", "--secrets-allowed", text)
        assert result.exit_code == 64 and "KEY:BEGINNING*" in result.stderr, result.output


def test_a_reference_out_of_bounds(empty: Workspace) -> None:
    """Is found by validate at its line and told by plan, and apply reads nothing at all, whatever comes first."""
    project(empty, "env:CRM_*", "exec:any:crm/*")
    empty.env |= {"CRM_A": CANARY, "OTHER": CANARY}
    declare(empty, one="{exec: 'any:crm/a'}", two="{env: OTHER}")
    checked = empty.run("validate")
    assert checked.exit_code == 3 and "connectors/all.yaml:21:48: error[RC405]" in checked.stdout, checked.stdout
    plan = empty.run("plan")
    assert plan.exit_code == 4 and "connector/two authorization.token: {env: OTHER}" in plan.stderr + plan.stdout
    for command in (["apply", "--yes"], ["apply", "--yes", "--secrets", "check"], ["plan", "--preflight"]):
        result = empty.run(*command)
        assert result.exit_code == 4, result.output
        assert CANARY not in result.output
    assert holds_nothing(empty.store) and not (empty.root / "started").exists()
    declare(empty, one="{exec: 'any:crm/a'}", two="{env: CRM_A}")
    assert applied(empty) == {"one": "value", "two": CANARY}


def test_whoever_widens_the_bounds_in_a_pull_request(workspace: Workspace) -> None:
    """Has to be a super admin: the gate takes the project file for what it is."""
    project(workspace, "env:CRM_*")
    workspace.write("policies/root.yaml", ROOT)
    workspace.commit()
    workspace.git("switch", "-q", "-c", "wider")
    project(workspace, "env:CRM_*", "env:OTHER")
    workspace.commit()
    result = workspace.run("authorize", "--base", "main", "--head", "wider", "--actor", "ada")
    assert result.exit_code == 4 and "reconciler.yaml" in result.output, result.output
    workspace.ok("authorize", "--base", "main", "--head", "wider", "--actor", "root")


def test_the_operator_narrows(empty: Workspace) -> None:
    """By option or variable, whatever the branch says; and cannot widen what the target says."""
    empty.env |= {"CRM_A": CANARY, "ERP_A": CANARY}
    declare(empty, one="{env: CRM_A}")
    for bounds in ((), ("env:*",), ("env:ERP_*", "env:CRM_*")):
        project(empty, *bounds)
        for given in ({"RECONCILER_SECRETS_ALLOWED": "env:ERP_* file:x"}, {}):
            line = [] if given else ["--secrets-allowed", "env:ERP_*"]
            result = empty.run("apply", "--yes", *line, env=given)
            assert result.exit_code == 4, result.output
    project(empty, "env:ERP_*")
    assert empty.run("apply", "--yes", "--secrets-allowed", "env:CRM_*").exit_code == 4
    project(empty)
    empty.ok("apply", "--yes", "--secrets-allowed", "env:ERP_* env:CRM_A")


def test_a_link_out_of_bounds(empty: Workspace, tmp_path: Path) -> None:
    """A pull request may bring a link, so what it leads to is judged, for every key that begins with a path."""
    (tmp_path / "other").write_text(CANARY)
    empty.write("secrets/README", "")
    (empty.root / "secrets/one").symlink_to(tmp_path / "other")
    for scheme in ("file", "sops", "age"):
        project(empty, f"{scheme}:secrets/*")
        declare(empty, one=f"{{{scheme}: secrets/one}}")
        empty.ok("validate")
        result = empty.run("apply", "--yes")
        assert result.exit_code == 4 and "a link leads it outside" in result.stderr, result.output
    assert holds_nothing(empty.store)


@pytest.mark.parametrize("file", [".git/config", "/proc/self/environ", "../elsewhere.env", "linked"])
def test_an_env_file_that_the_branch_chooses(empty: Workspace, file: str) -> None:
    """Is a file that references might name, or it is not read: git's settings read as NAME=value too."""
    empty.commit()
    empty.git("config", "remote.origin.url", CANARY)
    (empty.root.parent / "elsewhere.env").write_text(f"url={CANARY}\n")
    (empty.root / "linked").symlink_to("../elsewhere.env")
    declare(empty, one="{env: url}")
    project(empty, "env:url", envFile=file)
    result = empty.run("apply", "--yes")
    assert result.exit_code == 64 and CANARY not in result.output, result.output
    project(empty, envFile=file)
    result = empty.run("apply", "--yes")
    assert result.exit_code == (0 if "elsewhere" in file or file == "linked" else 64), result.output


def test_an_env_file_that_the_operator_names(empty: Workspace, tmp_path: Path) -> None:
    """May lie anywhere and may be a pipe, and is read to a limit."""
    declare(empty, one="{env: CRM}")
    (tmp_path / "large").write_text("A=b\n" * 300_000)
    result = empty.run("apply", "--yes", "--env-file", str(tmp_path / "large"))
    assert result.exit_code == 64 and "more than 1 MiB" in result.stderr, result.output
    result = empty.run("apply", "--yes", "--env-file", "/dev/zero", timeout=30)
    assert result.exit_code == 64, result.output
    empty.run("apply", "--yes", "--env-file", "/dev/stdin", stdin=f"CRM={CANARY}\n")
    project(empty, "env:CRM")
    result = empty.run("plan", "--secrets", "check", "--env-file", "/dev/stdin", stdin=f"CRM={CANARY}\n")
    assert result.exit_code == 0 and "Nothing to do" in result.stdout, result.output


def test_checking_secrets_is_the_operators_word(empty: Workspace) -> None:
    """A plan is not told by the branch to read secrets; an apply to the target reads them all, and a plan says so."""
    declare(empty, one="{exec: 'any:x'}")
    project(empty, secrets="check")
    empty.ok("apply", "--yes")
    (empty.root / "started").unlink()
    for line in (["plan"], ["plan", "--full"], ["plan", "-o", "json"], ["plan", "--out", "p.json"], ["drift"]):
        empty.ok(*line)
    assert "--secrets check" in empty.ok("plan").stdout
    assert not (empty.root / "started").exists()
    assert "Nothing to do" in empty.ok("plan", env={"RECONCILER_SECRETS": "check"}).stdout
    assert (empty.root / "started").exists()
    (empty.root / "started").unlink()
    empty.ok("apply", "--yes")
    assert (empty.root / "started").exists()


NEW_HOST = "secrets of connector/one will be sent to a new host: {}"


def edit(workspace: Workspace, old: str, new: str) -> list[str]:
    """What a plan says beside its changes after an edit, in all formats alike."""
    workspace.edit("connectors/all.yaml", old, new)
    notices = json.loads(workspace.ok("plan", "-o", "json").stdout).get("notices", [])
    text, markdown = workspace.ok("plan").stdout, workspace.ok("plan", "-o", "markdown").stdout
    for notice in notices:
        assert f"note: {notice}\n" in text and notice.split(":")[0] in markdown
    return notices


def test_secrets_that_go_to_a_new_host(empty: Workspace) -> None:
    """Are told, with the host; and no others."""
    empty.env["CRM"] = CANARY
    declare(empty, one="{env: CRM}")
    assert edit(empty, "CRM", "CRM") == [NEW_HOST.format("example.com")]
    empty.ok("apply", "--yes")
    assert edit(empty, "The one", "Another") == []
    assert edit(empty, "https://example.com", "https://example.com/path") == []
    assert edit(empty, "https://example.com/path", "https://evil.example.com:8443/x") == [
        NEW_HOST.format("evil.example.com:8443")
    ]
    assert edit(empty, "evil.example.com:8443", "еxample.com") == [NEW_HOST.format("xn--xample-2of.com")]


def test_a_token_url_that_moves(empty: Workspace) -> None:
    """The client's secret goes there."""
    empty.env["CRM"] = CANARY
    grant = "{method: oauth2-client-credentials, tokenUrl: 'https://a.example.com/t', clientId: c, clientSecret: {env: CRM}}"
    declare(empty, one="{env: CRM}")
    empty.edit("connectors/all.yaml", "{method: bearer, token: {env: CRM}}", grant)
    empty.ok("apply", "--yes", "--tokens", "demand")
    assert edit(empty, "a.example.com", "b.example.com") == [NEW_HOST.format("b.example.com")]


def test_a_header_with_a_secret_and_a_host_of_the_callers(empty: Workspace) -> None:
    """An endpoint that is not authorized sends what its headers hold; placeholders name no host."""
    empty.env["CRM"] = CANARY
    declare(empty, one="{env: CRM}")
    empty.edit("connectors/all.yaml", "{method: bearer, token: {env: CRM}}", "{method: none}")
    empty.ok("apply", "--yes")
    assert edit(empty, '"https://example.com"', '"https://other.example.com"') == []
    secret = 'headers: [{name: X-Api-Key, value: {env: CRM}}], url: "https://third.example.com"'
    assert edit(empty, 'url: "https://other.example.com"', secret) == [NEW_HOST.format("third.example.com")]
    assert edit(empty, "third.example.com", "{{host}}") == [NEW_HOST.format("whichever host a caller names")]


def test_many_connectors_are_told_in_one_line(empty: Workspace) -> None:
    """But for those with odd hosts, which come first, wherever they stand."""
    declare(empty, **{f"c{index}": "{env: CRM}" for index in range(40)})
    text = (empty.root / "connectors/all.yaml").read_text()
    before, host, after = text.rpartition("https://example.com")
    (empty.root / "connectors/all.yaml").write_text(f"{before}https://odd.test{after}")
    notices = edit(empty, "CRM", "CRM")
    assert notices[0] == "secrets of connector/c39 will be sent to a new host: odd.test" and len(notices) == 11
    assert notices[-1] == "secrets of 30 more connectors will be sent to new hosts: example.com"


def test_a_path_that_many_take_for_a_host(empty: Workspace) -> None:
    """Two slashes begin a host, by RFC 3986: it is refused."""
    declare(empty, one="{env: CRM}", two="{env: CRM}")
    empty.edit("connectors/all.yaml", '"https://example.com"}}\n---', '"//evil.test/x"}}\n---')
    assert "RC503" in empty.run("validate").stdout and empty.run("plan").exit_code == 3


def test_a_host_that_is_written_to_mislead(empty: Workspace) -> None:
    """Is told as it will be asked; a URL in a sample is asked by nobody."""
    declare(empty, one="{env: CRM}", two="{env: CRM}")
    empty.edit(
        "connectors/all.yaml",
        '"https://example.com"}}\n---',
        '"https://g\u043e\u043ed.test", sample: {url: "https://sample.test"}}}\n---',  # Cyrillic
    )
    (notice, other) = edit(empty, "CRM", "CRM")
    assert "xn--gd-fmca.test" in notice and "sample.test" not in notice and other.endswith(": example.com")
