"""Momentum and plain SGD on the digits, by batch size and effective learning rate.

Writes momentum.json. Training loss of a 64-32-10 network (tanh) on 512 digits after 128 steps,
whatever the batch: 1 epoch of batches of 4, 128 epochs of all 512 at once.
"""

import numpy as np

from minigrad import optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

RATES = tuple(float(f"{rate:.2g}") for rate in np.geomspace(0.1, 63, 15))
SLOW = (0.16, 0.2, 0.25, 0.32, 0.4, 0.5, 0.63)  # for ten times the steps
BATCHES = (4, 16, 64, 512)


def run(batch, rho, eta_bar, seed, steps=128):
    """The training loss after some steps; η = (1 - ρ) η̄."""
    x, y = data.digits()
    some = np.random.default_rng(0).permutation(len(x))[:512]
    x, y = x[some], y[some]
    rng = np.random.default_rng(seed)
    net = training.mlp([64, 32, 10], rng=rng)
    opt = optim.SGD(net.parameters(), lr=(1 - rho) * eta_bar, momentum=rho)
    training.fit(net, opt, x, y, epochs=steps * batch // 512, batch=batch, rng=rng)
    return training.evaluate(net, x, y)[0]


if __name__ == "__main__":
    grid = sweep(
        run, {"batch": BATCHES, "rho": (0.0, 0.9), "eta_bar": RATES}, seeds=20, workers=2
    )
    best = grid.best("eta_bar", fresh=range(100, 140), of="geometric")
    slow = sweep(
        run, {"batch": (4,), "rho": (0.0, 0.9), "eta_bar": SLOW, "steps": (1280,)},
        seeds=20, workers=2,
    )  # fmt: skip
    longer = slow.best("eta_bar", fresh=range(100, 160), of="geometric")
    store(
        __file__,
        {"grid": grid, "best": best, "slow": slow, "longer": longer},
        again=("grid", {"batch": 64, "rho": 0.9, "eta_bar": RATES[4], "seed": 3}),
        tol=0.01,
    )
