"""A notebook as all tools of the press read it: its cells, its two languages, its outputs.

Nothing else opens a notebook, and `notebooks` and `sources` alone decide which files of a folder
are some. Each notebook is made from a source, the text beside it (press/execute.py).
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from docutils.nodes import make_id
from nbformat import NotebookNode

from . import bilingual, figures, markdown, records
from .bilingual import TWIN

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"

#: An answer in a chapter's Markdown; the code of one is in a cell tagged ``solution``.
_ANSWER = re.compile(r"^<details>.*?^</details>\n*", re.M | re.S)

#: Pages that are not chapters and have their own shape.
PAGES = {"preface", "notation", "claims", "glossary", "api", "speed", "bibliography"}
REFERENCE = "api-"  # so begin the names of the reference's pages, one for each module


def notebooks(*places: Path | str) -> list[Path]:
    """The given notebooks and those below the given folders, without JupyterLab's checkpoints."""
    return _files(places, ".ipynb")


def sources(*places: Path | str) -> list[Path]:
    """The texts of notebooks, given as `notebooks` or as texts, and those below folders.

    >>> [str(path) for path in sources("optimizers/adam", "preface.ipynb")]
    ['optimizers/adam.md', 'preface.md']
    """
    return [path.with_suffix(".md") for path in _files(places, ".md")]


def _files(places: tuple[Path | str, ...], suffix: str) -> list[Path]:
    found = []
    for place in map(Path, places):
        below = sorted(place.rglob(f"*{suffix}")) if place.is_dir() else [place]
        found += [path for path in below if ".ipynb_checkpoints" not in path.parts]
    return found


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def languages(cell: NotebookNode) -> list[str]:
    """The languages that a cell is tagged with; a well-formed Markdown cell has one."""
    return [tag.removeprefix("lang-") for tag in tags(cell) if tag.startswith("lang-")]


@dataclass(frozen=True)
class Claim:
    """A claim of an executed notebook with its verdict; ``zh`` and ``en`` are Markdown."""

    notebook: Path
    name: str
    verdict: str
    zh: str
    en: str


