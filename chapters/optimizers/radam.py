"""RAdam, warm-up and Adam on the digits: best losses, sensitivity to the rate, how close the paths.

Writes radam.json. A deep network, 64-(8 x 32)-10 with ReLU, on 1397 digits, batches of 64,
β1 = 0.9, β2 = 0.99, so that 2/(1 - β2) = 200 steps; 1000 steps, and 5000 at one rate. Paths: a
64-32-10 network (tanh) with the default β2 = 0.999, two optimizers from the same weights. Scaled:
that network for 435 steps, the loss multiplied by a constant.
"""

import numpy as np

from minigrad import compile, losses, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep
from minigrad.optim.optimizer import Optimizer

RATES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064)
ARMS = ("adam", "filled", "size", "linear", "radam")
TUNING, FRESH = range(8), range(100, 124)
MORE, STEADY = 16, 50  # gradients in v for each step, and for how many steps
SIZES = (1, 5, 20, 50, 100, 200, 400)  # steps of which the size is measured
AT = (10, 100, 300, 1000, 2000, 4000)  # steps at which two paths are compared


def rho(t, beta2):
    return 2 / (1 - beta2) - 1 - 2 * t * beta2**t / (1 - beta2**t)


class Switched(Optimizer):
    """RAdam that switches where it is told, and takes ``early`` times the momentum step before."""

    domains = Optimizer.domains | {"threshold": "[4, inf)", "early": "[0, inf)"}

    def __init__(
        self, params, lr=0.001, betas=(0.9, 0.999), threshold=5.0, early=1.0, maximize=False
    ):
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, betas, threshold, early):
        m, v, t = state["m"], state["v"], state["t"]
        beta1, beta2 = betas
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * g * g
        n, most = rho(t, beta2), 2 / (1 - beta2) - 1
        if n > threshold:
            r = np.sqrt((n - 4) * (n - 2) * most / ((most - 4) * (most - 2) * n))
            theta -= lr * r / (1 - beta1**t) * m / (np.sqrt(v / (1 - beta2**t)) + 1e-8)
        else:
            theta -= lr * early / (1 - beta1**t) * m


class Steadied:
    """Adam whose v takes the mean square of several gradients at the same point at early steps.

    It only reads the gradients that ``step`` leaves behind, a compiled step of the rate 0.
    """

    def __init__(self, params, eta, beta2):
        self.params, self.eta, self.beta2, self.t = params, eta, beta2, 0
        self.m, self.v = ([np.zeros(p.shape) for p in params] for _ in "mv")

    def move(self, step, batch, more):
        self.t += 1
        several = MORE if self.t <= STEADY else 1
        squares = [0.0 for _ in self.params]
        for k in range(several):
            step(*(batch if k == several - 1 else more()))
            squares = [s + p.grad**2 / several for s, p in zip(squares, self.params)]
        for p, m, v, square in zip(self.params, self.m, self.v, squares):
            m += 0.1 * (p.grad - m)
            v += (1 - self.beta2) * (square - v)
            root = np.sqrt(v / (1 - self.beta2**self.t)) + 1e-8
            p.data[...] -= self.eta * m / (1 - 0.9**self.t) / root


def prepared(net, arm, eta, beta2):
    """The optimizer of an arm, and for how many steps it only fills its averages."""
    params, betas = net.parameters(), (0.9, beta2)
    if arm == "radam":
        return optim.RAdam(params, lr=eta, betas=betas), 0
    if arm.startswith("switch"):  # "switch 4 1": at ρ > 4, with momentum steps before
        _, threshold, early = arm.split()
        return Switched(params, eta, betas, float(threshold), float(early)), 0
    if arm == "steady":
        return optim.SGD(params, lr=0.0), 0
    opt, wait = optim.Adam(params, lr=eta, betas=betas), 0
    if arm == "linear":  # up to η over 2 / (1 - β2) steps
        opt.schedule(lambda t: eta * min(1.0, (t + 1) * (1 - beta2) / 2))
    elif arm == "size":  # what keeps the step's root mean square constant in noise
        opt.schedule(lambda t: eta * np.sqrt((1 - 0.9 ** (t + 1)) / (1 + 0.9 ** (t + 1))))
    elif arm == "filled":  # 2 / (1 - β2) gradients at the start before the first step
        wait = round(2 / (1 - beta2))
        opt.schedule(lambda t: 0.0 if t < wait else eta)
    return opt, wait


