"""What stands for all that a file of definitions is judged by: code, libraries, schemas, Python itself."""

import os
import sys
from hashlib import sha256
from importlib.util import find_spec

from reconciler.kinds.rules import rules_digest

_FOLDERS = (".", "core", "kinds", "kinds/requests", "source", "source/yaml", "yaml")
_LIBRARIES = ("yaml_rs", "jsonschema_rs", "msgspec", "yaml")


def judges() -> bytes:
    """A digest that is another one as soon as the same bytes might be judged, or written down, otherwise."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = sha256(f"{sys.version} {sys.byteorder} {rules_digest()}".encode())
    for folder in _FOLDERS:
        for name in sorted(os.listdir(f"{package}/{folder}")):
            if name.endswith(".py"):
                with open(f"{package}/{folder}/{name}", "rb") as module:
                    found.update(f"\n{folder}/{name}\n".encode())
                    found.update(module.read())
    for name in _LIBRARIES:
        found.update(f"\n{name} {_version(name)}".encode())
    return found.digest()


def _version(library: str) -> str:
    """What tells versions of a library apart, without what takes long to load to ask for it; "" where there is none."""
    spec = find_spec(library)
    if spec is None or not spec.submodule_search_locations:
        return ""
    (folder, *_) = spec.submodule_search_locations
    beside = os.listdir(os.path.dirname(folder))
    installed = sorted(name for name in beside if name.endswith(".dist-info") and library in name.lower())
    sizes = [f"{entry.name}={entry.stat().st_size}" for entry in os.scandir(folder) if entry.is_file()]
    return " ".join([*installed, *sorted(sizes)])
