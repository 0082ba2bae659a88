"""Files of definitions to resources and diagnostics, and all of them to a desired state."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from reconciler.core.model import Key, Resource
from reconciler.core.ports.source import Desired
from reconciler.core.secret import may_hold_token
from reconciler.diagnostics import MAX_FAULTS, Diagnostic, Finding, Place, has_errors, sorted_diagnostics
from reconciler.kinds.canonical import make_resource, may_hold_nul
from reconciler.kinds.crosscheck import Clash, by_address, crosscheck
from reconciler.kinds.policies import may_expire
from reconciler.kinds.registry import KINDS, Kind, is_valid, no_dated_rules, prepare
from reconciler.source.files import blob_id
from reconciler.source.project import explain
from reconciler.source.yaml.loader import FastParser, fast_parser, load, load_carefully

if TYPE_CHECKING:
    from reconciler.core.model import Coverage


_KIND_NAMES = tuple(KINDS)


class FileContent(Struct):
    """What one file holds.

    Attributes:
        documents: how many documents are not empty.
        broken: addresses of documents that did not validate, as far as they can be told.
        oid: the id that git gives the content; "" where nobody asked.
        settled: whether nothing is wrong with it, and nothing ever will be with these bytes, whenever they are read.
    """

    resources: list[Resource] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    documents: int = 0
    broken: list[Key] = field(default_factory=list)
    oid: str = ""
    settled: bool = False


def unread(reason: Diagnostic | None) -> FileContent:
    """What a file holds that cannot be read, and why."""
    return FileContent(diagnostics=[reason] if reason else [])


class DocumentReader:
    """Reads files of definitions."""

    def __init__(self, now: str = "", id_length: int = 0) -> None:
        """Settle what files are read for.

        Args:
            now: the time to judge dates by, RFC 3339; "" for not at all.
            id_length: of git's ids, to give each content its own; 0 for none.
        """
        self._now = now
        self._id_length = id_length
        self._fast: FastParser | None = fast_parser()

    def prepare(self) -> None:
        """Load and compile what it takes to read many files, before processes are started that would all have to."""
        prepare(kind for kind in _KIND_NAMES if kind in ("Connector", "Category"))  # of the others there are few

    def read_all(self, paths: Sequence[str], contents: Iterable[bytes | Diagnostic]) -> Iterator[FileContent]:
        """What each file holds; a diagnostic in place of bytes says why a file cannot be read."""
        for path, content in zip(paths, contents, strict=True):
            if isinstance(content, bytes):
                found = self.read(path, content)
                if self._id_length:
                    found.oid = blob_id(content, self._id_length)
                yield found
            else:
                yield unread(content)

    def read(self, file: str, data: bytes) -> FileContent:
        """Resources and faults of one file; `file` is its path from the repository's root."""
        content = self._read_fast(file, data)
        return content if content is not None else self._read_carefully(file, data)

    def _read_fast(self, file: str, data: bytes) -> FileContent | None:
        """The file when nothing at all is wrong with it, else None."""
        loaded = load(data, file, self._fast)
        if loaded.faults or may_hold_token(data):
            return None
        content = FileContent(documents=len(loaded.documents), settled=True)
        try:
            for index, document in loaded.documents:
                kind = document.get("kind")
                if type(kind) is not str or kind not in KINDS or not is_valid(kind, document):
                    return None
                found = KINDS[kind]
                if self._findings(found, document["spec"], index) or not file.startswith(found.directory):
                    return None
                resource = make_resource(document, found, file, index)
                if may_hold_nul(resource.body):
                    return None
                content.resources.append(resource)
                if found.dated_rules is not no_dated_rules and may_expire(resource.body):
                    content.settled = False
        except (TypeError, ValueError):  # keys that are not texts, numbers beyond JSON, nesting beyond the validator
            return None
        return content

    def _read_carefully(self, file: str, data: bytes) -> FileContent:
        from reconciler.source.positions import locate
        from reconciler.source.text import SourceText

        loaded = load_carefully(data, file, self._fast)
        content = FileContent(diagnostics=list(loaded.faults), documents=len(loaded.documents))
        findings: list[Finding] = []
        for index, document in loaded.documents:
            findings += islice(self._check(file, index, document, content), MAX_FAULTS + 1)
            if len(findings) > MAX_FAULTS:
                break
        if findings:
            source = SourceText(file, data)
            known = {(fault.span.line, fault.span.column) for fault in loaded.faults}
            lines = {fault.span.line for fault in loaded.faults if fault.code == "RC120"}
            content.diagnostics += [
                item
                for item in locate(source, loaded.nodes, findings)
                if (item.span.line, item.span.column) not in known and item.span.line not in lines
            ]
        return content

    def _findings(self, kind: Kind, spec: dict[str, Any], index: int) -> list[Finding]:
        return kind.rules(spec, index) + kind.dated_rules(spec, index, self._now)

    def _check(self, file: str, index: int, document: dict[str, Any], content: FileContent) -> Iterable[Finding]:
        found = explain(document, index, _KIND_NAMES)
        if found:
            key = _address_of(document)
            content.broken += [key] if key else []
            return chain(found, token_findings(document, index))
        kind = KINDS[document["kind"]]
        found = self._findings(kind, document["spec"], index)
        if file.split("/", 1)[0] in _DIRECTORIES and not file.startswith(kind.directory + "/"):
            message = f"a {kind.word} belongs in {kind.directory}/"
            found.append(Finding("RC306", message, Place(index, ("kind",)), f"move the document to {kind.directory}/"))
        found += islice(token_findings(document, index), MAX_FAULTS)
        resource = make_resource(document, kind, file, index)
        if may_hold_nul(resource.body):
            found += islice(nul_findings(document, index), MAX_FAULTS)
        content.resources.append(resource)
        return found


