"""What a shell completes: names of connectors, their endpoints, and addresses, from the live store or the working tree."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from reconciler.cli.output import options
from reconciler.core.model import Key
from reconciler.errors import ReconcilerError
from reconciler.kinds.registry import KINDS, WORDS, address
from reconciler.settings import Overrides
from reconciler.wiring.plan import OpenedRun, run_of, settings_of
from reconciler.wiring.roots import locate_root

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_SAFE = re.compile(r"[A-Za-z0-9._/@+-]+")
"""What no shell takes for more than a word: others may have written what is live."""


class CompletedType(click.types.StringParamType):
    """A text that may be one of some names."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """Those that begin so. Nothing is made and nothing told where they cannot be had."""
        from click.shell_completion import CompletionItem

        try:
            found = sorted(set(self.names(ctx)))
        except (ReconcilerError, OSError):
            return []
        return [CompletionItem(name) for name in found if name.startswith(incomplete) and _SAFE.fullmatch(name)]

    def names(self, ctx: click.Context) -> Iterable[str]:
        """All of them, for the words before."""
        raise NotImplementedError


class ConnectorType(CompletedType):
    """The name of a connector."""

    def names(self, ctx: click.Context) -> Iterable[str]:
        """The live ones; where there are none, or definitions are asked for, those that are declared."""
        return (key.name for key in _keys(_run(ctx), ctx) if key.kind == "Connector")


class EndpointType(CompletedType):
    """The name of an endpoint of the connector before."""

    def names(self, ctx: click.Context) -> Iterable[str]:
        """Of the live connector, or of the one that is declared."""
        run, name = _run(ctx), ctx.params.get("connector") or ""
        live = () if ctx.params.get("definition") else run.store.connectors([name], secrets=False)
        specs = [found.spec for found in live]
        if not specs and (declared := run.source.load().resources.get(Key("Connector", name))):
            specs = [declared.content.value["spec"]]
        listed = specs[0].get("endpoints") if specs else None
        return listed if isinstance(listed, dict) else ()


class AddressType(CompletedType):
    """The address of a record."""

    def names(self, ctx: click.Context) -> Iterable[str]:
        """Of all that is live, or declared."""
        return (address(*key) for key in _keys(_run(ctx), ctx))


class KindType(CompletedType):
    """A kind, or the address of a record."""

    def names(self, ctx: click.Context) -> Iterable[str]:
        """The words for kinds."""
        return WORDS


class NameType(CompletedType):
    """The name of a record of the kind before."""

    def names(self, ctx: click.Context) -> Iterable[str]:
        """Of all that is live."""
        kind = WORDS.get(ctx.params.get("kind") or "", "")
        return (key.name for key in _keys(_run(ctx), ctx) if key.kind == kind)


def _run(ctx: click.Context) -> OpenedRun:
    from reconciler.core.progress import UNTOLD

    said = options()
    settings = settings_of(locate_root(said.directory), Overrides(target=said.target, store=said.store), reading=True)
    return run_of(settings, ctx.params.get("ref") or "", UNTOLD, cached=True)


def _keys(run: OpenedRun, ctx: click.Context) -> Iterator[Key]:
    """What is live; where nothing is, or definitions are asked for, what is declared."""
    live = [] if ctx.params.get("definition") else [key for key in run.store.records() if key.kind in KINDS]
    yield from live or run.source.load().resources


CONNECTOR, ENDPOINT, ADDRESS, KIND, NAME = ConnectorType(), EndpointType(), AddressType(), KindType(), NameType()
