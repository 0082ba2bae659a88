"""Files that ProcessMaker instances export and import."""

from collections.abc import Callable
from pathlib import Path

from reconciler.core.secret import Secret
from reconciler.errors import UsageError
from reconciler.wiring.exchange import content_of_source
from reconciler.wiring.imports import ImportRequest, PreparedImport, prepared_of
from reconciler.wiring.run import open_source


def import_processmaker(
    root: Path | None, request: ImportRequest, password: Callable[[], Secret], *, collections: bool
) -> PreparedImport:
    """As `import_openapi`, of a file that a ProcessMaker instance exported.

    Args:
        password: asked for where the file is protected by one.
        collections: whether connectors that the instance generated for its collections are wanted, too.

    Raises:
        WrongPassword: the file does not open with that password.
        NotImportable, UsageError, NetworkFailure, SourceUnavailable: see their texts.
    """
    from reconciler.importers.processmaker import Choice, convert
    from reconciler.importers.processmaker_seal import is_sealed, opened
    from reconciler.importers.syntax import read

    document = read(content_of_source(request.source), request.source)
    sealed = is_sealed(document)
    if sealed:
        document = opened(document, password())
    known = {} if root is None else _known(root)
    choice = Choice(request.name, request.categories, sealed, collections, known)
    return prepared_of(convert(document, choice), root, request)


def _known(root: Path) -> dict[tuple[str, str], str]:
    """What the repository calls its categories and connectors, by kind and folded display name."""
    resources = open_source(root, "").load().resources.values()
    return {(found.key.kind, found.display): found.key.name for found in resources if found.display}


MAX_PASSWORD = 4096


def password_at(place: str) -> Secret:
    """The password that a place, env:NAME or file:PATH, holds. One line break at its end is no part of it.

    Raises:
        UsageError: it is no such place, or holds none.
    """
    import os

    sort, _, target = place.partition(":")
    if sort not in ("env", "file") or not target:
        raise UsageError("--password takes where the password is, and never the password", hint="write env:NAME or file:PATH")  # fmt: skip
    if sort == "env":
        found = os.environ.get(target, "")
        if not found:
            raise UsageError(f"--password: the variable {target} is not set", hint="set it, or leave the option out to be asked")  # fmt: skip
        return Secret(found)
    try:
        with Path(target).open(encoding="utf-8") as opened:
            found = opened.read(MAX_PASSWORD + 2).removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else "it is not UTF-8"
        raise UsageError(f"--password: {target} cannot be read: {reason}", hint="name a file with the password alone") from None  # fmt: skip
    if not found or len(found) > MAX_PASSWORD:
        raise UsageError(f"--password: {target} holds no password", hint="name a file with the password alone")
    return Secret(found)
