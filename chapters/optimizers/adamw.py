"""Weight decay in Adam and AdamW: heat maps, scaled inputs, exceptions; equilibria of five methods.

Writes adamw.json. Decay: 300 digits, a fifth of their labels replaced at random, a network 64-64-10
(tanh), batches of 50, a constant rate, weight decay on matrices only. Without: a network with two
layer norms, in which more or fewer parameters decay. Rotation: 64-64-64-10 on endless noisy digits,
where the rows of the middle matrix are scale-invariant if a batch norm follows.
"""

import numpy as np

from minigrad import compile, losses, nn, norms, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

METHODS = {
    "adam": (optim.Adam, {}),
    "adamw": (optim.AdamW, {}),
    "sgd": (optim.SGD, {}),
    "momentum": (optim.SGD, {"momentum": 0.9}),
    "sgdw": (optim.SGDW, {"momentum": 0.9}),
}
FRESH = range(100, 120)


def doubling(first, n):
    return tuple(first * 2**k for k in range(n))


def few_digits(seed, spread=0.0, size=300):
    """Training digits with wrong labels among them, 600 for validation, the others for the test."""
    rng = np.random.default_rng(seed)
    x, y = data.digits()
    # every pixel in a unit of its own: times 10^u, u uniform in [-spread, spread]
    x = x * 10.0 ** np.random.default_rng([seed, 7]).uniform(-spread, spread, 64)
    train, validation, test = np.split(rng.permutation(len(x)), [size, size + 600])
    noisy, wrong = y[train].copy(), rng.random(size) < 0.2
    noisy[wrong] = rng.integers(10, size=wrong.sum())
    return (x[train], noisy), (x[validation], y[validation]), (x[test], y[test]), rng


def train(net, opt, sets, steps, rng):
    (x, y), validation, test = sets
    step = compile(lambda x, y: losses.cross_entropy(net(x), y), opt)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            chosen = rng.integers(len(x), size=50)
            step(x[chosen], y[chosen])
    result = {}
    for name, (x, y) in (("validation", validation), ("test", test)):
        result[name], accuracy = training.evaluate(net, x, y)
        result[f"{name} error"] = 1 - accuracy
    return result


def decay(method, eta, decay, seed, steps=2000, spread=0.0):
    """Loss and error with weight decay on the matrices, in the form that the method has."""
    *sets, rng = few_digits(seed, spread)
    net = training.mlp([64, 64, 10], rng=rng)
    matrices = [p for p in net.parameters() if p.ndim > 1]
    vectors = [p for p in net.parameters() if p.ndim == 1]
    kind, options = METHODS[method]
    groups = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
    return train(net, kind(groups, lr=eta, weight_decay=decay, **options), sets, steps, rng)


def excepted(which, decay, seed, eta=0.003, steps=1000):
    """AdamW where all parameters decay, all but the gains of the norms, or matrices only."""
    *sets, rng = few_digits(seed)
    net = training.mlp([64, 64, 64, 10], rng=rng, norm=norms.LayerNorm)
    kinds = {"matrices": [], "gains": [], "biases": []}
    for p in net.parameters():
        kind = "matrices" if p.ndim > 1 else "gains" if np.all(p.data == 1) else "biases"
        kinds[kind].append(p)
    spared = {"all": (), "not gains": ("gains",), "matrices": ("gains", "biases")}[which]
    groups = [
        {"params": p, "weight_decay": 0.0 if kind in spared else decay} for kind, p in kinds.items()
    ]
    return train(net, optim.AdamW(groups, lr=eta), sets, steps, rng)


RATES = {  # the rate of the matrix that is watched, its decay, and the rate of all the others
    "adamw": (0.003, 0.3, 0.001),
    "adam": (0.003, 0.001, 0.001),
    "sgd": (0.1, 0.01, 0.1),
    "momentum": (0.01, 0.01, 0.01),
    "sgdw": (0.01, 0.1, 0.01),
}


def rotation(method, norm, times, seed, steps=5000):
    """Of every row of the middle matrix, over the last half of the steps: root mean squares of
    its norm, of the angle it turns in a step, and of the gradient at a row of norm 1 (``size``).

    ``times`` multiplies the loss.
    """
    rng = np.random.default_rng(seed)
    x, y = data.digits()
    layer = {"batch": norms.BatchNorm1d, "none": None}[norm]
    net = training.mlp([64, 64, 64, 10], rng=rng, norm=layer)
    w = [layer for layer in net if isinstance(layer, nn.Linear)][1].weight
    others = [p for p in net.parameters() if p is not w]
    kind, options = METHODS[method]
    eta, decay, rate = RATES[method]
    groups = [{"params": [w]}, {"params": others, "weight_decay": 0.0, "lr": rate}]
    opt = kind(groups, lr=eta, weight_decay=decay, **options)
    step = compile(lambda x, y: losses.cross_entropy(net(x), y) * times, opt)
    total = np.zeros((3, 64))
    for t in range(steps):
        chosen = rng.integers(len(x), size=64)
        noisy = x[chosen] + 0.25 * rng.normal(size=(64, 64))
        labels = np.where(rng.random(64) < 0.5, rng.integers(10, size=64), y[chosen])
        before = w.data.copy()
        step(noisy, labels)
        if t >= steps // 2:
            after, gradient = w.data, np.asarray(w.grad)
            squares = (before**2).sum(1)
            cosine = (before * after).sum(1) / np.sqrt(squares * (after**2).sum(1))
            angle = np.arccos(np.clip(cosine, -1, 1))
            total += [squares, angle**2, (gradient**2).sum(1) * squares]
    return dict(zip(("norm", "angle", "size"), np.sqrt(total / (steps - steps // 2))))


if __name__ == "__main__":
    decays = {"adam": doubling(0.001, 7), "adamw": doubling(0.125, 7)}
    choice = {"by": "validation error", "fresh": FRESH, "ends": ("decay",)}
    maps = {}
    for method in ("adam", "adamw"):
        axes = {"method": (method,), "eta": doubling(0.002, 4), "decay": decays[method]}
        maps[method] = sweep(decay, axes, seeds=4).at(method=method)
        maps[f"{method} short"] = sweep(decay, axes | {"steps": (400,)}, seeds=4)
        maps[f"{method} tuned"] = maps[method].at(eta=[0.002, 0.008]).best("decay", **choice)
        scaled = sweep(decay, axes | {"eta": (0.002, 0.008), "spread": (1.0,)}, seeds=3)
        maps[f"{method} scaled"] = scaled
        maps[f"{method} scaled tuned"] = scaled.best("decay", **choice)
    exceptions = sweep(
        excepted,
        {"which": ("all", "not gains", "matrices"), "decay": doubling(0.125, 8)},
        seeds=6,
    )
    turns = sweep(
        rotation, {"method": tuple(RATES), "norm": ("batch", "none"), "times": (1.0,)}, seeds=1
    )
    weak = sweep(
        rotation, {"method": ("adamw", "adam"), "norm": ("batch",), "times": (0.01,)}, seeds=1
    )
    store(
        __file__,
        maps
        | {
            "exceptions": exceptions,
            "exceptions tuned": exceptions.best(
                "decay", by="validation", fresh=FRESH, ends=("decay",)
            ),
            "exceptions by error": exceptions.best(
                "decay", by="validation error", fresh=FRESH, ends=("decay",)
            ),
            "turns": turns,
            "weak": weak,
        },
        again=(
            "adamw short",
            {"method": "adamw", "eta": 0.002, "decay": 0.5, "steps": 400, "seed": 3},
        ),
        tol=1e-3,
    )
