"""The largest eigenvalues of a classifier's Hessian, at the start, early and after training.

Writes higher-order.json. How many eigenvalues stand apart from the rest, and what does their number
depend on: classes, clusters, the loss, the mean of the inputs? Gradient, Hessian-vector and
Gauss-Newton products of a two-layer network are written out in NumPy.
"""

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

HIDDEN, N, SEEDS = 24, 350, 10
AT = (0, 20, 600)  # steps at which the spectrum is taken


class Network:
    """D-HIDDEN-K, tanh or ReLU; theta is one vector; f is the mean loss over (x, one-hot y)."""

    def __init__(self, x, y, activation="tanh", loss="softmax", bias=True):
        self.x, self.y, self.bias = x, y, bias
        self.relu, self.softmax = activation == "relu", loss == "softmax"
        D, K = x.shape[1], y.shape[1]
        self.shapes = [(D, HIDDEN), (HIDDEN, K)] + bias * [(HIDDEN,), (K,)]
        self.n = sum(int(np.prod(s)) for s in self.shapes)

    def cut(self, t):
        at, parts = 0, []
        for s in self.shapes:
            parts.append(t[at : at + int(np.prod(s))].reshape(s))
            at += int(np.prod(s))
        return parts if self.bias else [*parts, 0.0, 0.0]

    def join(self, W1, W2, b1, b2):
        return np.concatenate([np.ravel(p) for p in ((W1, W2, b1, b2) if self.bias else (W1, W2))])

    def start(self, rng):
        parts = [rng.normal(size=s) / np.sqrt(s[0]) for s in self.shapes[:2]]
        return self.join(*parts, np.zeros(HIDDEN), np.zeros(self.y.shape[1]))

    def forward(self, t):
        W1, W2, b1, b2 = self.cut(t)
        a = self.x @ W1 + b1
        h = np.maximum(a, 0) if self.relu else np.tanh(a)
        slope = (a > 0).astype(a.dtype) if self.relu else 1 - h * h
        bend = 0 * a if self.relu else -2 * h * slope
        z = h @ W2 + b2
        p = np.exp(z - z.max(axis=1, keepdims=True)) if self.softmax else z
        return h, slope, bend, p / p.sum(axis=1, keepdims=True) if self.softmax else p

    def grad(self, t):
        W2, (h, slope, _, p) = self.cut(t)[1], self.forward(t)
        r = (p - self.y) / len(self.y)
        d = (r @ W2.T) * slope
        return self.join(self.x.T @ d, h.T @ r, d.sum(0), r.sum(0))

    def products(self, t):
        """v -> Hv and v -> Gv at t (G: Gauss-Newton)."""
        W2, (h, slope, bend, p) = self.cut(t)[1], self.forward(t)
        r = (p - self.y) / len(self.y)
        back = r @ W2.T

        def product(v, residual):
            V1, V2, c1, c2 = self.cut(v)
            da = self.x @ V1 + c1
            dh = slope * da
            dz = dh @ W2 + h @ V2 + c2
            dr = (p * (dz - (p * dz).sum(1, keepdims=True)) if self.softmax else dz) / len(self.y)
            dd = (dr @ W2.T) * slope
            e2 = h.T @ dr
            if residual:
                dd += (r @ V2.T) * slope + back * bend * da
                e2 += dh.T @ r
            return self.join(self.x.T @ dd, e2, dd.sum(0), dr.sum(0))

        return lambda v: product(v, True), lambda v: product(v, False)


def sample(task, K, rng):
    """N digits and one-hot labels of K classes."""
    x, y = data.digits()
    keep = rng.permutation(np.flatnonzero(y < (10 if task == "merged" else K)))[:N]
    x, y = x[keep], y[keep]
    if task == "merged":  # ten digits share K labels
        y = rng.permutation(10)[y] % K
    if task == "shuffled":  # labels that have nothing to do with the digits
        y = rng.integers(K, size=N)
    if task in ("centred", "no mean"):  # every pixel has mean 0
        x = x - x.mean(0)
    return x, np.eye(K)[y]


def top(product, n, k, rng):
    """The k largest eigenvalues."""
    found = eigsh(
        LinearOperator((n, n), matvec=product, dtype=float), k, which="LA", tol=1e-3,
        v0=rng.normal(size=n), return_eigenvectors=False,
    )  # fmt: skip
    return np.sort(found)[::-1]


SETTINGS = {  # activation, loss, task, weight decay
    "relu": ("relu", "softmax", "digits", 0.003),
    "tanh": ("tanh", "softmax", "digits", 0.003),
    "relu, squares": ("relu", "squares", "digits", 0.003),
    "tanh, squares": ("tanh", "squares", "digits", 0.003),
    "relu, merged": ("relu", "softmax", "merged", 0.003),
    "relu, shuffled": ("relu", "softmax", "shuffled", 0.003),
    "relu, centred": ("relu", "softmax", "centred", 0.003),
    "tanh, centred": ("tanh", "softmax", "centred", 0.003),
    "tanh, no mean": ("tanh", "softmax", "no mean", 0.003),  # centred, and without biases
    "relu, no decay": ("relu", "softmax", "digits", 0.0),
}


def training(setting, K, seed):
    """Full-batch gradient descent with momentum 0.9: (step, network, theta) at the steps of AT."""
    activation, loss, task, decay = SETTINGS[setting]
    rng = np.random.default_rng(seed)
    x, y = sample(task, K, rng)
    net = Network(x, y, activation, loss, bias=task != "no mean")
    t, m, eta = net.start(rng), 0.0, 0.3 if loss == "softmax" else 0.03
    for step in range(AT[-1] + 1):
        if step in AT:
            yield step, net, t
        m = 0.9 * m + net.grad(t) + decay * t
        t = t - eta * m


def spectrum(setting, K, seed):
    """How many eigenvalues stand before the largest ratio of neighbours; the ratios at K - 1, at K.

    `mean`: the squared length of the mean of the last layer's inputs (and the 1 of the bias) over
    their largest variance.
    """
    scores, most, rng = {}, 2 * K + 6, np.random.default_rng([seed, 1])
    for step, net, t in training(setting, K, seed):
        h, _, _, p = net.forward(t)
        if net.bias:
            h = np.hstack([h, np.ones((N, 1))])
        spread = np.linalg.eigvalsh(np.cov(h.T, bias=True))[-1]
        scores[f"mean {step}"] = np.sum(h.mean(0) ** 2) / spread
        scores[f"error {step}"] = np.mean(p.argmax(1) != net.y.argmax(1))
        for name, product in zip("HG", net.products(t)):
            if (name, step) == ("G", AT[1]):
                continue
            values = np.maximum(top(product, net.n, most + 1, rng), 1e-12)
            ratio = values[:-1] / values[1:]
            scores[f"{name} count {step}"] = ratio.argmax() + 1
            if name == "H":
                scores[f"gap K-1 {step}"] = ratio[K - 2]
                scores[f"gap K {step}"] = ratio[K - 1]
    return scores


if __name__ == "__main__":
    axes = {"setting": tuple(SETTINGS), "K": (2, 3, 4, 6, 8, 10)}
    found = sweep(spectrum, axes, seeds=SEEDS, workers=2)
    store(
        __file__, {"spectrum": found},
        again=("spectrum", {"setting": "relu", "K": 4, "seed": 0}), tol=1e-2,
    )  # fmt: skip
