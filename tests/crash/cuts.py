"""The states that a run can leave when it is cut off."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crash.disk import Disk, Effect, Recording

_PAGE = 4096
_SECTOR = 512


@dataclass(frozen=True)
class Cut:
    """A state, and how it came about.

    Attributes:
        point: how many effects had begun.
        how: for the message of a failure.
    """

    point: int
    how: str
    disk: Disk


def kills(recording: Recording) -> Iterator[Cut]:
    """Killed before each effect, within each write that crosses a page, and at the end.

    The kernel copies a write page by page, and a kill may stop it in between. A sync changes nothing for a kill.
    """
    disk = recording.before.copy()
    yield Cut(0, "killed before the first call", disk.copy())
    for point, effect in enumerate(recording.effects, 1):
        if effect.do == "sync":
            continue
        for end in _page_ends(effect):
            partly = disk.copy()
            partly.apply(effect._replace(data=effect.data[:end]))
            yield Cut(point, f"killed within write {point}, after {end} bytes", partly)
        disk.apply(effect)
        yield Cut(point, f"killed after {effect.do} {point}", disk.copy())


def _page_ends(effect: Effect) -> Iterator[int]:
    if effect.do == "write":
        yield from range(_PAGE - effect.offset % _PAGE, len(effect.data), _PAGE)


def power_cuts(recording: Recording, samples: int, chance: random.Random, *, every: bool) -> Iterator[Cut]:
    """Power lost just before each sync, and at the end.

    What was not synced then may have reached the disk, each effect by itself, or not: what can be left at any other
    point is a part of that. Writes may be torn between sectors.

    Args:
        samples: how many states are drawn at each point, beside the extreme ones.
        every: whether each single effect is lost alone, comes alone, and each write is torn.
    """
    lasting = recording.before.copy()
    pending: list[Effect] = []
    end = [Effect(-1, "sync")]
    for point, effect in enumerate([*recording.effects, *end], 1):
        if effect.do != "sync":
            pending.append(effect)
            continue
        for how, chosen in _choices(pending, samples, chance, every=every):
            disk = lasting.copy()
            for one in chosen:
                disk.apply(one)
            yield Cut(point - 1, f"power lost before sync {point}: {how}", disk)
        synced = [one for one in pending if one.of == effect.of]
        pending = [one for one in pending if one.of != effect.of]
        for one in synced:
            lasting.apply(one)


def _choices(
    pending: Sequence[Effect], samples: int, chance: random.Random, *, every: bool
) -> Iterator[tuple[str, Sequence[Effect]]]:
    """Which of the effects that may be lost reach the disk."""
    yield "nothing unsynced came", ()
    nodes = sorted({effect.of for effect in pending})
    if len(nodes) > 1:
        for node in nodes:
            yield f"all but node {node}", [effect for effect in pending if effect.of != node]
            yield f"node {node} alone", [effect for effect in pending if effect.of == node]
    names = [place for place, effect in enumerate(pending) if effect.do == "name"]
    for place in range(len(pending)) if every else names:
        yield f"all but effect {place}", [*pending[:place], *pending[place + 1 :]]
        yield f"effect {place} alone", pending[place : place + 1]
    for place, effect in enumerate(pending) if every else ():
        for torn in (_torn(effect, _PAGE, None), _torn(effect, _SECTOR, None)):
            if torn:
                yield f"effect {place} torn", [*pending[:place], *torn, *pending[place + 1 :]]
    for number in range(samples if pending else 0):
        share, size = chance.choice((0.1, 0.5, 0.9)), chance.choice((_PAGE, _SECTOR))
        chosen: list[Effect] = []
        for effect in pending:
            if chance.random() < share:
                chosen += _torn(effect, size, chance) if chance.random() < 0.3 else [effect]
        yield f"sample {number}", chosen


def _torn(effect: Effect, size: int, chance: random.Random | None) -> list[Effect]:
    """Some sectors of a write, and the length of the file; without chance every second one."""
    if effect.do != "write":
        return [effect] if chance else []
    parts, end = [], effect.offset + len(effect.data)
    start = effect.offset
    while start < end:
        stop = min(end, start - start % size + size)
        parts.append(effect._replace(offset=start, data=effect.data[start - effect.offset : stop - effect.offset]))
        start = stop
    if len(parts) == 1:
        return parts if chance else []
    kept = [part for number, part in enumerate(parts) if (chance.random() < 0.5 if chance else number % 2 == 0)]
    return [effect._replace(offset=end, data=b""), *kept]
