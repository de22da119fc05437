"""Focal loss, weights and resampling on rare positives; focal loss and overconfidence.

Writes focal.json. Rare: 20,000 examples in 8 dimensions, 1 positive among 10, 100 or 1000; a
network 8-16-1 (tanh), 600 steps of Adam with batches of 256 whatever the loss, and 3000 at 1:100.
At 3000 steps, too, every method chooses its own γ, α and rate.
Calibration: a network 64-64-10 on 300 digits blurred by noise, after few and after many epochs.
"""

import numpy as np
from scipy.optimize import brentq

from minigrad import compile, losses, no_grad, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

RATIOS = (10, 100, 1000)
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
GAMMAS = (0.0, 2.0, 5.0, 10.0)
ALPHAS = (0.25, 0.5, 0.9, 0.99, 0.999)  # a positive counts 1/3, 1, 9, 99, 999 of a negative
FRESH = range(100, 116)
RECALLS = (0.05, 0.2, 0.4, 0.6, 0.8)
CENTRES = np.zeros((2, 8))
CENTRES[0, 0] = CENTRES[1, 1] = 2.5


def sample(positives, negatives, rng):
    """Negatives are N(0, I) in 8 dimensions, positives N(c, 0.7² I) around one of two c."""
    side = rng.integers(2, size=positives)
    x = np.concatenate(
        [CENTRES[side] + 0.7 * rng.normal(size=(positives, 8)), rng.normal(size=(negatives, 8))]
    )
    return x, np.repeat([1, 0], [positives, negatives])


def log_odds(x, ratio):
    """The logarithm of P(y = 1 | x) / P(y = 0 | x), with one positive for ``ratio`` negatives."""
    square = ((x[:, None] - CENTRES) ** 2).sum(-1) / 0.7**2
    positive = np.logaddexp(*(-square / 2).T) - np.log(2) - 8 * np.log(0.7)
    return positive + (x**2).sum(-1) / 2 - np.log(ratio)


def pull(s, gamma):
    """The size of an example's gradient by its logit, s being the log-odds of its true class."""
    log_p, log_q = -np.logaddexp(0, -s), -np.logaddexp(0, s)
    return np.exp(gamma * log_q) * (np.exp(log_q) - gamma * np.exp(log_p) * log_p)


def balance(ratio, gamma, alpha):
    """The logit at which one positive and ``ratio`` negatives pull equally; -ln ratio for γ = 0."""
    return brentq(lambda z: alpha * pull(z, gamma) - (1 - alpha) * ratio * pull(-z, gamma), -30, 30)


def precisions(score, y, ratio):
    """The precision down to each positive, best first, when positives are 1 in ``ratio`` + 1.

    Its mean is the area below the precision-recall curve; ties count as if negatives came first.
    """
    y = y[np.lexsort((y, -score))]
    hits = np.cumsum(y) / y.sum()
    misses = np.cumsum(1 - y) / (len(y) - y.sum())
    return (hits / (hits + ratio * misses))[y == 1]


def rare(ratio, gamma, alpha, how, lr, seed, steps=600):
    """Minus the average precision on a validation and on a test set (less is better), and more.

    ``how``: "plain"; "resampled", half of each batch being positives; or "prior", where the
    output bias begins at the constant output that is best for this γ, α and frequency.
    """
    rng = np.random.default_rng(seed)
    few = 20_000 // (ratio + 1)
    x, y = sample(few, 20_000 - few, rng)
    net = training.mlp([8, 16, 1], rng=rng)
    if how == "prior":
        net.parameters()[-1].data[:] = balance(ratio, gamma, alpha)
    opt = optim.Adam(net.parameters(), lr=lr)

    def value(x, y):
        return losses.focal_loss(net(x), y, gamma=gamma, alpha=alpha)

    step = compile(value, opt)
    for _ in range(steps):
        if how == "resampled":
            chosen = np.append(rng.integers(few, size=128), rng.integers(few, 20_000, size=128))
        else:
            chosen = rng.integers(20_000, size=256)
        step(x[chosen], y[chosen][:, None])
    result, rng = {}, np.random.default_rng([seed, 1])  # the same examples for all methods
    for name in ("validation", "test"):
        x, y = sample(1000, 20_000, rng)
        with no_grad():
            score = net(x).data[:, 0]
        down = precisions(score, y, ratio)
        result[name] = -down.mean()
    result["ideal"] = -precisions(log_odds(x, ratio), y, ratio).mean()
    for recall in RECALLS:  # precision where this share of the positives has been found
        result[f"precision at {recall}"] = -down[int(recall * len(down)) - 1]
    return result


def true_odds(p, gamma):
    """What is proportional to the probability that a class has, if focal loss chose p for it."""
    q = 1 - p
    return p * q / (q**gamma * (q - gamma * p * np.log(p)))


