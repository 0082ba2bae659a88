"""Mustache in URLs, parameters, headers and bodies: does it parse?

The language is mustache(5), https://mustache.github.io/mustache.5.html.
"""

import re

_PLAIN = re.compile(r"\{\{\{\s*[\w.\-]+\s*\}\}\}|\{\{&?\s*[\w.\-]+\s*\}\}")
_NAME = re.compile(r"[\w.\-]+(?: [\w.\-]+)*")
_NAMED = ("variable", "no escape", "no escape?", "section", "inverted section", "end", "partial")


def template_fault(text: str) -> str:
    """Why `text` does not parse as mustache, or "" when it does. Nothing of the text is repeated but tag names."""
    rest = _PLAIN.sub("", text)
    if "{{" not in rest:
        return ""
    from chevron_blue.tokenizer import ChevronError, tokenize

    if rest.rstrip().endswith("{{"):
        return "a tag is not closed with }}"
    try:
        for kind, key in tokenize(rest):
            if kind in _NAMED and not _NAME.fullmatch(key):
                return "a tag does not hold a name"
    except ChevronError as fault:
        return _reason(str(fault))
    except (IndexError, ValueError):  # an empty tag, empty delimiters
        return "a tag is empty"
    return ""


def _reason(message: str) -> str:
    if "was never closed" in message:
        return "a section is not closed"
    if "Trying to close" in message:
        return "a section is closed that is not the last one opened"
    return "a tag is not closed with }}"
