"""authorize: attempts to get more than the base grants. Each of them ends with exit code 4, 3 or 10, never with 0."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from gate_checks import refused
from gate_world import OWNERS, TEAM, authorize, gated, group, judged, policy
from conftest import Workspace


@pytest.fixture
def gate(workspace: Workspace) -> Workspace:
    return gated(workspace)


def rebase(gate: Workspace) -> None:
    """What is written so far becomes the base."""
    gate.commit()
    gate.git("branch", "-f", "main", "change")


def test_a_grant_to_oneself_in_the_same_pull_request(gate: Workspace) -> None:
    """Does not help: the policies of the head judge nothing."""
    gate.write(
        "policies/mine.yaml",
        policy("mine", "{user: ada}", "connectors:view, connectors:edit, policies:view, policies:create"),
    )
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    assert refused(judged(gate)) == [("connector/ledger", "connectors:edit"), ("policy/mine", "policies:create")]


def test_making_oneself_a_super_admin(gate: Workspace) -> None:
    """Neither by the policy nor by its group."""
    gate.write("policies/owners.yaml", OWNERS.replace("{group: owners}", "{group: owners}, {user: ada}"))
    gate.edit("policies/groups.yaml", "users: [margaret]", "users: [margaret, ada]")
    assert refused(judged(gate)) == [("group/owners", "super admin"), ("policy/owners", "super admin")]


@pytest.mark.parametrize("everything", [False, True], ids=["of the super admins", "all"])
def test_deleting_policy_files(gate: Workspace, everything: bool) -> None:
    """A head without policies does not become a bootstrap."""
    gate.git("rm", "-q", *(["-r", "policies"] if everything else ["policies/owners.yaml"]))
    found = judged(gate)
    assert not found["bootstrap"]
    assert ("policy/owners", "super admin") in refused(found)


def test_a_grant_that_moves_to_another_file_and_grows_on_the_way(gate: Workspace) -> None:
    """The move alone is no change; what it hides is."""
    (gate.root / "policies/grants.yaml").unlink()
    gate.write("policies/sub/team.yml", TEAM.replace("[crm]", "[crm, finance]"))
    assert refused(judged(gate)) == [("policy/team", "policies:edit")]


@pytest.mark.parametrize("previously", [False, True])
def test_a_policy_that_is_renamed_and_grows_on_the_way(gate: Workspace, previously: bool) -> None:
    """With or without saying so."""
    name = "crew\n  previously: [team]" if previously else "crew"
    gate.write(
        "policies/grants.yaml", TEAM.replace("{name: team}", f"\n  name: {name}").replace("[crm]", "[crm, finance]")
    )
    wanted = {permission for _, permission in refused(judged(gate))}
    assert wanted == ({"policies:edit"} if previously else {"policies:create", "policies:delete"})


def test_the_earlier_name_of_another_connector(gate: Workspace) -> None:
    """Taking over a connector by calling it one's own earlier name takes edit on it."""
    gate.write("connectors/finance.yaml", (gate.root / "connectors/finance.yaml").read_text().partition("---\n")[0])
    gate.edit("connectors/crm.yaml", "  name: crm-contacts\n", "  name: crm-contacts\n  previously: [ledger]\n")
    assert refused(judged(gate)) == [("connector/ledger", "connectors:delete")]
    text = (gate.root / "connectors/crm.yaml").read_text().partition("---\n")[2]
    gate.write("connectors/more.yaml", text.replace("name: crm-contacts", "name: more").replace("Sales team's", "More"))
    gate.edit("connectors/crm.yaml", "  previously: [ledger]\n", "")
    assert refused(judged(gate)) == [("connector/more", "connectors:edit")]


def test_nesting_through_five_groups(gate: Workspace) -> None:
    """Nesting at the base counts; nesting at the head does not."""
    names = ["one", "two", "three", "four", "five"]
    nested = "".join(group(name, groups=below) for name, below in zip(names, [*names[1:], "integrators"], strict=True))
    gate.write("policies/nested.yaml", nested + policy("finance", "{group: one}", "connectors:view, connectors:edit"))
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    assert ("connector/ledger", "connectors:edit") in refused(judged(gate))
    gate.edit("connectors/finance.yaml", "Other.", "Contacts of the CRM.")
    rebase(gate)
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    text = authorize(gate, "ada", "change", "-v").stdout
    chain = (
        "ada is in integrators, which is in five, which is in four, which is in three, which is in two, which is in one"
    )
    assert f"because {chain}, which policy finance grants it, policies/nested.yaml:" in text


