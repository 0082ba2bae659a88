"""What only some stores can do: each ability is a protocol, asked for by `isinstance` where it is used."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from msgspec import Struct

from reconciler.core.model import Key, Resource
from reconciler.core.ports.live import Write
from reconciler.core.secret import Secret
from reconciler.diagnostics import Finding

if TYPE_CHECKING:
    from reconciler.core.plan import Change

# live stores


class Known(Struct, frozen=True):
    """What the state knows of a record: what it held when it was last looked at for good.

    Attributes:
        is_owned: whether it belongs to an owner.
    """

    key: Key
    body: Any
    version: str
    note: str
    is_owned: bool


class Recollection(Struct, frozen=True):
    """All that the state beside a live store gives back to it.

    Attributes:
        records: by id.
        names: what is declared, by kind and folded display name: what a record without a name of ours is called.
        facts: what `Probes.probe` found out last; "" for nothing.
    """

    records: Mapping[str, Known] = {}
    names: Mapping[tuple[str, str], str] = {}
    facts: str = ""


@runtime_checkable
class Remembers(Protocol):
    """A live store that cannot hold all that is declared: the state keeps the rest for it."""

    def recall(self, found: Recollection) -> None:
        """Be told what the state knows; before each `read` of everything."""
        ...


@runtime_checkable
class Recognises(Protocol):
    """A live store whose `identity` is a picture of it, parts of which may change while it stays the same store."""

    def is_same(self, noted: str) -> bool:
        """Whether it is the store that gave that identity.

        Raises:
            StoreUnavailable: it cannot be reached.
        """
        ...


@runtime_checkable
class Probes(Protocol):
    """A live store of which not everything can be known before one has asked it."""

    def probe(self) -> str:
        """Find out what it can do, and give that as text to be kept. It writes nothing.

        Raises:
            StoreUnavailable: it cannot be reached.
        """
        ...


class Forecast(Struct, frozen=True):
    """What carrying out a plan is going to take.

    Attributes:
        notes: what whoever reads the plan has to know, a sentence each.
    """

    requests: int
    seconds: float
    notes: tuple[str, ...] = ()


@runtime_checkable
class Foresees(Protocol):
    """A live store that can tell what writes are going to take."""

    def forecast(self, writes: Sequence[Write]) -> Forecast:
        """For these writes, without their secrets; after `read`, and without another request."""
        ...


@runtime_checkable
class Limits(Protocol):
    """A live store that cannot hold all that can be declared, and says so before anything is sent; without asking it."""

    def objections(self, declared: Mapping[Key, Mapping[str, Any]]) -> Iterable[tuple[Key, Finding]]:
        """Why bodies cannot be held as they are, judged by what the state knows of the store; see `Recollection.facts`.

        Args:
            declared: all that is to be live together; in canonical form, or as documents have them.
        """
        ...

    def secret_objections(self, body: Mapping[str, Any], secrets: Mapping[str, Secret]) -> Mapping[str, str]:
        """Why the values of a connector's secrets cannot be held as they are, by address.

        Each is the rest of a sentence that begins with the value, and repeats nothing of it.
        """
        ...

    def unseen_access(self) -> str:
        """What access there may be that live policies do not show, in a sentence; "" for none."""
        ...


@runtime_checkable
class HoldsTokens(Protocol):
    """A live store that sends connectors' requests itself, by access tokens that it cannot fetch: it is given them.

    It gets the present one with each write that says what it holds of secrets, and one alone when that was renewed:
    a write with the body as it is, `is_sealed_anew`, and the token.
    """

    def held_tokens(self, spec: Mapping[str, Any]) -> frozenset[str]:
        """The authorizations of a connector whose token it is given, by name, "" for the connector's own; it asks nobody.

        What it is given no token of needs none, or has it fetched by the store itself.
        """
        ...


class Trait(Struct, frozen=True):
    """One thing that was found out of a live store, for people.

    Attributes:
        what: in a word or two.
        hint: what to do about it; "" where nothing has to be done.
    """

    what: str
    found: str
    hint: str = ""


@runtime_checkable
class TellsFacts(Protocol):
    """A live store that can say in words what `Probes.probe` gave."""

    def traits(self, facts: str) -> Sequence[Trait]:
        """What such a text says; it asks nobody."""
        ...


# stores with what is known of them


@runtime_checkable
class Confirms(Protocol):
    """A store that may show what it loses again: what nobody has acknowledged yet."""

    def confirm(self) -> None:
        """Make sure that what has been read lasts.

        Raises:
            Unconfirmed: nobody says so.
        """
        ...


@runtime_checkable
class TellsTime(Protocol):
    """A store by whose clock all go who use it, as those of their machines may differ."""

    def clock(self) -> str:
        """The present time; RFC 3339 in UTC."""
        ...


@runtime_checkable
class TellsOfItself(Protocol):
    """A store of which whoever reads a plan of it has to know something."""

    def notes(self) -> tuple[str, ...]:
        """What that is, such as that its server is not verified, or that it is behind; asked after it was read."""
        ...


@runtime_checkable
class Expects(Protocol):
    """A store with records that have no names of ours: they are called as what is declared and shown like them."""

    def expect(self, desired: Mapping[Key, Resource]) -> None:
        """Be told what is declared, before anything is read."""
        ...


@runtime_checkable
class ForeseesWork(Protocol):
    """A store that can tell what carrying out changes is going to take."""

    def forecast(self, changes: "Sequence[Change]") -> Forecast:
        """For these changes, after they were planned."""
        ...


@runtime_checkable
class Remakes(Protocol):
    """A store that cannot give a deleted record the identity back that it had: it is made anew."""

    def remade(self) -> str:
        """How such a record comes back, in words that follow "comes back"."""
        ...


@runtime_checkable
class LacksSecrets(Protocol):
    """A store that may have lost values of secrets that the live store was given."""

    def lacking_secrets(self) -> frozenset[str]:
        """The ids of the records that this is so of: their secrets are written again."""
        ...


@runtime_checkable
class LeavesUndone(Confirms, Protocol):
    """A store at which a run may be cut off half way."""

    def undone(self) -> tuple[Key, ...]:
        """What the owner's last run was about to change and did not, as far as that can be told; sorted.

        Nothing where it was not cut off.

        Raises:
            StoreUnavailable: the store cannot be reached.
        """
        ...
