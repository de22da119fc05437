"""NumPy, a little faster: what the engine and the fused operations compute with, and why.

Nothing here knows of Tensors. Each line says what it saves; `python -m benchmarks` measures it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# glibc returns large freed blocks to the system, and the next array begins with zeroing pages: up
# to a third of a training step. Freeing one block of 31 MB raises its threshold, so that later
# arrays reuse memory. (The block is never written, and so takes none.)
np.empty(31 << 20, np.uint8)


def as_array(label: str, x: Any) -> Array:
    """x as an array, if it holds real numbers or booleans; `label` is what the user calls it."""
    try:
        a = np.asarray(x)
    except ValueError:
        raise ValueError(
            f"{label} must be an array of numbers, got a nested list whose rows differ in length"
        ) from None
    if a.dtype.kind not in "fiub":
        raise TypeError(f"{label} must hold real numbers or booleans, got dtype {a.dtype}")
    return a


def as_dtype(label: str, dtype: Any) -> np.dtype[Any]:
    """A dtype of real numbers or booleans."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if dtype is None or found.kind not in "fiub":
        raise TypeError(f'{label} must be one of real numbers, such as "float32", got {dtype!r}')
    return found


# Python's operators are ten times faster on single numbers than np.add, and three times on squares.
# np.astype did not take NumPy's single numbers before 2.1.
OPERATORS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.astype: lambda x, dtype: x.astype(dtype),
}


def rows(x: Any) -> Any:
    """x as a matrix, for one large product in place of many small ones."""
    return x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def column_sums(x: Any) -> Any:
    """Sums over all axes but the last."""
    x = rows(x)
    return np.dot(ones(len(x), x.dtype), x)


@lru_cache
def ones(n: int, dtype: Any) -> Array:
    """n ones: BLAS is faster at a product with them than np.sum at a sum."""
    array = np.ones(n, dtype)
    array.setflags(write=False)
    return array


@lru_cache
def ones_below(n: int, dtype: Any) -> Array:
    """A column of n ones."""
    return ones(n, dtype)[:, None]


@lru_cache
def numbered(n: int) -> Array:
    """0, 1, …, n - 1."""
    array = np.arange(n)
    array.setflags(write=False)
    return array


def sums(x: Any, axis: int = -1) -> Any:
    """Sums along an axis, which is kept with size 1."""
    if axis not in (-1, x.ndim - 1):
        return x.sum(axis=axis, keepdims=True)
    column = ones_below(x.shape[-1], x.dtype)
    return x.dot(column) if x.ndim == 2 else x @ column


def largest(x: Any, axis: Any = -1) -> Any:
    """The largest along an axis, which is kept with size 1.

    NumPy compares rows with each other many elements at a time, but the elements of a row one by
    one: so short rows are written as columns first.
    """
    if axis not in (-1, x.ndim - 1) or x.shape[-1] > 32:
        return x.max(axis=axis, keepdims=True)
    return rows(x).T.copy().max(axis=0).reshape(*x.shape[:-1], 1)


def means(x: Any, axes: tuple[int, ...]) -> Any:
    """Means over axes, which are kept with size 1; by BLAS where it can, as products with 1/n."""
    if axes == (x.ndim - 1,):
        m = rows(x).dot(nths(x.shape[-1], x.dtype))
        return m if x.ndim == 2 else m.reshape(*x.shape[:-1], 1)
    if axes == (0,) and x.ndim == 2:
        return np.dot(nths(len(x), x.dtype).T, x)
    return x.sum(axis=axes, keepdims=True) / math.prod(x.shape[a] for a in axes)


@lru_cache
def nths(n: int, dtype: Any) -> Array:
    """A column of n numbers 1/n."""
    return np.full((n, 1), 1 / n, dtype)


def bounded(x: Any) -> bool:
    """Whether all is finite and so is the sum of the squares; quicker than np.isfinite(x).all()."""
    return bool(np.vdot(x, x) < np.inf)


def extremes(x: Any) -> tuple[Any, Any]:
    """The least and the largest element: NumPy finds argmax many times faster than max."""
    flat = x.reshape(-1)
    return flat[flat.argmin()], flat[flat.argmax()]
