"""Whom a connection trusts."""

from msgspec import Struct

from reconciler.core.secret import Secret


class Trust(Struct, frozen=True):
    """TLS settings of a connection.

    Attributes:
        verify: whether the server's certificate is verified.
        authority: PEM certificates that are trusted instead of the public authorities, or None for those.
        certificate: PEM certificate to show to the server, with its chain, or None for none.
        key: PEM private key of `certificate`; None when it stands in `certificate`.
    """

    verify: bool = True
    authority: Secret | None = None
    certificate: Secret | None = None
    key: Secret | None = None
