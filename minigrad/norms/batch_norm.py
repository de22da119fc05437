"""Batch normalization. Derived in `chapters/normalization/batch-norm.ipynb`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.arrays import Array
from ..autograd.tensor import ArrayLike, Tensor
from ..checks import flag, number, real
from .channels import ChannelNorm, check_running, normalize_with, per_channel
from .standardize import check_shapes, fused, standardize


def batch_norm(
    x: ArrayLike,
    running_mean: Array | None,
    running_var: Array | None,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    r"""Each channel by its mean and variance over the batch, or by running averages of them.

    $$y = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} \odot w + b$$

    Shape: x (N, C) or (N, C, ...); all other arrays (C,); returns x's.

    Parameters
    ----------
    running_mean, running_var: plain arrays. In training they are changed in place, by
        running ← (1 - momentum) running + momentum · (the batch's), with the unbiased variance,
        Σ(x - μ)²/(n - 1); otherwise they stand in for the batch's. Both None: not kept.
    training: normalize by this batch (the biased variance), and update the averages.
    momentum: in [0, 1], the weight of the new batch: one minus a moving average's β.
    eps: ε >= 0, inside the root; 0 is refused where a channel is constant.

    Raises
    ------
    ValueError: shapes that do not fit; training on one value per channel; not training, without
        running averages; eps or momentum out of range. TypeError: averages that are not arrays.

    Reference: Ioffe & Szegedy 2015, Algorithm 1 and 2. As `torch.nn.functional.batch_norm`.
    Derived in `chapters/normalization/batch-norm.ipynb`.

    >>> batch_norm([[1.0], [3.0]], None, None, training=True).numpy().round(4)
    array([[-1.],
           [ 1.]])
    """
    x = real("batch_norm", "x", x)
    if x.ndim < 2:
        raise ValueError(f"batch_norm: x must be (N, C) or (N, C, ...), got {x.shape}")
    axes = (0, *range(2, x.ndim))
    check_running("batch_norm", running_mean=running_mean, running_var=running_var)
    check_shapes(
        "batch_norm", x.shape[1:2], f"one for each channel of x {x.shape}",
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    eps = number("batch_norm", "eps", eps, "[0, inf)")
    momentum = number("batch_norm", "momentum", momentum, "[0, 1]")
    training = flag("batch_norm", "training", training)
    weight, bias = per_channel(weight, x.ndim - 2), per_channel(bias, x.ndim - 2)
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: without training=True, running averages must be given")
        return normalize_with(x, running_mean, running_var, weight, bias, eps)
    n = x.size // max(x.shape[1], 1)
    if n < 2:
        raise ValueError(
            f"batch_norm: training needs more than one value for each channel, got x {x.shape}: "
            "use a larger batch, or eval mode"
        )
    stats_out: list[tuple[Any, Any]] = []
    y = fused(standardize, x, weight, bias, axes, eps, stats_out=stats_out)
    if running_mean is not None and running_var is not None:
        mu, var = (np.reshape(m, -1) for m in stats_out[0])
        running_mean += momentum * (mu - running_mean)
        running_var += momentum * (var * (n / (n - 1)) - running_var)
    return y


class _BatchNorm(ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)

    def forward(self, x: ArrayLike) -> Tensor:
        x = self.checked(x)
        y = batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias,
            training=self.training or not self.track_running_stats,
            momentum=self.next_momentum(), eps=self.eps,
        )  # fmt: skip
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
        return y


class BatchNorm1d(_BatchNorm):
    """`batch_norm` of features, or of channels of sequences.

    Shape: (N, C) or (N, C, L).

    Parameters
    ----------
    num_features: C, the number of channels.
    eps: ε >= 0, added to the variance, inside the root.
    momentum: in [0, 1], the weight of a new batch in the running averages; None weighs all batches
        equally.
    affine: whether there are weight and bias (1 and 0 at the beginning).
    track_running_stats: keep running averages and use them in eval mode; without, a batch is always
        normalized by itself.
    dtype: of the parameters and averages.

    Example
    -------
    >>> BatchNorm1d(4)
    BatchNorm1d(4)  8 parameters

    Derived in `chapters/normalization/batch-norm.ipynb`.
    """

    ndims, layout = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """`batch_norm` of the channels of images.

    Shape: (N, C, H, W). Parameters as for `BatchNorm1d`.

    Example
    -------
    >>> BatchNorm2d(4)(np.ones((2, 4, 3, 3))).shape
    (2, 4, 3, 3)

    Derived in `chapters/normalization/batch-norm.ipynb`.
    """

    ndims, layout = (4,), "(N, C, H, W)"
