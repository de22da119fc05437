"""What a recording is made of: instructions, the values they make, and the lines they come from."""

from __future__ import annotations

import functools
import linecache
import math
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ..autograd.tensor import pull_back


class CompileError(TypeError):
    """The function does something that cannot be recorded and replayed."""


@dataclass(eq=False, slots=True)
class Value:
    """What an instruction makes. A Python number that differs from call to call has no dtype."""

    made: Instruction
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None
    strides: tuple[int, ...]

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(eq=False, slots=True)
class Instruction:
    """One call. The kind says what it may overwrite, and how it is written.

    input, number, memory: where values come from; `f` is a name, or the array that is kept
    ufunc, reduce, dot, concatenate, copy, cast, zeros: write their result into a given array
    call, draw, pick, item: make a new array or number each time
    view: another shape of the same memory; `f` is one of VIEWS
    setitem: args (base, index, value); `f` is None, or the ufunc whose .at it is
    guard: `f` is what the truth value must be for the rest to hold
    """

    kind: str
    f: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    line: Line
    errors: tuple[tuple[str, Any], ...] = ()  # options of np.errstate
    out: Value = field(init=False)


VIEWS: dict[str, Callable[..., Any]] = {
    "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, axes: x.transpose(axes),
    "getitem": lambda x, index: x[index],
    "broadcast_to": np.broadcast_to,
}


NESTS = {tuple, list, dict, slice}


def mapped(f: Callable[[Any], Any], x: Any) -> Any:
    """A nest of tuples, lists, dicts and slices with f of everything in it."""
    kind = type(x)
    if kind is tuple or kind is list:
        return kind([mapped(f, a) if type(a) in NESTS else f(a) for a in x])
    if kind is dict:
        return {k: mapped(f, a) for k, a in x.items()}
    if kind is slice:
        return slice(mapped(f, x.start), mapped(f, x.stop), mapped(f, x.step))
    return f(x)


def values(x: Any) -> list[Value]:
    """All values in a nest."""
    kind = type(x)
    if kind is Value:
        return [x]
    if kind is dict:
        return values([*x.values()])
    if kind is slice:
        return values([x.start, x.stop, x.step])
    return [v for a in x for v in values(a)] if kind is tuple or kind is list else []


def layout(x: Any) -> list[int]:
    """The strides that matter."""
    return [s for n, s in zip(x.shape, x.strides) if n > 1] if x.dtype is not None else []


class Current(threading.local):
    recorder: Recorder | None = None


current = Current()  # what this thread is recording


class Otherwise(Exception):
    """A check of the library fails, or comes out otherwise than in an earlier recording."""


class Differs(Exception):
    """Two recordings do not do the same."""


class Recorder:
    """The program so far. Equal calls of functions without effects are one instruction.

    calls: the value that each call got, its own or that of an equal call before.
    along: the calls of an earlier recording, if there is one: then the same must be made again,
        and get the values that they got.
    """

    def __init__(self, along: list[Value] | None) -> None:
        self.program: list[Instruction] = []
        self.calls: list[Value] = []
        self.known: dict[Any, Value] = {}
        self.forms: dict[Any, Any] = {}  # one tuple for all that are equal
        self.sparse: dict[Value, Any] = {}  # what is 0 elsewhere: see side_by_side
        self.along, self.at = along, 0
        self.errors: dict[str, Any] = dict(np.geterr())

    def emit(
        self, kind: str, f: Any, args: Any, kwargs: dict[str, Any], data: Any, pure: bool = True
    ) -> Value:
        """The value of an instruction, which has been computed to be `data`."""
        if current.recorder is not self:
            raise CompileError(
                "compile: an array of a recording is used after it has ended, or in another thread"
            )
        weak = isinstance(data, (int, float)) and not isinstance(data, np.generic)
        form = ((), None, ()) if weak else (data.shape, data.dtype, data.strides)
        if self.along is not None:
            return self.as_before(kind, f, args, kwargs, form)
        form = self.forms.setdefault(form, form)
        key = (kind, known_as(f), known_as(args), known_as(kwargs), form)
        value = self.known.get(key) if pure else None
        if value is None:
            now = np.geterr()
            errors = () if now == self.errors else tuple(now.items() - self.errors.items())
            instruction = Instruction(kind, f, args, kwargs, where(), errors)
            instruction.out = self.known[key] = value = Value(instruction, *form)
            self.program.append(instruction)
        self.calls.append(value)
        return value

    def as_before(self, kind: str, f: Any, args: Any, kwargs: Any, form: Any) -> Value:
        """The value that this call got in the earlier recording."""
        assert self.along is not None
        at, self.at = self.at, self.at + 1
        value = self.along[at] if at < len(self.along) else None
        checks = False
        if value is not None and kind == value.made.kind and form[:2] == (value.shape, value.dtype):
            before = value.made
            plain = not kwargs and not before.kwargs
            if same(args, before.args) and (plain or same(kwargs, before.kwargs)):
                checks = kind in ("guard", "memory")
                if f is before.f or (not checks and same(f, before.f)):
                    return value
        self.at = len(self.along) + 1  # from here on nothing agrees, also if f goes on
        if checks:
            raise Otherwise
        here = where()
        raise Differs(
            f"compile: something that is no argument differs from call to call, in {here} "
            f"({here.text}): make it an argument, or an array that is changed in place"
        )

    def __enter__(self) -> Recorder:
        current.recorder = self
        return self

    def __exit__(self, *_: object) -> None:
        current.recorder = None


