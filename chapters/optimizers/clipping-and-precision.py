"""Bad batches, rounded weights, scaled losses, rounded second moments; and a cliff.

Writes clipping-and-precision.json. Digits: 64 → 32 ReLU → 10, cross-entropy, 400 to 2000 steps of five
micro-batches with 8 images each. Every method has a learning rate of its own (and a threshold of its
own): the one of the least mean validation loss over 6 seeds, on a grid of factors of 2; 24 other seeds
report. The cliff is the recurrent neuron of Pascanu et al.; a seed is a starting point, 24 choose, 100
others report. Rates and seeds run side by side in one array, gradients are written out by hand.

Written before running: 1 percentage point of the test error would matter, a factor of 1.2 in a loss, a
factor of 1.2 in the number of steps. The pilots had the seeds 1000 to 1003.
"""

import functools

import numpy as np

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

F = np.float32
TUNE, REPORT = range(6), range(100, 124)
SGD = tuple(2.0**k for k in range(-8, 5))
ADAM = tuple(2.0**k for k in range(-11, -2))
HALF = tuple(2.0**k for k in range(-3, 4))  # SGD with gradients in float16
LIMITS = (0.03, 0.1, 0.3, 1.0, 3.0)
MICRO, EACH = 5, 8


# Rounding float32 arrays to 16 bits


def bfloat16(x, dice=None):
    """To nearest, ties to even; with 16 random bits for each number, at random."""
    bits = x.astype(F).view(np.uint32)
    bits = bits + (np.uint32(0x7FFF) + ((bits >> 16) & 1) if dice is None else dice)
    return (bits & np.uint32(0xFFFF0000)).view(F)


def float16(x):
    return x.astype(np.float16).astype(F)


def float32(x):
    return x


FORMATS = {"bfloat16": bfloat16, "float16": float16, "float32": float32}


# The network


@functools.cache
def digits():
    """Images and labels of 897 examples for training, 450 for validation, 450 for the test."""
    x, y = data.digits()
    order = np.random.default_rng(0).permutation(len(x))
    x = ((x - x.mean(axis=0)) / x.std(axis=0).clip(0.05)).astype(F)
    hot = np.eye(10, dtype=F)[y]
    return [(x[part], hot[part]) for part in np.split(order, [897, 1347])]


def start(rng):
    first, second = rng.normal(size=(64, 32)) / 8, rng.normal(size=(32, 10)) / 32**0.5
    return [first, np.zeros((1, 32)), second, np.zeros((1, 10))]


def turned(a):
    return np.swapaxes(a, -1, -2)


