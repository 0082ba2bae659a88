"""``reconciler explain`` and ``reconciler schema``."""

import re
import sys

import click

from reconciler.cli.options import ExplainedCommand, common_options
from reconciler.cli.output import answer, answer_in_utf8, options, wants_color
from reconciler.diagnostics import RULES
from reconciler.errors import EXIT_CODES, UsageError
from reconciler.kinds import registry
from reconciler.render.style import BOLD, paint


@click.command(
    "explain",
    cls=ExplainedCommand,
    examples=(
        ("reconciler explain connector.spec.authorization", "a key of a definition"),
        ("reconciler explain RC203", "a diagnostic"),
        ("reconciler explain exit-codes", "what a script can rely on"),
    ),
)
@click.argument("topic", required=False, metavar="TOPIC")
@common_options(store=False, formats=False)
def explain(topic: str | None) -> int:
    """Explain a key of a kind, a diagnostic code, or the exit codes.

    TOPIC is KIND.path such as connector.spec.authorization, a code such as RC203, `codes` for all of
    them, or `exit-codes`.
    """
    color = wants_color(options().color, sys.stdout)
    if topic is None:
        raise UsageError("nothing to explain", hint="name KIND.path, a code such as RC203, codes, or exit-codes")
    if topic == "exit-codes":
        answer("".join(f"{int(code):4}  {meaning}\n" for code, meaning in EXIT_CODES.items()))
    elif topic == "codes":
        answer("".join(f"{code}  {rule.severity.value:7}  {rule.summary}\n" for code, rule in RULES.items()))
    elif re.fullmatch(r"(?i)rc\d+", topic):
        answer(_rule(topic.upper(), color=color))
    else:
        from reconciler.render.explanation import explain_key

        answer(explain_key(topic, color=color))
    return 0


def _rule(code: str, *, color: bool) -> str:
    rule = RULES.get(code)
    if rule is None:
        raise UsageError(f"there is no code {code}", hint="list them with: reconciler explain codes")
    return f"{paint(f'{code}: {rule.summary}', BOLD, color=color)} ({rule.severity.value})\n\n{rule.explanation}\n"


@click.command(
    "schema",
    cls=ExplainedCommand,
    examples=(
        ("reconciler schema", "which there are"),
        ("reconciler schema connector > connector.schema.json", "for an editor"),
    ),
)
@click.argument("name", required=False, metavar="[NAME]")
@common_options(store=False, formats=False)
def schema(name: str | None) -> int:
    """Print a published JSON Schema, or list them.

    NAME is a kind such as connector, `project` for reconciler.yaml, `resource` for any kind, or the name
    of a JSON output such as `plan`.
    """
    names = sorted(path.name.removesuffix(".schema.json") for path in registry.folder().glob("*.schema.json"))
    if name is None:
        for found in names:
            title = registry.load(f"{found}.schema.json")
            answer(f"{found:18} {title['description'].split('. ')[0].rstrip('.')}.\n")
        return 0
    wanted = {"policy": "permissionpolicy", "access-test": "accesstest", "diagnostic": "diagnostics"}.get(
        name.lower(), name.lower()
    )
    if wanted not in names:
        raise UsageError(f"there is no schema '{name}'", hint=f"schemas are {', '.join(names)}")
    answer_in_utf8()
    answer(registry.text(f"{wanted}.schema.json").decode())
    return 0
