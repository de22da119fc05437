"""Batch normalization: its place, the smallest batch, and whether its noise regularizes.

Writes batch-norm.json. Digits split 60 : 20 : 20 into training, validation and test set by the seed,
which also fixes the initial weights and the batches; ReLU, He's initialization, plain SGD. Rates are
chosen on ten seeds and reported on others.

Written before running: what would matter is 0.05 of training loss for the place, 2 points of test
error for the size of the batch, and 0.01 of test loss for the noise.
"""

import numpy as np

from minigrad import activations, init, losses, nn, norms, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

relu, BatchNorm = activations.relu, norms.BatchNorm1d


class Ghost(BatchNorm):
    """Batch normalization with the statistics of groups of 30 samples, however large the batch."""

    def forward(self, h):
        if not self.training:
            return super().forward(h)
        groups = range(0, len(h), 30)
        return np.concatenate([BatchNorm.forward(self, h[i : i + 30]) for i in groups])


def after(width, dtype=None):
    """Activation first, then normalization."""
    return nn.Sequential(relu, BatchNorm(width))


def setting(seed, norm, depth, activation=relu):
    """Training, validation and test set, a network, and the generator for its batches."""
    rng = np.random.default_rng(seed)
    x, y = data.digits()
    train, test = data.split(x, y, 0.8, rng=rng)
    train, validation = data.split(*train, 0.75, rng=rng)
    scaled = data.standardize(train[0], validation[0], test[0])
    sets = zip(scaled, (train[1], validation[1], test[1]))
    sizes = [64] + [48] * depth + [10]
    net = training.mlp(sizes, activation, rng=rng, weight=init.he_normal, norm=norm)
    return *sets, net, rng


def place(place, eta, seed):
    """Training loss of 6 layers after 2 epochs, with normalization before or after ReLU."""
    norm = {"no-norm": None, "before": BatchNorm, "after": after}[place]
    activation = (lambda h: h) if place == "after" else relu
    train, _, _, net, rng = setting(seed, norm, 6, activation)
    training.fit(net, optim.SGD(net.parameters(), lr=eta), *train, epochs=2, rng=rng)
    return training.evaluate(net, *train)[0]


def size(norm, size, eta, seed):
    """Errors in percent of 2 layers after 100 steps with batches of a size."""
    kind = None if norm == "no-norm" else BatchNorm
    (x, y), validation, test, net, rng = setting(seed, kind, 2)
    learned = net.parameters()[-2:] if norm == "last layer alone" else net.parameters()
    opt = optim.SGD(learned, lr=eta)
    for chosen in rng.integers(len(x), size=(100, size)):
        opt.zero_grad()
        losses.cross_entropy(net(x[chosen]), y[chosen]).backward()
        opt.step()
    errors = (100 * (1 - training.evaluate(net, *part)[1]) for part in (validation, test))
    return dict(zip(("validation error", "test error"), errors))


def noise(kind, eta, seed):
    """Losses of 2 layers after 200 steps with 300 samples."""
    norm = {"no-norm": None, "ghost": Ghost}.get(kind, BatchNorm)
    (x, y), validation, test, net, rng = setting(seed, norm, 2)
    few = rng.permutation(len(x))[:300]
    batch = 300 if kind in ("ghost", "whole") else 30
    opt = optim.SGD(net.parameters(), lr=eta)
    training.fit(net, opt, x[few], y[few], epochs=200 * batch // 300, rng=rng, batch=batch)
    parts = {"training": (x[few], y[few]), "validation": validation, "test": test}
    return {f"{name} loss": training.evaluate(net, *part)[0] for name, part in parts.items()}


if __name__ == "__main__":
    rates = 0.03, 0.06, 0.1, 0.2, 0.3, 0.6, 1.0, 2.0, 3.0
    axes = {"place": ("no-norm", "before", "after"), "eta": rates}
    places = sweep(place, axes, seeds=10, workers=2)

    rates = 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0
    norm = "no-norm", "batch-norm", "last layer alone"
    sizes = sweep(size, {"norm": norm, "size": (2, 4, 8, 32), "eta": rates}, seeds=10, workers=2)

    rates = 0.03, 0.1, 0.3, 1.0, 3.0, 10.0
    kinds = "no-norm", "batch", "ghost", "whole"
    noises = sweep(noise, {"kind": kinds, "eta": rates}, seeds=10, workers=2)

    store(
        __file__,
        {
            "places": places,
            "best places": places.best("eta", fresh=range(100, 160)),
            "sizes": sizes,
            "best sizes": sizes.best("eta", by="validation error", fresh=range(100, 130)),
            "noises": noises,
            "best noises": noises.best("eta", by="validation loss", fresh=range(100, 160)),
        },
        again=("best places", {"place": "before", "seed": 100}),
        tol=1e-3,
    )
