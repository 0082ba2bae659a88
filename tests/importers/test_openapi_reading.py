"""Bytes to a document, or a refusal that says where and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ExitCode
from reconciler.importers.openapi import NotImportable, read
from reconciler.importers import syntax


def refusal(data: bytes, file: str = "api.yaml") -> str:
    with pytest.raises(NotImportable) as caught:
        read(data, file)
    assert caught.value.exit_code is ExitCode.INVALID
    return caught.value.message


def test_json_and_yaml_give_the_same_document() -> None:
    """The language is told by the content."""
    expected = {"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": {"200": {}}}}}}
    text = "openapi: 3.0.0\npaths:\n  /a:\n    get:\n      responses:\n        200: {}\n"
    assert read(text.encode(), "api.yaml") == expected
    assert read(b'\xef\xbb\xbf {"openapi":"3.0.0","paths":{"/a":{"get":{"responses":{"200":{}}}}}}', "api") == expected


def test_a_yaml_file_may_begin_with_a_brace() -> None:
    """By its name it is YAML, which JSON readers refuse."""
    assert read(b"{openapi: 3.0.0, paths: {}}", "api.yml") == {"openapi": "3.0.0", "paths": {}}


def test_doubtful_yaml_values_are_texts() -> None:
    """No date, time or octal number comes out, and keys are texts."""
    text = b"a: 2020-01-01\nb: 12:30\nc: 010\nd: yes\ne: 1e3\nf: .5\ng: 0x1F\nh: ~\ni: -7\nj: !!int 5\n1.0: true\nk: 1.0e+999\nl: 1.5e+2"
    found = {"a": "2020-01-01", "b": "12:30", "c": "010", "d": "yes", "e": "1e3", "f": 0.5, "g": "0x1F", "h": None}
    assert read(text, "a.yaml") == {**found, "i": -7, "j": "5", "1.0": True, "k": "1.0e+999", "l": 150.0}


def test_anchors_and_merge_keys_are_followed() -> None:
    """People wrote OpenAPI with both; what stands in the mapping itself wins."""
    text = b"base: &b {a: 1, b: 2}\none: {<<: *b, b: 3}\ntwo: {<<: [*b, {c: 4}]}\nsame: *b\n"
    found = read(text, "api.yaml")
    assert found["one"] == {"a": 1, "b": 3}
    assert found["two"] == {"a": 1, "b": 2, "c": 4}
    assert found["same"] is found["base"]


@pytest.mark.parametrize(
    ("data", "file", "message"),
    [
        (b'{"a": 1,\n "b": }', "a.json", "a.json:2:7: not JSON: invalid character"),
        (b'{"a": 1,\n "b": [', "a.json", "a.json:2:8: not JSON: input data was truncated"),
        (b'{"a":\n "\xff"}', "a.json", "a.json:2:3: byte 0xff is not UTF-8"),
        (b'{"a": ' + b"[" * 100_000, "a.json", "a.json:1:1: too many levels of nesting"),
        (b"a: [1,\nb: 2", "a.yaml", "a.yaml:3:1: not YAML: did not find expected ',' or ']'"),
        (b"a: 1\na: 2\n", "a.yaml", "a.yaml:2:1: the key 'a' stands here twice"),
        (b"a: 1\n---\nb: 2\n", "a.yaml", "a.yaml:2:1: a second document"),
        (b"a: *b\n", "a.yaml", "a.yaml:1:4: undefined alias *b"),
        (b"a: &b [*b]\n", "a.yaml", "a.yaml:1:8: alias *b stands inside what it repeats"),
        (b"? [a]\n: 1\n", "a.yaml", "a.yaml:1:3: a key that is not a text"),
        (b"a: \xff\n", "a.yaml", "a.yaml:1:4: byte 0xff is not UTF-8"),
        (b"\xff\xfea\x00", "a.yaml", "a.yaml:1:1: the file is UTF-16"),
        (b"- a\n", "a.yaml", "a.yaml:1:1: the file holds no mapping"),
        (b"", "a.yaml", "a.yaml:1:1: the file holds no mapping"),
        (b"a: \x07\n", "a.yaml", "a.yaml: not YAML: "),
    ],
)
def test_refusals_say_where_and_why(data: bytes, file: str, message: str) -> None:
    """File, line and column come first."""
    assert refusal(data, file).startswith(message)


def test_too_deep_a_nesting_is_refused() -> None:
    """In both languages, without touching the interpreter's stack."""
    assert "levels of nesting" in refusal(b"a: " + b"[" * 300 + b"]" * 300)
    assert refusal(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "a.json").startswith("a.json:1:")
    assert refusal(b"[" * 100_000).startswith("api.yaml:1:")


def test_aliases_cannot_explode() -> None:
    """Ten aliases of ten aliases, eight times over."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "aliases written out" in refusal("\n".join(lines).encode())


def test_too_large_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits are lowered here: files of their real size would only cost time."""
    monkeypatch.setattr(syntax, "MAX_JSON", 2 << 20)
    monkeypatch.setattr(syntax, "MAX_YAML", 1 << 20)
    assert refusal(b" " * (3 << 20), "a.json") == "a.json: the file holds 3 MiB; at most 2 MiB are read"
    assert refusal(b"#" * (2 << 20)) == "api.yaml: the file holds 2 MiB; at most 1 MiB of YAML are read"


@given(st.binary(max_size=200) | st.text(alphabet="a:-[]{}&*<!|>\"'# \n\t?,%@`~1.", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No other exception comes out."""
    for file in ("a.json", "a.yaml"):
        try:
            assert isinstance(read(data, file), dict)
        except NotImportable as refused:
            assert refused.message.startswith(file)


def test_the_number_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aliases count as what they stand for."""
    monkeypatch.setattr(syntax, "MAX_VALUES", 20)
    assert read(b"a: &a [1, 2, 3]\nb: *a\n", "a.yaml")["b"] == [1, 2, 3]
    assert "aliases written out" in refusal(b"a: &a [1, 2, 3]\nb: [*a, *a, *a, *a]\n")
