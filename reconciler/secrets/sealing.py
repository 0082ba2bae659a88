"""Encryption of secrets at rest, and their keyed fingerprints.

AES-256-GCM under a key derived with HKDF-SHA-256 (RFC 5869) from the store's key; the record and the
address are authenticated with the value, so that ciphertexts cannot be swapped. Fingerprints are
HMAC-SHA-256 under a second derived key, cut to 64 bits: enough to see a change, useless for guessing
without the key.
"""

import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from reconciler.core.ports import SealedSecret, Sealer
from reconciler.core.secret import Secret
from reconciler.errors import KeyUnavailable

KEY_VARIABLE = "RECONCILER_STORE_KEY"
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
        except InvalidTag:
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
    key, where = _find_key(environment, key_file, embedded_key, may_create=may_create)
    if len(key.reveal()) < MIN_KEY_LENGTH:
        raise KeyUnavailable(f"the store key in {where} is shorter than {MIN_KEY_LENGTH} characters", hint="use a random key, e.g. from: openssl rand -base64 32")  # fmt: skip
    sealer = AesSealer(key)
    if check is not None and not hmac.compare_digest(check, sealer.key_check()):
        hint = f"provide the key that the store was made with in {KEY_VARIABLE} or a key file"
        raise KeyUnavailable(f"the store's secrets were encrypted with another key than the one in {where}", hint=hint)
    return sealer, sealer.key_check()


def _find_key(
    environment: Mapping[str, str], key_file: Path | None, embedded_key: Path | None, *, may_create: bool
) -> tuple[Secret, str]:
    if environment.get(KEY_VARIABLE):
        key = environment[KEY_VARIABLE].strip()
        if any("\ud800" <= char <= "\udfff" for char in key):
            raise KeyUnavailable(f"the store key in {KEY_VARIABLE} is not UTF-8", hint="use a random key, e.g. from: openssl rand -base64 32")  # fmt: skip
        return Secret(key), KEY_VARIABLE
    if key_file is not None:
        return _read_key(key_file), str(key_file)
    if embedded_key is None:
        raise KeyUnavailable("there is no store key", hint=f"set {KEY_VARIABLE}, or keyFile in reconciler.yaml")
    if may_create:
        _create_key(embedded_key)
    return _read_key(embedded_key, private=True), str(embedded_key)


def _read_key(path: Path, *, private: bool = False) -> Secret:
    try:
        if private and os.name == "posix" and path.stat().st_mode & 0o077:
            raise KeyUnavailable(f"others can read the key file {path}", hint=f"run: chmod 600 {path}")
        return Secret(path.read_text("utf-8").strip())
    except FileNotFoundError as failure:
        raise KeyUnavailable(f"there is no key file {path}", hint=f"restore it, or set {KEY_VARIABLE}") from failure
    except OSError as failure:
        raise KeyUnavailable(f"the key file {path} cannot be read: {failure.strerror}") from failure
    except UnicodeDecodeError:
        raise KeyUnavailable(f"the key file {path} is not a text file", hint="restore it") from None


def _create_key(path: Path) -> None:
    """Make a random key file, and see to it that it lasts before anything is sealed with it.

    Also where there is one: another process may have made it just now.
    """
    from base64 import b64encode

    from reconciler.durable import create_file, make_folder, sync_folder

    try:
        make_folder(path.parent)
        if path.exists():
            sync_folder(path.parent)
        else:
            create_file(path, b64encode(os.urandom(32)) + b"\n")
    except OSError as failure:
        raise KeyUnavailable(f"the key file {path} cannot be made: {failure.strerror}") from failure
