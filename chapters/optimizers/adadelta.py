"""AdaDelta's knob, its units, and its rivals, on the digits.

Writes adadelta.json. A 64-32-10 network (tanh), batches of 64, float64; of the 1797 digits 60 % train,
20 % validate, 20 % test. ``size`` is a method's knob: the learning rate, and √ε for AdaDelta.
"""

import numpy as np

from minigrad import losses, nn, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

SIZES = tuple(float(f"{size:.2g}") for size in 10.0 ** np.arange(-5, 1.1, 0.5))
UNITS = tuple(float(f"{unit:.2g}") for unit in 10.0 ** np.arange(-2, 2.1, 0.5))
RHO = 0.95  # the paper's; PyTorch has 0.9


def parts(rng):
    """Training, validation and test set."""
    train, rest = data.split(*data.digits(), fraction=0.6, rng=rng)
    return train, *data.split(*rest, fraction=0.5, rng=rng)


def optimizer(method, size, params):
    return {
        "momentum": lambda: optim.SGD(params, lr=size, momentum=0.9),
        "rmsprop": lambda: optim.RMSprop(params, lr=size, alpha=RHO),
        "adam": lambda: optim.Adam(params, lr=size),
        "adadelta": lambda: optim.Adadelta(params, rho=RHO, eps=size**2),
    }[method]()


def run(method, size, epochs, rate, seed, scale=1.0):
    """Training and validation loss and the test error in percent; ``scale`` multiplies the loss."""
    rng = np.random.default_rng(seed)
    (x, y), validation, test = parts(rng)
    net = training.mlp([64, 32, 10], rng=rng)
    opt = optimizer(method, size, net.parameters())
    if rate == "decaying":
        steps, first = epochs * -(-len(x) // 64), opt.lr
        opt.schedule(lambda t: first * (1 - t / steps))

    def loss(scores, y):
        return scale * losses.cross_entropy(scores, y)

    training.fit(net, opt, x, y, epochs=epochs, rng=rng, loss=loss)
    right = training.evaluate(net, *test)[1]
    return {
        "training": training.evaluate(net, x, y)[0],
        "validation": training.evaluate(net, *validation)[0],
        "error": 100 * (1 - right),
    }


def scaled(scale, size, seed):
    """The training loss after 6 epochs of AdaDelta on ``scale`` times the loss."""
    return run("adadelta", size, 6, "constant", seed, scale)["training"]


class Measured(nn.Module):
    """The network, its parameters written as multiples of a unit: θ = unit·φ."""

    def __init__(self, net, unit):
        super().__init__()
        self.unit = unit
        self.w1, self.b1, self.w2, self.b2 = (nn.Parameter(p.data / unit) for p in net.parameters())

    def forward(self, x):
        w1, b1, w2, b2 = (self.unit * phi for phi in self.parameters())
        return np.tanh(x @ w1.T + b1) @ w2.T + b2


def measured(method, size, unit, seed):
    """The training loss after 6 epochs, where the optimizer sees the parameters in another unit."""
    rng = np.random.default_rng(seed)
    (x, y), _, _ = parts(rng)
    net = Measured(training.mlp([64, 32, 10], rng=rng), unit)
    training.fit(net, optimizer(method, size, net.parameters()), x, y, epochs=6, rng=rng)
    return training.evaluate(net, x, y)[0]


class Frozen(optim.Optimizer):
    """AdaDelta with one number ``d`` for all parameters and all steps: RMSprop, but for its ε."""

    domains = optim.Optimizer.domains | {"d": "[0, inf)", "rho": "[0, 1]"}

    def __init__(self, params, lr=1.0, d=1e-5, rho=RHO, eps=1e-6, maximize=False):
        super().__init__(params, locals())

    def update(self, theta, g, state, lr, d, rho, eps):
        v = state["v"]
        v *= rho
        v += (1 - rho) * g * g
        theta -= lr * np.sqrt((d + eps) / (v + eps)) * g


def followed(arm, epochs, seed):
    """Training loss after some epochs, and C = mean of d·(1 - ρ)/ε over the parameters."""
    rng = np.random.default_rng(seed)
    (x, y), _, _ = parts(rng)
    net = training.mlp([64, 32, 10], rng=rng)
    if arm == "adadelta":
        opt = optim.Adadelta(net.parameters(), rho=RHO, eps=1e-6)
    else:
        opt = Frozen(net.parameters(), d=0.5 * 1e-6 / (1 - RHO))
    training.fit(net, opt, x, y, epochs=epochs, rng=rng)
    states = opt.state_dict()["state"]
    d = np.concatenate([s.get("d", np.zeros(1)).ravel() for s in states])
    return {"training": training.evaluate(net, x, y)[0], "C": d.mean() * (1 - RHO) / 1e-6}


if __name__ == "__main__":
    tuning = sweep(
        run,
        {"method": ("momentum", "rmsprop", "adam", "adadelta"), "size": SIZES, "epochs": (6, 60),
         "rate": ("constant", "decaying")},
        seeds=5, workers=2,
    )  # fmt: skip
    # As ε grows, AdaDelta becomes SGD with the rate 1: its grid has an end.
    tuned = tuning.best("size", by="validation", fresh=range(100, 130), ends=("size",))
    default = sweep(
        run,
        {"method": ("adadelta",), "size": (1e-3,), "epochs": (6, 60), "rate": ("constant",)},
        seeds=range(100, 130), workers=2,
    )  # fmt: skip
    store(
        __file__,
        {
            "tuning": tuning, "tuned": tuned, "default": default,
            "scaled": sweep(scaled, {"scale": (0.01, 1.0, 100.0), "size": SIZES}, seeds=5, workers=2),
            "units": sweep(
                measured,
                {"method": ("momentum", "rmsprop", "adam", "adadelta"), "size": (1e-3,), "unit": UNITS},
                seeds=5, workers=2,
            ),
            "followed": sweep(
                followed, {"arm": ("adadelta", "frozen"), "epochs": (2, 5, 10, 20, 60)},
                seeds=range(100, 120), workers=2,
            ),
        },
        again=("followed", {"arm": "adadelta", "epochs": 5, "seed": 103}),
        tol=1e-3,
    )  # fmt: skip
