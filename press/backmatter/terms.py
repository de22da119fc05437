"""``{terms}``: the glossary, what each term means, what else it is called, where it is used."""

import re
from collections.abc import Iterable

from docutils import nodes
from docutils.nodes import make_id

from ..bilingual import TWIN
from ..glossary import GLOSSARY, glossary
from ..markdown import HAN
from .gathering import Chapter, Gathered, by_letter, filter_box, plain, raw


def forms(term: str) -> list[str]:
    """The forms in which a term of the glossary may stand in a text.

    >>> forms("vector-Jacobian product (VJP)")
    ['vector-Jacobian product', 'VJP']
    """
    return [form.strip() for form in re.split(r" / |[（(]|[）)]", term) if form.strip()]


def spellings(term: str) -> list[str]:
    """The same, as they are looked up."""
    return [plain(form) for form in forms(term)]


def first_use(row: dict, chapters: Iterable[Chapter]) -> tuple[Chapter, str | None] | None:
    """Where both languages first use a term at the same place: the chapter and the anchor there."""
    chinese, english = spellings(row["zh"]), spellings(row["en"])
    begins = re.compile("|".join(rf"\b{re.escape(form)}" for form in english))

    def used(zh: str, en: str) -> bool:
        return any(form in zh for form in chinese) and begins.search(en) is not None

    for chapter in chapters:
        if used(*chapter.text):  # most do not
            for anchor, zh, en in chapter.words:
                if used(zh, en):
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

    @staticmethod
    def takes(chapters: list[Chapter]) -> object:
        places = [first_use(row, chapters[1:]) for row in glossary()]
        return [place and (place[0].name, place[0].titles, place[1]) for place in places]

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(GLOSSARY))
        chapters = self.chapters()[1:]  # the preface tells of everything and explains nothing
        rows = [(alphabetical(row[self.language], self.language), row) for row in glossary()]
        self.by_name = {chapter.name: chapter for chapter in chapters}
        letters: dict[str, nodes.definition_list] = {}
        self.known: dict[str, dict] = {}  # for the pages that use them (press/previews.py)
        self.env.metadata[self.env.docname]["terms"] = self.known
        for key, row in sorted(rows, key=lambda pair: pair[0]):
            group = letters.setdefault(key[0][0].upper(), nodes.definition_list(classes=["terms"]))
            group += self.term(row, first_use(row, chapters))
        return [raw(filter_box(self.words["filter"], ".terms dt")), *by_letter(letters)]

    def term(self, row: dict, place: tuple[Chapter, str | None] | None) -> nodes.Element:
        """A term with what it is called in the other language, what it is, what else it is
        called, where it is explained and where it is first used."""
        other = TWIN[self.language]
        twin = nodes.inline("", row[other], classes=[f"language-{other}"])
        name = nodes.strong("", row[self.language])
        anchor = f"term-{make_id(row['en'])}"
        term = nodes.term("", "", name, nodes.Text(" "), twin, ids=[anchor])
        self.known[anchor] = {
            "name": row[self.language], "twin": row[other],
            "is": row[f"is_{self.language}"], "forms": forms(row[self.language]),
            "page": place and place[0].name, "anchor": place and place[1],
            "also": row["also"], "at": row["at"],
        }
        meaning = nodes.paragraph("", row[f"is_{self.language}"] + " ")
        names = [name for name in row["also"] if self.language == "zh" or not re.search(HAN, name)]
        if names:
            said = self.words["comma"].join(names)
            meaning += nodes.inline("", self.words["also"].format(said), classes=["where"])
        page, _, anchor = row["at"].partition("#")
        if page in self.by_name:
            where = nodes.inline("", self.words["explained"], classes=["where"])
            meaning += [where, self.link(self.by_name[page], anchor or None)]
        if place and place[0].name != page:
            meaning += nodes.Text(" · " if page in self.by_name else "")
            where = nodes.inline("", self.words['first_use'], classes=["where"])
            meaning += [where, self.link(*place)]
        return nodes.definition_list_item("", term, nodes.definition("", meaning))