@pytest.mark.parametrize("at_base", [True, False])
def test_a_ring_of_groups(gate: Workspace, at_base: bool) -> None:
    """Is invalid, on either side."""
    names = ["r1", "r2", "r3", "r4", "r5", "r6"]
    gate.write(
        "policies/ring.yaml", "".join(group(a, groups=b) for a, b in zip(names, names[1:] + names[:1], strict=True))
    )
    if at_base:
        rebase(gate)
        gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "Other.")
    result = authorize(gate, "margaret")
    assert result.exit_code == 3 and "RC305" in result.stderr
    assert f"the definitions at the {'base' if at_base else 'head'}" in result.stderr


@pytest.mark.parametrize("edit", ["owner", "helper", "new", "removed", "comment"])
def test_the_project_file_is_for_super_admins(gate: Workspace, edit: str) -> None:
    """It names stores, owners and programs. A comment in it is no change."""
    project = "apiVersion: reconciler/v1\nkind: Project\nowner: acme\n"
    if edit != "new":
        gate.write("reconciler.yaml", project)
        rebase(gate)
    texts = {
        "owner": project.replace("acme", "evil"),
        "helper": project + "secrets: {helpers: {pass: {command: [sh, -c, '{name}']}}}\n",
        "new": project,
        "comment": "# ours\n" + project,
    }
    if edit == "removed":
        (gate.root / "reconciler.yaml").unlink()
    else:
        gate.write("reconciler.yaml", texts[edit])
    expected = [] if edit == "comment" else [("reconciler.yaml", "project settings")]
    assert refused(judged(gate)) == expected
    assert refused(judged(gate, "margaret")) == []
    if expected:
        assert "it takes a super admin" in authorize(gate).stdout
        assert judged(gate)["changes"][0]["approvers"] == {"groups": ["owners"], "users": []}


def test_a_program_that_the_project_file_names_is_a_setting_too(gate: Workspace) -> None:
    """Whoever changes it runs what they like where the secrets are."""
    gate.write(
        "reconciler.yaml",
        "apiVersion: reconciler/v1\nkind: Project\nsecrets: {helpers: {ours: {command: [./tools/get, '{name}']}}}\n",
    )
    gate.write("tools/get", "#!/bin/sh\necho one\n")
    gate.write("docs/other", "#!/bin/sh\n")
    rebase(gate)
    gate.write("docs/other", "#!/bin/sh\necho\n")
    assert judged(gate)["changes"] == []
    gate.write("tools/get", "#!/bin/sh\necho two\n")
    assert refused(judged(gate)) == [("tools/get", "project settings")]


def test_a_broken_project_file(gate: Workspace) -> None:
    """Exit code 3."""
    gate.write("reconciler.yaml", "kind: Project\nowner: [\n")
    result = authorize(gate, "margaret")
    assert result.exit_code == 3 and "reconciler.yaml" in result.stderr


def test_a_file_of_secrets_in_the_repository(gate: Workspace) -> None:
    """Changing the value behind a reference takes edit on the connectors that refer to it."""
    gate.edit("connectors/finance.yaml", "{env: CRM_PASSWORD}", "{sops: secrets/finance.yaml#password}")
    gate.write("secrets/finance.yaml", "password: ENC[one]")
    rebase(gate)
    gate.write("secrets/finance.yaml", "password: ENC[two]")
    found = judged(gate)
    assert refused(found) == [("connector/ledger", "connectors:edit")]
    assert found["changes"][0]["why"] == "a secret of it comes from secrets/finance.yaml"


def test_a_head_that_does_not_descend_is_judged_as_it_would_be_merged(gate: Workspace) -> None:
    """The connector went to another category meanwhile, which the branch does not know."""
    gate.edit("connectors/crm.yaml", "crm.example.com/contacts", "evil.example.com/contacts")
    gate.commit()
    gate.git("checkout", "-q", "main")
    gate.edit("connectors/crm.yaml", "categories: [crm]", "categories: [finance]")
    gate.edit("connectors/finance.yaml", "Ledger", "The ledger")
    gate.commit()
    found = judged(gate)
    assert found["merged"] and refused(found) == [("connector/crm-contacts", "connectors:edit")]
    assert [change["address"] for change in found["changes"]] == ["connector/crm-contacts"], "not the base's own change"
    assert "does not descend from the base; judged is what merging it would give" in authorize(gate).stdout


