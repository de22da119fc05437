"""Sharpness along whole runs: gradient descent, mini-batches, momentum, Adam, a halved rate.

Writes edge-of-stability.json. A problem is a network of two or three thousand parameters, in one
vector, and 300 digits or 64 pieces of a text. Sharpness by power iteration on `hvp`.
"""

import functools

import numpy as np

from minigrad import Tensor, compile, grad, hvp
from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

POINTS = 100  # at which a run's sharpness is found

SIZES = (64, 20, 20, 20, 10)  # of the MLP: 2350 parameters
WIDTH, LENGTH = 16, 16  # of the transformer block
LETTERS = " abcdefghijklmnopqrstuvwxyz"


def cut(t, shapes):
    """The arrays of these shapes that the vector t holds, one after another."""
    at, out = 0, []
    for shape in shapes:
        size = int(np.prod(shape))
        out.append(t[at : at + size].reshape(shape))
        at += size
    return out


def mlp(t, x, act=np.tanh, sizes=SIZES):
    shapes = [s for a, b in zip(sizes[:-1], sizes[1:]) for s in ((a, b), (b,))]
    *hidden, W, b = cut(t, shapes)
    for V, c in zip(hidden[::2], hidden[1::2]):
        x = act(x @ V + c)
    return x @ W + b


def rms(x):
    return x / ((x * x).mean(axis=-1, keepdims=True) + 1e-6) ** 0.5


def log_softmax(z):
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


SHAPES = (
    (27, WIDTH), (LENGTH, WIDTH), *[(WIDTH, WIDTH)] * 4, (WIDTH, 32), (32, WIDTH), (WIDTH, 27),
)  # fmt: skip
MASK = np.triu(np.full((LENGTH, LENGTH), -1e9), 1)


def block(t, x):
    """A pre-norm transformer block (causal attention, one head; tanh MLP); x: one-hot letters."""
    E, P, Q, K, V, O, A, B, U = cut(t, SHAPES)
    h = x @ E + P
    z = rms(h)
    scores = (z @ Q) @ (z @ K).swapaxes(-1, -2) / 4 + MASK
    h = h + np.exp(log_softmax(scores)) @ (z @ V) @ O
    h = h + np.tanh(rms(h) @ A) @ B
    return rms(h) @ U


def squares(out, y):
    return ((out - y) ** 2).sum() / (2 * len(y))


def cross_entropy(out, y):
    return -(log_softmax(out) * y).sum() / y.sum()


class Problem:
    """Training data (x, y), test data, a start t0, and the loss with its derivatives, compiled."""

    def __init__(self, name, seed):
        rng = np.random.default_rng(seed)
        kind, loss = name.split()
        if kind == "block":
            text = data.texts()[0]
            codes = np.eye(27)[[LETTERS.index(c) for c in text]]
            starts = rng.choice(len(text) - LENGTH, 64, replace=False)
            self.x = np.stack([codes[s : s + LENGTH] for s in starts])
            self.y = np.stack([codes[s + 1 : s + LENGTH + 1] for s in starts])
            self.test = None
            parts = [
                rng.normal(size=s) / np.sqrt(s[0] if i > 1 else 1) for i, s in enumerate(SHAPES)
            ]
            net = block
        else:
            x, y = data.digits()
            (self.x, y), self.test = data.split(x, y, 300 / len(y), rng=rng)
            centre = self.x.mean(0)
            self.x, self.test = self.x - centre, (self.test[0] - centre, self.test[1])
            self.y = np.eye(10)[y]
            parts = [
                p for a, b in zip(SIZES[:-1], SIZES[1:])
                for p in (rng.normal(size=a * b) / np.sqrt(4 * a), np.zeros(b))
            ]  # fmt: skip
            net = mlp
        self.net, self.rng = net, rng
        self.t0 = np.concatenate([np.ravel(p) for p in parts])
        score = squares if loss == "squares" else cross_entropy

        def f(t, x, y):
            return score(net(t, x), y)

        def value_and_slope(t, x, y):
            value = f(t, x, y)
            return value, grad(value, t)

        slope = compile(value_and_slope)
        bend = compile(lambda t, v: hvp(lambda t: f(t, self.x, self.y), t, v))
        self.f = f
        self.hvp = lambda t, v: np.asarray(bend(t, v).data)
        self.slope = slope

    def grad(self, t, batch=None):
        x, y = (self.x, self.y) if batch is None else (self.x[batch], self.y[batch])
        value, g = self.slope(Tensor(t, requires_grad=True), x, y)
        return float(value.data), np.asarray(g.data)

    def error(self, t):
        x, y = self.test
        return 100 * np.mean(self.net(t, x).argmax(1) != y)


@functools.cache
def problem(name, seed):
    return Problem(name, seed)


