"""Which initializations can be trained, by depth, optimizer and rate; uniform or normal weights.

Writes lecun-xavier-he.json. Fully connected networks with 48 units in each hidden layer; 1024 digits,
batches of 64; the score is the loss on these digits after training. A seed fixes weights and batches.
SGD has momentum 0.9. ``… rates`` are all rates, ``… tuned`` an initialization at the rate of its
least median, on fresh seeds; ``… long`` takes three times as many epochs.

Written before running: differences of 0.1 in a loss between 0 and ln 10 = 2.3 would matter (0.05
between uniform and normal weights). Losses differ by 0.3 and more from seed to seed, and not
normally, since some runs do not leave 2.3: medians, with the sign test.
"""

import numpy as np

from minigrad import activations, init, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

STARTS = {
    "default": None,
    "xavier": init.xavier_normal,
    "he": init.he_normal,
    "he uniform": init.he_uniform,
    "5/3": lambda shape, rng: init.lecun_normal(shape, rng=rng) * 5 / 3,
}
RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


def trained(depth, activation, start, optimizer, eps, epochs, lr, seed):
    """The loss after training."""
    rng = np.random.default_rng(seed)
    x, y = data.digits()
    x, y = x[:1024] / np.sqrt(np.mean(x**2)), y[:1024]
    f = {"relu": activations.relu, "tanh": np.tanh}[activation]
    net = training.mlp([64] + [48] * depth + [10], f, rng=rng, weight=STARTS[start])
    if optimizer == "sgd":
        opt = optim.SGD(net.parameters(), lr=lr, momentum=0.9)
    else:
        opt = optim.Adam(net.parameters(), lr=lr, eps=eps)
    training.fit(net, opt, x, y, epochs=epochs, rng=rng)
    return round(training.evaluate(net, x, y)[0], 4)


if __name__ == "__main__":
    found = {}
    base = {
        "depth": (30,), "activation": ("relu",), "start": ("xavier", "he"),
        "optimizer": ("sgd",), "eps": (1e-8,), "epochs": (5,),
    }  # fmt: skip

    def tried(name, rates, tuned=None, seeds=6, **axes):
        """All rates, and the initializations ``tuned`` at the best of them."""
        scores = sweep(trained, base | axes | {"lr": rates}, seeds=seeds)
        found[f"{name} rates"] = scores
        if tuned:
            some = scores.at(start=list(tuned))
            found[f"{name} tuned"] = some.best("lr", fresh=range(100, 116), of="median")

    both = {"optimizer": ("sgd", "adam"), "start": ("default",)}
    few = (0.001, 0.003, 0.01, 0.1)
    tried("default", few, seeds=3, **both)
    tried("shallow", RATES[3:7], seeds=3, depth=(10,))
    tried("sgd", RATES[1:7], ("he",))
    tried("sgd long", RATES[6:], seeds=2, epochs=(15,), start=("xavier",))
    tried("adam", RATES[1:5], ("xavier", "he"), optimizer=("adam",))
    tried("eps", few, seeds=2, optimizer=("adam",), eps=(1e-4,))
    tanh = {"activation": ("tanh",), "start": ("xavier", "5/3")}
    tried("tanh", RATES[1:6], tanh["start"], **tanh)
    uniform = {"depth": (3,), "start": ("he", "he uniform"), "lr": (0.01,)}
    found["uniform"] = sweep(trained, base | uniform, seeds=range(200, 250))
    entry = {"depth": 3, "activation": "relu", "optimizer": "sgd", "eps": 1e-8, "epochs": 5}
    store(
        __file__,
        found,
        again=("uniform", entry | {"start": "he", "lr": 0.01, "seed": 200}),
        tol=1e-3,
    )
