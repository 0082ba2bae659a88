"""What is measured: each case sets two commands against one another and may have a goal."""

from collections.abc import Callable
from functools import partial

import applies
import calls
import instances
import permissions
import plans
import servers
import validations
from workbench import Case, Goal, Sides, Workbench

AT_MAIN = ("--ref", "main")
MEBIBYTE = 1.048576
"""In megabytes."""


def of_commit(build: Callable[..., Sides], **arguments: int | str) -> Callable[[Workbench], Sides]:
    """A comparison whose plans are of the last commit instead of the working tree."""
    return lambda bench: build(bench, *arguments.values(), *AT_MAIN)


STARTING = (
    Case("version", partial(calls.start_up, option="--version"), runs=25),
    Case("help", partial(calls.start_up, option="--help"), Goal(15), runs=25),
)

PLANS = (
    Case(
        "plan-nothing-10k-commit-python", of_commit(plans.against_python, n=10_000, applied="main"), Goal(15), runs=15
    ),
    Case("plan-nothing-10k-commit-limit", of_commit(plans.against_limit, n=10_000, applied="main"), runs=15),
    Case("plan-nothing-10k-python", partial(plans.against_python, n=10_000, applied="main"), runs=15),
    Case("plan-nothing-10k-status", partial(plans.against_status, n=10_000, applied="main"), runs=15),
    Case("plan-nothing-1k-limit", partial(plans.against_limit, n=1_000, applied="main"), runs=15),
    Case("plan-one-1k-limit", partial(plans.against_limit, n=1_000, applied=plans.BEFORE), runs=15),
    Case(
        "plan-one-10k-commit-python",
        of_commit(plans.against_python, n=10_000, applied=plans.BEFORE),
        Goal(15, peak_megabytes=64 * MEBIBYTE),
        runs=15,
    ),
    Case("plan-one-10k-commit-limit", of_commit(plans.against_limit, n=10_000, applied=plans.BEFORE), runs=15),
    Case("plan-one-10k-octodns", partial(plans.against_octodns, n=10_000, ours=plans.one), Goal(1 / 40), runs=3),
    Case(
        "plan-one-10k-terraform",
        partial(plans.against_terraform, n=10_000, ours=plans.one),
        Goal(1 / 1_000),
        runs=5,
        heavy=True,
    ),
    Case("plan-one-10k-status", partial(plans.of_the_tree_over_the_commit, n=10_000), Goal(1.3), runs=15),
    Case("plan-one-10k-full", partial(plans.one_against_full, n=10_000)),
    Case("plan-full-10k-limit", partial(plans.full_against_limit, n=10_000), runs=5),
    Case("plan-full-10k-octodns", partial(plans.against_octodns, n=10_000, ours=plans.full), Goal(1 / 4), runs=3),
    Case(
        "plan-full-10k-terraform",
        partial(plans.against_terraform, n=10_000, ours=plans.full),
        runs=3,
        heavy=True,
    ),
    Case("plan-full-1k-plain", partial(plans.full_against_plain, n=1_000), Goal(1 / 40), runs=2),
    Case("plan-first-10k-octodns", partial(plans.first_against_octodns, n=10_000), runs=3),
    Case("plan-one-10k-1k-commit", of_commit(plans.growth, large=10_000, small=1_000), Goal(1.6), runs=15),
    Case(
        "plan-one-100k-1k-commit",
        of_commit(plans.growth, large=100_000, small=1_000),
        Goal(1.6),
        runs=15,
        heavy=True,
    ),
    Case(
        "plan-one-100k-1k-limit",
        partial(plans.limit_growth, large=100_000, small=1_000, mode="plan"),
        runs=9,
        heavy=True,
    ),
    Case(
        "plan-one-100k-status",
        partial(plans.of_the_tree_over_the_commit, n=100_000),
        Goal(1.3),
        runs=9,
        heavy=True,
    ),
    Case(
        "plan-full-100k-1k",
        partial(plans.full_growth, large=100_000, small=1_000),
        Goal(1.0, peak_megabytes=300),
        runs=3,
        heavy=True,
        growth=100,
    ),
    Case(
        "plan-full-100k-1k-limit",
        partial(plans.limit_growth, large=100_000, small=1_000, mode="plan-full"),
        runs=1,
        heavy=True,
        growth=100,
    ),
)

DRIFT = (
    Case("drift-100k-plan", partial(plans.drift_against_plan, n=100_000), Goal(1.2), runs=15, heavy=True),
    Case("drift-100k-python", partial(plans.drift_against_python, n=100_000), runs=15, heavy=True),
    Case("drift-100k-select", partial(plans.drift_against_select, n=100_000), Goal(3), runs=9, heavy=True),
)

