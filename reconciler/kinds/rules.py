"""What stands for all that definitions are judged by."""

from hashlib import sha256

from reconciler import __version__
from reconciler.kinds import schemas
from reconciler.kinds.registry import KINDS, SCHEMA_FILES

VERSION = 1
"""Grows when the same definitions are judged otherwise, or make another body, between two released versions."""


def rules_digest() -> str:
    """Digest of the schemas, with the program's version."""
    digest = sha256(f"{__version__}/{VERSION}".encode())
    for kind in KINDS:
        digest.update(schemas.text(SCHEMA_FILES[kind]))
    return digest.hexdigest()
