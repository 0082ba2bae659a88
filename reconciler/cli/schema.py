"""``reconciler schema``."""

import click

from reconciler.cli.help import Command
from reconciler.cli.options import common_options
from reconciler.cli.output import answer, answer_in_utf8
from reconciler.errors import UsageError
from reconciler.kinds import schemas


@click.command(
    "schema",
    cls=Command,
    examples=(
        ("reconciler schema", "which there are"),
        ("reconciler schema connector > connector.schema.json", "for an editor"),
    ),
)
@click.argument("name", required=False, metavar="[NAME]")
@common_options(store=False)
def command(name: str | None) -> int:
    """Print a published JSON Schema, or list them.

    NAME is a kind such as connector, `project` for reconciler.yaml, `resource` for any kind, or the name
    of a JSON output such as `plan`.
    """
    names = sorted(path.name.removesuffix(".schema.json") for path in schemas.folder().glob("*.schema.json"))
    if name is None:
        for found in names:
            title = schemas.load(f"{found}.schema.json")
            answer(f"{found:18} {title['description'].split('. ')[0].rstrip('.')}.\n")
        return 0
    wanted = {"policy": "permissionpolicy", "access-test": "accesstest", "diagnostic": "diagnostics"}.get(
        name.lower(), name.lower()
    )
    if wanted not in names:
        raise UsageError(f"there is no schema '{name}'", hint=f"schemas are {', '.join(names)}")
    answer_in_utf8()
    answer(schemas.text(f"{wanted}.schema.json").decode())
    return 0
