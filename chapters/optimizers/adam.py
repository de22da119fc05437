"""Adam with and without bias correction on the digits: what Figure 4 of its paper asks.

Writes adam.json. Training loss of a 64-32-10 network (tanh), mini-batches of 64, β1 = 0.9; a point
is a learning rate, a β2, an arm and a seed.
"""

import numpy as np

from minigrad import optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

ETAS = tuple(float(f"{eta:.2g}") for eta in 10.0 ** np.arange(-4, -0.7, 0.25))
LARGER = tuple(float(f"{eta:.2g}") for eta in 10.0 ** np.arange(-2.25, -0.4, 0.25))


def run(eta, beta2, arm, epochs, seed):
    """The training loss after some epochs; arms differ in the learning rate of step t only."""
    x, y = data.digits()
    rng = np.random.default_rng(seed)
    net = training.mlp([64, 32, 10], rng=rng)
    opt = optim.Adam(net.parameters(), lr=eta, betas=(0.9, beta2))
    steps = epochs * -(-len(x) // 64)
    if arm == "uncorrected":  # the corrected step times r_t
        opt.schedule(lambda t: eta * (1 - 0.9 ** (t + 1)) / np.sqrt(1 - beta2 ** (t + 1)))
    elif arm == "decaying":  # corrected, and linearly down to 0
        opt.schedule(lambda t: eta * (1 - t / steps))
    training.fit(net, opt, x, y, epochs=epochs, batch=64, rng=rng)
    return training.evaluate(net, x, y)[0]


if __name__ == "__main__":
    figure = sweep(
        run,
        {"eta": ETAS, "beta2": (0.99, 0.999, 0.9999), "arm": ("corrected", "uncorrected"),
         "epochs": (5,)},
        seeds=16, workers=2,
    )  # fmt: skip
    longer = sweep(
        run,
        {"eta": LARGER, "beta2": (0.999,), "arm": ("corrected", "uncorrected", "decaying"),
         "epochs": (5, 20, 60)},
        seeds=10, workers=2,
    )  # fmt: skip
    best = longer.best("eta", fresh=range(100, 140), of="geometric")
    store(
        __file__,
        {"figure": figure, "longer": longer, "best": best},
        again=(
            "figure",
            {"eta": 0.01, "beta2": 0.999, "arm": "uncorrected", "epochs": 5, "seed": 3},
        ),
        tol=0.02,
    )
