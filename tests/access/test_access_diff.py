"""access-diff, and the section of plans: who gains and loses what, why, and on how much."""

import json
import time
from datetime import UTC, datetime

import pytest
from gate_world import difference, gated, group, policy
from conftest import Workspace

from reconciler.core.access import Access, AccessTarget, Grant, Membership, Policy
from reconciler.services.access_diff import access_diff
from reconciler.services.shifts import Covering

VIEW_AND_EDIT = "connectors:view, connectors:edit"


@pytest.fixture
def gate(workspace: Workspace) -> Workspace:
    return gated(workspace)


def told(content: dict) -> list[tuple]:
    """(shift, users, permissions, targets) of all changes."""
    changes = content["superAdmins"] + content["own"] + content["others"]
    return [(item["shift"], item["users"], item["permissions"], item["targets"]) for item in changes]


def text(gate: Workspace, *more: str) -> str:
    gate.commit()
    return gate.ok("access-diff", "--base", "main", "--head", "change", *more).stdout


def test_people_who_gain_the_same_by_the_same_route_are_told_together(gate: Workspace) -> None:
    """With the reason, its line, and on how much."""
    gate.write("policies/more.yaml", group("many", users="ann, bob, cleo, dan, eve"))
    gate.write("policies/many.yaml", policy("many", "{group: many}", VIEW_AND_EDIT, "      on: {categories: [crm]}\n"))
    assert text(gate) == (
        "Access: 5 people gain some.\n\n"
        "+ 5 people gain connectors:edit, connectors:view on 1 connector (category crm)\n"
        "    ann, bob, cleo, dan, eve\n"
        "    because ann is in many, which policy many grants it, policies/many.yaml:8\n"
    )


def test_new_super_admins_and_the_authors_own_growth_stand_first(gate: Workspace) -> None:
    """And apart."""
    gate.edit("policies/groups.yaml", "users: [margaret]", "users: [margaret, eve]")
    gate.write("policies/more.yaml", policy("more", "{user: ada}, {user: bob}", "categories:view"))
    shown = text(gate, "--actor", "ada")
    first, admins, own, rest = shown.split("\n\n")
    assert first == "Access: 3 people gain some."
    assert admins.startswith("New super admins\n! eve becomes super admin: everything, on 2 connectors, 2 categories")
    assert "because eve is in owners, which policy owners makes super admins, policies/owners.yaml:6" in admins
    assert own.startswith(
        "More access for ada, whose change it is\n! ada (the author) gains categories:view on 2 categories"
    )
    assert rest.startswith("+ bob gains categories:view on 2 categories")
    found = difference(gate, "--actor", "ada")
    assert [item["users"] for part in ("superAdmins", "own", "others") for item in found[part]] == [
        ["eve"],
        ["ada"],
        ["bob"],
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("[crm]", "[crm, finance]", [("widen", {"connectors": 1})]),
        ("[crm, finance]", "[finance]", [("narrow", {"connectors": 1})]),
        ("[crm]", "[finance]", [("widen", {"connectors": 1}), ("narrow", {"connectors": 1})]),
        ("[crm]", "[crm], labels: {team: sales}", [("narrow", {"connectors": 0})]),
    ],
)  # fmt: skip
def test_scopes_widen_and_narrow(gate: Workspace, before: str, after: str, expected: list) -> None:
    """Counted on what is covered now and was not, or the other way round."""
    gate.edit("policies/grants.yaml", "[crm]", before)
    gate.git("checkout", "-q", "-B", "main")
    gate.commit()
    gate.git("checkout", "-q", "-B", "change")
    gate.edit("policies/grants.yaml", f"categories: {before}", f"categories: {after}")
    found = told(difference(gate))
    assert [(shift, targets) for shift, _, _, targets in found] == expected
    assert all(users == ["ada", "grace"] and len(permissions) == 4 for _, users, permissions, _ in found)


