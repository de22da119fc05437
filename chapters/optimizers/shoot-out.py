"""Every optimizer of the library on five tasks, with equal budgets of tuning: long runs for
shoot-out.md.

Writes shoot-out.json. The tasks, with their scores (less is better):
- iris: 4-16-3, tanh; log10 of the loss on the 120 flowers that it learns from (30 others would tell
  nothing apart);
- digits: 64-32-10, tanh, 500 images; cross-entropy on the 1297 others;
- autoencoder: 64-32-16-4-16-32-64, tanh, 500 images; log10 of the error on the others;
- letters: a Transformer of one layer and width 16, every sequence seen once; the divergence of the
  law from the model in nats a letter, where it has seen three letters or more;
- regression: 8 outputs of 32 inputs, no noise, all examples in every step, curvatures from 1 to
  1e-4 along axes that are turned at random; log10 of the last loss over the first.

Every method has TRIALS random settings, log-uniform: the rate from three decades, 1 - β1, 1 - β2,
the decay (where examples come twice and others score; elsewhere it is 0, and Adam is AdamW) and,
where it has one, a number of its own. They are the same for all tasks. A trial has a seed for the
choice and another for the report. "adamw again" is AdamW with other trials. The chosen setting runs
on NUMBER fresh seeds, the same for all. The rate rises over the first tenth and falls in a straight
line to 0; Schedule-Free's only rises. Muon has all matrices but embeddings and output layer (and the
one of the regression), and AdamW with the same rate the rest.

Pilots (seeds 900 and 901, nine rates, β = (0.9, 0.98)) set the middles of the ranges, so that the
best rates of the five tasks lie well inside; the sizes of W and of the losses in autoencoder and
regression were set then, to bring these rates closer together. Written before running: MATTERS, the
differences that would matter.
"""

import contextlib
import functools

import numpy as np

from minigrad import activations, attention, compile, grad, no_grad, norms, optim
from minigrad.lab import data
from minigrad.lab.experiments import store, sweep
from minigrad.nn import Parameter

F = np.float32

# ------------------------------------------------------------------ tasks

SIZES = {"iris": (4, 16, 3), "digits": (64, 32, 10), "autoencoder": (64, 32, 16, 4, 16, 32, 64)}
STEPS = {"iris": 200, "digits": 300, "autoencoder": 300, "letters": 200, "regression": 200}
BATCH = {"iris": 30, "digits": 32, "autoencoder": 32, "letters": 8, "regression": 32}
TASKS = tuple(STEPS)
MATTERS = {"iris": 0.1, "digits": 0.01, "autoencoder": 0.02, "letters": 0.03, "regression": 0.2}
LENGTH, WIDTH, HEADS, CONDITION = 12, 16, 2, 1e4


@functools.cache
def shapes(task):
    """The name and shape of every parameter; vectors are biases or gains."""
    if task == "regression":
        return {"W": (32, 8)}
    if task == "letters":
        found = {"letters": (27, WIDTH), "places": (LENGTH, WIDTH), "gain0": (WIDTH,)}
        found |= {"qkv": (WIDTH, 3 * WIDTH), "out": (WIDTH, WIDTH), "gain1": (WIDTH,)}
        found |= {"up": (WIDTH, 3 * WIDTH), "down": (3 * WIDTH, WIDTH), "gain2": (WIDTH,)}
        return found | {"head": (WIDTH, 27)}
    found = {}
    for i, pair in enumerate(zip(SIZES[task][:-1], SIZES[task][1:])):
        found |= {f"W{i}": pair, f"b{i}": pair[1:]}
    return found


def hidden(task):
    """The matrices that are Muon's: all but embeddings and the output layer."""
    if task == "regression":
        return {"W"}
    if task == "letters":
        return {"qkv", "out", "up", "down"}
    return {name for name in shapes(task) if name[0] == "W"} - {f"W{len(SIZES[task]) - 2}"}


def start(task, seed):
    rng, p = np.random.default_rng([seed, 1]), {}
    for name, shape in shapes(task).items():
        if len(shape) == 1:
            p[name] = np.full(shape, name[0] == "g", F)  # gains 1, biases 0
        else:
            scale = {"letters": 1.0, "places": 1.0, "W": 0.1}.get(name, shape[0] ** -0.5)
            p[name] = rng.normal(0, scale, shape).astype(F)
    return p


@functools.cache
def table(task):
    """Inputs and targets, all of them."""
    x, y = data.iris() if task == "iris" else data.digits()
    x = data.standardize(x) if task == "iris" else (x - 0.3) / 0.37
    return x, x if task == "autoencoder" else np.eye(y.max() + 1)[y]


