"""Every optimizer of the library on six surfaces; and classes of different frequency.

Writes unified-view.json. Surfaces: the steps (at most 3000) until the loss is within 0.001 of the
minimum and stays there for 200 steps, at each of 43 learning rates, the same for all; options are
the library's defaults (weight decay 0: AdamW is Adam then, SGDW is SGD). Three sets of starts: the
standard one, 11 around it to choose the rate, and 11 others; both drawn twice (seeds 0 and 1).
Classes: a linear softmax classifier of 640 examples, full batch.
"""

import numpy as np

from minigrad import Tensor, optim
from minigrad.lab import problems
from minigrad.lab.experiments import store, sweep
from minigrad.optim.blocks import State

RATES = np.geomspace(1e-5, 1e2, 43)
STEPS, STAY, NEAR, AROUND, NEVER = 3000, 200, 1e-3, 11, 1e6
SURFACES = {
    "ravine": problems.ravine(condition=100),
    "turned": problems.ravine(condition=100, angle=np.pi / 4),
    "Rosenbrock": problems.rosenbrock(),
    "saddle": problems.saddle(),
    "Beale": problems.beale(),
    "plateau": problems.plateau(),
}
NO_DECAY = {"weight_decay": 0.0}
METHODS = {
    "sgd": (optim.SGD, {}),
    "momentum": (optim.SGD, {"momentum": 0.9}),
    "nesterov": (optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "schedule-free-sgd": (optim.ScheduleFreeSGD, {}),
    "lookahead": (optim.SGD, {"momentum": 0.9}),
    "adagrad": (optim.Adagrad, {}),
    "rmsprop": (optim.RMSprop, {}),
    "adadelta": (optim.Adadelta, {}),
    "adam": (optim.Adam, {}),
    "adamax": (optim.Adamax, {}),
    "nadam": (optim.NAdam, {}),
    "amsgrad": (optim.Adam, {"amsgrad": True}),
    "adabound": (optim.AdaBound, {}),
    "amsbound": (optim.AMSBound, {}),
    "radam": (optim.RAdam, {}),
    "swats": (optim.SWATS, {}),
    "schedule-free-adamw": (optim.ScheduleFreeAdamW, {}),
    "lion": (optim.Lion, {}),
    "sophia": (optim.Sophia, {}),
    "lars": (optim.LARS, {}),
    "lamb": (optim.LAMB, NO_DECAY),
    "adafactor": (optim.Adafactor, {}),
    "shampoo": (optim.Shampoo, {}),
    "soap": (optim.SOAP, NO_DECAY),
    "muon": (optim.Muon, NO_DECAY),
}


def gradient(problem, x):
    """∇f at many points, by the complex step."""
    return np.stack([problem.f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(2)], axis=-1)


def length(x):
    return np.sqrt((x * x).sum(-1, keepdims=True))


def adam_step(g, state, betas, eps):
    """m̂ / (√v̂ + ε)."""
    (beta1, beta2), t, m, v = betas, state["t"], state["m"], state["v"]
    m[...] = beta1 * m + (1 - beta1) * g
    v[...] = beta2 * v + (1 - beta2) * g * g
    return m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)


# The rules below look at a whole parameter, or keep an average of it, so here they are written for
# many runs side by side; the notebook counts the steps of the library's own, too.


def lars(theta, g, state, lr, momentum, trust_coefficient, **_):
    size, slope = length(theta), length(g)
    ratio = np.where((size > 0) & (slope > 0), trust_coefficient * size / slope, 1.0)
    state["b"] = momentum * state["b"] + lr * ratio * g
    theta -= state["b"]


def lamb(theta, g, state, lr, betas, eps, **_):
    u = adam_step(g, state, betas, eps)
    size, long = length(theta), length(u)
    theta -= lr * np.where((size > 0) & (long > 0), size / long, 1.0) * u


def soap(theta, g, state, lr, betas, eps, **_):  # of a vector: Adam
    theta -= lr * adam_step(g, state, betas, eps)


def adafactor(theta, g, state, lr, beta2_decay, eps, d, **_):
    def rms(x):
        return length(x) / np.sqrt(2)

    t, tiny = state["t"], float(np.finfo(float).eps)
    state["v"] += t**beta2_decay * (g * g - state["v"])
    u = g / np.sqrt(np.maximum(state["v"], tiny**2))
    alpha = np.maximum(eps[1], rms(theta)) * np.minimum(lr, 1 / np.sqrt(t))
    theta -= alpha * u / np.maximum(1, rms(u) / d)


