"""Which learning rate a deep stack bears, and what it learns, by how it is normalized.

Writes deep-norm.json. Digits; 64 → 32, then K residual sublayers of two 32 × 32 matrices with ReLU
(or tanh), then 10 outputs; cross-entropy, 80 steps with batches of 32 ("longer": 400, "patient":
1600). Every stack has a learning rate of its own with SGD and with Adam: the one of the least mean
validation loss over 4 seeds ("longer": 8, because near the best rate some runs diverge), on a grid of
factors of 2; 24 other seeds report. Four seeds run side by side in one array. Gradients are written
out by hand, for speed; the chapter compares them with minigrad's.

Written before running: a factor of 1.2 in the loss would matter. Of two best rates, the grid cannot
tell a factor of 2 from none.
"""

import functools

import numpy as np

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

D, BATCH, SIDE, STEPS = 32, 32, 4, 80


def gains(kind, K):
    """α, and the gain β of both matrices of a sublayer."""
    return {
        "pre": (1, 1), "post": (1, 1), "post, warm-up": (1, 1), "post, tanh": (1, 1),
        "deep": (K**0.25, (4 * K) ** -0.25), "deep, tanh": (K**0.25, (4 * K) ** -0.25),
        "adam": (K**0.5, K**-0.5),
        "only alpha": ((2 * K) ** 0.5, 1),
        "only beta": (1, (2 * K) ** -0.5),
        "pre, small": (1, (2 * K) ** -0.5),
        "deep for 4": (4**0.25, 16**-0.25),
    }[kind]  # fmt: skip


def normalize(x):
    """Without γ and β; and the standard deviation, for the way back."""
    z = x - x.mean(axis=-1, keepdims=True)
    sd = np.sqrt((z * z).mean(axis=-1, keepdims=True) + np.float32(1e-5))
    return z / sd, sd


def back(g, z, sd):
    """The gradient at the input of `normalize`."""
    return (g - g.mean(axis=-1, keepdims=True) - z * (g * z).mean(axis=-1, keepdims=True)) / sd


def start(kind, K, rng):
    """The matrices of embedding, sublayers and output, each as (inputs, outputs)."""
    beta = gains(kind, K)[1]
    inner = beta * rng.normal(size=(2 * K, D, D)) / D**0.5
    return [rng.normal(size=(64, D)) / 8, *inner, rng.normal(size=(D, 10)) / D**0.5]


