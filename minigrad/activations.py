"""Activation functions: Tensor -> Tensor, element by element unless said otherwise.

Every function takes a Tensor or anything NumPy makes an array of (integers become float64) and
gives a Tensor of the same dtype. None of them overflows, and no derivative is NaN, for any finite
x. Where there is a kink, the docstring says which of the slopes the derivative takes: PyTorch's.
Derived in `chapters/activations/`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .checks import number, one_axis, real, reals
from .rules import keep, logistic
from .tensor import ArrayLike, Tensor, apply, primitive, sums

__all__ = [
    "bilinear",
    "elu",
    "geglu",
    "gelu",
    "glu",
    "hard_swish",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "mish",
    "prelu",
    "reglu",
    "relu",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "swiglu",
    "swish",
    "tanh",
]

ROOT_2_OVER_PI = float(np.sqrt(2 / np.pi))
# The two constants that make mean 0 and variance 1 a fixed point of SELU's map of moments.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def like(y: Any, x: Any) -> Any:
    """y in the dtype of x: SciPy's functions give float64 for float16."""
    return y if y.dtype == x.dtype else y.astype(x.dtype)


# --- sigmoid and tanh


def sigmoid(x: ArrayLike) -> Tensor:
    r"""The logistic function $\sigma(x) = 1 / (1 + e^{-x})$, without overflow for any x.

    Its derivative is $\sigma(x)(1 - \sigma(x)) \le 1/4$.

    Shape: any; returns the same.

    Raises
    ------
    TypeError: x does not hold real numbers.

    Derived in `chapters/activations/sigmoid-tanh.ipynb`.

    >>> sigmoid([0.0, 1000.0])
    Tensor([0.5, 1. ])
    """
    return apply(logistic, real("sigmoid", x))


def tanh(x: ArrayLike) -> Tensor:
    r"""$\tanh x = (e^x - e^{-x}) / (e^x + e^{-x}) = 2\sigma(2x) - 1$.

    Its derivative is $1 - \tanh^2 x \le 1$.

    Shape: any; returns the same.

    Raises
    ------
    TypeError: x does not hold real numbers.

    Derived in `chapters/activations/sigmoid-tanh.ipynb`.

    >>> tanh([0.0, 1000.0])
    Tensor([0., 1.])
    """
    return apply(np.tanh, real("tanh", x))


# --- the ReLU family


@primitive(lambda g, y, x: g * (y > 0))
def _relu(x: Any) -> Any:
    return np.maximum(x, 0)


def relu(x: ArrayLike) -> Tensor:
    r"""$\max(x, 0)$, with derivative 0 at 0.

    Shape: any; returns the same.

    Raises
    ------
    TypeError: x does not hold real numbers.

    Reference: Nair & Hinton (2010), Rectified linear units improve restricted Boltzmann machines.
    Derived in `chapters/activations/relu-family.ipynb`.

    >>> relu([-1.0, 2.0])
    Tensor([0., 2.])
    """
    return apply(_relu, real("relu", x))


# x for x > 0, else a x. The two sides are added, one of them being 0: np.where is many times slower
# when the signs come at random.
@primitive(
    lambda g, y, x, a: g * (x > 0) + a * g * (x <= 0),
    lambda g, y, x, a: g * (x * (x <= 0)),
)
def _leaky_relu(x: Any, a: Any) -> Any:
    return np.maximum(x, 0) + a * np.minimum(x, 0)


def leaky_relu(x: ArrayLike, negative_slope: float = 0.01) -> Tensor:
    r"""$x$ for $x > 0$, else $a x$ with a small slope a; the derivative at 0 is a.

    Shape: any; returns the same.

    Parameters
    ----------
    negative_slope: a, any finite number.

    Raises
    ------
    TypeError: x does not hold real numbers, or the slope is no number.
    ValueError: the slope is not finite.

    Reference: Maas, Hannun & Ng (2013), Rectifier nonlinearities improve neural network acoustic
    models. Derived in `chapters/activations/relu-family.ipynb`.

    >>> leaky_relu([-1.0, 2.0])
    Tensor([-0.01,  2.  ])
    """
    a = number("leaky_relu", "negative_slope", negative_slope, "finite")
    return apply(_leaky_relu, real("leaky_relu", x), a)


