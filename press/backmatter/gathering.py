"""What the gathered pages share: the chapters in the order of ``_toc.yml``, links to them.

A gathered page looks at every chapter, and takes little of each. It is read again when that has
changed, and not whenever a chapter has.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx_external_toc.api import FileItem

from .. import kept
from ..bilingual import TWIN
from ..markdown import citations, prose
from ..notebook import Notebook
from ..scale import scales
from ..words import words


def plain(text: str) -> str:
    """Text as terms are looked up in it: lower case, hyphens as spaces."""
    return re.sub(r"[-–\s]+", " ", text).lower()


class Chapter:
    """What the gathered pages say of a notebook; ``name`` is Sphinx's docname.

    Attributes:
        titles: in both languages.
        claims, scales: its claims, and the scale of each by its name.
        words: the passages as terms are looked up in them: ``(anchor, Chinese, English)``.
        text: the same in one piece, Chinese and English.
        cited: the works cited in each passage: ``(anchor, keys)``.
        near: for each claim the works cited in the passage in which it stands.
    """

    def __init__(self, name: str, path: Path) -> None:
        book = Notebook(path)
        passages = [*book.passages()]
        self.name = name
        self.titles = {language: book.headings(language)[0] for language in TWIN}
        self.claims = book.claims
        self.scales = scales(book) if self.claims else {}
        self.words = [(anchor, plain(prose(zh)), plain(prose(en))) for anchor, zh, en in passages]
        self.text = tuple("\n".join(words[i] for words in self.words) for i in (1, 2))
        self.cited = [(anchor, keys) for anchor, zh, _ in passages if (keys := citations(zh))]
        self.near = {
            claim.name: next(
                (citations(zh) for _, zh, _ in passages if f"{{claim}}`{claim.name}`" in zh), []
            )
            for claim in self.claims
        }  # fmt: skip


def gathered(env: BuildEnvironment, name: str, path: Path) -> Chapter:
    files = [path, *filter(Path.exists, map(path.with_suffix, (".py", ".json")))]
    of = kept.digest(env.config.book_reader, str(path), *map(Path.read_bytes, files))
    return _gathered(env.config.book_root, name, path, of)


@cache
def _gathered(root: str, name: str, path: Path, of: str) -> Chapter:
    return kept.made(root, f"what is gathered of {name}", of, lambda: Chapter(name, path))


Part = tuple[str | None, list[Chapter]]  # its caption, its chapters


def outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """The gathered pages that would say something else now."""
    return [
        page for page in env.found_docs - added - changed
        for kind, state in env.metadata[page].get("gathered", {}).items()
        if kind.look(env, page)[1] != state
    ]  # fmt: skip


class Gathered(SphinxDirective):
    """A directive that looks at every chapter."""

    section = ""  # of words.yml
    gathers_back_matter = False

    @property
    def language(self) -> str:
        return self.config.book_edition

    @property
    def words(self) -> dict:
        return words(self.section, self.language)

    @staticmethod
    def takes(chapters: list[Chapter]) -> object:
        """What of the chapters the page shows."""
        raise NotImplementedError

    @classmethod
    def look(cls, env: BuildEnvironment, page: str) -> tuple[list[Part], str]:
        """The parts of the book in the order of ``_toc.yml``, and a fingerprint of what a page
        takes of them."""
        site, parts = env.config.external_site_map, []
        left_out = None if cls.gathers_back_matter else Path(env.doc2path(page)).parent

        def below(name: str) -> Iterator[Chapter]:
            path = Path(env.doc2path(name))
            if path.suffix == ".ipynb" and path.parent != left_out:
                yield gathered(env, name, path)
            for tree in site[name].subtrees if name != site.root.docname else ():
                for item in filter(lambda item: isinstance(item, FileItem), tree.items):
                    yield from below(item)

        parts.append((None, list(below(site.root.docname))))
        for tree in site.root.subtrees:
            files = [item for item in tree.items if isinstance(item, FileItem)]
            parts.append((tree.caption, [chapter for file in files for chapter in below(file)]))
        taken = cls.takes([chapter for _, chapters in parts for chapter in chapters])
        return parts, kept.digest(json.dumps(taken, default=sorted))

    def parts(self) -> list[Part]:
        self.env.note_dependency(self.config.external_toc_path)
        parts, state = self.look(self.env, self.env.docname)
        known = self.env.metadata[self.env.docname]
        known.setdefault("gathered", {})[type(self)] = state
        return parts

    def chapters(self) -> list[Chapter]:
        return [chapter for _, chapters in self.parts() for chapter in chapters]

    def note_works(self) -> list[Path]:
        """The files of the bibliography; the page is read again when one of them changes."""
        files = [self.env.relfn2path(file, self.config.root_doc)[1]
                 for file in self.config.bibtex_bibfiles]  # fmt: skip
        for file in files:
            self.env.note_dependency(file)
        return [*map(Path, files)]

    def title(self, chapter: Chapter) -> list[nodes.Node]:
        found, _ = self.state.inline_text(chapter.titles[self.language], self.lineno)
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
