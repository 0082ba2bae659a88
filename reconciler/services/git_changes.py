"""What a pull request changes: resources created, updated, renamed and deleted, and what each takes."""

from collections.abc import Iterator, Mapping

from reconciler.core.access import Access, Target
from reconciler.core.diff import Path, diff
from reconciler.core.model import Key, Resource
from reconciler.core.permit import SETTINGS, Need, Needs, Ruling
from reconciler.core.verdicts import Comparison, Judged, Step
from reconciler.kinds.access import AREA_OF_KIND, make_access, target_of
from reconciler.kinds.merge import is_secret_value

Resources = Mapping[Key, Resource]


Found = tuple[Judged, Needs]
"""A change that is not judged yet, and what it takes."""


def access_of(resources: Resources) -> Access:
    """The access that the groups and policies among some resources give."""
    kinds = ("Group", "PermissionPolicy")
    return make_access((key, resource.content.value) for key, resource in resources.items() if key.kind in kinds)


def changes_of(comparison: Comparison, ruling: Ruling) -> Iterator[Found]:
    """All changes. The same content in another file is none."""
    for file, why in comparison.settings.items():
        yield Judged(Step.SETTINGS, None, None, file, why=why), (Need(SETTINGS, "becomes", None),)
    for step, old, new in _steps(comparison):
        yield _judged(step, old, new), ruling.needs(_target(old), _target(new))
    for key, file, resource in _leaning(comparison):
        why = f"a secret of it comes from {file}"
        target = _target(resource)
        yield Judged(Step.UPDATE, key, None, resource.file, why=why), ruling.needs(target, target)


def _judged(step: Step, old: Resource | None, new: Resource | None) -> Judged:
    """A change that is not judged yet."""
    there = new or old
    assert there is not None
    was = old.key if old is not None and old.key != there.key else None
    return Judged(step, there.key, was, there.file, _fields(old, new) if old and new else ())


def _steps(comparison: Comparison) -> Iterator[tuple[Step, Resource | None, Resource | None]]:
    """What becomes of what: a resource before, and after."""
    before, after = comparison.before.changed, comparison.after.changed
    renamed = {old: new for new, old in _renames(before, after)}
    made = set(renamed.values())
    for key, resource in after.items():
        old = before.get(key)
        if old is None and key not in made:
            yield Step.CREATE, None, resource
        elif old is not None and _differ(old, resource):
            yield Step.UPDATE, old, resource
    for key, resource in before.items():
        if key in renamed:
            yield Step.RENAME, resource, after[renamed[key]]
        elif key not in after:
            yield Step.DELETE, resource, None


def _renames(before: Resources, after: Resources) -> Iterator[tuple[Key, Key]]:
    """Pairs of the new key and the old one, as the plan pairs them."""
    taken: set[Key] = set()
    for key, resource in after.items():
        if key in before:
            continue
        for name in resource.previously:
            old = Key(key.kind, name)
            if old in before and old not in after and old not in taken:
                taken.add(old)
                yield key, old
                break


def _differ(old: Resource, new: Resource) -> bool:
    return old.fingerprint != new.fingerprint or old.previously != new.previously or old.unprotects != new.unprotects


def _fields(old: Resource, new: Resource) -> tuple[Path, ...]:
    found = tuple(path for path, _, _ in diff(old.content.value, new.content.value, is_secret_value))
    if not found and old.unprotects != new.unprotects:
        found = (("spec", "lifecycle", "protect"),)
    return found if old.previously == new.previously else (("metadata", "previously"), *found)


def _leaning(comparison: Comparison) -> Iterator[tuple[Key, str, Resource]]:
    """Connectors that stay as they are, but of which a secret changes that lies in the repository."""
    for key, (file, resource) in comparison.leaned_on.items():
        before, after = comparison.before.changed.get(key), comparison.after.changed.get(key)
        if (before is None) == (after is None) and not (before and after and _differ(before, after)):
            yield key, file, resource  # else it is a change anyway


def _target(resource: Resource | None) -> Target | None:
    if resource is None:
        return None
    if resource.key.kind not in AREA_OF_KIND:  # of a kind that no permission is about: it is judged as policies are
        return Target("policies")
    return target_of(resource.key, resource.content.value)
