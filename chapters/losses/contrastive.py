"""Embeddings of the digits by contrastive losses: which triplets, which temperature.

Writes contrastive.json. `mined`: labelled digits, by pairs and by triplets of semi-hard or hardest
negatives (squared distances; with ", root" plain ones). `between`: hardest negatives in dimensions
between 2 and 16. `patient`: five times as many steps. `views`: no labels; two shifted, noisy views
of an image are a positive pair, the rest of the batch are its negatives, with and without those
that show the same digit. `rates`: the highest temperature at fixed rates. `forces`: two
temperatures, with the positive in the denominator and without. `later`: five times as many steps.
"""

import numpy as np

from minigrad import losses, no_grad, optim
from minigrad.lab import data, training
from minigrad.lab.experiments import store, sweep

STEPS = 300
BATCH = 60


def divide(rng):
    """1000 images to learn from, 300 to choose by, the rest to report."""
    x, y = data.digits()
    order = rng.permutation(len(x))
    parts = np.split(order, [1000, 1300])
    return [(x[part], y[part]) for part in parts]


def distances(e):
    """Squared distances of all rows of e."""
    return np.square(e[:, None] - e[None]).sum(axis=-1)


def triplets(e, y, mining):
    """For each ordered pair of one class a negative: the nearest, or a semi-hard one."""
    d = distances(e)
    a, p = np.nonzero((y[:, None] == y) & ~np.eye(len(y), dtype=bool))
    other = y[a][:, None] != y
    if mining == "hard":
        key = np.where(other, d[a], np.inf)
    else:  # the nearest of those beyond the positive; if there is none, the farthest
        beyond = d[a] > d[a, p][:, None]
        key = np.where(other, np.where(beyond, d[a], 1e9 - d[a]), np.inf)
    return a, p, key.argmin(axis=1)


def embedding_loss(e, y, method):
    """The loss of a batch of embeddings e with labels y."""
    if method == "pairs":
        i, j = np.triu_indices(len(y), 1)
        each = losses.contrastive_loss(e[i], e[j], y[i] == y[j], reduction="none")
        same = y[i] == y[j]
        return each[same].mean() + each[~same].mean()  # either kind counts as much
    mining, _, root = method.partition(", ")
    a, p, n = triplets(e.data, y, mining)
    near, far = np.square(e[a] - e[p]).sum(axis=1), np.square(e[a] - e[n]).sum(axis=1)
    if root:
        near, far = np.sqrt(near + 1e-12), np.sqrt(far + 1e-12)
    return np.clip(near - far + 1.0, 0, None).mean()


