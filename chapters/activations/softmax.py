"""Are softmax's outputs probabilities? Calibration on test data, before and after temperature scaling.

Writes softmax.json. Digits with pixel noise (standard deviation 0.5, after standardizing): 300 to train,
300 to choose the learning rate and then to fit one temperature, the rest (about 1200) to test; networks
64-64-10 (ReLU, He initialization), Adam, batches of 50. Three ways to train: "short", 5 epochs; "long",
100 epochs; "smoothed", 100 epochs with label smoothing 0.1. Every way has its own learning rate, of the
least validation error over 20 seeds; 100 others report.

And is it better than dividing by the sum? A linear classifier of the digits, with softmax or with
max(z, 0) + eps over its sum; each of them and each number of steps has its own rate (6 seeds), 40 report.

Written before running: 1 point of calibration error, 0.02 nats of test loss, and half a point of error
would matter.
"""

import numpy as np

from minigrad import Tensor, activations, grad, init, losses, no_grad, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

WAYS = {"short": (5, 0.0), "long": (100, 0.0), "smoothed": (100, 0.1)}  # epochs, smoothing


def log_softmax(z):
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def nll(z, y):
    return -np.mean(log_softmax(z)[np.arange(len(y)), y])


def ece(z, y, bins=15):
    """Expected calibration error in points, with bins of equal width."""
    p = np.exp(log_softmax(z))
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    bin_ = np.minimum((sure * bins).astype(int), bins - 1)
    return 100 * np.abs(np.bincount(bin_, right - sure, bins)).sum() / len(y)


def fit_temperature(z, y):
    """The T of the least loss; by bisection on 1/T, in which the loss is convex."""
    own = z[np.arange(len(y)), y]
    low, high = 1e-3, 1e3
    for _ in range(60):
        b = np.sqrt(low * high)
        slope = np.mean((np.exp(log_softmax(b * z)) * z).sum(axis=1) - own)
        low, high = (low, b) if slope > 0 else (b, high)
    return 1 / b


def run(way, lr, seed):
    epochs, smoothing = WAYS[way]
    x, truth = data.digits()
    rng = np.random.default_rng(seed)
    (x, y), rest = data.split(x, truth, 300 / len(truth), rng=rng)
    (x_val, y_val), (x_test, y_test) = data.split(*rest, 300 / len(rest[1]), rng=rng)
    clean = data.standardize(x, x_val, x_test)
    x, x_val, x_test = (a + rng.normal(0, 0.5, a.shape) for a in clean)
    net = training.mlp([64, 64, 10], activations.relu, rng=rng, weight=init.he_normal)
    t = (1 - smoothing) * np.eye(10)[y] + smoothing / 10
    training.fit(net, optim.Adam(net.parameters(), lr=lr), x, t, epochs=epochs, batch=50, rng=rng,
                 loss=losses.cross_entropy)  # fmt: skip
    nothing = rng.normal(0, np.sqrt(1.25), size=(1000, 64))  # pixels as the test set's, and no digit
    shifted = clean[2] + rng.normal(0, 1.5, x_test.shape)  # three times the noise
    with no_grad():
        z_val, z, z_shift, z_none = (net(a).data for a in (x_val, x_test, shifted, nothing))
    T = fit_temperature(z_val, y_val)
    q = np.exp(log_softmax(z / T))
    drawn = (q.cumsum(axis=1) < rng.random((len(q), 1))).sum(axis=1)  # labels that agree with q
    return {
        "validation error": 100 * np.mean(z_val.argmax(axis=1) != y_val),
        "T": T,
        "error": 100 * np.mean(z.argmax(axis=1) != y_test),
        "error, scaled": 100 * np.mean((z / T).argmax(axis=1) != y_test),
        "confidence": 100 * np.exp(log_softmax(z)).max(axis=1).mean(),
        "loss": nll(z, y_test),
        "loss, scaled": nll(z / T, y_test),
        "ece": ece(z, y_test),
        "ece, scaled": ece(z / T, y_test),
        "ece of the calibrated": ece(z / T, np.minimum(drawn, 9)),
        "shifted ece": ece(z_shift, y_test),
        "shifted ece, scaled": ece(z_shift / T, y_test),
        "shifted best T": fit_temperature(z_shift, y_test),
        "noise confidence": 100 * np.exp(log_softmax(z_none)).max(axis=1).mean(),
        "noise confidence, scaled": 100 * np.exp(log_softmax(z_none / T)).max(axis=1).mean(),
    }


def clipped(z, eps):
    """Shares by division: max(z, 0) + eps over the sum."""
    r = activations.relu(z) + eps
    return r / r.sum(axis=1, keepdims=True)


def shares(method, steps, lr, seed):
    """Errors of a linear classifier of digits, by gradient descent on -log of the right share."""
    rng = np.random.default_rng(seed)
    train, rest = data.split(*data.digits(), 0.5, rng=rng)
    (x_val, y_val), (x_test, y_test) = data.split(*rest, 0.5, rng=rng)
    x, x_val, x_test = data.standardize(train[0], x_val, x_test)
    y, rows = train[1], np.arange(len(x))
    W = Tensor(rng.normal(0, 0.1, (64, 10)), requires_grad=True)
    b = Tensor(np.zeros(10), requires_grad=True)
    for _ in range(steps):
        z = Tensor(x) @ W + b
        p = activations.softmax(z) if method == "softmax" else clipped(z, float(method))
        by_W, by_b = grad(-p[rows, y].log().mean(), [W, b])
        W.data, b.data = W.data - lr * by_W.data, b.data - lr * by_b.data
    scores = x_val @ W.data + b.data, x_test @ W.data + b.data
    wrong = [100 * np.mean(z.argmax(axis=1) != y) for z, y in zip(scores, (y_val, y_test))]
    return {"validation error": wrong[0], "test error": wrong[1]}


if __name__ == "__main__":
    rates = (0.001, 0.003, 0.01, 0.03, 0.1)
    grid = {"way": tuple(WAYS), "lr": rates}
    tuning = sweep(run, grid, seeds=20, workers=2)
    tuned = tuning.best("lr", by="validation error", fresh=range(100, 200))
    methods = ("0.001", "0.01", "0.1", "1", "softmax")  # the first four: eps of `clipped`
    rates = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
    grid = {"method": methods, "steps": (150, 600), "lr": rates}
    trials = sweep(shares, grid, seeds=6, workers=2)
    divided = trials.best("lr", by="validation error", fresh=range(100, 140))
    found = {"tuning": tuning, "tuned": tuned, "trials": trials, "divided": divided}
    store(__file__, found, again=("tuned", {"way": "long", "seed": 100}),
          tol=1e-3)  # fmt: skip
