"""Residual networks with the norm before the branch, after the sum, or nowhere.

Writes residual-and-norm.json. Digits, split anew for each seed: 1000 for training, 400 for
validation, 397 for the test. Layers of width 24: networks of two matrices with ReLU between, or (8
tokens, the rows of an image) attention and such networks by turns. RMS norm without parameters.
Batches of 32 (16 with attention), learning rates that fall to 0 in a straight line, after a linear
warm-up of a fifth of all steps or none. "pre" and "post" begin with branches as large as their
input (r = 1), "small" is "post" with r = 0.18 and "tiny" with r = 0.062; "none" is "pre" without
any norm, "bare 16" and "bare 64" are "none" with r = 1/16 and 1/64.

Gradients are written out by hand, with the seeds as the first axis of all arrays, in float32; the
chapter compares them with minigrad's.

Written before running: a ratio of 0.9 between mean test losses would matter. In pilots on two to
five of the tuning seeds, logarithms of paired ratios had standard deviations of 0.2 to 0.4, for
which 40 pairs give intervals of about ± 10 %. Rates are chosen by the validation loss of 5 seeds.
After 40 (with SGD and attention 20, with 1000 steps 10) warm-up with Adam was not decided, and all
these were doubled. With 4 layers and 1000 steps 5 seeds to tune were too few: of two rates that
were as good, the choice decided the comparison (0.91 [0.87, 0.96] or 1.11 [1.01, 1.22]); there 15
seeds choose, and 80 report.
"""

import functools

import numpy as np

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

WIDTH, TRAIN, VALIDATION, CLASSES = 24, 1000, 400, 10
R = {
    "pre": 1,
    "post": 1,
    "small": 0.18,
    "tiny": 0.062,
    "none": 1,
    "bare 16": 1 / 16,
    "bare 64": 1 / 64,
}
POST = ("post", "small", "tiny")


def T(a):
    return np.swapaxes(a, -1, -2)


def softmax(a):
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def norm(x):
    """x over its root mean square, and the factor."""
    s = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-6)
    return x * s, s


def norm_back(g, z, s):
    return s * (g - z * np.mean(g * z, axis=-1, keepdims=True))


def feed_forward(h, W):
    a = np.maximum(h @ W[0], 0)
    return a @ W[1], (a,)


def feed_forward_back(g, h, kept, W):
    (a,) = kept
    ga = (g @ T(W[1])) * (a > 0)
    return ga @ T(W[0]), (T(h) @ ga, T(a) @ g)


def attention(h, W, tokens=8):
    """One head: softmax(q kᵀ / √d) v W_o, among the tokens of each image."""
    seeds, rows, d = h.shape
    q, k, v = ((h @ w).reshape(seeds, -1, tokens, d) for w in W[:3])
    p = softmax(q @ T(k) / np.float32(np.sqrt(d)))
    c = (p @ v).reshape(h.shape)
    return c @ W[3], (q, k, v, p, c)


def attention_back(g, h, kept, W):
    q, k, v, p, c = kept
    gc = (g @ T(W[3])).reshape(q.shape)
    gp = gc @ T(v)
    gs = p * (gp - np.sum(gp * p, axis=-1, keepdims=True)) / np.float32(np.sqrt(h.shape[-1]))
    parts = [part.reshape(h.shape) for part in (gs @ k, T(gs) @ q, T(p) @ gc)]
    by_h = sum(part @ T(w) for part, w in zip(parts, W[:3]))
    return by_h, (*(T(h) @ part for part in parts), T(c) @ g)


FORWARD = {2: feed_forward, 4: attention}  # by the number of matrices
BACK = {2: feed_forward_back, 4: attention_back}


