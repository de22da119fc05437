"""Rules of SciPy's special functions.

To load SciPy takes longer than to load all the rest, so this module is imported when one of its
functions first meets a Tensor, or an activation needs one.

Of functions of an order and an argument (Bessel's, incomplete gamma and beta, Student's
distribution) only the argument has a derivative here.

SciPy's functions that are no ufuncs turn what they are given into an array themselves, and so
refuse a Tensor that needs a gradient. In their place stand

- `polygamma` and `multigammaln` of this file;
- `softmax`, `log_softmax` and `logsumexp` of `activations` (with weights b > 0 it is
  `logsumexp(x + np.log(b))`);
- the distributions of `stats.py`, for those of `scipy.stats`;
- `np.convolve`, for `scipy.signal.convolve` of vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp
from scipy.special import erf, expit, ndtr

from .composites import beside
from .rearranging import given
from .tensor import PIECEWISE_CONSTANT, RULES, primitive

__all__ = ["density", "erf", "expit", "multigammaln", "ndtr", "polygamma"]

TWO_OVER_SQRT_PI = float(2 / np.sqrt(np.pi))
ONE_OVER_SQRT_2PI = float(1 / np.sqrt(2 * np.pi))
HALF_SQRT_PI = float(np.sqrt(np.pi) / 2)


def density(x: Any) -> Any:
    """The density of N(0, 1). Beyond 40 it is 0 in every dtype, and x^2 might overflow."""
    return ONE_OVER_SQRT_2PI * np.exp(-np.square(np.clip(x, -40, 40)) / 2)


def log_gamma_density(a: Any, x: Any) -> Any:
    """log(x^(a−1) e^−x / Γ(a))"""
    return sp.xlogy(a - 1, x) - x - sp.gammaln(a)


def log_beta_density(a: Any, b: Any, x: Any) -> Any:
    """log(x^(a−1) (1 − x)^(b−1) / B(a, b))"""
    return sp.xlogy(a - 1, x) + sp.xlog1py(b - 1, -x) - sp.betaln(a, b)


def log_t_density(df: Any, x: Any) -> Any:
    """Of Student's distribution with df degrees of freedom."""
    return -sp.betaln(df / 2, 0.5) - np.log(df) / 2 - (df + 1) / 2 * np.log1p(x * x / df)


def gamma_density(a: Any, x: Any) -> Any:
    """The gamma distribution's, and its limit 0 at infinity."""
    ends = np.isinf(x)
    return np.where(ends, 0, np.exp(log_gamma_density(a, np.where(ends, 1, x))))


@primitive(None, lambda g, y, n, x: g * _polygamma(n + 1, x))
def _polygamma(n: int, x: Any) -> Any:
    if n == 0:
        return sp.psi(x)
    return (-1.0) ** (n + 1) * float(sp.gamma(n + 1)) * sp.zeta(n + 1, x)


def polygamma(n: int, x: Any) -> Any:
    """The n-th derivative of psi, for a whole number n; n itself has no derivative."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ValueError(f"polygamma: n must be 0, 1, 2, ..., got {n!r}")
    return _polygamma(int(n), given("polygamma", x))


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the gamma function of d × d matrices, a > (d − 1) / 2."""
    if isinstance(d, bool) or not isinstance(d, (int, np.integer)) or d < 1:
        raise ValueError(f"multigammaln: d must be 1, 2, 3, ..., got {d!r}")
    a = given("multigammaln", a)
    if np.any(a <= (d - 1) / 2):
        raise ValueError(f"multigammaln: a must be larger than (d - 1) / 2 = {(d - 1) / 2}")
    terms = [sp.gammaln(a - j / 2) for j in range(d)]
    return sum(terms[1:], terms[0]) + d * (d - 1) / 4 * math.log(math.pi)


# --- slopes whose plain formula subtracts equal numbers somewhere


def slope_of_erfcx(y: Any, x: Any) -> Any:
    """2 x y − 2/√π, and for large x, where it cancels, its asymptotic series."""
    far = x > 16
    x, u = np.where(far, 0, x), np.where(far, x, 16)
    t = 0.5 / u / u
    series: Any = 1.0
    for k in (13, 11, 9, 7, 5, 3):
        series = 1 - k * t * series
    near = 2 * x * np.where(far, 0, y) - TWO_OVER_SQRT_PI
    return np.where(far, -TWO_OVER_SQRT_PI * t * series, near)


def slope_of_log_ndtr(y: Any, x: Any) -> Any:
    """φ(x) / Φ(x); far to the left, where both are 0, by their quotient erfcx."""
    left = x < -1
    u = sp.erfcx(np.where(left, x, 0) * -math.sqrt(0.5))
    right = density(np.where(left, 0, x)) * np.exp(np.where(left, 0, -y))
    return np.where(left, math.sqrt(2 / math.pi) / u, right)


def slope_of_rgamma(y: Any, x: Any) -> Any:
    """−y ψ(x); on the left, where ψ has poles, from 1/Γ(x) = Γ(1 − x) sin(πx) / π."""
    left = x < 0.5
    z = np.where(left, x, 0)
    turned = np.cos(math.pi * z) - np.sin(math.pi * z) * sp.psi(1 - z) / math.pi
    return np.where(left, sp.gamma(1 - z) * turned, -y * sp.psi(np.where(left, 1, x)))


def ratio(x: Any, z: Any) -> Any:
    """x / z, and 0 for 0 / 0: the slope of x log z, which is 0 for x = 0 and any z."""
    return x / np.where((x == 0) & (z == 0), np.inf, z)


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
    sp.erfcx: (slope_of_erfcx,),
    sp.ndtri: (lambda y, x: 1 / density(y),),
    sp.log_ndtr: (slope_of_log_ndtr,),
    # --- gamma, beta
    sp.gamma: (lambda y, x: y * sp.psi(x),),
    sp.gammaln: (lambda y, x: sp.psi(x),),
    sp.rgamma: (slope_of_rgamma,),
    sp.psi: (lambda y, x: _polygamma(1, x),),
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
    sp.betainc: (None, None, lambda y, a, b, x: np.exp(log_beta_density(a, b, x))),
    sp.stdtr: (None, lambda y, df, x: np.exp(log_t_density(df, x))),
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
    sp.xlogy: (lambda y, x, z: sp.xlogy(1, z), lambda y, x, z: ratio(x, z)),
    sp.xlog1py: (lambda y, x, z: sp.xlog1py(1, z), lambda y, x, z: ratio(x, 1 + z)),
    sp.entr: (lambda y, x: -(np.log(x) + 1),),
    sp.rel_entr: (lambda y, x, z: np.log(x / z) + 1, lambda y, x, z: -ratio(x, z)),
    sp.kl_div: (lambda y, x, z: np.log(x / z), lambda y, x, z: 1 - ratio(x, z)),
}


BESIDE = {f: beside(f, slopes) for f, slopes in SLOPES.items()}
