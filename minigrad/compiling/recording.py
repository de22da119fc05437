"""Stage 1, record: run a function once on stand-ins for its arrays, and note every NumPy call.

A `Traced` stands where an array stood. It holds the real array, so a recorded call computes what an
ordinary one does; and whatever NumPy is asked to do with it becomes an `Instruction` whose result
is a `Value`, written once and never changed: what changes an array in place makes a new value, with
which the stand-in goes on. A stand-in cannot be turned into a number, a truth value or a plain
array: what would depend on the numbers of this one call raises, and names the line.
"""

from __future__ import annotations

import functools
import operator
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..autograd.tensor import COMPOSITES, PIECEWISE_CONSTANT, RULES, Tensor
from ..checks import all_elements
from .program import (
    LIBRARY,
    VIEWS,
    CompileError,
    Otherwise,
    Recorder,
    Value,
    current,
    layout,
    mapped,
    where,
)  # fmt: skip

SHAPELESS = "makes an array whose shape depends on numbers: use np.where instead"


def refuse(what: str) -> CompileError:
    line = where()
    return CompileError(f"compile: {line} {what} ({line.text})")


def looks(what: str) -> Callable[..., Any]:
    """A method that is a look at numbers."""

    def method(self: Any, *_: Any, **__: Any) -> Any:
        if sys._getframe(1).f_code is all_elements.__code__:  # an ordinary call says what is wrong
            raise Otherwise
        raise refuse(
            f"{what}, and it differs from call to call: use np.where, return it, or leave this "
            "part uncompiled"
        )

    return method


