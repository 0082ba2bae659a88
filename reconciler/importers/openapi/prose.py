"""Descriptions, made fit for a connector."""

from typing import Final

from reconciler.importers.openapi.notes import Notebook
from reconciler.importers.openapi.texts import clean, holds_secret, without_secrets
from reconciler.importers.openapi.values import Pointer

MAX_DESCRIPTION: Final = 4000  # maxLength of every description in schemas/connector.schema.json


def prose(content: str, where: Pointer, notes: Notebook) -> str:
    """A description made fit: cleaned, without secrets, cut to the length that is allowed."""
    found = clean(content).strip()
    if holds_secret(found):
        found = without_secrets(found)
        notes.add("secret-removed", where, "a literal that looks like a secret was taken out of the text")
    if len(found) > MAX_DESCRIPTION:
        notes.add("text-cut", where, f"{len(found):,} characters, of which the first {MAX_DESCRIPTION:,} are kept")
        found = found[: MAX_DESCRIPTION - 1].rstrip() + "…"
    return found
