"""Finding one's way in the built book: the contents, what was read, previous and next, numbers."""

import re
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from press.contents import contents, listed, plan
from press.markdown import links
from press.notebook import CHAPTERS, ROOT, TWIN, Notebook
from press.words import one_language

TOC = contents()
ADAM = "optimizers/adam.html"
ON_SCREEN = """element => {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return top >= 0 && bottom <= innerHeight && element.contains(there);
}"""


def page(site: Path, address: str) -> BeautifulSoup:
    return BeautifulSoup((site / address).read_text(encoding="utf-8"), "html.parser")


# --- The contents ------------------------------------------------------------------------------


def test_the_part_one_is_in_is_open_and_planned_chapters_are_grey(site):
    planned = [entry for part in plan(TOC["meta"]) for entry in part.entries if entry.title]
    for edition in TWIN:
        nav = page(site, f"{edition}/{ADAM}").select_one("nav.contents")
        opened = [part.summary.text for part in nav.select("details[open]")]
        assert opened == [{"zh": "8 优化器", "en": "8 Optimizers"}[edition]]
        assert len(nav.select("details")) == len(TOC["parts"])
        grey = [one.find(string=True).strip() for one in nav.select(".planned")]
        assert grey == [one_language(entry.title, edition) for entry in planned]
        assert nav.select_one("li:has(.current) small").text == "8.7"


def test_the_contents_are_filtered_in_either_language(tab, address):
    tab.goto(f"{address}/zh/{ADAM}")
    sift, seen = tab.locator(".sift"), tab.locator("nav.contents ul:not(.terms) > li:visible a")
    before = seen.all_inner_texts()
    for words in ("熵", "entropy", "KL 熵"):
        sift.fill(words)
        assert seen.all_inner_texts() == ["熵、交叉熵与 KL 散度"], words
        assert tab.locator("nav.contents summary:visible").count() == 1
    sift.fill("没有的词")
    assert seen.count() == 0 and tab.locator("nav.contents .none").inner_text()
    sift.fill("")
    assert seen.all_inner_texts() == before
    assert not tab.locator("nav.contents .none").is_visible()


@pytest.mark.parametrize("disk", [False, True])
def test_the_filter_finds_terms_of_the_glossary(disk, tab, address, site):
    """In either language; they are loaded when they are asked for."""
    tab.goto(f"{site.as_uri() if disk else address}/zh/{ADAM}")
    terms = tab.locator("nav.contents .terms a:visible")
    assert not tab.locator("nav.contents .caption").is_visible()
    for words in ("鞍点", "saddle"):
        tab.fill(".sift", words)
        terms.first.wait_for()
        assert terms.all_inner_texts() == ["鞍点"], words
        assert not tab.locator("nav.contents .none").inner_text()
    terms.first.click()
    tab.wait_for_url("**/zh/back/glossary.html#term-saddle-point")


@pytest.mark.parametrize("height", [400, 620, 900])
@pytest.mark.parametrize("page", ["optimizers/adam", "optimizers/shoot-out", "back/bibliography"])
def test_the_contents_begin_with_a_whole_line(page, height, tab, address):
    """Below the filter, which stays, when the list is scrolled to where one is; if it must be."""
    tab.set_viewport_size({"width": 1440, "height": height})
    tab.goto(f"{address}/zh/{page}.html")
    cut = tab.evaluate("""async () => {
      await document.fonts.ready;
      const edge = document.querySelector(".sift").getBoundingClientRect().bottom + 10;  // of its shadow; a line has 5 px of air
      return [...document.querySelectorAll("nav.contents :is(summary, li a)")].filter((e) => e.checkVisibility())
        .map((e) => e.getBoundingClientRect()).filter(({ top, bottom }) => top < edge - 5 && bottom > edge + 5);
    }""")
    assert cut == []
    scrolled = tab.evaluate("contents.scrollTop")
    assert bool(scrolled) == (height < 900 or page != "optimizers/adam")


