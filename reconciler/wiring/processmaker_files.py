"""Files that ProcessMaker instances export and import."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.model import Key, Resource
from reconciler.core.secret import Secret
from reconciler.core.store_urls import is_instance
from reconciler.diagnostics import Diagnostic
from reconciler.durable import replace_file
from reconciler.errors import SourceUnavailable, UsageError
from reconciler.settings import PRIVATE_OWNER, Settings
from reconciler.wiring.exchange import content_of_source
from reconciler.wiring.imports import ImportRequest, PreparedImport, prepared_of
from reconciler.wiring.limits import objections_at
from reconciler.wiring.run import context_of, open_secrets, open_source

if TYPE_CHECKING:
    from reconciler.stores.processmaker.forms.package import Packed
    from reconciler.stores.processmaker.store import ProcessMakerStore


def import_processmaker(
    root: Path | None, request: ImportRequest, password: Callable[[], Secret], *, collections: bool
) -> PreparedImport:
    """As `import_openapi`, of a file that a ProcessMaker instance exported.

    Args:
        password: asked for where the file is protected by one.
        collections: whether connectors that the instance generated for its collections are wanted, too.

    Raises:
        WrongPassword: the file does not open with that password.
        NotImportable, UsageError, NetworkFailure, SourceUnavailable: see their texts.
    """
    from reconciler.importers.processmaker import Choice, convert
    from reconciler.importers.processmaker_seal import is_sealed, opened
    from reconciler.importers.syntax import read

    document = read(content_of_source(request.source), request.source)
    sealed = is_sealed(document)
    if sealed:
        document = opened(document, password())
    known = {} if root is None else _known(root)
    choice = Choice(request.name, request.categories, sealed, collections, known)
    return prepared_of(convert(document, choice), root, request)


def _known(root: Path) -> dict[tuple[str, str], str]:
    """What the repository calls its categories and connectors, by kind and folded display name."""
    resources = open_source(root, "").load().resources.values()
    return {(found.key.kind, found.display): found.key.name for found in resources if found.display}


class PreparedPackage(Struct, frozen=True):
    """A file for an instance, before it is written; nothing where something stands against it.

    Attributes:
        connectors, categories: how many are in it.
        left_to_give: by connector the credentials that it does not hold.
        refused: what an instance cannot hold, at the lines where that stands.
    """

    data: bytes
    connectors: int
    categories: int
    left_to_give: Mapping[Key, Sequence[str]]
    refused: Sequence[Diagnostic] = ()


def prepare_package(
    settings: Settings,
    resources: Mapping[Key, Resource],
    wanted: Sequence[Key],
    password: Secret | None,
    read: Callable[[str], bytes],
) -> PreparedPackage:
    """The file of the connectors `wanted`, or of all that are declared, with their categories.

    Args:
        password: protects the file, which then holds the credentials; None for a file without any.
        read: gives the bytes of a file of definitions.

    Raises:
        UsageError: there are no such connectors.
        SecretUnavailable, SecretRefused: credentials cannot be had, or not be held by an instance.
    """
    from msgspec import json

    from reconciler.importers.processmaker_seal import sealed
    from reconciler.stores.processmaker.forms.package import left_to_give, package

    if settings.owner == PRIVATE_OWNER:
        hint = "add to reconciler.yaml a line such as  owner: acme/connectors"
        raise UsageError("records get their identity in the file from the owner, and none is named", hint=hint)
    chosen = _chosen(resources, wanted)
    filed = {name for key in chosen for name in resources[key].content.value["spec"]["categories"]}
    folders = {name: resources[Key("Category", name)] for name in sorted(filed)}
    declared = {found.key: found for found in [*folders.values(), *(resources[key] for key in chosen)]}
    live = _instance(settings, is_open=password is None)
    refused = objections_at(live, declared, read)
    if refused:
        return PreparedPackage(b"", 0, 0, {}, refused)
    packed = _packed([resources[key] for key in chosen], settings, password, live)
    bodies = {name: found.content.value for name, found in folders.items()}
    document = package(packed, bodies, settings.owner)
    data = json.encode(sealed(document, password) if password else document)
    missing = {item.key: found for item in packed if (found := left_to_give(item))}
    return PreparedPackage(data, len(chosen), len(folders), missing)


def _chosen(resources: Mapping[Key, Resource], wanted: Sequence[Key]) -> list[Key]:
    for key in wanted:
        if key.kind != "Connector":
            raise UsageError("a file for ProcessMaker is of connectors; their categories come along", hint="write connector/NAME")  # fmt: skip
        if key not in resources:
            raise UsageError(f"the definitions have no connector '{key.name}'", hint="list them with: reconciler validate -v")  # fmt: skip
    chosen = sorted({*wanted} or {key for key in resources if key.kind == "Connector"})
    if not chosen:
        raise UsageError("the definitions have no connector", hint="declare one below connectors/")
    return chosen


def _instance(settings: Settings, *, is_open: bool) -> "ProcessMakerStore":
    """What knows the limits of an instance, by what the target says where it is one; it is never asked anything.

    Args:
        is_open: whether the file is to hold no secret.
    """
    from reconciler.stores.processmaker.driver import open_processmaker

    said = settings.options if is_instance(settings.store) else {}
    later = {"tokenRenewal": "scheduled", **({"allowSecretsInEndpoints": True} if is_open else {})}  # told in the end
    context = replace(context_of(settings.root, {}), options={**said, **later})
    return open_processmaker("processmaker+https://localhost", context)


def _packed(
    found: Sequence[Resource], settings: Settings, password: Secret | None, live: "ProcessMakerStore"
) -> "list[Packed]":
    from reconciler.services.secret_uses import Unresolved, refuse_unresolved, resolve_values
    from reconciler.stores.processmaker.forms.package import Packed, sendable

    if password is None:
        return [Packed(item.key, item.content.value, None) for item in found]
    # The instance is asked nothing: what belongs to the tool in this run is the state beside it.
    beside = replace(settings, store=settings.state, is_own=True) if is_instance(settings.store) else settings
    backend = open_secrets(beside, os.environ)
    made: list[Packed] = []
    missing: list[Unresolved] = []
    for item in found:
        sent = {"spec": sendable(item.content.value["spec"])}
        values, _, unresolved = resolve_values("Connector", sent, backend, live)
        missing += [Unresolved(item.key, *one) for one in unresolved]
        made.append(Packed(item.key, item.content.value, values))
    refuse_unresolved(missing, "nothing was written")
    return made


def write_package(path: Path, prepared: PreparedPackage, *, force: bool) -> None:
    """Write the file; nobody but its owner can read it.

    Raises:
        UsageError: one is there, and `force` is not given; or it cannot be written.
    """
    if os.path.lexists(path) and not force:
        raise UsageError(f"{path} exists", hint="name another with --out, or pass --force")
    try:
        replace_file(path, prepared.data, 0o600)
    except OSError as failure:
        raise SourceUnavailable(f"{path} cannot be written: {failure.strerror}") from failure


MAX_PASSWORD = 4096
SHORTEST_PASSWORD = 12
"""Of a file that we make: its cipher has no salt, so whoever has the file can try passwords very fast."""


def refuse_short(password: Secret) -> Secret:
    """The password, if it is long enough to protect credentials.

    Raises:
        UsageError: it is not.
    """
    if len(password.reveal()) < SHORTEST_PASSWORD:
        hint = "whoever has the file can try passwords at any speed: take several words"
        raise UsageError(f"the password is shorter than {SHORTEST_PASSWORD} characters", hint=hint)
    return password


def password_at(place: str) -> Secret:
    """The password that a place, env:NAME or file:PATH, holds. One line break at its end is no part of it.

    Raises:
        UsageError: it is no such place, or holds none.
    """
    sort, _, target = place.partition(":")
    if sort not in ("env", "file") or not target:
        raise UsageError("--password takes where the password is, and never the password", hint="write env:NAME or file:PATH")  # fmt: skip
    if sort == "env":
        found = os.environ.get(target, "")
        if not found:
            raise UsageError(f"--password: the variable {target} is not set", hint="set it, or leave the option out to be asked")  # fmt: skip
        return Secret(found)
    try:
        with Path(target).open(encoding="utf-8") as opened:
            found = opened.read(MAX_PASSWORD + 2).removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else "it is not UTF-8"
        raise UsageError(f"--password: {target} cannot be read: {reason}", hint="name a file with the password alone") from None  # fmt: skip
    if not found or len(found) > MAX_PASSWORD:
        raise UsageError(f"--password: {target} holds no password", hint="name a file with the password alone")
    return Secret(found)
