"""Adam, SGD with momentum, a switch from one to the other, and averages of weights: three data sets.

Writes adam-then-sgd.json. Digits (200 to train, 300 to choose, the rest to report), three noisy
spirals (300, 600, 1500 points) and letters (1500, 1000, 1000 triples with the letter that follows);
tanh networks, batches of 16 drawn with replacement; every seed has data, weights and batches of its
own. All rates of momentum are η of θ ← θ - η m, with m the moving average of the gradients.

Written before running: what matters is half a percentage point of error on the digits, 0.3 on the
spirals, 0.02 nats of KL divergence on the letters, a factor of 1.25 in training loss and of 1.1 in
curvature. Pilots had seeds 500 to 515.
"""

import functools

import numpy as np

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

F = np.float32
SIZES = {"digits": (64, 32, 10), "spirals": (2, 32, 32, 3), "letters": (81, 40, 27)}
STEPS = {"digits": (200, 1000), "spirals": (400, 2000), "letters": (300, 1500)}
RATES = {
    "momentum": tuple(0.04 * 2**k for k in range(9)),
    "adam": tuple(0.001 * 2**k for k in range(9)),
}
TUNING, FRESH, SIDE = range(8), range(100, 130), 30
BATCH = 16


# ------------------------------------------------------------------ data and networks


@functools.cache
def sets(task, seed):
    """Inputs and targets to train on, to choose with, to report; targets are distributions."""
    rng = np.random.default_rng([seed, 0])
    if task == "digits":
        x, y = data.digits()
        parts = np.split(rng.permutation(len(x)), [200, 500])
        found = [((x[part] - 0.3) / 0.37, np.eye(10)[y[part]]) for part in parts]
    elif task == "spirals":
        drawn = [data.spirals(n, noise=0.3, rng=rng) for n in (300, 600, 1500)]
        found = [(2 * x, np.eye(3)[y]) for x, y in drawn]
    else:  # for training the letter that came, else the law from which it was drawn
        found = []
        for n in (1500, 1000, 1000):
            seen, laws = data.letters(n, 4, rng=rng)
            x = 3**0.5 * np.eye(27)[seen[:, :3]].reshape(n, 81)
            found.append((x, laws[:, 0] if found else np.eye(27)[seen[:, 3]]))
    return [(x.astype(F), target.astype(F)) for x, target in found]


def stacked(task, seeds, part, copies=1):
    """One part of the data of all seeds as arrays with the seeds first, ``copies`` times over."""
    pairs = [sets(task, seed)[part] for seed in seeds]
    return [np.tile(np.stack(of), (copies, 1, 1)) for of in zip(*pairs)]


def shapes(task):
    size = SIZES[task]
    return [shape for pair in zip(size[:-1], size[1:]) for shape in (pair, pair[1:])]


def views(P, task):
    """The matrices and biases inside the rows of P, a row for each network."""
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes(task)])
    parts = np.split(P, ends[:-1], axis=1)
    return [part.reshape(len(P), *shape) for part, shape in zip(parts, shapes(task))]


def start(task, seeds):
    rows = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 1])
        drawn = [rng.normal(size=s) / s[0] ** 0.5 if s[1:] else np.zeros(s) for s in shapes(task)]
        rows.append(np.concatenate([part.ravel() for part in drawn]))
    return np.array(rows, F)


def logits(P, task, x):
    V, hidden = views(P, task), [x]
    for W, b in zip(V[:-2:2], V[1:-2:2]):
        hidden.append(np.tanh(hidden[-1] @ W + b[:, None]))
    return V, hidden, hidden[-1] @ V[-2] + V[-1][:, None]


def cross_entropy(z, target):
    """Probabilities, and the mean loss of each network."""
    z = z - z.max(axis=-1, keepdims=True)
    e = np.exp(z)
    total = e.sum(axis=-1, keepdims=True)
    return e / total, -(target * (z - np.log(total))).sum(axis=-1).mean(axis=-1)


def gradient(P, task, x, target):
    """Losses of all networks, and their gradients in the layout of P."""
    V, hidden, z = logits(P, task, x)
    p, loss = cross_entropy(z, target)
    G = np.empty_like(P)
    e = (p - target) / F(target.shape[-2])
    parts = views(G, task)  # splits and reshapes of G are views: writing there fills G
    for k in range(len(hidden) - 1, -1, -1):
        np.matmul(np.swapaxes(hidden[k], -1, -2), e, out=parts[2 * k])
        parts[2 * k + 1][...] = e.sum(axis=-2)
        if k:
            e = (e @ np.swapaxes(V[2 * k], -1, -2)) * (1 - hidden[k] * hidden[k])
    return loss, G


