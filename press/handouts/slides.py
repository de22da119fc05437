"""Chapters as slides: of every section its figure or slider, its formulas, its claims.

One HTML file that needs nothing else: styles, fonts, scripts stand in it. A figure has a slide to
itself, as large as it allows, so that its lettering can be read from the last row. Words that are
too many for one slide go on to the next (slides.js): only where they are shown it is known how tall
they are.
"""

import base64
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jinja2
from bs4 import BeautifulSoup, NavigableString, Tag
from playwright.sync_api import Page

from minigrad.lab import sliders

from ..words import TAGS, words
from .chromium import opened
from .sources import Edition

HERE = Path(__file__).parent
THEME = HERE.parent / "theme"
FIGURE = "figure.slider, figure.plot"
POINTS = f"{FIGURE}, div.math, .claim"
TALL = 1.35  # wide for its height
UNSAID = ".headerlink, .copy, .checked, .footnote-reference, .plot.narrow, script:not([type*=json])"


@dataclass
class Slide:
    """``kind`` is title, figure or text; ``above`` the heading that the section stands under."""

    kind: str
    heading: Tag
    above: Tag | None
    items: list[Tag]

    @property
    def tall(self) -> bool:
        """Whether it is a figure that would be small below its heading, and stands beside it."""
        svg = self.items[0].select_one("svg.plot") if self.kind == "figure" else None
        return svg is not None and float(svg.get("width", 2)) < TALL * float(svg.get("height", 1))


def slides(article: Tag) -> list[Slide]:
    """The slides of a page's article, of which they take the elements."""
    for unsaid in article.select(UNSAID):
        before = unsaid.previous_sibling
        if isinstance(before, NavigableString) and "footnote-reference" in unsaid.get("class", []):
            before.replace_with(before.rstrip())  # "Adam [1]." becomes "Adam."
        unsaid.decompose()
    found = []
    for section in article.select("section"):
        heading = section.find(["h1", "h2", "h3", "h4"], recursive=False)
        if heading is None:
            continue
        outer = section.find_parent("section")
        above = outer and outer.find(["h2", "h3"], recursive=False)
        if heading.name == "h1":
            found.append(Slide("title", heading, None, article.select(".part")))
            continue
        points = shown(section)
        figures = [point for point in points if point.name == "figure"]
        texts = [point for point in points if point.name != "figure"]
        groups = [("figure", [figure]) for figure in figures]
        if texts:  # before the figures, unless the section begins with one
            groups.insert(len(groups) if points[:1] == figures[:1] else 0, ("text", texts))
        found += [Slide(kind, heading, above, items) for kind, items in groups]
    return found


def shown(section: Tag) -> list[Tag]:
    """What of a section is shown: its points; its questions, if it has answers; its beginning."""
    own = [child for child in section.find_all(True, recursive=False)
           if child.name != "section" and not re.fullmatch("h[1-4]", child.name)]  # fmt: skip
    if any(child.name == "details" and "hide" not in child.get("class", []) for child in own):
        return [child for child in own
                if child.name != "details" and "cell" not in child.get("class", [])]  # fmt: skip
    points = [
        point for point in section.select(POINTS)
        if point.find_parent("section") is section and not point.find_parent("details")
    ]  # fmt: skip
    formulas = [point for point in points if "math" in point.get("class", [])]
    kept = [f for f in formulas if f.select_one(".eqno")] or formulas[:1]
    points = [point for point in points if point not in formulas or point in kept]
    if points or section.find("section"):  # what has parts leaves the rest to them
        return points
    begins = [child for child in own if child.name == "p"][:1]
    return begins + [child for child in own if child.name in ("ul", "ol")][:1]


def deck(tab: Page, edition: Edition, name: str) -> str:
    """The slides of a page, as the text of an HTML file."""
    file = edition.file(name)
    opened(tab, file)
    page = BeautifulSoup(tab.content(), "html.parser")
    styles = [
        with_data(file.parent / unquote(urlsplit(link["href"]).path))
        for link in page.select('link[rel="stylesheet"]')
    ] + [style.text for style in page.select("head style")]
    shared = page.select("#MJX-SVG-global-cache")  # the shapes of letters, where MathJax draws them
    found = slides(page.article)
    for slide in found:
        for item in [slide.heading, *slide.items]:
            for link in item.select("a"):  # leads to where these slides are not
                link.unwrap()
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        (HERE / "slides.html").read_text(encoding="utf-8")
    )
    scripts = [sliders.HERE / "slider.js"] if page.select_one("figure.slider") else []
    return template.render(
        tag=TAGS[edition.language], edition=edition.language, title=edition.label(name),
        book=edition.title, credit=edition.credit, slides=found, shared=shared,
        theme=THEME / "theme.js", read=script,
        styles="\n".join([*styles, (HERE / "slides.css").read_text(encoding="utf-8")]),
        scripts=[*scripts, HERE / "slides.js"],
        words=words("page", edition.language) | words("handouts", edition.language),
    )  # fmt: skip


def script(file: Path) -> str:
    """A script as it may stand inside a page."""
    return file.read_text(encoding="utf-8").replace("</script", r"<\/script")


def with_data(sheet: Path) -> str:
    """A style sheet that brings along the files it names."""

    def data(match: re.Match) -> str:
        address = match[1].strip("'\"")
        if address.startswith(("data:", "#", "http")):
            return match[0]
        file = sheet.parent / unquote(urlsplit(address).path)
        kind = mimetypes.guess_type(file.name)[0] or "font/woff2"
        return f"url(data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()})"

    text = sheet.read_text(encoding="utf-8")
    return re.sub(r"""url\(\s*("[^"]*"|'[^']*'|[^)"']*)\s*\)""", data, text)


def write_deck(tab: Page, edition: Edition, name: str) -> Path:
    """Write the slides of a page."""
    target = edition.target("slides", f"{name}.html")
    target.write_text(deck(tab, edition, name), encoding="utf-8")
    return target
