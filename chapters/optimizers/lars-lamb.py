"""Large batches: what LARS and LAMB do for them, and how many steps a batch of some size takes.

Writes lars-lamb.json. 1024 digits; a network of two layers of 32 units with layer norm and ReLU
(kinds: "plain" has five layers and no norm, "stretched" begins with a first matrix 30 times as large,
"output c" with a last matrix c times as large), then 10 outputs; float32. Gradients are written out by
hand, for speed; the chapter compares them with minigrad's.

1. `trained`: a case "1024 x 12" is 12 steps with batches of 1024. The rate falls linearly to 0; with
   warm-up it rises during the first quarter. Decay 0.0005 (SGD, LARS) or 0.01 (Adam, LAMB), on
   matrices only. Each arm has 9 rates in each case, the one with the least mean validation loss over 4
   seeds is reported on 20 other seeds. Written before running: 1 point of test error matters, and a
   factor of 1.25 in the training loss. Pilots had the seeds 50 to 57.
2. `steps_to`: steps until the training loss is first below a target, constant rate, no decay, on a grid
   of rates; seeds 0 to 3 choose, 4 to 11 report ("lamb" has the first four only). Written before running: a
   predicted critical batch size is right if it is within a factor of 2.
"""

import functools

import numpy as np

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

N, D, SIDE = 1024, 32, 4
TARGETS = (0.5, 0.2)
POWERS = {"sgd": -5, "lars": -9, "adam": -9, "lamb": -8}  # of 2, where the 9 rates begin


@functools.cache
def digits():
    """Images and labels for training, validation, test."""
    x, y = data.digits()
    order = np.random.default_rng(0).permutation(len(x))
    x = ((x - x.mean(axis=0)) / x.std(axis=0).clip(0.05)).astype(np.float32)
    hot = np.eye(10, dtype=np.float32)[y]
    return [(x[part], hot[part]) for part in np.split(order, [N, N + 373])]


def start(kind, rng):
    """Matrices (inputs, outputs) and rows: W, γ, β of a layer with norm, W, b of one without."""
    p, n = [], 64
    for _ in range(5 if kind == "plain" else 2):
        p += [rng.normal(size=(n, D)) * (2 / n) ** 0.5, np.ones((1, D)), np.zeros((1, D))]
        if kind == "plain":
            del p[-2]
        n = D
    p += [rng.normal(size=(n, 10)) / n**0.5, np.zeros((1, 10))]
    if kind == "stretched":
        p[0] *= 30
    if kind.startswith("output"):
        p[-2] *= float(kind.split()[1])
    return p


def side_by_side(kind, rngs, times=1):
    """The parameters of several seeds, stacked, the whole row repeated."""
    rows = zip(*(start(kind, rng) for rng in rngs))
    return [np.tile(np.stack(row).astype(np.float32), (times, 1, 1)) for row in rows]


def turned(a):
    return np.swapaxes(a, -1, -2)


def gradients(plain, p, x, hot=None):
    """The logits; with labels, the mean loss and its gradients too. Seeds are the leading axis."""
    k, h, path = (2 if plain else 3), x, []
    for at in range(0, len(p) - 2, k):
        u, z, scale = h @ p[at], None, None
        if not plain:
            z = u - u.mean(axis=-1, keepdims=True)
            scale = 1 / np.sqrt((z * z).mean(axis=-1, keepdims=True) + np.float32(1e-5))
            z = z * scale
            u = z * p[at + 1]
        a = np.maximum(u + p[at + k - 1], 0)
        path.append((at, h, z, scale, a))
        h = a
    logits = h @ p[-2] + p[-1]
    if hot is None:
        return logits
    y = logits - logits.max(axis=-1, keepdims=True)
    total = np.exp(y).sum(axis=-1, keepdims=True)
    loss = (np.log(total) - (y * hot).sum(axis=-1, keepdims=True)).mean(axis=(-1, -2))
    g = (np.exp(y) / total - hot) / np.float32(hot.shape[-2])
    found = [g.sum(axis=-2, keepdims=True), turned(h) @ g]
    g = g @ turned(p[-2])
    for at, h, z, scale, a in path[::-1]:
        g = g * (a > 0)
        found.append(g.sum(axis=-2, keepdims=True))
        if not plain:
            found.append((g * z).sum(axis=-2, keepdims=True))
            g = g * p[at + 1]
            g = g - g.mean(axis=-1, keepdims=True) - z * (g * z).mean(axis=-1, keepdims=True)
            g = g * scale
        found.append(turned(h) @ g)
        if at:
            g = g @ turned(p[at])
    return logits, loss, found[::-1]


