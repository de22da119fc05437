"""Experiments whose result is more than luck: sweeps over settings and seeds, choices reported on
fresh seeds, paired differences with their intervals, and stored results of long runs.

An experiment is a function ``run(seed=…, **setting)`` of its settings and its seed and of nothing
else. It returns a score, or a dict of scores, or of curves; less is better where a choice is made,
and a score that is not a number, of a run that diverged, counts as ``inf``.

>>> def run(method, rate, seed):  # what stands for an hour of training
...     noise = np.random.default_rng([seed, method == "new"]).normal(0, 0.01)
...     luck = np.random.default_rng(seed).normal()  # of the seed, which both methods share
...     return np.log10(rate / 0.1) ** 2 - 0.05 * (method == "new") + luck + noise
>>> scores = sweep(run, {"method": ("old", "new"), "rate": (0.01, 0.1, 1.0)}, seeds=3)
>>> tuned = scores.best("rate", fresh=range(100, 110))
>>> dict(zip(tuned.axes["method"], tuned.chosen["rate"]))
{'old': 0.1, 'new': 0.1}
>>> new_old = compare(tuned.at(method="new"), tuned.at(method="old"), matters=0.03)
>>> print(f"{new_old:.2f}", new_old.verdict)
-0.06 ± 0.01 True
"""

import bisect
import hashlib
import importlib.util
import itertools
import json
import math
import multiprocessing
import os
import platform
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy
from scipy import special, stats

from .checks import check_close
from .training import progress

# -- intervals


class Interval(NamedTuple):
    """A value and the ends of its confidence interval; numbers, or arrays of one shape.

    Formatted, it reads ``1.3 ± 0.2``, or ``1.3 [1.2, 1.7]`` where the two sides differ.
    """

    center: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def half(self):
        """Half the width: the smallest effect that this interval could have told from none."""
        return (self.high - self.low) / 2

    def __format__(self, spec):
        if np.ndim(self.center):
            raise TypeError(f"an interval of shape {np.shape(self.center)}: select one entry first")
        plain = spec.replace("+", "")
        center, low, high = map(float, self)
        if math.isclose(center - low, high - center, rel_tol=1e-6):
            return f"{center:{spec}} ± {(high - low) / 2:{plain}}"
        return f"{center:{spec}} [{low:{spec}}, {high:{spec}}]"


def interval(values, axis=0, of="mean", level=0.95):
    """What the seeds along ``axis`` say, and its confidence interval.

    Args:
        of: ``"mean"``, with Student's interval ``m ± t s/√n``. ``"geometric"``, the same of the
            logarithms: for scores that differ by factors, as training losses do. ``"median"``, with
            the interval between two order statistics that the binomial distribution gives
            (conservative, and free of any assumption on the distribution): for scores of which
            some are ``inf``, and it takes six seeds.
        level: of confidence. For several comparisons at once divide what is missing to 1 by their
            number (Bonferroni): ``1 - 0.05 / 4`` for four.

    Returns:
        An :class:`Interval`. A mean over a score that is ``inf`` is ``inf``, and its interval all
        numbers: that experiment says nothing about a mean.

    Raises:
        ValueError: fewer than two seeds, or six for a median; a geometric mean of scores ≤ 0.

    >>> print(f"{interval([1.0, 2.0, 3.0]):.2f}")
    2.00 ± 2.48
    >>> print(f"{interval([1.0, 2.0, 4.0], of='geometric'):.2f}")
    2.00 [0.36, 11.19]
    >>> print(f"{interval([1, 2, 3, 4, 5, np.inf], of='median'):.1f}")
    3.5 [1.0, inf]
    """
    values = np.moveaxis(np.asarray(values, float), axis, 0)
    n = len(values)
    if n < 2:
        raise ValueError(f"interval: needs at least two seeds along axis {axis}, got {n}")
    if of == "median":
        k = int(stats.binom.ppf((1 - level) / 2, n, 0.5))  # P(fewer than k below) < (1 - level)/2
        if k == 0:
            raise ValueError(f"interval: a median's at level {level} needs more than {n} seeds")
        ordered = np.sort(values, axis=0)
        with np.errstate(invalid="ignore"):  # between -inf and inf lies no number
            middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
        return Interval(middle, ordered[k - 1], ordered[n - k])
    if of == "geometric":
        if not (values > 0).all():
            raise ValueError(f"interval: a geometric mean needs scores > 0, got {values.min()}")
        return Interval(*np.exp(interval(np.log(values), of="mean", level=level)))
    if of != "mean":
        raise ValueError(f'interval: of must be "mean", "geometric" or "median", got {of!r}')
    lost = ~np.isfinite(values).all(axis=0)
    finite = np.where(lost, 0, values)
    mean = np.where(lost, np.inf, finite.mean(axis=0))
    half = special.stdtrit(n - 1, (1 + level) / 2) * finite.std(axis=0, ddof=1) / np.sqrt(n)
    low, high = np.where(lost, -np.inf, mean - half), np.where(lost, np.inf, mean + half)
    return Interval(mean[()], low[()], high[()])