def measure(P, task, seeds):
    """Scores of the networks in P: the seeds in order, over and over."""
    found, copies = {}, len(P) // len(seeds)
    for part, name in enumerate(("training", "validation", "test")):
        x, target = stacked(task, seeds, part, copies)
        z = logits(P, task, x)[2]
        loss = cross_entropy(z, target)[1]
        if task == "letters" and part:  # KL divergence from the law: without the law's entropy
            loss = loss + (target * np.log(np.where(target > 0, target, 1))).sum(-1).mean(-1)
        wrong = 100 * (z.argmax(axis=-1) != target.argmax(axis=-1)).mean(axis=-1)
        found[f"{name} loss"] = loss
    return found | {"test error": wrong}


def rounded(scores, i, seed):
    """The scores of one network; of a fresh seed without those that only serve the choice."""
    kept = {name: of[i] for name, of in scores.items() if seed < 100 or "validation" not in name}
    return {n: float(f"{v:.4g}" if "loss" in n else f"{v:.3g}") for n, v in kept.items()}


# ------------------------------------------------------------------ training


class Batches:
    """The same batches for every network of one seed."""

    def __init__(self, task, seeds, steps, copies):
        self.x, self.target = stacked(task, seeds, 0)
        n = self.x.shape[1]
        draws = [np.random.default_rng([s, 2]).integers(n, size=(steps, BATCH)) for s in seeds]
        self.rows, self.copies = np.stack(draws, axis=1), copies
        self.seeds = np.arange(len(seeds))[:, None]

    def __getitem__(self, t):
        some = self.seeds, self.rows[t]
        return [np.tile(a[some], (self.copies, 1, 1)) for a in (self.x, self.target)]


def falling(schedule, t, steps):
    return 1 - t / steps if schedule == "linear" else 1.0


def rates_of(schedule_rates, seeds):
    return np.repeat(np.array(schedule_rates, F), len(seeds))[:, None]


def adam_step(m, v, G, eta, t):
    """Adam's displacement p at step t = 1, 2, …; changes m and v."""
    m += F(0.1) * (G - m)
    v += F(0.001) * (G * G - v)
    return -eta * F((1 - 0.999**t) ** 0.5 / (1 - 0.9**t)) * m / (np.sqrt(v) + F(1e-8))


def trained(task, method, schedule, steps, rates, seeds):
    """Networks after training: all rates, and for each of them all seeds."""
    P = np.tile(start(task, seeds), (len(rates), 1))
    eta, m, v = rates_of(rates, seeds), np.zeros_like(P), np.zeros_like(P)
    batch = Batches(task, seeds, steps, len(rates))
    for t in range(steps):
        G = gradient(P, task, *batch[t])[1]
        c = F(falling(schedule, t, steps))
        if method == "momentum":
            m += F(0.1) * (G - m)
            P -= c * eta * m
        else:
            P += adam_step(m, v, G, c * eta, t + 1)
    return P


def block(seed):
    """The seeds that are computed together with this one: all for tuning, or SIDE fresh ones."""
    if seed < 100:
        return tuple(TUNING)
    first = 100 + (seed - 100) // SIDE * SIDE
    return tuple(range(first, first + SIDE))


@functools.cache
def raced(task, method, schedule, steps, rates, seeds):
    with np.errstate(all="ignore"):
        return measure(trained(task, method, schedule, steps, rates, seeds), task, seeds)


def race(task, method, schedule, budget, lr, seed):
    """Scores after the short or the long budget."""
    seeds = block(seed)
    rates = RATES[method] if seed < 100 else (lr,)  # in tuning, all rates side by side
    found = raced(task, method, schedule, STEPS[task][budget == "long"], rates, seeds)
    return rounded(found, rates.index(lr) * len(seeds) + seeds.index(seed), seed)


# ------------------------------------------------------------------ from Adam to SGD


def gammas(p, G, task):
    """pᵀp and -pᵀg for each tensor of each network."""
    ends = np.cumsum([0] + [np.prod(shape, dtype=int) for shape in shapes(task)])[:-1]
    p = p.astype(float)
    return np.add.reduceat(p * p, ends, axis=1), np.add.reduceat(-p * G, ends, axis=1)