def calibration_error(p, right, bins=15):
    """Mean of |confidence - accuracy| over bins of equal width, weighted by their examples."""
    sure = p.max(axis=1)
    inside = np.minimum((sure * bins).astype(int), bins - 1)
    return np.abs(np.bincount(inside, sure - right, minlength=bins)).sum() / len(sure)


def calibration(gamma, epochs, seed, size=300, noise=0.25, lr=0.003):
    """How sure a network is, and how often right, on digits that it has not seen."""
    rng = np.random.default_rng(seed)
    x, y = data.digits()
    x = x + noise * rng.normal(size=x.shape)
    order = rng.permutation(len(x))
    train, check, test = np.split(order, [size, size + 300])
    net = training.mlp([64, 64, 10], rng=rng)

    def loss(z, y):
        return losses.focal_loss(z, y, gamma=gamma)

    opt = optim.Adam(net.parameters(), lr=lr)
    training.fit(net, opt, x[train], y[train], epochs=epochs, batch=50, rng=rng, loss=loss)

    def log_p(rows, temperature=1.0):
        with no_grad():
            z = net(x[rows]).data / temperature
        z = z - z.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    def nll(log_p, rows):
        return -log_p[np.arange(len(rows)), y[rows]].mean()

    logs = log_p(test)
    p = np.exp(logs)
    mapped = true_odds(np.clip(p, 1e-12, 1 - 1e-12), gamma)
    mapped /= mapped.sum(axis=1, keepdims=True)
    right = p.argmax(axis=1) == y[test]
    heats = np.geomspace(0.1, 10, 81)
    heat = min(heats, key=lambda t: nll(log_p(check, t), check))
    tempered = log_p(test, heat)
    return {
        "error": 1 - right.mean(),
        "sure": p.max(axis=1).mean() - right.mean(),  # mean confidence less accuracy
        "sure mapped": mapped.max(axis=1).mean() - right.mean(),
        "ece": calibration_error(p, right),
        "ece mapped": calibration_error(mapped, right),
        "ece tempered": calibration_error(np.exp(tempered), right),
        "sure tempered": np.exp(tempered).max(axis=1).mean() - right.mean(),
        "nll": nll(logs, test),
        "nll mapped": nll(np.log(mapped), test),
        "nll tempered": nll(tempered, test),
        "temperature": heat,
    }


def methods(grid, resampled, prior, fresh=FRESH):
    """Each method with its best settings, on fresh seeds."""
    plain = grid.at(alpha=0.5)
    some = [g for g in grid.axes["gamma"] if g > 0]
    free = {"by": "validation", "fresh": fresh, "ends": ("gamma", "alpha", "lr")}
    return {
        "cross-entropy": plain.at(gamma=0.0).best("lr", **free),
        "weighted": grid.at(gamma=0.0).best("alpha", "lr", **free),
        "focal": plain.at(gamma=some).best("gamma", "lr", **free),
        "focal weighted": grid.at(gamma=some).best("gamma", "alpha", "lr", **free),
        "resampled": resampled.best("lr", **free),
        "prior": prior.at(gamma=0.0).best("lr", **free),
        "focal prior": prior.at(gamma=some).best("gamma", "lr", **free),
    }


def searches(alphas, lr, **rest):
    """The three searches that ``methods`` chooses from, all with 3 seeds."""
    kinds = (("plain", rest["gamma"], alphas), ("resampled", (0.0,), (0.5,)),
             ("prior", rest["gamma"], (0.5,)))  # fmt: skip
    return [
        sweep(
            rare,
            rest | {"gamma": gammas, "alpha": some, "how": (how,), "lr": lr},
            seeds=3,
            workers=2,
        ).at(how=how)
        for how, gammas, some in kinds
    ]


if __name__ == "__main__":
    grid, resampled, prior = searches(ALPHAS, RATES, ratio=RATIOS, gamma=GAMMAS)
    found = methods(grid, resampled.at(gamma=0.0, alpha=0.5), prior.at(alpha=0.5))
    found["published"] = grid.at(gamma=2.0, alpha=0.25).best(
        "lr", by="validation", fresh=FRESH, ends=("lr",)
    )
    once = {"ratio": 100, "steps": 3000}
    grid_long, resampled, prior = searches(
        ALPHAS[1:4], (0.0003, *RATES[:3]), ratio=(100,), gamma=GAMMAS[:3], steps=(3000,)
    )
    longer = methods(
        grid_long.at(**once),
        resampled.at(**once, gamma=0.0, alpha=0.5),
        prior.at(**once, alpha=0.5),
    )
    sure = sweep(
        calibration,
        {"gamma": (0.0, 1.0, 2.0, 3.0, 5.0), "epochs": (20, 500)},
        seeds=10,
        workers=2,
    )
    store(
        __file__,
        {"grid": grid, "sure": sure}
        | found
        | {f"longer {name}": scores for name, scores in longer.items()},
        again=("sure", {"gamma": 2.0, "epochs": 20, "seed": 3}),
        tol=0.04,
    )