# -- sweeps

_OURS = ("seed", "score", "step")  # the axes that a sweep adds to those of the settings


def sweep(run, axes, seeds=5, workers=1):
    """Run every combination of settings with every seed.

    Args:
        run: ``run(seed=…, **setting)`` → a number, a 1-d array (a curve), or a dict of one or the
            other, one entry for each score. Everything random in it comes from the seed, so that
            runs with equal seeds can be compared pair by pair: the same data, the same initial
            weights, the same batches.
        axes: ``{setting: its values}``; the values of one setting may be anything hashable.
        seeds: how many (0, 1, …), or which.
        workers: processes. With more than one, ``run`` must be a function of a module or of a
            script whose work is under ``if __name__ == "__main__"``, and each process has one
            thread; the scores do not depend on how many there are.

    Returns:
        :class:`Scores` with the axes of the settings, then ``seed``, then ``score`` if ``run``
        returns a dict, then ``step`` if its values are curves.

    Raises:
        ValueError: an axis without values, with one value twice, or called seed, score or step;
            runs whose results differ in shape.

    >>> scores = sweep(lambda x, seed: x * x + seed, {"x": (-1, 2)}, seeds=3)
    >>> scores.values
    array([[1., 2., 3.],
           [4., 5., 6.]])
    """
    if taken := axes.keys() & set(_OURS):
        raise ValueError(f"sweep: a setting must not be called {taken.pop()} (seeds have seeds=…)")
    seeds = range(seeds) if isinstance(seeds, int) else seeds
    axes = {
        name: tuple(v.item() if isinstance(v, np.generic) else v for v in values)
        for name, values in (axes | {"seed": seeds}).items()
    }
    for name, values in axes.items():
        if not values or len(set(values)) < len(values):
            raise ValueError(f"sweep: {name} needs values that differ, got {values}")
    calls = [dict(zip(axes, point)) for point in itertools.product(*axes.values())]
    results, inner = _evaluate(run, calls, workers)
    shape = [len(values) for values in axes.values()]
    return Scores(results.reshape(*shape, *results.shape[1:]), axes | inner, run, workers)


def _evaluate(run, calls, workers):
    """Results of all calls as one array, in their order, and the axes inside a result."""
    text = getattr(run, "__name__", "run").strip("<>")
    if workers == 1:
        results = [_one((run, call)) for call in progress(calls, text)]
    else:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, "1")  # children read it when they import NumPy
        # spawned and not forked: a fork copies locks that threads of this process may hold
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            done = pool.imap(_one, [(run, call) for call in calls])
            results = [next(done) for _ in progress(calls, text)]
    names = next(iter(results))[0]
    if any(result[0] != names for result in results):
        raise ValueError("sweep: runs must return the same scores, got "
                         f"{sorted({str(result[0]) for result in results})}")  # fmt: skip
    shapes = {value.shape for _, value in results}
    if len(shapes) > 1 or len(min(shapes)) > 1 + (names is not None):
        raise ValueError(
            f"sweep: results must be numbers or 1-d arrays of one length, got {shapes}"
        )
    values = np.array([value for _, value in results])
    inner = {} if names is None else {"score": names}
    if values.ndim > 1 + len(inner):
        inner["step"] = tuple(range(1, values.shape[-1] + 1))
    return values, inner


