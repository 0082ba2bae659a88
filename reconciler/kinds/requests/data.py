"""The data that fills the placeholders: the sample, a file, and what the command line sets."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from reconciler.errors import UsageError


def gather(sample: Mapping[str, Any], file: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """The sample, over it the content of a file, over that each `KEY=TEXT` or `KEY:=JSON`; keys may be dotted.

    Raises:
        UsageError: a setting is neither, or the data is not what JSON can say.
    """
    data = {**sample, **file}
    for setting in settings:
        key, value = _parse(setting)
        _put(data, key.split("."), value)
    try:
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise UsageError("the data holds what JSON cannot say", hint="quote dates; write text in UTF-8") from None
    return data


def _parse(setting: str) -> tuple[str, Any]:
    key, equals, text = setting.partition("=")
    if not equals or not key.rstrip(":"):
        raise UsageError("--set wants KEY=VALUE", hint="write --set name=text, or --set name:=42 for JSON")
    if not key.endswith(":"):
        return key, text
    key = key[:-1]
    try:
        return key, json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise UsageError(f"--set {key}:= wants JSON", hint=f"for a text write --set {key}=...") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _put(data: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put `value` at a dotted place; what lies on the way is copied, because it belongs to others."""
    for step in path[:-1]:
        below = data.get(step)
        data[step] = dict(below) if isinstance(below, dict) else {}
        data = data[step]
    data[path[-1]] = value
