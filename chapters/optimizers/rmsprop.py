"""RMSprop, AdaGrad and momentum on the digits: one task, and tasks that change.

Writes rmsprop.json. Training loss of a 64-32-10 network (tanh), mini-batches of 64. A task is the
1797 digits with the classes renamed by a permutation; "end" is the loss on all of them when the
last task is over. A learning rate is ``10 ** (k / 4)`` times its method's, which a pilot found.
"""

import numpy as np

from minigrad import compile, losses, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

ABOUT = {
    "sgd": 0.75, "sgd momentum": 0.35, "adagrad": 0.2, "adagrad restarted": 0.2,
    "rmsprop 0.9": 0.03, "rmsprop 0.99": 0.02, "rmsprop 0.999": 0.008,
    "rmsprop 0.9 momentum": 0.002, "rmsprop 0.99 momentum": 0.002, "rmsprop 0.9 centred": 0.015,
}  # fmt: skip
FRESH = range(100, 124)


def make(method, parameters, eta):
    name, *more = method.split()
    momentum = 0.9 if "momentum" in more else 0.0
    if name == "sgd":
        return optim.SGD(parameters, lr=eta, momentum=momentum)
    if name == "adagrad":
        return optim.Adagrad(parameters, lr=eta)
    return optim.RMSprop(
        parameters, lr=eta, alpha=float(more[0]), momentum=momentum, centered="centred" in more
    )


def run(method, k, tasks, epochs, seed):
    """The loss at the end of the last of some tasks, and the mean over the ends of all of them."""
    x, digit = data.digits()
    rng = np.random.default_rng(seed)
    net = training.mlp([64, 32, 10], rng=rng)
    eta, y, ends = ABOUT[method] * 10 ** (k / 4), digit, []
    opt = make(method, net.parameters(), eta)
    step = None
    with np.errstate(all="ignore"):
        for task in range(tasks):
            if task:
                y = rng.permutation(10)[digit]
            if step is None or "restarted" in method:  # which forgets all squares at a change
                opt = make(method, net.parameters(), eta)
                step = compile(lambda x, y: losses.cross_entropy(net(x), y), opt)
            for _ in range(epochs):
                for chosen in data.batches(len(x), 64, rng=rng):
                    if len(chosen) == 64:
                        step(x[chosen], y[chosen])
            ends.append(training.evaluate(net, x, y)[0])
    return {"end": ends[-1], "all": float(np.exp(np.mean(np.log(ends))))}


if __name__ == "__main__":
    rates = tuple(range(-6, 5))
    one = sweep(
        run,
        {"method": tuple(m for m in ABOUT if "restarted" not in m), "k": rates, "tasks": (1,),
         "epochs": (5, 20, 60)},
        seeds=5, workers=2,
    )  # fmt: skip
    changing = sweep(
        run,
        {"method": tuple(m for m in ABOUT if "momentum" not in m and "centred" not in m),
         "k": rates, "tasks": (1, 4, 16), "epochs": (10,)},
        seeds=5, workers=2,
    )  # fmt: skip
    store(
        __file__,
        {
            "one": one,
            "changing": changing,
            "best": one.best("k", by="end", fresh=FRESH),
            "changing best": changing.best("k", by="end", fresh=FRESH),
        },
        again=("one", {"method": "rmsprop 0.9", "k": -3, "tasks": 1, "epochs": 5, "seed": 3}),
        tol=0.02,
    )