def prelu(x: ArrayLike, weight: ArrayLike) -> Tensor:
    r"""Leaky ReLU whose slope is learned: $x$ for $x > 0$, else $a x$; the derivative at 0 is a.

    Shape: x (N, C, ...), or any if there is one slope; returns the same.

    Parameters
    ----------
    weight: a, one slope, of shape () or (1,), or one for each channel (axis 1 of x), of shape (C,).

    Raises
    ------
    TypeError: x or weight does not hold real numbers.
    ValueError: weight has another shape.

    Reference: He et al. (2015), Delving deep into rectifiers, eq. 1. Derived in
    `chapters/activations/relu-family.ipynb`.

    >>> prelu([[-1.0, -1.0], [2.0, -2.0]], [0.1, 0.5])
    Tensor([[-0.1, -0.5],
            [ 2. , -1. ]])
    """
    x, slopes = reals("prelu", x, weight)
    a: Any = slopes
    channels = x.shape[1] if x.ndim > 1 else 1
    if a.ndim > 1 or a.size not in (1, channels):
        raise ValueError(
            f"prelu: weight must hold one slope, or one for each of the {channels} channels (axis "
            f"1) of x {x.shape}, got shape {a.shape}"
        )
    if a.size > 1:
        a = np.reshape(a, (-1,) + (1,) * (x.ndim - 2))
    elif a.ndim > x.ndim:
        a = np.reshape(a, ())  # one slope of shape (1,), x of shape ()
    return apply(_leaky_relu, x, a)


# scale x for x > 0, else scale alpha (e^x - 1), whose slope is scale alpha e^x.
@primitive(
    lambda g, y, x, alpha, scale: (
        scale * (g * (x > 0) + alpha * g * np.exp(np.minimum(x, 0)) * (x <= 0))
    ),
    None,
    None,
)
def _elu(x: Any, alpha: float, scale: float) -> Any:
    return scale * (np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0)))


def elu(x: ArrayLike, alpha: float = 1.0) -> Tensor:
    r"""$x$ for $x > 0$, else $\alpha(e^x - 1)$; the derivative at 0 is α.

    Shape: any; returns the same.

    Parameters
    ----------
    alpha: minus the limit for $x \to -\infty$, any finite number; 1 makes the slope continuous.

    Raises
    ------
    TypeError: x does not hold real numbers, or alpha is no number.
    ValueError: alpha is not finite.

    Reference: Clevert, Unterthiner & Hochreiter (2016), Fast and accurate deep network learning by
    exponential linear units, section 3. Derived in `chapters/activations/relu-family.ipynb`.

    >>> elu([-1000.0, 2.0])
    Tensor([-1.,  2.])
    """
    return apply(_elu, real("elu", x), number("elu", "alpha", alpha, "finite"), 1.0)


def selu(x: ArrayLike) -> Tensor:
    r"""$\lambda x$ for $x > 0$, else $\lambda\alpha(e^x - 1)$, λ ≈ 1.0507 and α ≈ 1.6733.

    With these two constants, inputs of mean 0 and variance 1 give outputs of mean 0 and variance 1.
    The derivative at 0 is λα.

    Shape: any; returns the same.

    Raises
    ------
    TypeError: x does not hold real numbers.

    Reference: Klambauer et al. (2017), Self-normalizing neural networks, eq. 2. Derived in
    `chapters/activations/relu-family.ipynb`.

    >>> selu([-1000.0, 1.0]).numpy().round(4)
    array([-1.7581,  1.0507])
    """
    return apply(_elu, real("selu", x), SELU_ALPHA, SELU_SCALE)


def _softplus_rule(g: Any, y: Any, x: Any, beta: float = 1.0, threshold: float = np.inf) -> Any:
    with np.errstate(over="ignore"):
        z = beta * x
    s = logistic(z)
    return g * (s if threshold == np.inf else np.where(z > threshold, 1, s))


# log(1 + e^x) = max(x, 0) + log(1 + e^-|x|): the exponential cannot overflow, and log1p keeps the
# digits of a small one. np.logaddexp(0, x) is as good and some 20 times slower.
@primitive(_softplus_rule)
def _softplus(x: Any, beta: float = 1.0, threshold: float = np.inf) -> Any:
    with np.errstate(over="ignore"):  # e^-inf = 0 is right
        z = beta * x
    y = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(z))) / beta
    return y if threshold == np.inf else np.where(z > threshold, x, y)


