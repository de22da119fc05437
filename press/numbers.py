"""Figures and claims are numbered within their chapter: Figure 8.7.2, Claim 8.7.1.

They are counted when their page is read, and named when all pages have been. In the text,
``{see}`claim-adam-step-bound``` is a link that says the number of that claim, wherever it is made,
and ``{see}`optimizers/adam#figure-bias-correction``` (on its own page ``{see}`figure-…```) that of
a figure.
"""

import html
import posixpath
import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from .anchors import is_figure
from .claims import claim
from .contents import PREFIX
from .words import words

logger = logging.getLogger(__name__)


def chapter_number(app: Sphinx, docname: str) -> str:
    """``8.7`` for the seventh chapter of the eighth part, as planned; nothing for other pages."""
    return app.config.book_numbers.get(docname.removeprefix(PREFIX), "")


def count(app: Sphinx, doctree: nodes.document) -> None:
    """Note the figures and the claims of a page, each kind in order, by their addresses."""
    outputs = [box["ids"][0] for box in doctree.findall(nodes.container)
               if "cell_output" in box["classes"] and box["ids"] and is_figure(box)]  # fmt: skip
    # What stands in the ledger was claimed elsewhere.
    claims = [box["ids"][0] for box in doctree.findall(claim)
              if "made" not in box.parent["classes"]]  # fmt: skip
    app.env.metadata[app.env.docname]["places"] = {
        place: n for found in (outputs, claims) for n, place in enumerate(found, 1)
    }


def find(app: Sphinx, docname: str, place: str) -> tuple[str, int] | None:
    """The page of a place and its number there; a claim may be on any page."""
    page, _, anchor = place.rpartition("#")
    pages = [page or docname]
    if anchor.startswith("claim-"):
        pages += app.env.found_docs
    for page in pages:
        if n := app.env.metadata[page].get("places", {}).get(anchor):
            return page, n
    return None


def name(app: Sphinx, docname: str, place: str, n: int) -> str:
    """``Figure 8.7.2`` for the second figure of chapter 8.7."""
    return named(place, chapter_number(app, docname), n, app.config.book_edition)


def named(place: str, chapter: str, n: int, language: str) -> str:
    """What a place is called.

    >>> named("optimizers/adam#figure-summary", "8.7", 2, "en")
    'Figure 8.7.2'
    """
    kind = place.rpartition("#")[2].partition("-")[0]
    return words("page", language)[kind].format(".".join(filter(None, [chapter, str(n)])))


# -- References


class place_name(nodes.Inline, nodes.TextElement):
    """A place to be named; ``target`` says where it is."""


class See(SphinxRole):
    """``{see}`claim-…```: see above."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        node = place_name(self.rawtext, target=self.text)
        self.set_source_info(node)
        return [node], []


def refer(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(place_name)):
        found = find(app, docname, node["target"])
        if not found:
            logger.warning("no figure or claim %s", node["target"], location=node, type="book")
            node.replace_self(nodes.literal("", node["target"]))
            continue
        anchor = node["target"].rpartition("#")[2]
        uri = app.builder.get_relative_uri(docname, found[0]) if found[0] != docname else ""
        text = name(app, found[0], anchor, found[1])
        node.replace_self(nodes.reference("", text, refuri=f"{uri}#{anchor}", internal=True))


# -- Captions and cards


def label(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Say the number in the caption of each figure and at the head of each claim."""
    for box in doctree.findall(claim):
        if found := find(app, docname, box["ids"][0]):
            text = name(app, found[0], box["ids"][0], found[1])
            box[0][:0] = [nodes.inline("", text, classes=["number"]), nodes.Text(" ")]
    for box in doctree.findall(nodes.container):
        place = next(iter(box["ids"]), "")
        if place.startswith("figure-") and (found := find(app, docname, place)):
            said = html.escape(name(app, docname, place, found[1]))
            figure = next(raw for raw in box.findall(nodes.raw) if "</figure>" in raw.astext())
            shown = captioned(figure.astext(), f'<span class="number">{said}</span>')
            figure.replace_self(nodes.raw("", shown, format="html"))


def captioned(figure: str, number: str) -> str:
    """A figure's HTML with its number before its caption, or in the place of one.

    >>> captioned("<figure><figcaption>Two paths</figcaption></figure>", "1")
    '<figure><figcaption>1 Two paths</figcaption></figure>'
    >>> captioned("<figure></figure>", "1")
    '<figure><figcaption>1</figcaption></figure>'
    """
    if "<figcaption>" in figure:
        return figure.replace("<figcaption>", f"<figcaption>{number} ", 1)
    return re.sub("</figure>", f"<figcaption>{number}</figcaption></figure>", figure, count=1)


# -- Equations


def name_equations(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """What is equation (3) in chapter 8.7 is (8.7.3) to the other chapters."""
    for link in doctree.findall(nodes.reference):
        page, _, anchor = link.get("refuri", "").partition(".html#")
        if anchor.startswith("equation-"):
            chapter = chapter_number(app, posixpath.normpath(f"{docname}/../{page}"))
            link.children = [nodes.Text(f"({chapter}.{link.astext().strip('()')})")]


def setup(app: Sphinx) -> dict:
    app.add_node(place_name)
    app.add_role("see", See())
    app.connect("doctree-read", count)
    for job in (refer, label, name_equations):
        app.connect("doctree-resolved", job)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
