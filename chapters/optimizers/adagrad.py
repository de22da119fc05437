"""AdaGrad on words and on dense features, on the digits, and what its denominator measures.

Writes adagrad.json. Words: logistic regression over one pass of 4000 or 12000 examples, 400 features that are
sparse or dense and whose second moments are equal or not. Digits: the training loss of a 64-32-10
network (tanh). Curvature: a 64-10-10 network (tanh) on 500 digits, √s against the Hessian's diagonal.
"""

from itertools import accumulate

import numpy as np

from minigrad import Tensor, grad, hvp, losses, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

FEATURES, TESTS = 400, 4000
ZIPF = 0.5 / np.arange(1, FEATURES + 1)  # how often word 1, 2, … stands in a text
ETAS = tuple(2.0**k for k in range(-4, 6))
LARGER = tuple(2.0**k for k in range(-10, 4))


def examples(kind, moments, seed, n):
    """Examples x, labels ±1 drawn from the logistic model, and the weights that drew them.

    The second moments of the features are those of words with Zipf's frequencies, or all equal to
    their mean; "words" are 0 or 1, "dense" features are normal.
    """
    rng = np.random.default_rng(seed)
    star = 2 * rng.normal(size=FEATURES)
    p = ZIPF if moments == "unequal" else np.full(FEATURES, ZIPF.mean())
    if kind == "words":
        x = (rng.random((n, FEATURES)) < p).astype(float)
    else:
        x = rng.normal(size=(n, FEATURES)) * np.sqrt(p)
    y = np.where(rng.random(n) < 1 / (1 + np.exp(-x @ star)), 1.0, -1.0)
    return x, y, star


def words(kind, moments, method, eta, n, seed):
    """The mean loss of one pass, each example being judged before it is learnt, and a test loss."""
    x, y, _ = examples(kind, moments, seed, n + TESTS)
    theta, s, online = np.zeros(FEATURES), 0.0, 0.0
    if method in ("adagrad 0.1", "no root"):
        s = 0.1
    elif method.endswith(" 1"):
        s = 1.0 * FEATURES if method == "one sum 1" else 1.0  # 1 for each coordinate
    for t in range(n):
        z = y[t] * (x[t] @ theta)
        online += np.logaddexp(0, -z)
        g = -y[t] * np.exp(-np.logaddexp(0, z)) * x[t]
        if method == "sgd":
            theta -= eta * g
        elif method == "sgd 1/√t":
            theta -= eta / np.sqrt(t + 1) * g
        elif method.startswith("one sum"):  # all coordinates divide by the same root
            s = s + g @ g
            theta -= eta * g / (np.sqrt(s) + 1e-10)
        else:
            s = s + g * g
            theta -= eta * g / ((s if method.startswith("no root") else np.sqrt(s)) + 1e-10)
    test = np.logaddexp(0, -y[n:] * (x[n:] @ theta)).mean()
    return {"online": online / n, "test": test}


def digits(arm, eta, epochs, seed):
    """The training loss after some epochs of mini-batches of 64."""
    x, y = data.digits()
    rng = np.random.default_rng(seed)
    net = training.mlp([64, 32, 10], rng=rng)
    if arm in ("sgd", "sgd 1/√t"):
        opt = optim.SGD(net.parameters(), lr=eta)
    else:
        start = 0.1 if arm == "adagrad 0.1" else 0.0
        opt = optim.Adagrad(net.parameters(), lr=eta, initial_accumulator_value=start)
    if arm == "sgd 1/√t":
        opt.schedule(lambda t: eta / np.sqrt(t + 1))
    elif arm == "no decay":  # g / √(s / t): the mean of the squares in place of their sum
        opt.schedule(lambda t: eta * np.sqrt(t + 1))
    training.fit(net, opt, x, y, epochs=epochs, batch=64, rng=rng)
    return training.evaluate(net, x, y)[0]