class Notebook:
    """A notebook, read from its file (or from `text`, if that has been read already)."""

    def __init__(self, path: Path | str, text: str | None = None) -> None:
        self.path = Path(path)
        # read_text would hide Windows' line ends
        self.text = self.path.read_bytes().decode() if text is None else text
        self.node = nbformat.reads(self.text, as_version=4)

    @property
    def is_chapter(self) -> bool:
        """Whether this is a chapter, rather than a page with a shape of its own."""
        return self.path.stem not in PAGES and not self.path.stem.startswith(REFERENCE)

    @property
    def experiments(self) -> list[Path]:
        """What its experiments have stored, and the script that made it; cells read both."""
        files = [self.path.with_suffix(suffix) for suffix in (".py", ".json")]
        return [file for file in files if file.exists()]

    # -- Cells, as (number, cell)

    @cached_property
    def cells(self) -> list[tuple[int, NotebookNode]]:
        return list(enumerate(self.node.cells))

    @cached_property
    def code(self) -> list[tuple[int, NotebookNode]]:
        return [(i, cell) for i, cell in self.cells if cell.cell_type == "code"]

    @cached_property
    def markdown(self) -> list[tuple[int, NotebookNode]]:
        return [(i, cell) for i, cell in self.cells if cell.cell_type == "markdown"]

    # -- The two languages

    @cached_property
    def pairs(self) -> list[tuple[int, str, str]]:
        """``(number of the Chinese cell, Chinese, English)`` of all well-formed pairs."""
        return [
            (i, cell.source, twin.source)
            for (i, cell), (_, twin) in zip(self.cells, self.cells[1:])
            if languages(cell) == ["zh"] and languages(twin) == ["en"]
        ]

    def source(self, language: str) -> list[tuple[int, str]]:
        """``(number, source)`` of the Markdown cells in a language."""
        return [(i, cell.source) for i, cell in self.markdown if languages(cell) == [language]]

    def headings(self, language: str) -> list[str]:
        """The headings in a language, in order, as Markdown without the leading ``#``."""
        return [words for _, text in self.source(language) for _, words in markdown.headings(text)]

    @cached_property
    def anchors(self) -> list[str]:
        """The anchors of the sections, the same in both editions: made from the English headings.

        A repeated heading gets a number, so that an anchor is unique on its page.
        """
        found: list[str] = []
        for heading in self.headings("en"):
            base = anchor = make_id(re.sub(r"\]\([^)]*\)", "", heading)) or "section"
            n = 1
            while anchor in found:
                anchor = f"{base}-{(n := n + 1)}"
            found.append(anchor)
        return found

    def passages(self) -> Iterator[tuple[str | None, str, str]]:
        """``(anchor, Chinese, English)`` of each piece of text from one heading to the next.

        The anchor is None before the first heading. Code blocks are left out.
        """
        anchors, anchor = iter(self.anchors), None
        for _, zh, en in self.pairs:
            for number, pair in enumerate(zip(markdown.sections(zh), markdown.sections(en))):
                anchor = next(anchors, None) if number else anchor
                yield anchor, *pair

    @cached_property
    def minutes(self) -> int | None:
        """How long it takes to read, in either edition: what its card says, or an estimate.

        A page of few words has none: it is looked up rather than read.
        """
        text = " ".join(text for _, text in self.source("en"))
        if said := re.search(r"^\| *Reading time *\|\D*(\d+)", text, flags=re.M):
            return int(said[1])
        words = len(text.split())
        return max(5, 5 * round(words / 90 / 5)) if words > 200 else None  # derivations are slow

    def edition(self, language: str, solutions: bool = True) -> str:
        """The notebook of one edition, as the text of its file: that language's cells, with what
        was measured in its place, and its half of the words in code, outputs and descriptions of
        images. For a class, without the answers to exercises, in words and in code."""
        node = copy.deepcopy(self.node)
        node.cells = [cell for cell in node.cells if TWIN[language] not in languages(cell)]
        if not solutions:
            node.cells = [cell for cell in node.cells if "solution" not in tags(cell)]
        for cell in node.cells:
            kept = [tag for tag in tags(cell) if tag != f"lang-{language}"]
            cell.metadata.pop("tags", None)
            if kept:
                cell.metadata.tags = kept
            for key in {"alt", "caption"} & cell.metadata.keys():
                if isinstance(text := cell.metadata[key], dict):
                    cell.metadata[key] = text[language]
            if alt := cell.metadata.get("alt"):  # of an image that is no figure of ours
                cell.metadata.setdefault("mystnb", {})["image"] = {"alt": alt}
            if cell.cell_type == "markdown":
                text = cell.source if solutions else _ANSWER.sub("", cell.source).rstrip()
                cell.source = records.resolve(text, self.records, language)
            elif cell.cell_type == "code":
                cell.source = bilingual.source(cell.source, language)
                said = [cell.metadata.get(key, "") for key in ("alt", "caption")]
                cell.outputs = [bilingual.output(output, language) for output in cell.outputs]
                for output in cell.outputs:
                    if figures.is_figure(shown := output.get("data", {}).get("text/html", "")):
                        output.data["text/html"] = figures.in_edition(shown, language, *said)
        return json.dumps(node, ensure_ascii=False, indent=1) + "\n"

    # -- Outputs

    def outputs(self, kind: str) -> Iterator[tuple[int, str]]:
        """``(number, text)`` of every output of a kind: a mime type, or a stream's name."""
        for i, cell in self.code:
            for output in cell.outputs:
                if output.output_type == "stream" and output.name == kind:
                    yield i, output.text
                elif kind in output.get("data", {}):
                    yield i, output.data[kind]

    @cached_property
    def figures(self) -> set[int]:
        """The numbers of the cells that show a figure, sliders apart."""
        pictures = {i for kind in ("image/png", "image/svg+xml") for i, _ in self.outputs(kind)}
        return pictures | {i for i, html in self.outputs("text/html") if figures.is_plot(html)}

    @cached_property
    def figure_anchors(self) -> dict[int, str]:
        """The addresses of figures and sliders on their page, by the number of their cell."""
        moving = {i for i, html in self.outputs("text/html") if figures.is_slider(html)}
        sections, place = iter(self.anchors), "figure"
        found: dict[int, str] = {}
        for i, cell in self.cells:
            if languages(cell) == ["en"]:
                for _ in markdown.headings(cell.source):
                    place = f"figure-{next(sections)}"
            elif i in self.figures | moving:
                anchor, n = place, 1
                while anchor in found.values():
                    anchor = f"{place}-{(n := n + 1)}"
                found[i] = anchor
        return found

    @property
    def sliders(self) -> list[str]:
        """The sliders that the notebook shows, as HTML."""
        return [html for _, html in self.outputs("text/html") if figures.is_slider(html)]

    @cached_property
    def records(self) -> records.Records:
        """What the cells have handed over to the prose."""
        return records.gather(self.node.cells)

    @cached_property
    def claims(self) -> list[Claim]:
        """The claims that the notebook makes, in the order of their sentences."""
        said: dict[str, dict[str, str]] = {"zh": {}, "en": {}}
        for language, sentences in said.items():
            for _, text in self.source(language):
                sentences |= records.sentences(records.numbered(text, self.records))
        return [
            Claim(self.path, name, self.records.verdicts[name], words, said["en"].get(name, ""))
            for name, words in said["zh"].items()
            if name in self.records.verdicts
        ]


def claims(*places: Path | str) -> list[Claim]:
    """The claims of notebooks and folders, in order; ValueError if two share a name."""
    found: dict[str, Claim] = {}
    for claim in (claim for path in notebooks(*places) for claim in Notebook(path).claims):
        if claim.name in found:
            raise ValueError(
                f"claim {claim.name!r} is made in {found[claim.name].notebook} and again in "
                f"{claim.notebook}; names must be unique in the book"
            )
        found[claim.name] = claim
    return list(found.values())
