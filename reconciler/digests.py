"""SHA-1 and SHA-256 from where they load fastest, or from where they run fastest, as the work demands.

Python's own code for them is there at once; OpenSSL's, through hashlib, takes a quarter of Python's start to load and
then makes several digests in the time of one. A run of a few digests does without it.
"""

TYPE_CHECKING = False  # loading typing takes time
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Made(Protocol):
        """A digest."""

        def digest(self) -> bytes:
            """Its bytes."""

        def hexdigest(self) -> str:
            """The same in hexadecimal."""


_FEW = 200
"""Digests that Python's own code makes in the time that loading OpenSSL takes."""


class _Digest:
    """One function, and how often it was called."""

    def __init__(self, name: str, *homes: str) -> None:
        self._name = name
        self._left = _FEW
        self._function = self._own(homes)

    def __call__(self, data: bytes) -> "Made":
        """The digest of `data`, an object as hashlib gives it."""
        if self._left:
            self._left -= 1
            if not self._left:
                self._function = self._own(())
        made: Made = self._function(data, usedforsecurity=False)  # what it is used for is for the caller to judge
        return made

    def expect_many(self) -> None:
        """Load what makes many fast."""
        self._left = 0
        self._function = self._own(())

    def _own(self, homes: tuple[str, ...]) -> "Any":
        """Python's own; the modules that hashlib itself falls back on have other names from version to version."""
        for home in homes:
            try:
                return getattr(__import__(home), self._name)
            except ImportError:
                continue
        return getattr(__import__("hashlib"), self._name)


sha256 = _Digest("sha256", "_sha256", "_sha2")
sha1 = _Digest("sha1", "_sha1")