@functools.cache
def examples(task, seed):
    """Inputs and targets to train on, and those that score."""
    rng = np.random.default_rng([seed, 0])
    if task == "regression":
        U, V = (np.linalg.qr(rng.normal(size=(32, 32)))[0] for _ in range(2))
        x = 16 * (U * np.geomspace(1, CONDITION**-0.5, 32)) @ V.T  # the largest curvature is 1
        pairs = [(x, x @ rng.normal(0, 0.1, (32, 8)))] * 2
    else:
        x, target = table(task)
        parts = np.split(rng.permutation(len(x)), [120 if task == "iris" else 500])
        pairs = [(x[part], target[part]) for part in parts]
        if task == "iris":
            pairs[1] = pairs[0]  # 30 flowers tell nothing apart
    return [(x.astype(F), target.astype(F)) for x, target in pairs]


class Batches:
    """What each of several models sees at step t."""

    def __init__(self, task, seeds, steps):
        self.task = task
        rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
        if task == "letters":  # every sequence is seen once
            texts = [data.letters(BATCH[task] * steps, LENGTH + 1, rng=rng)[0] for rng in rngs]
            self.texts = np.array(texts).reshape(len(seeds), steps, BATCH[task], -1)
            return
        self.x, self.target = (np.stack(of) for of in zip(*(examples(task, s)[0] for s in seeds)))
        n, size = self.x.shape[1], (steps, BATCH[task])
        every = np.broadcast_to(np.arange(n), (steps, n))
        rows = [every if task == "regression" else rng.integers(n, size=size) for rng in rngs]
        self.rows, self.seeds = np.stack(rows), np.arange(len(seeds))[:, None]

    def __getitem__(self, t):
        if self.task == "letters":
            hot, flat = np.eye(27, dtype=F)[self.texts[:, t]], (len(self.texts), -1, 27)
            return hot[:, :, :-1].reshape(flat), hot[:, :, 1:].reshape(flat)
        some = self.seeds, self.rows[:, t]
        return self.x[some], self.target[some]


