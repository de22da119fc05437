"""What is taken from a page for its slides, and what is said without Chromium (press/handouts).

That the PDFs and slides themselves are right is looked at in a browser: tests/site."""

import pytest
from bs4 import BeautifulSoup

from press.handouts import chromium
from press.handouts.slides import slides, with_data

PAGE = """<article><section id="t"><p class="part">Part 1.2</p><h1>Title<a class="headerlink">#</a></h1>
<section id="card"><h2>Card</h2><table></table></section>
<section id="derivation"><h2>Derivation</h2>
  <section id="one"><h3>One</h3><p>words</p><div class="math"><span class="eqno">(1)</span>a</div>
    <div class="math">b</div><div class="cell"><figure class="plot"><svg class="plot wide" width="300" height="{}"></svg>
    <svg class="plot narrow"></svg></figure></div><div class="claim">It holds</div></section>
  <section id="two"><h3>Two</h3><p>first</p><p>second</p><div class="cell"></div></section></section>
<section id="slider"><h2>Slider</h2><figure class="slider"></figure><div class="math">c</div>
  <div class="math">d</div></section>
<section id="exercises"><h2>Exercises</h2><p>Exercise 1</p><details><div class="math">secret</div>
  </details><pre>code</pre><div class="cell"></div></section></section></article>"""


def test_a_slide_for_each_section_with_its_figure_formula_and_claim():
    made = slides(BeautifulSoup(PAGE.format(200), "html.parser").article)
    assert [(one.kind, one.heading.text, [item.text.strip() for item in one.items]) for one in made] == [
        ("title", "Title", ["Part 1.2"]),
        ("text", "One", ["(1)a", "It holds"]),
        ("figure", "One", [""]),
        ("text", "Two", ["first"]),
        ("figure", "Slider", [""]),
        ("text", "Slider", ["c"]),
        ("text", "Exercises", ["Exercise 1", "code"]),
    ]
    assert [one.above and one.above.text for one in made] == [None, *["Derivation"] * 3, *[None] * 3]
    assert len(made[2].items[0].select("svg")) == 1, "the layout for phones is left out"


@pytest.mark.parametrize("height, tall", [(200, False), (300, True)])
def test_a_tall_figure_is_marked(height, tall):
    made = slides(BeautifulSoup(PAGE.format(height), "html.parser").article)
    assert [one.tall for one in made] == [False, False, tall, False, False, False, False]


def test_a_style_sheet_brings_its_fonts(tmp_path):
    (tmp_path / "a.woff2").write_bytes(b"font")
    (tmp_path / "a.css").write_text("x { src: url(a.woff2?v=1) } y { mask: url('data:image/svg+xml,(') }")
    shown = with_data(tmp_path / "a.css")
    assert "url(data:font/woff2;base64,Zm9udA==)" in shown and "url('data:image/svg+xml,(')" in shown


def test_without_chromium_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(chromium.shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="apt-get install chromium"):
        chromium.chromium(None)
