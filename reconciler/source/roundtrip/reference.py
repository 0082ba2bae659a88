"""The second opinion: ruamel.yaml reads a text before and after."""

import warnings
from typing import Any

from reconciler.diagnostics import Diagnostic
from reconciler.source.roundtrip.sameness import digests
from reconciler.source.roundtrip.tree import AsWritten
from reconciler.source.text import SourceText
from reconciler.yaml.tree import documents


class ReferenceRefuses(Exception):
    """ruamel.yaml does not read a text.

    Attributes:
        line, column: where, from 1.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def diagnostic(self, source: SourceText) -> Diagnostic:
        """The refusal of the file `source`."""
        start = (self.line, self.column)
        return source.diagnostic("RC104", self.message, start, (self.line, self.column + 1))


def reference_digests(text: str) -> tuple[bytes, ...]:
    """What ruamel.yaml makes of each document, without regard to the order of keys in our kinds.

    Its scanner and parser are used, not its emitter and constructor: they know YAML 1.2 and give all that
    is to be compared.

    Raises:
        ReferenceRefuses: it does not read the text, for whatever reason.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = documents(YAML(typ="safe", pure=True).parse(text), AsWritten())
            return digests(found, any_order=True)
    except MarkedYAMLError as fault:
        raise _refusal(fault) from fault
    except YAMLError as fault:
        raise ReferenceRefuses(_one_line(fault), 1, 1) from fault


def _refusal(fault: Any) -> ReferenceRefuses:
    mark = fault.problem_mark or fault.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return ReferenceRefuses(_one_line(fault.problem or fault.context), line, column)


def _one_line(text: object) -> str:
    return " ".join(str(text or "not well-formed").split())[:200]
