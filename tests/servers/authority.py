"""A certificate authority for the tests, and the certificates that a client has to tell apart."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

HOSTS = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, in files."""

    chain: Path
    key: Path

    def server_context(self, client_ca: Path | None = None) -> ssl.SSLContext:
        """What a server presents; with `client_ca` it demands a certificate from the client."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclass(frozen=True)
class Authority:
    """The authority that tests trust, and one that nobody trusts."""

    ca: Path
    good: Certificate
    wrong_host: Certificate
    expired: Certificate
    unknown_ca: Certificate
    client: Certificate
    other_ca: Path  # what signed `unknown_ca`
    other_client: Certificate  # a client certificate that `ca` did not sign

    def trusting(self, client: Certificate | None = None) -> ssl.SSLContext:
        """A client's context that trusts this authority alone."""
        context = ssl.create_default_context(cafile=self.ca)
        if client is not None:
            context.load_cert_chain(client.chain, client.key)
        return context


def make_authority(folder: Path) -> Authority:
    """Write the authority's files into a folder."""
    known, unknown = trustme.CA(organization_name="Tests"), trustme.CA(organization_name="Strangers")
    day, now = timedelta(days=1), datetime.now(UTC)

    def write(name: str, leaf: trustme.LeafCert) -> Certificate:
        made = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
        made.chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        made.key.write_bytes(leaf.private_key_pem.bytes())
        made.key.chmod(0o600)
        return made

    known.cert_pem.write_to_path(str(folder / "ca.pem"))
    unknown.cert_pem.write_to_path(str(folder / "other-ca.pem"))
    return Authority(
        ca=folder / "ca.pem",
        good=write("good", known.issue_cert(*HOSTS)),
        wrong_host=write("wrong-host", known.issue_cert("elsewhere.example")),
        expired=write("expired", known.issue_cert(*HOSTS, not_before=now - 2 * day, not_after=now - day)),
        unknown_ca=write("unknown-ca", unknown.issue_cert(*HOSTS)),
        client=write("client", known.issue_cert("reconciler@example.com")),
        other_ca=folder / "other-ca.pem",
        other_client=write("other-client", unknown.issue_cert("stranger@example.com")),
    )
