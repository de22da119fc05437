"""A quadratic of matrices, and eight optimizers that train one small language model, with fifteen
trials each: long runs for since-2019.md.

Writes since-2019.json. `quadratic` is the loss ½‖A(W - W*)B‖², whose Hessian is BBᵀ ⊗ AᵀA with the
condition number 10⁴; with entries "shuffled", the 100 numbers stand in W in another order. 200 steps
with a rate that falls in a straight line to 0; the score is the logarithm of the last loss over the
first.

In `language` the text is Shannon's (`minigrad.lab.data.letters`), so the law of the next letter is
known and every sequence is seen once. The Transformer has two layers of width 16 (RMSNorm before
each branch, two heads, SiLU, no biases); batches of 16 sequences of 12 letters. The score is the
excess over the entropy, KL(text || model) in nats a letter, where the model has seen three letters
or more. The rate rises over the first tenth and falls in a straight line to 0;
Schedule-Free, which exists to need no schedule, only has the rise. No weight decay: no example comes
twice. Muon has the matrices of the hidden layers, and AdamW with the same rate the rest; Shampoo and
SOAP renew their roots and bases, and Sophia its curvature, every 10 steps.

A trial is one of five rates and one of three settings: "paper" are the authors' other defaults,
"short" and "shorter" are shorter memories, because pilots showed that in some hundred steps they
matter as much as the method. For Adafactor it is the exponent of β2, for Shampoo, whose sums forget
nothing, ε.

Two controls. "two rates" is AdamW with a rate of its own for the matrices that Muon has: its settings
are the factor between the two, and β = (0.5, 0.95). "random axes" is AdamW along axes that are drawn
once, where SOAP takes eigenvectors: 5 rates, and the β that SOAP chose in pilots.

Written before running: 0.03 nats would matter. Pilots (seeds 1000 to 1003) set the grids; scores had
a standard deviation of 0.02 to 0.04. In them AdamW was not better by 0.03 with β1 = 0 or 0.3, nor with
β2 = 0.9 or 0.99 beside β1 = 0.5, and Sophia not with γ = 0.005, 0.5 or 2. Chosen by the validation
score on 4 seeds; 16 others report.
`long` is the same for five times the steps, with four rates and two settings: the short memories, or
the two smaller factors.
"""

import functools

import numpy as np

from minigrad import activations, attention, compile, grad, no_grad, norms, optim
from minigrad.lab import data
from minigrad.lab.experiments import store, sweep
from minigrad.nn import Parameter

LENGTH, BATCH, WIDTH, HEADS, LAYERS = 12, 16, 16, 2, 2
SHAPES = {"letters": (27, WIDTH), "places": (LENGTH, WIDTH)}
for i in range(LAYERS):
    SHAPES |= {f"gain{2 * i}": (WIDTH,), f"gain{2 * i + 1}": (WIDTH,)}
    SHAPES |= {f"qkv{i}": (WIDTH, 3 * WIDTH), f"out{i}": (WIDTH, WIDTH)}
    SHAPES |= {f"up{i}": (WIDTH, 3 * WIDTH), f"down{i}": (3 * WIDTH, WIDTH)}
SHAPES |= {f"gain{2 * LAYERS}": (WIDTH,), "head": (WIDTH, 27)}


def matrices(seed, n=10, condition=1e4):
    """A, W*, B and an order of the entries."""
    rng = np.random.default_rng([seed, 2])

    def factor():
        U, V = (np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(2))
        return U * np.geomspace(1, condition**-0.25, n) @ V.T

    return factor(), rng.normal(size=(n, n)), factor(), rng.permutation(n * n)