def norm(a):
    return np.sqrt((a.astype(float) ** 2).sum(axis=(-1, -2), keepdims=True)).astype(np.float32)


def ratio(theta, u):
    """‖θ‖ / u; 1 where one of them is zero."""
    size = norm(theta)
    return np.where((size > 0) & (u > 0), size / np.maximum(u, np.float32(1e-30)), np.float32(1))


class Method:
    """sgd, lars, adam or lamb.

    More words in the name change it: "one" takes one ratio for all matrices together, "all" excludes
    nothing from the ratio, "tau" gives what LARS excludes a rate 1000 times as large, "free" has no
    weight decay, "bare" no momentum.
    """

    def __init__(self, name, p, decay=None):
        self.kind, *self.more = name.split()
        self.adam = self.kind in ("adam", "lamb")
        usual = 0 if "free" in self.more else 0.01 if self.adam else 5e-4
        self.decay = np.float32(usual if decay is None else decay)
        self.m, self.v = ([np.zeros_like(w) for w in p] for _ in range(2))
        self.momentum = np.float32(0 if "bare" in self.more else 0.9)
        self.t, self.seen = 0, None

    def step(self, p, g, eta):
        self.t += 1
        matrix = [w.shape[-2] > 1 for w in p]
        decay = [self.decay * is_matrix for is_matrix in matrix]
        if self.adam:
            u = []
            for w, d, m, v, lam in zip(p, g, self.m, self.v, decay):
                m += np.float32(0.1) * (d - m)
                v += np.float32(0.001) * (d * d - v)
                root = np.sqrt(v / np.float32(1 - 0.999**self.t)) + np.float32(1e-6)
                u.append(m / np.float32(1 - 0.9**self.t) / root + lam * w)
            lengths = [norm(d) for d in u]
        else:
            u = [d + lam * w for w, d, lam in zip(p, g, decay)]
            lengths = [norm(d) + lam * norm(w) for w, d, lam in zip(p, g, decay)]
        ratios = [np.float32(1)] * len(p)
        if self.kind in ("lars", "lamb"):
            if "one" in self.more:
                over = [k for k, is_matrix in enumerate(matrix) if is_matrix]
                size, length = (
                    np.sqrt(sum(a[k] ** 2 for k in over)) for a in ([norm(w) for w in p], lengths)
                )
            for k, (w, length_k) in enumerate(zip(p, lengths)):
                if matrix[k] or "all" in self.more:
                    ratios[k] = size / length if "one" in self.more else ratio(w, length_k)
                elif "tau" in self.more:
                    ratios[k] = np.float32(1000)
        self.seen = ratios, u
        for w, d, m, r in zip(p, u, self.m, ratios):
            if self.adam:
                w -= eta * r * d
            else:
                m *= self.momentum
                m += eta * r * d
                w -= m


def batches(rngs, size):
    """Indices of batches for every seed, for ever; every epoch has a new order."""
    while True:
        orders = np.stack([rng.permutation(N) for rng in rngs])
        yield from (orders[:, k : k + size] for k in range(0, N - size + 1, size))


