"""Figures as vector pictures with real text: what Jupyter shows, and what the book prints.

A matplotlib figure is drawn on a :class:`Pen`, which records marks (paths, texts, images) in whole
tenths of a CSS pixel, and the marks are written as a small SVG: levels of a surface are simplified
to a quarter of a pixel, grid lines are one path, dots are points with a round pen. The picture is
drawn twice, 640 pixels wide for a column of text and 400 for a phone (:func:`_phone`), and shown as
an image, which every notebook viewer accepts; the book writes it into the page, where its text can
be selected and takes the page's font.

Labels are in both languages, ``中文 · English`` (:mod:`minigrad.lab.words`); each edition keeps its
own, and a plain notebook shows the English ones. Every colour has a dark twin, of the same hue and
of opposite lightness, as the CSS variable ``--f`` (fill) or ``--s`` (stroke) beside it.

Beside the picture stand its words and numbers as text, for those who compare two runs.
"""

import base64
import html
import io
import pickle
import re
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from matplotlib.backend_bases import FigureCanvasBase, RendererBase
from matplotlib.gridspec import GridSpec
from matplotlib.offsetbox import VPacker
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, blended_transform_factory
from PIL import Image

from . import lettering, shades
from .lettering import UNIT
from .words import half

PHONE = 4.0  # inches: 400 pixels, of which a phone of 360 shows 328
NARROW = "(max-width: 34rem)"  # pages narrower than this show the phone's layout
FAR = 4000 * UNIT  # farther away nothing is drawn
CLOSE = 0.15 * UNIT  # a point of a line that is closer to the line without it is left out
FONTS = "system-ui,'Noto Sans','PingFang SC','Microsoft YaHei','DejaVu Sans',sans-serif"


@dataclass
class Mark:
    """A path, text or image: what it is called, how it looks, where it is.

    ``codes`` has a letter for each piece of a path: M, L, Q, C, Z, or D for a dot.
    """

    key: tuple
    kind: str
    look: str
    at: np.ndarray
    codes: str = ""
    clip: tuple | None = None  # x, y, width, height
    words: str = ""  # of a text: in both languages; of an image: its address
    angle: float = 0.0
    size: float = 0.0
    rigid: bool = False  # a marker or the box of a text: moved, and never stretched


# --- The pen --------------------------------------------------------------------------------------


