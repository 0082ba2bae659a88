"""Stores on servers: which of them a run connects to, and the password that it does so with."""

import re
from collections.abc import Callable, Mapping
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
    """What gives the password that the target names; None where it names none.

    The operator's bounds hold for it. The target's own do not: they say what definitions may name, and these may not
    name the password. Without the operator's bounds a command that only reads takes it from variables alone, the client
    library's too, as a program that a branch names would be started, or a file be opened, before anybody has judged it.
    """
    reference = settings.password
    if reference is None or reference == {"env": PG_VARIABLE}:  # which the client library reads by itself
        return None
    allowed = settings.operator_allows
    lists = (allowed,) if allowed is not None else () if settings.judged else (_ALL,)
    bounds = Bounds(str(settings.root), lists)
    scheme, target = only(reference)
    is_followed = allowed is not None or settings.judged or bounds.permit(scheme, target)
    if not is_followed and any(map(environment.get, _CLIENTS)):
        return None

    def resolve() -> Secret:
        from reconciler.secrets.local import ResolverContext
        from reconciler.secrets.resolver import Resolver

        file = settings.env_file if settings.judged or settings.env_file_given else None
        context = ResolverContext(
            environment, file, settings.root, settings.helpers, own(), bounds, settings.env_file_given
        )
        try:
            return Resolver(lambda: context).resolve(reference)
        except SecretRefused as refused:
            if is_followed:
                raise refused.again("the password of the store: ") from None
            raise SecretRefused(
                f"the password of the store is behind {{{scheme}: {target}}}, which a command that only reads follows"
                " only where whoever runs it allows it",
                hint=f"set PGPASSWORD or PGPASSFILE, or allow it: --secrets-allowed '{scheme}:{target}'",
            ) from None

    return resolve


def password_files(settings: Settings) -> tuple[Path, ...]:
    """The file that is the password of the store; those that hold other secrets too are not meant."""
    named = settings.password or {}
    return tuple(settings.root / path for scheme, path in named.items() if scheme in ("file", "age"))
