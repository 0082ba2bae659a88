"""Validate what differs from a commit, and what that can break elsewhere, without reading the rest.

What was valid at the commit stays so where nothing that a rule looks at has changed. Files that did not change are
searched for the words that a rule could look at: the names that come, go or are claimed, and display names. Those
that may hold one are read as well, and judged by the same functions as everything is. The search may find too much,
never too little. A fault wants everything to be explained, as hints name what there is.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from msgspec import Struct, field

from reconciler.core.baseline import POLICY_KINDS, Unprovable
from reconciler.core.model import Key, Resource
from reconciler.core.ports.source import Desired
from reconciler.diagnostics import Diagnostic, has_errors
from reconciler.errors import SourceUnavailable, UsageError
from reconciler.kinds.crosscheck import Clash
from reconciler.source import files, git, trees
from reconciler.source.documents import DocumentReader
from reconciler.source.parts import Parts

_MOST_FILES, _MOST_WORDS = 1000, 200
"""Beyond which everything is read as fast."""
_ESCAPE = re.compile(rb"\\[xuU\s]|\\$")
"""How YAML can write a name otherwise than letter by letter."""
_WORDS = re.compile(r"[A-Za-z0-9_.-]+")
_LETTERS = re.compile(r"[a-z0-9]+")


def base_commit(root: Path, rev: str) -> str:
    """Id of the commit to compare with.

    Raises:
        UsageError: there is no repository, or nothing by that name.
        SourceUnavailable: it is not in a shallow clone.
    """
    try:
        return git.resolve(root, rev)
    except UsageError:
        if git.run(root, "rev-parse", "--is-shallow-repository")[1].strip() != b"true":
            raise
    message = f"there is no commit '{rev}' in this clone, which is shallow"
    raise SourceUnavailable(message, hint=f"run: git fetch {_fetched(rev)}")


def _fetched(rev: str) -> str:
    """What `git fetch` takes to get a commit into a shallow clone."""
    if re.search(r"[~^@:]", rev):
        return "--unshallow"
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", rev):
        return f"--depth=1 origin {rev}"
    remote, _, name = rev.removeprefix("refs/remotes/").partition("/")
    if remote == "origin" and name:
        return f"--depth=1 origin +refs/heads/{name}:refs/remotes/origin/{name}"
    return f"--depth=1 origin {rev}:{rev}"


def changed_since(root: Path, parts: Parts, base: str, *, covering: bool) -> Desired:
    """What was looked at, with the warnings of what changed and of what the change causes elsewhere.

    Args:
        base: id of the commit.
        covering: whether grants are counted.

    Raises:
        Unprovable: everything has to be looked at; the message says why.
    """
    changed = parts.changed_since(trees.trees_of(root, base))
    if len(changed) > _MOST_FILES:
        raise Unprovable("so much differs that everything is read as fast")
    documents = parts.documents_since(base)
    closure = _Closure(parts, changed, _declared_at(root, base, changed))
    closure.close(documents)
    held = closure.held_against(documents)
    desired = parts.desired(closure.counts)
    whole = covering or any(path.startswith("policies/") for path in changed)

    def is_told(found: Diagnostic) -> bool:
        if found.span.file in changed or found.code == "RC603":
            return True
        return (whole and found.code.startswith("RC7")) or (found.code.startswith("RC8") and found.span.file in held)

    told = tuple(found for found in desired.diagnostics if is_told(found))
    return Desired(desired.resources, desired.files, desired.documents, told, desired.coverage)


def _declared_at(root: Path, base: str, changed: Iterable[str]) -> dict[Key, Resource]:
    """What the files that differ declared at the commit.

    Raises:
        Unprovable: there was a fault.
    """
    entries = files.committed_at(root, base, sorted(changed))
    contents = DocumentReader().read_all([path for path, _ in entries], files.read_committed(root, entries))
    found: dict[Key, Resource] = {}
    for content in contents:
        if has_errors(content.diagnostics):
            raise Unprovable("the definitions were not valid then")
        found |= {resource.key: resource for resource in content.resources}
    return found


def letters_of(display: str) -> tuple[str, ...]:
    """The parts of a folded display name that YAML can write in no other way but by escapes."""
    return tuple(_LETTERS.findall(display))


class Search(Struct):
    """What files are searched for.

    Attributes:
        names: of resources.
        definitions: kind and name, which are found together where the resource is defined.
        displays: the parts of each folded display name that are letters and digits.
    """

    names: set[str] = field(default_factory=set)
    definitions: set[Key] = field(default_factory=set)
    displays: set[tuple[str, ...]] = field(default_factory=set)

    def without(self, other: "Search") -> "Search":
        """What was not searched for before."""
        return Search(self.names - other.names, self.definitions - other.definitions, self.displays - other.displays)

    def add(self, other: "Search") -> None:
        """Note what was searched for."""
        self.names |= other.names
        self.definitions |= other.definitions
        self.displays |= other.displays

    @property
    def size(self) -> int:
        """How many words there are."""
        return len(self.names) + len(self.definitions) + len(self.displays)

    def matches(self, data: bytes) -> bool:
        """Whether a file may hold one of them, however YAML writes it."""
        if any(name.encode() in data for name in self.names):
            return True
        if any(key.name.encode() in data and key.kind.encode() in data for key in self.definitions):
            return True
        if b"\\" in data and _ESCAPE.search(data):
            return True
        if not self.displays:
            return False
        lower = data.lower()
        return not data.isascii() or any(all(part.encode() in lower for part in parts) for parts in self.displays)


class _Closure:
    """The files that differ, all policies, and the files that what differs can break."""

    def __init__(self, parts: Parts, changed: frozenset[str], was: dict[Key, Resource]) -> None:
        self._parts = parts
        self._changed = changed
        self._was = was
        self._now: dict[Key, Resource] = {}
        self._beside: list[Resource] = []
        self._seen: set[str] = set()
        self._searched = Search()

    def close(self, documents: Collection[str]) -> None:
        """Read all files that matter.

        Args:
            documents: files that differ and that connectors may be held against.

        Raises:
            Unprovable: there is a fault, or too much to look for.
        """
        self._read({*self._changed, *self._parts.policies()})
        if documents:
            words = {max(_WORDS.findall(path), key=len, default="") for path in documents}
            if "" in words or len(words) > _MOST_WORDS:
                raise Unprovable("files that differ can be looked for by reading everything alone")
            self._read(self._parts.search(Search(names=words).matches, self._seen))
        self._read(self._parts.likely(self._wanted().definitions))
        while (search := self._wanted().without(self._searched)).size:
            if self._searched.size + search.size > _MOST_WORDS:
                raise Unprovable("so much is to be looked for that everything is read as fast")
            self._read(self._parts.search(search.matches, self._seen))
            self._searched.add(search)

    def _read(self, paths: Iterable[str]) -> None:
        new = set(paths) - self._seen
        self._seen |= new
        if len(self._seen) > 2 * _MOST_FILES:
            raise Unprovable("what differs concerns so much that everything is read as fast")
        for resource in self._parts.read(new):
            if resource.file in self._changed:
                self._now[resource.key] = resource
            else:
                self._beside.append(resource)

    def held_against(self, documents: Collection[str]) -> set[str]:
        """The files with connectors that are held against one of the documents."""
        read = (*self._now.values(), *self._beside)
        return {resource.file for resource in read if resource.contract in documents}

    def counts(self, clash: Clash) -> bool:
        """Whether a clash is one: of a file that is only read beside, what it refers to was not read."""
        if clash.resource.file in self._changed or clash.code not in ("RC301", "RC603"):
            return True
        if clash.resource.key.kind == "AccessTest":  # what they refer to is read, as they are run
            return True
        if clash.ref in self._gone():
            return True
        return clash.code == "RC603" and clash.ref in self._deactivated()

    def _gone(self) -> set[Key]:
        return self._was.keys() - self._now.keys()

    def _deactivated(self) -> set[Key]:
        """What was active and is not any more."""
        return {
            key
            for key, resource in self._now.items()
            if not resource.active and (key not in self._was or self._was[key].active)
        }

    def _wanted(self) -> Search:
        """What has to be looked for by what is known so far; what concerns policies alone is all read."""
        search = Search()
        for key in self._now.keys() | self._was.keys():
            if key.kind not in POLICY_KINDS:
                search.names.update(_names(self._was.get(key), self._now.get(key)))
        for resource in self._beside:
            if resource.key.kind not in POLICY_KINDS:
                search.names.update(resource.previously)
        search.names.update(key.name for key in self._deactivated() if key.kind == "Category")
        search.definitions = set(self._missing())
        search.displays = set(self._displays())
        return search

    def _missing(self) -> Iterator[Key]:
        """What is referred to and was not read; what is gone is not there."""
        known = {*self._now, *self._was, *(resource.key for resource in self._beside)}
        tests = (resource for resource in self._beside if resource.key.kind == "AccessTest")
        for resource in (*self._now.values(), *tests):
            yield from (ref for ref in resource.refs if ref not in known and ref.kind not in POLICY_KINDS)

    def _displays(self) -> Iterator[tuple[str, ...]]:
        before = {(key.kind, resource.display) for key, resource in self._was.items()}
        for key, resource in self._now.items():
            if key.kind not in POLICY_KINDS and resource.display and (key.kind, resource.display) not in before:
                parts = letters_of(resource.display)
                if not parts:
                    raise Unprovable("a display name can be looked for by reading everything alone")
                yield parts


def _names(before: Resource | None, after: Resource | None) -> tuple[str, ...]:
    """The names by which others may be concerned by what became of a resource."""
    if before is None:
        assert after is not None
        return after.key.name, *after.previously
    if after is None:
        return (before.key.name, *before.previously) if before.key.kind == "Category" or before.previously else ()
    changed = before.previously != after.previously
    return (after.key.name, *before.previously, *after.previously) if changed else ()
