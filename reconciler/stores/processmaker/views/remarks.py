"""What whoever reads a plan has to know of an instance: what was left alone, and what cannot be seen there."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from reconciler.harmless import harmless
from reconciler.stores.drivers import listed
from reconciler.stores.processmaker.forms.carryover import spec_of
from reconciler.stores.processmaker.forms.connectors import (
    COLLECTION,
    NONE,
    OTHER_METHOD,
    SYSTEM,
    TEMPLATE,
    authtype_of,
)
from reconciler.stores.processmaker.forms.notes import read_note
from reconciler.stores.processmaker.forms.policies import makes_super_admins
from reconciler.stores.processmaker.forms.rows import Picture
from reconciler.stores.processmaker.views.keys import alike
from reconciler.stores.processmaker.views.records import View, titles
from reconciler.stores.processmaker.views.survey import Seen

_WORDS = {
    COLLECTION: "{} of collections",
    TEMPLATE: "{} that are templates",
    SYSTEM: "{} in system categories",
    OTHER_METHOD: "{} with an authorization that we do not know",
}


def remarks(view: View) -> tuple[str, ...]:
    """What there is to say, a sentence each."""
    picture = view.survey.picture
    return (
        *_left_alone(picture.left_alone),
        *view.survey.remarks,
        *_twins(view),
        *_unsealed(view),
        *_doubled(view),
        *_administrators(view),
    )


def _left_alone(reasons: Mapping[str, int]) -> Iterator[str]:
    if reasons:
        counted = [_WORDS.get(reason, "{} " + harmless(reason)).format(number) for reason, number in reasons.items()]
        yield f"connectors of the instance that are left alone: {listed(counted)}"


def _twins(view: View) -> Iterator[str]:
    """Rows of one display name that nobody lays claim to: `keys` has refused all others."""
    for several in alike(titles(view.survey)):
        ids = " and ".join(one.id for one in several)
        yield f"{ids} of the instance are called {harmless(repr(several[0].title))}: whoever declares that name has to rename or remove one of them first"  # fmt: skip


def _unsealed(view: View) -> Iterator[str]:
    """Whether ciphertext is hidden: no connector of those that have credentials shows any."""
    seals = [_seal(view, seen) for seen in view.survey.managed.values()]
    if any(seal is not None for seal in seals) and not any(seals):
        yield "the instance does not show that credentials were written: nobody can tell whether others have changed secrets"  # fmt: skip


def _seal(view: View, seen: Seen) -> str | None:
    """What stands for the secrets of a connector; None where it has none."""
    if not seen.kept:
        return seen.row.seal if seen.row.authtype != NONE else None
    known = view.known(f"connector:{seen.id}")
    return read_note(known.note).seal if known and authtype_of(spec_of(known.body)) != NONE else None


def _doubled(view: View) -> Iterator[str]:
    names = [view.names[f"group:{row.id}"].name for row in view.survey.picture.groups.values() if row.doubled]
    if names:
        yield f"the instance holds permissions of {listed([f'group/{name}' for name in sorted(names)])} twice: two wrote them at once"  # fmt: skip


def _administrators(view: View) -> Iterator[str]:
    """How policies that make super admins differ from who is one: that is set there by hand."""
    picture = view.survey.picture
    bodies = [one.body for one in view.recollection.records.values() if one.key.kind == "PermissionPolicy"]
    policies = [body for body in bodies if makes_super_admins(body)]
    if not policies or not picture.is_whole:
        return
    wanted = {name for body in policies for name in _people(view, spec_of(body).get("subjects", ()))}
    there = {row.username for row in picture.users.values() if row.is_administrator}
    for names, what in ((wanted - there, "are to be super admins, and are none"), (there - wanted, "are super admins, and no policy makes them that")):  # fmt: skip
        if names:
            yield f"at the instance {listed([harmless(name) for name in sorted(names)])} {what}; it is set there by hand alone"  # fmt: skip


def _people(view: View, subjects: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The user names of subjects, those of groups in groups included."""
    picture = view.survey.picture
    numbers = {view.names[f"group:{number}"].name: number for number in picture.groups}
    for subject in subjects:
        if "user" in subject:
            yield subject["user"]
        elif subject.get("group") in numbers:
            for number in _members(picture, numbers[subject["group"]], set()):
                if number in picture.users:
                    yield picture.users[number].username


def _members(picture: Picture, group: int, seen: set[int]) -> Collection[int]:
    if group in seen or group not in picture.groups:
        return ()
    seen.add(group)
    row = picture.groups[group]
    inner = (number for one in row.groups or () for number in _members(picture, one, seen))
    return {*(row.users or ()), *inner}
