"""No expression takes more than linear time, whatever it is tried on.

The checkers of expressions that are kept up (dlint, redoctor) look for exponential time, and find none of ours; what
was seen is quadratic, as in `[0-9]+[0-9_]*x` or in a search for `\\s*:`. So each expression is attacked by what its
own parts match: a part before, one thing repeated very often, and an end that does not fit.
"""

import ast
import importlib
import json
import pkgutil
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from re import _constants as op
from re import _parser
from typing import Any

import pytest

import reconciler

ROOT = Path(reconciler.__file__).parent
REPEATS = 6_000
SUSPICIOUS = 0.02
"""Seconds; what is linear takes a hundredth of it, what is quadratic twice of it at least."""
HOPELESS = 1.0
"""Seconds of the processor after which nobody needs to wait for the end."""
CHARACTERS = " \t\n-_.:/#\"'{}[]?,\\|*=%@&0aAeZ+~é\u00a0"
USES = ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split")


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def expressions() -> dict[str, tuple[Any, int, str]]:
    """Text, flags and use of each, by where it stands: names of modules, calls of `re`, and schemas."""
    found: dict[str, tuple[Any, int, str]] = {}
    for module in modules():
        text = Path(module.__file__).read_text()
        for name, value in vars(module).items():
            if type(value).__name__ in ("Pattern", "_Pattern"):
                found[f"{module.__name__}.{name}"] = (value.pattern, value.flags, use_of(name, text))
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and ast.unparse(node.func.value) == "re"
            ):
                known = node.args and isinstance(node.args[0], ast.Constant)
                if known and node.func.attr in USES:
                    found[f"{module.__name__}:{node.lineno}"] = (node.args[0].value, 0, node.func.attr)
    for path in sorted((ROOT.parent / "schemas").glob("*.json")):
        for text in in_schema(json.loads(path.read_text())):
            found[f"{path.name}: {text}"] = (text, 0, "search")
    return found


def use_of(name: str, text: str) -> str:
    """How an expression of a module is used: a search takes the longest, and is what is not seen."""
    uses = set(re.findall(rf"(?<!\w){name}\.({'|'.join(USES)})\(", text))
    return (
        uses.pop()
        if uses in ({"match"}, {"fullmatch"})
        else "fullmatch"
        if uses == {"match", "fullmatch"}
        else "search"
    )


def in_schema(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from in_schema(item)


def sample(tree: Any) -> str:
    """A text that the expression matches, or nearly."""
    return "".join(map(sample_of, tree))


def sample_of(step: Any) -> str:
    kind, about = step
    if kind is op.LITERAL:
        return chr(about)
    if kind in (op.NOT_LITERAL, op.ANY):
        return "x" if about != ord("x") else "y"
    if kind is op.IN:
        text = "".join(c for c in CHARACTERS + "xX5" if re.fullmatch(class_of(about), c))
        return text[:1] or "x"
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return sample(about[2]) * max(about[0], 1)
    if kind is op.SUBPATTERN:
        return sample(about[3])
    if kind is op.ATOMIC_GROUP:
        return sample(about)
    return sample(about[1][0]) if kind is op.BRANCH else ""


def class_of(items: Any) -> str:
    """The class as text again."""
    parts = []
    for kind, about in items:
        match kind:
            case op.NEGATE:
                parts.append("^")
            case op.LITERAL:
                parts.append(re.escape(chr(about)))
            case op.RANGE:
                parts.append(f"{re.escape(chr(about[0]))}-{re.escape(chr(about[1]))}")
            case op.CATEGORY:
                names = {op.CATEGORY_DIGIT: r"\d", op.CATEGORY_SPACE: r"\s", op.CATEGORY_WORD: r"\w",
                         op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_NOT_SPACE: r"\S", op.CATEGORY_NOT_WORD: r"\W"}  # fmt: skip
                parts.append(names[about])
    return f"[{''.join(parts)}]"


def beginnings(tree: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """For each thing that may be repeated: what matches before it, and itself."""
    for step in tree:
        kind, about = step
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            if about[1] > 50:
                yield before, sample(about[2])
            yield from beginnings(about[2], before)
        elif kind is op.SUBPATTERN:
            yield from beginnings(about[3], before)
        elif kind is op.ATOMIC_GROUP:
            yield from beginnings(about, before)
        elif kind is op.BRANCH:
            for branch in about[1]:
                yield from beginnings(branch, before)
        before += sample_of(step)


def attacks(text: Any, flags: int) -> Iterator[tuple[str, str, str]]:
    """What to begin with, what to repeat, and what to end with."""
    plain = text.decode("latin-1") if isinstance(text, bytes) else text
    places = set(beginnings(_parser.parse(plain, flags & ~re.UNICODE if isinstance(text, bytes) else flags)))
    starts = {start for start, _ in places} - {""}
    samples = (
        {pump for _, pump in places} | {start + pump for start, pump in places} | {f"{pump} " for _, pump in places}
    )
    for pump in sorted((samples | starts | set(CHARACTERS)) - {""}):
        yield "", pump, "\x00"
        yield "", pump, "\n!"
    for start in sorted(starts):
        for pump in sorted({pump for _, pump in places} | set(CHARACTERS)):
            yield start, pump, "\x00"


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What takes more time of the processor ends with TimeoutError; the engine looks for signals."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def seconds(run: Any, text: Any) -> float:
    began = time.thread_time()
    try:
        with at_most(HOPELESS):
            run(text)
    except TimeoutError:
        return HOPELESS
    return time.thread_time() - began


def slow(expression: Any, flags: int, use: str) -> str:
    """The attack that takes more than linear time, or ""."""
    compiled = re.compile(expression, flags)
    run = compiled.fullmatch if use == "fullmatch" else compiled.match if use == "match" else compiled.findall
    for start, pump, end in attacks(expression, flags):
        count = max(REPEATS // len(pump), 1)
        texts = [start + pump * (count * times) + end for times in (1, 2)]
        once, twice = [text.encode() for text in texts] if isinstance(expression, bytes) else texts
        first = least(run, once)
        if first > SUSPICIOUS and (
            first == HOPELESS or (second := least(run, twice)) == HOPELESS or second > 2.8 * first
        ):
            return f"{start!r} + {pump!r} * {count} + {end!r} takes {first:.2f} s"
    return ""


def least(run: Any, text: Any) -> float:
    """What it takes at least, tried again where that is suspicious and not hopeless."""
    found = seconds(run, text)
    return min(found, *(seconds(run, text) for _ in range(3))) if SUSPICIOUS < found < HOPELESS else found


EXPRESSIONS = expressions()


def test_all_are_found() -> None:
    """Those that are named, those that stand in a call, and those of the schemas."""
    assert "reconciler.source.yaml.parser._AMBIGUOUS" in EXPRESSIONS
    assert any(name.startswith("reconciler.cli.options:") for name in EXPRESSIONS)
    assert any(name.startswith("connector.schema.json") for name in EXPRESSIONS)
    assert len(EXPRESSIONS) > 100


@pytest.mark.parametrize(
    "expression", [r"[0-9][0-9_]*\.?[0-9_]*x", r"\s*:", r"(a+)+b", r"(?:^|[\s{])name\s*:\s*[^\s]*\s*;"]
)
def test_attacks_find_what_is_slow(expression: str) -> None:
    """The test can fail."""
    assert slow(expression, 0, "search")


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expression_is_linear(name: str) -> None:
    """Twice the text takes twice the time, or so little that it does not matter."""
    assert not slow(*EXPRESSIONS[name])
