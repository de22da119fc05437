"""What the functions of arrays ask of their arguments: real numbers, options in range, an axis.

Each check raises before anything is computed, and says which function was called, what it got and
what must hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .autograd.arrays import Array
from .autograd.tensor import ArrayLike, Tensor

CONDITIONS = {
    "finite": lambda v: -np.inf < v < np.inf,
    "positive and finite": lambda v: 0 < v < np.inf,
    "non-negative and finite": lambda v: 0 <= v < np.inf,
    "in [0, 1]": lambda v: 0 <= v <= 1,
    "in (0, 1)": lambda v: 0 < v < 1,
    "in [-1, 1]": lambda v: -1 <= v <= 1,
    "positive": lambda v: v > 0,
}


def array(label: str, x: ArrayLike) -> Tensor | Array:
    """x, or the array it makes, if it holds real numbers (or booleans)."""
    if isinstance(x, Tensor):
        return x
    try:
        a = np.asarray(x)
    except ValueError:
        raise ValueError(
            f"{label}: needs an array of numbers, got a nested list whose rows differ in length"
        ) from None
    if a.dtype.kind not in "fiub":
        raise TypeError(f"{label}: needs real numbers, got dtype {a.dtype}")
    return a


def real(label: str, x: ArrayLike) -> Tensor:
    """x as a Tensor of floating-point numbers; integers become float64."""
    if isinstance(x, Tensor) and x._data.dtype.kind == "f":
        return x
    a = array(label, x)
    if a.dtype.kind != "f":
        a = a.astype(np.float64)
    return a if isinstance(a, Tensor) else Tensor(a)


def reals(label: str, *given: ArrayLike) -> list[Tensor]:
    """Tensors of floats; integers and lists get the dtype of the float arrays beside them."""
    tensors = [real(label, x) for x in given]
    own = [getattr(getattr(x, "dtype", None), "kind", "") == "f" for x in given]
    if all(own) or not any(own):
        return tensors
    dtype = np.result_type(*[x.dtype for x, keeps in zip(tensors, own) if keeps])
    return [x if keeps else x.astype(dtype) for x, keeps in zip(tensors, own)]


def number(label: str, key: str, value: Any, must_be: str) -> float:
    """value as a Python float, which leaves float32 arrays float32, if it is what it must be."""
    if type(value) is float and CONDITIONS[must_be](value):
        return value
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise TypeError(f"{label}: {key} must be a number, {must_be}, got {value!r}")
    if not CONDITIONS[must_be](value):
        raise ValueError(f"{label}: {key} must be {must_be}, got {value!r}")
    return float(value)


def one_axis(label: str, x: Any, axis: Any) -> int:
    """axis, if it is one of x's and not empty."""
    if isinstance(axis, (bool, np.bool_)) or not isinstance(axis, (int, np.integer)):
        raise TypeError(f"{label}: axis must be an integer, got {axis!r}")
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{label}: axis {axis} is not one of the {x.ndim} axes of shape {x.shape}")
    if x.shape[axis] == 0:
        raise ValueError(f"{label}: axis {axis} of shape {x.shape} is empty; it needs a number")
    return int(axis)
