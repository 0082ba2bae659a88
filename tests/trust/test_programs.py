"""Programs that secret references start get what they need and no more, and are none that a pull request brings."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import KEY, Workspace
from live_state import holds_nothing
from secret_checks import CANARY, applied, declare, helpers
from servers.sops import AgeKey

ALWAYS = {
    "HOME": "/home/ci",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TMPDIR": "/tmp",
    "XDG_CONFIG_HOME": "/home/ci/.config",
}
OF_THE_PIPELINE = {"GITHUB_TOKEN": CANARY, "RECONCILER_AS": "ada", "AWS_SECRET_ACCESS_KEY": CANARY, "CRM_PASSWORD": CANARY,
                   "LD_PRELOAD_OF_OURS": CANARY, "VAULT_TOKEN": CANARY, "GIT_CONFIG_PARAMETERS": "'a.b=c'"}  # fmt: skip
"""What a pipeline may hold beside; no program of another purpose gets it."""


def script(place: Path, text: str) -> Path:
    """A program."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{text}\n")
    place.chmod(0o755)
    return place


def environment_in(file: Path) -> dict[str, str]:
    """The variables that a program noted."""
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)


@pytest.mark.parametrize("named", [(), ("CRM_*", "VAULT_TOKEN")])
def test_what_a_helper_gets(empty: Workspace, tmp_path: Path, named: tuple[str, ...]) -> None:
    """The variables that every program gets, those that its settings name, and never the tool's own."""
    program = script(tmp_path / "bin/helper", f"env > {tmp_path}/env; echo value")
    helpers(empty, any={"command": [str(program)], "variables": list(named)})
    declare(empty, one="{exec: 'any:x'}")
    empty.env |= {**OF_THE_PIPELINE, **ALWAYS}
    empty.ok("apply", "--yes")
    found = environment_in(tmp_path / "env")
    assert ALWAYS.items() <= found.items()
    given = {name for name in OF_THE_PIPELINE if name in found}
    assert given == ({"CRM_PASSWORD", "VAULT_TOKEN"} if named else set())
    assert not [name for name in found if name.startswith("RECONCILER_")] and KEY not in found.values()


@pytest.mark.parametrize("name", ["RECONCILER_STORE_KEY", "RECONCILER_*", "*"])
def test_a_helper_that_asks_for_the_tools_own(empty: Workspace, tmp_path: Path, name: str) -> None:
    """Does not get it."""
    program = script(tmp_path / "bin/helper", f"env > {tmp_path}/env; echo value")
    helpers(empty, any={"command": [str(program)], "variables": [name]})
    declare(empty, one="{exec: 'any:x'}")
    result = empty.run("apply", "--yes")
    if name == "*":
        assert result.exit_code == 3
    else:
        assert KEY not in (tmp_path / "env").read_text()


def test_what_sops_gets(empty: Workspace, age_key: AgeKey, tmp_path: Path) -> None:
    """Its own variables and those of the key services that it asks."""
    real = shutil.which("sops", path=age_key.environment["PATH"])
    program = script(tmp_path / "bin/sops", f'env > {tmp_path}/env; exec {real} "$@"')
    age_key.encrypt(empty.root / "crm.yaml", f"token: {CANARY}\n")
    declare(empty, one="{sops: 'crm.yaml#token'}")
    empty.env |= {**age_key.environment, **OF_THE_PIPELINE, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    empty.ok("apply", "--yes")
    found = environment_in(tmp_path / "env")
    assert {name for name in OF_THE_PIPELINE if name in found} == {"AWS_SECRET_ACCESS_KEY", "VAULT_TOKEN"}
    assert not [name for name in found if name.startswith("RECONCILER_")]


@pytest.mark.parametrize("entry", [".", "", "bin", "ROOT/bin", "ROOT/sub/../bin", "LINK"])
def test_a_program_that_the_branch_brings(empty: Workspace, tmp_path: Path, entry: str) -> None:
    """Is not what is found by its name, wherever PATH leads."""
    for place in ("bin", ""):
        script(empty.root / place / "sops", f'touch {tmp_path}/started; echo \'{{"token": "value"}}\'')
        script(empty.root / place / "mine", f"touch {tmp_path}/started; echo value")
    (empty.root / "sub").mkdir()
    (tmp_path / "link").symlink_to(empty.root / "bin")
    empty.write("crm.yaml", "token: x\n")
    helpers(empty, any={"command": ["mine"]})
    folder = entry.replace("ROOT", str(empty.root)).replace("LINK", str(tmp_path / "link"))
    empty.env["PATH"] = os.pathsep.join([folder, os.environ["PATH"]])
    for reference in ("{sops: 'crm.yaml#token'}", "{exec: 'any:x'}"):
        declare(empty, one=reference)
        empty.run("apply", "--yes")
        assert not (tmp_path / "started").exists()
    helpers(empty, any={"command": ["bin/mine"]})
    declare(empty, one="{exec: 'any:x'}")
    empty.ok("apply", "--yes")
    assert (tmp_path / "started").exists(), "what is named by its path is meant"


def test_a_folder_that_only_looks_like_a_repository(empty: Workspace, tmp_path: Path) -> None:
    """Gives git's credential helper no settings, which could name programs."""
    command = ["git", "-C", "inner", "credential", "fill"]
    subprocess.run(["git", "init", "-q", "--bare", empty.root / "inner"], check=True)
    with (empty.root / "inner/config").open("a") as config:
        config.write(f'[credential]\n\thelper = "!touch {tmp_path}/started; echo password=x; echo username=x; :"\n')
    helpers(empty, git={"command": command, "protocol": "git-credential"})
    declare(empty, one="{exec: 'git:https://crm.example.com'}")
    empty.run("apply", "--yes")
    assert not (tmp_path / "started").exists()


def test_a_name_with_line_breaks(workspace: Workspace, tmp_path: Path) -> None:
    """That somebody wrote into the store would be further lines of git's protocol."""
    from reconciler.errors import SecretUnavailable
    from reconciler.secrets.programs import ExecSecrets

    class Surroundings:
        helpers = {"git": {"command": ["git", "credential", "fill"], "protocol": "git-credential"}}

    with pytest.raises(SecretUnavailable, match="HELPER:NAME"):
        ExecSecrets(Surroundings()).resolve("git:https://a.example.com\nhost=b.example.com")


@pytest.mark.parametrize(
    ("text", "words"),
    [("yes", "says more than 64 KiB"), ("sleep 100", "took longer than 1 s"), ("(sleep 100; echo late) &\nwait", "took longer than 1 s")],
)  # fmt: skip
def test_a_program_that_does_not_end(empty: Workspace, tmp_path: Path, text: str, words: str) -> None:
    """Is ended, with what it started."""
    program = script(tmp_path / "bin/helper", text)
    helpers(empty, any={"command": [str(program)], "timeoutSeconds": 1})
    declare(empty, one="{exec: 'any:x'}")
    result = empty.run("apply", "--yes", timeout=30)
    assert result.exit_code == 10 and words in result.stderr and holds_nothing(empty.store), result.output


def test_helpers_work_as_ever(empty: Workspace, tmp_path: Path) -> None:
    """Found by name outside of the repository, and asked by apply and by a plan that the operator lets check."""
    program = script(tmp_path / "bin/say", f'echo "{CANARY}-$1"')
    empty.env["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    helpers(empty, any={"command": ["say", "{name}"]})
    declare(empty, one="{exec: 'any:crm'}")
    assert applied(empty) == {"one": f"{CANARY}-crm"}
