"""Routes a request and answers it."""

from __future__ import annotations

import hashlib
import re

from simulator.categories import Categories
from simulator.connectors import Connectors
from simulator.grants import Grants
from simulator.groups import Groups
from simulator.members import Members
from simulator.messages import (
    Answer,
    Failure,
    Request,
    as_json,
    html_page,
    pretty_message,
    redirect,
)
from simulator.permissions import Permissions
from simulator.profiles import API, Switches
from simulator.routes import (
    FALLBACK,
    MODERN_ROUTES,
    OLD_ROUTES,
    OWN_TEXTS,
    ROUTES,
    Route,
)
from simulator.store import Store
from simulator.tables import Table
from simulator.users import Users
from simulator.values import leading_number


class Api(Connectors, Categories, Groups, Members, Permissions, Users, Grants):
    """Routes a request and answers it. All state is in the store."""

    def __init__(self, store: Store, switches: Switches):
        self.store, self.switches, self.profile = store, switches, store.profile
        self.routes = ROUTES + (MODERN_ROUTES if self.profile.modern else OLD_ROUTES) + [FALLBACK]

    def answer(self, request: Request) -> Answer:
        try:
            with self.store.lock:
                answer = self._answer(request)
        except Failure as failure:
            answer = self._failed(request, failure)
        return self._with_etag(request, answer)

    def _answer(self, request: Request) -> Answer:
        route, match = self._route(request)
        if request.method == "OPTIONS":
            return Answer(
                200,
                b"",
                "text/html; charset=UTF-8" if self.profile.modern else "application/json",
                {"Allow": ",".join(self._offered(route))},
            )
        if request.method not in route.verbs:
            raise self._not_offered(request, route)
        handler, permission = route.verbs[request.method]
        if handler != "issue_token":
            request.user = self._authenticate(request)
        work = getattr(self, handler)
        arguments = [match["id"]] if "id" in match.groupdict() else []
        record = self._find(handler, *arguments) if arguments else None
        self._authorize(request, handler, permission)
        return work(request, record) if arguments else work(request)

    def _route(self, request: Request) -> tuple[Route, re.Match]:
        path = request.path.rstrip("/") or "/"
        for route in self.routes:
            match = route.match(path, self.profile.modern)
            if match:
                return route, match
        raise Failure(404)

    def _offered(self, route: Route) -> list[str]:
        return [verb for verb in ("GET", "HEAD", "POST", "PUT", "DELETE") if verb in route.verbs]

    def _not_offered(self, request: Request, route: Route) -> Failure:
        """405 comes before any look at the token (seen)."""
        where = f"route {(API + request.path).strip('/')}" if self.profile.modern else "this route"
        failure = Failure(
            405,
            f"The {request.method} method is not supported for {where}. "
            f"Supported methods: {', '.join(self._offered(route))}.",
        )
        failure.errors = {"allow": ", ".join(self._offered(route))}
        return failure

    def _authenticate(self, request: Request) -> dict:
        """The token of an INACTIVE user goes on working."""
        kind, _, token = (request.headers.get("Authorization") or "").partition(" ")
        user = self.store.user_of(token.strip()) if kind.lower() == "bearer" else None
        if user is None:
            raise Failure(401)
        return user

    def _authorize(self, request: Request, handler: str, permission: str) -> None:
        if permission and not self.store.may(request.user, permission):
            raise Failure(403, OWN_TEXTS.get(handler, "") if self.profile.modern else "")

    def _find(self, handler: str, sent: str) -> dict:
        """A record by the id in the path. "4x" is 4 for the database (seen); what is in no table is 404 before 403."""
        kind = handler.rpartition("_")[2]
        if handler in ("list_group_users", "list_group_groups"):
            kind = "group"
        table = {
            "connector": self.store.connectors,
            "category": self.store.categories,
            "group": self.store.groups,
            "member": self.store.members,
            "user": self.store.users,
        }.get(kind, Table())
        row = table.rows.get(leading_number(sent))
        if (
            row is None
            or kind == "connector"
            and not self.store.reachable(row)
            or kind == "category"
            and not self.profile.modern
            and row["is_system"]
        ):
            raise Failure(404)
        return row

    def _failed(self, request: Request, failure: Failure) -> Answer:
        """The forms of errors. Without an Accept for JSON 2020 answers with 302 or HTML."""
        plain = self._wants_html(request)
        if failure.status == 401:
            return (
                redirect(request, "/login", self.profile.modern)
                if plain
                else as_json(401, {"error": "Unauthenticated."})
            )
        if failure.status == 404:
            return as_json(404, {"error": "Not Found"})
        if failure.status == 405:
            answer = pretty_message(405, failure.message)
            if not request.wants_json:
                answer = Answer(405, html_page("Method Not Allowed", "Method Not Allowed"), "text/html; charset=UTF-8")
            answer.headers["Allow"] = failure.errors["allow"]
            return answer
        if plain and failure.status == 422 and "datasources" not in failure.errors:
            return redirect(request, "", self.profile.modern)
        if plain and failure.status != 422:
            page = html_page("Error", "Error") if self.profile.modern else b""
            return Answer(failure.status if self.profile.modern else 500, page, "text/html; charset=UTF-8")
        if failure.status == 422:
            return as_json(422, {"message": failure.message, "errors": failure.errors})
        if failure.status == 400:
            return as_json(400, [])
        return pretty_message(failure.status, failure.message or "This action is unauthorized.")

    def _wants_html(self, request: Request) -> bool:
        """4.14 takes everything for JSON but an Accept that names application/json, only not as the first (seen)."""
        named = "application/json" in (request.headers.get("Accept") or "")
        return not request.wants_json and (named or not self.profile.modern)

    def _with_etag(self, request: Request, answer: Answer) -> Answer:
        """4.14: an ETag on every good GET, of the user's id and the body (seen: another user, another ETag)."""
        if not self.profile.modern or request.method not in ("GET", "HEAD") or answer.status != 200:
            return answer
        body = b"" if request.method == "HEAD" else answer.body
        tag = '"%s"' % hashlib.md5(str(request.user["id"]).encode() + body).hexdigest()
        known = [part.strip().removeprefix("W/") for part in (request.headers.get("If-None-Match") or "").split(",")]
        if tag in known and request.method == "GET":
            return Answer(304, b"", "", {"ETag": tag})
        answer.headers["ETag"] = tag
        return answer

    def unknown(self, request: Request, record: dict | None = None) -> Answer:
        raise Failure(404)