def sharpness(product, v, tol=1e-3, most=100):
    """The largest eigenvalue and its vector, by power iteration from v."""
    old = 0.0
    for _ in range(most):
        w = product(v)
        value = v @ w
        v = w / np.linalg.norm(w)
        if abs(value - old) < tol * abs(value):
            break
        old = value
    return value, v


def train(p, method, eta, steps, every=20, batch=None, seed=0, drop=None, until=0.0):
    """Steps from p.t0; losses before each step, (preconditioned) sharpnesses every so many steps.

    `drop`: a step, from which on the rate is halved. Ends where the loss is below `until`.
    """
    rng = np.random.default_rng([seed, 1])
    t, losses, sharp = p.t0.copy(), [], []
    u = rng.normal(size=len(t))
    u /= np.linalg.norm(u)
    m, s = np.zeros_like(t), np.zeros_like(t)
    for k in range(steps):
        chosen = None if batch is None else rng.choice(len(p.x), batch, replace=False)
        value, g = p.grad(t, chosen)
        if not value < 1e6 or value < until:
            break
        losses.append(value)
        rate = eta if drop is None or k < drop else eta / 2
        scale = 1.0
        if method == "gd":
            move = g
        elif method == "momentum":
            move = m = 0.9 * m + g
        else:
            m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
            root = np.sqrt(s / (1 - 0.999 ** (k + 1))) + 1e-8
            scale = root * (1 - 0.9 ** (k + 1))
            move = m / scale
        if k % every == 0:
            r = 1 / np.sqrt(scale)
            top, u = sharpness(lambda v: r * p.hvp(t, r * v), u)
            sharp.append(top)
        t = t - rate * move
    return t, np.array(losses), np.array(sharp)


EDGE = {"gd": 2, "momentum": 3.8, "adam": 38}  # times 1/η


