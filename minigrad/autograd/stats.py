"""Densities and distribution functions under the names and with the arguments of `scipy.stats`.

SciPy's own turn what they are given into arrays; these are written with functions that have a rule,
and so can be differentiated as often as wanted, by x, by `loc` and `scale`, and in the densities by
the parameters:

>>> from minigrad import Tensor
>>> from minigrad.autograd import stats
>>> x = Tensor(3.0, requires_grad=True)
>>> stats.norm.logpdf(x, loc=1.0, scale=2.0).backward()
>>> float(x.grad)
-0.5

Outside of where a distribution lives the density is 0 and its logarithm −inf, with gradient 0;
where a parameter is none (scale <= 0) the result is NaN, as SciPy's. At an end of the interval the
slopes are those from inside (second derivatives may be NaN there). The distribution functions of
`gamma`, `chi2`, `beta` and `t` have no derivative by their parameters, and `poisson` has none by k.
Sampling is SciPy's or NumPy's matter.

Imported by whom needs it: to load SciPy takes longer than to load all the rest.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from .operators import array_of
from .rearranging import given
from .special import log_beta_density, log_gamma_density, log_t_density

LOG_SQRT_2PI = math.log(2 * math.pi) / 2


def floats(label: str, *args: Any) -> list[Any]:
    """The arguments in one floating dtype, which Python's numbers do not widen."""
    parts = [x if isinstance(x, (int, float)) else given(label, x) for x in args]
    dtype = np.result_type(0.0, *[array_of(x) for x in parts])
    return [given(label, x).astype(dtype) for x in parts]


def where(valid: Any, y: Any, like: Any) -> Any:
    """y, or NaN; in the dtype of the arguments, which SciPy's functions may have widened."""
    return np.where(valid, y, np.nan).astype(like.dtype)


