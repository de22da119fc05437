"""Figures as vectors, and their words: what is drawn is what matplotlib draws, small, the same each
time, in both languages."""

import io
import json
import re
import xml.etree.ElementTree as ET

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from minigrad.lab import figures, lettering, plots, problems, shades, style
from press.cards import raster
from press.figures import in_edition, inline, pictures

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def svg_of(figure):
    return figures.picture(*figures.drawn(figure))


def labelled():
    figure, (left, right) = plt.subplots(1, 2)
    plots.paths(problems.ravine(20), {"adam": [[-4, 1], [0, 0]], "sgd": [[-4, 1], [1, 1]]}, left)
    right.semilogy(np.arange(1, 50), np.exp(-np.arange(1, 50) / 9), label="步 $t$ · step $t$")
    right.set(xlabel="学习率 $\\bar\\eta_t$ · learning rate $\\bar\\eta_t$", title="图 · a figure")
    right.legend()
    return figure


# -- Words


@pytest.mark.parametrize("tex, plain", [
    (r"$\bar\eta_{t+1}^2$", "η_t+1^2"), (r"$\mathdefault{10^{-3}}$", "10^−3"),
    (r"$\sqrt{ρ}$", "√ρ"), (r"$\log_{10} x \leq \ln x$", "log_10x ≤ ln x"),
    (r"$\mathrm{Re} z$", "Rez"), ("$f - f^\\star$", "f−f^⋆"), (r"$\hat{m}_t$", "m_t"),
    (r"a \$5 note", "a $5 note"), ("$‖W‖$, out", "‖W‖, out"), ("$e^{x_1}y$", "e^x_1y"),
])  # fmt: skip
def test_formulas(tex, plain):
    assert lettering.plain(tex) == plain


def test_scripts_are_raised_and_come_back():
    base, sup, sub, after = lettering.runs("$e^{x_1}y$")
    assert base.up == 0 < sub.up < sup.up and sub.scale <= sup.scale < 1 and after.up == 0
    shifts = [int(dy) for dy in re.findall(r'dy="(-?\d+)"', lettering.svg("$e^{x_1}y$", 16))]
    assert len(shifts) == 3 and sum(shifts) == 0


@pytest.mark.parametrize("tex, message", [
    (r"$\frac{a}{b}$", "frac"), (r"$\mathcal{L}$", "mathcal"), ("$x_{1$", "brace"),
])  # fmt: skip
def test_unknown_tex_is_an_error(tex, message):
    figure, axes = plt.subplots()
    axes.set_title(tex)
    with pytest.raises(ValueError, match=message):
        figures.bundle(figure)


def test_a_label_takes_the_room_of_its_wider_half():
    both = lettering.extent("很长很长的学习率 · rate", 10)
    assert both[0] == lettering.extent("很长很长的学习率", 10)[0] == 80
    assert lettering.extent("率 · a long learning rate", 10)[0] == lettering.extent(
        "a long learning rate", 10)[0]  # fmt: skip
    assert lettering.extent("率 $x^2$ · rate", 10)[1] > both[1]


# -- What is drawn