def test_time_is_told_apart(gate: Workspace) -> None:
    """The same scope for longer, or for less long."""
    gate.edit(
        "policies/grants.yaml",
        "      on: {categories: [crm]}\n",
        '      on: {categories: [crm]}\n      expires: "2098-01-01T00:00:00Z"\n',
    )
    assert {shift for shift, *_ in told(difference(gate))} == {"shorten"}
    assert (
        "keep connectors:create, connectors:delete, connectors:edit, connectors:view on 1 connector (category crm) until 2098-01-01T00:00:00Z, not without end"
        in text(gate)
    )
    gate.git("checkout", "-q", "-B", "main")
    gate.git("checkout", "-q", "-B", "change")
    gate.edit("policies/grants.yaml", "2098", "2099")
    assert {shift for shift, *_ in told(difference(gate))} == {"prolong"}
    gate.edit("policies/grants.yaml", "2099", "2001")
    assert {shift for shift, *_ in told(difference(gate))} == {"lose"}, "what has expired gives nothing"


def test_what_changes_nothing_says_so(gate: Workspace) -> None:
    """A renamed policy, a moved grant, a second route to the same, a connector."""
    gate.edit("policies/grants.yaml", "{name: team}", "{name: crew}")
    gate.git("mv", "policies/grants.yaml", "policies/other.yaml")
    gate.write("policies/again.yaml", policy("again", "{user: ada}", VIEW_AND_EDIT, "      on: {categories: [crm]}\n"))
    gate.edit("connectors/crm.yaml", "Contacts of the CRM.", "Other.")
    assert text(gate) == "Access: nobody gains or loses any.\n"


def test_edit_without_view_is_no_access(gate: Workspace) -> None:
    """Until view comes, in whatever scope it does."""
    gate.write("policies/half.yaml", policy("half", "{user: eve}", "connectors:edit"))
    assert told(difference(gate)) == []
    gate.write(
        "policies/half2.yaml", policy("half2", "{user: eve}", "connectors:view", "      on: {categories: [finance]}\n")
    )
    assert sorted(told(difference(gate))) == [
        ("gain", ["eve"], ["connectors:edit"], {"connectors": 1}),
        ("gain", ["eve"], ["connectors:view"], {"connectors": 1}),
    ]


@pytest.mark.parametrize(
    ("stays", "comes", "gained"),
    [
        ("connectors:edit", "connectors:view", ["connectors:edit", "connectors:view"]),
        ("connectors:view", "connectors:edit", ["connectors:edit"]),
    ],
)
def test_what_stays_may_be_what_was_wanting(stays: str, comes: str, gained: list[str]) -> None:
    """A policy that does not change gives the view that another one needs, or needs what another one gives."""

    def access(*given: str) -> Access:
        granted = {name: (Grant(0, frozenset({name})),) for name in given}
        return Access([Policy(name, frozenset({"eve"}), frozenset(), False, granted[name]) for name in given], ())

    found = access_diff(access(stays), access(stays, comes), Covering(()), actor="", now=NOW)
    assert sorted(name for change in found.others for name in change.permissions) == gained


def test_nesting_counts(gate: Workspace) -> None:
    """A member of a group of a group of a group."""
    gate.write("policies/more.yaml", group("a", groups="b") + group("b", groups="c") + group("c", users="eve"))
    gate.edit("policies/grants.yaml", "{group: integrators}", "{group: integrators}, {group: a}")
    assert "because eve is in c, which is in b, which is in a, which policy team grants it" in text(gate)


def test_a_grant_to_an_empty_group_is_not_overlooked(gate: Workspace) -> None:
    """It would wait for whoever joins."""
    gate.write("policies/more.yaml", group("later") + policy("later", "{group: later}", VIEW_AND_EDIT))
    (change,) = difference(gate)["others"]
    assert (change["users"], change["emptyGroups"]) == ([], ["later"])
    assert "whoever joins later, which has no members, gains connectors:edit" in text(gate)


