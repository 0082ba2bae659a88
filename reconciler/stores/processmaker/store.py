"""A ProcessMaker instance as live store: what is asked of it, and who answers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from reconciler.core.model import Key
from reconciler.core.ports.abilities import Forecast, Known, Recollection, Trait
from reconciler.core.ports.live import LiveRecord, Outcome, Result, Touch, Write
from reconciler.core.ports.requests import Carrying, Journal, Unfinished
from reconciler.core.secret import Secret
from reconciler.diagnostics import Finding
from reconciler.kinds.authorization_blocks import OWN
from reconciler.stores.processmaker.facts import decode
from reconciler.stores.processmaker.forms import limits
from reconciler.stores.processmaker.forms.connector_limits import secret_objections
from reconciler.stores.processmaker.forms.credentials import is_token_ours
from reconciler.stores.processmaker.identity import identify, is_same
from reconciler.stores.processmaker.probe import probe
from reconciler.stores.processmaker.traits import token_notes, traits
from reconciler.stores.processmaker.views.cache import PageCache
from reconciler.stores.processmaker.views.look import Look, look, look_again
from reconciler.stores.processmaker.views.pages import Setting
from reconciler.stores.processmaker.views.remarks import remarks
from reconciler.stores.processmaker.wire.client import Client
from reconciler.stores.processmaker.writes.settlement import moment_of
from reconciler.stores.processmaker.writes.sight import Sight
from reconciler.stores.sql.observed import number_of


class ProcessMakerStore:
    """One instance. Nothing is opened before it is used."""

    def __init__(self, client: Client, page_size: int, *, cache: str = "", is_whole: bool = True) -> None:
        """Send nothing yet.

        Args:
            page_size: so many rows of a list are asked for at once.
            cache: the program's folder in the user's cache; "" for none.
            is_whole: whether what is read has to be all that there is, as for a run that writes.
        """
        self._setting = Setting(client, page_size)
        self._cache = cache
        self._is_whole = is_whole
        self._recollection = Recollection()
        self._look: Look | None = None
        self._identity = ""
        self._is_stale = False

    def identity(self) -> str:
        """A picture of the instance; see `identify`.

        Raises:
            StoreUnavailable: it cannot be reached.
        """
        if not self._identity:
            self._identity = identify(self._setting.client)
        return self._identity

    def is_same(self, noted: str) -> bool:
        """Whether it is the instance of an earlier picture.

        Raises:
            StoreUnavailable: it cannot be reached, or the token sees nothing that could tell.
        """
        return is_same(self._setting.client, noted, self.identity())

    def probe(self) -> str:
        """Find out what the instance and the token's user can do, by reading alone.

        Raises:
            StoreUnavailable: it cannot be reached, or does not take the token.
        """
        return probe(self._setting.client).encode()

    def traits(self, facts: str) -> Sequence[Trait]:
        """The same in words."""
        return (Trait("instance", self._setting.client.address.root), *traits(decode(facts), datetime.now(UTC)))

    def recall(self, found: Recollection) -> None:
        """Be told what the state knows."""
        self._recollection = found

    def read(self, ids: Sequence[str] | None = None) -> Iterable[LiveRecord]:
        """All records, or some.

        Raises:
            StoreUnavailable: the instance cannot be reached or understood.
            RecordConflict: records cannot be told apart by their names.
        """
        if ids is None:
            self._look, self._is_stale = look(self._setting, self._recollection, self._pages()), False
            return list(self._look.records.values())
        before = self._look or self._seen()  # what was written since has its names from the recollection
        self._look = look_again(self._setting, before, self._recollection, set(ids))
        return [self._look.records[uid] for uid in dict.fromkeys(ids) if uid in self._look.records]

    def touches(self, ids: Sequence[str]) -> Mapping[str, Touch]:
        """When connectors were written to last; by whom, the instance does not say."""
        rows = self._seen().view.survey.picture.connectors
        found = {f"connector:{row.id}": moment_of(row.updated) for row in rows.values()}
        return {uid: Touch(_told(moment), "") for uid in ids if (moment := found.get(uid))}

    def write(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Carry them out; nothing is noted."""
        from reconciler.stores.processmaker.writes import work

        return self._written(writes, work.write(self._sight(), writes))

    def carry_out(self, writes: Sequence[Write], journal: Journal, how: Carrying) -> Sequence[Outcome]:
        """Carry them out, each request noted before it is sent."""
        from reconciler.stores.processmaker.writes import work

        return self._written(writes, work.carry_out(self._sight(), writes, journal, how))

    def find_out(self, unfinished: Sequence[Unfinished], *, patiently: bool) -> Sequence[Outcome]:
        """What became of the writes of a run that died."""
        from reconciler.stores.processmaker.writes import work

        return work.find_out(self._sight(), unfinished, patiently=patiently)

    def forecast(self, writes: Sequence[Write]) -> Forecast:
        """What writes are going to take."""
        from reconciler.stores.processmaker.writes import work

        found = work.forecast(self._sight(), writes)
        ends = limits.ends_by_apply([write.body for write in writes if write.body is not None])
        return replace(found, notes=(*found.notes, *ends))

    def objections(self, declared: Mapping[Key, Mapping[str, Any]]) -> Iterable[tuple[Key, Finding]]:
        """Why bodies cannot be held as they are."""
        facts = decode(self._recollection.facts)
        return limits.objections(declared, self._setting.client.options, facts)

    def secret_objections(self, body: Mapping[str, Any], secrets: Mapping[str, Secret]) -> Mapping[str, str]:
        """Why the values of a connector's secrets cannot be held as they are, by address."""
        return secret_objections(body, secrets)

    def held_tokens(self, spec: Mapping[str, Any]) -> frozenset[str]:
        """The authorizations of a connector whose token the instance is given, as it cannot fetch that."""
        return frozenset((OWN,)) if is_token_ours(spec) else frozenset()

    def unseen_access(self) -> str:
        """What access there may be that live policies do not show."""
        return limits.UNSEEN_ACCESS

    def notes(self) -> tuple[str, ...]:
        """What whoever reads a plan has to know of the instance."""
        if self._look is None:
            return ()
        return (*remarks(self._look.view), *token_notes(self._setting.client.login.ends(), datetime.now(UTC)))

    def close(self) -> None:
        """Let go of connections; what pages were like stays in memory."""
        self._setting.close()
        self._look, self._identity = None, ""

    def _pages(self) -> PageCache | None:
        """What was kept of pages, for those who only read."""
        if self._is_whole or not self._cache:
            return None
        client = self._setting.client
        return PageCache(self._cache, client.address.root, str(decode(self._recollection.facts).user))

    def _seen(self) -> Look:
        """The last look, or one now."""
        if self._look is None or self._is_stale:
            self.read()
        assert self._look is not None
        return self._look

    def _sight(self) -> Sight:
        seen = self._seen()
        view = seen.view
        setting = self._setting
        return Sight(setting.client, view.survey.picture, self._recollection, seen.records, view.managed, setting.size)

    def _written(self, writes: Sequence[Write], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """Remember what was written, until the state tells what it knows."""
        known = dict(self._recollection.records)
        for write, outcome in zip(writes, outcomes, strict=True):
            if outcome.result is Result.DONE and write.body is None:
                known.pop(outcome.id, None)
            elif outcome.result is Result.DONE:
                version = str(number_of(outcome.version))
                known[outcome.id] = Known(write.key, write.body, version, outcome.note, is_owned=True)
        self._recollection = replace(self._recollection, records=known)
        self._is_stale = True
        return outcomes


def _told(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
