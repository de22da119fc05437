"""Rules of SciPy's special functions.

To load SciPy takes longer than to load all the rest, so this module is imported when one of its
functions first meets a Tensor, or an activation needs one.

Of functions of an order and an argument (Bessel's, incomplete gamma and beta) only the argument has
a derivative here. SciPy's functions that are no ufuncs (`logsumexp`, `polygamma`, those of
`scipy.stats`) turn what they are given into an array themselves, and so refuse a Tensor that needs
a gradient: `activations.logsumexp` is minigrad's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp
from scipy.special import erf, expit, ndtr

from .tensor import COMPOSITES, PIECEWISE_CONSTANT, RULES, primitive

__all__ = ["density", "erf", "expit", "ndtr"]

TWO_OVER_SQRT_PI = float(2 / np.sqrt(np.pi))
ONE_OVER_SQRT_2PI = float(1 / np.sqrt(2 * np.pi))
HALF_SQRT_PI = float(np.sqrt(np.pi) / 2)


def density(x: Any) -> Any:
    """The density of N(0, 1). Beyond 40 it is 0 in every dtype, and x^2 might overflow."""
    return ONE_OVER_SQRT_2PI * np.exp(-np.square(np.clip(x, -40, 40)) / 2)


def gamma_density(a: Any, x: Any) -> Any:
    """x^(a−1) e^−x / Γ(a)"""
    return np.exp((a - 1) * np.log(x) - x - sp.gammaln(a))


@primitive(None, lambda g, y, n, x: g * polygamma(n + 1, x))
def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of psi, n >= 1."""
    return (-1.0) ** (n + 1) * float(sp.gamma(n + 1)) * sp.zeta(n + 1, x)


RULES.update(
    {
        expit: (lambda g, y, x: g * y * (1 - y),),
        sp.logit: (lambda g, y, x: g / (x * (1 - x)),),
        sp.log_expit: (lambda g, y, x: g * expit(-x),),
        # --- the normal distribution
        erf: (lambda g, y, x: g * TWO_OVER_SQRT_PI * np.exp(-x * x),),
        sp.erfc: (lambda g, y, x: -g * TWO_OVER_SQRT_PI * np.exp(-x * x),),
        sp.erfinv: (lambda g, y, x: g * HALF_SQRT_PI * np.exp(y * y),),
        sp.erfcinv: (lambda g, y, x: -g * HALF_SQRT_PI * np.exp(y * y),),
        sp.erfcx: (lambda g, y, x: g * (2 * x * y - TWO_OVER_SQRT_PI),),
        ndtr: (lambda g, y, x: g * density(x),),
        sp.ndtri: (lambda g, y, x: g / density(y),),
        sp.log_ndtr: (lambda g, y, x: g * np.exp(-x * x / 2 - y) * ONE_OVER_SQRT_2PI,),
        # --- gamma, beta
        sp.gamma: (lambda g, y, x: g * y * sp.psi(x),),
        sp.gammaln: (lambda g, y, x: g * sp.psi(x),),
        sp.rgamma: (lambda g, y, x: -g * y * sp.psi(x),),
        sp.psi: (lambda g, y, x: g * polygamma(1, x),),
        sp.beta: (
            lambda g, y, a, b: g * y * (sp.psi(a) - sp.psi(a + b)),
            lambda g, y, a, b: g * y * (sp.psi(b) - sp.psi(a + b)),
        ),
        sp.betaln: (
            lambda g, y, a, b: g * (sp.psi(a) - sp.psi(a + b)),
            lambda g, y, a, b: g * (sp.psi(b) - sp.psi(a + b)),
        ),
        # --- Bessel
        sp.j0: (lambda g, y, x: -g * sp.j1(x),),
        sp.j1: (lambda g, y, x: g * (sp.j0(x) - sp.jv(2, x)) / 2,),
        sp.y0: (lambda g, y, x: -g * sp.y1(x),),
        sp.y1: (lambda g, y, x: g * (sp.y0(x) - sp.yn(2, x)) / 2,),
        sp.i0: (lambda g, y, x: g * sp.i1(x),),
        sp.i1: (lambda g, y, x: g * (sp.i0(x) + sp.iv(2, x)) / 2,),
        # --- entropy
        sp.xlogy: (
            lambda g, y, x, z: g * sp.xlogy(1, z),
            lambda g, y, x, z: g * x / z,
        ),
        sp.xlog1py: (
            lambda g, y, x, z: g * sp.xlog1py(1, z),
            lambda g, y, x, z: g * x / (1 + z),
        ),
        sp.entr: (lambda g, y, x: -g * (np.log(x) + 1),),
    }
)
PIECEWISE_CONSTANT.add(sp.gammasgn)


def of_order(f: np.ufunc, slope: Callable[..., Any]) -> Callable[..., Any]:
    """f(order, ..., x), of which only x has a derivative: `slope`, of y and f's arguments."""

    def compute(*args: Any) -> Any:
        return f(*args)

    compute.__name__ = f.__name__
    call = primitive(*[None] * (f.nin - 1), lambda g, y, *args: g * slope(y, *args))(compute)
    COMPOSITES[f] = call
    return call


SLOPES: dict[Any, Callable[..., Any]] = {
    sp.gammainc: lambda y, a, x: gamma_density(a, x),
    sp.gammaincc: lambda y, a, x: -gamma_density(a, x),
    sp.betainc: lambda y, a, b, x: np.exp(
        (a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - sp.betaln(a, b)
    ),
    sp.jv: lambda y, n, x: (sp.jv(n - 1, x) - sp.jv(n + 1, x)) / 2,
    sp.yn: lambda y, n, x: (sp.yn(n - 1, x) - sp.yn(n + 1, x)) / 2,
    sp.yv: lambda y, n, x: (sp.yv(n - 1, x) - sp.yv(n + 1, x)) / 2,
    sp.iv: lambda y, n, x: (sp.iv(n - 1, x) + sp.iv(n + 1, x)) / 2,
    sp.ive: lambda y, n, x: (sp.ive(n - 1, x) + sp.ive(n + 1, x)) / 2 - np.sign(x) * y,
}
OF_ORDER = {f: of_order(f, slope) for f, slope in SLOPES.items()}
