"""What one YAML parser refuses is refused by both, and what one accepts the other reads alike."""

from random import Random

import pytest
from conftest import CATEGORY, Workspace
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import damaged

from reconciler.source.documents import DocumentReader
from reconciler.source.roundtrip.format import format_document_text
from reconciler.source.yaml.loader import fast_parser, load, load_carefully

FAST = fast_parser()
NOT_READ = frozenset({"RC102", "RC103", "RC104", "RC105", "RC106", "RC107", "RC108", "RC112"})

CONNECTOR = """\
apiVersion: reconciler/v1
kind: Connector
metadata: {name: x}
spec:
  displayName: X
  categories: [crm]
  endpoints:
    l:
      method: GET
      url: https://x.example.com/
      sample: """

ONE_PARSER_ONLY = {
    "a key over two lines": '{customer\n        id: "7"}\n',
    "a quoted key over two lines": "{\"customer\n        id\": '7'}\n",
    "a key over two lines in a list": "[customer\n        id: 7]\n",
    "a colon on the next line": '{"customer"\n        : 7}\n',
    "a key with a folded escape": '{"cust\\\n        omer": 7}\n',
    "closed in a comment": "{a: b, # }\n        c\n        d: e}\n",
    "closed in quotes": "{a: {b: c}, ', d: \"e\"}]\n        q': 1}\n",
    "closed between escapes": '{"\\"}\\"\\"\n        \\"\\"{\\"x": 1}\n',
    "a block scalar in brackets": "{a: |\n        b\n        }\n",
    "a block scalar behind a list's item": "[a: >\n        b\n        ]\n",
    "below the header of a block that is none": "  # a: |\n        {a\n         b: 1}\n",
    "a tag right behind a colon": "{'q':!t \"x\"}\n",
    "colons in a row": "{\"q\":::'x'}\n",
    "a key of 1,100 letters": "{" + "k" * 1100 + ": 1}\n",
    "a quoted key of 1,100 letters": '{"' + "k" * 1100 + '": 1}\n',
    "101 brackets": "{a: " + "[" * 101 + "]" * 101 + "}\n",
    "60 brackets and 60 dashes": "\n        a: " + "- " * 60 + "[" * 60 + "]" * 60 + "\n",
    "100,001 values": "[" + "1," * 100_001 + "]\n",
    "an anchor at the beginning": "{}\n---\n&aa:: \n",
}


@pytest.mark.parametrize("name", ONE_PARSER_ONLY)
def test_what_one_parser_refuses_both_refuse(workspace: Workspace, name: str) -> None:
    """Under `validate` and `fmt` alike, and never as a bug of ours."""
    text = CONNECTOR + ONE_PARSER_ONLY[name]
    quick, slow = load(text.encode(), "f", FAST), load_carefully(text.encode(), "f", None)
    assert bool(quick.faults) == bool(slow.faults)
    assert quick.faults or quick.documents == slow.documents
    workspace.write("connectors/x.yaml", text)
    checked, formatted = workspace.run("validate"), workspace.run("fmt", "--check", "connectors/x.yaml")
    assert checked.exit_code in (0, 3) and formatted.exit_code in (0, 2, 3), checked.output + formatted.output
    if any(f"error[{code}]" in checked.output for code in NOT_READ):
        assert formatted.exit_code == 3
    workspace.write("connectors/crm.yaml", CATEGORY.replace("name: crm", "name: other"))
    assert workspace.run("validate").exit_code == 3


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_brackets_over_several_lines_are_read(workspace: Workspace, ending: str) -> None:
    """What both parsers read stays valid."""
    text = CONNECTOR + '{a: [1,\n          2],\n        "b": {c: d}}\n      body: |\n        {"a": [1,\n          2]}\n'
    workspace.write("connectors/x.yaml", text.replace("\n", ending).encode())
    workspace.ok("validate")


def agree(text: str) -> None:
    """Both ways of reading give the same values or both refuse; `validate` refuses what `fmt` cannot read."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    quick, slow = load(data, "connectors/f.yaml", FAST), load_carefully(data, "connectors/f.yaml", None)
    if not slow.faults:
        known = [document for _, document in slow.documents]
        assert quick.faults or [document for _, document in quick.documents] == known, data
        assert quick.faults or repr(quick.documents) == repr(slow.documents), data
    elif not quick.faults:
        assert all(fault.code == "RC113" for fault in slow.faults), (data, slow.faults)
        assert not all(map(text_keys, (document for _, document in quick.documents))), data
    found = {item.code for item in DocumentReader().read("connectors/f.yaml", data).diagnostics}
    formatted = format_document_text(data, "connectors/f.yaml")
    if found & NOT_READ:
        assert formatted.text is None, (data, found)
    if formatted.text is None and b"\t" not in data:  # ruamel.yaml refuses tabs that YAML allows
        assert found & NOT_READ, (data, formatted.diagnostics)


def text_keys(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and text_keys(item) for key, item in value.items())
    return all(map(text_keys, value)) if isinstance(value, list) else True


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**63))
def test_damaged_definitions(seed: int) -> None:
    """Line breaks of all sorts, brackets, quotes, signs and controls where none belong."""
    agree(damaged(Random(seed)))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_many_damaged_definitions(seed: int) -> None:
    """The same, 200,000 times."""
    chance = Random(seed)
    for _ in range(25_000):
        agree(damaged(chance))
