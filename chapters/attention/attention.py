"""Small attention models: with and without 1/√d, with one head and several, with and without order.

Writes attention.json. All seeds of a block are trained at once, as a leading axis of every array,
and each sees its own examples, every one of them once. Rates fall linearly to 0; that of least
validation loss over 12 seeds is reported on 24 others.

``scale``: a query with one word looks up its value among 8 pairs, by one head of d channels. The
arms differ in the factor on the scores and on the initial Wq and Wk. ``sgd``, ``short``, ``long``,
``wide``: the same by SGD, in a fifth and five times the steps, and with twice the width, words and
pairs. ``mean``: without attention, from the mean of the pairs. ``heads``: the same task, and one
that asks for two words at once; the heads share 16 channels, and the value is read by a matrix, or
by a hidden layer of ReLU before it. ``order``: which of two marked words comes first, with and
without positions and a causal mask.

Written before running: a difference of 1 point of test error would matter, and of 2 points in
``heads`` and ``order``. In pilots on seeds 1000 to 1019, which set the grids too, the error had a
standard deviation below 3 points where a method works, and of up to 25 where it does not; 24 pairs
give intervals of about ± 1 and ± 10, narrower than the differences that were seen.
"""

from functools import lru_cache

import numpy as np

from minigrad import Tensor, compile, losses, no_grad, optim
from minigrad.lab.experiments import store, sweep

BLOCK, BATCH, HELD = 12, 32, 500  # HELD: examples for validation, and as many for the test
VALUES, PLACES, KINDS = 4, 8, 12  # values; places and words of the task of order


