"""A drawing shows each tensor once, in columns from left to right, each arrow once."""

import subprocess
import sys
from ast import literal_eval

import numpy as np
import pytest

from compares import compares
from minigrad import Tensor, draw, losses, nn

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def nodes(ax):
    """(x, y): label of each box."""
    return {t.get_position(): t.get_text() for t in ax.texts if t.get_text()}


def ends(ax):
    """((x, y) of the source, (x, y) of the target) of each arrow."""
    return [(literal_eval(a.get_gid()[5:]), a.xy) for a in ax.texts if not a.get_text()]


def arrows(ax):
    """(label of the source, label of the target), sorted."""
    at = nodes(ax)
    return sorted((at[source], at[target]) for source, target in ends(ax))


@compares("Sugiyama, Tagawa & Toda 1981", "draw")
def test_boxes_and_arrows():
    x = Tensor([[1.0, 2.0]], requires_grad=True)
    W = nn.Parameter(np.ones((2, 3)))
    y = ((x @ W) ** 2 * Tensor([1.0, 2.0, 3.0])).sum()
    ax = draw(y, W=W, loss=y)
    assert arrows(ax) == sorted(
        [
            ("Tensor\n(1, 2)", "matmul\n(1, 3)"),
            ("W\n(2, 3)", "matmul\n(1, 3)"),
            ("matmul\n(1, 3)", "power(2)\n(1, 3)"),
            ("power(2)\n(1, 3)", "multiply\n(1, 3)"),
            ("constant\n(3,)", "multiply\n(1, 3)"),
            ("multiply\n(1, 3)", "loss = sum\n()"),
        ]
    )
    assert len(nodes(ax)) == 7


def test_layers():
    """Everything stands right of what it was computed from; a leaf one column left of its first use."""
    net = nn.Sequential(nn.Linear(2, 3), np.tanh, nn.BatchNorm1d(3), nn.Linear(3, 2))
    a = Tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    ax = draw(losses.mse_loss(net(a), a * a), a=a, W=net[3].weight)
    assert all(source[0] < target[0] for source, target in ends(ax))
    at = nodes(ax)
    assert len(at) == sum(bool(t.get_text()) for t in ax.texts)  # no two boxes on one spot
    column = {label: x for (x, _), label in at.items()}
    assert column["W\n(2, 3)"] == column["linear\n(2, 2)"] - 1
    assert max(column.values()) == column["mean\n()"]
    assert len(at) == 15 and len(ends(ax)) == 15


def test_a_tensor_used_twice_is_drawn_once():
    x = Tensor(2.0, requires_grad=True)
    b = x + x
    c = b * b
    ax = draw(c, x=x, b=b, c=c)
    assert arrows(ax) == [("b = add\n()", "c = multiply\n()"), ("x\n()", "b = add\n()")]


def test_long_lines_go_round_the_boxes():
    """x is used again six columns on: the line has a place of its own in every column between."""
    x = Tensor(2.0, requires_grad=True)
    y = x
    for _ in range(6):
        y = np.sin(y)
    ax = draw(y * x)
    line = max((line.get_xydata() for line in ax.lines), key=len)
    assert len(line) == 7 and [p[0] for p in line] == list(range(7))
    assert not {tuple(p) for p in line[1:]} & set(nodes(ax))


def test_crossings_are_untangled():
    """Two parallel chains whose ends are joined: made in the worst order, still drawn uncrossed."""
    leaves = [Tensor(float(i), requires_grad=True) for i in range(4)]
    named = {f"x{i}": x for i, x in enumerate(leaves)}
    pairs = [leaves[3] * leaves[0], leaves[1] * leaves[2]]
    lines = ends(draw(np.exp(pairs[1]) + np.sin(pairs[0]), **named))
    assert len(lines) == 8
    for i, ((x0, y0), (x1, y1)) in enumerate(lines):
        for (u0, v0), (u1, v1) in lines[i + 1 :]:
            if x0 == u0 and x1 == u1:
                assert (y0 - v0) * (y1 - v1) >= 0


def test_styles_tell_what_gets_a_gradient():
    x = Tensor([1.0], requires_grad=True)
    ax = draw(x * Tensor([2.0]))
    style = {
        t.get_text().split("\n")[0]: t.get_bbox_patch().get_linestyle()
        for t in ax.texts
        if t.get_text()
    }
    assert style["Tensor"] == style["multiply"] and style["constant"] != style["Tensor"]


def test_axes_given_or_made():
    x = Tensor([1.0], requires_grad=True)
    _, ax = plt.subplots()
    assert draw(x * 2, ax=ax) is ax
    before = plt.get_fignums()
    assert draw(x * 2).figure.number not in before
    draw(x)  # a leaf alone
    draw(x * 2).figure.savefig("/dev/null", format="png")  # renders without a warning


def test_drawing_changes_nothing():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    draw(y)
    y.backward()
    assert x.grad.tolist() == [2, 4]


def test_a_leaf_that_was_changed_still_stands_left():
    x = Tensor([1.0], requires_grad=True)
    y = x * 3
    x.data = [2.0]
    assert arrows(draw(y, x=x)) == [("x\n(1,)", "multiply(3)\n(1,)")]


def test_matplotlib_is_loaded_only_to_draw():
    code = "import sys, minigrad; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="draw needs matplotlib: pip install matplotlib"):
        draw(Tensor(1.0))


def test_bad_input():
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(TypeError, match="draw: tensor must be a Tensor, got ndarray"):
        draw(np.ones(2))
    with pytest.raises(TypeError, match="draw: y must be a Tensor, got float"):
        draw(x, y=1.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="draw: this tensor's history has been released"):
        draw(y)
    for _ in range(400):
        x = x * 2
    with pytest.raises(ValueError, match="draw: the graph has more than 300 tensors"):
        draw(x)
