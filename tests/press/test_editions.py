"""One notebook becomes two clean editions (press/editions.py), and Chinese can be searched."""

import datetime
import io
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from PIL import Image

from minigrad.lab import figures, shades, sliders
from press import cards
from press.bilingual import in_language
from press.build import settings
from press.contents import contents, faults, listed, plan
from press.editions import THEME
from press.figures import in_edition, pictures
from press.landing import changes
from press.markdown import HAN
from press.notebook import CHAPTERS, ROOT, Notebook, notebooks
from press.pages import repository_links
from press.plain import plain_tex
from press.search import scripts, shard, split
from press.shelf import Shelf
from press.words import one_language, words
from small_book import BASE, PLAN, code, markdown, notebook, opened, run_build, shown, write_book


def draw(beta=1):
    figure, axes = plt.subplots(figsize=(3.2, 2))
    axes.plot([0, 1], [0, beta], label="线 · line")
    axes.set(xlim=(0, 1), ylim=(0, 2), xlabel="步 · step")
    return figure


def made(function, *arguments, **options):
    """What a slider shows."""
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sliders, "display", lambda bundle, raw: shown.append(bundle))
        function(*arguments, **options)
    return shown[0]


FIGURE = figures.bundle(draw())
plt.close()
SLIDER = made(
    sliders.slider, draw, "动的图 · A moving figure", beta=[0, 1], start={"beta": 1},
    caption="试一试 · Try it",
)  # fmt: skip


CHAPTER = notebook(
    markdown("zh", "# 测试章\n\n| | |\n|---|---|\n| 一行 | $x$ |\n\n第一段，说的是优化器，即（$x$），见下。\n\n$$a=b$$ (eq:first)\n"),
    markdown("en", "# A test chapter\n\n| | |\n|---|---|\n| In a line | $x$ |\n\nThe first paragraph.\n\n$$a=b$$ (eq:first)\n"),
    code("plot()", [shown(**FIGURE)], alt={"zh": "一条曲线", "en": "A curve"},
         caption={"zh": "图注", "en": "Caption"}, tags=["hide-input"]),
    code("claim()", [shown(**{
        "application/vnd.book.claim+json": {"name": "first", "verdict": "holds",
                                            "numbers": {"ratio": 3.162}},
        "text/plain": "成立 · holds  first: ratio = 3.162",
    })]),
    code("slider()", [shown(**SLIDER)]),
    markdown("zh", "## 偏差修正\n\n{claim}`first` 步长是 {num}`.ratio:.2f` 倍。\n\n由 {eq}`eq:first`、{see}`claim-first` 与 {see}`figure-a-test-chapter`，[见](#claim-first)。\n\n## 小结\n\n完。\n\n```\n# 不是标题\n```"),
    markdown("en", "## Bias correction\n\n{claim}`first` Steps are {num}`.ratio:.2f` times too long.\n\nBy {eq}`eq:first`, {see}`claim-first` and {see}`figure-a-test-chapter`, [as said](#claim-first).\n\n## Summary\n\nEnd.\n\n```\n# no\n```"),
)  # fmt: skip


# --- Notebooks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_notebook_keeps_one_language(language):
    kept = json.loads(opened(CHAPTER).edition(language))
    nbformat.validate(nbformat.from_dict(kept))
    text = json.dumps(kept, ensure_ascii=False)
    for pair in (("成立", "Holds"), ("一条曲线", "A curve"), ("偏差修正", "Bias correction")):
        mine, other = pair if language == "zh" else reversed(pair)
        assert mine in text and other not in text
    assert [cell["id"] for cell in kept["cells"] if cell["cell_type"] == "code"] == [
        "cell-2", "cell-3", "cell-4"
    ]  # code is shared  # fmt: skip
    assert f"lang-{language}" not in text, "the tags mean nothing in a notebook of one language"
    assert kept["cells"][1]["metadata"]["tags"] == ["hide-input"], "other tags stay"
    label = {"zh": "步", "en": "step"}[language]
    for svg in pictures(kept["cells"][1]["outputs"][0]["data"]["text/html"]):
        assert re.findall("<text [^>]*>(步|step)</text>", svg) == [label]


def test_the_original_notebook_is_left_alone():
    book = opened(CHAPTER)
    before = json.dumps(book.node)
    book.edition("en")
    assert json.dumps(book.node) == before


