"""``{terms}``: the glossary, what each term means and where it is first used."""

import re
from collections.abc import Iterable

from docutils import nodes

from ..bilingual import TWIN
from ..glossary import GLOSSARY, glossary
from .gathering import Chapter, Gathered, line, plain


def spellings(term: str) -> list[str]:
    """The forms in which a term of the glossary may stand in a text.

    >>> spellings("vector-Jacobian product (VJP)")
    ['vector jacobian product', 'vjp']
    """
    return [plain(form.strip()) for form in re.split(r" / |[（(]|[）)]", term) if form.strip()]


def first_use(row: dict, chapters: Iterable[Chapter]) -> tuple[Chapter, str | None] | None:
    """Where both languages first use a term at the same place: the chapter and the anchor there."""
    for chapter in chapters:
        for anchor, zh, en in chapter.words:
            if any(form in zh for form in spellings(row["zh"])) and any(
                re.search(rf"\b{re.escape(form)}", en) for form in spellings(row["en"])
            ):
                return chapter, anchor
    return None


def alphabetical(term: str, language: str) -> tuple[str, ...]:
    """The key by which terms are sorted: English by letters, Chinese by pinyin.

    >>> sorted(["熵", "KL 散度", "重球法", "参数"], key=lambda term: alphabetical(term, "zh"))
    ['参数', 'KL 散度', '熵', '重球法']
    """
    if language == "en":
        return (term.lower(),)
    from pypinyin import Style, lazy_pinyin  # loads its dictionaries: only when they are needed

    return tuple(syllable.lower() for syllable in lazy_pinyin(term, style=Style.TONE3))


class Terms(Gathered):
    section = "terms"

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(GLOSSARY))
        first, second = (self.language, TWIN[self.language])
        chapters = self.chapters()[1:]  # the preface tells of everything and explains nothing
        rows = [(alphabetical(row[first], first), row) for row in glossary()]
        body, letter = nodes.tbody(), None
        for key, row in sorted(rows, key=lambda pair: pair[0]):
            if key[0][0].upper() != letter:
                letter = key[0][0].upper()
                entry = nodes.entry("", nodes.paragraph("", letter), morecols=2)
                body += nodes.row("", entry, classes=["letter"])
            place = first_use(row, chapters)
            twin = nodes.inline("", row[second], classes=[f"language-{second}"])
            cells = [nodes.Text(row[first])], [twin], [self.link(*place)] if place else []
            entry = line(*cells, ids=[f"term-{nodes.make_id(row['en'])}"])
            entry[0] += nodes.paragraph("", row[f"is_{first}"], classes=["meaning"])
            body += entry
        titles = (self.words[key] for key in (first, second, "first_use"))
        head = nodes.thead("", line(*[[nodes.Text(title)] for title in titles]))
        group = nodes.tgroup("", *[nodes.colspec(colwidth=1) for _ in cells], head, body, cols=3)
        return [nodes.table("", group)]
