"""Sweeps over settings and seeds, the array of scores they make, and fair choices among it."""

import itertools
import math
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from ..checks import check_close
from ..tables import table
from ..training import progress
from ..words import own
from .intervals import interval

_MEANS = {
    "mean": "平均 · mean",
    "geometric": "几何平均 · geometric mean",
    "median": "中位数 · median",
}
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
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, spawn) as pool:  # unlike Pool, it notices a dead worker
            done = pool.map(_one, [(run, call) for call in calls])
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
        with np.errstate(all="ignore"):  # a divergence is a score, and no news
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
        with np.errstate(invalid="ignore"):
            difference = self.values - other.values
        # two runs that diverged are a tie
        return Scores(np.where(self.values == other.values, 0, difference), self.axes)

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
        """Show what the seeds say as a table, each entry with its 95 % interval.

        Args:
            rows, columns: names of axes; the others, but ``seed``, must have been selected away.
                Without columns there is one, headed by what it has.
            spec: how to format, for all or as ``{column: spec}``.
            of: as in :func:`interval`.
            labels: ``{value: text}`` for values, and the name of the rows' axis, that are not to be
                shown as they are.

        >>> sweep(lambda x, seed: x + seed, {"x": (1, 20)}, 3).table("x")
        x    平均 · mean
        1    2.00 ± 2.48
        20  21.00 ± 2.48
        """
        heads = (None,) if columns is None else self.axes[columns]
        if unlike := self.axes.keys() ^ {rows, "seed", *([columns] if columns else [])}:
            raise ValueError(f"table: {', '.join(unlike)} must be an axis, in rows or in columns")
        shown = {value: str(value) for value in (rows, *self.axes[rows], *heads)} | (labels or {})
        lines = []
        for value in self.axes[rows]:
            row = [shown[value]]
            for head in heads:
                cell = self.at(**{rows: value} | ({} if columns is None else {columns: head}))
                row.append(f"{cell.interval(of):{spec if isinstance(spec, str) else spec[head]}}")
            lines.append(row)
        columns = {own(_MEANS[of]) if head is None else shown[head]: ">" for head in heads}
        table(lines, {shown[rows]: "", **columns})

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
        ✓ x = 3, seed = 2  |Δ| ≤ 10⁻¹²
        """
        label = ", ".join(f"{name} = {value}" for name, value in entry.items())
        check_close(label, *self.pair(**entry), tol=tol)

    def pair(self, **entry):
        """The values of one entry: computed now, and as they are here."""
        if missing := self.axes.keys() - entry.keys() - {"score", "step"}:
            raise ValueError(f"again: one entry, please; {', '.join(missing)} is not given")
        here = self.at(**entry)
        _, now = _one((self.run, entry | here.chosen))
        return now, here.values


def _is_number(value):
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _position(name, along, value):
    for i, known in enumerate(along):
        both = _is_number(known) and _is_number(value)
        if known == value or (both and math.isclose(known, value, rel_tol=1e-9)):
            return i
    raise KeyError(f"{name} has no value {value!r}; it has {along}")
