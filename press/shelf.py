"""Notebooks of one edition as any viewer shows them: what only the pages of the site understand
becomes plain Markdown. (JupyterLab, VS Code, Colab and GitHub know no ``{eq}``.)

Numbers are those of the page. For the site a shelf has them from Sphinx; for ``make lab`` it counts
them in the chapters; a test of the site holds the two together.
"""

import json
import posixpath
import re
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode
from pybtex.backends.markdown import Backend
from pybtex.database import Entry
from pybtex.plugin import find_plugin

from . import figures, markdown
from .contents import Part
from .editions import ChineseCitation, Citation
from .notebook import Notebook
from .numbers import captioned, named
from .words import one_language, words

BRANCH = "notebooks"  # of the repository: where Colab and Binder find them, a folder an edition

_ROLE = re.compile(r"\{(?P<role>eq|see|footcite(?::[pt])?)\}`(?P<content>[^`]+)`")
_LABEL = re.compile(r"\beq:[\w:.-]*\w", re.ASCII)
_CLAIM = re.compile(r'<a id="(claim-[\w-]+)" class="\w+"></a>(\*\*.+?\*\*)')
_BLOCK = re.compile(r"^```\{(footbibliography|parts)\}\n```$", re.M)
_LINK = re.compile(r"\[(?P<words>[^\]\n]*)\]\((?P<page>[^():#\s]+)\.ipynb(?P<anchor>#[^)\s]*)?\)")

INSTALL = """\
# {why}
import importlib.util

if importlib.util.find_spec("minigrad") is None:
    %pip install --quiet "minigrad-book[lab] @ git+{repository}\""""
FETCH = """

from pathlib import Path
from urllib.request import urlretrieve

for name in {names}:
    if not Path(name).exists():
        urlretrieve("{address}/" + name, name)"""


