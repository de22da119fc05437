"""The notebooks of an edition say what its pages say, with the same numbers."""

import json
import re

import pytest
from docutils.nodes import make_id

from press.build import settings, shelf, write_notebooks
from press.notebook import CHAPTERS, ROOT, Notebook

ROLE = re.compile(r"\{[a-z:]+\}`|```\{|\((eq:[\w-]+)\)|⟨")  # what only the site understands
NUMBER = r'<span class="number">([^<]*)'
ON_PAGE = {
    "equation": re.compile(r'id="equation-([^"]+)">\s*<span class="eqno">\((\d+)'),
    "work": re.compile(
        r'<aside class="footnote[^>]*id="footcite-([^"]+)"[^>]*>\s*<span class="label">'
        r"<span[^>]*>\[</span>(?:<a[^>]*>)?(\d+)"
    ),
    "figure": re.compile(
        r'<div class="cell_output[^>]*id="(figure-[^"]+)">(?:(?!cell_output).)*?' + NUMBER, re.S
    ),
    "claim": re.compile(r'<div class="claim"[^>]*id="(claim-[^"]+)">\s*<p>' + NUMBER),
}
LINK = re.compile(r"\[([^\]\n]*)\]\([^)\s]*\)")


def said(file):
    """The Markdown of a notebook; where its links lead is left out."""
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return [LINK.sub(r"\1", cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


def numbered(books, page):
    """The works that a chapter cites, with their numbers."""
    books.notebook(page, Notebook(CHAPTERS / f"{page}.ipynb"))
    return books.cited


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_notebook_has_the_numbers_of_its_page(site, tmp_path, language):
    books = shelf(language, settings(ROOT))
    write_notebooks(books, tmp_path)
    assert {file.relative_to(site / language) for file in (site / language).rglob("*.ipynb")} == {
        file.relative_to(tmp_path) for file in tmp_path.rglob("*.ipynb")
    }  # fmt: skip
    equations = cited = named = 0
    for page in sorted(books.runnable):
        html = (site / language / f"{page}.html").read_text(encoding="utf-8")
        own = {label: n for label, (other, n) in books.equations.items() if other == page}
        works = numbered(books, page)
        places = {place: books.name(page, place) for place in books.places[page]}
        found = {kind: dict(pattern.findall(html)) for kind, pattern in ON_PAGE.items()}
        assert found["equation"] == {make_id(label): str(n) for label, n in own.items()}, page
        assert found["work"] == {make_id(key): str(n) for key, n in works.items()}, page
        assert found["figure"] | found["claim"] == places, page
        # The download was numbered by Sphinx.
        text = said(tmp_path / f"{page}.ipynb")
        assert said(site / language / f"{page}.ipynb") == text
        assert not [line for cell in text for line in cell.splitlines() if ROLE.search(line)], page
        tags = [int(n) for n in re.findall(r"\\tag\{(\d+)\}", "\n".join(text))]
        assert tags == sorted(own.values()), page
        equations, cited, named = equations + len(own), cited + len(works), named + len(places)
    assert equations > 400 and cited > 400 and named > 400
