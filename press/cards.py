"""The picture that a link to a page brings along when it is shared: the page's first figure."""

import io

import numpy as np
import resvg_py
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageOps

SIZE = (1200, 630)  # what sites that show links ask for
MARGIN = 36
ACCENT = "#0b6e99"
FONT = findfont(FontProperties(family="DejaVu Sans"))


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


def card(figure: Image.Image) -> bytes:
    """``figure`` in the middle of a white card, as a small PNG; equal figures give equal bytes."""
    room = (SIZE[0] - 2 * MARGIN, SIZE[1] - 2 * MARGIN)
    figure = ImageOps.contain(figure.convert("RGB"), room, Image.Resampling.LANCZOS)
    page = Image.new("RGB", SIZE, "white")
    page.paste(ACCENT, (0, SIZE[1] - 12, *SIZE))
    page.paste(figure, ((SIZE[0] - figure.width) // 2, (SIZE[1] - figure.height) // 2))
    buffer = io.BytesIO()
    quantize(np.asarray(page)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def raster(svg: str) -> Image.Image:
    """An SVG as pixels, at the size of a card."""
    data = resvg_py.svg_to_bytes(
        svg_string=svg, width=SIZE[0] - 2 * MARGIN, background="#ffffff", font_files=[FONT],
        font_family="DejaVu Sans", sans_serif_family="DejaVu Sans",
        style_sheet="image { image-rendering: optimizeSpeed }",  # as `pixelated` is called there
    )  # fmt: skip
    return Image.open(io.BytesIO(bytes(data)))
