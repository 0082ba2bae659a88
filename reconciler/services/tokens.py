"""Get access tokens: in parallel, each by one process only, stored before anybody uses them."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import Token, TokenKey, TokenState, Trust, is_due, later
from reconciler.core.ports.source import FetchedToken, Sealer, TokenKeeper
from reconciler.core.ports.store import Clock
from reconciler.core.progress import UNTOLD, Progress
from reconciler.core.secret import Secret
from reconciler.errors import CredentialsRefused, ReconcilerError, StoreLocked
from reconciler.kinds.authorization import TokenGrant

if TYPE_CHECKING:
    from concurrent.futures import Future

PARALLELISM = 8
LEASE_SECONDS = 60.0
"""How long a process that has died keeps others from fetching its tokens."""
_HEARTBEAT_SECONDS = 15.0
_POLL_SECONDS = 0.1


class TokenSource(Protocol):
    """Asks servers for tokens; one for each thread."""

    def fetch(self, grant: TokenGrant, trust: Trust) -> Token:
        """A token for credentials."""
        ...

    def renew(self, grant: TokenGrant, trust: Trust, refresh: Secret) -> Token:
        """A token for a refresh token."""
        ...

    def abort(self) -> None:
        """End what is under way, from another thread."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class TokenJob(Struct, frozen=True):
    """One token to be fetched.

    Attributes:
        name: of the connector.
        key: of the token; the record that is to come has an identity that no other job has.
        made_with: keyed fingerprint of the authorization.
        refresh: a refresh token to try first.
        since: when the token that the store holds was obtained; a later one is another process's, and good.
    """

    name: str
    key: TokenKey
    grant: TokenGrant
    trust: Trust
    made_with: str
    refresh: Secret | None = None
    since: str = ""


class TokenTools(Struct, frozen=True):
    """What fetching takes.

    Attributes:
        make_source: makes a source for a thread.
        parallelism: how many requests are under way at once.
        progress: told of each answer.
    """

    keeper: TokenKeeper
    sealer: Callable[[], Sealer]
    make_source: Callable[[], TokenSource]
    clock: Clock
    parallelism: int = PARALLELISM
    progress: Progress = UNTOLD


Answer = FetchedToken | ReconcilerError


