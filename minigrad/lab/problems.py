"""The test problems that optimizers meet in every chapter.

Each is a :class:`Problem`: a function of an array whose last axis holds the coordinates, written
with operators and NumPy functions only, so that it takes one point, a grid of points, or a minigrad
Tensor.

>>> problem = rosenbrock()
>>> problem.f(problem.minimum)
np.float64(0.0)
>>> problem.gradient(np.array([0.0, 0.0]))
array([-2.,  0.])
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .words import own


@dataclass(frozen=True, eq=False)
class Problem:
    """A function to minimise.

    Attributes:
        name: as in the text; ``label`` is what the page calls it, in both languages.
        f: the function; ``f(x)`` for ``x`` of shape ``(..., dimension)`` has shape ``(...)``.
        start: where runs begin.
        minimum: a global minimiser.
        bounds: ``(x_min, x_max, y_min, y_max)`` of the region worth plotting.
    """

    name: str
    f: Callable
    start: np.ndarray
    minimum: np.ndarray
    bounds: tuple[float, float, float, float]

    @property
    def label(self):
        """What it is called on the page."""
        return own(_LABELS.get(self.name, self.name))

    def gradient(self, x):
        """∇f at one point, to machine precision, by the complex step ``Im f(x + ih·e_k) / h``.

        The functions are analytic, so no difference is formed and nothing cancels. This owes
        nothing to minigrad, against which it can therefore be checked.
        """
        x = np.asarray(x, dtype=float)
        return self.f(x + 1e-30j * np.eye(x.size)).imag / 1e-30


_LABELS = {
    "ravine": "峡谷 · ravine",
    "saddle": "鞍形 · saddle",
    "plateau": "平台 · plateau",
    "two minima": "两个极小点 · two minima",
}


def _problem(name, f, start, minimum, bounds):
    return Problem(name, f, np.array(start, float), np.array(minimum, float), bounds)


def ravine(condition=20.0, angle=0.0):
    """A quadratic valley, ½(u² + κv²), with ``(u, v)`` the coordinates turned by ``angle``.

    Args:
        condition: κ, the ratio of the curvatures; the largest curvature is L = κ, the smallest 1.
        angle: radians between the valley's floor and the first axis. At 0 each coordinate has its
            own curvature, which flatters methods with one rate per coordinate.
    """
    c, s = np.cos(angle), np.sin(angle)

    def f(x):
        u, v = c * x[..., 0] + s * x[..., 1], c * x[..., 1] - s * x[..., 0]
        return (u * u + condition * v * v) / 2

    start = (-4 * c - s, c - 4 * s)  # four along the floor, one up the wall
    return _problem("ravine", f, start, (0, 0), (-5, 5, -2.5, 2.5))


def rosenbrock():
    """Rosenbrock's banana, (1 − x)² + 100 (y − x²)²: a curved ravine (Rosenbrock 1960)."""

    def f(x):
        a, b = 1 - x[..., 0], x[..., 1] - x[..., 0] * x[..., 0]
        return a * a + 100 * b * b

    return _problem("Rosenbrock", f, (-1.2, 1), (1, 1), (-2, 2, -1, 3))


def saddle():
    """½x² − ½y² + ¼y⁴: a saddle at the origin between minima at (0, ±1).

    The start is almost on the ridge, where the only way out has a gradient of 10⁻³.
    """

    def f(x):
        p, q = x[..., 0] * x[..., 0], x[..., 1] * x[..., 1]
        return p / 2 - q / 2 + q * q / 4

    return _problem("saddle", f, (1.8, 0.001), (0, 1), (-2, 2, -1.6, 1.6))


def beale():
    """Beale's function: flat valleys and walls of the sixth degree (Beale 1958)."""

    def f(z):
        x, y = z[..., 0], z[..., 1]
        a, b, c = 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y
        return a * a + b * b + c * c

    return _problem("Beale", f, (1, 1.5), (3, 0.5), (-4.5, 4.5, -4.5, 4.5))


def plateau():
    """r² / (1 + r²): a hole in a plain whose slope dies off as 2/r³."""

    def f(x):
        r2 = x[..., 0] * x[..., 0] + x[..., 1] * x[..., 1]
        return r2 / (1 + r2)

    return _problem("plateau", f, (-4, 2), (0, 0), (-5, 5, -3, 3))


def two_minima(tilt=0.3):
    """(x² − 1)² + tilt·x + ½y²: a poor minimum near x = 1, a better one near x = −1.

    Args:
        tilt: below 8/(3√3) ≈ 1.54, beyond which the poor minimum is gone.
    """
    if not 0 < tilt < 8 / 3**1.5:
        raise ValueError(f"two_minima: tilt must be in (0, 1.54) for two minima, got {tilt}")

    def f(x):
        a = x[..., 0] * x[..., 0] - 1
        return a * a + tilt * x[..., 0] + x[..., 1] * x[..., 1] / 2

    best = min(np.roots([4, 0, -4, tilt]).real)  # where 4x³ − 4x + tilt = 0
    return _problem("two minima", f, (1.6, 0.8), (best, 0), (-2, 2, -1.5, 1.5))


def all_problems():
    """The surfaces that optimizers are compared on, as ``{name: Problem}``."""
    problems = ravine(), rosenbrock(), saddle(), beale(), plateau()
    return {problem.name: problem for problem in problems}


def noisy_quadratic(x, rng, curvature=(1.0, 0.1), noise=1.0):
    """One sample of the noisy quadratic ½ Σ hᵢ (xᵢ − cᵢ)², ``cᵢ ~ N(0, noise²)``.

    Its gradient is h·(x − c): the true gradient hx plus noise whose size does not shrink near the
    minimum, as with mini-batches (Schaul, Zhang & LeCun 2013; Zhang et al. 2019).
    """
    curvature = np.asarray(curvature)
    difference = x - noise * rng.standard_normal(curvature.shape)
    return (curvature * difference * difference).sum() / 2


def reddi(x, t, c=4.0):
    """The loss of step ``t`` (from 1) in the example on which Adam does not converge.

    f_t(x) = C·x if t mod 3 = 1, else −x, for x in [−1, 1] (keep it there by clipping) and C > 2.
    The average slope (C − 2)/3 is positive, so −1 is best, yet Adam with β1 = 0 and
    β2 = 1/(1 + C²) goes to +1 (Reddi, Kale & Kumar 2018, Theorem 1).
    """
    if c <= 2:
        raise ValueError(f"reddi: C must be above 2, or −1 is not the minimum; got {c}")
    return c * x if t % 3 == 1 else -x
