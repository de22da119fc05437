"""Lookahead against its inner optimizer, half the rate, averaging and a schedule, on noisy digits.

Writes lookahead.json. A network 64-32-10 (tanh) sees 1200 of scikit-learn's digits with fresh noise
at every step, in batches of 16; all methods compute the same number of gradients.
"""

import numpy as np

from minigrad import compile, losses, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

NOISE = 0.5  # standard deviation of what is added to the pixels, which lie in [0, 1]
RATES = {
    "momentum": (0.003125, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4),
    "adam": (0.000625, 0.00125, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08),
}
FRESH = range(100, 124)


def heard(x, y, copies, rng):
    """Some digits, each copied and with noise of its own."""
    x, y = np.repeat(x, copies, axis=0), np.repeat(y, copies)
    return x + NOISE * rng.normal(size=x.shape), y


def run(inner, k, decay, steps, lr, seed, alpha=0.5):
    """Losses at the end of training, of the last weights and of their moving average.

    ``k``: of Lookahead, 0 without it. ``decay``: the rate falls linearly to 0. The average is an
    exponential one of every fifth point, with a memory of a tenth of the run.
    """
    x, y = data.digits()
    order = np.random.default_rng(0).permutation(len(x))
    train, held = order[:1200], np.split(order[1200:], [298])
    rng = np.random.default_rng(seed)
    net = training.mlp([64, 32, 10], rng=rng)
    parameters = net.parameters()
    opt = optim.Adam(parameters, lr=lr)
    if inner == "momentum":
        opt = optim.SGD(parameters, lr=lr, momentum=0.9)
    if decay:
        opt.schedule(lambda t: lr * (1 - t / steps))
    if k:
        opt = optim.Lookahead(opt, k=k, alpha=alpha)
    step = compile(lambda x, y: losses.cross_entropy(net(x), y), opt)
    keep = 1 - 50 / steps
    mean = [0 * p.data for p in parameters]
    for t in range(1, steps + 1):
        chosen = train[rng.integers(len(train), size=16)]
        step(x[chosen] + NOISE * rng.normal(size=(16, 64)), y[chosen])
        if t % 5 == 0:
            mean = [keep * m + (1 - keep) * p.data for m, p in zip(mean, parameters)]
    found = {}
    rng = np.random.default_rng([seed, 1])  # the same noise for all methods
    sets = {"validation": (held[0], 8), "test": (held[1], 8), "train": (train, 2)}
    sets = {name: heard(x[rows], y[rows], n, rng) for name, (rows, n) in sets.items()}
    for which in ("", " mean"):
        for name, (a, b) in sets.items():
            found[name + which], _ = training.evaluate(net, a, b)
        found["test error" + which] = 1 - training.evaluate(net, *sets["test"])[1]
        for p, m in zip(parameters, mean):
            p.data = m / (1 - keep ** (steps // 5))
    return found


def tuned(grid, by):
    """Each method at its best rate, on fresh seeds."""
    return grid.best("lr", by=by, fresh=FRESH)


if __name__ == "__main__":
    found = {}
    for inner, rates in RATES.items():
        grid = sweep(
            run,
            {"inner": (inner,), "k": (0, 5), "decay": (False, True), "steps": (500, 2500)}
            | {"lr": rates},
            seeds=4,
        )
        found[f"{inner} grid"] = grid
        found[inner] = tuned(grid, "validation")
        found[f"{inner} mean"] = tuned(grid.at(k=0), "validation mean")
    once = {"inner": ("momentum",), "decay": (False,)}
    wide = sweep(
        run,
        once
        | {"k": (5, 20, 50), "alpha": (0.25, 0.5), "steps": (2500,)}
        | {"lr": RATES["momentum"][2:]},
        seeds=3,
    )
    found["wide"] = wide.best("k", "alpha", "lr", by="validation", fresh=FRESH, ends=("k", "alpha"))
    found["shift"] = sweep(
        run, once | {"k": (0, 5), "steps": (500,), "lr": RATES["momentum"]}, seeds=range(200, 212)
    )
    store(
        __file__,
        found,
        again=(
            "momentum grid",
            {"inner": "momentum", "k": 5, "decay": False, "steps": 500, "lr": 0.025, "seed": 0},
        ),
        tol=1e-3,
    )
