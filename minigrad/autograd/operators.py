"""What a Tensor understands: Python's operators, NumPy's functions, and methods with NumPy's names.

Every one of them is one line: `apply` the NumPy function, which has its rule on the sheet.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import as_dtype
from .messages import explain

if TYPE_CHECKING:
    from .tensor import ArrayLike, Tensor
    from .tensor import apply as apply  # at run time tensor.py puts it here


def array_of(x: Any) -> Any:
    return x._data if isinstance(x, Operators) else x


def plain_index(index: Any) -> Any:
    """An index with Tensors replaced by their arrays."""
    return tuple(map(array_of, index)) if isinstance(index, tuple) else array_of(index)


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
        return apply(np.sum, self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return np.mean(self, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return, call-overload]

    def var(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
        return np.var(self, axis=axis, ddof=ddof, keepdims=keepdims)  # type: ignore[no-any-return, call-overload]

    def std(self, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
        return np.std(self, axis=axis, ddof=ddof, keepdims=keepdims)  # type: ignore[no-any-return, call-overload]

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return apply(np.max, self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return apply(np.min, self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return apply(np.prod, self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int | None = None) -> Tensor:
        return apply(np.cumsum, self, axis=axis)

    def reshape(self, *shape: Any) -> Tensor:
        return apply(np.reshape, self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Tensor:
        return apply(np.transpose, self, (axes[0] if len(axes) == 1 else axes) or None)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        return apply(np.swapaxes, self, axis1, axis2)

    def squeeze(self, axis: Any = None) -> Tensor:
        return apply(np.squeeze, self, axis=axis)

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
