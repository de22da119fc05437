"""Plots that many chapters need: a surface with trajectories, curves over several seeds."""

from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np
from contourpy import FillType, contour_generator
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from scipy.special import stdtrit

from . import figures, style


@lru_cache
def _regions(problem, levels):
    """Where ``problem`` is below each of its levels, from the highest down, as paths."""
    left, right, bottom, top = problem.bounds
    x, y = np.meshgrid(np.linspace(left, right, 201), np.linspace(bottom, top, 201))
    z = problem.f(np.stack([x, y], axis=-1))
    heights = np.quantile(z, np.linspace(0, 1, levels + 1)[:0:-1] ** 1.5)
    generator = contour_generator(x, y, z, fill_type=FillType.OuterOffset)
    size = np.array([right - left, top - bottom]) / 640 / figures.UNIT
    found = []
    for height in heights:
        rings = []
        for points, offsets in zip(*generator.filled(z.min() - 1, height)):
            for first, last in zip(offsets[:-1], offsets[1:]):
                ring = points[first:last]
                rings.append(Path(ring[figures.needed(ring[None] / size)], closed=True))
        found.append(Path.make_compound_path(*rings))
    return found


def contour(problem, ax=None, levels=12):
    """Level lines of a two-dimensional :class:`minigrad.lab.problems.Problem`, its minimum a star.

    Levels are quantiles, which suits flat and steep surfaces alike, and crowd towards the minimum,
    where paths end. Returns the axes.
    """
    ax = ax or plt.gca()
    left, right, bottom, top = problem.bounds
    shades = [str(grey) for grey in np.linspace(0.98, 0.78, levels)]
    # Each level is painted over the one that surrounds it, so that a line is drawn once.
    for region, shade in zip(_regions(problem, levels), shades):
        ax.add_patch(PathPatch(region, facecolor=shade, linewidth=0))
    ax.plot(*problem.minimum, "*", color="black", markersize=12, zorder=5)
    ax.set(xlim=(left, right), ylim=(bottom, top), xlabel="$θ_1$", ylabel="$θ_2$")
    ax.grid(False)
    return ax


def paths(problem, trajectories, ax=None, legend=True):
    """The surface of ``problem`` with one path for each method.

    Args:
        trajectories: ``{method: points of shape (steps + 1, 2)}``; methods that
            :mod:`minigrad.lab.style` knows have their own colour and dash.
        legend: False for small multiples, which share one: ``fig.legend(…)``.
    """
    ax = contour(problem, ax)
    for name, points in trajectories.items():
        points = np.asarray(points)
        ax.plot(*points.T, **style.line(name), marker=".", markersize=5)
    ax.plot(*problem.start, "o", color="white", markeredgecolor="black", zorder=5)
    if legend and len(trajectories) > 1:  # above the axes, where it covers no path
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, columnspacing=1.2)
    return ax


def interval(values, axis=0, level=0.95):
    """Mean over seeds and half the width of its Student confidence interval.

    >>> mean, half = interval(np.array([1.0, 2.0, 3.0]))
    >>> print(f"{mean:.2f} ± {half:.2f}")
    2.00 ± 2.48
    """
    values = np.asarray(values)
    n = values.shape[axis]
    if n < 2:
        raise ValueError(f"interval: needs at least two seeds along axis {axis}, got {n}")
    quantile = stdtrit(n - 1, (1 + level) / 2)
    return values.mean(axis), quantile * values.std(axis, ddof=1) / np.sqrt(n)


def curves(runs, ax=None, x=None, log=False):
    """Curves over several seeds: the mean, and its 95 % interval as a band.

    Args:
        runs: ``{method: values of shape (seeds, steps)}``.
        x: the abscissae; default 1 … steps.
        log: logarithmic ordinate, with geometric means and intervals that suit it.
    """
    ax = ax or plt.gca()
    for name, values in runs.items():
        values = np.log(values) if log else np.asarray(values)
        mean, half = interval(values)
        low, high = mean - half, mean + half
        if log:
            mean, low, high = np.exp([mean, low, high])
        steps = np.arange(1, len(mean) + 1) if x is None else x
        ax.plot(steps, mean, **style.line(name))
        ax.fill_between(steps, low, high, color=style.color[name], alpha=0.2, linewidth=0)
    if log:
        ax.set_yscale("log")
    if len(runs) > 1:
        ax.legend()
    return ax