_DIRECTORIES = frozenset(kind.directory for kind in KINDS.values())


def _address_of(document: dict[str, Any]) -> Key | None:
    kind, metadata = document.get("kind"), document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return Key(kind, name) if isinstance(kind, str) and isinstance(name, str) else None


def token_findings(value: Any, document: int, path: tuple[str | int, ...] = ()) -> Iterator[Finding]:
    """Findings for texts that look like tokens, anywhere in a document."""
    from reconciler.core.secret import TOKEN

    if isinstance(value, str) and TOKEN.search(value):
        yield Finding("RC401", "this looks like a token or private key", Place(document, path), "use {env: NAME} or {file: path}, and revoke the token")  # fmt: skip
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from token_findings(item, document, (*path, step))


def nul_findings(value: Any, document: int, path: tuple[str | int, ...] = ()) -> Iterator[Finding]:
    """Findings for texts and keys with the character U+0000, anywhere in a document."""
    if isinstance(value, str) and "\0" in value:
        yield Finding("RC213", "the text holds the character U+0000", Place(document, path), _WITHOUT_NUL)
    if isinstance(value, dict):
        for key in value:
            if "\0" in key:
                place = Place(document, (*path, key), at_key=True)
                yield Finding("RC213", "the key holds the character U+0000", place, _WITHOUT_NUL)
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from nul_findings(item, document, (*path, step))


_WITHOUT_NUL = 'take it out; it is written "\\0", "\\x00" or "\\u0000"'
_DOCUMENTS_LOST = frozenset(f"RC{code}" for code in (101, 102, 103, 104, 105, 106, 107, 112, 114, 118, 119, 120, 121))
"""Faults after which documents of the file may be missing: what they define cannot be called undefined."""


MAX_TOLD = 10_000
"""Diagnostics of files; once there are as many, only the first of each further file is kept."""


def every(clash: Clash) -> bool:
    """What is kept where nothing is left out."""
    return True


def _untested(resources: Mapping[Key, Resource]) -> "tuple[list[Clash], Coverage | None]":
    return [], None


def assemble(
    paths: Sequence[str],
    contents: Iterable[FileContent],
    read_again: Callable[[str], bytes],
    keep: Callable[[Clash], bool] = every,
    test_access: "Callable[[Mapping[Key, Resource]], tuple[list[Clash], Coverage | None]]" = _untested,
) -> Desired:
    """The desired state that the files make together.

    Args:
        keep: which clashes count; where only a part of the repository is read, some are none.
        test_access: called with what is valid as a whole.
    """
    resources: list[Resource] = []
    diagnostics: list[Diagnostic] = []
    broken: set[Key] = set()
    documents = 0
    for content in contents:
        resources += content.resources
        diagnostics += content.diagnostics if len(diagnostics) < MAX_TOLD else content.diagnostics[:1]
        broken.update(content.broken)
        documents += content.documents
    unread = any(diagnostic.code in _DOCUMENTS_LOST for diagnostic in diagnostics)
    by_key = by_address(resources)
    clashes = crosscheck(resources, by_key, frozenset(broken), keep, complete=not unread)
    diagnostics += locate_clashes(clashes, read_again)
    covered = None
    if not has_errors(diagnostics):
        faults, covered = test_access(by_key)
        diagnostics += locate_clashes(faults, read_again)
    return Desired(by_key, tuple(paths), documents, tuple(sorted_diagnostics(diagnostics)), covered)


def locate_clashes(clashes: Sequence[Clash], read_again: Callable[[str], bytes]) -> Iterator[Diagnostic]:
    """Diagnostics of the clashes; their files are read once more, for positions."""
    if not clashes:
        return
    from reconciler.source.positions import locate
    from reconciler.source.text import SourceText

    by_file: dict[str, list[Clash]] = {}
    for clash in clashes:
        by_file.setdefault(clash.resource.file, []).append(clash)
    for file, found in by_file.items():
        data = read_again(file)
        loaded = load_carefully(data, file, None)
        if loaded.faults:  # it was read otherwise before: it has changed since
            yield from loaded.faults
        contents = dict(loaded.documents)
        findings = []
        for clash in islice(found, MAX_FAULTS + 1):
            index = clash.resource.document
            path = _path(clash, contents.get(index))
            findings.append(Finding(clash.code, clash.message, Place(index, path), clash.hint))
        yield from locate(SourceText(file, data), loaded.nodes, findings)


def _path(clash: Clash, content: dict[str, dict[str, object]] | None) -> tuple[str | int, ...]:
    if clash.path:
        from reconciler.source.positions import by_index

        return by_index(content, clash.path)
    if clash.at == "ref" and clash.ref is not None and content is not None:
        for ref in KINDS[clash.resource.key.kind].references(content["spec"]):
            if (ref.kind, ref.name) == clash.ref:
                return ref.path
    return (
        ("spec", "displayName")
        if clash.at == "displayName"
        else ("metadata", clash.at if clash.at != "ref" else "name")
    )