def known_as(x: Any) -> Any:
    """What identifies an argument while recording: equal keys, equal values."""
    kind = type(x)
    if kind is Value:
        return id(x)
    if kind is tuple or kind is list:
        return (kind, *map(known_as, x))
    if kind in (int, float, str, bool):
        return (kind, repr(x))  # 0.0 is not -0.0
    if kind is dict:
        return tuple((k, known_as(x[k])) for k in sorted(x))
    if kind is slice:
        return (slice, known_as((x.start, x.stop, x.step)))
    return (x.dtype, x.tobytes()) if isinstance(x, np.generic) else id(x)


def same(x: Any, y: Any) -> bool:
    """Whether arguments of two recordings are one value, or constants that are equal."""
    kind = type(x)
    if kind is not type(y) or kind is Value:
        return x is y
    if kind is tuple or kind is list:
        if len(x) != len(y):
            return False
        for a, b in zip(x, y):
            if a is not b and not same(a, b):
                return False
        return True
    if kind is dict:
        return x.keys() == y.keys() and same([*x.values()], [y[k] for k in x])
    if x is y or kind is int:
        return x is y or bool(x == y)
    if kind is slice:
        return same((x.start, x.stop, x.step), (y.start, y.stop, y.step))
    if kind is np.ndarray:
        form = (x.shape, x.dtype, x.strides) == (y.shape, y.dtype, y.strides)
        return form and bool(x.tobytes() == y.tobytes())
    if hasattr(x, "__name__") and not isinstance(x, np.generic):  # a function, or a method
        return bool(x.__name__ == y.__name__)
    return repr(x) == repr(y)


# --- where a call comes from

LIBRARY = __name__.split(".")[0] + "."
HERE = __name__.rsplit(".", 1)[0]
BACK: CodeType = pull_back.__code__


@dataclass(frozen=True)
class Line:
    """A line of the user's, or of an optimizer; `back`: its derivative."""

    file: str = ""
    number: int = 0
    back: bool = False

    def __str__(self) -> str:
        return f"{self.file.rsplit('/', 1)[-1]}:{self.number}" if self.file else "here"

    @property
    def text(self) -> str:
        return linecache.getline(self.file, self.number).strip()


line = functools.cache(Line)


@functools.cache
def owner(module: str) -> str:
    """Whose code a module is."""
    if module.startswith("numpy"):
        return "numpy"
    if not module.startswith(LIBRARY) or module.startswith(LIBRARY + "lab"):
        return "user"
    return "compiler" if module.startswith(HERE) else "library"


def where() -> Line:
    """The first line outside of the library; on the way back, that of what is differentiated."""
    frame: FrameType | None = sys._getframe(1)
    inner = None
    while frame is not None:
        whose = owner(frame.f_globals.get("__name__", ""))
        if whose == "user":
            return line(frame.f_code.co_filename, frame.f_lineno)
        if whose == "compiler":
            if frame.f_code.co_name == "record":  # beyond it is who called
                break
        elif whose == "library":
            inner = inner or frame
            if frame.f_code is BACK:
                out = frame.f_locals["y"]._out
                made = getattr(out[0] if type(out) is tuple else out, "origin", None)
                if made is not None:
                    return line(made.file, made.number, True)
        frame = frame.f_back
    return line() if inner is None else line(inner.f_code.co_filename, inner.f_lineno)
