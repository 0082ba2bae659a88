"""Our value classes do what the standard library's data classes do."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconciler.value_class import astuple, field, replace, value_class

NAMES = ("a", "b", "c", "d")
VALUES = st.one_of(st.integers(), st.text(max_size=3), st.tuples(st.integers()))


def both(annotations: dict[str, Any], values: dict[str, Any], *, frozen: bool) -> tuple[type, type]:
    """The same class of both makes."""
    ours, standard = (
        type("Made", (), {"__annotations__": dict(annotations), "__qualname__": "Made", **values}) for _ in range(2)
    )
    return value_class(frozen=frozen)(ours), dataclasses.dataclass(frozen=frozen, slots=True)(standard)


def outcome(call: Any) -> Any:
    """What a call gives, or the type of what it raises."""
    try:
        return call()
    except (TypeError, AttributeError) as failure:
        base = AttributeError if isinstance(failure, AttributeError) else TypeError
        return base


@given(
    st.lists(st.sampled_from(NAMES), unique=True, max_size=4),
    st.dictionaries(st.sampled_from(NAMES), VALUES),
    st.lists(VALUES, max_size=4),
    st.dictionaries(st.sampled_from((*NAMES, "other")), VALUES, max_size=3),
    st.booleans(),
    st.sampled_from((0, 20)),
)
def test_as_data_classes(
    names: list[str],
    defaults: dict[str, Any],
    given_values: list[Any],
    named: dict[str, Any],
    frozen: bool,
    instances: int,
) -> None:
    """Constructors, texts, equality, hashes, changed copies and refusals are those of data classes."""
    names.sort(key=lambda name: name in defaults)
    ours, standard = both(
        dict.fromkeys(names, Any), {name: defaults[name] for name in names if name in defaults}, frozen=frozen
    )

    def look(made: type, copy: Any, values: Any) -> Any:
        item = made(*given_values, **named)
        for _ in range(instances):
            assert repr(made(*given_values, **named)) == repr(item)
        again = made(*given_values, **named)
        hashed = outcome(lambda: hash(item) == hash(again))
        other = outcome(lambda: copy(item, **named) == again)
        refused = outcome(lambda: setattr(item, names[0], 1)) if names else None
        return repr(again), item == again or refused is None, item == 1, hashed, other, values(again), refused

    assert str(outcome(lambda: look(ours, replace, astuple))) == str(
        outcome(lambda: look(standard, dataclasses.replace, dataclasses.astuple))
    )


@value_class
class Held:
    """A value with all that fields can say."""

    name: str
    found: list[int] = field(default_factory=list)
    secret: str = field(default_factory=str, repr=False)

    @property
    def length(self) -> int:
        """Of the name."""
        return len(self.name)


def test_fields() -> None:
    """Defaults are made anew, texts leave out what they should, methods stay, patterns match."""
    one, two = Held("a", secret="hidden"), Held("b")  # noqa: S106 (made up)
    one.found.append(1)
    assert (one.found, two.found, one.length) == ([1], [], 1)
    assert repr(one) == "Held(name='a', found=[1])"
    match two:
        case Held(name, []):
            assert name == "b"
        case _:
            pytest.fail("it does not match")
    with pytest.raises(AttributeError):
        one.other = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        del one.name