def softplus(x: ArrayLike, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    r"""$\log(1 + e^{\beta x}) / \beta$, a smooth ReLU; its derivative is $\sigma(\beta x)$.

    Shape: any; returns the same.

    Parameters
    ----------
    beta: β > 0; the larger, the closer to ReLU.
    threshold: where $\beta x$ is larger, x itself is returned, with derivative 1, as in PyTorch:
        at 20 it is off by $e^{-20}/\beta$. The exact form does not need it: `np.inf` turns it off.

    Raises
    ------
    TypeError: x does not hold real numbers, or an option is no number.
    ValueError: beta or threshold is not positive.

    Reference: Dugas et al. (2001), Incorporating second-order functional knowledge for better
    option pricing. Derived in `chapters/activations/relu-family.ipynb`.

    >>> softplus([-1000.0, 0.0, 20.0]).numpy().round(4)
    array([ 0.    ,  0.6931, 20.    ])
    """
    beta = number("softplus", "beta", beta, "positive and finite")
    threshold = number("softplus", "threshold", threshold, "positive")
    return apply(_softplus, real("softplus", x), beta=beta, threshold=threshold)


# --- softmax


# dL/dx = y * (g - <g, y>): the Jacobian diag(y) - y y^T times g, derived in
# chapters/activations/softmax.ipynb.
@primitive(lambda g, y, x, axis=-1: y * (g - sums(g * y, axis)))
def _softmax(x: Any, axis: int = -1) -> Any:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / sums(e, axis)


def softmax(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$p_i = e^{x_i} / \sum_j e^{x_j}$ along an axis, computed from $x - \max x$.

    Shape: any; returns the same, with sums of 1 along `axis`. Entries of $-\infty$ get 0.

    Raises
    ------
    TypeError: x does not hold real numbers, or axis is no integer.
    ValueError: x has no such axis, or it is empty.

    Derived in `chapters/activations/softmax.ipynb`.

    >>> softmax([1000.0, 1000.0, -1000.0])
    Tensor([0.5, 0.5, 0. ])
    """
    x = real("softmax", x)
    return apply(_softmax, x, axis=one_axis("softmax", x, axis))


# y = x - log sum e^x:  dL/dx = g - softmax(x) sum(g), and softmax(x) = e^y.
@primitive(lambda g, y, x, axis=-1: g - np.exp(y) * sums(g, axis))
def _log_softmax(x: Any, axis: int = -1) -> Any:
    z = x - x.max(axis=axis, keepdims=True)
    return z - np.log(sums(np.exp(z), axis))


def log_softmax(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$\log p_i = x_i - \log \sum_j e^{x_j}$ along an axis: finite where softmax gives 0.

    Shape: any; returns the same.

    Raises
    ------
    TypeError: x does not hold real numbers, or axis is no integer.
    ValueError: x has no such axis, or it is empty.

    Derived in `chapters/activations/softmax.ipynb`.

    >>> log_softmax([0.0, -1000.0])
    Tensor([    0., -1000.])
    """
    x = real("log_softmax", x)
    return apply(_log_softmax, x, axis=one_axis("log_softmax", x, axis))


def _logsumexp_rule(g: Any, y: Any, x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    """g softmax(x), and 0 where every x is -inf."""
    y = keep(y, x, axis, keepdims)
    return keep(g, x, axis, keepdims) * np.exp(x - np.where(y == -np.inf, 0, y))


@primitive(_logsumexp_rule)
def _logsumexp(x: Any, axis: Any = -1, keepdims: bool = False) -> Any:
    m = x.max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)  # a sum of e^-inf only is 0, and its logarithm -inf
    with np.errstate(divide="ignore", over="ignore"):
        y = m + np.log(np.exp(x - m).sum(axis=axis, keepdims=True))
    return y if keepdims else np.squeeze(y, axis)


def logsumexp(
    x: ArrayLike, axis: int | tuple[int, ...] | None = -1, keepdims: bool = False
) -> Tensor:
    r"""$\log \sum_i e^{x_i}$, a smooth maximum, computed as $m + \log\sum e^{x-m}$, $m = \max x$.

    Its derivative is softmax(x).

    Shape: any; returns it without `axis`, or with 1 there if `keepdims`.

    Parameters
    ----------
    axis: an integer, several in a tuple, or None for all.
    keepdims: whether the axes stay, with size 1.

    Raises
    ------
    TypeError: x does not hold real numbers, or axis is no integer.
    ValueError: x has no such axis, or it is empty.

    Derived in `chapters/activations/softmax.ipynb`.

    >>> round(logsumexp([1000.0, 1000.0]).item(), 4)
    1000.6931
    """
    x = real("logsumexp", x)
    if axis is None:
        if x.size == 0:
            raise ValueError(f"logsumexp: x of shape {x.shape} is empty; it needs a number")
    elif isinstance(axis, tuple):
        axis = tuple(one_axis("logsumexp", x, a) for a in axis)
        if len({a % x.ndim for a in axis}) < len(axis):
            raise ValueError(f"logsumexp: axis {axis} names one twice")
    else:
        axis = one_axis("logsumexp", x, axis)
    return apply(_logsumexp, x, axis=axis, keepdims=bool(keepdims))


# --- GELU, SiLU, Swish, Mish: x times a gate between 0 and 1. The gate is saved for the rules, and
# products are taken in an order in which a saturated gate, s (1 - s) = 0, meets x first.


# y = x s, s = sigmoid(beta x):  dy/dx = s + beta x s (1 - s),  dy/dbeta = x^2 s (1 - s), derived in
# chapters/activations/gelu-silu-swish.ipynb.
@primitive(
    lambda g, out, x, beta: g * (out[1] + beta * (x * (out[1] * (1 - out[1])))),
    lambda g, out, x, beta: g * (x * (x * (out[1] * (1 - out[1])))),
)
def _swish(x: Any, beta: Any) -> Any:
    with np.errstate(over="ignore"):
        s = logistic(beta * x)
    return x * s, s


def silu(x: ArrayLike) -> Tensor:
    r"""$x\,\sigma(x)$, the sigmoid linear unit: Swish with β = 1.

    Shape: any; returns the same.

    Raises
    ------
    TypeError: x does not hold real numbers.

    Reference: Elfwing, Uchibe & Doya (2018), Sigmoid-weighted linear units for neural
    network function approximation in reinforcement learning, section 2. Derived in
    `chapters/activations/gelu-silu-swish.ipynb`.

    >>> silu([-1000.0, 0.0, 1.0]).numpy().round(4)
    array([-0.    ,  0.    ,  0.7311])
    """
    return apply(_swish, real("silu", x), 1.0)


def swish(x: ArrayLike, beta: ArrayLike = 1.0) -> Tensor:
    r"""$x\,\sigma(\beta x)$: x/2 for β = 0, ReLU for β → ∞, SiLU for β = 1.

    Shape: any; returns the same.

    Parameters
    ----------
    beta: β, a number, or a Tensor to learn it, of a shape that broadcasts to x's.

    Raises
    ------
    TypeError: x or beta does not hold real numbers.
    ValueError: beta is not finite, or does not broadcast to x's shape.

    Reference: Ramachandran, Zoph & Le (2017), Searching for activation functions, section 4.
    Derived in `chapters/activations/gelu-silu-swish.ipynb`.

    >>> swish([1.0, 2.0], beta=0.0)
    Tensor([0.5, 1. ])
    """
    return apply(_swish, *_swish_arguments("swish", x, beta))


def _swish_arguments(label: str, x: ArrayLike, beta: ArrayLike) -> tuple[Any, Any]:
    if isinstance(beta, (Tensor, np.ndarray, list, tuple)):
        x, beta = reals(label, x, beta)
        if beta.ndim > x.ndim or any(
            b not in (1, n) for b, n in zip(beta.shape[::-1], x.shape[::-1])
        ):
            raise ValueError(
                f"{label}: beta must broadcast to the {x.shape} of x, got shape {beta.shape}"
            )
        return x, beta
    return real(label, x), number(label, "beta", beta, "finite")


# y = x P, P = Phi(x), the distribution function of N(0, 1):  dy/dx = P + x phi(x), derived in
# chapters/activations/gelu-silu-swish.ipynb. Phi(x) = (1 + erf(x / sqrt 2)) / 2, but for x << 0 the
# sum would cancel; SciPy's ndtr does not.
def _gelu_rule(g: Any, out: Any, x: Any) -> Any:
    from . import special

    return g * (out[1] + x * special.density(x))


@primitive(_gelu_rule)
def _gelu(x: Any) -> Any:
    from . import special  # here, because SciPy takes long to load

    P = like(special.ndtr(x), x)
    return x * P, P


def _gelu_tanh_rule(g: Any, out: Any, x: Any) -> Any:
    _, s, c = out
    d = c * c  # c 2u', then c s (1 - s) 2u'
    d *= 6 * ROOT_2_OVER_PI * 0.044715
    d += 2 * ROOT_2_OVER_PI
    d *= c
    slope = 1 - s
    slope *= s
    d *= slope
    d += s
    d *= g
    return d


# (1 + tanh u) / 2 = sigmoid(2u), so y = x s, s = sigmoid(2u), u = sqrt(2/pi)(x + 0.044715 x^3), and
# dy/dx = s + x s (1 - s) 2u'. Beyond 30 the gate s is exactly 0 or 1, and x^3 might overflow.
@primitive(_gelu_tanh_rule)
def _gelu_tanh(x: Any) -> Any:
    c = np.clip(x, -30, 30)
    v = c * c  # 2u, in place for an array; Tensors give new ones
    v *= 2 * ROOT_2_OVER_PI * 0.044715
    v += 2 * ROOT_2_OVER_PI
    v *= c
    s = logistic(v)
    return x * s, s, c


def gelu(x: ArrayLike, approximate: str = "none") -> Tensor:
    r"""$x\,\Phi(x)$, Φ the distribution function of N(0, 1): the mean of x·m, m ~ Bernoulli(Φ(x)).

    $\Phi(x) = \tfrac12(1 + \operatorname{erf}(x/\sqrt2))$.

    Shape: any; returns the same.

    Parameters
    ----------
    approximate: "none"; "tanh" for
        $\tfrac12 x (1 + \tanh(\sqrt{2/\pi}\,(x + 0.044715 x^3)))$; "sigmoid" for
        $x\,\sigma(1.702 x)$, which PyTorch does not have.

    Raises
    ------
    TypeError: x does not hold real numbers.
    ValueError: another `approximate`.

    Reference: Hendrycks & Gimpel (2016), Gaussian error linear units, section 2. Derived in
    `chapters/activations/gelu-silu-swish.ipynb`.

    >>> [gelu(1.0, approximate=a).item().__round__(4) for a in ("none", "tanh", "sigmoid")]
    [0.8413, 0.8412, 0.8458]
    """
    x = real("gelu", x)
    if approximate == "none":
        return apply(_gelu, x)
    if approximate == "tanh":
        return apply(_gelu_tanh, x)
    if approximate == "sigmoid":
        return apply(_swish, x, 1.702)
    raise ValueError(f'gelu: approximate must be "none", "tanh" or "sigmoid", got {approximate!r}')


# y = x t, t = tanh(softplus(x)):  dy/dx = t + x (1 - t^2) sigmoid(x).
@primitive(lambda g, out, x: g * (out[1] + x * ((1 - out[1] * out[1]) * logistic(x))))
def _mish(x: Any) -> Any:
    t = np.tanh(_softplus(x))
    return x * t, t


def mish(x: ArrayLike) -> Tensor:
    r"""$x \tanh(\log(1 + e^x))$.

    Shape: any; returns the same.

    Raises
    ------
    TypeError: x does not hold real numbers.

    Reference: Misra (2019), Mish: a self regularized non-monotonic activation function.
    Derived in `chapters/activations/gelu-silu-swish.ipynb`.

    >>> mish([-1000.0, 0.0, 1.0]).numpy().round(4)
    array([-0.    ,  0.    ,  0.8651])
    """
    return apply(_mish, real("mish", x))


# x (x + 3) / 6 between -3 and 3 has the slope x/3 + 1/2; PyTorch counts -3 to the left, 3 to the
# right.
@primitive(lambda g, y, x: g * ((x >= 3) + (x / 3 + 0.5) * ((x > -3) & (x < 3))))
def _hard_swish(x: Any) -> Any:
    return x * (np.clip(x + 3, 0, 6) / 6)


def hard_swish(x: ArrayLike) -> Tensor:
    r"""$x \min(\max(x + 3, 0), 6) / 6$: Swish with the sigmoid replaced by straight lines.

    PyTorch calls it `hardswish`. The derivative is 0 at −3 and 1 at 3.

    Shape: any; returns the same.

    Raises
    ------
    TypeError: x does not hold real numbers.

    Reference: Howard et al. (2019), Searching for MobileNetV3, section 5.2. Derived in
    `chapters/activations/gelu-silu-swish.ipynb`.

    >>> hard_swish([-4.0, 1.5, 4.0])
    Tensor([-0.   ,  1.125,  4.   ])
    """
    return apply(_hard_swish, real("hard_swish", x))


# --- gated linear units: the axis holds two halves, [a, b]


def _halves(label: str, x: ArrayLike, axis: int) -> tuple[Tensor, Tensor]:
    x = real(label, x)
    axis = one_axis(label, x, axis) % x.ndim
    if x.shape[axis] % 2:
        raise ValueError(
            f"{label}: axis {axis} of shape {x.shape} is split in two halves, so its size must be "
            f"even, got {x.shape[axis]}"
        )
    n, lead = x.shape[axis] // 2, (slice(None),) * axis
    return x[(*lead, slice(None, n))], x[(*lead, slice(n, None))]


def glu(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$a \odot \sigma(b)$, a and b the two halves of x: the gated linear unit.

    Shape: (..., 2n, ...) with 2n along `axis`; returns n there.

    Raises
    ------
    TypeError: x does not hold real numbers, or axis is no integer.
    ValueError: x has no such axis, or its size is odd or 0.

    Reference: Dauphin et al. (2017), Language modeling with gated convolutional networks, eq. 1.
    Derived in `chapters/activations/gated-linear-units.ipynb`.

    >>> glu([3.0, 0.0])
    Tensor([1.5])
    """
    a, b = _halves("glu", x, axis)
    return a * sigmoid(b)


def bilinear(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$a \odot b$, a and b the two halves of x: a gate without a nonlinearity.

    Shape and errors as `glu`.

    Reference: Shazeer (2020), GLU variants improve transformer, eq. 4. Derived in
    `chapters/activations/gated-linear-units.ipynb`.

    >>> bilinear([3.0, -1.0])
    Tensor([-3.])
    """
    a, b = _halves("bilinear", x, axis)
    return a * b


def reglu(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$a \odot \operatorname{relu}(b)$, a and b the two halves of x.

    Shape and errors as `glu`.

    Reference: Shazeer (2020), GLU variants improve transformer, eq. 5. Derived in
    `chapters/activations/gated-linear-units.ipynb`.

    >>> reglu([3.0, 2.0])
    Tensor([6.])
    """
    a, b = _halves("reglu", x, axis)
    return a * relu(b)


def geglu(x: ArrayLike, axis: int = -1) -> Tensor:
    r"""$a \odot \operatorname{gelu}(b)$, a and b the two halves of x, with the exact GELU.

    Shape and errors as `glu`.

    Reference: Shazeer (2020), GLU variants improve transformer, eq. 5. Derived in
    `chapters/activations/gated-linear-units.ipynb`.

    >>> geglu([2.0, 1000.0])
    Tensor([2000.])
    """
    a, b = _halves("geglu", x, axis)
    return a * gelu(b)


def swiglu(x: ArrayLike, beta: ArrayLike = 1.0, axis: int = -1) -> Tensor:
    r"""$a \odot b\,\sigma(\beta b)$, a and b the two halves of x.

    Shape and errors as `glu`; beta, a number or a Tensor, as `swish`.

    Reference: Shazeer (2020), GLU variants improve transformer, eq. 5. Derived in
    `chapters/activations/gated-linear-units.ipynb`.

    >>> swiglu([2.0, 1000.0])
    Tensor([2000.])
    """
    a, b = _halves("swiglu", x, axis)
    return a * apply(_swish, *_swish_arguments("swiglu", b, beta))
