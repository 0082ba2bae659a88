"""What `can` and `who-can` have in common: what they ask about, and of what."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import common_options
from reconciler.cli.parsing import key_of, time_of
from reconciler.cli.revision import REVISION
from reconciler.cli.running import load_desired, settings_of_run, warn_lost
from reconciler.cli.said import options
from reconciler.errors import UsageError
from reconciler.source.positions import Lines
from reconciler.wiring.run import locate_root, now, open_source, open_store

if TYPE_CHECKING:
    from reconciler.core.access import Where
    from reconciler.core.verdicts import Question


def asking_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--ref, --live and --at."""
    for decorate in (
        common_options(reads=True),
        click.option("--at", metavar="TIME", help="Judge the grants that expire as at this time, such as 2027-03-01T12:00:00Z."),
        click.option("--live", is_flag=True, help="Judge by the policies that are live in the store."),
        click.option("--ref", default="", type=REVISION, metavar="REV", help="Judge by the definitions of a commit, branch or tag."),
    ):  # fmt: skip
        function = decorate(function)
    return function


def put(
    permission: str, address: str | None, *, ref: str, live: bool, at: str | None
) -> "tuple[Question, Where | None]":
    """The question, and where the grants stand that answer it; live ones stand nowhere.

    Raises:
        InvalidDefinitions: the definitions are not valid.
        UsageError: it asks about what is not there.
    """
    from reconciler.services.questions import area_of, ask_definitions, ask_live

    if ref and live:
        raise UsageError("--ref and --live do not go together", hint="ask about one of them")
    key = key_of(address) if address else None
    area, moment = area_of(permission, key), time_of("--at", at) if at else now()
    if live:
        settings = settings_of_run()
        warn_lost(settings)
        store = open_store(settings, os.environ)
        return ask_live(store, permission, key, moment), None
    from reconciler.kinds.access import target_of
    from reconciler.services.gate import access_of

    everything = key is not None and area in ("connectors", "categories")
    folders = ("connectors", "policies") if everything else ("policies",)
    said = options()
    source = open_source(locate_root(said.directory), ref, folders, cached=not said.no_cache)
    resources = load_desired(source).resources
    targets = {key: target_of(key, resources[key].content.value)} if key in resources and key else {}
    known = targets or {other: target_of(other, resource.content.value) for other, resource in resources.items() if key}
    question = ask_definitions(access_of(resources), known, permission, key, moment)
    return question, Lines(source.read, resources).of
