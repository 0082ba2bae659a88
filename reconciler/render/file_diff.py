"""What changes in a file of definitions, line by line, with secrets masked."""

from difflib import unified_diff

from reconciler.core.secret import mask_line
from reconciler.harmless import harmless


def file_diff(path: str, before: bytes | None, after: bytes | None) -> str:
    """A unified diff; None is a file that is not there."""
    old, new = ((content or b"").decode("utf-8", "replace").splitlines(keepends=True) for content in (before, after))
    old_name, new_name = (
        ("/dev/null" if before is None else f"a/{path}"),
        ("/dev/null" if after is None else f"b/{path}"),
    )
    lines = unified_diff(old, new, old_name, new_name)
    return "".join(harmless(mask_line(line.rstrip("\r\n"))) + "\n" for line in lines)
