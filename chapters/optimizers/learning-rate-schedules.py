"""Learning-rate schedules compared: tuned, at several budgets, with their controls.

Writes learning-rate-schedules.json. "letters": the next letter from three, 81-48-27 with tanh, fresh
text at every step, scored by the exact excess over the entropy (nats). "digits" and "wide": networks
of one hidden layer on 897 digits; "deep": eight hidden layers of 32 ReLU units. β2 = 0.99 in Adam,
momentum 0.9 in SGD. Four seeds run side by side in one array; the gradients are written out by hand,
and the chapter compares them with minigrad's.

Written before running: a factor of 1.1 between the losses of two schedules would matter (1.2 for the
deep network, whose runs vary more), for the range test a factor of 2 in the rate. Grids were found
with seeds 1000 and above.
"""

import functools

import numpy as np

from minigrad import schedules
from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

SIDE, WARM, BETA2 = 4, 40, 0.99
TASKS = {  # sizes, activation, batch
    "letters": ((81, 48, 27), "tanh", 32),
    "letters, 8": ((81, 48, 27), "tanh", 8),
    "changing": ((81, 48, 27), "tanh", 32),
    "digits": ((64, 32, 10), "tanh", 16),
    "digits, 64": ((64, 32, 10), "tanh", 64),
    "wide": ((64, 128, 10), "relu", 16),
    "deep": ((64, *[32] * 8, 10), "relu", 64),
}
CHANGE = 100  # steps between two changes of the law, in "changing"
FRESH = range(100, 120)
EYE = np.eye(27, dtype=np.float32)


# --- schedules, with a largest rate of 1