def test_contents_on_a_phone(tab, address):
    tab.set_viewport_size({"width": 360, "height": 640})
    tab.goto(f"{address}/zh/{ADAM}")
    menu = tab.locator("nav.contents")
    assert not menu.is_visible()
    tab.click("button.menu")
    tab.wait_for_function(ON_SCREEN, arg=menu.locator("a.current").element_handle())
    for part in menu.locator("details").all():
        if part.get_attribute("open") is None:
            part.locator("summary").click()
    tab.mouse.move(100, 300)
    tab.mouse.wheel(0, 10_000)
    tab.wait_for_function(ON_SCREEN, arg=menu.locator("a").last.element_handle())
    tab.mouse.wheel(0, -10_000)
    tab.wait_for_function(ON_SCREEN, arg=menu.locator("a").first.element_handle())
    tab.keyboard.press("Escape")
    assert not menu.is_visible()
    sections = tab.locator("nav.here")
    assert not sections.is_visible()
    tab.click("button.sections")
    tab.locator("nav.here li li a").nth(2).click()
    assert not sections.is_visible() and "#" in tab.url


# --- What was read -----------------------------------------------------------------------------


def test_what_was_read_is_marked_in_both_editions_and_forgotten_on_demand(tab, address):
    outside = []
    tab.on("request", lambda request: outside.append(request) if request.post_data else None)
    tab.goto(f"{address}/en/{ADAM}")
    marks = tab.locator(".seen")
    assert marks.count() == 0 and not tab.locator(".forget").is_visible()
    tab.locator(".turn").scroll_into_view_if_needed()
    marks.first.wait_for()
    assert tab.locator("li:has(.seen) small").all_inner_texts() == ["8.7"]
    for other in (f"zh/{ADAM}", "zh/index.html", "en/index.html", "index.html"):
        tab.goto(f"{address}/{other}")
        marks.first.wait_for(state="attached")
        assert marks.count() == 1, other
        assert marks.get_attribute("aria-label") in {"read", "已读"}
    tab.click(".forget")
    assert marks.count() == 0
    tab.goto(f"{address}/en/{ADAM}")
    assert marks.count() == 0 and outside == []


# --- Previous and next -------------------------------------------------------------------------


@pytest.mark.parametrize("address, way, said", [
    ("zh/optimizers/adam", "next", ["下一章", "8.8"]),
    ("en/optimizers/adam", "prev", ["Previous chapter", "8.6"]),
    ("en/autograd/compiling-the-tape", "next", ["Next part · 2 Initialization", "2.1"]),
    ("zh/initialization/high-dimensional-geometry", "prev", ["上一部分 · 1 自动微分", "1.6"]),
    ("en/optimizers/since-2019", "next", ["Next page · Back matter", "Ledger"]),
    ("zh/preface", "next", ["下一页 · 开篇", "记号"]),
])  # fmt: skip
def test_previous_and_next_say_what_they_are(address, way, said, site):
    if listed(TOC)[listed(TOC).index("optimizers/since-2019") + 1] != "back/claims":
        said = ["Next chapter", "8.18"] if "since-2019" in address else said
    link = page(site, f"{address}.html").select_one(f".turn [rel={way}]")
    assert link.small.text == said[0] and link.text.removeprefix(said[0]).startswith(said[1])


# --- Orders of reading -------------------------------------------------------------------------

ORDERS = yaml.safe_load((ROOT / "chapters" / "orders.yml").read_text(encoding="utf-8"))


def misplaced(order: list[str]) -> list[str]:
    """Chapters that come before one that their card says they need."""
    found = []
    for place, name in enumerate(order):
        if (file := CHAPTERS / f"{name}.ipynb").exists():
            text = " ".join(text for _, text in Notebook(file).source("en"))
            cards = re.findall(r"^\| You need .*$", text, re.M)
            needed = {Path(link).stem for card in cards for link in links(card)}
            found += [f"{name} before {later}" for later in order[place + 1 :]
                      if Path(later).stem in needed]  # fmt: skip
    return found


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order["name"]["en"])
def test_an_order_of_reading_can_be_read(order):
    known = [entry.name for part in plan(TOC["meta"]) for entry in part.entries]
    assert set(order["chapters"]) <= set(known)
    assert len(set(order["chapters"])) == len(order["chapters"])
    assert misplaced(order["chapters"]) == []
    for words in (order["name"], order["about"]):
        assert words["en"].isascii() and not words["zh"].isascii()


