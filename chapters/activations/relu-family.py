"""Units of ReLU die, by the rate and by one bad batch; its relatives; ReLU, tanh and the sigmoid.

Writes relu-family.json. Digits; batches of 64; each seed fixes split, initial weights and batches.

``rates``, ``initial``, ``adam``, ``leaky``: 64-32-32-10, 5 epochs, all learning rates. A unit is
counted as dead if the gradient of its weights over the whole training set is exactly 0, and as shut
if its input is not positive for any example of it. ``bad``: 5 epochs, one step on a batch whose
pixels are some factor too large, 10 epochs more. ``tuned``: the network and the budget of
gelu-silu-swish (six hidden layers of 32, Adam, 8 epochs), each activation at the rate of its least
validation error over 20 seeds, reported on 100 others. ``nearby``: ReLU and SELU at other rates, on
the same 100. ``slopes``: what PReLU learns in it. ``shallow``, ``deeper``: steps of SGD to a
training error of 1 %, each at its quickest rate: the least median over 8 seeds.

Written before running: half a point of test error would matter; the chapter on GELU saw standard
deviations of 1.0 to 1.5 points for such differences, so 100 pairs give ± 0.3 or less. Of dead
units 5 % would matter, and of steps a factor of 1.2.
"""

import numpy as np

from minigrad import activations, grad, init, losses, nn, norms, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

relu = activations.relu


class Centre(nn.Module):
    """Subtracts each unit's mean over the batch; a bias of its own."""

    def __init__(self, width, dtype=None):
        self.bias = nn.Parameter(np.zeros(width))

    def forward(self, z):
        return z - z.mean(axis=0) + self.bias


class Scale(nn.Module):
    """Divides by each unit's standard deviation over the batch, and leaves its mean alone."""

    def __init__(self, width, dtype=None):
        self.gain = nn.Parameter(np.ones(width))

    def forward(self, z):
        off = z - z.mean(axis=0)
        return self.gain * z / ((off * off).mean(axis=0) + 1e-5) ** 0.5


NORMS = {
    "none": None, "centre": Centre, "scale": Scale,
    "batch": norms.BatchNorm1d, "layer": norms.LayerNorm,
}  # fmt: skip
STARTS = {
    "default": None,
    "he": init.he_normal,
    "he / 4": lambda shape, rng: init.he_normal(shape, rng=rng) / 4,
    "he * 4": lambda shape, rng: init.he_normal(shape, rng=rng) * 4,
}


def census(net, x, y):
    """Which units of each hidden layer are dead, and which are shut."""
    linear = [f for f in net if isinstance(f, nn.Linear)][:-1]
    with np.errstate(all="ignore"):
        slopes = grad(losses.cross_entropy(net(x), y), [f.weight for f in linear])
        dead = [np.all(g.data == 0, axis=1) for g in slopes]
        shut, h = [], x
        for f in net:
            if not isinstance(f, nn.Module):  # an activation
                shut.append(np.all(h.data <= 0, axis=0))
            h = f(h)
    return dead, shut


def percent(units):
    return round(100 * float(np.mean(units)), 3)


def digits(pixels, rng):
    """Training and test set, and a function that treats other pixels as these were."""
    x, y = data.digits()
    train, test = data.split(x, y, rng=rng)
    first = train[0]
    treat = (lambda x: x) if pixels == "raw" else (lambda x: data.standardize(first, x)[1])
    return (treat(train[0]), train[1]), (treat(test[0]), test[1]), first, treat


def error(net, x, y):
    """In percent."""
    return 100 * (1 - training.evaluate(net, x, y)[1])


def dying(pixels, norm, start, optimizer, activation, lr, seed):
    """What is dead after 5 epochs."""
    rng = np.random.default_rng(seed)
    train, test, *_ = digits(pixels, rng)
    f = getattr(activations, activation)
    net = training.mlp([64, 32, 32, 10], f, rng=rng, weight=STARTS[start], norm=NORMS[norm])
    make = {"sgd": optim.SGD, "adam": optim.Adam}[optimizer]
    curve = training.fit(net, make(net.parameters(), lr=lr), *train, epochs=5, rng=rng)
    wrong = round(error(net, *test), 2)
    dead, shut = census(net, *train)
    return {
        "dead 1": percent(dead[0]), "dead 2": percent(dead[1]),
        "shut 1": percent(shut[0]), "shut 2": percent(shut[1]),
        "error": wrong, "diverged": not np.isfinite(curve[-1]),
    }  # fmt: skip


