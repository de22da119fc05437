"""A network fitted to a sine under four kinds of noise, by loss and learning rate.

Writes regression.json. A 1-32-32-1 network (tanh), Adam on the full batch of 200 points with a
learning rate that falls linearly to 0; the score is the mean squared distance to the noiseless
function on [-3, 3]. Half of the normal, Laplace and t2 noise lies within 0.2; "wrong" is that
normal noise with each value, with probability 0.1, made 20 times as large. "best" is after 300
steps, "longer", in normal noise, after 1200, each with rates chosen for that many steps.
"""

import numpy as np

from minigrad import losses, optim
from minigrad.lab import training
from minigrad.lab.experiments import store, sweep

NOISES = {
    "normal": lambda rng, n: rng.normal(size=n) / 0.6745,
    "laplace": lambda rng, n: rng.laplace(size=n) / np.log(2),
    "t2": lambda rng, n: rng.standard_t(2, size=n) / 0.8165,
    "wrong": lambda rng, n: rng.normal(size=n) * np.where(rng.random(n) < 0.1, 20, 1) / 0.6745,
}
LOSSES = {
    "mse": losses.mse_loss,
    "mae": losses.l1_loss,
    "huber-0.1": lambda x, y: losses.huber_loss(x, y, delta=0.1),
    "huber-0.4": lambda x, y: losses.huber_loss(x, y, delta=0.4),
    "log-cosh": losses.log_cosh_loss,
}
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


def run(noise, loss, eta, seed, steps=300, n=200):
    """The mean squared distance to the noiseless function after training."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 3, (n, 1))
    y = np.sin(2 * x) + 0.2 * NOISES[noise](rng, n)[:, None]
    net = training.mlp([1, 32, 32, 1], rng=rng)
    opt = optim.Adam(net.parameters(), lr=eta)
    for t in range(steps):
        opt.lr = eta * (1 - t / steps)
        opt.zero_grad()
        LOSSES[loss](net(x), y).backward()
        opt.step()
    grid = np.linspace(-3, 3, 301)[:, None]
    return float(np.mean((net(grid).data - np.sin(2 * grid)) ** 2))


if __name__ == "__main__":
    axes = {"noise": tuple(NOISES), "loss": tuple(LOSSES), "eta": RATES}
    grid = sweep(run, axes, seeds=6, workers=2)
    four_times = {
        "noise": ("normal",),
        "loss": ("mse", "huber-0.4"),
        "eta": (0.001, 0.003, 0.01, 0.03),
        "steps": (1200,),
    }
    longer_grid = sweep(run, four_times, seeds=6, workers=2)
    fresh = range(100, 130)
    store(
        __file__,
        {
            "grid": grid,
            "best": grid.best("eta", fresh=fresh, of="median"),
            "longer grid": longer_grid,
            "longer": longer_grid.best("eta", fresh=fresh, of="median"),
        },
        again=("grid", {"noise": "t2", "loss": "huber-0.1", "eta": 0.003, "seed": 3}),
        tol=0.01,
    )
