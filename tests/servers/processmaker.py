"""A simulated ProcessMaker instance in the process of the tests, and the contract that is held over all it is asked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from simulator import Handle, start
from simulator.messages import Answer, Request
from simulator.profiles import API

from servers.authority import Authority
from servers.processmaker_contract import Sent, answer_faults, request_faults

SIMULATOR = Path(__file__).parents[2] / "examples" / "processmaker" / "simulator"
PERSON = "X-By"  # marks what a person does by hand, which no contract has to describe


class Instance(Handle):
    """A running simulator: what a target needs to name it, what a test looks at, and people who edit by hand.

    Of the simulator's own: `tokens`, `token(user)`, `requests` (the log, without tokens), `faults`, `switches`,
    `plaintext(connector id)`, `store`, `killed`, `restart()`.
    """

    breaches: list[str]  # of the contract, so far

    @property
    def url(self) -> str:
        """The `store:` of a target."""
        return "processmaker+" + self.api.removesuffix(API)

    @property
    def api(self) -> str:
        """Where the API's paths begin."""
        return super().url

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Verb and path of each request so far that may change something, in the order in which they came."""
        return [(one["method"], one["path"]) for one in self.requests if one["method"] not in ("GET", "HEAD")]

    def meanwhile(self, method: str, path: str, act: Callable[[], object], *, nth: int = 1) -> None:
        """Have somebody act just before the nth request from now on with this verb and path is looked at."""
        left = [nth]

        def told(request: Request) -> None:
            if (request.method, request.path) == (method, path) and PERSON not in request.headers:
                left[0] -= 1
                if left[0] == 0:
                    act()

        self.simulator.on_request.append(told)

    def call(self, method: str, path: str, body: Any = None, *, user: str = "admin") -> Any:
        """What a person does by hand: a request outside of the contract, and its answer's JSON (None when empty).

        Raises:
            httpx.HTTPStatusError: for 4xx and 5xx.
        """
        headers = {"Authorization": f"Bearer {self.token(user)}", "Accept": "application/json", PERSON: "person"}
        answer = httpx.request(method, self.api + path, json=body, headers=headers, verify=False)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextmanager
def instance(
    profile: str = "4.14", *, authority: Authority | None = None, contract: bool = True, **more: Any
) -> Iterator[Instance]:
    """Run a simulator, and fail at the end for what its clients asked or got that the contract does not describe.

    With an `authority` it speaks TLS with that one's good certificate. `more` is for `simulator.start`: faults, seed,
    random_seed, state, port, and the switches (see examples/processmaker/simulator/README.md).
    """
    tls = (str(authority.good.chain), str(authority.good.key)) if authority else None
    with start(profile, tls=tls, kind=Instance, **more) as server:
        server.breaches = []
        if contract:
            _watch(server)
        yield server
    assert not server.breaches, "outside of the contract:\n" + "\n".join(server.breaches)


def _watch(server: Instance) -> None:
    def note(request: Request, side: str, faults: list[str]) -> None:
        server.breaches += [f"{request.method} {request.path} {side}: {fault}" for fault in faults]

    def on_request(request: Request) -> None:
        if _is_ours(request):
            note(request, "asked", request_faults(_sent(request)))

    def on_answer(request: Request, answer: Answer) -> None:
        if _is_ours(request):
            note(request, "answered", answer_faults(_sent(request), answer.status, answer.kind, answer.body))

    server.simulator.on_request.append(on_request)
    server.simulator.on_answer.append(on_answer)


def _is_ours(request: Request) -> bool:
    return PERSON not in request.headers and not request.path.startswith("/..")  # what is not below the API's root


def _sent(request: Request) -> Sent:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Sent(request.method, request.path, request.raw_query, request.raw, headers)