METHODS = {
    "sgd": lambda p: optim.SGD(p, lr=0.2),
    "clipped": lambda p: optim.SGD(p, lr=0.2),
    "momentum": lambda p: optim.SGD(p, lr=0.02, momentum=0.9),
    "adam": lambda p: optim.Adam(p, lr=0.005),
}


def bad(pixels, norm, method, factor, seed, activation="relu"):
    """5 epochs, one step on a batch with pixels ``factor`` times as large, 10 epochs more."""
    rng = np.random.default_rng(seed)
    train, test, first, treat = digits(pixels, rng)
    f = getattr(activations, activation)
    net = training.mlp([64, 32, 32, 10], f, rng=rng, weight=init.he_normal, norm=NORMS[norm])
    opt = METHODS[method](net.parameters())
    training.fit(net, opt, *train, epochs=5, rng=rng)
    before, _ = census(net, *train)
    opt.zero_grad()
    losses.cross_entropy(net(treat(factor * first[:64])), train[1][:64]).backward()
    if method == "clipped":
        optim.clip_grad_norm(net.parameters(), 1.0)
    opt.step()
    after, shut = census(net, *train)
    wrong = error(net, *test)
    curve = training.fit(net, opt, *train, epochs=10, rng=rng)
    later, still = census(net, *train)
    found = {"error after": round(wrong, 2), "error later": round(error(net, *test), 2)}
    for k in range(2):
        found |= {
            f"before {k + 1}": percent(before[k]),
            f"after {k + 1}": percent(after[k]),
            f"later {k + 1}": percent(later[k]),
            f"revived {k + 1}": percent(after[k] & ~later[k]),
        }
    found["reopened"] = percent(shut[0] & ~still[0])  # in the first layer, by the sign
    return found | {"diverged": not np.isfinite(curve[-1])}


class PReLU(nn.Module):
    """One learned slope for the layer."""

    def __init__(self, start=0.25):
        self.weight = nn.Parameter(np.array(start))

    def forward(self, x):
        return activations.prelu(x, self.weight)


# Each with the standard deviation of the weights, times √n, that keeps the mean square for z ~ N(0, 1).
FAMILY = {
    "relu": (lambda: relu, 2**0.5),
    "leaky-relu": (lambda: activations.leaky_relu, 2**0.5),
    "leaky 0.25": (lambda: lambda x: activations.leaky_relu(x, 0.25), (2 / 1.0625) ** 0.5),
    "prelu": (PReLU, (2 / 1.0625) ** 0.5),
    "elu": (lambda: activations.elu, 1.2452),
    "selu": (lambda: activations.selu, 1.0),
    "selu, he": (lambda: activations.selu, 2**0.5),
}


def deep(make, gain, rng, hidden=(32,) * 6):
    """An MLP with a new activation ``make()`` in each layer and weights of variance gain²/n."""

    def weight(shape, rng):
        return gain * init.lecun_normal(shape, rng=rng)

    net = training.mlp([64, *hidden, 10], relu, rng=rng, weight=weight)
    return nn.Sequential(*(make() if f is relu else f for f in net))


def compared(activation, lr, epochs, seed):
    """Loss on the training set, and errors in percent, as in gelu-silu-swish.py."""
    rng = np.random.default_rng(seed)
    x, y = data.digits()
    train, test = data.split(x, y, 0.8, rng=rng)
    train, validation = data.split(*train, 0.75, rng=rng)
    scaled = data.standardize(train[0], validation[0], test[0])
    train, validation, test = zip(scaled, (train[1], validation[1], test[1]))
    net = deep(*FAMILY[activation], rng)
    training.fit(net, optim.Adam(net.parameters(), lr=lr), *train, epochs=epochs, rng=rng)
    return {
        "training loss": float(f"{training.evaluate(net, *train)[0]:.5g}"),
        "validation error": round(error(net, *validation), 3),
        "test error": round(error(net, *test), 3),
    }


def slopes(start, epochs, seed):
    """The slopes that PReLU has learned, by layer."""
    rng = np.random.default_rng(seed)
    x, y = data.digits()
    x = data.standardize(x)
    net = deep(lambda: PReLU(start), (2 / (1 + start**2)) ** 0.5, rng)
    training.fit(net, optim.Adam(net.parameters(), lr=0.004), x, y, epochs=epochs, rng=rng)
    return [round(f.weight.item(), 4) for f in net if isinstance(f, PReLU)]


