"""Saved plans as files: written whole or not at all, read with suspicion."""

import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import structs

from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.model import Key, Resource, encode
from reconciler.core.plan import Action, Plan, Revision
from reconciler.core.ports.store import Store
from reconciler.core.quarantine import Revival
from reconciler.core.saved_plan import Precondition, Referred, SavedPlan, SavedStep
from reconciler.durable import replace_file
from reconciler.errors import GuardStopped, UsageError
from reconciler.kinds.canonical import make_resource
from reconciler.kinds.common import exists
from reconciler.kinds.registry import KINDS
from reconciler.render.saved_plan import About, saved_plan
from reconciler.render.style import json_text
from reconciler.secrets import signatures

if TYPE_CHECKING:
    from reconciler.models.saved_plan import SavedPlanFile, StepFile, UnwrittenFile

MAX_BYTES = 1 << 30
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for somebody to write to it
_UNSEALED = ("digest", "signature")
_AGAIN = "make a new plan with: reconciler plan --out FILE"


def write_plan(
    plan: Plan,
    path: Path,
    store: Store,
    about: About,
    *,
    key_file: Path | None = None,
    environment: Mapping[str, str],
) -> str:
    """Save a plan; returns what names the key that signed it, or "".

    Raises:
        UsageError: the file cannot be written, or the key cannot be used.
    """
    bodies = store.bodies(change.record.uid for change in plan.changes if change.record)
    content = _of_text(saved_plan(plan, store.records(), bodies, about))
    content["digest"] = _digest_of(content)
    named = ""
    if key_file is not None:
        signature, named = signatures.sign(content["digest"], key_file, environment.get(signatures.PASSPHRASE))
        content["signature"] = {"algorithm": "ed25519", "key": named, "value": signature}
    _replace(path, _dump(content))
    return named


def _of_text(content: dict[str, Any]) -> dict[str, Any]:
    """The content with escapes in the place of what is no text, as names of files may be."""
    try:
        encode(content)
    except TypeError:
        return cast("dict[str, Any]", json.loads(json_text(content)))
    return content


