"""The text of one file, with secrets masked, and where its repository is."""

import os
import re
from functools import cached_property

from reconciler.core.secret import MASK, carries_credentials, is_reference_line, is_secret_key, mask_line
from reconciler.diagnostics import Diagnostic, Span

_LINE_BREAK = re.compile("\r\n|\n|\r")
_NAME_ENTRY = re.compile(r"""(?:^|[\s{,-])name\s*:\s*["']?([^\s"',}]+)""")
_VALUE_ENTRY = re.compile(r"""(?P<key>(?:^|[\s{,-])value\s*:\s*)(?P<value>.+)""")
_KEY_LINE = re.compile(r"""^(?P<indent>[\s-]*)["']?(?P<key>[^\s"':#-][^\s"':#]*)["']?\s*:(?:\s|$)""")
_NEAR = 4  # lines between the name and the value of one header
_FAR = 5_000  # lines that are looked at for the key above: what is farther below it is masked
_WIDE = 4_096  # characters of a line that is shown: of a longer one nothing is
Position = tuple[int, int]


class SourceText:
    """Text of one file.

    Attributes:
        file: path as shown to the user.
        data: the bytes of the file.
    """

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.data = data

    @cached_property
    def text(self) -> str:
        """The text without its byte order mark; undecodable bytes become U+FFFD."""
        return self.data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")

    @cached_property
    def lines(self) -> list[str]:
        """Lines of the text without their line breaks."""
        return _LINE_BREAK.split(self.text)

    def position(self, offset: int) -> Position:
        """Line and column, from 1, of the character at `offset` of `text`."""
        before = _LINE_BREAK.split(self.text[:offset])
        return len(before), len(before[-1]) + 1

    def diagnostic(
        self, code: str, message: str, start: Position, end: Position | None = None, *, hint: str = ""
    ) -> Diagnostic:
        """A diagnostic at `start`; an end on a later line is cut to the first line."""
        line = min(start[0], max(len(self.lines), 1))
        column = start[1]
        width = len(self.lines[line - 1])
        end_column = end[1] if end and end[0] == line else width + 1
        span = Span(self.file, line, column, line, max(end_column, column + 1))
        return Diagnostic(code, message, span, self.snippet(line), hint)

    def snippet(self, line: int) -> str:
        """Line number `line` with secrets masked; "" when it is too long to be looked at."""
        shown = self.lines[line - 1]
        if len(shown) > _WIDE:
            return ""
        if self._inside_secret(line):
            return shown[: len(shown) - len(shown.lstrip())] + MASK
        value = _VALUE_ENTRY.search(shown)
        if value and self._near_credential_name(line) and not value["value"].lstrip().startswith("{"):
            return shown[: value.end("key")] + MASK
        return mask_line(shown)

    def _near_credential_name(self, line: int) -> bool:
        nearby = self.lines[max(line - 1 - _NEAR, 0) : line + _NEAR]
        if any(len(shown) > _WIDE for shown in nearby):
            return True
        return any(carries_credentials(name) for shown in nearby for name in _NAME_ENTRY.findall(shown))

    def _inside_secret(self, line: int) -> bool:
        """Whether the line continues a value that began under a secret key on a line above."""
        indent = _indent(self.lines[line - 1])
        first = max(line - 1 - _FAR, 0)
        for above in reversed(self.lines[first : line - 1]):
            if indent == 0:
                return False
            if not above.strip() or _indent(above) >= indent:
                continue
            indent = _indent(above)
            if len(above) > _WIDE:
                return True
            key = _KEY_LINE.match(above)
            if key and is_secret_key(key["key"]):
                return not is_reference_line(self.lines[line - 1])
        return indent > 0 and first > 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


PROJECT_FILE = "reconciler.yaml"
FOLDERS = ("connectors", "policies")


def is_root(folder: str) -> bool:
    """Whether `folder` holds a project file or definitions."""
    return os.path.isfile(f"{folder}/{PROJECT_FILE}") or any(os.path.isdir(f"{folder}/{name}") for name in FOLDERS)


def find_root(start: str) -> str | None:
    """The nearest directory at or above `start` that is a configuration repository."""
    folder = start
    while not is_root(folder):
        above = os.path.dirname(folder)
        if os.path.exists(f"{folder}/.git") or above == folder:
            return None
        folder = above
    return folder


def cache_home() -> str:
    """The program's folder in the user's cache, or "" where there is none."""
    home = os.environ.get("XDG_CACHE_HOME") or (f"{os.environ['HOME']}/.cache" if os.environ.get("HOME") else "")
    return f"{home}/reconciler" if home else ""
