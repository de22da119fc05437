"""Tensor: an array that remembers how it was computed, and the walk back through what it remembers.

    y = apply(f, a, b)       computes f on the arrays and notes in y: "I came from f(a, b)"
    walk([y], [g], ...)      carries dL/dy = g back from y to everything y was computed from

The derivative of f stands on the sheet of rules (`rules.py`), keyed by f itself. This file knows
only how to look a rule up, in which order to visit the tensors, and how to add up what arrives.
Operators and methods are in `operators.py`. Derived in
`chapters/autograd/computational-graph.ipynb` (scalars) and
`chapters/autograd/tensor-engine.ipynb` (arrays).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from . import arrays, operators
from .arrays import OPERATORS, Array, as_array, as_dtype
from .calls import fit, named, no_method, no_rule, refuse_out
from .messages import LOSES_GRADIENT, RELEASED, changed_in_place, explain, name, no_derivative
from .operators import PLAIN, Operators, array_of, operand, plain_index, unusual
from .recording import state

ArrayLike = Any  # a Tensor, an array, a Python number, or a nested sequence of numbers
Heap = list[tuple[int, "Tensor"]]

# RULES[f] is either a tuple with one rule per argument,   rule(g, y, *args, **kwargs) -> dL/darg
# (None where an argument has no derivative), or one function that gives them all at once.
RULES: dict[Any, Any] = {}
# What computes f on arrays, where that is not f: an operator, or what a @primitive wraps.
FORWARD: dict[Any, Callable[..., Any]] = dict(OPERATORS)

# NumPy functions written in terms of others; and those that give plain arrays, because their
# derivative is 0 or does not exist (np.sign, np.argmax).
COMPOSITES: dict[Callable[..., Any], Callable[..., Any]] = {}
PIECEWISE_CONSTANT: set[Callable[..., Any]] = set()

# Every tensor takes the next number when it is made, and a leaf a new one whenever it is changed.
# So a tensor is older than all that was computed from it, and a leaf that turns out to be younger
# than its use has been changed since.
clock = itertools.count()
NO_OPTIONS: dict[str, Any] = {}  # one for all: an empty dict for each tensor takes 64 bytes
# looked up once, as they are needed at every operation
new, float64 = object.__new__, np.float64


def released(*_: object) -> None:
    """Sentinel for `_f`: the history of this tensor has been freed. It is its own rule."""
    raise RuntimeError(RELEASED)


RULES[released] = released


def apply(f: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
    """y = f(*args, **kwargs) on the arrays inside; y remembers f and args if need be.

    `f` is a function with a rule. If it returns a tuple `(y, *saved)`, the tuple is kept and handed
    to the rule in the place of y: that is how a fused operation passes on what it has computed.
    """
    wanted = False
    values = []
    for a in args:
        if isinstance(a, Tensor):
            values.append(a._data)
            wanted = wanted or a._requires_grad
        elif type(a) in PLAIN or not unusual(f, a):
            values.append(a)
        else:
            return apply(f, *[operand(f, a) for a in args], **kwargs)
    compute = FORWARD.get(f, f)
    try:
        out = compute(*values, **kwargs) if kwargs else compute(*values)
    except (TypeError, ValueError, IndexError) as error:
        raise explain(f, values, kwargs, error) from None
    data = out[0] if type(out) is tuple else out
    if type(data) is np.ndarray:
        data.setflags(write=False)
    y = new(Tensor)  # without __init__, whose checks take longer than most operations
    y._data = data
    y.grad = None
    y._number = next(clock)
    if wanted and state.on:
        y._requires_grad = True
        y._f = f
        y._args = args
        y._kwargs = kwargs or NO_OPTIONS
        y._out = out
    else:
        y._requires_grad = False
        y._f = None
    return y


def walk(
    outputs: Sequence[Tensor],
    gradients: Sequence[Any],
    inputs: Sequence[Tensor] | None,
    create_graph: bool = False,
    retain_graph: bool = False,
) -> list[tuple[Tensor, Any]]:
    """Reverse accumulation: pairs (a, dL/da) for every leaf a, or for the given `inputs`.

    Newest tensor first. Whatever was computed from a is younger than a, so when a's turn comes all
    its uses have reported, and their sum is complete:  dL/da = sum over uses y of (dy/da)^T dL/dy.
    """
    wanted = set(inputs or ())
    oldest = min([a._number for a in wanted], default=-1)  # nothing older leads to an input
    total: dict[Tensor, Any] = {}  # dL/d(tensor), as far as it has arrived
    for y, g in zip(outputs, gradients):
        total[y] = total[y] + g if y in total else g
    waiting = [(-y._number, y) for y in total if y._f is not None]  # a heap, youngest on top
    heapify(waiting)
    while waiting:
        y = heappop(waiting)[1]
        g = total[y] if y in wanted else total.pop(y)
        if y._number > oldest:
            pull_back(y, g, total, waiting, oldest, create_graph)
            if not retain_graph:
                y._f, y._args, y._out = released, (), None
    return [*total.items()] if inputs is None else [(a, total[a]) for a in inputs if a in total]


def pull_back(
    y: Tensor, g: Any, total: dict[Tensor, Any], waiting: Heap, oldest: int, create_graph: bool
) -> None:
    """Add (dy/da)^T g to the total of each argument a of y, by the rules of y's function.

    With `create_graph` they are given Tensors in place of arrays, and so record themselves.
    """
    f: Any = y._f
    args, kwargs = y._args, y._kwargs
    if create_graph:  # computed again from Tensors, what f saved is differentiable, too
        given = [g, FORWARD.get(f, f)(*args, **kwargs) if type(y._out) is tuple else y, *args]
    else:
        given = [g, y._out]
        for a in args:
            given.append(a._data if isinstance(a, Tensor) else a)
    rules = RULES[f]
    one_each = type(rules) is tuple
    grads = rules if one_each else rules(*given, **kwargs)
    for i, a in enumerate(args):
        if not isinstance(a, Tensor) or not a._requires_grad or a._number < oldest:
            continue
        if a._number > y._number:
            raise RuntimeError(changed_in_place(f, a.shape))
        d = grads[i]
        if one_each and d is not None:  # a rule, which gives the gradient
            d = d(*given, **kwargs) if kwargs else d(*given)
        if d is None:
            raise RuntimeError(no_derivative(f, i))
        v = given[i + 2]
        if type(d) is not float64 or type(v) is not float64:  # of single numbers they agree
            if d.shape != v.shape:
                d = unbroadcast(d, v.shape)
            if d.dtype is not v.dtype:
                d = d.astype(v.dtype)
        if a in total:
            total[a] = total[a] + d  # not in place: another tensor may share it
        else:
            total[a] = d
            if a._f is not None:
                heappush(waiting, (-a._number, a))


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum g over the axes along which an array of `shape` was repeated to reach g's shape."""
    if len(shape) == 1 and shape == g.shape[-1:]:
        return column_sums(g) if isinstance(g, Tensor) else arrays.column_sums(g)
    lead = g.ndim - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[lead:])):
        raise ValueError(
            f"a rule gave a gradient of shape {tuple(g.shape)} for an operand of shape {shape}: it "
            "must have the operand's shape, or one that the operand was broadcast to"
        )
    axes = tuple(range(lead)) + tuple(
        i + lead for i, n in enumerate(shape) if n == 1 and g.shape[i + lead] != 1
    )
    g = g.sum(axis=axes) if axes else g
    return g.reshape(shape) if g.shape != shape else g