class Pen(RendererBase):
    """The matplotlib renderer that records marks."""

    def __init__(self, width, height, dpi):
        super().__init__()
        self.width, self.height, self.dpi = width, height, dpi
        self.marks, self._path, self._counts, self._images = [], [], [{}], []
        self._flip = Affine2D().scale(1, -1).translate(0, height).scale(UNIT)

    def get_canvas_width_height(self):
        return self.width, self.height

    def points_to_pixels(self, points):
        return points * self.dpi / 72

    def option_scale_image(self):
        return True

    def get_text_width_height_descent(self, s, prop, ismath):
        return lettering.extent(s, self.points_to_pixels(prop.get_size_in_points()))

    # A mark is called by the groups of matplotlib that it is in, each with its number, so that the
    # same thing has the same name in every frame of a slider.
    def open_group(self, s, gid=None):
        number = self._counts[-1][s] = self._counts[-1].get(s, -1) + 1
        self._path.append(gid or f"{s}{number}")
        self._counts.append({})

    def close_group(self, s):
        self._path.pop()
        self._counts.pop()

    def _add(self, gc, kind, look, at, **more):
        number = self._counts[-1][""] = self._counts[-1].get("", -1) + 1
        clip, (path, _) = gc.get_clip_rectangle(), gc.get_clip_path()
        if path is not None:
            raise ValueError("figure: things can be clipped to rectangles only")
        if clip is not None:
            left, bottom, right, top = clip.extents
            clip = (left, self.height - top, right - left, top - bottom)
            clip = tuple(int(round(value * UNIT)) for value in clip)
        at = np.rint(np.asarray(at)).astype(int).ravel()
        self.marks.append(Mark((*self._path, number), kind, look, at, clip=clip, **more))

    def draw_path(self, gc, path, transform, rgbFace=None):
        if gc.get_hatch():
            raise ValueError("figure: hatches are not drawn; use colours")
        look = _look(gc, rgbFace, self.points_to_pixels)
        codes, at = self._trace(path, transform + self._flip)
        if look and codes:
            rigid = any(re.match(r"text|\w+ lines ", part) for part in self._path)
            self._add(gc, "path", look, at, codes=codes, rigid=rigid)

    def draw_markers(self, gc, marker_path, marker_trans, path, trans, rgbFace=None):
        _, points = self._trace(path, trans + self._flip)
        if not len(points):
            return
        if marker_path.codes is not None and np.sum(marker_path.codes == Path.CURVE4) >= 24:
            diameter = marker_path.get_extents(marker_trans).width
            for look in _dots(gc, rgbFace, diameter, self.points_to_pixels):
                self._add(gc, "path", look, points, codes="D" * len(points))
            return
        codes, shape = self._trace(marker_path, marker_trans + Affine2D().scale(1, -1).scale(UNIT))
        if look := _look(gc, rgbFace, self.points_to_pixels):
            at = np.rint(points)[:, None] + shape.reshape(-1, 2)
            self._add(gc, "path", look, at, codes=codes * len(points), rigid=True)

    def _trace(self, path, transform):
        """The codes and coordinates of a path; what leads far away is cut off there."""
        clean = path.cleaned(transform, remove_nans=True, simplify=False, curves=True)
        known = (clean.codes != Path.STOP) & (clean.codes != 0)
        points, codes = np.nan_to_num(clean.vertices[known]), clean.codes[known]
        for i in np.flatnonzero(np.abs(points).max(axis=1, initial=0) > FAR):
            if i and codes[i] == Path.LINETO:
                step = points[i] - points[i - 1]
                points[i] = points[i - 1] + step * min(1, FAR / np.abs(step).max())
        letters = np.full(80, "", "U1")
        letters[[1, 2, 3, 4, 79]] = list("MLQCZ")
        names = letters[codes]
        for code, length in ((Path.CURVE3, 2), (Path.CURVE4, 3)):
            where = np.flatnonzero(codes == code)
            names[np.delete(where, np.s_[::length])] = ""  # said once for all its points
        points = points[codes != Path.CLOSEPOLY]
        return "".join(names), np.clip(points, -2 * FAR, 2 * FAR)

    def draw_image(self, gc, x, y, im, transform=None):
        # Where the corner of the first entry is, and the corner opposite.
        if transform is None:
            first, last = (x, y), (x + im.shape[1], y + im.shape[0])
        else:
            first, last = transform.transform([[0, 0], [1, 1]]) + [x, y]
        if first[1] < last[1]:  # the first row is the lowest, as in no PNG
            im = np.flipud(im)
        if first[0] > last[0]:
            im = np.fliplr(im)
        (left, bottom), (right, top) = np.minimum(first, last), np.maximum(first, last)
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(im)).save(buffer, "PNG", optimize=True)
        data = base64.b64encode(buffer.getvalue()).decode()
        place = np.array([left, self.height - top, right - left, top - bottom]) * UNIT
        alpha = gc.get_alpha() if transform is not None else None
        if alpha is None or alpha == 1:
            self._images.append((left, bottom, right, top))
        look = f' opacity="{alpha:.2g}"' if alpha is not None and alpha < 1 else ""
        self._add(gc, "image", look, place, words=f"data:image/png;base64,{data}")

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        size = self.points_to_pixels(prop.get_size_in_points())
        width, *_ = self.get_text_width_height_descent(s, prop, ismath)
        anchor = _anchor(mtext, angle) if mtext else self._path[-1].split(" lines ")[0]
        along = {"left": 0, "center": width / 2, "right": width}[anchor]
        turn = np.deg2rad(angle)
        at = np.array([x + along * np.cos(turn), y - along * np.sin(turn)]) * UNIT
        # An image looks the same in the dark theme, so what is written on it must too.
        on_image = any(l <= x <= r and b <= self.height - y <= t for l, b, r, t in self._images)
        look = _paint("fill", gc.get_rgb(), gc.get_alpha(), fixed=on_image, letters=True)
        if anchor != "left":
            look += f' text-anchor="{"middle" if anchor == "center" else "end"}"'
        if prop.get_weight() in ("bold", "semibold", 600, 700):
            look += ' font-weight="600"'
        self._add(gc, "text", look, at, words=s, angle=float(angle), size=size)


