"""What a page shows of its code, and what it folds (press/folds.py)."""

import pytest
from bs4 import BeautifulSoup

from press import folds
from small_book import code, markdown, notebook, opened, run_build, shown, write_book

RECORD = {"application/vnd.book.numbers+json": {"x": 1.0}, "text/plain": "x = 1"}
PICTURE = {"text/html": "<figure><svg></svg></figure>", "text/plain": "figure"}


def printed(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def heading(zh, en):
    return markdown("zh", f"## {zh}"), markdown("en", f"## {en}")


def folded(*cells):
    """The sources of the code cells that are folded."""
    book = opened(notebook(markdown("zh", "# 题"), markdown("en", "# T"), *cells))
    return {dict(book.cells)[i].source for i in folds.folded(book)}


DERIVATION = heading("推导", "Derivation")
SCRATCH = heading("从零实现：两行", "From scratch: two lines")


def test_checks_drawings_and_silence_are_folded_what_prints_is_not():
    assert folded(
        *DERIVATION,
        code("checks", [printed("✓ eq:a  |Δ| ≤ 1e-12\n✓ eq:b\n")]),
        code("draws", [shown(**PICTURE)]),
        code("silent"),
        code("records", [shown(**RECORD)]),
        code("prints", [printed("3.16\n")]),
        code("both", [printed("✓ eq:a\n3.16\n")]),
        code("value", [shown(**{"text/plain": "array([1])"})]),
    ) == {"checks", "draws", "silent", "records"}


def test_from_scratch_shows_its_code_and_only_a_drawing_is_folded():
    cells = [code("def f(x): ..."), code("checks", [printed("✓ equal\n")])]
    cells.append(code("draws", [shown(**PICTURE)]))
    assert folded(*SCRATCH, *cells) == {"draws"}
    later = heading("实验", "Experiment")  # the next part ends it; a heading below it does not
    below = markdown("zh", "### 比较"), markdown("en", "### Compared")
    assert folded(*SCRATCH, *below, *cells[:2], *later, code("silent")) == {"silent"}


@pytest.mark.parametrize("lines, hidden", [(30, False), (31, True)])
def test_what_does_not_fit_a_screen_is_folded(lines, hidden):
    cell = code("\n".join(["x = 1"] * lines), [printed("1\n")])
    assert bool(folded(*DERIVATION, cell)) is hidden
    assert not folded(*SCRATCH, cell), "lint asks for it to be cut"


def test_a_tag_says_otherwise():
    assert folded(
        *DERIVATION,
        code("shown", [printed("✓ eq:a\n")], tags=["show-input"]),
        code("hidden", [printed("3.16\n")], tags=["hide-input"]),
        code("solved", [printed("3.16\n")], tags=["hide-cell", "solution"]),
    ) == {"hidden", "solved"}


# --- On the page

CHAPTER = notebook(
    markdown("zh", "# 题\n\n## 推导\n\n$$a=b$$ (eq:first)\n\n$$b=c$$ (eq:second)"),
    markdown("en", "# T\n\n## Derivation\n\n$$a=b$$ (eq:first)\n\n$$b=c$$ (eq:second)"),
    code("checking()", [printed(2 * "✓ eq:first  |Δ| ≤ 1e-12\n" + "✓ eq:first again\n")]),
    code("printing()", [printed("before\n✓ eq:first once more\nafter\n")]),
    code("recording()", [shown(**RECORD)]),
    markdown("zh", "## 练习\n\n一题。\n\n<details><summary>解答</summary>\n\n如此。\n\n</details>"),
    markdown("en", "## Exercises\n\nOne.\n\n<details><summary>Solution</summary>\n\nThus.\n\n</details>"),
    code("solving()", [printed("✓ exercise\n")], tags=["hide-cell", "solution"]),
)  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("folds"), CHAPTER)
    run = run_build(folder, "--strict")
    assert run.returncode == 0, run.stdout + run.stderr
    text = (folder / "_build/html/en/part/second.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser")


def test_an_equation_and_its_check_lead_to_each_other(page):
    line = page.find(id="check-eq-first")
    assert line.name == "p" and "|Δ| ≤ 1e-12" in line.text
    number = line.find("a")
    assert number["href"] == "#equation-eq-first" and "eq:first" not in line.text
    equation = page.find(id="equation-eq-first")
    assert number.text.strip("()") in equation.text
    assert equation.find("a", class_="checked")["href"] == "#check-eq-first"
    assert not page.find(id="equation-eq-second").find("a", class_="checked"), "nothing checks it"
    assert len(page.find_all(id="check-eq-first")) == 1, "an address is given once"


def test_what_a_check_prints_again_and_again_is_shown_once(page):
    cell = next(c for c in page.select(".cell") if "checking()" in c.text)
    lines = [line.text for line in cell.select("p.check")]
    assert [line.split(")")[1] for line in lines] == ["  |Δ| ≤ 1e-12", " again"]


def test_lines_of_checks_are_taken_out_of_what_else_is_printed(page):
    cell = next(c for c in page.select(".cell") if "printing()" in c.text)
    output = cell.select_one(".cell_output")
    blocks = [block.text.strip() for block in output.select("pre, p.check")]
    assert blocks[0] == "before" and blocks[2] == "after" and len(blocks) == 3
    assert blocks[1].startswith("✓ (") and blocks[1].endswith("once more")
    assert not cell.find_parent("details") and not cell.select_one("details.hide")


def test_code_is_behind_a_line_that_opens_it(page):
    cell = next(c for c in page.select(".cell") if "checking()" in c.text)
    assert "checking()" in cell.select_one("details").text
    assert cell.select_one("p.check") and "✓" not in cell.select_one("details").text
    cell = next(c for c in page.select(".cell") if "recording()" in c.text)
    assert "x = 1" in cell.select_one("details").text, "a cell that only records is folded whole"


def test_the_code_of_a_solution_stands_in_the_fold_of_its_words(page):
    fold = next(d for d in page.find_all("details") if "Solution" in d.summary.text)
    assert "Thus." in fold.text and "solving()" in fold.text and "✓ exercise" in fold.text
