"""Texts that look like the servers' ciphertext."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import struct
from typing import Any

from simulator.profiles import Profile
from simulator.values import serialized


class Vault:
    """Makes texts that look like the server's ciphertext: base64 of JSON with iv, value, mac. Not for real secrets."""

    def __init__(self, profile: Profile, seed: int):
        self.profile, self.key = profile, hashlib.sha256(b"simulator %d" % seed).digest()

    def lock(self, value: Any) -> str:
        plain = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
        size = max(len(plain), len(serialized(value))) // 16 * 16 + 16  # blocks of 16 bytes, as the real ones
        nonce = secrets.token_bytes(16)
        body = self._stream(plain.ljust(size), nonce)
        parts = {
            "iv": as_base64(nonce),
            "value": as_base64(body),
            "mac": hmac.new(self.key, nonce + body, "sha256").hexdigest(),
        }
        if self.profile.modern:
            parts["tag"] = ""
        text = json.dumps(parts, separators=(",", ":"))
        return as_base64((text if self.profile.modern else text.replace("/", "\\/")).encode())

    def unlock(self, ciphertext: str) -> Any:
        parts = json.loads(base64.b64decode(ciphertext))
        nonce, body = base64.b64decode(parts["iv"]), base64.b64decode(parts["value"])
        if not hmac.compare_digest(parts["mac"], hmac.new(self.key, nonce + body, "sha256").hexdigest()):
            raise ValueError("not a ciphertext of this server")
        return json.loads(self._stream(body, nonce))

    def _stream(self, data: bytes, nonce: bytes) -> bytes:
        pad = b"".join(
            hashlib.sha256(self.key + nonce + struct.pack(">I", n)).digest() for n in range(len(data) // 32 + 1)
        )
        return bytes(a ^ b for a, b in zip(data, pad))


def as_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
