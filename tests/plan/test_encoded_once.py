"""A body is encoded once and decoded once a run: its value and its bytes travel together."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import engines
import msgspec
import pytest
from conftest import Workspace, clean_environment
from live_state import sql

from reconciler.cli.app import run
from reconciler.core import model

DESIRED, LIVE, DRIFTED = "What git declares", "What was applied", "What somebody made of it"
BODIES = {f'"displayName":"{text}"': text for text in (DESIRED, LIVE, DRIFTED)}


@contextmanager
def counted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[tuple[str, str]]]:
    """How often which body is written as JSON, and read from it, in the block."""
    counts: Counter[tuple[str, str]] = Counter()

    def note(what: str, text: Any) -> None:
        shown = text.decode() if isinstance(text, bytes) else text
        if isinstance(shown, str) and shown.startswith(('{"metadata":', '{"spec":')):
            counts.update((what, body) for mark, body in BODIES.items() if mark in shown)

    def encoding(real: Callable[..., Any]) -> Callable[..., Any]:
        def encode(*arguments: Any, **more: Any) -> Any:
            made = real(*arguments, **more)
            note("encoded", made)
            return made

        return encode

    def decoding(real: Callable[..., Any]) -> Callable[..., Any]:
        def decode(text: Any, *arguments: Any, **more: Any) -> Any:
            note("decoded", text)
            return real(text, *arguments, **more)

        return decode

    class Encoder:
        encode = staticmethod(encoding(model._ENCODER.encode))

    with engines.as_one_process(), monkeypatch.context() as patch:
        patch.chdir(workspace.root)
        for name, value in clean_environment(workspace.env).items():
            patch.setenv(name, value)
        patch.setattr(model, "_ENCODER", Encoder)
        patch.setattr(msgspec.json, "encode", encoding(msgspec.json.encode))
        patch.setattr(msgspec.json, "decode", decoding(msgspec.json.decode))
        patch.setattr(json, "dumps", encoding(json.dumps))
        patch.setattr(json, "loads", decoding(json.loads))
        yield counts


@pytest.fixture
def changed(workspace: Workspace) -> Workspace:
    """One connector was applied, and git declares another name for it since; it holds a secret."""
    workspace.edit("connectors/crm.yaml", "Sales team's contacts", LIVE)
    workspace.commit()
    workspace.ok("apply", "--yes")
    workspace.edit("connectors/crm.yaml", LIVE, DESIRED)
    workspace.commit()
    return workspace


ONCE_EACH = Counter({("encoded", DESIRED): 1, ("encoded", LIVE): 1, ("decoded", LIVE): 1})
"""What git declares comes from YAML, and what is live from the store."""


@pytest.mark.parametrize("arguments", [["plan"], ["plan", "--full"], ["plan", "-o", "json"], ["apply", "--yes"]])
def test_a_changed_body(changed: Workspace, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """Each side once, whether everything is looked at or what moved; to write it and to read it back takes neither."""
    with counted(changed, monkeypatch) as counts:
        assert run(["-q", *arguments]) == 0
    assert counts == ONCE_EACH


@pytest.mark.parametrize("arguments", [["plan"], ["apply", "--yes"]])
def test_a_body_that_drifted(changed: Workspace, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """What was applied is decoded to tell what moved, and again to compare it; what git declares is not."""
    sql(changed.store, "UPDATE documents SET live = replace(live, ?, ?)", LIVE, DRIFTED)
    with counted(changed, monkeypatch) as counts:
        assert run(["-q", *arguments]) == 0
    assert [counts[what, body] for body in (DESIRED, LIVE) for what in ("encoded", "decoded")] == [1, 0, 0, 2]


@pytest.mark.parametrize("arguments", [["plan"], ["apply", "--yes"]])
def test_a_new_body(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """It is written as it was encoded when it was read."""
    workspace.edit("connectors/crm.yaml", "Sales team's contacts", DESIRED)
    workspace.commit()
    with counted(workspace, monkeypatch) as counts:
        assert run(["-q", *arguments]) == 0
    assert counts == Counter({("encoded", DESIRED): 1})
