"""Why the certificate of a server is not accepted, which libpq does not tell."""

import socket
import ssl
from collections.abc import Mapping

_SECONDS = 5.0
_ASK_FOR_TLS = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


def refusal(parameters: Mapping[str, str]) -> str:
    """What speaks against the certificate of the first server that has one that is not accepted; "" for nothing.

    Nothing is sent but the request for TLS.
    """
    try:
        context = ssl.create_default_context(cafile=parameters.get("sslrootcert"))
    except (OSError, ssl.SSLError):
        return ""
    hosts = parameters.get("host", "").split(",")
    places = parameters.get("hostaddr", "").split(",") if parameters.get("hostaddr") else hosts
    ports = parameters.get("port", "5432").split(",")
    for at, (host, place) in enumerate(zip(hosts, places, strict=False)):
        port = ports[at] if len(ports) > 1 else ports[0]
        try:
            with socket.create_connection((place, int(port or 5432)), timeout=_SECONDS) as raw:
                raw.sendall(_ASK_FOR_TLS)
                if raw.recv(1) == b"S":
                    context.wrap_socket(raw, server_hostname=host).close()
        except ssl.SSLCertVerificationError as failure:
            return failure.verify_message
        except (OSError, ValueError):
            continue
    return ""
