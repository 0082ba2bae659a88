"""Texts with variables in them, as collections of requests and command lines have them."""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from msgspec import Struct

from reconciler.importers.placeholders import Placeholders
from reconciler.importers.values import Json


class Variable(Struct, frozen=True):
    """What stands for a value that is known elsewhere.

    Attributes:
        sample: a value for a test call, or None.
        secret: whether the value is one.
        environment: the variable of the environment that holds it, or "".
    """

    name: str
    sample: Json = None
    secret: bool = False
    environment: str = ""


Template: TypeAlias = tuple[str | Variable, ...]

NO_SAMPLE: Final = "example"


def merged(parts: Iterable[str | Variable]) -> Template:
    """The parts, neighbouring texts put together and empty ones left out."""
    found: list[str | Variable] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(last := found[-1], str):
            found[-1] = last + part
        elif part != "":
            found.append(part)
    return tuple(found)


def literal(template: Template) -> str:
    """The text of a template, without its variables."""
    return "".join(part for part in template if isinstance(part, str))


def lone(template: Template) -> Variable | None:
    """The variable that is all of a template, if so."""
    (*rest, last) = template or ("",)
    return last if isinstance(last, Variable) and not literal(tuple(rest)).strip() and len(rest) < 2 else None


def variables(template: Template) -> list[Variable]:
    """The variables, in their order."""
    return [part for part in template if isinstance(part, Variable)]


def changed(template: Template, change: Callable[[str], str]) -> Template:
    """A template whose texts were changed, its variables not."""
    return merged(change(part) if isinstance(part, str) else part for part in template)


def stripped(template: Template) -> Template:
    """A template without white space at its edges."""
    if template and isinstance(first := template[0], str):
        template = merged((first.lstrip(), *template[1:]))
    if template and isinstance(last := template[-1], str):
        template = merged((*template[:-1], last.rstrip()))
    return template


def cut(template: Template, sign: str) -> tuple[Template, Template | None]:
    """What stands before the first `sign` in a text, and what after it; None where there is no sign."""
    for index, part in enumerate(template):
        if isinstance(part, str) and sign in part:
            before, _, after = part.partition(sign)
            return merged((*template[:index], before)), merged((after, *template[index + 1 :]))
    return template, None


def split(template: Template, sign: str) -> list[Template]:
    """The pieces between the signs."""
    pieces: list[list[str | Variable]] = [[]]
    for part in template:
        if isinstance(part, Variable):
            pieces[-1].append(part)
            continue
        first, *others = part.split(sign)
        pieces[-1].append(first)
        pieces += [[other] for other in others]
    return [merged(piece) for piece in pieces]


def tag_of(variable: Variable, tags: Placeholders) -> str:
    """The placeholder for a variable: the same wherever it stands in a request."""
    sample = variable.sample if variable.sample is not None else NO_SAMPLE
    return tags.tag("variable", variable.name, None if variable.secret else sample)


def tagged(template: Template, tags: Placeholders) -> str | None:
    """The text with placeholders for its variables; None where mustache would read the text itself as a tag."""
    written: list[str] = []
    for part in template:
        if isinstance(part, Variable):
            written.append(tag_of(part, tags))
        elif "{{" in part or (len(template) > 1 and (part[:1] == "}" or part[-1:] == "{" or "}}" in part)):
            return None
        else:
            written.append(part)
    return "".join(written)
