"""The two parsers, and the two forms of the first one, agree on what the formatter rests on."""

from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given, settings
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from yaml_texts import yaml_texts

from reconciler.source.roundtrip.layout import Layout, read
from reconciler.source.roundtrip.format import meaning
from reconciler.yaml.nodes import Node
from reconciler.source.roundtrip.tree import AsWritten
from reconciler.yaml.tree import documents

DIFFERENT = {
    "another value": ("a: 1\n", "a: 2\n"),
    "another style": ("a: 'x'\n", 'a: "x"\n'),
    "another chomping": ("a: |\n  x\n", "a: |-\n  x\n"),
    "block and flow": ("a: [1]\n", "a:\n- 1\n"),
    "another anchor": ("a: &x 1\n", "a: &y 1\n"),
    "no anchor": ("a: &x 1\n", "a: 1\n"),
    "another target of an alias": ("- &x 1\n- &x 2\n- *x\n", "- &x 2\n- &x 1\n- *x\n"),
    "another tag": ("a: !x 1\n", "a: !y 1\n"),
    "another order": ("a: 1\nb: 2\n", "b: 2\na: 1\n"),
    "other items": ("- 1\n- 2\n", "- 2\n- 1\n"),
    "one document more": ("a: 1\n", "a: 1\n---\n"),
    "a marker more": ("a: 1\n", "---\na: 1\n"),
    "an end more": ("a: 1\n", "a: 1\n...\n"),
    "a directive more": ("---\na: 1\n", "%YAML 1.2\n---\na: 1\n"),
    "another comment": ("a: 1 # x\n", "a: 1 # y\n"),
    "a comment less": ("a: 1 # x\nb: 2 # x\n", "a: 1 # x\nb: 2\n"),
    "a comment that became text": ("a: |\n  x\n# y\n", "a: |\n  x\n  # y\n"),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_differences_are_seen(one: str, other: str) -> None:
    """The comparison that guards every step tells apart whatever formatting has to keep."""
    assert meaning(read(one), any_order=False) == meaning(read(one), any_order=False)
    assert meaning(read(one), any_order=False) != meaning(read(other), any_order=False)


def test_order_matters_only_where_a_schema_gives_one() -> None:
    """Keys of our kinds may be in any order; items of lists and keys of other documents may not."""
    ours = "apiVersion: reconciler/v1\nkind: Category\nx: [1, 2]\n"
    assert meaning(read(ours), any_order=True) == meaning(read("kind: Category\nx: [1, 2]\napiVersion: reconciler/v1\n"), any_order=True)  # fmt: skip
    assert meaning(read(ours), any_order=True) != meaning(read(ours.replace("1, 2", "2, 1")), any_order=True)
    assert meaning(read("a: 1\nb: 2\n"), any_order=True) != meaning(read("b: 2\na: 1\n"), any_order=True)


@settings(max_examples=60, deadline=None)
@given(yaml_texts())
def test_both_libraries_build_the_same_tree(text: str) -> None:
    """What ruamel.yaml reads from a file, PyYAML reads too."""
    text = text.replace("\r\n", "\n")
    try:
        expected = [shape(item.root) for item in read(text).documents]
        found = [shape(item.root) for item in documents(YAML(typ="safe", pure=True).parse(text), AsWritten())]
    except (yaml.YAMLError, YAMLError):
        return
    assert found == expected


@settings(max_examples=60, deadline=None)
@given(yaml_texts())
def test_the_parser_written_in_python_gives_the_same_places(text: str) -> None:
    """Without libyaml PyYAML falls back to Python; the formatter sees the same lines."""
    text = text.replace("\r\n", "\n")
    try:
        fast, slow = read(text), read_in_python(text)
    except yaml.YAMLError:
        return
    assert fast.tokens == slow.tokens
    assert [places(fast, item.root) for item in fast.documents] == [places(slow, item.root) for item in slow.documents]


def read_in_python(text: str) -> Layout:
    """The layout as PyYAML's parser in Python gives it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CBaseLoader")
        return read(text)


def places(layout: Layout, node: Node) -> list[tuple[int, int, int, str]]:
    """Line, column, last line and text of each node."""
    return [(item.start.line, item.start.column, layout.last_line(item), item.text) for item in walk(node) if item.text]


def shape(root: Node) -> list[tuple[str, str, str, str]]:
    """Each node but for its place, and but for tags, which the libraries write differently."""
    return [(node.kind, node.style, node.anchor, node.text) for node in walk(root)]


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in node.children:
        if child.key is not None:
            yield from walk(child.key)
        yield from walk(child.value)
