"""ReLU and its relatives. Derived in `chapters/activations/relu-family.ipynb`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.rules import logistic
from ..autograd.tensor import ArrayLike, Tensor, apply, primitive
from ..checks import number, real, reals

# The two constants that make mean 0 and variance 1 a fixed point of SELU's map of moments.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


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
    return apply(_relu, real("relu", "x", x))


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
    negative_slope: a, the slope for x < 0, any finite number.

    Raises
    ------
    TypeError: x does not hold real numbers, or the slope is no number.
    ValueError: the slope is not finite.

    Reference: Maas, Hannun & Ng (2013), Rectifier nonlinearities improve neural network acoustic
    models. Derived in `chapters/activations/relu-family.ipynb`.

    >>> leaky_relu([-1.0, 2.0])
    Tensor([-0.01,  2.  ])
    """
    a = number("leaky_relu", "negative_slope", negative_slope)
    return apply(_leaky_relu, real("leaky_relu", "x", x), a)


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
    x, slopes = reals("prelu", x=x, weight=weight)
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
    return apply(_elu, real("elu", "x", x), number("elu", "alpha", alpha), 1.0)


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
    return apply(_elu, real("selu", "x", x), SELU_ALPHA, SELU_SCALE)


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
    beta = number("softplus", "beta", beta, "(0, inf)")
    threshold = number("softplus", "threshold", threshold, "(0, inf]")
    return apply(_softplus, real("softplus", "x", x), beta=beta, threshold=threshold)