def test_html_of_the_other_language_is_removed():
    html = '<div><i data-lang="zh">一<b>二</b></i><i data-lang="en">x</i><script>a < b</script></div>'
    assert in_language(html, "en") == (
        '<div><i data-lang="en">x</i><script>a < b</script></div>'
    )
    assert in_language(html, "zh") == (
        '<div><i data-lang="zh">一<b>二</b></i><script>a < b</script></div>'
    )
    untouched = "<table border=1><tr><td>1<br></table>"
    assert in_language(untouched, "zh") == untouched


def test_headings_in_code_are_ignored():
    assert opened(CHAPTER).headings("en") == ["A test chapter", "Bias correction", "Summary"]
    assert opened(CHAPTER).headings("zh") == ["测试章", "偏差修正", "小结"]


def test_anchors_are_unique_and_plain():
    cells = [markdown("en", f"## {heading}") for heading in (
        "Why $\\beta_2$?", "Summary", "Summary", "`Adam` and [SGD](sgd.ipynb)", "1",
    )]  # fmt: skip
    assert opened(notebook(*cells)).anchors == [
        "why-beta-2", "summary", "summary-2", "adam-and-sgd", "section"
    ]  # fmt: skip


def test_reading_time():
    """The Card's, else an estimate; the same for both editions; none for a few words."""
    assert opened(CHAPTER).minutes is None
    card = "# Adam\n\n| | |\n|---|---|\n| Reading time | about 35 minutes |\n"
    both = notebook(markdown("zh", "| 阅读时间 | 7 分钟 |"), markdown("en", card))
    assert opened(both).minutes == 35
    words = notebook(markdown("zh", "字" * 9000), markdown("en", "word " * 1800), code("x\n" * 999))
    assert opened(words).minutes == 20
    for book in map(Notebook, notebooks(CHAPTERS)):
        for said in re.findall(r"\| 阅读时间 \| (\d+)", book.text):
            assert book.minutes == int(said), book.path


def test_where_a_chapter_can_be_run():
    paths = "chapters/a b/adam.ipynb", "en/a b/adam.ipynb"
    nowhere = {"source": None, "edit": None, "mistake": None, "places": [], "repository": ""}
    assert repository_links("", "main", *paths) == nowhere
    github = repository_links("https://github.com/someone/book", "v1/x", *paths)
    assert github["source"].endswith("/blob/v1/x/chapters/a%20b/adam.ipynb")
    assert github["edit"].endswith("/edit/v1/x/chapters/a%20b/adam.ipynb")
    assert dict(github["places"]) == {
        "Colab": "https://colab.research.google.com/github/someone/book/blob/notebooks/en/a%20b/adam.ipynb",
        "Binder": "https://mybinder.org/v2/gh/someone/book/notebooks?urlpath=lab/tree/en/a%20b/adam.ipynb",
    }  # fmt: skip
    elsewhere = repository_links("https://example.org/book", "main", *paths)
    assert elsewhere["source"].startswith("https://example.org/") and elsewhere["places"] == []


def test_captions():
    assert one_language("优化器 · Optimizers", "zh") == "优化器"
    assert one_language("优化器 · Optimizers", "en") == "Optimizers"
    assert one_language("minigrad", "zh") == "minigrad"
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    for part in toc["parts"]:
        zh, en = (one_language(part["caption"], language) for language in ("zh", "en"))
        assert zh != en and not zh.isascii() and en.isascii(), part["caption"]


OTHERWISE = {  # words that are asked for by a name that is put together
    "permalink", "show_code", "hide_code", "figure", "claim",
    *(f"{way}_{kind}" for way in ("previous", "next") for kind in ("chapter", "part", "page")),
}  # fmt: skip


def test_every_word_of_the_frame_is_in_both_languages_and_used():
    table = yaml.safe_load((ROOT / "press" / "words.yml").read_text(encoding="utf-8"))
    templates = "".join(path.read_text(encoding="utf-8") for path in THEME.rglob("*.html"))
    press = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "press").glob("*.py"))
    for section, entries in table.items():
        for key, both in entries.items():
            assert both.keys() == {"zh", "en"} and all(both.values()), (section, key)
            if "switch" not in key:
                assert not re.search("[\u3000-\u9fff]", str(both["en"])), (section, key)
            if section in ("page", "landing") and key not in OTHERWISE:
                used = re.search(rf"words(\[(language|own)\])?\.{key}\b", templates)
                assert used or f'["words"]["{key}"]' in press, f"{section}.{key} is used nowhere"
    assert words("page", "zh")["contents"] == "目录"
    assert not re.search(HAN, re.sub(r"\{#.*?#\}", "", templates)), "words stand in words.yml"


