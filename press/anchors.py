"""Addresses within a page, the same in both editions: a reader can change language in place."""

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

from . import figures

logger = logging.getLogger(__name__)


class TwinAnchors(SphinxTransform):
    """Give every section the anchor that its twin in the other edition has."""

    default_priority = 840  # before Sphinx collects labels, contents and titles

    def apply(self) -> None:
        anchors = self.env.temp_data.get("book_anchors")
        if anchors is None:
            return
        sections = [  # those that a directive made (press/backmatter) have theirs
            node for node in self.document.findall(nodes.section) if "made" not in node["classes"]
        ]
        if len(sections) != len(anchors):
            logger.warning(
                "%d sections in this edition but %d English headings: headings of twin cells must"
                " match", len(sections), len(anchors), location=self.env.docname, type="book",
            )  # fmt: skip
        taken = {id for node in self.document.findall(nodes.Element) for id in node.get("ids", ())
                 if not isinstance(node, nodes.section)}  # fmt: skip
        for section, anchor in zip(sections, anchors):
            anchor = f"{anchor}-section" if anchor in taken else anchor
            others = [id for id in section["ids"] if id != anchor]
            section["ids"] = [anchor, *others]
            self.document.ids[anchor] = section


class FigureAnchors(SphinxTransform):
    """Give figures and sliders the address ``figure-`` and section."""

    default_priority = TwinAnchors.default_priority + 1

    def apply(self) -> None:
        for output in self.document.findall(nodes.container):
            if "cell_output" in output["classes"] and is_figure(output):
                section = output.parent
                while section is not None and not isinstance(section, nodes.section):
                    section = section.parent
                anchor = base = f"figure-{section['ids'][0]}" if section else "figure"
                n = 1
                while anchor in self.document.ids:
                    anchor = f"{base}-{(n := n + 1)}"
                output["ids"].append(anchor)
                self.document.ids[anchor] = output


def is_figure(output: nodes.Element) -> bool:
    """Does the output of a cell show a picture or a slider?"""
    return output.next_node(nodes.image) is not None or any(
        figures.is_figure(raw.astext()) for raw in output.findall(nodes.raw)
    )
