"""Three readers of one language: the fast library, our careful parser, and ruamel.yaml."""

import random
import string
import warnings
from typing import Any

import pytest
from draws import draws
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from reconciler.source.yaml.guard import needs_care
from reconciler.source.yaml.loader import fast_parser, load, load_carefully

FAST = fast_parser()
PLAIN = [
    "a", "abc def", "no", "on", "yes", "off", "y", "n", "No", "NO", "true", "True", "TRUE", "false", "null", "Null", "NULL", "~", "0", "1", "-1", "42",
    "1.5", "-0.25", "010", "0b11", "0o17", "0x1F", "1_000", "1e3", "1E5", ".5", "1.", "+1", "-0", "00", "0.0", "12:30", "12:30:45", "1:2", "2020-01-01",
    "2020-01-01T10:00:00Z", "2001-12-14 21:59:43.10 -5", ".inf", "-.INF", ".nan", "1.2.3", "v1", "a:b", "a#b", "a: b", "x-1", "1-2", "http://a/b?c=d#e",
    "{{x}}", "a, b", "1,000", "=", "<<", "!t", "!!str x", "*a", "&a x", "a&b", "it's", 'a"b', "@x", "`x", "%x", "-", "?", "- a", "é", "名", "😀",
    "99999999999999999999", "9007199254740993", "1__2", "_1", "0_1", "1e", "e1", "0xg", "0o8", "1.e3", "1.5e+3", "..", "...", "---", "a ...", "|", ">",
    "[", "]", "{", "}", "a]", "a}", "[]", "{}", "''", '""', "a\\b", "\\n", "0.1.", "1..2", "+.5", "-.5", "+.inf", "0.", "-1_0", "08", "09", "0777", "190:20:30",
]  # fmt: skip
KEYS = [
    "a",
    "b",
    "key",
    "no",
    "on",
    "12:30",
    "010",
    "1",
    "true",
    "null",
    "~",
    "<<",
    "a b",
    "é",
    "x-y",
    "a.b",
    "2020-01-01",
    '"q"',
    "'s'",
    "? a",
    "=",
    "1.5",
]


