"""Value classes: immutable values with named fields, whose classes cost next to nothing to define.

What `dataclasses.dataclass(frozen=True, slots=True)` gives, in a twentieth of its time: that writes the source of six
methods for every class and compiles them when a module loads, which for the classes of a plan took longer than all else
that the plan had to do. Here a method is compiled when it is used first, or often.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast, dataclass_transform, overload

Class = TypeVar("Class", bound=type)
Method = Callable[..., Any]
Item = TypeVar("Item")
_NEW = object()
_FEW = 8
"""Instances that can be made in the time that compiling their constructor takes."""


class _Default:
    """How a field gets its value where none is given, and whether it is shown."""

    __slots__ = ("make", "shown")

    def __init__(self, make: Callable[[], Any] | None, *, shown: bool) -> None:
        self.make = make
        self.shown = shown


@overload
def field(*, default_factory: Callable[[], Item], repr: bool = True) -> Item: ...
@overload
def field(*, repr: bool = True) -> Any: ...
def field(*, default_factory: Callable[[], Any] | None = None, repr: bool = True) -> Any:  # noqa: A002 (the standard's name)
    """A field whose default is made anew for each value, or that its text leaves out."""
    return _Default(default_factory, shown=repr)


@overload
def value_class(defined: Class, /) -> Class: ...
@overload
def value_class(*, frozen: bool = ..., caching: bool = ...) -> Callable[[Class], Class]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value_class(defined: type | None = None, /, *, frozen: bool = True, caching: bool = False) -> Any:
    """Give a class of annotated fields slots, a constructor, equality and a text.

    Args:
        frozen: whether its fields cannot be assigned; then it can be hashed, if its fields can.
        caching: whether it has cached properties, which need room.
    """
    if defined is None:
        return lambda found: _made(found, frozen=frozen, caching=caching)
    return _made(defined, frozen=frozen, caching=caching)


def replace(item: Item, /, **changes: Any) -> Item:
    """A value like `item` with some fields changed.

    Raises:
        TypeError: it has no such field.
    """
    values = {name: getattr(item, name) for name in _fields(type(item))}
    return type(item)(**(values | changes))


def astuple(item: object) -> tuple[Any, ...]:
    """The values of its fields, in order."""
    return tuple(getattr(item, name) for name in _fields(type(item)))


def _fields(defined: type) -> tuple[str, ...]:
    return cast("tuple[str, ...]", defined.__match_args__)  # type: ignore[attr-defined]


def _made(defined: type, *, frozen: bool, caching: bool) -> type:
    names = tuple(getattr(defined, "__annotations__", ()))
    inside = dict(defined.__dict__)
    for name in ("__dict__", "__weakref__"):
        inside.pop(name, None)
    given = {name: inside.pop(name) for name in names if name in inside}
    hidden = frozenset(name for name, one in given.items() if isinstance(one, _Default) and not one.shown)
    defaults = {name: one for name, one in given.items() if not isinstance(one, _Default) or one.make is not None}
    inside |= {"__slots__": (*names, "__dict__") if caching else names, "__match_args__": names, "_hidden": hidden}
    inside["__init__"] = _initially(defaults, lambda made: _constructor(made, defaults, frozen=frozen))
    inside.setdefault("__eq__", _compiled_when_used("__eq__", _equality))
    inside.setdefault("__hash__", _compiled_when_used("__hash__", _hashing) if frozen else None)
    inside.setdefault("__repr__", _text)
    if frozen:
        inside |= {"__setattr__": _refuse, "__delattr__": _refuse}
    # A class gets its slots when it is made, so it is made again, and its methods are none the wiser: they do without
    # super(), which would remember the first one.
    return type(defined)(defined.__name__, defined.__bases__, inside)


def _compiled_when_used(name: str, compiled: Callable[[type], Method]) -> Method:
    """A method that puts the real one in its own place."""

    def first(self: object, *args: Any, **named: Any) -> Any:
        made = type(self)
        method = compiled(made)
        setattr(made, name, method)
        return method(self, *args, **named)

    return first


def _initially(defaults: dict[str, Any], compiled: Callable[[type], Method]) -> Method:
    """A constructor for the first few instances, which are the only ones of most classes; it compiles the real one."""
    left = _FEW

    def __init__(self: object, *args: Any, **named: Any) -> None:  # noqa: N807
        nonlocal left
        left -= 1
        made = type(self)
        names = _fields(made)
        values = {**dict(zip(names, args, strict=False)), **named}
        fitting = len(args) + len(named) == len(values) and values.keys() <= set(names)
        if left < 0 or not fitting or not all(name in values or name in defaults for name in names):
            method = compiled(made)
            type.__setattr__(made, "__init__", method)
            method(self, *args, **named)  # which says what is wrong, where something is
            return
        for name in names:
            object.__setattr__(self, name, values[name] if name in values else _default(defaults[name]))

    return __init__


def _default(found: Any) -> Any:
    return found.make() if isinstance(found, _Default) and found.make is not None else found


def _constructor(made: type, defaults: dict[str, Any], *, frozen: bool) -> Method:
    known: dict[str, Any] = {"_new": _NEW}
    heads, lines = ["self"], []
    for name in _fields(made):
        value, head = name, name
        default = defaults.get(name)
        if isinstance(default, _Default):
            known[f"_make_{name}"] = default.make
            head, value = f"{name}=_new", f"_make_{name}() if {name} is _new else {name}"
        elif name in defaults:
            known[f"_is_{name}"] = default
            head = f"{name}=_is_{name}"
        heads.append(head)
        known[f"_set_{name}"] = made.__dict__[name].__set__
        lines.append(f" _set_{name}(self, {value})" if frozen else f" self.{name} = {value}")
    return _compiled(f"def __init__({', '.join(heads)}):\n" + "\n".join(lines or [" pass"]), known, made)


def _equality(made: type) -> Method:
    same = " and ".join(f"self.{name} == other.{name}" for name in _fields(made)) or "True"
    text = f"def __eq__(self, other):\n return {same} if other.__class__ is self.__class__ else NotImplemented"
    return _compiled(text, {}, made)


def _hashing(made: type) -> Method:
    values = "".join(f"self.{name}, " for name in _fields(made))
    return _compiled(f"def __hash__(self):\n return hash(({values}))", {}, made)


def _compiled(text: str, known: dict[str, Any], made: type) -> Method:
    exec(text, known)  # nosec B102 # noqa: S102 (of the names of fields and nothing else)
    method: Method = known[text[4 : text.index("(")]]
    method.__qualname__ = f"{made.__qualname__}.{method.__name__}"
    return method


def _text(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _fields(type(self)) if name not in self._hidden)
    return f"{type(self).__qualname__}({shown})"


def _refuse(self: object, name: str, *_: object) -> None:
    raise AttributeError(f"{type(self).__qualname__}.{name} cannot be changed")
