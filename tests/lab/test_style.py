"""The styles of methods are told apart, also by the colour-blind."""


import matplotlib.pyplot as plt
import numpy as np
import pytest

from minigrad.lab import shades, style


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    left = plt.get_fignums()
    plt.close("all")
    assert not left


def test_styles_are_known_and_told_apart():
    assert set(style.color) == set(style._dashes)
    compared = [
        "sgd momentum nesterov adagrad rmsprop adam adamw amsgrad",
        "adam adamw adamax nadam radam amsgrad adabound lamb lion muon sophia",
        "sigmoid tanh relu leaky-relu elu selu gelu silu mish softplus",
        "batch-norm layer-norm rms-norm group-norm instance-norm no-norm",
        "lecun xavier he orthogonal normal", "mha gqa mqa", "train validation test",
        "relu gelu glu bilinear reglu geglu swiglu", "gradient-descent newton bfgs l-bfgs cg",
    ]  # fmt: skip
    for names in map(str.split, compared):
        looks = [(style.color[name], style._dashes[name]) for name in names]
        assert len(set(map(str, looks))) == len(names)
    with pytest.raises(KeyError, match="adamm.*style.py"):
        style.line("adamm")
    assert style.line("adam", label="x")["label"] == "x"


def linear(color):
    """Linear RGB of a hexadecimal colour, or of an array of sRGB."""
    if isinstance(color, str):
        color = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    color = np.asarray(color)
    return np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)


# Linear RGB as seen without one kind of cone (Machado, Oliveira & Fernandes 2009, severity 1).
COLOUR_BLIND = {
    "none": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}
OKLAB = (
    np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]),
    np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]),
)


@pytest.mark.parametrize("theme", [str, shades.dark])
@pytest.mark.parametrize("sight", COLOUR_BLIND)
def test_palette_is_told_apart(sight, theme):
    colors = np.array([linear(theme(c.lower())) for c in style.palette.values()])
    seen = np.clip(colors @ np.array(COLOUR_BLIND[sight]).T, 0, 1)
    lab = np.cbrt(seen @ OKLAB[0].T) @ OKLAB[1].T
    distance = np.linalg.norm(lab[:, None] - lab, axis=2) + np.eye(len(lab))
    one, two = np.unravel_index(distance.argmin(), distance.shape)
    names = list(style.palette)
    assert distance.min() > 0.09, (names[one], names[two], distance.min())
