"""A Secret does not leak by accident, whatever is done with it but `reveal`."""

import copy
import dataclasses
import io
import json
import logging
import pickle
import pprint
import string
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from reconciler.core.references import Bounds
from reconciler.core.secret import Secret
from reconciler.secrets.local import ResolverContext
from reconciler.secrets.own import Own
from reconciler.wiring.run import context_of


class Holder(BaseModel):
    """A model that holds one."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    secret: Secret
    number: int = 0


@dataclasses.dataclass
class Record:
    """A record that holds one."""

    secret: Secret


class Struct(msgspec.Struct, frozen=True):
    """A record of the product's make that holds one."""

    secret: Secret


def logged(secret: Secret) -> str:
    """What handlers write of it."""
    stream = io.StringIO()
    logger = logging.Logger("of the test")
    logger.addHandler(logging.StreamHandler(stream))
    logger.warning("%s %r", secret, secret)
    logger.warning(secret)
    logger.warning("%(a)s", {"a": secret})
    try:
        raise RuntimeError(secret)
    except RuntimeError:
        logger.exception("failed")
    return stream.getvalue()


def with_locals(secret: Secret) -> str:
    """A traceback with the values of variables."""

    def inner(argument: Secret) -> None:
        held = [argument, {"a": argument}]
        raise RuntimeError(held)

    try:
        inner(secret)
    except RuntimeError as failure:
        return "".join(traceback.TracebackException.from_exception(failure, capture_locals=True).format())
    raise AssertionError


def concatenated(secret: Secret) -> str:
    return "a" + secret  # type: ignore[operator]


def asserted(secret: Secret) -> str:
    try:
        assert secret == Secret("other") or secret in ("a", "b"), secret
    except AssertionError as failure:
        return str(failure)
    raise AssertionError


def validated(secret: Secret) -> str:
    try:
        Holder(secret=secret, number="x")
    except ValidationError as failure:
        return f"{failure} {failure.errors()} {failure!r}"
    raise AssertionError


WAYS: dict[str, Callable[[Secret], Any]] = {
    "str": str, "repr": repr, "ascii": ascii, "format": format, "format spec": lambda secret: format(secret, ">80"), "f-string": lambda secret: f"{secret} {secret!r} {secret!s:>3} {secret!a}",
    "percent": lambda secret: "%s %r" % (secret, secret), "str.format": lambda secret: "{0} {0!r} {0:x>5}".format(secret), "template": lambda secret: string.Template("$a").substitute(a=secret),
    "print": lambda secret: print(secret, file=io.StringIO()) or "", "pprint": pprint.pformat, "join": lambda secret: ",".join([secret]), "bytes": bytes, "len": len, "iterate": list,
    "int": int, "concatenate": concatenated, "json": json.dumps, "json default": lambda secret: json.dumps(secret, default=str), "msgspec": msgspec.json.encode, "msgspec hook": lambda secret: msgspec.json.encode(secret, enc_hook=str), "msgspec builtins": msgspec.to_builtins, "struct": lambda secret: f"{Struct(secret)!r} {msgspec.structs.asdict(Struct(secret))}", "struct json": lambda secret: msgspec.json.encode(Struct(secret)),
    "yaml": yaml.safe_dump, "yaml full": yaml.dump, **{f"pickle {protocol}": lambda secret, protocol=protocol: pickle.dumps(secret, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
    "copy": copy.copy, "deepcopy": copy.deepcopy, "vars": vars, "dir": lambda secret: [getattr(secret, name) for name in dir(secret) if not name.startswith("_") and name != "reveal"],
    "asdict": lambda secret: dataclasses.asdict(Record(secret)), "dataclass": lambda secret: repr(Record(secret)), "model": lambda secret: f"{Holder(secret=secret)!r} {Holder(secret=secret)} {Holder(secret=secret).model_dump()}",
    "model json": lambda secret: Holder(secret=secret).model_dump_json(), "model error": validated, "logging": logged, "traceback": with_locals, "exception": lambda secret: repr(ValueError(secret)), "assert": asserted,
    "containers": lambda secret: f"{[secret]} {(secret,)} { {'a': secret} } { {secret} }", "sorted": lambda secret: sorted([secret, Secret("b")]), "compare": lambda secret: f"{secret == secret.reveal()} {hash(secret) == hash(secret.reveal())}",
    "state": lambda secret: secret.__getstate__(), "reduce": lambda secret: secret.__reduce_ex__(4), "attribute": lambda secret: secret.value, "item": lambda secret: secret["value"], "match": lambda secret: secret.__match_args__,
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@given(value=st.text(alphabet=string.ascii_letters + "é+/%\n", min_size=8, max_size=40).map(lambda text: f"Zq7{text}"))
def test_no_way_shows_the_value(way: str, value: str) -> None:
    """Either it is masked, or it cannot be done at all; then the words of the refusal do not hold it either."""
    secret = Secret(value)
    try:
        shown = WAYS[way](secret)
    except Exception as refusal:  # noqa: BLE001
        shown = f"{refusal} {refusal!r} {refusal.args}"
    text = shown.decode("latin-1") if isinstance(shown, bytes) else str(shown)
    for form in (value, json.dumps(value)[1:-1], repr(value)[1:-1]):
        assert form not in text
    assert secret.reveal() == value


def test_what_reveals_it() -> None:
    """Just one method."""
    assert [name for name in dir(Secret) if not name.startswith("_")] == ["reveal"]
    assert Secret("a") != Secret("a"), "comparing two of them says nothing of their values"


def test_the_environment_is_not_shown() -> None:
    """What holds the variables of the process has a text that leaves them out, whoever prints it."""
    variables = {"TOKEN": "a-token-of-the-tests"}
    own = Own(Path("/repository"), variables)
    context = ResolverContext(variables, None, Path("/repository"), {}, own, Bounds("/"))
    driven = context_of(Path("/repository"), variables)
    for held in (own, context, driven):
        shown = f"{held} {held!r} {[held]} {pprint.pformat(held)} {held.__repr__()}"
        assert "/repository" in shown and "a-token-of-the-tests" not in shown
