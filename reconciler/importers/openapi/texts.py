"""Texts of a strange document, made fit for ours: characters, length, secrets, names."""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from reconciler.core.secret import TOKEN, carries_credentials, is_secret_key

REMOVED: Final = "[removed]"

_LINE_BREAK = re.compile(r"\r\n?|[\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z ]+ )?PRIVATE KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)", re.DOTALL)
_USERINFO = re.compile(r"(?<=://)[^/\s@:]*:[^/\s@]+@")
_USER = re.compile(r"(?<=://)[^/?#\s]*@")
_PAGING = re.compile(r"idempotency|next|page|continuation|sync|pagination|csrf|xsrf", re.IGNORECASE)


def clean(content: str) -> str:
    """`content` without control characters, its lines ended by line feeds.

    Those characters, and the separators that only some YAML loaders take for a line's end, may not
    stand in our files.
    """
    if content.isascii() and content.isprintable():
        return content
    return _CONTROL.sub("", _LINE_BREAK.sub("\n", content))


def one_line(content: str) -> str:
    """`content` with every run of white space as one space."""
    return " ".join(clean(content).split())


def holds_secret(content: str) -> bool:
    """Whether some part of `content` has the form of a token, a private key, or a URL with a password."""
    return TOKEN.search(content) is not None or ("@" in content and _USERINFO.search(content) is not None)


def without_secrets(content: str) -> str:
    """`content` with whatever `holds_secret` finds in it removed."""
    return _USERINFO.sub("", TOKEN.sub(REMOVED, _PRIVATE_KEY.sub(REMOVED, content)))


def url_without_secrets(url: str) -> str:
    """As `without_secrets`, for a URL: what replaces a token is a placeholder, and no user is left at all."""
    return _USER.sub("", without_secrets(url).replace(REMOVED, "{removed}"))


def names_secret(name: str) -> bool:
    """Whether a value of this name is a credential, so that not even an example of it is copied."""
    return carries_credentials(name) or (is_secret_key(name) and not _PAGING.match(name))


def hides(name: str, sample: str) -> bool:
    """Whether `sample`, a value called `name`, may be a secret. True and false never are one."""
    return holds_secret(sample) or (names_secret(name) and sample not in ("true", "false"))


def slug(content: str) -> str:
    """`content` as the name of a resource, or "" when no letter or digit is left."""
    plain = unicodedata.normalize("NFKD", content).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:63].strip("-")


def variable(*parts: str) -> str:
    """The name of an environment variable that holds the secret which `parts` describe."""
    name = re.sub(r"[^A-Z0-9]+", "_", "_".join(parts).upper()).strip("_")[:255]
    return f"_{name}" if name[:1].isdigit() else name


def unique(wanted: str, taken: Callable[[str], bool], limit: int, form: str = "{} ({})") -> str:
    """`wanted`, or its first numbered form that is not `taken`; at most `limit` characters."""
    found, number = wanted[:limit].rstrip(), 1
    while taken(found):
        number += 1
        room = limit - len(form.format("", number))
        found = form.format(wanted[:room].rstrip(), number)
    return found
