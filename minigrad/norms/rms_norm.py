"""Normalization by the root mean square. Derived in `chapters/normalization/rms-norm.ipynb`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.arrays import bounded, means
from ..autograd.operators import array_of
from ..autograd.tensor import ArrayLike, Tensor, primitive
from ..checks import flag, float_dtype, number, real
from ..module import Module
from .standardize import (
    affine_parameters,
    check_shapes,
    eps_over,
    fused,
    large,
    one_or_more,
    trailing,
)


# With z = x r and r = 1 / √(mean(x²) + ε):    dL/dx = r (dz - z mean(dz z)),
# layer norm's without the part along 1. Derived in chapters/normalization/rms-norm.ipynb.
def scale_to_unit_rule(g: Any, out: Any, x: Any, w: Any, axes: tuple[int, ...], eps: float) -> Any:
    _, z, r = out
    dz = g if w is None else g * w
    return r * (dz - z * means(dz * z, axes))


@primitive(scale_to_unit_rule, lambda g, out, *_: g * out[1], None, None)
def scale_to_unit(x: Any, w: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    """(y, z, r): x with mean square 1 over the axes, times w (or None)."""
    square = means(x * x, axes)
    if eps == 0 and not np.all(square > 0):
        raise ValueError("x is zero over the axes it is normalized over: that needs eps > 0")
    if bounded(array_of(square)):
        r = 1 / np.sqrt(square + eps)
        z = x * r
    else:
        s = large(x, axes, square)
        z = x / s
        root = 1 / np.sqrt(means(z * z, axes) + eps_over(eps, s))
        z, r = z * root, root / s
    return z if w is None else z * w, z, r


def rms_norm(
    x: ArrayLike,
    normalized_shape: int | Sequence[int],
    weight: ArrayLike | None = None,
    eps: float | None = None,
) -> Tensor:
    r"""Each sample divided by the root of its mean square, over its last axes.

    $$y = \frac{x}{\sqrt{\operatorname{mean}(x^2) + \epsilon}} \odot w$$

    Shape: x (..., *normalized_shape); weight normalized_shape; returns x's.

    Parameters
    ----------
    normalized_shape: sizes of the axes to normalize over, the last ones of x.
    eps: ε >= 0, inside the root; None is the machine epsilon of the dtype it is computed in: x's,
        but float32 for float16, as in PyTorch; 0 is refused where x is zero on all those axes.

    Raises
    ------
    ValueError: shapes that do not fit, or eps out of range.

    Reference: Zhang & Sennrich 2019, eq. 4. As `torch.nn.functional.rms_norm`.
    Derived in `chapters/normalization/rms-norm.ipynb`.

    >>> rms_norm([[3.0, 4.0]], 2).numpy().round(4)
    array([[0.8485, 1.1314]])
    """
    x = real("rms_norm", "x", x)
    axes = trailing("rms_norm", x, normalized_shape)
    check_shapes("rms_norm", x.shape[axes[0] :], "as normalized_shape", weight=weight)
    eps = float(np.finfo(np.result_type(x.dtype, np.float32)).eps) if eps is None else eps
    eps = number("rms_norm", "eps", eps, "[0, inf)")
    return fused(scale_to_unit, x, weight, axes, eps)


class RMSNorm(Module):
    """`rms_norm` with a gain that is learned, 1 at the beginning.

    Parameters
    ----------
    normalized_shape: sizes of the last axes of the input, which are normalized over.
    eps: ε >= 0, inside the root; None is the machine epsilon, as in `rms_norm`.
    elementwise_affine: whether there is a weight.
    dtype: of the parameters.

    Example
    -------
    >>> RMSNorm(4)
    RMSNorm(4)  4 parameters

    Derived in `chapters/normalization/rms-norm.ipynb`.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        name = "RMSNorm"
        self.normalized_shape = one_or_more(name, normalized_shape)
        self.eps = None if eps is None else number(name, "eps", eps, "[0, inf)")
        affine = flag(name, "elementwise_affine", elementwise_affine)
        self.weight, _ = affine_parameters(self.normalized_shape, affine, float_dtype(name, dtype))

    def forward(self, x: ArrayLike) -> Tensor:
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.normalized_shape))
