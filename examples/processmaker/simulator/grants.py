"""The token endpoint, at the root of an instance: /oauth/token."""

from __future__ import annotations


from simulator.messages import Answer, Request, as_json
from simulator.work import Work

TOKEN_PATH = "/../oauth/token"  # as seen from the API's root


class Grants(Work):
    """Password grant with a refresh token; client credentials give a token of no user, which is 401 on the API.

    Statuses and names of errors were seen for the password grant alone; those of a bad refresh token are the
    framework's.
    """

    def issue_token(self, request: Request) -> Answer:
        sent = request.inputs
        kind, client = sent.get("grant_type"), str(sent.get("client_id"))
        if kind not in ("password", "refresh_token", "client_credentials"):
            return _refused(400, "unsupported_grant_type", "The authorization grant type is not supported.")
        if not sent.get("client_secret") or self.store.clients.get(client) != sent["client_secret"]:
            return _refused(401, "invalid_client", "Client authentication failed")
        if kind == "password":
            return self._by_password(sent)
        return self._by_refresh(sent) if kind == "refresh_token" else self._issued(None)

    def _by_password(self, sent: dict) -> Answer:
        found = self.store.users.where(username=sent.get("username"))
        known = self.store.passwords.get(found[0]["username"]) if found else None
        if known is None or known != sent.get("password"):
            return _refused(400, "invalid_grant", "The user credentials were incorrect.")
        return self._issued(found[0])

    def _by_refresh(self, sent: dict) -> Answer:
        """A new pair; both old tokens end."""
        user, old = self.store.refreshes.pop(sent.get("refresh_token"), (None, None))
        if user is None or user not in self.store.users.rows:
            return _refused(401, "invalid_request", "The refresh token is invalid.")
        self.store.tokens[old] = None
        return self._issued(self.store.users.rows[user])

    def _issued(self, user: dict | None) -> Answer:
        seconds = self.switches.token_seconds
        token = self.store.new_token(user, seconds)
        shown = {"token_type": "Bearer", "expires_in": int(seconds), "access_token": token}
        if user is not None:
            shown["refresh_token"] = "%0256x" % self.store.random.getrandbits(1024)
            self.store.refreshes[shown["refresh_token"]] = (user["id"], token)
        return as_json(200, shown)


def _refused(status: int, error: str, text: str) -> Answer:
    return as_json(status, {"error": error, "error_description": text, "message": text})
