"""Secrets: what resolves references to them, and what seals them for a store."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from reconciler.core.progress import Progress
from reconciler.core.secret import SealedSecret, Secret


class SecretBackend(Protocol):
    """Resolves secret references."""

    def refuse(self, reference: Mapping[str, str]) -> None:
        """Stop when nobody may read what a reference leads to; nothing is read to tell.

        Raises:
            SecretRefused: nobody may.
        """
        ...

    def prefetch(self, references: Iterable[Mapping[str, str]], progress: Progress) -> None:
        """Look up what is far away, in parallel, so that `resolve` has it at hand. Never fails."""
        ...

    def resolve(self, reference: Mapping[str, str]) -> Secret:
        """The value behind a reference.

        Raises:
            SecretUnavailable: it leads to nothing.
        """
        ...


class Sealer(Protocol):
    """Encrypts secrets for one store."""

    def seal(self, uid: str, address: str, reference: str, secret: Secret) -> SealedSecret:
        """Encrypt a secret, bound to its record and address."""
        ...

    def open(self, uid: str, address: str, ciphertext: bytes) -> Secret:
        """The secret that was sealed for the record and address.

        Raises:
            KeyUnavailable: the key is another one, or the ciphertext was altered.
        """
        ...

    def fingerprint(self, secret: Secret) -> str:
        """Keyed digest of a secret."""
        ...

    def key_check(self) -> str:
        """A digest that only this key gives; kept in the store to recognise the key by."""
        ...
