"""How a connector of a ProcessMaker export is authorized; every credential becomes a reference."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from reconciler.importers.processmaker_files import FoundConnector
from reconciler.importers.processmaker_texts import Texts
from reconciler.importers.requests import Desk
from reconciler.importers.values import Object, Pointer, clean, is_true, mapping, text
from reconciler.kinds.places import url_fault

UNVERIFIED: Final = "verification was switched off in the instance that the connector was exported from"
MAX_URL: Final = 8192


class _Credentials(Struct, frozen=True):
    """The credentials of one connector.

    Attributes:
        given: what the export has of them; nothing in one of format 1.
    """

    given: Object
    texts: Texts
    where: Pointer

    def reference(self, key: str) -> Object:
        """What the environment holds under this key's name from now on."""
        value = text(self.given.get(key))
        return self.texts.desk.reference(key, (value,) if value else (), (*self.where, key))


def withheld_of(found: FoundConnector) -> list[str]:
    """Every value of a connector's credentials that gives something away."""
    return [value for key, value in mapping(found.credentials).items() if isinstance(value, str) and key not in _PLAIN]


_PLAIN: Final = ("url", "grant_type", "password_type", "method")


def access_of(found: FoundConnector, texts: Texts) -> Object:
    """The keys `authorization` and `tls` of a connector's spec."""
    credentials = mapping(found.credentials)
    where = found.secrets_at
    spec: Object = {"authorization": AUTHTYPES[_authtype(found)](_Credentials(credentials, texts, where))}
    if "verify_certificate" in credentials and not _is_on(credentials["verify_certificate"]):
        message = "certificates are not verified for this connector; take the key tls out if you can"
        texts.desk.say("tls-unverified", where, message)
        spec["tls"] = {"verify": False, "reason": UNVERIFIED}
    return spec


def _is_on(value: object) -> bool:
    return value not in (False, 0, "0", "false", "")


def _authtype(found: FoundConnector) -> str:
    """By the word of today; PASSWORD, which is SOAP's since 2022, was OAuth's until November 2019."""
    given = text(found.fields.get("authtype")) or "NONE"
    return _EARLIER.get(given, given) if "type" not in found.fields else given


_EARLIER: Final = {"BEARER": "OAUTH2_BEARER", "PASSWORD": "OAUTH2_PASSWORD"}


def unsupported(found: FoundConnector, desk: Desk) -> str:
    """Why no connector can be made of it, or ""."""
    kind, authtype = text(found.fields.get("type")) or "REST", _authtype(found)
    if kind != "REST" or authtype in ("PASSWORD", "WSDL_FILE", "LOCAL_CERTIFICATE"):
        return (
            "SOAP is not supported"
            if kind in ("REST", "SOAP")
            else f"the type {desk.withheld.without(clean(kind))[:40]} is not known"
        )
    if authtype not in AUTHTYPES:
        return f"the authorization {desk.withheld.without(clean(authtype))[:40]} is not known"
    return (
        "it is a template" if is_true(found.fields.get("is_template")) or found.fields.get("is_template") == 1 else ""
    )


def _none(credentials: _Credentials) -> Object:
    return {"method": "none"}


def _basic(credentials: _Credentials) -> Object:
    return {
        "method": "basic",
        "username": credentials.reference("username"),
        "password": credentials.reference("password"),
    }


def _bearer(credentials: _Credentials) -> Object:
    return {"method": "bearer", "token": credentials.reference("token")}


def _oauth_password(credentials: _Credentials) -> Object:
    """A token request for each call; where its URL is none that can be asked, a token that somebody has to get."""
    place = (*credentials.where, "url")
    url, taken = credentials.texts.taken_out(credentials.texts.url(text(credentials.given.get("url")), place))
    if taken:
        credentials.texts.desk.say("secret-removed", place, "credentials were taken out of the query of a token URL")
    if not url.startswith(("https://", "http://", "{{")) or len(url) > MAX_URL or url_fault(url):
        message = "the token URL is missing or cannot be used: a token has to be got by hand"
        credentials.texts.desk.say("token-by-hand", place, message)
        return _bearer(credentials)
    found: Object = {"method": "oauth2-password", "tokenUrl": url}
    if credentials.given.get("client_id") or not credentials.given:
        found["clientId"] = credentials.reference("client_id")
    if credentials.given.get("client_secret") or not credentials.given:
        found["clientSecret"] = credentials.reference("client_secret")
    found["clientAuthentication"] = "body"
    found["username"] = credentials.reference("username")
    found["password"] = credentials.reference("password")
    return found


AUTHTYPES: Final[dict[str, Callable[[_Credentials], Object]]] = {
    "NONE": _none,
    "BASIC": _basic,
    "OAUTH2_BEARER": _bearer,
    "OAUTH2_PASSWORD": _oauth_password,
}
"""The methods of REST connectors."""
