"""Batch normalization: which learning rates can be used, and does it go before or after the activation?

Writes batch-norm.json. Digits, 60 % for training; 6 hidden layers of 48, SGD, 2 epochs, batches of
64. Normalization: none, before the activation, after it, or before it and followed by noise whose
mean and scale change in every step. The score is the loss on the training set, at most 5. The
learning rate of each network is the one with the least mean over 8 seeds; 100 others report.

Written before running: before or after, a difference of 0.03 would matter. It had a standard
deviation of 0.05 to 0.12 in pilots, so 100 pairs give ± 0.02 or less. The same networks at the same
rates after five times as many epochs are stored too.
"""

import numpy as np

from minigrad import activations, init, nn, norms, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

PLACES = "no-norm", "before", "after", "noisy"


class Noisy(nn.Module):
    """Batch normalization, then noise with another mean and scale in each step."""

    made = 0

    def __init__(self, width, dtype=None):
        self.norm, self.step, self.own = norms.BatchNorm1d(width), 0, Noisy.made % 6
        Noisy.made += 1

    def forward(self, h):
        z = self.norm(h)
        if not self.training:
            return z
        rng = np.random.default_rng([self.own, self.step])
        self.step += 1
        width = z.shape[1]
        mean, scale = rng.uniform(-0.5, 0.5, width), rng.uniform(1, 1.25, width)
        return z * rng.normal(scale, 0.1, z.shape) + rng.normal(mean, 0.1, z.shape)


def after(width, dtype=None):
    """Activation first, then normalization."""
    return nn.Sequential(activations.relu, norms.BatchNorm1d(width))


def final(place, eta, epochs, seed):
    """Loss on the training set."""
    x, y = data.digits()
    (x, y), (x_test, _) = data.split(x, y, 0.6, rng=np.random.default_rng(0))
    x, _ = data.standardize(x, x_test)
    rng = np.random.default_rng(seed)
    norm = {"before": norms.BatchNorm1d, "after": after, "noisy": Noisy}.get(place)
    activation = (lambda h: h) if place == "after" else activations.relu
    net = training.mlp(
        [64] + [48] * 6 + [10], activation, rng=rng, weight=init.he_normal, norm=norm
    )
    training.fit(net, optim.SGD(net.parameters(), lr=eta), x, y, epochs=epochs, rng=rng)
    return min(training.evaluate(net, x, y)[0], 5.0)  # a divergence counts as 5


if __name__ == "__main__":
    rates = (0.1, 0.15, 0.2, 0.3, 0.6, 1.0, 2.0)
    axes = {"place": PLACES, "epochs": (2,)}
    tuning = sweep(final, {**axes, "eta": rates}, seeds=8)
    tuned = tuning.best("eta", fresh=range(100, 200))
    results = {"tuning": tuning, "tuned": tuned}
    for place, eta in zip(PLACES, np.ravel(tuned.chosen["eta"])):
        again = {"place": (place,), "epochs": (10,), "eta": (float(eta),)}
        results[f"longer {place}"] = sweep(final, again, seeds=range(100, 120))
    store(
        __file__,
        results,
        again=("tuning", {"place": "before", "epochs": 2, "eta": 0.1, "seed": 0}),
        tol=1e-4,
    )
