"""`token status`, `token fetch` and `token renew`: care for the tokens of live connectors."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from reconciler.core.calls import Condition, TokenState, TokenStatus, condition_of
from reconciler.core.model import LiveConnector
from reconciler.core.ports.store import Store
from reconciler.errors import CredentialsRefused, InvalidDefinitions, ReconcilerError, SecretUnavailable, UsageError
from reconciler.kinds.authorization import can_be_fetched, needs_token
from reconciler.services.authorizing import made_with, refuse_unusable, token_job, with_refresh
from reconciler.services.enforcing import Caller
from reconciler.services.tokens import TokenJob, TokenTools, obtain


class Care(Struct, frozen=True):
    """What fetching or renewing did.

    Attributes:
        done: connectors whose tokens were got.
        failed: why the others' were not.
    """

    done: tuple[str, ...]
    failed: Mapping[str, ReconcilerError]


def token_statuses(store: Store, tools: TokenTools, names: Sequence[str]) -> list[TokenStatus]:
    """The tokens of the connectors named, or of all that need one, in order of their names.

    Raises:
        UsageError: a name is not that of a live connector that needs a token.
    """
    states, now = tools.keeper.states(), tools.clock()
    return [_status(found, states.get(found.uid), now) for found in _chosen(store, names, secrets=False)]


def fetch(store: Store, tools: TokenTools, names: Sequence[str], caller: Caller) -> Care:
    """Get tokens by the credentials: of the connectors named whatever is stored, else where there is no good one.

    Raises:
        NotPermitted: the caller may not call some of them; nothing is fetched then.
        UsageError: see `token_statuses`.
    """
    return _care(store, tools, names, caller, renewing=False)


def renew(store: Store, tools: TokenTools, names: Sequence[str], caller: Caller) -> Care:
    """Get tokens, by refresh tokens where there are: of the connectors named, else of those that are due.

    Raises:
        NotPermitted, UsageError: see `fetch`.
    """
    return _care(store, tools, names, caller, renewing=True)


def _care(store: Store, tools: TokenTools, names: Sequence[str], caller: Caller, *, renewing: bool) -> Care:
    states, now = tools.keeper.states(), tools.clock()
    jobs: list[TokenJob] = []
    failed: dict[str, ReconcilerError] = {}
    chosen = _chosen(store, names, secrets=True)
    for found in chosen:
        try:
            job = _job(found, states.get(found.uid), tools)
        except (SecretUnavailable, InvalidDefinitions) as failure:
            failed[found.name] = failure
            continue
        state = states.get(found.uid)
        good = state if state and state.made_with == job.made_with else None
        if names or (
            _is_wanted(found)
            and (good is not None and condition_of(good, now) is not Condition.VALID if renewing else good is None)
        ):
            jobs.append(job if renewing else with_refresh(job, None))
    by_uid = {job.uid: job.name for job in jobs}
    caller.permit(store, (found for found in chosen if found.uid in by_uid), "fetch the token of")
    failed |= {by_uid[uid]: failure for uid, failure in obtain(jobs, tools).items()}
    return Care(tuple(job.name for job in jobs if job.name not in failed), dict(sorted(failed.items())))


def _job(found: LiveConnector, state: TokenState | None, tools: TokenTools) -> TokenJob:
    refuse_unusable(found)
    printed = made_with(found.spec, found.secrets, tools.sealer())
    job = token_job(found, printed, since=state.obtained if state else "")
    if state is None or state.made_with != printed or not state.renewable:
        return job
    opened = tools.keeper.opened(found.uid)
    return with_refresh(job, opened[2] if opened else None)


def _is_wanted(found: LiveConnector) -> bool:
    return found.spec.get("status") != "inactive" and can_be_fetched(found.spec)


def _chosen(store: Store, names: Sequence[str], *, secrets: bool) -> list[LiveConnector]:
    wanted = list(dict.fromkeys(name.removeprefix("connector/") for name in names))
    found = [item for item in store.connectors(wanted or None, secrets=False) if _needs(item)]
    for name in wanted:
        if name not in {item.name for item in found}:
            raise UsageError(f"there is no live connector '{name}' that needs an access token", hint="list those that do with: reconciler token status")  # fmt: skip
    return list(store.connectors([item.name for item in found])) if secrets and found else found


def _needs(found: LiveConnector) -> bool:
    try:
        return needs_token(found.spec)
    except (AttributeError, TypeError):  # others have written what is no authorization
        return False


def _status(found: LiveConnector, state: TokenState | None, now: str) -> TokenStatus:
    authorization = found.spec["authorization"]
    method = "token request" if "tokenRequest" in authorization else str(authorization["method"])
    inactive = found.spec.get("status") == "inactive" and state is None
    condition = Condition.INACTIVE if inactive else condition_of(state, now)
    return TokenStatus(found.name, method, condition, state)


def refuse_failed(care: Care) -> None:
    """Stop when tokens were not to be had.

    Raises:
        CredentialsRefused: with all of them in the details.
    """
    if not care.failed:
        return
    (first, *others) = care.failed.values()
    count = f"{len(care.failed)} access tokens" if others else "an access token"
    raise CredentialsRefused(
        f"{count} cannot be fetched" + (f"; {len(care.done)} were" if care.done else ""),
        hint=first.hint if not others else "",
        details=tuple(
            f"connector/{name}: {failure.message}" + (f" ({failure.hint})" if others and failure.hint else "")
            for name, failure in care.failed.items()
        ),
    )
