"""Where SGD walks: walls, angles, heights and distances, batches, straight lines between networks.

Writes walk-with-sgd.json. The network is 64-32-10 with ReLU, softmax and cross-entropy, on 512 digits;
"floor" runs have weight decay 0.01, so that they come to rest. Parameters are one vector of 2410
numbers; seeds, and pairs of networks, stand side by side on the leading axis. Gradients are written
out by hand, for speed; the chapter compares them with minigrad's.

Written before running (pilots on seeds 1000 to 1015 set the grids): an identity is refuted by an error
of 0.02 in a cosine or of a tenth in a height; a factor of 1.2 matters in a loss, a height or a distance;
a barrier matters if it is a tenth of the one that it is compared with.

Corrected since: a step used to count as crossing a valley if the loss rose at its end; now the loss must
also fall at its beginning. Lines used to be called monotone on 26 points; 201 show rises that 26 miss.
"""

import functools

import numpy as np
from scipy.optimize import linear_sum_assignment

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

WIDTH, DECAY, SIDE = 32, 0.01, 8
TIMES = tuple(int(k) for k in np.unique(np.geomspace(4, 4096, 41).astype(int)))
LINE, FINE = np.linspace(0, 1, 26), np.linspace(0, 1, 201)


def cut(t, h=WIDTH):
    """Views of W (64, h), b (1, h), V (h, 10), c (1, 10) in vectors of parameters."""
    side, a = t.shape[:-1], 64 * h
    W, b = t[..., :a].reshape(*side, 64, h), t[..., a : a + h].reshape(*side, 1, h)
    V, c = t[..., a + h : -10].reshape(*side, h, 10), t[..., -10:].reshape(*side, 1, 10)
    return W, b, V, c


def start(seeds, h=WIDTH):
    """He's initial weights of each seed; biases are zero."""
    drawn = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 1])
        W, V = rng.normal(size=64 * h) * (2 / 64) ** 0.5, rng.normal(size=10 * h) / h**0.5
        drawn.append(np.concatenate([W, np.zeros(h), V, np.zeros(10)]))
    return np.array(drawn)


@functools.cache
def digits(task="entropy"):
    """512 images, centred, and one-hot labels; the other 1285 for the test."""
    x, y = data.digits()
    order = np.random.default_rng(0).permutation(len(x))
    x, hot = x - x[order[:512]].mean(axis=0), np.eye(10)[y]
    if task == "random labels":
        hot = np.eye(10)[np.random.default_rng(5).integers(10, size=len(x))]
    return x[order[:512]], hot[order[:512]], x[order[512:]], hot[order[512:]]


def forward(t, x, h=WIDTH):
    W, b, V, c = cut(t, h)
    a = np.maximum(x @ W + b, 0)
    return a, a @ V + c


def value(t, x, hot, decay=0.0, h=WIDTH):
    """The loss of each network."""
    z = forward(t, x, h)[1]
    top = z.max(axis=-1)
    entropy = np.log(np.exp(z - top[..., None]).sum(axis=-1)) + top - (z * hot).sum(axis=-1)
    return entropy.mean(axis=-1) + decay / 2 * (t * t).sum(axis=-1)


def outputs(t, x, hot, h=WIDTH, squares=False):
    """Hidden layer, losses of the examples, and their derivatives at the outputs and inside."""
    a, z = forward(t, x, h)
    if squares:
        d = z - hot
        each = (d * d).sum(axis=-1) / 2
    else:
        top = z.max(axis=-1, keepdims=True)
        d = np.exp(z - top)
        total = d.sum(axis=-1, keepdims=True)
        each = (np.log(total) + top)[..., 0] - (z * hot).sum(axis=-1)
        d = d / total - hot
    return a, each, d, (d @ np.swapaxes(cut(t, h)[2], -1, -2)) * (a > 0)


def grad(t, x, hot, decay=0.0, h=WIDTH, squares=False):
    """The loss of each network and its gradient."""
    a, each, d, e = outputs(t, x, hot, h, squares)
    side = t.shape[:-1]
    parts = (
        (np.swapaxes(x, -1, -2) @ e).reshape(*side, -1), e.sum(axis=-2),
        (np.swapaxes(a, -1, -2) @ d).reshape(*side, -1), d.sum(axis=-2),
    )  # fmt: skip
    g = np.concatenate(parts, axis=-1) / d.shape[-2]
    return each.mean(axis=-1) + decay / 2 * (t * t).sum(axis=-1), g + decay * t


def noise(t, x, hot):
    """tr Σ: the mean squared distance of an example's gradient from the mean gradient."""
    a, _, d, e = outputs(t, x, hot)
    one = ((x**2).sum(-1) + 1) * (e**2).sum(-1) + ((a**2).sum(-1) + 1) * (d**2).sum(-1)
    return one.mean(axis=-1) - (grad(t, x, hot)[1] ** 2).sum(axis=-1)


