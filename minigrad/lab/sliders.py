"""``slider``: an interactive figure that needs no kernel on the page and recomputes in Jupyter.

One display message carries two forms of the same thing:

- ``text/html``, for the page: every frame is drawn when the cell runs and stored in the HTML, and a
  range input picks the one to show. Nothing else is needed, so it works from disk, with mouse,
  touch and keyboard, and shows its starting frame without JavaScript.
- the ipywidgets mime type, for a live Jupyter, where moving the knob calls ``draw`` again.

The executor stores the first only. Frames share most pixels (axes, level lines), so what most of
them show is stored once and each adds what differs: 24 trajectories on a surface take 120 kB, as
whole frames 290 kB (as PNG 380 kB).

The script is inline because the stored HTML must work alone. It is one constant, :data:`SCRIPT`,
that listens on the document and may be loaded once for many figures: a build that wants a strict
Content-Security-Policy removes ``figure.slider > script`` and serves the constant as a file.
"""

import base64
import hashlib
import html
import io
import itertools
import json
import re

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image, ImageFilter

from . import style

MAX_FRAMES = 64  # more is too heavy for a page
MARGIN = 3  # stored pixels; more than a browser mixes into one when it halves the picture

# Listens on the document, so that one copy serves every slider of a page, present or to come.
SCRIPT = """\
if (!window.bookSlider) {
  window.bookSlider = true;
  document.addEventListener("input", event => {
    const figure = event.target.closest("figure.slider");
    if (!figure) return;
    let frame = 0;
    for (const input of figure.querySelectorAll("input")) {
      const value = JSON.parse(input.dataset.values)[input.value];
      input.setAttribute("aria-valuetext", value);
      input.parentNode.querySelector("output").value = value;
      frame = frame * (+input.max + 1) + +input.value;
    }
    figure.querySelectorAll("g > image").forEach((image, i) =>
      image.setAttribute("display", i === frame ? "inline" : "none"));
  });
}
"""

_GREEK = dict(zip(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi "
    "omega".split(), "αβγδεζηθκλμνξρστφχψω"))  # fmt: skip


def slider(draw, alt, *, start=None, labels=None, **params):
    """Show ``draw`` for every value of one or two parameters, with a knob for each.

    Args:
        draw: called as ``draw(**values)``; makes a matplotlib figure (and may return it). It must
            fix its axes' limits, so that frames differ only where the idea does.
        alt: ``{"zh": …, "en": …}``, what the figure shows and what moving the knob changes.
        start: values to begin with, ``{"beta": 0.9}``; default the first of each.
        labels: names of the knobs where the default, the parameter's name with Greek letters and
            subscripts (``beta1`` → β₁; a final ``_`` is dropped), will not do: a symbol, or
            ``{"zh": …, "en": …}``.
        **params: the values of each parameter: numbers or short strings, at most 64 combinations.
            ``lambda_`` stands for λ.

    Example::

        slider(draw, alt={"zh": "…", "en": "…"}, beta=[0, 0.5, 0.9], start={"beta": 0.9})
    """
    if set(alt) != {"zh", "en"} or not all(text.strip() for text in alt.values()):
        raise ValueError(f'slider: alt must be {{"zh": …, "en": …}} with text in both, got {alt!r}')
    if not 1 <= len(params) <= 2:
        raise ValueError(f"slider: needs one or two parameters, got {len(params)}: {list(params)}")
    for name, given in params.items():
        params[name] = list(given)
        if len(set(map(_text, params[name]))) < max(2, len(params[name])):
            raise ValueError(f"slider: {name} needs two or more different values, got {given!r}")
    combinations = list(itertools.product(*params.values()))
    if len(combinations) > MAX_FRAMES:
        raise ValueError(f"slider: {len(combinations)} frames, at most {MAX_FRAMES} fit a page")
    start = {name: values[0] for name, values in params.items()} | (start or {})
    for name, value in start.items():
        if value not in params.get(name, []):
            raise ValueError(f"slider: start {name}={value!r} is not one of {params.get(name)}")
    labels = {name: _label(name) for name in params} | (labels or {})

    frames = [_frame(draw, dict(zip(params, values))) for values in combinations]
    first = combinations.index(tuple(start[name] for name in params))
    live = _live(draw, params, start, labels, alt)
    display({
        "text/html": _html(frames, first, params, start, labels, alt),
        "text/plain": "slider: " + ", ".join(params),
        **{kind: data for kind, data in live._repr_mimebundle_().items() if "widget" in kind},
    }, raw=True)  # fmt: skip


def _text(value):
    """A value as the page shows it: numbers short, a true minus sign."""
    if isinstance(value, (bool, str)):
        return str(value)
    return f"{value:.6g}".replace("-", "−")


