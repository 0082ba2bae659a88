"""Call every GET endpoint of many connectors with their sample data."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.calls import CallOutcome, CallResult, Headers, TokenKey
from reconciler.core.model import LiveConnector
from reconciler.core.progress import UNTOLD, Progress, told
from reconciler.errors import ReconcilerError
from reconciler.kinds.authorization import needs_token, trust_of
from reconciler.kinds.authorization_blocks import Authorization
from reconciler.kinds.requests import DataMissing, GivenData, build, gather
from reconciler.net.retry import Senders
from reconciler.services.calls import UNAUTHORIZED, Call, prepare, send
from reconciler.services.records import refuse_unreadable

PARALLELISM = 8
MAX_BYTES = 1024 * 1024
_GOOD_BELOW = 400
AuthorizeOne = Callable[[LiveConnector, Authorization, bool], Headers]


def check_all(
    connectors: Iterable[LiveConnector],
    authorize: AuthorizeOne,
    *,
    base_url: str,
    parallelism: int = PARALLELISM,
    progress: Progress = UNTOLD,
    unready: Mapping[str, ReconcilerError] | None = None,
) -> list[CallResult]:
    """Call them, in parallel; the results in order of connectors and endpoints.

    Args:
        unready: why connectors cannot be called at all, by uid.

    `authorize` is called in this thread alone, and once more for an authorization whose fetched token was refused.
    """
    senders = Senders()
    pool = ThreadPoolExecutor(parallelism)
    try:
        why = unready or {}
        jobs = [
            job
            for found in connectors
            for job in (
                _unready(found, why[found.uid])
                if found.uid in why
                else _start(found, authorize, base_url, pool, senders)
            )
        ]
        renewed: dict[TokenKey, Headers | ReconcilerError] = {}
        for position, job in enumerate(told(jobs, "calling", len(jobs), progress, every=1)):
            if job.call is not None and _refused(job):
                key = TokenKey(job.connector.uid, job.call.by.name)
                if key not in renewed:
                    renewed[key] = _headers(job.call, authorize, fresh=True)
                jobs[position] = _submit(replace(job, outcome=None), renewed[key], pool, senders)
        return [_checked(job) for job in jobs]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        senders.abort()  # only an interrupt leaves something under way
        pool.shutdown()
        senders.close()


class _Job(Struct, frozen=True):
    connector: LiveConnector
    purpose: str
    call: Call | None = None
    headers: Headers = ()
    outcome: "Future[CallOutcome] | ReconcilerError | None" = None
    skipped: str = ""


def _start(
    found: LiveConnector, authorize: AuthorizeOne, base_url: str, pool: ThreadPoolExecutor, senders: Senders
) -> Iterator[_Job]:
    """The jobs of one connector, under way."""
    headers: dict[str, Headers | ReconcilerError] = {}
    for purpose, call in _calls(found, base_url):
        if isinstance(call, Call):
            name = call.by.name
            if name not in headers:
                headers[name] = _headers(call, authorize, fresh=False)
            yield _submit(_Job(found, purpose, call), headers[name], pool, senders)
        elif isinstance(call, DataMissing):
            yield _Job(found, purpose, skipped=call.message)
        else:
            yield _Job(found, purpose, outcome=call)


def _unready(found: LiveConnector, failure: ReconcilerError) -> Iterator[_Job]:
    return (_Job(found, purpose, outcome=failure) for purpose in reading(found))


def reading(found: LiveConnector) -> list[str]:
    """The GET endpoints of a connector, in order of their names."""
    listed = found.spec.get("endpoints", {})
    endpoints = listed.items() if isinstance(listed, dict) else ()
    return sorted(
        purpose
        for purpose, endpoint in endpoints
        if isinstance(endpoint, dict) and str(endpoint.get("method", "")).upper() == "GET"
    )


def _calls(found: LiveConnector, base_url: str) -> Iterator[tuple[str, Call | ReconcilerError]]:
    for purpose in reading(found):
        endpoint = found.spec["endpoints"][purpose]
        try:
            refuse_unreadable(found)
            data = gather(endpoint.get("sample", {}), {}, ())
            request = build(purpose, endpoint, GivenData(data, base_url=base_url), found.secrets)
            yield purpose, prepare(found, purpose, request, max_bytes=MAX_BYTES)
        except ReconcilerError as failure:
            yield purpose, failure


def _headers(call: Call, authorize: AuthorizeOne, *, fresh: bool) -> Headers | ReconcilerError:
    try:
        return authorize(call.connector, call.by, fresh)
    except ReconcilerError as failure:
        return failure


def _submit(job: _Job, headers: Headers | ReconcilerError, pool: ThreadPoolExecutor, senders: Senders) -> _Job:
    """The job, under way with these headers."""
    assert job.call is not None
    if isinstance(headers, ReconcilerError):
        return replace(job, outcome=headers)
    trust = trust_of(job.connector.spec, job.connector.secrets)
    sent = pool.submit(send, job.call, trust, headers, senders.open, refused=job.headers)
    return replace(job, headers=headers, outcome=sent)


def _refused(job: _Job) -> bool:
    if not isinstance(job.outcome, Future) or job.call is None or job.outcome.exception():
        return False
    if not needs_token(job.call.by):
        return False
    outcome = job.outcome.result()
    return outcome.answer.status == UNAUTHORIZED and not outcome.redirects


def _checked(job: _Job) -> CallResult:
    name, outcome = job.connector.name, job.outcome
    if outcome is None:
        return CallResult(name, job.purpose, None, None, "skipped", job.skipped)
    if isinstance(outcome, Future):
        failure = outcome.exception()
        if failure is None:
            answer = outcome.result().answer
            good = answer.status < _GOOD_BELOW
            reason = "" if good else f"{answer.status} {answer.reason}".rstrip()
            return CallResult(name, job.purpose, answer.status, answer.seconds, "ok" if good else "failed", reason)
        if not isinstance(failure, ReconcilerError):
            raise failure
        outcome = failure
    return CallResult(name, job.purpose, None, None, "failed", outcome.message)
