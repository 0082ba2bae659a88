"""Random groups and policies, and something of each kind to decide about."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from reconciler.core.access import PERMISSIONS
from reconciler.core.model import Resource
from reconciler.kinds.canonical import make_resource
from reconciler.kinds.registry import KINDS

Document = dict[str, Any]
USERS = ("ada", "renovate[bot]", "o.k@example.com", "repo:acme/crm:ref:refs/heads/main")
AREAS = {"Connector": "connectors", "Category": "categories", "Group": "groups", "PermissionPolicy": "policies"}
GROUPS = tuple(f"group-{number}" for number in range(6))
CATEGORIES = ("crm", "finance", "hr")
LABELS = {"team": ("sales", "hr", ""), "data.example/class": ("public", "sales")}
ZONES = (timedelta(0), timedelta(hours=14), timedelta(hours=-9, minutes=-30))
START = datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC)

LABELLED = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in LABELS.items()})
MOMENTS = st.sampled_from([START + timedelta(seconds=seconds) for seconds in range(4)])
ZONED = st.builds(lambda moment, zone: moment.astimezone(timezone(zone)), MOMENTS, st.sampled_from(ZONES))
CONNECTORS = ("connector-0", "connector-1", "connector-2")
FILED = st.lists(st.sampled_from(CATEGORIES), min_size=1, unique=True)
MARKED = st.sampled_from(
    [{key: value} for key in LABELS for value in LABELS[key]] + [{"team": "hr", "data.example/class": "public"}]
)
NAMED = st.lists(st.sampled_from(CONNECTORS), min_size=1, unique=True)
ON = st.one_of(
    st.builds(lambda connectors: {"connectors": connectors}, NAMED),
    st.builds(lambda connectors, categories: {"connectors": connectors, "categories": categories}, NAMED, FILED),
    st.builds(lambda connectors, labels: {"connectors": connectors, "labels": labels}, NAMED, MARKED),
    st.builds(lambda categories: {"categories": categories}, FILED),
    st.builds(lambda labels: {"labels": labels}, MARKED),
    st.builds(lambda categories, labels: {"categories": categories, "labels": labels}, FILED, MARKED),
)
GRANT = st.fixed_dictionaries(
    {"permissions": st.lists(st.sampled_from(PERMISSIONS), min_size=1, max_size=6, unique=True)},
    optional={"on": ON, "expires": ZONED.map(datetime.isoformat)},
)
SUBJECT = st.sampled_from([*({"user": user} for user in USERS), *({"group": group} for group in GROUPS)])
POLICY = st.fixed_dictionaries(
    {"subjects": st.lists(SUBJECT, min_size=1, max_size=3, unique_by=str), "grants": st.lists(GRANT, max_size=3)},
    optional={"superAdmin": st.sampled_from([True, False, False, False])},
)


def document(kind: str, name: str, spec: Document, labels: dict[str, str] | None = None) -> Document:
    """A definition."""
    metadata = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": "reconciler/v1", "kind": kind, "metadata": metadata, "spec": spec}


@st.composite
def worlds(draw: st.DrawFn) -> list[Document]:
    """Groups in groups without a circle, policies, and something of each kind to decide about."""
    found = [document("Category", name, {"displayName": name}, draw(LABELLED)) for name in CATEGORIES]
    for index, name in enumerate(GROUPS):
        users = draw(st.lists(st.sampled_from(USERS), max_size=2, unique=True))
        groups = draw(st.lists(st.sampled_from(GROUPS[:index]), max_size=2, unique=True)) if index else []
        members = {"mode": "authoritative", "users": users, "groups": groups}
        found.append(document("Group", name, {"displayName": name, "members": members}, draw(LABELLED)))
    for index, spec in enumerate(draw(st.lists(POLICY, min_size=4, max_size=12))):
        found.append(document("PermissionPolicy", f"policy-{index}", spec, draw(LABELLED)))
    endpoints = {"list": {"method": "GET", "url": "https://data.example.com"}}
    for index, filed in enumerate(draw(st.lists(FILED, min_size=1, max_size=3))):
        spec = {"displayName": f"c{index}", "categories": filed, "endpoints": endpoints}
        found.append(document("Connector", f"connector-{index}", spec, draw(LABELLED)))
    return found


def read(world: list[Document]) -> list[Resource]:
    """The definitions, brought to their canonical form as when they are read from a file."""
    return [
        make_resource(json.loads(json.dumps(item)), KINDS[item["kind"]], "all.yaml", index)
        for index, item in enumerate(world)
    ]
