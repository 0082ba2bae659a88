"""What proves who asks an instance: a token that was made there, or one that a password is granted."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from threading import RLock
from typing import Any
from urllib.parse import urlencode

import msgspec

from reconciler.core.references import unsendable
from reconciler.core.secret import Secret
from reconciler.errors import StoreUnavailable, UsageError
from reconciler.net.client import Response
from reconciler.stores.processmaker.wire.address import Address

Credentials = Mapping[str, Callable[[], Secret]]
Post = Callable[[str, bytes], Response]
"""Posts a form to a URL and gives the answer; raises `StoreUnavailable`."""
_TOKEN = "token"  # noqa: S105 - its place in the target
_FIELDS = (("client_id", "login.clientId"), ("client_secret", "login.clientSecret"))
_USER = (("username", "login.username"), ("password", "login.password"))
_SECRET = ("client_secret", "password")
_CODES = {
    "invalid_client": "check login.clientId and login.clientSecret of the target",
    "invalid_grant": "check login.username and login.password of the target",
    "unsupported_grant_type": "the client has to be one of the password grant",
    "unauthorized_client": "the client has to be one of the password grant",
}
_OK, _FAILED = 200, 500


class Login:
    """Gives the token of a run, and another one when that is no longer taken. For several threads."""

    def __init__(self, address: Address, credentials: Credentials, post: Post) -> None:
        """Ask for nothing yet.

        Args:
            credentials: as `DriverContext` has them.
        """
        self._host = address.host
        self._url = f"{address.root}/oauth/token"
        self._credentials = credentials
        self._post = post
        self._lock = RLock()
        self._token: Secret | None = None
        self._refresh: Secret | None = None
        self._sent: tuple[Secret, ...] = ()
        self._is_proven = False

    def token(self) -> Secret:
        """The token to send.

        Raises:
            UsageError: the target names none.
            SecretUnavailable: what it names cannot be had.
            StoreUnavailable: the instance grants none.
        """
        with self._lock:
            if self._token is None:
                self._token = self._made()
            return self._token

    def take(self, token: Secret) -> None:
        """Note that the instance takes a token."""
        if token is self._token:
            self._is_proven = True

    def renewed(self, refused: Secret) -> Secret:
        """Another token in the place of one that the instance did not take.

        Raises:
            StoreUnavailable: there is none.
        """
        with self._lock:
            if refused is not self._token:  # another thread was faster
                return self.token()
            was_proven, self._is_proven = self._is_proven, False
            if _TOKEN in self._credentials:
                self._token = self._reread(refused)
            elif was_proven:
                self._token = self._granted_anew()
            else:
                raise self.refusal()
            return self._token

    def refusal(self) -> StoreUnavailable:
        """That the token is not taken, and there is no other."""
        if _TOKEN in self._credentials:
            hint = "make a new one there (Admin, Users, the user, API Tokens), and put it where `token` of the target leads to"
            return StoreUnavailable(f"{self._host} does not take the token: it is expired, revoked or of another instance", hint=hint)  # fmt: skip
        hint = "the client has to be one of the password grant: a token of client credentials has no user"
        return StoreUnavailable(f"{self._host} does not take the token that it has just granted", hint=hint)

    def ends(self) -> datetime | None:
        """When the token ends that somebody has to replace then; None for one that is granted anew."""
        return ending(self.token()) if _TOKEN in self._credentials else None

    def secrets(self) -> tuple[Secret, ...]:
        """All that is known of it now, and is shown nowhere."""
        return tuple(one for one in (self._token, self._refresh, *self._sent) if one is not None)

    def _made(self) -> Secret:
        if _TOKEN in self._credentials:
            return self._sendable(self._credentials[_TOKEN]())
        if not self._credentials:
            hint = "add to the target of that store a line such as  token: {env: PROCESSMAKER_TOKEN}"
            raise UsageError(f"nothing says with which token {self._host} is to be asked", hint=hint)
        return self._granted("password", _USER)

    def _reread(self, refused: Secret) -> Secret:
        """The token once more from where it is kept, as issued ones may be good for minutes."""
        found = self._sendable(self._credentials[_TOKEN]())
        if found.reveal() == refused.reveal():
            raise self.refusal()
        return found

    def _granted_anew(self) -> Secret:
        refresh, self._refresh = self._refresh, None
        if refresh is not None:
            try:
                return self._granted("refresh_token", (), refresh)
            except StoreUnavailable:  # it may have ended as well: the password is asked for next
                pass
        return self._granted("password", _USER)

    def _granted(self, grant: str, user: tuple[tuple[str, str], ...], refresh: Secret | None = None) -> Secret:
        named = {name: self._credentials[place]() for name, place in (*_FIELDS, *user)}
        self._sent = tuple(value for name, value in named.items() if name in _SECRET)
        fields = [("grant_type", grant), *((name, value.reveal()) for name, value in named.items())]
        fields += [("refresh_token", refresh.reveal())] if refresh is not None else []
        answer = self._post(self._url, urlencode(fields).encode())
        said = _said(answer)
        access, further = said.get("access_token"), said.get("refresh_token")
        if answer.status != _OK or not isinstance(access, str) or not access:
            raise self._not_granted(answer, said)
        self._refresh = Secret(further) if isinstance(further, str) and further else None
        return self._sendable(Secret(access))

    def _not_granted(self, answer: Response, said: Mapping[str, Any]) -> StoreUnavailable:
        code = said.get("error")
        known = code if isinstance(code, str) and code in _CODES else ""
        hint = _CODES.get(known, "check `login` of the target, and the URL of the store")
        if answer.status >= _FAILED:
            hint = "see the instance's log, or try again later"
        what = f"{answer.status} {known}".strip() if answer.status != _OK else "what holds no token"
        return StoreUnavailable(f"{self._host} grants no token: it answered {what}", hint=hint)

    def _sendable(self, token: Secret) -> Secret:
        fault = "is empty" if not token.reveal() else unsendable(token.reveal(), in_header=True)
        if fault:
            raise StoreUnavailable(f"the token for {self._host} {fault}, which cannot be sent", hint="check what it is read from")  # fmt: skip
        return token


def _said(answer: Response) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def ending(token: Secret) -> datetime | None:
    """When a token ends, as it says itself; None where it does not."""
    said = dict(claims(token)).get("exp")
    try:
        return datetime.fromtimestamp(said, UTC) if isinstance(said, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None


def claims(token: Secret) -> Iterator[tuple[str, Any]]:
    """What a JSON Web Token says of itself (RFC 7519), read without checking it; nothing of another one."""
    from base64 import urlsafe_b64decode

    parts = token.reveal().split(".")
    if len(parts) != 3:
        return
    try:
        found = msgspec.json.decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return
    if isinstance(found, dict):
        yield from found.items()
