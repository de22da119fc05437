"""Padded sequences, longer sequences, detached statistics: three experiments on layer normalization.

Writes layer-norm.json. Gradients are written out by hand, and many runs (rates and seeds) train at
once along the first axis of every array. Each method has its best learning rate of the same grid,
chosen by validation data on the tuning seeds, reported on fresh seeds with test data.

Written before running. Padded and longer sequences: a difference of 0.02 in the test loss (nats)
would matter. Detached statistics: a factor of 1.2 in the training loss. Ratios scatter, as some runs
with SGD nearly diverge; 24 pairs did not decide it, hence 96.
"""

import functools

import numpy as np

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

LETTERS, EPS = " abcdefghijklmnopqrstuvwxyz", 1e-5


# --- What the experiments share -------------------------------------------------------------------


def standardize(x, axes, w=1.0, fixed=None):
    """z and what `back` needs. μ and σ² are weighted means over the axes, or fixed ones."""
    if fixed is not None:
        mu, var = fixed
        return (x - mu) / np.sqrt(var + EPS), None, (mu, var)
    total = np.sum(np.broadcast_to(w, x.shape), axis=axes, keepdims=True, dtype=x.dtype)
    share = w / np.maximum(total, 1)
    mu = np.sum(share * x, axis=axes, keepdims=True)
    var = np.sum(share * (x - mu) ** 2, axis=axes, keepdims=True)
    r = 1 / np.sqrt(var + EPS)
    z = (x - mu) * r
    return z, (z, r, share, axes), (mu, var)


def back(d, z, r, share, axes, mean=True, scale=True):
    """The gradient of x from that of z; `share` is how much an element weighs in μ and σ².
    Without `mean` or `scale`, μ or σ is a constant to the gradient."""
    dx = d - share * np.sum(d, axis=axes, keepdims=True) if mean else d
    return r * (dx - share * z * np.sum(d * z, axis=axes, keepdims=True) if scale else dx)


def start(seeds):
    """A generator for each run, and what draws an array of all of them."""
    rngs = [np.random.default_rng(seed) for seed in seeds]

    def normal(*shape):
        return np.stack([rng.normal(size=shape) for rng in rngs]).astype("f4")

    return rngs, normal


class Adam:
    """For arrays whose first axis is the run; each run has its own rate."""

    def __init__(self, params, lr):
        self.m = {k: np.zeros_like(p) for k, p in params.items()}
        self.v = {k: np.zeros_like(p) for k, p in params.items()}
        self.lr, self.t = np.array(lr, "f4"), 0

    def step(self, params, grads):
        self.t += 1
        for k, g in grads.items():
            self.m[k] += 0.1 * (g - self.m[k])
            self.v[k] += 0.001 * (g * g - self.v[k])
            m, v = self.m[k] / (1 - 0.9**self.t), self.v[k] / (1 - 0.999**self.t)
            lr = self.lr.reshape(-1, *[1] * (g.ndim - 1))
            params[k] -= lr * m / (np.sqrt(v) + 1e-8)


class SGD:
    def __init__(self, params, lr):
        self.lr = np.array(lr, "f4")

    def step(self, params, grads):
        for k, g in grads.items():
            params[k] -= self.lr.reshape(-1, *[1] * (g.ndim - 1)) * g


@functools.cache
def languages():
    """How often letter follows letter in the English and in the pinyin text, as cumulative rows."""
    counts = np.full((2, 27, 27), 0.1)
    for which, text in enumerate(data.texts()):
        letters = np.array([LETTERS.index(c) for c in text + " "])
        np.add.at(counts[which], (letters[:-1], letters[1:]), 1)
    return (counts / counts.sum(axis=-1, keepdims=True)).cumsum(axis=-1)


def write(number, length, rng):
    """Sequences of letters, each drawn by the one before, and which of two languages each is in."""
    label = rng.integers(2, size=number)
    letters = np.zeros((number, length + 1), int)
    letters[:, 0] = rng.integers(27, size=number)
    for t in range(length):
        rows = languages()[label, letters[:, t]]
        letters[:, t + 1] = np.minimum((rng.random((number, 1)) > rows).sum(axis=1), 26)
    return letters, label


