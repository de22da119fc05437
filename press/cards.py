"""The picture that a link to a page brings along when it is shared: the page's first figure."""

import base64
import io
import re

import numpy as np
from PIL import Image, ImageOps

from minigrad.lab import style

SIZE = (1200, 630)  # what sites that show links ask for
MARGIN = 36
ACCENT = "#0b6e99"


def card(figure: Image.Image) -> bytes:
    """``figure`` in the middle of a white card, as a small PNG; equal figures give equal bytes."""
    room = (SIZE[0] - 2 * MARGIN, SIZE[1] - 2 * MARGIN)
    figure = ImageOps.contain(figure.convert("RGB"), room, Image.Resampling.LANCZOS)
    page = Image.new("RGB", SIZE, "white")
    page.paste(ACCENT, (0, SIZE[1] - 12, *SIZE))
    page.paste(figure, ((SIZE[0] - figure.width) // 2, (SIZE[1] - figure.height) // 2))
    buffer = io.BytesIO()
    style.quantize(np.asarray(page)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def slider_picture(html: str) -> Image.Image | None:
    """What the first slider in a page shows before anybody moves it."""
    images = re.findall(r'<image [^>]*?href="data:image/webp;base64,([^"]*)"', html)
    shown = re.search(r'display="inline"[^>]*?href="data:image/webp;base64,([^"]*)"', html)
    if not shown:
        return None
    shared, frame = (
        Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
        for data in (images[0], shown[1])
    )
    return Image.alpha_composite(shared, frame)
