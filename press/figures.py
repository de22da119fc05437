"""Figures and sliders of notebooks (`minigrad.lab`) in the book: in one language, part of the page.

A notebook shows a figure as an image, which any viewer can. In the page stands the SVG itself, so
that its text can be selected, has the page's font and follows the theme.
"""

import base64
import html
import json
import re

from minigrad.lab.figures import uri

_URI = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]*)")
_PICTURE = re.compile(r"<picture>.*?</picture>", re.S)
_ALT = re.compile(r' data-(zh|en)="([^"]*)"')
_CAPTION = re.compile(r"<figcaption>.*?</figcaption>", re.S)
_FILM = re.compile(r'(<script type="application/json">)(.*?)(</script>)')


def is_figure(shown: str) -> bool:
    """Whether HTML is a figure or a slider.

    >>> is_figure('<figure class="plot">'), is_figure("<table>")
    (True, False)
    """
    return is_plot(shown) or is_slider(shown)


def is_plot(shown: str) -> bool:
    """Whether HTML is or has a figure that does not move."""
    return 'class="plot"' in shown


def is_slider(shown: str) -> bool:
    """Whether HTML is or has a slider."""
    return 'class="slider"' in shown


def pictures(shown: str) -> list[str]:
    """The SVGs in a figure's HTML, the wide layout first.

    >>> pictures(f'<source srcset="{uri("<svg>1</svg>")}"><img src="{uri("<svg>2</svg>")}">')
    ['<svg>2</svg>', '<svg>1</svg>']
    """
    return [base64.b64decode(data).decode() for data in reversed(_URI.findall(shown))]


def first(page: str) -> str | None:
    """The wide layout of the first figure in HTML, if it has one."""
    found = _PICTURE.search(page)
    return pictures(found[0])[0] if found else None


def in_edition(shown: str, language: str | None, alt: str = "", caption: str = "") -> str:
    """A figure's HTML with the labels of one language, its description and its caption.

    Args:
        shown: what the notebook shows, the elements of the other language already left out.
        language: None keeps both.
        alt, caption: what the cell says of a figure; a slider says it itself.

    >>> in_edition("<figure></figure>", "en", caption="Newton's method")
    '<figure><figcaption>Newton’s method</figcaption></figure>'
    """
    if said := dict(_ALT.findall(shown[: shown.find(">")])):
        alt = html.unescape(said[language] if language else " · ".join(said.values()))
        shown = _ALT.sub("", shown, count=2)
    shown = re.sub(r'(<img [^>]*?)alt=""', lambda m: f'{m[1]}alt="{html.escape(alt)}"', shown)
    if language:
        shown = _URI.sub(lambda m: uri(_half(base64.b64decode(m[1]).decode(), language)), shown)
        shown = _FILM.sub(lambda m: m[1] + _film(m[2], language) + m[3], shown)
    if caption:
        said = f"<figcaption>{html.escape(caption)}</figcaption>"
        shown = shown.replace("</figure>", f"{said}</figure>")
    return _CAPTION.sub(lambda m: re.sub(r"(?<=\w)(?:'|&#x27;)", "’", m[0]), shown)


def _half(svg: str, language: str) -> str:
    other = {"zh": "en", "en": "zh"}[language]
    svg = re.sub(rf'<text [^>]*data-lang="{other}".*?</text>', "", svg)
    return svg.replace(f' data-lang="{language}"', "").replace(' display="none"', "")


def _film(data: str, language: str) -> str:
    """The data of a slider, with the texts of one language."""
    film = json.loads(data)
    for mark in film["marks"]:
        if "forms" in mark:
            mark["forms"] = [
                form[language] if isinstance(form, dict) else form for form in mark["forms"]
            ]
    return json.dumps(film, separators=(",", ":"), ensure_ascii=False)


def inline(page: str) -> str:
    """HTML with the SVGs of its figures in the place of the images."""

    def both(picture: re.Match[str]) -> str:
        alt = re.search(r'alt="([^"]*)"', picture[0])
        label = f'role="img" aria-label="{alt[1] if alt else ""}"'
        return "".join(
            _part_of_page(svg, f'class="plot {layout}" {label}')
            for svg, layout in zip(pictures(picture[0]), ("wide", "narrow"))
        )

    return _PICTURE.sub(both, page)


def _part_of_page(svg: str, attributes: str) -> str:
    """The page has the fonts and colours; what it does not draw keeps no white ground."""
    opening, end, rest = svg.partition(">")
    opening = re.sub(r' (font-family|color|style|xmlns)="[^"]*"', "", opening)
    opening = opening.replace("<svg", f"<svg {attributes}")
    return opening + end + rest.replace(' display="none"', "")
