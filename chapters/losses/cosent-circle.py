"""CoSENT and its rivals on graded pairs of digits, Circle loss and its rivals on classes of them.

Writes cosent-circle.json. The encoder is 64-64-d with tanh, and its outputs are compared by their
cosines; within a seed all losses have the same images, initial weights and batches. Scores, of
which less is better: 1 - Spearman's correlation of cosine and grade over all pairs of held-out
images, and 1 - mean average precision, each held-out image ranking all the others.
"""

import numpy as np
from scipy.stats import rankdata

from minigrad import activations, losses, no_grad, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep


def unit(z):
    """Rows of length 1."""
    return z / np.sqrt((z * z).sum(axis=-1, keepdims=True) + 1e-12)


def parts(per_class, rng):
    """So many images of each digit for training, and the others in two halves."""
    x, y = data.digits()
    order = rng.permutation(len(y))
    x, y = x[order], y[order]
    place = np.array([np.sum(y[:i] == y[i]) for i in range(len(y))])
    rest = np.flatnonzero(place >= per_class)
    return [(x[k], y[k]) for k in (np.flatnonzero(place < per_class), rest[::2], rest[1::2])]


def cosines(z):
    u = unit(z)
    return u @ u.T


def expected(head, z):
    """Minus the difference of the digits that the classifier expects, for all pairs of rows."""
    i, j = (k.ravel() for k in np.indices((len(z), len(z))))
    p = activations.softmax(head(np.concatenate([z[i], z[j], np.abs(z[i] - z[j])], axis=1)))
    return -(p.data @ np.arange(10)).reshape(len(z), len(z))


def spearman(s, y):
    """Of s and minus the difference of the digits, over all pairs of images."""
    one, two = np.triu_indices(len(y), 1)
    return np.corrcoef(rankdata(s[one, two]), rankdata(-np.abs(y[one] - y[two])))[0, 1]


def average_precision(s, y):
    """Each image ranks all others by s: the mean of the precisions at its positives."""
    s = s.copy()
    np.fill_diagonal(s, np.inf)
    right = y[np.argsort(-s, axis=1)[:, 1:]] == y[:, None]
    precision = np.cumsum(right, axis=1) / np.arange(1, len(y))
    return np.mean(np.sum(precision * right, axis=1) / np.sum(right, axis=1))


def of_pairs(loss, scale, u, v, gap, head):
    """The loss of a batch of pairs whose digits differ by gap = 0 … 9."""
    s = (u * v).sum(axis=-1)
    if loss == "cosent":
        return losses.cosent_loss(s, -gap, scale=scale)
    if loss == "pairwise":  # RankNet: the logarithm inside the sum over the same pairs
        return losses.ranknet_loss(s, -gap, sigma=scale)
    if loss == "regression":
        return losses.mse_loss(s, 1 - 2 * gap / 9)
    return losses.cross_entropy(head(np.concatenate([u, v, np.abs(u - v)], axis=1)), gap)


def graded(loss, eta, scale, seed, steps=300, batch=64, width=16):
    """1 - Spearman after training on random pairs of 300 images.

    "test" is of the cosine; "own" and "validation" are of what the trained function itself says:
    for the classifier the difference of the digits that it expects, for all others the cosine.
    """
    rng = np.random.default_rng(seed)
    (x, y), validation, test = parts(30, rng)
    net = training.mlp([64, 64, width], rng=rng)
    head = training.mlp([3 * width, 10], rng=rng)
    opt = optim.Adam([*net.parameters(), *head.parameters()], lr=eta)
    for _ in range(steps):
        i, j = rng.integers(len(y), size=(2, batch))
        gap = np.abs(y[i] - y[j])
        z = net(np.concatenate([x[i], x[j]]))
        if loss != "classify":
            z = unit(z)
        opt.zero_grad()
        of_pairs(loss, scale, z[:batch], z[batch:], gap, head).backward()
        opt.step()
    with no_grad():
        found = {}
        for name, (images, digits) in {"validation": validation, "own": test}.items():
            z = net(images[:300]).data
            own = expected(head, z) if loss == "classify" else cosines(z)
            found[name] = 1 - spearman(own, digits[:300])
        return found | {"test": 1 - spearman(cosines(z), digits[:300])}


