"""Who may do what, decided many times over: by the product, by Casbin or by Cedar on the same policies.

    python benchmarks/decisions.py ENGINE... [--count N] [--users N] [--groups N] [--policies N]

Loads the people and policies of people.py and asks random questions: may this user do this to a connector of these
categories and labels? Prints the time for loading, the median and the slowest decision, and how many were allowed. The
engines (ours, casbin, cedar) get the same questions one after the other, and have to agree on every answer.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from corpus import CATEGORIES
from people import VERBS, Document, world

NOW = datetime(2026, 6, 1, tzinfo=UTC)
Question = tuple[str, str, tuple[str, ...], dict[str, str]]
Engine = Callable[[Question], bool]


def main() -> None:
    """Load, decide, print."""
    parser = argparse.ArgumentParser(description="Time decisions about permissions.")
    parser.add_argument("engines", nargs="+", choices=tuple(ENGINES), metavar="ENGINE", help=", ".join(ENGINES))
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--groups", type=int, default=1_000)
    parser.add_argument("--policies", type=int, default=1_000)
    args = parser.parse_args()
    documents = world(args.users, args.groups, args.policies)
    engines = {}
    for name in args.engines:
        started = time.perf_counter()
        engines[name] = ENGINES[name](documents)
        print(f"{name}: loaded in {(time.perf_counter() - started) * 1e3:,.0f} ms")
    asked = questions(args.count, args.users)
    times: dict[str, list[float]] = {name: [] for name in engines}
    answers: dict[str, list[bool]] = {name: [] for name in engines}
    for name, engine in engines.items():
        for question in asked:
            started = time.perf_counter()
            answers[name].append(engine(question))
            times[name].append(time.perf_counter() - started)
    if any(given != answers[args.engines[0]] for given in answers.values()):
        sys.exit("the engines do not agree")
    allowed = sum(answers[args.engines[0]])
    first = statistics.median(next(iter(times.values())))
    for name, taken in times.items():
        median = statistics.median(taken)
        print(
            f"{name}: a decision takes {median * 1e6:,.1f} us ({median / first:,.0f} times), the slowest {max(taken) * 1e6:,.1f} us"
        )
    print(f"{allowed:,} of {args.count:,} allowed")


def questions(count: int, users: int) -> list[Question]:
    """Random questions, the same each time."""
    rng = random.Random(2)
    return [
        (
            f"user-{rng.randrange(users):05}",
            f"connectors:{rng.choice(VERBS)}",
            tuple(rng.sample(CATEGORIES, rng.randint(1, 2))),
            {"region": rng.choice(("eu-west-1", "us-east-1"))},
        )
        for _ in range(count)
    ]


def ours(documents: list[Document]) -> Engine:
    """The product's own decisions, with their reasons."""
    from reconciler.core.access import AccessTarget, decide
    from reconciler.core.model import Key
    from reconciler.kinds.access import make_access

    access = make_access((Key(item["kind"], item["metadata"]["name"]), item) for item in documents)

    def engine(question: Question) -> bool:
        user, permission, categories, labels = question
        target = AccessTarget("connectors", "asked", frozenset(categories), labels)
        return decide(access, user, permission, target, NOW).allowed

    return engine


def policies(documents: list[Document]) -> list[tuple[str, Document]]:
    """(subject, grant) of every policy; a super admin's grant is empty."""
    found = []
    for item in documents:
        if item["kind"] == "PermissionPolicy":
            for subject in item["spec"]["subjects"]:
                name = next(iter(subject.values()))
                found += [(name, grant) for grant in item["spec"].get("grants", [{}])]
    return found


def nesting(documents: list[Document]) -> list[tuple[str, str]]:
    """(member, group) of every group."""
    return [
        (member, item["metadata"]["name"])
        for item in documents
        if item["kind"] == "Group"
        for member in (*item["spec"]["members"]["users"], *item["spec"]["members"]["groups"])
    ]


