"""A secret value that cannot be shown, formatted, serialised or compared by accident."""

from typing import NoReturn

from msgspec import Struct

from reconciler.core.sensitive import MASK


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
