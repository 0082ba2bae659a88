"""Make a new configuration repository, and bring files to their canonical form."""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from reconciler.diagnostics import Diagnostic
from reconciler.durable import make_folder, replace_files
from reconciler.errors import UsageError
from reconciler.kinds import registry

_FILES = {
    "reconciler.yaml": "reconciler.yaml",
    "categories.yaml": "connectors/categories.yaml",
    "connector.yaml": "connectors/public-holidays.yaml",
    "team.yaml": "policies/team.yaml",
    "gitignore": ".gitignore",
    "pre-commit.yaml": ".pre-commit-config.yaml",
    "vscode.json": ".vscode/settings.json",
}
_PIPELINES = {
    "github": {"workflow.yaml": ".github/workflows/connectors.yaml", "gate.yaml": ".github/workflows/permissions.yaml"},
    "gitlab": {"gitlab-ci.yaml": ".gitlab-ci.yml"},
    "none": {},
}
PIPELINES = tuple(_PIPELINES)
_SCAFFOLD = Path(__file__).resolve().parent.parent / "scaffold"
_SCHEMAS = ("category", "connector", "group", "permissionpolicy", "accesstest", "project", "resource")


class Scaffold(Struct, frozen=True):
    """What was made.

    Attributes:
        written: paths of the new files, from the repository's root.
        kept: paths that were there already and were left alone.
    """

    written: tuple[str, ...]
    kept: tuple[str, ...]


def make_repository(root: Path, pipeline: str, top: Path) -> Scaffold:
    """Write the files of a new configuration repository into `root`; files that exist are left alone.

    Args:
        pipeline: one of `PIPELINES`.
        top: of the git repository that it lies in, where platforms read the files of pipelines; `root` itself, or above.

    Raises:
        UsageError: `root` holds definitions already, or cannot be written.
    """
    if any(
        path.suffix in (".yaml", ".yml") for name in ("connectors", "policies") for path in (root / name).glob("**/*")
    ):
        raise UsageError(f"{root} holds definitions already", hint="name an empty directory")
    contents = _contents(root) | _pipeline(root, pipeline, top)
    kept = tuple(path for path in contents if os.path.lexists(root / path))
    written = tuple(path for path in contents if path not in kept)
    try:
        make_folder(root, 0o777)
        replace_files(root, {path: contents[path] for path in written if not path.startswith("..")})
        replace_files(top, {_from(top, root / path): contents[path] for path in written if path.startswith("..")})
    except OSError as failure:
        raise UsageError(f"{failure.filename or root} cannot be written: {failure.strerror}") from failure
    return Scaffold(written, kept)


def _from(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def _pipeline(root: Path, pipeline: str, top: Path) -> dict[str, bytes]:
    """The files of a pipeline, by their paths from `root`; below the top they are told where to work."""
    below = _from(top, root)
    found = {}
    for name, target in _PIPELINES[pipeline].items():
        content = (_SCAFFOLD / name).read_bytes()
        if below == ".":
            found[target] = content
            continue
        path = top / target
        if pipeline == "github":  # the platform reads every file of the folder, so that another one may be beside it
            path = path.with_name(f"{_slug(below)}-{path.name}")
        found[_from(root, path)] = _working_in(below, content.decode(), pipeline).encode()
    return found


def _working_in(below: str, text: str, pipeline: str) -> str:
    quoted = json.dumps(below)
    if pipeline == "github":
        name = _slug(below)
        text = text.replace("name: connectors\n", f"name: {name}-connectors\n", 1).replace(
            "name: permissions\n", f"name: {name}-permissions\n", 1
        )
        return text.replace("\njobs:\n", f"\ndefaults:\n  run:\n    working-directory: {quoted}\njobs:\n", 1)
    install = '    - pip install "$RECONCILER_PACKAGE"'
    text = text.replace(install, f"    - cd {quoted}\n{install}", 1)
    return text.replace("> quality.json", '> "$CI_PROJECT_DIR/quality.json"', 1)


def _slug(path: str) -> str:
    return "-".join(re.findall(r"[A-Za-z0-9]+", path)) or "reconciler"


def _contents(root: Path) -> dict[str, bytes]:
    found = {target: (_SCAFFOLD / name).read_bytes() for name, target in _FILES.items()}
    owner = "".join(
        char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in root.resolve().name
    )
    found["reconciler.yaml"] = found["reconciler.yaml"].replace(b"OWNER", owner.strip("._-").encode() or b"connectors")
    for name in _SCHEMAS:
        found[f".schemas/{name}.schema.json"] = registry.text(f"{name}.schema.json")
    return found


class FileOutcome(Struct, frozen=True):
    """What became of one file.

    Attributes:
        text: its new content when it is not canonical yet, else None.
        diagnostics: why it cannot be formatted.
    """

    path: str
    text: bytes | None
    diagnostics: tuple[Diagnostic, ...]


Format = Callable[[bytes, str], tuple[bytes | None, tuple[Diagnostic, ...]]]
"""From content and path to the canonical content, or None with the reasons why there is none."""


def format_all(files: Iterable[tuple[str, bytes | Diagnostic]], canonical: Format) -> Iterator[FileOutcome]:
    """The outcome for each file; nothing is written here."""
    for path, content in files:
        if isinstance(content, Diagnostic):
            yield FileOutcome(path, None, (content,))
            continue
        text, diagnostics = canonical(content, path)
        yield FileOutcome(path, text if text != content else None, diagnostics)
