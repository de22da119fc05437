"""``{works}``: the bibliography, with the places where each work is cited."""

import re
import unicodedata

from docutils import nodes
from pybtex.database import Entry
from pybtex.plugin import find_plugin

from ..markdown import citations
from .gathering import Gathered, by_letter, filter_box, raw

NAMELESS = "…"  # works without an author: code, issues, documentation


class Works(Gathered):
    section = "works"

    def run(self) -> list[nodes.Node]:
        bibliography = self.env.get_domain("cite").bibdata.data
        for file in self.config.bibtex_bibfiles:
            self.env.note_dependency(self.env.relfn2path(file, self.config.root_doc)[1])
        places: dict[str, list[nodes.reference]] = {}
        for chapter in self.chapters():
            cited = {}
            for anchor, zh, _ in chapter.notebook.passages():
                for key in citations(zh):
                    cited.setdefault(key, anchor)
            for key, anchor in cited.items():
                places.setdefault(key, []).append(self.link(chapter, anchor))
        style = find_plugin("pybtex.style.formatting", self.config.bibtex_default_style)()
        backend = find_plugin("pybtex.backends", "docutils")()
        letters: dict[str, nodes.container] = {}
        for entry in style.format_entries(bibliography.entries.values(), bibliography):
            work = nodes.paragraph("", "", *entry.text.render(backend), ids=[entry.key])
            letter = initial(bibliography.entries[entry.key])
            letters.setdefault(letter, nodes.container(classes=["works"])).append(work)
            if links := places.get(entry.key):
                where = nodes.inline("", f"{self.words['cited']} ", classes=["cited"])
                for n, link in enumerate(links):
                    where += [nodes.Text(self.words["comma"])] * (n > 0) + [link]
                work += [nodes.Text(" "), where]
        if NAMELESS in letters:  # at the end
            letters[NAMELESS] = letters.pop(NAMELESS)
        return [raw(filter_box(self.words["filter"], ".works p")), *by_letter(letters)]


def initial(entry: Entry) -> str:
    """The letter under which a work stands: that of its first author, ``…`` if it has none."""
    people = entry.persons.get("author") or entry.persons.get("editor")
    if not people:
        return NAMELESS
    name = re.sub(r"[{}\\]|\\\W", "", " ".join(people[0].prelast_names + people[0].last_names))
    return unicodedata.normalize("NFD", name)[0].upper()