def _anchor(text, angle):
    """Which end of a text stays where it is when the page's font is narrower than expected."""
    if angle == 0 or text.get_rotation_mode() == "anchor":
        return text.get_horizontalalignment() if angle else text._get_multialignment()
    if angle == 90:
        return {"top": "right", "bottom": "left"}.get(text.get_verticalalignment(), "center")
    return "center"


# --- Looks, as attributes of SVG ------------------------------------------------------------------


def _paint(what, rgba, alpha=None, fixed=False, letters=False):
    """``fill`` or ``stroke`` in a colour; black is the ink of whatever shows the figure.

    A ``fixed`` colour is the same in the dark theme. The colour of ``letters`` is made one that can
    be read; white ones stand on a colour of their own.
    """
    shade = "#" + "".join(f"{round(value * 255):02x}" for value in rgba[:3])
    alpha = alpha if alpha is not None else rgba[3] if len(rgba) > 3 else 1
    if fixed:
        look = f' {what}="{shade}"'
    elif shade == "#000000":
        look = f' {what}="currentColor"'
    else:
        twin = shades.dark(shade)
        if letters and shade != shades.LIGHT:
            shade = shades.legible(shade, shades.LIGHT)
            twin = shades.legible(twin, shades.DARK)
        look = f' {what}="{shade}" style="--{what[0]}:{twin}"'
    return look + (f' {what}-opacity="{alpha:.2g}"' if alpha < 1 else "")


def _look(gc, face, pixels):
    """The attributes of a path; empty if nothing of it is seen."""
    alpha = gc.get_alpha() if gc.get_forced_alpha() else None
    look, edge, width = "", gc.get_rgb(), pixels(gc.get_linewidth())
    if face is not None and (len(face) < 4 or face[3] > 0):
        look += _paint("fill", face, alpha)
    if width > 0 and (len(edge) < 4 or edge[3] > 0):
        look += _paint("stroke", edge, alpha) + f' stroke-width="{round(width * UNIT)}"'
        _, dashes = gc.get_dashes()
        if dashes is not None:
            lengths = " ".join(str(round(pixels(length) * UNIT)) for length in dashes)
            look += f' stroke-dasharray="{lengths}"'
    return re.sub(r' style="(.*?)"(.*) style="(.*?)"', r'\2 style="\1;\3"', look)


def _dots(gc, face, diameter, pixels):
    """The looks that make a round marker of points drawn with a round pen: its rim, its inside."""
    alpha = gc.get_alpha() if gc.get_forced_alpha() else None
    edge, width = gc.get_rgb(), pixels(gc.get_linewidth())
    rim = width > 0 and (len(edge) < 4 or edge[3] > 0)
    inside = face is not None and (len(face) < 4 or face[3] > 0)
    pen = ' stroke-width="{}" stroke-linecap="round"'
    if rim:
        yield _paint("stroke", edge, alpha) + pen.format(round((diameter + width) * UNIT))
    if inside and not (rim and tuple(edge[:3]) == tuple(face[:3])):
        across = diameter - width if rim else diameter
        yield _paint("stroke", face, alpha) + pen.format(round(across * UNIT))


# --- Fewer marks, fewer points --------------------------------------------------------------------


def tidy(marks):
    """Join grid lines, ticks and bars that look the same."""
    kept, place = [], {}
    for mark in marks:
        name = str(mark.key[-2])
        group = None
        if mark.kind == "path":
            axis = [i for i, part in enumerate(mark.key) if str(part).startswith("matplotlib.axis")]
            if axis:
                group = mark.key[: axis[0] + 1], mark.look, mark.clip
            elif name.startswith("patch") and mark.codes == "MLLLZ":
                before = kept[-1] if kept else mark
                same = before.look == mark.look and before.key[:-2] == mark.key[:-2]
                number = len(kept) - 1 if same and before.kind == "path" else len(kept)
                group = number, mark.look, mark.clip
        if group in place:
            before = kept[place[group]]
            kept[place[group]] = replace(
                before, codes=before.codes + mark.codes, at=np.concatenate([before.at, mark.at])
            )
        else:
            if group is not None:
                place[group] = len(kept)
            kept.append(mark)
    return kept


