"""Which files are notebooks, and what one is without its solutions (press/notebook.py)."""

import re
import subprocess
import sys

import nbformat
import pytest

from press.notebook import CHAPTERS, ROOT, Notebook, notebooks, tags
from small_book import code, markdown, notebook, opened


def test_checkpoints_of_jupyterlab_are_no_notebooks(tmp_path):
    book = nbformat.v4.new_notebook()
    left = tmp_path / "part" / ".ipynb_checkpoints" / "a-checkpoint.ipynb"
    left.parent.mkdir(parents=True)
    for path in (tmp_path / "part" / "a.ipynb", left):
        nbformat.write(book, path)
    assert notebooks(tmp_path) == notebooks(tmp_path / "part", left) == [tmp_path / "part/a.ipynb"]
    # Nothing else looks for notebooks in folders, so nothing else can find a checkpoint.
    seekers = [path.name for path in (ROOT / "press").rglob("*.py")
               if re.search(r"glob\(.*ipynb|ipynb_checkpoints", path.read_text("utf-8"))]  # fmt: skip
    assert seekers == ["notebook.py"]


ANSWERED = opened(notebook(
    markdown("zh", "## 练习\n\n**练习 1**。问。\n\n<details><summary>解答</summary>\n\n答。\n\n</details>\n\n**练习 2**。又问。"),
    markdown("en", "## Exercises\n\n**Exercise 1**. Why?\n\n<details><summary>Solution</summary>\n\nBecause.\n\n</details>\n\n**Exercise 2**. Why else?"),
    code("told = 1", tags=["hide-cell", "solution"]),
    markdown("zh", "## 参考文献"), markdown("en", "## References"),
))  # fmt: skip


def test_without_solutions_the_exercises_stay():
    whole, rest = (
        nbformat.reads(ANSWERED.edition("en", solutions=some), as_version=4).cells
        for some in (True, False)
    )
    assert [cell.cell_type for cell in whole] == ["markdown", "code", "markdown"]
    assert [cell.source for cell in rest] == [
        "## Exercises\n\n**Exercise 1**. Why?\n\n**Exercise 2**. Why else?", "## References"
    ]


CHAPTER_FILES = [path for path in notebooks(CHAPTERS) if Notebook(path).is_chapter]


@pytest.mark.parametrize("path", CHAPTER_FILES, ids=lambda path: path.stem)
def test_a_chapter_loses_its_solutions_and_nothing_that_needs_them(path):
    book = Notebook(path)
    solved = [i for i, cell in book.code if "solution" in tags(cell)]
    assert solved and max(i for i, _ in book.code) == max(solved)
    assert [i for i, _ in book.code if i >= min(solved)] == solved, "no code comes after a solution"
    for language in ("zh", "en"):
        whole, rest = (
            nbformat.reads(book.edition(language, solutions=some), as_version=4)
            for some in (True, False)
        )
        assert len(whole.cells) - len(rest.cells) == len(solved)
        text, kept = (
            "\n".join(cell.source for cell in one.cells if cell.cell_type == "markdown")
            for one in (whole, rest)
        )
        assert "<details>" in text and "details>" not in kept
        named = r"\*\*(?:Exercise|练习) ?\d+"
        assert re.findall(named, kept) == re.findall(named, text)


def test_no_two_seconds_for_a_grammar_that_nobody_needs():
    program = "import sys, press.build; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