def test_every_chapter_of_the_contents_exists_and_is_listed():
    toc = contents()
    present = {path.relative_to(CHAPTERS).with_suffix("").as_posix() for path in notebooks(CHAPTERS)}
    assert {toc["root"], *listed(toc)} == present


def test_the_plan_of_the_book_names_every_chapter_once():
    toc = contents()
    assert faults(toc) == []
    entries = [entry for part in plan(toc["meta"]) for entry in part.entries]
    assert [e.number for e in entries if e.name == "optimizers/adam"] == ["8.7"]
    for entry in entries:
        if entry.title:
            zh, en = (one_language(entry.title, language) for language in ("zh", "en"))
            assert not re.search(HAN, en) and " · " in entry.title, entry


@pytest.mark.parametrize("old, new", [
    ("file: optimizers/adam", "file: optimizers/adamw"),
    (" - optimizers/adam\n", " - optimizers/adam: 亚当 · Adam\n"),
    (" *- optimizers/adam\n", ""),
    (" - optimizers/momentum\n", " - optimizers/adam\n"),
])  # fmt: skip
def test_disagreement_of_plan_and_contents_is_reported(old, new):
    text = yaml.safe_dump(contents(), allow_unicode=True)
    assert re.search(old, text)
    assert faults(yaml.safe_load(re.sub(old, new, text)))


# --- Search ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, words", [
    ("优化器", ["优化", "化器", "器"]),
    ("Adam优化", ["adam", "优化", "化"]),
    ("β1=0.9，偏", ["β1", "偏"]),
    ("2019 年", ["2019", "年"]),
    ("bias_correction", ["bias_correction"]),
    ("", []),
    ("。，！", []),
])  # fmt: skip
def test_splitting(text, words):
    assert split(text) == words


def test_formulas_in_excerpts_are_readable():
    for tex, read in (
        (r"1-\beta_1^t", "1-β_1^t"), (r"\hat m_t", "m̂_t"), (r"\eta\lambda = 10\%", "ηλ = 10%"),
        (r"\tfrac12 A^{\top} x", "1/2 Aᵀ x"), (r"\frac{N}{N-1}", "N/(N-1)"), (r"x \mapsto \sqrt{a+b}", "x ↦ √(a+b)"),
        (r"\frac{\hat m}{\sqrt{\hat v_{t-1}} + \epsilon}", "m̂/(√(v̂_(t-1)) + ϵ)"), (r"\operatorname{sign}(g)", "sign(g)"),
        (r"\nabla_\theta L, x_{ij}^{-1/2}, 10^{-8}", "∇_θL, x_ij^(-1/2), 10^-8"),
    ):  # fmt: skip
        assert plain_tex(tex) == read


def test_the_index_says_where_each_word_stands():
    pages = [["first", "开头", "", "Beginning", ""], ["part/second", "测试章", "1.2", "A test", "部分"]]
    texts = [[["a", "开头", "一段话", "x = 1"]], [["b", "测试章", "", ""], ["c", "c", "x 与 λ", "print(x)"]]]
    files = scripts(pages, texts, [])
    found = {}
    for name, held in files.items():
        for word in held if name[0] == "w" else ():
            assert shard(word) == int(name[1:])
            found[word] = np.cumsum(held[word]).tolist()
    assert found["x"] == [0, 2] and found["λ"] == [2] and found["段话"] == [0] and found["话"] == [0]
    assert found["beginning"] == [0] and found["test"] == found["部分"] == [1], "a page is found by its other name and its part"
    assert files["places"]["places"] == [[0, "a", "开头"], [1, "b", "测试章"], [1, "c", ""]]
    assert files["places"]["cuts"] == [0] and files["t0"][2] == ["x 与 λ", "print(x)"]


# --- Colours -------------------------------------------------------------------------------------


def six(colour: str) -> str:
    """``#fff`` in six digits."""
    return colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])


def test_text_contrast_in_both_themes():
    """WCAG AA, 4.5 : 1, for every colour of text on the page's backgrounds, code included."""
    css = (THEME / "book.css").read_text(encoding="utf-8")
    light, dark = re.findall(r"color-scheme: \w+;(.*?)\}", css, flags=re.S)[:2]
    for theme, paper in ((light, shades.LIGHT), (dark, shades.DARK)):
        colours = {name: six(colour) for name, colour in re.findall(r"--([\w-]+): (#\w+);", theme)}
        assert colours["paper"] == paper, "figures are drawn for another paper"
        assert {"ink", "soft", "accent", "paper", "wash", "c-string"} <= colours.keys()
        for name, colour in colours.items():
            if name not in {"paper", "wash", "line", "tint", "mark", "shadow", "edge"}:
                for ground in ("paper", "wash"):
                    assert shades.contrast(colour, colours[ground]) >= 4.5, (name, ground)


