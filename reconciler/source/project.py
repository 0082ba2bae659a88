"""The project file, reconciler.yaml."""

import os
from pathlib import Path
from typing import Any

from reconciler.diagnostics import Diagnostic, Finding, Place
from reconciler.source import files, places
from reconciler.source.yaml.loading import Loaded, fast_parser, load, load_carefully

PROJECT_FILE = places.PROJECT_FILE


def read_project(root: Path) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The settings in the project file, {} without one, and what is wrong with it."""
    if not os.path.lexists(root / PROJECT_FILE):
        return {}, []
    content = next(files.read_working_tree(root, [PROJECT_FILE]))
    return ({}, [content]) if isinstance(content, Diagnostic) else parse_project(content)


def parse_project(content: bytes) -> tuple[dict[str, Any], list[Diagnostic]]:
    """The settings in the bytes of a project file, and what is wrong with them."""
    loaded = load(content, PROJECT_FILE, fast_parser())
    if loaded.faults or not loaded.documents:
        return {}, loaded.faults
    if _is_valid(loaded.documents):
        return loaded.documents[0][1], []
    careful = load_carefully(content, PROJECT_FILE, fast_parser())  # knows positions, and decides
    if careful.faults or not careful.documents:
        return {}, careful.faults
    return careful.documents[0][1], _located(content, careful, _findings(careful.documents))


def _is_valid(documents: list[tuple[int, Any]]) -> bool:
    try:
        return documents[0][1].get("kind") == "Project" and not _findings(documents)
    except (TypeError, ValueError):  # keys that are not texts, numbers beyond JSON
        return False


def _findings(documents: list[tuple[int, Any]]) -> list[Finding]:
    from reconciler.kinds.registry import is_valid
    from reconciler.source.schema import explain

    first, document = documents[0]
    found = [
        Finding("RC209", "the project file holds more than one document", Place(index), "remove it")
        for index, _ in documents[1:]
    ]
    if document.get("kind") != "Project" or not is_valid("Project", document):
        found += explain(document, first, ("Project",))
    target = document.get("defaultTarget")
    if not found and target is not None and target not in document.get("targets", {}):
        message = f"the target '{target}' is not defined"
        found.append(Finding("RC301", message, Place(first, ("defaultTarget",)), "define it under targets"))
    return found


def _located(data: bytes, loaded: Loaded, findings: list[Finding]) -> list[Diagnostic]:
    from reconciler.source.locate import locate
    from reconciler.source.text import SourceText

    return locate(SourceText(PROJECT_FILE, data), loaded.nodes, findings)


def find_root(start: Path) -> Path | None:
    """The nearest directory at or above `start` that is a configuration repository."""
    found = places.find_root(str(start))
    return Path(found) if found is not None else None


def is_root(folder: Path) -> bool:
    """Whether `folder` holds a project file or definitions."""
    return places.is_root(str(folder))