def agg(figure, size):
    """The figure as matplotlib draws it, its texts apart."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200)
    return Image.open(buffer).convert("RGB").resize(size)


def crowded():
    figure, axes = plt.subplots(2, 2, figsize=(6.4, 5), layout="none")
    t = np.linspace(0, 6, 300)
    axes[0, 0].plot(t, np.sin(t), linestyle=(0, (5, 2)), color=style.palette["red"])
    axes[0, 0].plot(t, 3 * np.cos(t), color="black")  # leaves the axes
    axes[0, 0].plot(t[::30], np.sin(t[::30]), "o", color="white", markeredgecolor="black")
    axes[0, 0].plot(t[::40], 0.3 * t[::40] - 1, "s", color=style.palette["blue"])
    axes[0, 0].set(ylim=(-1.2, 1.2))
    axes[0, 1].hist(t**2, 12, color=style.palette["green"], alpha=0.6)
    axes[0, 1].axvspan(10, 20, color="#F0F0F0")
    axes[1, 0].imshow(np.arange(12).reshape(3, 4), cmap="viridis", aspect="auto")
    axes[1, 1].fill_between(t, np.sin(t), 2 * np.sin(t), color=style.palette["sky"], alpha=0.4)
    axes[1, 1].annotate("", (4, 1), (1, -1), arrowprops={"arrowstyle": "-|>"})
    plots.contour(problems.rosenbrock(), axes[1, 1].inset_axes((0, 0, 0.3, 0.3)))
    for ax in figure.findobj(plt.Axes):
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    return figure


def test_it_is_what_matplotlib_draws():
    figure = crowded()
    ours = raster(svg_of(figure)).convert("RGB")
    theirs = agg(figure, ours.size)
    assert apart(ours, theirs) < 0.002, "but for the edges"
    figure = crowded()
    figure.axes[0].lines[0].set_color("black")  # would be noticed
    assert apart(ours, agg(figure, ours.size)) > 0.0025


def apart(one, two):
    """The share of pixels that differ clearly."""
    return (np.abs(np.asarray(one, int) - np.asarray(two, int)).max(axis=2) > 64).mean()


def test_a_picture_is_small_and_well_formed():
    svg = svg_of(labelled())
    root = ET.fromstring(svg)
    assert root.get("viewBox") == "0 0 6400 3600"
    assert len(svg) < 12_000
    texts = [("".join(e.itertext()), e.get("data-lang"), e.get("display")) for e in root.iter(SVG + "text")]
    assert ("学习率 η\u0304t", "zh", "none") in texts and ("learning rate η\u0304t", "en", None) in texts
    assert ("Adam", None, None) in texts


def test_nothing_is_drawn_far_away():
    figure, axes = plt.subplots()
    axes.plot([0, 1, 2, 3], [0, 1e30, np.nan, -1e30])
    axes.plot([0, 1], [0, np.inf], ".")
    axes.set(ylim=(0, 1))
    numbers = [int(n) for d in re.findall(' d="(.*?)"', svg_of(figure)) for n in re.findall(r"-?\d+", d)]
    assert max(map(abs, numbers)) < 10 * figures.FAR


def test_twice_the_same_bytes_and_the_figure_is_left_alone():
    figure = labelled()
    first = figures.bundle(figure)
    assert figures.bundle(figure) == first
    assert tuple(figure.get_size_inches()) == (6.4, 3.6)
    assert figures.bundle(labelled()) == first


def test_on_a_phone_axes_are_stacked_and_legends_stand_above():
    copy = figures.phone(labelled())
    marks, (width, height) = figures.drawn(copy)
    assert width == 400 and height > 360
    one, two = (ax.get_window_extent() for ax in copy.axes)
    assert one.y0 > two.y1 and one.width > 280
    for ax in copy.axes:
        legend = ax.get_legend().get_window_extent()
        assert legend.y0 >= ax.get_window_extent().y1 - 1
        assert legend.x1 <= width + 1
    title = copy.axes[1].title.get_window_extent()
    assert title.y0 >= copy.axes[1].get_legend().get_window_extent().y1 - 4
    smallest = min(mark.size for mark in marks if mark.kind == "text")
    assert smallest * 328 / 400 >= 9.5, "pixels on a screen of 360"


def test_what_cannot_be_drawn_is_said():
    figure, axes = plt.subplots()
    axes.bar([0], [1], hatch="/")
    with pytest.raises(ValueError, match="hatch"):
        svg_of(figure)
    figure, axes = plt.subplots()
    axes.plot([0, 1])[0].set_clip_path(matplotlib.patches.Circle((0, 0), 1, transform=axes.transData))
    with pytest.raises(ValueError, match="rectangles"):
        svg_of(figure)


# -- Fewer points


def distances(points, line):
    a, b = line[:-1], line[1:]
    chord = b - a
    along = np.einsum("nij,ij->ni", points[:, None] - a, chord) / np.maximum((chord**2).sum(1), 1e-9)
    nearest = a + np.clip(along, 0, 1)[..., None] * chord
    return np.sqrt(((points[:, None] - nearest) ** 2).sum(2)).min(1)


@pytest.mark.parametrize("seed", range(5))
def test_a_line_moves_by_less_than_a_quarter_of_a_pixel(seed):
    rng = np.random.default_rng(seed)
    frames = np.cumsum(rng.normal(0, 3, (3, 200, 2)), axis=1)
    keep = figures.needed(frames)
    assert 2 < keep.sum() < 200 and keep[0] and keep[-1]
    for points in frames:
        assert distances(points, points[keep]).max() <= figures.CLOSE


def test_a_ring_keeps_its_shape():
    turn = np.linspace(0, 2 * np.pi, 400)
    ring = np.rint(1000 * np.stack([np.cos(turn), np.sin(turn)], axis=1)).astype(int)
    codes, at = figures.simplified("M" + "L" * 399 + "Z", ring.reshape(1, -1))
    assert codes[0] == "M" and codes[-1] == "Z" and 20 < len(codes) < 120
    assert distances(ring, at.reshape(-1, 2)).max() <= figures.CLOSE + 1


def walked(d):
    """The points that a path of relative commands passes."""
    here, start, points, last = np.zeros(2, int), np.zeros(2, int), [], "m"
    for letter, numbers in re.findall(r"([a-z])([^a-z]*)", d):
        values = [int(n) for n in re.findall(r"-?\d+", numbers)]
        if letter == "z":
            here = start.copy()
        elif letter == "h":
            here = here + [values[0], 0]
        else:
            length = {"m": 1, "l": 1, "q": 2, "c": 3}[letter]
            for i in range(0, len(values), 2 * length):
                block = here + np.array(values[i : i + 2 * length]).reshape(-1, 2)
                points += block.tolist()
                here = block[-1]
                if letter == "m":
                    start = here
        last = letter
    assert last
    return points


@pytest.mark.parametrize("text, bar", [
    (r"$\sqrt{x}$", False), (r"$\sqrt\eta$", False), (r"$\sqrt{\hat v_t}$", False), (r"$\sqrt{s_{t+1}^2}$", False),
    (r"$\sqrt{ab}$", True), (r"$\sqrt{v+\epsilon}$", True), (r"$\sqrt{2t}$", True), (r"$\sqrt{-x}$", True),
    (r"$\bar\eta_t$", False), (r"$\overline{xy}$", True),
])  # fmt: skip
def test_a_bar_is_drawn_over_more_than_a_letter(text, bar):
    """A letter has an accent, and its root no bar: fonts place bars too high."""
    assert ("overline" in lettering.svg(text, 16)) == bar


@pytest.mark.parametrize("codes", ["MLLLZMLL", "MQLCZ", "DDD", "MLLMLL", "MCCC"])
def test_paths_are_written_as_they_are(codes):
    rng = np.random.default_rng(0)
    at = rng.integers(-900, 900, (sum(figures.POINTS[code] for code in codes), 2))
    assert walked(figures.path_data(codes, at)) == at.tolist()


# -- Colours


def test_lines_are_seen_on_light_and_on_dark_paper():
    """At least 3:1 (WCAG 2.1, 1.4.11); the grid stays as faint as it was."""
    for name, shade in style.palette.items():
        assert shades.contrast(shade, shades.LIGHT) >= 3, name
        assert shades.contrast(shades.dark(shade.lower()), shades.DARK) >= 3, name
    assert shades.contrast(shades.dark(style.muted.lower()), shades.DARK) >= 2.9
    assert shades.contrast(shades.dark("#e4e4e4"), shades.DARK) < 1.4
    assert shades.dark("#ffffff") == "var(--paper)"


def test_a_scale_of_colours_keeps_its_order_in_the_dark():
    """The lighter on white, the darker on black, with no step in between."""
    scale = [matplotlib.colors.to_hex(matplotlib.colormaps["viridis"](x)) for x in np.linspace(0, 1, 50)]
    light, dark = ([shades.contrast(to(shade), "#000000") for shade in scale] for to in (str, shades.dark))
    assert np.all(np.diff(light) > 0) and np.all(np.diff(dark) < 0)
    assert np.abs(np.diff(np.log(dark))).max() < 0.15


def test_letters_of_any_colour_can_be_read():
    """At least 4.5:1 (WCAG 2.1, 1.4.3) on either paper; what is legible, and white, is left alone."""
    figure, axes = plt.subplots()
    colours = [*style.palette.values(), style.muted, "#d09080", "#e4e4e4", "#777777"]
    for row, colour in enumerate(colours):
        axes.text(0, row, f"text{row}", color=colour)
    axes.text(0, -1, "white", color="white")
    axes.set(ylim=(-2, len(colours)))
    svg = svg_of(figure)
    looks = re.findall(r'<text [^>]*fill="(\S+)" style="--f:([^"]+)"[^>]*>text(\d+)</text>', svg)
    assert len(looks) == len(colours)
    for light, dark, row in looks:
        assert shades.contrast(light, shades.LIGHT) >= 4.5, colours[int(row)]
        assert shades.contrast(dark, shades.DARK) >= 4.5, colours[int(row)]
        wanted = colours[int(row)].lower()
        assert light == wanted or shades.contrast(wanted, shades.LIGHT) < 4.5
    assert re.search(r'fill="#ffffff" style="--f:var\(--paper\)"[^>]*>white</text>', svg)


def test_every_colour_has_its_dark_twin():
    for attributes in re.findall(r"<(?:path|text)( [^>]*?)(?: d=[^>]*)?>", svg_of(crowded())):
        for what in ("fill", "stroke"):
            shade = re.search(rf' {what}="#(\w+)"', attributes)
            assert bool(shade) == (f"--{what[0]}:" in attributes)
        assert attributes.count("style=") <= 1


def test_what_is_written_on_an_image_stays_as_it_is():
    figure, axes = plt.subplots()
    axes.imshow([[1, 2], [3, 4]])
    axes.text(0, 0, "on")
    axes.text(-5, 0, "off", clip_on=False)
    axes.set(xlim=(-1, 2))
    looks = dict(re.findall(r'<text [^>]*fill="(\S+)"[^>]*>(on|off)</text>', svg_of(figure)))
    assert looks == {"#000000": "on", "currentColor": "off"}


def test_lines_of_a_text_stand_where_they_are_aligned():
    figure, axes = plt.subplots()
    axes.text(0.5, 0.5, "in the\nmiddle", ha="center")
    axes.text(0.2, 0.2, "at the\nleft")
    svg = svg_of(figure)
    (first, second), (third, fourth) = (
        [int(re.search(rf'x="(\d+)"[^>]*>{line}</text>', svg)[1]) for line in lines]
        for lines in (("in the", "middle"), ("at the", "left"))
    )
    assert first == second and third == fourth
    assert svg.count('text-anchor="middle" font-size="167">in the') == 1


# -- In Jupyter and in the book


def test_the_bundle_is_an_image_and_its_words():
    bundle = figures.bundle(labelled())
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"].splitlines()[0] == "figure"
    assert {"θ_1", "学习率 η_t · learning rate η_t", "图 · a figure"} <= set(bundle["text/plain"].splitlines())
    wide, narrow = pictures(bundle["text/html"])
    assert 'width="640"' in wide and 'width="400"' in narrow
    assert figures.bundle(plt.figure()) == {}


@pytest.mark.parametrize("language, mine, other", [("zh", "学习率", "learning"), ("en", "learning", "学习率")])
def test_an_edition_keeps_its_labels_and_says_what_it_sees(language, mine, other):
    shown = figures.bundle(labelled())["text/html"]
    kept = in_edition(shown, language, "α < β", "a “caption” & more")
    for svg in pictures(kept):
        ET.fromstring(svg)
        assert mine in svg and other not in svg and "display" not in svg and "data-lang" not in svg
    page = inline(kept)
    assert "<img" not in page and page.count("<svg class=") == 2
    assert page.count('aria-label="α &lt; β"') == 2 and "xmlns" not in page and "font-family" not in page
    assert "<figcaption>a “caption” &amp; more</figcaption>" in page
    assert json.dumps(page)
