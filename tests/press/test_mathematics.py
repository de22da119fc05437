"""Formulas are typeset when the book is built (press/mathematics.py)."""

import io
import pickle
import re
import sqlite3
import time
import unicodedata

import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from fontTools.ttLib import TTFont

from press.mathematics import MATHJAX, VERSION, MathJax, characters, lines, only, place, subset
from small_book import markdown, notebook, run_build, write_book


@pytest.fixture(scope="module")
def mathjax():
    made = MathJax()
    yield made
    made.js.close()


def parts(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def test_a_formula_is_html_and_mathml(mathjax):
    soup = parts(mathjax.typeset(r"\frac{x^2}{\beta}", False))
    assert [" ".join(c["class"]) for c in soup.select("mjx-c")] == [
        "mjx-c1D465 TEX-I", "mjx-c32", "mjx-c1D6FD TEX-I"
    ]  # fmt: skip
    assert soup.select_one("mjx-math")["aria-hidden"] == "true"
    assert soup.select_one("mjx-assistive-mml > math > mfrac > msup").text == "x2"
    assert mathjax.typeset("x", True) != mathjax.typeset("x", False)


def test_words_are_left_to_the_page(mathjax):
    """Their font is the page's, and nobody has guessed how wide they are."""
    for words in ("速度", "for"):
        text = parts(mathjax.typeset(rf"\eta_\text{{{words}}}", True)).select_one("mjx-utext")
        assert text.text == words and not text.attrs and not text.parent.has_attr("style")


@pytest.mark.parametrize("tex, complaint", [
    (r"\fo", r"Undefined control sequence \fo"), ("x_", "Missing superscript or subscript"),
    (r"\frac{1}", "Missing argument for"), ("{", "missing close brace"), ("x^2^3", "Double exponent"),
    (r"\left( x", r"missing \right"), (r"\begin{aligned} x", r"Missing \end"), ("a & b", "Misplaced &"),
])  # fmt: skip
def test_what_is_no_tex_is_refused(mathjax, tex, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        mathjax.typeset(tex, False)


def marked(mathjax, tex):
    """The sources' text of a formula's parts: nested lists of the characters that stay together."""

    def tree(element):
        inner = [tree(one) for one in element.find_all(["mjx-list", "mjx-run", "mjx-part"], recursive=False)]
        if inner:
            return inner[0] if element.name == "mjx-math" else inner
        glyphs = "".join(chr(int(c["class"][0][5:], 16)) for c in element.select("mjx-c"))
        return unicodedata.normalize("NFKC", glyphs)

    return tree(parts(mathjax.typeset(tex, True)).select_one("mjx-math"))


@pytest.mark.parametrize("tex, where", [
    ("x", "x"), ("-x", "-x"), ("yx = b", ["yx", "=b"]), ("x = b", "x=b"), ("yx = -b", ["yx", "=-b"]),
    (r"yx = b + c\cdot d", ["yx", "=b", "+c", "⋅d"]),
    (r"yx = b + c \le d - e", [["yx", "=b", "+c"], ["≤d", "-e"]]),
    (r"x + (x = b + d)x + \bigl[aef - xghi\bigr]^2", ["x+(x=b+d)x", ["+[aef", "-xghi]2"]]),
    (r"\lVert abcd - bcde\rVert + p(a \| b) - d", [["‖abcd", "-bcde‖"], "+p(a‖b)", "-d"]),
    (r"f(ax, (bx + cx)) = \operatorname{clip}(e, f)", [["f(ax,", "(bx+cx))"], "=clip(e,f)"]),
    (r"x, \qquad yx = c, \qquad d", ["x,", ["yx", "=c,"], "d"]),
    (r"x,\quad b; \qquad c", [["x,", "b;"], "c"]),
    (r"ix = 1, jx = 2, \dots", [["ix", "=1,"], ["jx", "=2,"], "..."]), (r"x, b = c", ["x,b", "=c"]),
    (r"\begin{aligned} x &= b \\ &= c + d \end{aligned}", "x=b=c+d"), (r"\frac{x = b}{c + d}", "x=bc+d"),
])  # fmt: skip
def test_where_a_formula_may_be_broken(mathjax, tex, where):
    """Within brackets last, and never where its author has broken it."""
    plain = lambda it: [*map(plain, it)] if isinstance(it, list) else it.replace("−", "-").replace("∥", "‖")  # noqa: E731
    assert plain(marked(mathjax, tex)) == where


def test_breaks_leave_glyphs_and_mathml(mathjax, monkeypatch):
    tex = r"a = \sum_{i=1}^n b_i + c, \qquad |d| \le e"
    made = mathjax.typeset(tex, True)
    monkeypatch.setattr("press.breaks.breakable", lambda html: html)
    for kind in ("mjx-c", "math *"):
        before, after = ([str(one) for one in parts(html).select(kind)] for html in (mathjax.typeset(tex, True), made))
        assert before == after


def test_the_lines_of_a_display():
    assert lines("a = b") == "a = b"
    assert lines(r"a \\ b") == r"\begin{split}a \\ b\end{split}"
    assert lines(r"a = \begin{cases} b \\ c \end{cases}") == r"a = \begin{cases} b \\ c \end{cases}"
    assert lines("a\n\nb") == r"\begin{aligned}a\\b\end{aligned}"


def test_the_style_sheet_has_the_glyphs_that_are_used(mathjax):
    whole = mathjax.styles
    few = only({"mjx-c1D465", "mjx-c28"}, whole)
    assert ".mjx-c1D465." in few and "mjx-stretchy-v.mjx-c28" in few and "mjx-c1D466" not in few
    assert "@font-face" in few and "mjx-mfrac" in few and len(few) < len(whole) / 5
    assert few.count("{") == few.count("}")
    assert {ord("x"), ord("("), 0x239B} <= characters(few) and ord("y") not in characters(few)


def test_the_fonts_have_the_characters_that_are_drawn():
    file = MATHJAX / "output" / "chtml" / "fonts" / "woff-v2" / "MathJax_Main-Regular.woff"
    few = subset(file, {ord("x"), 0x3B1, 0x221A})
    assert few == subset(file, {0x3B1, 0x221A, ord("x")}) and len(few) < 5000
    font = TTFont(io.BytesIO(few))
    assert {ord("x"), 0x221A} <= set(font.getBestCmap()) and ord("y") not in font.getBestCmap()
    whole = TTFont(file)
    assert font["hmtx"]["x"] == whole["hmtx"]["x"] and font["hhea"].ascent == whole["hhea"].ascent


# --- In a book ---------------------------------------------------------------------------------


def chapter(zh: str = "$x$", en: str = "") -> dict:
    cell = "## {}\n\n{}\n\n$$ \\sum_k \\omega_k \\\\ y $$ (eq:all)\n"
    return notebook(
        markdown("zh", "# 章"), markdown("en", "# Chapter"),
        markdown("zh", cell.format("节 $\\beta_1$", zh)),
        markdown("en", cell.format("Section $\\beta_1$", en or zh)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("book"), chapter("$\\alpha^2 < \\text{大}$ 与 $y$，"))
    run = run_build(folder, "--strict")
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def page(folder, address: str) -> BeautifulSoup:
    return parts((folder / "_build" / "html" / address).read_text(encoding="utf-8"))


def test_a_page_has_its_formulas(book):
    soup = page(book, "zh/part/second.html")
    texs = [formula["data-tex"] for formula in soup.select("article .math > mjx-container")]
    assert texs == [r"\beta_1", r"\alpha^2 < \text{大}", "y", r"\sum_k \omega_k \\ y"]
    assert soup.select_one(".here .math > mjx-container")["data-tex"] == r"\beta_1"
    equation = soup.find(id="equation-eq-all")
    assert equation.select_one(".eqno").text.startswith("(1)")
    assert equation.select_one("a.headerlink")["href"] == "#equation-eq-all"
    assert equation.select_one("mjx-container")["display"] == "true"
    (tie,) = soup.select(".tie")
    assert tie.select_one("mjx-container")["data-tex"] == "y" and tie.text.endswith("y，"), "and no more"
    loaded = str(soup.head)
    assert "mathematics.css" in loaded and "mathematics.js" in loaded


def test_a_page_without_formulas_loads_nothing_for_them(book):
    assert "mathematics" not in str(page(book, "zh/first.html"))


def test_the_fonts_of_the_style_sheet_are_there(book):
    static = book / "_build" / "html" / "en" / "_static"
    fonts = re.findall(r'url\("([^"]+)"\)', (static / "mathematics.css").read_text(encoding="utf-8"))
    assert len(fonts) > 10 and all((static / font).is_file() for font in fonts)


def test_a_formula_is_typeset_once(book):
    """What is kept is what the pages show, also when everything is read anew; not so what an older
    version has made."""
    kept = sqlite3.connect(book / "_build" / ".cache" / "kept.sqlite")
    everything = "SELECT name, of, it FROM made WHERE name LIKE 'inline%' ORDER BY name"
    before = kept.execute(everything).fetchall()
    assert {of for _, of, _ in before} == {VERSION} and len(before) > 1
    for name, _, it in before:
        changed = pickle.loads(it).replace("<mjx-math", '<mjx-math data-kept=""')
        kept.execute("UPDATE made SET it = ? WHERE name = ?", (pickle.dumps(changed), name))
    kept.execute("UPDATE made SET of = 'an older version' WHERE name = 'inline y'")
    kept.commit()
    assert run_build(book, "--strict").returncode == 0
    formulas = page(book, "en/part/second.html").select("article mjx-container:not([display])")
    assert {formula["data-tex"] for formula in formulas if not formula.select("[data-kept]")} == {"y"}
    assert len(kept.execute(everything).fetchall()) == len(before) and len(formulas) > 1
    kept.close()


def test_pages_that_are_not_written_again_keep_their_glyphs(book):
    first = book / "chapters" / "first.ipynb"
    text = first.read_text(encoding="utf-8")
    first.write_text(text.replace("[Next]", "$\\\\aleph$ [Next]"), encoding="utf-8")
    written = book / "_build" / ".cache" / "en" / "html" / "part" / "second.html"
    before = written.stat().st_mtime_ns
    time.sleep(0.01)
    assert run_build(book).returncode == 0
    assert written.stat().st_mtime_ns == before, "this test has tested nothing"
    sheet = (book / "_build/html/en/_static/mathematics.css").read_text(encoding="utf-8")
    assert "mjx-c2135::" in sheet and "mjx-c1D6FC." in sheet, "aleph, and the alpha of the other page"
    first.write_text(text, encoding="utf-8")


def test_a_fault_fails_the_strict_build_and_says_where(tmp_path):
    content = chapter("甲\n乙 $x$，\n丙 $\\foo$", "A\nB\nC $x$")
    folder = write_book(tmp_path, content)
    text = folder / "chapters" / "part" / "second.md"
    text.write_text(f"---\n---\n# 章\n\n{content['cells'][2]['source']}", encoding="utf-8")
    run = run_build(folder, "--strict")
    assert run.returncode != 0
    said = [line for line in run.stderr.splitlines() if "Undefined control sequence" in line]
    assert len(said) == 1 and "\\foo in the formula \\foo" in said[0], run.stderr
    assert f"{text}:9: WARNING" in said[0]
    assert text.read_text(encoding="utf-8").splitlines()[9 - 1] == "丙 $\\foo$"
    # without a text beside the notebook, it is the number of the cell
    node = nodes.math()
    node.source, node.line = str(text.with_suffix(".ipynb")), 20003
    assert place(node, "en") == f"{node.source}: cell 3", "of which the text has nothing"
    text.unlink()
    assert place(node, "zh") == f"{node.source}: cell 2"
