"""Regular expressions that are compiled when they are used first: compiling takes longer than most uses of them."""

import re
from typing import Any, AnyStr, cast


class _Pattern:
    """What turns into a compiled expression, method by method."""

    def __init__(self, text: Any, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, found)
        return found


def pattern(text: AnyStr, flags: int = 0) -> "re.Pattern[AnyStr]":
    """A regular expression, which is compiled when it is used first."""
    return cast("re.Pattern[AnyStr]", _Pattern(text, flags))
