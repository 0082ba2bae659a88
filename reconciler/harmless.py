"""Texts of others, made harmless for whoever reads them on a terminal or in the log of a CI job.

They come from files, servers, stores and command lines, and so from people who may not wish us well. A terminal
obeys control characters, marks of text direction hide what a line says, and the runners of CI jobs obey commands:
`##[name]` and `##vso[name]` wherever they stand in a line, `::name::` at the start of one
(https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs). All of that is shown, not sent.

`harmless` makes one text of others harmless, so that it stays on its line. `harmless_lines` is the border: whatever
is written to a stream goes through it, and only what `own` marks comes through unseen.
"""

import os
import re
from collections.abc import Callable

_MARK = f"\0{os.urandom(8).hex()}\0"
"""Stands around what is our own. It is drawn anew in each process, so that no text can hold it."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SEEN_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
"""Signs of category Cf that are written, such as the Arabic one before a number."""
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
"""Letters and marks that nothing is seen of."""
_PLANE, _NONCHARACTERS, _TAGS = 0xFFFF, range(0xFDD0, 0xFDF0), range(0xE0000, 0xE1000)
_JOINER = "\u200d"
_COMMAND = re.compile(r"#[\ufe0e\ufe0f]*(?=#(?:[^\W\d_]|[\ufe0e\ufe0f]){0,40}\[)")
"""Before what may begin a command: runners know `##[`, `##vso[`, `##teamcity[`, and may overlook what has no width."""


def is_text(text: str) -> bool:
    """Whether `text` can be written as UTF-8: names of files and arguments may be bytes that are no text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Escapes(dict[int, str]):
    """A table for `str.translate`: what is not seen becomes an escape. It fills as characters come up."""

    def __init__(self, escape: Callable[[str], str], kept: str = "") -> None:
        """Escape by `escape` all that is not seen but for the characters `kept`."""
        super().__init__((ord(char), char) for char in kept)
        self._escape = escape

    def __missing__(self, code: int) -> str:
        """What a character becomes that comes up for the first time."""
        char = chr(code)
        self[code] = self._escape(char) if _is_unseen(char) else char
        return self[code]


def _is_unseen(char: str) -> bool:
    if char.isascii():
        return not char.isprintable()
    from unicodedata import category

    code = ord(char)
    if code & _PLANE >= _PLANE - 1 or code in _NONCHARACTERS or code in _TAGS or char in _BLANK:
        return True
    return category(char) in _UNSEEN and char not in _SEEN_FORMATS


def _escaped(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode("ascii") if ord(char) > 0x7F else f"\\x{ord(char):02x}"


_ESCAPES, _ESCAPES_OF_LINES = Escapes(_escaped), Escapes(_escaped, kept="\n")


def own(text: str) -> str:
    """A constant of our own that the border lets through: a terminal's sequence, the beginning of a command."""
    return f"{_MARK}{text}{_MARK}"


def harmless(text: str) -> str:
    """`text` on one line, in which nothing is unseen and no runner finds a command."""
    return "".join(cells(text)) if _needs_context(text) else text.translate(_ESCAPES)


def cells(text: str) -> list[str]:
    """What is shown for each character of `text`: itself, or an escape."""
    shown = [_ESCAPES[ord(char)] for char in text]
    at = text.find(_JOINER)
    while at >= 0:
        if _joins(text, at):
            shown[at] = _JOINER
        at = text.find(_JOINER, at + 1)
    for found in _COMMAND.finditer(text):
        shown[found.end()] = r"\x23"
    return shown


def _needs_context(text: str) -> bool:
    """Whether what becomes of a character hangs on its neighbours."""
    return _JOINER in text or _COMMAND.search(text) is not None


def _joins(text: str, at: int) -> bool:
    """Whether the joiner there makes one picture of two, as in those of families."""
    return _is_picture(text[at - 1 : at]) and _is_picture(text[at + 1 : at + 2])


def _is_picture(char: str) -> bool:
    return "\u2600" <= char <= "\u27bf" or "\U0001f000" <= char <= "\U0001faff" or char == "\ufe0f"


def harmless_lines(text: str) -> str:
    """`text` of any number of lines as it may be written to a stream; what is marked as our own stays as it is."""
    if _MARK not in text:
        return _bordered(text)
    pieces = text.split(_MARK)
    pieces[::2] = map(_bordered, pieces[::2])
    return "".join(pieces)


def _bordered(text: str) -> str:
    if "::" in text or _needs_context(text):
        return "\n".join(map(_commandless, text.split("\n")))
    return text.translate(_ESCAPES_OF_LINES)


def _commandless(line: str) -> str:
    """A line that is harmless, and does not begin with a command."""
    line = harmless(line)
    rest = line.lstrip()
    return rf"{line[: len(line) - len(rest)]}\x3a{rest[1:]}" if rest.startswith("::") else line