class Continuous:
    """Distributions of loc + scale z, where z has one with further parameters of its own."""

    name = ""
    parameters: tuple[str, ...] = ()
    least, most = -math.inf, math.inf  # where z lies

    def log_density(self, z: Any, *parameters: Any) -> Any:
        raise NotImplementedError

    def distribution(self, z: Any, *parameters: Any) -> Any:
        """The probability of a value up to z."""
        raise NotImplementedError

    def arguments(self, f: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """z, the parameters, scale, and where they are parameters of a distribution."""
        label, names = f"{self.name}.{f}", ("x", *self.parameters, "loc", "scale")
        placed = dict(zip(names, args))
        every = {"loc": 0.0, "scale": 1.0} | placed | named
        surplus = len(args) > len(names) or placed.keys() & named.keys()
        if surplus or every.keys() != set(names):
            raise TypeError(f"{label}: takes {', '.join(names)}; loc and scale may be left out")
        x, *parameters, loc, scale = floats(label, *[every[name] for name in names])
        valid = array_of(scale) > 0
        for p in parameters:
            valid = valid & (array_of(p) > 0)
        return (x - loc) / scale, parameters, scale, valid

    def logpdf(self, *args: Any, **named: Any) -> Any:
        z, parameters, scale, valid = self.arguments("logpdf", args, named)
        place = array_of(z)
        outside = (place < self.least) | (place > self.most) | np.isinf(place)
        y = self.log_density(np.where(outside, 0.5, z), *parameters) - np.log(scale)
        return where(valid, np.where(outside, -np.inf, y), z)

    def pdf(self, *args: Any, **named: Any) -> Any:
        return np.exp(self.logpdf(*args, **named))

    def cdf(self, *args: Any, **named: Any) -> Any:
        z, parameters, _, valid = self.arguments("cdf", args, named)
        z = np.where(array_of(z) < self.least, self.least, z)
        z = np.where(array_of(z) > self.most, self.most, z)
        return where(valid, self.distribution(z, *parameters), z)

    def logcdf(self, *args: Any, **named: Any) -> Any:
        p = self.cdf(*args, **named)
        never = array_of(p) == 0
        return np.where(never, -np.inf, np.log(np.where(never, 1, p)))


class Norm(Continuous):
    name = "norm"

    def log_density(self, z: Any) -> Any:
        return -z * z / 2 - LOG_SQRT_2PI

    def distribution(self, z: Any) -> Any:
        return sp.ndtr(z)

    def logcdf(self, *args: Any, **named: Any) -> Any:
        z, _, _, valid = self.arguments("logcdf", args, named)
        return where(valid, sp.log_ndtr(z), z)

    def sf(self, *args: Any, **named: Any) -> Any:
        """1 − cdf, also where that is rounded to 0."""
        z, _, _, valid = self.arguments("sf", args, named)
        return where(valid, sp.ndtr(-z), z)

    def logsf(self, *args: Any, **named: Any) -> Any:
        z, _, _, valid = self.arguments("logsf", args, named)
        return where(valid, sp.log_ndtr(-z), z)


class StudentT(Continuous):
    """df is finite: with df = inf it would be `norm`."""

    name = "t"
    parameters = ("df",)

    def log_density(self, z: Any, df: Any) -> Any:
        return log_t_density(df, z)

    def distribution(self, z: Any, df: Any) -> Any:
        return sp.stdtr(df, z)


class Gamma(Continuous):
    name = "gamma"
    parameters, least = ("a",), 0.0

    def log_density(self, z: Any, a: Any) -> Any:
        return log_gamma_density(a, z)

    def distribution(self, z: Any, a: Any) -> Any:
        return sp.gammainc(a, z)


class Chi2(Continuous):
    """The gamma distribution with a = df / 2, of z / 2."""

    name = "chi2"
    parameters, least = ("df",), 0.0

    def log_density(self, z: Any, df: Any) -> Any:
        return gamma.log_density(z / 2, df / 2) - math.log(2)

    def distribution(self, z: Any, df: Any) -> Any:
        return sp.gammainc(df / 2, z / 2)


class Beta(Continuous):
    name = "beta"
    parameters, least, most = ("a", "b"), 0.0, 1.0

    def log_density(self, z: Any, a: Any, b: Any) -> Any:
        return log_beta_density(a, b, z)

    def distribution(self, z: Any, a: Any, b: Any) -> Any:
        return sp.betainc(a, b, z)


class Poisson:
    """Of whole numbers k = 0, 1, ..., with mean mu."""

    name = "poisson"

    def arguments(self, f: str, k: Any, mu: Any, loc: Any) -> Any:
        k, mu, loc = floats(f"{self.name}.{f}", array_of(k), mu, array_of(loc))
        return k - loc, mu, array_of(mu) >= 0

    def logpmf(self, k: Any, mu: Any, loc: Any = 0) -> Any:
        k, mu, valid = self.arguments("logpmf", k, mu, loc)
        outside = (k < 0) | (k != np.floor(k)) | np.isinf(k)
        k = np.where(outside, 0, k)
        y = sp.xlogy(k, mu) - mu - sp.gammaln(k + 1)
        return where(valid, np.where(outside, -np.inf, y), mu)

    def pmf(self, k: Any, mu: Any, loc: Any = 0) -> Any:
        return np.exp(self.logpmf(k, mu, loc))

    def cdf(self, k: Any, mu: Any, loc: Any = 0) -> Any:
        k, mu, valid = self.arguments("cdf", k, mu, loc)
        y = sp.gammaincc(np.floor(np.where(k < 0, 0, k)) + 1, mu)
        return where(valid, np.where(k < 0, 0, y), mu)


class Dirichlet:
    """x of shape (n,) or (n, ...), of sum 1 along the first axis; alpha of shape (n,).

    The slopes by x are those of the formula, in which the x are free.
    """

    name = "dirichlet"

    def logpdf(self, x: Any, alpha: Any) -> Any:
        x, alpha = floats(f"{self.name}.logpdf", x, alpha)
        if alpha.ndim != 1 or not x.ndim or len(x) != len(alpha) or np.any(alpha <= 0):
            raise ValueError(
                f"{self.name}.logpdf: alpha must hold n positive numbers and x be of shape "
                f"(n, ...), got shapes {alpha.shape} and {x.shape}"
            )
        error = np.abs(array_of(x).sum(0) - 1)
        if np.any(x < 0) or np.any(error > max(1e-9, 100 * float(np.finfo(x.dtype).eps))):
            raise ValueError(f"{self.name}.logpdf: x must not be negative, and sum to 1")
        a = np.reshape(alpha, (-1, *(1,) * (x.ndim - 1)))
        constant = sp.gammaln(np.sum(alpha)) - np.sum(sp.gammaln(alpha))
        return np.sum(sp.xlogy(a - 1, x), axis=0) + constant

    def pdf(self, x: Any, alpha: Any) -> Any:
        return np.exp(self.logpdf(x, alpha))


class MultivariateNormal:
    """x of shape (..., n), mean (n,), cov (n, n), symmetric and positive definite.

    The gradient by cov is symmetric: of its two triangles, each has a half.
    """

    name = "multivariate_normal"

    def factor(self, f: str, mean: Any, cov: Any) -> Any:
        """The lower triangular L with L Lᵀ = cov, and log det L + n log √2π."""
        mean, cov = floats(f"{self.name}.{f}", mean, cov)
        if mean.ndim != 1 or cov.shape != mean.shape * 2:
            raise ValueError(
                f"{self.name}.{f}: mean must be of shape (n,) and cov (n, n), got "
                f"{mean.shape} and {cov.shape}"
            )
        L = np.linalg.cholesky((cov + cov.T) / 2)
        return L, np.sum(np.log(np.diagonal(L))) + len(mean) * LOG_SQRT_2PI

    def logpdf(self, x: Any, mean: Any, cov: Any, allow_singular: bool = False) -> Any:
        if allow_singular:
            raise TypeError(f"{self.name}.logpdf: a singular cov has no density: allow_singular=")
        x, mean, cov = floats(f"{self.name}.logpdf", x, mean, cov)
        L, constant = self.factor("logpdf", mean, cov)
        if x.shape[-1:] != mean.shape:
            raise ValueError(
                f"{self.name}.logpdf: x must be of shape (..., {len(mean)}), got {x.shape}"
            )
        z = np.linalg.solve(L, np.reshape(x - mean, (-1, len(mean))).T)
        return np.reshape(np.sum(z * z, axis=0), x.shape[:-1]) / -2 - constant

    def pdf(self, x: Any, mean: Any, cov: Any, allow_singular: bool = False) -> Any:
        return np.exp(self.logpdf(x, mean, cov, allow_singular))

    def entropy(self, mean: Any, cov: Any) -> Any:
        return self.factor("entropy", mean, cov)[1] + np.shape(mean)[0] / 2


norm, t, gamma, chi2, beta = Norm(), StudentT(), Gamma(), Chi2(), Beta()
poisson, dirichlet, multivariate_normal = Poisson(), Dirichlet(), MultivariateNormal()

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]
