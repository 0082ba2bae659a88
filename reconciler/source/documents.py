"""One file of definitions to resources and diagnostics."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from msgspec import Struct, field

from reconciler.core.model import Key, Resource
from reconciler.core.secret import may_hold_token
from reconciler.diagnostics import MAX_FAULTS, Diagnostic, Finding, Place
from reconciler.kinds.canonical import make_resource
from reconciler.kinds.policies import may_expire
from reconciler.kinds.registry import KINDS, Kind, is_valid, no_dated_rules, prepare
from reconciler.source.blobs import blob_id
from reconciler.source.schema import explain
from reconciler.source.yaml.loading import FastParser, fast_parser, load, load_carefully

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
                content.resources.append(resource)
                if found.dated_rules is not no_dated_rules and may_expire(resource.body):
                    content.settled = False
        except (TypeError, ValueError):  # keys that are not texts, numbers beyond JSON, nesting beyond the validator
            return None
        return content

    def _read_carefully(self, file: str, data: bytes) -> FileContent:
        from reconciler.source.locate import locate
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
            located = locate(source, loaded.nodes, findings)
            content.diagnostics += [item for item in located if (item.span.line, item.span.column) not in known]
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
        content.resources.append(make_resource(document, kind, file, index))
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
