"""A figure with everything in it that a slider can move."""

import matplotlib.pyplot as plt
import numpy as np

from minigrad.lab import plots, problems, style

RAVINE = problems.ravine(20)


def draw(beta, eta=0.5):
    """Curves, dots, bars that change colour, a text that moves and one that changes, a band."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3))
    x = np.linspace(0, 1, 60)
    left.plot(x, x ** (1 + beta) * eta, **style.line("adam"))
    left.plot(x[::9], x[::9] ** (1 + beta) * eta, "o", color="white", markeredgecolor="black")
    left.plot([0, 1], [0, 1], color=style.muted)
    left.text(0.5, 0.5 ** (1 + beta), "点 · point")
    left.set(xlim=(0, 1), ylim=(0, 1), xlabel="$x$", title=f"大小 {beta:.1f} · size {beta:.1f}")
    plots.paths(RAVINE, {"adam": np.outer(np.arange(4 + round(4 * beta)), [0.3, eta / 2])}, right)
    right.bar([0, 1], [eta, 0.3], color=style.palette["red" if eta > 0.6 else "blue"])
    if beta > 0.5:
        right.axvline(beta, color="black", linestyle="--")