def pairs(letters):
    """A letter and the one before as two one-hot codes: (..., T, 54)."""
    eye = np.eye(27, dtype="f4")
    return np.concatenate([eye[letters[..., 1:]], eye[letters[..., :-1]]], axis=-1)


def logistic(score, label):
    """The loss of each sequence, and its gradient."""
    label = label.astype(score.dtype)
    return np.logaddexp(0, score) - label * score, 1 / (1 + np.exp(-score)) - label


# --- 1. Padded sequences --------------------------------------------------------------------------

LONGEST, BATCH, WIDTH = 32, 8, 16


def lengths(number, rng, longest=LONGEST):
    """From 1 to 32, log-uniform: half of them are below 6."""
    return np.floor(np.exp(rng.uniform(0, np.log(longest + 1), number))).astype(int)


def weights(norm, real, there):
    """How much a position counts in the statistics; there: up to the longest of the batch."""
    if norm in ("batch", "set"):
        return there
    if norm in ("masked", "masked set"):
        return real
    if norm == "constant":  # padding, rescaled: it is 60 % of every batch
        pad = there - real
        total = real.sum(axis=(1, 2, 3), keepdims=True)
        return real + pad * 1.5 * total / np.maximum(pad.sum(axis=(1, 2, 3), keepdims=True), 1)
    return 1.0


AXES = {"batch": (1, 2), "masked": (1, 2), "constant": (1, 2),
        "layer": (3,), "set": (2, 3), "masked set": (2, 3)}  # fmt: skip


def forward(norm, p, x, real, there, running=None):
    """Scores of sequences (L, N, T, 54), of which positions are real, and what `backward` needs."""
    h, kept, seen = x, [], []
    for k in "12":
        a = h @ p["W" + k][:, None]
        if norm == "none":
            z, cache = a, None
        else:
            fixed = running and running[len(seen)]
            z, cache, stats = standardize(a, AXES[norm], weights(norm, real, there), fixed)
            seen.append(stats)
        y = p["g" + k] * z + p["b" + k]
        kept.append((h, z, cache, y > 0))
        h = np.maximum(y, 0)
    n = real.sum(axis=2)
    pooled = np.sum(real * h, axis=2) / n
    score = np.sum(pooled * p["v"], axis=2) + p["c"]
    return score, (kept, pooled, real / n[:, :, None]), seen


def backward(p, d, kept, pooled, share):
    grads = {"v": np.einsum("ln,lnh->lh", d, pooled)[:, None], "c": d.sum(axis=1, keepdims=True)}
    dh = (d[..., None] * p["v"])[:, :, None] * share
    for k, (h, z, cache, on) in zip("21", kept[::-1]):
        dy = dh * on
        grads["g" + k] = np.sum(dy * z, axis=(1, 2), keepdims=True)
        grads["b" + k] = np.sum(dy, axis=(1, 2), keepdims=True)
        da = dy * p["g" + k]
        if cache is not None:
            da = back(da, *cache)
        L, N, T, H = h.shape
        grads["W" + k] = np.swapaxes(h.reshape(L, N * T, H), 1, 2) @ da.reshape(L, N * T, -1)
        if k == "2":
            dh = da @ np.swapaxes(p["W2"], 1, 2)[:, None]
    return grads


def arrange(size, plan, rng):
    """The order in which a run sees its sequences, and to where each batch is padded."""
    order = np.arange(len(size))
    if plan.startswith("sorted"):  # batches of like length, in random order
        order = np.argsort(size, kind="stable").reshape(-1, BATCH)
        order = rng.permutation(order).ravel()
    longest = size[order].reshape(-1, BATCH).max(axis=1, keepdims=True)
    return order, np.full_like(longest, LONGEST) if plan.endswith("fixed") else longest


