"""What comes of a project file, noted in the user's cache, so that a quick answer need not load what reads YAML.

A note is believed only beside the very bytes of the project file that it was made of. Nothing here takes time to load.
"""

import os

from reconciler import __version__
from reconciler.source.places import cache_home

_MARK = f"reconciler settings {__version__}"
_MAX_NAME = 200


class Noted:
    """What a quick answer has to know.

    Attributes:
        store: path of the store's file.
        tokens: whether access tokens are looked at.
    """

    def __init__(self, target: str, owner: str, store: str, tokens: str) -> None:
        self.target = target
        self.owner = owner
        self.store = store
        self.tokens = tokens == "tokens"


def note(root: str, project: bytes | None, target: str, owner: str, store: str, *, tokens: bool) -> None:
    """Note the settings of a run that no option changes. What cannot be noted is not."""
    path = _path(root)
    if not path:
        return
    text = _text(root, project, "\0".join((target, owner, store, "tokens" if tokens else "")))
    if _read(path) == text:
        return
    draft = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(text)
        os.replace(draft, path)
    except OSError:
        return  # a cache that cannot be written is none


def noted(root: str, project: bytes | None) -> Noted | None:
    """The note of a project file, if there is one of just these bytes."""
    found = _read(_path(root))
    head, _, _ = found.partition(b"\n")
    if not found or _text(root, project, head.decode("utf-8", "surrogateescape")) != found:
        return None
    parts = head.decode("utf-8", "surrogateescape").split("\0")
    return Noted(*parts) if len(parts) == 4 else None


def _text(root: str, project: bytes | None, head: str) -> bytes:
    about = f"{head}\n{_MARK}\n{root}\n".encode("utf-8", "surrogateescape")
    return about + (b"without\n" if project is None else b"with\n" + project)


def _path(root: str) -> str:
    """Where the note is, or "" for nowhere."""
    home, name = cache_home(), root.replace("%", "%25").replace("/", "%2F")
    return f"{home}/settings/{name}" if home and len(name) <= _MAX_NAME else ""


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as opened:
            return opened.read()
    except OSError:
        return b""
