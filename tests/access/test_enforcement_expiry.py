"""Grants that end: the plan says which soon, and apply takes out those that have."""

import json

import jsonschema
import pytest
from schema_checks import fits
from conftest import Workspace
from live_state import InProcess, sql

from policies import TEAM, fill
from reconciler.wiring.run import now
from reconciler.kinds import registry
from reconciler.render.plan_formats import plan_json
from reconciler.render.plan_formats import plan_markdown
from reconciler.render.plan import plan_text
from reconciler.source.repository import RepositorySource

END = "2027-06-30T22:00:00Z"
BEFORE, AFTER = "2027-06-30T21:59:59Z", "2027-06-30T22:00:00Z"
LATER = """\
    - permissions: [categories:view]
      expires: "2028-01-01T00:00:00+01:00"
"""


@pytest.fixture
def bench(empty: Workspace) -> InProcess:
    """A policy with a grant that ends, and one that ends later; nobody is a super admin."""
    fill(empty)
    (empty.root / "policies/owners.yaml").unlink()
    empty.write("policies/team.yaml", TEAM + f'      expires: "{END}"\n' + LATER)
    return InProcess(empty.root, empty.env)


def grants(bench: InProcess) -> list[str]:
    """First permission of every live grant."""
    rows = sql(
        bench.path,
        "SELECT json_extract(d.live, '$.spec.grants') FROM documents d JOIN records r USING (uid) WHERE r.kind = 'PermissionPolicy'",
    )
    return [grant["permissions"][0] for grant in json.loads(rows[0][0] or "[]")]


def changes(bench: InProcess, now: str) -> list[str]:
    return [change.key.name for change in bench.plan(now=now).changes]


def test_a_grant_that_has_ended_is_revoked(bench: InProcess, empty: Workspace) -> None:
    """To the second. Live never shows it again, and there is nothing to do then, though git has it still."""
    bench.apply(now=BEFORE)
    assert grants(bench) == ["connectors:call", "categories:view"]
    assert changes(bench, BEFORE) == []
    plan = bench.plan(now=AFTER)
    (change,) = plan.changes
    assert change.notes == (
        "grants that have ended are revoked: connectors:call, connectors:create, connectors:delete, connectors:edit,"
        f" connectors:view (ended {END})",
    )
    assert [field.origin.value for field in change.fields] == ["git"]
    fits(json.loads(plan_json(plan)), "plan.schema.json")
    bench.apply(now=AFTER)
    assert grants(bench) == ["categories:view"]
    assert changes(bench, AFTER) == []
    assert changes(bench, "2027-12-31T22:59:59Z") == []


def test_a_policy_whose_every_grant_has_ended_stays(bench: InProcess) -> None:
    bench.apply(now=BEFORE)
    bench.apply(now="2028-01-01T00:00:00Z")
    assert grants(bench) == []
    assert changes(bench, "2028-01-01T00:00:00Z") == []
    assert sql(bench.path, "SELECT count(*) FROM records WHERE kind = 'PermissionPolicy'") == [(1,)]


def test_a_new_policy_is_written_without_what_has_ended(bench: InProcess) -> None:
    plan = bench.plan(now=AFTER)
    (change,) = [change for change in plan.changes if change.key.kind == "PermissionPolicy"]
    assert change.notes[0].startswith("grants that have ended are left out: connectors:call")
    text = plan_text(plan, now(), color=False)
    assert 'expires: "2028' in text and END not in text.replace(change.notes[0], "")
    after = next(item for item in json.loads(plan_json(plan))["changes"] if item["kind"] == "PermissionPolicy")["after"]
    assert len(after["spec"]["grants"]) == 1
    bench.apply(now=AFTER)
    assert grants(bench) == ["categories:view"]
    assert changes(bench, AFTER) == []


def test_removing_what_has_ended_from_git_is_no_change(bench: InProcess, empty: Workspace) -> None:
    bench.apply(now=BEFORE)
    bench.apply(now=AFTER)
    empty.edit("policies/team.yaml", f'      expires: "{END}"\n', '      expires: "2020-01-01T00:00:00Z"\n')
    assert changes(bench, AFTER) == []
    empty.write("policies/team.yaml", TEAM.partition("    - permissions")[0] + LATER)
    assert changes(bench, AFTER) == []


def test_prolonging_brings_it_back(bench: InProcess, empty: Workspace) -> None:
    """And it is git that moved."""
    bench.apply(now=BEFORE)
    bench.apply(now=AFTER)
    empty.edit("policies/team.yaml", END, "2027-12-01T00:00:00Z")
    (change,) = bench.plan(now=AFTER).changes
    assert [field.origin.value for field in change.fields] == ["git"]
    bench.apply(now=AFTER)
    assert grants(bench) == ["connectors:call", "categories:view"]


