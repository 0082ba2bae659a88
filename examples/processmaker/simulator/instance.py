"""What stands between HTTP and the records: log, limits, faults, keeping of state."""

from __future__ import annotations

import copy
import json
import os
import threading
import time
from typing import Callable

from simulator.answers import Api
from simulator.control import Control
from simulator.faults import Fault, Hangup, Killed, Plan
from simulator.grants import TOKEN_PATH
from simulator.messages import Answer, Request, html_page, pretty_message, redirect
from simulator.profiles import Profile, Switches
from simulator.store import Store


GRANT_KEYS = ("grant_type", "client_id", "username")  # what a log may have of a request for a token


class Simulator(Control):
    """What stands between HTTP and the Api: log, limits, faults, keeping of state."""

    def __init__(
        self,
        profile: Profile,
        seed: dict | None,
        random_seed: int,
        faults: list,
        switches: dict,
        state: str | None = None,
    ):
        self.switches, self.plan = Switches(**switches), Plan(faults, random_seed)
        self.profile, self.seed, self.random_seed, self.state = profile, seed, random_seed, state
        self.requests: list[dict] = []
        self.log_lock, self.recent, self.in_flight = threading.Lock(), [], 0
        self.on_kill: Callable[[], None] = lambda: os._exit(137)
        self.on_request: list[Callable[[Request], None]] = []  # called before any fault
        self.on_answer: list[Callable[[Request, Answer], None]] = []  # called before faults change it
        self.reset()

    def reset(self, keep: bool = True) -> None:
        self.store = Store(self.profile, self.random_seed)
        if keep and self.state and os.path.exists(self.state):
            with open(self.state, encoding="utf-8") as source:
                self.store.load(json.load(source))
        elif self.seed is None:
            self.store.fill_default()
        else:
            self.store.fill(self.seed)
        self.api = Api(self.store, self.switches)

    @property
    def tokens(self) -> dict[str, dict]:
        with self.store.lock:
            return {
                name: {"token": token, "id": self.store.tokens[token], "permissions": self._permissions(token)}
                for name, token in self.store.token_names.items()
            }

    def _permissions(self, token: str) -> list[str]:
        user = self.store.users.rows.get(self.store.tokens[token] or 0)
        if user is None:
            return []
        return ["*"] if user["is_administrator"] else sorted(self.store.rights(user))

    def serve(self, request: Request, reply: Callable[[Answer, int | None], None]) -> None:
        entry = self._enter(request)
        for told in self.on_request:
            told(request)
        try:
            answer, keep = self._with_faults(request, entry)
            entry["status"] = answer.status
            reply(answer, keep)
        except Hangup:
            entry["status"] = None
            raise
        finally:
            with self.log_lock:
                self.in_flight -= 1

    def _enter(self, request: Request) -> dict:
        kind, _, token = (request.headers.get("Authorization") or "").partition(" ")
        user = next((name for name, known in self.store.token_names.items() if known == token), None)
        if user is None and (row := self.store.user_of(token)):
            user = row["username"]
        is_grant = request.path == TOKEN_PATH
        logged = {key: value for key, value in request.inputs.items() if not is_grant or key in GRANT_KEYS}
        with self.log_lock:
            self.in_flight += 1
            entry = {
                "number": len(self.requests) + 1,
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "body": copy.deepcopy(logged if is_grant else request.body),
                "user": user,
                "headers": {
                    key.lower(): value for key, value in request.headers.items() if key.lower() != "authorization"
                },
                "in_flight": self.in_flight,
                "at": time.time(),
                "faults": [],
                "status": None,
            }
            self.requests.append(entry)
        return entry

    def _with_faults(self, request: Request, entry: dict) -> tuple[Answer, int | None]:
        time.sleep(self.switches.latency)
        held = self._held_back(request)
        if held:
            return held, None
        faults = self.plan.hits(request.method, request.path)
        entry["faults"] = [fault.action for fault in faults]
        for fault in faults:
            early = self._before(fault, request)
            if early:
                return early, None
        answer = self.api.answer(request)
        for told in self.on_answer:
            told(request, answer)
        self.save(request)
        keep = None
        for fault in faults:
            answer, keep = self._after(fault, answer, keep)
        return answer, keep

    def _held_back(self, request: Request) -> Answer | None:
        """Maintenance and the rate limit of a proxy."""
        wait = {"Retry-After": str(self.switches.retry_after)}
        if self.switches.maintenance:
            if not request.headers.get("Accept"):
                return Answer(
                    503, html_page("Service Unavailable", "Service Unavailable"), "text/html; charset=UTF-8", wait
                )
            answer = pretty_message(503, "Service Unavailable")
            answer.headers.update(wait)
            return answer
        if self.switches.rate_limit and self._too_fast():
            return Answer(429, b'{"message":"Too Many Attempts."}', headers={"Retry-After": "1"})
        return None

    def _too_fast(self) -> bool:
        moment = time.monotonic()
        with self.log_lock:
            self.recent[:] = [earlier for earlier in self.recent if moment - earlier < 1]
            if len(self.recent) >= self.switches.rate_limit:
                return True
            self.recent.append(moment)
            return False

    def _before(self, fault: Fault, request: Request) -> Answer | None:
        """What happens instead of the work; None lets the request go on."""
        if fault.action == "delay":
            time.sleep(fault.seconds)
        elif fault.action == "expire_token":
            token = (request.headers.get("Authorization") or "").partition(" ")[2]
            with self.store.lock:
                self.store.tokens[token] = None
        elif fault.action == "fail_before":
            return pretty_message(fault.status or 500, "Server Error")
        elif fault.action == "login_page":
            return self._login(fault, request)
        elif fault.action == "kill" and not fault.after:
            raise Killed
        elif fault.action in ("too_many", "unavailable", "bad_gateway", "gateway_timeout") and not fault.after:
            return self._proxy(fault)
        return None

    def _after(self, fault: Fault, answer: Answer, keep: int | None) -> tuple[Answer, int | None]:
        """What becomes of the answer when the work is done."""
        if fault.action == "lose_reply":
            raise Hangup
        if fault.action == "kill" and fault.after:
            raise Killed
        if fault.action == "error_after":
            return pretty_message(500, "Server Error"), keep
        if fault.action == "truncate":
            return answer, len(answer.body) // 2 if fault.keep is None else fault.keep
        if fault.after and fault.action in ("unavailable", "bad_gateway", "gateway_timeout"):
            return self._proxy(fault), keep
        return answer, keep

    def _proxy(self, fault: Fault) -> Answer:
        """429 and 503 with Retry-After, 502 and 504 as the HTML of a proxy."""
        if fault.action in ("bad_gateway", "gateway_timeout"):
            status, text = (502, "502 Bad Gateway") if fault.action == "bad_gateway" else (504, "504 Gateway Time-out")
            return Answer(status, html_page(text, text), "text/html")
        status, text = (429, "Too Many Attempts.") if fault.action == "too_many" else (503, "Service Unavailable")
        wait = self.switches.retry_after if fault.retry_after is None else fault.retry_after
        answer = pretty_message(status, text)
        answer.headers["Retry-After"] = str(wait)
        return answer

    def _login(self, fault: Fault, request: Request) -> Answer:
        """A login page where JSON was asked for: an expired session, a proxy (answers that are none)."""
        if fault.status == 302:
            return redirect(request, "/login", False)
        return Answer(200, html_page("Login", "Please log in"), "text/html; charset=UTF-8")

    def save(self, request: Request) -> None:
        if not self.state or request.method in ("GET", "HEAD", "OPTIONS"):
            return
        with self.store.lock:
            text = json.dumps(self.store.dump())
            with open(self.state + ".new", "w", encoding="utf-8") as target:
                target.write(text)
            os.replace(self.state + ".new", self.state)
