"""How many steps and examples a batch size takes, and what the order of the examples does.

Writes gradient-descent.json. All runs are on 512 of scikit-learn's digits. The gradients are written
out by hand, for speed; the chapter compares them with minigrad's.
"""

import functools

import numpy as np
from scipy.optimize import minimize

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

N = 512
TARGETS = {"0.3": 0.3, "0.1": 0.1, "0.03": 0.03}
RATES = tuple(float(f"{rate:.3g}") for rate in 2 ** np.arange(-5, 2.6, 0.5))
DECAY = 0.03  # of the linear model


@functools.cache
def digits():
    """Images, labels as rows of 0 and 1, labels."""
    x, y = data.digits()
    some = np.random.default_rng(0).permutation(len(x))[:N]
    return x[some], np.eye(10)[y[some]], y[some]


def start(width, seed):
    """Weights and biases of 64-width-10, uniform in ± 1/√(inputs); width 0: a linear model."""
    rng = np.random.default_rng(seed)
    shapes = [(64, 10)] if width == 0 else [(64, width), (width, 10)]
    return [
        part
        for shape in shapes
        for part in (rng.uniform(-1, 1, shape) / np.sqrt(shape[0]), np.zeros(shape[1]))
    ]


def softmax(z):
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return z / z.sum(axis=1, keepdims=True)


def gradient(p, x, hot):
    """Of the mean cross-entropy, by W, b (and V, c)."""
    if len(p) == 2:
        e = (softmax(x @ p[0] + p[1]) - hot) / len(x)
        return [x.T @ e, e.sum(axis=0)]
    W, b, V, c = p
    a = np.tanh(x @ W + b)
    d = (softmax(a @ V + c) - hot) / len(x)
    e = (d @ V.T) * (1 - a * a)
    return [x.T @ e, e.sum(axis=0), a.T @ d, d.sum(axis=0)]


def loss(p):
    """The mean cross-entropy of all N examples."""
    x, _, y = digits()
    z = x @ p[0] + p[1] if len(p) == 2 else np.tanh(x @ p[0] + p[1]) @ p[2] + p[3]
    top = z.max(axis=1)
    return np.mean(top + np.log(np.exp(z - top[:, None]).sum(axis=1)) - z[np.arange(N), y])


def indices(order, batch, rng):
    """Batches for ever: drawn with replacement, reshuffled each epoch, or shuffled once."""
    fixed = rng.permutation(N)
    while True:
        if order == "replacement":
            for _ in range(N // batch):
                yield rng.integers(N, size=batch)
        else:
            perm = fixed if order == "once" else rng.permutation(N)
            yield from perm.reshape(-1, batch)


def steps_to(batch, eta, seed, width=32):
    """Steps until the training loss is first below each target (inf: not within the budget).

    The budget is 40 epochs, or 800 steps if that is more; a loss above 10 ends the run. With
    batches below 32 the loss is looked at after every 32 examples.
    """
    x, hot, _ = digits()
    p, rng = start(width, seed), np.random.default_rng([1, seed])
    budget, every = max(40 * N // batch, 800), max(1, 32 // batch)
    found = dict.fromkeys(TARGETS, np.inf)
    for k, some in zip(range(1, budget + 1), indices("shuffled", batch, rng)):
        for w, g in zip(p, gradient(p, x[some], hot[some])):
            w -= eta * g
        if k % every == 0:
            now = loss(p)
            for name, target in TARGETS.items():
                if now < target and found[name] == np.inf:
                    found[name] = k
            if not now < 10 or now < min(TARGETS.values()):
                break
    return found


def after(order, eta, seed, batch=4, epochs=20):
    """The network's training loss after some epochs, by the order of the examples."""
    x, hot, _ = digits()
    p, rng = start(32, seed), np.random.default_rng([1, seed])
    for _, some in zip(range(epochs * N // batch), indices(order, batch, rng)):
        for w, g in zip(p, gradient(p, x[some], hot[some])):
            w -= eta * g
    return loss(p)


@functools.cache
def minimum():
    """The linear model's minimizer, with weight decay; its objective; tr Σ there."""
    x, hot, _ = digits()

    def split(v):
        return [v[:640].reshape(64, 10), v[640:]]

    def f(v):
        p = split(v)
        g = np.concatenate([part.ravel() for part in gradient(p, x, hot)])
        return loss(p) + DECAY / 2 * v @ v, g + DECAY * v

    v = minimize(f, np.zeros(650), jac=True, options={"gtol": 1e-9, "maxiter": 5000}).x
    p = split(v)
    e = softmax(x @ p[0] + p[1]) - hot  # the gradient of one example is (x, 1) ⊗ e, and the decay
    square = np.mean((1 + (x**2).sum(axis=1)) * (e**2).sum(axis=1))
    return p, f(v)[0], square - DECAY**2 * v @ v


def floor(order, batch, eta, seed, steps=12_800):
    """f − f* of the linear model, begun at the minimum; mean over the ends of the later epochs."""
    x, hot, _ = digits()
    best, lowest, _ = minimum()
    p, rng = [part.copy() for part in best], np.random.default_rng(seed)
    epoch, above = N // batch, []
    for k, some in zip(range(1, steps + 1), indices(order, batch, rng)):
        for w, g in zip(p, gradient(p, x[some], hot[some])):
            w -= eta * (g + DECAY * w)
        if k % epoch == 0 and k > steps / 4:
            above.append(loss(p) + DECAY / 2 * sum((w * w).sum() for w in p) - lowest)
    return np.mean(above)


if __name__ == "__main__":
    grid = sweep(
        steps_to, {"batch": (1, 4, 16, 64, 256, 512), "eta": RATES}, seeds=8, workers=2
    )
    results = {"grid": grid}
    for name in TARGETS:
        fresh = range(100, 140 if name == "0.1" else 120)
        results[name] = grid.best("eta", by=name, of="median", fresh=fresh)
    results["wide"] = sweep(
        steps_to, {"batch": (1, 512), "eta": RATES[1::2], "width": (128,)}, seeds=6, workers=2
    ).best("eta", by="0.1", of="median", fresh=range(100, 120))
    results["order"] = sweep(
        after, {"order": ("replacement", "shuffled", "once"), "eta": RATES[4:12]},
        seeds=20, workers=2,
    ).best("eta", of="median", fresh=range(100, 200))  # fmt: skip
    floors = {4: (0.0125, 0.025, 0.05, 0.1), 16: (0.05, 0.1, 0.2)}
    for batch, etas in floors.items():
        results[f"floor{batch}"] = sweep(
            floor, {"order": ("replacement", "shuffled", "once"), "batch": (batch,), "eta": etas},
            seeds=10, workers=2,
        )  # fmt: skip
    store(
        __file__,
        results,
        again=("floor4", {"order": "shuffled", "batch": 4, "eta": 0.05, "seed": 3}),
        tol=1e-4,
    )
