"""Figures have their words: a description, a caption, labels in both languages."""

import html
import re

from ..figures import is_slider
from ..markdown import prose, without_code
from .registry import rule

#: What calls a picture left or right; an equation has a left side, and a curve a left end.
_SIDES = re.compile(
    r"[左右]图|图[左右](?!右)|（[左右][）：，]|(?:^|[。；] ?)[左右]边?：|\((?:left|right)[),:]"
    r"|\b(?:[Ll]eft|[Rr]ight)(?:-hand)? (?:panel|plot|picture|figure)"
    r"|\b(?:above|below|figure), (?:left|right)\b|On the (?:left|right) (?:is|are) "
    r"|(?:^|[.;:·] )(?:[Ll]eft|[Rr]ight)[:,] ",
    re.M,
)
#: And in a description, where there is no equation.
_LISTED = re.compile(r"(?:^|[。；：·] ?)[左右]边?[，是为]", re.M)


@rule
def alt_text(book):
    """Every figure has alternative text in both languages."""
    for i, cell in book.code:
        figure, alt = i in book.figures, cell.metadata.get("alt")
        if figure and not _in_both(alt):
            yield i, 'a figure without metadata "alt": {"zh": "…", "en": "…"}'
        elif alt is not None and not figure:
            yield i, "alt text, but no figure in the output"
    for i, cell in book.markdown:
        if re.search(r"!\[\s*\]\(|<img(?![^>]*\balt=\"[^\"]+\")", without_code(cell.source)):
            yield i, "an image without alternative text"


def _in_both(texts):
    return isinstance(texts, dict) and all(texts.get(x, "").strip() for x in ("zh", "en"))


@rule
def caption(book):
    """Every figure has a caption in both languages, and a slider says what to try."""
    for i, cell in book.code:
        said = cell.metadata.get("caption")
        if i in book.figures and not _in_both(said):
            yield i, 'a figure without metadata "caption": {"zh": "…", "en": "…"}'
        elif said is not None and i not in book.figures:
            yield i, "a caption, but no figure in the output"
    for i, text in book.outputs("text/html"):
        if is_slider(text) and "<figcaption>" not in text:
            yield i, 'a slider without caption={"zh": "…", "en": "…"}, what to try'


@rule
def html_languages(book):
    """HTML output says everything in both languages."""
    for i, text in book.outputs("text/html"):
        zh, en = (text.count(f'data-lang="{x}"') for x in ("zh", "en"))
        if zh != en:
            yield i, f"{zh} elements with data-lang zh, {en} with en"


@rule
def sides(book):
    """Nothing calls a picture left or right: on a phone, pictures stand one below the other."""
    said = [(i, prose(cell.source), (_SIDES,)) for i, cell in book.markdown]
    for i, cell in book.code:
        for texts in (cell.metadata.get(key) for key in ("alt", "caption")):
            if isinstance(texts, dict):
                said += [(i, text, (_SIDES, _LISTED)) for text in texts.values()]
    for i, text in book.outputs("text/html"):
        if is_slider(text):  # which says both itself
            words = re.findall(r' data-(?:zh|en)="([^"]*)"|(?<=>)([^<>]+)(?=</span>)', text)
            said += [(i, html.unescape("".join(pair)), (_SIDES, _LISTED)) for pair in words]
    for i, text, patterns in said:
        for pattern in patterns:
            for found in pattern.finditer(text):
                around = text[max(0, found.start() - 12) : found.end() + 12].strip()
                yield i, f"which picture is it, on a phone? {around!r}"
