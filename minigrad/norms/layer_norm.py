"""Layer, group and instance normalization.

Derived in `chapters/normalization/layer-norm.ipynb`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import ArrayLike, Tensor
from ..checks import flag, float_dtype, integer, number, real
from ..module import Module
from .channels import ChannelNorm, check_running, normalize_with, per_channel
from .standardize import (
    affine_parameters,
    check_shapes,
    fused,
    one_or_more,
    standardize,
    trailing,
)


def layer_norm(
    x: ArrayLike,
    normalized_shape: int | Sequence[int],
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
) -> Tensor:
    r"""Each sample by its own mean and variance, over its last axes.

    $$y = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \odot w + b$$

    Shape: x (..., *normalized_shape); weight and bias normalized_shape; returns x's.

    Parameters
    ----------
    normalized_shape: sizes of the axes to normalize over, the last ones of x.
    eps: ε >= 0, inside the root; 0 is refused where x is constant over those axes.

    Raises
    ------
    ValueError: shapes that do not fit, or eps out of range.

    Reference: Ba, Kiros & Hinton 2016, eqs. 3 and 4. As `torch.nn.functional.layer_norm`.
    Derived in `chapters/normalization/layer-norm.ipynb`.

    >>> layer_norm([[1.0, 2.0, 3.0]], 3).numpy().round(4)
    array([[-1.2247,  0.    ,  1.2247]])
    """
    x = real("layer_norm", "x", x)
    axes = trailing("layer_norm", x, normalized_shape)
    check_shapes("layer_norm", x.shape[axes[0] :], "as normalized_shape", weight=weight, bias=bias)
    eps = number("layer_norm", "eps", eps, "[0, inf)")
    return fused(standardize, x, weight, bias, axes, eps)


def group_norm(
    x: ArrayLike,
    num_groups: int,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    eps: float = 1e-5,
) -> Tensor:
    r"""Each sample's channels in groups, every group by its own mean and variance.

    One group is layer norm over (C, ...), a group for each channel is instance norm.

    Shape: x (N, C) or (N, C, ...); weight and bias (C,); returns x's.

    Parameters
    ----------
    num_groups: how many groups of C / num_groups neighbouring channels.
    eps: ε >= 0, inside the root; 0 is refused where x is constant in a group.

    Raises
    ------
    ValueError: num_groups that does not divide C, shapes that do not fit, or eps out of range.

    Reference: Wu & He 2018, eqs. 1 to 7. As `torch.nn.functional.group_norm`.
    Derived in `chapters/normalization/layer-norm.ipynb`.

    >>> group_norm([[1.0, 3.0, 10.0, 30.0]], 2).numpy().round(4)
    array([[-1.,  1., -1.,  1.]])
    """
    x = real("group_norm", "x", x)
    G = integer("group_norm", "num_groups", num_groups)
    if x.ndim < 2 or x.shape[1] % G or 0 in x.shape[1:]:
        raise ValueError(
            "group_norm: x must be (N, C, ...), not empty, with C divisible by num_groups "
            f"{G}, got {x.shape}"
        )
    N, C, *rest = x.shape
    check_shapes(
        "group_norm", (C,), f"one for each channel of x {x.shape}", weight=weight, bias=bias
    )
    eps = number("group_norm", "eps", eps, "[0, inf)")
    ones = [1] * len(rest)
    w, b = (p if p is None else np.reshape(p, (G, C // G, *ones)) for p in (weight, bias))
    grouped = np.reshape(x, (N, G, C // G, *rest))
    y = fused(standardize, grouped, w, b, tuple(range(2, grouped.ndim)), eps)
    return y.reshape(x.shape)


def instance_norm(
    x: ArrayLike,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    r"""Each channel of each sample by its own mean and variance over the positions.

    Shape: x (N, C, ...), with at least one axis of positions; all other arrays (C,); returns x's.

    Parameters
    ----------
    running_mean, running_var: plain arrays, updated in place if `use_input_stats`, with the mean
        over the samples of their means and unbiased variances; otherwise used in their place.
    use_input_stats: normalize by x's own mean and variance.
    momentum: in [0, 1], the weight of the new ones in the running averages.
    eps: ε >= 0, inside the root; 0 is refused where a channel of a sample is constant.

    Raises
    ------
    ValueError: shapes that do not fit; a single position; `use_input_stats=False` without running
        averages; eps or momentum out of range. TypeError: averages that are not arrays.

    Reference: Ulyanov, Vedaldi & Lempitsky 2016, eq. 2. As `torch.nn.functional.instance_norm`.
    Derived in `chapters/normalization/layer-norm.ipynb`.

    >>> instance_norm([[[1.0, 3.0], [10.0, 30.0]]]).numpy().round(4)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """
    x = real("instance_norm", "x", x)
    if x.ndim < 3:
        raise ValueError(f"instance_norm: x must be (N, C, positions...), got {x.shape}")
    axes = tuple(range(2, x.ndim))
    check_running("instance_norm", running_mean=running_mean, running_var=running_var)
    check_shapes(
        "instance_norm", x.shape[1:2], f"one for each channel of x {x.shape}",
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    eps = number("instance_norm", "eps", eps, "[0, inf)")
    momentum = number("instance_norm", "momentum", momentum, "[0, 1]")
    use_input_stats = flag("instance_norm", "use_input_stats", use_input_stats)
    weight, bias = per_channel(weight, x.ndim - 2), per_channel(bias, x.ndim - 2)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ValueError(
                "instance_norm: with use_input_stats=False, running averages must be given"
            )
        return normalize_with(x, running_mean, running_var, weight, bias, eps)
    n = prod(x.shape[2:])
    if n < 2:
        raise ValueError(f"instance_norm: needs more than one position, got x {x.shape}")
    stats_out: list[tuple[Any, Any]] = []
    y = fused(standardize, x, weight, bias, axes, eps, stats_out=stats_out)
    if running_mean is not None and running_var is not None and len(x):
        mu, var = (np.mean(np.reshape(m, x.shape[:2]), axis=0) for m in stats_out[0])
        running_mean += momentum * (mu - running_mean)
        running_var += momentum * (var * (n / (n - 1)) - running_var)
    return y


class LayerNorm(Module):
    """`layer_norm` with a gain and a shift that are learned, 1 and 0 at the beginning.

    Parameters
    ----------
    normalized_shape: sizes of the last axes of the input, which are normalized over.
    eps: ε >= 0, added to the variance, inside the root.
    elementwise_affine: whether there are weight and bias; bias: whether there is a bias.
    dtype: of the parameters.

    Example
    -------
    >>> LayerNorm(4)
    LayerNorm(4)  8 parameters

    Derived in `chapters/normalization/layer-norm.ipynb`.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        name = "LayerNorm"
        self.normalized_shape = one_or_more(name, normalized_shape)
        self.eps = number(name, "eps", eps, "[0, inf)")
        affine = flag(name, "elementwise_affine", elementwise_affine)
        self.weight, self.bias = affine_parameters(
            self.normalized_shape, affine, float_dtype(name, dtype)
        )
        if not flag(name, "bias", bias):
            self.bias = None

    def forward(self, x: ArrayLike) -> Tensor:
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.normalized_shape))


