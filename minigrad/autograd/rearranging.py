"""NumPy functions that move elements about: joining, splitting, sorting, repeating, padding.

Written with indexing, reshape and transpose, whose rules send each gradient back to where its
element came from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .arrays import as_array
from .messages import check_axis
from .operators import Operators, array_of, holds_tensors
from .rules import concatenate
from .tensor import COMPOSITES, apply


def given(label: str, x: Any, what: str = "an argument") -> Any:
    """An argument as a Tensor or an array: a list that holds Tensors is stacked."""
    if isinstance(x, Operators):
        return x
    if isinstance(x, (list, tuple)) and holds_tensors(x):
        return stack([given(label, v, what) for v in x])
    return as_array(f"{label}: {what}", x)


def axis_of(label: str, axis: Any, ndim: int) -> int:
    """An axis, counted from the front."""
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise TypeError(f"{label}: axis must be an integer, got {axis!r}")
    if wrong := check_axis(label, axis, (1,) * ndim):
        raise wrong
    return int(axis) % ndim


def axes_of(label: str, axes: Any, ndim: int) -> tuple[int, ...]:
    """Different axes, counted from the front."""
    found = tuple(axis_of(label, a, ndim) for a in axes)
    if len(set(found)) < len(found):
        raise ValueError(f"{label}: axes {tuple(axes)} name one twice")
    return found


# --- joining


def arrays_of(label: str, parts: Iterable[Any]) -> list[Any]:
    """The parts to be joined, as Tensors or arrays."""
    if isinstance(parts, Operators):
        return list(parts)
    if not isinstance(parts, Iterable):
        raise TypeError(f"{label}: needs a list of arrays, got {parts!r}")
    return [given(label, p, "a part") for p in parts]


def join(arrays: Iterable[Any], axis: int | None = 0) -> Any:
    parts = arrays_of("np.concatenate", arrays)
    if axis is None:
        parts, axis = [np.reshape(p, (-1,)) for p in parts], 0
    return apply(concatenate, *parts, axis=axis)


def stack(arrays: Iterable[Any], axis: int = 0) -> Any:
    parts = arrays_of("np.stack", arrays)
    if len(shapes := {p.shape for p in parts}) != 1:
        raise ValueError(f"np.stack: all arrays must have one shape, got {sorted(shapes)}")
    return join([np.expand_dims(p, axis) for p in parts], axis)


def hstack(tup: Iterable[Any]) -> Any:
    parts = [at_least(p, 1) for p in arrays_of("np.hstack", tup)]
    return join(parts, axis=0 if parts and parts[0].ndim == 1 else 1)


def vstack(tup: Iterable[Any]) -> Any:
    return join([at_least(p, 2) for p in arrays_of("np.vstack", tup)])


def dstack(tup: Iterable[Any]) -> Any:
    return join([at_least(p, 3) for p in arrays_of("np.dstack", tup)], axis=2)


def column_stack(tup: Iterable[Any]) -> Any:
    parts = arrays_of("np.column_stack", tup)
    return join([np.reshape(p, (-1, 1)) if p.ndim < 2 else p for p in parts], axis=1)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return join([arr, values], axis)


def at_least(x: Any, n: int) -> Any:
    """x with n axes or more, where np.atleast_1d, _2d and _3d put them."""
    if x.ndim >= n:
        return x
    lead = 0 if x.ndim == 0 or (n == 3 and x.ndim == 2) else 1
    return np.reshape(x, ((1,) * lead + x.shape + (1,) * n)[:n])


def at_least_each(n: int) -> Any:
    def each(*arys: Any) -> Any:
        found = tuple(at_least(given(f"np.atleast_{n}d", x), n) for x in arys)
        return found[0] if len(found) == 1 else found

    return each


COMPOSITES.update(
    {
        np.concatenate: join,
        np.stack: stack,
        np.hstack: hstack,
        np.vstack: vstack,
        np.dstack: dstack,
        np.column_stack: column_stack,
        np.append: append,
        np.atleast_1d: at_least_each(1),
        np.atleast_2d: at_least_each(2),
        np.atleast_3d: at_least_each(3),
    }
)

# --- splitting


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    x = given("np.split", ary)
    axis = axis_of("np.split", axis, x.ndim)
    at = array_of(indices_or_sections)
    places = np.array_split(np.arange(x.shape[axis]), at)
    lead = (slice(None),) * axis
    bounds = [slice(int(p[0]), int(p[-1]) + 1) if len(p) else slice(0, 0) for p in places]
    return [x[(*lead, b)] for b in bounds]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    x = given("np.split", ary)
    n = array_of(indices_or_sections)
    if np.ndim(n) == 0 and x.shape[axis_of("np.split", axis, x.ndim)] % int(n):
        raise ValueError(f"np.split: no {n} equal parts of axis {axis} of shape {x.shape}")
    return array_split(x, n, axis)


def split_along(label: str, axis: int, least: int) -> Any:
    def along(ary: Any, indices_or_sections: Any) -> list[Any]:
        x = given(label, ary)
        if x.ndim < least:
            raise ValueError(f"{label}: needs {least} axes or more, got shape {x.shape}")
        return split(x, indices_or_sections, 0 if x.ndim == 1 else axis)

    return along


COMPOSITES.update(
    {
        np.split: split,
        np.array_split: array_split,
        np.hsplit: split_along("np.hsplit", 1, 1),
        np.vsplit: split_along("np.vsplit", 0, 2),
        np.dsplit: split_along("np.dsplit", 2, 3),
    }
)
if hasattr(np, "unstack"):  # since NumPy 2.1
    COMPOSITES[np.unstack] = lambda x, /, *, axis=0: tuple(
        np.moveaxis(x, axis_of("np.unstack", axis, x.ndim), 0)
    )

# --- picking, sorting, repeating


def take(a: Any, indices: Any, axis: int | None = None, *, mode: str = "raise") -> Any:
    a, at = given("np.take", a), np.asarray(array_of(indices))
    if axis is None or a.ndim == 0:
        a, axis = np.reshape(a, (-1,)), 0
    axis = axis_of("np.take", axis, a.ndim)
    n = a.shape[axis]
    if mode == "wrap" and n:
        at = at % n
    elif mode == "clip":
        at = np.clip(at, 0, n - 1)
    elif mode != "raise":
        raise ValueError(f'np.take: mode must be "raise", "wrap" or "clip", got {mode!r}')
    return a[(slice(None),) * axis + (at,)]


def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    x, at = given("np.take_along_axis", arr), np.asarray(array_of(indices))
    if axis is None:
        x, axis = np.reshape(x, (-1,)), 0
    axis = axis_of("np.take_along_axis", axis, x.ndim)
    if at.ndim != x.ndim:
        raise ValueError(
            f"np.take_along_axis: indices of shape {at.shape} must have as many axes as {x.shape}"
        )
    places: list[Any] = []
    for i, n in enumerate(x.shape):
        ones = [1] * x.ndim
        ones[i] = -1
        places.append(at if i == axis else np.reshape(np.arange(n), ones))
    return x[tuple(places)]


def sort(a: Any, axis: int | None = -1, kind: Any = None, *, stable: Any = None) -> Any:
    a = given("np.sort", a)
    if axis is None:
        a, axis = np.reshape(a, (-1,)), 0
    axis = axis_of("np.sort", axis, a.ndim)
    return take_along_axis(a, np.argsort(array_of(a), axis=axis, kind="stable"), axis)


def partition(a: Any, kth: Any, axis: int | None = -1) -> Any:
    a = given("np.partition", a)
    if axis is None:
        a, axis = np.reshape(a, (-1,)), 0
    axis = axis_of("np.partition", axis, a.ndim)
    return take_along_axis(a, np.argpartition(array_of(a), kth, axis=axis), axis)


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    a = given("np.repeat", a)
    if axis is None or a.ndim == 0:
        a, axis = np.reshape(a, (-1,)), 0
    axis = axis_of("np.repeat", axis, a.ndim)
    return take(a, np.repeat(np.arange(a.shape[axis]), array_of(repeats)), axis)


def tile(A: Any, reps: Any) -> Any:
    """(2, 3) tiled by (4, 5): repeat it as (4, 2, 5, 3), and read that as (8, 15)."""
    A = given("np.tile", A)
    times = [int(n) for n in np.atleast_1d(array_of(reps))]
    n = max(len(times), A.ndim)
    times = [1] * (n - len(times)) + times
    shape = (1,) * (n - A.ndim) + A.shape
    apart = np.reshape(A, [k for m in shape for k in (1, m)])
    whole = np.broadcast_to(apart, [k for t, m in zip(times, shape) for k in (t, m)])
    return np.reshape(whole, [t * m for t, m in zip(times, shape)])


def compress(condition: Any, a: Any, axis: int | None = None) -> Any:
    if np.ndim(array_of(condition)) != 1:
        raise ValueError("np.compress: condition must have one axis; np.extract takes any")
    return take(a, np.flatnonzero(array_of(condition)), axis)


def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    arr = given("np.delete", arr)
    if axis is None:
        arr, axis = np.reshape(arr, (-1,)), 0
    axis = axis_of("np.delete", axis, arr.ndim)
    return take(arr, np.delete(np.arange(arr.shape[axis]), array_of(obj)), axis)


COMPOSITES.update(
    {
        np.take: take,
        np.take_along_axis: take_along_axis,
        np.sort: sort,
        np.partition: partition,
        np.repeat: repeat,
        np.tile: tile,
        np.compress: compress,
        np.extract: lambda condition, arr: take(arr, np.flatnonzero(array_of(condition))),
        np.delete: delete,
    }
)

# --- other shapes


def reshape(a: Any, shape: Any, order: str = "C") -> Any:
    a = given("np.reshape", a)
    if order in ("C", "A"):
        return apply(np.reshape, a, shape)
    if order != "F":
        raise ValueError(f'np.reshape: order must be "C", "F" or "A", got {order!r}')
    back = tuple(shape)[::-1] if isinstance(shape, Iterable) else shape
    return np.transpose(apply(np.reshape, np.transpose(a), back))


def ravel(a: Any, order: str = "C") -> Any:
    return reshape(a, -1, "C" if order == "K" else order)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    a = given("np.diagonal", a)
    if a.ndim < 2:
        raise ValueError(f"np.diagonal: needs an array of 2 axes or more, got shape {a.shape}")
    axes = axes_of("np.diagonal", (axis1, axis2), a.ndim)
    a = np.moveaxis(a, axes, (-2, -1))
    rows, columns = max(-offset, 0), max(offset, 0)
    n = np.arange(max(min(a.shape[-2] - rows, a.shape[-1] - columns), 0))
    return a[..., n + rows, n + columns]


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1)


def diag(v: Any, k: int = 0) -> Any:
    v = given("np.diag", v)
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"np.diag: needs a vector or a matrix, got shape {v.shape}")
    n = v.shape[0] + abs(k)
    rows = np.arange(n)[:, None]
    if not v.shape[0]:
        return np.zeros((n, n), v.dtype)
    spread = v[np.clip(rows - max(-k, 0), 0, v.shape[0] - 1)]
    return np.where(rows + k == np.arange(n), spread, np.zeros((), v.dtype))


def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    m = given("np.rot90", m)
    if not isinstance(axes, (tuple, list)) or len(axes) != 2:
        raise ValueError(f"np.rot90: axes must be two of them, got {axes!r}")
    first, second = axes_of("np.rot90", axes, m.ndim)
    if k % 4 == 0:
        return np.positive(m)
    if k % 4 == 2:
        return np.flip(m, (first, second))
    if k % 4 == 1:
        return np.swapaxes(np.flip(m, second), first, second)
    return np.flip(np.swapaxes(m, first, second), second)


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    a = given("np.rollaxis", a)
    axis = axis_of("np.rollaxis", axis, a.ndim)
    if not -a.ndim <= start <= a.ndim:
        raise ValueError(f"np.rollaxis: start must lie in [{-a.ndim}, {a.ndim}], got {start}")
    start = start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if axis < start else start)


def shift_by(sign: int) -> Any:
    """np.fft.fftshift (1) and ifftshift (-1): half a turn along the axes."""

    def shifted(x: Any, axes: Any = None) -> Any:
        x = given("np.fft.fftshift", x)
        every = (
            range(x.ndim) if axes is None else axes if isinstance(axes, (tuple, list)) else (axes,)
        )
        every = axes_of("np.fft.fftshift", tuple(every), x.ndim)
        half = [x.shape[i] // 2 if sign > 0 else -(x.shape[i] // 2) for i in every]
        return np.roll(x, half, every) if every else np.positive(x)

    return shifted


def pad(array: Any, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0) -> Any:
    """Constants around x, or copies of its elements, from where np.pad puts 0, 1, 2, ..."""
    x = given("np.pad", array)
    width = pad_width
    if isinstance(width, dict):
        width = [(0, 0)] * x.ndim
        for axis, w in pad_width.items():
            width[axis_of("np.pad", axis, x.ndim)] = (w, w) if np.ndim(w) == 0 else tuple(w)
    try:
        width = np.asarray(width)
        negative = bool((width < 0).any())
        width = [(int(b), int(a)) for b, a in np.broadcast_to(width, (x.ndim, 2))]
    except (TypeError, ValueError):
        raise ValueError(
            f"np.pad: pad_width {pad_width!r} does not fit the {x.ndim} axes of shape {x.shape}"
        ) from None
    if negative:
        raise ValueError(f"np.pad: pad_width must not be negative, got {pad_width!r}")
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        for i, w in enumerate(width):
            if w != (0, 0):
                x = take(x, np.pad(np.arange(x.shape[i]), w, mode), i)
        return x
    if mode != "constant":
        raise TypeError(
            'np.pad: minigrad differentiates the modes "constant", "edge", "reflect", "symmetric" '
            f'and "wrap", got {mode!r}'
        )
    if holds_tensors(constant_values):
        raise TypeError("np.pad: constant_values must be numbers; np.concatenate joins Tensors")
    y = apply(np.pad, x, tuple(width)) if width else x
    if not np.any(constant_values):
        return y
    frame = np.pad(np.zeros(x.shape, y.dtype), width, constant_values=constant_values)
    return y + frame


COMPOSITES.update(
    {
        np.reshape: reshape,
        np.ravel: ravel,
        np.diagonal: diagonal,
        np.trace: trace,
        np.diag: diag,
        np.fliplr: lambda m: np.flip(m, 1),
        np.flipud: lambda m: np.flip(m, 0),
        np.rot90: rot90,
        np.rollaxis: rollaxis,
        np.fft.fftshift: shift_by(1),
        np.fft.ifftshift: shift_by(-1),
        np.pad: pad,
    }
)
if hasattr(np, "matrix_transpose"):
    COMPOSITES[np.matrix_transpose] = lambda x: np.swapaxes(x, -1, -2)