def test_policies_are_those_of_the_base_as_it_is_now(gate: Workspace) -> None:
    """What was taken away since the branch began is gone."""
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    gate.commit()
    gate.git("checkout", "-q", "main")
    gate.edit("policies/groups.yaml", "users: [ada, grace]", "users: [grace]")
    gate.commit()
    assert refused(judged(gate)) == [("connector/crm-contacts", "connectors:edit")]


def test_a_head_that_conflicts_or_has_nothing_in_common(gate: Workspace) -> None:
    """There is no merge to judge: exit code 10."""
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "All contacts.")
    gate.commit()
    gate.git("checkout", "-q", "main")
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "Some contacts.")
    gate.commit()
    result = authorize(gate, "margaret")
    assert result.exit_code == 10
    assert "the head conflicts with the base\n  connectors/crm.yaml\n  hint: merge the base into it" in result.stderr
    gate.git("checkout", "-q", "--orphan", "stray")
    gate.commit()
    stray = authorize(gate, "margaret", "stray")
    assert stray.exit_code == 10 and "unrelated histories" in stray.stderr
    tree = authorize(gate, "margaret", "WORKTREE")
    assert tree.exit_code == 10 and "rebase it, or merge the base into it" in tree.stderr


def test_a_tag_named_as_the_base(gate: Workspace) -> None:
    """Git would take the tag, which may point at policies of the author's own."""
    gate.write("policies/owners.yaml", OWNERS.replace("{group: owners}", "{user: ada}"))
    gate.commit()
    gate.git("tag", "main")
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    result = authorize(gate)
    assert result.exit_code == 64 and "'main' may be refs/heads/main or refs/tags/main" in result.stderr


@pytest.mark.parametrize(
    ("reference", "base"),
    [("refs/main", "main"), ("refs/tags/main", "main^{commit}"), ("refs/tags/main", "main~0"), ("refs/heads/{short}", "{short}"), ("refs/remotes/main/HEAD", "main")],
)  # fmt: skip
def test_a_reference_that_git_would_take_for_the_base(gate: Workspace, reference: str, base: str) -> None:
    """Whatever others push under such a name, and however the base is written."""
    short = gate.git("rev-parse", "main")[:8]
    gate.write("policies/owners.yaml", OWNERS.replace("{group: owners}", "{user: ada}"))
    gate.commit()
    gate.git("update-ref", reference.format(short=short), "HEAD")
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    gate.commit()
    words = ("--head", "change", "--actor", "ada")
    result = gate.run("authorize", "--base", base.replace("{short}", short), *words)
    assert result.exit_code == 64 and "write it out, or give the commit's id" in result.stderr
    assert gate.run("authorize", "--base", gate.git("rev-parse", "refs/heads/main"), *words).exit_code == 4


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("\u0430da", "U+0430"), ("Ada", ""), ("ADA", ""), ("\uff41da", "U+FF41"), ("a\u200bda", "U+200B"), ("ad\u00e1", "U+00E1"),
        ("ada ", ""), ("\u202eada", "U+202E"), ("a\u00adda", "U+00AD"),
    ],
)  # fmt: skip
def test_names_that_look_like_another(gate: Workspace, name: str, said: str) -> None:
    """Are another: a hint, never a yes; and nothing of them reaches the terminal as it is."""
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "Other.")
    found = judged(gate, name)
    assert not found["allowed"] and not found["known"] and found["alike"] == "ada"
    text = authorize(gate, name).stdout
    assert "'ada' is somebody else: names are compared exactly" in text
    assert said in text and "\u202e" not in text


def test_odd_names_cannot_be_given_anything(gate: Workspace) -> None:
    """A policy or group names people in plain letters alone: nobody can be slipped in who looks like another."""
    names = ["\u0430da", "ad\u00e1", "ada\u0301", "a\u200bda", "\u202eada", "\uff41da", "a\u00adda", "ada "]
    quoted = ", ".join(json.dumps(name) for name in names)
    gate.write(
        "policies/odd.yaml", group("odd", users=quoted) + policy("odd", f"{{user: {quoted[:11]}}}", "groups:view")
    )
    result = authorize(gate, "margaret")
    assert result.exit_code == 3
    for index in range(len(names)):
        assert f"error[RC205]: members.users[{index}] does not have the right form" in result.stderr
    assert "error[RC205]: subjects[0].user does not have the right form" in result.stderr
    assert "\u202e" not in result.stderr


