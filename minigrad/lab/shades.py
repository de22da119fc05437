"""Colours of a figure on light and on dark paper.

A shade is ``"#rrggbb"``. Its lightness is changed in OKLab (Ottosson 2020), where equal steps look
equal and the hue stays.
"""

from functools import lru_cache

import numpy as np

LIGHT, DARK = "#ffffff", "#14171b"  # the papers of the book's two themes
LEGIBLE = 4.5  # the contrast that lettering needs (WCAG 2.1, 1.4.3)

_TO_CONES = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
_TO_LAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip


def _linear(shade):
    rgb = np.array([int(shade[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _lab(shade):
    return _TO_LAB @ np.cbrt(_TO_CONES @ _linear(shade))


def _shade(lab):
    linear = np.linalg.solve(_TO_CONES, np.linalg.solve(_TO_LAB, lab) ** 3).clip(0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(value * 255):02x}" for value in rgb)


def contrast(one, other):
    """How many times as light one of two shades is as the other, 1 to 21 (WCAG 2.1).

    >>> float(round(contrast("#7f7f86", "#ffffff"), 1))
    4.0
    """
    less, more = sorted(_linear(shade) @ [0.2126, 0.7152, 0.0722] for shade in (one, other))
    return (more + 0.05) / (less + 0.05)


# The twins of the palette and of its muted grey (:mod:`minigrad.lab.style`). Turned over they would
# fall together, blue with sky and red with orange; these were found by search near their hues.
_TWINS = {
    "#006eba": "#529cf8", "#c83200": "#f4713e", "#007947": "#89ca9d", "#96428a": "#a148a4",
    "#c0851e": "#f7b03c", "#439dcc": "#6dcbff", "#7f2021": "#b64b3d", "#7f7f86": "#85868b",
    "#b0b0b0": "#666666",
}  # fmt: skip


@lru_cache(None)
def dark(shade):
    """The dark twin of a colour: its lightness in OKLab turned over, between dark paper and white.

    White is the paper itself. The named colours of figures have twins of their own.

    >>> dark("#e4e4e4"), dark("#006eba")
    ('#252525', '#529cf8')
    """
    if shade == LIGHT:
        return "var(--paper)"
    if shade in _TWINS:
        return _TWINS[shade]
    lab = _lab(shade)
    lab[0] = 0.20 + (1 - lab[0]) * 0.78
    return _shade(lab)


@lru_cache(None)
def legible(shade, paper):
    """The shade itself, or the nearest one of its hue in which letters can be read on this paper.

    >>> legible("#006eba", LIGHT), legible("#7f7f86", LIGHT), legible("#666666", DARK)
    ('#006eba', '#76767d', '#808080')
    """
    lab, step = _lab(shade), -0.005 if paper == LIGHT else 0.005
    while contrast(shade, paper) < LEGIBLE:
        lab[0] += step
        shade = _shade(lab)
    return shade
