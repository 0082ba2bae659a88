"""The parameters and headers of a request: what the definition says of them, and what the caller gives."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from reconciler.core.references import HINT, unsendable
from reconciler.core.secret import Secret, carries_credentials
from reconciler.errors import InvalidDefinitions, SecretUnavailable, UsageError
from reconciler.kinds.connector import secret_fields
from reconciler.kinds.mustache import Filling
from reconciler.kinds.places import PlainPlace
from reconciler.kinds.plain_endpoints import OF_THE_TRANSPORT
from reconciler.kinds.styles import Joined, Style, expanded, fields, style_of

Pair = tuple[str, str | Secret]
"""Name and value of a header; values that carry credentials are secrets."""
Param = tuple[str, str | Secret | Joined]
"""The same of a query parameter, before percent-encoding."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Entry(Struct, frozen=True):
    """A parameter or header with its value.

    Attributes:
        value: a list or object where the template is a placeholder of one, and nothing else.
    """

    name: str
    value: str | Secret | list[Any] | dict[str, Any]
    required: bool
    style: Style


class Entries(Struct, frozen=True):
    """The parameters and headers of an endpoint, with their values."""

    purpose: str
    endpoint: Mapping[str, Any]
    secrets: Mapping[str, Secret]
    filling: Filling

    def of(self, group: str, usual: str, *, skip_incomplete: bool) -> Iterator[Entry]:
        """The entries of a group.

        Args:
            usual: the style of an entry that names none.
            skip_incomplete: whether optional entries without data are left out.
        """
        addresses = {
            field.path[-2]: field.address
            for field in secret_fields({"endpoints": {self.purpose: self.endpoint}})
            if group in field.path[-3:-2]
        }
        for index, entry in enumerate(self.endpoint.get(group, ())):
            required = entry.get("required", False)
            filling = Filling(self.filling.data) if skip_incomplete and not required else self.filling
            name = _filled(entry["name"], filling)
            value = self._secret(addresses[index]) if index in addresses else _datum(entry.get("value", ""), filling)
            if filling is self.filling or not filling.missing:
                yield Entry(name, value, required, style_of(entry, usual))

    def _secret(self, address: str) -> Secret:
        if address not in self.secrets:
            raise SecretUnavailable(f"the store holds no value for {address}", hint="run: reconciler apply")
        return self.secrets[address]


def _datum(template: str, filling: Filling) -> str | list[Any] | dict[str, Any]:
    found = filling.composite(template)
    return _filled(template, filling) if found is None else found


def _filled(template: str, filling: Filling) -> str:
    place = PlainPlace()
    filling.fill(template, place)
    return place.text()


def _protected(name: str, value: str) -> str | Secret:
    return Secret(value) if value and carries_credentials(name) else value


def params_of(entries: Entries, given: Sequence[tuple[str, str]]) -> Iterator[Param]:
    """The caller's values win; empty ones are sent only when required."""
    own = {name for name, _ in given}
    required = set()
    for entry in entries.of("params", "form", skip_incomplete=True):
        required |= {entry.name} if entry.required else set()
        if entry.name not in own:
            yield from (param for param in _written(entry) if param[0] not in own)
    for name, text in given:
        if text or name in required:
            yield name, _protected(name, text)


def _written(entry: Entry) -> Iterator[Param]:
    """The parameters that an entry becomes; a name alone where it is required and empty."""
    name, value = entry.name, entry.value
    if isinstance(value, Secret):
        yield name, value
    elif isinstance(value, str):
        if value or entry.required:
            yield name, _protected(name, value)
    else:
        nothing = [(name, "")] if entry.required else []
        for key, part in list(fields(name, value, entry.style)) or nothing:
            yield key, _protected(key, str(part)) if isinstance(part, str) or carries_credentials(key) else part


def headers_of(entries: Entries, given: Sequence[tuple[str, str]]) -> Iterator[Pair]:
    """All, or with headers of the caller the required ones and those; empty ones only when required."""
    own = {name.lower() for name, _ in given}
    for entry in entries.of("headers", "simple", skip_incomplete=False):
        name, value = entry.name, entry.value
        if not isinstance(value, str | Secret):
            value = expanded(name, value, entry.style, str)
        if name.lower() not in own and (entry.required or (value and not own)):
            _check_header(name, value, InvalidDefinitions)
            yield name, value if isinstance(value, Secret) else _protected(name, value)
    for name, text in given:
        _check_header(name, text, UsageError)
        yield name, _protected(name, text)


def _check_header(name: str, value: str | Secret, error: type[UsageError | InvalidDefinitions]) -> None:
    if not _NAME.fullmatch(name):
        raise error("the name of a header holds what no header name may", hint="write letters, digits and hyphens")
    if name.lower() in OF_THE_TRANSPORT:
        raise error(f"the header {name} is set by the transport", hint="remove it")
    if fault := unsendable(value.reveal() if isinstance(value, Secret) else value, in_header=True):
        raise UsageError(f"the value of the header {name} {fault}, which cannot be sent", hint=HINT)
