"""Signatures of saved plans: Ed25519 (RFC 8032), with keys as OpenSSH or OpenSSL keep them."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PASSPHRASE = "RECONCILER_SIGN_PASSPHRASE"  # noqa: S105 (the variable's name)
_PURPOSE = b"reconciler saved plan v1\0"
"""So that a signature of something else is none of a plan."""
_MAKE = "make a pair with: ssh-keygen -t ed25519 -f FILE"
_MAX_BYTES = 65_536


def sign(digest: str, key_file: Path, passphrase: str | None) -> tuple[str, str]:
    """The signature of a plan's digest in Base64, and what names the key.

    Raises:
        UsageError: the file holds no Ed25519 private key that can be read.
    """
    key = _private_key(key_file, passphrase)
    return b64encode(key.sign(_PURPOSE + digest.encode())).decode(), name_of(key.public_key())


def signer(digest: str, signature: str, key_files: Sequence[Path]) -> str | None:
    """What names the key, of those in the files, that made the signature; None when none of them did.

    Raises:
        UsageError: a file holds no Ed25519 public key.
    """
    from cryptography.exceptions import InvalidSignature

    try:
        made = b64decode(signature, validate=True)
    except ValueError:
        return None
    for key in [key for path in key_files for key in _public_keys(path)]:
        try:
            key.verify(made, _PURPOSE + digest.encode())
        except InvalidSignature:
            continue
        return name_of(key)
    return None


def name_of(key: "Ed25519PublicKey") -> str:
    """The fingerprint of a key as `ssh-keygen -l` prints it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    blob = b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    return "SHA256:" + b64encode(sha256(blob).digest()).decode().rstrip("=")


def holds_signing_key(text: str, passphrase: str | None, key_files: Sequence[Path]) -> bool:
    """Whether a text is the private key to one of the public ones in the files, as far as it can be read.

    An OpenSSH key names its public one even where it is encrypted.
    """
    if "PRIVATE KEY-----" not in text:
        return False
    public: set[bytes] = set()
    for path in key_files:
        with suppress(UsageError):  # whoever verifies a plan says so
            public.update(key.public_bytes_raw() for key in _public_keys(path))
    key = _loaded(text.encode("utf-8", "replace"), passphrase) or _loaded(text.encode("utf-8", "replace"), None)
    if key is not None and hasattr(key, "public_key"):
        mine = key.public_key()
        return hasattr(mine, "public_bytes_raw") and mine.public_bytes_raw() in public
    body = "".join(line for line in text.splitlines() if not line.startswith("-----"))
    with suppress(ValueError):
        decoded = b64decode(body)
        return any(raw in decoded for raw in public)
    return False


def _loaded(data: bytes, passphrase: str | None) -> Any:
    """The private key in PEM or OpenSSH's form; None where it cannot be read."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else load_pem_private_key
    try:
        return load(data, passphrase.encode() if passphrase else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _private_key(path: Path, passphrase: str | None) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = _loaded(_read(path), passphrase)
    if key is None:
        hint = f"an encrypted key takes its passphrase from {PASSPHRASE}; else {_MAKE}"
        raise UsageError(f"{path} holds no private key that can be read", hint=hint)
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path} holds no Ed25519 private key", hint=_MAKE)
    return key


def _public_keys(path: Path) -> "list[Ed25519PublicKey]":
    """Those of one file: PEM, or lines as in authorized_keys."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key

    data = _read(path)
    try:
        if b"-----BEGIN" in data:
            keys = [load_pem_public_key(data)]
        else:
            lines = [line.strip() for line in data.splitlines()]
            keys = [load_ssh_public_key(line) for line in lines if line and not line.startswith(b"#")]
    except (ValueError, UnsupportedAlgorithm):
        keys = []
    found = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    if not found or len(found) < len(keys):
        raise UsageError(f"{path} holds no Ed25519 public key, or another one too", hint=f"name the .pub file; {_MAKE}")
    return found


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            return opened.read(_MAX_BYTES)
    except OSError as failure:
        raise UsageError(f"the key file {path} cannot be read: {failure.strerror}", hint=_MAKE) from failure
