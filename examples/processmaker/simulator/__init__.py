"""A small, stateful simulator of the ProcessMaker REST API, for tests and for trying things out: see README.md.

Written from facts seen on the wire of two real servers; "seen" marks what was found while the two were compared.
Nothing of the vendor's is in it but the literal messages that a client has to recognise.

    with start(profile="4.14") as server:
        server.url, server.token("ada"), server.requests, server.plaintext(7)
"""

from simulator.running import Handle, start

__all__ = ["Handle", "start"]