def summary(name, method, eta, steps, every, seed, **more):
    """Scores of a run. A ratio is the sharpness over the edge; medians from the first crossing on."""
    p = problem(name, seed)
    t, losses, sharp = train(p, method, eta, steps, every, seed=seed, **more)
    ratio = sharp * eta / EDGE[method]
    from_ = np.argmax(ratio > 1) if (ratio > 1).any() else None
    none = from_ is None
    rises = np.diff(losses) > 0
    return {
        "first": np.inf if none else from_ * every,
        "start": ratio[0],
        "top": ratio.max(),
        "middle": np.inf if none else np.median(ratio[from_:]),
        "late": np.median(ratio[len(ratio) // 2 :]),
        "end": ratio[-1],
        "above": np.inf if none else np.mean(ratio[from_:] > 1),
        "rises": rises.mean(),
        "rises after": np.inf if none else rises[from_ * every :].mean(),
        "steps": len(losses),
        "left": losses[-20:].mean() / (1 if none else losses[from_ * every :][:20].mean()),
        "loss": losses[-1],
        "error": p.error(t) if p.test else np.inf,
    }


def gd(name, eta, seed):
    """The same flow time η·steps for each η: 800 for the MLP, 400 for the block."""
    steps = round((800 if "mlp" in name else 400) / eta)
    return summary(name, "gd", eta, steps, steps // POINTS, seed)


def curves(name, eta, seed):
    steps = round((800 if "mlp" in name else 400) / eta)
    _, losses, sharp = train(problem(name, seed), "gd", eta, steps, steps // POINTS, seed=seed)
    return {"loss": losses[:: steps // POINTS], "sharp": sharp}


def others(method, eta, seed):
    """Momentum 0.9 and Adam, 2000 steps; after the first 100, where Adam's estimates are young."""
    p = problem("mlp squares", seed)
    _, losses, sharp = train(p, method, eta, 2000, 10, seed=seed)
    ratio = sharp[10:] * eta / EDGE[method]
    return {
        "top": ratio.max() if len(ratio) == 190 else np.inf,
        "late": np.median(ratio[90:]) if len(ratio) == 190 else np.inf,
        "loss": losses[-1] if len(ratio) == 190 else np.inf,
    }


def batches(batch, eta, seed):
    return summary("mlp squares", "gd", eta, round(1200 / eta), 20, seed, batch=batch)


def halved(drop, seed, eta=0.8, steps=1600):
    """η is halved at step `drop` (never, if `drop` = `steps`). Medians before and at the end."""
    p = problem("mlp squares", seed)
    _, losses, sharp = train(p, "gd", eta, steps, 10, seed=seed, drop=drop)
    ratio = sharp * eta / 2
    late = ratio[41:]
    return {
        "before": np.median(ratio[20:40]),
        "after": np.median(ratio[-40:]),
        "reached": 10 * np.argmax(late > 2) + 10 if (late > 2).any() else np.inf,
        "loss at": losses[380:400].mean(),
        "loss then": losses[420:440].mean(),
        "loss end": losses[-20:].mean(),
    }


def halved_curve(seed, eta=0.8, steps=1600):
    _, losses, sharp = train(problem("mlp squares", seed), "gd", eta, steps, 10, drop=400)
    return {"loss": losses[::10], "sharp": sharp}


def flat(eta, seed):
    """Until the training loss is below 0.03."""
    p = problem("mlp squares", seed)
    t, losses, _ = train(p, "gd", eta, round(1200 / eta), 10**9, until=0.03)
    u = np.random.default_rng(1).normal(size=len(t))
    top, _ = sharpness(lambda v: p.hvp(t, v), u / np.linalg.norm(u), 1e-4, 300)
    return {"error": p.error(t), "sharp": top, "steps": len(losses)}


def reaction(p, t, u, h=1e-3):
    """The gradient at t, and ∇S without its part along u: (∇f(t + hu) + ∇f(t − hu) − 2∇f(t))/h²."""
    g = p.grad(t)[1]
    slope = (p.grad(t + h * u)[1] + p.grad(t - h * u)[1] - 2 * g) / h**2
    return g, slope - (slope @ u) * u


def at_the_edge(p, eta, kept, steps=250, seed=0):
    """Gradient descent from the first step with S > 2/η on, the oscillation known at each step.

    θ = c + xu, where u is the top eigenvector and x such that the gradient at c has no part along u.
    kept: "all": plain gradient descent. "higher": without the term x²∇S/2, perpendicular to u.
    "none": all parts but the one along u are taken at c, so the oscillation acts on nothing else.
    Returns rows: sharpness at c, loss at θ, x, α, β.
    """
    t, u = p.t0.copy(), np.random.default_rng(1).normal(size=len(p.t0))
    u, rows, crossed = u / np.linalg.norm(u), [], False
    while len(rows) < steps:
        value, g = p.grad(t)
        if not value < 1e3:
            break
        if not crossed:
            s, u = sharpness(lambda v: p.hvp(t, v), u, 1e-3, 300)
            crossed = s > 2 / eta
        if crossed:
            x, centre = 0.0, g
            for _ in range(5):
                x += u @ centre / s
                centre = p.grad(t - x * u)[1]
            s, u = sharpness(lambda v: p.hvp(t - x * u, v), u, 1e-4, 300)
            centre, slope = reaction(p, t - x * u, u)
            flow = centre - (u @ centre) * u
            rows.append([s, value, x, -flow @ slope, slope @ slope])
            if kept == "higher":
                g = g - x * x / 2 * slope
            elif kept == "none":
                g = (u @ g) * u + flow
        t = t - eta * g
    return np.array(rows)


def feedback(kept, eta, seed):
    rows = at_the_edge(problem("mlp squares", seed), eta, kept)
    s, value, x, alpha, beta = rows.T
    return {
        "top": s.max() * eta / 2,
        "late": np.median(s[125:]) * eta / 2 if len(s) == 250 else np.inf,
        "worst": value.max() / value[0],
        "done": len(s),
        "late loss": np.median(value[125:]) / value[0] if len(s) == 250 else np.inf,
        "rise": (s[10] - s[0]) / (eta * alpha[:10].sum()),
        "pushed up": alpha.sum() - (s[-1] - s[0]) / eta,
        "pushed down": (beta * x**2).sum() / 2,
    }


if __name__ == "__main__":
    digits, entropy, text = "mlp squares", "mlp entropy", "block entropy"
    rates = (0.05, 0.1, 0.2, 0.4, 0.8)
    run = functools.partial(sweep, workers=2)
    found = {
        "gd": run(gd, {"name": (digits,), "eta": rates}, seeds=8),
        "entropy": run(gd, {"name": (entropy,), "eta": (1.0, 2.0, 4.0)}, seeds=8),
        "block": run(gd, {"name": (text,), "eta": (0.1, 0.2, 0.4)}, seeds=4),
        "curves": run(curves, {"name": (digits,), "eta": rates}, seeds=1),
        "block curves": run(curves, {"name": (text,), "eta": (0.1, 0.2, 0.4)}, seeds=1),
        "momentum": run(others, {"method": ("momentum",), "eta": (0.4, 0.5, 0.55)}, seeds=8),
        "adam": run(others, {"method": ("adam",), "eta": (0.002, 0.004, 0.008)}, seeds=8),
        "batches": run(batches, {"batch": (5, 20, 75, 300), "eta": (0.4, 0.8)}, seeds=6),
        "halved": run(halved, {"drop": (400, 1600)}, seeds=8),
        "halved curve": run(halved_curve, {}, seeds=1),
        "flat": run(flat, {"eta": (0.05, 0.2, 0.8)}, seeds=24),
        "feedback": run(
            feedback, {"kept": ("all", "higher", "none"), "eta": (0.4, 0.8)}, seeds=8
        ),
    }  # fmt: skip
    again = {"name": digits, "eta": 0.1, "seed": 0}
    store(__file__, found, again=("curves", again), tol=0.02)
