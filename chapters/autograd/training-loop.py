"""Small networks trained on irises and digits, hundreds at a time.

Writes training-loop.json. The gradients are written out by hand, and every array has the seeds as its
first axis; the chapter compares them with minigrad's. Errors are in percent.

Written before running: a difference of 1 point of test error would matter, or of 0.02 in the mean
cross-entropy; between sources of chance, a factor of 1.5 in the standard deviation.
"""

import functools
import io
import os
import subprocess
import sys

import numpy as np

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

GROUP = 50  # seeds that are trained together


# --- Networks: parameters with the seeds as first axis -------------------------------------------


def start(sizes, seeds, dtype=np.float64):
    """Weights and biases, uniform in ± 1/√inputs."""
    p = []
    for k, (m, n) in enumerate(zip(sizes[:-1], sizes[1:])):
        rngs = [np.random.default_rng([seed, 1, k]) for seed in seeds]
        p.append(np.array([rng.uniform(-1, 1, (m, n)) / np.sqrt(m) for rng in rngs], dtype))
        p.append(np.zeros((len(p[-1]), 1, n), dtype))
    return p


def logits(p, x):
    h = np.tanh(x @ p[0] + p[1]) if len(p) == 4 else x
    return h, h @ p[-2] + p[-1]


def softmax(z, axis=-1):
    z = np.exp(z - z.max(axis=axis, keepdims=True))
    return z / z.sum(axis=axis, keepdims=True)


def plain(z, hot):
    """The loss of each network, and its gradient by the logits."""
    q = softmax(z)
    return -np.log((q * hot).sum(axis=-1)).mean(axis=-1), (q - hot) / z.shape[1]


def pulled_back(p, x, h, e):
    """The gradient by the parameters, from that by the logits."""
    last = [h.swapaxes(1, 2) @ e, e.sum(axis=1, keepdims=True)]
    if len(p) == 2:
        return last
    d = (e @ p[2].swapaxes(1, 2)) * (1 - h * h)
    return [x.swapaxes(1, 2) @ d, d.sum(axis=1, keepdims=True), *last]


def descend(p, x, hot, seeds, batch, eta, epochs, loss=plain, keep=False):
    """Mini-batch SGD, in place; after each epoch the mean loss of its batches.

    ``keep`` never sets the gradient back to zero.
    """
    rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
    rows, total = np.arange(len(x))[:, None], [0 * w for w in p]
    for _ in range(epochs):
        order = np.array([rng.permutation(x.shape[1]) for rng in rngs])
        seen = []
        for i in range(0, x.shape[1], batch):
            some = order[:, i : i + batch]
            now, target = x[rows, some], hot[rows, some]
            h, z = logits(p, now)
            value, e = loss(z, target)
            seen.append(value)
            for w, g, t in zip(p, pulled_back(p, now, h, e), total):
                t *= keep
                t += g
                w -= eta * t
        yield np.array(seen)


def scores(p, x, y):
    """Mean cross-entropy and error in percent, of each network."""
    z = logits(p, x)[1]
    top = z.max(axis=-1)
    right = np.take_along_axis(z, y[..., None], -1)[..., 0]
    loss = (top + np.log(np.exp(z - top[..., None]).sum(axis=-1)) - right).mean(axis=-1)
    return loss, 100 * (z.argmax(axis=-1) != y).mean(axis=-1)


# --- Data ----------------------------------------------------------------------------------------


@functools.cache
def loaded(name):
    return getattr(data, name)()


def parts(name, sizes, seeds):
    """Per seed, disjoint random parts of these sizes; irises have equal shares of the species."""
    x, y = loaded(name)
    found = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 0])
        order = rng.permutation(len(x))
        if name == "iris":  # one flower of each species in turn
            of = [order[y[order] == k] for k in range(3)]
            order = np.stack(of, axis=1).ravel()
        cuts = np.split(order[: sum(sizes)], np.cumsum(sizes)[:-1])
        found.append([(x[c], y[c]) for c in cuts])
    return [tuple(np.array(z) for z in zip(*part)) for part in zip(*found)]


