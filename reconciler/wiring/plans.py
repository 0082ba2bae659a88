"""Saved plans as files: written whole or not at all, read with suspicion."""

import json
import os
import stat
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import structs

from reconciler.core.content import encode
from reconciler.core.diff import MISSING, FieldChange, Origin
from reconciler.core.model import Key, Resource
from reconciler.core.plan import Action, Plan, Revision
from reconciler.core.ports.store import Store
from reconciler.core.quarantine import Revival
from reconciler.core.saved import Precondition, Referred, SavedPlan, Step
from reconciler.durable import replace_file
from reconciler.errors import GuardStopped, UsageError
from reconciler.kinds import schemas
from reconciler.kinds.canonical import make_resource
from reconciler.kinds.common import exists
from reconciler.kinds.registry import KINDS
from reconciler.render.json_text import json_text
from reconciler.render.saved_plan import About, saved_plan
from reconciler.secrets import signing

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
        signature, named = signing.sign(content["digest"], key_file, environment.get(signing.PASSPHRASE))
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
    if not _is_sealed(content) or not _is_valid(content):
        raise GuardStopped(f"{path} is not the plan that was saved: it was edited or damaged", hint=_AGAIN)
    signature = content.get("signature") or {}
    plan = content["plan"]
    source = plan["source"]
    return SavedPlan(
        tool=content["tool"],
        created=content["created"],
        expires=content["expires"],
        verb=content["verb"],
        store=content["store"] or "",
        adopt=content["adopt"],
        target=plan["target"],
        owner=plan["owner"],
        revision=Revision(
            source["commit"] or "",
            source["ref"] or "",
            source["dirty"],
            int(content["differing"]),
            source.get("past", ""),
        ),
        kept=int(plan["summary"]["kept"]),
        fingerprint=plan["fingerprint"],
        steps=tuple(_step(step, path, past="past" in source) for step in content["steps"]),
        refers=tuple(
            Referred(Key(item["kind"], item["name"]), item["uid"], item["fingerprint"]) for item in content["refers"]
        ),
        digest=content["digest"],
        signature=signature.get("value", ""),
        signed_by=signature.get("key", ""),
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


def _is_valid(content: Mapping[str, Any]) -> bool:
    """Whether it has the form of a saved plan, and declares valid resources."""
    import jsonschema_rs

    from reconciler.kinds.validity import is_valid

    if not jsonschema_rs.validator_for(schemas.load("saved-plan.schema.json")).is_valid(content):
        return False
    if not exists(content["created"]) or not exists(content["expires"]) or not _differ(content["steps"]):
        return False
    return all(
        document is None
        or (
            step["kind"] in KINDS
            and document.get("kind") == step["kind"]
            and is_valid(step["kind"], document)
            and document["metadata"]["name"] == step["name"]
        )
        for step in content["steps"]
        for document in (step["declared"], step.get("written"))
    ) and all(
        item["kind"] in KINDS
        for item in (*content["refers"], *content["steps"], *(step["record"] or step for step in content["steps"]))
    )


def _differ(steps: Sequence[Mapping[str, Any]]) -> bool:
    """Whether no two steps are about the same resource or record."""
    keys = {(step["kind"], step["name"]) for step in steps if step["action"] != "delete"}
    changed = sum(step["action"] != "delete" for step in steps)
    uids = [step["record"]["uid"] for step in steps if step["record"]]
    return len(keys) == changed and len(set(uids)) == len(uids)


def _step(step: Mapping[str, Any], path: Path, *, past: bool) -> Step:
    record = step["record"]
    return Step(
        Action(step["action"]),
        Key(step["kind"], step["name"]),
        _resource(step, past=past),
        Precondition(
            Key(record["kind"], record["name"]),
            record["uid"],
            record["fingerprint"],
            record["applied"],
            record["owner"],
            record["leaves"],
        )
        if record
        else None,
        tuple(_field(field) for field in step["unwritten"]),
        tuple(step["notes"]),
        _revival(step.get("restores")),
        make_resource(step["written"], KINDS[step["kind"]], "", 0).content if "written" in step else None,
    )


def _revival(found: Mapping[str, Any] | None) -> Revival | None:
    if found is None:
        return None
    return Revival(found["uid"], found["deletedAt"], int(found["run"]), found["quarantined"], tuple(found["secrets"]))


def _resource(step: Mapping[str, Any], *, past: bool) -> Resource | None:
    """What was declared; an earlier state has left nothing out, as nobody wrote it."""
    if step["declared"] is None:
        return None
    made = make_resource(step["declared"], KINDS[step["kind"]], step["file"], int(step["document"]))
    return structs.replace(made, left_out=()) if past else made


def _field(field: Mapping[str, Any]) -> FieldChange:
    before = field.get("before", MISSING)
    path = tuple(int(part) if isinstance(part, float) else part for part in field["path"])
    return FieldChange(path, before, field["after"], Origin(field["origin"]), secret=True)


def refuse_unsigned(saved: SavedPlan, keys: Sequence[Path]) -> str:
    """Stop unless one of the keys signed the plan; returns what names it.

    Raises:
        GuardStopped: none did.
        UsageError: a file holds no public key.
    """
    if not saved.signature:
        raise GuardStopped("the plan is not signed", hint="sign it with: reconciler plan --out FILE --sign KEY")
    found = signing.signer(saved.digest, saved.signature, keys)
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
