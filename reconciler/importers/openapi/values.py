"""JSON values of a document that may be wrong anywhere, looked at without trust."""

import json
from typing import Final, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Object: TypeAlias = dict[str, Json]
Pointer: TypeAlias = tuple[str | int, ...]

MAX_DEPTH: Final = 30  # of an example; the deepest seen in 2,600 real documents is 12
MAX_VALUES: Final = 2_000
MAX_INTEGER: Final = 2**53  # of those that every reader of JSON keeps exact
MIN_FLOAT: Final = 1e-15


def mapping(value: Json) -> Object:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Json) -> list[Json]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Json) -> str:
    """`value` if it is a text, a number's digits, else ""."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def is_true(value: Json) -> bool:
    """Whether `value` is true; some documents say it in a text."""
    return value is True or value == "true"


def spell(value: Json) -> str:
    """`value` as it stands in a query parameter, a header or a form field."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(spell(item) for item in value if not isinstance(item, list | dict))
    if isinstance(value, dict):
        return compact(value)
    return "" if value is None else str(value)


def compact(value: Json) -> str:
    """`value` as JSON on one line; "" when it is too large to be of use as a sample."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": ")) if is_small(value) else ""


def parsed(value: Json) -> Json:
    """The number or truth value that a text holds; any other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        found: Json = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return found if isinstance(found, bool | int | float) else value


def is_portable(value: Json) -> bool:
    """Whether every reader of YAML takes `value` for the same: numbers of many digits they read differently."""
    if isinstance(value, float):
        return value == 0 or MIN_FLOAT < abs(value) < 1 / MIN_FLOAT
    return not isinstance(value, int) or abs(value) < MAX_INTEGER


def is_small(value: Json) -> bool:
    """Whether `value` is flat and short enough to be copied."""
    level, count = [value], 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_VALUES:
            return False
        level = [item for parent in level for item in _children(parent)]
        if not level:
            return True
    return False


def _children(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def pointer(path: Pointer) -> str:
    """The JSON pointer (RFC 6901) of a path; "" is the whole document."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
