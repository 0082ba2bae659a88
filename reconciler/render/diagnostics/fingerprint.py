"""What tells one result from another in the services that follow them from commit to commit."""

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from reconciler.diagnostics import Diagnostic

_LINE_NUMBER = re.compile(r"\b(lines?) \d[\d,]*")


def fingerprints(diagnostics: Sequence[Diagnostic]) -> list[str]:
    """A digest for each diagnostic: the same when lines move, different for each.

    Equal faults of one file are numbered in their order.
    """
    seen: Counter[str] = Counter()
    return [_fingerprint(found, seen) for found in diagnostics]


def _fingerprint(found: Diagnostic, seen: Counter[str]) -> str:
    message = _LINE_NUMBER.sub(r"\1", found.message)
    subject = f"{found.code}\0{found.span.file}\0{message}\0{found.snippet.strip()}"
    seen[subject] += 1
    return sha256(f"{subject}\0{seen[subject]}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