def _one(task):
    """The names of a run's scores (None if it has but one) and their values, NaN made inf."""
    run, call = task
    try:
        result = run(**call)
        names = tuple(result) if isinstance(result, dict) else None
        values = np.array(list(result.values()) if names else result, float)
    except Exception as error:
        error.add_note(f"in the run with {', '.join(f'{k} = {v!r}' for k, v in call.items())}")
        raise
    return names, np.where(np.isnan(values), np.inf, values)


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of an experiment: an array whose axes have names and values.

    Attributes:
        values: the array.
        axes: ``{name: its values}``, in the order of the array's axes.
        run: the function that made them; None for differences and for one score of several.
        chosen: ``{setting: value}`` of settings that are no axes, because :meth:`at` or
            :meth:`best` chose among them; a choice for each of other settings is an array over the
            axes of those.
    """

    values: np.ndarray = field(repr=False)
    axes: dict
    run: object = field(default=None, repr=False)
    workers: int = field(default=1, repr=False)
    chosen: dict = field(default_factory=dict)

    def at(self, **where):
        """The part where axes have given values.

        A value takes its axis away, a list of values keeps the axis.

        Raises:
            KeyError: for a name or a value that is not there; it says which are.

        >>> scores = sweep(lambda x, seed: x * x + seed, {"x": (-1, 2, 3)}, seeds=2)
        >>> scores.at(x=2).values, scores.at(x=[-1, 3], seed=1).values
        (array([4., 5.]), array([ 2., 10.]))
        """
        part = self
        for name, value in where.items():
            if name not in part.axes:
                raise KeyError(f"no axis {name!r}; the axes are {', '.join(part.axes)}")
            along, k = part.axes[name], list(part.axes).index(name)
            several = isinstance(value, (list, range, np.ndarray))
            index = [_position(name, along, v) for v in value] if several else (
                _position(name, along, value))  # fmt: skip
            axes = dict(part.axes)
            if several:
                axes[name] = tuple(along[i] for i in index)
            else:
                del axes[name]
            changes = {"values": np.take(part.values, index, axis=k), "axes": axes}
            if name in ("score", "step"):
                changes["run"] = None
            elif name != "seed":
                chosen = {
                    key: np.take(won, index, axis=k) if isinstance(won, np.ndarray) else won
                    for key, won in part.chosen.items()
                }
                changes["chosen"] = chosen if several else chosen | {name: value}
            part = replace(part, **changes)
        return part

    def __getitem__(self, score):
        """``scores["loss"]`` is ``scores.at(score="loss")``."""
        return self.at(score=score)

    def __sub__(self, other):
        """Differences, entry by entry: seed by seed, so they are paired.

        >>> scores = sweep(lambda x, seed: x * seed, {"x": (1, 3)}, seeds=(1, 2))
        >>> (scores.at(x=3) - scores.at(x=1)).values
        array([2., 4.])
        """
        if self.axes != other.axes:
            raise ValueError(
                f"scores can be subtracted if their axes are equal, got {self.axes} and "
                f"{other.axes}: select the part they share with at(…)"
            )
        with np.errstate(invalid="ignore"):  # inf - inf
            return Scores(self.values - other.values, self.axes)

    def _over_seeds(self):
        if "seed" not in self.axes:
            raise ValueError(f"no seeds are left, only {', '.join(self.axes) or 'a number'}")
        return list(self.axes).index("seed")

    def mean(self):
        """Over the seeds; ``inf`` where one run diverged.

        >>> sweep(lambda x, seed: x + seed, {"x": (1, 2)}, seeds=3).mean()
        array([2., 3.])
        """
        return self.values.mean(axis=self._over_seeds())

    def interval(self, of="mean", level=0.95):
        """Over the seeds, as :func:`interval` has it.

        >>> print(f"{sweep(lambda x, seed: x + seed, {'x': (1,)}, 3).at(x=1).interval():.2f}")
        2.00 ± 2.48
        """
        return interval(self.values, self._over_seeds(), of, level)

    def diverged(self):
        """The share of seeds whose score is not finite.

        >>> sweep(lambda x, seed: 1 / x if seed else np.nan, {"x": (1, 2)}, seeds=4).diverged()
        array([0.25, 0.25])
        """
        return (~np.isfinite(self.values)).mean(axis=self._over_seeds())

    def table(self, rows, columns=None, spec=".2f", of="mean", labels=None):
        """Print what the seeds say as a table, each entry with its 95 % interval.

        Args:
            rows, columns: names of axes; the others, but ``seed``, must have been selected away.
            spec: how to format, for all or as ``{column: spec}``.
            of: as in :func:`interval`.
            labels: ``{value: text}`` for values that are not to be shown as they are.

        >>> sweep(lambda x, seed: x + seed, {"x": (1, 20)}, 3).table("x")
        x
        1    2.00 ± 2.48
        20  21.00 ± 2.48
        """
        heads = (None,) if columns is None else self.axes[columns]
        if unlike := self.axes.keys() ^ {rows, "seed", *([columns] if columns else [])}:
            raise ValueError(f"table: {', '.join(unlike)} must be an axis, in rows or in columns")
        shown = {value: str(value) for value in (*self.axes[rows], *heads)} | (labels or {})
        lines = [[rows, *("" if head is None else shown[head] for head in heads)]]
        for value in self.axes[rows]:
            row = [shown[value]]
            for head in heads:
                cell = self.at(**{rows: value} | ({} if columns is None else {columns: head}))
                row.append(f"{cell.interval(of):{spec if isinstance(spec, str) else spec[head]}}")
            lines.append(row)
        widths = [max(map(len, column)) for column in zip(*lines)]
        for first, *rest in lines:
            cells = [first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]
            print("  ".join(cells).rstrip())

    def best(self, *names, fresh, by=None, of="mean", ends=()):
        """Choose settings on the seeds at hand, and report the choice on fresh ones.

        For every combination of the other settings, the values of ``names`` are chosen, jointly,
        whose score is least. The scores of the winner are lucky ones, so it is run anew. Methods
        have equal chances if all choose from the same grid with the same seeds.

        Args:
            names: of the axes to choose along.
            fresh: seeds to report; none may have served the choice.
            by: the name of the score that chooses, if a run returns several: one of validation or
                of training data, never of the test set, which is to report.
            of: ``"mean"`` over the seeds, or ``"median"``. With means a setting that diverges once
                is never chosen.
            ends: axes whose best value may be the first or the last, because nothing lies beyond
                (a momentum of 0), or because the grid is all there is.

        Returns:
            :class:`Scores` of the fresh seeds, without the axes ``names``; ``chosen`` has those.

        Raises:
            ValueError: the best of an axis of numbers is at its end (a better one may lie beyond:
                extend the grid); seeds overlap; a choice by a test score; nothing converged.

        >>> scores = sweep(lambda x, seed: (x - 2) ** 2 + seed, {"x": (1, 2, 3)}, seeds=2)
        >>> tuned = scores.best("x", fresh=range(10, 13))
        >>> tuned.chosen["x"], tuned.values
        (2, array([10., 11., 12.]))
        >>> scores.at(x=[2, 3]).best("x", fresh=range(10, 13))
        Traceback (most recent call last):
        ValueError: best: x = 2 is at an end of (2, 3); a better one may lie beyond, so extend...
        """
        if by is not None and "test" in by:
            raise ValueError(f"best: a choice by {by!r} would make the test set a validation set")
        tried = self if by is None else self.at(score=by)
        if several := tried.axes.keys() & {"score", "step"}:
            raise ValueError(
                f"best: a run has several values along {several.pop()}, {self.axes}; name the "
                "score to choose by, by=…, and let it be one number"
            )
        if self.run is None:
            raise ValueError("best: these scores have no run, so none on fresh seeds (see Scores)")
        fresh = tuple(fresh)
        if old := set(self.axes["seed"]) & set(fresh):
            raise ValueError(f"best: seeds {sorted(old)} served the choice; fresh ones must not")
        others = {n: along for n, along in tried.axes.items() if n not in (*names, "seed")}
        settings = []
        for point in itertools.product(*others.values()):
            part = tried.at(**dict(zip(others, point)))
            settings.append(part.at(**part._winner(of, ends)).chosen)
        calls = [setting | {"seed": seed} for setting in settings for seed in fresh]
        results, inner = _evaluate(self.run, calls, self.workers)
        shape = [len(along) for along in others.values()]
        chosen = {}
        for name in settings[0].keys() - others.keys():
            won = np.empty(len(settings), object)
            won[:] = [setting[name] for setting in settings]
            chosen[name] = won.reshape(shape) if others else won[0]
        values = results.reshape(*shape, len(fresh), *results.shape[1:])
        return Scores(values, others | {"seed": fresh} | inner, self.run, self.workers, chosen)

    def _winner(self, of, ends):
        """The setting of all axes but the seed whose score is least."""
        over = self.mean() if of == "mean" else self.interval(of).center
        if not np.isfinite(over.min()):
            raise ValueError(f"best: every choice diverged ({self.chosen}); extend the grid")
        won = {}
        names = [name for name in self.axes if name != "seed"]
        for name, i in zip(names, np.unravel_index(over.argmin(), over.shape)):
            along = self.axes[name]
            numbers = len(along) > 1 and all(map(_is_number, along))
            if numbers and name not in ends and i in (0, len(along) - 1):
                raise ValueError(
                    f"best: {name} = {along[i]!r} is at an end of {along}; a better one may lie "
                    f"beyond, so extend the grid there (scores: {np.round(over, 4).tolist()})"
                )
            won[name] = along[i]
        return won

    def again(self, tol, **entry):
        """Run one entry again, and check that it still comes out: ``✓ rate = 0.1, seed = 3 …``.

        Args:
            tol: as in :func:`minigrad.lab.check_close`, and stated by what is printed. Processors
                round differently, and a run in which that grows (long, or at a large rate) needs a
                tolerance as large as what it grew to; if single runs share nothing but their mean,
                store and run again a short one.
            entry: a value for each setting, and a seed.

        >>> scores = sweep(lambda x, seed: x * seed, {"x": (1, 3)}, seeds=(1, 2))
        >>> scores.again(1e-12, x=3, seed=2)
        ✓ x = 3, seed = 2  |difference| ≤ 1e-12
        """
        if missing := self.axes.keys() - entry.keys() - {"score", "step"}:
            raise ValueError(f"again: one entry, please; {', '.join(missing)} is not given")
        stored = self.at(**entry)
        _, values = _one((self.run, entry | stored.chosen))
        label = ", ".join(f"{name} = {value}" for name, value in (entry | stored.chosen).items())
        check_close(label, values, stored.values, tol=tol)


def _is_number(value):
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _position(name, along, value):
    for i, known in enumerate(along):
        both = _is_number(known) and _is_number(value)
        if known == value or (both and math.isclose(known, value, rel_tol=1e-9)):
            return i
    raise KeyError(f"{name} has no value {value!r}; it has {along}")


# -- comparisons


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare` found. Formatted, it is its interval: ``f"{comparison:+.2f}"``.

    Attributes:
        difference: the :class:`Interval` of a − b, or of the ratio a / b.
        pairs: over how many seeds.
        matters: the difference (or ratio) that would matter.
        of: ``"mean"``, ``"geometric"`` or ``"median"``.
        wins: the share of pairs with a < b, ties counted half.
    """

    difference: Interval
    pairs: int
    matters: float
    of: str
    wins: float

    def _ends(self):
        """The ends of the interval and what matters, on the scale on which "equal" is 0."""
        _, low, high = self.difference
        if self.of == "geometric":
            return np.log(low), np.log(high), abs(np.log(self.matters))
        return low, high, self.matters

    @property
    def verdict(self):
        """Is a less than b?

        True if the whole interval says so, be it by little: the interval tells by how much.
        False if the interval excludes that a is less by as much as would matter. Else
        ``"undecided"``: both are possible, and :attr:`smallest` is what could have been seen.
        An interval narrower than the difference that matters always decides.
        """
        low, high, matters = self._ends()
        return True if high < 0 else False if low > -matters else "undecided"

    @property
    def same(self):
        """Are a and b equal, but for less than what would matter?

        True if the interval lies within ± that difference, False if it lies beyond, else
        ``"undecided"``.
        """
        low, high, matters = self._ends()
        if -matters < low and high < matters:
            return True
        return False if high < -matters or low > matters else "undecided"

    @property
    def smallest(self):
        """The smallest effect that could have been seen: half the interval, or a factor > 1."""
        low, high, _ = self._ends()
        half = float(high - low) / 2
        return math.exp(half) if self.of == "geometric" else half

    def __format__(self, spec):
        return format(self.difference, spec)


