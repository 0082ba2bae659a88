"""What of a recording or a collection is a credential, or may be one, and is not taken over."""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from msgspec import Struct, field

from reconciler.importers.values import REMOVED, Json, holds_secret, names_secret, spell

_SESSION = re.compile(
    r".*(?:csrf|xsrf|session|sess[-_]?id|authenticity|requestverification|captcha|assertion|samlresponse|verifier|jwt"
    r"|bearer|auth(?!or(?!i[sz]))|passcode|card[-_]?number|iban|signature).*|sid|pin|otp|totp|ssn|nonce|ticket|pass|cvv|cvc",
    re.IGNORECASE | re.DOTALL,
)
_ONE_TIME = re.compile(r".*code", re.IGNORECASE | re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{1,24}", re.IGNORECASE)
_RUN = re.compile(r"[A-Za-z0-9+_=~-]{16,}")
_TURNS: Final = 0.25  # of neighbours; 0.6 are usual in base 62, 0.47 in base 16
_SHORTEST: Final = 6
_MOST: Final = 20_000


def is_confidential(name: str) -> bool:
    """Whether a value of this name, in a recording, may let somebody in."""
    return names_secret(name) or _SESSION.fullmatch(name) is not None


def is_opaque(value: str) -> bool:
    """Whether some part of `value` looks drawn by lot and long enough to be a key; UUIDs and short digests are ids."""
    return any(_is_random(found) for found in _RUN.findall(_UUID.sub("", value)))


def _is_random(run: str) -> bool:
    """Whether letters, large and small, and digits take turns as they do in no word and no date."""
    if _HEX.fullmatch(run):
        return False
    sorts = ["0" if char.isdigit() else "A" if char.isupper() else "a" for char in run if char.isalnum()]
    counts = {sort: sorts.count(sort) for sort in "0Aa"}
    turns = sum(one != other for one, other in pairwise(sorts)) / max(len(sorts), 1)
    if counts["0"] >= 2 and counts["A"] + counts["a"] >= 2:
        return turns >= _TURNS
    return len(sorts) >= 24 and min(counts["A"], counts["a"]) >= 4 and turns >= _TURNS


class Withheld(Struct):
    """The secrets that were met, so that they are kept back at any other place too."""

    _values: dict[str, None] = field(default_factory=dict)
    _starts: set[str] = field(default_factory=set)

    def add(self, value: str) -> None:
        """Remember a secret; very short ones stand in too many texts."""
        if len(value) >= _SHORTEST and len(self._values) < _MOST:
            self._values[value] = None
            self._starts.add(value[:_SHORTEST])

    def knows(self, content: str) -> bool:
        """Whether a secret that was met, or what has the form of a token, stands in a text."""
        return holds_secret(content) or any(value in content for value in self._candidates(content))

    def without(self, content: str) -> str:
        """A text of prose without the secrets that were met."""
        for value in self._candidates(content):
            if value in content:
                content = content.replace(value, REMOVED)
        return content

    def _candidates(self, content: str) -> Iterable[str]:
        """Those of which the beginning stands in a text, in the order in which they were met: in most texts none does."""
        found = {content[at : at + _SHORTEST] for at in range(len(content) - _SHORTEST + 1)} & self._starts
        if not found:
            return ()
        return [value for value in self._values if value[:_SHORTEST] in found]

    def reveals(self, content: str) -> bool:
        """Whether a text has a secret in it, or what looks like one."""
        return is_opaque(content) or self.knows(content)

    def hides(self, name: str, value: Json) -> bool:
        """Whether a value called `name` is to be kept back. True, false and null never are."""
        if value is None or isinstance(value, bool):
            return False
        shown = spell(value)
        is_one_time = shown.isdigit() and len(shown) >= 4 and _ONE_TIME.fullmatch(name) is not None
        return is_one_time or is_confidential(name) or self.reveals(shown)