@functools.cache
def switched(task, how, rates, tol, second, seeds):
    """Scores of networks that begin with Adam and go on with momentum, the rate falling linearly.

    ``how``: "swats" by the criterion, for all parameters at once; "tensors" the same, each tensor
    by itself; "quarter" after a quarter of the steps with SWATS's rate; "own" then, with the rate
    ``second``; "same" then, with Adam's.
    """
    steps, copies = STEPS[task][1], len(rates) * len(second)
    P = np.tile(start(task, seeds), (copies, 1))
    eta = rates_of(np.repeat(rates, len(second)), seeds)
    later = rates_of(np.tile(second, len(rates)), seeds)
    sizes = [np.prod(shape, dtype=int) for shape in shapes(task)]
    groups = len(sizes) if how == "tensors" else 1
    mean, gone = np.zeros((len(P), groups)), np.zeros((len(P), groups), bool)
    rate, when = np.zeros((len(P), groups)), np.full((len(P), groups), steps + 1)
    m, v, b = (np.zeros_like(P) for _ in range(3))
    batch = Batches(task, seeds, steps, copies)
    for t in range(1, steps + 1):
        G = gradient(P, task, *batch[t - 1])[1]
        c = 1 - (t - 1) / steps
        wide = np.repeat(gone, sizes, axis=1) if groups > 1 else gone
        big = np.repeat(rate, sizes, axis=1) if groups > 1 else rate
        b += F(0.1) * (G - b)  # (1 - β1) times SWATS's buffer
        b *= wide
        if gone.all():
            P -= (c * big).astype(F) * b
            continue
        p = adam_step(m, v, G, F(c) * eta, t)
        P += np.where(wide, -(c * big).astype(F) * b, p)
        pp, pg = gammas(p, G, task)
        if groups == 1:
            pp, pg = pp.sum(axis=1, keepdims=True), pg.sum(axis=1, keepdims=True)
        gamma = pp / pg
        mean += 0.001 * (gamma - mean)
        estimate = mean / (1 - 0.999**t)
        now = np.full_like(gone, t == steps // 4)
        if how in ("swats", "tensors"):
            now = (np.abs(estimate - gamma) < tol) & (estimate > 0) & (t > 1)
        new = {"own": later, "same": eta}.get(how, estimate / c)
        now &= ~gone & (new > 0)
        rate, when, gone = np.where(now, new, rate), np.where(now, t, when), gone | now
    scores = measure(P, task, seeds)
    never = np.isnan(P).any(axis=1)
    scores |= {"when": when.mean(axis=1), "rate": np.where(never, 0, rate.mean(axis=1))}
    return scores


def switch(task, how, lr, tol, second, seed):
    """Scores after the long budget; "when" it went over, at which "rate" for a schedule of 1."""
    seeds = block(seed)
    rates, others = grid(how) if seed < 100 else (lr,), (second,)
    if how == "own":
        rates, others = (lr,), SECOND if seed < 100 else (second,)
    with np.errstate(all="ignore"):
        found = switched(task, how, rates, tol, others, seeds)
    place = rates.index(lr) * len(others) + others.index(second)
    return rounded(found, place * len(seeds) + seeds.index(seed), seed)


ADAM = RATES["adam"][1:7]
SECOND = tuple(0.005 * 2**k for k in range(11))
TOLERANCES = (1e-4, 1e-3, 1e-2)


def grid(how):
    """Rates of Adam from which a way of switching chooses; one less where a tolerance is chosen."""
    return ADAM if how in ("quarter", "same") else ADAM[1:]


@functools.cache
def watched(task, lr, seeds):
    """SWATS's γ along Adam's way at a constant rate: per step, of all parameters and of tensors."""
    steps = STEPS[task][1]
    P = start(task, seeds)
    m, v, batch = np.zeros_like(P), np.zeros_like(P), Batches(task, seeds, steps, 1)
    gamma, cosine, each = [], [], []
    for t in range(1, steps + 1):
        G = gradient(P, task, *batch[t - 1])[1]
        p = adam_step(m, v, G, F(lr), t)
        P += p
        pp, pg = gammas(p, G, task)
        each.append(pp / pg)
        pp, pg = pp.sum(axis=1), pg.sum(axis=1)
        gamma.append(pp / pg)
        cosine.append(pg / np.sqrt(pp * (G.astype(float) ** 2).sum(axis=1)))
    return np.array(gamma), np.array(cosine), np.array(each)


def corrected(gamma):
    """λ_t / (1 - β2^t), the mean with which γ_t is compared; steps first."""
    mean, found = 0 * gamma[0], []
    for t, now in enumerate(gamma, 1):
        mean = 0.999 * mean + 0.001 * now
        found.append(mean / (1 - 0.999**t))
    return np.array(found)


def watch(task, lr, seed):
    """Shares of steps on which γ and its mean agree within 10^-k; the first such step for 10^-3."""
    seeds = block(seed)
    gamma, cosine, each = (of[:, seeds.index(seed)] for of in watched(task, lr, seeds))
    mean = corrected(gamma)
    gap = np.where(mean > 0, np.abs(mean - gamma), np.inf)[1:]
    found = {"negative": 100 * (gamma < 0).mean(), "cosine": np.median(cosine)}
    found |= {"middle": np.median(gamma), "mean": mean[-1]}
    for k in (2, 3, 4):
        found[f"share {k}"] = (gap < 10.0**-k).mean()
    found["first"] = np.argmax(gap < 1e-3) + 2 if (gap < 1e-3).any() else np.inf
    middle = np.median(each, axis=0)
    found |= {"least tensor": middle.min(), "largest tensor": middle.max()}
    return {name: float(f"{value:.3g}") for name, value in found.items()}


# ------------------------------------------------------------------ averages

STARTS = (0.0, 0.25, 0.75)  # where the average begins, as a part of the steps
BRANCHED = RATES["momentum"][1:6]
POINTS = ("last", "decayed", "ema", *(f"from {s:g}" for s in STARTS))


@functools.cache
def branches(task, rates, seeds):
    """Momentum at a constant rate: its last point, its averages, and a decayed branch.

    From three quarters of the steps on, "decayed" lets the rate fall linearly to 0, with the same
    batches; "ema" is an exponential moving average with a memory of a tenth of the run.
    """
    steps = STEPS[task][1]
    fork, marks = 3 * steps // 4, {int(s * steps): s for s in STARTS}
    P = np.tile(start(task, seeds), (len(rates), 1))
    eta, m = rates_of(rates, seeds), np.zeros_like(P)
    batch = Batches(task, seeds, steps, len(rates))
    total, before, path = np.zeros(P.shape), {}, []
    for t in range(steps):
        if t in marks:
            before[marks[t]] = total.copy()
        if t == fork:
            Q, n, ema = P.copy(), m.copy(), P.astype(float)
        m += F(0.1) * (gradient(P, task, *batch[t])[1] - m)
        P -= eta * m
        total += P
        if t >= fork:
            n += F(0.1) * (gradient(Q, task, *batch[t])[1] - n)
            Q -= F((steps - t) / (steps - fork)) * eta * n
            ema += 10 / steps * (P - ema)
            if (steps - 1 - t) % ((steps - fork) // 10) == 0:
                path.append(P.copy())
    found = {"last": P, "decayed": Q, "ema": ema}
    for s, earlier in before.items():
        found[f"from {s:g}"] = (total - earlier) / (steps - int(s * steps))
    return {name: of.astype(F) for name, of in found.items()}, np.array(path)


@functools.cache
def branch_scores(task, point, seeds):
    points, _ = branches(task, BRANCHED, seeds)
    return measure(points[point], task, seeds)


def averaged(task, point, lr, seed):
    """Scores of the last, the decayed, or an averaged point."""
    seeds = block(seed)
    with np.errstate(all="ignore"):
        found = branch_scores(task, point, seeds)
    return rounded(found, BRANCHED.index(lr) * len(seeds) + seeds.index(seed), seed)


def curve(P, task, x, target, v, h=1e-2):
    """The Hessians of all networks, each applied to its vector, by central differences."""
    length = np.linalg.norm(v, axis=1, keepdims=True)
    step = (h * v / length).astype(F)
    ahead, behind = (gradient(P + s * step, task, x, target)[1].astype(float) for s in (1, -1))
    return (ahead - behind) * length / (2 * h)


@functools.cache
def curvatures(task, point, seeds):
    """Largest eigenvalue and trace of the training Hessian; length of the way to "decayed"."""
    points, path = branches(task, BRANCHED, seeds)
    P = points[point]
    x, target = (of[:, :500] for of in stacked(task, seeds, 0, len(BRANCHED)))
    rng = np.random.default_rng(0)
    v = rng.normal(size=P.shape)
    for _ in range(8):
        u = curve(P, task, x, target, v)
        top = (u * v).sum(axis=1) / (v * v).sum(axis=1)
        v = u
    signs = rng.choice([-1.0, 1.0], size=(3, *P.shape))
    trace = np.mean([(z * curve(P, task, x, target, z)).sum(axis=1) for z in signs], axis=0)
    away = np.linalg.norm(P - points["decayed"], axis=1)
    found = {"top": top, "trace": trace, "away": away}
    found["test loss"] = branch_scores(task, point, seeds)["test loss"]
    return found


def curved(task, point, lr, seed):
    seeds = block(seed)
    with np.errstate(all="ignore"):
        found = curvatures(task, point, seeds)
    return rounded(found, BRANCHED.index(lr) * len(seeds) + seeds.index(seed), seed)


@functools.cache
def gains(task, seeds):
    """How much higher the test loss is on the way than at its average; what curvature says."""
    points, path = branches(task, BRANCHED, seeds)
    P = points["from 0.75"]
    x, target = (of[:, :1000] for of in stacked(task, seeds, 2, len(BRANCHED)))
    here = cross_entropy(logits(P, task, x)[2], target)[1]
    gain, half = 0, 0
    for Q in path:
        d = (Q - P).astype(float)
        gain = gain + (cross_entropy(logits(Q, task, x)[2], target)[1] - here) / len(path)
        half = half + (d * curve(P, task, x, target, d)).sum(axis=1) / 2 / len(path)
    return {"gain": gain, "half": half}


def gained(task, lr, seed):
    seeds = block(seed)
    with np.errstate(all="ignore"):
        found = gains(task, seeds)
    return rounded(found, BRANCHED.index(lr) * len(seeds) + seeds.index(seed), seed)


# ------------------------------------------------------------------ batch norm


def normed(P, x, stats=None):
    """Two hidden layers with batch norm and ReLU; statistics of the batch, unless given."""
    h, path, seen = x, [], []
    for k in (0, 3):
        W, g, b = P[k : k + 3]
        z = h @ W
        at = (z.mean(axis=-2, keepdims=True), z.var(axis=-2, keepdims=True))
        seen.append(at)
        mean, var = at if stats is None else stats[k // 3]
        sd = np.sqrt(var + F(1e-5))
        u = (z - mean) / sd
        path.append((h, u, sd))
        h = np.maximum(u * g + b, 0)
    return path, h, h @ P[6] + P[7], seen


def normed_gradient(P, x, target):
    path, h, z, seen = normed(P, x)
    e = (cross_entropy(z, target)[0] - target) / F(target.shape[-2])
    G = [np.swapaxes(h, -1, -2) @ e, e.sum(axis=-2, keepdims=True)]
    e = e @ np.swapaxes(P[6], -1, -2)
    for k, (below, u, sd) in zip((3, 0), path[::-1]):
        W, g, b = P[k : k + 3]
        e = e * (u * g + b > 0)
        by_g, by_b = (e * u).sum(axis=-2, keepdims=True), e.sum(axis=-2, keepdims=True)
        e = e * g
        e = (e - e.mean(axis=-2, keepdims=True) - u * (e * u).mean(axis=-2, keepdims=True)) / sd
        G = [np.swapaxes(below, -1, -2) @ e, by_g, by_b, *G]
        e = e @ np.swapaxes(W, -1, -2)
    return G, seen


BN_RATES = tuple(0.025 * 2**k for k in range(6))


@functools.cache
def normalized(task, rates, seeds):
    """Scores of the averaged network with the statistics that came along, and with new ones."""
    steps, (d, *_, k), H = STEPS[task][1], SIZES[task], 32
    rngs = [np.random.default_rng([seed, 3]) for seed in seeds]
    ones, zeros = np.ones((len(seeds), 1, H)), np.zeros((len(seeds), 1, H))
    W = [np.stack([r.normal(size=s) / s[0] ** 0.5 for r in rngs]) for s in ((d, H), (H, H), (H, k))]
    P = [W[0], ones, zeros, W[1], ones, zeros, W[2], np.zeros((len(seeds), 1, k))]
    P = [np.tile(w, (len(rates), 1, 1)).astype(F) for w in P]
    m, total, eta = [0 * w for w in P], [0.0] * len(P), rates_of(rates, seeds)[:, None]
    batch, running = Batches(task, seeds, 2 * steps, len(rates)), None
    for t in range(steps):
        two = [np.concatenate(pair, axis=1) for pair in zip(batch[2 * t], batch[2 * t + 1])]
        G, seen = normed_gradient(P, *two)
        seen = [(mean, var * F(32 / 31)) for mean, var in seen]
        running = running or seen
        running = [
            tuple(a + F(0.1) * (b - a) for a, b in zip(old, new)) for old, new in zip(running, seen)
        ]
        for w, first, g in zip(P, m, G):
            first += F(0.1) * (g - first)
            w -= eta * first
        if t >= 3 * steps // 4:
            total = [s + w for s, w in zip(total, P)]
    average = [(s / (steps - 3 * steps // 4)).astype(F) for s in total]
    x, _ = stacked(task, seeds, 0, len(rates))
    new, found = normed(average, x)[3], {}
    shrunk = [np.median(b[1] / a[1], axis=(-1, -2)) for a, b in zip(running, new)]
    for name, net, stats in (
        ("last", P, running), ("stale", average, running), ("new", average, new),
    ):  # fmt: skip
        for part, of in enumerate(("training", "validation", "test")):
            x, target = stacked(task, seeds, part, len(rates))
            z = normed(net, x, stats)[2]
            loss = cross_entropy(z, target)[1]
            if task == "letters" and part:
                loss = loss + (target * np.log(np.where(target > 0, target, 1))).sum(-1).mean(-1)
            wrong = 100 * (z.argmax(axis=-1) != target.argmax(axis=-1)).mean(axis=-1)
            found[f"{of} loss {name}"] = loss
        found[f"test error {name}"] = wrong
    return found | {"variance": np.mean(shrunk, axis=0)}


def batch_norm(task, lr, seed):
    seeds = block(seed)
    rates = BN_RATES if seed < 100 else (lr,)
    with np.errstate(all="ignore"):
        found = normalized(task, rates, seeds)
    return rounded(found, rates.index(lr) * len(seeds) + seeds.index(seed), seed)


# ------------------------------------------------------------------


if __name__ == "__main__":
    found = {}
    tasks = tuple(SIZES)
    for method, rates in RATES.items():
        tuning = sweep(
            race,
            {"task": tasks, "method": (method,), "schedule": ("constant", "linear"),
             "budget": ("short", "long"), "lr": rates},
            seeds=TUNING,
        )  # fmt: skip
        found[method] = tuning.best("lr", by="validation loss", fresh=FRESH)
        short = tuning.at(budget=["short"])
        found[f"{method} by training"] = short.best("lr", by="training loss", fresh=FRESH)
    best = found["adam"].at(method="adam", schedule="linear", budget="long").chosen["lr"]
    for how, tolerances in (
        ("swats", TOLERANCES), ("tensors", TOLERANCES), ("quarter", (0,)), ("same", (0,)),
    ):  # fmt: skip
        axes = {"task": tasks, "how": (how,), "lr": grid(how), "tol": tolerances, "second": (0,)}
        tuning = sweep(switch, axes, seeds=TUNING)
        found[how] = tuning.best("lr", "tol", by="validation loss", fresh=FRESH, ends=("tol",))
    for task, eta in zip(tasks, best):
        axes = {"task": (task,), "how": ("own",), "lr": (float(eta),), "tol": (0,)}
        tuning = sweep(switch, axes | {"second": SECOND}, seeds=TUNING)
        found[f"own {task}"] = tuning.best("lr", "second", by="validation loss", fresh=FRESH)
        found[f"watch {task}"] = sweep(watch, {"task": (task,), "lr": (float(eta),)}, seeds=FRESH)
    tuning = sweep(averaged, {"task": tasks, "point": POINTS, "lr": BRANCHED}, seeds=TUNING)
    found["averages"] = tuning.best("lr", by="validation loss", fresh=FRESH)
    found["curvature"] = sweep(
        curved, {"task": tasks, "point": ("last", "decayed", "from 0.75"), "lr": BRANCHED[1:]},
        seeds=FRESH,
    )  # fmt: skip
    found["gains"] = sweep(gained, {"task": tasks, "lr": BRANCHED[1:]}, seeds=FRESH)
    tuning = sweep(batch_norm, {"task": tasks, "lr": BN_RATES}, seeds=TUNING)
    found["batch norm"] = tuning.best("lr", by="validation loss new", fresh=FRESH)
    store(
        __file__,
        found,
        again=(
            "adam",
            {"task": "digits", "method": "adam", "schedule": "linear", "budget": "short",
             "seed": 100},
        ),
        tol=0.02,
    )  # fmt: skip