def of_classes(loss, m, gamma, s, same):
    """The loss of a batch, each row an anchor: s are all cosines, same says which are positives.

    Every digit is in the batch equally often, so every row has equally many positives.
    """
    itself = np.eye(len(s), dtype=bool)
    sp, sn = (s[np.nonzero(k)].reshape(len(s), -1) for k in (same & ~itself, ~same))
    if loss == "circle":
        return losses.circle_loss(sp, sn, m=m, gamma=gamma)
    if loss == "uniform":  # equation 1 of the paper: all weights 1, a margin m
        p, n = -gamma * sp, gamma * (sn + m)
    elif loss == "masked":  # Circle loss without the negatives whose weight is cut to 0
        p = -gamma * (1 + m - sp.data) * (sp - (1 - m))
        n = np.where(sn.data < -m, -1e3, gamma * np.maximum(sn.data + m, 0) * (sn - m))
    else:  # Circle loss with its weights differentiated
        p = -gamma * np.maximum(1 + m - sp, 0) * (sp - (1 - m))
        n = gamma * np.maximum(sn + m, 0) * (sn - m)
    return activations.softplus(activations.logsumexp(p) + activations.logsumexp(n)).mean()


def classes(loss, eta, m, gamma, seed, steps=200, each=4, width=16):
    """1 - mean average precision after training on 20 images of each digit."""
    rng = np.random.default_rng(seed)
    (x, y), validation, test = parts(20, rng)
    of = [np.flatnonzero(y == digit) for digit in range(10)]
    same = np.repeat(np.arange(10), each)[:, None] == np.repeat(np.arange(10), each)
    net = training.mlp([64, 64, width], rng=rng)
    opt = optim.Adam(net.parameters(), lr=eta)
    for _ in range(steps):
        chosen = np.concatenate([rng.permutation(k)[:each] for k in of])
        u = unit(net(x[chosen]))
        opt.zero_grad()
        of_classes(loss, m, gamma, u @ u.T, same).backward()
        opt.step()
    with no_grad():
        s, s_val = cosines(net(test[0][:400]).data), cosines(net(validation[0][:400]).data)
    y, y_val = test[1][:400], validation[1][:400]
    return {
        "validation": 1 - average_precision(s_val, y_val),
        "test": 1 - average_precision(s, y),
        "below": np.mean(s[y[:, None] != y] < -m),  # negatives whose weight is cut to 0
    }


if __name__ == "__main__":
    scales = (0.6, 1.25, 2.5, 5.0, 10.0, 20.0, 40.0)
    ranked = sweep(
        graded, {"loss": ("cosent", "pairwise"), "eta": (0.003, 0.01, 0.03, 0.1), "scale": scales},
        seeds=3, workers=2,
    )  # fmt: skip
    others = sweep(
        graded,
        {"loss": ("regression", "classify"), "eta": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
         "scale": (1.0,)},
        seeds=3, workers=2,
    )  # fmt: skip
    longer = sweep(
        graded,
        {"loss": ("cosent",), "eta": (0.003, 0.01, 0.03, 0.1), "scale": (2.5, 20.0),
         "steps": (1500,)},
        seeds=3, workers=2,
    )  # fmt: skip
    circles = sweep(
        classes,
        {"loss": ("uniform", "circle", "differentiated", "masked"), "eta": (0.01, 0.03, 0.1),
         "m": (0.0, 0.05, 0.1, 0.4, 0.8, 1.6), "gamma": (4.0, 16.0, 64.0, 256.0, 1024.0)},
        seeds=2, workers=2,
    )  # fmt: skip
    store(
        __file__,
        {
            "ranked": ranked.best(
                "eta", by="validation", fresh=range(100, 112), ends=("eta",)
            ),  # at scales up to 1.25 the largest rate is best for "pairwise"
            "tuned": ranked.best("eta", "scale", by="validation", fresh=range(100, 112)),
            "longer": longer.best("eta", by="validation", fresh=range(100, 112)),
            "others": others.best("eta", by="validation", fresh=range(100, 112)),
            "circles": circles.best(
                "eta", "m", "gamma", by="validation", fresh=range(100, 124), ends=("m", "gamma")
            ),  # flat around the best, and the chapter says so
        },
        again=("ranked", {"loss": "cosent", "scale": 20.0, "seed": 100}),
        tol=0.02,
    )
