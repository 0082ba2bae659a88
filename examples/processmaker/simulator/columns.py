"""Values as columns of the database take them."""

from __future__ import annotations

import math
from typing import Any

from simulator.messages import server_error
from simulator.profiles import TEXT_BYTES, Profile
from simulator.values import is_numeric, plain, read_json, write_json


def same(old: Any, new: Any) -> bool:
    """Whether a write changes a field, which decides whether updated_at moves: 5 and "5" do not, true does."""
    if is_numeric(old) and is_numeric(new):
        return plain(old) == plain(new)
    return type(old) is type(new) and old == new


def text_column(value: Any, limit: int, update: bool, profile: Profile) -> str | None:
    """A value for a text column. Lists are an error, but a PUT of 4.14 stores them as JSON (seen)."""
    if isinstance(value, (list, dict)):
        if not (update and profile.modern):
            raise server_error()
        value = write_json(value)
    if value is None:
        return None
    text = str(int(value)) if isinstance(value, bool) else plain(value)
    size = len(text.encode()) if limit == TEXT_BYTES else len(text)
    if size > limit:
        raise server_error()
    return text


def whole_column(value: Any, low: int, high: int) -> int:
    """A value for a column of whole numbers; rounds as the database does (seen: category 1.5 is 2)."""
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, (list, dict)) or not is_numeric(value):
        raise server_error()
    number = math.floor(float(value) + 0.5) if float(value) >= 0 else -math.floor(0.5 - float(value))
    if not low <= number <= high:
        raise server_error()
    return number


def json_column(value: Any, update: bool, profile: Profile) -> str | None:
    """mappings: a text that holds JSON; an object is an error but in a PUT of 4.14 (seen)."""
    text = text_column(value, 2**31, update, profile)
    if text is not None and read_json(text.encode()) is None and text.strip() != "null":
        raise server_error()
    return text
