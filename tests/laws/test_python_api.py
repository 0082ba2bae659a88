"""The Python API says what the commands say, costs nothing until it is used, and is documented to the last name."""

import doctest
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CATEGORY, CONNECTOR, Workspace, clean_environment

import reconciler

PAGE = (Path(__file__).parents[2] / "docs/reference/python-api.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the commands."""
    for name in list(os.environ):
        if name.startswith(("RECONCILER_", "GITHUB_", "GITLAB_", "GIT_")):
            monkeypatch.delenv(name)
    for name, value in clean_environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", reconciler.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    """On the page, and where it is defined."""
    assert re.search(rf"`[^`\n]*\b{name}\b", PAGE), name
    assert inspect.getdoc(getattr(reconciler, name))
    assert name in dir(reconciler)


def test_every_public_part_of_a_repository_is_documented() -> None:
    parts = [name for name, _ in inspect.getmembers(reconciler.Repository) if not name.startswith("_")]
    assert len(parts) == 8
    for name in parts:
        assert re.search(rf"\b{name}\b", PAGE), name
        assert inspect.getdoc(getattr(reconciler.Repository, name))


def test_what_is_no_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Repositry'"):
        reconciler.Repositry  # noqa: B018


def test_the_examples(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All of the page, as it stands there."""
    (tmp_path / "path/to/a/broken/one/connectors").mkdir(parents=True)
    workspace.root.rename(tmp_path / "path/to/repository")
    (tmp_path / "path/to/a/broken/one/connectors/crm.yaml").write_text(CATEGORY.replace("Category", "Conector"))
    monkeypatch.chdir(tmp_path)
    text = "\n".join(re.findall(r"^```pycon\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(text, {}, "python-api.md", None, 0)
    result = doctest.DocTestRunner().run(test, out=said.append)
    assert result.attempted > 10 and not result.failed, "".join(said)


def test_importing_it_loads_nothing() -> None:
    """Neither the command line nor pydantic."""
    code = "import sys; before = set(sys.modules); import reconciler; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["reconciler", "reconciler.version"]


def test_a_validation_is_that_of_the_command(workspace: Workspace) -> None:
    """With faults in definitions, in the settings and around them."""
    workspace.write("connectors/bad.yaml", CONNECTOR.replace("crm-contacts", "other").replace("GET", "FLY"))
    workspace.write("connectors/lost.txt", CATEGORY)
    workspace.write("reconciler.yaml", "apiVersion: reconciler/v1\nkind: Project\nvendor: x\n")
    result = reconciler.Repository(workspace.root).validate()
    said = json.loads(workspace.run("validate", "-o", "json").stdout)
    assert result.model_dump(by_alias=True, mode="json", exclude_unset=True) == said
    assert not result.ok and {found.file for found in result.diagnostics} == {
        "connectors/bad.yaml", "connectors/lost.txt", "reconciler.yaml",
    }  # fmt: skip
    first = result.diagnostics[0]
    assert (first.line, first.column) == (first.range.start.line, first.range.start.column)


def test_a_plan_is_that_of_the_command(workspace: Workspace) -> None:
    """Of everything, of what moved since an apply, with what stands against it, and of a commit."""
    same(workspace)
    workspace.commit("first")
    workspace.ok("apply", "--yes", "-q")
    workspace.edit("connectors/crm.yaml", "Contacts of the CRM.", "Other words.")
    (workspace.root / "policies/team.yaml").unlink()
    plan = same(workspace)
    assert [change.action for change in plan.changes] == ["update", "delete", "delete"]
    assert plan.changes[0].fields[0].before == "Contacts of the CRM."
    assert same(workspace, "--no-prune", prune=False).summary.kept == 2
    assert same(workspace, "--ref", "HEAD", ref="HEAD").changes == []
    assert same(workspace, "--store", "sqlite:two.db", store="sqlite:two.db").summary.create == 2


def same(workspace: Workspace, *arguments: str, ref: str = "", **flags: object) -> reconciler.Plan:
    """The plan, which the command says too."""
    plan = reconciler.Repository(workspace.root, ref=ref).plan(**flags)
    said = json.loads(workspace.ok("plan", "-o", "json", *arguments).stdout)
    assert plan.model_dump(by_alias=True, exclude_unset=True, mode="json") == said
    return plan


def test_nothing_is_written(workspace: Workspace) -> None:
    """Not even a store."""
    before = sorted(workspace.root.rglob("*"))
    repository = reconciler.Repository(workspace.root)
    assert repository.plan().summary.create == 4 and repository.validate().ok
    assert sorted(workspace.root.rglob("*")) == before


def test_definitions_are_models(workspace: Workspace) -> None:
    """That plan as what they were read from."""
    workspace.ok("apply", "--yes", "-q")
    repository = reconciler.Repository(str(workspace.root))
    (connector,), (policy,), (group,) = repository.connectors, repository.policies, repository.groups
    assert connector.spec.authorization.method == "basic" and connector.metadata.labels == {"team": "sales"}
    assert policy.spec.subjects[0].group == group.metadata.name and repository.access_tests == []
    documents = [*repository.categories, connector, group, policy]
    for file in ("connectors/crm.yaml", "policies/team.yaml"):
        mine = [item for item in documents if (item.kind in ("Category", "Connector")) == file.startswith("connectors")]
        dumped = [item.model_dump(by_alias=True, exclude_unset=True, mode="json") for item in mine]
        workspace.write(file, "\n---\n".join(json.dumps(item) for item in dumped))
    assert reconciler.Repository(workspace.root).plan().changes == []


@pytest.mark.store_file
def test_settings_are_a_model(workspace: Workspace) -> None:
    """With its defaults, also where there is no project file."""
    assert reconciler.Repository(workspace.root).settings.targets == {}
    text = "apiVersion: reconciler/v1\nkind: Project\ntargets: {live: {store: 'sqlite:live.db', quarantineDays: 3}}\n"
    workspace.write("reconciler.yaml", text)
    target = reconciler.Repository(workspace.root).settings.targets["live"]
    assert (target.store, target.quarantine_days, target.max_deletes) == ("sqlite:live.db", 3, "30%")
    workspace.write("reconciler.yaml", text.replace("3", "soon"))
    with pytest.raises(reconciler.InvalidDefinitions, match="reconciler.yaml is not valid"):
        reconciler.Repository(workspace.root).settings  # noqa: B018


@pytest.mark.store_file
def test_errors_are_those_of_the_package(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(reconciler.UsageError, match="no configuration repository|not a configuration repository"):
        reconciler.Repository(tmp_path)
    repository = reconciler.Repository(workspace.root)
    with pytest.raises(reconciler.UsageError, match="there is no target 'nowhere'"):
        repository.plan(target="nowhere")
    workspace.store.parent.mkdir()
    workspace.store.write_bytes(b"no database " * 100)
    with pytest.raises(reconciler.StoreUnavailable) as caught:
        repository.plan()
    assert isinstance(caught.value, reconciler.ReconcilerError) and caught.value.exit_code == 10
    with pytest.raises(reconciler.UsageError, match="not inside a git repository"):
        reconciler.Repository(workspace.root, ref="main").validate()
    workspace.edit("connectors/crm.yaml", "GET", "FLY")
    with pytest.raises(reconciler.InvalidDefinitions) as refused:
        reconciler.Repository(workspace.root).connectors  # noqa: B018
    assert refused.value.details[0].startswith("connectors/crm.yaml:")


def test_what_is_no_repository_is_told_in_words_of_programs(tmp_path: Path) -> None:
    """Not by the command line's options."""
    for path, said in ((tmp_path / "no", "there is no directory"), (tmp_path, "is not a configuration repository")):
        with pytest.raises(reconciler.UsageError, match=said) as failure:
            reconciler.Repository(path)
        assert failure.value.hint == "check `path`, the directory of the repository"
    with pytest.raises(reconciler.UsageError, match="is no path"):
        reconciler.Repository("a\0b")
