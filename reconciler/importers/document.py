"""The document that is imported, with its references followed, and what could not be carried over."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

from msgspec import Struct, field

from reconciler.importers.values import Json, Object, Pointer, clean, holds_secret, mapping, pointer, without_secrets


class Effect(StrEnum):
    """What became of the part that a note is about."""

    LOST = "lost"
    CHANGED = "changed"
    CHOSEN = "chosen"
    RISK = "risk"


class Note(Struct, frozen=True):
    """One thing to know about an import.

    Attributes:
        code: a key of `NOTES`.
        where: JSON pointer into the imported document, to the first place that it is about; of a text without such, line
            and column. The place exists.
        message: what became of it; never holds a value that may be a secret.
        places: all places that it is about.
    """

    code: str
    where: str
    message: str
    places: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        """What became of the part."""
        return NOTES[self.code][0]


class _Cause(Struct):
    """What one note gathers: places and details, each once, in the order in which they came up."""

    places: dict[str, None] = field(default_factory=dict)
    details: dict[str, None] = field(default_factory=dict)


_SHOWN_DETAILS: Final = 5


class Notebook(Struct):
    """Collects notes: one for each cause, however many places it has.

    Attributes:
        spell: how a place is written.
        root: the document; a pointer ends at the last of its steps that exists there.
    """

    spell: Callable[[Pointer], str] = pointer
    root: Json = None
    _found: dict[tuple[str, str], _Cause] = field(default_factory=dict)

    def add(self, code: str, where: Pointer, message: str, detail: str = "") -> None:
        """Write down one note, or one more place of it; whatever looks like a secret is taken out of it.

        Args:
            message: the cause, the same at all of its places.
            detail: what is particular to this place.
        """
        cause = self._found.setdefault((code, without_secrets(message)), _Cause())
        cause.places[self.spell(self._existing(where))] = None
        if detail:
            cause.details[without_secrets(clean(detail))[:_MAX_DETAIL]] = None

    def all(self) -> list[Note]:
        """All notes in the order in which they came up: that of the document."""
        return [_note(code, message, cause) for (code, message), cause in self._found.items()]

    def _existing(self, where: Pointer) -> Pointer:
        if self.root is None:
            return tuple(
                without_secrets(step) if isinstance(step, str) and holds_secret(step) else step for step in where
            )
        value: Json = self.root
        for index, step in enumerate(where):
            if isinstance(step, str) and holds_secret(step):
                return where[:index]
            if isinstance(value, dict) and step in value:
                value = value[str(step)]
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return where[:index]
        return where


_MAX_DETAIL: Final = 300


def _note(code: str, message: str, cause: _Cause) -> Note:
    places, details = tuple(cause.places), list(cause.details)
    shown = ", ".join(details[:_SHOWN_DETAILS])
    if len(details) > _SHOWN_DETAILS:
        shown += f" and {len(details) - _SHOWN_DETAILS:,} more"
    text = f"{message}: {shown}" if shown else message
    return Note(code, places[0], f"{text} ({len(places):,} places)" if len(places) > 1 else text, places)


NOTES: Final[dict[str, tuple[Effect, str]]] = {
    "not-represented": (Effect.LOST, "parts of the format that a connector has no place for"),
    "malformed": (Effect.LOST, "a part that does not have the form that OpenAPI asks for"),
    "external-reference": (Effect.LOST, "a reference into another file"),
    "unresolved-reference": (Effect.LOST, "a reference that leads nowhere"),
    "unsupported-method": (Effect.LOST, "an operation whose HTTP method connectors do not have"),
    "callbacks": (Effect.LOST, "requests that the data source would send"),
    "webhooks": (Effect.LOST, "requests that the data source would send"),
    "links": (Effect.LOST, "links between operations"),
    "duplicate-parameter": (Effect.LOST, "a second parameter of the same name and place"),
    "unused-path-parameter": (Effect.LOST, "a path parameter that the path has no place for"),
    "undeclared-placeholder": (Effect.CHANGED, "a placeholder of a path that no parameter describes"),
    "body-skipped": (Effect.LOST, "a second body of an operation"),
    "default-dropped": (Effect.LOST, "a default that cannot be carried over"),
    "example-dropped": (Effect.LOST, "an example that cannot be used"),
    "example-chosen": (Effect.CHOSEN, "one of several examples"),
    "example-completed": (Effect.CHANGED, "an example that its schema does not agree with"),
    "style-changed": (Effect.CHANGED, "a value whose form connectors cannot write"),
    "empty-value": (Effect.LOST, "a parameter that may be sent without a value"),
    "part-headers": (Effect.LOST, "headers of a field of a form"),
    "cookie-parameter": (Effect.LOST, "a parameter sent as a cookie"),
    "ignored-header": (Effect.LOST, "a header that OpenAPI says is described elsewhere"),
    "parameter-skipped": (Effect.LOST, "a parameter that cannot be sent"),
    "operation-skipped": (Effect.LOST, "an operation that cannot be called"),
    "unsupported-security": (Effect.LOST, "a way of authorization that connectors do not have"),
    "unsupported-server": (Effect.LOST, "a server that is not reached over http or https"),
    "client-header": (Effect.LOST, "a header that the client or the transport writes"),
    "resource-skipped": (Effect.LOST, "what a page loads, and no interface answers"),
    "entry-disabled": (Effect.LOST, "a part that is switched off"),
    "script": (Effect.LOST, "a script that runs before or after requests"),
    "saved-answer": (Effect.LOST, "answers that were saved as examples"),
    "option-skipped": (Effect.LOST, "an option of the command that a connector has no place for"),
    "file-not-read": (Effect.LOST, "a file that a request would send: none is opened"),
    "connector-skipped": (Effect.LOST, "a connector that cannot be carried over"),
    "text-cut": (Effect.LOST, "a text that was too long"),
    "body-cut": (Effect.LOST, "fields of a body beyond the size that is of use"),
    "body-unknown": (Effect.LOST, "a body whose form the document does not tell"),
    "file-upload": (Effect.CHANGED, "a form field that holds a file"),
    "recursion": (Effect.LOST, "a field whose schema contains itself"),
    "secret-removed": (Effect.CHANGED, "a literal that looks like a secret"),
    "secret-reference": (Effect.CHANGED, "a value that is now read from the environment"),
    "endpoint-renamed": (Effect.CHANGED, "an operationId that could not be kept"),
    "name-changed": (Effect.CHANGED, "a title that could not be kept"),
    "url-changed": (Effect.CHANGED, "a URL that could not be kept as it was"),
    "value-moved": (Effect.CHANGED, "a literal that mustache would have read as a tag"),
    "variable-left": (Effect.CHANGED, "a variable that callers give the value of"),
    "entries-merged": (Effect.CHANGED, "requests that differ only in values"),
    "connector-split": (Effect.CHANGED, "a document too large for one connector"),
    "category-chosen": (Effect.CHOSEN, "a connector whose category the document does not tell"),
    "copy-chosen": (Effect.CHOSEN, "one of several copies of a connector"),
    "server-chosen": (Effect.CHOSEN, "one of several servers"),
    "server-completed": (Effect.CHOSEN, "a server URL that was not complete"),
    "media-type-chosen": (Effect.CHOSEN, "one of several types of body"),
    "alternative-chosen": (Effect.CHOSEN, "one of several schemas"),
    "security-chosen": (Effect.CHOSEN, "one of several ways of authorization"),
    "security-assumed": (Effect.CHOSEN, "authorization that no operation asks for"),
    "token-by-hand": (Effect.RISK, "a flow that needs a person: the token has to be got elsewhere"),
    "security-silent": (Effect.CHOSEN, "an operation that says nothing about authorization, where others do"),
    "security-differs": (Effect.RISK, "an operation whose authorization cannot be sent"),
    "clear-secrets": (Effect.RISK, "credentials that stand in the file in the clear"),
    "tls-unverified": (Effect.RISK, "certificates that are not verified"),
    "plain-http": (Effect.RISK, "credentials over plain http"),
    "no-server": (Effect.RISK, "no server: URLs begin with the path"),
}
"""Code to effect and summary."""


MAX_HOPS: Final = 32


class Resolved(Struct, frozen=True):
    """A value behind its references.

    Attributes:
        value: the value; None when a reference leads nowhere, which a note then says.
        where: where the value itself stands.
        references: the references that were followed.
    """

    value: Json
    where: Pointer
    references: tuple[str, ...] = ()


class ForeignDocument(Struct, frozen=True):
    """A document that is being imported, and the notes on it.

    Attributes:
        is_swagger: whether the language is Swagger 2.0 and not OpenAPI 3.
        anchors: values that have a name of their own, with their places; found when first asked for.
    """

    root: Object
    notes: Notebook
    is_swagger: bool
    anchors: dict[str, tuple[Json, Pointer]] = field(default_factory=dict)

    def follow(self, value: Json, where: Pointer) -> Resolved:
        """What `value`, which stands at `where`, is or refers to."""
        references: tuple[str, ...] = ()
        while isinstance(value, dict) and isinstance(reference := value.get("$ref", value.get("$dynamicRef")), str):
            if len(references) >= MAX_HOPS or reference in references:
                self.notes.add("unresolved-reference", where, "the reference leads back to itself")
                return Resolved(None, where, references)
            references = (*references, reference)
            step = self._step(reference, where)
            if step is None:
                return Resolved(None, where, references)
            value, where = step
        return Resolved(value, where, references)

    def object_at(self, value: Json, where: Pointer) -> tuple[Object, Pointer]:
        """As `follow`, for what must be a mapping; anything else is noted and counts as an empty one."""
        found = self.follow(value, where)
        if not isinstance(found.value, dict) and found.value is not None:
            self.notes.add("malformed", found.where, "a mapping is expected here")
        return mapping(found.value), found.where

    def _step(self, reference: str, where: Pointer) -> tuple[Json, Pointer] | None:
        if not reference.startswith("#"):
            self.notes.add(
                "external-reference", where, "it points into another file; put the target into this one", reference
            )
            return None
        if reference[1:2] not in ("", "/"):
            return self._anchored(reference[1:], where)
        steps = [unquote(step).replace("~1", "/").replace("~0", "~") for step in reference[1:].split("/")[1:]]
        value: Json = self.root
        path: Pointer = ()
        for step in steps:
            if isinstance(value, list) and step.isdecimal() and len(step) < 10 and int(step) < len(value):
                value, path = value[int(step)], (*path, int(step))
            elif isinstance(value, dict) and step in value:
                value, path = value[step], (*path, step)
            else:
                self.notes.add("unresolved-reference", where, "the reference leads nowhere", reference)
                return None
        return value, path

    def _anchored(self, name: str, where: Pointer) -> tuple[Json, Pointer] | None:
        """What has the name `name` by `$anchor`, which JSON Schema has since OpenAPI 3.1."""
        if not self.anchors:
            self.anchors.update({"": (None, ()), **_anchors(self.root)})
        if name not in self.anchors:
            self.notes.add("unresolved-reference", where, "the reference leads nowhere", f"#{name}")
            return None
        return self.anchors[name]


def _anchors(root: Json) -> dict[str, tuple[Json, Pointer]]:
    """Every value that names itself, by its name. What YAML aliases repeat is looked at once."""
    found: dict[str, tuple[Json, Pointer]] = {}
    seen: set[int] = set()
    waiting: list[tuple[Json, Pointer]] = [(root, ())]
    while waiting:
        value, path = waiting.pop()
        if not isinstance(value, dict | list) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            for key in ("$anchor", "$dynamicAnchor"):
                if isinstance(name := value.get(key), str):
                    found.setdefault(name, (value, path))
            waiting += [(item, (*path, step)) for step, item in value.items()]
        else:
            waiting += [(item, (*path, index)) for index, item in enumerate(value)]
    return found


MAX_DESCRIPTION: Final = 4000  # maxLength of every description in schemas/connector.schema.json


def prose(content: str, where: Pointer, notes: Notebook) -> str:
    """A description made fit: cleaned, without secrets, cut to the length that is allowed."""
    found = clean(content).strip()
    if holds_secret(found):
        found = without_secrets(found)
        notes.add("secret-removed", where, "a literal that looks like a secret was taken out of the text")
    if len(found) > MAX_DESCRIPTION:
        notes.add("text-cut", where, f"of a longer text the first {MAX_DESCRIPTION:,} characters are kept")
        found = found[: MAX_DESCRIPTION - 1].rstrip() + "…"
    return found