VALIDATIONS = (
    Case("validate-1k-limit", partial(validations.against_limit, n=1_000), Goal(2.2), runs=15),
    Case("validate-1k-check-jsonschema", partial(validations.against_check_jsonschema, n=1_000), Goal(1 / 25), runs=2),
    Case("validate-10k-limit", partial(validations.against_limit, n=10_000)),
    Case("validate-10k-commit-limit", partial(validations.of_a_commit_against_limit, n=10_000)),
    Case("validate-10k-sourcemeta", partial(validations.against_sourcemeta, n=10_000), Goal(1)),
    Case("validate-10k-sourcemeta-fast", lambda bench: validations.against_sourcemeta(bench, 10_000, "--fast")),
    Case("validate-10k-ajv", partial(validations.against_ajv, n=10_000), runs=5),
    Case("validate-10k-bad", partial(validations.faulty, n=10_000, bad=100), Goal(1.2)),
    Case("validate-10k-warm", partial(validations.warm_against_cold, n=10_000), Goal(1 / 6)),
    Case("validate-10k-since", partial(validations.since_against_cold, n=10_000), runs=5),
    Case("validate-10k-warm-status", partial(validations.warm_against_status, n=10_000)),
    Case("validate-100k-1k", partial(validations.growth, large=100_000, small=1_000), runs=2, heavy=True, growth=100),
)

APPLIES = (
    Case("apply-1k-terraform", partial(applies.against_terraform, n=1_000), Goal(1 / 400), runs=5, heavy=True),
    Case("apply-1k-octodns", partial(applies.against_octodns, n=1_000), runs=5),
    Case("apply-1k-limit", partial(applies.against_limit, n=1_000)),
    Case("apply-1k-plain", partial(applies.against_plain, n=1_000), runs=1),
    Case("apply-10k-validate", partial(applies.against_validate, n=10_000), Goal(1.6)),
    Case("apply-10k-limit", partial(applies.against_limit, n=10_000), runs=5),
    Case("apply-100k-validate", partial(applies.against_validate, n=100_000), Goal(1.6), runs=2, heavy=True),
    Case("apply-100k-limit", partial(applies.against_limit, n=100_000), runs=1, heavy=True),
)

PERMISSIONS = (
    Case("decide-1k-a-millisecond-each", partial(permissions.decide, count=1_000, against=""), Goal(1)),
    Case("decide-1k-casbin", partial(permissions.decide, count=1_000, against="casbin"), runs=3),
    Case("decide-1k-cedar", partial(permissions.decide, count=1_000, against="cedar"), runs=3),
    Case(
        "access-diff-10k-2s",
        partial(permissions.access_diff_against_waiting, n=10_000, seconds=2, base="base", head="policy"),
        Goal(1),
    ),
    Case(
        "access-diff-10k-everybody-2s",
        partial(permissions.access_diff_against_waiting, n=10_000, seconds=2, base="policy", head="root"),
    ),
    Case(
        "access-diff-10k-validate",
        partial(permissions.access_diff_against_validate, n=10_000, base="base", head="policy"),
        runs=5,
    ),
    Case("authorize-one-10k-1k", partial(permissions.authorize_growth, large=10_000, small=1_000), Goal(1.5), runs=15),
)

CALLS = (
    Case("tokens-200", partial(calls.fetch_tokens, count=200, seconds=0.1, parallelism=8), Goal(1.5), runs=5),
    Case("call-httpx", calls.call_against_httpx, Goal(1.5), runs=15),
)

SERVERS = (
    Case("postgresql-plan-one-10k-sqlite", partial(servers.plan_against_sqlite, n=10_000)),
    Case("postgresql-apply-1k-sqlite", partial(servers.apply_against_sqlite, n=1_000), Goal(2)),
    Case("postgresql-apply-10k-sqlite", partial(servers.apply_against_sqlite, n=10_000), Goal(2), runs=3),
)

INSTANCES = (
    Case(
        "instance-plan-one-1k-fetching",
        partial(instances.plan_against_fetching, n=1_000, unchanged=True),
        Goal(1.3, requests=11),
        runs=15,
    ),
    Case(
        "instance-plan-one-1k-fetching-cold",
        partial(instances.plan_against_fetching, n=1_000, unchanged=False),
        Goal(1.3, requests=11),
        runs=15,
    ),
    Case(
        "instance-apply-1k-posting",
        partial(instances.apply_against_posting, n=1_000, latency=0.02),
        Goal(1 / 0.8, requests=1_100),
        runs=5,
    ),
)

CASES = (*STARTING, *PLANS, *DRIFT, *VALIDATIONS, *APPLIES, *PERMISSIONS, *CALLS, *SERVERS, *INSTANCES)
