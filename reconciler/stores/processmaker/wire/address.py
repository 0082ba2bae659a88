"""Where an instance is, by the URL of a store."""

import re

from msgspec import Struct

from reconciler.core.store_urls import is_here
from reconciler.errors import UsageError
from reconciler.stores.processmaker.wire.options import Options

API = "/api/1.0"
_URL = re.compile(
    r"processmaker\+(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~-]+)*)/?"
)
"""Nothing that two readers of URLs could understand in two ways: what is asked whether it is trusted is what is called."""
_PORTS = {"http": "80", "https": "443"}
_LAST_PORT = 65535


class Address(Struct, frozen=True):
    """Where an instance is.

    Attributes:
        root: its URL as one of http or https, without a / at the end; two ways to write one are one.
        host: with its port, to be shown.
    """

    root: str
    host: str

    @property
    def api(self) -> str:
        """The URL that paths of the API follow."""
        return self.root + API


def read_url(url: str, options: Options) -> Address:
    """The instance that the URL of a store names.

    Raises:
        UsageError: it names none, or goes over the network in the clear without a reason.
    """
    found = _URL.fullmatch(url)
    if found is None or int(found["port"] or 1) not in range(1, _LAST_PORT + 1):
        hint = "write processmaker+https://HOST, or with a port and path: processmaker+https://HOST:PORT/PATH"
        raise UsageError("the URL of the store is not that of a ProcessMaker instance", hint=hint)
    scheme, host = found["scheme"], found["host"].lower()
    if scheme == "http" and not options.allow_plain_http and not is_here(host.strip("[]")):
        raise UsageError(
            f"the URL of the store would send the token to {host} in the clear, where anybody on the way reads it",
            hint="write processmaker+https://, or say in the target why not:  processmaker: {allowPlainHttp: REASON}",
        )
    port = f":{int(found['port'])}" if found["port"] and str(int(found["port"])) != _PORTS[scheme] else ""
    return Address(f"{scheme}://{host}{port}{found['path'].removesuffix(API)}", host + port)