CASBIN_MODEL = """
[request_definition]
r = sub, act, cats, labels

[policy_definition]
p = sub, act, cats, label, ends

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.act == p.act && covers(r.cats, r.labels, p.cats, p.label, p.ends) && g(r.sub, p.sub)
"""
"""What is cheap stands first, so that the walk through groups is made for what is left alone."""


def casbin(documents: list[Document]) -> Engine:
    """Casbin's fast enforcer, which looks at the policies of the wanted action alone."""
    import casbin as library
    from casbin.model.model_fast import FastModel

    model = FastModel([1])
    model.load_model_from_text(CASBIN_MODEL)
    enforcer = library.FastEnforcer(model, cache_key_order=[1])
    rules = []
    for subject, grant in policies(documents):
        on = grant.get("on", {})
        categories = "|".join(on.get("categories", ()))
        for permission in grant.get("permissions", [f"connectors:{verb}" for verb in VERBS]):
            rules.append(
                [subject, permission, categories, on.get("labels", {}).get("region", ""), grant.get("expires", "")]
            )
    enforcer.add_policies(rules)
    enforcer.add_grouping_policies([list(pair) for pair in nesting(documents)])

    def covers(asked: Any, labels: Any, categories: str, label: str, ends: str) -> bool:
        if categories and not set(categories.split("|")) & set(asked):
            return False
        return not (label and labels.get("region") != label) and not (ends and datetime.fromisoformat(ends) <= NOW)

    enforcer.add_function("covers", covers)

    def engine(question: Question) -> bool:
        user, permission, categories, labels = question
        return all(enforcer.enforce(user, name, categories, labels) for name in {permission, "connectors:view"})

    return engine


def cedar(documents: list[Document]) -> Engine:
    """Cedar, in Rust, with its policies and entities parsed beforehand."""
    import json

    import cedarpy

    lines = []
    for subject, grant in policies(documents):
        kind = "Group" if subject.startswith("group-") else "User"
        who = f'principal in {kind}::"{subject}"'
        conditions = ["true"]
        on = grant.get("on", {})
        if "categories" in on:
            conditions.append(f"context.categories.containsAny({json.dumps(on['categories'])})")
        if "labels" in on:
            conditions.append(f'context.region == "{on["labels"]["region"]}"')
        if "expires" in grant:
            conditions.append(f'context.now < datetime("{grant["expires"]}")')
        actions = ", ".join(f'Action::"{name}"' for name in grant.get("permissions", ()))
        what = f"action in [{actions}]" if actions else "action"
        lines.append(f"permit({who}, {what}, resource) when {{ {' && '.join(conditions)} }};")
    parents: dict[str, list[str]] = {}
    for member, group in nesting(documents):
        parents.setdefault(member, []).append(group)
    names = {*parents, *(group for groups in parents.values() for group in groups)}
    entities = [
        {
            "uid": {"type": "Group" if name.startswith("group-") else "User", "id": name},
            "attrs": {},
            "parents": [{"type": "Group", "id": group} for group in parents.get(name, ())],
        }
        for name in sorted(names)
    ]
    parsed = cedarpy.PolicySet.from_str("\n".join(lines))
    known = cedarpy.Entities.from_json_str(json.dumps(entities))

    def engine(question: Question) -> bool:
        user, permission, categories, labels = question
        now = {"__extn": {"fn": "datetime", "arg": NOW.isoformat().replace("+00:00", "Z")}}
        context = {"now": now, "categories": list(categories), "region": labels["region"]}
        return all(
            cedarpy.is_authorized(
                {
                    "principal": f'User::"{user}"',
                    "action": f'Action::"{name}"',
                    "resource": 'Connector::"asked"',
                    "context": context,
                },
                parsed,
                known,
            ).allowed
            for name in {permission, "connectors:view"}
        )

    return engine


ENGINES: dict[str, Callable[[list[Document]], Engine]] = {"ours": ours, "casbin": casbin, "cedar": cedar}

if __name__ == "__main__":
    main()
