"""Quasi-Newton methods on the 35 standard problems, beside SciPy's, and on a network.

Writes quasi-newton.json: `problems` (evaluations until max |∇f| <= 1e-5, at most 500 steps, inf if
it is not reached), `full` and `adam …` (a network, full batches), `batches` (mini-batches).
"""

import warnings

import numpy as np
import scipy.optimize

from minigrad import Tensor, grad, minimize
from minigrad.lab import data
from minigrad.lab.experiments import store, sweep
from minigrad.lab.standard_problems import PROBLEMS
from minigrad.minimizers import backtracking, strong_wolfe

GTOL, STEPS = 1e-5, 500


class Enough(Exception):
    """The gradient vanishes."""


class Counted:
    """f and its gradient, as arrays; counts evaluations."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, x):
        self.calls += 1
        leaf = Tensor(x, requires_grad=True)
        y = self.f(leaf)
        return y.item(), grad(y, leaf).data


def own(f, x, search, formula, guard, c2=0.9):
    """BFGS or DFP with one thing changed at a time: the evaluations, and what went wrong.

    search: "wolfe", "backtracking", or "fixed" (α = 1, the first one 1 / Σ|g_i| at most).
    guard: what is done where y·s <= 0: "skip" the update, or "none" of it.
    """
    counted = Counted(f)
    value, g = counted(x)
    H, negative = None, 0
    for _ in range(STEPS):
        if np.abs(g).max() <= GTOL:
            return counted.calls, negative, False
        p = -g if H is None else -(H @ g)
        if search == "fixed":
            s = p * min(1, 1 / np.abs(g).sum()) if H is None else p
            value, g_new = counted(x + s)
            if not np.isfinite(value) or not np.isfinite(g_new).all():
                return np.inf, negative, False
        else:
            if not p @ g < 0:
                return np.inf, negative, True  # uphill
            first = 1 / max(1, np.linalg.norm(g)) if H is None else 1.0
            if search == "wolfe":
                found = strong_wolfe(f, x, p, alpha=first, c2=c2)
            else:
                found = backtracking(f, x, p, alpha=first)
            counted.calls += found.nfev
            if found.alpha is None:
                return np.inf, negative, False
            s, g_new = found.point.x - x, found.point.jac
        x, y, g = x + s, g_new - g, g_new
        sy = s @ y
        negative += bool(sy <= 0)
        if sy <= 0 and guard == "skip" or sy == 0:
            continue
        if H is None:
            H = abs(sy) / (y @ y) * np.eye(len(x))
        if formula == "bfgs":
            V = np.eye(len(x)) - np.outer(s, y) / sy
            H = V @ H @ V.T + np.outer(s, s) / sy
        else:
            Hy = H @ y
            H = H - np.outer(Hy, Hy) / (y @ Hy) + np.outer(s, s) / sy
        if not np.isfinite(H).all():
            return np.inf, negative, False
    return np.inf, negative, False


OURS = {
    "bfgs": ("bfgs", {}),
    "unscaled": ("bfgs", {"scaling": "none"}),
    "l-bfgs": ("l-bfgs", {}),
    "cg": ("cg", {}),
}
SCIPYS = {
    "scipy bfgs": ("BFGS", {"gtol": GTOL}),
    "scipy l-bfgs": ("L-BFGS-B", {"gtol": GTOL, "ftol": 0, "maxfun": 100_000}),
    "scipy default": ("L-BFGS-B", {}),
}
#: search, formula, guard, and c2 if not 0.9
OWN = {
    "wolfe": ("wolfe", "bfgs", "none"),
    "backtracking, skip": ("backtracking", "bfgs", "skip"),
    "backtracking": ("backtracking", "bfgs", "none"),
    "fixed": ("fixed", "bfgs", "skip"),
    "dfp": ("wolfe", "dfp", "none"),
    "bfgs, c2 = 0.1": ("wolfe", "bfgs", "none", 0.1),
    "dfp, c2 = 0.1": ("wolfe", "dfp", "none", 0.1),
}


def problems(problem, method, seed):
    """Seed 0: from the standard start; others: each coordinate off by a tenth, at random."""
    given = PROBLEMS[problem]
    start = given.start
    if seed:
        start = start * (1 + 0.1 * np.random.default_rng(seed).normal(size=len(start)))
    score = {"negative": 0, "uphill": 0}
    if method in OURS:
        name, options = OURS[method]
        found = minimize(given.f, start, method=name, gtol=GTOL, maxiter=STEPS, **options)
        calls, steps, claimed = found.nfev, found.nit, found.success
        x = found.x
    elif method in SCIPYS:
        name, options = SCIPYS[method]
        counted = Counted(given.f)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = scipy.optimize.minimize(
                counted, start, jac=True, method=name, options=options | {"maxiter": STEPS}
            )
        calls, steps, claimed, x = counted.calls, found.nit, found.success, found.x
    else:
        calls, score["negative"], score["uphill"] = own(given.f, start, *OWN[method])
        return {"calls": calls, "steps": np.inf, "claimed": np.isfinite(calls)} | score
    solved = np.abs(Counted(given.f)(x)[1]).max() <= GTOL
    return {
        "calls": calls if solved else np.inf,
        "steps": steps if solved else np.inf,
        "claimed": claimed,
    } | score


# ------------------------------------------------------------------ a network

SIZES, DECAY, EXAMPLES = (64, 16, 10), 1e-3, 1000
SHAPES = ((16, 64), (16,), (10, 16), (10,))


def examples(n, rng):
    x, y = data.digits()[:2]
    chosen = rng.permutation(len(x))[:n]
    return x[chosen], np.eye(10)[y[chosen]]


def initial(rng):
    parts = [rng.normal(size=s) / np.sqrt(s[1]) if len(s) == 2 else np.zeros(s) for s in SHAPES]
    return np.concatenate([part.ravel() for part in parts])


def unpacked(w):
    ends = np.cumsum([np.prod(s) for s in SHAPES])[:-1]
    return [part.reshape(s) for part, s in zip(np.split(w, ends), SHAPES)]


def network(w, x, t):
    """Cross-entropy of a 64-16-10 network with tanh plus decay/2 ‖w‖², and the gradient by hand."""
    W1, b1, W2, b2 = unpacked(w)
    h = np.tanh(x @ W1.T + b1)
    z = h @ W2.T + b2
    z = z - z.max(1, keepdims=True)
    e = np.exp(z)
    total = e.sum(1, keepdims=True)
    loss = (np.log(total[:, 0]) - (z * t).sum(1)).mean() + DECAY / 2 * (w @ w)
    dz = (e / total - t) / len(x)
    dh = dz @ W2 * (1 - h * h)
    parts = (dh.T @ x, dh.sum(0), dz.T @ h, dz.sum(0))
    return loss, np.concatenate([part.ravel() for part in parts]) + DECAY * w


def tensor_network(x, t):
    """The same for `minimize`."""

    def f(w):
        at, parts = 0, []
        for s in SHAPES:
            parts.append(w[at : at + int(np.prod(s))].reshape(s))
            at += int(np.prod(s))
        W1, b1, W2, b2 = parts
        z = np.tanh(x @ W1.T + b1) @ W2.T + b2
        z = z - z.data.max(1, keepdims=True)
        likelihood = np.log(np.exp(z).sum(1)) - (z * t).sum(1)
        return likelihood.mean() + DECAY / 2 * (w * w).sum()

    return f


BUDGETS = (25, 50, 100, 200, 400)


def full(method, rate, seed):
    """The lowest loss seen within a budget of gradients, full batches; `rate` is Adam's."""
    rng = np.random.default_rng(seed)
    x, t = examples(300, rng)
    w, losses = initial(rng), []
    if method == "adam":
        m, v = 0.0, 0.0
        for k in range(1, BUDGETS[-1] + 1):
            loss, g = network(w, x, t)
            losses.append(loss)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            w = w - rate * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
    else:
        f = tensor_network(x, t)

        def recorded(w):
            y = f(w)
            losses.append(y.item())
            if len(losses) >= BUDGETS[-1]:
                raise Enough
            return y

        name, _, memory = method.partition(" ")
        options = {"memory": int(memory)} if memory else {}
        try:
            minimize(recorded, w, method=name, gtol=1e-9, maxiter=1000, **options)
        except Enough:
            pass
    losses = np.minimum.accumulate(np.where(np.isfinite(losses), losses, np.inf))
    return {str(b): round(losses[min(b, len(losses)) - 1], 6) for b in BUDGETS}


