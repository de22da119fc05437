"""Draw the graph of a Tensor: what it was computed from, with matplotlib.

First used in `chapters/autograd/computational-graph.ipynb`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .messages import name
from .tensor import Tensor, released

LIMIT = 300  # tensors; beyond, a drawing shows nothing

# (n, n, i): tensor n in column i; (a, n, i): a place in column i kept free for the line from a to n
Spot = tuple[int, int, int]


def draw(tensor: Tensor, ax: Any = None, **names: Tensor) -> Any:
    """Draw how `tensor` was computed, from left to right.

    Each box is a tensor: with the operation that made it and its shape, or, if nothing made it, as
    a leaf that gets a gradient (solid frame) or a constant (dashed). Numbers that an operation was
    given stand in its label.

    Parameters
    ----------
    tensor: what to draw, before its history is released by `backward()`.
    ax: matplotlib Axes to draw into; without one a figure of fitting size is made.
    names: tensors by the names they are to bear, draw(loss, x=x, W=W).

    Returns
    -------
    The matplotlib Axes.

    Raises
    ------
    TypeError: not a Tensor. RuntimeError: the history has been released. ValueError: more than 300
        boxes. ImportError: matplotlib is not installed.

    Example
    -------
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> ax = draw((x**2).sum(), x=x)  # doctest: +SKIP
    """
    for label, x in {"tensor": tensor, **names}.items():
        if not isinstance(x, Tensor):
            raise TypeError(f"draw: {label} must be a Tensor, got {type(x).__name__}")
    if tensor._f is released:
        raise RuntimeError(
            "draw: this tensor's history has been released: draw it before backward(), or call "
            "backward(retain_graph=True)"
        )
    nodes = history(tensor)
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("draw needs matplotlib: pip install matplotlib") from error

    columns, paths = layout(nodes)
    height = max(map(len, columns))
    if ax is None:
        size = (1.6 * len(columns) + 0.4, 0.8 * height + 0.4)
        ax = plt.subplots(figsize=size, layout="constrained")[1]
    at = {
        spot: (float(i), (len(column) - 1) / 2 - j)
        for i, column in enumerate(columns)
        for j, spot in enumerate(column)
    }
    called = {id(x): label for label, x in names.items()}
    boxes = {}
    for spot in at:
        if spot[0] != spot[1]:
            continue  # a place kept free for a line
        x = nodes[spot[0]]
        style = dict(
            boxstyle="round" if x._f is not None else "square",
            facecolor="#e8f0fa" if x._f is not None else "white",
            edgecolor="#33527a",
            linestyle="-" if x.requires_grad else "--",
        )
        box = ax.text(*at[spot], describe(x, called.get(id(x))), ha="center", va="center",
                      fontsize=9, bbox=style, zorder=2)  # fmt: skip
        boxes[spot] = box.get_bbox_patch()
    for path in paths:
        *line, end = [at[spot] for spot in path]
        ax.plot(*zip(*line), color="#777777", linewidth=1, zorder=1)
        ax.annotate(
            "", xy=end, xytext=line[-1], zorder=3, gid=f"from {at[path[0]]}",
            arrowprops=dict(arrowstyle="-|>", color="#777777", shrinkA=0, shrinkB=0,
                            patchA=boxes.get(path[-2]), patchB=boxes[path[-1]]),
        )  # fmt: skip
    ax.set_xlim(-0.6, len(columns) - 0.4)
    ax.set_ylim(-height / 2 - 0.1, height / 2 + 0.1)
    ax.set_axis_off()
    return ax


def sources(x: Tensor) -> list[Tensor]:
    """The tensors x was computed from, each once."""
    if x._f is None:
        return []
    return list({id(a): a for a in x._args if isinstance(a, Tensor)}.values())


def history(tensor: Tensor) -> dict[int, Tensor]:
    """`tensor` and all it was computed from, by id: leaves, then results as they were made."""
    found = {id(tensor): tensor}
    waiting = [tensor]
    while waiting:
        for a in sources(waiting.pop()):
            if id(a) not in found:
                found[id(a)] = a
                waiting.append(a)
        if len(found) > LIMIT:
            raise ValueError(
                f"draw: the graph has more than {LIMIT} tensors: draw an intermediate result, or "
                "the same computation at a smaller size"
            )
    # a leaf that was changed has a later number than what was computed from it before
    return dict(sorted(found.items(), key=lambda item: (item[1]._f is not None, item[1]._number)))


def layout(nodes: dict[int, Tensor]) -> tuple[list[list[Spot]], list[list[Spot]]]:
    """The spots in each column, and the path of spots for each line.

    A result stands right of all it was made of, a leaf left of its first use. Inside a column the
    spots are sorted by the mean height of their neighbours, a few times to and fro, which takes
    most crossings away (the barycentre method of Sugiyama, Tagawa & Toda 1981).
    """
    lines = [(id(a), n) for n, x in nodes.items() for a in sources(x)]
    depth = dict.fromkeys(nodes, 0)
    for a, n in lines:  # in the order of n, so a's depth is final
        depth[n] = max(depth[n], depth[a] + 1)
    first_use = {a: min(depth[n] for b, n in lines if b == a) for a, _ in lines}
    for n in first_use:
        if nodes[n]._f is None:
            depth[n] = first_use[n] - 1

    paths = [
        [(a, a, depth[a])] + [(a, n, i) for i in range(depth[a] + 1, depth[n])] + [(n, n, depth[n])]
        for a, n in lines
    ]
    columns: list[list[Spot]] = [[] for _ in range(max(depth.values()) + 1)]
    for spot in [(n, n, i) for n, i in depth.items()] + [s for path in paths for s in path[1:-1]]:
        columns[spot[2]].append(spot)
    ties: dict[Spot, list[Spot]] = {spot: [] for column in columns for spot in column}
    for path in paths:
        for left, right in zip(path, path[1:]):
            ties[left].append(right)
            ties[right].append(left)

    height = {spot: j - len(c) / 2 for c in columns for j, spot in enumerate(c)}
    for sweep in range(8):
        for column in columns if sweep % 2 else columns[::-1]:
            mean = {spot: np.mean([height[t] for t in ties[spot] or [spot]]) for spot in column}
            column.sort(key=lambda spot: float(mean[spot]))  # noqa: B023  used at once
            height |= {spot: j - len(column) / 2 for j, spot in enumerate(column)}
    return columns, paths


def describe(x: Tensor, called: str | None) -> str:
    """A node's label: its name, what made it (with the plain numbers given to it), its shape."""
    if x._f is None:
        kind = type(x).__name__ if x.requires_grad else "constant"
        lines = [called or kind]
    else:
        numbers = [f"{a:.4g}" for a in x._args if isinstance(a, (int, float))]
        call = name(x._f) + (f"({', '.join(numbers)})" if numbers else "")
        lines = [f"{called} = {call}" if called else call]
    return "\n".join([*lines, str(x.shape)])