def _label(name):
    """``beta1`` → β₁, ``lambda_`` → λ, ``lr`` → lr."""
    letters, digits = re.fullmatch(r"(.*?)(\d*)_?", name).groups()
    subscript = digits.translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
    return _GREEK.get(letters, letters) + subscript


def _figure(draw, values):
    """The figure that ``draw(**values)`` makes, whether or not it returns it."""
    made = draw(**values)
    figure = made if isinstance(made, Figure) else plt.gcf()
    if not figure.axes:
        plt.close(figure)
        raise ValueError(f"slider: draw(**{values}) made no figure")
    return figure


def _frame(draw, values):
    figure = _figure(draw, values)
    try:
        return style.render(figure)
    finally:
        plt.close(figure)  # or the inline backend would show it once more


def _overlays(frames):
    """Split images into what most share and what each adds, transparent elsewhere.

    Each adds a margin around what differs: a browser that scales the picture mixes neighbouring
    pixels, and without the margin curves of other frames would shine through the edges.
    """
    # One palette for all, or pixels that were equal would differ after quantising.
    strip = style.quantize(np.concatenate(frames), edges=32)
    colors = np.array(strip.getpalette(), np.uint8).reshape(-1, 3)
    frames = np.asarray(strip).reshape(len(frames), *frames[0].shape[:2])
    middle = len(frames) // 2
    shared = np.partition(frames, middle, axis=0)[middle]  # the value of the majority, if any
    overlays = []
    for frame in frames:
        differs = Image.fromarray(np.uint8(255) * (frame != shared))
        opaque = np.asarray(differs.filter(ImageFilter.MaxFilter(MARGIN * 2 + 1)))[..., None]
        overlays.append(np.concatenate([colors[frame] & opaque, opaque], axis=2))
    return colors[shared], overlays


def _data_uri(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True, quality=75)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _both(texts):
    """Text in both languages, of which the editions keep one; a plain symbol serves both."""
    if isinstance(texts, str):
        return html.escape(texts)
    return "".join(
        f'<span data-lang="{lang}" lang="{lang}">{html.escape(texts[lang])}</span>'
        for lang in ("zh", "en")
    )


def _html(frames, first, params, start, labels, alt):
    sizes = {frame.shape for frame in frames}
    if len(sizes) > 1:
        raise ValueError(f"slider: every frame must have the same size, got {sorted(sizes)}")
    height, width = (n // style.SCALE for n in frames[0].shape[:2])
    shared, overlays = _overlays(frames)
    place = f'width="{width}" height="{height}"'
    images = "\n".join(
        f'<image {place} display="{"inline" if i == first else "none"}" href="{_data_uri(frame)}"/>'
        for i, frame in enumerate(overlays)
    )
    knobs = []
    for name, values in params.items():
        texts, at = [_text(value) for value in values], values.index(start[name])
        knobs.append(
            f"<div><label><span>{_both(labels[name])}</span> "
            f'<input type="range" min="0" max="{len(texts) - 1}" step="1" value="{at}" '
            f'autocomplete="off" aria-valuetext="{html.escape(texts[at])}" '
            f'data-values="{html.escape(json.dumps(texts, ensure_ascii=False))}"> '
            f"<output>{html.escape(texts[at])}</output></label></div>"
        )
    # An id that depends on the content alone, so that it is the same in every run.
    key = "slider-" + hashlib.sha256(repr((alt, params)).encode()).hexdigest()[:8]
    return (
        f'<figure class="slider" id="{key}">\n<span id="{key}-alt" hidden>{_both(alt)}</span>\n'
        f'<svg viewBox="0 0 {width} {height}" width="100%" role="img" '
        f'aria-labelledby="{key}-alt">\n'
        f'<image {place} href="{_data_uri(shared)}"/>\n<g>\n{images}\n</g>\n</svg>\n'
        + "\n".join(knobs)
        + f"\n<script>\n{SCRIPT}</script>\n</figure>"
    )


def _live(draw, params, start, labels, alt):
    """The same figure as ipywidgets, which call ``draw`` whenever a knob moves."""
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%", "width": "640px"})
    knobs = {
        name: ipywidgets.SelectionSlider(
            options=[(_text(value), value) for value in values],
            value=start[name],
            description=label if isinstance(label, str) else " ".join(label.values()),
            continuous_update=False,
        )
        for (name, values), label in zip(params.items(), (labels[name] for name in params))
    }

    def redraw(change=None):
        figure = _figure(draw, {name: knob.value for name, knob in knobs.items()})
        picture.value = style.png(figure)
        plt.close(figure)

    for knob in knobs.values():
        knob.observe(redraw, "value")
    redraw()
    return ipywidgets.VBox([picture, *knobs.values()])