# --- A whole book, small -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = write_book(tmp_path_factory.mktemp("book"), CHAPTER)
    run = run_build(folder, "--strict")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "index.html" in run.stdout, "the build ends by saying where to open the book"
    return folder / "_build" / "html"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The same book, by somebody who says where it is published and where its source is."""
    folder = write_book(tmp_path_factory.mktemp("published"), CHAPTER)
    run = run_build(
        folder, "--strict", "--baseurl", f"{BASE}/", "--repository", "https://github.com/someone/book"
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return folder / "_build" / "html"


def page(site: Path, address: str) -> BeautifulSoup:
    return BeautifulSoup((site / address).read_text(encoding="utf-8"), "html.parser")


def test_twin_pages(site):
    zh, en = page(site, "zh/part/second.html"), page(site, "en/part/second.html")
    assert zh.html["lang"] == "zh-CN" and en.html["lang"] == "en"
    anchors = ["a-test-chapter", "bias-correction", "summary"]
    for soup, mine, others in ((zh, "偏差修正", "Bias"), (en, "Bias correction", "偏差")):
        assert [section["id"] for section in soup.select("article section")] == anchors
        assert mine in soup.article.text and others not in soup.article.text
        assert {link["hreflang"]: link["href"].split("/")[-1]
                for link in soup.select("link[rel=alternate]")} == {
            "zh-CN": "second.html", "en": "second.html"}  # fmt: skip
    assert zh.select_one("a.twin")["href"] == "../../en/part/second.html"
    assert en.select_one("a.twin")["href"] == "../../zh/part/second.html"
    assert page(site, "zh/first.html").select_one("a.twin")["href"] == "../en/first.html"
    assert zh.select_one("a.brand")["href"] == "../index.html", "of this edition"
    for soup, parts, own, later in (
        (zh, ["1 部分", "2 优化器"], "1.2 测试章", "1.1 后来 待写"),
        (en, ["1 Part", "2 Optimizers"], "1.2 A test chapter", "1.1 Later planned"),
    ):  # fmt: skip
        assert [part.text for part in soup.select(".contents summary")] == parts
        lines = [" ".join(line.text.split()) for line in soup.select(".contents details[open] li")]
        assert lines == [later, own], "of its own part, planned chapters too"
    assert zh.find(id="equation-eq-first") and en.find(id="equation-eq-first")


def test_the_map_counts_planned_chapters_and_links_the_others(site):
    for edition, expected in (
        ("zh", ["1 部分", "1.1 后来", "1.2 测试章", "2 优化器", "2.1 亚当"]),
        ("en", ["1 Part", "1.1 Later", "1.2 A test chapter", "2 Optimizers", "2.1 Adam"]),
    ):
        parts = page(site, f"{edition}/first.html").select_one("dl.parts")
        assert [element.text.strip() for element in parts.select("dt, li")] == expected
        assert [link["href"] for link in parts.select("a")] == ["part/second.html"]
        assert [one.text for one in parts.select(".planned")] == [expected[1][4:], expected[4][4:]]


def test_no_line_begins_with_the_comma_after_a_formula(site):
    tie = page(site, "zh/part/second.html").select_one("span.tie")
    assert tie.text.startswith("（") and tie.text.endswith("），") and tie.select_one(".math")


def test_figures_are_part_of_the_page(site):
    """Text in the page's language that can be selected, words for those who cannot see it."""
    for edition, said, label, caption in (
        ("zh", "一条曲线", "步", "图 1.2.1 图注"), ("en", "A curve", "step", "Figure 1.2.1 Caption")
    ):  # fmt: skip
        soup = page(site, f"{edition}/part/second.html")
        figure = soup.select_one("article figure.plot")
        wide, narrow = figure.select("svg.plot")
        for svg in (wide, narrow):
            assert svg["aria-label"] == said and svg["role"] == "img"
            assert label in [text.text for text in svg.select("text")]
        assert (wide["width"], narrow["width"]) == ("320", "400")
        assert figure.select_one("figcaption").text == caption
        assert not soup.select("article img")


