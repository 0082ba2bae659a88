"""Everything of an apply that can fail outside of the store, before its transaction begins."""

from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import TokenKey, Trust, is_due
from reconciler.core.model import Key
from reconciler.core.plan import Change
from reconciler.core.ports.source import FetchedToken, SecretBackend
from reconciler.core.ports.store import GivenSecret, PlannedWrite, Store
from reconciler.core.progress import UNTOLD, Progress, told
from reconciler.core.secret import Secret
from reconciler.errors import CredentialsRefused, InvalidDefinitions, ReconcilerError, SecretUnavailable
from reconciler.kinds.authorization import can_be_fetched, grant_of, trust_of, with_tokens
from reconciler.kinds.authorization_blocks import Authorization
from reconciler.kinds.canonical import may_hold_far_references, may_hold_references, may_need_token
from reconciler.kinds.common import SecretField
from reconciler.kinds.registry import address
from reconciler.services.due_changes import gives_tokens, held_names, renewals_of
from reconciler.services.handover import hand_over
from reconciler.services.isolation import LeftOut
from reconciler.services.restore import kept_secrets
from reconciler.services.secret_uses import Unresolved, followed, forbidden, refuse_unresolved, resolve_values
from reconciler.services.token_care import print_of, refuse_unusable, token_job, with_refresh
from reconciler.services.tokens import TokenJob, TokenTools, fetch_tokens, obtain

_KEPT = "nothing was changed"


_FEW = 500
"""So many changes are written in a moment."""


def may_be_brief(changes: Sequence[Change]) -> bool:
    """Whether no change makes a run wait for a program, for another machine, or for the store to write very much."""
    return len(changes) <= _FEW and not any(
        change.is_token_only
        or (change.resource is not None and (may_hold_far_references(change.body) or may_need_token(change.body)))
        for change in changes
    )


class Prepared(Struct, frozen=True):
    """One change and its write, without tokens; with what these take, when it may need some.

    Attributes:
        by: the authorizations that need a token.
        wanted: the names of those whose token is to be there.
        values: of its secrets.
        active: whether the connector is.
    """

    write: PlannedWrite
    by: Sequence[Authorization] = ()
    wanted: frozenset[str] = frozenset()
    values: Mapping[str, Secret] = {}
    trust: Trust | None = None
    active: bool = False


class Resolving(Struct, frozen=True):
    """How secrets are resolved.

    Attributes:
        fetch: whether tokens are fetched; else those alone that a live store is given, and what others take is kept
            only where one may be there.
        goes_on: whether a record whose secrets lead to nothing is left out, as long as there are others.
    """

    secrets: SecretBackend
    progress: Progress = UNTOLD
    fetch: bool = True
    goes_on: bool = False


