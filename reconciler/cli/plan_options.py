"""The options of commands that make plans."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from reconciler.cli.plan_files import VALID_FOR
from reconciler.cli.revision import REVISION
from reconciler.core.guards import FORM, GUARDS, Override

MAX_NAME = 255
_FILE = click.Path(dir_okay=False, path_type=Path)


def _limit(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[0-9]{1,9}%?", value):
        raise click.BadParameter("give a number such as 5, or a share such as 30%")
    return value


def _overrides(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[Override, ...]:
    found = []
    for text in value:
        parts = FORM.fullmatch(text)
        if parts is None or parts[2] not in GUARDS:
            raise click.BadParameter(f"give PLAN:GUARD=COUNT, as the guard says it; guards are {', '.join(GUARDS)}")
        found.append(Override(parts[1], parts[2], int(parts[3])))
    return tuple(found)


def override_option() -> Callable[..., Callable[..., Any]]:
    """The option that lets one plan pass one guard."""
    return click.option(
        "--override",
        "overrides",
        multiple=True,
        callback=_overrides,
        metavar="PLAN:GUARD=N",
        help="What a guard stops is meant: for this plan alone, and for just this count. The guard says what to pass.",
    )


def _names(ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        if not name.strip() or not name.isprintable() or len(name) > MAX_NAME:
            raise click.BadParameter("name somebody", param_hint="'--approved-by' / RECONCILER_APPROVED_BY")
    return value


def approvals_option() -> Callable[..., Callable[..., Any]]:
    """The option that says who approved what is judged. Nothing in a repository or a saved plan says so."""
    return click.option(
        "--approved-by",
        "approvals",
        multiple=True,
        metavar="ACTOR",
        envvar="RECONCILER_APPROVED_BY",
        callback=_names,
        help="Who approved the change: what is refused to the actor passes if one of these may make it. Repeatable; "
        "RECONCILER_APPROVED_BY separates names with blanks.",
    )


def preflight_option() -> Callable[..., Callable[..., Any]]:
    """The option that tries what changes."""
    text = "Try the connectors that change: secrets, tokens, TLS, servers. Calls no endpoint."
    return click.option("--preflight", is_flag=True, help=text)


def tokens_option() -> Callable[..., Callable[..., Any]]:
    """The option that says when access tokens are fetched."""
    text = "apply: fetch access tokens that are missing or about to expire. demand: leave them to calls."
    return click.option("--tokens", type=click.Choice(["apply", "demand"]), help=text)


def plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `plan` and `apply` share."""
    function = guarding_options(function)
    for option in reversed(
        [
            click.option("--ref", default="", type=REVISION, metavar="REV", help="Take the definitions of a commit, branch or tag."),
            click.option("--full", is_flag=True, help="Look at everything, not at what moved since the last apply alone."),
            click.option("--no-prune", is_flag=True, help="Keep records that git no longer defines."),
            click.option("--adopt", is_flag=True, help="Take over live records that belong to somebody else."),
        ]
    ):  # fmt: skip
        function = option(function)
    return function


def guarding_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that makes a plan of all records: its guards, and what is looked at."""
    for option in reversed(
        [
            click.option("--max-deletes", callback=_limit, metavar="N|N%", help="How many records may be deleted; default 30%, and 5 in any case."),
            override_option(),
            approvals_option(),
            preflight_option(),
            tokens_option(),
            click.option("--secrets", type=click.Choice(["unchanged", "check"]), envvar="RECONCILER_SECRETS", help="check: resolve all secrets and see which values changed."),
        ]
    ):  # fmt: skip
        function = option(function)
    return function


def saving_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of commands that can save their plan."""
    for option in reversed(
        [
            click.option("--out", type=_FILE, metavar="FILE", help="Save the plan, to be carried out by `apply FILE`."),
            click.option("--sign", "sign_key", type=_FILE, metavar="KEY", help="Sign the saved plan with this Ed25519 private key."),
            click.option("--valid-for", default=VALID_FOR, show_default=True, metavar="TIME", help="How long the saved plan may be applied, e.g. 30m, 12h, 7d."),
        ]
    ):  # fmt: skip
        function = option(function)
    return function
