"""Momentum and Nesterov's form on an autoencoder, by ρ, learning rate and batch size.

Writes nesterov.json. A network 64-24-6-24-64 (tanh, linear output) reproduces 512 digits; the score
is half its squared error per digit on all of them after 1000 steps; for ρ = 0.99 and batches of 128
after 3000, too. "plain" is ρ = 0.
"""

import numpy as np

from minigrad import compile, no_grad, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

RATES = tuple(2.0**k for k in range(-6, 5))  # η̄ = η / (1 - ρ), from 0.016 to 16
RHOS = (0.9, 0.97, 0.99, 0.995)
METHODS = ("momentum", "nesterov")
FRESH = range(100, 112)


def digits():
    """512 digits, centred, with a mean squared length of 16."""
    x, _ = data.digits()
    x = x[np.random.default_rng(0).permutation(len(x))[:512]]
    x = x - x.mean(0)
    return x * 4 / np.sqrt((x * x).sum(1).mean())


def run(method, rho, eta_bar, batch, seed, steps=1000):
    """Half the squared error per digit, after some steps; inf if it diverged. η = (1 - ρ) η̄."""
    x = digits()
    rng = np.random.default_rng(seed)
    net = training.mlp([64, 24, 6, 24, 64], rng=rng)
    lr, nesterov = (1 - rho) * eta_bar, method == "nesterov"
    opt = optim.SGD(net.parameters(), lr=lr, momentum=rho, nesterov=nesterov)

    def value(x):
        error = net(x) - x
        return (error * error).sum() / (2 * batch)

    step = compile(value, opt)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            if not np.isfinite(step(x[rng.integers(512, size=batch)]).data):
                return np.inf
        with no_grad():
            return float(((net(x).data - x) ** 2).sum() / (2 * len(x)))


def searched(axes, names, seeds, fresh):
    """All scores of a grid, and the best settings on fresh seeds."""
    grid = sweep(run, axes, seeds=seeds, workers=2)
    return grid, grid.best(*names, fresh=fresh, ends=("rho",))


if __name__ == "__main__":
    short = {"eta_bar": RATES, "batch": (8, 128)}
    two, one = {"method": METHODS, "rho": RHOS}, {"method": ("plain",), "rho": (0.0,)}
    long = {"rho": (0.99,), "eta_bar": RATES[4:10], "batch": (128,), "steps": (3000,)}
    grid, best = searched(two | short, ["eta_bar"], 3, FRESH)
    _, plain = searched(one | short, ["eta_bar"], 3, FRESH)
    free = grid.best("rho", "eta_bar", fresh=FRESH, ends=("rho",))
    _, longer = searched({"method": METHODS} | long, ["eta_bar"], 2, FRESH)
    store(
        __file__,
        {"grid": grid, "best": best, "plain": plain, "free": free, "longer": longer},
        again=(
            "grid",
            {"method": "nesterov", "rho": 0.99, "eta_bar": RATES[4], "batch": 128, "seed": 2},
        ),
        tol=0.01,
    )
