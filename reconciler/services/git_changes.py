"""What a pull request changes: resources created, updated, renamed and deleted, and what each takes."""

from collections.abc import Iterator, Mapping

from reconciler.core.access import Access, Target
from reconciler.core.comparison import Comparison
from reconciler.core.diff import Path, diff
from reconciler.core.gate import SETTINGS, Judged, Step
from reconciler.core.model import Key, Resource
from reconciler.kinds.access import AREA_OF_KIND, make_access, target_of
from reconciler.kinds.merging import is_secret_value
from reconciler.value_class import value_class

Resources = Mapping[Key, Resource]


@value_class
class Need:
    """A permission that a change takes.

    Attributes:
        on: whether it is about the resource as it "was" or as it "becomes".
        target: None for project settings.
    """

    permission: str
    on: str
    target: Target | None


Found = tuple[Judged, tuple[Need, ...]]
"""A change that is not judged yet, and what it takes."""


def access_of(resources: Resources) -> Access:
    """The access that the groups and policies among some resources give."""
    kinds = ("Group", "PermissionPolicy")
    return make_access((key, resource.content()) for key, resource in resources.items() if key.kind in kinds)


def changes_of(comparison: Comparison) -> Iterator[Found]:
    """All changes. The same content in another file is none."""
    for file, setting in comparison.settings.items():
        why = f"{setting} of the project file leads to it" if setting else ""
        yield Judged(Step.SETTINGS, None, None, file, (), why=why), (Need(SETTINGS, "becomes", None),)
    before, after = comparison.before.changed, comparison.after.changed
    renamed = {old: new for new, old in _renames(before, after)}
    for key, resource in after.items():
        old = before.get(key)
        if old is not None:
            yield from _update(old, resource)
        elif key not in renamed.values():
            yield Judged(Step.CREATE, key, None, resource.file, ()), (_need(resource, "create", "becomes"),)
    for key, resource in before.items():
        if key in renamed:
            yield _moved(Step.RENAME, resource, after[renamed[key]])
        elif key not in after:
            yield Judged(Step.DELETE, key, None, resource.file, ()), (_need(resource, "delete", "was"),)
    yield from _leaning(comparison)


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


def _update(old: Resource, new: Resource) -> Iterator[Found]:
    if old.fingerprint != new.fingerprint or old.previously != new.previously or old.unprotects != new.unprotects:
        yield _moved(Step.UPDATE, old, new)


def _moved(step: Step, old: Resource, new: Resource) -> Found:
    """An update or a rename takes edit of what was and of what becomes of it.

    So nobody takes a connector into a category of theirs, nor out of one that is not.
    """
    was = old.key if old.key != new.key else None
    fields = _fields(old, new)
    return Judged(step, new.key, was, new.file, (), fields), _both(old, new)


def _both(old: Resource, new: Resource) -> tuple[Need, ...]:
    needs = (_need(old, "edit", "was"), _need(new, "edit", "becomes"))
    return needs[1:] if needs[0].target == needs[1].target else needs


def _fields(old: Resource, new: Resource) -> tuple[Path, ...]:
    found = tuple(path for path, _, _ in diff(old.content(), new.content(), is_secret_value))
    if not found and old.unprotects != new.unprotects:
        found = (("spec", "lifecycle", "protect"),)
    return found if old.previously == new.previously else (("metadata", "previously"), *found)


def _leaning(comparison: Comparison) -> Iterator[Found]:
    """Connectors that stay as they are, but of which a secret changes that lies in the repository."""
    for key, (file, resource) in comparison.leaned_on.items():
        before, after = comparison.before.changed.get(key), comparison.after.changed.get(key)
        gone_or_new = (before is None) != (after is None)
        if gone_or_new or (before and after and before.fingerprint != after.fingerprint):
            continue  # it is a change anyway
        why = f"a secret of it comes from {file}"
        yield Judged(Step.UPDATE, key, None, resource.file, (), why=why), (_need(resource, "edit", "becomes"),)


def _need(resource: Resource, verb: str, on: str) -> Need:
    area = AREA_OF_KIND.get(resource.key.kind)
    if area is None:  # of a kind that no permission is about: what says something of policies is one of them
        return Need(f"policies:{verb}", on, Target("policies", resource.key.name))
    return Need(f"{area}:{verb}", on, target_of(resource.key, resource.content()))