def test_what_somebody_brings_back_live_is_taken_out(bench: InProcess) -> None:
    bench.apply(now=BEFORE)
    (kept,) = sql(
        bench.path, "SELECT d.live, r.uid FROM documents d JOIN records r USING (uid) WHERE r.kind = 'PermissionPolicy'"
    )
    bench.apply(now=AFTER)
    sql(bench.path, "UPDATE documents SET live = ? WHERE uid = ?", *kept)
    assert changes(bench, AFTER) == ["finance-team"]
    bench.apply(now=AFTER)
    assert grants(bench) == ["categories:view"]


def test_ignoring_the_grants_keeps_none_that_has_ended(bench: InProcess, empty: Workspace) -> None:
    empty.edit("policies/team.yaml", "  subjects:", "  lifecycle: {ignore: [grants]}\n  subjects:")
    bench.apply(now=BEFORE)
    assert changes(bench, AFTER) == ["finance-team"]
    bench.apply(now=AFTER)
    assert grants(bench) == ["categories:view"]


def test_a_broken_live_policy_is_written_without_what_has_ended(bench: InProcess) -> None:
    bench.apply(now=BEFORE)
    sql(
        bench.path,
        "UPDATE documents SET live = '7' WHERE uid = (SELECT uid FROM records WHERE kind = 'PermissionPolicy')",
    )
    bench.apply(now=AFTER)
    assert grants(bench) == ["categories:view"]


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("2027-06-16T21:59:59Z", None),
        ("2027-06-16T22:00:00Z", "in 14 days"),
        ("2027-06-29T22:00:00Z", "in 1 day"),
        ("2027-06-30T21:00:00Z", "within a day"),
        (AFTER, None),
    ],
)
def test_the_plan_says_what_ends_within_14_days(bench: InProcess, now: str, left: str | None) -> None:
    """Also when there is nothing to do."""
    bench.apply(now="2027-01-01T00:00:00Z")
    if now == AFTER:
        bench.apply(now=now)
    plan = bench.plan(now=now)
    content = json.loads(plan_json(plan))
    fits(content, "plan.schema.json")
    text, markdown = plan_text(plan, now, color=False), plan_markdown(plan)
    assert text.startswith("Nothing to do") and text.endswith("\n") and not text.endswith("\n\n")
    if left is None:
        assert "Ends within" not in text + markdown and "expiring" not in content
        return
    assert (
        f"Ends within 14 days:\n  policy/finance-team grants[0]: connectors:view, connectors:create, connectors:edit"
        in text.replace(
            "connectors:call, connectors:create, connectors:delete, connectors:edit, connectors:view",
            "connectors:view, connectors:create, connectors:edit",
        )
    )
    assert f"{left} ({END})  policies/team.yaml" in text
    assert "Ends within 14 days:" in markdown and END in markdown
    (item,) = content["expiring"]
    assert (item["address"], item["grant"], item["expires"], item["file"]) == (
        "policy/finance-team",
        0,
        END,
        "policies/team.yaml",
    )


def test_validate_warns_of_what_has_ended(bench: InProcess, empty: Workspace) -> None:
    """By the time it is given; to the second, and minding the zone."""
    for now, lines in ((BEFORE, []), (AFTER, [22]), ("2027-12-31T22:59:59Z", [22]), ("2027-12-31T23:00:00Z", [22, 24])):
        found = RepositorySource(empty.root, "", now).load().diagnostics
        assert [(item.code, item.severity.value) for item in found] == [("RC607", "warning")] * len(lines)
        assert len({item.span.line for item in found}) == len(lines)
    assert RepositorySource(empty.root).load().diagnostics == ()
    empty.edit("policies/team.yaml", END, "2020-06-30T22:00:00Z")
    result = empty.ok("validate")
    assert (
        "policies/team.yaml:" in result.stdout and "RC607" in result.stdout and "2020-06-30T22:00:00Z" in result.stdout
    )
    assert empty.run("validate", "--strict").exit_code == 3


@pytest.mark.parametrize(
    "moment",
    [
        "2027-01-01T00:00:00",
        "2027-01-01",
        "2027-02-29T00:00:00Z",
        "2026-12-31T23:59:60Z",
        "2027-01-01T25:00:00Z",
        "tomorrow",
    ],
)
def test_ends_that_are_none(bench: InProcess, empty: Workspace, moment: str) -> None:
    """Without a zone, on a day that is none, in a leap second: an error at its line, so that nobody's access lasts by mistake."""
    empty.edit("policies/team.yaml", END, moment)
    result = empty.run("validate")
    assert result.exit_code == 3 and "policies/team.yaml:" in result.stdout
