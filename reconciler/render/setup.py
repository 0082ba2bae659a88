"""What came of making a store, or of copying one."""

from reconciler.core.care import Copied, Made
from reconciler.harmless import harmless
from reconciler.render.care import VERSION
from reconciler.render.style import json_text, plural


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


def copied_text(copied: Copied, source: str, to: str) -> str:
    """What was copied, and what is left to be done."""
    counts = ", ".join(plural(count, noun.removesuffix("s")) for noun, count in copied.counts.items())
    return (
        f"Copied {harmless(source)} to {harmless(to)}: {counts}.\n"
        "The old store is as it was: have nobody apply to it any more, and name the new one in reconciler.yaml.\n"
        f"history head {copied.head}\n"
    )


def copied_json(copied: Copied, source: str, to: str) -> str:
    """What was copied."""
    return json_text(
        {
            "version": VERSION,
            "type": "copy",
            "from": source,
            "to": to,
            "copied": dict(copied.counts),
            "head": copied.head,
        }
    )
