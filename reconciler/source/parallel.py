"""Reading many files on all cores: forked workers that share nothing and answer in order."""

import marshal
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from reconciler.core.model import Key, Resource
from reconciler.diagnostics import Diagnostic, Span
from reconciler.errors import SourceUnavailable
from reconciler.source.documents import FileContent

MIN_FILES = 400  # below it a fork costs more than it saves
_MAX_WORKERS = 8

Item = TypeVar("Item")
ReadPart = Callable[[Sequence[Item]], Iterator[FileContent]]


def read_parts(items: Sequence[Item], read: ReadPart[Item]) -> Iterator[FileContent]:
    """What `read` gives for `items`, in their order, computed on as many cores as are free to us."""
    workers = min(_cores(), _MAX_WORKERS, len(items) // (MIN_FILES // 2))
    if workers < 2:
        yield from read(items)
        return
    size = -(-len(items) // workers)
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    started = [_start(part, read) for part in parts[1:]]
    yield from read(parts[0])
    for part, (child, pipe) in zip(parts[1:], started, strict=True):
        yield from _collect(child, pipe, part, read)


def _cores() -> int:
    if not hasattr(os, "fork") or sys.platform == "darwin":  # forking is not safe there once frameworks are loaded
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(part: Sequence[Item], read: ReadPart[Item]) -> tuple[int, int]:
    """Fork a worker for `part`; its id, and the pipe that its answer comes through."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    status = 1
    try:
        os.close(reading)
        answer = marshal.dumps([_packed(content) for content in read(part)])
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        status = 0
    finally:
        os._exit(status)  # whatever happens, the worker must not go on as a second parent


def _collect(child: int, pipe: int, part: Sequence[Item], read: ReadPart[Item]) -> Iterator[FileContent]:
    with os.fdopen(pipe, "rb") as opened:
        answer = opened.read()
    _, status = os.waitpid(child, 0)
    if status == 0:
        for packed in marshal.loads(answer):  # noqa: S302 (written by our own child)
            yield _unpacked(packed)
    elif os.WIFSIGNALED(status):
        raise SourceUnavailable(
            f"a process that read files was ended by signal {os.WTERMSIG(status)}", hint="try again"
        )
    else:  # it failed: do its part here, so that the failure is raised where it can be explained
        yield from read(part)


def _packed(content: FileContent) -> tuple[Any, ...]:
    """The content as plain tuples, which marshal writes at the speed of a copy."""
    resources = [
        (tuple(item.key), item.body, item.fingerprint, item.display, [tuple(ref) for ref in item.refs], item.previously, item.file,
         item.document, item.active, item.left_out, item.unprotects)
        for item in content.resources
    ]  # fmt: skip
    diagnostics = [
        (item.code, item.message, (item.span.file, item.span.line, item.span.column, item.span.end_line, item.span.end_column),
         item.snippet, item.hint)
        for item in content.diagnostics
    ]  # fmt: skip
    return resources, diagnostics, content.documents, [tuple(key) for key in content.broken], content.oid


def _unpacked(packed: tuple[Any, ...]) -> FileContent:
    resources, diagnostics, documents, broken, oid = packed
    return FileContent(
        [Resource(Key(*key), body, printed, display, tuple(Key(*ref) for ref in refs), *rest)
         for key, body, printed, display, refs, *rest in resources],
        [Diagnostic(code, message, Span(*span), snippet, hint) for code, message, span, snippet, hint in diagnostics],
        documents,
        [Key(*key) for key in broken],
        oid,
    )  # fmt: skip
