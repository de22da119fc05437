r"""Normalization: functions with PyTorch's arguments, the modules around them, residual wrappers.

Batch, layer, group and instance norm are one map, taken over different axes:

$$z = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad y = w z + b,
  \qquad \mu, \sigma^2 \text{ the mean and variance of x over the axes}$$

    (N, C, H, W)    batch norm 0, 2, 3    instance norm 2, 3
                    layer norm 1, 2, 3    group norm: (N, G, C/G, H, W) over 2, 3, 4

Derived in `chapters/normalization/`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .init import check_number
from .nn import Module, Parameter
from .tensor import Array, ArrayLike, Tensor, apply, array_of, primitive, rows

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "DeepNorm",
    "GroupNorm",
    "InstanceNorm2d",
    "LayerNorm",
    "PostNorm",
    "PreNorm",
    "RMSNorm",
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "rms_norm",
]

# --- the map and its derivative


def mean(x: Any, axes: tuple[int, ...]) -> Any:
    """Mean over the axes, kept as axes of size 1. As a product with 1/n where BLAS can do it."""
    if axes == (x.ndim - 1,):
        m = rows(x).dot(nths(x.shape[-1], x.dtype))
        return m if x.ndim == 2 else m.reshape(*x.shape[:-1], 1)
    if axes == (0,) and x.ndim == 2:
        return np.dot(nths(len(x), x.dtype).T, x)
    return x.sum(axis=axes, keepdims=True) / prod(x.shape[a] for a in axes)


@lru_cache
def nths(n: int, dtype: Any) -> Array:
    """A column of n numbers 1/n."""
    return np.full((n, 1), 1 / n, dtype)


# With z = (x - μ) r and r = 1 / √(σ² + ε), and dz = g w the gradient that reaches z:
#     dL/dx = r (dz - mean(dz) - z mean(dz z))
# what is left of dz after its parts along 1 and along z are taken away (the second one shortened by
# σ²/(σ² + ε)). Derived in chapters/normalization/batch-norm.ipynb and layer-norm.ipynb.
def standardize_rule(
    g: Any, out: Any, x: Any, w: Any, b: Any, axes: tuple[int, ...], eps: float, seen: Any = None
) -> Any:
    _, z, r = out
    dz = g if w is None else g * w
    dx = dz - mean(dz, axes)
    dx -= z * mean(dz * z, axes)
    dx *= r
    return dx


@primitive(standardize_rule, lambda g, out, *_, **__: g * out[1], lambda g, *_, **__: g, None, None)
def standardize(
    x: Any,
    w: Any,
    b: Any,
    axes: tuple[int, ...],
    eps: float,
    seen: list[tuple[Any, Any]] | None = None,
) -> tuple[Any, Any, Any]:
    """(y, z, r): x with mean 0 and variance 1 over the axes, times w, plus b (each may be None).

    μ and σ² are appended to `seen`, for running averages.
    """
    mu = mean(x, axes)
    c = x - mu
    # σ² as E[x²] - μ² would be lost to rounding where |μ| >> σ. So x is centred first, and what the
    # rounding of μ itself left over is taken away too (3.0 for the mean of 65536 numbers near 1e4).
    rest = mean(c, axes)
    c -= rest  # in place for an array; a Tensor gives a new one
    var = mean(c * c, axes)
    if eps == 0 and not np.all(var > 0):
        raise ValueError("x is constant over the axes it is normalized over: that needs eps > 0")
    r = 1 / np.sqrt(var + eps)
    c *= r
    z = c
    y = z if w is None else z * w
    if seen is not None:
        seen.append((mu + rest, var))
    return y if b is None else y + b, z, r


# With z = x r and r = 1 / √(mean(x²) + ε):    dL/dx = r (dz - z mean(dz z)),
# layer norm's without the part along 1. Derived in chapters/normalization/rms-norm.ipynb.
def scale_to_unit_rule(g: Any, out: Any, x: Any, w: Any, axes: tuple[int, ...], eps: float) -> Any:
    _, z, r = out
    dz = g if w is None else g * w
    return r * (dz - z * mean(dz * z, axes))


@primitive(scale_to_unit_rule, lambda g, out, *_: g * out[1], None, None)
def scale_to_unit(x: Any, w: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    """(y, z, r): x with mean square 1 over the axes, times w (or None)."""
    square = mean(x * x, axes)
    if eps == 0 and not np.all(square > 0):
        raise ValueError("x is zero over the axes it is normalized over: that needs eps > 0")
    r = 1 / np.sqrt(square + eps)
    z = x * r
    return z if w is None else z * w, z, r


# --- checks at the edge


def floating(x: ArrayLike) -> Any:
    """A Tensor or array of floating-point numbers; integers become float64, as in NumPy."""
    x = x if isinstance(x, Tensor) else np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def check_shapes(caller: str, shape: tuple[int, ...], reason: str, **arrays: Any) -> None:
    """Raise ValueError unless each of the arrays that is given has the shape."""
    for label, a in arrays.items():
        if a is not None and (got := np.asarray(array_of(a)).shape) != shape:
            raise ValueError(f"{caller}: {label} must be {shape}, {reason}, got {got}")


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


def trailing(caller: str, x: Any, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """The last axes of x, those of `normalized_shape`, after checking that they agree."""
    shape, given = normalized_shape, x.shape
    if type(shape) is not tuple or 0 in shape or given[-len(shape) :] != shape:
        shape = as_shape(caller, normalized_shape)
    if given[-len(shape) :] != shape:
        raise ValueError(
            f"{caller}: the last axes of x must be normalized_shape {shape}, got x {given}"
        )
    return tuple(range(len(given) - len(shape), len(given)))


def as_shape(caller: str, shape: Any) -> tuple[int, ...]:
    numbers = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    if not numbers or not all(isinstance(n, (int, np.integer)) and n > 0 for n in numbers):
        raise ValueError(
            f"{caller}: normalized_shape must be one or more positive integers, got {shape!r}"
        )
    return numbers


def positive(caller: str, label: str, n: Any) -> int:
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{caller}: {label} must be a positive integer, got {n!r}")
    return int(n)


def fused(f: Callable[..., Any], x: Any, *args: Any, **kwargs: Any) -> Tensor:
    """apply(f, x, ...), in float32 if x is float16: its squares overflow beyond 256."""
    if x.dtype != np.float16:
        return apply(f, x, *args, **kwargs)
    y = apply(f, x.astype(np.float32), *args, **kwargs)
    return y.astype(np.result_type(np.float16, *(a.dtype for a in args[:2] if hasattr(a, "dtype"))))


# --- the functions


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
    x = floating(x)
    axes = trailing("layer_norm", x, normalized_shape)
    check_shapes("layer_norm", x.shape[axes[0] :], "as normalized_shape", weight=weight, bias=bias)
    check_number("layer_norm", "eps", eps, low=0)
    return fused(standardize, x, weight, bias, axes, eps)


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
    eps: ε >= 0, inside the root; None is the machine epsilon of x's dtype; 0 is refused where x
        is zero on all those axes.

    Raises
    ------
    ValueError: shapes that do not fit, or eps out of range.

    Reference: Zhang & Sennrich 2019, eq. 4. As `torch.nn.functional.rms_norm`.
    Derived in `chapters/normalization/rms-norm.ipynb`.

    >>> rms_norm([[3.0, 4.0]], 2).numpy().round(4)
    array([[0.8485, 1.1314]])
    """
    x = floating(x)
    axes = trailing("rms_norm", x, normalized_shape)
    check_shapes("rms_norm", x.shape[axes[0] :], "as normalized_shape", weight=weight)
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    check_number("rms_norm", "eps", eps, low=0)
    return fused(scale_to_unit, x, weight, axes, eps)


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
    x = floating(x)
    if x.ndim < 2:
        raise ValueError(f"batch_norm: x must be (N, C) or (N, C, ...), got {x.shape}")
    axes = (0, *range(2, x.ndim))
    check_running("batch_norm", running_mean=running_mean, running_var=running_var)
    check_shapes(
        "batch_norm", x.shape[1:2], f"one for each channel of x {x.shape}",
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    check_number("batch_norm", "eps", eps, low=0)
    check_number("batch_norm", "momentum", momentum, low=0, high=1)
    weight, bias = per_channel(weight, x.ndim - 2), per_channel(bias, x.ndim - 2)
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: without training=True, running averages must be given")
        return by_known(x, running_mean, running_var, weight, bias, eps)
    n = x.size // max(x.shape[1], 1)
    if n < 2:
        raise ValueError(
            f"batch_norm: training needs more than one value for each channel, got x {x.shape}: "
            "use a larger batch, or eval mode"
        )
    seen: list[tuple[Any, Any]] = []
    y = fused(standardize, x, weight, bias, axes, eps, seen=seen)
    if running_mean is not None and running_var is not None:
        mu, var = (np.reshape(m, -1) for m in seen[0])
        running_mean += momentum * (mu - running_mean)
        running_var += momentum * (var * (n / (n - 1)) - running_var)
    return y


def per_channel(p: ArrayLike | None, behind: int) -> Any:
    """(C,) with `behind` axes of size 1 added, to stand at axis 1 of (N, C, ...)."""
    return p if p is None or not behind else np.reshape(p, (-1, *[1] * behind))


def by_known(x: Any, mu: Array, var: Array, weight: Any, bias: Any, eps: float) -> Tensor:
    """The map with μ and σ² given for each channel: y = (x - μ) · w / √(σ² + ε) + b."""
    if eps == 0 and not np.all(var > 0):
        raise ValueError("running_var is 0 for a channel: that needs eps > 0")
    r = 1 / np.sqrt(per_channel(var, x.ndim - 2) + eps)
    y = (x - per_channel(mu, x.ndim - 2)) * (r if weight is None else weight * r)
    y = y if bias is None else y + bias
    return y if isinstance(y, Tensor) else Tensor(y)


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
    x = floating(x)
    G = positive("group_norm", "num_groups", num_groups)
    if x.ndim < 2 or x.shape[1] % G or 0 in x.shape[1:]:
        raise ValueError(
            "group_norm: x must be (N, C, ...), not empty, with C divisible by num_groups "
            f"{G}, got {x.shape}"
        )
    N, C, *rest = x.shape
    check_shapes(
        "group_norm", (C,), f"one for each channel of x {x.shape}", weight=weight, bias=bias
    )
    check_number("group_norm", "eps", eps, low=0)
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
    x = floating(x)
    if x.ndim < 3:
        raise ValueError(f"instance_norm: x must be (N, C, positions...), got {x.shape}")
    axes = tuple(range(2, x.ndim))
    check_running("instance_norm", running_mean=running_mean, running_var=running_var)
    check_shapes(
        "instance_norm", x.shape[1:2], f"one for each channel of x {x.shape}",
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    check_number("instance_norm", "eps", eps, low=0)
    check_number("instance_norm", "momentum", momentum, low=0, high=1)
    weight, bias = per_channel(weight, x.ndim - 2), per_channel(bias, x.ndim - 2)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ValueError(
                "instance_norm: with use_input_stats=False, running averages must be given"
            )
        return by_known(x, running_mean, running_var, weight, bias, eps)
    n = prod(x.shape[2:])
    if n < 2:
        raise ValueError(f"instance_norm: needs more than one position, got x {x.shape}")
    seen: list[tuple[Any, Any]] = []
    y = fused(standardize, x, weight, bias, axes, eps, seen=seen)
    if running_mean is not None and running_var is not None and len(x):
        mu, var = (np.mean(np.reshape(m, x.shape[:2]), axis=0) for m in seen[0])
        running_mean += momentum * (mu - running_mean)
        running_var += momentum * (var * (n / (n - 1)) - running_var)
    return y


# --- the modules


def affine_parameters(
    shape: int | tuple[int, ...], wanted: bool, dtype: Any
) -> tuple[Parameter | None, Parameter | None]:
    """A gain of ones and a shift of zeros, or neither."""
    if not wanted:
        return None, None
    return Parameter(np.ones(shape), dtype), Parameter(np.zeros(shape), dtype)


class LayerNorm(Module):
    """`layer_norm` with a gain and a shift that are learned, 1 and 0 at the beginning.

    Parameters
    ----------
    normalized_shape: sizes of the last axes of the input, which are normalized over.
    eps: ε >= 0, inside the root.
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
        self.normalized_shape = as_shape("LayerNorm", normalized_shape)
        check_number("LayerNorm", "eps", eps, low=0)
        self.eps = eps
        self.weight, self.bias = affine_parameters(self.normalized_shape, elementwise_affine, dtype)
        if not bias:
            self.bias = None

    def forward(self, x: ArrayLike) -> Tensor:
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.normalized_shape))


class RMSNorm(Module):
    """`rms_norm` with a gain that is learned, 1 at the beginning.

    Parameters
    ----------
    normalized_shape: sizes of the last axes of the input, which are normalized over.
    eps: ε >= 0, inside the root; None is the machine epsilon of the input's dtype.
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
        self.normalized_shape = as_shape("RMSNorm", normalized_shape)
        check_number("RMSNorm", "eps", 0 if eps is None else eps, low=0)
        self.eps = eps
        self.weight, _ = affine_parameters(self.normalized_shape, elementwise_affine, dtype)

    def forward(self, x: ArrayLike) -> Tensor:
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.normalized_shape))


