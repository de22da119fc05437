"""Pointwise, pairwise and listwise losses, trained on lists and compared by NDCG.

Writes ranking.json. Three tasks: "linear" and "network" are a linear scorer and a small network on
lists from a stated generator, "digits" is a linear scorer on 64 pixels that puts images of digits
in the order of their value. A run returns 1 - NDCG of validation and test lists (less is better)
and the share of test pairs in the wrong order, all at the step, of those in STEPS, that was best
for the validation lists.
"""

from functools import lru_cache
from itertools import combinations

import numpy as np

from minigrad import Tensor, losses, nn, no_grad, optim
from minigrad.lab import data
from minigrad.lab.experiments import store, sweep

ETAS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
STEPS = (3, 6, 12, 25, 50, 100, 200)
TASKS = ("linear", "network", "digits")


def generated(rng, sizes, n, d=10, hidden=10):
    """Lists of n documents with d features: the utility is a random ReLU network and noise, each
    query adds an offset that no feature tells, and thresholds make the grades 0 to 4."""
    w, v = rng.normal(size=(d, hidden)), rng.normal(size=hidden)
    lists = []
    for queries in sizes:
        x = rng.normal(size=(queries, n, d))
        utility = np.maximum(x @ w, 0) @ v
        utility = (utility - utility.mean()) / utility.std()
        utility += 0.5 * rng.normal(size=(queries, n)) + 0.5 * rng.normal(size=(queries, 1))
        lists.append((x, np.searchsorted([0, 0.8, 1.5, 2.2], utility).astype(float)))
    return lists