def train(sizes, activation, arm, eta, beta2, seed, steps, batches=0, at=(), scale=1):
    """The network after some steps, the examples left out, and its parameters at some steps."""
    x, y = data.digits()
    rng = np.random.default_rng(seed)
    net = training.mlp(sizes, activation, rng=rng)
    order = rng.permutation(len(x))
    kept, held = order[:1397], order[1397:]
    opt, wait = prepared(net, arm, eta, beta2)
    step = compile(lambda x, y: scale * losses.cross_entropy(net(x), y), opt)
    rng, others = np.random.default_rng([seed, batches]), np.random.default_rng([seed, 1000])
    steadied, snaps = Steadied(net.parameters(), eta, beta2), []

    def batch(rng):
        chosen = kept[rng.integers(len(kept), size=64)]
        return x[chosen], y[chosen]

    with np.errstate(all="ignore"):
        for t in range(-wait, steps + 1):
            if t in at:
                snaps.append(np.concatenate([p.data.ravel() for p in net.parameters()]))
            if t == steps:
                break
            if arm == "steady":
                steadied.move(step, batch(rng), lambda: batch(others))
            else:
                step(*batch(rng))
    scores = [training.evaluate(net, x[some], y[some]) for some in (kept, held)]
    return {"loss": scores[0][0], "test error": 1 - scores[1][1]}, snaps


def deep(arm, eta, seed, steps=1000):
    """Training loss and test error of the deep network; β2 = 0.99."""
    return train([64, *[32] * 8, 10], relu, arm, eta, 0.99, seed, steps)[0]


def size(arm, eta, seed):
    """The root mean square of a step of the deep network's parameters over η, at SIZES."""
    at = sorted({t + k for t in SIZES for k in (-1, 0)})
    snaps = train([64, *[32] * 8, 10], relu, arm, eta, 0.99, seed, at[-1], at=at)[1]
    path = dict(zip(at, snaps))
    return np.array([np.sqrt(np.mean((path[t] - path[t - 1]) ** 2)) / eta for t in SIZES])


def relu(z):
    return np.maximum(z, 0)


def scaled(arm, scale, eta, seed):
    """Training loss when the loss is multiplied by ``scale``: 64 is a sum over the batch."""
    return train([64, 32, 10], np.tanh, arm, eta, 0.999, seed, 435, scale=scale)[0]["loss"]


def apart(pair, eta, seed):
    """How far two paths are apart, over how far the first has come from the start, at AT."""
    (arm, batches), (other, others) = (name.split(":") for name in pair.split(" "))
    one, two = (
        train([64, 32, 10], np.tanh, a, eta, 0.999, seed, AT[-1], int(b), (0, *AT))[1]
        for a, b in ((arm, batches), (other, others))
    )
    return np.array([
        np.linalg.norm(p - q) / np.linalg.norm(p - one[0]) for p, q in zip(one[1:], two[1:])
    ])  # fmt: skip


if __name__ == "__main__":
    grid = sweep(deep, {"arm": ARMS, "eta": RATES}, seeds=TUNING)
    best = grid.best("eta", by="loss", of="geometric", fresh=FRESH)
    found = {"grid": grid, "best": best}
    found["high"] = sweep(deep, {"arm": (*ARMS, "steady"), "eta": (0.016, 0.032)}, seeds=FRESH)
    found["size"] = sweep(
        size, {"arm": ("adam", "filled", "steady", "radam"), "eta": (0.004,)}, seeds=8
    )
    found["switch"] = sweep(
        deep, {"arm": ("switch 4 1", "switch 5 1", "switch 5 0"), "eta": (0.008,)},
        seeds=range(100, 164),
    )  # fmt: skip
    found["longer"] = sweep(
        deep, {"arm": ("adam", "linear", "radam"), "eta": (0.016,), "steps": (5000,)},
        seeds=range(200, 210),
    )  # fmt: skip
    found["short"] = sweep(
        deep, {"arm": ("linear", "radam"), "eta": (0.004,), "steps": (100,)}, seeds=2
    )
    found["apart"] = sweep(
        apart,
        {"pair": ("radam:0 linear:0", "radam:0 adam:0", "radam:0 radam:1"),
         "eta": (0.001, 0.01)},
        seeds=6,
    )  # fmt: skip
    found["scaled"] = sweep(
        scaled,
        {"arm": ("adam", "radam", "switch 5 0"), "scale": (1, 64, 4096),
         "eta": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)},
        seeds=4,
    ).best("eta", of="geometric", fresh=range(100, 112))  # fmt: skip
    store(
        __file__,
        found,
        again=("short", {"arm": "radam", "eta": 0.004, "steps": 100, "seed": 1}),
        tol=1e-3,
    )
