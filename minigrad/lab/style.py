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
from .words import own

WIDTH = 6.4  # inches at 100 dpi: the 640-px column

# The order in which matplotlib hands colours to unnamed curves. Found by search near the hues of
# Okabe & Ito (2008), which themselves do not do: their yellow and sky have a contrast of 1.3 and
# 2.3 against white. These have at least 3, and any two are at least 0.093 apart in OKLab to readers
# without red or green cones as well (red and orange there were 0.01). So have and are their dark
# twins (:mod:`minigrad.lab.shades`).
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
    "sgd": ("grey", _solid, "SGD"), "sgdw": ("grey", _dash, "SGDW"),
    "gradient-descent": ("grey", _solid, "梯度下降 · gradient descent"),
    "lars": ("grey", _dot, "LARS"),
    "schedule-free-sgd": ("grey", _dashdot, "Schedule-Free SGD"),
    "momentum": ("blue", _solid, "动量 · momentum"), "sgdm": ("blue", _solid, "SGDM"),
    "swa": ("blue", _dash, "SWA"), "lookahead": ("blue", _dot, "Lookahead"),
    "ema": ("blue", _dashdot, "EMA"), "nesterov": ("sky", _solid, "Nesterov"),
    "nadam": ("sky", _dash, "NAdam"), "swats": ("sky", _dot, "SWATS"),
    "adagrad": ("green", _solid, "AdaGrad"), "adafactor": ("green", _dash, "Adafactor"),
    "shampoo": ("green", _dot, "Shampoo"), "soap": ("green", _dashdot, "SOAP"),
    "rmsprop": ("orange", _solid, "RMSprop"), "adadelta": ("orange", _dash, "AdaDelta"),
    "lion": ("orange", _dot, "Lion"), "adam": ("red", _solid, "Adam"),
    "adamax": ("red", _dash, "AdaMax"), "lamb": ("red", _dot, "LAMB"),
    "sophia": ("red", _dashdot, "Sophia"), "adamw": ("purple", _solid, "AdamW"),
    "radam": ("purple", _dash, "RAdam"),
    "schedule-free-adamw": ("purple", _dot, "Schedule-Free AdamW"),
    "schedule-free": ("purple", _dot, "Schedule-Free"), "amsgrad": ("wine", _solid, "AMSGrad"),
    "adabound": ("wine", _dash, "AdaBound"), "amsbound": ("wine", _dot, "AMSBound"),
    "muon": ("wine", _dashdot, "Muon"),
    # optimization methods
    "newton": ("red", _solid, "牛顿法 · Newton"),
    "newton-cg": ("red", _dash, "牛顿–共轭梯度 · Newton–CG"),
    "bfgs": ("green", _solid, "BFGS"), "l-bfgs": ("green", _dash, "L-BFGS"),
    "cg": ("purple", _solid, "共轭梯度 · CG"),
    "augmented-lagrangian": ("wine", _solid, "增广拉格朗日 · augmented Lagrangian"),
    # initializations
    "lecun": ("blue", _solid, "LeCun"), "xavier": ("green", _solid, "Xavier"),
    "he": ("red", _solid, "He"), "kaiming": ("red", _solid, "Kaiming"),
    "orthogonal": ("purple", _solid, "正交 · orthogonal"), "ntk": ("orange", _solid, "NTK"),
    "normal": ("grey", _solid, "正态 · normal"), "uniform": ("grey", _dash, "均匀 · uniform"),
    "zeros": ("grey", _dot, "全零 · zeros"),
    "standard": ("blue", _solid, "标准 · standard"), "mup": ("red", _solid, "μP"),
    # normalizations and their place
    "batch-norm": ("blue", _solid, "批归一化 · batch norm"),
    "layer-norm": ("red", _solid, "层归一化 · layer norm"),
    "rms-norm": ("green", _solid, "RMS 归一化 · RMS norm"),
    "group-norm": ("purple", _solid, "组归一化 · group norm"),
    "instance-norm": ("orange", _solid, "实例归一化 · instance norm"),
    "no-norm": ("grey", _solid, "不归一化 · no norm"),
    "pre-norm": ("blue", _solid, "Pre-Norm"), "post-norm": ("red", _solid, "Post-Norm"),
    "deep-norm": ("green", _solid, "DeepNorm"),
    # activations
    "linear": ("grey", _solid, "线性 · linear"), "sigmoid": ("blue", _solid, "sigmoid"),
    "tanh": ("green", _solid, "tanh"), "softplus": ("sky", _dash, "softplus"),
    "relu": ("red", _solid, "ReLU"), "leaky-relu": ("red", _dash, "Leaky ReLU"),
    "prelu": ("red", _dot, "PReLU"), "elu": ("orange", _solid, "ELU"),
    "selu": ("orange", _dash, "SELU"), "gelu": ("purple", _solid, "GELU"),
    "silu": ("sky", _solid, "SiLU"), "swish": ("sky", _solid, "Swish"),
    "mish": ("wine", _solid, "Mish"), "hard-swish": ("sky", _dot, "Hard Swish"),
    "glu": ("blue", _dash, "GLU"), "bilinear": ("grey", _dash, "双线性 · bilinear"),
    "reglu": ("red", _dashdot, "ReGLU"), "geglu": ("purple", _dash, "GEGLU"),
    "swiglu": ("sky", _dashdot, "SwiGLU"),
    # attention
    "mha": ("blue", _solid, "MHA"), "gqa": ("purple", _solid, "GQA"),
    "mqa": ("red", _solid, "MQA"),
    # losses
    "mse": ("blue", _solid, "MSE"), "mae": ("red", _solid, "MAE"),
    "huber": ("green", _solid, "Huber"), "smooth-l1": ("green", _dash, "Smooth L1"),
    "log-cosh": ("purple", _solid, "log-cosh"),
    "quantile": ("orange", _solid, "分位数 · quantile"),
    "cross-entropy": ("red", _solid, "交叉熵 · cross-entropy"),
    "focal": ("purple", _solid, "焦点损失 · focal"), "kl": ("green", _solid, "KL"),
    "js": ("orange", _solid, "JS"),
    "pointwise": ("grey", _solid, "逐点 · pointwise"),
    "hinge": ("green", _solid, "合页 · hinge"), "ranknet": ("blue", _solid, "RankNet"),
    "lambdarank": ("purple", _dash, "LambdaRank"), "listnet": ("red", _dashdot, "ListNet"),
    "cosent": ("orange", _dash, "CoSENT"),
    "circle": ("wine", _solid, "Circle 损失 · Circle loss"),
    # roles
    "train": ("blue", _solid, "训练 · training"),
    "validation": ("red", _solid, "验证 · validation"), "test": ("red", _dash, "测试 · test"),
    "theory": ("grey", _dash, "理论 · theory"), "exact": ("grey", _solid, "精确 · exact"),
    "measured": ("blue", _solid, "实测 · measured"),
}  # fmt: skip


class _Names(dict):
    """A dict of fixed names that says what it knows when asked for something else."""

    def __missing__(self, name):
        raise KeyError(f"no style for {name!r}; add it to lab/style.py, which has {sorted(self)}")


color = _Names({name: palette[hue] for name, (hue, _, _) in _lines.items()})
_dashes = _Names({name: dash for name, (_, dash, _) in _lines.items()})


_labels = _Names({name: label for name, (_, _, label) in _lines.items()})


def line(name, **more):
    """Keyword arguments for ``axes.plot``: the colour, dash and label that ``name`` has everywhere.

    ``more`` overrides them: ``axes.plot(t, loss, **line("adam", label="β₂ = 0.99"))``.
    """
    return {"color": color[name], "linestyle": _dashes[name], "label": own(_labels[name]), **more}


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
