"""The text of a page without markup, formulas in Unicode: for titles, descriptions, the search."""

import re
import unicodedata

from docutils import nodes

SYMBOLS = {
    "sum": "∑", "prod": "∏", "int": "∫", "partial": "∂", "nabla": "∇", "sqrt": "√", "infty": "∞",
    "cdot": "·", "times": "×", "odot": "⊙", "pm": "±", "to": "→", "in": "∈", "top": "ᵀ",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ll": "≪", "gg": "≫", "ne": "≠", "approx": "≈",
    "mid": "|", "lVert": "‖", "rVert": "‖", "|": "‖", "dots": "…", "ldots": "…", "cdots": "…",
    "epsilon": "ϵ", "varepsilon": "ε",
} | {name: name for name in "log ln exp max min tanh sin cos det lim arg".split()}  # fmt: skip


def plain_tex(text: str) -> str:
    """Make the formulas in a line of text readable without typesetting.

    >>> plain_tex(r"1-\\beta_1^t \\le \\max_i \\hat x_i")
    '1-β_1^t ≤ max_i x_i'
    """

    def symbol(command: re.Match) -> str:
        name, space = command.groups()
        try:
            return (SYMBOLS.get(name) or unicodedata.lookup(f"GREEK SMALL LETTER {name}")) + space
        except KeyError:
            return ""

    return re.sub(r"[{}]", "", re.sub(r"\\([a-zA-Z]+|.)( ?)", symbol, text))


def readable(node: nodes.Element) -> str:
    """The text of a node without the numbers of its citations, formulas as they can be read."""
    words = (text.astext() for text in node.findall(nodes.Text)
             if not isinstance(text.parent, nodes.footnote_reference))  # fmt: skip
    return re.sub(r"\s+", " ", plain_tex("".join(words))).strip()


def first_paragraph(doctree: nodes.document) -> str:
    """What a page begins with, after its title and card."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section) and "part" not in paragraph["classes"]:
            return readable(paragraph)
    return ""


def shorten(text: str, length: int) -> str:
    """At most ``length`` characters of a text, whole sentences if there is one.

    >>> shorten("It converges. It does not always.", 20), shorten("It converges slowly.", 15)
    ('It converges.', 'It converges…')
    """
    if len(text) <= length:
        return text
    kept = text[:length]
    end = max(kept.rfind("。"), kept.rfind(". "), kept.rfind("? "), kept.rfind("？"))
    return kept[: end + 1] if end > length / 3 else kept.rpartition(" ")[0] + "…"
