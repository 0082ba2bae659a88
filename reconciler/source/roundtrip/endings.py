"""Line endings: each file keeps its own, and has only one sort."""

import re
from collections import Counter

_BREAK = re.compile("\r\n|\r|\n")


def own_ending(text: str) -> str:
    """The line ending that most lines have; the first one on a tie, a line feed when there is none."""
    found = Counter(_BREAK.findall(text)).most_common(1)
    return found[0][0] if found else "\n"


def with_line_feeds(text: str) -> str:
    """The text with a line feed at the end of each line."""
    return _BREAK.sub("\n", text)