def needed(points, tolerance=CLOSE):
    """Which points of a line are needed (Douglas and Peucker).

    Args:
        points: of shape (frames, n, 2). A point is needed if leaving it out would move the line of
            any frame by more than ``tolerance``.
    """
    points = points.astype(float)
    keep = np.zeros(points.shape[1], bool)
    keep[[0, -1]] = True
    away = ((points - points[:, :1]) ** 2).sum(axis=2).max(axis=0)
    middle = int(away.argmax())  # not the end only: a ring ends where it begins
    keep[middle] = True
    todo = [(0, middle), (middle, len(keep) - 1)]
    while todo:
        first, last = todo.pop()
        if last - first < 2:
            continue
        chord = (points[:, last] - points[:, first])[:, None]
        offset = points[:, first + 1 : last] - points[:, first, None]
        length = np.maximum((chord**2).sum(axis=2), 1e-9)
        along = np.clip((offset * chord).sum(axis=2) / length, 0, 1)
        distance = ((offset - along[..., None] * chord) ** 2).sum(axis=2).max(axis=0)
        worst = int(distance.argmax())
        if distance[worst] > tolerance**2:
            middle = first + 1 + worst
            keep[middle] = True
            todo += [(first, middle), (middle, last)]
    return keep


def simplified(codes, at):
    """A path in all its frames, ``at`` of shape (frames, coordinates), with the points it needs."""
    if set(codes) - set("MLZ") or "LL" not in codes:
        return codes, at
    points, out, kept, begin = at.reshape(len(at), -1, 2), "", [], 0
    for part in re.findall("M[^M]*", codes):
        length = len(part.rstrip("Z"))
        keep = needed(points[:, begin : begin + length]) if length > 2 else np.ones(length, bool)
        number = int(keep.sum())
        if part.endswith("Z") and length > 4 > number:
            keep[:], number = False, 0  # a ring too small to see
        if number:
            out += "M" + "L" * (number - 1) + "Z" * part.endswith("Z")
        kept.append(keep)
        begin += length
    return out, points[:, np.concatenate(kept)].reshape(len(at), -1)


# --- SVG ------------------------------------------------------------------------------------------

POINTS = {"M": 1, "D": 1, "L": 1, "Q": 2, "C": 3, "Z": 0}


def path_data(codes, at):
    """The ``d`` of a path, in relative coordinates.

    >>> path_data("MLLZD", [10, 10, 30, 10, 10, -5, 2, 2])
    'm10 10l20 0-20-15zm-8-8h0'
    """
    out, last, at = [], "", np.asarray(at).reshape(-1, 2).tolist()
    here = start = (0, 0)
    i = 0
    for code in codes:
        letter = "m" if code == "D" else code.lower()
        numbers = "".join(
            f"{' ' if value >= 0 else ''}{value}"
            for x, y in at[i : i + POINTS[code]] for value in (x - here[0], y - here[1])
        )  # fmt: skip
        out.append(numbers if letter == last and letter in "lqc" else letter + numbers.lstrip())
        i += POINTS[code]
        if code == "Z":
            here = start
        else:
            here = at[i - 1]
        if code in "MD":
            start = here
        if code == "D":
            out.append("h0")
        last = letter
    return "".join(out)


