"""The text of a page without markup, formulas in Unicode: for titles, descriptions, the search."""

import re
import unicodedata
from collections.abc import Iterator

from docutils import nodes

SYMBOLS = {
    "sum": "∑", "prod": "∏", "int": "∫", "oint": "∮", "partial": "∂", "nabla": "∇", "infty": "∞",
    "cdot": "·", "times": "×", "odot": "⊙", "otimes": "⊗", "oplus": "⊕", "circ": "∘", "pm": "±",
    "to": "→", "rightarrow": "→", "longrightarrow": "→", "leftarrow": "←", "mapsto": "↦",
    "Rightarrow": "⇒", "Longrightarrow": "⇒", "iff": "⇔", "in": "∈", "notin": "∉", "top": "ᵀ",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ll": "≪", "gg": "≫", "ne": "≠", "neq": "≠",
    "approx": "≈", "simeq": "≃", "sim": "∼", "propto": "∝", "equiv": "≡", "lesssim": "≲",
    "mid": "|", "lvert": "|", "rvert": "|", "lVert": "‖", "rVert": "‖", "Vert": "‖", "|": "‖",
    "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
    "cup": "∪", "cap": "∩", "subset": "⊂", "setminus": "∖", "forall": "∀", "exists": "∃",
    "neg": "¬", "perp": "⊥", "star": "⋆", "ell": "ℓ", "dots": "…", "ldots": "…", "cdots": "⋯",
    "lambda": "λ", "Lambda": "Λ",  # LAMDA in Unicode
    "epsilon": "ϵ", "varepsilon": "ε", "varphi": "φ", "vartheta": "ϑ",
    "quad": " ", "qquad": " ", " ": " ", "\\": " ",
} | {name: name for name in (
    "log ln exp max min sup inf arg det lim sin cos tan sinh cosh tanh arcsin arctan { } % $ # & _"
).split()}  # fmt: skip
#: What stands on a letter, as the character that Unicode puts there.
ACCENTS = {"hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "overline": "\u0304",
           "tilde": "\u0303", "widetilde": "\u0303", "dot": "\u0307"}  # fmt: skip
_TOKEN = re.compile(r"\\(?:[a-zA-Z]+|.) ?|.", re.S)


def plain_tex(tex: str) -> str:
    """A formula as it can be read without typesetting.

    >>> plain_tex(r"1-\\beta_1^t \\le \\max_i \\hat x_i"), plain_tex(r"\\tfrac12\\lambda, 5\\%")
    ('1-β_1^t ≤ max_i x̂_i', '1/2λ, 5%')
    >>> plain_tex(r"\\frac{\\hat m_t}{\\sqrt{\\hat v_t}+\\epsilon}")
    'm̂_t/(√v̂_t+ϵ)'
    """
    return _group(iter(_TOKEN.findall(tex))).replace("^ᵀ", "ᵀ")


def _group(tokens: Iterator[str]) -> str:
    """What stands before the next closing brace, or the end."""
    return "".join(_read(token, tokens) for token in iter(lambda: next(tokens, "}"), "}"))


def _read(token: str, tokens: Iterator[str]) -> str:
    """One token, with the arguments that it takes."""
    if token == "{":
        return _group(tokens)
    if token in "_^":
        index = _argument(tokens)
        return token + (index if re.fullmatch(r"-?[\w.]*|.", index) else f"({index})")
    if token[0] != "\\":
        return "" if token == "&" else token
    name = token[1:].rstrip(" ") or " "
    if name in ("frac", "tfrac", "dfrac"):
        return f"{_factor(_argument(tokens))}/{_factor(_argument(tokens))}"
    if name == "sqrt":
        return "√" + _factor(_argument(tokens))
    if name in ACCENTS:
        letter = _argument(tokens)
        return letter + ACCENTS[name] * (len(letter) == 1)
    if name in ("begin", "end"):
        _argument(tokens)
        return ""
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        symbol = SYMBOLS.get(name) or unicodedata.lookup(f"GREEK {case} LETTER {name}")
    except KeyError:
        return ""  # what only changes how the next thing looks
    return symbol + " " * (token[-1] == " " and symbol != " ")


def _argument(tokens: Iterator[str]) -> str:
    token = next((token for token in tokens if token != " "), "")
    return token and _read(token, tokens).strip()


def _factor(text: str) -> str:
    """In parentheses, unless it is one number or name."""
    return text if re.fullmatch(r"√?[\w.^\u0300-\u036f]+|\(.*\)|", text) else f"({text})"


def readable(node: nodes.Element) -> str:
    """The text of a node without the numbers of its citations, formulas as they can be read."""
    words = (
        plain_tex(text.astext()) if isinstance(text.parent, nodes.math) else text.astext()
        for text in node.findall(nodes.Text)
        if not isinstance(text.parent, nodes.footnote_reference)
    )
    text = re.sub(r"\s+", " ", "".join(words)).strip()
    return re.sub(r" (?=[)）]|[,.;:!?，。；：！？](\s|$))", "", text)  # where a citation stood


def first_paragraph(doctree: nodes.document) -> str:
    """What a page begins with, after its title and card."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section) and "part" not in paragraph["classes"]:
            return re.sub(r" ?[,，:：;；]$", "…", readable(paragraph))  # before a formula
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
