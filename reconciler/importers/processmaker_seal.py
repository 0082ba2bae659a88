"""Exports of a ProcessMaker instance that are protected by a password: opened, and made."""

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha256

import msgspec

from reconciler.core.secret import Secret
from reconciler.errors import InvalidDefinitions
from reconciler.importers.syntax import NotImportable
from reconciler.importers.values import Json, Object, is_true, text

_BLOCK = 16


class WrongPassword(InvalidDefinitions):
    """The password of a file is another one, or the file was damaged."""


def is_sealed(document: Object) -> bool:
    """Whether the contents of an export are encrypted."""
    return is_true(document.get("encrypted")) or document.get("encrypted") == 1


def opened(document: Object, password: Secret) -> Object:
    """The export with its contents in the clear.

    Raises:
        NotImportable: the contents are not in the form that instances give them.
        WrongPassword: they do not open with this password.
    """
    try:
        data = b64decode(text(document.get("export")), validate=True)
    except (NotBase64, ValueError):
        raise NotImportable("the export says that it is encrypted, and its contents are not", hint=_AGAIN) from None
    if len(data) < 2 * _BLOCK or len(data) % _BLOCK:
        raise NotImportable("the encrypted contents of the export are not whole", hint=_AGAIN)
    try:
        contents: Json = msgspec.json.decode(_cipher_text(data, password))
    except (ValueError, RecursionError):
        raise WrongPassword("the password does not open this file", hint="give the one that the export was made with") from None  # fmt: skip
    return {**document, "export": contents}


_AGAIN = "export it again"


def _cipher_text(data: bytes, password: Secret) -> bytes:
    """What was encrypted.

    Raises:
        ValueError: the padding is wrong, as it is with another password in most cases.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    decryptor = Cipher(algorithms.AES(_key(password)), modes.CBC(data[:_BLOCK])).decryptor()
    unpadder = PKCS7(8 * _BLOCK).unpadder()
    padded = decryptor.update(data[_BLOCK:]) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def _key(password: Secret) -> bytes:
    return sha256(password.reveal().encode("utf-8", "surrogateescape")).digest()  # a variable may hold any bytes


def sealed(document: Object, password: Secret) -> Object:
    """The export with its contents encrypted, as an instance opens them: there is no other cipher that it knows."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    start = os.urandom(_BLOCK)
    padder, encryptor = PKCS7(8 * _BLOCK).padder(), Cipher(algorithms.AES(_key(password)), modes.CBC(start)).encryptor()
    padded = padder.update(msgspec.json.encode(document["export"])) + padder.finalize()
    contents = b64encode(start + encryptor.update(padded) + encryptor.finalize()).decode()
    return {**document, "export": contents, "encrypted": True}
