"""Which learning rate networks of different widths want, by parametrization and optimizer.

Writes mup.json. The task is data.letters: three letters in (one-hot, 81 numbers of mean square 1),
the law of the fourth out. Networks 81-n-…-n-27 without biases, tanh, batches of 32 fresh examples, 40
steps of SGD or Adam. The score is the Kullback–Leibler divergence from the law in nats, on 512 triples
drawn once; beside it, how far the features of the first and of the last hidden layer have moved, in
root mean square, relative to what they were. At BASE = 128 all parametrizations are one network. Seeds
run side by side in one array; gradients are written out by hand, and the chapter compares them with
minigrad's.

Written before running: from 128 to 2048 a best rate "stays" if it changes by less than a factor of 2,
and a change by more than that matters; of divergences, 0.03 nats. Windows of rates were found with the
seeds 900 to 903, which are not used here. A best rate is the top of a parabola through the best power
of 2 and its neighbours, seed by seed. 2048 has 4 seeds and 5 rates at most, and no NTK with Adam, to
stay short; μP and the standard parametrization are compared there by 16 further seeds, at the rates
that the 4 have chosen.
"""

import functools

import numpy as np

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

BASE, BATCH, SIDE, STEPS = 128, 32, 4, 40

# r = width / BASE is raised to these powers: the output's deviation; the rates of input, hidden, output
POWERS = {
    ("standard", "sgd"): (0, (0, 0, 0)), ("standard", "adam"): (0, (0, 0, 0)),
    ("ntk", "sgd"): (0, (0, -1, -1)), ("ntk", "adam"): (0, (0, -1 / 2, -1 / 2)),
    ("mup", "sgd"): (-1 / 2, (1, 0, -1)), ("mup", "adam"): (-1 / 2, (0, -1, -1)),
    ("rates", "sgd"): (0, (1, 0, -1)), ("rates", "adam"): (0, (0, -1, -1)),
}  # fmt: skip
ACTIVATIONS = {  # f, f' in terms of f, and the gain of the hidden layers
    "tanh": (np.tanh, lambda a: 1 - a * a, 1.0),
    "relu": (lambda z: np.maximum(z, 0), lambda a: a > 0, 2**0.5),
}


@functools.cache
def language():
    """Triples of letters as inputs, how often they occur, and the law of the next letter."""
    triples, often, law = data._trigrams()
    x = np.zeros((len(triples), 81), np.float32)
    for place in range(3):
        x[np.arange(len(x)), 27 * place + triples[:, place]] = 27**0.5
    some = np.random.default_rng(5).choice(len(x), size=512, p=often)
    return x, often, law, some


def start(way, optimizer, width, depth, activation, seeds):
    """The matrices of a network for each seed, as (seed, inputs, outputs), and their factors of η."""
    r, (deviation, (first, hidden, last)) = width / BASE, POWERS[way, optimizer]
    shapes = [(81, width), *[(width, width)] * depth, (width, 27)]
    gains = [1.0, *[ACTIVATIONS[activation][2]] * depth, r**deviation]
    rngs = [np.random.default_rng([seed, width]) for seed in seeds]
    weights = [np.empty((len(seeds), *shape), np.float32) for shape in shapes]
    for W, gain in zip(weights, gains):
        for w, rng in zip(W, rngs):
            rng.standard_normal(dtype=np.float32, out=w)
            w *= np.float32(gain / W.shape[1] ** 0.5)
    return weights, [r**first, *[r**hidden] * depth, r**last]


def layers(weights, x, activation):
    """Inputs, features of every hidden layer, logits."""
    f, found = ACTIVATIONS[activation][0], [x]
    for W in weights[:-1]:
        found.append(f(found[-1] @ W))
    return [*found, found[-1] @ weights[-1]]


def gradients(weights, x, hot, activation):
    """Of the cross-entropy, from the last matrix to the first, one at a time."""
    slope = ACTIVATIONS[activation][1]
    *inputs, z = layers(weights, x, activation)
    z = np.exp(z - z.max(axis=-1, keepdims=True))
    d = (z / z.sum(axis=-1, keepdims=True) - hot) / np.float32(hot.shape[-2])
    for W, a in zip(weights[::-1], inputs[::-1]):
        g = np.swapaxes(a, -1, -2) @ d
        if a is not x:
            d = (d @ np.swapaxes(W, -1, -2)) * slope(a)
        yield g


