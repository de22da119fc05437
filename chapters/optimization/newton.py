"""Newton-CG, gradient descent with a line search, and momentum on a network, at equal cost.

Writes newton.json. 64-16-10 on 300 digits, 1210 parameters, full batches; a seed fixes the start. A
score is the loss (cross-entropy and a small penalty) at a cost of so many gradients, where a value
costs 0.5, the graph of a gradient another 0.8, a product of the Hessian with a vector 1.1, as
measured in the chapter. ``momentum`` has β = 0.9 and, for each cost, the rate of least mean loss at
that cost over 8 seeds; all are reported on 30 others.

Written before running: a factor of 0.95 between two losses would matter. With 8 starts the interval
of the ratio was a factor of 1.5 to either side at a cost of 25 and 1.02 at 200.
"""

import functools

import numpy as np

from minigrad import Tensor, grad, losses, minimize
from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

VALUE, GRAPH, PRODUCT = 0.5, 0.8, 1.1
COSTS = (25, 50, 100, 200, 500)
CUTS = np.cumsum([0, 64 * 16, 16, 10 * 16, 10])
X, Y = (a[:300] for a in data.digits())


def loss(theta):
    W1, b1, W2, b2 = (theta[i:j] for i, j in zip(CUTS, CUTS[1:]))
    h = np.tanh(X @ W1.reshape(16, 64).T + b1)
    return losses.cross_entropy(h @ W2.reshape(10, 16).T + b2, Y) + 5e-4 * (theta * theta).sum()


def start(seed):
    rng = np.random.default_rng(seed)
    W1, W2 = rng.normal(size=64 * 16) / 8, rng.normal(size=10 * 16) / 4
    return np.concatenate([W1, np.zeros(16), W2, np.zeros(10)])


def spent(run):
    """The cost of a minimize, without its start."""
    products = GRAPH * run.nit + PRODUCT * run.nhev if run.nhev else 0
    return run.njev - 1 + VALUE * (run.nfev - run.njev) + products


def at_costs(cost, value):
    """The values at COSTS; between two steps on a straight line in logarithms."""
    read = np.exp(np.interp(np.log(COSTS), np.log(cost), np.log(value)))
    return {f"at {c}": round(v, 5) for c, v in zip(COSTS, read)}


def search(method, seed):
    theta = start(seed)
    if method == "gradient-descent":
        run = minimize(loss, theta, method=method, maxiter=COSTS[-1])
        value = [loss(Tensor(theta)).item() for theta in run.path]
        return at_costs(1 + spent(run) / run.nit * np.arange(len(value)), value)
    cost, value = [1.0], [loss(Tensor(theta)).item()]
    while cost[-1] < COSTS[-1]:  # it remembers nothing, so step by step
        run = minimize(loss, theta, method=method, maxiter=1)
        if not run.nit:  # the gradient is as good as 0
            break
        theta = run.x
        cost.append(cost[-1] + spent(run))
        value.append(run.fun)
    return at_costs(cost, value)


@functools.cache  # several costs choose the same rate
def momentum(lr, seed):
    theta, m, value = start(seed), 0.0, []
    for _ in range(COSTS[-1]):
        t = Tensor(theta, requires_grad=True)
        now = loss(t)
        value.append(now.item())
        m = 0.9 * m + grad(now, t).data
        theta = theta - lr * m
    return at_costs(1 + np.arange(COSTS[-1]), value)


if __name__ == "__main__":
    fresh = range(100, 130)
    rates = sweep(momentum, {"lr": (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)}, seeds=8)
    tuned = {f"momentum, {c}": rates.best("lr", by=f"at {c}", fresh=fresh) for c in COSTS}
    searched = sweep(search, {"method": ("gradient-descent", "newton-cg")}, seeds=fresh)
    store(
        __file__,
        {"rates": rates, "searched": searched} | tuned,
        again=("rates", {"lr": 0.2, "seed": 0}),
        tol=1e-3,
    )
