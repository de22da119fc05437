"""The sheet of rules: what each NumPy function does to a gradient on its way back.

A rule gets the gradient g = dL/dy, the result y, and the function's arguments, and returns the
gradient of one argument, dL/da. It is written for arrays of equal shape: where NumPy broadcast an
argument, the walk sums the gradient back to its shape, and it restores its dtype. So the rules for
y = a + b are just `g` and `g`. The rules use NumPy functions only: handed Tensors in place of
arrays they record themselves, and that is how derivatives of derivatives come about.

At a kink a rule gives what PyTorch gives: 0 for |x| at 0; half to each of two equal arguments of
maximum; an equal share to each of several equal largest elements; 1 at the ends of clip's interval.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from . import arrays
from .operators import SIMPLE
from .tensor import PIECEWISE_CONSTANT, RULES, primitive

LOG2, LOG10 = float(np.log(2)), float(np.log(10))

# --- element by element


@primitive(lambda g, y, x: g * y * (1 - y))
def logistic(x: Any) -> Any:
    """1 / (1 + e^-x). For x << 0 the exponential is inf in floating point, and the result 0."""
    with np.errstate(over="ignore"):
        y = np.exp(-x)
    y += 1
    return 1 / y


def power_slope(a: Any, n: Any) -> Any:
    """n a^(n−1), and 0 for n = 0."""
    n = n * 1 if getattr(n, "dtype", None) == np.bool_ else n
    return n * a ** (n - (n != 0))


RULES.update(
    {
        np.add: (lambda g, y, a, b: g, lambda g, y, a, b: g),
        np.subtract: (lambda g, y, a, b: g, lambda g, y, a, b: -g),
        np.multiply: (lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
        np.divide: (lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b),
        np.power: (
            lambda g, y, a, n: g * power_slope(a, n),
            lambda g, y, a, n: g * y * np.log(np.where(a > 0, a, 1)),
        ),
        np.remainder: (lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor(a / b)),
        np.maximum: (
            lambda g, y, a, b: g * (a > b) + g * (a == b) / 2,
            lambda g, y, a, b: g * (b > a) + g * (a == b) / 2,
        ),
        np.minimum: (
            lambda g, y, a, b: g * (a < b) + g * (a == b) / 2,
            lambda g, y, a, b: g * (b < a) + g * (a == b) / 2,
        ),
        np.logaddexp: (
            lambda g, y, a, b: g * logistic(a - b),
            lambda g, y, a, b: g * logistic(b - a),
        ),
        np.negative: (lambda g, y, x: -g,),
        np.positive: (lambda g, y, x: g,),
        np.absolute: (lambda g, y, x: g * np.sign(x),),
        np.square: (lambda g, y, x: g * 2 * x,),
        np.sqrt: (lambda g, y, x: g / (2 * y),),
        np.cbrt: (lambda g, y, x: g / (3 * y * y),),
        np.reciprocal: (lambda g, y, x: -g * y * y,),
        np.exp: (lambda g, y, x: g * y,),
        np.exp2: (lambda g, y, x: g * y * LOG2,),
        np.expm1: (lambda g, y, x: g * (y + 1),),
        np.log: (lambda g, y, x: g / x,),
        np.log1p: (lambda g, y, x: g / (1 + x),),
        np.log2: (lambda g, y, x: g / (x * LOG2),),
        np.log10: (lambda g, y, x: g / (x * LOG10),),
        np.sin: (lambda g, y, x: g * np.cos(x),),
        np.cos: (lambda g, y, x: -g * np.sin(x),),
        np.tan: (lambda g, y, x: g * (1 + y * y),),
        np.arcsin: (lambda g, y, x: g / np.sqrt(1 - x * x),),
        np.arccos: (lambda g, y, x: -g / np.sqrt(1 - x * x),),
        np.arctan: (lambda g, y, x: g / (1 + x * x),),
        np.sinh: (lambda g, y, x: g * np.cosh(x),),
        np.cosh: (lambda g, y, x: g * np.sinh(x),),
        np.tanh: (lambda g, y, x: g * (1 - y * y),),
        np.arctanh: (lambda g, y, x: g / (1 - x * x),),
        np.where: (
            None,
            lambda g, y, c, a, b: np.where(c, g, 0),
            lambda g, y, c, a, b: np.where(c, 0, g),
        ),
        np.clip: (
            lambda g, y, x, lo, hi: g * within(x, lo, hi),
            None,
            None,
        ),
    }
)

PIECEWISE_CONSTANT.update(
    {np.sign, np.floor, np.ceil, np.trunc, np.round, np.around, np.rint, np.fix,
     np.floor_divide, np.signbit,
     np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal, np.logical_and,
     np.logical_or, np.logical_not, np.logical_xor, np.isnan, np.isinf, np.isfinite, np.isclose,
     np.allclose, np.array_equal, np.array_equiv, np.isposinf, np.isneginf, np.isreal, np.iscomplex,
     np.isrealobj, np.iscomplexobj, np.angle, np.isin, np.argmax, np.argmin, np.nanargmax,
     np.nanargmin, np.argsort, np.argpartition, np.argwhere, np.flatnonzero, np.nonzero,
     np.count_nonzero, np.searchsorted, np.digitize, np.any, np.all, np.shape, np.ndim, np.size,
     np.zeros_like, np.ones_like, np.empty_like, np.result_type, np.can_cast, np.common_type,
     np.min_scalar_type, np.shares_memory, np.may_share_memory, np.array_str, np.array_repr,
     np.array2string, np.linalg.matrix_rank}
)  # fmt: skip


def nonzero(y: Any) -> Any:
    """y as what is divided by, where 0 / 0 shall be 0."""
    return np.where(y == 0, 1, y)


def within(x: Any, lo: Any, hi: Any) -> Any:
    """Where lo <= x <= hi, a bound of None being no bound."""
    return (True if lo is None else x >= lo) & (True if hi is None else x <= hi)


# --- sums, extremes: the result lost some axes, and a rule must bring them back


def restore_axes(y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """y, reduced from x over `axis`, with the lost axes restored as axes of size 1."""
    if keepdims or x.ndim == 0:
        return y
    if axis is None:
        return y.reshape((1,) * x.ndim)
    axes = [a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
    return y.reshape(tuple(1 if i in axes else n for i, n in enumerate(x.shape)))


def extreme_rule(g: Any, y: Any, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """The gradient goes to the extreme elements, divided equally among ties."""
    mask = x == restore_axes(y, x, axis, keepdims)
    return restore_axes(g, x, axis, keepdims) * (mask / mask.sum(axis=axis, keepdims=True))


def prod_rule(g: Any, y: Any, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """d(prod x)/dx_i is the product of all x_j but x_i: y / x_i unless some x is 0."""
    if np.all(x != 0):
        return restore_axes(g * y, x, axis, keepdims) / x
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    last = tuple(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, last)
    products = products_of_others(moved.reshape(*moved.shape[: x.ndim - len(axes)], -1))
    products = np.moveaxis(products.reshape(moved.shape), last, axes)
    return restore_axes(g, x, axis, keepdims) * products


def products_of_others(x: Any) -> Any:
    """For each element, the product of all others along the last axis."""
    n = x.shape[-1]
    square = np.where(np.eye(n, dtype=bool), 1, np.expand_dims(x, -2))  # row i: x with x_i -> 1
    return np.prod(square, axis=-1)


def cumsum_rule(g: Any, y: Any, x: Any, axis: int | None = None) -> Any:
    """x_i is a term of every sum from i on."""
    if axis is None:
        return np.reshape(np.flip(np.cumsum(np.flip(g, 0)), 0), x.shape)
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


@primitive(lambda g, y, x, shape: g, None)  # the walk sums it back
def broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """x broadcast to shape, as np.broadcast_to, but some ten times quicker on small arrays."""
    return np.full(shape, x, x.dtype)


@primitive(
    lambda g, y, x, axis=None, *, keepdims=False: broadcast(
        restore_axes(wide(g) / count(x, axis), x, axis, keepdims), x.shape
    )
)
def mean(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    if x.dtype == np.float16:
        return mean(wide(x), axis, keepdims=keepdims).astype(x.dtype)
    return x.sum(axis=axis, keepdims=keepdims) / count(x, axis)


# as `column_sums` in tensor.py
sums = primitive(lambda g, y, x, axis=-1: np.broadcast_to(g, x.shape), None)(arrays.sums)


def wide(x: Any) -> Any:
    """x, in float32 if it is float16: sums and counts may be larger than float16 goes, 65504."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


