"""``slider``: a figure that moves, in the book and in Jupyter alike.

When the cell runs, ``draw`` draws every frame, and what is shown afterwards needs it no more: no
kernel, no server, and no name that a later cell may have given to something else. One piece of HTML
serves the page and Jupyter:

- the picture at the start (:mod:`minigrad.lab.figures`), which is all that is seen where scripts do
  not run: in a notebook that was opened and not run, on paper;
- the knobs: a range for numbers, buttons for names;
- for each mark that changes, its coordinates in every frame (:mod:`minigrad.lab.frames`).

``slider.js`` moves the marks, ``slider.css`` sets out the knobs. A page of the book loads each
once; in a live notebook they stand below the figure.
"""

import hashlib
import html
import itertools
import json
import os
import re
from numbers import Number
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.figure import Figure

from . import figures, frames, lettering
from .training import UNATTENDED
from .words import half, own

FRAMES = {1: 100, 2: 400}  # at most, for one knob and for two: more is too heavy for a page
HERE = Path(__file__).parent

_GREEK = dict(zip(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi "
    "omega".split(), "αβγδεζηθκλμνξρστφχψω"))  # fmt: skip


def slider(draw, alt, *, caption=None, start=None, labels=None, **params):
    """Show ``draw`` for every value of one or two parameters, with a knob for each.

    Args:
        draw: called as ``draw(**values)``; makes a matplotlib figure (and may return it). It must
            fix its axes' limits and labels, so that frames differ only where the idea does. A
            marker with ``gid="grab"`` can be dragged in the picture, and moves the knobs.
        alt: what the figure shows and what moving the knob changes, for those who cannot see it:
            ``"中文 · English"``.
        caption: what to try, likewise.
        start: values to begin with, ``{"beta": 0.9}``; default the first of each. A number that is
            not among the values stands for the nearest.
        labels: names of the knobs where the default, the parameter's name with Greek letters and
            subscripts (``beta1`` → β₁; a final ``_`` is dropped), will not do: a symbol, or
            ``"中文 · English"``.
        **params: the values of each parameter. Numbers have a range, of up to 100 places, or 400
            combinations of two; names (``"中文 · English"``) have buttons. ``lambda_`` stands
            for λ.

    Example::

        slider(draw, alt="… · …", beta=np.linspace(0, 0.99, 80), start={"beta": 0.9})
    """
    for name, text in {"alt": alt, "caption": "" if caption is None else caption}.items():
        if not isinstance(text, str) or name == "alt" and not text.strip():
            raise ValueError(f'slider: {name} must be a text, "中文 · English", got {text!r}')
    if not 1 <= len(params) <= 2:
        raise ValueError(f"slider: needs one or two parameters, got {len(params)}: {list(params)}")
    for name, given in params.items():
        params[name] = [value.item() if isinstance(value, np.generic) else value for value in given]
        if len(set(_texts(params[name]))) < max(2, len(params[name])):
            raise ValueError(f"slider: {name} needs two or more different values, got {given!r}")
    counts = [len(values) for values in params.values()]
    if np.prod(counts) > FRAMES[len(counts)]:
        raise ValueError(
            f"slider: {np.prod(counts)} frames, at most {FRAMES[len(counts)]} fit a page"
        )
    places = [_place(name, values, start or {}) for name, values in params.items()]
    for name in (start or {}).keys() - params.keys():
        raise ValueError(f"slider: start has {name!r}, which is none of {list(params)}")
    labels = {name: _label(name) for name in params} | (labels or {})

    # A key that depends on the content alone, so that it is the same in every run.
    key = "slider-" + hashlib.sha256(repr(params).encode()).hexdigest()[:8]
    combinations = list(itertools.product(*params.values()))
    first = int(np.ravel_multi_index(places, counts))
    film = _Film(draw)
    shots = {first: film.shoot(dict(zip(params, combinations[first])))}
    for i in _drawn(len(combinations), first):
        shots[i] = film.shoot(dict(zip(params, combinations[i])))
    reel = [shots.get(i, shots[first]) for i in range(len(combinations))]
    wide, narrow, data = frames.film(reel, first, counts, film.size, film.phone, film.maps)
    said = f"<figcaption>{_both(caption)}</figcaption>\n" if caption else ""
    page = (
        f'<figure class="slider" id="{key}" data-zh="{html.escape(half(alt, "zh"))}" '
        f'data-en="{html.escape(half(alt, "en"))}">\n{figures.image(wide, narrow, film.size)}\n'
        f'<div class="knobs">\n{_knobs(key, params, places, labels)}</div>\n'
        f"{said}"
        f'<script type="application/json">{json.dumps(data, separators=(",", ":"))}</script>\n'
        "</figure>"
    )
    if not UNATTENDED & os.environ.keys():
        look, script = (read(HERE / f"slider.{kind}") for kind in ("css", "js"))
        page += f"<style>\n{look}</style><script>\n{script}</script>"
    lines = [f"slider: {', '.join(params)}"]
    for name, values in params.items():
        names = any(isinstance(value, str) for value in values)
        lines += [labels[name], ("\n" if names else " ").join(_texts(values))]
    text = "\n".join([*lines, figures.words(reel[first])])
    display({"text/html": page, "text/plain": text}, raw=True)


def read(path):
    """The text of a file."""
    return path.read_text(encoding="utf-8")