def outputs(task, p, x):
    """Of all models, from inputs (models, examples, numbers); each place of a text is an example."""
    S = len(x)
    if task == "regression":
        return x @ p["W"]
    if task in SIZES:
        last = len(SIZES[task]) - 2
        for i in range(last + 1):
            x = x @ p[f"W{i}"] + p[f"b{i}"].reshape(S, 1, -1)
            x = activations.tanh(x) if i < last else x
        return x
    N, B, C = x.shape[1], x.shape[1] // LENGTH, WIDTH

    def norm(x, i):
        return norms.rms_norm(x, C, eps=1e-5) * p[f"gain{i}"].reshape(S, 1, C)

    x = (x @ p["letters"]).reshape(S, B, LENGTH, C) + p["places"].reshape(S, 1, LENGTH, C)
    x = x.reshape(S, N, C)
    qkv = (norm(x, 0) @ p["qkv"]).reshape(S, B, LENGTH, 3 * HEADS, C // HEADS).swapaxes(2, 3)
    q, k, v = (qkv[:, :, i * HEADS : (i + 1) * HEADS] for i in range(3))
    mixed = attention.scaled_dot_product_attention(q, k, v, is_causal=True)
    x = x + mixed.swapaxes(2, 3).reshape(S, N, C) @ p["out"]
    x = x + activations.silu(norm(x, 1) @ p["up"]) @ p["down"]
    return norm(x, 2) @ p["head"]


def losses(task, out, target):
    """Of each example of each model: half the mean squared error, or the cross-entropy."""
    if task in ("autoencoder", "regression"):
        return ((out - target) ** 2).mean(axis=-1) / 2
    return -(activations.log_softmax(out) * target).sum(axis=-1)


@functools.cache
def unseen():
    return data.letters(200, LENGTH + 1, rng=np.random.default_rng(2026))


def scores(task, p, seeds):
    """Of each model; less is better."""
    with no_grad():
        if task == "letters":  # the divergence of the law from the model, in nats a letter
            seen, laws = unseen()
            hot = np.eye(27, dtype=F)[seen[:, :-1]].reshape(1, -1, 27)
            logs = activations.log_softmax(
                outputs(task, p, np.repeat(hot, len(seeds), axis=0))
            ).data
            logs = logs.reshape(len(seeds), *seen[:, :-1].shape, 27)[:, :, 2:]
            true = np.log(np.where(laws > 0, laws, 1))
            return (laws * (true - logs)).sum(axis=-1).mean(axis=(1, 2))
        x, target = (np.stack(of) for of in zip(*(examples(task, s)[1] for s in seeds)))
        loss = losses(task, outputs(task, p, x), target).data.mean(axis=1, dtype=float)
        if task == "regression":
            loss = loss / [losses(task, x[i] @ start(task, s)["W"], target[i]).mean()
                           for i, s in enumerate(seeds)]  # fmt: skip
    return loss if task == "digits" else np.log10(loss)


# ------------------------------------------------------------------ methods

#: The middle of the range of rates; the range has three decades.
METHODS = {
    "sgd": 1.5, "momentum": 5.0, "nesterov": 5.0, "sgdw": 5.0, "adagrad": 0.5, "rmsprop": 0.1,
    "adadelta": 10.0, "adam": 0.1, "adamax": 0.2, "nadam": 0.1, "adamw": 0.1, "amsgrad": 0.1,
    "adabound": 0.2, "amsbound": 0.2, "radam": 0.2, "lookahead": 0.2, "lars": 10.0, "lamb": 0.05,
    "swats": 0.1, "lion": 0.015, "adafactor": 0.5, "shampoo": 0.3, "soap": 0.1, "sophia": 0.02,
    "muon": 0.1, "schedule-free-sgd": 6.0, "schedule-free-adamw": 0.1, "adamw again": 0.1,
}  # fmt: skip
CLASSES = {
    "sgd": "SGD", "momentum": "SGD", "nesterov": "SGD", "sgdw": "SGDW", "rmsprop": "RMSprop",
    "nadam": "NAdam", "adamw": "AdamW", "adamw again": "AdamW", "amsgrad": "AdamW",
    "adabound": "AdaBound", "amsbound": "AMSBound", "radam": "RAdam", "lookahead": "AdamW",
    "lars": "LARS", "lamb": "LAMB", "swats": "SWATS", "soap": "SOAP",
    "schedule-free-sgd": "ScheduleFreeSGD", "schedule-free-adamw": "ScheduleFreeAdamW",
}  # fmt: skip
#: These look at a whole layer or at all parameters, so models cannot share one optimizer.
APART = {"lars", "lamb", "swats", "adafactor", "shampoo", "soap", "muon"}
#: λθ is a part of their gradient.
COUPLED = {
    "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamax", "adabound",
    "amsbound", "lars", "swats", "schedule-free-sgd",
}  # fmt: skip
FIXED = {
    "nesterov": {"nesterov": True}, "amsgrad": {"amsgrad": True},
    "nadam": {"decoupled_weight_decay": True}, "radam": {"decoupled_weight_decay": True},
    "shampoo": {"precondition_frequency": 10}, "soap": {"precondition_frequency": 10},
}  # fmt: skip


def options(method, task, trial):
    """What a trial draws, the same for all tasks; trial -1 has the class's defaults."""
    if trial < 0:
        momentum = {"momentum": 0.9} if method in ("momentum", "nesterov") else {}
        return FIXED.get(method, {}) | momentum
    number = list(METHODS).index(method)
    return knobs(method, task, *np.random.default_rng([2, number, trial]).random(5))


def knobs(method, task, rate, a, b, decay, own):
    """Options from numbers between 0 and 1, log-uniform in all that they set."""
    lr = METHODS[method] * 10 ** (3 * rate - 1.5)
    a, b = 0.02**a, 0.3 * 300**-b  # 1 - β1 from 0.02 to 1, 1 - β2 from 0.001 to 0.3
    more = {"lr": lr} | FIXED.get(method, {})
    if method in ("momentum", "nesterov", "sgdw", "lars"):
        more |= {"momentum": 1 - a, "lr": lr * a}  # the rate of the average of gradients
    elif method == "schedule-free-sgd":
        more["momentum"] = 1 - a
    elif method == "muon":
        more |= {"momentum": 1 - a, "betas": (1 - a, 1 - b)}
    elif method == "rmsprop":
        more["alpha"] = 1 - b
    elif method == "adadelta":
        more |= {"rho": 1 - b, "eps": 10 ** (6 * own - 8)}
    elif method == "adafactor":
        more["beta2_decay"] = -0.2 - 0.8 * own
    elif method not in ("sgd", "adagrad", "shampoo"):
        more["betas"] = (1 - a, 1 - b)
    if method in ("adabound", "amsbound"):
        more["final_lr"] = 10 ** (3 * own - 2)
    more |= {
        "lars": {"trust_coefficient": 10 ** (2 * own - 3)},
        "swats": {"tol": 10 ** (3 * own - 4)},
        "shampoo": {"eps": 10 ** (6 * own - 6)},
        "sophia": {"gamma": 0.005 * 100**own},
    }.get(method, {})
    if method != "shampoo":
        strength = 10 ** (3 * decay - 5) if task in ("digits", "autoencoder") else 0.0
        more["weight_decay"] = strength if method in COUPLED else strength / more["lr"]
    return more


def optimizers(method, p, more, task, steps):
    """What trains the parameters p: a list, because Muon is for the matrices of hidden layers."""
    make = getattr(optim, CLASSES.get(method, method.capitalize()))
    if method == "muon":
        more = dict(more)
        betas = {"betas": more.pop("betas")} if "betas" in more else {}
        ours = [p[name] for name in p if name in hidden(task)]
        found = [make(ours, adjust_lr_fn="match_rms_adamw", **more)] if ours else []
        rest = [p[name] for name in p if name not in hidden(task)]
        more.pop("momentum", None)
        return found + ([optim.AdamW(rest, **betas, **more)] if rest else [])
    params = list(p.values())
    if method in ("lars", "lamb"):  # without the ratio for biases and gains, as is usual
        flat = [{"params": [q for q in params if q.ndim == 1], "trust_ratio": False}]
        params = [{"params": [q for q in params if q.ndim > 1]}] + flat * bool(flat[0]["params"])
    if method.startswith("schedule-free"):
        more = more | {"warmup_steps": steps // 10}
    opt = make(params, **more)
    return [optim.Lookahead(opt) if method == "lookahead" else opt]


def pseudo(task, out, rngs):
    """Targets drawn from what the models predict, for Sophia's estimate."""
    if task in ("autoencoder", "regression"):
        scale = out.shape[-1] ** 0.5  # so that the error's variance is the curvature in it
        return (out + scale * np.array([rng.normal(size=out.shape[1:]) for rng in rngs])).astype(F)
    noise = np.array([rng.gumbel(size=out.shape[1:]) for rng in rngs])
    return np.eye(out.shape[-1], dtype=F)[(out + noise).argmax(axis=-1)]


def train(task, method, runs, steps=None, watch=None):
    """Scores of models that are evaluated side by side, each stepped by its own optimizer.

    ``runs`` are pairs of options and seeds; ``watch(t, p)`` sees the models before each step.
    """
    steps = steps or STEPS[task]
    seeds = [seed for _, own in runs for seed in own]
    first = [start(task, seed) for seed in seeds]
    p = {name: Parameter(np.stack([net[name] for net in first])) for name in shapes(task)}
    members, at = [], 0
    for more, own in runs:
        for size in [1] * len(own) if method in APART else [len(own)]:
            where = at if method in APART else slice(at, at + size)
            net = {name: Parameter(p[name].data[where].copy()) for name in p}
            members.append((where, net, optimizers(method, net, more, task, steps)))
            at += size
    if not method.startswith("schedule-free"):
        for *_, trainers in members:
            for opt in trainers:
                top = opt.lr
                opt.schedule(
                    lambda t, top=top: top * min(1, 10 * (t + 1) / steps) * (1 - t / steps)
                )
    batches, rngs = Batches(task, seeds, steps), [np.random.default_rng([s, 3]) for s in seeds]
    number = BATCH[task] * (LENGTH if task == "letters" else 1)

    def output_and_gradients(x, target):
        out = outputs(task, p, x)
        return out, *grad(losses(task, out, target).sum() / number, list(p.values()))

    def show(how="train"):
        for where, net, trainers in members:
            if method.startswith("schedule-free"):
                getattr(trainers[0], how)()
            for name in net:
                p[name].data[where] = net[name].data

    step, dead = compile(output_and_gradients), []
    with np.errstate(all="ignore"):
        for t in range(steps):
            if watch:
                show("eval")
                watch(t, p)
                show()
            x, target = batches[t]
            out, *gradients = step(x, target)
            if method == "sophia" and t % 10 == 0:
                sampled = pseudo(task, np.asarray(out.data), rngs)
                estimates = [e.data.copy() for e in step(x, sampled)[1:]]
                for where, net, (opt,) in members:
                    # a loss with this gradient, as the models share one tape
                    linear = sum((q * e[where]).sum() for q, e in zip(net.values(), estimates))
                    with contextlib.suppress(ValueError):  # inf or nan: it has diverged
                        opt.update_hessian(linear, batch_size=number)
                gradients = step(x, target)[1:]
            gradients = [g.data for g in gradients]
            for where, net, trainers in members:
                for q, g in zip(net.values(), gradients):
                    q.grad = g[where]
                try:
                    for opt in trainers:
                        opt.step()
                except ValueError:  # some take no gradients that are inf or nan: it has diverged
                    dead.append(where)
                    trainers.clear()
                for name, q in net.items():
                    p[name].data[where] = q.data
        show("eval")
        found = scores(task, p, seeds)
    found[dead] = np.inf
    return np.where(np.isnan(found), np.inf, found)


# ------------------------------------------------------------------ experiments

TRIALS, NUMBER, FEW = 32, 20, 8
FACTORS = tuple(10 ** (0.4 * k) for k in range(-3, 4))
LONGER, LONG = 5, ("autoencoder", "letters")


def rounded(values, digits=4):
    return np.array([float(f"{v:.{digits}g}") for v in values])


def search(task, method, seed):
    """Scores of all trials; each has a seed for the choice and another for the report."""
    runs = [(options(method, task, i), (1000 + i, 2000 + i)) for i in range(TRIALS)]
    found = rounded(train(task, method, runs), digits=3)
    return {"validation": found[::2], "test": found[1::2]}


def parts(setting):
    """ "digits adamw again 7" is a task, a method and a trial."""
    task, *method, trial = setting.split()
    method = " ".join(method)
    return task, method, options(method, task, int(trial))


def fresh(setting, seed):
    """Scores on NUMBER seeds from this one on."""
    task, method, more = parts(setting)
    return rounded(train(task, method, [(more, range(seed, seed + NUMBER))]))


def few(setting, seed):
    """Scores on the first FEW of these seeds."""
    task, method, more = parts(setting)
    return rounded(train(task, method, [(more, range(seed, seed + FEW))]))


def rates(setting, seed):
    """Mean scores on two seeds, with the rate multiplied by each of FACTORS."""
    task, method, more = parts(setting)
    runs = [(more | {"lr": f * more["lr"]}, (seed, seed + 1)) for f in FACTORS]
    return rounded(train(task, method, runs).reshape(-1, 2).mean(axis=1), digits=3)


def longer(setting, factor, seed):
    """Scores after LONGER times the steps, the rate multiplied by the factor: on two seeds that
    choose it (below 400), or on ten."""
    task, method, more = parts(setting)
    seeds = range(seed, seed + (2 if seed < 400 else 10))
    runs = [(more | {"lr": factor * more["lr"]}, seeds)]
    return rounded(train(task, method, runs, steps=LONGER * STEPS[task]))


if __name__ == "__main__":
    trials = sweep(search, {"task": TASKS, "method": tuple(METHODS)}, seeds=(0,), workers=2)
    tried = trials["validation"].values[:, :, 0]
    own, other = {}, {}
    for k, task in enumerate(TASKS):
        for j, method in enumerate(METHODS):
            own[task, method] = tried[k, j].argmin()
            places = np.delete(tried[:, j], k, axis=0).argsort().argsort()
            other[task, method] = places.mean(axis=0).argmin()  # the best on the other tasks
    found = {"trials": trials}
    for name, run, chosen in (
        ("tuned", fresh, own), ("recipe", few, other), ("default", few, dict.fromkeys(own, -1)),
    ):  # fmt: skip
        settings = tuple(f"{task} {method} {trial}" for (task, method), trial in chosen.items())
        found[name] = sweep(run, {"setting": settings}, seeds=(100,), workers=2)
        for setting, row in zip(settings, found[name].values[:, 0]):
            print(name, setting, row.mean(), flush=True)
    tuned = found["tuned"].axes["setting"]
    found["rates"] = sweep(rates, {"setting": tuned}, seeds=(300,), workers=2)
    # the five with the best mean rank go on, and AdamW
    means = found["tuned"].values.mean(axis=-1).reshape(len(TASKS), len(METHODS))
    ranks = means[:, :-1].argsort(axis=1).argsort(axis=1).mean(axis=0)
    best = {list(METHODS)[i] for i in ranks.argsort()[:5]} | {"adamw"}
    goers = tuple(f"{t} {m} {own[t, m]}" for t in LONG for m in METHODS if m in best)
    axes = {"setting": goers, "factor": (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0)}
    found["long rates"] = sweep(longer, axes, seeds=(300,), workers=2)
    for setting, row in zip(goers, found["long rates"].values[:, :, 0].mean(axis=-1)):
        again = {"setting": (setting,), "factor": (axes["factor"][row.argmin()],)}
        found[f"long {setting}"] = sweep(longer, again, seeds=(400,))
        print(again, row, found[f"long {setting}"].values.mean(), flush=True)
    entry = {"setting": f"digits adamw {own['digits', 'adamw']}", "seed": 100}
    store(__file__, found, again=("tuned", entry), tol=0.01)
