"""What batch norm and instance norm share: parameters and running averages for each channel.

Derived in `chapters/normalization/batch-norm.ipynb`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import ArrayLike, Tensor
from ..checks import flag, float_dtype, integer, number, real
from ..module import Module
from .standardize import affine_parameters


def per_channel(p: ArrayLike | None, behind: int) -> Any:
    """(C,) with `behind` axes of size 1 added, to stand at axis 1 of (N, C, ...)."""
    return p if p is None or not behind else np.reshape(p, (-1, *[1] * behind))


def normalize_with(x: Any, mu: Array, var: Array, weight: Any, bias: Any, eps: float) -> Tensor:
    """The map with μ and σ² given for each channel: y = (x - μ) · w / √(σ² + ε) + b."""
    if eps == 0 and not np.all(var > 0):
        raise ValueError("running_var is 0 for a channel: that needs eps > 0")
    r = 1 / np.sqrt(per_channel(var, x.ndim - 2) + eps)
    y = (x - per_channel(mu, x.ndim - 2)) * (r if weight is None else weight * r)
    y = y if bias is None else y + bias
    return y if isinstance(y, Tensor) else Tensor(y)


def check_running(caller: str, **running: Any) -> None:
    """Running averages are plain arrays, because they are changed in place."""
    for label, a in running.items():
        if a is not None and not (isinstance(a, np.ndarray) and a.dtype.kind == "f"):
            raise TypeError(
                f"{caller}: {label} must be a floating-point array (it is changed in place), "
                f"got {type(a).__name__}"
            )
    (_, m), (label, v) = running.items()
    if (m is None) != (v is None):
        raise ValueError(f"{caller}: give running_mean and running_var, or neither")
    if v is not None and not np.all(v >= 0):
        raise ValueError(f"{caller}: {label} must be >= 0 everywhere, its least is {v.min()}")


class ChannelNorm(Module):
    """What batch and instance norms share: a gain, a shift and running averages for each channel.

    The running averages and the number of batches seen are plain arrays, so state_dict() has them.
    """

    ndims: tuple[int, ...]  # how many axes the input may have
    layout: str

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        dtype: Any,
    ) -> None:
        name = type(self).__name__
        self.num_features = integer(name, "num_features", num_features)
        self.eps = number(name, "eps", eps, "[0, inf)")
        self.momentum = None if momentum is None else number(name, "momentum", momentum, "[0, 1]")
        self.track_running_stats = flag(name, "track_running_stats", track_running_stats)
        affine, dtype = flag(name, "affine", affine), float_dtype(name, dtype)
        self.weight, self.bias = affine_parameters(num_features, affine, dtype)
        self.running_mean = np.zeros(num_features, dtype) if track_running_stats else None
        self.running_var = np.ones(num_features, dtype) if track_running_stats else None
        self.num_batches_tracked = np.array(0) if track_running_stats else None

    def checked(self, x: ArrayLike) -> Tensor:
        """x as a Tensor, if it is laid out as it must be."""
        y = real(type(self).__name__, "x", x)
        if y.ndim not in self.ndims or y.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: x must be {self.layout} with C = {self.num_features}, "
                f"got {y.shape}"
            )
        return y

    def next_momentum(self) -> float:
        """The weight of the coming batch: 1/t without momentum, which makes a plain average."""
        if self.momentum is not None or self.num_batches_tracked is None:
            return self.momentum or 0.0
        return 1 / (int(self.num_batches_tracked) + 1)

    def extra_repr(self) -> str:
        return str(self.num_features)