def padded(plan, steps, norm, lr, seeds):
    """For each run: validation loss, test loss in batches as in training, and of each alone."""
    rngs, normal = start(seeds)
    p = {"W1": normal(54, WIDTH), "W2": normal(WIDTH, WIDTH) * (2 / WIDTH) ** 0.5}
    for k in "12":
        p["g" + k] = normal(1, 1, WIDTH) * 0 + 1
        p["b" + k] = normal(1, 1, WIDTH) * 0
    p |= {"v": normal(1, WIDTH) * WIDTH**-0.5, "c": normal(1) * 0}
    opt, running = Adam(p, lr), None
    texts = []
    for rng in rngs:
        letters, label = write(BATCH * steps, LONGEST, rng)
        size = lengths(BATCH * steps, rng)
        order, up = arrange(size, plan, rng)
        texts.append((letters[order], label[order], size[order], up))
    letters, label, size, up = (np.stack(part).reshape(len(seeds), steps, -1, *part[0].shape[1:])
                                if part[0].ndim == 2 and part[0].shape[1] > 1 else
                                np.stack(part).reshape(len(seeds), steps, -1)
                                for part in zip(*texts))  # fmt: skip
    for t in range(steps):
        x, real, there = batch(letters[:, t], size[:, t], up[:, t])
        score, cache, seen = forward(norm, p, x, real, there)
        opt.step(p, backward(p, logistic(score, label[:, t])[1] / BATCH, *cache))
        if running is None:
            running = [(np.zeros_like(m), np.ones_like(v)) for m, v in seen]
        running = [(m + 0.1 * (mu - m), v + 0.1 * (var - v))
                   for (m, v), (mu, var) in zip(running, seen)]  # fmt: skip
    found = []
    for run in range(len(seeds)):
        own = {k: a[run : run + 1] for k, a in p.items()}
        if norm in ("batch", "masked", "constant"):
            kept = [(m[run : run + 1], v[run : run + 1]) for m, v in running]
        else:
            kept = None
        losses = []
        for which, alone in ((0, False), (1, False), (1, True)):
            rng = np.random.default_rng([2026, which])
            letters_, label_ = write(512, LONGEST, rng)
            n = lengths(512, rng)
            up = n if alone else np.repeat(n.reshape(-1, BATCH).max(axis=1), BATCH)
            score, _, _ = forward(norm, own, *batch(letters_[None], n[None], up[None]), kept)
            losses.append(logistic(score[0], label_)[0].mean())
        found.append(losses)
    return found


def batch(letters, size, up):
    """Inputs, 0 where there is padding; which positions are real, and which are there at all."""
    t = np.arange(letters.shape[-1] - 1)[:, None]
    real, there = ((t < n[..., None, None]).astype("f4") for n in (size, up))
    return pairs(letters) * real, real, np.broadcast_to(there, real.shape)


# --- 2. Statistics that are constants to the gradient ---------------------------------------------


@functools.cache
def digits():
    x, y = data.digits()
    (x, y), (x_test, y_test) = data.split(x, y, 0.6, rng=np.random.default_rng(0))
    x, x_test = data.standardize(x, x_test)
    return [a.astype("f4") for a in (x, np.eye(10)[y], x_test, np.eye(10)[y_test])]


def perceptron(p, depth, norm, x):
    """Logits of (L, N, 64), and what the backward pass needs."""
    h, kept = x, []
    for k in range(depth):
        a = h @ p[f"W{k}"] + p[f"b{k}"]
        z, cache, _ = (a, None, None) if norm == "none" else standardize(a, (2,))
        y = p[f"g{k}"] * z + p[f"e{k}"] if norm == "affine" else z
        kept.append((h, z, cache, y > 0))
        h = np.maximum(y, 0)
    return h @ p["V"] + p["c"], h, kept


def cross_entropy(logits, y):
    logits = logits - logits.max(axis=-1, keepdims=True)
    e = np.exp(logits)
    total = e.sum(axis=-1, keepdims=True)
    return (np.log(total)[..., 0] - np.sum(y * logits, axis=-1)).mean(axis=-1), e / total - y


