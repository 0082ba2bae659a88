"""Work on many items on all cores: forked workers that share nothing, and answer in order, as fast as they are read.

The items are dealt out in turns, so that whoever takes the answers in order keeps all workers busy. A worker that is
ahead waits until its pipe is read, so that nobody has to hold more than a few answers.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import msgspec

from reconciler.errors import SourceUnavailable

MIN_ITEMS = 400  # below it a fork costs more than it saves
_MAX_WORKERS = 8
_TURN = 128
_HEAD = 4  # bytes that say how long a message is

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Work = Callable[[Sequence[Item]], Iterator[Answer]]
"""From some of the items to one value for each, such as msgspec writes."""


def workers_for(items: int) -> int:
    """How many processes work on so many items; 1 when this one does."""
    return max(1, min(_cores(), _MAX_WORKERS, items // (MIN_ITEMS // 2)))


def spread(items: Sequence[Item], work: Work[Item, Answer], kind: type[Answer]) -> Iterator[Answer]:
    """What `work` gives for `items`, in their order: values of a kind.

    Raises:
        SourceUnavailable: a worker was ended from outside.
    """
    workers = workers_for(len(items))
    if workers < 2:
        yield from work(items)
        return
    turns = [range(start, min(start + _TURN, len(items))) for start in range(0, len(items), _TURN)]
    started: list[_Worker] = []
    answers: list[Iterator[Answer]] = []
    decoder = msgspec.msgpack.Decoder(list[kind])  # type: ignore[valid-type]
    try:
        for number in range(workers):
            share = turns[number::workers]
            started.append(_start(items, share, work, started))
            answers.append(_answers(started[-1], items, share, work, decoder))
        for place, turn in enumerate(turns):
            yield from islice(answers[place % workers], len(turn))
        for answer in answers:
            next(answer, None)  # lets it see how its worker ended
    finally:
        for worker in started:
            os.close(worker.pipe)  # whoever still works is told that nobody listens
        for worker in started:
            worker.end()


class _Worker:
    def __init__(self, child: int, pipe: int) -> None:
        self.pipe = pipe
        self._child = child
        self._status = -1

    def end(self) -> int:
        """Wait for it; how it ended, as `os.waitpid` says it."""
        if self._status < 0:
            _, self._status = os.waitpid(self._child, 0)
        return self._status


def _cores() -> int:
    if not hasattr(os, "fork") or sys.platform == "darwin":  # forking is not safe there once frameworks are loaded
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(
    items: Sequence[Item], share: Sequence[range], work: Work[Item, Answer], others: Sequence[_Worker]
) -> _Worker:
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return _Worker(child, reading)
    status = 1
    try:
        for pipe in (reading, *(other.pipe for other in others)):  # or no worker would see that nobody listens any more
            os.close(pipe)
        gc.disable()  # it does not live long enough for that to pay
        with os.fdopen(writing, "wb") as answering:
            encoder = msgspec.msgpack.Encoder()
            values = work(_dealt(items, share))
            while turn := list(islice(values, _TURN)):
                message = encoder.encode(turn)
                answering.write(len(message).to_bytes(_HEAD, "little"))
                answering.write(message)
                answering.flush()
        status = 0
    finally:
        os._exit(status)  # whatever happens, the worker must not go on as a second parent


def _dealt(items: Sequence[Item], share: Sequence[range]) -> list[Item]:
    return [items[place] for turn in share for place in turn]


def _answers(
    worker: _Worker,
    items: Sequence[Item],
    share: Sequence[range],
    work: Work[Item, Answer],
    decoder: "msgspec.msgpack.Decoder[list[Answer]]",
) -> Iterator[Answer]:
    given = 0
    with open(worker.pipe, "rb", closefd=False) as opened:
        while len(head := opened.read(_HEAD)) == _HEAD:
            message = opened.read(size := int.from_bytes(head, "little"))
            if len(message) < size:
                break
            turn = decoder.decode(message)
            given += len(turn)
            yield from turn
    status = worker.end()
    if os.WIFSIGNALED(status):
        raise SourceUnavailable(
            f"a process that read files was ended by signal {os.WTERMSIG(status)}", hint="try again"
        )
    if given < sum(map(len, share)):  # it failed: do its part here, where the failure can be explained
        yield from work(_dealt(items, share)[given:])
