"""What the gathered pages share: the chapters in the order of ``_toc.yml``, links to them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx_external_toc.api import FileItem

from ..markdown import prose
from ..notebook import Notebook
from ..words import words


def plain(text: str) -> str:
    """Text as terms are looked up in it: lower case, hyphens as spaces."""
    return re.sub(r"[-–\s]+", " ", text).lower()


@dataclass(frozen=True)
class Chapter:
    """A notebook of the book: ``name`` is Sphinx's docname."""

    name: str
    path: Path

    @cached_property
    def notebook(self) -> Notebook:
        return Notebook(self.path)

    @cached_property
    def words(self) -> list[tuple[str | None, str, str]]:
        """The passages as terms are looked up in them."""
        passages = self.notebook.passages()
        return [(anchor, plain(prose(zh)), plain(prose(en))) for anchor, zh, en in passages]


class Gathered(SphinxDirective):
    """A directive that looks at every chapter; its page is read again when one of them changes."""

    section = ""  # of words.yml
    gathers_back_matter = False

    @property
    def language(self) -> str:
        return self.config.book_edition

    @property
    def words(self) -> dict:
        return words(self.section, self.language)

    def parts(self) -> list[tuple[str | None, list[Chapter]]]:
        """The parts of the book with their chapters, in the order of ``_toc.yml``."""
        site, parts = self.config.external_site_map, []
        here = Path(self.env.doc2path(self.env.docname)).parent
        left_out = None if self.gathers_back_matter else here
        self.env.note_dependency(self.config.external_toc_path)

        def below(name: str) -> Iterator[Chapter]:
            path = Path(self.env.doc2path(name))
            if path.suffix == ".ipynb" and path.parent != left_out:
                self.env.note_dependency(str(path))
                yield Chapter(name, path)
            for tree in site[name].subtrees if name != site.root.docname else ():
                for item in filter(lambda item: isinstance(item, FileItem), tree.items):
                    yield from below(item)

        parts.append((None, list(below(site.root.docname))))
        for tree in site.root.subtrees:
            files = [item for item in tree.items if isinstance(item, FileItem)]
            parts.append((tree.caption, [chapter for file in files for chapter in below(file)]))
        return parts

    def chapters(self) -> list[Chapter]:
        return [chapter for _, chapters in self.parts() for chapter in chapters]

    def title(self, chapter: Chapter) -> list[nodes.Node]:
        found, _ = self.state.inline_text(chapter.notebook.headings(self.language)[0], self.lineno)
        return found

    def link(
        self, chapter: Chapter, anchor: str | None, content: Iterable[nodes.Node] = (), **attributes
    ) -> nodes.reference:
        """A link to a place in a chapter; without content it says the chapter's title."""
        uri = self.env.app.builder.get_relative_uri(self.env.docname, chapter.name)
        content = list(content) or self.title(chapter)
        uri += f"#{anchor}" if anchor else ""
        return nodes.reference("", "", *content, refuri=uri, internal=True, **attributes)


def raw(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def by_letter(groups: dict[str, nodes.Element]) -> list[nodes.Node]:
    """Groups under their letters, and a line of the letters that leads to them."""
    anchors = {letter: f"letter-{ord(letter):x}" for letter in groups}
    links = "".join(f'<a href="#{anchors[letter]}">{letter}</a>' for letter in groups)
    found: list[nodes.Node] = [raw(f'<nav class="letters" aria-label="A–Z">{links}</nav>')]
    for letter, group in groups.items():
        heading = nodes.rubric("", letter, ids=[anchors[letter]], classes=["letter"])
        found.append(nodes.container("", heading, group, classes=["under"]))
    return found


def filter_box(words: str, what: str) -> str:
    """A field that leaves of ``what`` (a selector) only what has the words (theme/filter.js)."""
    return (
        f'<p class="narrow-down" hidden><input type="search" data-filter="{what}" '
        f'placeholder="{words}" aria-label="{words}" autocomplete="off"> <output></output></p>'
    )