def compare(a, b, matters, of="mean", level=0.95):
    """Is ``a`` less than ``b``? The difference over pairs of runs, and whether it decides.

    Args:
        a, b: :class:`Scores` with no axis but the same seeds, or arrays of paired scores.
        matters: the difference that would matter, > 0 and written down before running; for
            ``"geometric"`` the factor.
        of: ``"mean"``, the mean difference and Student's interval, exact for normal differences.
            ``"geometric"``, the same of logarithms, reported as the ratio a / b: for scores that
            differ by factors. ``"median"``, the median difference and the interval of the sign
            test, right for any distribution: where runs diverged (``inf``; two that did are a
            tie), and where a few pairs make most of the difference.
        level: as in :func:`interval`.

    Returns:
        A :class:`Comparison`; its ``verdict`` and its ``smallest`` are what
        :func:`minigrad.lab.claim` takes.

    Raises:
        ValueError: seeds that differ; a mean of scores that are ``inf``; a ratio of scores ≤ 0.

    How often Student's 95 % hold, by simulation: 95 of 100 for differences that are symmetric, with
    heavy tails too, as they are if only chance tells a and b apart; for exponential ones 92 (10
    pairs) to 93 (70), for lognormal ones (σ = 1) 83 to 92. The bootstrap (BCa) was not better in
    any of these, and worse below 20 pairs (normal differences, 10 pairs: 92), so it is not offered.

    >>> a = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    >>> c = compare(a, a + [0.3, 0.1, 0.2, 0.3, 0.1], matters=0.1)
    >>> print(f"{c:.2f}", c.verdict, f"{c.smallest:.2f}", c.wins)
    -0.20 ± 0.12 True 0.12 1.0
    >>> compare(a, a + [0.3, -0.4, 0.1, -0.3, 0.1], matters=0.1).verdict
    'undecided'
    >>> print(f"{compare(a, a * [1.1, 1.2, 1.1, 1.2, 1.1], matters=0.9, of='geometric'):.2f}")
    0.88 [0.83, 0.93]
    """
    if isinstance(a, Scores) and isinstance(b, Scores):
        if list(a.axes) != ["seed"] or a.axes != b.axes:
            raise ValueError(
                f"compare: needs scores over the same seeds and nothing else, got {a.axes} and "
                f"{b.axes}: select one setting of each with at(…)"
            )
        a, b = a.values, b.values
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"compare: needs pairs, got shapes {a.shape} and {b.shape}")
    if not matters > 0 or (of == "geometric" and matters == 1):
        raise ValueError(f"compare: matters must be > 0, and not a ratio of 1, got {matters}")
    if of != "median" and not (np.isfinite(a) & np.isfinite(b)).all():
        raise ValueError(
            f"compare: {np.sum(~(np.isfinite(a) & np.isfinite(b)))} of {len(a)} pairs have a run "
            'that diverged, and no mean is left to compare; use of="median"'
        )
    if of == "geometric":
        if not (min(a.min(), b.min()) > 0):
            raise ValueError(f"compare: a ratio needs scores > 0, got {min(a.min(), b.min())}")
        difference = interval(a / b, of=of, level=level)
    else:
        with np.errstate(invalid="ignore"):
            difference = interval(np.where(a == b, 0, a - b), of=of, level=level)
    wins = np.mean(a < b) + np.mean(a == b) / 2
    return Comparison(difference, len(a), matters, of, wins.item())