def test_pages_load_only_our_scripts_and_styles(site):
    for path in site.rglob("*.html"):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for element in soup.select("script:not([type='application/json'])"):
            assert element.get("src") and not element.text.strip(), f"{path}: inline script"
            assert "//" not in element["src"]
        styles = {link["href"].split("/")[-1].split("?")[0]
                  for link in soup.select("link[rel=stylesheet]:not([href*='_up/'])")}  # fmt: skip
        assert styles <= {"fonts.css", "book.css", "back.css", "contents.css", "landing.css",
                          "mathematics.css", "slider.css"}, path  # fmt: skip


def lone(language: str, **options) -> str:
    """The chapter's notebook, numbered without Sphinx."""
    shelf = Shelf(language, plan(yaml.safe_load(PLAN)["meta"]), {}, alone=True, **options)
    shelf.add("part/second", opened(CHAPTER))
    return shelf.notebook("part/second", opened(CHAPTER))


def test_the_download_is_the_edition_s_notebook(site):
    for edition in ("zh", "en"):
        soup = page(site, f"{edition}/part/second.html")
        link = soup.select_one("a[download]")["href"]
        got = json.loads((site / edition / "part" / link).read_text(encoding="utf-8"))
        assert got == json.loads(lone(edition))


def test_a_page_without_code_offers_no_notebook(site):
    assert not page(site, "zh/first.html").select("a[download], .run, .tools")
    assert not (site / "zh" / "first.ipynb").exists()


def test_reading_time_is_shown_below_the_title(tmp_path):
    chapter = faulty(_1=("The first", "word " * 900 + "The first"))
    folder = write_book(tmp_path, chapter)
    assert run_build(folder).returncode == 0
    site = folder / "_build" / "html"
    for edition, said in (("zh", "10 分钟读完"), ("en", "10 minutes to read")):
        tools = page(site, f"{edition}/part/second.html").select_one("h1 + .tools")
        assert said in tools.text
        listed = page(site, f"{edition}/index.html").select_one("nav small").text
        assert listed.split()[0] == "10"


def test_a_page_is_described_by_what_it_begins_with(site):
    """Not by its card, a table; formulas readable, citations without their numbers."""
    for edition, said in (("zh", "第一段，说的是优化器，即（x），见下。"), ("en", "The first paragraph.")):
        soup = page(site, f"{edition}/part/second.html")
        assert soup.select_one("meta[name=description]")["content"] == said
        assert said in (site / edition / "_search" / "t0.js").read_text(encoding="utf-8")


def test_figures_sliders_and_claims_have_addresses(site):
    for edition in ("zh", "en"):
        soup = page(site, f"{edition}/part/second.html")
        figures = [output["id"] for output in soup.select(".cell_output[id]")]
        assert figures == ["figure-a-test-chapter", "figure-a-test-chapter-2"]
        assert soup.find(id="figure-a-test-chapter").select_one("figure.plot svg")
        assert soup.find(id="figure-a-test-chapter-2").select_one("figure.slider")
        claim = soup.find(id="claim-first")
        for place in (*soup.select(".cell_output[id]"), claim, soup.find(id="equation-eq-first")):
            link = place.select_one("a.headerlink")
            assert link["href"] == f"#{place['id']}"
            assert link["aria-label"] == words("page", edition)["permalink"]


def test_figures_and_claims_have_numbers_by_which_they_are_referred_to(site):
    for edition, figure, claim in (("zh", "图 1.2.{}", "结论 1.2.1"), ("en", "Figure 1.2.{}", "Claim 1.2.1")):
        soup = page(site, f"{edition}/part/second.html")
        captions = [output.figcaption.text for output in soup.select(".cell_output[id]")]
        assert [one.startswith(figure.format(n)) for n, one in enumerate(captions, 1)] == [True, True]
        assert soup.find(id="claim-first").text.strip().startswith(claim)
        links = {link["href"]: link.text for link in soup.select("p a[href^='#']") if link.text != "#"}
        assert links["#figure-a-test-chapter"] == figure.format(1)
        assert claim in {link.text for link in soup.select("p a[href='#claim-first']")}


