"""The driver of ProcessMaker instances: from a URL and what a run is told to a store."""

from typing import TYPE_CHECKING

from reconciler.core.ports.state import DriverContext
from reconciler.stores.processmaker.wire.address import read_url
from reconciler.stores.processmaker.wire.client import Client
from reconciler.stores.processmaker.wire.login import Login
from reconciler.stores.processmaker.wire.options import read_options, trust_of

if TYPE_CHECKING:
    from reconciler.stores.processmaker.store import ProcessMakerStore


def open_processmaker(url: str, context: DriverContext) -> "ProcessMakerStore":
    """The instance at a URL as live store; nothing is opened before it is used.

    Raises:
        UsageError: the URL is none of an instance, or says to send secrets in the clear without a reason.
    """
    from reconciler.stores.processmaker.store import ProcessMakerStore

    client = open_client(url, context)
    return ProcessMakerStore(client, client.options.page_size, cache=context.cache, is_whole=context.writes)


def open_client(url: str, context: DriverContext) -> Client:
    """What asks the instance at a URL; nothing is opened before it is used.

    Raises:
        UsageError: the URL is none of an instance.
    """
    options = read_options(context.options)
    address = read_url(url, options)
    return Client(
        address,
        lambda post: Login(address, context.credentials, post),
        options,
        trust=lambda: trust_of(options, context.root),
        say=context.say,
    )
