"""The training loop of all chapters, and comparisons in which every method has the same chances.

>>> x, y = data.iris()
>>> rng = np.random.default_rng(0)
>>> net = mlp([4, 16, 3], rng=rng)
>>> curve = fit(net, optim.Adam(net.parameters(), lr=0.01), x, y, epochs=20, rng=rng)
>>> curve.shape  # a loss for each of the 3 steps of an epoch
(60,)
>>> loss, accuracy = evaluate(net, x, y)
>>> bool(accuracy > 0.9)
True
"""

import os
from dataclasses import dataclass

import numpy as np

from minigrad import compile, losses, nn, no_grad, optim
from minigrad.compiling import CompileError

from . import data

WORTHWHILE = 400  # steps, from where on compiling them takes less time than it saves
UNATTENDED = {"BOOK_EXECUTE", "PYTEST_VERSION"}  # set by press.execute, and by pytest for nbval


def mlp(sizes, activation=np.tanh, *, rng, weight=None, norm=None, dtype=np.float64):
    """A multilayer perceptron: linear layers of ``sizes``, ``activation`` between them.

    Args:
        sizes: the widths, input and output included.
        weight: an initialization ``weight(shape, rng=rng)`` from :mod:`minigrad.init`, which also
            makes the biases 0; None keeps :class:`minigrad.nn.Linear`'s own.
        norm: what makes a normalization of a width, such as ``norms.BatchNorm1d``, for a layer of
            it before each activation.
    """
    layers = []
    for i, (fan_in, fan_out) in enumerate(zip(sizes[:-1], sizes[1:])):
        linear = nn.Linear(fan_in, fan_out, rng=rng, dtype=dtype)
        if weight is not None:
            linear.weight.data = weight((fan_out, fan_in), rng=rng).astype(dtype)
            linear.bias.data = np.zeros(fan_out, dtype)
        layers.append(linear)
        if i < len(sizes) - 2:
            layers += [activation] if norm is None else [norm(fan_out, dtype=dtype), activation]
    return nn.Sequential(*layers)


def fit(net, optimizer, x, y, *, epochs, rng, batch=64, loss=losses.cross_entropy, each_epoch=None):
    """Train on shuffled mini-batches; the loss of every step's batch, before the step.

    Args:
        net: what maps a batch of ``x`` to predictions; in training mode afterwards.
        loss: ``loss(predictions, targets)``, a scalar Tensor.
        each_epoch: called with no arguments after each epoch, to record what a chapter looks at.

    A loss that is no longer finite ends the run, and the steps not made count as ``inf``: that is
    a divergence, which an experiment reports, and not an error.

    Long runs are compiled (:func:`minigrad.compile`) where that is possible: the numbers are the
    same, bit for bit.
    """
    net.train()
    curve = np.full((epochs, -(-len(x) // batch)), np.inf)

    def value(x, y):
        result = loss(net(x), y)
        if not np.isfinite(result.data):
            raise Diverged
        return result

    def ordinary(x, y):
        optimizer.zero_grad()
        result = value(x, y)
        result.backward()
        optimizer.step()
        return result

    known = isinstance(optimizer, (optim.Optimizer, optim.Lookahead))
    worthwhile = known and epochs * (len(x) // batch) >= WORTHWHILE
    compiled = compile(value, optimizer) if worthwhile else None
    with np.errstate(all="ignore"):
        for epoch in range(epochs):
            for i, chosen in enumerate(data.batches(len(x), batch, rng=rng)):
                given = x[chosen], y[chosen]
                try:
                    step = ordinary if compiled is None or len(chosen) < batch else compiled
                    curve[epoch, i] = step(*given).item()
                except CompileError:  # and nothing has been changed
                    compiled = None
                    curve[epoch, i] = ordinary(*given).item()
                except Diverged:
                    return curve.ravel()
            if each_epoch is not None:
                each_epoch()
    return curve.ravel()


class Diverged(Exception):
    """The loss is not finite."""


def evaluate(net, x, y, loss=losses.cross_entropy):
    """Loss, and share of right classes, on all of ``x``, in evaluation mode and unrecorded.

    A loss that is not a number, of a network that diverged, is ``inf``.
    """
    was_training = net.training
    net.eval()
    with no_grad(), np.errstate(all="ignore"):
        output = net(x)
        value = loss(output, y).item()
    net.train(was_training)
    accuracy = np.mean(np.argmax(output.data, axis=-1) == y)
    return (value if np.isfinite(value) else np.inf), accuracy.item()


@dataclass(frozen=True)
class Tuned:
    """What :func:`tune` found.

    Attributes:
        best: the candidate with the lowest mean score.
        tried: ``{candidate: scores}`` of the seeds for tuning.
        scores: of ``best``, on the seeds for reporting: these are the ones to compare.
    """

    best: object
    tried: dict
    scores: np.ndarray


def tune(run, candidates, *, seeds=range(3), report=range(100, 105)):
    """Choose a setting on some seeds and report it on others.

    Methods are compared fairly when each chooses among as many candidates with as many seeds; the
    scores of the choice are taken anew, because those that won the choice are lucky ones.

    Args:
        run: ``run(candidate, seed)``, a score of which less is better; NaN counts as ``inf``.
        candidates: in ascending order, as learning rates are. The best one must lie inside: at an
            end of the list, a better one may lie beyond it.
        seeds, report: for the choice, and for the scores; they must not overlap.

    Raises:
        ValueError: the seeds overlap, or the best candidate is the first or the last one of three
            or more.

    >>> tuned = tune(lambda rate, seed: (rate - 0.1) ** 2 + seed / 1e6, [0.01, 0.1, 1.0])
    >>> tuned.best, tuned.scores.shape
    (0.1, (5,))
    """
    candidates = list(candidates)
    if set(seeds) & set(report):
        raise ValueError(f"tune: seeds {seeds} and report {report} must not overlap")

    def score(candidate, seed):
        value = float(run(candidate, seed))
        return np.inf if np.isnan(value) else value

    tried = {c: np.array([score(c, seed) for seed in seeds]) for c in candidates}
    best = min(candidates, key=lambda c: tried[c].mean())
    if len(candidates) > 2 and best in (candidates[0], candidates[-1]):
        raise ValueError(
            f"tune: the best candidate, {best}, is at the end of the list; a better one may lie "
            f"beyond it, so extend the list there (scores: "
            f"{ {c: float(s.mean().round(4)) for c, s in tried.items()} })"
        )
    return Tuned(best, tried, np.array([score(best, seed) for seed in report]))


def progress(items, text):
    """Pass ``items`` on, with a line ``text 3/20`` that is gone when all are through.

    For what takes longer than three seconds: ``for seed in progress(range(5), "seed"): …``. When
    nobody watches, as when the stored outputs are made and compared, it prints nothing.
    """
    items, watched = list(items), not UNATTENDED & os.environ.keys()
    for i, item in enumerate(items, 1):
        if watched:
            print(f"{text} {i}/{len(items)}", end="\r", flush=True)
        yield item
    if watched and items:
        print(" " * len(f"{text} {i}/{i}"), end="\r", flush=True)
