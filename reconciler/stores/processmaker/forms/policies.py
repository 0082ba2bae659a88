"""Policies and the names that groups hold: an instance knows no policies, but gives each group names, for all that it has.

A policy lives in the state. What it stands for at an instance are pairs of a group and a name; what is live of it is told
by the names that its groups hold. Names that are about something else are never touched.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from reconciler.core.model import decode, encode
from reconciler.kinds.canonical import fold, is_readable
from reconciler.kinds.policies import canonical_policy, has_expired
from reconciler.stores.processmaker.forms.canonical import digest
from reconciler.stores.processmaker.forms.carryover import spec_of

_NOUNS = {
    "connectors": ("Data Connectors", "data-sources"),
    "categories": ("Data Connector Categories", "data-source-categories"),
    "groups": ("Groups", "groups"),
}
_VERBS = ("view", "create", "edit", "delete")
PERMISSIONS = tuple(f"{noun}:{verb}" for noun in _NOUNS for verb in _VERBS)
"""Our permissions that an instance has."""
Pair = tuple[str, str]
"""A group, as we call it, and a name that it holds."""


def managed_names(catalogue: Any) -> dict[str, str]:
    """What the instance calls our permissions: by their titles in its catalogue, else by the names that are usual.

    Args:
        catalogue: as GET /permissions gives it, or None where there is none: then the usual names are taken for granted.
    """
    listed = [item for items in catalogue.values() for item in items] if _is_catalogue(catalogue) else None
    by_title = {fold(item["title"]): item["name"] for item in listed or () if isinstance(item.get("title"), str)}
    there = {item["name"] for item in listed or ()}
    found = {}
    for noun, (title, name) in _NOUNS.items():
        for verb in _VERBS:
            usual = f"{verb}-{name}"
            told = by_title.get(fold(f"{verb} {title}"), usual if listed is None or usual in there else None)
            if told is not None:
                found[f"{noun}:{verb}"] = told
    return found


def _is_catalogue(catalogue: Any) -> bool:
    return isinstance(catalogue, dict) and all(
        isinstance(items, list) and all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items)
        for items in catalogue.values()
    )


def makes_super_admins(body: Any) -> bool:
    """Whether a policy makes super admins: it is never written, and compared apart."""
    return spec_of(body).get("superAdmin") is True


def policy_groups(body: Any) -> list[str]:
    """The groups that a policy is for, as we call them; none of what is no policy, as somebody wrote to the state."""
    return [subject["group"] for subject in _sound(body).get("subjects", ()) if "group" in subject]


def pairs(body: Any, managed: Mapping[str, str], now: datetime | None = None) -> frozenset[Pair]:
    """What a policy stands for. A grant that is narrowed gives nothing: names hold for all that there is.

    Args:
        managed: what the instance calls our permissions.
        now: grants that have ended by then give nothing; None for whenever.
    """
    if makes_super_admins(body):
        return frozenset()
    names = {
        managed[word] for grant in _sound(body).get("grants", ()) for word in _given(grant, now) if word in managed
    }
    return frozenset((group, name) for group in policy_groups(body) for name in names)


def _sound(body: Any) -> dict[str, Any]:
    """The spec of a policy; an empty one of what is none."""
    spec = spec_of(body)
    if not is_readable("PermissionPolicy", body):
        return {}
    words = [word for grant in spec.get("grants", ()) for word in grant["permissions"]]
    groups = [subject.get("group", "") for subject in spec["subjects"]]
    return spec if all(isinstance(item, str) for item in (*words, *groups)) else {}


def _given(grant: Mapping[str, Any], now: datetime | None) -> Sequence[str]:
    return () if "on" in grant or (now is not None and has_expired(grant, now)) else grant["permissions"]


def policy_bodies(
    known: Mapping[str, tuple[str, Any]],
    held: Mapping[str, Collection[str]],
    managed: Mapping[str, str],
    now: datetime | None = None,
) -> dict[str, Any]:
    """The live body of each policy, by id; the very one that is known where nothing is missing and nothing is too much.

    A permission that one of a policy's groups does not hold is left out of its grants. A name that a group holds and no
    policy gives it is a further grant of the first policy for the group, by name, all of whose groups hold it, or else
    of the first one.

    Args:
        known: by id its name and its body as it was last written; see `policy_note`.
        held: by group, as we call it, the managed names that it holds; all groups that there are.
        managed: what the instance calls our permissions.
        now: a grant that has ended by then stays in its policy, and what a group still holds by it is too much.
    """
    given = frozenset().union(*(pairs(body, managed, now) for _, body in known.values()))
    groups = {uid: policy_groups(body) for uid, (_, body) in known.items() if not makes_super_admins(body)}
    of_group: dict[str, list[str]] = {}
    for uid in sorted(groups, key=lambda uid: known[uid][0]):
        for group in groups[uid]:
            of_group.setdefault(group, []).append(uid)
    further: dict[str, set[str]] = {}
    for group in sorted(held.keys() & of_group.keys()):
        for word, name in managed.items():
            if name in held[group] and (group, name) not in given:
                whole = (uid for uid in of_group[group] if _hold(groups[uid], name, held))
                further.setdefault(next(whole, of_group[group][0]), set()).add(word)
    further_of = {uid: sorted(words) for uid, words in further.items()}
    return {uid: _live_policy(body, further_of.get(uid, ()), held, managed, now) for uid, (_, body) in known.items()}


def _hold(groups: Iterable[str], name: str, held: Mapping[str, Collection[str]]) -> bool:
    return all(name in held.get(group, ()) for group in groups)


def _live_policy(
    body: Any,
    further: Sequence[str],
    held: Mapping[str, Collection[str]],
    managed: Mapping[str, str],
    now: datetime | None,
) -> Any:
    if makes_super_admins(body) or not _sound(body):
        return body
    spec, groups, grants = spec_of(body), policy_groups(body), []
    for grant in spec.get("grants", ()):
        missing = {word for word in _given(grant, now) if word in managed and not _hold(groups, managed[word], held)}
        kept = [word for word in grant["permissions"] if word not in missing]
        if kept:
            grants.append({**grant, "permissions": kept} if missing else grant)
    if further:
        grants.append({"permissions": list(further)})
    if grants == spec.get("grants", []):
        return body
    return {**body, "spec": canonical_policy({**spec, "grants": grants})}


def unmanaged_body(group: str, names: Collection[str], managed: Mapping[str, str]) -> dict[str, Any] | None:
    """The policy that the managed names of a group amount to, which no policy is for; None where it holds none."""
    words = sorted(word for word, name in managed.items() if name in names)
    return {"spec": {"subjects": [{"group": group}], "grants": [{"permissions": words}]}} if words else None


def fold_all(names: Iterable[str]) -> frozenset[str]:
    """Names as the server compares them."""
    return frozenset(fold(name) for name in names)


def policy_note(body: Mapping[str, Any]) -> str:
    """What is kept with the record of a policy: its body as it was written.

    What is live of a policy is told from that, not from what was live before: else a name that was taken from a group
    and given back would not bring back the grant.
    """
    return encode(body).decode()


def written_body(body: Any, note: str) -> Any:
    """A policy's body as it was last written: as the note has it, else as it is known."""
    try:
        found = decode(note.encode()) if note else None
    except msgspec.DecodeError:
        return body
    return found if spec_of(found) else body


def policy_digest(body: Any) -> str:
    """What tells what is live of a policy from what it was: its version."""
    return digest(body)