def deep(optimizer, depth, epochs, norm, lr, seeds, width=32, size=64):
    """The loss on the training and on the test set, at most 5. In "mean", "scale" and "both", μ, σ or
    both are constants to the gradient; in "own" only to the one passed down, the weights having the
    right one, and in "passed" the other way round."""
    x, y, x_test, y_test = digits()
    rngs, normal = start(seeds)
    widths, p = [64] + [width] * depth, {}
    for k in range(depth):
        p[f"W{k}"] = normal(*widths[k : k + 2]) * (2 / widths[k]) ** 0.5
        p[f"b{k}"] = normal(1, width) * 0
        if norm == "affine":
            p[f"g{k}"] = np.ones((len(seeds), 1, width), "f4")
            p[f"e{k}"] = 0 * p[f"g{k}"]
    p |= {"V": normal(width, 10) * width**-0.5, "c": normal(1, 10) * 0}
    opt = {"SGD": SGD, "Adam": Adam}[optimizer](p, lr)
    for _ in range(epochs):
        order = np.stack([rng.permutation(len(x)) for rng in rngs])
        for i in range(0, len(x) - size + 1, size):
            chosen = order[:, i : i + size]
            logits, h, kept = perceptron(p, depth, norm, x[chosen])
            d = cross_entropy(logits, y[chosen])[1] / size
            grads = {"V": np.swapaxes(h, 1, 2) @ d, "c": d.sum(axis=1, keepdims=True)}
            dh = d @ np.swapaxes(p["V"], 1, 2)
            for k in reversed(range(depth)):
                h, z, cache, on = kept[k]
                da = dy = dh * on
                if norm == "affine":
                    grads[f"g{k}"] = np.sum(dy * z, axis=1, keepdims=True)
                    grads[f"e{k}"] = dy.sum(axis=1, keepdims=True)
                    da = dy * p[f"g{k}"]
                own = passed = da
                if cache is not None:
                    mean, scale = norm not in ("both", "mean"), norm not in ("both", "scale")
                    own = passed = back(da, *cache, mean=mean, scale=scale)
                    if norm in ("own", "passed"):
                        constant = back(da, *cache, mean=False, scale=False)
                        own, passed = (own, constant) if norm == "own" else (constant, passed)
                grads[f"b{k}"] = own.sum(axis=1, keepdims=True)
                grads[f"W{k}"] = np.swapaxes(h, 1, 2) @ own
                dh = passed @ np.swapaxes(p[f"W{k}"], 1, 2)
            opt.step(p, grads)
    train = cross_entropy(perceptron(p, depth, norm, x[None])[0], y)[0]
    test = cross_entropy(perceptron(p, depth, norm, x_test[None])[0], y_test)[0]
    return np.minimum(np.nan_to_num(np.column_stack([train, test]), nan=5), 5)


# --- 3. A recurrent network -----------------------------------------------------------------------

MOST, STATE = 16, 24


def recur(p, norm, x, real, running=None):
    """Scores after the last real letter of (L, N, T, 54), and what the backward pass needs."""
    h, kept, seen = np.zeros((*x.shape[:2], STATE), x.dtype), [], []
    for t in range(x.shape[2]):
        a = h @ p["W"] + x[:, :, t] @ p["U"]
        z, cache = a, None
        if norm != "none":
            fixed = running and running[min(t, len(running) - 1)]
            w = 1.0 if norm == "layer" or fixed else real[:, :, t] if norm == "masked" else 1.0
            z, cache, stats = standardize(a, (2,) if norm == "layer" else (1,), w, fixed)
            seen.append(stats)
        new = np.tanh(p["g"] * z + p["b"])
        kept.append((h, z, cache, new))
        h = np.where(real[:, :, t] > 0, new, h)
    return np.sum(h * p["v"], axis=2) + p["c"], (kept, h), seen


