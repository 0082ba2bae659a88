"""JSON and numbers as the servers read and write them."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from simulator.profiles import Profile

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)")


def is_numeric(text: Any, trailing_blanks: bool = True) -> bool:
    if isinstance(text, bool) or text is None:
        return False
    if isinstance(text, (int, float)):
        return True
    found = _NUMBER.match(text) if isinstance(text, str) else None
    rest = text[found.end() :] if found else "x"
    return not (rest.strip() if trailing_blanks else rest)


def leading_number(value: Any) -> float:
    """What the database makes of a value where it needs a number: "4x" is 4, "x" is 0 (seen)."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    found = _NUMBER.match(value or "")
    return float(found.group()) if found else 0.0


class _Refused(ValueError):
    pass


def read_json(raw: bytes) -> Any:
    """The body, or None for what does not parse: taken as empty."""

    def refuse(_):
        raise _Refused

    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=refuse, parse_int=_php_int)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone surrogate does not parse either (seen)
        return value
    except (ValueError, RecursionError):
        return None


def _php_int(text: str) -> int | float:
    """Integers over 64 bits become floats."""
    number = int(text)
    return number if -(2**63) <= number < 2**63 else float(text)


def write_json(value: Any) -> str:
    """As the servers write it: non-ASCII and slashes escaped, 1.0 as 1, 1e20 as 1.0e+20 (seen)."""
    if isinstance(value, dict):
        return "{" + ",".join(write_json(str(key)) + ":" + write_json(item) for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write_json, value)) + "]"
    if isinstance(value, float):
        return _write_float(value)
    return json.dumps(value).replace("/", "\\/")


def _write_float(value: float) -> str:
    if value == 0:
        return "0"
    digits, exponent = ("%r" % abs(value)).lower(), math.floor(math.log10(abs(value)))
    if -5 < exponent < 17:
        if value == int(value):
            return str(int(value))
        return ("-" if value < 0 else "") + (digits if "e" not in digits else f"{abs(value):.17f}".rstrip("0"))
    mantissa = digits.split("e")[0] if "e" in digits else repr(abs(value) / 10**exponent)
    return f"{'-' if value < 0 else ''}{mantissa if '.' in mantissa else mantissa + '.0'}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


def as_read(profile: Profile, value: Any) -> Any:
    """In the answer for one record an object with only numeric keys is a list (0, 1, 2; seen: any numbers)."""
    if isinstance(value, dict):
        items = {key: as_read(profile, item) for key, item in value.items()}
        return list(items.values()) if all(is_numeric(key, profile.modern) for key in items) else items
    return [as_read(profile, item) for item in value] if isinstance(value, list) else value


def as_array(value: Any) -> Any:
    """What the server makes of an object when it reads it: {} and one with the keys 0, 1, 2 … are lists."""
    if isinstance(value, dict):
        items = {key: as_array(item) for key, item in value.items()}
        return list(items.values()) if list(items) == [str(at) for at in range(len(items))] else items
    return [as_array(item) for item in value] if isinstance(value, list) else value


def reordered(value: Any) -> Any:
    """Keys as a JSON column of MySQL keeps them: shorter first, then by bytes (switch reorder_keys)."""
    if isinstance(value, dict):
        order = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: reordered(value[key]) for key in order}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def serialized(value: Any) -> bytes:
    """The plaintext under credentials; its length decides what fits the column (about 36 KB)."""
    if value is None:
        return b"N;"
    if isinstance(value, bool):
        return b"b:%d;" % value
    if isinstance(value, int):
        return b"i:%d;" % value
    if isinstance(value, float):
        return b"d:%s;" % write_json(value).encode()
    if isinstance(value, str):
        return b's:%d:"%s";' % (len(value.encode()), value.encode())
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    inside = b"".join(serialized(_array_key(key)) + serialized(item) for key, item in pairs)
    return b"a:%d:{%s}" % (len(pairs), inside)


def _array_key(key: Any) -> Any:
    return int(key) if isinstance(key, str) and re.fullmatch(r"0|-?[1-9]\d{0,17}", key) else key


def plain(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return value if isinstance(value, str) else write_json(value)