def test_somebody_unknown(gate: Workspace) -> None:
    """Is told so."""
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "Other.")
    found = judged(gate, "mallory")
    assert not found["known"] and found["alike"] is None
    assert "No policy and no group at the base names 'mallory'." in authorize(gate, "mallory").stdout


@pytest.mark.parametrize("name", ["integrators", "owners", "*"])
def test_a_name_that_is_no_user(gate: Workspace, name: str) -> None:
    """Names of groups are nobody."""
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "Other.")
    assert not judged(gate, name)["allowed"]


def test_an_empty_group_of_super_admins_does_not_open_the_gate(gate: Workspace) -> None:
    """The base has a policy of super admins, if nobody whom it is for."""
    gate.edit("policies/groups.yaml", "users: [margaret]", "users: []")
    rebase(gate)
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    found = judged(gate)
    assert not found["bootstrap"] and refused(found) == [("connector/ledger", "connectors:edit")]
    assert found["changes"][0]["approvers"] == {"groups": [], "users": []}
    assert "could approve: nobody at the base" in authorize(gate).stdout


@pytest.mark.parametrize("listed", ["[]", None])
def test_an_empty_list_of_groups(gate: Workspace, listed: str | None) -> None:
    """Is no members, not everybody."""
    members = f", members: {{mode: authoritative, users: [], groups: {listed}}}" if listed else ""
    gate.write(
        "policies/empty.yaml",
        f"apiVersion: reconciler/v1\nkind: Group\nmetadata: {{name: none}}\nspec: {{displayName: None{members}}}\n"
        + policy("none", "{group: none}", "connectors:view, connectors:edit"),
    )
    rebase(gate)
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    assert refused(judged(gate)) == [("connector/ledger", "connectors:edit")]


@pytest.mark.parametrize("days", [-1, 1])
def test_a_grant_that_expires(gate: Workspace, days: int) -> None:
    """Holds until its time, to the second, and not after; extending it in the same pull request does not help."""
    end = (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    gate.write(
        "policies/some.yaml",
        policy("some", "{user: ada}", "connectors:view, connectors:edit", f'      expires: "{end}"\n'),
    )
    rebase(gate)
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    if days > 0:
        assert refused(judged(gate)) == []
        return
    gate.edit("policies/some.yaml", end[:4], "2099")
    assert ("connector/ledger", "connectors:edit") in refused(judged(gate))
    assert "the grant has expired (policy some grants it until " in authorize(gate).stdout


def test_removing_a_protection_is_an_edit(gate: Workspace) -> None:
    """And is shown as one."""
    gate.edit(
        "connectors/finance.yaml",
        "spec:\n  displayName: Ledger",
        "spec:\n  lifecycle: {protect: true}\n  displayName: Ledger",
    )
    rebase(gate)
    gate.edit("connectors/finance.yaml", "  lifecycle: {protect: true}\n", "")
    found = judged(gate)
    assert refused(found) == [("connector/ledger", "connectors:edit")]
    assert found["changes"][0]["fields"] == [["spec", "lifecycle"]]


def test_view_is_needed_too(gate: Workspace) -> None:
    """As everywhere."""
    gate.write("policies/some.yaml", policy("some", "{user: ada}", "connectors:edit"))
    rebase(gate)
    gate.edit("connectors/finance.yaml", "Contacts of the CRM.", "Other.")
    assert "it needs view as well" in authorize(gate).stdout


@pytest.mark.parametrize("suffix", [".yml", ".yaml"])
def test_a_link_in_place_of_a_file(gate: Workspace, suffix: str) -> None:
    """Leads nowhere."""
    (gate.root / f"policies/link{suffix}").symlink_to("../elsewhere.yaml")
    gate.write("elsewhere.yaml", TEAM)
    result = authorize(gate, "margaret")
    assert result.exit_code == 3 and "symbolic link" in result.stderr


def test_file_names_do_not_reach_the_annotations_as_commands(gate: Workspace) -> None:
    """Nor the terminal."""
    gate.write("connectors/a\n::notice::hello.yaml", CONTENT)
    result = authorize(gate, "ada", "change", "-o", "github")
    assert result.exit_code == 4 and "\n::notice::hello" not in result.stdout
    assert "\n::notice::hello" not in authorize(gate).stdout


CONTENT = "apiVersion: reconciler/v1\nkind: Category\nmetadata: {name: more}\nspec: {displayName: More}\n"