def test_the_landing_pages_show_the_book(site):
    shown = {
        "zh": {"zh/first.html": "开头", "zh/part/second.html": "测试章"},
        "en": {"en/first.html": "Beginning", "en/part/second.html": "A test chapter"},
    }
    for address, editions in (("zh/index.html", "zh"), ("en/index.html", "en"), ("index.html", "both")):
        soup = page(site, address)
        up = f"{address.partition('/')[0]}/" if "/" in address else ""
        for edition in shown if editions == "both" else [editions]:
            links = {f"{up}{a['href']}": a.text for a in soup.select(f"[data-lang={edition}] nav a")}
            assert links == shown[edition]
            assert soup.select_one(".try figcaption").text.count(
                {"zh": "试一试", "en": "Try it"}[edition]) == 1  # fmt: skip
            news = [li.a.text for li in soup.select(f"[data-lang={edition}] .news li")]
            assert news == {"zh": ["新的一章 <好>", "开张"], "en": ["A new chapter <good>", "The book opens"]}[edition]
        texts = [text.text for text in soup.select("figure.slider svg.wide text")]
        assert [text for text in texts if text in ("步", "step")] == {
            "zh": ["步"], "en": ["step"], "both": ["步", "step"]}[editions]  # fmt: skip
        if editions != "both":
            other = {"zh": "A new chapter", "en": "新的一章"}[editions]
            assert other not in soup.text and soup.select_one("a.twin")["href"].count(editions) == 0


def test_without_a_baseurl_there_are_no_absolute_links(site):
    assert not [*site.rglob("sitemap.xml"), *site.rglob("feed.xml"), *site.rglob("second.png")]
    assert (site / "robots.txt").read_text() == "User-agent: *\nAllow: /"
    assert (site / ".nojekyll").exists()
    for path in site.rglob("*.html"):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        assert not soup.select("[rel=canonical], [property='og:url'], [property='og:image']")
        assert not [link for link in soup.select("link[href]") if "//" in link["href"]]
        assert not soup.select("a[href*=colab], a[href*=binder], footer a:not([rel=license])")
        assert soup.select("footer a[rel=license]") or path.name == "404.html"
    ways = [link["href"] for link in page(site, "404.html").select("a")]
    assert ways[:2] == ["zh/index.html", "../zh/index.html"] and not [way for way in ways if "//" in way]
    assert (site / "_up" / "1.css").read_text() == ".up1 { display: block !important; }\n"
    command = page(site, "en/part/second.html").select_one(".run pre").text
    assert command == 'pip install ".[notebooks]"'


def test_pages_say_whose_they_are_and_how_to_cite_them(site, published):
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    version, date = said["version"], str(said["date-released"])
    for edition, author in (("zh", "minigrad 的作者"), ("en", said["authors"][0]["name"])):
        for address in ("index.html", f"{edition}/index.html", f"{edition}/part/second.html", f"{edition}/first.html"):
            words = " ".join(footer.text for footer in page(site, address).select("footer"))
            assert all(one in words for one in (author, version, date, "CC BY 4.0", "BSD-3-Clause")), address
        cited = [page(built, f"{edition}/{name}.html").select_one(".cite pre").text
                 for built in (site, published) for name in ("part/second", "index")]  # fmt: skip
        assert [one.split(",")[0] for one in cited] == ["@incollection{minigrad-part-second", "@book{minigrad"] * 2
        assert all(f"author = {{{{{said['authors'][0]['name']}}}}}" in one for one in cited)
        assert all(f"year = {{{date[:4]}}}" in one and f"Version {version}" in one for one in cited)
        assert ["url" in one for one in cited] == [False, False, True, True]
        assert f"{BASE}/{edition}/part/second.html" in cited[2] and f"{BASE}/{edition}/index.html" in cited[3]


