"""What came of making a store."""

from reconciler.core.care import Made
from reconciler.render.care import VERSION
from reconciler.render.style import json_text


def statements_text(made: Made) -> str:
    """The statements that make the roles, for the client of the server; nothing where they were carried out."""
    return "" if made.roles else "".join(f"{statement.rstrip().removesuffix(';')};\n" for statement in made.statements)


def made_json(made: Made, target: str) -> str:
    """What was made, and the statements that make the roles."""
    return json_text(
        {
            "version": VERSION,
            "type": "init",
            "target": target,
            "made": made.new,
            "roles": {"made": made.roles, "statements": list(made.statements)},
        }
    )
