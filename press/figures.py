"""Figures of notebooks (`minigrad.lab.figures`) in the book: one language, written into the page.

A notebook shows a figure as an image, which any viewer can; in the page stands the SVG itself, so
that its text can be selected and found, has the page's font, and follows the theme.
"""

import base64
import html
import re
from collections.abc import Callable

from minigrad.lab.figures import uri

from .cards import raster  # noqa: F401

_URI = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]*)")
_PICTURE = re.compile(
    r'<picture><source [^>]*?srcset="(?P<narrow>[^"]*)"/?>'
    r'<img alt="(?P<alt>[^"]*)"[^>]*? src="(?P<wide>[^"]*)"/?></picture>'
)