CLASSIC = {
    "relu": (relu, init.he_normal),
    "tanh": (activations.tanh, init.xavier_normal),
    "sigmoid": (activations.sigmoid, init.xavier_normal),
    "sigmoid, 4": (
        activations.sigmoid,
        lambda shape, rng: init.xavier_normal(shape, gain=4, rng=rng),
    ),
}


def speed(activation, depth, lr, seed, most=600):
    """Steps until the error on the training set, seen every 5, is at most 5 and 1 percent."""
    rng = np.random.default_rng(seed)
    x, y = data.digits()
    x = data.standardize(x)
    f, weight = CLASSIC[activation]
    net = training.mlp([64] + [32] * depth + [10], f, rng=rng, weight=weight)
    opt = optim.SGD(net.parameters(), lr=lr)
    found, step = {"to 5 %": np.inf, "to 1 %": np.inf}, 0
    while step < most and not np.isfinite(found["to 1 %"]):
        for chosen in data.batches(len(x), 64, rng=rng):
            opt.zero_grad()
            losses.cross_entropy(net(x[chosen]), y[chosen]).backward()
            opt.step()
            step += 1
            if step % 5 == 0:
                wrong = error(net, x, y)
                for name, limit in (("to 5 %", 5), ("to 1 %", 1)):
                    if wrong <= limit:
                        found[name] = min(found[name], step)
    return found


if __name__ == "__main__":
    found = {}
    paces = {"lr": (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)}
    shallow = {"activation": tuple(CLASSIC), "depth": (1, 3)} | paces
    deeper = {"activation": ("relu", "tanh"), "depth": (6,)}
    deeper["lr"] = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
    for name, axes in (("shallow", shallow), ("deeper", deeper)):
        paced = sweep(speed, axes, seeds=8, workers=2)
        found[f"{name} grid"] = paced
        found[name] = paced.best("lr", by="to 1 %", fresh=range(100, 120), of="median")
    sgd = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
    base = {
        "pixels": ("raw", "standardized"), "norm": ("none",), "start": ("he",),
        "optimizer": ("sgd",), "activation": ("relu",), "lr": sgd,
    }  # fmt: skip
    ten = dict(seeds=10, workers=2)
    found |= {
        "rates": sweep(dying, base | {"norm": tuple(NORMS)}, **ten),
        "initial": sweep(dying, base | {"start": ("default", "he / 4", "he * 4")}, **ten),
        "adam": sweep(
            dying,
            base
            | {"optimizer": ("adam",), "norm": ("none", "batch")}
            | {"lr": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)},
            **ten,
        ),
        "leaky": sweep(dying, base | {"activation": ("leaky_relu",)}, **ten),
        "bad": sweep(
            bad,
            {"pixels": ("raw", "standardized"), "norm": ("none",)}
            | {"method": tuple(METHODS), "factor": (1, 4, 16, 255)},
            **ten,
        ),
        "bad normalized": sweep(
            bad,
            {"pixels": ("raw", "standardized"), "norm": ("batch",)}
            | {"method": ("sgd",), "factor": (16, 255)},
            **ten,
        ),
        "bad leaky": sweep(
            bad,
            {"pixels": ("raw", "standardized"), "norm": ("none",), "method": ("sgd",)}
            | {"factor": (16, 255), "activation": ("leaky_relu",)},
            **ten,
        ),
    }
    rates = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032)
    axes = {"activation": tuple(FAMILY), "epochs": (8,), "lr": rates}
    tuning = sweep(compared, axes, seeds=20, workers=2)
    found["tuned"] = tuning.best("lr", by="validation error", fresh=range(100, 200))
    axes = {"activation": ("relu", "selu"), "epochs": (8,), "lr": rates[2:]}
    found["nearby"] = sweep(compared, axes, seeds=range(100, 200), workers=2)
    found["slopes"] = sweep(
        slopes, {"start": (0.0, 0.25, 0.6), "epochs": (8, 40)}, seeds=8, workers=2
    )
    store(
        __file__,
        found,
        again=("tuned", {"activation": "leaky-relu", "epochs": 8, "seed": 100}),
        tol=1e-3,
    )