def scores_of(e, y, gallery, labels):
    """Share of wrong nearest neighbours, and of pairs of pairs in the wrong order (1 - AUC)."""
    nearest = (np.square(gallery).sum(axis=1) - 2 * e @ gallery.T).argmin(axis=1)
    i, j = np.triu_indices(len(y), 1)
    d, same = distances(e)[i, j], y[i] == y[j]
    _, inverse, counts = np.unique(d, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    n = same.sum()
    wrong = (rank[same].sum() - n * (n + 1) / 2) / (n * (len(d) - n))
    return float(100 * np.mean(labels[nearest] != y)), float(100 * wrong)


def embed(net, x):
    with no_grad():
        return net(x).data


def labelled(method, eta, seed, steps=STEPS, width=2):
    """A network 64-64-width trained with labels; errors in percent, and the spread it ends with."""
    rng = np.random.default_rng(seed)
    (x, y), (xv, yv), (xt, yt) = divide(rng)
    net = training.mlp([64, 64, width], rng=rng)
    opt = optim.Adam(net.parameters(), lr=eta)
    for _ in range(steps):
        chosen = rng.integers(len(x), size=BATCH)
        opt.zero_grad()
        embedding_loss(net(x[chosen]), y[chosen], method).backward()
        opt.step()
    e = [embed(net, part) for part in (x, xv, xt)]
    wrong, order = scores_of(e[2], yt, e[0], y)
    return {
        "validation": scores_of(e[1], yv, e[0], y)[0],
        "test": wrong,
        "order": order,
        "spread": float(np.sqrt(distances(e[2]).mean())),
    }


def views(x, rng):
    """Each image shifted by up to a pixel either way, with noise."""
    padded = np.pad(x.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    dy, dx = rng.integers(3, size=(2, len(x)))
    rows, columns = dy[:, None] + np.arange(8), dx[:, None] + np.arange(8)
    moved = padded[np.arange(len(x))[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.reshape(len(x), 64) + 0.1 * rng.standard_normal((len(x), 64))


def unit(e):
    return e / np.sqrt(np.square(e).sum(axis=1, keepdims=True) + 1e-12)


def unlabelled(tau, false, eta, seed, steps=2 * STEPS, width=8, own="kept"):
    """A network 64-64-8 trained with InfoNCE on two views.

    The denominator has the false negatives or leaves them out, and likewise its own positive:
    without that, pushes add up to 1/tau however well the question is answered.
    """
    rng = np.random.default_rng(seed)
    (x, y), (xv, yv), (xt, yt) = divide(rng)
    net = training.mlp([64, 64, width], rng=rng)
    opt = optim.Adam(net.parameters(), lr=eta)
    for _ in range(steps):
        chosen = rng.choice(len(x), size=BATCH, replace=False)
        label = y[chosen]
        positive = np.eye(BATCH, dtype=bool)
        out = (label[:, None] == label) & ~positive & (false == "left out")
        out = out | (positive & (own == "left out"))
        u, v = unit(net(views(x[chosen], rng))), unit(net(views(x[chosen], rng)))
        below = np.exp(u @ v.T / tau - 1e9 * out).sum(axis=1)  # at most 60 exp(1 / 0.03): finite
        opt.zero_grad()
        (np.log(below) - (u * v).sum(axis=1) / tau).mean().backward()
        opt.step()
    e = [unit(embed(net, part)) for part in (x, xv, xt)]
    a, b = unit(embed(net, views(xt, rng))), unit(embed(net, views(xt, rng)))
    i, j = np.triu_indices(len(xt), 1)
    return {
        "validation": scores_of(e[1], yv, e[0], y)[0],
        "test": scores_of(e[2], yt, e[0], y)[0],
        "alignment": float(np.square(a - b).sum(axis=1).mean()),
        "uniformity": float(np.log(np.exp(-2 * distances(a)[i, j]).mean())),
    }


if __name__ == "__main__":
    fresh = range(100, 108)
    mined = sweep(
        labelled,
        {"method": ("pairs", "semi", "hard", "hard, root"), "width": (2, 16),
         "eta": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)},
        seeds=8,
    ).best("eta", by="validation", fresh=fresh)  # fmt: skip
    between = sweep(
        labelled, {"method": ("hard",), "eta": (0.001,), "width": (3, 4, 8)}, seeds=fresh
    )
    patient = sweep(
        labelled,
        {"method": ("semi", "hard"), "eta": (0.003,), "width": (2,), "steps": (5 * STEPS,)},
        seeds=fresh[:4],
    )
    temperatures = sweep(
        unlabelled,
        {"tau": (0.03, 0.1, 0.3, 1.0), "false": ("kept", "left out"),
         "eta": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)},
        seeds=2,
    ).best("eta", by="validation", fresh=fresh)  # fmt: skip
    rates = sweep(
        unlabelled,
        {"tau": (1.0,), "false": ("kept", "left out"), "eta": (0.001, 0.01)},
        seeds=fresh,
    )
    forces = sweep(
        unlabelled,
        {"tau": (0.03, 0.1), "false": ("kept",), "eta": (0.01,), "own": ("kept", "left out")},
        seeds=fresh[:6],
    )
    later = sweep(
        unlabelled,
        {"tau": (0.03, 0.1), "false": ("kept",), "eta": (0.01,), "steps": (10 * STEPS,)},
        seeds=fresh[:4],
    )
    short = sweep(
        labelled, {"method": ("semi",), "eta": (0.003,), "width": (2,), "steps": (30,)}, seeds=1
    )
    store(
        __file__,
        {"mined": mined, "between": between, "patient": patient, "views": temperatures,
         "rates": rates, "forces": forces, "later": later, "short": short},
        again=("short", {"method": "semi", "eta": 0.003, "width": 2, "steps": 30, "seed": 0}),
        tol=0.02,
    )  # fmt: skip
