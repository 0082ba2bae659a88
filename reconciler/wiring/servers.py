"""Stores on servers: which of them a run connects to, and what proves there who asks."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.references import PG_VARIABLE, Bounds, only
from reconciler.core.secret import Secret
from reconciler.core.store_urls import HOSTS, OF_SERVERS, scheme_of, strangers
from reconciler.errors import NotPermitted, SecretRefused
from reconciler.harmless import harmless
from reconciler.settings import Settings

if TYPE_CHECKING:
    from reconciler.secrets.own import Own

_PLAIN = re.compile(r"[a-z0-9._:-]+")
_ALL = ("env:*",)
"""What a password may be read from for a command that only reads, where the operator sets no bounds."""
_CLIENTS = (PG_VARIABLE, "PGPASSFILE")
"""By which the operator gives it to the client library."""


def refuse_unnamed_server(settings: Settings, environment: Mapping[str, str]) -> None:
    """Stop before a command that only reads connects to a server that the repository alone names.

    The project file may be that of a branch which nobody has judged, and a connection tells the server who connects,
    and where it asks for it the password. Servers of this machine are the operator's.

    Raises:
        NotPermitted: it would.
    """
    if settings.judged:
        return
    for url, given in ((settings.store, settings.store_given), (settings.state, False)):
        found = strangers(url, environment) if scheme_of(url) in OF_SERVERS and not given else []
        if found:
            shown = " ".join(found) if all(map(_PLAIN.fullmatch, found)) else "HOST"  # it is going to be pasted
            raise NotPermitted(
                f"the store of target {settings.target} is on {harmless(found[0])}, which only the project file names;"
                " a command that only reads connects to no such server",
                hint=f"if you trust it, say so: export {HOSTS}='{shown}', or pass --store with the URL",
            )


def password_of(
    settings: Settings, environment: Mapping[str, str], own: "Callable[[], Own]"
) -> Callable[[], Secret] | None:
    """What gives the password that the target names; None where it names none; see `_giver`."""
    reference = settings.password
    if reference is None or reference == {"env": PG_VARIABLE}:  # which the client library reads by itself
        return None
    if not _is_followed(settings, reference) and any(map(environment.get, _CLIENTS)):
        return None
    return _giver(settings, environment, own, reference, "the password of the store", "set PGPASSWORD or PGPASSFILE, or ")  # fmt: skip


def credentials_of(
    settings: Settings, environment: Mapping[str, str], own: "Callable[[], Own]"
) -> dict[str, Callable[[], Secret]]:
    """What gives each part of what the target names to prove who asks its server; see `_giver`."""
    return {
        place: partial(Secret, named)
        if isinstance(named, str)
        else _giver(settings, environment, own, named, f"{place} of target {settings.target}")
        for place, named in settings.credentials.items()
    }


def _bounds(settings: Settings) -> Bounds:
    allowed = settings.operator_allows
    lists = (allowed,) if allowed is not None else () if settings.judged else (_ALL,)
    return Bounds(str(settings.root), lists)


def _is_followed(settings: Settings, reference: Mapping[str, str]) -> bool:
    """Whether the bounds are the operator's own word, or permit it."""
    if settings.operator_allows is not None or settings.judged:
        return True
    return _bounds(settings).permit(*only(reference))


def _giver(
    settings: Settings,
    environment: Mapping[str, str],
    own: "Callable[[], Own]",
    reference: Mapping[str, str],
    what: str,
    instead: str = "",
) -> Callable[[], Secret]:
    """What gives a secret that the target names for its server.

    The operator's bounds hold for it. The target's own do not: they say what definitions may name, and these may not
    name it. Without the operator's bounds a command that only reads takes it from variables alone, as a program that a
    branch names would be started, or a file be opened, before anybody has judged it.

    Args:
        what: the secret, in words.
        instead: what else to do where it is not followed; "" or a text that ends in "or ".
    """
    scheme, target = only(reference)

    def resolve() -> Secret:
        from reconciler.secrets.local import ResolverContext
        from reconciler.secrets.resolver import Resolver

        file = settings.env_file if settings.judged or settings.env_file_given else None
        context = ResolverContext(
            environment, file, settings.root, settings.helpers, own(), _bounds(settings), settings.env_file_given
        )
        try:
            return Resolver(lambda: context).resolve(reference)
        except SecretRefused as refused:
            if _is_followed(settings, reference):
                raise refused.again(f"{what}: ") from None
            raise SecretRefused(
                f"{what} is behind {{{scheme}: {target}}}, which a command that only reads follows"
                " only where whoever runs it allows it",
                hint=f"{instead}allow it: --secrets-allowed '{scheme}:{target}'",
            ) from None

    return resolve


def proof_files(settings: Settings) -> tuple[Path, ...]:
    """The files that are what proves who asks the server; those that hold other secrets too are not meant."""
    named = (only(reference) for _, reference in settings.proofs)
    return tuple(settings.root / path for scheme, path in named if scheme in ("file", "age"))