@dataclass
class Shelf:
    """The book that notebooks refer to, by the names of its pages: ``optimizers/adam``."""

    language: str
    parts: list[Part]
    works: dict[str, Entry]
    base: str = ""  # where the edition is published, if that is known
    repository: str = ""  # of notebooks that have to bring what they need
    alone: bool = False  # no other notebook stands beside
    titles: dict[str, str] = field(default_factory=dict)
    equations: dict[str, tuple[str, int]] = field(default_factory=dict)  # label: page, number
    places: dict[str, dict[str, int]] = field(default_factory=dict)  # page: figures and claims
    runnable: set[str] = field(default_factory=set)  # pages that have a notebook

    def __post_init__(self) -> None:
        # Of the notebook that is being made: its name, its works, the equations its code checks.
        self.page, self.cited, self.checked = "", dict[str, int](), set[str]()
        self.chapters = {entry.name: entry.number for part in self.parts for entry in part.entries}

    def add(self, page: str, book: Notebook) -> None:
        """Count what a chapter numbers, where there is no Sphinx."""
        self.titles[page] = book.headings(self.language)[0]
        labels = filter(None, (label for _, label in markdown.equations(self.text(book))))
        self.equations |= {label: (page, n) for n, label in enumerate(labels, 1)}
        claims = [f"claim-{claim.name}" for claim in book.claims]
        self.places[page] = {
            place: n for found in ([*book.figure_anchors.values()], claims)
            for n, place in enumerate(found, 1)
        }  # fmt: skip
        if book.code:
            self.runnable.add(page)

    def text(self, book: Notebook) -> str:
        return "\n\n".join(text for _, text in book.source(self.language))

    # -- A notebook

    def notebook(self, page: str, book: Notebook, solutions: bool = True) -> str:
        """The notebook of a page, as the text of its file."""
        node = nbformat.from_dict(json.loads(book.edition(self.language, solutions)))
        keys = dict.fromkeys(markdown.citations(self.text(book)))
        self.page, self.cited = page, {key: n for n, key in enumerate(keys, 1)}
        code = "\n".join(cell.source for _, cell in book.code)
        self.checked = self.equations.keys() & set(_LABEL.findall(code))
        drawn = {book.node.cells[i].get("id"): place for i, place in book.figure_anchors.items()}
        for cell in node.cells:
            if cell.cell_type == "markdown":
                cell.source = self.markdown(cell.source)
                continue
            cell.source = self.labels(cell.source)
            for output in cell.get("outputs", []):
                shown = output.get("data", {})
                if output.output_type == "stream":
                    output.text = self.labels(output.text)
                elif cell.get("id") in drawn and figures.is_figure(shown.get("text/html", "")):
                    said = f"<b>{self.name(page, drawn[cell.get('id')])}</b>"
                    shown["text/html"] = captioned(shown["text/html"], said)
        if self.repository:
            first = next(i for i, cell in enumerate(node.cells) if cell.cell_type == "code")
            node.cells.insert(first, self.install(book))
        return json.dumps(node, ensure_ascii=False, indent=1) + "\n"

    def install(self, book: Notebook) -> NotebookNode:
        """The cell that brings what the notebook needs, its experiments' results too."""
        raw = self.repository.removesuffix(".git")
        raw = raw.replace("//github.com/", "//raw.githubusercontent.com/")
        address = f"{raw}/{BRANCH}/{self.language}/{posixpath.dirname(self.page)}"
        names = [file.name for file in book.experiments]
        code = INSTALL + FETCH if names and "raw." in raw else INSTALL
        why = words("notebook", self.language)["install"]
        code = code.format(why=why, repository=self.repository, names=names, address=address)
        return nbformat.v4.new_code_cell(code, id="install")

    # -- Its text

    def markdown(self, text: str) -> str:
        """A piece of a chapter's Markdown as any viewer shows it."""
        text = markdown.tagged(text, lambda label: str(self.equations[label][1]))
        text = _CLAIM.sub(self.claim, text)
        text = _LINK.sub(self.relinked, text)
        roles = {"eq": self.equation, "see": self.see, "footcite:t": self.said}
        text = _ROLE.sub(lambda m: roles.get(m["role"], self.citation)(m["content"]), text)
        return _BLOCK.sub(lambda m: self.map() if m[1] == "parts" else self.bibliography(), text)

    def claim(self, found: re.Match) -> str:
        place, verdict = found.groups()
        return f'<a id="{place}"></a>{self.name(self.page, place)} · {verdict} ·'

    def number(self, label: str) -> str:
        """``(3)`` of an equation, in other chapters ``(8.7.3)``."""
        page, n = self.equations[label]
        return f"({n})" if page == self.page else f"({self.chapters.get(page, '')}.{n})"

    def equation(self, label: str) -> str:
        if label not in self.equations:
            return f"⟨{label}⟩"
        anchor = f"#equation-{label.replace(':', '-')}"
        return self.link(self.equations[label][0], self.number(label), anchor)

    def labels(self, code: str) -> str:
        """Code, or what it prints, with numbers in the place of the labels of equations; but a
        label that the code puts together stays in both."""
        return _LABEL.sub(lambda m: self.number(m[0]) if m[0] in self.checked else m[0], code)

    def name(self, page: str, place: str) -> str:
        n = self.places[page][place]
        return named(place, self.chapters.get(page, ""), n, self.language)

    def see(self, target: str) -> str:
        page, _, place = target.rpartition("#")
        pages = [page or self.page, *(self.places if place.startswith("claim-") else [])]
        for page in pages:
            if place in self.places.get(page, {}):
                return self.link(page, self.name(page, place), f"#{place}")
        return f"⟨{target}⟩"

    def link(self, page: str, said: str, anchor: str = "") -> str:
        """Words that lead to another notebook, or to the page, if they can."""
        if page == self.page:
            return said
        if self.base and (self.alone or page not in self.runnable):
            return f"[{said}]({self.base}/{page}.html{anchor})"
        beside = posixpath.relpath(page, posixpath.dirname(self.page) or ".")
        return f"[{said}]({beside}.ipynb)" if page in self.runnable else said

    def relinked(self, found: re.Match) -> str:
        page = posixpath.normpath(posixpath.join(self.page, "..", found["page"]))
        return self.link(page, found["words"], found["anchor"] or "")

    def citation(self, keys: str) -> str:
        return f"[{', '.join(str(self.cited[key.strip()]) for key in keys.split(','))}]"

    def said(self, keys: str) -> str:
        cited = [key.strip() for key in keys.split(",")]
        return ", ".join(f"{self.authors(key)} [{self.cited[key]}]" for key in cited)

    def authors(self, key: str) -> str:
        style = (ChineseCitation if self.language == "zh" else Citation)()
        data = {"entry": self.works[key], "style": style}
        return style.person.author_or_editor_or_title(full=False).format_data(data).render(_Plain())

    def bibliography(self) -> str:
        style = find_plugin("pybtex.style.formatting", "alpha")()
        return "\n\n".join(
            f"[{n}] {style.format_entry('', self.works[key]).text.render(_Plain())}"
            for key, n in self.cited.items()
        )

    def map(self) -> str:
        """The parts of the book, with links to what is written."""
        lines = []
        for part in self.parts:
            lines.append(f"- {part.number} {one_language(part.caption, self.language)}")
            for entry in part.entries:
                title = one_language(entry.title or self.titles[entry.name], self.language)
                title = title if entry.title else self.link(entry.name, title)
                lines.append(f"  - {entry.number} {title}")
        return "\n".join(lines)


class _Plain(Backend):
    """References as Markdown; Pybtex's own backend puts a backslash before every full stop."""

    symbols = {"ndash": "–", "newblock": " ", "nbsp": " "}

    def format_str(self, text: str) -> str:
        return re.sub(r"([\\`*\[\]<$]|(?<!\w)_|_(?!\w))", r"\\\1", text)
