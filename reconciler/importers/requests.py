"""Single requests, as collections, recordings and command lines hold them."""

from msgspec import Struct, field

from reconciler.importers.credentials import Credential
from reconciler.importers.document import Notebook
from reconciler.importers.payloads import Payload
from reconciler.importers.templates import Template, lone
from reconciler.importers.values import Object, Pointer, unique, variable
from reconciler.importers.withheld import Withheld


class ForeignEntry(Struct, frozen=True):
    """A query parameter or header of a request.

    Attributes:
        sent: whether it is sent as it is; one that is not stays as a parameter that callers may give.
        is_secret: whether it is known to be one, whatever its name.
    """

    name: str
    value: Template
    where: Pointer
    description: str = ""
    sent: bool = True
    is_secret: bool = False


class Access(Struct, frozen=True):
    """How a request is authorized, before its secrets have become references.

    Attributes:
        block: the authorization block; None stands where a secret belongs.
        secrets: by key of the block, what the secret is called and its value.
    """

    block: Object
    secrets: dict[str, tuple[str, Template]]
    where: Pointer


def login(user: Template, password: Template, where: Pointer) -> Access:
    """The access of a user with a password."""
    block: Object = {"method": "basic", "username": None, "password": None}
    return Access(block, {"username": ("USERNAME", user), "password": ("PASSWORD", password)}, where)


def bearer(token: Template, where: Pointer) -> Access:
    """The access that a token gives."""
    return Access({"method": "bearer", "token": None}, {"token": ("TOKEN", token)}, where)


class ForeignRequest(Struct, frozen=True):
    """One request.

    Attributes:
        url: without query and fragment.
        access: how it is authorized, besides what stands in its headers.
        further: keys of the endpoint that follow from nothing else.
        unverified: why certificates are not verified, or "".
    """

    title: str
    method: str
    url: Template
    where: Pointer
    query: tuple[ForeignEntry, ...] = ()
    headers: tuple[ForeignEntry, ...] = ()
    payload: Payload | None = None
    access: Access | None = None
    description: str = ""
    further: Object = {}
    unverified: str = ""


class Desk(Struct):
    """What the requests of one connector share.

    Attributes:
        prefix: start of the names of environment variables.
        withheld: secrets that were met.
    """

    notes: Notebook
    prefix: str
    withheld: Withheld = field(default_factory=Withheld)
    _environment: dict[tuple[str, Template], str] = field(default_factory=dict)
    _said: set[tuple[str, str]] = field(default_factory=set)
    _taken: set[str] = field(default_factory=set)

    def of(self, prefix: str) -> "Desk":
        """The desk of one of several connectors: it knows the same secrets, says nothing twice, and shares no variable."""
        return Desk(self.notes, prefix, self.withheld, _said=self._said, _taken=self._taken)

    def say(self, code: str, where: Pointer, message: str) -> None:
        """Note a cause where it is met first."""
        if (code, message) not in self._said:
            self._said.add((code, message))
            self.notes.add(code, where, message)

    def withhold(self, value: str) -> None:
        """Remember a secret, unless it is only the name of one."""
        if "{{" not in value:
            self.withheld.add(value)

    def credential(self, access: Access) -> Credential:
        """The authorization block, every secret in it a reference."""
        block = {**access.block}
        for key, (name, value) in access.secrets.items():
            block[key] = self.reference(name, value, access.where)
        return Credential.of(block)

    def reference(self, name: str, value: Template, where: Pointer) -> Object:
        """The reference that stands for a secret called `name`; two values have two of them."""
        if secret := lone(value):
            found = secret.environment or variable(self.prefix, secret.name)
            self.say("secret-reference", where, f"the value is read from {found}")
            return {"env": found}
        if (name, value) not in self._environment:
            wanted = variable(self.prefix, name) or self.prefix
            found = unique(wanted, self._taken.__contains__, 255, "{}_{}")
            self._taken.add(found)
            self._environment[name, value] = found
        found = self._environment[name, value]
        self.say("secret-reference", where, f"the value is read from {found}")
        return {"env": found}
