"""``{works}``: the bibliography, with the places where each work is cited."""

import re
import unicodedata
from pathlib import Path

from docutils import nodes
from pybtex.database import Entry
from pybtex.plugin import find_plugin

from .. import kept
from .gathering import Chapter, Gathered, by_letter, filter_box, raw

NAMELESS = "…"  # works without an author: code, issues, documentation


class Works(Gathered):
    section = "works"

    @staticmethod
    def takes(chapters: list[Chapter]) -> object:
        return [(chapter.name, chapter.titles, chapter.cited) for chapter in chapters]

    def run(self) -> list[nodes.Node]:
        places: dict[str, list[nodes.reference]] = {}
        for chapter in self.chapters():
            cited = {}
            for anchor, keys in chapter.cited:
                for key in keys:
                    cited.setdefault(key, anchor)
            for key, anchor in cited.items():
                places.setdefault(key, []).append(self.link(chapter, anchor))
        letters: dict[str, nodes.container] = {}
        of = kept.digest(self.config.book_reader, *map(Path.read_bytes, self.note_works()))
        for key, letter, text in kept.made(self.config.book_root, "works", of, self.works):
            work = nodes.paragraph("", "", *text, ids=[key])
            letters.setdefault(letter, nodes.container(classes=["works"])).append(work)
            if links := places.get(key):
                where = nodes.inline("", f"{self.words['cited']} ", classes=["cited"])
                for n, link in enumerate(links):
                    where += [nodes.Text(self.words["comma"])] * (n > 0) + [link]
                work += [nodes.Text(" "), where]
        if NAMELESS in letters:  # at the end
            letters[NAMELESS] = letters.pop(NAMELESS)
        return [raw(filter_box(self.words["filter"], ".works p")), *by_letter(letters)]

    def works(self) -> list[tuple[str, str, list[nodes.Node]]]:
        """The key, the letter and the text of each work, in the order of the page."""
        bibliography = self.env.get_domain("cite").bibdata.data
        style = find_plugin("pybtex.style.formatting", self.config.bibtex_default_style)()
        backend = find_plugin("pybtex.backends", "docutils")()
        return [
            (entry.key, initial(bibliography.entries[entry.key]), entry.text.render(backend))
            for entry in style.format_entries(bibliography.entries.values(), bibliography)
        ]


def initial(entry: Entry) -> str:
    """The letter under which a work stands: that of its first author, ``…`` if it has none."""
    people = entry.persons.get("author") or entry.persons.get("editor")
    if not people:
        return NAMELESS
    name = re.sub(r"[{}\\]|\\\W", "", " ".join(people[0].prelast_names + people[0].last_names))
    return unicodedata.normalize("NFD", name)[0].upper()