def shapes(depth, tokens):
    """Of the embedding, the positions, the layers, and the readout."""
    d = WIDTH
    layers = [[(d, d)] * (4 if tokens > 1 and layer % 2 == 0 else 2) for layer in range(depth)]
    return [[(64 // tokens, d), (tokens, d)], *layers, [(d, CLASSES)]]


def views(flat, depth, tokens):
    """One array of all parameters as the arrays of each layer, which share its memory."""
    found, at = [], 0
    for group in shapes(depth, tokens):
        arrays = []
        for m, n in group:
            arrays.append(flat[:, at : at + m * n].reshape(len(flat), m, n))
            at += m * n
        found.append(arrays)
    return found


def start(depth, tokens, place, seeds):
    """Normal weights of variance 1/inputs, those before a ReLU 2r/inputs; positions, if any."""
    size = sum(m * n for group in shapes(depth, tokens) for m, n in group)
    flat = np.array([np.random.default_rng(seed).normal(size=size) for seed in seeds])
    (embed, position), *layers, _ = parts = views(flat, depth, tokens)
    for group in parts[:1] + layers + parts[-1:]:
        for W in group:
            W /= np.sqrt(W.shape[1])
        if len(group) == 2 and group is not parts[0]:
            group[0] *= np.sqrt(2 * R[place])
    position *= np.sqrt(tokens) if tokens > 1 else 0
    return flat.astype(np.float32)


def through(x, layers, place, read=lambda i, x, now: now):
    """The stream after all layers, and what the way back needs.

    `read(i, x, now)` says what the branch of layer i reads, `now` unless an experiment has it.
    """
    kept = []
    for i, W in enumerate(layers):
        source = read(i, x, x)
        h, s = norm(source) if place == "pre" else (source, None)
        f, inner = FORWARD[len(W)](h, W)
        z, u = norm(x + f) if place in POST else (x + f, None)
        kept.append((h, s, inner, z, u))
        x = z
    return x, kept


def back(g, layers, kept, place):
    by = []
    for W, (h, s, inner, z, u) in zip(layers[::-1], kept[::-1]):
        if u is not None:
            g = norm_back(g, z, u)
        gh, by_W = BACK[len(W)](g, h, inner, W)
        g = g + (gh if s is None else norm_back(gh, h, s))
        by.append(by_W)
    return g, by[::-1]


def logits(parts, x, place, **changed):
    (embed, position), *layers, (readout,) = parts
    tokens, d = position.shape[1:]
    rows = x.reshape(len(x), -1, x.shape[-1] // tokens)
    e = (rows @ embed).reshape(len(x), -1, tokens, d) + position[:, None]
    x0, s0 = norm(e.reshape(len(x), -1, d))
    x1, kept = through(x0, layers, place, **changed)
    z, s1 = norm(x1) if place == "pre" else (x1, None)
    pool = z.reshape(len(x), -1, tokens, d).mean(axis=2)
    return pool @ readout, (rows, x0, s0, kept, z, s1, pool)


def gradient(parts, x, hot, place):
    """Of the mean cross-entropy, in the parts' order."""
    (embed, position), *layers, (readout,) = parts
    out, (rows, x0, s0, kept, z, s1, pool) = logits(parts, x, place)
    tokens, d = position.shape[1:]
    e = (softmax(out) - hot) / np.float32(x.shape[1])
    g = np.repeat(e @ T(readout) / np.float32(tokens), tokens, axis=1)
    if s1 is not None:
        g = norm_back(g, z, s1)
    g, by = back(g, layers, kept, place)
    g = norm_back(g, x0, s0)
    first = [T(rows) @ g, g.reshape(len(x), -1, tokens, d).sum(axis=1)]
    return [first, *by, [T(pool) @ e]]


@functools.cache
def images(seed):
    """Standardized pixels and rows of 0 and 1: for training, for validation, for the test."""
    x, y = data.digits()
    order = np.random.default_rng([1, seed]).permutation(len(x))
    x, hot = x[order], np.eye(CLASSES, dtype=np.float32)[y[order]]
    spread = x[:TRAIN].std(axis=0)
    x = (x - x[:TRAIN].mean(axis=0)) / np.where(spread > 0, spread, 1)
    cuts = [TRAIN, TRAIN + VALIDATION]
    return list(zip(np.split(x.astype(np.float32), cuts), np.split(hot, cuts)))


def together(seeds):
    """The three sets of all seeds, stacked."""
    return [[np.stack(a) for a in zip(*sets)] for sets in zip(*map(images, seeds))]


def batches(size, steps, seeds):
    epochs = 1 + size * steps // TRAIN
    rngs = [np.random.default_rng([2, seed]) for seed in seeds]
    order = [np.concatenate([r.permutation(TRAIN) for _ in range(epochs)]) for r in rngs]
    return np.array(order)[:, : size * steps].reshape(len(order), steps, size)


@functools.lru_cache(maxsize=2)
def trained(place, opt, warm, depth, steps, tokens, eta, seeds):
    """Parameters after training, one row for each seed."""
    (x, hot), *_ = together(seeds)
    flat = start(depth, tokens, place, seeds)
    parts, g = views(flat, depth, tokens), np.zeros_like(flat)
    by = views(g, depth, tokens)
    m, v = np.zeros_like(flat), np.zeros_like(flat)
    rows, ramp = np.arange(len(flat))[:, None], warm * steps / 5
    order = batches(32 if tokens == 1 else 16, steps, seeds)
    for t in range(1, steps + 1):
        some = order[:, t - 1]
        for group, new in zip(by, gradient(parts, x[rows, some], hot[rows, some], place)):
            for old, now in zip(group, new):
                old[...] = now
        lr = np.float32(eta * (1 - (t - 1) / steps) * (min(1, t / ramp) if warm else 1))
        if opt == "sgd":
            flat -= lr * g
            continue
        m += np.float32(0.1) * (g - m)
        v += np.float32(0.001) * (g * g - v)
        size = np.sqrt(v / np.float32(1 - 0.999**t)) + np.float32(1e-8)
        flat -= np.float32(lr / (1 - 0.9**t)) * m / size
    return flat


def group(seed):
    """The seeds that are trained together: 5 to tune (0 to 4), then tens."""
    first = seed - seed % 10
    return tuple(range(first, first + (5 if first == 0 else 10)))


def losses(out, hot):
    """Mean cross-entropy and error in % of each seed; not a number if the run diverged."""
    top = out.max(axis=-1, keepdims=True)
    log = out - top - np.log(np.exp(out - top).sum(axis=-1, keepdims=True))
    wrong = out.argmax(axis=-1) != hot.argmax(axis=-1)
    return -(log * hot).sum(axis=-1).mean(axis=-1), 100 * wrong.mean(axis=-1)


@functools.lru_cache(maxsize=2)
def scored(*setting):
    """Of a group: losses of training, validation and test, and the error of the test."""
    place, _, _, depth, _, tokens, _, seeds = setting
    parts = views(trained(*setting), depth, tokens)
    found = [losses(logits(parts, x, place)[0], hot) for x, hot in together(seeds)]
    return [found[0][0], found[1][0], *found[2]]


def run(place, opt, warm, depth, steps, tokens, eta, seed):
    seeds = group(seed)
    found = scored(place, opt, warm, depth, steps, tokens, eta, seeds)
    names = "training", "validation", "test", "test error"
    return {name: each[seed - seeds[0]] for name, each in zip(names, found)}


def path_length(parts, x, place):
    """Half the derivative of ln |J u|² by ln s, when the Jacobian of every branch is multiplied by
    s, at s = 1; and the mean cosine of the stream before and after a layer."""
    (embed, _), *layers, _ = parts
    x0 = norm(x @ embed)[0].astype(float)
    u = np.random.default_rng(3).normal(size=x0.shape)

    def size(s):
        z, t, cosines = x0, u, []
        for W1, W2 in layers:
            h, c = norm(z)
            h, th = (h, norm_back(t, h, c)) if place == "pre" else (z, t)
            a = h @ W1
            y, t = z + np.maximum(a, 0) @ W2, t + s * ((th @ W1 * (a > 0)) @ W2)
            n, c = norm(y)
            cosines.append(np.mean(norm(z)[0] * n, axis=-1).mean(axis=-1))
            z, t = (y, t) if place == "pre" else (n, norm_back(t, n, c))
        if place == "pre":
            h, c = norm(z)
            t = norm_back(t, h, c)
        return np.log(np.sum(t * t, axis=-1)).mean(axis=-1), np.mean(cosines, axis=0)

    return (size(1.001)[0] - size(0.999)[0]) / 0.004, size(1)[1]


@functools.lru_cache(maxsize=2)
def looked_into(place, steps, eta, seeds):
    """What changes to the layers do: the share of test predictions that become different, in %."""
    depth = 16
    flat = start(depth, 1, place, seeds) if steps == 0 else (
        trained(place, "adam", 1, depth, steps, 1, eta, seeds))  # fmt: skip
    first, *layers, last = parts = views(flat, depth, 1)
    (training, (x, hot)) = (together(seeds)[i] for i in (0, 2))
    before = logits(parts, x, place)[0].argmax(axis=-1)

    def changed(layers, **how):
        now = logits([first, *layers, last], x, place, **how)[0].argmax(axis=-1)
        return 100 * np.mean(now != before, axis=-1)

    def swapped(i):
        return layers[:i] + [layers[i + 1], layers[i]] + layers[i + 2 :]

    def grouped(size):
        """Every branch reads what the first of its group of layers reads."""
        begin = []

        def read(i, x, now):
            if i % size == 0:
                begin[:] = [x]
            return begin[0]

        return changed(layers, read=read)

    removed = np.array([changed(layers[:i] + layers[i + 1 :]) for i in range(depth)])
    found = {
        "training": losses(logits(parts, training[0], place)[0], training[1])[0],
        "removed": removed.mean(axis=0),
        "first removed": removed[: depth // 2].mean(axis=0),
        "last removed": removed[depth // 2 :].mean(axis=0),
        "swapped": np.mean([changed(swapped(i)) for i in range(depth - 1)], axis=0),
    }
    for size in (2, 4, 8, 16):
        found[f"groups of {size}"] = grouped(size)
    found["path"], found["cosine"] = path_length(parts, x, place)
    return found


def inside(place, steps, eta, seed):
    seeds = group(seed)
    found = looked_into(place, steps, eta, seeds)
    return {name: each[seed - seeds[0]] for name, each in found.items()}


RATES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064)
FASTER = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
COARSE = (0.00025, 0.001, 0.004, 0.016, 0.064)
BASE = {"opt": ("adam",), "warm": (0, 1), "depth": (16,), "steps": (200,), "tokens": (1,)}


if __name__ == "__main__":
    found = {}

    def tune(name, fresh, seeds=5, **axes):
        found[name] = sweep(run, {**BASE, **axes}, seeds=seeds)
        found[f"{name}, tuned"] = found[name].best(
            "eta", by="validation", fresh=range(100, 100 + fresh)
        )

    two, warm = ("pre", "post"), {"warm": (1,)}
    tune("adam", 80, place=(*two, "small"), eta=RATES)
    tune("bare", 40, place=("none", "bare 16"), **warm, eta=(*RATES[1:], 0.128, 0.256))
    tune("sgd", 40, place=two, opt=("sgd",), eta=FASTER)
    tune("attention", 40, place=("post",), depth=(12,), tokens=(8,), eta=RATES)
    tune("shallow", 40, place=two, **warm, depth=(4,), eta=RATES)
    tune(
        "long shallow",
        80,
        (*range(5), *range(10, 20)),
        place=two,
        **warm,
        depth=(4,),
        steps=(1000,),
        eta=RATES,
    )
    tune("long", 20, place=two, **warm, steps=(1000,), eta=RATES)
    for steps, places, rates in (
        (200, ("none", "bare 64", "pre", "post", "tiny"), COARSE),
        (1000, ("post",), (0.00025, 0.0005, 0.001, 0.002)),
    ):
        axes = {"place": places, "depth": (64,), "steps": (steps,), "eta": rates}
        found[f"depth 64, {steps}"] = sweep(run, {**BASE, **warm, **axes}, seeds=5)
    looks = [("pre", 60), ("pre", 200), ("post", 200), ("small", 200)]
    looks += [(place, 0) for place in ("pre", "post", "small")]
    for place, steps in looks:
        chosen = found["adam, tuned"].at(place=place, warm=1).chosen["eta"]
        axes = {"place": (place,), "steps": (steps,), "eta": (float(np.ravel(chosen)[0]),)}
        found[f"{place} {steps}"] = sweep(inside, axes, seeds=range(100, 110))
    store(
        __file__,
        found,
        again=("shallow", {"place": "post", "opt": "adam", "warm": 1, "depth": 4, "steps": 200,
                           "tokens": 1, "eta": 0.004, "seed": 0}),
        tol=0.02,
    )  # fmt: skip
