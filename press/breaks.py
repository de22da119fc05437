r"""Where a formula may be broken, if it is wider than the page.

MathJax sets a formula on one line, which a phone would have to scroll. A typographer breaks it: at
the wide spaces between formulas that share a display, before a relation, before an operator, and
only then within brackets. Here these places are marked, and ``book.css`` lets the browser break
there what does not fit; what fits looks as it did. Lines that an author has broken (``aligned``)
stay as they are.

The marks are elements: `mjx-list` has formulas side by side (``\quad``, ``\qquad``), `mjx-run` the
sides of a formula, the terms of a side or what is within the brackets of a term, `mjx-part` what
always stays together. A run is broken only if it does not fit on a line of its own.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

OPENS = {"28", "5B", "7B", "27E8", "230A", "2308"}  # ( [ { ⟨ ⌊ ⌈
CLOSES = {"29", "5D", "7D", "27E9", "230B", "2309"}
BARS = {"7C", "2225", "2016"}  # | ∥ ‖ open and close
RELATIONS = {"3D", "3C", "3E", "2264", "2265", "2248", "223C", "221D", "2261", "226A", "226B",
             "2192", "2190", "27F6", "21D2", "27F9", "27FA", "21D4"}  # fmt: skip
OPERATORS = {"2B", "2212", "B1", "22C5", "D7", "2295", "2299"}  # between terms or factors
COMMA = "2C"
DEEP = 2  # within so many brackets
FEW = 8  # glyphs, in brackets that are not broken
LONG = 9  # glyphs, of a left side after which a line may end

_MATH = re.compile(r"(<mjx-math[^>]*>)(.*)(?=</mjx-math>)", re.S)
_TAG = re.compile(r"<(/?)mjx-[^>]*>")
_SPACE = re.compile(r'(?:<mjx-mstyle>)?<mjx-mspace style="width: ([12])em;"></mjx-mspace>'
                    r"(?:</mjx-mstyle>)?")  # fmt: skip
_BRACKET = re.compile(r'(?:<mjx-ms[^>]*>)?<mjx-TeXAtom[^>]* texclass="(OPEN|CLOSE)"')
_SIGN = re.compile(r'(?:<mjx-(?:ms|TeXAtom)[^>]*>)*<mjx-mo([^>]*)>(?:<mjx-(?!c )[^>]*>)*'
                   r'<mjx-c class="mjx-c([0-9A-F]+)')  # fmt: skip


class Element(NamedTuple):
    """What stands side by side in a formula, the sign it begins with, and within how many brackets
    it is; a bracket itself is within."""

    html: str
    sign: str
    depth: int
    begins: bool  # a line may begin with it: a relation, or an operator with two sides


def breakable(made: str) -> str:
    """A formula as MathJax has made it, with the places marked where it may be broken."""
    return _MATH.sub(lambda math: math[1] + formulas(elements(math[2]), (2, 1)), made)


def children(inner: str) -> list[str]:
    """The elements directly within an element.

    >>> children("<mjx-a><mjx-b></mjx-b></mjx-a><mjx-c></mjx-c>")
    ['<mjx-a><mjx-b></mjx-b></mjx-a>', '<mjx-c></mjx-c>']
    """
    found, depth, begin = [], 0, 0
    for tag in _TAG.finditer(inner):
        depth += -1 if tag[1] else 1
        if depth == 0:
            found.append(inner[begin : tag.end()])
            begin = tag.end()
    return found


def elements(inner: str) -> list[Element]:
    found: list[Element] = []
    opened: list[tuple[str, int]] = []  # brackets, and where they are
    for html in children(inner):
        bracket, mo = _BRACKET.match(html), _SIGN.match(html)
        attributes, sign = mo.groups() if mo else ("", "")
        what, depth = bracket[1] if bracket else sign, len(opened)
        begin = len(found)
        if what == "OPEN" or what in OPENS or (what in BARS and what not in dict(opened[-1:])):
            opened.append((what, begin))
        elif what == "CLOSE" or what in CLOSES | BARS:
            while opened and what not in BARS and opened[-1][0] in BARS:  # as of p(a | b)
                opened.pop()
            begin = opened.pop()[1] if opened else begin
        begins = sign in RELATIONS or (sign in OPERATORS and 'space="3"' in attributes)
        found.append(Element(html, sign, max(depth, len(opened)), begins))
        if size(found[begin:]) <= FEW:  # as (1 - x)
            found[begin + 1 :] = [one._replace(sign="", begins=False) for one in found[begin + 1 :]]
    return found


def size(part: list[Element]) -> int:
    """How many glyphs and characters there are in a part."""
    html = "".join(one.html for one in part)
    return html.count("<mjx-c ") + len(re.sub("<[^>]*>", "", html))


def formulas(whole: list[Element], widths: tuple[int, ...]) -> str:
    """Formulas between wide spaces: between those of 2 em, and between these those of 1 em."""
    if not widths:
        return sides(whole)
    parts: list[list[Element]] = [[]]
    for one in whole:
        space = _SPACE.fullmatch(one.html)
        if space and int(space[1]) == widths[0] and not one.depth and parts[-1]:
            parts.append([])
        elif parts[-1]:
            parts[-1].append(one)
        else:  # the space after a comma is before it
            parts[-1].append(one._replace(html=re.sub(r'^(<[^>]*) space="2"', r"\1", one.html)))
    made = [formulas(part, widths[1:]) for part in parts if part]
    return marked(made, f'mjx-list style="column-gap: {widths[0]}em"')


def sides(whole: list[Element]) -> str:
    """The sides of a formula: a line may begin with every relation after the first (also with that
    if its left side is long), and after a comma with the next formula."""
    parts: list[list[Element]] = [[]]
    relations, comma = 0, False
    for one in whole:
        relation = one.sign in RELATIONS and not one.depth
        if (relations and (relation or comma)) or (relation and size(parts[-1]) > LONG):
            parts.append([])
            relations = 0
        parts[-1].append(one)
        relations += relation
        comma = one.sign == COMMA and not one.depth
    return marked(terms(part) for part in parts)


def terms(whole: list[Element], depth: int = 0) -> str:
    """The terms of a side: a line may begin with the relation, or with an operator."""
    if depth > DEEP or all(one.depth < depth for one in whole):
        return "".join(one.html for one in whole)
    parts: list[list[Element]] = [[]]
    comma = False
    for one in whole:
        if parts[-1] and ((one.begins and one.depth == depth) or comma):
            parts.append([])
        parts[-1].append(one)
        comma = one.sign == COMMA and one.depth == depth > 0
    if len(parts) > 1 and size(parts[0]) < 2:
        parts[:2] = [parts[0] + parts[1]]
    return marked(terms(part, depth + 1) for part in parts)


def marked(parts: Iterable[str], mark: str = "mjx-run") -> str:
    """Parts between which a line may be broken."""
    parts = list(parts)
    if len(parts) < 2:
        return "".join(parts)
    leaf = ("<mjx-part>", "<mjx-run>", "<mjx-list ")
    inner = (one if one.startswith(leaf) else f"<mjx-part>{one}</mjx-part>" for one in parts)
    return f"<{mark}>{''.join(inner)}</{mark.split()[0]}>"