def train(arm, kind, batch, steps, lr, group, decay=None, watch=None):
    """The parameters of SIDE seeds after training, side by side."""
    x, hot = digits()[0]
    name, _, warm = arm.partition(", ")
    rngs = [np.random.default_rng(s) for s in range(SIDE * group, SIDE * (group + 1))]
    p = side_by_side(kind, rngs)
    method = Method(name, p, decay)
    rise = max(1, steps // 4) if warm else 1
    for t, some in zip(range(1, steps + 1), batches(rngs, batch)):
        g = gradients(kind == "plain", p, x[some], hot[some])[2]
        eta = np.float32(lr * min(t / rise, (steps - t + 1) / (steps - rise + 1)))
        before = [w.copy() for w in p] if watch else None
        method.step(p, g, eta)
        if watch:
            watch(t, eta, before, p, g, method)
    return p


@functools.cache
def scores(*setting):
    arm, case, lr, group = setting
    *kind, batch, _, steps = case.split()
    training, validation, test = digits()
    p = train(arm, " ".join(kind), int(batch), int(steps), lr, group)
    plain = kind == ["plain"]
    wrong = gradients(plain, p, test[0]).argmax(axis=-1) != test[1].argmax(axis=-1)
    return {
        "training loss": gradients(plain, p, *training)[1],
        "validation loss": gradients(plain, p, *validation)[1],
        "test error": 100 * wrong.mean(axis=-1),
    }


def trained(arm, case, lr, seed):
    """Scores after training."""
    with np.errstate(all="ignore"):
        found = scores(arm, case, lr, seed // SIDE)
    return {name: float(f"{of[seed % SIDE]:.4g}") for name, of in found.items()}


@functools.cache
def ladder(name, batch, first, group):
    """Steps to the targets: target × rate × seed, 13 rates from 2^first, factors of √2.

    Ends at twice the steps of the first rate with which all seeds have reached all targets.
    """
    x, hot = digits()[0]
    rngs = [np.random.default_rng(s) for s in range(SIDE * group, SIDE * (group + 1))]
    p = side_by_side("", rngs, times=13)
    eta = np.repeat(2.0 ** (first + np.arange(13) / 2), SIDE).astype(np.float32)[:, None, None]
    method, every = Method(name, p, decay=0), max(1, 128 // batch)
    found, last = np.full((len(TARGETS), 13, SIDE), np.inf), np.inf
    for t, some in zip(range(12_000), batches(rngs, batch)):
        if t % every == 0:
            y = gradients(False, p, x)
            y -= y.max(axis=-1, keepdims=True)
            loss = (np.log(np.exp(y).sum(axis=-1)) - (y * hot).sum(axis=-1)).mean(axis=-1)
            for target, of in zip(TARGETS, found):
                of[(loss.reshape(13, SIDE) < target) & np.isinf(of)] = t
            if np.isfinite(found).all(axis=(0, 2)).any():
                last = min(last, 2 * t)
            if t >= last:
                break
        some = np.tile(some, (13, 1))
        method.step(p, gradients(False, p, x[some], hot[some])[2], eta)
    return found


def steps_to(method, batch, place, seed):
    """Steps to each target; `place` is the rate's place in a grid that moves with the batch."""
    with np.errstate(all="ignore"):
        found = ladder(method, batch, first_power(method, batch), seed // SIDE)
    return {f"{t:g}": found[k, place, seed % SIDE] for k, t in enumerate(TARGETS)}


def first_power(method, batch):
    """Of 2, where the 13 rates of a batch begin; places found by pilots."""
    log = np.log2(batch)
    low, slope, most = {"sgd bare": (-9, 1, 7), "sgd": (-11, 1, 7)}.get(
        method, (-11, 0.5 if method == "adam" else 0.75, 8)
    )
    return float(np.round(low + slope * min(log, most)))


if __name__ == "__main__":
    usual = ["32 x 384", "256 x 48", "1024 x 12", "32 x 48", "1024 x 48", "plain 1024 x 12"]
    large, small = [usual[2], usual[5]], [f"output {c} 256 x 48" for c in ("1e-3", "1e-6", "0")]
    tried = [  # where an arm is tried, and under which name it is stored
        *((arm, arm, usual) for arm in ("sgd", "lars", "adam", "lamb")),
        *((f"{arm}, warm-up",) * 2 + (large,) for arm in ("sgd", "lars", "adam", "lamb")),
        *((arm, arm, large) for arm in ("lars one", "lamb one")),
        *((arm, arm, large[:1]) for arm in ("lars all", "lars tau", "lamb all")),
        *((f"{arm} small", arm, small) for arm in ("adam", "lamb")),
        *((f"{arm} stretched", arm, ["stretched 1024 x 12"])
          for arm in ("sgd", "lars", "lars free", "lars one", "adam", "lamb", "lamb one")),
    ]  # fmt: skip
    results = {}
    for result, arm, where in tried:
        first = POWERS[arm.split()[0].strip(",")] - 4 * ("one stretched" in result)
        rates = tuple(2.0**k for k in range(first, first + 9))
        tuning = sweep(trained, {"arm": (arm,), "case": tuple(where), "lr": rates}, seeds=SIDE)
        results[result] = tuning.best("lr", by="validation loss", fresh=range(100, 120))
        scores.cache_clear()
    for method, seeds in (("sgd bare", 12), ("sgd", 12), ("adam", 12), ("lamb", 4)):
        axes = {"method": (method,), "batch": (1, 4, 16, 64, 256, 1024), "place": range(13)}
        results[f"steps {method}"] = sweep(steps_to, axes, seeds=seeds)
    store(
        __file__,
        results,
        again=("lars", {"arm": "lars", "case": "1024 x 12", "seed": 100}),
        tol=0.05,
    )
