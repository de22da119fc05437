"""The look of every figure: sizes, fonts, one fixed colour per method, small reproducible PNGs.

Importing this module (``import book`` does) applies it, in Jupyter and in scripts alike.

- A figure is 640 CSS pixels wide, a column of the book, and is stored at twice that. ``(6.4, 3.6)``
  inches is the default size; text of 12 points is still legible when a phone shows it at 360 px.
- Figures are drawn for a light page. The site's dark theme inverts lightness and keeps hue, so the
  colours are legible both ways.
- Words in a figure are in both languages (:mod:`minigrad.lab.words`). The font has no 汉字, so for
  now a figure shows their English half. A glyph that the font lacks is an error, not a box.

>>> import matplotlib.pyplot as plt
>>> figure, axes = plt.subplots()
>>> lines = axes.plot([0, 1], [1, 0], **line("adam"))
>>> lines[0].get_color() == color["adam"]
True
>>> plt.close(figure)
"""

import io
import warnings
from contextlib import contextmanager

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from .words import half

WIDTH = 6.4  # inches at 100 dpi: the 640-px column
SCALE = 2  # pixels stored per CSS pixel

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


def render(figure):
    """``figure`` as an array of red, green and blue bytes, at twice the size it is shown."""
    dpi = 100 * SCALE
    buffer = io.BytesIO()
    with _in_english():
        figure.savefig(buffer, format="rgba", dpi=dpi)
    width, height = (int(inches * dpi) for inches in figure.get_size_inches())
    return np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)[..., :3].copy()


@contextmanager
def _in_english():
    both = Text.get_text
    Text.get_text = lambda text: half(both(text), "en")
    try:
        yield
    finally:
        Text.get_text = both


def quantize(pixels, flat=24, edges=48):
    """An RGB array as a Pillow image in few colours: half of the file of matplotlib's own, or less.

    The ``flat`` commonest colours (background, grid, fills) stay exact, so that no area is tinted;
    ``edges`` more are chosen for coverage of the rest, which is anti-aliasing.
    """
    rough = Image.fromarray(pixels).quantize(
        edges, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    common = np.argsort(-np.bincount(packed.ravel(), minlength=1 << 24), kind="stable")[:flat]
    exact = np.stack([common >> 16, common >> 8 & 255, common & 255], axis=1)
    index = np.full(1 << 24, flat, np.uint8)
    index[common] = np.arange(flat)
    index = index[packed]
    picture = Image.fromarray(np.where(index < flat, index, np.asarray(rough) + flat))
    picture.putpalette([*exact.ravel().tolist(), *rough.getpalette()])
    return picture


def png(figure):
    """``figure`` as a small PNG: palette colours, no metadata, the same bytes every time."""
    buffer = io.BytesIO()
    quantize(render(figure)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _png_for_jupyter(figure):
    """PNG and the size at which to show it, which is what IPython expects of a formatter."""
    if not figure.axes:
        return None
    width, height = (round(inches * 100) for inches in figure.get_size_inches())
    return png(figure), {"width": width, "height": height}


def apply():
    """Set rcParams and, inside IPython, the PNG formatter of figures."""
    plt.rcParams.update({
        "font.family": "DejaVu Sans",  # ships with matplotlib, so figures are the same everywhere
        "font.size": 12,
        "axes.titlesize": 12,
        "legend.fontsize": 11,
        "mathtext.fontset": "dejavusans",
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
        "image.cmap": "viridis",
        "svg.hashsalt": "book",
    })
    warnings.filterwarnings("error", message=r"Glyph \d+ .* missing from", category=UserWarning)
    shell = get_ipython()
    if shell is not None:
        # Loading the backend makes IPython install its own formatter, so ours must come after.
        import matplotlib_inline.backend_inline  # noqa: F401

        formatter = shell.display_formatter.formatters["image/png"]
        formatter.for_type(Figure, _png_for_jupyter)


apply()