def softmax(s):
    p = np.exp(s - s.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


@lru_cache(maxsize=1)
def look_up(width, number, first):
    """For a block of seeds: the vectors of words and values, and which of them are in the pairs."""
    parts = []
    for seed in range(first, first + BLOCK):
        rng = np.random.default_rng(seed)
        vectors = rng.normal(0, 0.5**0.5, size=(2 * width + VALUES, width))
        which = rng.random((number, width)).argsort(axis=1)[:, : width // 2]
        parts.append((vectors, which, rng.integers(VALUES, size=which.shape)))
    return [np.stack(part) for part in zip(*parts)]


def examples(task, data, some):
    """Queries (S, B, D), pairs (S, B, n, D), and the values asked for (S, B, 1 or 2)."""
    vectors, which, value = data[0], data[1][:, some], data[2][:, some]
    S, width = np.arange(len(vectors))[:, None], vectors.shape[-1]
    y = vectors[S[..., None], which] + vectors[S[..., None], 2 * width + value]
    x = vectors[S, which[..., 0]]
    if task == "one":
        return x * 2**0.5, y, value[..., :1]
    return x + vectors[S, width + which[..., 1]], y, value[..., :2]


def split(W, heads):
    """(S, D, heads · d) -> (S, heads, D, d)."""
    S, D, _ = W.shape
    return W.reshape(S, D, heads, -1).swapaxes(1, 2)


def reader(x, y, weights, heads, scale):
    """Logits (S, B, out) and the weights (S, B, heads, n) of queries (S, B, D) on (S, B, n, D)."""
    if len(weights) == 2:  # no attention: the mean of the pairs, and a hidden layer
        z = np.concatenate([x, y.mean(axis=-2)], axis=-1) @ weights[0]
        return np.maximum(z, 0) @ weights[1], np.ones((*x.shape[:2], 1, 1))
    Wq, Wk, Wv, Wo, *hidden = weights
    S, B, D = x.shape
    Wq, Wk, Wv = (split(W, heads) for W in (Wq, Wk, Wv))
    # scores (x Wq) Wkᵀ yᵀ, from the left, so that keys are never made
    seeks = (x.reshape(S, 1, B, D) @ Wq * scale) @ Wk.swapaxes(-1, -2)
    p = softmax(seeks.swapaxes(1, 2) @ y.swapaxes(-1, -2))
    z = ((p @ y).swapaxes(1, 2) @ Wv).swapaxes(1, 2).reshape(S, B, -1)
    for W in hidden:
        z = np.maximum(z @ W, 0)
    return z @ Wo, p


ARMS = {  # powers of d: the factor on the scores, and that on the initial Wq and Wk
    "scaled": (-0.5, 0.0),
    "unscaled": (0.0, 0.0),
    "start": (0.0, -0.25),
    "inverse": (-1.0, 0.0),
}


def scored(logits, target, axes):
    """Losses and errors in percent, by seed."""
    logits = logits - logits.max(axis=-1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    loss = -np.take_along_axis(logs, target[..., None], axis=-1)[..., 0].mean(axis=axes)
    return loss, 100 * (logits.argmax(axis=-1) != target).mean(axis=axes)


def train(loss, weights, method, lr, batches, steps):
    opt = {"adam": optim.Adam, "sgd": optim.SGD}[method](weights, lr=lr)
    opt.schedule(lambda t: lr * (1 - t / steps))
    step = compile(lambda *batch: BLOCK * loss(*batch), opt)
    for t in range(steps):
        step(*batches(slice(2 * HELD + BATCH * t, 2 * HELD + BATCH * (t + 1))))


def stacked(parts):
    return [Tensor(np.stack(part), requires_grad=True) for part in zip(*parts)]


@lru_cache(maxsize=2)
def readers(task, arm, width, d, heads, layer, method, steps, lr, first):
    """Scores of a block of seeds."""
    scale, start = (float(d // heads) ** power for power in ARMS[arm])
    asked, D, parts = 1 if task == "one" else 2, width, []
    for seed in range(first, first + BLOCK):
        rng = np.random.default_rng([seed, 1])
        shapes = [(D, d), (D, d), (D, D), (D, asked * VALUES)] + [(D, D)] * (layer == "relu")
        gains = [start, start, 1, 1, 2**0.5]
        if layer == "mean":
            shapes, gains = [(2 * D, 24), (24, VALUES)], [1, 1]
        parts.append([rng.normal(0, g * D**-0.5, size=s) for g, s in zip(gains, shapes)])
    weights, data = stacked(parts), look_up(D, BATCH * steps + 2 * HELD, first)

    def loss(x, y, target):
        logits, _ = reader(x, y, weights, heads, scale)
        return losses.cross_entropy(logits.reshape(-1, VALUES), target.reshape(-1))

    with np.errstate(all="ignore"):
        train(loss, weights, method, lr, lambda some: examples(task, data, some), steps)
        x, y, target = examples(task, data, slice(2 * HELD))
        with no_grad():
            logits, p = (np.asarray(t) for t in reader(x, y, weights, heads, scale))
        logits = logits.reshape(BLOCK, 2 * HELD, asked, VALUES)
        validation = scored(logits[:, :HELD], target[:, :HELD], (1, 2))[0]
        test = scored(logits[:, HELD:], target[:, HELD:], (1, 2))
        entropy = -(p * np.log(np.where(p > 0, p, 1))).sum(axis=-1).mean(axis=(1, 2))
    return dict(zip(("validation", "test loss", "test error", "entropy"),
                    (validation, *test, entropy)))  # fmt: skip


def read(task, arm, width, d, heads, layer, method, steps, lr, seed):
    """One seed of its block."""
    first = seed - seed % BLOCK
    found = readers(task, arm, width, d, heads, layer, method, steps, lr, first)
    return {name: values[seed - first] for name, values in found.items()}


@lru_cache(maxsize=1)
def ordered(number, first, D=16):
    """For a block of seeds: vectors of words, sequences with the words 0 and 1, is 0 before 1?"""
    parts = []
    for seed in range(first, first + BLOCK):
        rng = np.random.default_rng(seed)
        words = rng.integers(2, KINDS, size=(number, PLACES))
        two = rng.random((number, PLACES)).argsort(axis=1)[:, :2]
        np.put_along_axis(words, two, [[0, 1]], axis=1)
        parts.append((rng.normal(size=(KINDS, D)), words, (two[:, 0] < two[:, 1]).astype(int)))
    return [np.stack(part) for part in zip(*parts)]


def tagger(x, weights, causal):
    """Logits (S, B, 2) of the mean over positions of one layer of self-attention."""
    Wq, Wk, Wv, W1, Wo, places = weights
    S, B, n, D = x.shape
    x = (x + places[:, None]).reshape(S, B * n, D)
    q, k, v = ((x @ W).reshape(S, B, n, D) for W in (Wq, Wk, Wv))
    s = q @ k.swapaxes(-1, -2) / D**0.5
    if causal:
        s = s + np.where(np.tri(n, dtype=bool), 0, -np.inf)
    y = x + (softmax(s) @ v).reshape(S, B * n, D)
    return np.maximum(y @ W1, 0).reshape(S, B, n, D).mean(axis=2) @ Wo


@lru_cache(maxsize=2)
def taggers(positions, causal, steps, lr, first, D=16):
    """Scores of a block of seeds."""
    parts = []
    for seed in range(first, first + BLOCK):
        rng = np.random.default_rng([seed, 1])
        shapes = [(D, D)] * 4 + [(D, 2)]
        parts.append([rng.normal(0, D**-0.5, size=s) for s in shapes])
        parts[-1].append(rng.normal(size=(PLACES, D)))
    weights, (vectors, words, first_is_0) = stacked(parts), ordered(BATCH * steps + 2 * HELD, first)

    def batch(some):
        return vectors[np.arange(BLOCK)[:, None, None], words[:, some]], first_is_0[:, some]

    def logits_of(x):
        return tagger(x, weights[:5] + [weights[5] * float(positions)], causal)

    def loss(x, target):
        return losses.cross_entropy(logits_of(x).reshape(-1, 2), target.reshape(-1))

    with np.errstate(all="ignore"):
        train(loss, weights, "adam", lr, batch, steps)
        x, target = batch(slice(2 * HELD))
        with no_grad():
            logits = logits_of(x).data
        validation = scored(logits[:, :HELD], target[:, :HELD], 1)[0]
        test = scored(logits[:, HELD:], target[:, HELD:], 1)
    return dict(zip(("validation", "test loss", "test error"), (validation, *test)))


def place(positions, causal, steps, lr, seed):
    """One seed of its block."""
    first = seed - seed % BLOCK
    found = taggers(positions, causal, steps, lr, first)
    return {name: values[seed - first] for name, values in found.items()}


def compared(run, rates, **axes):
    """At the rate of least validation loss; the grid grows if the best is at its end."""
    tried = sweep(run, axes | {"lr": rates}, seeds=BLOCK)
    try:
        return tried.best("lr", by="validation", fresh=range(BLOCK * 10, BLOCK * 12))
    except ValueError as error:
        print(axes, error)
    return compared(run, (rates[0] / 2, *rates, 2 * rates[-1]), **axes)


def powers(low, high):
    """Rates from ``low`` to ``high`` by factors of 2."""
    return tuple(low * 2**k for k in range(round(np.log2(high / low)) + 1))


def setting(task="one", arm=("scaled",), width=16, d=(16,), heads=(1,), layer=("linear",),
            method="adam", steps=300):  # fmt: skip
    one = {"task": task, "width": width, "method": method, "steps": steps}
    axes = {name: (value,) for name, value in one.items()}
    return axes | {"arm": arm, "d": d, "heads": heads, "layer": layer}


if __name__ == "__main__":
    three, far = ("scaled", "unscaled", "start"), (256,)
    found = {
        "scale": compared(read, powers(0.002, 0.128), **setting(arm=three, d=(4, 16, 64, 256))),
        "inverse": compared(read, powers(0.008, 0.256), **setting(arm=("inverse",), d=(4, 256))),
        "sgd": compared(read, powers(0.08, 2.56), **setting(arm=three, d=(16, 256), method="sgd")),
        "short": compared(read, powers(0.002, 0.128), **setting(arm=three, d=far, steps=60)),
        "long": compared(read, powers(0.002, 0.032), **setting(arm=three, d=far, steps=1500)),
        "wide": compared(read, powers(0.002, 0.032), **setting(arm=three, d=far, width=32)),
    }
    for steps, name in ((300, "mean"), (1500, "mean long")):
        alone = setting(layer=("mean",), steps=steps)
        found[name] = compared(read, powers(0.004, 0.128), **alone)
    both, rates = ("linear", "relu"), powers(0.004, 0.128)
    for task in ("one", "two"):
        many = setting(task, heads=(1, 2, 4, 8), layer=both)
        found[f"heads {task}"] = compared(read, rates, **many)
    more = setting("two", heads=(1, 2), layer=("relu",), steps=1500)
    found["heads long"] = compared(read, powers(0.002, 0.032), **more)
    ways = {"positions": (False, True), "causal": (False, True), "steps": (300,)}
    found["order"] = compared(place, powers(0.004, 0.064), **ways)
    entry = setting() | {"seed": 120}
    entry = {name: v[0] if isinstance(v, tuple) else v for name, v in entry.items()}
    store(__file__, found, again=("scale", entry), tol=1e-4)
