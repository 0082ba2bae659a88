"""Which names and texts give away that a secret is near.

The lists err on the side of masking: a masked harmless word costs nothing.
"""

import re
from functools import lru_cache

_KEY = r"(?:pass(?:word|wd|phrase)?|pwd|[a-z0-9_.-]*(?:secret|password|passphrase|token|api[-_]?key|private[-_]?key|credentials?))"
REFERENCE_KEYS = ("env", "file", "vault", "sops", "age", "aws", "exec", "plugin")
"""How secret references are told from other mappings; schemas/connector.schema.json says what each may hold."""
_WORD = r"""[^\s,{}\[\]"'&*!|>#]+"""
_STEP = r"""[^\s,{}\[\]"'&*!|>#/]+"""
_PLACE = (
    r"""(?:env\s*:\s*["']?[A-Za-z_][A-Za-z0-9_]*["']?"""
    rf"""|(?:file|sops|age|aws)\s*:\s*["']?{_WORD}(?:\#{_WORD})?["']?"""
    rf"""|vault\s*:\s*["']?{_STEP}(?:/{_STEP})+\#{_WORD}["']?"""
    rf"""|(?:exec|plugin)\s*:\s*["']?[A-Za-z0-9._-]+:{_WORD}(?:\#{_WORD})?["']?)"""
)
_HEADER = re.compile(
    r"(?:proxy-)?authorization|(?:set-)?cookie|.*(?:api[-_]?key|token|secret|passw(?:or)?d|passphrase|credentials?|signature|subscription-key|auth[-_]?key|access[-_]?key)|key|pwd|sig",
    re.IGNORECASE,
)
_HARMLESS_HEADER = re.compile(
    r"(?:idempotency|next|page|continuation|sync|pagination|csrf|xsrf).*|x-(?:csrf|xsrf).*", re.IGNORECASE
)
_KEYED_VALUE = re.compile(
    rf"""(?P<key>(?:^|[\s{{,\[?])["']?{_KEY}["']?\s*:(?=\s|["'{{\[]|$))(?P<value>.*)$""", re.IGNORECASE
)
_REFERENCE = re.compile(rf"\s*\{{\s*{_PLACE}\s*\}}\s*(?:[,}}\]].*|#.*)?$")
_REFERENCE_LINE = re.compile(rf"\s*{_PLACE}\s*(?:#.*)?$")
_USERINFO = re.compile(r"(?<=://)[^/\s@]+(?=@)")

_TOKEN_MARK = re.compile(
    rb"yJ|KIA|SIA|Iza|xox[baps]-|k(?:_live_|-ant-|-proj-)|G\.|BEGIN "
    rb"|_(?:(?<=gh[pousr]_)|(?<=_pat_)|(?<=npm_)|(?<=hf_)|(?<=_v1_))"
)


def may_hold_token(data: bytes) -> bool:
    """Whether `TOKEN` may match in `data`: a test of a few microseconds that never misses one.

    Each alternative begins with a rare character, because that lets the engine skip quickly.
    """
    return _TOKEN_MARK.search(data) is not None or b"glpat-" in data


TOKEN = re.compile(
    r"""
    gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{16,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b | \bAIza[A-Za-z0-9_-]{30,} | \bxox[baps]-[A-Za-z0-9-]{10,}
    | \b[sr]k_live_[A-Za-z0-9]{10,} | \bsk-(?:ant|proj)-[A-Za-z0-9_-]{16,} | \bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}
    | \beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
    | -----BEGIN[ ](?:[A-Z ]+[ ])?PRIVATE[ ]KEY----- | \bnpm_[A-Za-z0-9]{30,} | \bhf_[A-Za-z0-9]{30,} | \bdop_v1_[a-f0-9]{40,}
    """,
    re.VERBOSE,
)
"""Tokens and private keys that can be told by their form, as their issuers document it."""

MASK = "********"


@lru_cache(maxsize=1024)
def carries_credentials(name: str) -> bool:
    """Whether a header or query parameter of this name carries a credential."""
    return bool(_HEADER.fullmatch(name)) and not _HARMLESS_HEADER.fullmatch(name)


def is_secret_key(name: str) -> bool:
    """Whether the value under the YAML key `name` is a secret."""
    return re.fullmatch(_KEY, name, re.IGNORECASE) is not None


def is_reference_line(line: str) -> bool:
    """Whether a line that stands below a secret key is just a well-formed reference."""
    return _REFERENCE_LINE.match(line) is not None


def mask_text(text: str) -> str:
    """`text` with known token forms and the user part of URLs masked."""
    return _USERINFO.sub(MASK, TOKEN.sub(MASK, text))


def mask_line(line: str) -> str:
    """One line of YAML with the values under secret keys masked; whole references stay readable."""
    found = _KEYED_VALUE.search(line)
    if found is None or not found["value"].strip() or _REFERENCE.match(found["value"]):
        return mask_text(line)
    return f"{mask_text(line[: found.end('key')])} {MASK}"
