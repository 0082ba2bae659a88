"""Simple command lines, read without click, which takes as long to load as a plan of one change takes.

What is not known here, or comes in another form, is left to click, which then reads all of it: a test holds both to
the same reading. Nothing here takes time to load.
"""

import os

_COMMON = {
    "-C": "directory", "--directory": "directory", "--env-file": "env_file", "-o": "output", "--output": "output",
    "-q": "quiet", "--quiet": "quiet", "-v": "verbose", "--verbose": "verbose", "--no-input": "no_input",
}  # fmt: skip
_OWN = {
    "plan": {"--ref": "ref", "--full": "full", "--no-cache": "no_cache", "--no-prune": "no_prune", "--adopt": "adopt", "--detailed-exitcode": "detailed"},
    "drift": {"--detailed-exitcode": "detailed"},
    "validate": {"--ref": "ref", "--changed-since": "since", "--coverage": "coverage", "--strict": "strict", "--no-cache": "no_cache"},
}  # fmt: skip
"""By command, the options that may only follow it."""
_WITH_VALUE = ("directory", "env_file", "output", "ref", "since")
_FORMATS = {
    "plan": ("text", "json", "markdown"),
    "drift": ("text", "json", "markdown"),
    "validate": ("text", "json", "sarif", "junit", "github", "gitlab"),
}
_OF_STORES = ("env_file", "no_input")
"""Which `validate` knows only before its name."""
_NO_SETTING = "RECONCILER_STORE_KEY"

Asked = dict[str, str]
"""By option what it is given, "" for a switch; and as "command" the command."""


def read(arguments: list[str]) -> Asked | None:
    """What is asked for; None when that is for click to say."""
    if any(name.startswith(("RECONCILER_", "_RECONCILER")) and name != _NO_SETTING for name in os.environ):
        return None
    asked: Asked = {}
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        command = asked.get("command", "")
        name = _COMMON.get(word) or _OWN.get(command, {}).get(word, "")
        if not command and word in _OWN:
            asked["command"] = word
        elif name in _WITH_VALUE and waiting and waiting[0]:
            asked[name] = waiting.pop(0)
        elif name and name not in _WITH_VALUE:
            asked[name] = ""
        else:
            return None
    command = asked.get("command", "")
    if asked.get("output", "text") not in _FORMATS.get(command, ()):
        return None
    return None if command == "validate" and not asked.keys().isdisjoint(_OF_STORES) else asked