def rates(kind, steps):
    """The factor of every step."""
    s, start = schedules, {"start_factor": 1 / WARM}
    if kind == "sorted":  # those of one cycle, the largest first
        return np.sort(rates("one-cycle", steps))[::-1]
    if kind == "mean":  # of one cycle, at every step
        return np.full(steps, rates("one-cycle", steps).mean())
    schedule = {
        "constant": lambda: s.warmup(WARM, s.constant(1.0), **start),
        "1/√t": lambda: s.noam(1, WARM, factor=WARM**0.5),
        "step": lambda: s.warmup(
            WARM, s.step_decay(1.0, milestones=[steps // 2 - WARM, 3 * steps // 4 - WARM]), **start
        ),
        "trapezoid 20%": lambda: s.trapezoid(1.0, steps, WARM, steps // 5, **start),
        "trapezoid 50%": lambda: s.trapezoid(1.0, steps, WARM, steps // 2, **start),
        "cosine": lambda: s.warmup(WARM, s.cosine(1.0, steps - WARM), **start),
        "linear": lambda: s.warmup(WARM, s.linear(1.0, 1.0, 0.0, steps - WARM), **start),
        "restarts": lambda: s.cosine_restarts(1.0, CHANGE),
        "one-cycle": lambda: s.one_cycle(1.0, steps),
        "cold step": lambda: s.step_decay(1.0, milestones=[steps // 2, 3 * steps // 4]),
        "cold constant": lambda: s.constant(1.0),
        "cold linear": lambda: s.linear(1.0, 1.0, 0.0, steps),
    }[kind]()
    return np.array([schedule(t) for t in range(steps)])


# --- networks, with a leading axis of seeds


def start(task, rng):
    """Weights and biases: gain √2 before a ReLU, √27 for the one-hot letters, else 1."""
    sizes, activation, _ = TASKS[task]
    p = []
    for k, (a, b) in enumerate(zip(sizes, sizes[1:])):
        gain = 27 if a == 81 else 2 if activation == "relu" and k < len(sizes) - 2 else 1
        p += [rng.normal(size=(a, b)) * (gain / a) ** 0.5, np.zeros((1, b))]
    return p


def forward(activation, p, x):
    """All layers' inputs, and the logits."""
    layers = [x]
    for W, b in zip(p[:-2:2], p[1:-2:2]):
        z = layers[-1] @ W + b
        layers.append(np.tanh(z) if activation == "tanh" else np.maximum(z, 0))
    return layers, layers[-1] @ p[-2] + p[-1]


def log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def gradients(activation, p, x, y):
    """The mean cross-entropy of a batch, and its gradients."""
    layers, z = forward(activation, p, x)
    log = log_softmax(z)
    d = (np.exp(log) - y) / x.dtype.type(x.shape[-2])
    found = []
    for k in reversed(range(len(layers))):
        found += [d.sum(axis=-2, keepdims=True), np.swapaxes(layers[k], -1, -2) @ d]
        if k:
            a, d = layers[k], d @ np.swapaxes(p[2 * k], -1, -2)
            d = d * (1 - a * a if activation == "tanh" else a > 0)
    return -(log * y).sum(axis=-1).mean(axis=-1), found[::-1]


def move(optimizer, p, g, state, lr):
    """One step, in place; the state is m, v, t, or the velocity."""
    m, v, state[2] = state[0], state[1], state[2] + 1
    if optimizer == "sgd":
        for w, d, b in zip(p, g, m):
            b *= np.float32(0.9)
            b += d
            w -= np.float32(lr) * b
        return
    rate = lr * (1 - BETA2 ** state[2]) ** 0.5 / (1 - 0.9 ** state[2])
    for w, d, first, second in zip(p, g, m, v):
        first += np.float32(0.1) * (d - first)
        second += np.float32(1 - BETA2) * (d * d - second)
        w -= np.float32(rate) * first / (np.sqrt(second) + np.float32(1e-8))


def nothing(p):
    return [[np.zeros_like(w) for w in p], [np.zeros_like(w) for w in p], 0]


# --- data


@functools.cache
def digits():
    """Images and labels of 897 examples for training, 450 for validation, 450 for the test."""
    x, y = data.digits()
    order = np.random.default_rng(0).permutation(len(x))
    x, hot = x.astype(np.float32), np.eye(10, dtype=np.float32)[y]
    return [(x[part], hot[part]) for part in np.split(order, [897, 1347])]


def hot(triples):
    return EYE[triples].reshape(*triples.shape[:-1], 81)


@functools.cache
def law():
    """The triples of the text (one-hot), how often they occur, and what follows."""
    seen, laws = data.letters(100_000, 4, rng=np.random.default_rng(0))
    triples, first, often = np.unique(seen[:, :3], axis=0, return_index=True, return_counts=True)
    return hot(triples), often / often.sum(), laws[first, 0]


def renaming(steps):
    """What the letters to be predicted are called from some step on, in "changing"."""
    k = steps // CHANGE
    return np.random.default_rng([7, k]).permutation(27) if k else np.arange(27)


def excess(p, steps=0):
    """The mean Kullback–Leibler divergence from the law of what the network predicts."""
    x, often, laws = law()
    laws = laws[:, np.argsort(renaming(steps))]
    log = log_softmax(forward("tanh", p, x)[1].astype(float))
    gap = np.where(laws > 0, laws * (np.log(np.where(laws > 0, laws, 1)) - log), 0)
    return gap.sum(axis=-1) @ often


@functools.lru_cache(maxsize=100)
def text(seed, steps, batch):
    """For every step and example of a batch, three letters and the next."""
    rng = np.random.default_rng([seed, 1])
    seen = data.letters(steps * batch, 4, rng=rng)[0]
    return seen.astype(np.int8).reshape(steps, batch, 4)


def batches(task, steps, group, rngs):
    """The batches of all seeds, step by step."""
    batch = TASKS[task][2]
    if task.startswith(("letters", "changing")):
        seeds = range(SIDE * group, SIDE * (group + 1))
        seen = np.stack([text(seed, steps, batch) for seed in seeds], axis=1)
        for t, now in enumerate(seen):
            name = renaming(t) if task == "changing" else np.arange(27)
            yield hot(now[..., :3]), EYE[name[now[..., 3]]]
    else:
        x, y = digits()[0]
        for _ in range(steps):
            some = np.stack([rng.integers(len(x), size=batch) for rng in rngs])
            yield x[some], y[some]


def beginning(task, group):
    """Initial weights and random generators of SIDE seeds."""
    rngs = [np.random.default_rng(seed) for seed in range(SIDE * group, SIDE * (group + 1))]
    return [np.stack(w).astype(np.float32) for w in zip(*(start(task, r) for r in rngs))], rngs


def scores(task, p, steps):
    if task.startswith(("letters", "changing")):
        return {"excess": excess(p, steps - 1 if task == "changing" else 0)}
    found, activation = {}, TASKS[task][1]
    for name, (x, y) in zip(("training", "validation", "test"), digits()):
        log = log_softmax(forward(activation, p, x)[1])
        found[f"{name} loss"] = -(log * y).sum(axis=-1).mean(axis=-1)
    return found


# --- runs


def one_of(found, seed):
    return {name: float(f"{of[seed % SIDE]:.4g}") for name, of in found.items()}


@functools.cache
def side_by_side(task, optimizer, kind, lr, steps, group):
    p, rngs = beginning(task, group)
    state = nothing(p)
    for factor, (x, y) in zip(rates(kind, steps), batches(task, steps, group, rngs)):
        move(optimizer, p, gradients(TASKS[task][1], p, x, y)[1], state, lr * factor)
    return scores(task, p, steps)


def trained(task, optimizer, kind, lr, steps, seed):
    """Scores after training."""
    with np.errstate(all="ignore"):
        return one_of(side_by_side(task, optimizer, kind, lr, steps, seed // SIDE), seed)


@functools.cache
def ranges(task, optimizer, group, steps=150, keep=0.9):
    """The rates that a range test suggests: a tenth of that of the least loss, the steepest."""
    p, rngs = beginning(task, group)
    low, high = (2.0**-12, 2.0**4) if optimizer == "sgd" else (2.0**-16, 2.0)
    schedule, state, losses = schedules.range_test(low, high, steps), nothing(p), []
    for t, (x, y) in enumerate(batches(task, steps, group, rngs)):
        loss, g = gradients(TASKS[task][1], p, x, y)
        move(optimizer, p, g, state, schedule(t))
        losses.append(np.minimum(np.nan_to_num(loss, nan=50), 50))
    lr, smooth, last = np.array([schedule(t) for t in range(steps)]), [], 0
    for t, loss in enumerate(losses):
        last = keep * last + (1 - keep) * loss
        smooth.append(last / (1 - keep ** (t + 1)))
    tenth, steepest = [], []
    for curve in np.array(smooth).T:
        least = curve.argmin()
        slope = np.gradient(curve, np.log(lr))[10 : max(least, 11)]
        tenth.append(lr[least] / 10)
        steepest.append(lr[10 + slope.argmin()])
    return {"tenth": np.array(tenth), "steepest": np.array(steepest)}


def ranged(task, optimizer, seed):
    """What a range test with this seed suggests."""
    with np.errstate(all="ignore"):
        return one_of(ranges(task, optimizer, seed // SIDE), seed)


# --- warm-up, taken apart


def prepared(arm, lr, group, wait=100):
    """Parameters and Adam's state when the full rate begins, and the steps spent by then.

    "warm-up": both as a linear warm-up leaves them. "parameters", "state", "v": only these; the rest
    as at the start (v keeps its number of steps). "level": v's mean in each matrix instead of v.
    "filled": the state of as many steps with η = 0. "smaller": initial weights times 0.8.
    """
    p, rngs = beginning("deep", group)
    first = [w.copy() for w in p]
    if arm in ("none", "smaller"):
        if arm == "smaller":
            p = [w * np.float32(0.8) for w in p]
        return p, nothing(p), rngs, 0
    state = nothing(p)
    for t, (x, y) in enumerate(batches("deep", wait, group, rngs)):
        now = 0.0 if arm == "filled" else lr * (t + 1) / wait
        move("adam", p, gradients("relu", p, x, y)[1], state, now)
    if arm in ("warm-up", "parameters"):
        return p, state if arm == "warm-up" else nothing(p), rngs, wait
    if arm in ("v", "level"):
        state[0] = nothing(p)[0]
    if arm == "level":
        state[1] = [np.ones_like(v) * v.mean(axis=(1, 2), keepdims=True) for v in state[1]]
    return first, state, rngs, 0


@functools.cache
def warmed_side(arm, lr, group, steps=400, wait=100):
    p, state, rngs, spent = prepared(arm, lr, group, wait)
    number, sizes = sum(w[0].size for w in p), []
    for t, (x, y) in enumerate(batches("deep", steps - spent, group, rngs)):
        before = [w.copy() for w in p] if t < 20 else None
        factor = min(1, (steps - spent - t) / (steps - wait))
        move("adam", p, gradients("relu", p, x, y)[1], state, lr * factor)
        if t < 20:
            square = sum(((w - b) ** 2).sum(axis=(1, 2)) for w, b in zip(p, before)) / number
            sizes.append(np.sqrt(square) / lr)
    return scores("deep", p, steps) | {"size": np.mean(sizes, axis=0)}


def warmed(arm, lr, seed):
    """Scores after 400 steps in all, the rate falling to 0 in the last 300.

    And the root mean square of the first 20 steps of the full rate, over η.
    """
    with np.errstate(all="ignore"):
        return one_of(warmed_side(arm, lr, seed // SIDE), seed)


@functools.cache
def sharpness_side(arm, lr, group, products=20):
    p, state, rngs, _ = prepared(arm, lr, group)
    p, squares, t = [w.astype(float) for w in p], [v.astype(float) for v in state[1]], state[2] + 1
    x, y = (a[:256].astype(float) for a in digits()[0])
    x, y = np.broadcast_to(x, (SIDE, *x.shape)), np.broadcast_to(y, (SIDE, *y.shape))
    g = gradients("relu", p, *next(batches("deep", 1, group, rngs)))[1]
    scale = [
        (((BETA2 * v + (1 - BETA2) * d * d) / (1 - BETA2**t)) ** 0.5 + 1e-8) ** 0.5
        for v, d in zip(squares, g)
    ]

    def dot(a, b):
        return sum((c * d).sum(axis=(1, 2)) for c, d in zip(a, b))[:, None, None]

    rng = np.random.default_rng(0)
    u = [rng.normal(size=w.shape) for w in p]
    for _ in range(products):
        u = [a / dot(u, u) ** 0.5 for a in u]
        to = [a / s for a, s in zip(u, scale)]
        h = 1e-5 / dot(to, to) ** 0.5
        ends = [
            gradients("relu", [w + sign * h * a for w, a in zip(p, to)], x, y)[1]
            for sign in (1, -1)
        ]
        product = [(a - b) / (2 * h * s) for a, b, s in zip(*ends, scale)]
        value, u = dot(u, product), product
    return {"in units of 38/η": np.abs(value.ravel()) * lr / 38}


def sharpness(arm, lr, seed):
    """Of the preconditioned Hessian when the full rate begins, by power iteration."""
    with np.errstate(all="ignore"):
        return one_of(sharpness_side(arm, lr, seed // SIDE), seed)


def powers(low, high, step=1.0):
    return tuple(float(f"{2.0**k:.6g}") for k in np.arange(low, high + 0.01, step))


def only(chosen):
    return float(np.asarray(chosen).ravel()[0])


def main(tuning=range(SIDE), fresh=FRESH, more=range(100, 124)):
    found = {}

    def tuned(name, axes, by, fresh=fresh, keep=False):
        grid = sweep(trained, axes, seeds=tuning)
        found[name] = grid.best("lr", by=by, fresh=fresh)
        if keep:
            found[f"{name}, grid"] = grid
        return found[name]

    # 1: warm-up
    arms = ("none", "warm-up", "parameters", "state", "v", "level", "filled", "smaller")
    grid = sweep(warmed, {"arm": arms[:2], "lr": powers(-10, -3)}, seeds=tuning)
    found["warm-up, tuned"] = grid.best("lr", by="training loss", fresh=fresh)
    found["warm-up"] = sweep(warmed, {"arm": arms, "lr": (0.032,)}, seeds=more)
    some = {"arm": ("none", "parameters", "filled", "smaller"), "lr": (0.032,)}
    found["sharpness"] = sweep(sharpness, some, seeds=fresh[:12])
    # 2: schedules at three budgets
    letters = {"task": ("letters",), "optimizer": ("adam",)}
    kinds = ("constant", "1/√t", "step", "trapezoid 20%", "trapezoid 50%", "cosine", "linear")
    axes = letters | {"kind": kinds, "lr": powers(-7, -1.5, 0.5), "steps": (300, 1200)}
    tuned("budgets", axes, "excess", keep=True)
    kinds = ("constant", "1/√t", "trapezoid 20%", "trapezoid 50%", "cosine", "linear")
    axes = letters | {"kind": kinds, "lr": powers(-8, -2), "steps": (3600,)}
    long = tuned("long", axes, "excess", fresh[:8])
    trunk = only(long.at(kind="trapezoid 20%", steps=3600).chosen["lr"])
    axes = letters | {"kind": ("trapezoid 20%",), "lr": (trunk,), "steps": (300, 1200)}
    found["trunk"] = sweep(trained, axes, seeds=fresh)
    # 3: the control without noise at the minimum, and the law that changes
    axes = {"task": ("digits",), "kind": ("constant", "linear"), "steps": (1200,)}
    for optimizer, lr in (("sgd", powers(-6, 0, 0.5)), ("adam", powers(-9, -2))):
        axes |= {"optimizer": (optimizer,), "lr": lr}
        tuned(f"no noise, {optimizer}", axes, "training loss")
    axes = {"task": ("changing",), "optimizer": ("adam",), "steps": (1000,)}
    kinds = ("constant", "cosine", "linear", "restarts")
    tuned("changing", axes | {"kind": kinds, "lr": powers(-7, 0)}, "excess")
    # 4: super-convergence
    for task, steps, by, lr in (
        ("letters", 400, "excess", powers(-4, 1)),
        ("deep", 100, "validation loss", powers(-8, -2)),
    ):
        axes = {"task": (task,), "optimizer": ("sgd",), "lr": lr}
        once = axes | {"kind": ("one-cycle", "sorted", "cold linear"), "steps": (steps,)}
        best = tuned(f"cycle, {task}", once, by).at(kind="one-cycle").chosen["lr"]
        budgets = (steps, 3 * steps // 2, 2 * steps, 4 * steps)
        slow = axes | {"kind": ("cold step",), "steps": budgets}
        middle = tuned(f"step, {task}", slow, by).at(steps=steps).chosen["lr"]
        best, middle = only(best), only(middle)
        fixed = once | {"kind": ("sorted", "mean", "cold constant"), "lr": (best,)}
        found[f"controls, {task}"] = sweep(trained, fixed, seeds=fresh)
        found[f"timid, {task}"] = sweep(trained, slow | {"lr": (middle / 4,)}, seeds=fresh[:12])
    # 5: range tests
    tasks = ("letters", "letters, 8", "digits", "digits, 64", "wide", "deep")
    for optimizer, lr in (("sgd", powers(-9, 2)), ("adam", powers(-12, 0))):
        axes = {"task": tasks, "optimizer": (optimizer,)}
        found[f"range, {optimizer}"] = sweep(ranged, axes, seeds=fresh[:12])
        axes |= {"kind": ("cold constant", "cold linear"), "lr": lr, "steps": (200,)}
        for name, part in (("letters", tasks[:2]), ("digits", tasks[2:])):
            found[f"rates, {name}, {optimizer}"] = sweep(
                trained, axes | {"task": part}, seeds=tuning
            )
    return found


if __name__ == "__main__":
    entry = {"task": "letters", "optimizer": "adam", "steps": 300, "kind": "cosine", "seed": 100}
    store(__file__, main(), again=("budgets", entry), tol=0.01)