class GroupNorm(Module):
    """`group_norm` with a gain and a shift for each channel that are learned, 1 and 0 at first.

    Parameters
    ----------
    num_groups, num_channels: the first must divide the second.
    eps: ε >= 0, inside the root.
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
        self.num_groups = positive("GroupNorm", "num_groups", num_groups)
        self.num_channels = positive("GroupNorm", "num_channels", num_channels)
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_groups must divide num_channels, got {num_groups}, {num_channels}"
            )
        check_number("GroupNorm", "eps", eps, low=0)
        self.eps = eps
        self.weight, self.bias = affine_parameters(num_channels, affine, dtype)

    def forward(self, x: ArrayLike) -> Tensor:
        if np.ndim(x) < 2 or np.shape(x)[1] != self.num_channels:
            raise ValueError(
                f"GroupNorm: x must be (N, {self.num_channels}, ...), got {np.shape(x)}"
            )
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}"


class _ChannelNorm(Module):
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
        self.num_features = positive(name, "num_features", num_features)
        check_number(name, "eps", eps, low=0)
        check_number(name, "momentum", 0 if momentum is None else momentum, low=0, high=1)
        self.eps, self.momentum = eps, momentum
        self.track_running_stats = track_running_stats
        self.weight, self.bias = affine_parameters(num_features, affine, dtype)
        self.running_mean = np.zeros(num_features, dtype) if track_running_stats else None
        self.running_var = np.ones(num_features, dtype) if track_running_stats else None
        self.num_batches_tracked = np.array(0) if track_running_stats else None

    def check_input(self, x: ArrayLike) -> None:
        shape = np.shape(x)
        if len(shape) not in self.ndims or shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: x must be {self.layout} with C = {self.num_features}, "
                f"got {shape}"
            )

    def next_momentum(self) -> float:
        """The weight of the coming batch: 1/t without momentum, which makes a plain average."""
        if self.momentum is not None or self.num_batches_tracked is None:
            return self.momentum or 0.0
        return 1 / (int(self.num_batches_tracked) + 1)

    def extra_repr(self) -> str:
        return str(self.num_features)


class _BatchNorm(_ChannelNorm):
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
        self.check_input(x)
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
    num_features: C.
    eps: ε >= 0, inside the root.
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


class InstanceNorm2d(_ChannelNorm):
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
        if np.ndim(x) == 3:
            return self.forward(np.expand_dims(x, 0))[0]
        self.check_input(x)
        return instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias,
            use_input_stats=self.training or not self.track_running_stats,
            momentum=self.momentum or 0.0, eps=self.eps,
        )  # fmt: skip


# --- where a residual block has its norm


class _Residual(Module):
    def __init__(self, norm: Callable[..., Any], branch: Callable[..., Any]) -> None:
        for label, part in (("norm", norm), ("branch", branch)):
            if not callable(part):
                raise TypeError(
                    f"{type(self).__name__}: {label} must be a module or a function, got {part!r}"
                )
        self.norm, self.branch = norm, branch

    def branched(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """branch(x, ...), which must keep x's shape to be added to it."""
        y = self.branch(x, *args, **kwargs)
        if np.shape(y) != np.shape(x):
            raise ValueError(
                f"{type(self).__name__}: branch must return the shape of its input {np.shape(x)}, "
                f"got {np.shape(y)}"
            )
        return y