def descend(t, steps, rate=0.5, rho=0.9):
    """Full-batch momentum, down to the floor."""
    x, hot = digits()[:2]
    m = np.zeros_like(t)
    for _ in range(steps):
        m = rho * m + grad(t, x, hot, DECAY)[1]
        t = t - rate * m
    return t


def block(seed, side=SIDE):
    return range(side * (seed // side), side * (seed // side + 1))


def draw(rngs, batch):
    """A batch for each seed, with replacement."""
    x, hot = digits()[:2]
    some = np.stack([rng.integers(512, size=batch) for rng in rngs])
    return x[some], hot[some]


@functools.cache
def bottom(seeds):
    return descend(start(seeds), 2500)


def dot(a, b):
    return (a * b).sum(axis=-1)


@functools.cache
def walk_block(phase, batch, eta, rho, seeds):
    """SGD from the floor for the flow time 200, or the first 100 steps from the start.

    In the second half (at the start: always), at 60 steps: loss, |∇L|², the squared noise of the
    step's gradient, whether the loss starts by rising, valleys of both losses (first down, then up), the
    depth of the middle of the step. At all: the cosine, as the mean product over the mean square, and
    the mean of the single cosines.
    """
    x, hot = digits()[:2]
    at_floor = phase == "floor"
    t = bottom(seeds) if at_floor else start(seeds)
    steps = max(800, round(200 / eta * (1 - rho))) if at_floor else 100
    first = steps // 2 if at_floor else 0
    rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
    m, rows, cosines, places = np.zeros_like(t), [], [], []
    looks = set(np.linspace(first, steps - 1, 60).astype(int).tolist())
    for k in range(steps):
        some = draw(rngs, batch)
        g = grad(t, *some, DECAY)[1]
        old, m = m, rho * m + g
        if k > first:
            cosines.append([dot(m, old), dot(m, m), dot(old, old)])
        after = t - eta * m
        if k in looks:
            loss, full = grad(t, x, hot, DECAY)
            loss2, full2 = grad(after, x, hot, DECAY)
            middle = value(t - eta / 2 * m, x, hot, DECAY)
            mini = grad(after, *some, DECAY)[1]
            up = dot(full, m) < 0
            rows.append([loss, dot(full, full), dot(g - full, g - full), up,
                         ~up & (dot(full2, m) < 0), (dot(g, m) > 0) & (dot(mini, m) < 0),
                         (loss + loss2) / 2 - middle])  # fmt: skip
            places.append(k)
        t = after
    rows, half = np.array(rows, float), 30
    loss, G, T, up, walls, mini, depth = rows.mean(axis=0)
    apart = np.mean(places[half:]) - np.mean(places[:half])
    fall = (rows[:half, 0].mean(axis=0) - rows[half:, 0].mean(axis=0)) / apart
    p = (eta * G - 2 * fall) / (1 + rho)
    D = (eta**2 * (G + T) - 2 * rho * eta * p) / (1 - rho**2)
    product, new, past = np.moveaxis(np.array(cosines), 1, 0)
    scores = {"loss": loss, "G": G, "T": T, "uphill": up, "walls": walls, "mini walls": mini, "depth": depth,
              "cos": product.mean(axis=0) / new.mean(axis=0), "predicted cos": rho - eta * p / D,
              "mean cos": (product / np.sqrt(new * past)).mean(axis=0)}  # fmt: skip
    if at_floor:
        cool = value(descend(t, 200), x, hot, DECAY)
        scores |= {"height": loss - cool, "tr": noise(bottom(seeds), x, hot)}
    return scores


def walk(phase, batch, eta, seed, rho=0.0):
    scores = walk_block(phase, batch, eta, rho, block(seed))
    return {name: float(f"{of[seed % SIDE]:.4g}") for name, of in scores.items()}


@functools.cache
def gd_block(task, eta, seeds, steps=1200):
    x, hot = digits()[:2]
    t = start(seeds)
    g, cosines = np.zeros_like(t), []
    for _ in range(steps):
        old = g
        g = grad(t, x, hot, DECAY if task == "decay" else 0.0, squares=task == "squares")[1]
        cosines.append(dot(g, old) / np.sqrt(dot(g, g) * dot(old, old) + 1e-300))
        t = t - eta * g
    return np.array(cosines)


def gd(task, eta, seed):
    """Full-batch descent, 1200 steps: cosines of successive updates, means over 20 steps."""
    cosines = gd_block(task, eta, block(seed, 4))[:, seed % 4]
    return np.round(cosines.reshape(60, 20)[:, 1:].mean(axis=1), 4)


@functools.cache
def distance_block(task, batch, eta, seeds):
    x, hot = digits(task)[:2]
    t = begin = start(seeds)
    rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
    far = []
    for k in range(1, TIMES[-1] + 1):
        some = slice(None)
        if batch < 512:
            some = np.stack([rng.integers(512, size=batch) for rng in rngs])
        t = t - eta * grad(t, x[some], hot[some], squares=task == "squares")[1]
        if k in TIMES:
            far.append(np.linalg.norm(t - begin, axis=-1))
    return np.array(far)


def distance(task, batch, eta, seed):
    """‖θ_k − θ_0‖ at the steps TIMES; a batch of 512 is the full one."""
    return np.round(distance_block(task, batch, eta, block(seed, 4))[:, seed % 4], 4)


@functools.cache
def scaling_block(power, batch, seeds, examples=4096):
    rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
    t = start(seeds)
    for _ in range(examples // batch):
        t = t - 2.0**power * batch * grad(t, *draw(rngs, batch))[1]
    x, hot = digits()[:2]
    return value(t, x, hot), noise(t, x, hot) / dot(*2 * (grad(t, x, hot)[1],))


def scaling(power, batch, seed):
    """The training loss after 4096 examples with η = 2^power · batch."""
    return float(f"{min(scaling_block(power, batch, block(seed))[0][seed % SIDE], 1e3):.4g}")


def scale(power, examples, seed):
    """The noise scale tr Σ / |∇L|² after so many examples, batches of 16."""
    return float(f"{scaling_block(power, 16, block(seed), examples)[1][seed % SIDE]:.4g}")


def align(a, b, h=WIDTH):
    """b with its hidden units in the order in which their weights are most like a's."""
    out = np.empty_like(b)
    for k in range(len(a)):
        (W, c, V, _), (W2, c2, V2, last) = cut(a[k], h), cut(b[k], h)
        _, order = linear_sum_assignment(-(W.T @ W2 + c.T @ c2 + V @ V2.T))
        parts = W2[:, order], c2[:, order], V2[order], last
        out[k] = np.concatenate([part.ravel() for part in parts])
    return out


def bend(a, b, rngs, h=WIDTH, steps=3000):
    """The corner m of a path a - m - b, trained so that the loss is low along it."""
    m = (a + b) / 2
    for k in range(steps):
        at = np.array([[rng.random()] for rng in rngs])
        share = 2 * np.minimum(at, 1 - at)
        t = (1 - share) * np.where(at < 0.5, a, b) + share * m
        m = m - 0.3 * (1 - k / steps) * share * grad(t, *draw(rngs, 32), h=h)[1]
    return m


def along(a, b, h=WIDTH, test=False, places=LINE):
    """Training loss, or test error in percent, on the straight line from a to b."""
    x, hot, x_test, hot_test = digits()
    found = []
    for s in places:
        t = (1 - s) * a + s * b
        if test:
            wrong = forward(t, x_test, h)[1].argmax(-1) != hot_test.argmax(-1)
            found.append(100 * wrong.mean(axis=-1))
        else:
            found.append(value(t, x, hot, h=h))
    return np.array(found)


def barrier(line):
    """By how much a line rises above the straight line between its ends."""
    return (line - np.linspace(line[0], line[-1], len(line))).max(axis=0)


def climb(line):
    """The most by which a line rises above what was its lowest so far."""
    return (line - np.minimum.accumulate(line, axis=0)).max(axis=0)


def monotone(line):
    return (np.diff(line, axis=0) <= 1e-9).all(axis=0)


@functools.cache
def pairs_block(h, seeds):
    """Two networks a pair, 1000 steps with η = 0.5 and batches of 32."""
    both = [2 * seed for seed in seeds] + [2 * seed + 1 for seed in seeds]
    begin = t = start(both, h)
    rngs = [np.random.default_rng([seed, 2]) for seed in both]
    for _ in range(1000):
        t = t - 0.5 * grad(t, *draw(rngs, 32), h=h)[1]
    n = len(seeds)
    a, b = t[:n], t[n:]
    m = bend(a, b, [np.random.default_rng([seed, 3]) for seed in seeds], h)
    errors = along(a, b, h, test=True)
    lines = {"straight": along(a, b, h), "aligned": along(a, align(a, b, h), h)}
    scores = {name: barrier(line) for name, line in lines.items()}
    corner = np.concatenate([along(a, m, h), along(m, b, h)[1:]])
    scores |= {"bent": barrier(corner), "end": lines["straight"][0]}
    scores |= {"end error": errors[[0, -1]].mean(axis=0), "middle error": errors[12:14].mean(0)}
    scores |= {"aligned error": along(a, align(a, b, h), h, test=True)[12:14].mean(axis=0)}
    for name, end in (("own", a), ("other", b)):
        line = along(begin[:n], end, h, places=FINE)
        scores |= {name: monotone(line), f"{name} climb": climb(line) / line[0]}
    return scores, lines["straight"], lines["aligned"], corner


def pairs(width, seed):
    scores = pairs_block(width, block(seed))[0]
    return {name: float(f"{float(of[seed % SIDE]):.4g}") for name, of in scores.items()}


def pair_lines(width, seed):
    _, straight, aligned, corner = pairs_block(width, block(seed))
    lines = {"straight": straight, "aligned": aligned, "bent": corner[::2]}
    return {name: np.round(line[:, seed % SIDE], 5) for name, line in lines.items()}


@functools.cache
def deep_block(rate, seeds):
    """Eight hidden layers of 32 tanh units, Adam, 1000 steps: the line from the start to the end."""
    x, hot = digits()[:2]
    sizes = (64, *[32] * 8, 10)
    rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
    drawn = [[rng.normal(size=(i, o)) / i**0.5 for i, o in zip(sizes, sizes[1:])] for rng in rngs]
    begin = p = [np.stack(W) for W in zip(*drawn)]

    def both(p, x, hot):
        hidden = [x]
        for W in p[:-1]:
            hidden.append(np.tanh(hidden[-1] @ W))
        z = hidden[-1] @ p[-1]
        top = z.max(axis=-1, keepdims=True)
        d = np.exp(z - top)
        total = d.sum(axis=-1, keepdims=True)
        loss = ((np.log(total) + top)[..., 0] - (z * hot).sum(axis=-1)).mean(axis=-1)
        d, found = (d / total - hot) / z.shape[-2], []
        for W, a in zip(p[::-1], hidden[::-1]):
            found.append(np.swapaxes(a, -1, -2) @ d)
            d = (d @ np.swapaxes(W, -1, -2)) * (1 - a * a)
        return loss, found[::-1]

    m, v = [0 * W for W in p], [0 * W for W in p]
    for k in range(1, 1001):
        g = both(p, *draw(rngs, 32))[1]
        m = [0.9 * a + 0.1 * d for a, d in zip(m, g)]
        v = [0.999 * a + 0.001 * d * d for a, d in zip(v, g)]
        size = rate * (1 - 0.999**k) ** 0.5 / (1 - 0.9**k)
        p = [W - size * a / (np.sqrt(b) + 1e-8) for W, a, b in zip(p, m, v)]
    line = [both([(1 - s) * a + s * b for a, b in zip(begin, p)], x, hot)[0] for s in FINE]
    return np.array(line)


def deep(rate, seed):
    line = deep_block(rate, block(seed))[:, seed % SIDE]
    return {"end": line[-1], "monotone": float(monotone(line)), "climb": climb(line)}


if __name__ == "__main__":
    run = functools.partial(sweep, workers=1)  # seeds share a block, and blocks a cache
    rates = (0.1, 0.2, 0.4, 0.8, 1.6)
    found = {
        "floor": run(walk, {"phase": ("floor",), "batch": (8, 64), "eta": rates}, seeds=8),
        "heavy": run(walk, {"phase": ("floor",), "batch": (8, 64), "eta": (0.04, 0.16),
                            "rho": (0.9,)}, seeds=8),
        "early": run(walk, {"phase": ("early",), "batch": (8, 64), "eta": (0.1, 0.4, 1.6)}, seeds=8),
        "gd entropy": run(gd, {"task": ("entropy",), "eta": (1.0, 4.0)}, seeds=4),
        "gd decay": run(gd, {"task": ("decay",), "eta": (1.0, 3.5)}, seeds=4),
        "gd squares": run(gd, {"task": ("squares",), "eta": (1.4,)}, seeds=4),
        "distance": run(distance, {"task": ("entropy",), "batch": (8, 32, 512),
                                   "eta": (0.1, 1.6)}, seeds=4),
        "tasks": run(distance, {"task": ("squares", "random labels"), "batch": (32, 512),
                                "eta": (0.1,)}, seeds=4),
        "scaling": run(scaling, {"power": (-6, -5, -4, -3, -2),
                                 "batch": tuple(2**k for k in range(1, 10))}, seeds=8),
        "scale": run(scale, {"power": (-6, -3), "examples": (64, 256, 1024, 4096)}, seeds=8),
        "pairs": run(pairs, {"width": (32, 128)}, seeds=8),
        "lines": run(pair_lines, {"width": (32,)}, seeds=1),
        "deep": run(deep, {"rate": (0.001, 0.01, 0.02, 0.03)}, seeds=8),
    }  # fmt: skip
    again = {"phase": "early", "batch": 64, "eta": 0.4, "seed": 3}
    store(__file__, found, again=("early", again), tol=0.01)
