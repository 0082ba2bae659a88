"""A saved plan as it comes in, from whoever wrote the file; schemas/saved-plan.schema.json describes it."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, ValidationError, model_validator

from reconciler.models.common import Action, Model, Version, Whole, text, whole

_Moment = Annotated[str, text(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,16}Z$")]
_Large = Annotated[Whole, Field(ge=0, le=2**53 - 1)]
_MOST = 1 << 22
_Position = Annotated[Whole, Field(ge=0, le=_MOST)]


def _value(value: Any) -> Any:
    if not isinstance(value, str | dict):
        raise ValueError("has to be a text or an object")
    return value


def _path_step(value: Any) -> Any:
    number = whole(value)
    if isinstance(value, str) or (type(number) is int and 0 <= number <= _MOST):
        return number
    raise ValueError("has to be a key or a position")


_Value = Annotated[Any, AfterValidator(_value)]
_PathStep = Annotated[Any, AfterValidator(_path_step)]


class SourceFile(Model):
    """Where the definitions of the plan were read from."""

    model_config = ConfigDict(extra="ignore")
    commit: str | None
    ref: str | None
    dirty: StrictBool
    past: str = ""


class SummaryFile(Model):
    """Records no longer defined and not pruned."""

    model_config = ConfigDict(extra="ignore")
    kept: _Large


class ReviewedFile(Model):
    """What was reviewed, as far as it is used: the steps are what is carried out."""

    model_config = ConfigDict(extra="ignore")
    target: str
    owner: str
    fingerprint: str
    source: SourceFile
    summary: SummaryFile
    changes: list[dict[str, Any]]


class PreconditionFile(Model):
    """The live record as it was."""

    kind: str
    name: str
    uid: str
    fingerprint: str
    applied: str
    owner: str
    leaves: dict[str, str]


class UnwrittenFile(Model):
    """A field that stands in no body; without `before` it is new."""

    path: Annotated[list[_PathStep], Field(min_length=1)]
    origin: Literal["secret", "token"]
    before: _Value = ""
    after: _Value


class RevivalFile(Model):
    """The deleted record that comes back."""

    uid: str
    deleted_at: str
    run: _Large
    quarantined: StrictBool
    secrets: list[str]


class StepFile(Model):
    """One change."""

    action: Action
    kind: str
    name: str
    declared: dict[str, Any] | None
    file: str | None
    document: _Position | None
    record: PreconditionFile | None
    unwritten: list[UnwrittenFile]
    notes: list[str]
    restores: RevivalFile | None = None
    written: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _fits_its_action(self) -> Self:
        placed = None not in (self.declared, self.file, self.document)
        if self.action == "delete" and self.declared is not None:
            raise ValueError("a delete declares nothing")
        if self.action != "delete" and not placed:
            raise ValueError(f"what the {self.action} declares, or where it stands, is missing")
        if (self.record is None) != (self.action in ("create", "restore")):
            raise ValueError(f"the {self.action} {'has no' if self.record is None else 'has a'} record")
        if (self.restores is not None) != (self.action == "restore"):
            raise ValueError("a restore, and nothing else, restores a record")
        if self.written is not None and self.action != "restore":
            raise ValueError(f"the {self.action} is not written otherwise than it is declared")
        return self


class ReferredFile(Model):
    """A record that is referred to and not touched."""

    kind: str
    name: str
    uid: str
    fingerprint: str


class SignatureFile(Model):
    """Who vouches for it."""

    algorithm: Literal["ed25519"]
    key: str
    value: str


class SavedPlanFile(Model):
    """All of it."""

    version: Version
    type: Literal["saved-plan"]
    tool: str
    created: _Moment
    expires: _Moment
    verb: Literal["apply", "rollback", "restore"]
    store: str | None
    adopt: StrictBool
    plan: ReviewedFile
    differing: _Large
    steps: list[StepFile]
    refers: list[ReferredFile]
    digest: Annotated[str, text(pattern="^[0-9a-f]{64}$")]
    signature: SignatureFile | None = None


MOST = 10
_WORDS = {
    "bool_type": "has to be true or false",
    "dict_type": "has to be an object",
    "extra_forbidden": "is not known",
    "greater_than_equal": "has to be {ge} at least",
    "int_type": "has to be a whole number",
    "less_than_equal": "may be {le} at most",
    "list_type": "has to be a list",
    "literal_error": "has to be {expected}",
    "missing": "is missing",
    "model_type": "has to be an object",
    "string_pattern_mismatch": "does not have the form {pattern}",
    "string_type": "has to be a text",
    "too_short": "has to hold {min_length} at least",
}


def faults(refusal: ValidationError) -> tuple[str, ...]:
    """Where something is wrong, and what, one sentence each; never the value that stands there."""
    found = [*_told(refusal)]
    more = [f"and {len(found) - MOST:,} more"] if len(found) > MOST else []
    return (*found[:MOST], *more)


def _told(refusal: ValidationError) -> Iterator[str]:
    for error in refusal.errors(include_input=False, include_url=False):
        place = ".".join(str(step) for step in error["loc"])
        yield f"{place}: {_words(error)}" if place else _words(error)


def _words(error: Any) -> str:
    about = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(about["error"])
    known = _WORDS.get(error["type"])
    return known.format(**about) if known else str(error["msg"])