def seeds_needed(pilot, half, level=0.95, assurance=0.8):
    """How many pairs make Student's interval no wider than ± ``half``, judging by a pilot.

    The interval of the new experiment is ± t·s/√n with a standard deviation s of its own, and that
    of the pilot is uncertain, too. For normal differences s²/s_pilot² has the F distribution with
    n − 1 and k − 1 degrees of freedom; n is the least number for which the interval is as narrow as
    asked in about a share ``assurance`` of all pairs of pilot and experiment (simulated: at most
    0.05 more).

    Args:
        pilot: k ≥ 2 differences (:class:`Scores` a − b, or an array) of seeds that are not used
            again.
        half: the half-width. With half of what would matter, the verdict of :func:`compare` cannot
            be undecided.

    >>> seeds_needed([0.3, -0.4, 0.1, -0.3, 0.1], half=0.2)
    24
    """
    d = np.asarray(pilot.values if isinstance(pilot, Scores) else pilot, float).ravel()
    if len(d) < 2 or not np.isfinite(d).all():
        raise ValueError(f"seeds_needed: needs two finite differences or more, got {d}")
    if not half > 0:
        raise ValueError(f"seeds_needed: half must be > 0, got {half}")
    s, k, most = d.std(ddof=1), len(d), 100_000

    def narrow(n):
        t, growth = special.stdtrit(n - 1, (1 + level) / 2), special.fdtri(n - 1, k - 1, assurance)
        return t * s * np.sqrt(growth / n) <= half

    n = bisect.bisect_left(range(most + 1), True, lo=2, key=narrow)
    if n > most:
        raise ValueError(f"seeds_needed: more than {most}, for a half-width of {half}")
    return n