class Writer:
    """Writes one document in styles drawn at random, many of them wrong."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def pick(self, choices: list[Any]) -> Any:
        return self.draw(st.sampled_from(choices))

    def scalar(self, indent: str, *, flow: bool) -> str:
        text = self.pick(PLAIN)
        match self.pick(
            ["plain", "plain", "plain", "single", "double", "literal", "folded", "many", "anchor", "comment"]
        ):
            case "single":
                return "'" + text.replace("'", "''") + "'"
            case "double":
                return (
                    '"'
                    + text.replace("\\", "\\\\").replace('"', '\\"')
                    + self.pick(["", "\\n", "\\x41", "\\u00e9", "\\/", "\\ta"])
                    + '"'
                )
            case "literal" | "folded" as style if not flow:
                mark = {"literal": "|", "folded": ">"}[style] + self.pick(["", "-", "+", "2", "2-"])
                lines = [self.pick([text, "more", "", "  deeper", "# no comment"]) for _ in range(self.pick([1, 2, 3]))]
                return (
                    mark + self.pick(["", " # c"]) + "\n" + "\n".join(f"{indent}  {line}".rstrip(" ") for line in lines)
                )
            case "many":
                return f"{text}\n{indent}  {self.pick(['more', '010', 'x: y', '# c', '- z'])}"
            case "anchor":
                return f"&{self.pick(['a', 'b'])} {text}"
            case "comment":
                return text + self.pick([" # c", "  #c", "#c", "\t# c", " "])
        return text

    def node(self, depth: int, indent: str) -> str:
        """What follows `key:` or `-`."""
        match self.pick(
            ["scalar"] * 4 + ["flow", "flow", "mapping", "sequence", "alias", "empty"] if depth < 3 else ["scalar"]
        ):
            case "flow":
                return " " + self.flow(depth + 1)
            case "mapping":
                return "\n" + self.mapping(depth + 1, indent + "  ")
            case "sequence":
                below = indent + self.pick(["  ", ""])
                items = [f"{below}-{self.node(depth + 1, below + '  ')}" for _ in range(self.pick([1, 2]))]
                return "\n" + "\n".join(items)
            case "alias":
                return " *" + self.pick(["a", "b"])
            case "empty":
                return ""
        return self.pick([" ", " ", "  ", "\t", ""]) + self.scalar(indent, flow=False)

    def flow(self, depth: int) -> str:
        items = [
            self.flow(depth + 1) if depth < 3 and self.pick([0, 0, 1]) else self.scalar("", flow=True)
            for _ in range(self.pick([0, 1, 2]))
        ]
        if self.pick([0, 1]):
            pairs = [f"{self.pick(KEYS)}:{self.pick([' ', ' ', ''])}{item}" for item in items]
            return "{" + self.pick([", ", ","]).join(pairs) + "}"
        return "[" + self.pick([", ", ",", " , "]).join(items) + "]"

    def mapping(self, depth: int, indent: str) -> str:
        lines = []
        for index in range(self.pick([1, 2, 3])):
            key = self.pick(KEYS) + (str(index) if self.pick([0, 1, 1]) else "")
            lines.append(f"{indent}{key}{self.pick([':', ':', ':', ' :'])}{self.node(depth, indent)}")
            lines += self.pick([[], [], [], [f"{indent}# c"], [""]])
        return "\n".join(lines)


@st.composite
def texts(draw: Any) -> str:
    """One or two documents."""
    writer = Writer(draw)
    parts = [writer.mapping(0, "") for _ in range(writer.pick([1, 1, 1, 2]))]
    text = writer.pick(["", "", "---\n", "# c\n", "\ufeff"]) + writer.pick(
        ["\n---\n", "\n...\n---\n", "\n--- # c\n"]
    ).join(parts)
    text += writer.pick(["\n", "", "\n\n", "\n...\n"])
    return text.replace("\n", "\r\n") if writer.pick([0, 0, 0, 1]) else text


def by_ruamel(data: bytes) -> list[Any] | None:
    """The documents that are not empty as ruamel.yaml reads them; None when it refuses."""
    reader = YAML(typ="safe", pure=True)
    try:
        with warnings.catch_warnings(action="ignore"):  # of anchors that are defined twice
            found = list(reader.load_all(data.removeprefix(b"\xef\xbb\xbf").decode()))
    except (YAMLError, ValueError, TypeError, AssertionError, IndexError, AttributeError, KeyError):
        return None
    return [document for document in found if document is not None]


def agree(data: bytes) -> None:
    """Whatever is accepted, all readers read alike."""
    quick = load(data, "f.yaml", FAST)
    slow = load_carefully(data, "f.yaml", None)
    if quick.faults:
        assert slow.faults or FAST is not None
        return
    if not all(text_keys(document) for _, document in quick.documents):
        return  # the schema refuses them, and the careful parser says where
    assert not slow.faults, (slow.faults, quick.documents)
    assert repr(quick.documents) == repr(slow.documents)
    third = by_ruamel(data)
    if third is None:
        assert b"\t" in data, "ruamel.yaml refuses what we accept"  # it refuses tabs where YAML allows them
        return
    assert plain(third) == plain([document for _, document in quick.documents])


def text_keys(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and text_keys(item) for key, item in value.items())
    return all(map(text_keys, value)) if isinstance(value, list) else True


def plain(value: Any) -> Any:
    """Order and types made comparable: True is not 1, 1 is not 1.0."""
    if isinstance(value, dict):
        return sorted((str(key), plain(item)) for key, item in value.items())
    if isinstance(value, list):
        return [plain(item) for item in value]
    return (
        (type(value).__name__, str(value) if isinstance(value, float) else value)
        if not isinstance(value, str)
        else ("str", str(value))
    )


@settings(max_examples=draws(600), deadline=None)
@given(texts())
@example("a: &a [*a]\n")
@example("a: 'x\n---\ny'\n")
@example("a: |\n x\n---\nb: 1\n")
@example("a: b\n c: d\n")
@example("? a\n: b\n")
@example("a: !!binary aGk=\n")
@example('a: "\\ud83d\\ude00"\n')
@example('a: "\\ud83d"\n')
@example('a: "\\x00"\n')
@example("%YAML 1.1\n---\na: no\n")
@example("a: x\tb\n")
@example("a:\tb\n")
@example("a: [b,\n\tc]\n")
@example("'a': 1\n\"b\" : 2\n")
@example("a: - b\n")
@example("--- a: b\n")
@example("--- {a: b}\n--- {c: d}\n")
@example("a: {b}\n")
@example("a: {b: }\n")
@example("a: [,]\n")
@example("a: {x: 1, x: 2}\n")
@example("a: b # c\n  d\n")
@example('a: "b\n\n  c"\n')
@example("a: >\n\n  x\n\n\n  y\n z\n")
@example("a: |2\n   x\n")
@example("a: [a b, c: d]\n")
def test_what_is_accepted_is_read_alike(text: str) -> None:
    """On texts that people would write, and on many that they would not."""
    agree(text.encode())


@pytest.mark.long
def test_damaged_texts_are_read_alike() -> None:
    """Real definitions with random bytes changed."""
    from pathlib import Path

    seeds = [path.read_bytes() for path in sorted((Path(__file__).parents[2] / "connectors").glob("**/*.yaml"))]
    chance = random.Random(1)
    alphabet = string.printable + "é\u0085\u2028&*!<>|%@`"
    for _ in range(60_000):
        text = list(chance.choice(seeds).decode())
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            match chance.randint(0, 2):
                case 0:
                    del text[at : at + chance.randint(1, 3)]
                case 1:
                    text.insert(at, chance.choice(alphabet))
                case _:
                    text[at] = chance.choice(alphabet)
        agree("".join(text).encode())


@pytest.mark.parametrize("scalar", PLAIN)
def test_no_disputed_scalar_slips_by_the_byte_guard(scalar: str) -> None:
    """Wherever a plain value may stand, what the careful parser refuses is not left to the fast one."""
    for form in (
        "a: {}\n",
        "a:\n  {}\n",
        "- {}\n",
        "a: [{}]\n",
        "a: [x,{}]\n",
        "a: {{b: {}}}\n",
        "{}: a\n",
        "a: &x {}\n",
        "a:\n- {}\n",
        "--- {}\n",
        "a: {}",
        "\r\na: {}\r\n",
    ):
        data = form.format(scalar).encode()
        refused = {fault.code for fault in load_carefully(data, "f.yaml", None).faults} & {
            "RC109",
            "RC110",
            "RC111",
            "RC115",
        }
        if refused:
            assert needs_care(data), (data, refused)