class PreNorm(_Residual):
    """x + branch(norm(x)): the stream itself is never normalized.

    Further arguments of a call go to the branch: `block(x, is_causal=True)`.
    Reference: Xiong et al. 2020, On Layer Normalization in the Transformer Architecture, Figure 1.
    Derived in `chapters/normalization/residual-and-norm.ipynb`.

    >>> PreNorm(RMSNorm(2), np.tanh)(np.zeros((1, 2))).numpy()
    array([[0., 0.]])
    """

    def forward(self, x: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        return x + self.branched(self.norm(x), *args, **kwargs)


class PostNorm(_Residual):
    """norm(x + branch(x)): the original transformer's order.

    Reference: Vaswani et al. 2017, section 3.1. Further arguments of a call go to the branch.
    Derived in `chapters/normalization/residual-and-norm.ipynb`.

    >>> PostNorm(LayerNorm(2), np.tanh)(np.array([[0.0, 2.0]])).numpy().round(3)
    array([[-1.,  1.]])
    """

    def forward(self, x: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        return self.norm(x + self.branched(x, *args, **kwargs))


class DeepNorm(_Residual):
    """norm(alpha · x + branch(x)): Post-Norm with the stream weighed up, for very deep networks.

    Parameters
    ----------
    norm, branch: modules or functions.
    alpha: > 0, from `init.deepnorm_alpha_beta`, which also gives the β for the branch's weights;
        1 is Post-Norm.

    Further arguments of a call go to the branch.
    Reference: Wang et al. 2022, DeepNet: Scaling Transformers to 1,000 Layers, section 3.
    Derived in `chapters/normalization/deep-norm.ipynb`.

    >>> DeepNorm(LayerNorm(2), np.tanh, alpha=2.0)
    DeepNorm(alpha=2)  4 parameters
      norm: LayerNorm(2)  4 parameters
    """

    def __init__(self, norm: Callable[..., Any], branch: Callable[..., Any], alpha: float) -> None:
        super().__init__(norm, branch)
        check_number("DeepNorm", "alpha", alpha, above=0)
        self.alpha = float(alpha)

    def forward(self, x: ArrayLike, *args: Any, **kwargs: Any) -> Any:
        return self.norm(self.alpha * x + self.branched(x, *args, **kwargs))

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:.4g}"
