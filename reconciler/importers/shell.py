"""The words of a command line as a POSIX shell splits it; nothing is expanded, looked up or run."""

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

from reconciler.importers.syntax import NotImportable
from reconciler.importers.templates import Template, Variable, merged

_NAME = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*+)[^{}]*+\}|([A-Za-z_][A-Za-z0-9_]*+))")
_PLAIN = re.compile(r"[^\s'\"\\$`;&|<>()#]+")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.DOTALL)
_NAMED: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v", "0": "\0"}
_CMD = re.compile(r'\bcurl(?:\.exe)?\s+\^"|\s\^[ \t]*\r?\n')
_QUOTED = re.compile(r"(?:[^'\\]|\\.)*'", re.DOTALL)
_IN_DOUBLE = re.compile(r'[^"\\$`]+|\\')
_SUBSTITUTION: Final = "command"


class Word(Struct, frozen=True):
    """One word of a command, and where it begins."""

    value: Template
    line: int
    column: int


class _Shell(Struct):
    text: str
    file: str
    at: int = 0
    commands: list[list[Word]] = field(default_factory=lambda: [[]])
    parts: list[str | Variable] = field(default_factory=list)
    start: int = -1  # of the word that is being read, or -1
    drops: str = ""  # "word": the next belongs to a redirection; "command": what follows belongs to another program
    line: int = 1
    line_start: int = 0
    counted: int = 0  # how far lines were counted


def commands_of(text: str, file: str) -> list[list[Word]]:
    """The commands in `text`, each as its words; what is piped or redirected to is left out.

    Raises:
        NotImportable: a quotation mark is never closed, or it is no POSIX shell that the text was written for.
    """
    if _CMD.search(text):
        raise NotImportable(f"{file}:1:1: this was copied for Windows' cmd", hint='copy it "as cURL (bash)"')
    shell = _Shell(text.replace("\r\n", "\n"), file)
    while shell.at < len(shell.text):
        _STEPS.get(shell.text[shell.at], _plain)(shell)
    _end_command(shell)
    return [command for command in shell.commands if command]


def _plain(shell: _Shell) -> None:
    found = _PLAIN.match(shell.text, shell.at)
    _take(shell, found[0] if found else shell.text[shell.at])


def _take(shell: _Shell, text: str | Variable, size: int = -1) -> None:
    """Add to the word; `size` is how much of the command line that was."""
    if shell.start < 0:
        shell.start = shell.at
    shell.parts.append(text)
    shell.at += len(text) if isinstance(text, str) and size < 0 else size


def _end_word(shell: _Shell) -> None:
    if shell.start >= 0 and not shell.drops:
        line, column = _position(shell, shell.start)
        shell.commands[-1].append(Word(merged(shell.parts), line, column))
    elif shell.start >= 0 and shell.drops == "word":
        shell.drops = ""
    shell.start, shell.parts = -1, []


def _position(shell: _Shell, at: int) -> tuple[int, int]:
    """Line and column; asked for in the order of the text, so that no line is counted twice."""
    lines = shell.text.count("\n", shell.counted, at)
    if lines:
        shell.line, shell.line_start = shell.line + lines, shell.text.rfind("\n", shell.counted, at) + 1
    shell.counted = at
    return shell.line, at - shell.line_start + 1


def _end_command(shell: _Shell) -> None:
    _end_word(shell)
    shell.commands.append([])
    shell.drops = ""


def _space(shell: _Shell) -> None:
    _end_word(shell)
    if shell.text[shell.at] == "\n":
        _end_command(shell)
    shell.at += 1