def gradients(kind, p, x, hot=None):
    """The logits; with labels, the mean loss and its gradients too.

    All arrays may have a leading axis of seeds.
    """
    pre, tanh = kind.startswith("pre"), kind.endswith("tanh")
    alpha = np.float32(gains(kind, len(p) // 2 - 1)[0])
    h, sd_in = normalize(x @ p[0])
    path = []
    for W, V in zip(p[1:-1:2], p[2:-1:2]):
        z, sd = normalize(h) if pre else (h, None)
        a = np.tanh(z @ W) if tanh else np.maximum(z @ W, 0)
        h = alpha * h + a @ V
        if not pre:
            h, sd = normalize(h)
        path.append((z, a, h, sd))
    last, sd = normalize(h) if pre else (h, None)
    logits = last @ p[-1]
    if hot is None:
        return logits
    y = np.exp(logits - logits.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    loss = -np.log(np.maximum((y * hot).sum(axis=-1), np.float32(1e-30))).mean(axis=-1)
    g = (y - hot) / np.float32(hot.shape[-2])
    found = [np.swapaxes(last, -1, -2) @ g]
    g = g @ np.swapaxes(p[-1], -1, -2)
    if pre:
        g = back(g, last, sd)
    for (z, a, h, sd), W, V in zip(path[::-1], p[-3:0:-2], p[-2:0:-2]):
        u = g if pre else back(g, h, sd)
        e = (u @ np.swapaxes(V, -1, -2)) * (1 - a * a if tanh else a > 0)
        found += [np.swapaxes(a, -1, -2) @ u, np.swapaxes(z, -1, -2) @ e]
        inside = e @ np.swapaxes(W, -1, -2)
        g = alpha * u + (back(inside, z, sd) if pre else inside)
    g = back(g, normalize(x @ p[0])[0], sd_in)
    return logits, loss, [*found, np.swapaxes(x, -1, -2) @ g][::-1]


@functools.cache
def digits():
    """Images and labels of 897 examples for training, 450 for validation, 450 for the test."""
    x, y = data.digits()
    order = np.random.default_rng(0).permutation(len(x))
    x = ((x - x.mean(axis=0)) / x.std(axis=0).clip(0.05)).astype(np.float32)
    hot = np.eye(10, dtype=np.float32)[y]
    return [(x[part], hot[part]) for part in np.split(order, [897, 1347])]


def train(kind, optimizer, K, lr, group, steps=STEPS):
    """The matrices of SIDE seeds after training, side by side."""
    x, hot = digits()[0]
    rngs = [np.random.default_rng([s, K]) for s in range(SIDE * group, SIDE * (group + 1))]
    p = [np.stack(part).astype(np.float32) for part in zip(*(start(kind, K, r) for r in rngs))]
    m, v = [np.zeros_like(w) for w in p], [np.zeros_like(w) for w in p]
    for t in range(1, steps + 1):
        some = np.stack([r.integers(len(x), size=BATCH) for r in rngs])
        _, _, g = gradients(kind, p, x[some], hot[some])
        eta = lr * min(1, t / (0.3 * steps)) if kind.endswith("warm-up") else lr
        rate = eta * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)  # Adam's, with its bias correction
        for w, d, first, second in zip(p, g, m, v):
            if optimizer == "sgd":
                w -= np.float32(eta) * d
            else:
                first += np.float32(0.1) * (d - first)
                second += np.float32(0.001) * (d * d - second)
                w -= np.float32(rate) * first / (np.sqrt(second) + np.float32(1e-8))
    return p


@functools.cache
def side_by_side(*setting):
    """The scores of SIDE seeds: training and validation loss, test error in percent."""
    kind, (training, validation, test) = setting[0], digits()
    p = train(*setting)
    wrong = gradients(kind, p, test[0]).argmax(axis=-1) != test[1].argmax(axis=-1)
    return {
        "training loss": gradients(kind, p, *training)[1],
        "validation loss": gradients(kind, p, *validation)[1],
        "test error": 100 * wrong.mean(axis=-1),
    }


def trained(kind, optimizer, K, lr, seed, steps=STEPS):
    """Scores after training."""
    with np.errstate(all="ignore"):
        scores = side_by_side(kind, optimizer, K, lr, seed // SIDE, steps)
    return {name: float(f"{of[seed % SIDE]:.4g}") for name, of in scores.items()}


if __name__ == "__main__":
    found = {}
    for optimizer, kinds, powers in (
        ("sgd", ("post", "pre", "pre, small", "deep", "only alpha", "only beta"), range(-9, 3)),
        ("adam", ("post", "post, warm-up", "pre", "pre, small", "deep", "adam"), range(-13, -3)),
    ):
        axes = {"optimizer": (optimizer,), "lr": tuple(2.0**k for k in powers)}
        tuning = sweep(trained, {"kind": kinds, "K": (4, 16, 64)} | axes, seeds=SIDE)
        found[optimizer] = tuning.best("lr", by="validation loss", fresh=range(100, 124))
        found[f"{optimizer} grid"] = tuning
    axes = {"optimizer": ("sgd",), "K": (64,)}
    for name, kinds, powers, seeds, more in (
        ("controls", ("post, tanh", "deep, tanh", "deep for 4"), range(-9, 3), SIDE, {}),
        ("longer", ("pre", "pre, small", "deep"), range(-4, 3), 2 * SIDE, {"steps": (5 * STEPS,)}),
    ):
        rates = {"kind": kinds, "lr": tuple(2.0**k for k in powers)}
        tuning = sweep(trained, axes | rates | more, seeds=seeds)
        found[name] = tuning.best("lr", by="validation loss", fresh=range(100, 124))
    for optimizer, kind, powers in (
        ("sgd", "post", range(-10, -5)),
        ("adam", "post, warm-up", range(-13, -8)),
    ):
        axes = {"kind": (kind,), "optimizer": (optimizer,), "K": (64,), "steps": (20 * STEPS,)}
        rates = {"lr": tuple(2.0**k for k in powers)}
        found[f"patient {optimizer}"] = sweep(trained, axes | rates, seeds=SIDE)
    store(
        __file__,
        found,
        again=("sgd", {"kind": "deep", "optimizer": "sgd", "K": 4, "seed": 100}),
        tol=0.02,
    )