def test_full_addresses(published):
    for own in ("zh", "en"):
        soup = page(published, f"{own}/part/second.html")
        links = {link.get("hreflang", "canonical"): link["href"]
                 for link in soup.select("link[rel=canonical], link[rel=alternate]")}  # fmt: skip
        assert links == {
            "canonical": f"{BASE}/{own}/part/second.html",
            "zh-CN": f"{BASE}/zh/part/second.html", "en": f"{BASE}/en/part/second.html",
        }  # fmt: skip
        og = {tag["property"]: tag["content"] for tag in soup.select("meta[property^='og:']")}
        assert og["og:title"] == {"zh": "测试章", "en": "A test chapter"}[own]
        assert og["og:description"] and og["og:locale"].startswith(own)
        assert og["og:url"] == links["canonical"]
        assert og["og:image"] == f"{BASE}/{own}/part/second.png"
        picture = (published / own / "part" / "second.png").read_bytes()
        svg = pictures(in_edition(FIGURE["text/html"], own))[0]
        assert picture == cards.card(cards.raster(svg)), "its figure"
        home = page(published, f"{own}/index.html")
        assert home.select_one("link[rel=canonical]")["href"] == f"{BASE}/{own}/index.html"
        assert home.select_one("[hreflang=x-default]")["href"] == f"{BASE}/"
        assert home.select_one("[type='application/atom+xml']")["href"] == "feed.xml"
    assert {a["href"] for a in page(published, "404.html").select("a")} == {
        f"{BASE}/zh/index.html", f"{BASE}/en/index.html"
    }  # fmt: skip
    ways = [a["href"] for a in page(published, "en/part/second.html").select(".ways a")]
    assert ways[0] == "second.ipynb" and ways[3].endswith("/blob/main/chapters/part/second.ipynb")
    footer = page(published, "zh/part/second.html").select("main > footer a:not([rel])")
    assert [a["href"].removeprefix("https://github.com/someone/book/") for a in footer] == [
        "edit/main/chapters/part/second.ipynb", "issues/new?title=chapters%2Fpart%2Fsecond.ipynb%3A%20"
    ]  # fmt: skip
    for address in ("index.html", "en/index.html"):
        links = page(published, address).select("footer a:not([rel])")
        assert {a["href"] for a in links} == {"https://github.com/someone/book/issues/new"}
        source = page(published, address).select("a[href='https://github.com/someone/book']")
        assert source and {a.text for a in source} <= {"源代码", "source"}
    assert ways[1].endswith("someone/book/blob/notebooks/en/part/second.ipynb")
    assert ways[2].endswith("/someone/book/notebooks?urlpath=lab/tree/en/part/second.ipynb")
    got = (published / "en" / "part" / "second.ipynb").read_text(encoding="utf-8")
    expected = lone("en", base=f"{BASE}/en", repository="https://github.com/someone/book")
    assert json.loads(got) == json.loads(expected)
    command = page(published, "en/part/second.html").select_one(".run pre").text
    assert command == 'pip install "minigrad-book[notebooks] @ git+https://github.com/someone/book"'


def test_sitemap_and_robots(published):
    ns = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    urls = ET.parse(published / "sitemap.xml").getroot().findall("s:url", ns)
    pages = {url.find("s:loc", ns).text for url in urls}
    assert pages == {f"{BASE}/{language}/{name}.html"
                     for language in ("zh", "en") for name in ("index", "first", "part/second")}  # fmt: skip
    for url in urls:
        twins = {link.get("hreflang"): link.get("href") for link in url.findall("x:link", ns)}
        assert twins.keys() == {"zh-CN", "en"} and set(twins.values()) <= pages
        assert url.find("s:loc", ns).text in twins.values()
    for address in pages:
        assert (published / address.removeprefix(f"{BASE}/")).is_file()
    assert f"Sitemap: {BASE}/sitemap.xml" in (published / "robots.txt").read_text()


def test_feeds(published):
    atom = {"a": "http://www.w3.org/2005/Atom"}
    for language, newest in (("zh", "新的一章 <好>"), ("en", "A new chapter <good>")):
        feed = ET.parse(published / language / "feed.xml").getroot()
        entries = feed.findall("a:entry", atom)
        assert [entry.find("a:title", atom).text for entry in entries][0] == newest and len(entries) == 2
        assert len({entry.find("a:id", atom).text for entry in entries}) == 2
        assert feed.find("a:updated", atom).text == "2026-02-01T00:00:00Z"
        for link in feed.iter("{http://www.w3.org/2005/Atom}link"):
            assert (published / link.get("href").removeprefix(f"{BASE}/")).is_file()