def gradients(p, x, hot, micro=1, rounded=float32, scale=1):
    """Of the mean loss times `scale`; with micro > 1, of each micro-batch, along an axis."""
    h = np.maximum(rounded(x @ p[0] + p[1]), 0)
    z = rounded(h @ p[2] + p[3])
    y = np.exp(z - z.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    g = rounded((y - hot) * (scale / F(x.shape[-2] // micro)))
    e = rounded((g @ turned(p[2])) * (h > 0))
    if micro > 1:
        x, h, g, e = (a.reshape(len(a), micro, -1, a.shape[-1]) for a in (x, h, g, e))
    sums = [a.sum(axis=-2, keepdims=True) for a in (e, g)]
    return [rounded(a) for a in (turned(x) @ e, sums[0], turned(h) @ g, sums[1])]


def scores(p, shape):
    """Losses, and test error in percent, for every rate and seed."""
    found = []
    for x, hot in digits():
        z = np.maximum(x @ p[0] + p[1], 0) @ p[2] + p[3]
        top = z.max(axis=-1, keepdims=True)
        lse = top[..., 0] + np.log(np.exp(z - top).sum(axis=-1))
        found.append((lse - (z * hot).sum(axis=-1)).mean(axis=-1))
    wrong = np.where(np.isfinite(found[-1]), (z.argmax(axis=-1) != hot.argmax(axis=-1)).mean(axis=-1), np.inf)
    names = ("training loss", "validation loss", "test error")
    return {name: a.reshape(shape) for name, a in zip(names, (*found[:2], 100 * wrong))}


def side_by_side(lr, seed, rates):
    """The rates and the seeds to run together: all rates if rates are chosen, else one."""
    return (rates, TUNE) if seed in TUNE else ((lr,), REPORT)


def pick(found, lr, seed, rates):
    rates, seeds = side_by_side(lr, seed, rates)
    return {n: float(f"{a[rates.index(lr), list(seeds).index(seed)]:.4g}") for n, a in found.items()}


def begin(rates, seeds):
    """Generators, weights and rates, with rates and seeds along the first axis."""
    rngs = [np.random.default_rng([seed, 7]) for seed in seeds]
    p = [np.tile(np.stack(w).astype(F), (len(rates), 1, 1)) for w in zip(*(start(r) for r in rngs))]
    return rngs, p, np.repeat(np.array(rates, F), len(seeds))[:, None, None]


def batch(rngs, copies):
    x, hot = digits()[0]
    some = np.stack([rng.integers(len(x), size=MICRO * EACH) for rng in rngs])
    return np.tile(x[some], (copies, 1, 1)), np.tile(hot[some], (copies, 1, 1))


class Adam:
    """Its steps, without the learning rate; the averages may be rounded."""

    def __init__(self, p, eps=1e-8, rounded=float32):
        self.m, self.v, self.t = [0 * w for w in p], [0 * w for w in p], 0
        self.eps, self.rounded = rounded(np.array([eps], F)), rounded

    def __call__(self, g):
        self.t += 1
        self.m = [self.rounded(m + F(0.1) * (a - m)) for m, a in zip(self.m, g)]
        self.v = [self.rounded(v + F(0.001) * (a * a - v)) for v, a in zip(self.v, g)]
        correct = F((1 - 0.999**self.t) ** 0.5 / (1 - 0.9**self.t))
        return [correct * m / (np.sqrt(v) + self.eps) for m, v in zip(self.m, self.v)]


# Bad batches


def shrink(g, c):
    """Every network's gradient (or every micro-batch's) to at most the length c."""
    length = np.sqrt(sum((a.astype(float) ** 2).sum(axis=(-2, -1), keepdims=True) for a in g))
    factor = np.minimum(1, c / (length + 1e-12)).astype(F)
    return [a * factor for a in g]


def middle(a, b, c, d, e):
    """The median of five arrays, number by number, as `np.median` but faster."""
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.maximum(np.minimum(low, high), np.minimum(np.maximum(low, high), e))


@functools.cache
def spoilt(kind, method, c, rates, seeds, steps):
    """Micro-batches are bad with probability 2 %, or 20 % where labels are wrong."""
    rngs, p, eta = begin(rates, seeds)
    adam = Adam(p)
    for _ in range(steps):
        bad = np.stack([r.random(MICRO) < (0.2 if kind == "labels" else 0.02) for r in rngs])
        bad = np.tile(bad.repeat(EACH, axis=1), (len(rates), 1))[..., None]
        x, hot = batch(rngs, len(rates))
        if kind in ("pixels", "mild"):
            x = np.where(bad, F(100 if kind == "pixels" else 10) * x, x)
        if kind == "labels":
            hot = np.where(bad, np.roll(hot, 1, axis=-1), hot)
        g = gradients(p, x, hot, MICRO if method in ("each", "median") else 1)
        if method == "median":
            g = [middle(*np.moveaxis(a, 1, 0)) for a in g]
        if method == "each":
            g = [a.mean(axis=1) for a in shrink(g, c)]
        if method.endswith("clip"):
            g = shrink(g, c)
        if method.startswith("adam"):
            g = adam(g)
        p = [w - eta * a for w, a in zip(p, g)]
    return scores(p, (len(rates), len(seeds)))


def robust(kind, method, c, lr, seed, steps=400):
    """Scores after training with bad micro-batches."""
    rates = ADAM if method.startswith("adam") else SGD
    with np.errstate(all="ignore"):
        found = spoilt(kind, method, c, *side_by_side(lr, seed, rates), steps)
    return pick(found, lr, seed, rates)


# Weights in 16 bits


@functools.cache
def stored_in(weights, rates, seeds, steps):
    """Adam; activations and gradients in bfloat16 as well, its averages in float32."""
    rngs, p, eta = begin(rates, seeds)
    r = float32 if weights == "float32" else bfloat16
    dice, adam = np.random.default_rng(99), Adam(p)
    p = [r(w) for w in p]
    master, lost = p, [0 * w for w in p]
    for _ in range(steps):
        x, hot = batch(rngs, len(rates))
        steps_ = [-eta * a for a in adam(gradients(p, r(x), hot, 1, r))]
        if weights == "master":
            master = [w + d for w, d in zip(master, steps_)]
            p = [r(w) for w in master]
        elif weights == "stochastic":
            p = [bfloat16(w + d, dice.integers(0, 1 << 16, size=w.shape, dtype=np.uint32))
                 for w, d in zip(p, steps_)]  # fmt: skip
        elif weights == "kahan":
            whole = [r(d - c) for d, c in zip(steps_, lost)]
            new = [r(w + y) for w, y in zip(p, whole)]
            lost = [r(r(t - w) - y) for t, w, y in zip(new, p, whole)]
            p = new
        else:
            p = [r(w + d) for w, d in zip(p, steps_)]
    return scores(p, (len(rates), len(seeds)))


def rounded_weights(weights, lr, seed, steps=1000):
    """Scores after training with weights kept as `weights` says."""
    with np.errstate(all="ignore"):
        found = stored_in(weights, *side_by_side(lr, seed, ADAM), steps)
    return pick(found, lr, seed, ADAM)


# Gradients in float16


@functools.cache
def scaled(K, scaling, rates, seeds, steps):
    """SGD with a master copy; the loss is divided by K, as if K micro-batches were to follow."""
    rngs, master, eta = begin(rates, seeds)
    S = np.full(eta.shape, F({"none": 1, "static": K, "dynamic": 2**16}[scaling]))
    good, zeros = np.zeros(eta.shape, int), []
    for _ in range(steps):
        x, hot = batch(rngs, len(rates))
        p = [float16(w) for w in master]
        g = gradients(p, float16(x), hot, 1, float16, S / F(K))
        zeros.append(np.mean([(a == 0).mean(axis=(-2, -1)) for a in g[::2]], axis=0))
        fine = np.all([np.isfinite(a).all(axis=(-2, -1), keepdims=True) for a in g], axis=0)
        # eta K is the rate that undoes the division by K
        if scaling == "dynamic":
            master = [w - eta * np.where(fine, a / S * F(K), 0) for w, a in zip(master, g)]
            good = np.where(fine, good + 1, 0)
            S = np.where(fine, np.where(good == 100, 2 * S, S), S / 2)
            good = np.where(good == 100, 0, good)
        else:
            master = [w - eta * (a / S * F(K)) for w, a in zip(master, g)]
    found = scores(master, (len(rates), len(seeds)))
    return found | {"zeros": 100 * np.mean(zeros, axis=0).reshape(len(rates), len(seeds))}


def scaled_loss(K, scaling, lr, seed, steps=400):
    """Scores, and the percentage of weights whose gradient was 0."""
    with np.errstate(all="ignore"):
        found = scaled(K, scaling, *side_by_side(lr, seed, HALF), steps)
    return pick(found, lr, seed, HALF)


# Adam's averages in 16 bits


@functools.cache
def averaged_in(format, eps, rates, seeds, steps):
    """Adam with its averages and its ε in the format, all else in float32."""
    rngs, p, eta = begin(rates, seeds)
    adam = Adam(p, eps, FORMATS[format])
    for _ in range(steps):
        p = [w - eta * a for w, a in zip(p, adam(gradients(p, *batch(rngs, len(rates)))))]
    return scores(p, (len(rates), len(seeds)))


def rounded_averages(format, eps, lr, seed, steps=1000):
    with np.errstate(all="ignore"):
        found = averaged_in(format, eps, *side_by_side(lr, seed, ADAM), steps)
    return pick(found, lr, seed, ADAM)


# The cliff


def neuron(w, b, length=50):
    """The loss of h ← wσ(h) + b and its derivatives by w and b, carried along with h."""
    h, h_w, h_b = np.full_like(w, 0.5), 0 * w, 0 * w
    for _ in range(length):
        s = 1 / (1 + np.exp(-h))
        slope = w * s * (1 - s)
        h, h_w, h_b = w * s + b, s + slope * h_w, 1 + slope * h_b
    s = 1 / (1 + np.exp(-h))
    pull = 2 * (s - 0.7) * s * (1 - s)
    return (s - 0.7) ** 2, pull * h_w, pull * h_b


CLIFF = tuple(2.0**k for k in range(-1, 9))
STARTS = {True: range(24), False: range(100, 200)}


@functools.cache
def needed(method, c, rates, seeds, budget):
    """Steps until the loss is below 10⁻⁶, at most the budget."""
    rngs = [np.random.default_rng([seed, 50]) for seed in seeds]
    at = np.array([r.uniform((4, -4), (7, -1.5)) for r in rngs]).T
    w, b = (np.tile(a, (len(rates), 1)) for a in at)
    eta, steps = np.array(rates)[:, None], np.full(w.shape, float(budget))
    for t in range(budget):
        loss, g_w, g_b = neuron(w, b)
        steps = np.where((loss < 1e-6) & (steps == budget), t, steps)
        if method == "norm":
            factor = np.minimum(1, c / np.maximum(np.hypot(g_w, g_b), 1e-30))
            g_w, g_b = factor * g_w, factor * g_b
        if method == "value":
            g_w, g_b = np.clip(g_w, -c, c), np.clip(g_b, -c, c)
        w, b = w - eta * g_w, b - eta * g_b
    return steps


def descent(method, c, lr, seed, budget=400):
    """The number of steps, and whether it was not enough."""
    tuning = seed in STARTS[True]
    rates, seeds = (CLIFF if tuning else (lr,)), STARTS[tuning]
    with np.errstate(all="ignore"):
        steps = needed(method, c, rates, seeds, budget)[rates.index(lr), seeds.index(seed)]
    return {"steps": float(steps), "missed": 100 * float(steps == budget)}


if __name__ == "__main__":
    found = {}

    def tune(name, run, axes, *chosen, by="validation loss", seeds=TUNE, fresh=REPORT, ends=()):
        grid = sweep(run, axes, seeds=seeds)
        found[name] = grid.best(*chosen, "lr", by=by, fresh=fresh, ends=ends)

    cliff = {"by": "steps", "seeds": STARTS[True], "fresh": STARTS[False]}
    tune("cliff", descent, {"method": ("none",), "c": (0.0,), "lr": CLIFF}, "c", **cliff)
    clipped = {"method": ("norm", "value"), "c": (0.01, 0.03, 0.1, 0.3, 1.0), "lr": CLIFF}
    tune("cliff, clipped", descent, clipped, "c", **cliff)

    kinds = {"kind": ("clean", "mild", "pixels", "labels")}
    for name, methods, limits, rates in (
        ("sgd", ("sgd", "median"), (0.0,), SGD),
        ("adam", ("adam",), (0.0,), ADAM),
        ("clipped", ("clip", "each"), LIMITS, SGD),
        ("adam, clipped", ("adam clip",), LIMITS, ADAM),
    ):
        axes = kinds | {"method": methods, "c": limits, "lr": rates}
        tune(name, robust, axes, "c", ends=("c",))
    for name, method, limits, rates in (
        ("sgd, longer", "sgd", (0.0,), SGD),
        ("adam, longer", "adam", (0.0,), ADAM),
        ("clipped, longer", "clip", (0.3, 1.0), SGD),
    ):
        axes = {"kind": ("pixels",), "method": (method,), "c": limits, "lr": rates}
        tune(name, robust, axes | {"steps": (2000,)}, "c", ends=("c",))

    ways = ("float32", "nearest", "stochastic", "kahan", "master")
    tune("weights", rounded_weights, {"weights": ways, "lr": ADAM})
    axes = {"weights": ways, "lr": (2.0**-12, 2.0**-10, 2.0**-8)}
    found["weights, fixed rate"] = sweep(rounded_weights, axes, seeds=REPORT)
    ways = ("none", "static", "dynamic")
    tune("scaled", scaled_loss, {"K": (1, 2**14, 2**18), "scaling": ways, "lr": HALF})
    for format, eps in (("float32", 1e-8), ("float16", 1e-4), ("bfloat16", 1e-8)):
        axes = {"format": (format,), "eps": (eps,), "lr": ADAM}
        tune(f"averages, {format}", rounded_averages, axes)
    axes = {"format": ("float16",), "eps": (1e-8,), "lr": ADAM}
    found["averages, ε vanished"] = sweep(rounded_averages, axes, seeds=TUNE)
    store(
        __file__,
        found,
        again=("clipped", {"kind": "pixels", "method": "clip", "seed": 100}),
        tol=0.5,
    )