def write(mark, name=""):
    """A mark as SVG; ``name`` is an attribute to find it by. A text is written once a language."""
    if mark.kind == "path":
        return f'<path{name}{mark.look} d="{path_data(mark.codes, mark.at)}"/>'
    if mark.kind == "image":
        x, y, width, height = mark.at.tolist()
        return (
            f'<image{name}{mark.look} x="{x}" y="{y}" width="{width}" height="{height}" '
            f'preserveAspectRatio="none" image-rendering="pixelated" href="{mark.words}"/>'
        )
    x, y = mark.at.tolist()
    place = f' x="{x}" y="{y}"'
    if mark.angle:
        place = f' transform="translate({x} {y})rotate({-mark.angle:g})"'
    look = f'{place}{mark.look} font-size="{round(mark.size * UNIT)}"'
    zh, en = (half(mark.words, language) for language in ("zh", "en"))
    if zh == en:
        return f"<text{name}{look}>{lettering.svg(en, mark.size)}</text>"
    return (  # a picture by itself shows the English ones; an edition keeps its own
        f'<text{name}{look} data-lang="zh" display="none">{lettering.svg(zh, mark.size)}</text>'
        f'<text{name}{look} data-lang="en">{lettering.svg(en, mark.size)}</text>'
    )


def sticks_out(mark):
    """Whether a mark leaves the box that it is clipped to."""
    if mark.clip is None or mark.kind != "path" or not len(mark.at):
        return False
    at, corner, margin = mark.at.reshape(-1, 2), np.array(mark.clip[:2]), 1.5 * UNIT
    low, high = at.min(axis=0) - corner, at.max(axis=0) - corner - mark.clip[2:]
    return bool(np.any(low < -margin) or np.any(high > margin))


def plain(mark):
    """A mark that stays as it is, with the points and the clip that it needs; None if too small."""
    if mark.kind == "path":
        codes, at = simplified(mark.codes, mark.at[None])
        if not codes:
            return None
        mark = replace(mark, codes=codes, at=at[0])
    return mark if sticks_out(mark) else replace(mark, clip=None)


def document(written, size):
    """A whole SVG of ``(SVG of a mark, clip or None)``; neighbours with one clip share a box.

    The box is an ``svg`` inside, which clips without an id that the page would have to keep unique.
    """
    body = ""
    for clip, group in groupby(written, key=lambda pair: pair[1]):
        inner = "".join(svg for svg, _ in group)
        if clip is not None:
            x, y, width, height = clip
            inner = (
                f'<svg x="{x}" y="{y}" width="{width}" height="{height}" '
                f'viewBox="{x} {y} {width} {height}">{inner}</svg>'
            )
        body += inner
    width, height = size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width * UNIT} {height * UNIT}" '
        f'width="{width}" height="{height}" fill="none" color="#1f2328" stroke-linejoin="round" '
        f'font-family="{FONTS}" style="background:#fff">{body}</svg>'
    )


def picture(marks, size):
    """The SVG of a figure's marks, in both languages."""
    needed_marks = filter(None, map(plain, marks))
    return document([(write(mark), mark.clip) for mark in needed_marks], size)


# --- A figure -------------------------------------------------------------------------------------


class _Canvas(FigureCanvasBase):
    def get_renderer(self):
        width, height = self.figure.get_size_inches() * self.figure.dpi
        return Pen(width, height, self.figure.dpi)


def drawn(figure):
    """The marks of a figure, and its width and height in pixels; its white grounds are left out."""
    before, grounds = figure.canvas, [figure.patch, *(ax.patch for ax in figure.axes)]
    white = [one for one in grounds if one.get_visible() and one.get_facecolor() == (1, 1, 1, 1)]
    for ground in white:
        ground.set_visible(False)
    # Of a text of several lines matplotlib does not tell the renderer how they are aligned.
    blocks = [t for t in lettering.texts(figure) if "\n" in t.get_text() and not t.get_gid()]
    for i, block in enumerate(blocks):
        block.set_gid(f"{block._get_multialignment()} lines {i}")
    try:
        pen = _Canvas(figure).get_renderer()
        figure.draw(pen)
        return tidy(pen.marks), (round(pen.width), round(pen.height))
    finally:
        figure.set_canvas(before)
        for ground in white:
            ground.set_visible(True)
        for block in blocks:
            block.set_gid(None)


def phone(figure):
    """A copy of ``figure`` as a phone shows it: axes below each other, legends above them."""
    before = figure.canvas
    try:
        _Canvas(figure)  # without its window, which a copy would open again
        figure = pickle.loads(pickle.dumps(figure))
    finally:
        figure.set_canvas(before)
    _narrow(figure)
    return figure