def _drawn(number, first):
    """The frames to draw: all but the first, which has been; a few when a test compares outputs."""
    if "PYTEST_VERSION" in os.environ and os.environ.get("BOOK_FRAMES") != "all":
        return sorted({0, number // 2, number - 1} - {first})
    return [i for i in range(number) if i != first]


def _place(name, values, start):
    wanted = start.get(name, values[0])
    if wanted in values:
        return values.index(wanted)
    if isinstance(wanted, Number) and all(isinstance(value, Number) for value in values):
        return int(np.argmin(np.abs(np.array(values) - wanted)))
    raise ValueError(f"slider: start {name}={wanted!r} is not one of {values}")


# --- What is drawn --------------------------------------------------------------------------------


class _Film:
    """Draws frames that share their layout, which the first one determines."""

    def __init__(self, draw):
        self.draw, self.like = draw, None

    def shoot(self, values):
        """The marks of a frame."""
        made = self.draw(**values)
        figure = made if isinstance(made, Figure) else plt.gcf()
        try:
            if not figure.axes:
                raise ValueError(f"slider: draw(**{values}) made no figure")
            said = self._said(figure)
            if self.like is None:
                marks, self.size = figures.drawn(figure)
                self.like, self.places = said, _places(figure)
                boxes = _boxes(figure)
                copy = figures.phone(figure)
                self.phone = figures.drawn(copy)
                self.maps = [_affine(one, two) for one, two in zip(boxes, _boxes(copy))]
                return marks
            if said != self.like:
                raise ValueError(
                    f"slider: draw(**{values}) has other sizes, limits or labels of axes than the "
                    f"first frame: fix them, got {said}, first {self.like}"
                )
            figure.set_layout_engine("none")
            for ax, place in zip(figure.axes, self.places):
                ax.set_position(place)
                ax.xaxis.set_visible(False)  # drawn in the first frame, and the same in all
                ax.yaxis.set_visible(False)
            return figures.drawn(figure)[0]
        finally:
            plt.close(figure)  # or Jupyter would show it once more

    @staticmethod
    def _said(figure):
        return [tuple(figure.get_size_inches())] + [
            (*ax.get_xlim(), *ax.get_ylim(), ax.get_xlabel(), ax.get_ylabel()) for ax in figure.axes
        ]


def _places(figure):
    return [ax.get_position(original=True) for ax in figure.axes]


def _boxes(figure):
    """Left, top, width and height of each axes, in units of the picture."""
    _, height = figure.get_size_inches() * figure.dpi
    return [
        np.array([box.x0, height - box.y1, box.width, box.height]) * figures.UNIT
        for box in (ax.get_window_extent() for ax in figure.axes)
    ]


def _affine(wide, narrow):
    """How coordinates in an axes of the wide layout become those of the phone: a, b, c, d in
    x → a x + b, y → c y + d."""
    a, c = narrow[2:] / wide[2:]
    b, d = narrow[:2] - [a, c] * wide[:2]
    return [round(float(value), 4) for value in (a, b, c, d)]


# --- What is written ------------------------------------------------------------------------------


def _texts(values):
    """Values as the page shows them: as few digits as tell them apart, a true minus sign."""
    for digits in range(3, 8):
        texts = [_text(value, digits) for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


def _text(value, digits):
    if isinstance(value, str):
        return value
    text = str(value) if isinstance(value, int) else f"{value:.{digits}g}"
    return re.sub("e(-?)[+0]*", r"e\1", text).replace("-", "−")


def _label(name):
    """``beta1`` → β₁, ``lambda_`` → λ, ``lr`` → lr."""
    letters, digits = name.rstrip("_").rstrip("0123456789"), ""
    digits = name.rstrip("_")[len(letters) :]
    subscript = digits.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
    return _GREEK.get(letters, letters) + subscript


def _both(text):
    """Text in both languages, of which the editions keep one; a plain symbol serves both."""
    texts = {language: html.escape(half(text, language)) for language in ("zh", "en")}
    if texts["zh"] == texts["en"]:
        return texts["en"]
    return " ".join(
        f'<span data-lang="{language}" lang="{language}">{text}</span>'
        for language, text in texts.items()
    )


def _knobs(key, params, places, labels):
    rows = ""
    for (name, values), place in zip(params.items(), places):
        label, texts = _both(lettering.plain(labels[name])), _texts(values)
        if any(isinstance(value, str) for value in values):
            choices = "\n".join(
                f'<label><input type="radio" name="{key}-{name}" value="{i}" autocomplete="off"'
                f"{' checked' * (i == place)}> {_both(text)}</label>"
                for i, text in enumerate(texts)
            )
            rows += f"<fieldset><legend>{label}</legend>\n{choices}\n</fieldset>\n"
        else:
            rows += (
                f'<label><span>{label}</span> <input type="range" min="0" max="{len(texts) - 1}" '
                f'value="{place}" autocomplete="off" aria-valuetext="{texts[place]}" '
                f"data-values='{json.dumps(texts, ensure_ascii=False)}'> "
                f"<output>{texts[place]}</output></label>\n"
            )
    play, reset = _both(own("播放 · Play")), _both(own("复位 · Reset"))
    buttons = [f'<button type="button" class="reset">{reset}</button>']
    if 'type="range"' in rows:
        buttons.insert(0, f'<button type="button" class="play">{play}</button>')
    return f"{rows}<p>{' '.join(buttons)}</p>\n"