def irises(sizes, seeds):
    """The same of irises, standardized by the first part."""
    made = parts("iris", sizes, seeds)
    m, s = (f(made[0][0], axis=1, keepdims=True) for f in (np.mean, np.std))
    return [((x - m) / s, y) for x, y in made]


def spoil(labels, share, rng):
    """Make this share of the labels of ten classes wrong, in place."""
    wrong = rng.random(len(labels)) < share
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, size=wrong.sum())) % 10


def group(seed):
    first = seed - seed % GROUP
    return range(first, first + GROUP), seed % GROUP


# --- On-line, mini-batch, off-line ---------------------------------------------------------------


@functools.cache
def online_group(epochs, batch, eta, seeds):
    (x, y), (xv, yv), (xt, yt) = irises((90, 30, 30), seeds)
    p = start((4, 16, 3), seeds)
    for _ in descend(p, x, np.eye(3)[y], seeds, batch, eta, epochs):
        pass
    (v, _), (t, e) = scores(p, xv, yv), scores(p, xt, yt)
    return v, t, e


def online(epochs, batch, eta, seed):
    """A 4-16-3 network on 90 irises after some epochs."""
    seeds, i = group(seed)
    v, t, e = online_group(epochs, batch, eta, seeds)
    return {"validation": round(v[i], 4), "test loss": round(t[i], 4), "test error": round(e[i], 2)}


# --- Early stopping ------------------------------------------------------------------------------

MARKS = 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60  # epochs at which to look


@functools.cache
def stopping_group(noise, eta, seeds):
    """By mark: loss and error on validation, on a small test set A and a large one B, when trained
    on 100 digits, and on these and the 100 of validation."""
    made = parts("digits", (100, 100, 100, 300), seeds)
    for seed, labels in zip(seeds, np.concatenate([made[0][1], made[1][1]], axis=1)):
        spoil(labels, noise, np.random.default_rng([seed, 3]))
        made[0][1][seed - seeds[0]], made[1][1][seed - seeds[0]] = labels[:100], labels[100:]
    both = tuple(np.concatenate(z, axis=1) for z in zip(made[0], made[1]))
    found = []
    for (x, y), places in ((made[0], made[1:]), (both, made[2:])):
        p, rows = start((64, 24, 10), seeds), []
        for k, _ in enumerate(descend(p, x, np.eye(10)[y], seeds, 10, eta, MARKS[-1]), 1):
            if k in MARKS:
                rows.append([scores(p, *place) for place in places])
        found.append(np.array(rows))  # (marks, places, loss or error, seeds)
    return found


def stopping(method, noise, eta, seed):
    """A 64-24-10 network on digits, with a share ``noise`` of the labels for training and
    validation wrong; ``choice`` is the error on A, ``test`` that on B."""
    seeds, i = group(seed)
    part, both = (found[..., i] for found in stopping_group(noise, eta, seeds))
    last, stop, peek = len(MARKS) - 1, part[:, 0, 0].argmin(), part[:, 1, 1].argmin()
    row, k = {
        "last": (part[:, 1:], last), "stop": (part[:, 1:], stop), "peek": (part[:, 1:], peek),
        "again": (both, stop), "all": (both, last),
    }[method]  # fmt: skip
    a, b = row[k]
    return {"choice": round(a[1], 2), "test": round(b[1], 2)}


# --- Leaks ---------------------------------------------------------------------------------------