def _dump(content: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def _digest_of(content: Mapping[str, Any]) -> str:
    return sha256(encode({key: value for key, value in content.items() if key not in _UNSEALED})).hexdigest()


def _replace(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read; readers see the old or the new, whole."""
    try:
        replace_file(path, data, 0o600)
    except OSError as failure:
        raise UsageError(f"the plan cannot be saved to {path}: {failure.strerror}", hint="name another file with --out") from failure  # fmt: skip


def read_plan(path: Path) -> SavedPlan:
    """A saved plan, as it was written.

    Raises:
        UsageError: it cannot be read, or is no saved plan, or one of another version.
        GuardStopped: it was edited.
    """
    content = _decoded(path)
    if content.get("type") != "saved-plan":
        raise UsageError(f"{path} is not a saved plan", hint=_AGAIN)
    if content.get("version") != 1:
        raise UsageError(f"{path} is a saved plan of a version that is not known here", hint=_AGAIN)
    if not _is_sealed(content):
        raise _refusal(path)
    from pydantic import ValidationError

    from reconciler.models.saved_plan import SavedPlanFile, faults

    try:
        found = SavedPlanFile.model_validate(content)
    except ValidationError as refusal:
        raise _refusal(path, *faults(refusal)) from None
    if wrong := next(_wrong(found), ""):
        raise _refusal(path, wrong)
    return _saved(found)


def _refusal(path: Path, *details: str) -> GuardStopped:
    return GuardStopped(
        f"{path} is not the plan that was saved: it was edited or damaged", hint=_AGAIN, details=details
    )


def _saved(found: "SavedPlanFile") -> SavedPlan:
    plan, signature = found.plan, found.signature
    source = plan.source
    return SavedPlan(
        tool=found.tool,
        created=found.created,
        expires=found.expires,
        verb=found.verb,
        store=found.store or "",
        adopt=found.adopt,
        target=plan.target,
        owner=plan.owner,
        revision=Revision(source.commit or "", source.ref or "", source.dirty, found.differing, source.past),
        kept=plan.summary.kept,
        fingerprint=plan.fingerprint,
        steps=tuple(_step(step, past="past" in source.model_fields_set) for step in found.steps),
        refers=tuple(Referred(Key(item.kind, item.name), item.uid, item.fingerprint) for item in found.refers),
        digest=found.digest,
        signature=signature.value if signature else "",
        signed_by=signature.key if signature else "",
    )


def _decoded(path: Path) -> dict[str, Any]:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | _NEVER_WAIT), "rb") as opened:
            about = os.fstat(opened.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise UsageError(f"{path} is not a regular file", hint=_AGAIN)
            if about.st_size > MAX_BYTES:
                raise UsageError(f"{path} is too large to be a saved plan", hint=_AGAIN)
            content = msgspec.json.decode(opened.read(MAX_BYTES))
    except OSError as failure:
        raise UsageError(f"the plan {path} cannot be read: {failure.strerror}", hint=_AGAIN) from failure
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not a saved plan", hint=_AGAIN) from None
    return content if isinstance(content, dict) else {}


def _is_sealed(content: Mapping[str, Any]) -> bool:
    """Whether its digest is that of the rest; of what is nested too deeply there is none."""
    try:
        return bool(content.get("digest") == _digest_of(content))
    except TypeError:
        return False


def _wrong(found: "SavedPlanFile") -> Iterator[str]:
    """What its form does not tell: moments that do not exist, resources that are not valid, steps that repeat."""
    for name, moment in (("created", found.created), ("expires", found.expires)):
        if not exists(moment):
            yield f"{name}: there is no such moment"
    for number, step in enumerate(found.steps):
        if {step.kind, (step.record or step).kind} <= KINDS.keys():
            yield from _wrong_documents(step, f"steps.{number}")
        else:
            yield f"steps.{number}: is about an unknown kind"
    for number, item in enumerate(found.refers):
        if item.kind not in KINDS:
            yield f"refers.{number}: is about an unknown kind"
    if not _differ(found.steps):
        yield "steps: two are about the same resource or record"


def _wrong_documents(step: "StepFile", place: str) -> Iterator[str]:
    from reconciler.kinds.registry import is_valid

    for name, document in (("declared", step.declared), ("written", step.written)):
        if document is None:
            continue
        if document.get("kind") != step.kind or not is_valid(step.kind, document):
            yield f"{place}.{name}: is no valid {step.kind}"
        elif document["metadata"]["name"] != step.name:
            yield f"{place}.{name}: has another name than the step"


def _differ(steps: "Sequence[StepFile]") -> bool:
    """Whether no two steps are about the same resource or record."""
    changed = [(step.kind, step.name) for step in steps if step.action != "delete"]
    uids = [step.record.uid for step in steps if step.record]
    return len(set(changed)) == len(changed) and len(set(uids)) == len(uids)


def _step(step: "StepFile", *, past: bool) -> SavedStep:
    record, revival = step.record, step.restores
    return SavedStep(
        Action(step.action),
        Key(step.kind, step.name),
        _resource(step, past=past),
        Precondition(
            Key(record.kind, record.name), record.uid, record.fingerprint, record.applied, record.owner, record.leaves
        )
        if record
        else None,
        tuple(_field(field) for field in step.unwritten),
        tuple(step.notes),
        Revival(revival.uid, revival.deleted_at, revival.run, revival.quarantined, tuple(revival.secrets))
        if revival
        else None,
        make_resource(step.written, KINDS[step.kind], "", 0).content if step.written is not None else None,
    )


def _resource(step: "StepFile", *, past: bool) -> Resource | None:
    """What was declared; an earlier state has left nothing out, as nobody wrote it."""
    if step.declared is None:
        return None
    made = make_resource(step.declared, KINDS[step.kind], step.file or "", step.document or 0)
    return structs.replace(made, left_out=()) if past else made


def _field(field: "UnwrittenFile") -> FieldChange:
    before = field.before if "before" in field.model_fields_set else MISSING
    return FieldChange(tuple(field.path), before, field.after, Origin(field.origin), secret=True)


def refuse_unsigned(saved: SavedPlan, keys: Sequence[Path]) -> str:
    """Stop unless one of the keys signed the plan; returns what names it.

    Raises:
        GuardStopped: none did.
        UsageError: a file holds no public key.
    """
    if not saved.signature:
        raise GuardStopped("the plan is not signed", hint="sign it with: reconciler plan --out FILE --sign KEY")
    found = signatures.signer(saved.digest, saved.signature, keys)
    if found is None:
        known = ", ".join(str(path) for path in keys)
        raise GuardStopped(
            f"the plan is not signed by a key that is trusted here; it says {saved.signed_by}",
            hint=f"trusted are the keys of {known}",
        )
    return found


def refuse_off_branch(root: Path, revision: Revision, branch: str) -> None:
    """Stop unless the plan was made from a commit that is on the branch.

    Raises:
        GuardStopped: it was not.
        UsageError: there is no such branch.
    """
    from reconciler.source import git

    hint = f"merge it into {branch} first, then plan again"
    tip = git.tip(root, branch)
    if not revision.commit or revision.dirty:
        what = "uncommitted changes" if revision.commit else "no commit"
        raise GuardStopped(f"the plan was made from {what}, and has to be from a commit on {branch}", hint=hint)
    if not git.is_ancestor(root, revision.commit, tip):
        raise GuardStopped(f"the plan's commit {revision.commit[:12]} is not on {branch}", hint=hint)