def primitive(*rules: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a function of arrays its rules, and let it be called with arrays or Tensors."""

    def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
        if f in RULES:
            raise ValueError(
                f"{name(f)} already has a rule, which this would replace everywhere: wrap it in a "
                "function of your own"
            )

        @wraps(f)
        def call(*args: Any, **kwargs: Any) -> Any:
            for a in args:
                if isinstance(a, Tensor):
                    return apply(f, *args, **kwargs)
            return f(*args, **kwargs)

        RULES[f] = RULES[call] = rules
        FORWARD[call] = f
        return call

    return decorate


# BLAS makes them as a product with ones; their derivative shall not be a product, too.
column_sums = primitive(lambda g, y, x: np.broadcast_to(g, x.shape))(arrays.column_sums)


class Tensor(Operators):
    """An array that remembers how it was computed.

    Parameters
    ----------
    data: a number, an array, a nested list of numbers, or a Tensor. Its dtype is kept (Python
        floats are float64, as in NumPy). With `requires_grad` the array is copied, else shared.
    requires_grad: whether `backward()` shall leave a gradient here. Floating-point data only.
    dtype: converts the data.

    Attributes
    ----------
    data: the ndarray. That of an operation's result is read-only. A leaf's can be replaced
        (`x.data = ...`, `x.data -= ...`), which the engine notices; a write into the array itself
        (`x.data[0] = 5`) it cannot see: use `x[0] = 5`. An optimizer moves it into an array of its
        own: read `x.data` anew after one was made or has stepped.
    grad: dL/dx as an ndarray of the same shape and dtype after `backward()`, else None. It adds up
        over several calls, until it is set to None.
    requires_grad, shape, ndim, size, dtype, T: as in NumPy and PyTorch.

    Raises
    ------
    TypeError: integer or boolean data with `requires_grad=True`.

    Example
    -------
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    array([2., 4.])
    """

    __slots__ = ("_data", "grad", "_requires_grad", "_number", "_f", "_args", "_kwargs", "_out")

    _data: Array
    grad: Array | None
    _f: Callable[..., Any] | None
    _args: tuple[Any, ...]
    _kwargs: dict[str, Any]
    _out: Any  # what the function returned: y's array, or (y, *saved)

    def __init__(self, data: ArrayLike, requires_grad: bool = False, dtype: Any = None) -> None:
        label = type(self).__name__
        array = data._data if isinstance(data, Tensor) else as_array(f"{label}: data", data)
        if dtype is not None:
            array = array.astype(as_dtype(f"{label}: dtype", dtype), copy=False)
        self._data = np.array(array) if requires_grad else array
        self.grad = None
        self._number = next(clock)
        self._f = None
        self._requires_grad = False
        self.requires_grad = requires_grad

    # --- what it is

    @property
    def data(self) -> Array:
        return np.asarray(self._data)

    @data.setter
    def data(self, value: ArrayLike) -> None:
        if self._f is not None:
            raise RuntimeError(
                "the data of an operation's result cannot be changed: change the leaf it was "
                "computed from, or a copy, x.numpy().copy()"
            )
        value = value._data if isinstance(value, Tensor) else as_array("x.data", value)
        if value.shape != self._data.shape:
            raise ValueError(f"x.data must keep its shape {self.shape}, got {value.shape}")
        if value is not self._data:
            self._data[...] = value  # into the same memory: an optimizer may hold a view of it
        self._number = next(clock)

    @property
    def requires_grad(self) -> bool:
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, (bool, np.bool_)):
            raise TypeError(f"Tensor: requires_grad must be True or False, got {value!r}")
        if value and self._data.dtype.kind != "f":
            raise TypeError(
                f"only floating-point tensors have gradients, got {self._data.dtype}: "
                "write the numbers with a decimal point, or pass dtype=float"
            )
        if self._f is not None and not value:
            raise RuntimeError(
                "a result of an operation requires_grad; .detach() gives one without"
            )
        self._requires_grad = bool(value)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def size(self) -> int:
        return self._data.size

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._data.dtype

    @property
    def T(self) -> Tensor:
        return self.transpose()

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self.size != 1:
            raise ValueError(f"item() needs a tensor of one element, got shape {self.shape}")
        return self._data.item()

    def numpy(self) -> Array:
        """The data as a read-only ndarray that shares its memory."""
        view = self.data.view()
        view.flags.writeable = False
        return view

    def detach(self) -> Tensor:
        """The same data (shared, not copied) without its history."""
        return Tensor(self.numpy())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self._requires_grad:
            raise TypeError(LOSES_GRADIENT)
        return np.array(self._data, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        text = np.array2string(self.data, separator=", ", prefix="Tensor(")
        if self._f is not None:
            return f"Tensor({text}, from {name(self._f)})"
        return f"Tensor({text}{', requires_grad=True' if self._requires_grad else ''})"

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a 0-d tensor has no length")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"a tensor of shape {self.shape} is neither true nor false: np.any or np.all of a "
                "comparison is"
            )
        return bool(self._data)

    def __format__(self, spec: str) -> str:
        return format(self.item() if spec else str(self), spec)

    __hash__ = object.__hash__  # by identity: == compares element by element

    def __reduce__(self) -> Any:
        """Copies, deep copies and pickled ones are leaves of their own, with a copy of the data."""
        if self._f is not None:
            raise RuntimeError(
                "only leaves can be copied or pickled, and this is the result of "
                f"{name(self._f)}: x.detach() has the same data without its history"
            )
        parts = (type(self), self._data, self._requires_grad, self.grad)
        return (restored, parts, vars(self)) if hasattr(self, "__dict__") else (restored, parts)

    # --- gradients

    def backward(self, gradient: ArrayLike | None = None, retain_graph: bool = False) -> None:
        """Add dL/dx to `x.grad` for every leaf x that this tensor, L, was computed from.

        Parameters
        ----------
        gradient: dL/d(this tensor), of this tensor's shape; 1 if it has one element.
        retain_graph: keep the history, so that it can be walked again.

        Raises
        ------
        RuntimeError: nothing here requires a gradient; several elements and no `gradient`; the
            graph was released by an earlier walk; a leaf was changed after it had been used.
        ValueError: `gradient` has another shape.

        Example
        -------
        >>> x = Tensor([3.0, 4.0], requires_grad=True)
        >>> (x / 2).backward(gradient=[1.0, 10.0])
        >>> x.grad
        array([0.5, 5. ])
        """
        seed = seed_gradient("backward: gradient", self, gradient)
        given: set[int] = {id(seed), id(gradient)}
        for leaf, g in walk([self], [seed], None, retain_graph=retain_graph):
            if leaf.grad is not None:
                leaf.grad = np.asarray(leaf.grad + g)
            elif id(g) in given or type(g) is not np.ndarray or g.base is not None:
                leaf.grad = np.array(g)  # a copy: .grad shares memory with nothing
            else:
                given.add(id(g))
                leaf.grad = g

    # --- NumPy's protocols: np.exp(x), np.sum(x), ... arrive here

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            raise no_method(ufunc, method)
        return dispatch(ufunc, args, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return dispatch(func, args, kwargs)

    def __setitem__(self, index: Any, value: ArrayLike) -> None:
        if self._f is not None or (self._requires_grad and state.on):
            raise RuntimeError(
                "x[...] = value is for leaves, and under no_grad() if they require a gradient; "
                "np.where builds a changed tensor that stays differentiable"
            )
        index, value = plain_index(index), as_array("x[...] = value: value", array_of(value))
        try:
            self._data[index] = value
        except (IndexError, ValueError, TypeError):
            raise IndexError(
                f"x[index] = value: index {index!r} and a value of shape {value.shape} do not fit "
                f"an array of shape {self.shape}"
            ) from None
        self._number = next(clock)


operators.apply = apply  # what every operator calls


def restored(kind: type[Tensor], data: Any, requires_grad: bool, grad: Array | None) -> Tensor:
    """The copy of a leaf."""
    x = kind.__new__(kind)
    Tensor.__init__(x, np.array(data), requires_grad)
    x.grad = None if grad is None else np.array(grad)
    return x


def in_place(f: Callable[..., Any], x: Any, other: Any) -> Tensor:
    """x += other, and so on. Under no_grad it changes the leaf x, as NumPy changes an array.

    Where it is recorded, a new tensor takes x's name: the old one is part of the history.
    """
    y = apply(f, x, other)
    if state.on or x._f is not None or not getattr(x._data.flags, "writeable", x._requires_grad):
        return y
    if not np.can_cast(y.dtype, x.dtype, "same_kind"):
        raise TypeError(f"{name(f)}: {y.dtype} does not fit into x of {x.dtype} in place")
    x.data = y._data
    return x  # type: ignore[no-any-return]


operators.in_place = in_place


def seed_gradient(label: str, y: Tensor, gradient: ArrayLike | None) -> Any:
    """dL/dy to start a walk with: 1 for one element, else what is given, checked."""
    if not y._requires_grad:
        raise RuntimeError(
            "nothing to differentiate: no tensor this was computed from has requires_grad=True "
            "(or it was computed under no_grad())"
        )
    if gradient is None:
        if y.size != 1:
            raise RuntimeError(
                f"the output has shape {y.shape}; a gradient starts from one number: take its "
                ".sum() or .mean(), or pass dL/d(output) of that shape"
            )
        return np.array(1, y.dtype).reshape(y.shape)
    if isinstance(gradient, Tensor):
        g = gradient._data
    else:
        g = as_array(label, gradient).astype(y.dtype, copy=False)
    if g.shape != y.shape:
        raise ValueError(f"{label} must have the output's shape {y.shape}, got {g.shape}")
    return g


def dispatch(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function was called with a Tensor: find what to do."""
    if f in PIECEWISE_CONSTANT:
        values, options = [*map(plain, args)], {k: plain(v) for k, v in kwargs.items()}
        refuse_out(f, args, kwargs)
        try:
            return f(*values, **options)
        except (TypeError, ValueError, IndexError) as error:
            raise explain(f, values, options, error) from None
    if f in COMPOSITES:
        args, kwargs = fit(f, COMPOSITES[f], 0, args, kwargs)
        try:
            return COMPOSITES[f](*args, **kwargs)
        except (TypeError, ValueError, IndexError) as error:
            raise named(f, error) from error.__cause__
    if f not in RULES and isinstance(f, np.ufunc):
        from . import special  # noqa: F401  SciPy's functions bring their rules along when needed
    if f in COMPOSITES:
        return dispatch(f, args, kwargs)
    if f not in RULES:
        raise no_rule(f)
    if f is np.where and args:  # the condition has no derivative
        args = (array_of(args[0]), *args[1:])
        if len(args) == 1:
            return dispatch(np.nonzero, args, {})
    rule = RULES[f] if callable(RULES[f]) else next(filter(None, RULES[f]))
    args, kwargs = fit(f, rule, 2, args, kwargs)
    return apply(f, *args, **kwargs)


def plain(x: Any) -> Any:
    """x with arrays in place of Tensors, also inside a tuple or list."""
    return type(x)(map(plain, x)) if type(x) in (tuple, list) else array_of(x)
