"""TLS contexts: certificate verification, private authorities and client certificates."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import mkstemp
from threading import Lock
from typing import TYPE_CHECKING

from reconciler.core.calls import Trust
from reconciler.core.secret import Secret
from reconciler.errors import CertificateUnusable

if TYPE_CHECKING:
    import ssl


def make_context(trust: Trust) -> "ssl.SSLContext":
    """The TLS context for `trust`. TLS 1.2 is the oldest version spoken.

    Raises:
        CertificateUnusable: one of the PEM texts cannot be used.
    """
    context = _context(trust)
    if trust.certificate is not None:
        _show_certificate(context, trust.certificate, trust.key)
    return context


class ContextCache:
    """TLS contexts by what they trust, for several threads: making one takes longer than a request."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: dict[tuple[bool | str | None, ...], ssl.SSLContext] = {}

    def get(self, trust: Trust) -> "ssl.SSLContext":
        """The context for `trust`.

        Raises:
            CertificateUnusable: see `make_context`.
        """
        texts = (trust.authority, trust.certificate, trust.key)
        known = (trust.verify, *(text.reveal() if text is not None else None for text in texts))
        with self._lock:
            if known not in self._made:
                self._made[known] = make_context(trust)
            return self._made[known]


def _context(trust: Trust) -> "ssl.SSLContext":
    if trust.verify and trust.authority is None:
        import httpx

        try:
            return httpx.create_ssl_context()  # public authorities, or the environment's
        except OSError:
            named = [f"{name}={os.environ[name]}" for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
            message = f"no certificates can be read from {' or '.join(named) or 'the public authorities'}"
            raise CertificateUnusable(
                message, hint="mend or unset the variable, or name an authority with tls.ca"
            ) from None
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if trust.authority is not None:
        try:
            context.load_verify_locations(cadata=trust.authority.reveal())
        except (ssl.SSLError, ValueError):
            hint = "tls.ca should lead to one or more PEM certificates (-----BEGIN CERTIFICATE-----)"
            raise CertificateUnusable("tls.ca: no certificate can be read from it", hint=hint) from None
    if not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _show_certificate(context: "ssl.SSLContext", certificate: Secret, key: Secret | None) -> None:
    import ssl

    try:
        with _as_file(certificate) as chain:
            if key is None:
                context.load_cert_chain(chain, password=_no_password)
            else:
                with _as_file(key) as private:
                    context.load_cert_chain(chain, private, password=_no_password)
    except (ssl.SSLError, ValueError, OSError):
        hint = (
            "tls.clientCertificate and tls.clientKey should lead to a PEM certificate and its private key, unencrypted"
        )
        raise CertificateUnusable("tls.clientCertificate: it cannot be used with its key", hint=hint) from None


def _no_password() -> str:
    raise ValueError("the key is encrypted")


@contextmanager
def _as_file(text: Secret) -> Iterator[str]:
    """A path at which OpenSSL, which reads nothing but files, finds the text: in memory where the system can."""
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
        path, kept = f"/proc/self/fd/{descriptor}", False
    else:
        descriptor, path = mkstemp()  # only its owner can read it
        kept = True
    try:
        os.write(descriptor, text.reveal().encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield path
    finally:
        os.close(descriptor)
        if kept:
            os.unlink(path)