def test_losing_everything(gate: Workspace) -> None:
    """By leaving a group, and with the route that was."""
    gate.edit("policies/groups.yaml", "users: [ada, grace]", "users: [grace]")
    shown = text(gate)
    assert shown.startswith("Access: 1 person loses some.\n\n- ada loses connectors:create")
    assert "so far ada is in integrators, which policy team grants it, policies/grants.yaml:7" in shown
    gate.git("rm", "-q", "-f", "policies/owners.yaml")
    assert "margaret stops being super admin: everything" in text(gate)


def test_markdown_mentions_nobody(gate: Workspace) -> None:
    """And keeps growth apart."""
    gate.edit("policies/groups.yaml", "users: [margaret]", 'users: [margaret, "@eve_"]')
    shown = text(gate, "-o", "markdown")
    assert shown.startswith(
        "### Access: 1 person gains some.\n\n#### New super admins\n\n- **@&#8203;eve\\_ becomes super admin"
    )


def test_a_plan_that_touches_policies_says_it_too(gate: Workspace) -> None:
    """In every format, from the live policies to those after; a plan that does not touch them does not."""
    gate.ok("apply", "--yes", "--as", "margaret")
    assert "access" not in json.loads(gate.run("plan", "-o", "json").stdout)
    gate.edit("policies/groups.yaml", "users: [ada, grace]", "users: [ada, grace, eve]")
    shown = gate.run("plan", "--as", "eve").stdout
    assert "More access for eve, whose change it is\n! eve (the author) gains connectors:create" in shown
    assert "More access for eve" in gate.run("plan", "--as", "eve", "-o", "markdown").stdout
    (change,) = json.loads(gate.run("plan", "--as", "margaret", "-o", "json").stdout)["access"]["others"]
    assert change["users"] == ["eve"] and change["route"]["file"] is None


def test_wrong_usage_and_broken_definitions(gate: Workspace) -> None:
    """As with authorize."""
    assert gate.run("access-diff", "--base", "main").exit_code == 64
    gate.write("policies/more.yaml", "kind: [")
    gate.commit()
    assert gate.run("access-diff", "--base", "main", "--head", "change").exit_code == 3


NOW = datetime(2027, 1, 1, tzinfo=UTC)


def large(first: frozenset[str]) -> tuple[list[Policy], list[Membership]]:
    """10,000 users in 1,000 groups, nested ten deep, with 1,000 policies."""
    groups = [
        Membership(
            f"g{index}",
            frozenset(f"u{user}" for user in range(index * 10, index * 10 + 10)),
            frozenset({f"g{index + 1}"} if index % 10 != 9 else ()),
        )
        for index in range(1000)
    ]
    policies = [
        Policy(f"p{index}", frozenset(), frozenset({f"g{index}"}), False, (Grant(0, first if index == 0 else frozenset({"connectors:view"}), frozenset({f"c{index % 50}"})),))
        for index in range(1000)
    ]  # fmt: skip
    everybody = Membership("all", frozenset(), frozenset(f"g{index}" for index in range(0, 1000, 10)))
    wide = Policy("wide", frozenset(), frozenset({"all"}), False, (Grant(0, first),))
    return [*policies, wide], [*groups, everybody]


def test_one_change_among_many(gate: Workspace) -> None:
    """10,000 users, 1,000 nested groups, 1,000 policies, 10,000 connectors: under two seconds though all are touched."""
    was, will = large(frozenset({"connectors:view"})), large(frozenset({"connectors:view", "connectors:edit"}))
    targets = [AccessTarget("connectors", f"t{index}", frozenset({f"c{index % 50}"})) for index in range(10_000)]
    started = time.process_time()
    found = access_diff(Access(*was), Access(*will), Covering(targets), actor="u3", now=NOW)
    taken = time.process_time() - started
    assert sum(len(change.users) for change in (*found.own, *found.others)) == 10_000
    assert found.own[0].users == ("u3",)
    assert len(found.others) < 5
    assert taken < 2, taken
