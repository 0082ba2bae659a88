"""A request as it may be shown: names, and values that are no secrets."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, quote, unquote_plus, urlsplit

from reconciler.core.secret import MASK, Secret, carries_credentials, mask_text
from reconciler.kinds.requests.building import Pair, Request


def shown_url(request: Request) -> str:
    """The URL with its parameters; the values that are secret are masked."""
    base, question, query = request.url.partition("#")[0].partition("?")
    parts = [_shown_part(part) for part in query.split("&")] if question else []
    parts += [f"{quote(name)}={quote(shown) if shown != MASK else MASK}" for name, shown in shown_pairs(request.params)]
    return mask_text(base) + ("?" + "&".join(parts) if parts else "")


def shown_pairs(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """Names and values; secrets and what has a token's form are masked."""
    return [(name, MASK if isinstance(value, Secret) else mask_text(value)) for name, value in pairs]


def query_secrets(url: str) -> list[Secret]:
    """Values in the query of a URL that carry credentials, to judge by their names."""
    pairs = parse_qsl(urlsplit(url).query)
    return [Secret(value) for name, value in pairs if carries_credentials(name)]


def _shown_part(part: str) -> str:
    name, equals, value = part.partition("=")
    return f"{name}={MASK}" if value and carries_credentials(unquote_plus(name)) else mask_text(name + equals + value)