def _narrow(figure):
    width, height = figure.get_size_inches()
    axes = [ax for ax in figure.axes if ax.get_subplotspec() is not None]
    grid = axes[0].get_gridspec() if axes else None
    if grid is not None and grid.ncols > 1:
        column = GridSpec(len(axes), 1, figure=figure)
        for i, ax in enumerate(axes):
            ax.set_subplotspec(column[i])
            ax.tick_params(labelleft=True)
        height *= 0.78 * len(axes) / grid.nrows
    else:
        height = max(2.6, 0.85 * height)
    legends = [ax.get_legend() for ax in figure.axes if ax.get_legend()] + figure.legends
    figure.set_size_inches(PHONE, height)
    pen = _Canvas(figure).get_renderer()
    height += sum(_spread(legend, pen) for legend in legends)
    figure.set_size_inches(PHONE, height)
    with pen._draw_disabled():  # it is only laid out
        figure.draw(pen)
    for ax in axes:
        _turn_labels(ax, pen)


def _spread(legend, pen):
    """Put a legend above its axes, in as many columns as there is room for; how high it is then."""
    entries = [entry for column in legend._legend_handle_box.get_children()
               for entry in column.get_children()]  # fmt: skip
    for columns in range(min(len(entries), 4), 0, -1):
        rows = -(-len(entries) // columns)
        legend._legend_handle_box._children = [
            VPacker(pad=0, sep=legend.labelspacing * legend._fontsize, align="baseline",
                    children=entries[i : i + rows])
            for i in range(0, len(entries), rows)
        ]  # fmt: skip
        legend._legend_box.set_figure(legend.get_figure())
        legend._legend_box.axes = legend.axes
        box = legend._legend_box.get_bbox(pen)
        if box.width < pen.width - 20:
            break
    height = box.height / pen.dpi
    if (ax := legend.axes) is not None:
        legend.set_loc("lower left")
        legend.borderaxespad = 0.2
        place = blended_transform_factory(ax.figure.transFigure, ax.transAxes)
        legend.set_bbox_to_anchor((0.01, 1), place)
        if ax.get_title():  # which goes above the legend
            ax.set_title(ax.get_title(), pad=72 * height + 12, fontsize=ax.title.get_fontsize())
    return height


def _turn_labels(ax, pen):
    """Turn the words along the axis where they would run into each other."""
    labels = [label for label in ax.get_xticklabels() if label.get_text() and label.get_visible()]
    boxes = [label.get_window_extent(pen) for label in labels]
    if any(one.x1 > other.x0 for one, other in zip(boxes, boxes[1:])):
        above = ax.xaxis.get_ticks_position() == "top"
        for label in labels:
            label.set(rotation=40, ha="left" if above else "right", rotation_mode="anchor")


# --- Jupyter --------------------------------------------------------------------------------------


def uri(svg):
    """An address that is the SVG itself."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def words(marks):
    """The texts of a figure as lines, its bare numbers on a line of their own."""
    texts = [lettering.plain(mark.words) for mark in marks if mark.kind == "text"]
    numbers = [text for text in texts if re.fullmatch(r"[\d.,×^%e+−-]+", text)]
    rest = [text for text in texts if text not in numbers and text.strip()]
    return "\n".join([*dict.fromkeys(rest), " ".join(numbers)]).strip()


def image(wide, narrow, size):
    """HTML that shows one of two pictures, by the width of the page."""
    width, height = size
    return (
        f'<picture><source media="{NARROW}" srcset="{uri(narrow)}">'
        f'<img alt="" width="{width}" height="{height}" src="{uri(wide)}"></picture>'
    )


def bundle(figure, include=None, exclude=None):
    """What Jupyter is to show of a figure: the picture, and its words."""
    if not figure.axes:
        return {}
    marks, size = drawn(figure)
    narrow = picture(*drawn(phone(figure)))
    shown = image(picture(marks, size), narrow, size)
    return {
        "text/html": f'<figure class="plot">{shown}</figure>',
        "text/plain": html.unescape(f"figure\n{words(marks)}"),
    }