SHAPES = [(64, 10), (10,), (10, 10), (10,)]
ENDS = list(accumulate(int(np.prod(shape)) for shape in SHAPES))


def network(w, x):
    """A 64-10-10 network whose weights are one vector."""
    a, b, c, d = (
        w[end - int(np.prod(shape)) : end].reshape(shape) for end, shape in zip(ENDS, SHAPES)
    )
    return np.tanh(x @ a + b) @ c + d


def curvature(batch, seed, steps=800, eta=0.03):
    """The exponent of √s ∝ Hᵖ after AdaGrad on 500 digits, H being the Hessian's diagonal.

    H is that of the whole loss at the end; features and weights that never had a gradient are left
    out, and for the exponent also those with H ≤ 0.
    """
    rng = np.random.default_rng(seed)
    x, y = data.digits()
    rows = rng.permutation(len(x))[:500]
    x, y = x[rows], y[rows]
    w = np.concatenate(
        [
            (
                rng.normal(size=shape) / np.sqrt(shape[0]) if len(shape) > 1 else np.zeros(shape)
            ).ravel()
            for shape in SHAPES
        ]
    )
    s = np.zeros_like(w)
    for _ in range(steps):
        some = rng.permutation(500)[:batch]
        theta = Tensor(w, requires_grad=True)
        g = grad(losses.cross_entropy(network(theta, x[some]), y[some]), theta).data
        s += g * g
        w = w - eta * g / (np.sqrt(s) + 1e-10)

    def loss(theta):
        return losses.cross_entropy(network(theta, x), y)

    h = np.array([hvp(loss, w, axis).data[i] for i, axis in enumerate(np.eye(len(w)))])
    live = s > 0
    up = live & (h > 0)
    log_h, log_root = np.log(h[up]), np.log(s[up]) / 2
    last = int(up[-110:].sum())  # of the second layer, whose inputs are of one size
    second = log_h[-last:], log_root[-last:]
    return {
        "exponent": np.polyfit(log_h, log_root, 1)[0],
        "correlation": np.corrcoef(log_h, log_root)[0, 1],
        "second layer": np.corrcoef(*second)[0, 1],
        "second exponent": np.polyfit(*second, 1)[0],
        "negative": (h[live] <= 0).mean(),
        "loss": loss(Tensor(w)).item(),
    }


if __name__ == "__main__":
    axes = {"kind": ("words", "dense"), "moments": ("unequal", "equal")}
    methods = ("sgd", "sgd 1/√t", "one sum", "adagrad", "adagrad 0.1", "no root")
    bags = sweep(words, axes | {"method": methods, "eta": ETAS, "n": (4000,)}, seeds=4, workers=2)
    ones = {"method": ("one sum 1", "adagrad 1", "no root 1"), "eta": ETAS[2:], "n": (4000,)}
    start = sweep(words, axes | ones, seeds=4, workers=2)
    few = {"method": ("sgd", "adagrad 0.1"), "eta": ETAS[1:6], "n": (12_000,)}
    more = sweep(words, axes | few, seeds=3, workers=2)
    arms = ("sgd", "sgd 1/√t", "adagrad", "adagrad 0.1", "no decay")
    nets = sweep(digits, {"arm": arms, "eta": LARGER, "epochs": (5, 20, 80)}, seeds=3, workers=2)
    store(
        __file__,
        {
            "grid": bags,
            "words": bags.best("eta", by="online", fresh=range(100, 116)),
            "start": start.best("eta", by="online", fresh=range(100, 116)),
            "more words": more.best("eta", by="online", fresh=range(100, 106)),
            "digits": nets.best("eta", fresh=range(100, 112)),
            "curvature": sweep(curvature, {"batch": (16, 64, 500)}, seeds=10, workers=2),
        },
        again=(
            "grid",
            {
                "kind": "words",
                "moments": "unequal",
                "method": "adagrad",
                "eta": 0.5,
                "n": 4000,
                "seed": 1,
            },
        ),
        tol=1e-6,
    )