def _operator(shell: _Shell) -> None:
    sign = shell.text[shell.at]
    doubled = shell.text[shell.at : shell.at + 2] == sign * 2
    if sign in "<>" or (sign == "&" and shell.text[shell.at + 1 : shell.at + 2] == ">"):
        if shell.start >= 0 and shell.parts in (["1"], ["2"]):
            shell.start, shell.parts = -1, []  # the number of a stream
        _end_word(shell)
        shell.drops = shell.drops or "word"
        shell.at += 1 + doubled
        return
    piped = sign == "|" and not doubled
    shell.at += 1 + doubled
    if sign == "&" and not doubled and shell.drops:
        return  # of 2>&1
    _end_command(shell)
    shell.drops = "command" if piped else ""


def _comment(shell: _Shell) -> None:
    if shell.start >= 0:
        _take(shell, "#")
        return
    end = shell.text.find("\n", shell.at)
    shell.at = len(shell.text) if end < 0 else end


def _backslash(shell: _Shell) -> None:
    following = shell.text[shell.at + 1 : shell.at + 2]
    if following == "\n":
        shell.at += 2
    else:
        _take(shell, following, 2)


def _single(shell: _Shell) -> None:
    end = shell.text.find("'", shell.at + 1)
    if end < 0:
        raise _unclosed(shell, "'")
    _take(shell, shell.text[shell.at + 1 : end], end + 1 - shell.at)


def _unclosed(shell: _Shell, sign: str) -> NotImportable:
    line, column = _position(shell, shell.at)
    return NotImportable(f"{shell.file}:{line}:{column}: {sign} is never closed", hint="copy the whole command")


def _double(shell: _Shell) -> None:
    begun = shell.at
    _take(shell, "", 1)
    while shell.at < len(shell.text) and shell.text[shell.at] != '"':
        sign = shell.text[shell.at]
        if sign == "\\" and (following := shell.text[shell.at + 1 : shell.at + 2]) in ("\\", '"', "$", "`", "\n"):
            _take(shell, following.strip("\n"), 2)
        elif sign in "$`":
            _variable(shell, quoted=True)
        else:
            end = _IN_DOUBLE.match(shell.text, shell.at)
            _take(shell, end[0] if end else sign)
    if shell.at >= len(shell.text):
        shell.at = begun
        raise _unclosed(shell, '"')
    shell.at += 1


def _variable(shell: _Shell, *, quoted: bool = False) -> None:
    """$NAME, ${NAME}, $'...', $(...) and `...`."""
    text, at = shell.text, shell.at
    if found := _NAME.match(text, at):
        name = found[1] or found[2]
        _take(shell, Variable(name, environment=name), len(found[0]))
    elif text[at] == "`":
        end = text.find("`", at + 1)
        _take(shell, Variable(_SUBSTITUTION), (len(text) if end < 0 else end + 1) - at)
    elif text.startswith("$(", at):
        _take(shell, Variable(_SUBSTITUTION), _balanced(text, at + 1) - at)
    elif text.startswith("$'", at) and not quoted:
        quoted_text = _QUOTED.match(text, at + 2)
        if quoted_text is None:
            raise _unclosed(shell, "$'")
        _take(shell, _ESCAPE.sub(_unescaped, quoted_text[0][:-1]), 2 + len(quoted_text[0]))
    elif text.startswith('$"', at) and not quoted:
        shell.at += 1
    else:
        _take(shell, "$")


def _balanced(text: str, at: int) -> int:
    depth = 0
    for index in range(at, len(text)):
        depth += (text[index] == "(") - (text[index] == ")")
        if depth == 0:
            return index + 1
    return len(text)


def _unescaped(found: re.Match[str]) -> str:
    if found[5] is not None:
        return _NAMED.get(found[5], found[5] if found[5] in "\\'\"?" else f"\\{found[5]}")
    code = int(found[4], 8) if found[4] else int(found[1] or found[2] or found[3], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


_STEPS: Final[dict[str, Callable[[_Shell], None]]] = {
    **dict.fromkeys(" \t\n", _space),
    **dict.fromkeys(";&|<>", _operator),
    "#": _comment,
    "\\": _backslash,
    "'": _single,
    '"': _double,
    "$": _variable,
    "`": _variable,
}
