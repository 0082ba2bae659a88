"""The parts of a plan and of a validation, for the command line and the Python API alike."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.guards import Override
from reconciler.core.model import Key, Resource
from reconciler.core.plan import Plan
from reconciler.core.ports.abilities import Forecast, ForeseesWork, TellsOfItself
from reconciler.core.ports.source import Desired, SecretBackend, Source
from reconciler.core.ports.store import Store
from reconciler.core.progress import ShownProgress
from reconciler.core.references import OF_FILES, Bounds, absolute, only, own, path_of
from reconciler.core.witness import Testimony
from reconciler.diagnostics import Diagnostic, Finding, Place, has_errors, sorted_diagnostics
from reconciler.errors import ExitCode, UsageError
from reconciler.kinds.canonical import may_hold_references
from reconciler.kinds.registry import KINDS
from reconciler.settings import DEFAULT_STORE, Overrides, Settings, proofs_in, without_far_key
from reconciler.source.elsewhere import SETTING, keys_elsewhere
from reconciler.source.project import read_project
from reconciler.source.repository import Extent, RepositorySource
from reconciler.stores.host import key_beside
from reconciler.wiring.run import load_settings, now, open_secrets, open_source, open_store, open_tokens, store_files

if TYPE_CHECKING:
    from reconciler.services.due_changes import KnownTokens
    from reconciler.services.plan import Asked, Planned


class OpenedRun(Struct, frozen=True):
    """The parts of a run."""

    settings: Settings
    source: Source
    store: Store
    secrets: SecretBackend
    progress: ShownProgress


class PlanFlags(Struct, frozen=True):
    """How to plan, as whoever asks for it says."""

    ref: str = ""
    no_prune: bool = False
    adopt: bool = False
    max_deletes: str | None = None
    secrets: str | None = None
    tokens: str | None = None
    preflight: bool = False
    lock_timeout: float | None = None
    overrides: tuple[Override, ...] = ()
    full: bool = False
    approvals: tuple[str, ...] = ()
    only: tuple[Key, ...] = ()
    witness: str | None = None


def settings_of(root: Path, given: Overrides, *, reading: bool) -> Settings:
    """The settings of a run.

    Args:
        reading: whether nothing is going to be written to the store; see `without_far_key`.

    Raises:
        InvalidDefinitions: the project file is wrong.
        UsageError: see `settle`.
    """
    settings = load_settings(root, given)
    return without_far_key(settings) if reading else settings


def run_of(settings: Settings, ref: str, progress: ShownProgress, *, cached: bool) -> OpenedRun:
    """The parts of a run; nothing is opened before it is used.

    Args:
        ref: names the commit whose definitions are read, "" for the working tree.
        cached: whether what was read before may be used, and what is read be kept.

    Raises:
        UsageError: no driver for the store's URL.
    """
    source = open_source(settings.root, ref, Extent(settled=True, progress=progress), cached=cached)
    return OpenedRun(settings, source, open_store(settings, os.environ), open_secrets(settings, os.environ), progress)


def asked_of(run: OpenedRun, flags: PlanFlags, actor: str, named: str, *, remember: bool) -> "Asked":
    """What a plan is asked to be.

    Args:
        actor: whose plan it is said to be.
        named: the same, where somebody has named whoever acts, or "".
        remember: whether the plan is going to be carried out.
    """
    from reconciler.kinds.registry import rules_digest
    from reconciler.services.access_objections import AccessLimits
    from reconciler.services.due_changes import gives_tokens
    from reconciler.services.judgement import PlanOptions
    from reconciler.services.plan import Asked
    from reconciler.wiring.witnesses import testimony

    settings = run.settings
    checks = settings.check_secrets if remember else settings.plan_checks_secrets
    plan_options = PlanOptions(
        target=settings.target,
        owner=settings.owner,
        prune=not flags.no_prune,
        adopt=flags.adopt,
        max_deletes=settings.max_deletes,
        actor=actor,
        now=now(),
        limits=AccessLimits(named, settings.max_access_loss, flags.approvals),
        overrides=flags.overrides,
        require_commit=settings.require_commit,
        bounds=Bounds(str(settings.root), settings.secrets_allowed),
        secrets=run.secrets if checks else None,
        only=frozenset(flags.only),
        progress=run.progress,
        elsewhere=keys_elsewhere({SETTING: settings.elsewhere}),
        testimony=testimony(settings, run.store, flags.witness) if flags.witness else Testimony(),
    )
    tokens = partial(_known_tokens, run) if settings.fetch_tokens or gives_tokens(run.store) else None
    return Asked(plan_options, rules_digest(), tokens, remember)


def _known_tokens(run: OpenedRun, desired: Desired) -> "KnownTokens | None":
    """What the store holds of tokens; None when no connector needs one, which saves loading what knows of them."""
    if not any(resource.needs_token for resource in desired.resources.values()):
        return None
    from reconciler.services.due_changes import KnownTokens, held_by, held_names

    keeper = open_tokens(run.settings, run.store).keeper
    return KnownTokens(keeper.states(), now(), held_by(run.store), partial(held_names, run.store))


def make(
    run: OpenedRun, asked: "Asked", load: Callable[[], Desired], tell: Callable[[str], None], *, full: bool = False
) -> "Planned":
    """Compare, order, judge: what moved since the baseline, or else everything.

    With notices of deleted records that wait to be purged, and of what an apply does besides.

    Args:
        load: gives all that is desired, without errors.
        tell: is told why everything has to be looked at.
        full: whether everything is looked at in any case.
    """
    from reconciler.core.baseline import Unprovable
    from reconciler.services.judgement import waiting_notice
    from reconciler.services.plan import plan_all, plan_part

    planned = None
    if not full:
        try:
            planned = plan_part(run.source, run.store, asked)
        except Unprovable as reason:
            tell(f"looking at everything: {reason}")
    if planned is None:
        desired = load()
        with run.progress:
            planned = plan_all(desired, run.source, run.store, asked)
    settings = run.settings
    said = waiting_notice(run.store, settings.owner, settings.quarantine_days, now())
    if settings.check_secrets and not (asked.remember or settings.plan_checks_secrets):
        said = (
            *said,
            "an apply to this target compares the values of all secrets too; so does a plan with --secrets check",
        )
    return replace(planned, plan=with_notes(replace(planned.plan, notices=(*planned.plan.notices, *said)), run.store))


def with_notes(plan: Plan, store: Store) -> Plan:
    """The plan, with what the store has to say of itself, and of carrying the plan out."""
    said = store.notes() if isinstance(store, TellsOfItself) else ()
    forecast = _forecast(plan, store)
    if forecast is not None:
        said = (*said, *forecast.notes)
    return replace(plan, notices=(*plan.notices, *said), forecast=forecast) if said or forecast else plan


def _forecast(plan: Plan, store: Store) -> Forecast | None:
    """What carrying it out takes; None where that is one transaction, or where it never is."""
    is_refused = any(problem.exit_code is ExitCode.INVALID for problem in plan.problems)
    if not plan.changes or is_refused or not isinstance(store, ForeseesWork):
        return None
    forecast = store.forecast(plan.changes)
    return forecast if forecast.requests or forecast.notes else None


class _Target(Struct, frozen=True):
    """What one target says of secret references.

    Attributes:
        keys: paths of its store, of the store's key and of its password.
        proofs: references to what proves who asks the store's server, each with what it is.
    """

    name: str
    bounds: Bounds
    keys: frozenset[str]
    proofs: Sequence[tuple[str, Mapping[str, str]]]


def reference_diagnostics(
    root: Path, project: Mapping[str, Any], resources: Iterable[Resource], read: Callable[[str], bytes]
) -> list[Diagnostic]:
    """References that no apply to one of the targets would follow: to its key, or out of its bounds.

    Args:
        read: gives the bytes of a file of definitions.
    """
    targets = [_target(root, name, settings) for name, settings in project.get("targets", {}).items()]
    bounded = any(target.bounds.lists or target.proofs for target in targets)
    found: dict[str, list[Finding]] = {}
    for resource in resources if targets else ():
        if may_hold_references(resource.body) if bounded else resource.refers_to_files:
            findings = list(_findings(resource, targets))
            if findings:
                found.setdefault(resource.file, []).extend(findings)
    return [diagnostic for file, findings in found.items() for diagnostic in _located(file, read(file), findings)]


def _target(root: Path, name: str, settings: Mapping[str, Any]) -> _Target:
    bounds = Bounds(str(root), (tuple(settings["secretsAllowed"]),) if "secretsAllowed" in settings else ())
    keys = {absolute(str(root), settings["keyFile"])} if "keyFile" in settings else set()
    store = _store_at(root, settings.get("store", DEFAULT_STORE))
    if store is not None:
        keys |= {str(store), str(key_beside(store))}
    proofs = proofs_in(settings)
    named = (only(reference) for _, reference in proofs)
    keys |= {absolute(str(root), path) for scheme, path in named if scheme in ("file", "age")}
    return _Target(name, bounds, frozenset(keys), proofs)


def _store_at(root: Path, url: str) -> Path | None:
    """Where a store was said to lie; None where it is no file, or has no driver here."""
    try:
        found = store_files(root, url)
    except UsageError:
        return None
    return Path(absolute(str(root), str(found.written))) if found else None


def _findings(resource: Resource, targets: Iterable[_Target]) -> Iterator[Finding]:
    for field in KINDS[resource.key.kind].secret_fields(resource.content.value["spec"]):
        scheme, written = only(field.reference)
        if own(scheme, written):  # found in the definition itself, whatever the targets are
            continue
        place = Place(resource.document, (*field.path, scheme))
        for target in targets:
            if scheme in OF_FILES and _path(target.bounds.root, scheme, written) in target.keys:
                yield Finding("RC404", f"it leads to the store of target {target.name}, or its key", place, "name another place")  # fmt: skip
            elif what := next((words for words, proof in target.proofs if proof == field.reference), ""):
                yield Finding("RC404", f"it leads to {what} of target {target.name}", place, "name another place")
            elif not target.bounds.permit(scheme, written):
                hint = f"it has to fit secretsAllowed of target {target.name} in reconciler.yaml"
                yield Finding("RC405", f"target {target.name} does not allow this secret reference", place, hint)


def _path(root: str, scheme: str, written: str) -> str:
    return absolute(root, path_of(written) if scheme == "sops" else written)


def _located(file: str, data: bytes, findings: Iterable[Finding]) -> list[Diagnostic]:
    from reconciler.source.positions import locate
    from reconciler.source.text import SourceText
    from reconciler.source.yaml.parser import parse

    text = SourceText(file, data)
    return locate(text, parse(text).documents, findings)


def found_in(root: Path, source: RepositorySource, desired: Desired, *, settings: bool) -> list[Diagnostic]:
    """What is wrong with definitions, around them and with the project file, sorted.

    Args:
        source: where `desired` was loaded from.
        settings: whether faults of the project file, which is that of the working tree, are told too.
    """
    project, faults = read_project(root)
    found = [*desired.diagnostics, *source.around(), *(faults if settings else ())]
    if not has_errors(faults):
        found += reference_diagnostics(root, project, desired.resources.values(), source.read)
    return sorted_diagnostics(found)
