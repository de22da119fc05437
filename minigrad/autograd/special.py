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

from .composites import beside
from .tensor import PIECEWISE_CONSTANT, RULES, primitive

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
        erf: (lambda g, y, x: g * TWO_OVER_SQRT_PI * np.exp(-x * x),),
        ndtr: (lambda g, y, x: g * density(x),),
    }
)
PIECEWISE_CONSTANT.add(sp.gammasgn)

# The others stand beside the sheet: for each argument the slope, given y and the arguments, or None
# for an order, which has none here.
SLOPES: dict[Any, tuple[Callable[..., Any] | None, ...]] = {
    sp.logit: (lambda y, x: 1 / (x * (1 - x)),),
    sp.log_expit: (lambda y, x: expit(-x),),
    # --- the normal distribution
    sp.erfc: (lambda y, x: -TWO_OVER_SQRT_PI * np.exp(-x * x),),
    sp.erfinv: (lambda y, x: HALF_SQRT_PI * np.exp(y * y),),
    sp.erfcinv: (lambda y, x: -HALF_SQRT_PI * np.exp(y * y),),
    sp.erfcx: (lambda y, x: 2 * x * y - TWO_OVER_SQRT_PI,),
    sp.ndtri: (lambda y, x: 1 / density(y),),
    sp.log_ndtr: (lambda y, x: np.exp(-x * x / 2 - y) * ONE_OVER_SQRT_2PI,),
    # --- gamma, beta
    sp.gamma: (lambda y, x: y * sp.psi(x),),
    sp.gammaln: (lambda y, x: sp.psi(x),),
    sp.rgamma: (lambda y, x: -y * sp.psi(x),),
    sp.psi: (lambda y, x: polygamma(1, x),),
    sp.beta: (
        lambda y, a, b: y * (sp.psi(a) - sp.psi(a + b)),
        lambda y, a, b: y * (sp.psi(b) - sp.psi(a + b)),
    ),
    sp.betaln: (
        lambda y, a, b: sp.psi(a) - sp.psi(a + b),
        lambda y, a, b: sp.psi(b) - sp.psi(a + b),
    ),
    sp.gammainc: (None, lambda y, a, x: gamma_density(a, x)),
    sp.gammaincc: (None, lambda y, a, x: -gamma_density(a, x)),
    sp.betainc: (
        None,
        None,
        lambda y, a, b, x: np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - sp.betaln(a, b)),
    ),
    # --- Bessel
    sp.j0: (lambda y, x: -sp.j1(x),),
    sp.j1: (lambda y, x: (sp.j0(x) - sp.jv(2, x)) / 2,),
    sp.y0: (lambda y, x: -sp.y1(x),),
    sp.y1: (lambda y, x: (sp.y0(x) - sp.yn(2, x)) / 2,),
    sp.i0: (lambda y, x: sp.i1(x),),
    sp.i1: (lambda y, x: (sp.i0(x) + sp.iv(2, x)) / 2,),
    sp.jv: (None, lambda y, n, x: (sp.jv(n - 1, x) - sp.jv(n + 1, x)) / 2),
    sp.yn: (None, lambda y, n, x: (sp.yn(n - 1, x) - sp.yn(n + 1, x)) / 2),
    sp.yv: (None, lambda y, n, x: (sp.yv(n - 1, x) - sp.yv(n + 1, x)) / 2),
    sp.iv: (None, lambda y, n, x: (sp.iv(n - 1, x) + sp.iv(n + 1, x)) / 2),
    sp.ive: (None, lambda y, n, x: (sp.ive(n - 1, x) + sp.ive(n + 1, x)) / 2 - np.sign(x) * y),
    # --- entropy
    sp.xlogy: (lambda y, x, z: sp.xlogy(1, z), lambda y, x, z: x / z),
    sp.xlog1py: (lambda y, x, z: sp.xlog1py(1, z), lambda y, x, z: x / (1 + z)),
    sp.entr: (lambda y, x: -(np.log(x) + 1),),
}


BESIDE = {f: beside(f, slopes) for f, slopes in SLOPES.items()}