def quadratic(method, entries, lr, seed, steps=200):
    """The decimal logarithm of the last loss over the first."""
    A, target, B, order = matrices(seed)
    if entries == "straight":
        order = np.arange(order.size)
    W = Parameter(np.zeros(target.shape))
    more = {"SGD": {"momentum": 0.9}, "SOAP": {"weight_decay": 0}, "Muon": {"weight_decay": 0}}
    opt = getattr(optim, method)([W], lr=lr, **more.get(method, {}))
    opt.schedule(lambda t: lr * (1 - t / steps))
    losses, X = [], np.empty(order.size)
    for t in range(steps + 1):
        X[order] = W.data.ravel()
        R = A @ (X.reshape(target.shape) - target) @ B
        losses.append((R**2).sum() / 2)
        W.grad = (A.T @ R @ B.T).ravel()[order].reshape(target.shape)
        if t < steps:
            opt.step()
    return np.log10(losses[-1] / losses[0])


def start(seed):
    rng = np.random.default_rng([seed, 1])
    p = {}
    for name, shape in SHAPES.items():
        if len(shape) == 1:
            p[name] = Parameter(np.ones(shape), np.float32)
        else:
            scale = 1.0 if name in ("letters", "places") else shape[0] ** -0.5
            p[name] = Parameter(rng.normal(0, scale, shape), np.float32)
    return p


