"""What holds for every file."""

import re
from collections import Counter
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from yaml_texts import yaml_texts

from reconciler.kinds import registry
from reconciler.kinds.registry import SCHEMA_FILES
from reconciler.source.roundtrip.format import format_document_text
from reconciler.source.roundtrip.format import STEPS
from reconciler.source.roundtrip.layout import read

_MARKED = re.compile(r"# ?(?:gap|end|no comment) \d+")


def formatted(text: str) -> str:
    """The formatted text; a text that is not YAML comes back as it is."""
    result = format_document_text(text.encode(), "file.yaml")
    if result.text is None:
        assert {item.code for item in result.diagnostics} <= {"RC104", "RC105", "RC107"}
        return text
    return result.text.decode()


def values(text: str) -> Any:
    """What ruamel.yaml's and PyYAML's loaders make of a text, tags and styles aside."""
    with_ruamel = list(YAML(typ="safe", pure=True).load_all(text))
    return with_ruamel, list(yaml.load_all(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)))


@settings(max_examples=60, deadline=None)
@given(yaml_texts())
def test_values_and_comments_are_kept_and_nothing_is_left_to_do(text: str) -> None:
    """Two loaders read the same values, each comment stands there once, and a second run changes nothing."""
    after = formatted(text)
    assert formatted(after) == after
    assert Counter(_MARKED.findall(after)) == Counter(_MARKED.findall(text))
    try:
        assert values(after) == values(text)
    except (YAMLError, yaml.YAMLError):
        assert after == text


@settings(max_examples=60, deadline=None)
@given(yaml_texts())
def test_no_step_has_to_be_undone(text: str) -> None:
    """The checks are a net: no step of the formatter should ever fall into it."""
    after = formatted(text)
    if after != text:
        layout = read(after.replace("\r\n", "\n"))
        assert [step.name for step in STEPS if step.edit(layout) != layout.text] == []


@settings(max_examples=60, deadline=None)
@given(yaml_texts(), st.randoms(use_true_random=False))
def test_damaged_files_give_diagnostics_or_stay_themselves(text: str, random: Any) -> None:
    """Whatever a slip of the finger does to a file, the formatter does not raise and does not alter values."""
    at = random.randrange(len(text) + 1)
    slip = random.choice(["", "\t", "'", '"', ": ", "- ", "\n", "|", "&a ", "*a", "{", "]", "---\n", "!t ", "%", "\\"])
    damaged = text[:at] + slip + text[at + random.choice([0, 0, 1, 3]) :]
    after = formatted(damaged)
    assert formatted(after) == after
    if after != damaged:
        assert scalars(after) == scalars(damaged)


def scalars(text: str) -> list[tuple[str, str]]:
    """Value and style of each scalar."""
    events = yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    return [(event.value, event.style or "") for event in events if isinstance(event, yaml.ScalarEvent)]


def examples() -> list[dict[str, Any]]:
    """The example documents in the schemas."""
    return [dict(example) for file in SCHEMA_FILES.values() for example in registry.load(file)["examples"]]


def shuffled(value: Any, random: Any, path: str = "") -> list[str]:
    """Block YAML of a value with keys in any order, each under a comment that names its path."""
    if isinstance(value, dict) and value:
        lines = []
        for key in random.sample(sorted(value), len(value)):
            below = shuffled(value[key], random, f"{path}/{key}")
            inline = below[0] if not isinstance(value[key], dict | list) or not value[key] else ""
            lines += [
                f"# {path}/{key}",
                f"{key}: {inline}".rstrip(),
                *([] if inline else [f"  {line}" for line in below]),
            ]
        return lines
    if isinstance(value, list) and value:
        items = [shuffled(item, random, f"{path}/{index}") for index, item in enumerate(value)]
        return [
            line
            for item in items
            for line in (["-"] if len(item) > 1 else [f"- {item[0]}"])
            + ([f"  {line}" for line in item] if len(item) > 1 else [])
        ]
    return [yaml.dump(value, default_flow_style=True, width=10_000).splitlines()[0]]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(examples()), st.randoms(use_true_random=False))
def test_any_order_of_keys_has_one_canonical_form(example: dict[str, Any], random: Any) -> None:
    """However the keys of an example are shuffled, they come out as in the schema, under their own comments."""
    text = "\n".join(["# top", "---", *shuffled(example, random)]) + "\n"
    lines = formatted(text).splitlines()
    assert YAML(typ="safe", pure=True).load("\n".join(lines)) == example
    top = [line.split(":")[0] for line in lines if line[0] not in "# -"]
    assert top == [key for key in registry.load(SCHEMA_FILES[example["kind"]])["properties"] if key in example]
    for above, line in zip(lines, lines[1:], strict=False):
        if above.lstrip().startswith("# /spec/"):
            assert line.strip().split(":")[0] == above.rsplit("/", 1)[1]
