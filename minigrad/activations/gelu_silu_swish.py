"""GELU, SiLU, Swish, Mish: x times a gate between 0 and 1.

The gate is saved for the rules, and products are taken in an order in which a saturated gate,
s (1 - s) = 0, meets x first. Derived in `chapters/activations/gelu-silu-swish.ipynb`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.rules import logistic
from ..autograd.tensor import ArrayLike, Tensor, apply, primitive
from ..checks import choice, number, real, reals
from .relu_family import _softplus

ROOT_2_OVER_PI = float(np.sqrt(2 / np.pi))


def cast_like(y: Any, x: Any) -> Any:
    """y in the dtype of x: SciPy's functions give float64 for float16."""
    return y if y.dtype == x.dtype else y.astype(x.dtype)


def finite(x: Any) -> Any:
    """x with the largest numbers in place of ±∞, where a gate of 0 would make NaN of it."""
    most = float(np.finfo(x.dtype).max)
    return np.clip(x, -most, most)


def gated(x: Any, s: Any) -> Any:
    """x s for a gate s that is 0 at −∞."""
    return np.maximum(x, float(np.finfo(x.dtype).min)) * s


# y = x s, s = sigmoid(beta x):  dy/dx = s + beta x s (1 - s),  dy/dbeta = x^2 s (1 - s), derived in
# chapters/activations/gelu-silu-swish.ipynb.
@primitive(
    lambda g, out, x, beta: g * (out[1] + beta * (finite(x) * (out[1] * (1 - out[1])))),
    lambda g, out, x, beta: g * (finite(x) * (finite(x) * (out[1] * (1 - out[1])))),
)
def _swish(x: Any, beta: Any) -> Any:
    with np.errstate(over="ignore"):
        s = logistic(beta * x)
    return gated(x, s), s


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
    return apply(_swish, real("silu", "x", x), 1.0)


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
        x, beta = reals(label, x=x, beta=beta)
        if beta.ndim > x.ndim or any(
            b not in (1, n) for b, n in zip(beta.shape[::-1], x.shape[::-1])
        ):
            raise ValueError(
                f"{label}: beta must broadcast to the {x.shape} of x, got shape {beta.shape}"
            )
        return x, beta
    return real(label, "x", x), number(label, "beta", beta)


# y = x P, P = Phi(x), the distribution function of N(0, 1):  dy/dx = P + x phi(x), derived in
# chapters/activations/gelu-silu-swish.ipynb. Phi(x) = (1 + erf(x / sqrt 2)) / 2, but for x << 0 the
# sum would cancel; SciPy's ndtr does not.
def _gelu_rule(g: Any, out: Any, x: Any) -> Any:
    from ..autograd import special

    return g * (out[1] + finite(x) * special.density(x))


@primitive(_gelu_rule)
def _gelu(x: Any) -> Any:
    from ..autograd import special  # here, because SciPy takes long to load

    P = cast_like(special.ndtr(x), x)
    return gated(x, P), P


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
# dy/dx = s + x s (1 - s) 2u'. Beyond 30 the gate s is exactly 0 or 1, and x^3 might overflow. Below
# -30 it does not matter what the gate 0 is multiplied with, but for −∞.
@primitive(_gelu_tanh_rule)
def _gelu_tanh(x: Any) -> Any:
    least = np.maximum(x, -30)
    c = np.minimum(least, 30)
    v = c * c  # 2u, in place for an array; Tensors give new ones
    v *= 2 * ROOT_2_OVER_PI * 0.044715
    v += 2 * ROOT_2_OVER_PI
    v *= c
    s = logistic(v)
    return least * s, s, c


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
    x = real("gelu", "x", x)
    choice("gelu", "approximate", approximate, "none", "tanh", "sigmoid")
    if approximate == "tanh":
        return apply(_gelu_tanh, x)
    if approximate == "sigmoid":
        return apply(_swish, x, 1.702)
    return apply(_gelu, x)


# y = x t, t = tanh(softplus(x)):  dy/dx = t + x (1 - t^2) sigmoid(x).
@primitive(lambda g, out, x: g * (out[1] + finite(x) * ((1 - out[1] * out[1]) * logistic(x))))
def _mish(x: Any) -> Any:
    t = np.tanh(_softplus(x))
    return gated(x, t), t


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
    return apply(_mish, real("mish", "x", x))


# x (x + 3) / 6 between -3 and 3 has the slope x/3 + 1/2; PyTorch counts -3 to the left, 3 to the
# right.
@primitive(lambda g, y, x: g * ((x >= 3) + (finite(x) / 3 + 0.5) * ((x > -3) & (x < 3))))
def _hard_swish(x: Any) -> Any:
    return gated(x, np.clip(x + 3, 0, 6) / 6)


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
    return apply(_hard_swish, real("hard_swish", "x", x))
