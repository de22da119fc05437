"""What a Tensor understands: Python's operators, NumPy's functions, and methods with NumPy's names.

Every one of them is one line: `apply` the NumPy function, which has its rule on the sheet.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import as_array, as_dtype
from .messages import explain, name, public_name

if TYPE_CHECKING:
    from .tensor import ArrayLike, Tensor
    from .tensor import apply as apply  # at run time tensor.py puts them here
    from .tensor import in_place as in_place


def array_of(x: Any) -> Any:
    return x._data if isinstance(x, Operators) else x


# What an operation can be given beside Tensors without a second look.
PLAIN = {int, float, bool, type(None), str, np.float64, np.float32}


def unusual(f: Any, x: Any) -> bool:
    """Whether x is a list where an operand stands, or holds what are no real numbers."""
    if type(x) is np.ndarray:
        return x.dtype.kind not in "fiub"
    if isinstance(x, (list, tuple)):
        return isinstance(f, np.ufunc)
    return type(x) is complex or getattr(getattr(x, "dtype", None), "kind", "f") not in "fiub"


def operand(f: Any, x: Any) -> Any:
    """An unusual operand as an array, or as a Tensor if it is a list with Tensors in it."""
    if not isinstance(x, Operators) and unusual(f, x):
        if isinstance(x, (list, tuple)) and holds_tensors(x):
            return np.stack([operand(f, np.asarray(v) if np.isscalar(v) else v) for v in x])
        return as_array(f"{name(f)}: an operand", x)
    return x


def holds_tensors(x: Any) -> bool:
    """Whether there is a Tensor in a nest of lists."""
    if isinstance(x, (list, tuple)):
        return any(map(holds_tensors, x))
    return isinstance(x, Operators)


# What names no entry twice where it stands in an index.
SIMPLE = {int, np.intp, slice, EllipsisType, type(None)}


def plain_index(index: Any) -> Any:
    """An index with arrays in place of Tensors, and in place of lists beside a slice."""
    return tuple(map(index_part, index)) if isinstance(index, tuple) else array_of(index)


def index_part(part: Any) -> Any:
    if type(part) in SIMPLE:
        return part
    if isinstance(part, (list, tuple)):
        return np.asarray(part) if len(part) else np.zeros(0, np.intp)
    return array_of(part)


def axes_of(axis: Any) -> Any:
    """An axis, or several in a tuple or a list."""
    return tuple(axis) if type(axis) is list else axis


def compare(f: np.ufunc, x: Operators, other: Any) -> Any:
    try:
        return f(x._data, array_of(other))
    except (TypeError, ValueError) as error:
        raise explain(f, [x._data, array_of(other)], {}, error) from None


class Operators:
    """The part of Tensor that only calls `apply`."""

    __slots__ = ()

    _data: Any

    # --- operators

    def __add__(self, other: ArrayLike) -> Tensor:
        return apply(np.add, self, other)

    def __radd__(self, other: ArrayLike) -> Tensor:
        return apply(np.add, other, self)

    def __sub__(self, other: ArrayLike) -> Tensor:
        return apply(np.subtract, self, other)

    def __rsub__(self, other: ArrayLike) -> Tensor:
        return apply(np.subtract, other, self)

    def __mul__(self, other: ArrayLike) -> Tensor:
        return apply(np.multiply, self, other)

    def __rmul__(self, other: ArrayLike) -> Tensor:
        return apply(np.multiply, other, self)

    def __truediv__(self, other: ArrayLike) -> Tensor:
        return apply(np.divide, self, other)

    def __rtruediv__(self, other: ArrayLike) -> Tensor:
        return apply(np.divide, other, self)

    def __mod__(self, other: ArrayLike) -> Tensor:
        return apply(np.remainder, self, other)

    def __rmod__(self, other: ArrayLike) -> Tensor:
        return apply(np.remainder, other, self)

    def __floordiv__(self, other: ArrayLike) -> Any:
        return np.floor_divide(self, other)  # type: ignore[call-overload]

    def __rfloordiv__(self, other: ArrayLike) -> Any:
        return np.floor_divide(other, self)  # type: ignore[call-overload]

    def __divmod__(self, other: ArrayLike) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: ArrayLike) -> Any:
        return other // self, other % self

    def __pow__(self, other: ArrayLike) -> Tensor:
        return apply(np.power, self, other)

    def __rpow__(self, other: ArrayLike) -> Tensor:
        return apply(np.power, other, self)

    def __matmul__(self, other: ArrayLike) -> Tensor:
        return apply(np.matmul, self, other)

    def __rmatmul__(self, other: ArrayLike) -> Tensor:
        return apply(np.matmul, other, self)

    def dot(self, other: ArrayLike) -> Tensor:
        return np.dot(self, other)  # type: ignore[no-any-return, call-overload]

    def __neg__(self) -> Tensor:
        return apply(np.negative, self)

    def __pos__(self) -> Tensor:
        return apply(np.positive, self)

    def __abs__(self) -> Tensor:
        return apply(np.absolute, self)

    def __round__(self, digits: int = 0) -> Any:
        return np.round(self, digits)  # type: ignore[call-overload]

    # x += y: in place under no_grad, else a new tensor

    def __iadd__(self, other: ArrayLike) -> Tensor:
        return in_place(np.add, self, other)

    def __isub__(self, other: ArrayLike) -> Tensor:
        return in_place(np.subtract, self, other)

    def __imul__(self, other: ArrayLike) -> Tensor:
        return in_place(np.multiply, self, other)

    def __itruediv__(self, other: ArrayLike) -> Tensor:
        return in_place(np.divide, self, other)

    def __ipow__(self, other: ArrayLike) -> Tensor:
        return in_place(np.power, self, other)

    def __imod__(self, other: ArrayLike) -> Tensor:
        return in_place(np.remainder, self, other)

    def __imatmul__(self, other: ArrayLike) -> Tensor:
        return in_place(np.matmul, self, other)

    # comparisons give plain boolean arrays: they have no gradient

    def __eq__(self, other: object) -> Any:
        return compare(np.equal, self, other)

    def __ne__(self, other: object) -> Any:
        return compare(np.not_equal, self, other)

    def __lt__(self, other: ArrayLike) -> Any:
        return compare(np.less, self, other)

    def __le__(self, other: ArrayLike) -> Any:
        return compare(np.less_equal, self, other)

    def __gt__(self, other: ArrayLike) -> Any:
        return compare(np.greater, self, other)

    def __ge__(self, other: ArrayLike) -> Any:
        return compare(np.greater_equal, self, other)

    # --- indexing

    def __getitem__(self, index: Any) -> Tensor:
        return apply(operator.getitem, self, plain_index(index))

    # --- methods, with NumPy's names and arguments

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return apply(np.sum, self, axis=axes_of(axis), keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return np.mean(self, axis=axes_of(axis), keepdims=keepdims)  # type: ignore[no-any-return, call-overload]

    def var(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
        return np.var(self, axis=axes_of(axis), ddof=ddof, keepdims=keepdims)  # type: ignore[no-any-return, call-overload]

    def std(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
        return np.std(self, axis=axes_of(axis), ddof=ddof, keepdims=keepdims)  # type: ignore[no-any-return, call-overload]

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return apply(np.max, self, axis=axes_of(axis), keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return apply(np.min, self, axis=axes_of(axis), keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return apply(np.prod, self, axis=axes_of(axis), keepdims=keepdims)

    def cumsum(self, axis: int | None = None) -> Tensor:
        return apply(np.cumsum, self, axis=axis)

    def reshape(self, *shape: Any, order: str = "C") -> Tensor:
        shape = shape[0] if len(shape) == 1 else shape
        if order != "C":
            return np.reshape(self, shape, order=order)  # type: ignore[no-any-return, call-overload]
        return apply(np.reshape, self, shape)

    def ravel(self, order: str = "C") -> Tensor:
        return self.reshape(-1, order=order)

    def flatten(self, order: str = "C") -> Tensor:
        return self.reshape(-1, order=order)

    def transpose(self, *axes: Any) -> Tensor:
        return apply(np.transpose, self, (axes[0] if len(axes) == 1 else axes) or None)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        return apply(np.swapaxes, self, axis1, axis2)

    def tolist(self) -> Any:
        """The numbers in nested lists."""
        return self._data.tolist()

    def squeeze(self, axis: Any = None) -> Tensor:
        return apply(np.squeeze, self, axis=axes_of(axis))

    def exp(self) -> Tensor:
        return apply(np.exp, self)

    def log(self) -> Tensor:
        return apply(np.log, self)

    def sqrt(self) -> Tensor:
        return apply(np.sqrt, self)

    def tanh(self) -> Tensor:
        return apply(np.tanh, self)

    def abs(self) -> Tensor:
        return apply(np.absolute, self)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        return apply(np.clip, self, min, max)

    def astype(self, dtype: Any) -> Tensor:
        dtype = as_dtype("astype: dtype", dtype)
        x = self if dtype.kind == "f" else self._data  # integers have no gradient
        return apply(np.astype, x, dtype)


# --- methods that call NumPy's function of the same name


def method(f: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Operators, *args: Any, **kwargs: Any) -> Any:
        return f(self, *args, **kwargs)

    call.__name__ = call.__qualname__ = name(f)
    call.__doc__ = f"As {public_name(f)}."
    return call


for function in (
    np.all, np.any, np.argmax, np.argmin, np.argsort, np.cumprod, np.diagonal, np.nonzero,
    np.repeat, np.round, np.take, np.trace,
):  # fmt: skip
    setattr(Operators, name(function), method(function))
