"""Plots that many chapters need: a surface with trajectories, the scores of a sweep with bands."""

import itertools
from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np
from contourpy import FillType, contour_generator
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from . import experiments, figures, style


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
        ax.add_artist(PathPatch(region, facecolor=shade, linewidth=0, zorder=1))
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
    found = experiments.interval(values, axis, level=level)
    return found.center, found.half


def sweep(scores, x, each=(), ax=None, of="mean", labels=None, **look):
    """Scores over one setting: what the seeds say, and its 95 % interval as a band.

    Args:
        scores: :class:`minigrad.lab.experiments.Scores` with the axes ``x``, those of ``each``, and
            ``seed``. Where runs diverged and ``of`` is a mean, the curve has a gap.
        x: the axis to draw over, ``"step"`` for curves. Numbers that span a factor of ten or more
            have a logarithmic axis; names are points with bars.
        each: the axis, or axes, of which each combination has a curve of its own.
        of: as in :func:`minigrad.lab.experiments.interval`; for ``"geometric"`` the ordinate is
            logarithmic.
        labels: ``{combination: text, or a dict of what axes.plot takes}``, a combination being a
            value, or a tuple if ``each`` has several; default: the values. A value that
            :mod:`minigrad.lab.style` knows has its own colour, dash and label.
        look: more for every curve, as ``axes.plot`` takes it.

    >>> scores = experiments.sweep(lambda eta, seed: eta + seed, {"eta": (0.01, 0.1, 1)})
    >>> axes = sweep(scores, x="eta")
    >>> axes.get_xscale(), axes.get_xlabel()
    ('log', 'eta')
    >>> plt.close()
    """
    ax = ax or plt.gca()
    each = (each,) if isinstance(each, str) else tuple(each)
    if unlike := scores.axes.keys() ^ {x, "seed", *each}:
        raise ValueError(
            f"plots.sweep: {', '.join(sorted(unlike))} must be an axis, and in x or each"
        )
    where = scores.axes[x]
    numbers = all(isinstance(value, (int, float)) for value in where)
    for point in itertools.product(*(scores.axes[name] for name in each)):
        part = scores.at(**dict(zip(each, point)))
        center, low, high = (np.where(np.isfinite(end), end, np.nan) for end in part.interval(of))
        key = point[0] if len(point) == 1 else point
        known = {"label": ", ".join(map(str, point))} if each else {}
        if isinstance(key, str) and key in style.color:
            known = style.line(key)
        named = (labels or {}).get(key, {})
        named = named if isinstance(named, dict) else {"label": named}
        kind = {} if x == "step" else {"marker": "o", "markersize": 5}
        kind = kind if numbers else kind | {"linestyle": "none"}
        (line,) = ax.plot(where, center, **{**known, **kind, **named, **look})
        if numbers:
            ax.fill_between(where, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
        else:
            ax.vlines(where, low, high, color=line.get_color(), linewidth=3)
    if numbers and min(where) > 0 and max(where) >= 10 * min(where) and x != "step":
        ax.set_xscale("log")
    if of == "geometric":
        ax.set_yscale("log")
    ax.set_xlabel(x)
    if each:
        ax.legend()
    return ax
