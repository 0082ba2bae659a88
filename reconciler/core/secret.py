"""Secret values that cannot be shown by accident, what gives one away, and how texts are masked."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import quote, unquote

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.diff import FieldChange, Path

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
_QUERY = re.compile(r"""(?<=[?&#])([\w.%-]{1,64})=([^&\s#"'{]+)""")

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
    """`text` with known token forms, the user part of URLs, and the credentials in their queries masked."""
    masked = _USERINFO.sub(MASK, TOKEN.sub(MASK, text))
    return _QUERY.sub(_masked_pair, masked) if "=" in masked else masked


def _masked_pair(pair: re.Match[str]) -> str:
    return f"{pair[1]}={MASK}" if carries_credentials(unquote(pair[1])) else pair[0]


def mask_line(line: str) -> str:
    """One line of YAML with the values under secret keys masked; whole references stay readable."""
    found = _KEYED_VALUE.search(line)
    if found is None or not found["value"].strip() or _REFERENCE.match(found["value"]):
        return mask_text(line)
    return f"{mask_text(line[: found.end('key')])} {MASK}"


class Secret:
    """Holds one secret. `reveal` is the only way to its value."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The value, for the line that encrypts or sends it."""
        return self.__value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class SealedSecret(Struct, frozen=True):
    """One secret ready to be stored.

    Attributes:
        address: which secret of the record.
        reference: canonical text of the reference it came from.
        fingerprint: keyed digest of the value.
        ciphertext: the encrypted value.
    """

    address: str
    reference: str
    fingerprint: str
    ciphertext: bytes


_SECRET_KEYS = frozenset(("password", "token", "clientSecret", "clientKey"))


_LEVELS = 200
"""What is nested more deeply is not shown. No definition is, and whoever shows it would come to no end."""
_DEEPER = "(nested too deeply to be shown)"


def masked(value: Any, path: Path = (), levels: int = _LEVELS) -> Any:
    """`value`, which stands at `path` of a body, with literal secrets and known token forms masked."""
    if isinstance(value, str):
        return MASK if value and _is_secret_place(path) else mask_text(value)
    if not isinstance(value, dict | list):
        return value
    if not levels:
        return _DEEPER
    if isinstance(value, list):
        return [masked(item, path, levels - 1) for item in value]
    name = value.get("name")
    return {
        key: masked(item, (*path, name, key) if key == "value" and isinstance(name, str) else (*path, key), levels - 1)
        for key, item in value.items()
    }


_CREDENTIAL_BLOCKS = frozenset(("authorization", "authorizations", "tls"))


def _is_secret_place(path: Path) -> bool:
    if "sample" in path:
        return False
    if path[-1:] == ("value",) and len(path) > 1:
        return carries_credentials(str(path[-2]))
    return bool(path) and path[-1] in _SECRET_KEYS and not _CREDENTIAL_BLOCKS.isdisjoint(path)


def masked_field(field: FieldChange) -> FieldChange:
    """`field` with masked values; secret references and fingerprints stay."""
    if field.secret:
        return field
    before, after, applied = (masked(value, field.path) for value in (field.before, field.after, field.applied))
    return replace(field, before=before, after=after, applied=applied)


_CHUNK = 64
_SHORT = 4
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_CONTROLS = {"\n": r"\\n", "\r": r"\\r", "\t": r"\\t"}


class Redactor:
    """Masks the values of some secrets, and what has the form of a token."""

    __slots__ = ("_forms", "_patterns")

    def __init__(self, secrets: Iterable[Secret]) -> None:
        values = {secret.reveal() for secret in secrets} - {""}
        # In text of another encoding a secret looks as its bytes do in Latin 1.
        looks = values | {value.encode(code).decode("latin-1") for value in values for code in ("utf-8", "utf-16-le")}
        chunks = {value[start : start + _CHUNK] for value in looks for start in range(0, len(value), _CHUNK)}
        patterns = [pattern for value in sorted(chunks, key=len, reverse=True) for pattern in _patterns(value)]
        self._patterns = [re.compile(pattern) for pattern in dict.fromkeys(patterns)]
        self._forms = {form for value in values for form in (value, quote(value, safe=""))}

    def text(self, text: str, *, cut: bool = False) -> str:
        """`text` with what is secret masked; of a text that was cut the end may be the beginning of a secret."""
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        if cut:
            text = self._without_beginning(text)
        return mask_text(text) if "://" in text or may_hold_token(text.encode("utf-8", "replace")) else text

    def finds(self, text: str) -> bool:
        """Whether one of the secrets stands in `text`, in any of its forms."""
        return any(pattern.search(text) for pattern in self._patterns)

    def data(self, data: bytes) -> bytes:
        """Bytes that are no text, with the secrets in them masked."""
        text = data.decode("latin-1")
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        return text.encode("latin-1")

    def _without_beginning(self, text: str) -> str:
        longest = 0
        for form in self._forms:
            for size in range(min(len(form), len(text)), _SHORT - 1, -1):
                if text.endswith(form[:size]):
                    longest = max(longest, size)
                    break
        return text[:-longest] + MASK if longest else text


def _patterns(value: str) -> Iterator[str]:
    """Patterns of all forms of `value`, each beginning with plain characters where it can, which is fast."""
    data = value.encode("utf-8", "surrogatepass")
    written = "".join(_ways(char) for char in value)
    if len(value) < _SHORT:
        yield rf"(?<!\w){written}(?!\w)"
        return
    yield written
    for shift in range(3):
        size = shift + len(data)
        core = b64encode(bytes(shift) + data).decode()[4 * bool(shift) : size // 3 * 4]
        if len(core) >= 2 * _SHORT:
            for form in {core, core.translate({43: "-", 47: "_"})}:
                yield re.escape(form) + r"[A-Za-z0-9+/_-]{0,4}={0,2}"
    yield data.hex()
    yield data.hex().upper()


def _ways(char: str) -> str:
    """How one character may come: as it is, or as URLs, JSON and HTML write it."""
    if char.isascii() and char.isalnum():
        return char
    octets = char.encode("utf-8", "surrogatepass")
    units = char.encode("utf-16-be", "surrogatepass")
    ways = {
        re.escape(char),
        r"\\" + re.escape(char),
        "".join(_either(f"%{octet:02X}") for octet in octets),
        "".join(_either(f"%25{octet:02X}") for octet in octets),
        "".join(r"\\u" + _either(units[at : at + 2].hex().upper()) for at in range(0, len(units), 2)),
        f"&#0*{ord(char)};",
        "&#[xX]0*" + _either(f"{ord(char):X}") + ";",
        *((r"\+",) if char == " " else ()),
        *(table[char] for table in (_NAMED, _CONTROLS) if char in table),
    }
    return f"(?:{'|'.join(sorted(ways))})"


def _either(text: str) -> str:
    return "".join(f"[{char}{char.lower()}]" if char.isalpha() else char for char in text)