class Number:
    """Stands in for a Python number that differs from call to call: the step t, the rate."""

    def __init__(self, value: Value, data: float) -> None:
        self.value, self.data = value, data

    __bool__ = __float__ = __int__ = __index__ = looks("asks for the value of a number")
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = looks("compares a number")
    __hash__ = object.__hash__

    def __array_ufunc__(self, f: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return ufunc(f, method, args, kwargs)

    def __neg__(self) -> Any:
        return arithmetic(operator.neg, self)


def arithmetic(f: Callable[..., Any], *args: Any) -> Any:
    """f of Python numbers."""
    if any(type(a) is Traced for a in args):
        return NotImplemented
    return call("call", f, args, {}, f(*mapped(data_of, args)))


for name in ("add", "sub", "mul", "truediv", "pow"):
    op = getattr(operator, name)
    setattr(Number, f"__{name}__", lambda a, b, op=op: arithmetic(op, a, b))
    setattr(Number, f"__r{name}__", lambda a, b, op=op: arithmetic(op, b, a))


class Traced:
    """Stands in for an array, and notes what NumPy is asked to do with it.

    frozen: what it is, if it must not be changed.
    base, how: of a view, what it is a view of. If that has been changed since, the view is taken
        anew; if the view is changed, so is its base.
    changed: how long the program was when it was first changed.
    """

    def __init__(self, recorder: Recorder, value: Value, data: Any, frozen: str = "") -> None:
        self.recorder, self._value, self._data, self.frozen = recorder, value, data, frozen
        self.base: Traced | None = None
        self.how: tuple[Any, ...] = ()
        self.version = self.seen = 0
        self.changed: int | None = None

    __class__ = property(lambda self: np.ndarray)
    __array_priority__ = 1000

    # --- what it is now

    def refresh(self) -> None:
        base = self.base
        if base is not None:
            base.refresh()
            if base.version != self.seen:
                self._value, self._data = view(base, *self.how)
                self.seen = base.version
                self.version += 1

    @property
    def value(self) -> Value:
        if self.base is not None:
            self.refresh()
        return self._value

    @property
    def data(self) -> Any:
        if self.base is not None:
            self.refresh()
        return self._data

    origin = property(operator.attrgetter("_value.made.line"))

    def solid(self) -> Value:
        """The value, in an array that lies in memory as the real one does (see `assign`)."""
        value = self.value
        if value.strides != self._data.strides and layout(value) != layout(self._data):
            self._value = value = self.recorder.emit("copy", None, (value,), {}, self._data)
        return value

    def become(self, value: Value, data: Any) -> None:
        """This array has been changed in place: now it is that."""
        if self.frozen:
            raise refuse(f"changes {self.frozen} in place: copy it first")
        if self.base is not None:
            new = Traced(self.recorder, value, data)
            how, what = self.how
            if how == "getitem":
                assign(self.base, what, new)
            elif how == "reshape":
                assign(self.base, ..., new.reshape(self.base.shape))
            elif how == "transpose":
                assign(self.base, ..., new.transpose(None if what is None else np.argsort(what)))
            else:
                raise refuse("writes to a broadcast array")
            self.seen = self.base.version
        if self.changed is None:
            self.changed = len(self.recorder.program)
        self._value, self._data = value, data
        self.version += 1

    def part(self, how: str, what: Any) -> Traced:
        value, data = view(self, how, what)
        new = Traced(self.recorder, value, data, self.frozen)
        if np.may_share_memory(data, self._data):
            new.base, new.how, new.seen = self, (how, what), self.version
        return new

    # --- what can be asked without looking at numbers

    shape, dtype, ndim, size, nbytes, itemsize, strides = (
        property(operator.attrgetter(f"data.{name}"))
        for name in "shape dtype ndim size nbytes itemsize strides".split()
    )
    flags = property(lambda self: SimpleNamespace())  # none that matter
    __array__ = looks("makes a plain array of an array")
    __float__ = __int__ = __index__ = __complex__ = item = tolist = looks("looks at a number")
    __iter__ = __contains__ = tobytes = looks("looks into an array")
    __hash__ = object.__hash__

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        return f"<array of shape {self.shape}, being recorded>"

    def __bool__(self) -> bool:
        if not sys._getframe(1).f_globals.get("__name__", "").startswith(LIBRARY):
            looks("asks whether something is true")(self)
        truth = bool(self.data)  # the library's own check: it must come out alike when replayed
        self.recorder.emit("guard", truth, (self.value,), {}, np.bool_(truth))
        return truth

    # --- NumPy's protocols, and methods

    def __array_ufunc__(self, f: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        return ufunc(f, method, args, kwargs)

    def __array_function__(self, f: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return function(f, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        parts = as_tuple(index)
        for i in parts:
            if type(i) is Traced and i.dtype.kind == "b" and i.ndim:
                if i.value.made.kind != "memory":
                    raise refuse(SHAPELESS)
                same = reduction(np.add, i, None, False) == i.data.sum()
                self.recorder.emit("guard", True, (same.value,), {}, np.True_)
        data = self.data[mapped(data_of, index)]
        if isinstance(data, np.ndarray) and not any(
            isinstance(i, (list, np.ndarray, np.bool_, bool)) for i in parts
        ):
            if data.ndim:
                return self.part("getitem", index)
            index = tuple(i for i in parts if i is not Ellipsis)  # x[..., 0]: the number will do
            number = call("item", getitem, (self, index), {}, data.copy())
            number.frozen = "an element of an array"
            return number
        return call("item", getitem, (self, index), {}, data)

    def __setitem__(self, index: Any, x: Any) -> None:
        if type(index) is Traced and index.dtype.kind == "b" and np.ndim(data_of(x)):
            raise refuse(SHAPELESS)
        assign(self, index, x)

    def reshape(self, *shape: Any) -> Traced:
        return self.part("reshape", shape[0] if len(shape) == 1 else shape)

    def ravel(self) -> Traced:
        return self.reshape(-1)

    def squeeze(self, axis: Any = None) -> Traced:
        return self.reshape(self.data.squeeze(axis).shape)

    def transpose(self, *axes: Any) -> Traced:
        order = axes[0] if len(axes) == 1 else axes or None
        return self.part("transpose", None if order is None else tuple(map(int, order)))

    T = property(transpose)

    def swapaxes(self, i: int, j: int) -> Traced:
        axes = [*range(self.ndim)]
        axes[i], axes[j] = axes[j], axes[i]
        return self.transpose(axes)

    def view(self) -> Traced:
        return self.part("getitem", ...)

    def copy(self, order: Any = "C") -> Any:
        return call("copy", None, (self,), {}, self.data.copy(order))

    def flatten(self) -> Any:
        return self.ravel().copy()

    def astype(self, dtype: Any, casting: Any = "unsafe", copy: bool = True) -> Any:
        data = self.data.astype(dtype, casting=casting)
        if data.dtype == self.dtype:
            return self.copy("K") if copy else self
        return call("cast", None, (self,), {}, data)

    def dot(self, other: Any) -> Any:
        return function(np.dot, (self, other), {})

    def __pow__(self, n: Any) -> Any:
        if isinstance(n, Tensor):
            return NotImplemented
        if isinstance(self.data, np.ndarray) and type(n) in (int, float):
            f = {1: np.positive, 2: np.square, 0.5: np.sqrt, -1: np.reciprocal}.get(n)  # as arrays
            if f is np.square or (f is not None and self.dtype.kind == "f"):
                return ufunc(f, "__call__", (self,), {})
            return call("call", operator.pow, (self, n), {}, self.data**n)
        return ufunc(np.power, "__call__", (self, n), {})


REDUCTIONS = dict(
    sum=np.add, prod=np.multiply, max=np.maximum, min=np.minimum,
    all=np.logical_and, any=np.logical_or,
)  # fmt: skip
f: Any
for name, f in REDUCTIONS.items():
    setattr(
        Traced, name,
        lambda self, axis=None, keepdims=False, f=f: reduction(f, self, axis, keepdims),
    )  # fmt: skip
for name in "mean var std argmax argmin argsort cumsum cumprod clip round diagonal trace".split():
    setattr(
        Traced, name,
        lambda self, *args, name=name, **kwargs: call(
            "call", name, (self, *args), kwargs,
            getattr(self.data, name)(*mapped(data_of, args), **mapped(data_of, kwargs)),
        ),
    )  # fmt: skip


def binary(f: Any, reflected: bool = False, in_place: bool = False) -> Callable[..., Any]:
    def operate(self: Any, other: Any) -> Any:
        if isinstance(other, Tensor):
            return NotImplemented
        args = (other, self) if reflected else (self, other)
        fixed = in_place and isinstance(self.data, np.ndarray)  # NumPy's single numbers are not
        return ufunc(f, "__call__", args, {"out": self} if fixed else {})

    return operate


ARITHMETIC = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide,
    "mod": np.remainder, "floordiv": np.floor_divide, "matmul": np.matmul,
    "and": np.bitwise_and, "or": np.bitwise_or,
}  # fmt: skip
COMPARISONS = dict(
    eq=np.equal, ne=np.not_equal, lt=np.less, le=np.less_equal, gt=np.greater, ge=np.greater_equal
)
UNARY = dict(neg=np.negative, pos=np.positive, abs=np.absolute, invert=np.invert)
for name, f in ARITHMETIC.items():
    setattr(Traced, f"__{name}__", binary(f))
    setattr(Traced, f"__r{name}__", binary(f, reflected=True))
    setattr(Traced, f"__i{name}__", binary(f, in_place=True))
for name, f in COMPARISONS.items():
    setattr(Traced, f"__{name}__", binary(f))
for name, f in UNARY.items():
    setattr(Traced, f"__{name}__", lambda self, f=f: ufunc(f, "__call__", (self,), {}))
setattr(Traced, "__rpow__", binary(np.power, reflected=True))  # noqa: B010
setattr(Traced, "__ipow__", binary(np.power, in_place=True))  # noqa: B010


# --- what becomes an instruction


def data_of(x: Any) -> Any:
    return x.data if type(x) in (Traced, Number) else x


def value_of(x: Any) -> Any:
    return x.solid() if type(x) is Traced else x.value if type(x) is Number else x


def as_tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def stands_in(x: Any) -> Recorder | None:
    """The recorder of the first stand-in in a nest."""
    if type(x) is Traced:
        return x.recorder
    if type(x) is Number:
        return current.recorder
    if type(x) in (tuple, list):
        return next(filter(None, map(stands_in, x)), None)
    return None


def stand_in(recorder: Recorder, value: Value, data: Any, frozen: str = "") -> Any:
    return Number(value, data) if value.dtype is None else Traced(recorder, value, data, frozen)


def source(recorder: Recorder, kind: str, f: Any, data: Any, frozen: str = "") -> Any:
    """A stand-in for what is there before the program begins."""
    return stand_in(recorder, recorder.emit(kind, f, (), {}, data, pure=False), data, frozen)


def call(kind: str, f: Any, args: Any, kwargs: dict[str, Any], data: Any, pure: bool = True) -> Any:
    """An instruction whose result is `data`, an array, a number or a tuple of those."""
    recorder = stands_in((*args, *kwargs.values())) or current.recorder
    if recorder is None:
        raise CompileError("compile: a number of a recording is used after it has ended")
    if kind == "call" and isinstance(data, np.ndarray):  # not a view of what may be overwritten
        arrays = [x for x in mapped(data_of, args) if isinstance(x, np.ndarray)]
        if any(np.may_share_memory(data, x) for x in arrays):
            data, f = data.copy(), copies.setdefault(f, functools.partial(copied, f))
    args, kwargs = mapped(value_of, args), mapped(value_of, kwargs)
    if isinstance(data, tuple):
        whole = recorder.emit(kind, f, args, kwargs, np.float64(0), pure)
        parts = [np.copy(p) if isinstance(p, np.ndarray) else p for p in data]
        picks = [recorder.emit("pick", i, (whole,), {}, part) for i, part in enumerate(parts)]
        return tuple(stand_in(recorder, value, part) for value, part in zip(picks, parts))
    return stand_in(recorder, recorder.emit(kind, f, args, kwargs, data, pure), data)


copies: dict[Any, Any] = {}  # functions that give views, and those that give copies of them


def copied(f: Any, *args: Any, **kwargs: Any) -> Any:
    f = getattr(type(args[0]), f) if isinstance(f, str) else f
    return f(*args, **kwargs).copy()


def getitem(x: Any, index: Any) -> Any:
    part = x[index]
    return part.copy() if isinstance(part, np.ndarray) and part.base is not None else part


def view(x: Traced, how: str, what: Any) -> tuple[Value, Any]:
    """x reshaped, transposed, indexed or repeated: a view if it can be one, else a copy."""
    value, before, emit = x.solid(), x._data, x.recorder.emit
    data = VIEWS[how](before, what)
    number = not isinstance(before, np.ndarray) and data.shape == ()
    if number or (data.shape, data.strides) == (before.shape, before.strides):
        return value, data  # nothing to do
    if data.size and not np.may_share_memory(data, before):
        return emit("copy", None, (value,), {}, data), data
    what = data.shape if how == "reshape" else what
    return emit("view", how, (value, what), {}, data), data


def assign(x: Traced, index: Any, y: Any, f: Any = None) -> None:
    """x[index] = y, or f.at(x, index, y)."""
    data = x.data.copy(order="K")
    plain, new = mapped(data_of, index), data_of(y)
    if f is None:
        data[plain] = new
    else:
        f.at(data, plain, new)
    whole = plain is Ellipsis or (type(plain) is slice and plain == slice(None))
    if f is None and whole and type(y) is Traced and y.dtype == data.dtype:
        if y.shape == data.shape and y.data.strides == data.strides:
            return x.become(y.value, data)
        if 0 < y.ndim <= data.ndim:  # a view will do for functions of each element by itself
            return x.become(view(y, "broadcast_to", data.shape)[0], data)
    if sum(isinstance(i, (int, np.integer)) for i in as_tuple(index)) == x.ndim:
        index = tuple(i for i in as_tuple(index) if i is not Ellipsis)
        index = index[0] if len(index) == 1 else index
    recorder, given = x.recorder, (x.solid(), mapped(value_of, index), value_of(y))
    new = recorder.emit("setitem", f, given, {}, data)
    place = stretch(index, data) if f is None and given[0].made.kind == "zeros" else None
    if place and np.shape(y) == data[index].shape and np.asarray(data_of(y)).dtype == data.dtype:
        part = Traced(recorder, given[2], y.data) if type(y) is Traced else y
        recorder.sparse[new] = {place: (part, False)}
    x.become(new, data)


def stretch(index: Any, x: Any) -> tuple[int, int] | None:
    """Where a part of a row of floats begins and ends."""
    if x.ndim != 1 or x.dtype.kind != "f":
        return None
    if type(index) is int:
        return index % len(x), index % len(x) + 1
    if type(index) is slice and {*map(type, (index.start, index.stop))} <= {int, type(None)}:
        return index.indices(len(x))[:2] if index.step in (None, 1) else None
    return None


def side_by_side(a: Any, b: Any, data: Any) -> Value | None:
    """a + b, if both are 0 but for some stretches, with nothing added elsewhere.

    Such sums are what comes back to a row whose parts were used one by one. -0 + 0 is 0, and so 0
    is added to a stretch that is in one of them only, once.
    """
    if type(a) is not Traced or type(b) is not Traced or a.shape != b.shape or a.dtype != b.dtype:
        return None
    sparse = a.recorder.sparse
    parts, others = sparse.get(a.value, {}), sparse.get(b.value, {})
    places = sorted(parts.keys() | others.keys())
    overlap = any(end > start for (_, end), (start, _) in zip(places, places[1:]))
    if not parts or not others or overlap:
        return None
    sums: dict[Any, tuple[Any, bool]] = {}
    row, at = [], 0
    for place in places:
        (v, added), *second = [which[place] for which in (parts, others) if place in which]
        if second:
            v, added = v + second[0][0], added or second[0][1]
        elif not added:
            v, added = v + 0.0, True
        sums[place] = v, added
        row += [np.zeros(place[0] - at, data.dtype)] * (place[0] > at) + [v]
        at = place[1]
    row += [np.zeros(len(data) - at, data.dtype)] * (len(data) > at)
    value: Value = call("concatenate", 0, (tuple(row),), {}, data).value
    sparse[value] = sums
    return value


def finish(result: Any, out: Any) -> Any:
    """What a function returns that was given an `out`."""
    if out is None:
        return result
    if type(out) is not Traced:
        raise refuse(
            "writes into an array that was made outside: make it inside, or let the function refer "
            "to it by a name"
        )
    assign(out, ..., result)
    return out


def is_one(x: Any) -> bool:
    known = type(x) in (int, float) or (type(x) is not Traced and getattr(x, "shape", 0) == ())
    return known and bool(x == 1)


def ufunc(f: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for a in args:
        if type(a) is not Traced and isinstance(a, Tensor):
            return NotImplemented
    out = kwargs.pop("out", None)
    out = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if method == "reduce" and out is None and not kwargs.keys() - {"axis", "keepdims"}:
        axis = args[1] if len(args) > 1 else kwargs.get("axis", 0)
        return reduction(f, args[0], axis, kwargs.get("keepdims", False))
    if method == "at" and type(args[0]) is Traced:
        return assign(args[0], args[1], args[2], f)
    if method != "__call__" or kwargs:
        raise refuse(f"calls np.{f.__name__}.{method} with {[*kwargs]}, which is not known")
    if len(args) > f.nin:
        out, args = args[f.nin], args[: f.nin]
    if out is not None and (type(out) is not Traced or out.ndim == 0):
        return finish(ufunc(f, method, args, {}) if type(out) is Traced else None, out)
    plain = mapped(data_of, args)
    if f.nout > 1:
        return call("call", f, args, {}, f(*plain))
    recorder = stands_in(args) or stands_in(out)
    assert recorder is not None
    data = f(*plain) if out is None else f(*plain, out=np.empty_like(out.data))
    unchanged = times_one(f, args, data)
    joined = side_by_side(args[0], args[1], data) if f is np.add and out is None else None
    if joined is not None:
        value = joined
    elif unchanged is not None:
        value = unchanged.value
    elif f.signature:
        value = recorder.emit("dot", f, mapped(value_of, args), {}, data)
    else:  # element by element: arrays need not lie as the real ones do
        given = tuple(a.value if type(a) in (Traced, Number) else a for a in args)
        value = recorder.emit("ufunc", f, given, {}, data)
    if out is None:
        return Traced(recorder, value, data)
    out.become(value, data)
    return out


def times_one(f: Any, args: tuple[Any, ...], data: Any) -> Traced | None:
    """The argument that is the result already."""
    if f not in (np.multiply, np.divide, np.positive):
        return None
    pairs = {np.multiply: (args, args[::-1]), np.divide: (args,), np.positive: ((*args, 1),)}
    for x, other in pairs[f]:
        if type(x) is Traced and is_one(other) and (x.dtype, x.shape) == (data.dtype, data.shape):
            if x.data.strides == data.strides:
                return x
    return None


def reduction(f: Any, x: Any, axis: Any, keepdims: Any) -> Any:
    axis = tuple(axis) if isinstance(axis, list) else axis
    options = {"axis": axis, "keepdims": bool(keepdims)}
    return call("reduce", f, (x,), options, f.reduce(x.data, **options))


NEEDS_NO_NUMBERS = {np.shape, np.ndim, np.size, np.iscomplexobj, np.result_type, np.ones_like,
                    np.full_like}  # fmt: skip
KNOWN = {np.take_along_axis, np.sort, np.take, np.tile, np.dot, np.nan_to_num, np.searchsorted,
         np.argpartition, np.partition}  # fmt: skip
METHODS = {
    getattr(np, name): name
    for name in "sum prod max min all any reshape transpose swapaxes squeeze ravel copy argmax "
    "argmin astype".split()
} | {np.amax: "max", np.amin: "min"}  # fmt: skip


def function(f: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function that is no ufunc was called."""
    if any(isinstance(a, Tensor) for a in args):
        return NotImplemented
    out = kwargs.pop("out", None)
    x: Any = args[0] if args else None
    if f in METHODS and type(x) is Traced:
        return finish(getattr(x, METHODS[f])(*args[1:], **kwargs), out)
    plain, options = mapped(data_of, args), mapped(data_of, kwargs)
    if f in NEEDS_NO_NUMBERS:
        return f(*plain, **options)
    if f in (np.zeros_like, np.empty_like):
        return zeros(x.shape, kwargs.get("dtype", x.dtype))
    if f is np.expand_dims:
        return x.reshape(f(*plain, **options).shape)
    if f is np.moveaxis:  # each axis is known by its length
        axes = np.empty((*range(1, x.ndim + 1),), np.int8)
        return x.transpose([n - 1 for n in f(axes, *args[1:], **kwargs).shape])
    if f is np.broadcast_to:
        return x.part("broadcast_to", args[1])
    if f is np.copyto:
        return assign(args[0], ..., args[1])
    if f is np.concatenate:
        axis = args[1] if len(args) > 1 else kwargs.get("axis", 0)
        parts = tuple(p if type(p) is Traced else np.asarray(p) for p in x)
        return finish(call("concatenate", axis, (parts,), {}, f(plain[0], axis)), out)
    if f is np.nonzero or (f is np.where and len(args) == 1):
        raise refuse(SHAPELESS)
    if f not in RULES and f not in PIECEWISE_CONSTANT and f not in COMPOSITES and f not in KNOWN:
        raise refuse(f"calls np.{f.__name__}, which is not known")
    data = f(*plain, **options)
    into = f is np.dot or (f is np.clip and len(args) == 3)  # takes an array to write into
    kind = "dot" if into and np.ndim(data) and not kwargs else "call"
    return finish(call(kind, f, args, kwargs, data), out)


def zeros(shape: Any, dtype: Any = float) -> Any:
    data, recorder = np.zeros(shape, dtype), current.recorder
    if recorder is None:
        return data
    return Traced(recorder, recorder.emit("zeros", None, (), {}, data), data)
