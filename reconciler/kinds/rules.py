"""What stands for all that definitions are judged by, without anything that takes time to load."""

import os
from hashlib import sha256

from reconciler import __version__

VERSION = 2
"""Grows when the same definitions are judged otherwise, or make another body, between two released versions."""

SCHEMAS = ("category", "connector", "group", "permissionpolicy", "accesstest")


def folder() -> str:
    """Where the schema files are: in the wheel beside the code, in a checkout at its top."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    bundled = f"{package}/_schemas"
    return bundled if os.path.isdir(bundled) else f"{os.path.dirname(package)}/schemas"


def rules_digest() -> str:
    """Digest of the schemas of definitions, with the program's version."""
    content = f"{__version__}/{VERSION}".encode()
    place = folder()
    for name in SCHEMAS:
        with open(f"{place}/{name}.schema.json", "rb") as schema:
            content += schema.read()
    digest: str = sha256(content).hexdigest()
    return digest