def adam(W, g, m, v, rate):
    """One step with bias correction inside the rate, in pieces that fit the cache; g is used up."""
    rows = max(1, 2**16 // W.shape[-1])
    for k in range(len(W)):
        for i in range(0, W.shape[1], rows):
            part = k, slice(i, i + rows)
            w, d, first, second = W[part], g[part], m[part], v[part]
            first *= np.float32(0.9)
            first += np.float32(0.1) * d
            d *= d
            d *= np.float32(0.001)
            second *= np.float32(0.999)
            second += d
            np.sqrt(second, out=d)
            d += np.float32(1e-8)
            np.divide(first, d, out=d)
            d *= rate
            w -= d


def examples(rngs, size, drawn=None):
    """Indices of triples and one-hot next letters, for every seed; from what was drawn, if given."""
    _, often, law, _ = language()
    if drawn is not None:
        pick = np.stack([rng.integers(drawn[0].shape[1], size=size) for rng in rngs])
        return [np.take_along_axis(part, pick, axis=1) for part in drawn]
    now = np.stack([rng.choice(len(often), size=size, p=often) for rng in rngs])
    dice = np.stack([rng.random((size, 1)) for rng in rngs])
    return [now, np.minimum((dice >= law.cumsum(axis=1)[now]).sum(axis=-1), 26)]


def train(way, optimizer, width, eta, seeds, depth=1, steps=STEPS, activation="tanh",
          sample=None, decay=None, times_rate=True):  # fmt: skip
    """Networks of all seeds, trained; and how far features of each hidden layer, and logits, moved.

    With a sample, batches come from that many examples, drawn once. With a decay λ every step takes
    η λ of each weight, with times_rate η being that of the layer (AdamW as PyTorch has it).
    """
    weights, factors = start(way, optimizer, width, depth, activation, seeds)
    x, _, _, some = language()
    before = layers(weights, x[some[:64]], activation)[1:]
    rngs, hot = [np.random.default_rng([seed, 1]) for seed in seeds], np.eye(27, dtype=np.float32)
    moments = [(np.zeros_like(W), np.zeros_like(W)) for W in weights if optimizer == "adam"]
    drawn = examples(rngs, sample) if sample else None
    for t in range(1, steps + 1):
        now, following = examples(rngs, BATCH, drawn)
        each = gradients(weights, x[now], hot[following], activation)
        for i, g in zip(reversed(range(len(weights))), each):
            rate = eta * factors[i]
            if decay:
                weights[i] *= np.float32(1 - decay * (rate if times_rate else eta))
            if optimizer == "adam":
                corrected = rate * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
                adam(weights[i], g, *moments[i], np.float32(corrected))
            else:
                g *= np.float32(rate)
                weights[i] -= g
    after = layers(weights, x[some[:64]], activation)[1:]
    return weights, [rms(a - b) / rms(b) for a, b in zip(after, before)]


def rms(a):
    """Over all but the seeds."""
    return np.sqrt((a * a).mean(axis=(-1, -2)))


def divergence(weights, activation="tanh"):
    """From the law, in nats, for every seed; at most 10."""
    x, _, law, some = language()
    z = layers(weights, x[some], activation)[-1].astype(float)
    z -= z.max(axis=-1, keepdims=True)
    z -= np.log(np.exp(z).sum(axis=-1, keepdims=True))
    p = law[some]
    entropy = -(p * np.log(np.where(p > 0, p, 1))).sum(axis=-1).mean()
    return np.minimum(np.nan_to_num(-(p * z).sum(axis=-1).mean(axis=-1) - entropy, nan=10), 10)


@functools.cache
def side_by_side(way, optimizer, width, power, group, **more):
    """The scores of SIDE seeds."""
    seeds = range(SIDE * group, SIDE * (group + 1))
    weights, moved = train(way, optimizer, width, 2.0**power, seeds, **more)
    lost = divergence(weights, more.get("activation", "tanh"))
    return {"divergence": lost, "first": moved[0], "last": moved[-2]}


def run(way, optimizer, width, power, seed, **more):
    """Scores of one network after training with the rate 2**power."""
    with np.errstate(all="ignore"):
        scores = side_by_side(way, optimizer, width, power, seed // SIDE, **more)
    return {name: float(f"{of[seed % SIDE]:.4g}") for name, of in scores.items()}


def shrink(by, width, power, seed):
    """AdamW on 512 examples for 300 steps; the rate is 2**-7, and λ is 2**power."""
    more = {"steps": 300, "sample": 512, "decay": 2.0**power, "times_rate": by == "layer"}
    return run("mup", "adam", width, -7, seed, **more)


# the first power of 2 of the rate, at each width
WINDOWS = {
    ("standard", "sgd"): {8: -4, 32: -5, 128: -6, 512: -6, 2048: -7},
    ("standard", "adam"): {8: -9, 32: -10, 128: -11, 512: -13, 2048: -15},
    ("ntk", "sgd"): {8: -7, 32: -6, 512: -4, 2048: -3},
    ("ntk", "adam"): {8: -10, 32: -11, 512: -12},
    ("mup", "sgd"): {8: -5, 32: -6, 512: -5, 2048: -4},
    ("mup", "adam"): {8: -11, 32: -11, 512: -11, 2048: -10},
    ("rates", "sgd"): {512: -6},
    ("rates", "adam"): {512: -11},
}


def window(first, count):
    return tuple(range(first, first + count))


if __name__ == "__main__":
    found = {}
    for (way, optimizer), first in WINDOWS.items():
        for width, power in first.items():
            axes = {"way": (way,), "optimizer": (optimizer,), "width": (width,)}
            axes["power"] = window(power, {512: 7, 2048: 5}.get(width, 8))
            few = width == 2048 or width == 512 and way in ("ntk", "rates")
            found[f"{way} {optimizer} {width}"] = sweep(run, axes, seeds=4 if few else 8)
    for optimizer in ("sgd", "adam"):  # the best rate of 128, carried to 2048 as it is
        narrow = found[f"standard {optimizer} 128"]
        best = narrow.axes["power"][narrow["divergence"].mean().argmin()]
        axes = {"way": ("standard",), "optimizer": (optimizer,), "width": (2048,), "power": (best,)}
        found[f"carried {optimizer}"] = sweep(run, axes, seeds=4)
        for way in ("standard", "mup"):  # on seeds that had no part in choosing the rate
            wide = found[f"{way} {optimizer} 2048"]
            best = wide.axes["power"][wide["divergence"].mean().argmin()]
            axes = {"way": (way,), "optimizer": (optimizer,), "width": (2048,), "power": (best,)}
            found[f"tuned {way} {optimizer}"] = sweep(run, axes, seeds=range(4, 20))
    for optimizer, low in (("sgd", -5), ("adam", -12)):
        mup = {"way": ("mup",), "optimizer": (optimizer,)}
        for depth in (2, 4, 8):
            axes = mup | {"width": (128,), "depth": (depth,), "power": window(low, 7)}
            found[f"depth {depth} {optimizer}"] = sweep(run, axes, seeds=4)
        for steps in (10, 160, 640):
            axes = mup | {"width": (64,), "steps": (steps,), "power": window(low + 1, 6)}
            found[f"steps {steps} {optimizer}"] = sweep(run, axes, seeds=4)
        axes = mup | {"width": (256,), "steps": (160,), "power": window(low + 1, 6)}
        found[f"steps 160 {optimizer} 256"] = sweep(run, axes, seeds=4)
    axes = {"way": ("standard", "mup"), "optimizer": ("sgd",), "activation": ("relu",)}
    for width in (32, 128, 512):
        found[f"relu {width}"] = sweep(run, axes | {"width": (width,), "power": window(-5, 7)}, 4)
    axes |= {"way": ("standard",), "width": (2048,), "power": window(-5, 4)}
    found["relu 2048"] = sweep(run, axes, 4)
    for by, low in (("layer", -1), ("base", -1)):
        axes = {"by": (by,), "width": (32, 256), "power": window(low, 7)}
        found[f"decay {by}"] = sweep(shrink, axes, seeds=4)
    entry = {"way": "mup", "optimizer": "adam", "width": 32, "power": -7, "seed": 0}
    store(__file__, found, again=("mup adam 32", entry), tol=0.01)
