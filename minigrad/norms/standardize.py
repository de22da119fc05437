r"""The map that the norms have in common, and its derivative.

Derived in `chapters/normalization/batch-norm.ipynb` and `chapters/normalization/layer-norm.ipynb`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.arrays import bounded, means
from ..autograd.operators import array_of
from ..autograd.tensor import Tensor, apply, primitive
from ..checks import array, sizes
from ..module import Parameter


# With z = (x - μ) r and r = 1 / √(σ² + ε), and dz = g w the gradient that reaches z:
#     dL/dx = r (dz - mean(dz) - z mean(dz z))
# dz minus its mean and minus its projection on z; because of ε the latter is scaled by σ²/(σ² + ε).
def standardize_rule(
    g: Any, out: Any, x: Any, w: Any, b: Any, axes: Any, eps: float, stats_out: Any = None
) -> Any:
    _, z, r = out
    dz = g if w is None else g * w
    dx = dz - means(dz, axes)
    dx -= z * means(dz * z, axes)
    dx *= r
    return dx


@primitive(standardize_rule, lambda g, out, *_, **__: g * out[1], lambda g, *_, **__: g, None, None)
def standardize(
    x: Any,
    w: Any,
    b: Any,
    axes: tuple[int, ...],
    eps: float,
    stats_out: list[tuple[Any, Any]] | None = None,
) -> tuple[Any, Any, Any]:
    """(y, z, r): x with mean 0 and variance 1 over the axes, times w, plus b (each may be None).

    μ and σ² are appended to `stats_out`, for running averages.
    """
    z, mu, var = centred(x, axes)
    if eps == 0 and not np.all(var > 0):
        raise ValueError("x is constant over the axes it is normalized over: that needs eps > 0")
    if bounded(array_of(var)):
        r = 1 / np.sqrt(var + eps)
        z *= r  # in place for an array; a Tensor gives a new one
    else:
        s = large(x, axes, var)
        z, mu, var = centred(x / s, axes)
        root = 1 / np.sqrt(var + eps_over(eps, s))
        z, r = z * root, root / s
        mu, var = mu * s, var * s * s
    if stats_out is not None:
        stats_out.append((mu, var))
    if w is None:
        return z if b is None else z + b, z, r
    y = z * w
    if b is not None:
        y += b
    return y, z, r


def centred(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """(x - μ, μ, σ²) over the axes."""
    mu = means(x, axes)
    c = x - mu
    # E[x²] - μ² cancels where |μ| >> σ, so x is centred first. Then the mean is subtracted again,
    # because the first one was rounded (in float32 by 3.0, for 65536 numbers near 1e4).
    rest = means(c, axes)
    c -= rest
    return c, mu + rest, means(c * c, axes)


def large(x: Any, axes: tuple[int, ...], squares: Any) -> Any:
    """The power of 2 next above |x| where the mean of squares overflowed; 1 where it is finite.

    Squares overflow from 1.8e19 on in float32, sums from 3e38 on; those of x over this do not.
    """
    top = np.max(np.abs(array_of(x)), axis=axes, keepdims=True)  # a constant to any derivative
    top = np.where(np.isfinite(array_of(squares)) | ~np.isfinite(top), 0.5, top)
    return np.ldexp(x.dtype.type(1), np.minimum(np.frexp(top)[1], np.finfo(x.dtype).maxexp - 1))


def eps_over(eps: float, s: Any) -> Any:
    """ε / s², but not 0 where ε is not."""
    return np.maximum(eps / s / s, np.finfo(s.dtype).tiny if eps else 0)


def fused(f: Callable[..., Any], x: Any, *args: Any, **kwargs: Any) -> Tensor:
    """apply(f, x, ...), in float32 if x is float16: its squares overflow beyond 256."""
    if x.dtype != np.float16:
        return apply(f, x, *args, **kwargs)
    y = apply(f, x.astype(np.float32), *args, **kwargs)
    return y.astype(np.result_type(np.float16, *(a.dtype for a in args[:2] if hasattr(a, "dtype"))))


def check_shapes(caller: str, shape: tuple[int, ...], reason: str, **arrays: Any) -> None:
    """Raise ValueError unless each of the arrays that is given has the shape."""
    for label, a in arrays.items():
        if a is not None and (got := array(caller, label, a).shape) != shape:
            raise ValueError(f"{caller}: {label} must be {shape}, {reason}, got {got}")


def one_or_more(caller: str, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """`normalized_shape` as a tuple of sizes that is not empty."""
    shape = sizes(caller, "normalized_shape", normalized_shape)
    if not shape:
        raise ValueError(f"{caller}: normalized_shape must have one size or more, got ()")
    return shape


def trailing(caller: str, x: Any, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """The last axes of x, those of `normalized_shape`, after checking that they agree."""
    shape = one_or_more(caller, normalized_shape)
    if x.shape[-len(shape) :] != shape:
        raise ValueError(
            f"{caller}: the last axes of x must be normalized_shape {shape}, got x {x.shape}"
        )
    return tuple(range(x.ndim - len(shape), x.ndim))


def affine_parameters(
    shape: int | tuple[int, ...], wanted: bool, dtype: Any
) -> tuple[Parameter | None, Parameter | None]:
    """A gain of ones and a shift of zeros, or neither."""
    if not wanted:
        return None, None
    return Parameter(np.ones(shape), dtype), Parameter(np.zeros(shape), dtype)
