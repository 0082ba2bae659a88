"""Diagnostics as GitHub workflow commands, which become annotations on a pull request.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
"""

from collections.abc import Mapping, Sequence

from reconciler.diagnostics import Diagnostic, Span
from reconciler.harmless import harmless, own
from reconciler.render.diagnostics import Checked


def render(diagnostics: Sequence[Diagnostic], checked: Checked, *, color: bool) -> str:
    """One command for each diagnostic."""
    return "".join(f"{_command(found)}\n" for found in diagnostics)


def _command(found: Diagnostic) -> str:
    properties = {"file": found.span.file, **_lines(found.span), "title": found.code}
    message = f"{found.message}; {found.hint}" if found.hint else found.message
    return command(str(found.severity), properties, message)


def command(name: str, properties: Mapping[str, object], message: str) -> str:
    """One workflow command."""
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"{own('::')}{name} {listed}::{_data(message)}"


def _lines(span: Span) -> dict[str, int]:
    """Columns are allowed within one line only."""
    if span.line != span.end_line:
        return {"line": span.line, "endLine": span.end_line}
    return {"line": span.line, "endLine": span.end_line, "col": span.column, "endColumn": span.end_column}


def _data(text: str) -> str:
    """Escaped as the runner's toolkit does."""
    return harmless(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