@primitive(lambda g, y, x: g * (y != 0) / (2 * nonzero(y)))
def root(x: Any) -> Any:
    """The square root, with gradient 0 at 0: of a variance, which is least there."""
    return np.sqrt(x)


def count(x: Any, axis: Any) -> int:
    """How many elements one result of a reduction of x over `axis` is made of."""
    if axis is None:
        return int(x.size)
    return math.prod(x.shape[a] for a in (axis if isinstance(axis, tuple) else (axis,)))


# x[index] and its transpose, which adds g into zeros at `index`: each is the other's derivative.
@primitive(lambda g, y, x, index, shape: g[index], None, None)
def scatter(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    z = np.zeros(shape, x.dtype)
    parts = index if isinstance(index, tuple) else (index,)
    if SIMPLE.issuperset(map(type, parts)):  # numbers and slices: no entry twice
        z[index] = x
    else:
        np.add.at(z, index, x)  # an entry may be named more than once
    return z


RULES.update(
    {
        operator.getitem: (lambda g, y, x, index: scatter(g, index, x.shape), None),
        np.astype: (lambda g, y, x, dtype: g, None),  # the walk restores the dtype
        np.sum: (
            lambda g, y, x, axis=None, *, keepdims=False: broadcast(
                restore_axes(g, x, axis, keepdims), x.shape
            ),
        ),
        np.prod: (prod_rule,),
        np.max: (extreme_rule,),
        np.min: (extreme_rule,),
        np.cumsum: (cumsum_rule,),
        # --- another shape: the gradient goes back to where each element came from
        np.reshape: (lambda g, y, x, shape: np.reshape(g, x.shape), None),
        np.transpose: (
            lambda g, y, x, axes=None: np.transpose(
                g, None if axes is None else np.argsort(np.remainder(axes, x.ndim))
            ),
            None,
        ),
        np.swapaxes: (lambda g, y, x, i, j: np.swapaxes(g, i, j), None, None),
        np.moveaxis: (lambda g, y, x, i, j: np.moveaxis(g, j, i), None, None),
        np.squeeze: (lambda g, y, x, axis=None: np.reshape(g, x.shape), None),
        np.expand_dims: (lambda g, y, x, axis: np.reshape(g, x.shape), None),
        np.broadcast_to: (lambda g, y, x, shape: g, None),  # the walk sums it back
        np.flip: (lambda g, y, x, axis=None: np.flip(g, axis), None),
        np.roll: (
            lambda g, y, x, shift, axis=None: np.roll(g, np.negative(shift).tolist(), axis),
            None,
            None,
        ),
        np.tril: (lambda g, y, x, k=0: np.tril(g, k), None),
        np.triu: (lambda g, y, x, k=0: np.triu(g, k), None),
        np.pad: (
            lambda g, y, x, pad_width: g[
                tuple(slice(before, before + n) for (before, _), n in zip(pad_width, x.shape))
            ],
            None,
        ),
    }
)


# --- products


def matmul_left(g: Any, y: Any, a: Any, b: Any) -> Any:
    """y = a b: dL/da = g b^T, with vectors read as a row (a) or a column (b)."""
    if b.ndim == 1:
        return g[..., None] * b if a.ndim > 1 else g * b
    if a.ndim == 1:
        return (g[..., None, :] @ b.swapaxes(-1, -2))[..., 0, :]
    return g @ b.swapaxes(-1, -2)


def matmul_right(g: Any, y: Any, a: Any, b: Any) -> Any:
    """y = a b: dL/db = a^T g."""
    if a.ndim == 1:
        return a[..., None] * g[..., None, :] if b.ndim > 1 else g * a
    if b.ndim == 1:
        return (a.swapaxes(-1, -2) @ g[..., None])[..., 0]
    return a.swapaxes(-1, -2) @ g


RULES[np.matmul] = (matmul_left, matmul_right)


def einsum_rule(g: Any, y: Any, spec: str, *operands: Any) -> tuple[Any, ...]:
    """For each operand, exchange its letters with those of the result."""
    inputs, out = spec.split("->")
    letters = inputs.split(",")
    grads: list[Any] = [None]
    for i, x in enumerate(operands):
        others = letters[:i] + letters[i + 1 :]
        # a letter that no other has was summed over here alone: each of its places gets the same
        alone = "".join(c for c in letters[i] if c not in "".join(others) + out)
        ones = np.ones([x.shape[letters[i].index(c)] for c in alone], x.dtype)
        terms = ",".join([out, *others, alone])
        factors = [*operands[:i], *operands[i + 1 :], ones]
        d = np.einsum(f"{terms}->{letters[i]}", g, *factors)
        # where the others had size 1 and were repeated to x's
        shape = np.broadcast_shapes(d.shape, x.shape)
        grads.append(d if d.shape == shape else broadcast(d, shape))
    return tuple(grads)


RULES[np.einsum] = einsum_rule

# y_n = sum_k a_k v_(n−k): each gets g convolved with the other, read backwards
RULES[np.convolve] = (
    lambda g, y, a, v: np.convolve(g, np.flip(v), "valid"),
    lambda g, y, a, v: np.convolve(g, np.flip(a), "valid"),
)


# --- joining


def concatenate(*parts: Any, axis: int = 0) -> Any:
    return np.concatenate(parts, axis)


def concatenate_rule(g: Any, y: Any, *parts: Any, axis: int = 0) -> tuple[Any, ...]:
    """Each part gets its slice of the gradient."""
    ends = np.cumsum([p.shape[axis] for p in parts]).tolist()
    lead = (slice(None),) * (axis % g.ndim)
    return tuple(g[(*lead, slice(end - p.shape[axis], end))] for p, end in zip(parts, ends))


RULES[concatenate] = concatenate_rule


@primitive(
    lambda g, y, x, axis=None, *, keepdims=False: (
        restore_axes(g, x, axis, keepdims) * x / nonzero(restore_axes(y, x, axis, keepdims))
    )
)
def norm(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """Root of the sum of squares, with gradient 0 where it is 0."""
    if x.dtype == np.float16:
        return norm(wide(x), axis, keepdims=keepdims).astype(x.dtype)
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))
