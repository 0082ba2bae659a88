"""Bring files to their canonical form."""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from reconciler.diagnostics import Diagnostic


class FileOutcome(Struct, frozen=True):
    """What became of one file.

    Attributes:
        text: its new content when it is not canonical yet, else None.
        diagnostics: why it cannot be formatted.
    """

    path: str
    text: bytes | None
    diagnostics: tuple[Diagnostic, ...]


Format = Callable[[bytes, str], tuple[bytes | None, tuple[Diagnostic, ...]]]
"""From content and path to the canonical content, or None with the reasons why there is none."""


def format_all(files: Iterable[tuple[str, bytes | Diagnostic]], canonical: Format) -> Iterator[FileOutcome]:
    """The outcome for each file; nothing is written here."""
    for path, content in files:
        if isinstance(content, Diagnostic):
            yield FileOutcome(path, None, (content,))
            continue
        text, diagnostics = canonical(content, path)
        yield FileOutcome(path, text if text != content else None, diagnostics)