def fetch_tokens(jobs: Sequence[TokenJob], tools: TokenTools) -> Iterator[list[tuple[TokenJob, Answer]]]:
    """Fetch tokens in parallel; they come in groups, as soon as servers have answered.

    An empty group comes when no server has answered for a while. Nothing is stored. Of jobs with the same credentials
    one goes ahead: when these are refused so are the others, without a further try, because many servers count the
    tries and lock the account.
    """
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    sources = _Sources(tools.make_source)
    pool = ThreadPoolExecutor(max(1, min(tools.parallelism, len(jobs))))
    try:
        line = _Line(lambda job: pool.submit(sources.get, job))
        answered = 0
        group = [outcome for job in jobs for outcome in line.start(job)]
        while line.pending:
            tools.progress.tell("tokens", answered, len(jobs))
            done, _ = wait(line.pending, timeout=_HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                group += line.end(*_outcome(line.pending.pop(future), future, tools))
            answered += len(group)
            yield group
            group = []
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        sources.abort()
        pool.shutdown()
        sources.close()


class _Line:
    """Who asks, and who waits for the answer to somebody with the same credentials."""

    def __init__(self, submit: "Callable[[TokenJob], Future[Token]]") -> None:
        self.pending: dict[Future[Token], TokenJob] = {}
        self._submit = submit
        self._waiting: dict[object, list[TokenJob]] = {}
        self._known: dict[object, CredentialsRefused | None] = {}

    def start(self, job: TokenJob) -> list[tuple[TokenJob, Answer]]:
        """Let it ask or wait; its answer, where the credentials were refused before."""
        shared = _credentials(job)
        if job.refresh is None:
            if refused := self._known.get(shared):
                return [(job, refused)]
            if shared in self._waiting:
                self._waiting[shared].append(job)
                return []
            if shared not in self._known:
                self._waiting[shared] = []
        self.pending[self._submit(job)] = job
        return []

    def end(self, job: TokenJob, answer: Answer) -> list[tuple[TokenJob, Answer]]:
        """The answers that are known now."""
        refused = answer if isinstance(answer, CredentialsRefused) else None
        if job.refresh is not None:  # when it was used, revoked, or has expired, the credentials still count
            return self.start(replace(job, refresh=None)) if refused else [(job, answer)]
        shared = _credentials(job)
        others = self._waiting.pop(shared, [])
        known = [(job, answer)]
        if refused and refused.of_request:
            same = [other for other in others if other.grant == job.grant]
            known += [(other, refused) for other in same]
            others = [other for other in others if other not in same]
        else:
            self._known[shared] = refused
        return known + [outcome for other in others for outcome in self.start(other)]


def _credentials(job: TokenJob) -> object:
    """What a server may count the tries of."""
    grant = job.grant
    return (grant.url, *(text and text.reveal() for text in (grant.username, grant.password, grant.client_id, grant.client_secret)))  # fmt: skip


class _Sources:
    """A source for each thread of a pool."""

    def __init__(self, make_source: Callable[[], TokenSource]) -> None:
        self._make_source = make_source
        self._mine = threading.local()
        self._all: list[TokenSource] = []

    def get(self, job: TokenJob) -> Token:
        source: TokenSource | None = getattr(self._mine, "source", None)
        if source is None:
            source = self._mine.source = self._make_source()
            self._all.append(source)
        if job.refresh is None:
            return source.fetch(job.grant, job.trust)
        return source.renew(job.grant, job.trust, job.refresh)

    def abort(self) -> None:
        for source in self._all:
            source.abort()

    def close(self) -> None:
        for source in self._all:
            source.close()


def _outcome(job: TokenJob, future: "Future[Token]", tools: TokenTools) -> tuple[TokenJob, Answer]:
    failure = future.exception()
    if isinstance(failure, ReconcilerError):
        return job, failure
    return job, _fetched(job, future.result(), tools.clock())


def _fetched(job: TokenJob, token: Token, now: str) -> FetchedToken:
    expires = later(now, token.lifetime) if token.lifetime is not None else None
    state = TokenState(job.made_with, now, expires, token.scope, token.refresh is not None)
    return FetchedToken(state, token.access, token.refresh)


def obtain(jobs: Sequence[TokenJob], tools: TokenTools) -> dict[TokenKey, ReconcilerError]:
    """Fetch and store tokens of records that are live, each under a lease, so that only one process asks for it.

    Returns:
        The failures, by the token's key.
    """
    holder = tools.keeper.holder()
    open_jobs = {job.key: job for job in jobs}
    failures: dict[TokenKey, ReconcilerError] = {}
    patience = time.monotonic() + 2 * LEASE_SECONDS
    while open_jobs:
        mine = tools.keeper.lease(list(open_jobs), holder, LEASE_SECONDS)
        ready = _obtained_by_others(open_jobs.values(), tools)
        if mine & ready:
            tools.keeper.release(mine & ready, holder)
        for key in ready:
            del open_jobs[key]
        leased = [open_jobs.pop(key) for key in sorted(mine - ready)]
        if leased:
            failures |= _fetch_and_keep(leased, holder, tools)
        elif open_jobs:
            if time.monotonic() > patience:
                return failures | {key: _never_released(job) for key, job in open_jobs.items()}
            time.sleep(_POLL_SECONDS)
    return failures


def _obtained_by_others(jobs: Iterable[TokenJob], tools: TokenTools) -> frozenset[TokenKey]:
    """Records whose token another process has fetched since the job was made."""
    states, now = tools.keeper.states(), tools.clock()
    return frozenset(job.key for job in jobs if job.key in states and _is_newer(states[job.key], job, now))


def _is_newer(state: TokenState, job: TokenJob, now: str) -> bool:
    return state.made_with == job.made_with and state.obtained != job.since and not is_due(state, now)


def _fetch_and_keep(jobs: Sequence[TokenJob], holder: str, tools: TokenTools) -> dict[TokenKey, ReconcilerError]:
    failures: dict[TokenKey, ReconcilerError] = {}
    held, extended = {job.key for job in jobs}, time.monotonic()
    try:
        for group in fetch_tokens([_with_refresh(job, tools) for job in jobs], tools):
            tokens = {job.key: outcome for job, outcome in group if isinstance(outcome, FetchedToken)}
            if tokens:
                tools.keeper.keep(tokens, holder)  # where the lease was lost another process's token counts
            failures |= {job.key: outcome for job, outcome in group if isinstance(outcome, ReconcilerError)}
            held -= tokens.keys()
            if held and time.monotonic() - extended > _HEARTBEAT_SECONDS:
                tools.keeper.lease(sorted(held), holder, LEASE_SECONDS)
                extended = time.monotonic()
    finally:
        if held:
            tools.keeper.release(held, holder)
    return failures


def _with_refresh(job: TokenJob, tools: TokenTools) -> TokenJob:
    """The job with the refresh token that the store holds now: under the lease nobody else uses it up."""
    if job.refresh is None:
        return job
    opened = tools.keeper.opened(job.key)
    return replace(job, refresh=opened[2]) if opened and opened[0].made_with == job.made_with else job


def _never_released(job: TokenJob) -> StoreLocked:
    return StoreLocked("another process fetches the token and does not end", hint="look for it, and try again")
