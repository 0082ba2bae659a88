"""A proxy that reads what a client and PostgreSQL say to each other: counts round trips, delays, and cuts.

Without TLS: a client that asks for it is told that there is none.
"""

import asyncio
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import quote

from servers.postgresql import Database
from servers.process import HOST

KINDS = {
    "B": "Bind", "C": "Close", "D": "Describe", "E": "Execute", "F": "FunctionCall", "H": "Flush", "P": "Parse",
    "Q": "Query", "S": "Sync", "X": "Terminate", "c": "CopyDone", "d": "CopyData", "f": "CopyFail", "p": "Password",
}  # fmt: skip
UNTYPED = {80877102: "CancelRequest", 80877103: "SSLRequest", 80877104: "GSSENCRequest"}
ANSWERED = {"Startup", "SSLRequest", "GSSENCRequest", "Password", "Query", "Sync", "Flush", "CopyDone", "CopyFail"}
"""What a client may wait for an answer to."""


class Cut(Enum):
    """What becomes of a message.

    Attributes:
        BEFORE: it never arrives; both ends are cut off.
        AFTER: it is carried out, its answer is lost, and both ends are cut off.
        DURING: it arrives, and the client is cut off while the server is at it.
        UNANSWERED: it is carried out, and nobody hears anything more: no answer, no end.
        LOST: it never arrives, and nobody hears anything more.
    """

    BEFORE = "before"
    AFTER = "after"
    DURING = "during"
    UNANSWERED = "unanswered"
    LOST = "lost"


@dataclass(frozen=True)
class Message:
    """What a client said.

    Attributes:
        number: from 1 on, in the order in which messages arrived since `clear`, over all connections.
        connection: of which, from 1 on.
        turn: the round trip of which it is a part, from 1 on.
        kind: as the protocol calls it.
        text: the statement, of Query and Parse.
    """

    number: int
    connection: int
    turn: int
    kind: str
    text: str = ""