# -- stored results

ROUND = 6  # significant digits of a stored score
_IMPORTED = time.monotonic()  # a script imports this before it works


class Stored(dict):
    """Stored results by name, as :func:`load` returns them.

    Attributes:
        made_with: the versions, and the kernel of the BLAS, that made them.
        entry: the entry that :meth:`again` runs.
    """

    def __init__(self, results, made_with, entry):
        super().__init__(results)
        self.made_with, self.entry = made_with, entry

    def again(self):
        """Run the entry again that the script named, and print ``✓`` with the tolerance."""
        self[self.entry["result"]].again(self.entry["tol"], **self.entry["settings"])


def store(script, results, *, again, tol):
    """Write the results of a script of long experiments beside it, as JSON.

    The file has every score (to 6 digits, null for ``inf``), the settings, the seeds, the versions
    and a hash of the script. It does not have a hash of what the script imports: any edit to
    minigrad would make all results stale, most of which it cannot change. That they still come out
    is what :meth:`Stored.again` looks at.

    Args:
        script: ``__file__``.
        results: ``{name: scores}``, whose runs are functions of the script and whose settings are
            strings, numbers or booleans.
        again: ``(name, {setting: value, …, "seed": seed})``, the entry that the chapter will run
            again. It must take less than 5 seconds: if no run does, store a short one as well, a
            sweep with fewer epochs.
        tol: its tolerance, see :meth:`Scores.again`.

    Raises:
        ValueError: an entry that is not there, or does not come out again now.
    """
    script = Path(script)
    name, entry = again
    results[name].again(tol, **entry)
    data = {
        "script": _hash(script),
        "made with": _versions(),
        "minutes": math.ceil((time.monotonic() - _IMPORTED) / 60),
        "again": {"result": name, "settings": entry, "tol": tol},
        "results": {name: _to_json(scores) for name, scores in results.items()},
    }
    text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
    rows = re.sub(r"\[\s+([^][{}]*?)\s+\]", _on_one_line, text)
    script.with_suffix(".json").write_text(rows + "\n", encoding="utf-8", newline="\n")


