"""The look of every figure: sizes, fonts, one fixed colour per method.

Importing this module (``import minigrad.lab`` does) applies it, in Jupyter and in scripts alike,
and makes Jupyter show figures as vector pictures (:mod:`minigrad.lab.figures`).

- A figure is 640 CSS pixels wide, a column of the book. ``(6.4, 3.6)`` inches is the default size;
  of 9 points or more, text is legible in the layout for phones too.
- Words in a figure are in both languages, ``中文 · English``.
- Figures are drawn for a light page; in the dark theme each colour has a twin.

>>> import matplotlib.pyplot as plt
>>> figure, axes = plt.subplots()
>>> lines = axes.plot([0, 1], [1, 0], **line("adam"))
>>> lines[0].get_color() == color["adam"]
True
>>> plt.close(figure)
"""

import matplotlib
import matplotlib.pyplot as plt
from IPython import get_ipython
from matplotlib.figure import Figure

from . import figures

WIDTH = 6.4  # inches at 100 dpi: the 640-px column

# The order in which matplotlib hands colours to unnamed curves. Found by search near the hues of
# Okabe & Ito (2008), which themselves do not do: their yellow and sky have a contrast of 1.3 and
# 2.3 against white. These have at least 3, in the dark theme too, and any two are at least 0.095
# apart in OKLab to readers without red or green cones as well (red and orange there were 0.01).
palette = {
    "blue": "#006EBA",
    "red": "#C83200",
    "green": "#007947",
    "purple": "#96428A",
    "orange": "#C0851E",
    "sky": "#439DCC",
    "wine": "#7F2021",
    "grey": "#7F7F86",
}
muted = "#B0B0B0"  # context: level lines, reference curves, other seeds

# Methods that are compared with each other differ in hue; a variant that is compared mostly with
# its parent keeps the parent's hue and changes the dash, so that eight hues serve the whole book.
_solid, _dash, _dot, _dashdot = "-", (0, (5, 2)), (0, (1.2, 1.5)), (0, (5, 1.5, 1.2, 1.5))
_lines = {
    # optimizers
    "sgd": ("grey", _solid), "sgdw": ("grey", _dash), "gradient-descent": ("grey", _solid),
    "lars": ("grey", _dot), "schedule-free-sgd": ("grey", _dashdot),
    "momentum": ("blue", _solid), "sgdm": ("blue", _solid), "swa": ("blue", _dash),
    "lookahead": ("blue", _dot), "ema": ("blue", _dashdot),
    "nesterov": ("sky", _solid), "nadam": ("sky", _dash), "swats": ("sky", _dot),
    "adagrad": ("green", _solid), "adafactor": ("green", _dash), "shampoo": ("green", _dot),
    "soap": ("green", _dashdot),
    "rmsprop": ("orange", _solid), "adadelta": ("orange", _dash), "lion": ("orange", _dot),
    "adam": ("red", _solid), "adamax": ("red", _dash), "lamb": ("red", _dot),
    "sophia": ("red", _dashdot),
    "adamw": ("purple", _solid), "radam": ("purple", _dash),
    "schedule-free-adamw": ("purple", _dot), "schedule-free": ("purple", _dot),
    "amsgrad": ("wine", _solid), "adabound": ("wine", _dash), "amsbound": ("wine", _dot),
    "muon": ("wine", _dashdot),
    # optimization methods
    "newton": ("red", _solid), "newton-cg": ("red", _dash), "bfgs": ("green", _solid),
    "l-bfgs": ("green", _dash), "cg": ("purple", _solid), "augmented-lagrangian": ("wine", _solid),
    # initializations
    "lecun": ("blue", _solid), "xavier": ("green", _solid), "he": ("red", _solid),
    "kaiming": ("red", _solid), "orthogonal": ("purple", _solid), "ntk": ("orange", _solid),
    "normal": ("grey", _solid), "uniform": ("grey", _dash), "zeros": ("grey", _dot),
    # normalizations and their place
    "batch-norm": ("blue", _solid), "layer-norm": ("red", _solid), "rms-norm": ("green", _solid),
    "group-norm": ("purple", _solid), "instance-norm": ("orange", _solid),
    "no-norm": ("grey", _solid), "pre-norm": ("blue", _solid), "post-norm": ("red", _solid),
    "deep-norm": ("green", _solid),
    # activations
    "linear": ("grey", _solid), "sigmoid": ("blue", _solid), "tanh": ("green", _solid),
    "softplus": ("sky", _dash), "relu": ("red", _solid), "leaky-relu": ("red", _dash),
    "prelu": ("red", _dot), "elu": ("orange", _solid), "selu": ("orange", _dash),
    "gelu": ("purple", _solid), "silu": ("sky", _solid), "swish": ("sky", _solid),
    "mish": ("wine", _solid), "hard-swish": ("sky", _dot),
    "glu": ("blue", _dash), "bilinear": ("grey", _dash), "reglu": ("red", _dashdot),
    "geglu": ("purple", _dash), "swiglu": ("sky", _dashdot),
    # attention
    "mha": ("blue", _solid), "gqa": ("purple", _solid), "mqa": ("red", _solid),
    # losses
    "mse": ("blue", _solid), "mae": ("red", _solid), "huber": ("green", _solid),
    "smooth-l1": ("green", _dash), "log-cosh": ("purple", _solid), "quantile": ("orange", _solid),
    "cross-entropy": ("red", _solid), "focal": ("purple", _solid), "kl": ("green", _solid),
    "js": ("orange", _solid),
    # roles
    "train": ("blue", _solid), "validation": ("red", _solid), "test": ("red", _dash),
    "theory": ("grey", _dash), "exact": ("grey", _solid), "measured": ("blue", _solid),
}  # fmt: skip


class _Names(dict):
    """A dict of fixed names that says what it knows when asked for something else."""

    def __missing__(self, name):
        raise KeyError(f"no style for {name!r}; add it to lab/style.py, which has {sorted(self)}")


color = _Names({name: palette[hue] for name, (hue, _) in _lines.items()})
_dashes = _Names({name: dash for name, (_, dash) in _lines.items()})


def line(name, **more):
    """Keyword arguments for ``axes.plot``: the colour, dash and label that ``name`` has everywhere.

    ``more`` overrides them: ``axes.plot(t, loss, **line("adam", label="β₂ = 0.99"))``.
    """
    return {"color": color[name], "linestyle": _dashes[name], "label": name, **more}


def apply():
    """Set rcParams and, inside IPython, how figures are shown."""
    plt.rcParams.update({
        "font.family": "DejaVu Sans",
        "font.size": 12,
        "axes.titlesize": 12,
        "legend.fontsize": 11,
        "figure.figsize": (WIDTH, 3.6),
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "axes.prop_cycle": matplotlib.cycler(color=palette.values()),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#E4E4E4",
        "axes.axisbelow": True,
        "lines.linewidth": 2,
        "legend.frameon": False,
        "legend.handlelength": 2.8,  # long enough to tell dashes apart
        "image.cmap": "viridis",
        "image.interpolation": "none",  # an image is stored as it is, each entry one pixel
    })
    shell = get_ipython()
    if shell is not None:
        # Loading the backend makes IPython install its own formatter, so ours must come after.
        import matplotlib_inline.backend_inline  # noqa: F401

        formatter = shell.display_formatter
        formatter.formatters["image/png"].pop(Figure, None)
        formatter.mimebundle_formatter.for_type(Figure, figures.bundle)


apply()
