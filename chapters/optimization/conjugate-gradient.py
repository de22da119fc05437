"""Nonlinear conjugate gradients by the formula of β, on six standard problems.

Writes conjugate-gradient.json. A run is a problem, a formula, the c2 of the line search and a start;
its score the evaluations of f and its gradient until max |∇f| < 1e-5, at most 2000 steps.
"""

import numpy as np

from minigrad import Tensor, grad
from minigrad.lab.experiments import store, sweep
from minigrad.minimizers import strong_wolfe


def listed(*parts):
    return np.concatenate([np.reshape(part, -1) for part in parts])


def rosenbrock(x):
    return (100 * (x[1::2] - x[::2] ** 2) ** 2).sum() + ((1 - x[::2]) ** 2).sum()


def powell(x):
    a, b, c, d = x[::4], x[1::4], x[2::4], x[3::4]
    squares = (a + 10 * b) ** 2 + 5 * (c - d) ** 2
    return (squares + (b - 2 * c) ** 4 + 10 * (a - d) ** 4).sum()


def wood(x):
    a, b, c, d = x[0], x[1], x[2], x[3]
    valleys = 100 * (b - a * a) ** 2 + 90 * (d - c * c) ** 2
    return valleys + (1 - a) ** 2 + (1 - c) ** 2 + 10 * (b + d - 2) ** 2 + (b - d) ** 2 / 10


def beale(x):
    return ((np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** np.arange(1, 4))) ** 2).sum()


def tridiagonal(x):
    return (((3 - 2 * x) * x - listed(0.0, x[:-1]) - 2 * listed(x[1:], 0.0) + 1) ** 2).sum()


def trigonometric(x):
    i = np.arange(1.0, 11)
    return ((10 - np.cos(x).sum() + i * (1 - np.cos(x)) - np.sin(x)) ** 2).sum()


#: Moré, Garbow and Hillstrom 1981: numbers 21, 22, 14, 5, 30 and 26, with the standard starts.
PROBLEMS = {
    "Rosenbrock": (rosenbrock, np.array([-1.2, 1.0] * 5)),
    "Powell": (powell, np.array([3.0, -1.0, 0.0, 1.0] * 3)),
    "Wood": (wood, np.array([-3.0, -1.0, -3.0, -1.0])),
    "Beale": (beale, np.array([1.0, 1.0])),
    "Broyden": (tridiagonal, -np.ones(10)),
    "trigonometric": (trigonometric, np.full(10, 0.1)),
}
FORMULAS = ("fletcher-reeves", "restarted", "polak-ribiere", "polak-ribiere+", "hestenes-stiefel")


def beta(formula, g_new, g, p):
    """β of the next direction."""
    if formula in ("fletcher-reeves", "restarted"):
        return g_new @ g_new / (g @ g)
    if formula == "hestenes-stiefel":
        return g_new @ (g_new - g) / (p @ (g_new - g))
    value = g_new @ (g_new - g) / (g @ g)
    return max(value, 0) if formula == "polak-ribiere+" else value


def minimize(f, x, formula, c2, steps=2000):
    """Evaluations until the gradient vanishes (inf if it does not), and the run: |∇f| and cos θ."""
    leaf = Tensor(x, requires_grad=True)
    g = grad(f(leaf), leaf).data
    p, alpha, calls, run = -g, 1 / max(1.0, np.linalg.norm(g)), 1, []
    for k in range(1, steps + 1):
        found = strong_wolfe(f, x, p, alpha=alpha, c2=c2)
        calls += found.nfev
        if found.alpha is None:
            return np.inf, run
        g_new, slope = found.point.jac, p @ g
        run.append((np.linalg.norm(g_new), -slope / np.linalg.norm(p) / np.linalg.norm(g)))
        if np.abs(g_new).max() < 1e-5:
            return calls, run
        b = beta(formula, g_new, g, p)
        if formula == "restarted" and k % (len(x) + 1) == 0:
            b = 0.0
        x, g, p = found.point.x, g_new, -g_new + b * p
        if p @ g >= 0:  # not downhill
            p = -g
        alpha = found.alpha * slope / (p @ g)
    return np.inf, run


def calls(problem, formula, c2, seed):
    """From a start that is the standard one, each coordinate off by a tenth (at random)."""
    f, start = PROBLEMS[problem]
    start = start * (1 + 0.1 * np.random.default_rng(seed).normal(size=len(start)))
    return minimize(f, start, formula, c2)[0]


if __name__ == "__main__":
    found = sweep(
        calls,
        {"problem": tuple(PROBLEMS), "formula": FORMULAS, "c2": (0.1, 0.2, 0.4, 0.6, 0.8)},
        seeds=11, workers=2,
    )  # fmt: skip
    store(
        __file__,
        {"calls": found},
        again=("calls", {"problem": "Beale", "formula": "polak-ribiere+", "c2": 0.1, "seed": 3}),
        tol=0.1,
    )