def logits(p, letters):
    """Logits from one-hot letters, both (runs, sequences · places, 27)."""
    S, N, _ = letters.shape
    B, T, H = N // LENGTH, LENGTH, HEADS

    def norm(x, i):
        return norms.rms_norm(x, WIDTH, eps=1e-5) * p[f"gain{i}"].reshape(S, 1, WIDTH)

    x = (letters @ p["letters"]).reshape(S, B, T, WIDTH) + p["places"].reshape(S, 1, T, WIDTH)
    x = x.reshape(S, N, WIDTH)
    for i in range(LAYERS):
        qkv = (norm(x, 2 * i) @ p[f"qkv{i}"]).reshape(S, B, T, 3 * H, WIDTH // H).swapaxes(2, 3)
        a = attention.scaled_dot_product_attention(
            qkv[:, :, :H], qkv[:, :, H : 2 * H], qkv[:, :, 2 * H :], is_causal=True
        )
        x = x + a.swapaxes(2, 3).reshape(S, N, WIDTH) @ p[f"out{i}"]
        x = x + activations.silu(norm(x, 2 * i + 1) @ p[f"up{i}"]) @ p[f"down{i}"]
    return norm(x, 2 * LAYERS) @ p["head"]


def excess(p, which):
    """KL of the language from each model, in nats a letter."""
    letters, laws = data.letters(300, LENGTH + 1, rng=np.random.default_rng([2026, which]))
    S = len(p["head"].data)
    seen = np.repeat(np.eye(27, dtype=np.float32)[letters[:, :-1]].reshape(1, -1, 27), S, axis=0)
    with no_grad():
        logs = activations.log_softmax(logits(p, seen)).data
    logs = logs.reshape(S, *letters[:, :-1].shape, 27)[:, :, 2:]
    true = np.log(np.where(laws > 0, laws, 1))
    return (laws * (true - logs)).sum(axis=-1).mean(axis=(1, 2))


SHORT, SHORTER = {"betas": (0.9, 0.95)}, {"betas": (0.5, 0.95)}
SETTINGS = {
    "adamw": {"paper": {}, "short": SHORT, "shorter": SHORTER},
    "lion": {"paper": {}, "short": SHORT, "shorter": SHORTER},
    "adafactor": {"paper": {}, "short": {"beta2_decay": -0.5}, "shorter": {"beta2_decay": -0.3}},
    "shampoo": {"paper": {}, "short": {"eps": 1e-2}, "shorter": {"eps": 1.0}},
    "soap": {"paper": {}, "short": SHORT, "shorter": SHORTER},
    "sophia": {"paper": {}, "short": SHORT, "shorter": SHORTER},
    "muon": {"paper": {}, "short": {"momentum": 0.9}, "shorter": {"momentum": 0.5}},
    "schedule-free": {"paper": {}, "short": SHORT, "shorter": SHORTER},
    "two rates": {"0.7": {"factor": 0.7}, "0.35": {"factor": 0.35}, "0.18": {"factor": 0.18}},
    "random axes": {"shorter": SHORTER},
}


class RandomAxes(optim.AdamW):
    """AdamW on matrices turned by random orthogonal ones, the same throughout the training."""

    layerwise = True

    def update(self, theta, g, state, **options):
        if g.ndim < 2:
            super().update(theta, g, state, **options)
            return
        if state["t"] == 1:
            rng = np.random.default_rng(g.shape)
            random = (rng.normal(size=(n, n)) for n in g.shape)
            state["axes"] = [np.linalg.qr(matrix)[0].astype(g.dtype) for matrix in random]
        left, right = state["axes"]
        turned = left.T @ theta @ right
        super().update(turned, left.T @ g @ right, state, **options)
        theta[...] = left @ turned @ right.T


def optimizers(method, setting, p, lr, warmup):
    """What trains one model: a list, because Muon is for the matrices of hidden layers."""
    every, more = list(p.values()), {"lr": lr} | SETTINGS[method][setting]
    hidden = [p[name] for name in p if name[:-1] in ("qkv", "out", "up", "down")]
    rest = [p[name] for name in p if name[:-1] not in ("qkv", "out", "up", "down")]
    if method == "two rates":
        groups = [{"params": hidden, "lr": more["factor"] * lr}, {"params": rest}]
        return [optim.AdamW(groups, lr, **SHORTER, weight_decay=0)]
    if method == "muon":
        muon = optim.Muon(hidden, weight_decay=0, adjust_lr_fn="match_rms_adamw", **more)
        betas = (more.get("momentum", 0.9), 0.95 if "momentum" in more else 0.999)
        return [muon, optim.AdamW(rest, lr=lr, betas=betas, weight_decay=0)]
    if method == "schedule-free":
        return [optim.ScheduleFreeAdamW(every, warmup_steps=warmup, **more)]
    if method in ("shampoo", "soap"):
        more["precondition_frequency"] = 10
    if method not in ("adafactor", "shampoo"):
        more["weight_decay"] = 0
    if method == "random axes":
        return [RandomAxes(every, **more)]
    names = {"adamw": "AdamW", "soap": "SOAP"}
    return [getattr(optim, names.get(method, method.capitalize()))(every, **more)]


@functools.cache
def block(method, setting, steps, lr, seeds):
    """Scores of several runs whose models are evaluated side by side and stepped one by one."""
    nets = [start(seed) for seed in seeds]
    p = {name: Parameter(np.stack([net[name].data for net in nets])) for name in SHAPES}
    trainers = [optimizers(method, setting, net, lr, steps // 10) for net in nets]
    if method != "schedule-free":
        for opt in sum(trainers, []):
            opt.schedule(lambda t: lr * min(1, 10 * (t + 1) / steps) * (1 - t / steps))
    number, one_hot = BATCH * steps, np.eye(27, dtype=np.float32)
    rngs = [np.random.default_rng([seed, 0]) for seed in seeds]
    texts = np.array([data.letters(number, LENGTH + 1, rng=rng)[0] for rng in rngs])

    def loss_and_gradients(seen, target):
        scores = logits(p, seen)
        loss = -(activations.log_softmax(scores) * target).sum() / (BATCH * LENGTH)
        return scores, *grad(loss, list(p.values()))

    step = compile(loss_and_gradients)

    def show():
        for name in SHAPES:
            p[name].data[...] = [net[name].data for net in nets]

    for t, now in enumerate(np.split(texts, steps, axis=1)):
        hot, flat = one_hot[now], (len(seeds), -1, 27)
        seen, target = hot[:, :, :-1].reshape(flat), hot[:, :, 1:].reshape(flat)
        scores, *gradients = step(seen, target)
        if method == "sophia" and t % 10 == 0:
            sampled = sample(np.asarray(scores.data), rngs)
            estimates = [e.data.copy() for e in step(seen, sampled)[1:]]
            gradients = step(seen, target)[1:]
            for k, (net, (opt,)) in enumerate(zip(nets, trainers)):
                # a loss with this gradient, as the models share one tape
                linear = sum((q * e[k]).sum() for q, e in zip(net.values(), estimates))
                opt.update_hessian(linear, batch_size=BATCH * LENGTH)
        for name, g in zip(SHAPES, gradients):
            for net, own in zip(nets, g.data):
                net[name].grad = own
        for k, own in enumerate(trainers):
            try:
                for opt in own:
                    opt.step()
            except ValueError:  # Shampoo takes no gradients that are inf or nan: it has diverged
                trainers[k] = []
        show()
    if method == "schedule-free":
        for (opt,) in trainers:
            opt.eval()
        show()
    found = {name: excess(p, which) for which, name in enumerate(("validation", "test"))}
    gone = np.array([not own for own in trainers])
    return {name: np.where(gone, np.inf, score) for name, score in found.items()}


def sample(scores, rngs):
    """One-hot letters drawn from the models' predictions, by Gumbel's maximum."""
    noise = np.array([rng.gumbel(size=scores.shape[1:]) for rng in rngs])
    return np.eye(27, dtype=np.float32)[(scores + noise).argmax(axis=-1)]


def language(method, setting, steps, lr, seed):
    """Scores of one run, out of the block that its seed belongs to."""
    size = 4 if seed < 100 else 8
    first = seed // size * size if seed < 100 else (seed - 100) // size * size + 100
    found = block(method, setting, steps, lr, tuple(range(first, first + size)))
    return {name: values[seed - first] for name, values in found.items()}


RATES = {
    "adamw": 0.06, "lion": 0.01, "adafactor": 0.2, "shampoo": 1.2, "soap": 0.06, "sophia": 0.015,
    "muon": 0.12, "schedule-free": 0.12, "two rates": 0.12, "random axes": 0.06,
}  # fmt: skip


def tuned(method, steps, fresh, settings, middle, doublings):
    """The best trial on fresh seeds; the grid of rates moves along if the best is at an end."""
    rates = tuple(round(middle * 2.0**k, 6) for k in doublings)
    axes = {"method": (method,), "setting": settings, "steps": (steps,), "lr": rates}
    tried = sweep(language, axes, seeds=4)
    try:
        return tried, tried.best("lr", "setting", by="validation", fresh=fresh, ends=("setting",))
    except ValueError as error:
        print(error, flush=True)
    least = tried["validation"].mean().min(axis=(0, 1, 2)).argmin()
    return tuned(method, steps, fresh, settings, rates[least], doublings)


if __name__ == "__main__":
    axes = {
        "method": ("SGD", "Adam", "Lion", "Shampoo", "SOAP", "Muon"),
        "entries": ("straight", "shuffled"),
        "lr": tuple(round(0.01 * 2**k, 2) for k in range(16)),
    }
    found = {"quadratic": sweep(quadratic, axes, seeds=4)}
    found["quadratic"] = found["quadratic"].best("lr", fresh=range(100, 120))
    print(found["quadratic"].chosen, found["quadratic"].mean(), flush=True)
    for method in SETTINGS:
        every = tuple(SETTINGS[method])
        trials, best = tuned(method, 400, range(100, 116), every, RATES[method], range(-2, 3))
        found |= {f"{method} trials": trials, method: best}
        print(method, best.chosen, best.mean().ravel(), flush=True)
    for method in ("adamw", "schedule-free", "muon", "soap", "two rates"):
        middle, settings = found[method].chosen["lr"].item(), tuple(SETTINGS[method])[1:]
        _, best = tuned(method, 2000, range(100, 108), settings, middle, range(-2, 2))
        found[f"{method} long"] = best
        print(method, best.chosen, best.mean().ravel(), flush=True)
    again = {"method": "muon", "setting": "paper", "steps": 60, "lr": 0.06}
    found["again"] = sweep(language, {name: (value,) for name, value in again.items()}, seeds=4)
    store(__file__, found, again=("again", again | {"seed": 0}), tol=0.01)