def batches(method, size, rate, seed, epochs=40, m=10):
    """The loss over all examples after gradients of `epochs` passes, steps of a constant rate.

    "same": y is the difference of two gradients on one batch, which costs two; "mixed": of the
    gradients that there are, on one batch and on the next.
    """
    rng = np.random.default_rng(seed)
    x, t = examples(EXAMPLES, rng)
    w, order = initial(rng), []

    def batch():
        if len(order) < size:
            order[:] = rng.permutation(EXAMPLES)
        chosen, order[:] = np.array(order[:size]), order[size:]
        return x[chosen], t[chosen]

    left, pairs, gamma, refused, seen = epochs * EXAMPLES, [], 1.0, 0, 0
    m1, v1, k, old = 0.0, 0.0, 0, None
    while left >= size * (2 if method == "same" else 1):
        B = batch()
        g = network(w, *B)[1]
        left -= size
        k += 1
        if method == "mixed" and old is not None:
            s, y = w - old[0], g - old[1]
            seen += 1
            if s @ y > 1e-12 * np.linalg.norm(s) * np.linalg.norm(y):
                pairs, gamma = [*pairs, (s, y)][-m:], (s @ y) / (y @ y)
            else:
                refused += 1
        if method == "sgd":
            step = -rate * g
        elif method == "adam":
            m1, v1 = 0.9 * m1 + 0.1 * g, 0.999 * v1 + 0.001 * g * g
            step = -rate * (m1 / (1 - 0.9**k)) / (np.sqrt(v1 / (1 - 0.999**k)) + 1e-8)
        else:
            q, alphas = g, []
            for s, y in reversed(pairs):
                alphas.append((s @ q) / (y @ s))
                q = q - alphas[-1] * y
            q = gamma * q
            for (s, y), alpha in zip(pairs, reversed(alphas)):
                q = q + (alpha - (y @ q) / (y @ s)) * s
            step = -rate * q
        old = (w, g)
        w = w + step
        if method == "same":
            y = network(w, *B)[1] - g
            left -= size
            seen += 1
            if step @ y > 1e-12 * np.linalg.norm(step) * np.linalg.norm(y):
                pairs, gamma = [*pairs, (step, y)][-m:], (step @ y) / (y @ y)
            else:
                refused += 1
        if not np.abs(w).max() < 1e4:
            return {"loss": np.inf, "refused": np.inf}
    loss = network(w, x, t)[0]
    return {"loss": round(loss, 6), "refused": round(refused / max(seen, 1), 4)}


FRESH = range(100, 124)
FULL = ("gradient-descent", "cg", "l-bfgs 1", "l-bfgs 3", "l-bfgs 10", "l-bfgs 30")

if __name__ == "__main__":
    standard = sweep(
        problems, {"problem": tuple(PROBLEMS), "method": (*OURS, *SCIPYS, *OWN)},
        seeds=4, workers=2,
    )  # fmt: skip
    whole = sweep(full, {"method": FULL, "rate": (0,)}, seeds=FRESH, workers=2)
    rates = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    tried = sweep(full, {"method": ("adam",), "rate": rates}, seeds=5, workers=2)
    adam = {f"adam {b}": tried.best("rate", by=str(b), fresh=FRESH) for b in BUDGETS}
    rates = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
    parts = sweep(
        batches,
        {"method": ("sgd", "adam", "same", "mixed"), "size": (50, 200, 1000), "rate": rates},
        seeds=7, workers=2,
    ).best("rate", by="loss", of="median", fresh=FRESH)  # fmt: skip
    store(
        __file__,
        {"problems": standard, "full": whole, **adam, "batches": parts},
        again=("problems", {"problem": "Beale", "method": "bfgs", "seed": 3}),
        tol=0.1,
    )