@functools.cache
def leak_group(prepare, size, eta, seeds):
    (x, y), (xt, yt), (xn, yn) = parts("iris", (size, 30, 120 - size), seeds)
    some = x if prepare == "train" else np.concatenate([x, xt], axis=1)
    m, s = some.mean(axis=1, keepdims=True), some.std(axis=1, keepdims=True)
    x, xt, xn = ((z - m) / np.where(s > 0, s, 1) for z in (x, xt, xn))
    p = start((4, 3), seeds)
    for _ in descend(p, x, np.eye(3)[y], seeds, size, eta, 100):
        pass
    return scores(p, xt, yt)[1], scores(p, xn, yn)[1]


def leak(prepare, size, eta, seed):
    """A linear softmax on irises after 100 full-batch steps, standardized by the training flowers
    ("train"), or by these and the 30 test flowers ("all"); ``fresh`` flowers serve neither."""
    seeds, i = group(seed)
    test, fresh = leak_group(prepare, size, eta, seeds)
    return {"test error": round(test[i], 2), "fresh error": round(fresh[i], 2)}


@functools.cache
def copies_group(way, noise, seeds):
    (x, y), (xn, yn) = parts("digits", (200, 600), seeds)
    order = []
    for seed, labels in zip(seeds, np.concatenate([y, yn], axis=1)):
        rng = np.random.default_rng([seed, 3])
        spoil(labels, noise, rng)
        y[seed - seeds[0]], yn[seed - seeds[0]] = np.split(labels, [200])
        rows = rng.permutation(400) % 200 if way == "rows" else np.repeat(rng.permutation(200), 2)
        order.append(rows)
    at = np.arange(len(x))[:, None], np.array(order)
    (x, xt), (y, yt) = (np.split(z[at], [300], axis=1) for z in (x, y))
    p = start((64, 24, 10), seeds)
    for _ in descend(p, x, np.eye(10)[y], seeds, 10, 0.5, 50):
        pass
    return scores(p, xt, yt)[1], scores(p, xn, yn)[1]


def copies(way, noise, seed):
    """Digits of which each stands in the table twice, 300 rows for training and 100 for the test:
    split by rows, or so that copies stay together. ``reported`` is the error on the test rows,
    ``new`` on 600 digits that are not in the table; a share ``noise`` of all labels is wrong."""
    seeds, i = group(seed)
    reported, new = copies_group(way, noise, seeds)
    return {"reported": round(reported[i], 2), "new": round(new[i], 2)}


# --- Where the chance comes from -----------------------------------------------------------------


def sources(source, base, seed):
    """Test error of a network on 200 digits when only one thing changes with the seed."""
    return sources_group(source, base)[seed]


@functools.cache
def sources_group(source, base, number=20):
    of = {
        name: [base * 1000 + (k if source in (name, "all") else 0) for k in range(number)]
        for name in ("split", "start", "order")
    }
    (x, y), (xt, yt) = parts("digits", (200, 200), of["split"])
    p = start((64, 24, 10), of["start"])
    for _ in descend(p, x, np.eye(10)[y], of["order"], 10, 0.25, 30):
        pass
    return scores(p, xt, yt)[1]


# --- Other machines ------------------------------------------------------------------------------

STEPS = (1, 10, 100, 1000, 4000)
AT = (0.25, 1.0, 2.0)


def trajectories(dtype, rate):
    """Parameters of a 64-24-10 network after STEPS, three seeds in a row."""
    seeds = range(3)
    (x, y), (xt, _) = parts("digits", (200, 600), seeds)
    x, xt, hot = x.astype(dtype), xt.astype(dtype), np.eye(10, dtype=dtype)[y]
    p, found, step = start((64, 24, 10), seeds, dtype), [], 0
    rows, eta = np.arange(3)[:, None], dtype(rate)
    rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
    while step < STEPS[-1]:
        order = np.array([rng.permutation(200) for rng in rngs])
        for some in np.split(order, 20, axis=1):
            h, z = logits(p, x[rows, some])
            e = plain(z, hot[rows, some])[1]
            for w, g in zip(p, pulled_back(p, x[rows, some], h, e)):
                w -= eta * g
            step += 1
            if step in STEPS:
                found.append(np.concatenate([w.reshape(3, -1) for w in p], axis=1))
    return np.array(found), logits(p, xt)[1].argmax(axis=-1)


