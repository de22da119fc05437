"""The notebooks of an edition say what its pages say, with the same numbers."""

import json
import re

import pytest
from bs4 import BeautifulSoup
from docutils.nodes import make_id

from press.build import settings, shelf, write_notebooks
from press.notebook import CHAPTERS, ROOT, Notebook

ROLE = re.compile(r"\{[a-z:]+\}`|```\{|\((eq:[\w-]+)\)|⟨")  # what only the site understands
LINK = re.compile(r"\]\([^)\s]*\)")


def said(file):
    """The Markdown of a notebook; where its links lead is left out."""
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return [LINK.sub("]", cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_notebook_has_the_numbers_of_its_page(site, tmp_path, language):
    books = shelf(language, settings(ROOT))
    write_notebooks(books, tmp_path)
    assert {file.relative_to(site / language) for file in (site / language).rglob("*.ipynb")} == {
        file.relative_to(tmp_path) for file in tmp_path.rglob("*.ipynb")
    }  # fmt: skip
    equations = cited = named = 0
    for page in sorted(books.runnable):
        soup = BeautifulSoup((site / language / f"{page}.html").read_text("utf-8"), "html.parser")
        on_page = {
            box["id"]: int(re.search(r"\d+", box.select_one(".eqno").text)[0])
            for box in soup.select(".math[id^=equation-]")
        }  # fmt: skip
        own = {label: n for label, (other, n) in books.equations.items() if other == page}
        assert on_page == {f"equation-{make_id(label)}": n for label, n in own.items()}, page
        works = {
            box["id"]: int(box.select_one(".label").text.strip("[]"))
            for box in soup.select("aside.footnote[id^=footcite-]")
        }  # fmt: skip
        books.notebook(page, Notebook(CHAPTERS / f"{page}.ipynb"))
        assert works == {make_id(f"footcite-{key}"): n for key, n in books.cited.items()}, page
        places = {box["id"]: box.select_one(".number").text
                  for box in soup.select(".claim[id], .cell_output[id^=figure-]")}  # fmt: skip
        assert places == {place: books.name(page, place) for place in books.places[page]}, page
        # The download was numbered by Sphinx.
        text = said(tmp_path / f"{page}.ipynb")
        assert said(site / language / f"{page}.ipynb") == text
        assert not [line for cell in text for line in cell.splitlines() if ROLE.search(line)], page
        tags = [int(n) for n in re.findall(r"\\tag\{(\d+)\}", "\n".join(text))]
        assert tags == sorted(own.values()), page
        equations, cited, named = equations + len(own), cited + len(works), named + len(places)
    assert equations > 400 and cited > 400 and named > 400
