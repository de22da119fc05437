r"""Initial values of weights: functions (shape, ..., rng) -> ndarray (float64).

`shape` of a weight is (fan_out, fan_in), of a convolution kernel (out, in, *window): then
fan_in = in · |window| and fan_out = out · |window|. Every random function takes `rng`, a
`numpy.random.Generator`; nothing touches global state. The variances are derived in
`chapters/initialization/lecun-xavier-he.ipynb`, the rest in
`chapters/initialization/orthogonal-and-parametrization.ipynb`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt
from typing import Any

import numpy as np

from .autograd.arrays import Array
from .checks import choice, generator, integer, number, sizes

__all__ = [
    "calculate_gain",
    "constant",
    "deepnorm_alpha_beta",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "residual_scale",
    "truncated_normal",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Shape = int | Sequence[int]


def as_shape(caller: str, shape: Shape, ndim: int = 0) -> tuple[int, ...]:
    """`shape` as a tuple, after checking that it is one, with at least `ndim` sizes above 0."""
    found = sizes(caller, "shape", shape, "{1, 2, ...}" if ndim else "{0, 1, ...}")
    if len(found) < ndim:
        raise ValueError(
            f"{caller}: shape must be (fan_out, fan_in) or (out, in, *window), got {found}: "
            "a bias has no fan-in, give it zeros(...)"
        )
    return found


def fans(caller: str, shape: Shape, rng: Any) -> tuple[int, int]:
    """(fan_in, fan_out): how many inputs one output sums up, and outputs one input feeds."""
    generator(caller, rng)
    out, into, *window = as_shape(caller, shape, ndim=2)
    return into * prod(window), out * prod(window)


# --- distributions


def uniform(
    shape: Shape, low: float = 0.0, high: float = 1.0, *, rng: np.random.Generator
) -> Array:
    r"""Independent draws from $U(\text{low}, \text{high})$, of variance (high − low)²/12.

    Raises
    ------
    ValueError: low > high, or one of them not finite.

    >>> uniform((2, 3), -1, 1, rng=np.random.default_rng(0)).shape
    (2, 3)
    """
    low, high = number("uniform", "low", low), number("uniform", "high", high)
    if low > high:
        raise ValueError(f"uniform: low must not exceed high, got {low} and {high}")
    return generator("uniform", rng).uniform(low, high, as_shape("uniform", shape))


def normal(shape: Shape, mean: float = 0.0, std: float = 1.0, *, rng: np.random.Generator) -> Array:
    r"""Independent draws from $N(\text{mean}, \text{std}^2)$.

    Raises
    ------
    ValueError: std < 0, or a number that is not finite.

    >>> normal((2, 3), rng=np.random.default_rng(0)).shape
    (2, 3)
    """
    mean, std = number("normal", "mean", mean), number("normal", "std", std, "[0, inf)")
    return generator("normal", rng).normal(mean, std, as_shape("normal", shape))


def truncated_normal(
    shape: Shape,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    *,
    rng: np.random.Generator,
) -> Array:
    r"""Independent draws from $N(\text{mean}, \text{std}^2)$, given that they lie in $[a, b]$.

    As PyTorch's `trunc_normal_`: a and b are bounds on the values themselves, not multiples of std,
    and std is that of the normal before it is cut. The draws vary less: with bounds two std from
    the mean, their standard deviation is 0.8796 std. Divide std by that to have the std you want.

    Parameters
    ----------
    mean, std: of the normal before the cut; std > 0.
    a, b: where it is cut off, a < b; may be infinite.

    Raises
    ------
    ValueError: std <= 0, or a >= b.

    Reference: by inversion, in logarithms, so that it also holds far out in a tail.
    Derived in `chapters/initialization/orthogonal-and-parametrization.ipynb`.

    >>> w = truncated_normal((10000,), std=0.02, a=-0.04, b=0.04, rng=np.random.default_rng(0))
    >>> bool(abs(w).max() <= 0.04), round(float(w.std() / 0.02), 2)
    (True, 0.88)
    """
    mean = number("truncated_normal", "mean", mean)
    std = number("truncated_normal", "std", std, "(0, inf)")
    a = number("truncated_normal", "a", a, "[-inf, inf]")
    b = number("truncated_normal", "b", b, "[-inf, inf]")
    if not a < b:
        raise ValueError(f"truncated_normal: a must be below b, got {a} and {b}")
    v = generator("truncated_normal", rng).random(as_shape("truncated_normal", shape))
    v = np.maximum(v, 2.0**-54)  # uniform in (0, 1): 0 would be sent to −∞
    low, high = (a - mean) / std, (b - mean) / std
    flip = low > 0  # right of the mean, Φ is too close to 1 to tell its values apart
    if flip:
        low, high = -high, -low
    # u = Φ(low) + v (Φ(high) - Φ(low)) is uniform between the two, x = Φ⁻¹(u)
    from scipy.special import log_ndtr, ndtri_exp  # here, because SciPy takes long to load

    ratio = np.exp(log_ndtr(low) - log_ndtr(high))
    x = ndtri_exp(log_ndtr(high) + np.log(v + (1 - v) * ratio))
    return np.asarray(np.clip(mean + std * (-x if flip else x), a, b))


def constant(shape: Shape, value: float) -> Array:
    """All elements equal to `value`.

    >>> constant((2,), 0.5)
    array([0.5, 0.5])
    """
    return np.full(as_shape("constant", shape), number("constant", "value", value), np.float64)


def zeros(shape: Shape) -> Array:
    """All elements 0: for biases. With all weights and biases 0, the units of a layer stay equal.

    >>> zeros((2,))
    array([0., 0.])
    """
    return np.zeros(as_shape("zeros", shape))


def ones(shape: Shape) -> Array:
    """All elements 1: for the gains of a norm.

    >>> ones((2,))
    array([1., 1.])
    """
    return np.ones(as_shape("ones", shape))


# --- variances that keep a signal's size from layer to layer


CONVOLUTIONS = [f"conv{t}{d}d" for t in ("", "_transpose") for d in (1, 2, 3)]
GAINS = dict.fromkeys(["linear", *CONVOLUTIONS, "sigmoid"], 1.0)
GAINS |= {"tanh": 5 / 3, "relu": sqrt(2), "leaky_relu": sqrt(2 / (1 + 0.01**2)), "selu": 3 / 4}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    r"""The factor on the weights' standard deviation that a nonlinearity asks for.

    $1/\sqrt{\mathrm{E}[f(z)^2]}$ for z ~ N(0, 1) preserves the second moment: $\sqrt 2$ for ReLU,
    $\sqrt{2/(1+a^2)}$ for the leaky ReLU of slope a. As in PyTorch, 5/3 stands for tanh (where that
    formula gives 1.5925), 3/4 for SELU (whose fixed point needs gain 1, "linear"), and 1 for
    sigmoid and linear layers.

    Parameters
    ----------
    nonlinearity: "linear", "conv1d", "conv2d", "conv3d" (and "conv_transpose1d" … "3d"), "sigmoid",
        "tanh", "relu", "leaky_relu", "selu".
    param: the negative slope a of "leaky_relu"; 0.01 without.

    Raises
    ------
    ValueError: another name, or a param that is not a number.

    Derived in `chapters/initialization/lecun-xavier-he.ipynb`, with the gains of all activations.

    >>> round(calculate_gain("leaky_relu", 0.2), 4)
    1.3868
    """
    choice("calculate_gain", "nonlinearity", nonlinearity, *GAINS)
    a = 0.01 if param is None else number("calculate_gain", "param", param)
    return sqrt(2 / (1 + a * a)) if nonlinearity == "leaky_relu" else GAINS[nonlinearity]


def lecun_normal(shape: Shape, *, rng: np.random.Generator) -> Array:
    r"""$N(0, 1/\text{fan\_in})$: a sum over fan_in inputs keeps their variance.

    Reference: LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, eq. 16.
    Derived in `chapters/initialization/lecun-xavier-he.ipynb`.

    >>> round(float(lecun_normal((500, 100), rng=np.random.default_rng(0)).std()), 2)
    0.1
    """
    fan_in, _ = fans("lecun_normal", shape, rng)
    return normal(shape, 0.0, sqrt(1 / fan_in), rng=rng)


def lecun_uniform(shape: Shape, *, rng: np.random.Generator) -> Array:
    r"""$U(\pm\sqrt{3/\text{fan\_in}})$: the variance of `lecun_normal`, with a bound.

    Reference: LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, eq. 16.
    Derived in `chapters/initialization/lecun-xavier-he.ipynb`.

    >>> bool(abs(lecun_uniform((500, 300), rng=np.random.default_rng(0))).max() <= 0.1)
    True
    """
    fan_in, _ = fans("lecun_uniform", shape, rng)
    bound = sqrt(3 / fan_in)
    return uniform(shape, -bound, bound, rng=rng)


def xavier_normal(shape: Shape, gain: float = 1.0, *, rng: np.random.Generator) -> Array:
    r"""$N(0, \text{gain}^2 \cdot 2/(\text{fan\_in} + \text{fan\_out}))$.

    Between 1/fan_in, which keeps the variance going forward, and 1/fan_out, which keeps the
    gradient's going back.

    Reference: Glorot & Bengio 2010, eq. 12.
    Derived in `chapters/initialization/lecun-xavier-he.ipynb`.

    >>> round(float(xavier_normal((300, 500), rng=np.random.default_rng(0)).std()), 2)
    0.05
    """
    gain = number("xavier_normal", "gain", gain, "[0, inf)")
    std = gain * sqrt(2 / sum(fans("xavier_normal", shape, rng)))
    return normal(shape, 0.0, std, rng=rng)


def xavier_uniform(shape: Shape, gain: float = 1.0, *, rng: np.random.Generator) -> Array:
    r"""$U(\pm\,\text{gain}\sqrt{6/(\text{fan\_in} + \text{fan\_out})})$: as `xavier_normal`.

    Reference: Glorot & Bengio 2010, eq. 16.
    Derived in `chapters/initialization/lecun-xavier-he.ipynb`.

    >>> bool(abs(xavier_uniform((300, 300), rng=np.random.default_rng(0))).max() <= 0.1)
    True
    """
    gain = number("xavier_uniform", "gain", gain, "[0, inf)")
    bound = gain * sqrt(6 / sum(fans("xavier_uniform", shape, rng)))
    return uniform(shape, -bound, bound, rng=rng)


def kaiming_std(
    caller: str, shape: Shape, a: float, mode: str, nonlinearity: str, rng: Any
) -> float:
    fan_in, fan_out = fans(caller, shape, rng)
    a = number(caller, "a", a)
    choice(caller, "mode", mode, "fan_in", "fan_out")
    choice(caller, "nonlinearity", nonlinearity, *GAINS)
    return calculate_gain(nonlinearity, a) / sqrt(fan_in if mode == "fan_in" else fan_out)


def kaiming_normal(
    shape: Shape,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: np.random.Generator,
) -> Array:
    r"""$N(0, \text{gain}^2/\text{fan})$, with the gain of `nonlinearity`: 2/fan_in for ReLU.

    Parameters
    ----------
    a: slope of the leaky ReLU; 0 is ReLU.
    mode: "fan_in" keeps the signal's size forward, "fan_out" the gradient's backward.
    nonlinearity: a name `calculate_gain` knows.

    Reference: He, Zhang, Ren & Sun 2015, eqs. 10, 14 and 15. Also called `he_normal`.
    Derived in `chapters/initialization/lecun-xavier-he.ipynb`.

    >>> round(float(kaiming_normal((500, 200), rng=np.random.default_rng(0)).std()), 2)
    0.1
    """
    std = kaiming_std("kaiming_normal", shape, a, mode, nonlinearity, rng)
    return normal(shape, 0.0, std, rng=rng)


def kaiming_uniform(
    shape: Shape,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: np.random.Generator,
) -> Array:
    r"""$U(\pm\,\text{gain}\sqrt{3/\text{fan}})$: the variance of `kaiming_normal`, with a bound.

    Parameters as for `kaiming_normal`. Also called `he_uniform`.
    Reference: He, Zhang, Ren & Sun 2015.
    Derived in `chapters/initialization/lecun-xavier-he.ipynb`.

    >>> bool(abs(kaiming_uniform((500, 600), rng=np.random.default_rng(0))).max() <= 0.1)
    True
    """
    bound = sqrt(3) * kaiming_std("kaiming_uniform", shape, a, mode, nonlinearity, rng)
    return uniform(shape, -bound, bound, rng=rng)


he_normal, he_uniform = kaiming_normal, kaiming_uniform


def orthogonal(shape: Shape, gain: float = 1.0, *, rng: np.random.Generator) -> Array:
    r"""A matrix with $W^\top W = \text{gain}^2 I$ (or $W W^\top$, if it is wider than high).

    Uniform over all such matrices. A kernel (out, in, *window) is made as (out, in · |window|).

    Raises
    ------
    ValueError: fewer than two sizes, or gain < 0.

    Reference: Saxe, McClelland & Ganguli 2014; the sign fix: Mezzadri 2007, section 5.
    Derived in `chapters/initialization/orthogonal-and-parametrization.ipynb`.

    >>> W = orthogonal((4, 2), rng=np.random.default_rng(0))
    >>> (W.T @ W).round(8) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """
    generator("orthogonal", rng)
    gain = number("orthogonal", "gain", gain, "[0, inf)")
    rows, *rest = as_shape("orthogonal", shape, ndim=2)
    columns = prod(rest)
    tall = (max(rows, columns), min(rows, columns))
    Q, R = np.linalg.qr(normal(tall, rng=rng))
    # QR is unique once R's diagonal is positive; without this, Q depends on the algorithm's signs
    # and is not uniform
    Q = Q * np.copysign(1.0, np.diagonal(R))
    return np.asarray(gain * (Q if rows >= columns else Q.T).reshape(rows, *rest))


# --- scalings of residual networks


def residual_scale(num_layers: int) -> float:
    r"""$1/\sqrt{2L}$: the factor on the last weights of each branch of a Pre-Norm transformer.

    L layers add 2L branches (attention and feed-forward) to the stream; with this factor their sum
    keeps the variance of one.

    Reference: Radford et al. 2019 (GPT-2), section 2.3.
    Derived in `chapters/initialization/orthogonal-and-parametrization.ipynb`.

    >>> residual_scale(8)
    0.25
    """
    return 1 / sqrt(2 * integer("residual_scale", "num_layers", num_layers))


def deepnorm_alpha_beta(
    encoder_layers: int = 0, decoder_layers: int = 0
) -> dict[str, tuple[float, float]]:
    r"""DeepNorm's α, on the residual stream, and β, the gain of the branches' weights.

    $$\begin{array}{lll}
    \text{encoder only} & \alpha = (2N)^{1/4} & \beta = (8N)^{-1/4} \\
    \text{decoder only} & \alpha = (2M)^{1/4} & \beta = (8M)^{-1/4} \\
    \text{both: encoder} & \alpha = 0.81\,(N^4 M)^{1/16} & \beta = 0.87\,(N^4 M)^{-1/16} \\
    \text{both: decoder} & \alpha = (3M)^{1/4} & \beta = (12M)^{-1/4}
    \end{array}$$

    β is for the feed-forward, value and output projections (`xavier_normal(shape, gain=beta)`);
    query and key keep gain 1.

    Parameters
    ----------
    encoder_layers, decoder_layers: N and M; 0 for a model that has none.

    Returns
    -------
    {"encoder": (α, β), "decoder": (α, β)}, of these the parts that the model has.

    Raises
    ------
    ValueError: a negative number of layers, or none at all.

    Reference: Wang et al. 2022, DeepNet: Scaling Transformers to 1,000 Layers, Figure 2.
    Derived in `chapters/normalization/deep-norm.ipynb`.

    >>> deepnorm_alpha_beta(encoder_layers=8)
    {'encoder': (2.0, 0.3535533905932738)}
    """
    N = integer("deepnorm_alpha_beta", "encoder_layers", encoder_layers, "{0, 1, ...}")
    M = integer("deepnorm_alpha_beta", "decoder_layers", decoder_layers, "{0, 1, ...}")
    if N and M:
        return {
            "encoder": (0.81 * (N**4 * M) ** (1 / 16), 0.87 * (N**4 * M) ** (-1 / 16)),
            "decoder": ((3 * M) ** (1 / 4), (12 * M) ** (-1 / 4)),
        }
    if not N and not M:
        raise ValueError("deepnorm_alpha_beta: give encoder_layers, decoder_layers, or both")
    n = N or M
    return {"encoder" if N else "decoder": ((2 * n) ** (1 / 4), (8 * n) ** (-1 / 4))}