def digit_lists(rng, sizes, n):
    """Lists of n images, graded by half the digit's value; the parts share no image."""
    x, y = data.digits()
    lists = []
    for share, queries in zip(np.split(rng.permutation(len(x)), [600, 1200]), sizes):
        rows = np.array([rng.choice(share, n, replace=False) for _ in range(queries)])
        lists.append((x[rows] - 0.3, (y[rows] // 2).astype(float)))
    return lists


def ndcg(scores, r):
    """Of each list; nan where no document is relevant. Ties are left to the sort."""
    discount = 1 / np.log2(np.arange(2, r.shape[-1] + 2))
    order = np.argsort(-scores, axis=-1)
    dcg = np.take_along_axis(2**r - 1, order, -1) @ discount
    best = -np.sort(1 - 2**r, axis=-1) @ discount
    return dcg / np.where(best > 0, best, np.nan)


def wrong(scores, r):
    """The share of pairs of unequal grades whose scores are in the wrong order, of all lists."""
    pairs = r[..., :, None] > r[..., None, :]
    return ((scores[..., :, None] <= scores[..., None, :]) & pairs).sum() / pairs.sum()


def pairwise(cost, weight=lambda r: 1.0):
    """The weighted sum of the costs of a list's pairs, of their gap in score."""

    def loss(s, r):
        above = r[..., :, None] > r[..., None, :]
        gaps = s[..., :, None] - s[..., None, :]
        return (cost(gaps) * (above * weight(r))).sum(axis=(-2, -1)).mean()

    return loss


def by_gain(r):
    """LambdaRank's weight without its places."""
    return np.abs(2 ** r[..., :, None] - 2 ** r[..., None, :])


@lru_cache
def subsets(n):
    """Rows of 0 and 1: all sets of documents but the empty one, the larger first."""
    sets = [c for size in range(n, 0, -1) for c in combinations(range(n), size)]
    return np.array([[i in c for i in range(n)] for c in sets], float)


def permutations_loss(s, r):
    """The cross-entropy of all n! orders (Plackett-Luce): sum of P(A) LSE_A(s) over what may be
    left, A, less the sum of the scores."""
    sets = subsets(r.shape[-1])
    number = {row.tobytes(): k for k, row in enumerate(sets)}
    left = np.zeros((*r.shape[:-1], len(sets)))
    left[..., 0] = 1
    e = np.exp(r - r.max(axis=-1, keepdims=True))
    for k, row in enumerate(sets):
        for i in np.flatnonzero(row) if row.sum() > 1 else ():
            rest = row.copy()
            rest[i] = 0
            left[..., number[rest.tobytes()]] += left[..., k] * e[..., i] / (e @ row)
    top = s.data.max(axis=-1, keepdims=True)
    s = s - top
    return ((left * np.log(np.exp(s) @ sets.T)).sum(axis=-1) - s.sum(axis=-1)).mean()


LOSSES = {
    "pointwise": lambda s, r: ((s - r) ** 2).mean(),
    "margin": pairwise(lambda gap: np.clip(1 - gap, 0, None)),
    "ranknet": losses.ranknet_loss,
    "ranknet, gains": pairwise(lambda gap: np.logaddexp(0, -gap), by_gain),
    "lambdarank": losses.lambdarank_loss,
    "listnet": losses.listnet_loss,
    "listnet, r / 2": lambda s, r: losses.listnet_loss(s, r / 2),
    "listnet, 2 r": lambda s, r: losses.listnet_loss(s, 2 * r),
    "permutations": permutations_loss,
}
MAIN = tuple(name for name in LOSSES if name != "permutations")


def scorer(task, width, rng):
    """From features to scores; the weights of a linear one start at 0."""
    if task == "network":
        return nn.Sequential(nn.Linear(width, 16, rng=rng), np.tanh, nn.Linear(16, 1, rng=rng))
    net = nn.Linear(width, 1, rng=rng)
    net.weight.data = np.zeros_like(net.weight.data)
    return net


def trained(task, loss, eta, seed, queries=50, n=12):
    """At each of STEPS, 1 - NDCG of every validation and test list, and the wrong test pairs."""
    rng = np.random.default_rng(seed)
    make = digit_lists if task == "digits" else generated
    (x, r), *held_out = make(rng, (queries, 100, 300), n)
    net = scorer(task, x.shape[-1], rng)
    opt = optim.Adam(net.parameters(), lr=eta)
    inputs, found = Tensor(x), []
    for step in range(1, max(STEPS) + 1):
        opt.zero_grad()
        LOSSES[loss](net(inputs)[..., 0], r).backward()
        opt.step()
        if step in STEPS:
            with no_grad():
                scores = [net(Tensor(part)).numpy()[..., 0] for part, _ in held_out]
            lost = [1 - ndcg(s, grades) for s, (_, grades) in zip(scores, held_out)]
            found.append((*lost, wrong(scores[1], held_out[1][1])))
    return found


def run(task, loss, eta, seed, queries=50, n=12):
    found = trained(task, loss, eta, seed, queries, n)
    best = min(found, key=lambda at: np.nanmean(at[0]))
    return {"validation": np.nanmean(best[0]), "test": np.nanmean(best[1]), "pairs": best[2]}


def paired(task, seed, eta=0.03):
    """ListNet's mean 1 - NDCG less RankNet's after the last step, and the difference's standard
    error as the test queries of this one run tell it."""
    (_, a, _), (_, b, _) = (trained(task, loss, eta, seed)[-1] for loss in ("listnet", "ranknet"))
    d = (a - b)[np.isfinite(a)]
    return {"difference": d.mean(), "error": d.std(ddof=1) / np.sqrt(len(d))}


if __name__ == "__main__":
    # NDCG does not see the scale of a linear scorer, so its valley in eta is flat to the right and
    # may have its least point at the end of the grid
    def tuned(axes, seeds, fresh):
        found = sweep(run, {"task": TASKS, "eta": ETAS} | axes, seeds=seeds, workers=2)
        return found.best("eta", by="validation", fresh=range(100, 100 + fresh), ends=("eta",))

    some = {"loss": ("pointwise", "ranknet", "lambdarank", "listnet")}
    short = {"loss": ("ranknet", "listnet", "permutations"), "queries": (50,), "n": (5,)}
    store(
        __file__,
        {
            "main": tuned({"loss": MAIN}, seeds=6, fresh=60),
            "few": tuned(some | {"queries": (10,)}, seeds=4, fresh=30),
            "many": tuned(some | {"queries": (200,)}, seeds=2, fresh=20),
            "short": tuned(short, seeds=6, fresh=60),
            "spread": sweep(paired, {"task": TASKS}, seeds=range(300, 360), workers=2),
        },
        again=("main", {"task": "digits", "loss": "listnet", "seed": 100}),
        tol=0.005,
    )