def resolve_secrets(changes: Sequence[Change], store: Store, how: Resolving) -> tuple[list[Prepared], LeftOut]:
    """Resolve the secrets of what changes, and say what is left out. Renewing a token alone takes what the store holds.

    Sealed secrets that a deleted record comes back with stay as they are.

    Raises:
        RecordConflict: such a record is not there any more.
        SecretUnavailable: references that lead to nothing, all of them in the details.
        SecretRefused: references that nobody may follow; nothing was read then.
    """
    prepared: list[Prepared] = []
    missing: list[Unresolved] = []
    left_out: dict[Key, tuple[Change, ReconcilerError]] = {}
    kept = kept_secrets(changes, store)
    prefetch(changes, how.secrets, how.progress)
    for change in told(changes, "secrets", len(changes), how.progress):
        uid = _uid(change)
        content = None if change.is_token_only else change.content
        if content is None or not may_hold_references(content.body):
            renewed = renewals_of(change) if how.fetch or gives_tokens(store) else ()
            prepared.append(Prepared(PlannedWrite(change, uid), wanted=frozenset(renewed)))
            continue
        spec = content.value["spec"]
        back = kept.get(uid, {})
        values, references, unresolved = resolve_values(change.key.kind, content.value, how.secrets, store, back)
        if unresolved:
            missing += [Unresolved(change.key, *one) for one in unresolved]
            left_out[change.key] = change, _why(*unresolved[0])
            continue
        printed = store.sealer().fingerprint if values else None  # nothing is to fail for want of a key once it writes
        given = tuple(
            GivenSecret(intern(place), references[place], printed(value), value)
            for place, value in values.items()
            if printed
        )
        write = PlannedWrite(change, uid, given, tuple(back.values()))
        by = with_tokens(spec) if may_need_token(content.body) else []
        wanted = _wanted(by, held_names(store, spec), fetch=how.fetch)
        if by and (wanted or change.record):
            values |= {place: store.sealer().open(uid, place, item.ciphertext) for place, item in back.items()}
            trust, active = trust_of(spec, values), spec.get("status") != "inactive"
            prepared.append(Prepared(write, by, wanted, values, trust, active))  # the endpoints may be a lot
        else:
            prepared.append(Prepared(write))
    if not (how.goes_on and prepared):
        refuse_unresolved(missing, _KEPT)
    return prepared, tuple(left_out.values())


def _why(field: SecretField, failure: SecretUnavailable) -> SecretUnavailable:
    return SecretUnavailable(f"{field.address}: {failure.message}", hint=failure.hint)


def _wanted(by: Sequence[Authorization], held: frozenset[str] | None, *, fetch: bool) -> frozenset[str]:
    """Whose token is to be there: a live store that is given tokens has to have them, and nobody else needs others."""
    if held is None:
        return frozenset(one.name for one in by) if fetch else frozenset()
    return held.intersection(one.name for one in by)


def _uid(change: Change) -> str:
    """Identity of the record that there is, or was; "" for a new one."""
    if change.record is not None:
        return change.record.uid
    return change.revival.uid if change.revival is not None else ""


def prefetch(changes: Sequence[Change], secrets: SecretBackend, progress: Progress = UNTOLD) -> None:
    """Look up what is far away for all changes at once, unless one of the references may not be followed.

    Raises:
        SecretRefused: one may not; nothing was read.
    """
    refuse_unresolved(forbidden(changes, secrets.refuse), _KEPT)
    far = [change for change in changes if not change.is_token_only and may_hold_far_references(change.body)]
    secrets.prefetch((field.reference for change in far for field in followed(change)), progress)


def spec_after(change: Change) -> dict[str, Any]:
    """What the record will hold after a change that is no delete."""
    assert change.after is not None
    spec: dict[str, Any] = change.after["spec"]
    return spec


class WithTokens(Struct, frozen=True):
    """What comes of fetching tokens.

    Attributes:
        writes: of the changes whose tokens are there, or which need none.
        left_out: changes whose tokens are not to be had, with the reason.
        fetched: how many tokens were fetched.
    """

    writes: list[PlannedWrite]
    left_out: LeftOut
    fetched: int


def fetch_missing(prepared: Sequence[Prepared], store: Store, tools: TokenTools) -> WithTokens:
    """Fetch the tokens that are wanted and missing or due, in parallel.

    Tokens of live connectors whose authorization stays are stored at once, because a server may have taken
    their refresh tokens back. The others come with the writes.
    """
    marked = [_marked(item, store) for item in prepared]
    live: list[TokenJob] = _renewals(marked, store, tools)
    new: list[TokenJob] = []
    wanted = [
        (item, by) for item in marked if item.active for by in item.by if by.name in item.wanted and can_be_fetched(by)
    ]
    known, now = tools.keeper.states() if wanted else {}, tools.clock()
    for item, by in wanted:
        job = _job(item, by)
        state = known.get(job.key)
        if state is None or state.made_with != job.made_with or item.write.change.record is None:
            new.append(job)
        elif is_due(state, now):
            opened = tools.keeper.opened(job.key)
            live.append(with_refresh(replace(job, since=state.obtained), opened[2] if opened else None))
    failures = obtain(live, tools) if live else {}
    tokens: dict[TokenKey, FetchedToken] = {}
    for group in fetch_tokens(new, tools) if new else ():
        for job, outcome in group:
            if isinstance(outcome, FetchedToken):
                tokens[job.key] = outcome
            else:
                failures[job.key] = outcome
    refused = {key.uid: _named(key, failure) for key, failure in reversed(failures.items())}
    writes = [_with_tokens(item.write, tokens) for item in marked if _name(item.write) not in refused]
    left_out = tuple((item.write.change, refused[_name(item.write)]) for item in marked if _name(item.write) in refused)  # fmt: skip
    renewed = sum(job.key not in failures for job in live)
    return WithTokens(hand_over(writes, store, tools), left_out, renewed + sum(len(write.tokens) for write in writes))