def test_a_wrong_order_is_noticed():
    assert misplaced(["optimizers/adam", "optimizers/momentum"]) == [
        "optimizers/adam before optimizers/momentum"]  # fmt: skip


def test_the_orders_are_on_the_first_pages(site):
    for edition in TWIN:
        for name, prefix in ((f"{edition}/index.html", ""), ("index.html", f"{edition}/")):
            shown = page(site, name).select(f"[data-lang={edition}] .orders > div")
            assert [one.h3.text for one in shown] == [order["name"][edition] for order in ORDERS]
            for one, order in zip(shown, ORDERS):
                assert [a["href"] for a in one.select("a")] == [
                    f"{prefix}{chapter}.html" for chapter in order["chapters"] if chapter in listed(TOC)
                ]  # fmt: skip


# --- Numbers, and citing -----------------------------------------------------------------------


def test_figures_and_claims_have_the_same_numbers_in_both_editions(site):
    for chapter in ("optimizers/adam", "losses/ranking"):
        numbers = []
        for edition, kinds in (("zh", ("图", "结论")), ("en", ("Figure", "Claim"))):
            soup = page(site, f"{edition}/{chapter}.html")
            shown = {}
            for kind, boxes in zip(kinds, (soup.select(".cell_output[id]"), soup.select(".claim"))):
                for box in boxes:
                    said, number = box.select_one(".number").text.split(" ")
                    assert said == kind
                    shown[box["id"]] = number
            numbers.append(shown)
        assert numbers[0] == numbers[1] and len(numbers[0]) > 5
        part = {"optimizers/adam": "8.7", "losses/ranking": "6.4"}[chapter]
        for kind in ("figure-", "claim-"):
            own = [number for place, number in numbers[0].items() if place.startswith(kind)]
            assert own == [f"{part}.{n}" for n in range(1, len(own) + 1)]


def test_the_ledger_says_the_numbers_of_the_claims(site):
    for edition in TWIN:
        ledger = page(site, f"{edition}/back/claims.html")
        there = {box["id"]: box.select_one(".number").text for box in ledger.select(".claim")}
        for box in page(site, f"{edition}/{ADAM}").select(".claim"):
            assert there[box["id"]] == box.select_one(".number").text
        assert len(set(there.values())) == len(there)


def test_a_chapter_says_how_to_cite_it(tab, address, site):
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.goto(f"{address}/en/{ADAM}")
    tab.click(".cite summary")
    tab.hover(".cite .highlight")
    tab.click(".cite .copy")
    copied = tab.evaluate("navigator.clipboard.readText()")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert copied.startswith("@incollection{minigrad-optimizers-adam,") and copied.endswith("\n}")
    for part in ("title = {Adam}", "chapter = {8.7}", citation["version"], citation["authors"][0]["name"]):
        assert part in copied
    assert not page(site, "en/preface.html").select(".cite"), "it is no chapter"


# --- The switch --------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [
    "back/speed.html#the-machine", "optimizers/adam.html#how-long-a-step-can-be",
    "losses/ranking.html#exercises", "index.html#contents",
])  # fmt: skip
@pytest.mark.parametrize("edition", TWIN)
@pytest.mark.parametrize("width", [360, 1440])
def test_the_switch_keeps_the_section_before_the_page_has_settled(width, edition, place, tab, address):
    tab.set_viewport_size({"width": width, "height": 800})
    tab.goto(f"{address}/{edition}/{place}", wait_until="domcontentloaded")
    tab.locator("a.twin").dispatch_event("click")
    tab.wait_for_url(f"{address}/{TWIN[edition]}/{place}", wait_until="commit")


def test_the_first_page_of_all_keeps_the_section(browser, address):
    context = browser.new_context(locale="en-GB")
    tab = context.new_page()
    tab.goto(f"{address}/index.html")
    tab.locator("#contents--en").scroll_into_view_if_needed()
    tab.evaluate("scrollTo({ top: document.querySelector('#contents--en').offsetTop, behavior: 'instant' })")
    tab.wait_for_function("() => document.querySelector('a.twin').hash === '#contents'")
    tab.locator("a.twin").dispatch_event("click")
    tab.wait_for_url(f"{address}/zh/index.html#contents")
    context.close()
