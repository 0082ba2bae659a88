"""``reconciler call --all``."""

import sys

from reconciler.cli.calling import authorizing, permit, warn_unverified
from reconciler.cli.output import answer, say, wants_color
from reconciler.cli.parsing import labels_of
from reconciler.cli.running import open_run
from reconciler.cli.said import options
from reconciler.errors import ExitCode
from reconciler.render.call import checks_text
from reconciler.services.records import Query, search
from reconciler.services.smoke import check_all


def call_all(chosen: str, *, base_url: str, category: str | None, labels: tuple[str, ...]) -> int:
    """Call every GET endpoint of the active connectors that satisfy the filters."""
    query = Query("Connector", category=category, labels=labels_of(labels), status="active")
    run = open_run()
    names = [found.name for found in search(run.store, query)]
    connectors = list(run.store.connectors(names)) if names else []
    permit(run, connectors)
    for connector in connectors:
        warn_unverified(connector)
    if options().verbose:
        say(f"{len(connectors)} active connectors")
    with run.progress:
        checks = check_all(connectors, authorizing(run, connectors), base_url=base_url, progress=run.progress)
    if chosen == "json":
        from reconciler.render.call import checks_json

        answer(checks_json(checks))
    else:
        answer(checks_text(checks, color=wants_color(options().color, sys.stdout)))
    return ExitCode.WORLD if any(check.verdict == "failed" for check in checks) else ExitCode.OK
