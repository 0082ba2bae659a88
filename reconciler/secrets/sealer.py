"""Encryption of secrets at rest, their keyed fingerprints, and the key that a store is to change to."""

import hmac
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from reconciler.core.care import KeyMove
from reconciler.core.ports.source import Sealer
from reconciler.core.secret import SealedSecret, Secret
from reconciler.errors import KeyUnavailable, UsageError
from reconciler.secrets import keys

MIN_KEY_LENGTH = 32
_NONCE_BYTES = 12


class AesSealer:
    """Seals secrets for one store."""

    def __init__(self, key: Secret) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(_derive(key, b"reconciler secrets v1"))
        self._printing = _derive(key, b"reconciler fingerprints v1")
        self._known: dict[Secret, str] = {}  # one secret may be used by thousands of connectors

    def seal(self, uid: str, address: str, reference: str, secret: Secret) -> SealedSecret:
        """Encrypt a secret, bound to its record and address."""
        nonce = os.urandom(_NONCE_BYTES)
        bound = f"{uid}\0{address}".encode()
        ciphertext = nonce + self._cipher.encrypt(nonce, secret.reveal().encode(), bound)
        return SealedSecret(address, reference, self.fingerprint(secret), ciphertext)

    def open(self, uid: str, address: str, ciphertext: bytes) -> Secret:
        """The secret that was sealed for the record and address.

        Raises:
            KeyUnavailable: the key is another one, or the ciphertext was altered.
        """
        from cryptography.exceptions import InvalidTag

        bound = f"{uid}\0{address}".encode()
        try:
            value = self._cipher.decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], bound)
        except (InvalidTag, ValueError, TypeError):  # the last two are of what others wrote, too short or a text
            raise KeyUnavailable(f"the stored secret {address} cannot be decrypted", hint="was it altered?") from None
        return Secret(value.decode())

    def fingerprint(self, secret: Secret) -> str:
        """Keyed digest of a secret, 16 hexadecimal digits."""
        known = self._known.get(secret)
        if known is None:
            known = hmac.digest(self._printing, secret.reveal().encode(), "sha256").hex()[:16]
            self._known[secret] = known
        return known

    def key_check(self) -> str:
        """A digest that only this key gives; kept in the store to recognise the key by."""
        return hmac.digest(self._printing, b"key check", "sha256").hex()


def _derive(key: Secret, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length=32, salt=None, info=purpose).derive(key.reveal().encode())


def make_sealer(
    environment: Mapping[str, str],
    key_file: Path | None,
    embedded_key: Path | None,
    check: str | None,
    may_create: bool,
) -> tuple[Sealer, str]:
    """The sealer of a store, with the key check to keep in it.

    Args:
        embedded_key: where the embedded store keeps its key; None for other stores.
        check: key check that the store holds, or None when it holds no secrets yet.
        may_create: whether a missing embedded key may be made.

    Raises:
        KeyUnavailable: there is no key, it is too short, or it is not the one that `check` was made with.
    """
    place = keys.find_place(environment, key_file, embedded_key)
    if may_create and place.private and place.file is not None:
        keys.create_key(place.file)
    sealer = _sealer_at(place, environment)
    if check is None or _fits(sealer, check):
        return sealer, sealer.key_check()
    if place.file is not None:
        found = _sealer_beside(place, sealer.key_check(), check) or _sealer_at(place, environment)
        if _fits(found, check):  # beside it, or another process has put it in its place meanwhile
            return found, check
    hint = f"provide the key that the store was made with in {keys.KEY_VARIABLE} or a key file"
    raise KeyUnavailable(f"the store's secrets were encrypted with another key than the one in {place.name}", hint=hint)


def sealer_of(key: Secret, where: str) -> AesSealer:
    """The sealer for a key.

    Raises:
        KeyUnavailable: it is too short.
    """
    if len(key.reveal()) < MIN_KEY_LENGTH:
        raise KeyUnavailable(f"the store key in {where} is shorter than {MIN_KEY_LENGTH} characters", hint=keys.RANDOM_HINT)  # fmt: skip
    return AesSealer(key)


def _sealer_at(place: keys.KeyPlace, environment: Mapping[str, str]) -> AesSealer:
    if place.file is None:
        return sealer_of(keys.key_in_variable(environment, keys.KEY_VARIABLE), place.name)
    return sealer_of(keys.read_key(place.file, private=place.private), place.name)


def _fits(sealer: AesSealer, check: str) -> bool:
    return hmac.compare_digest(check, sealer.key_check())


def _sealer_beside(place: keys.KeyPlace, there: str, check: str) -> AesSealer | None:
    """The sealer for a key that stands beside the key file; a draft that the store has changed to is put in its place.

    Args:
        there: key check of what is in the key file.
    """
    for suffix in ("new", "old"):
        key = keys.key_beside(place, check, suffix)
        sealer = sealer_of(key, str(place.beside(check, suffix))) if key else None
        if sealer is not None and _fits(sealer, check):
            if suffix == "new":
                with suppress(OSError):  # whoever may only read uses it where it is
                    keys.put_in_place(place, check, there)
            return sealer
    return None


class NewKey(Struct, frozen=True):
    """A key, and the place where the one before it is."""

    place: keys.KeyPlace
    key: Secret
    sealer: Sealer

    def draft(self) -> None:
        """Write it beside the key file; what a variable holds nobody but the user can change.

        Raises:
            KeyUnavailable: it cannot be written.
        """
        if self.place.file is not None:
            keys.draft_key(self.place, self.key, self.sealer.key_check())

    def put_in_place(self, old_check: str) -> KeyMove:
        """Replace the key file.

        Args:
            old_check: key check of the key before.
        """
        if self.place.file is None:
            return KeyMove(keys.KEY_VARIABLE, in_file=False)
        check, old = self.sealer.key_check(), self.place.beside(old_check, "old")
        try:
            there = AesSealer(keys.read_key(self.place.file)).key_check()  # of another store's, where they share a file
            if there != check:  # else another process has done it
                keys.put_in_place(self.place, check, there)
        except (OSError, KeyUnavailable) as failure:
            return KeyMove(str(self.place.beside(check, "new")), in_file=True, problem=str(failure))
        return KeyMove(str(self.place.file), in_file=True, old=str(old) if old.exists() else "")


def make_next_key(environment: Mapping[str, str], key_file: Path | None, embedded_key: Path | None) -> NewKey:
    """The key in `RECONCILER_NEW_STORE_KEY`; where the present one is in a file, else a random one. Nothing is written.

    Raises:
        UsageError: there is none.
        KeyUnavailable: it is too short, or no text.
    """
    place = keys.find_place(environment, key_file, embedded_key)
    if environment.get(keys.NEW_KEY_VARIABLE):
        key = keys.key_in_variable(environment, keys.NEW_KEY_VARIABLE)
    elif place.file is None:
        raise UsageError(
            f"the store's key is in {keys.KEY_VARIABLE}, so the new one has to be given in {keys.NEW_KEY_VARIABLE}",
            hint=keys.RANDOM_HINT,
        )
    else:
        key = keys.random_key()
    return NewKey(place, key, sealer_of(key, keys.NEW_KEY_VARIABLE))