@functools.cache
def elsewhere(kernel):
    """The trajectories of a process whose BLAS uses this kernel."""
    code = (
        "import sys, importlib.util, numpy as np\n"
        f"spec = importlib.util.spec_from_file_location('loop', {os.path.abspath(__file__)!r})\n"
        "loop = importlib.util.module_from_spec(spec); spec.loader.exec_module(loop)\n"
        "for dtype in (np.float32, np.float64):\n"
        "    for rate in loop.AT:\n"
        "        for a in loop.trajectories(dtype, rate):\n"
        "            np.save(sys.stdout.buffer, a)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True,
        env=os.environ | {"OPENBLAS_CORETYPE": kernel.split()[0], "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    stream, found = io.BytesIO(done.stdout), {}
    for dtype in ("float32", "float64"):
        for rate in AT:
            found[dtype, rate] = np.load(stream), np.load(stream)
    return found


def kernels(kernel, dtype, rate, seed):
    """The largest difference of a parameter to Haswell's, by step; and how many of 600 decisions
    differ at the end."""
    one, two = elsewhere("Haswell")[dtype, rate], elsewhere(kernel)[dtype, rate]
    apart = np.abs(one[0][:, seed].astype(float) - two[0][:, seed]).max(axis=1)
    return np.array([*apart, (one[1][seed] != two[1][seed]).sum()])


# --- Bugs ----------------------------------------------------------------------------------------

B, LAST = 9, 40


def twice(z, hot):
    """Softmax in the network, and in the loss once more."""
    p = softmax(z)
    loss, d = plain(p, hot)
    return loss, p * (d - (p * d).sum(axis=-1, keepdims=True))


def sideways(z, hot):
    """Softmax over the examples instead of the classes."""
    q, count = softmax(z, axis=1), hot.sum(axis=1, keepdims=True)
    return -np.log((q * hot).sum(axis=-1)).mean(axis=-1), (count * q - hot) / z.shape[1]


@functools.cache
def bugs_group(bug, eta, seeds):
    """The loss that the program prints after each epoch, errors in training and validation."""
    (x, y), (xv, yv), (xt, yt) = irises((90, 30, 30), seeds)
    given = y
    if bug == "labels":
        given = np.array(
            [np.random.default_rng([s, 3]).permutation(one) for s, one in zip(seeds, y)]
        )
    p = start((4, 16, 3), seeds)
    loss = {"twice": twice, "axis": sideways}.get(bug, plain)
    rate = eta * 1e-4 if bug == "rate" else eta
    printed, trained = [], []
    with np.errstate(all="ignore"):
        for seen in descend(p, x, np.eye(3)[given], seeds, B, rate, LAST, loss, bug == "zero"):
            printed.append(seen if not printed else seen.mean(axis=0))
            trained.append(scores(p, x, given)[1])
        printed[0] = printed[0][0]  # of the very first batch
        v, t = scores(p, xv, yv), scores(p, xt, yt)
    return np.array(printed), np.array(trained), v[1], t[1]


def diagnose(loss, error, batch=B, classes=3):
    """The suspect, by the printed losses (the first batch, then epochs) and the training error."""
    if abs(loss[0] - np.log(batch)) < 0.4 * abs(np.log(classes) - np.log(batch)):
        return "axis"
    if not np.isfinite(loss).all() or loss[5:].max() > 2 * loss[:5].min():
        return "zero"
    if abs(loss[-1] - loss[1]) < 0.02:
        return "rate"
    if error[-1] > 30:
        return "labels"
    if loss[-1] > np.log(1 + (classes - 1) / np.e):
        return "twice"
    return "none"


NAMES = ("none", "zero", "twice", "labels", "axis", "rate")


def bugs(bug, eta, seed):
    """The errors of a 4-16-3 network on irises with one bug."""
    seeds, i = group(seed)
    *_, v, t = bugs_group(bug, eta, seeds)
    return {"validation": round(v[i], 2), "test": round(t[i], 2)}


def suspect(bug, eta, seed):
    """The place in NAMES of what :func:`diagnose` finds."""
    seeds, i = group(seed)
    loss, error, *_ = bugs_group(bug, eta, seeds)
    return NAMES.index(diagnose(loss[:, i], error[:, i]))


def curves(bug, eta, seed):
    """The losses that the program prints."""
    seeds, i = group(seed)
    return np.round(bugs_group(bug, eta, seeds)[0][:, i], 4)


# --- Neighbours in the file ----------------------------------------------------------------------


@functools.cache
def folds(way, eta):
    """Nine folds of all digits, by place in the file or at random: which images are wrong."""
    x, y = loaded("digits")
    order = np.arange(len(x)) if way == "blocks" else np.random.default_rng(0).permutation(len(x))
    wrong = np.zeros(len(x), bool)
    for test in np.array_split(order, 9):
        train = np.setdiff1d(order, test)
        p = start((64, 10), [0])
        for _ in descend(p, x[None, train], np.eye(10)[y[None, train]], [0], 100, eta, 15):
            pass
        wrong[test] = logits(p, x[None, test])[1][0].argmax(axis=-1) != y[test]
    return wrong


def neighbours(way, eta, seed):
    """The error on one ninth of the file, seed counting the ninths."""
    return 100 * np.array_split(folds(way, eta), 9)[seed].mean()


def powers(low, high):
    return tuple(2.0**k for k in range(low, high + 1))


if __name__ == "__main__":
    some = range(100, 200)
    results = {
        "online": sweep(
            online, {"epochs": (1, 5, 25, 125), "batch": (1, 9, 90), "eta": powers(-8, 4)},
            seeds=GROUP,
        ).best("eta", by="validation", fresh=some),
        "stopping": sweep(
            stopping,
            {"method": ("last", "stop", "peek", "again", "all"), "noise": (0.0, 0.2),
             "eta": powers(-6, 1)},
            seeds=GROUP,
        ).best("eta", by="choice", fresh=some),
        "fixed": sweep(
            stopping, {"method": ("last", "stop"), "noise": (0.0, 0.2), "eta": (0.25,)}, seeds=some
        ),
        "leak": sweep(
            leak, {"prepare": ("train", "all"), "size": (15, 90), "eta": (4.0,)},
            seeds=range(100, 300),
        ),
        "copies": sweep(copies, {"way": ("rows", "images"), "noise": (0.0, 0.2)}, seeds=some),
        "sources": sweep(
            sources, {"source": ("split", "start", "order", "all"), "base": tuple(range(20))},
            seeds=20,
        ),
        "kernels": sweep(
            kernels,
            {"kernel": ("Haswell again", "SkylakeX", "Prescott"),
             "dtype": ("float32", "float64"), "rate": AT},
            seeds=3,
        ),
        "bugs": sweep(
            bugs, {"bug": ("none", "zero", "twice", "axis"), "eta": powers(-14, 3)}, seeds=100
        ).best("eta", by="validation", fresh=range(100, 300)),
        "named": sweep(suspect, {"bug": NAMES, "eta": (0.05, 0.25, 1.25)}, seeds=range(1000, 1100)),
        "curves": sweep(curves, {"bug": NAMES, "eta": (0.25,)}, seeds=range(1000, 1005)),
        "neighbours": sweep(
            neighbours, {"way": ("blocks", "random"), "eta": powers(-1, 4)}, seeds=9
        ),
    }  # fmt: skip
    store(__file__, results, again=("online", {"epochs": 5, "batch": 9, "seed": 100}), tol=1e-4)
