"""What a recording is made of: instructions, the values they make, and the lines they come from."""

from __future__ import annotations

import linecache
import math
import sys
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ..autograd.arrays import Array
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
    found: list[Value] = []
    mapped(lambda a: found.append(a) if isinstance(a, Value) else None, x)
    return found


def layout(x: Any) -> list[int]:
    """The strides that matter."""
    return [s for n, s in zip(x.shape, x.strides) if n > 1] if x.dtype is not None else []


class Current(threading.local):
    recorder: Recorder | None = None


current = Current()  # what this thread is recording


class Recorder:
    """The program so far. Equal calls of functions without effects are one instruction."""

    def __init__(self) -> None:
        self.program: list[Instruction] = []
        self.known: dict[Any, Value] = {}
        self.kept: list[Any] = []  # what is known by its id must live
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
        key = (kind, known_as(f), known_as(args), known_as(kwargs), form)
        if pure and key in self.known:
            return self.known[key]
        now = np.geterr()
        errors = () if now == self.errors else tuple(now.items() - self.errors.items())
        instruction = Instruction(kind, f, args, kwargs, where(), errors)
        instruction.out = self.known[key] = Value(instruction, *form)
        self.program.append(instruction)
        self.kept.append((f, args, kwargs))
        return instruction.out

    def __enter__(self) -> Recorder:
        current.recorder = self
        return self

    def __exit__(self, *_: object) -> None:
        current.recorder = None


def known_as(x: Any) -> Any:
    """What identifies an argument while recording: equal keys, equal values."""
    if isinstance(x, (Value, np.ndarray)):
        return id(x)
    if type(x) in (tuple, list):
        return (type(x), *map(known_as, x))
    if type(x) is dict:
        return tuple((k, known_as(x[k])) for k in sorted(x))
    if type(x) is slice:
        return (slice, known_as((x.start, x.stop, x.step)))
    if isinstance(x, np.generic):
        return (x.dtype, x.tobytes())
    if isinstance(x, (int, float, str, bool, type(None))):
        return (type(x), repr(x))
    return (id(x),)


# --- comparing two recordings


class Content:
    """An array that is no argument: equal to itself, and to one with the same numbers."""

    def __init__(self, x: Array) -> None:
        self.array, self.kind = x, (x.dtype, x.shape, x.strides)
        self.sum = (
            zlib.crc32(np.ascontiguousarray(x).reshape(-1).view(np.uint8).data) if x.size else 0
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Content) or self.kind != other.kind:
            return False
        return self.array is other.array or self.sum == other.sum


def signature(program: list[Instruction]) -> list[tuple[Any, ...]]:
    """What must be the same in two recordings."""
    order = {id(instruction.out): i for i, instruction in enumerate(program)}

    def comparable(x: Any) -> Any:
        if isinstance(x, Value):
            return f"%{order[id(x)]}"
        if isinstance(x, np.ndarray):
            return Content(x)
        if hasattr(x, "__name__") and not isinstance(x, np.generic):  # a function, or a method
            return getattr(x, "__self__", None).__class__, x.__name__
        return type(x), repr(x)

    return [
        (
            i.kind, None if i.kind in ("input", "number", "memory") else comparable(i.f),
            mapped(comparable, [i.args, i.kwargs]), i.out.dtype, i.out.shape, i.line,
        )
        for i in program
    ]  # fmt: skip


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


def is_users(module: str) -> bool:
    return not module.startswith(LIBRARY) or module.startswith(LIBRARY + "lab")


def where() -> Line:
    """The first line outside of the library; on the way back, that of what is differentiated."""
    frame: FrameType | None = sys._getframe(1)
    inner = Line()
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(HERE):
            if frame.f_code.co_name == "record":  # beyond it is who called
                break
        elif not module.startswith("numpy"):
            if is_users(module):
                return Line(frame.f_code.co_filename, frame.f_lineno)
            inner = inner if inner.file else Line(frame.f_code.co_filename, frame.f_lineno)
            if frame.f_code is BACK:
                out = frame.f_locals["y"]._out
                made = getattr(out[0] if type(out) is tuple else out, "origin", None)
                if made is not None:
                    return Line(made.file, made.number, True)
        frame = frame.f_back
    return inner