@dataclass
class Wire:
    """The proxy.

    Attributes:
        delay: seconds that each message takes on its way, both there and back.
        messages: what clients have said since `clear`, without their farewell.
        turns: how often a client spoke after it had its answer, or first: how many round trips it took. Certain only
            with a delay that is longer than what the client does between two messages that it sends without waiting.
        is_cut: whether what `cut` asked for has happened.
    """

    upstream: int
    delay: float = 0.0
    messages: list[Message] = field(default_factory=list)
    turns: int = 0
    connections: int = 0
    is_cut: bool = False
    _plan: "_Plan | None" = None
    _refuses: bool = False
    _links: "set[_Link]" = field(default_factory=set)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listener = self._do(asyncio.start_server(self._accept, HOST, 0))
        self.port: int = self._listener.sockets[0].getsockname()[1]

    def url(self, database: Database) -> str:
        """The address of a database through the proxy, without a password."""
        return f"postgresql://{quote(database.user)}@{HOST}:{self.port}/{quote(database.name)}"

    def clear(self) -> None:
        """Forget what was said and what was to be cut, and take connections again."""
        self.messages, self.turns, self.connections = [], 0, 0
        self.is_cut, self._plan, self._refuses = False, None, False

    def cut(self, how: Cut, *, number: int = 0, turn: int = 0, text: str = "", refuse: bool = False) -> None:
        """Cut once: at one message, at what a client says in one turn, or at the first statement that begins with `text`.

        A turn and a statement go on to what asks for the answer, such as Sync: BEFORE is before the first message of
        them, the others are at that one. Where a client uses pipelines count on turns and texts: whether it adds a
        Flush is a matter of time, and every further message has another number then.

        Args:
            refuse: whether other connections are cut off, too, and new ones refused until `clear`.
        """
        self.is_cut, self._plan = False, _Plan(how, number, turn, text.lower(), refuse)

    def refuse(self) -> None:
        """Refuse new connections until `clear`."""
        self._refuses = True

    def drop(self) -> None:
        """Cut off all connections that there are."""

        async def now() -> None:
            for link in list(self._links):
                link.end()

        self._do(now())

    def close(self) -> None:
        """End the proxy, and all connections with it."""

        async def end() -> None:
            self._listener.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            for link in list(self._links):
                link.end()

        self._do(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def statements(self) -> list[str]:
        """What clients had the server run, in order."""
        return [message.text for message in self.messages if message.kind in {"Query", "Parse"}]

    def _do(self, task: Coroutine):
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(10)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            writer.transport.abort()
            return
        try:
            upstream = await asyncio.open_connection(HOST, self.upstream)
        except OSError:
            writer.transport.abort()
            return
        self.connections += 1
        link = _Link(self, self.connections, writer, upstream[1])
        self._links.add(link)
        try:
            with suppress(asyncio.CancelledError):  # the proxy ends
                async with asyncio.TaskGroup() as group:
                    group.create_task(link.from_client(reader))
                    group.create_task(link.from_server(upstream[0]))
                    group.create_task(link.to_client.run())
                    group.create_task(link.to_server.run())
        finally:
            link.end()
            self._links.discard(link)


@dataclass
class _Plan:
    how: Cut
    number: int
    turn: int
    text: str
    refuse: bool
    within: bool = False  # it has begun, and what asks for the answer is to come

    def begins(self, message: Message) -> bool:
        """Whether what is to be cut begins with this message."""
        if self.number:
            return message.number == self.number
        if self.turn:
            return message.turn == self.turn
        return message.kind in {"Query", "Parse"} and message.text.lstrip().lower().startswith(self.text)

    def ends(self, message: Message) -> bool:
        """Whether it ends with it."""
        return bool(self.number) or message.kind in ANSWERED


class _Way:
    """One direction of one connection: what is put in comes out after the delay."""

    def __init__(self, writer: asyncio.StreamWriter, delay: float, sent: Callable[[bytes], None]) -> None:
        self._writer, self._delay, self._sent = writer, delay, sent
        self._queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    def put(self, data: bytes) -> None:
        """Put something in; b"" for the end."""
        self._queue.put_nowait((asyncio.get_running_loop().time() + self._delay, data))

    async def run(self) -> None:
        while True:
            due, data = await self._queue.get()
            if (left := due - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(left)
            if not data:
                self._writer.close()
                return
            self._sent(data)
            with suppress(ConnectionError):
                self._writer.write(data)
                await self._writer.drain()


class _Link:
    """One connection."""

    def __init__(self, wire: Wire, number: int, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.wire, self.number = wire, number
        self._client, self._server = client, server
        self.to_client = _Way(client, wire.delay, self._answer)
        self.to_server = _Way(server, wire.delay, lambda data: None)
        self._waits = True  # the client has said nothing yet, or has had an answer since: what it says next is a turn
        self._flushed = False  # it asked for answers without Sync
        self._deaf = False  # answers are dropped
        self._over = False  # what the client says is dropped
        self._unanswered = 0  # messages that end with ReadyForQuery
        self._at_rest = asyncio.Event()

    def end(self) -> None:
        """Cut off both."""
        self._client.transport.abort()
        self._server.close()

    async def from_client(self, reader: asyncio.StreamReader) -> None:
        """Read until its end."""
        await self._startup(reader)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(5)
                (length,) = struct.unpack("!I", head[1:])
                body = await reader.readexactly(length - 4)
                await self._said(KINDS.get(chr(head[0]), chr(head[0])), head + body, body)
        self.to_server.put(b"")

    async def _startup(self, reader: asyncio.StreamReader) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(8)
                length, code = struct.unpack("!II", head)
                kind = UNTYPED.get(code, "Startup")
                whole = head + await reader.readexactly(length - 8)
                if kind in {"SSLRequest", "GSSENCRequest"}:
                    self._note(kind, b"")
                    self.to_client.put(b"N")
                    continue
                await self._said(kind, whole, b"")
                return

    def _note(self, kind: str, body: bytes) -> Message:
        """Write down what was said."""
        wire = self.wire
        if self._waits:
            wire.turns += 1
            self._waits = False
        text = ""
        if kind == "Query":
            text = body[:-1].decode("utf-8", "replace")
        elif kind == "Parse":
            text = body.split(b"\0")[1].decode("utf-8", "replace")
        message = Message(len(wire.messages) + 1, self.number, wire.turns, kind, text)
        wire.messages.append(message)
        return message

    async def _said(self, kind: str, whole: bytes, body: bytes) -> None:
        if kind == "Terminate":  # comes when the client has ended, perhaps: nobody can count on it
            if not self._over:
                self.to_server.put(whole)
            return
        message = self._note(kind, body)
        plan = self.wire._plan
        if self._over:
            return
        if plan and not self.wire.is_cut and (plan.within or plan.begins(message)):
            await self._cut(plan, message, whole)
        else:
            self._forward(kind, whole)

    def _forward(self, kind: str, whole: bytes) -> None:
        self._flushed = self._flushed or kind == "Flush"
        if kind in {"Startup", "Query", "Sync"}:
            self._unanswered += 1
        if kind in ANSWERED:
            self._at_rest.clear()
        self.to_server.put(whole)

    async def _cut(self, plan: _Plan, message: Message, whole: bytes) -> None:
        if plan.how in {Cut.BEFORE, Cut.LOST}:
            self._over = self._deaf = self._done(plan)
            if plan.how is Cut.BEFORE:
                self.to_server.put(b"")
                self._client.transport.abort()
            return
        self._forward(message.kind, whole)
        plan.within = not plan.ends(message)
        if plan.within:
            return
        self._over = self._deaf = self._done(plan)
        if plan.how is Cut.DURING:
            self._client.transport.abort()
        if plan.how is not Cut.UNANSWERED:
            with suppress(TimeoutError):  # a message without an answer of its own has none
                await asyncio.wait_for(self._at_rest.wait(), 10 if message.kind in ANSWERED else 0.1)
            self.end()

    def _done(self, plan: _Plan) -> bool:
        self.wire.is_cut, self.wire._refuses = True, plan.refuse
        for link in self.wire._links - {self} if plan.refuse else ():
            link.end()
        return True

    async def from_server(self, reader: asyncio.StreamReader) -> None:
        """Read until its end."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(5)
                (length,) = struct.unpack("!I", head[1:])
                whole = head + await reader.readexactly(length - 4)
                self._unanswered -= head[:1] == b"Z"
                if (head[:1] == b"Z" and self._unanswered == 0) or _asks(whole):
                    self._at_rest.set()
                if not self._deaf:
                    self.to_client.put(whole)
        self._at_rest.set()
        if not self._deaf:
            self.to_client.put(b"")

    def _answer(self, data: bytes) -> None:
        """The client now has an answer."""
        if data[:1] in {b"Z", b"N"} or self._flushed or _asks(data):
            self._waits, self._flushed = True, False


def _asks(data: bytes) -> bool:
    """Whether a message of the server asks the client for something: for its password, or for what it wants to copy."""
    return data[:1] == b"G" or (data[:1] == b"R" and data[5:9] != b"\0\0\0\0")
