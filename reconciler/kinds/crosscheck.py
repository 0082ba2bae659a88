"""Rules over all resources together: addresses, display names, references, renames, nesting of groups."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Path
from reconciler.kinds.registry import KINDS, address


class Clash(Struct, frozen=True):
    """A fault that shows only beside other resources.

    Attributes:
        resource: the one to report it at.
        at: what of it is meant: "name", "displayName", "previously", the reference `ref`, or what is at `path`.
    """

    resource: Resource
    code: str
    message: str
    at: str
    ref: Key | None = None
    hint: str = ""
    path: Path = ()


def by_address(resources: Iterable[Resource]) -> dict[Key, Resource]:
    """The first of the resources under each address."""
    found: dict[Key, Resource] = {}
    for resource in resources:
        found.setdefault(resource.key, resource)
    return found


def crosscheck(
    resources: Sequence[Resource],
    by_key: dict[Key, Resource],
    broken: frozenset[Key],
    keep: Callable[[Clash], bool],
    *,
    complete: bool,
) -> list[Clash]:
    """All clashes that count.

    Args:
        by_key: see `by_address`.
        broken: addresses whose documents did not validate: they count as defined.
        keep: which clashes count; where only a part of the repository is read, some are none.
        complete: False when files could not be read; then nothing is said to be undefined.
    """
    found = list(_namesakes(resources, by_key))
    trading = _trading(by_key)
    sound: set[tuple[bool, tuple[Key, ...]]] = set()
    for resource in resources:
        if resource.refs and (same := (resource.key.kind == "Connector", resource.refs)) not in sound:
            clashes = list(_reference_clashes(resource, by_key, broken, complete=complete))
            if not clashes:
                sound.add(same)  # the many that refer to the same have nothing to say either
            clashes = list(filter(keep, clashes))
            found += [
                replace(clash, hint=_near(clash, by_key)) if clash.code == "RC301" else clash for clash in clashes
            ]
        if resource.previously:
            found += _rename_clashes(resource, by_key, trading)
    found += _claimed_twice(resources)
    found += _group_cycles(by_key)
    return [clash for clash in found if keep(clash)]


def _namesakes(resources: Sequence[Resource], by_key: dict[Key, Resource]) -> Iterator[Clash]:
    displays: dict[str, dict[str, Resource]] = {}
    for resource in resources:
        first = by_key[resource.key]
        if first is not resource:
            message = f"{address(*resource.key)} is already defined in {first.file}"
            yield Clash(resource, "RC302", message, "name", hint="rename one of them")
        elif resource.display:
            namesake = displays.setdefault(resource.key.kind, {}).setdefault(resource.display, resource)
            if namesake is not resource:
                message = f"{address(*namesake.key)} in {namesake.file} has the same display name"
                yield Clash(resource, "RC303", message, "displayName", hint="choose a name that differs by more than case and accents")  # fmt: skip


def _reference_clashes(
    resource: Resource, by_key: dict[Key, Resource], broken: frozenset[Key], *, complete: bool
) -> Iterator[Clash]:
    for ref in resource.refs:
        target = by_key.get(ref)
        if target is None:
            if complete and ref not in broken:
                word = KINDS[ref.kind].word
                yield Clash(resource, "RC301", f"there is no {word} '{ref.name}'", "ref", ref)
        elif not target.active and resource.key.kind == "Connector":
            yield Clash(resource, "RC603", f"category '{ref.name}' is inactive", "ref", ref)


def _near(clash: Clash, defined: Iterable[Key]) -> str:
    """What may have been meant by a name that nothing has."""
    from difflib import get_close_matches

    assert clash.ref is not None
    names = [key.name for key in defined if key.kind == clash.ref.kind]
    close = get_close_matches(clash.ref.name, names, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    if names and len(names) <= 12:
        return "defined are: " + ", ".join(sorted(names))
    return f"define the {KINDS[clash.ref.kind].word}, or correct the name"


def _trading(by_key: dict[Key, Resource]) -> set[Key]:
    """The resources that trade their names: each was what the next one is, and the last one what the first is."""
    earlier = {
        key: [other for name in resource.previously if (other := Key(key.kind, name)) in by_key and other != key]
        for key, resource in by_key.items()
        if resource.previously
    }
    found: set[Key] = set()
    for start in earlier:
        ring = [start]
        while len(names := earlier.get(ring[-1], [])) == 1 and names[0] not in ring:
            ring.append(names[0])
        if names == [start]:
            found.update(ring)
    return found


def _rename_clashes(resource: Resource, by_key: dict[Key, Resource], trading: set[Key]) -> Iterator[Clash]:
    for name in resource.previously:
        other = by_key.get(Key(resource.key.kind, name))
        if other is not None and (other is resource or resource.key not in trading):
            where = "this resource itself" if other is resource else f"still defined in {other.file}"
            yield Clash(resource, "RC304", f"the earlier name '{name}' is {where}", "previously", hint="remove it from `previously`")  # fmt: skip


def _claimed_twice(resources: Sequence[Resource]) -> Iterator[Clash]:
    claims: dict[Key, Resource] = {}
    for resource in resources:
        for name in resource.previously:
            first = claims.setdefault(Key(resource.key.kind, name), resource)
            if first is not resource:
                message = f"{address(*first.key)} in {first.file} claims the earlier name '{name}' too"
                yield Clash(resource, "RC304", message, "previously", hint="leave it with one of them")


def _group_cycles(by_key: dict[Key, Resource]) -> Iterator[Clash]:
    """One clash for each ring of groups, at its first member by name. Iterative: rings may be long."""
    groups = {key: resource for key, resource in by_key.items() if key.kind == "Group"}
    done: set[Key] = set()
    for start in sorted(groups):
        trail: list[Key] = []
        on_trail: set[Key] = set()
        stack: list[tuple[Key, bool]] = [(start, False)]
        while stack:
            key, leaving = stack.pop()
            if leaving:
                on_trail.discard(trail.pop())
                done.add(key)
            elif key in on_trail:
                yield _ring(groups, trail[trail.index(key) :])
            elif key not in done and key in groups:
                trail.append(key)
                on_trail.add(key)
                stack.append((key, True))
                stack += [(ref, False) for ref in sorted(groups[key].refs, reverse=True)]


def _ring(groups: dict[Key, Resource], ring: list[Key]) -> Clash:
    first = ring.index(min(ring))
    ordered = [*ring[first:], *ring[:first]]
    names = " > ".join(key.name for key in [*ordered, ordered[0]])
    following = ordered[1] if len(ordered) > 1 else ordered[0]
    return Clash(groups[ordered[0]], "RC305", f"groups contain each other: {names}", "ref", following, "break the ring")