def load(path):
    """The results that a script stored: ``load("tuned.json")`` beside a chapter.

    Returns:
        :class:`Stored`, a dict of :class:`Scores`.

    Raises:
        ValueError: the script has been changed since; ``make experiments`` runs it again.
    """
    path = Path(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    script = path.with_suffix(".py")
    if data["script"] != _hash(script):
        raise ValueError(
            f"{path} is stale: {script.name} is not the script that wrote it; run it again "
            f"(make experiments C={path.parent.name}/{path.stem})"
        )
    module = _import(script)
    results = {name: _from_json(one, module) for name, one in data["results"].items()}
    return Stored(results, data["made with"], data["again"])


def _on_one_line(row):
    return f"[{' '.join(row[1].split())}]"


def _hash(script):
    """Of the text of a script, whatever its line ends."""
    return hashlib.sha256(script.read_text(encoding="utf-8").encode()).hexdigest()


def _import(script):
    """The script as a module; its name may have hyphens."""
    spec = importlib.util.spec_from_file_location(script.stem.replace("-", "_"), script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _to_json(scores):
    for name, values in scores.axes.items():
        if bad := [v for v in values if not isinstance(v, (str, int, float, bool))]:
            raise ValueError(f"store: {name} has {bad[0]!r}; store names instead of such values")
    rounded = np.array([float(f"{v:.{ROUND}g}") for v in scores.values.flat], object)
    rounded[~np.isfinite(rounded.astype(float))] = None
    return {
        "run": scores.run.__name__,
        "axes": scores.axes,
        "chosen": {name: np.asarray(won).tolist() for name, won in scores.chosen.items()},
        "values": rounded.reshape(scores.values.shape).tolist(),
    }


def _from_json(data, module):
    values = np.array(data["values"], float)  # null becomes NaN
    axes = {name: tuple(along) for name, along in data["axes"].items()}
    chosen = {
        name: np.array(won, object) if isinstance(won, list) else won
        for name, won in data["chosen"].items()
    }
    values = np.where(np.isnan(values), np.inf, values)
    return Scores(values, axes, getattr(module, data["run"]), 1, chosen)


def _versions():
    import threadpoolctl  # comes with scikit-learn

    kernels = {pool.get("architecture") for pool in threadpoolctl.threadpool_info()} - {None}
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "kernel": ", ".join(sorted(kernels)),
    }