def through_time(p, d, x, real, kept, last):
    grads = {"v": np.einsum("ln,lnh->lh", d, last)[:, None], "c": d.sum(axis=1, keepdims=True)}
    grads |= {k: np.zeros_like(p[k]) for k in "WUgb"}
    dh = d[..., None] * p["v"]
    for t, (h, z, cache, new) in reversed(list(enumerate(kept))):
        dy = dh * real[:, :, t] * (1 - new * new)
        grads["b"] += dy.sum(axis=1, keepdims=True)
        grads["g"] += np.sum(dy * z, axis=1, keepdims=True)
        da = dy * p["g"]
        da = da if cache is None else back(da, *cache)
        grads["W"] += np.swapaxes(h, 1, 2) @ da
        grads["U"] += np.swapaxes(x[:, :, t], 1, 2) @ da
        dh = dh * (1 - real[:, :, t]) + da @ np.swapaxes(p["W"], 1, 2)
    return grads


def recurrent(length, steps, norm, lr, seeds, size=16):
    """For each run: validation and test loss; test losses by the test data's own statistics, of
    sequences of 13 letters or more, and of 64 letters."""
    rngs, normal = start(seeds)
    p = {"W": np.linalg.qr(normal(STATE, STATE))[0], "U": normal(54, STATE) * 2**-0.5}
    p |= {"g": normal(1, STATE) * 0 + 1, "b": normal(1, STATE) * 0}
    p |= {"v": normal(1, STATE) * STATE**-0.5, "c": normal(1) * 0}

    def draw(n, rng):
        return lengths(n, rng, MOST) if length == "mixed" else np.full(n, MOST)

    opt, running = Adam(p, lr), None
    texts = [(*write(size * steps, MOST, rng), draw(size * steps, rng)) for rng in rngs]
    letters, label, n = (np.stack(part) for part in zip(*texts))
    for now in np.split(np.arange(size * steps), steps):
        x, real, _ = batch(letters[:, now], n[:, now], n[:, now])
        score, (kept, last), seen = recur(p, norm, x, real)
        d = logistic(score, label[:, now])[1] / size
        grads = through_time(p, d, x, real, kept, last)
        total = sum(np.sum(g * g, axis=tuple(range(1, g.ndim))) for g in grads.values()) ** 0.5
        for g in grads.values():
            g *= np.minimum(1, 1 / (total + 1e-9)).reshape(-1, *[1] * (g.ndim - 1))
        opt.step(p, grads)
        if norm in ("batch", "masked"):
            old = running or [(0 * m, 0 * v + 1) for m, v in seen]
            rho = 0.1 * real.max(axis=1, keepdims=True)  # nothing to learn where no sequence is
            running = [(m + rho[:, :, t] * (a - m), v + rho[:, :, t] * (b - v))
                       for t, ((m, v), (a, b)) in enumerate(zip(old, seen))]  # fmt: skip
    found = []
    for which, own in ((0, False), (1, False), (1, True), (2, False), (3, False)):
        rng = np.random.default_rng([2026, 10 + which])
        n = draw(512, rng)
        n = rng.integers(13, 17, 512) if which == 2 else np.full(512, 64) if which == 3 else n
        letters, label = write(512, n.max(), rng)
        x, real, _ = batch(letters[None], n[None], n[None])
        x, real = (np.broadcast_to(a, (len(seeds), *a.shape[1:])) for a in (x, real))
        score, _, _ = recur(p, norm, x, real, None if own else running)
        found.append(logistic(score, label)[0].mean(axis=1))
    return np.column_stack(found)


# --- The comparisons ------------------------------------------------------------------------------

DONE = {}  # the scores of runs that were trained with others
NAMES = {padded: ("validation", "test", "alone"), deep: ("training", "test"),
         recurrent: ("validation", "test", "own", "late", "long")}  # fmt: skip


