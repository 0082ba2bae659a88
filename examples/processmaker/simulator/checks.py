"""What is wrong with inputs, in the words of each version."""

from __future__ import annotations

import unicodedata
from typing import Any

from simulator.messages import Failure, server_error
from simulator.profiles import Profile
from simulator.texts import TRIM_OLD, sort_key
from simulator.values import leading_number, plain

MESSAGES = {
    False: {
        "required": "The {a} field is required.",
        "string": "The {a} must be a string.",
        "max": "The {a} may not be greater than {n} characters.",
        "unique": "The {a} has already been taken.",
        "in": "The selected {a} is invalid.",
        "signs": "The {a} may only contain alphanumeric characters.",
    },
    True: {
        "required": "The {A} field is required.",
        "string": "The {A} field must be a string.",
        "max": "The {A} field must not be greater than {n} characters.",
        "unique": "The {A} has already been taken.",
        "in": "The selected {A} is invalid.",
        "signs": "The {A} may only contain alphanumeric characters.",
    },
}


def allowed_signs(text: str) -> bool:
    """Letters and decimal digits of any script, white space, - _ . '; no combining signs (seen)."""
    return bool(text) and all(
        sign in "-_.'" or sign.isspace() or unicodedata.category(sign)[0] == "L" or unicodedata.category(sign) == "Nd"
        for sign in text
    )


class Check:
    """Collects what is wrong with the inputs and words it as the version does."""

    def __init__(self, profile: Profile, inputs: dict):
        self.profile, self.inputs, self.errors = profile, inputs, {}

    def add(self, name: str, rule: str, number: int = 0) -> None:
        spaced = name.replace("_", " ")
        text = MESSAGES[self.profile.modern][rule].format(a=spaced, A=spaced[:1].upper() + spaced[1:], n=number)
        self.errors.setdefault(name, []).append(text)

    def required(self, name: str) -> bool:
        value = self.inputs.get(name)
        blanks = None if self.profile.modern else TRIM_OLD  # a lone U+00A0 is a name in 2020 (seen)
        if value is None or value == [] or isinstance(value, str) and not value.strip(blanks):
            self.add(name, "required")
            return False
        return True

    def one_of(self, name: str, allowed: tuple, optional: bool = False, text: bool = False) -> None:
        if optional and name not in self.inputs or not optional and not self.required(name):
            return
        value = self.inputs[name]
        if text and not isinstance(value, str):
            self.add(name, "string")
        if not isinstance(value, str) or value not in allowed:
            self.add(name, "in")

    def name(self, rows: list[dict], own: int | None, limit: int = 0) -> None:
        """A list is an error of the code; of connectors also numbers and booleans pass (seen)."""
        if not self.required("name"):
            return
        value = self.inputs["name"]
        if isinstance(value, (list, dict)):
            raise server_error()
        if limit and not isinstance(value, str):
            self.add("name", "string")
        if limit and len(plain(value)) > limit:
            self.add("name", "max", limit)
        if "name" not in self.errors and any(taken(value, row["name"]) for row in rows if row["id"] != own):
            self.add("name", "unique")
        if not allowed_signs(plain(value)):
            self.add("name", "signs")

    def done(self) -> None:
        if self.errors:
            messages = [message for messages in self.errors.values() for message in messages]
            more = len(messages) - 1
            text = messages[0] + (f" (and {more} more error{'s' * (more > 1)})" if more else "")
            raise Failure(422, text if self.profile.modern else "The given data was invalid.", self.errors)


def taken(value: Any, name: str) -> bool:
    """As the database compares: texts by collation, numbers by what the stored text begins with (seen)."""
    if isinstance(value, (bool, int)):
        return leading_number(name) == value
    return sort_key(plain(value)) == sort_key(name)
