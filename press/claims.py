"""Claims on the pages: a paragraph that begins with a verdict stands in a box with an address."""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

_ANCHOR = re.compile(r'<a id="claim-(?P<name>[\w-]+)" class="(?P<verdict>\w+)">')


class claim(nodes.General, nodes.Element):
    """The box around a claim: attributes ``ids`` and ``verdict``."""


def boxed(name: str, verdict: str, paragraph: nodes.paragraph) -> claim:
    """A claim's paragraph in its box, whose address is ``claim-<name>``."""
    return claim("", paragraph, ids=[f"claim-{name}"], names=[f"claim-{name}"], verdict=verdict)


class ClaimBoxes(SphinxTransform):
    """Put the paragraphs that `press.records` has marked as claims into their boxes."""

    default_priority = 800  # before references to addresses are resolved

    def apply(self) -> None:
        for anchor in list(self.document.findall(nodes.raw)):
            paragraph = anchor.parent
            if (found := _ANCHOR.fullmatch(anchor.astext())) is None:
                continue
            paragraph.remove(anchor.next_node(nodes.raw, descend=False, siblings=True))
            paragraph.remove(anchor)
            parent, place = paragraph.parent, paragraph.parent.index(paragraph)
            parent[place] = box = boxed(**found.groupdict(), paragraph=paragraph)
            self.document.note_explicit_target(box)


def _open(translator, node: claim) -> None:
    translator.body.append(
        translator.starttag(node, "div", CLASS="claim", **{"data-verdict": node["verdict"]})
    )


def _close(translator, node: claim) -> None:
    translator.body.append("</div>\n")


def _inside(translator, node: claim) -> None:
    """Other builders show the paragraph alone."""


def setup(app: Sphinx) -> dict:
    others = {builder: (_inside, _inside) for builder in ("latex", "text", "man", "texinfo")}
    app.add_node(claim, html=(_open, _close), **others)
    app.add_transform(ClaimBoxes)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
