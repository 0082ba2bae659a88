"""Write what mends the faults of files of definitions without a doubt."""

import re
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from reconciler.diagnostics import Diagnostic, Edit, Severity, Span

Judge = Callable[[str, bytes], list[Diagnostic]]
"""From path and content of a file to what is wrong with it."""

_ROUNDS = 100
"""At most so many fixes after one another: a file that YAML cannot read shows one fault at a time."""
_TRIED = 20
_BREAK = re.compile("\r\n|\n|\r")
_HIDING = (re.compile(r"RC1(?:0[4-7]|1[289]|20)"), re.compile(r"RC1(?:08|10|11|13|15|21)"))
"""What ends the reading of a file, and what has a part of it read otherwise: others cannot be seen before."""


class FixedFile(Struct, frozen=True):
    """A file before and after.

    Attributes:
        done: what was mended, as it was told then.
    """

    path: str
    before: bytes
    after: bytes
    done: tuple[Diagnostic, ...]


def fix_files(files: Iterable[tuple[str, bytes]], judge: Judge) -> Iterator[FixedFile]:
    """The files that can be mended, at least in part; nothing is written here."""
    for path, content in files:
        fixed = fix_file(path, content, judge)
        if fixed.done:
            yield fixed


def fix_file(path: str, content: bytes, judge: Judge) -> FixedFile:
    """One file with all fixes that leave fewer faults, tried together or else one by one."""
    before, done = content, list[Diagnostic]()
    found = judge(path, content)
    for _ in range(_ROUNDS):
        offered = [item for item in found if item.fix]
        for part in (offered, *([item] for item in offered[:_TRIED] if len(offered) > 1)):
            changed, used = edited(content, part)
            if used and is_better(found, after := judge(path, changed)):
                content, found = changed, after
                done += used
                break
        else:
            break
    return FixedFile(path, before, content, tuple(done))


def is_better(before: list[Diagnostic], after: list[Diagnostic]) -> bool:
    """Whether there is less to mend; what could not be seen before does not count against it."""
    for codes in _HIDING:
        hiding, left = _spans(before, codes), _spans(after, codes)
        if hiding or left:
            return len(left) < len(hiding) or (len(left) == len(hiding) and left > hiding)
    return (_errors(after), len(after)) < (_errors(before), len(before))


def _spans(found: list[Diagnostic], codes: re.Pattern[str]) -> list[Span]:
    return sorted(item.span for item in found if codes.fullmatch(item.code))


def _errors(found: list[Diagnostic]) -> int:
    return sum(item.severity is Severity.ERROR for item in found)


def edited(content: bytes, faults: Iterable[Diagnostic]) -> tuple[bytes, list[Diagnostic]]:
    """The content with the fixes of `faults` carried out, and the faults whose were: no edit touches another one.

    What is inserted has the line ends of the file.
    """
    text = content.decode("utf-8", "surrogateescape")
    mark = text[:1] if text.startswith("\ufeff") else ""
    text = text.removeprefix("\ufeff")
    breaks = [found.end() for found in _BREAK.finditer(text)]
    starts = [0, *breaks]
    chosen: dict[tuple[int, int], str] = {}
    used = []
    for fault in faults:
        edits = _placed(fault.fix.edits if fault.fix else (), starts)
        if all(chosen.get(place) == new or _is_free(place, chosen) for place, new in edits.items()):
            chosen.update(edits)
            used.append(fault)
    ending = text[breaks[0] - 2 : breaks[0]] if breaks and text[breaks[0] - 2 : breaks[0]] == "\r\n" else "\n"
    for (start, end), new in sorted(chosen.items(), reverse=True):
        text = text[:start] + new.replace("\n", ending) + text[end:]
    return (mark + text).encode("utf-8", "surrogateescape"), used


def _placed(edits: Iterable[Edit], starts: list[int]) -> dict[tuple[int, int], str]:
    """Offsets of the edits; columns count characters, as the text does."""
    return {
        (_offset(edit.span.line, edit.span.column, starts), _offset(edit.span.end_line, edit.span.end_column, starts)): edit.text
        for edit in edits
    }  # fmt: skip


def _offset(line: int, column: int, starts: list[int]) -> int:
    return starts[min(line, len(starts)) - 1] + column - 1


def _is_free(place: tuple[int, int], chosen: Iterable[tuple[int, int]]) -> bool:
    return all(place[1] < start or end < place[0] for start, end in chosen)