def shampoo(theta, g, state, lr, eps, **_):
    (x, y), h = np.moveaxis(g, -1, 0), state.setdefault("h", [eps, 0.0, eps])
    h[:] = a, b, c = h[0] + x * x, h[1] + x * y, h[2] + y * y
    root = np.sqrt(a * c - b * b)  # the root of a 2 × 2 matrix H is (H + √det H) / this:
    scale = np.sqrt(a + c + 2 * root) / ((a + root) * (c + root) - b * b)
    theta -= lr * scale[..., None] * np.stack([(c + root) * x - b * y, (a + root) * y - b * x], -1)


def muon(theta, g, state, lr, momentum, ns_coefficients, ns_steps, eps, **_):  # a 2 × 1 matrix
    state["b"] = b = momentum * state["b"] + (1 - momentum) * g
    o = (1 - momentum) * g + momentum * b
    o = o / np.maximum(length(o), eps)
    for _step in range(ns_steps):
        square = (o * o).sum(-1, keepdims=True)
        p, q, r = ns_coefficients
        o = (p + q * square + r * square**2) * o
    theta -= lr * np.sqrt(2) * o


def swats(theta, g, state, lr, betas, eps, tol, **_):
    t, (beta1, beta2) = state["t"], betas
    if t == 1:
        state["rate"] = np.zeros((*g.shape[:-1], 1))
        state["mean"] = np.zeros((*g.shape[:-1], 1))
        state["b"] = np.zeros_like(g)
    switched = state["rate"] > 0
    state["b"] = np.where(switched, beta1 * state["b"] + g, 0.0)
    m, v = state["m"], state["v"]
    m[...], v[...] = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
    p = -lr * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + eps)
    theta += np.where(switched, -(1 - beta1) * state["rate"] * state["b"], p)
    gamma = (p * p).sum(-1, keepdims=True) / -(p * g).sum(-1, keepdims=True)
    state["mean"] = beta2 * state["mean"] + (1 - beta2) * gamma
    mean = state["mean"] / (1 - beta2**t)
    now = ~switched & (t > 1) & (np.abs(mean - gamma) < tol) & (mean > 0)
    state["rate"] = np.where(now, mean, state["rate"])


def schedule_free(theta, d, state, lr, beta):
    if state["t"] == 1:
        state["x"], state["z"] = theta.copy(), theta.copy()
    state["z"] -= lr * d
    state["x"] += (state["z"] - state["x"]) / state["t"]
    theta[...] = (1 - beta) * state["z"] + beta * state["x"]


def schedule_free_sgd(theta, g, state, lr, momentum, **_):
    schedule_free(theta, g, state, lr, momentum)


def schedule_free_adamw(theta, g, state, lr, betas, eps, **_):
    schedule_free(theta, adam_step(g, state, (0.0, betas[1]), eps), state, lr, betas[0])


OWN = {
    "lars": lars,
    "lamb": lamb,
    "soap": soap,
    "adafactor": adafactor,
    "shampoo": shampoo,
    "muon": muon,
    "swats": swats,
    "schedule-free-sgd": schedule_free_sgd,
    "schedule-free-adamw": schedule_free_adamw,
}


def walk(method, problem, starts, rates, steps, seed=0):
    """The points of each step, for rates of shape (R, 1, 1) and starts of shape (S, 2)."""
    made, options = METHODS[method]
    opt = made([Tensor(np.zeros((2, 1)), requires_grad=True)], **options)
    known = {k: v for k, v in opt.param_groups[0].arguments.items() if k != "lr"}
    if "base_lr" in known:  # final_lr is in proportion to lr: keep it where it is
        known |= {"base_lr": 1.0, "final_lr": known["final_lr"] / rates}
    rule = OWN.get(method, opt.update)
    theta = np.tile(starts, (len(rates), 1, 1))
    state, rng, slow = State(theta), np.random.default_rng(seed), theta.copy()
    yield theta
    for t in range(steps):
        g = gradient(problem, theta)
        if method == "sophia" and t % 10 == 0:  # Hutchinson's estimate, from fresh u
            u = rng.normal(size=theta.shape)
            hu = (gradient(problem, theta + 1e-5 * u) - gradient(problem, theta - 1e-5 * u)) / 2e-5
            state["h"] = known["betas"][1] * state["h"] + (1 - known["betas"][1]) * u * hu
        state["t"] += 1
        rule(theta, g, state, lr=rates, **known)
        if method == "lookahead" and (t + 1) % 5 == 0:
            theta[...] = slow = slow + 0.5 * (theta - slow)
        yield state["x"] if method.startswith("schedule-free") else theta