def together(train, setting, rates, seeds):
    """Train all rates and seeds at once, those that are not done yet."""
    points = [(lr, seed) for lr in rates for seed in seeds]
    points = [point for point in points if (train, *setting, *point) not in DONE]
    if points:
        with np.errstate(all="ignore"):
            found = train(*setting, *map(list, zip(*points)))
        for point, scores in zip(points, found):
            DONE[(train, *setting, *point)] = dict(zip(NAMES[train], map(float, scores)))


def one(train, *setting, lr, seed):
    together(train, setting, [lr], [seed])
    return DONE[(train, *setting, lr, seed)]


def run_padded(plan, steps, norm, lr, seed):
    return one(padded, plan, steps, norm, lr=lr, seed=seed)


def run_deep(optimizer, depth, epochs, norm, lr, seed):
    return one(deep, optimizer, depth, epochs, norm, lr=lr, seed=seed)


def run_recurrent(length, steps, norm, lr, seed):
    return one(recurrent, length, steps, norm, lr=lr, seed=seed)


def compared(run, train, setting, kinds, rates, seeds, fresh):
    """Each kind at its best rate, on fresh seeds; the grid grows if the best is at its end."""
    fresh, by = range(100, 100 + fresh), NAMES[train][0]
    for norm in kinds:
        together(train, (*setting.values(), norm), rates, range(seeds))
    axes = {**{k: (v,) for k, v in setting.items()}, "norm": kinds, "lr": rates}
    tried = sweep(run, axes, seeds=seeds)
    best = tried[by].mean().reshape(len(kinds), len(rates)).argmin(axis=1)
    if best.min() == 0 or best.max() == len(rates) - 1:
        below = () if best.min() > 0 else (rates[0] / 2,)
        above = () if best.max() < len(rates) - 1 else (2 * rates[-1],)
        wider = (*below, *rates, *above)
        return compared(run, train, setting, kinds, wider, seeds, len(fresh))
    for norm, i in zip(kinds, best):
        together(train, (*setting.values(), norm), [rates[i]], fresh)
    print(setting, dict(zip(kinds, (rates[i] for i in best))), flush=True)
    return tried.best("lr", by=by, fresh=fresh)


if __name__ == "__main__":
    found, low, mid = {}, (0.005, 0.01, 0.02, 0.04, 0.08), (0.08, 0.16, 0.32, 0.64, 1.28)
    plans = {
        "random": ("batch", "masked", "layer", "set"),
        "sorted fixed": ("batch", "constant", "masked", "layer"),
    }
    for plan, kinds in plans.items():
        setting = {"plan": plan, "steps": 500}
        found[plan] = compared(run_padded, padded, setting, kinds, low, 4, 24)
    found["mixed"] = compared(
        run_recurrent, recurrent, {"length": "mixed", "steps": 300},
        ("none", "layer", "batch", "masked"), low, 4, 24,
    )  # fmt: skip
    found["equal"] = compared(
        run_recurrent, recurrent, {"length": "equal", "steps": 300}, ("layer", "masked"), low, 4, 24
    )
    every = "none", "affine", "simple", "both", "mean", "scale", "own", "passed"
    for optimizer, rates in {"SGD": mid, "Adam": (0.008, 0.016, 0.032, 0.064, 0.128)}.items():
        setting = {"optimizer": optimizer, "depth": 6, "epochs": 4}
        found[optimizer] = compared(run_deep, deep, setting, every, rates, 12, 96)
    few = "none", "affine", "simple", "both"
    for optimizer, rates in {"SGD": mid, "Adam": (0.002, 0.004, 0.008, 0.016, 0.032)}.items():
        setting = {"optimizer": optimizer, "depth": 6, "epochs": 20}
        found[f"{optimizer}, longer"] = compared(run_deep, deep, setting, few, rates, 12, 48)
    found["short"] = sweep(
        run_padded, {"plan": ("random",), "steps": (20,), "norm": ("layer",), "lr": (0.02,)}, 2
    )
    store(__file__, found, again=("short", {
        "plan": "random", "steps": 20, "norm": "layer", "lr": 0.02, "seed": 0}), tol=1e-3,
    )  # fmt: skip