@pytest.mark.parametrize("fault, complaint", [
    ("- {date: 2026-01-01, zh: 一}", "needs date"),
    ("- {date: soon, zh: 一, en: one}", "needs date"),
    ("- {date: 2026-01-01, zh: 一, en: one}\n- {date: 2026-01-02, zh: 二, en: two}", "newest entry"),
    ("- {date: 2026-01-01, zh: 一, en: one}\n- {date: 2026-01-01, zh: 二, en: two}", "same date"),
])  # fmt: skip
def test_wrong_news_are_refused(fault, complaint, tmp_path):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "news.yml").write_text(fault, encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        changes(tmp_path)


def test_the_news_are_of_pages_that_exist():
    entries = changes(ROOT)
    assert entries and entries[0]["date"] >= datetime.date(2026, 11, 20)
    for entry in entries:
        assert entry["page"] == "index" or (ROOT / "chapters" / f"{entry['page']}.ipynb").exists()
        assert entry["en"].isascii() or not re.search("[\u3000-\u9fff]", entry["en"])


def test_the_card_of_a_page_is_its_figure_small_and_the_same_in_every_build():
    figure = Image.linear_gradient("L").resize((1280, 640))
    made = cards.card(figure)
    assert made == cards.card(figure) and len(made) < 60_000
    shown = Image.open(io.BytesIO(made)).convert("L")
    assert shown.size == cards.SIZE and shown.getpixel((0, 0)) == 255
    left, _, right, _ = shown.point(lambda value: 255 * (value < 250)).crop((0, 0, 1200, 600)).getbbox()
    assert abs((left + right) / 2 - 600) < 3, "in the middle"
    drawn = cards.raster(pictures(FIGURE["text/html"])[0]).convert("L")
    assert drawn.width == 1128 and drawn.getpixel((0, 0)) == 255
    assert 0.002 < np.mean(np.asarray(drawn) < 128) < 0.1


def test_the_workflow_publishes_what_it_tested():
    file = ROOT / ".github" / "workflows" / "publish.yml"
    jobs = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in actions)
    order = [step.get("run", step.get("uses", "")).split("@")[0] for step in steps]
    places = [order.index(step) for step in (
        "actions/configure-pages", "make test", "actions/upload-pages-artifact", "actions/deploy-pages"
    )]  # fmt: skip
    assert places == sorted(places)
    given = steps[order.index("make test")]["env"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(given) == {"BASEURL", "REPOSITORY"} == set(re.findall(r"--\w+ \"\$\((\w+)\)", makefile))
    upload = steps[order.index("actions/upload-pages-artifact")]
    assert upload["with"]["path"] == "_build/html"


def test_settings_by_command_line_win():
    assert settings(ROOT, "https://a.org", "https://b.org")["html"]["baseurl"] == "https://a.org"
    assert settings(ROOT, "", "https://b.org")["repository"]["url"] == "https://b.org"


# --- Notebooks run where they are downloaded -----------------------------------------------------


def test_a_downloaded_notebook_runs_in_an_empty_folder(tmp_path):
    """With minigrad and book installed, that is: nothing in it looks for other files."""
    kept = nbformat.reads(Notebook(CHAPTERS / "preface.ipynb").edition("en"), as_version=4)
    for cell in kept.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    client = NotebookClient(
        kept, kernel_name="python3", resources={"metadata": {"path": tmp_path}},
        extra_arguments=["--log-level=ERROR"],
    )  # fmt: skip
    done = client.execute(env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert all(cell.outputs for cell in done.cells if cell.cell_type == "code")


# --- Faults are noticed --------------------------------------------------------------------------


def faulty(**changes):
    chapter = json.loads(json.dumps(CHAPTER))
    for cell, (old, new) in changes.items():
        source = chapter["cells"][int(cell[1:])]
        assert old in source["source"]
        source["source"] = source["source"].replace(old, new)
    return chapter


@pytest.mark.parametrize("chapter, complaint", [
    (faulty(_5=("## 小结", "小结")), "headings of twin cells must match"),
    (faulty(_5=("eq:first", "eq:none")), "eq:none"),
    (faulty(_5=("{see}`claim-first`", "{see}`claim-none`")), "no figure or claim claim-none"),
    (faulty(_1=("The first", "[lost](nowhere.ipynb) The first")), "nowhere.ipynb"),
    (faulty(_1=("The first", "{footcite:t}`nobody2020` The first")), "nobody2020"),
])  # fmt: skip
def test_the_strict_build_fails(chapter, complaint, tmp_path):
    folder = write_book(tmp_path, chapter)
    for _ in range(2):  # and fails again, although everything has been read once
        run = run_build(folder, "--strict")
        assert run.returncode != 0 and complaint in run.stderr, run.stderr


def test_plain_jupyter_book_gives_the_chinese_edition(tmp_path):
    """``jupyter-book build .``, as any reader would type it, here with an environment beside it."""
    folder = write_book(tmp_path, CHAPTER)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "LICENSE.md").write_text("# Not a page\n", encoding="utf-8")
    shutil.copytree(ROOT / "press", folder / "press")  # _config.yml finds the extension beside it
    run = subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", "-W", "--keep-going", "."],
        cwd=folder, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    soup = page(folder / "_build" / "html", "chapters/part/second.html")
    assert soup.html["lang"] == "zh-CN" and "偏差修正" in soup.article.text
    assert not soup.select("a.twin"), "the other edition is not there"
    assert not (folder / "_build" / "html" / ".venv").exists()
