"""Functions to minimize, and what the tests of the minimizers share."""

import numpy as np

from minigrad import Tensor, grad

UNCONSTRAINED = ["gradient-descent", "newton", "newton-cg", "bfgs", "l-bfgs", "cg"]
CONSTRAINED = ["newton-kkt", "augmented-lagrangian"]


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def saddle(x):
    return x[0] ** 2 / 2 - x[1] ** 2 / 2 + x[1] ** 4 / 4


def positive_definite(n, condition=30.0, seed=0):
    rng = np.random.default_rng(seed)
    Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return Q * np.geomspace(1, condition, n) @ Q.T


A8, b8 = positive_definite(8), np.random.default_rng(1).normal(size=8)
A8 = (A8 + A8.T) / 2
_rng = np.random.default_rng(2)
X, w = _rng.normal(size=(80, 5)), _rng.normal(size=5)
labels = np.where(X @ w + 0.5 * _rng.normal(size=80) > 0, 1.0, -1.0)


def quadratic(x):
    return x @ A8 @ x / 2 - b8 @ x


def logistic(x):
    return np.logaddexp(0, -labels * (X @ x)).mean() + 0.005 * (x @ x)


def value(f, x):
    return f(Tensor(x)).item()


def gradient(f, x):
    x = Tensor(x, requires_grad=True)
    return grad(f(x), x).data


def parallel(a, b):
    return a @ b >= (1 - 1e-9) * np.linalg.norm(a) * np.linalg.norm(b)
