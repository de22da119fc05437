"""Thirty-five least-squares problems of Moré, Garbow and Hillstrom 1981 (ACM TOMS 7, 17–41).

Each is f(x) = Σ r_i(x)², from its standard start; numbers, starts and minima are the paper's. The
residuals are written with operators and NumPy functions: for arrays, for Tensors, and for SciPy.

>>> problem = PROBLEMS["Rosenbrock"]
>>> float(problem.f(problem.start)), problem.minima
(24.199999999999996, (0.0,))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

π = np.pi


class Problem(NamedTuple):
    """The residuals, the standard start, and the values of f at its known minima."""

    residuals: Callable[[Any], Any]
    start: Any
    minima: tuple[float, ...] = (0.0,)

    def f(self, x: Any) -> Any:
        r = self.residuals(x)
        return (r * r).sum()


PROBLEMS: dict[str, Problem] = {}


def problem(name: str, start: Any, *minima: float) -> Callable[[Any], Any]:
    """Enters the residuals it decorates into the table."""

    def enter(residuals: Callable[[Any], Any]) -> Callable[[Any], Any]:
        PROBLEMS[name] = Problem(residuals, np.array(start, float), minima or (0.0,))
        return residuals

    return enter


def listed(*parts: Any) -> Any:
    """Numbers and vectors, one after the other."""
    return np.concatenate([np.reshape(part, -1) for part in parts])


@problem("Rosenbrock", [-1.2, 1])
def rosenbrock(x: Any) -> Any:
    return listed(10 * (x[1] - x[0] ** 2), 1 - x[0])


@problem("Freudenstein and Roth", [0.5, -2], 0, 48.98425)
def freudenstein_roth(x: Any) -> Any:
    a, b = x[0], x[1]
    return listed(-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b)


@problem("Powell badly scaled", [0, 1])
def powell_badly_scaled(x: Any) -> Any:
    return listed(1e4 * x[0] * x[1] - 1, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001)


@problem("Brown badly scaled", [1, 1])
def brown_badly_scaled(x: Any) -> Any:
    return listed(x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2)


@problem("Beale", [1, 1])
def beale(x: Any) -> Any:
    return np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** np.arange(1, 4))


@problem("Jennrich and Sampson", [0.3, 0.4], 124.362182, 259.58019)
def jennrich_sampson(x: Any) -> Any:
    i = np.arange(1.0, 11)
    return 2 + 2 * i - (np.exp(i * x[0]) + np.exp(i * x[1]))


@problem("Helical valley", [-1, 0, 0])
def helical_valley(x: Any) -> Any:
    a, b, c = x[0], x[1], x[2]
    turn = np.arctan2(b, a) / (2 * π)
    turn = turn + (turn < -0.25)  # arctan(b / a) / 2π, and half a turn more where a < 0
    return listed(10 * (c - 10 * turn), 10 * (np.sqrt(a * a + b * b) - 1), c)


@problem("Bard", [1, 1, 1], 8.214877e-3, 17.42869333)
def bard(x: Any) -> Any:
    y = np.array(
        [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.1, 4.39]
    )
    u = np.arange(1.0, 16)
    v = 16 - u
    return y - (x[0] + u / (v * x[1] + np.minimum(u, v) * x[2]))


@problem("Gaussian", [0.4, 1, 0], 1.127933e-8)
def gaussian(x: Any) -> Any:
    half = [0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521]
    y = np.array([*half, 0.3989, *half[::-1]])
    t = (8 - np.arange(1.0, 16)) / 2
    return x[0] * np.exp(-x[1] * (t - x[2]) ** 2 / 2) - y


@problem("Meyer", [0.02, 4000, 250], 87.94586)
def meyer(x: Any) -> Any:
    y = np.array([
        34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820,
        3307, 2872.0,
    ])  # fmt: skip
    t = 45 + 5 * np.arange(1.0, 17)
    return x[0] * np.exp(x[1] / (t + x[2])) - y


@problem("Gulf research and development", [5, 2.5, 0.15])
def gulf(x: Any) -> Any:
    t = np.arange(1.0, 100) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return np.exp(-(np.abs(y - x[1]) ** x[2]) / x[0]) - t


@problem("Box three-dimensional", [0, 10, 20])
def box(x: Any) -> Any:
    t = np.arange(1.0, 11) / 10
    return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


@problem("Powell singular", [3, -1, 0, 1])
def powell_singular(x: Any) -> Any:
    a, b, c, d = x[0], x[1], x[2], x[3]
    return listed(a + 10 * b, 5**0.5 * (c - d), (b - 2 * c) ** 2, 10**0.5 * (a - d) ** 2)


@problem("Wood", [-3, -1, -3, -1])
def wood(x: Any) -> Any:
    a, b, c, d = x[0], x[1], x[2], x[3]
    return listed(
        10 * (b - a * a), 1 - a, 90**0.5 * (d - c * c), 1 - c, 10**0.5 * (b + d - 2),
        (b - d) / 10**0.5,
    )  # fmt: skip


@problem("Kowalik and Osborne", [0.25, 0.39, 0.415, 0.39], 3.0750561e-4, 1.02734e-3)
def kowalik_osborne(x: Any) -> Any:
    y = np.array(
        [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
    )
    u = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
    return y - x[0] * (u * u + u * x[1]) / (u * u + u * x[2] + x[3])


@problem("Brown and Dennis", [25, 5, -5, -1], 85822.2016)
def brown_dennis(x: Any) -> Any:
    t = np.arange(1.0, 21) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


@problem("Osborne 1", [0.5, 1.5, -1, 0.01, 0.02], 5.464895e-5)
def osborne_1(x: Any) -> Any:
    y = np.array([
        0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.850, 0.818, 0.784, 0.751, 0.718, 0.685,
        0.658, 0.628, 0.603, 0.580, 0.558, 0.538, 0.522, 0.506, 0.490, 0.478, 0.467, 0.457, 0.448,
        0.438, 0.431, 0.424, 0.420, 0.414, 0.411, 0.406,
    ])  # fmt: skip
    t = 10 * np.arange(33.0)
    return y - (x[0] + x[1] * np.exp(-t * x[3]) + x[2] * np.exp(-t * x[4]))


@problem("Biggs EXP6", [1, 2, 1, 1, 1, 1], 0, 5.65565e-3, 0.30636677)
def biggs(x: Any) -> Any:
    t = np.arange(1.0, 14) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y


@problem("Osborne 2", [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5], 4.013774e-2, 1.789813)
def osborne_2(x: Any) -> Any:
    y = np.array([
        1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608,
        0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661,
        0.612, 0.558, 0.533, 0.495, 0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428,
        0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559,
        0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054,
    ])  # fmt: skip
    t = np.arange(65.0) / 10
    peaks = sum(x[i] * np.exp(-((t - x[i + 7]) ** 2) * x[i + 4]) for i in (1, 2, 3))
    return y - (x[0] * np.exp(-t * x[4]) + peaks)


@problem("Watson", np.zeros(6), 2.287670e-3)
def watson(x: Any) -> Any:
    j = np.arange(6.0)
    t = np.arange(1.0, 30)[:, None] / 29
    slope = ((j[1:] * t ** (j[1:] - 1)) * x[1:]).sum(1)
    return listed(slope - ((t**j) * x).sum(1) ** 2 - 1, x[0], x[1] - x[0] ** 2 - 1)


@problem("Extended Rosenbrock", [-1.2, 1] * 5)
def extended_rosenbrock(x: Any) -> Any:
    return listed(10 * (x[1::2] - x[::2] ** 2), 1 - x[::2])


@problem("Extended Powell singular", [3, -1, 0, 1] * 3)
def extended_powell(x: Any) -> Any:
    return powell_singular((x[::4], x[1::4], x[2::4], x[3::4]))


@problem("Penalty I", np.arange(1, 11), 7.08765e-5)
def penalty_1(x: Any) -> Any:
    return listed(1e-5**0.5 * (x - 1), (x * x).sum() - 0.25)


@problem("Penalty II", np.full(10, 0.5), 2.93660e-4)
def penalty_2(x: Any) -> Any:
    e = np.exp(np.arange(1.0, 11) / 10)
    y = e[1:] + e[:-1]
    a = 1e-5**0.5
    grown = np.exp(x / 10)
    weights = np.arange(10.0, 0, -1)
    return listed(
        x[0] - 0.2,
        a * (grown[1:] + grown[:-1] - y),
        a * (grown[1:] - np.exp(-0.1)),
        (weights * x * x).sum() - 1,
    )


@problem("Variably dimensioned", 1 - np.arange(1, 11) / 10)
def variably_dimensioned(x: Any) -> Any:
    s = (np.arange(1.0, 11) * (x - 1)).sum()
    return listed(x - 1, s, s * s)


@problem("Trigonometric", np.full(10, 0.1), 0, 2.79506e-5)
def trigonometric(x: Any) -> Any:
    i = np.arange(1.0, 11)
    return 10 - np.cos(x).sum() + i * (1 - np.cos(x)) - np.sin(x)


@problem("Brown almost-linear", np.full(10, 0.5), 0, 1)
def brown_almost_linear(x: Any) -> Any:
    return listed((x + x.sum() - 11)[:-1], np.prod(x) - 1)


@problem("Discrete boundary value", [i / 11 * (i / 11 - 1) for i in range(1, 11)])
def discrete_boundary(x: Any) -> Any:
    h = 1 / 11
    t = h * np.arange(1.0, 11)
    padded = listed(0.0, x, 0.0)
    return 2 * x - padded[:-2] - padded[2:] + h * h * (x + t + 1) ** 3 / 2


@problem("Discrete integral equation", [i / 11 * (i / 11 - 1) for i in range(1, 11)])
def discrete_integral(x: Any) -> Any:
    h = 1 / 11
    t = h * np.arange(1.0, 11)
    cubes = (x + t + 1) ** 3
    kernel = np.where(t <= t[:, None], (1 - t[:, None]) * t, t[:, None] * (1 - t))
    return x + h / 2 * (kernel * cubes).sum(1)


@problem("Broyden tridiagonal", np.full(10, -1))
def broyden_tridiagonal(x: Any) -> Any:
    padded = listed(0.0, x, 0.0)
    return (3 - 2 * x) * x - padded[:-2] - 2 * padded[2:] + 1


@problem("Broyden banded", np.full(10, -1))
def broyden_banded(x: Any) -> Any:
    i = np.arange(10)
    near = (i >= i[:, None] - 5) & (i <= i[:, None] + 1) & (i != i[:, None])
    return x * (2 + 5 * x * x) + 1 - (near * (x * (1 + x))).sum(1)


@problem("Linear, full rank", np.ones(10), 10)
def linear_full(x: Any) -> Any:  # 20 residuals
    return listed(x - 0.1 * x.sum() - 1, np.full(10, -1.0) - 0.1 * x.sum())


@problem("Linear, rank 1", np.ones(10), 20 * 19 / (2 * 41))
def linear_rank_1(x: Any) -> Any:
    return np.arange(1.0, 21) * (np.arange(1.0, 11) * x).sum() - 1


@problem("Linear, rank 1, zero columns and rows", np.ones(10), (400 + 60 - 6) / (2 * 37))
def linear_zeros(x: Any) -> Any:
    s = (np.arange(2.0, 10) * x[1:-1]).sum()
    return listed(-1.0, np.arange(1.0, 19) * s - 1, -1.0)


@problem("Chebyquad", np.arange(1, 9) / 9, 3.51687e-3)
def chebyquad(x: Any) -> Any:
    z = 2 * x - 1
    before, now = z * 0 + 1, z
    means = []
    for _ in range(8):
        means.append(now.mean())
        before, now = now, 2 * z * now - before
    integrals = [0 if i % 2 else -1 / (i * i - 1) for i in range(1, 9)]
    return listed(*means) - np.array(integrals)