def _name(write: PlannedWrite) -> str:
    """What tells it from the others: an identity, or that of a new record which is to come."""
    return write.uid or "~" + address(*write.change.key)


def _with_tokens(write: PlannedWrite, tokens: Mapping[TokenKey, FetchedToken]) -> PlannedWrite:
    fetched = {name: tokens[key] for name in write.made_with if (key := TokenKey(_name(write), name)) in tokens}
    return replace(write, tokens=fetched) if fetched else write


def _named(key: TokenKey, failure: ReconcilerError) -> ReconcilerError:
    """The failure, with the name of a further authorization."""
    if not key.authorization:
        return failure
    return CredentialsRefused(f"authorization {key.authorization}: {failure.message}", hint=failure.hint)


def refuse_left_out(left_out: LeftOut) -> None:
    """Stop because of tokens that are not to be had.

    Raises:
        CredentialsRefused: with all of them in the details.
    """
    first = left_out[0][1]
    count = f"{len(left_out)} access tokens" if len(left_out) > 1 else "an access token"
    raise CredentialsRefused(
        f"{count} cannot be fetched; no record was changed",
        hint=first.hint if len(left_out) == 1 else "or apply the others with --on-error continue",
        details=tuple(f"{address(*change.key)}: {failure.message}" for change, failure in left_out),
    )


def _marked(item: Prepared, store: Store) -> Prepared:
    """With the fingerprints of its authorizations that need a token."""
    if not item.by:
        return item
    sealer = store.sealer()
    printed = {by.name: print_of(by, item.values, sealer) for by in item.by}
    return replace(item, write=replace(item.write, made_with=printed))


def _renewals(prepared: Sequence[Prepared], store: Store, tools: TokenTools) -> list[TokenJob]:
    """Jobs for the changes that renew tokens and do nothing else, from what is live."""
    alone = [item for item in prepared if item.write.change.is_token_only and item.wanted]
    renewed = {item.write.change.key.name: item.wanted for item in alone}
    jobs = []
    for found in store.connectors(list(renewed)) if renewed else ():
        refuse_unusable(found)
        for by in (by for by in with_tokens(found.spec) if by.name in renewed[found.name]):
            printed = print_of(by, found.secrets, tools.sealer())
            opened = tools.keeper.opened(TokenKey(found.uid, by.name))
            job = token_job(found, by, printed, since=opened[0].obtained if opened else "")
            jobs.append(with_refresh(job, opened[2] if opened and opened[0].made_with == printed else None))
    return jobs


def _job(item: Prepared, by: Authorization) -> TokenJob:
    try:
        grant = grant_of(by, item.values)
    except InvalidDefinitions as failure:
        key = item.write.change.key
        raise InvalidDefinitions(f"{address(*key)}: {failure.message}", hint=failure.hint) from None
    assert item.trust is not None
    token = TokenKey(_name(item.write), by.name)
    return TokenJob(item.write.change.key.name, token, grant, item.trust, item.write.made_with[by.name])