def surface(method, problem, seed, steps=STEPS, rates=RATES):
    """By rate, the steps until the loss stays within NEAR of the minimum, or NEVER: from the
    standard start, and the median over the two sets of starts around it, whose deviation is a
    twentieth of the map."""
    problem = SURFACES[problem]
    level = problem.f(problem.minimum) + NEAR
    left, right, bottom, top = problem.bounds
    around = np.random.default_rng(seed).normal(size=(2 * AROUND, 2))
    begin = np.vstack([np.zeros(2), 0.05 * np.array([right - left, top - bottom]) * around])
    needed, last = np.full((len(rates), len(begin)), NEVER), -1
    with np.errstate(all="ignore"):  # rates that are too large diverge
        runs = walk(method, problem, problem.start + begin, rates[:, None, None], steps, seed)
        for t, x in enumerate(runs):
            last = np.where(problem.f(x) < level, last, t)
            needed[(t - last >= STAY) & (needed == NEVER)] = t - STAY + 1
    standard, choose, fresh = np.split(needed, [1, 1 + AROUND], axis=1)
    return {
        "standard": standard[:, 0],
        "choose": np.median(choose, axis=1),
        "fresh": np.median(fresh, axis=1),
    }


# --- Classes


def examples(kind, rng):
    """Inputs and labels of 640 examples. "even": 31 classes, 20 or 21 examples each; "heavy": 1
    class of 128, 2 of 64, ... 16 of 8; "two": 480 dogs and 160 cats."""
    counts = {
        "even": [21] * 20 + [20] * 11,
        "heavy": [128 >> j for j in range(5) for _ in range(1 << j)],
        "two": [480, 160],
    }[kind]
    y = np.repeat(np.arange(len(counts)), counts)
    x = rng.normal(size=(len(counts), 16))[y] + 1.5 * rng.normal(size=(len(y), 16))
    return x, y, np.array(counts)


LINEAR = {
    "sgd": (optim.SGD, {}),
    "momentum": (optim.SGD, {"momentum": 0.9}),
    "adagrad": (optim.Adagrad, {}),
    "rmsprop": (optim.RMSprop, {}),
    "adam": (optim.Adam, {}),
}


def classes(method, kind, steps, lr, seed):
    """A linear softmax classifier, full batch: the mean training loss, that of the rarest classes
    and that of the most frequent."""
    rng = np.random.default_rng(seed)
    x, y, counts = examples(kind, rng)
    W = Tensor(np.zeros((len(counts), 16)), requires_grad=True)
    made, options = LINEAR[method]
    opt = made([W], lr=lr, **options)
    target = np.eye(len(counts))[y]

    def excess(z):
        z = z - z.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    for _ in range(steps):
        p = np.exp(excess(x @ W.data.T))
        W.grad = (p - target).T @ x / len(p)
        opt.step()
    loss = -excess(x @ W.data.T)[np.arange(len(x)), y]
    often = counts[y]
    return {
        "loss": loss.mean(),
        "rare": loss[often == often.min()].mean(),
        "frequent": loss[often == often.max()].mean(),
    }


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        surfaces = sweep(surface, {"method": tuple(METHODS), "problem": tuple(SURFACES)}, seeds=2)
        grid = {
            "method": tuple(LINEAR),
            "kind": ("even", "heavy", "two"),
            "steps": (30, 100),
            "lr": tuple(np.geomspace(4e-3, 30, 20).round(6)),
        }
        found = sweep(classes, grid, seeds=3).best("lr", by="loss", fresh=range(100, 116))
        grid |= {"method": ("sgd", "momentum", "adam"), "kind": ("heavy",), "steps": (500,)}
        longer = sweep(classes, grid, seeds=2).best("lr", by="loss", fresh=range(100, 108))
    store(
        __file__,
        {"surfaces": surfaces, "classes": found, "longer": longer},
        again=("surfaces", {"method": "adam", "problem": "plateau", "seed": 0}),
        tol=0,
    )
