"""Texts of hostile files as they may stand on a terminal and in the log of a CI job."""

from collections.abc import Sequence

from reconciler.render.style import harmless

# GitHub's and Azure's runners obey what begins so wherever it stands in a line of the log:
# https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
_RUNNER_COMMANDS = ("##[", "##vso[")


def visible(text: str) -> str:
    """`text` on one line, in which nothing is unseen and no runner sees a command."""
    return "".join(cells(text))


def cells(text: str) -> Sequence[str]:
    """What is shown for each character of `text`: itself, or an escape."""
    shown = list(text) if text.isascii() and text.isprintable() else [_cell(char) for char in text]
    for command in _RUNNER_COMMANDS:
        at = text.find(command)
        while at >= 0:
            shown[at + 1] = r"\x23"
            at = text.find(command, at + 1)
    return shown


def _cell(char: str) -> str:
    if char.isascii():
        return harmless(char)
    from unicodedata import category

    if category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return char.encode("ascii", "backslashreplace").decode("ascii")
    return char
