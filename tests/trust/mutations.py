"""Definitions that were damaged: line breaks of all sorts, brackets, quotes, signs and controls where none belong."""

import textwrap
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
STYLES = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: x, labels: {team: sales, "b.c": 'd'}}
spec:
  displayName: X
  endpoints:
    l:
      method: GET
      url: https://x.example.com/{{a}}
      sample: {customer: {id: "7", ids: [1, 2, {a: b}]}, 'q': ["x", y z]}
      headers: [{name: A, value: b}, {name: C, value: "d e"}]
      body: |
        {"a": 1,
         "b": [2, 3]}
    'quoted key': {method: GET, url: /x}
    "dq": {method: GET, url: '/y'}
  categories: [finance, crm]
"""
SMALL = (
    "a: {b: c, d: [e, f]}\nk: [a, {b: c}]\n",
    "a:\n- b\n- c: d\n  e: f\n-\n  - x\n  - y\n",
    "a: \"x y\"\nb: 'it''s'\nc: >-\n  folded\n  text\n\n  more\nd: |+\n  keep\n\n",
)
SEEDS = (*([STYLES, *SMALL] * 6), *(path.read_text() for path in sorted((ROOT / "connectors").glob("**/*.yaml"))))
SNIPPETS = (
    "\n", "\n ", "\n  ", "\n    ", "\r", "\r\n", "\r\n  ", ",", ", ", ":", ": ", " :", "{", "}", "[", "]", "{{", "}}", "-",
    "- ", "? ", "?", "#", " #", " # c\n", "'", '"', "''", '""', "\\", "\\\n", "&a ", "*a", "!t ", "|", "|\n", "|2\n", ">",
    "> ", ">-\n", "%", "@", "`", "---", "\n---\n", "\n...\n", "---\n", "...", "--- ", "...\n---\n", "%YAML 1.2\n---\n",
    "\ufeff", "\u0085", "\u2028", "\u2029", "\u00a0", "\x00", "\x0b", "\x0c", "\x1f", "\x7f", "\t", "\n\t", " \t", "é",
    "😀", "\ufffe", "\\ud800", "\\u0085", "\\x41", "\\N", "\\_", "\\ ", "0", "1e999", ".inf", ".nan", "0x1F", "0o17",
    "1_000", "+1", "-0", "1" * 30, "~", "null", "true", "<<", "=", "a b", "a\n b", "a: b", '"a\n  b"', "'a\n  b'",
    '"a\\\n b"', ": x", '"k": v', "k" * 1100, '"' + "k" * 1030 + '"', "?a", "-a", ":a", "::", "a::", "|x", "  ",
)  # fmt: skip


def damaged(chance: Random) -> str:
    """A seed, or some lines of one, with a few changes."""
    text = chance.choice(SEEDS)
    if chance.random() < 0.5:
        lines = text.split("\n")
        start = chance.randrange(len(lines))
        text = "\n".join(lines[start : start + chance.randint(1, 25)]) + "\n"
        text = textwrap.dedent(text) if chance.random() < 0.7 else text
    characters = list(text)
    for _ in range(chance.choice([1, 1, 1, 2, 2, 3, 5])):
        if not characters:
            break
        at = chance.randrange(len(characters) + 1)
        match chance.randrange(6):
            case 0:
                del characters[at : at + chance.randint(1, 4)]
            case 1 | 2 | 3:
                characters[at:at] = chance.choice(SNIPPETS)
            case 4:
                characters[at : at + 1] = chance.choice(SNIPPETS)
            case _:
                begin = chance.randrange(len(characters))
                characters[at:at] = characters[begin : begin + chance.randint(1, 30)]
    return "".join(characters)