class GroupNorm(Module):
    """`group_norm` with a gain and a shift for each channel that are learned, 1 and 0 at first.

    Parameters
    ----------
    num_groups, num_channels: the first must divide the second.
    eps: ε >= 0, added to the variance, inside the root.
    affine: whether there are weight and bias.
    dtype: of the parameters.

    Example
    -------
    >>> GroupNorm(2, 4)
    GroupNorm(2, 4)  8 parameters

    Derived in `chapters/normalization/layer-norm.ipynb`.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        self.num_groups = integer("GroupNorm", "num_groups", num_groups)
        self.num_channels = integer("GroupNorm", "num_channels", num_channels)
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_groups must divide num_channels, got {num_groups}, {num_channels}"
            )
        self.eps = number("GroupNorm", "eps", eps, "[0, inf)")
        self.weight, self.bias = affine_parameters(
            num_channels, flag("GroupNorm", "affine", affine), float_dtype("GroupNorm", dtype)
        )

    def forward(self, x: ArrayLike) -> Tensor:
        x = real("GroupNorm", "x", x)
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ValueError(f"GroupNorm: x must be (N, {self.num_channels}, ...), got {x.shape}")
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}"


class InstanceNorm2d(ChannelNorm):
    """`instance_norm` of images.

    Shape: (N, C, H, W) or (C, H, W). Parameters as for `BatchNorm1d`, but by default there are
    neither weight and bias nor running averages, as in PyTorch.

    Example
    -------
    >>> InstanceNorm2d(4)(np.ones((2, 4, 3, 3))).shape
    (2, 4, 3, 3)

    Derived in `chapters/normalization/layer-norm.ipynb`.
    """

    ndims, layout = (4,), "(N, C, H, W) or (C, H, W)"

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)

    def forward(self, x: ArrayLike) -> Tensor:
        x = real("InstanceNorm2d", "x", x)
        if x.ndim == 3:
            return self.forward(x[None])[0]
        x = self.checked(x)
        return instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias,
            use_input_stats=self.training or not self.track_running_stats,
            momentum=self.momentum or 0.0, eps=self.eps,
        )  # fmt: skip
