"""What a validation finds; schemas/diagnostics.schema.json describes it."""

from typing import Annotated, Literal

from pydantic import Field

from reconciler.models.common import Count, Output, Version, Whole, text


class Position(Output):
    """A place in a file; lines and columns count from 1, columns in characters."""

    line: Annotated[Whole, Field(ge=1)]
    column: Annotated[Whole, Field(ge=1)]


class Range(Output):
    """A stretch of a file; the end is exclusive."""

    start: Position
    end: Position


class Edit(Output):
    """Puts a text in place of a stretch of the file; an empty stretch is where it is inserted."""

    range: Range
    text: str


class Fix(Output):
    """What `validate --fix` does about a fault: edits of its file that touch nothing else, and what they do."""

    title: str
    edits: list[Edit]


class Diagnostic(Output):
    """One fault: what is wrong, where, and what to do.

    Attributes:
        code: of the rule; stable.
        severity: an error makes the definitions invalid, a warning does not.
        hint: what to do, or None.
        file: path from the repository's root.
        snippet: the line, with secrets masked, or None.
        fix: what mends it without a doubt, or None.
    """

    code: Annotated[str, text(pattern="^RC[0-9]{3}$")]
    severity: Literal["error", "warning"]
    message: str
    hint: str | None
    file: str
    range: Range
    snippet: str | None
    fix: Fix | None = None

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.range.start.line

    @property
    def column(self) -> int:
        """Where it begins in its line."""
        return self.range.start.column

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.severity} {self.code}: {self.message}"


class ValidationSummary(Output):
    """How much was looked at and found."""

    files: Count
    documents: Count
    errors: Count
    warnings: Count


class ValidationResult(Output):
    """What `validate --format json` prints.

    Attributes:
        diagnostics: by file, line and column.
    """

    version: Version
    summary: ValidationSummary
    diagnostics: list[Diagnostic]

    @property
    def ok(self) -> bool:
        """Whether the definitions are valid; they may have warnings."""
        return not self.summary.errors
