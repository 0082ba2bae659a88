"""Access tokens for a live store that sends requests itself: what it is given, and what it was given already."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from reconciler.core.calls import TokenKey
from reconciler.core.model import LiveConnector, encode
from reconciler.core.ports.source import FetchedToken, Sealer, TokenKeeper
from reconciler.core.ports.store import GivenSecret, PlannedWrite, Store
from reconciler.kinds.connector import secret_fields
from reconciler.services.due_changes import gives_tokens, held_names
from reconciler.services.token_care import made_with, refuse_unusable
from reconciler.services.tokens import TokenTools


def hand_over(writes: Sequence[PlannedWrite], store: Store, tools: TokenTools) -> list[PlannedWrite]:
    """The writes with the tokens that the live store is to have by them, and with all secrets where nothing else changes.

    Raises:
        SecretUnavailable: the store does not hold the secrets of such a record.
    """
    if not gives_tokens(store):
        return list(writes)
    alone = [write.change.key.name for write in writes if write.change.is_token_only]
    found = {one.name: one for one in store.connectors(alone)} if alone else {}
    return [_handed(write, found.get(write.change.key.name), store, tools) for write in writes]


def _handed(write: PlannedWrite, found: LiveConnector | None, store: Store, tools: TokenTools) -> PlannedWrite:
    change = write.change
    if change.key.kind != "Connector" or change.after is None:
        return write
    if change.is_token_only and found is not None:
        return with_tokens_alone(write, found, store, tools)
    names = held_names(store, change.after["spec"]) or frozenset()
    kept = _kept(write.uid, write.made_with, names - write.tokens.keys(), tools.keeper)
    return replace(write, handed={**kept, **write.tokens})


def with_tokens_alone(write: PlannedWrite, found: LiveConnector, store: Store, tools: TokenTools) -> PlannedWrite:
    """A write that gives a live record its tokens, and leaves everything else as it is.

    Raises:
        SecretUnavailable: the store does not hold the record's secrets.
    """
    refuse_unusable(found)
    sealer = tools.sealer()
    names = held_names(store, found.spec) or frozenset()
    handed = _kept(found.uid, made_with(found.spec, found.secrets, sealer), names, tools.keeper)
    return replace(write, secrets=tuple(_given(found, sealer)), handed=handed)


def _given(found: LiveConnector, sealer: Sealer) -> Iterator[GivenSecret]:
    for field in secret_fields(found.spec):
        value = found.secrets[field.address]
        yield GivenSecret(field.address, encode(field.reference).decode(), sealer.fingerprint(value), value)


def _kept(uid: str, printed: Mapping[str, str], names: Iterable[str], keeper: TokenKeeper) -> dict[str, FetchedToken]:
    """Those of the tokens that are kept, and were made with what is there now."""
    found = {name: keeper.opened(TokenKey(uid, name)) for name in sorted(names)} if uid else {}
    return {
        name: FetchedToken(*opened)
        for name, opened in found.items()
        if opened is not None and opened[0].made_with == printed.get(name)
    }
