"""Files of a configuration repository, several of them replaced as nearly at once as a file system can."""

import os
from collections.abc import Mapping
from pathlib import Path


def replace_files(root: Path, contents: Mapping[str, bytes | None]) -> None:
    """Give files below `root` their new contents; None removes one. Folders are made where they are missing.

    All of it is written beside the files before the first of them is replaced: what can fail, such as a full
    disk, fails before anything has changed. Each file is replaced at once, keeping its mode.
    """
    drafts: dict[Path, Path] = {}
    try:
        for path, data in contents.items():
            if data is not None:
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                drafts[target] = _draft(target, data)
        for target, draft in drafts.items():
            draft.replace(target)
        for path, data in contents.items():
            if data is None:
                (root / path).unlink()
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _draft(target: Path, data: bytes) -> Path:
    """A file beside `target` with its mode and the new content, on the disk."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    with draft.open("xb") as opened:
        if target.exists():
            os.fchmod(opened.fileno(), target.stat().st_mode & 0o7777)
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    return draft
