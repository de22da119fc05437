"""What is handed out, made of the built site: PDFs that are read, slides that are shown."""

import re

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from press.handouts.pdf import chapter_pdf, edition_pdfs
from press.handouts.slides import write_deck
from press.handouts.sources import Edition
from press.handouts.tags import elements, numbered
from press.notebook import CHAPTERS, ROOT, Notebook

ADAM, MOMENTUM = "optimizers/adam", "optimizers/momentum"
FOOT = 22 / 25.4 * 72  # points: the lower margin


@pytest.fixture(scope="session")
def editions(site, tmp_path_factory):
    """Both editions, in a folder where what is made of them disturbs nobody."""
    root = tmp_path_factory.mktemp("handouts")
    (root / "_build").mkdir()
    for name in ("_config.yml", "_toc.yml", "_build/html", "_build/.cache"):
        (root / name).symlink_to(ROOT / name)
    return {language: Edition(language, root) for language in ("zh", "en")}


def text(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def entries(outline) -> list:
    """The entries of an outline, without its depth."""
    return [one for entry in outline for one in (entries(entry) if isinstance(entry, list) else [entry])]


def links(page) -> list:
    return [note.get_object() for note in page.get("/Annots", [])]


def check_tags(reader: PdfReader, language: str) -> list:
    """What a screen reader needs: marked, in a language, a tree; returns its elements."""
    root = reader.root_object
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == {"zh": "zh-CN", "en": "en"}[language]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    tree = root["/StructTreeRoot"]
    found = list(elements(tree["/K"]))
    known = {id(one) for one in found}
    parents = dict(numbered(tree["/ParentTree"]))
    assert [*parents] == sorted(parents) and tree["/ParentTreeNextKey"] > max(parents)
    keys = []
    for page in reader.pages:
        keys.append(page["/StructParents"])
        own = parents[keys[-1]]
        assert all(id(one.get_object()) in known for one in own.get_object() if one), "of this page"
        for link in links(page):
            if "/StructParent" in link:
                keys.append(link["/StructParent"])
                parent = parents[keys[-1]].get_object()
                kids = [kid.get_object() for kid in parent["/K"]]
                assert any(isinstance(kid, dict) and "/Obj" in kid and kid["/Obj"] == link for kid in kids)
    assert len(set(keys)) == len(keys)
    names = [one["/ID"] for one in found if "/ID" in one]
    assert len(set(names)) == len(names)
    return found


@pytest.mark.parametrize("language, answers", [("zh", True), ("en", False)])
def test_a_chapter_on_paper(language, answers, editions, browser):
    edition, book = editions[language], Notebook(CHAPTERS / f"{ADAM}.ipynb")
    reader = PdfReader(chapter_pdf(browser, edition, ADAM, answers))
    assert 5 < len(reader.pages) < 60
    assert {tuple(round(side) for side in page.mediabox[2:]) for page in reader.pages} <= {(595, 842), (596, 842)}
    said = text(reader)
    assert not re.search("[\u2e80-\u2fdf]", said), "radicals, which nobody searches for"
    said = "".join(said.split())
    for words in {"zh": ["偏差修正", "指数移动平均", "练习3"], "en": ["biascorrection", "Exercise3"]}[language]:
        assert words in said, words
    told = {"zh": "少一对括号", "en": "Apairofparenthesesismissing"}[language]
    assert (told in said) == answers
    shown = entries(reader.outline)
    headings = book.headings(language)
    assert len(shown) == len(headings)
    assert shown[0].title == edition.label(ADAM)
    plain = [heading for heading in headings[1:] if "$" not in heading and "`" not in heading]
    assert [entry.title for entry in shown if entry.title in plain] == plain
    places = [(reader.get_destination_page_number(entry), -entry.top) for entry in shown[1:]]
    assert places == sorted(places) and places[-1][0] >= len(reader.pages) - 3
    assert all(-top > FOOT + 50 for _, top in places), "a heading stands alone at the foot of a page"
    page_of = {entry.title: page for entry, (page, _) in zip(shown[1:], places)}
    first, second = {"zh": ("推导", "两个平均"), "en": ("Derivation", "Two averages")}[language]
    assert page_of[first] == page_of[second], "nothing stands between these headings"
    running = edition.label(ADAM)
    for number, page in enumerate(reader.pages, 1):
        lines = page.extract_text().splitlines()
        assert str(number) in lines[:3]
        assert (running in " ".join(lines[:3]) and edition.title in " ".join(lines[:3])) == (number > 1)
    first = "".join("".join(reader.pages[0].extract_text().splitlines()[:3]).split())
    assert f"{edition.credit} · CC BY 4.0".replace(" ", "") in first
    assert reader.metadata.title == running and reader.metadata.author == edition.author
    tags = check_tags(reader, language)
    kinds = [one["/S"] for one in tags]
    assert kinds.count("/H1") == 1 and kinds.count("/H2") >= 8 and kinds.count("/TH") > 5
    assert [one for one in tags if one["/S"] == "/Formula" and r"\hat v_t" in one["/Alt"]]
    assert len([one for one in tags if one["/S"] == "/Figure" and one.get("/Alt")]) >= 5
    inside = [note for page in reader.pages for note in links(page)]
    assert sum("/Dest" in note for note in inside) > 20
    assert not [note for note in inside if "/A" in note and not note["/A"]["/URI"].startswith("http")]
    assert not [note for note in inside if "/A" in note and "book.invalid" in note["/A"]["/URI"]]


def test_the_whole_book_on_paper(editions, browser):
    """Of two chapters, as of fifty: title page, contents, page numbers that go on, links between."""
    edition = editions["zh"]
    outline = {"title": edition.title, "parts": [
        {"caption": part["caption"], "lines": pages} for part in edition.parts
        if (pages := [page for page in part["pages"] if page["page"] in (ADAM, MOMENTUM)])
    ]}
    edition = Edition("zh", edition.root)
    vars(edition)["_outline"] = outline
    *_, file = edition_pdfs(browser, edition)
    reader = PdfReader(file)
    labels = reader.page_labels
    front = labels.index("1")
    assert labels[:front] == ["i", "ii"] and labels[-1] == str(len(labels) - front)
    title_page = "".join(reader.pages[0].extract_text().split())
    assert all(one.replace(" ", "") in title_page for one in (edition.title, edition.author, edition.version))
    assert sum(one["/S"] == "/Document" for one in check_tags(reader, "zh")) == 4, "front, part, two chapters"
    part, chapters = entries(reader.outline[:1]), entries(reader.outline)
    assert part[0].title == outline["parts"][0]["caption"] in reader.pages[front].extract_text()
    assert reader.get_destination_page_number(part[0]) == front
    assert len(links(reader.pages[front])) == 2, "the page of the part leads to its chapters"
    starts = {}
    for page in outline["parts"][0]["lines"]:
        entry = next(one for one in chapters if edition.label(page["page"]) == one.title)
        number = reader.get_destination_page_number(entry)
        starts[page["page"]] = number
        listed = reader.pages[1].extract_text()
        assert re.search(rf"{re.escape(edition.label(page['page']))}\s*{labels[number]}\b", listed)
        assert labels[number] in reader.pages[number].extract_text().splitlines()
    to = [note["/Dest"][0].get_object() for page in reader.pages[starts[ADAM]:] for note in links(page) if "/Dest" in note]
    numbers = {reader.get_page_number(page) for page in to}
    assert any(starts[MOMENTUM] <= n < starts[ADAM] for n in numbers), "from one chapter to another"


# --- Slides ------------------------------------------------------------------------------------

TOO_SMALL = """() => [...document.querySelectorAll(".slide")].flatMap((slide) => {
  const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || parent.closest("svg, mjx-container, script, option")) continue;
    const size = parseFloat(getComputedStyle(parent).fontSize) * (parent.currentCSSZoom ?? 1);
    if (size < 23.9) found.push(`${size} px: ${walker.currentNode.data.slice(0, 40)}`);
  }
  return found;
})"""
TOO_LARGE = """() => [...document.querySelectorAll(".slide")].flatMap((slide, i) => {
  const box = slide.querySelector(".body").getBoundingClientRect(), frame = slide.getBoundingClientRect();
  return [...slide.querySelectorAll(".body *")].filter((e) => !e.closest("mjx-assistive-mml, svg *, mjx-c")).filter((e) => {
    const { left, right, top, bottom, width } = e.getBoundingClientRect();
    return width && (left < frame.left - 1 || right > frame.right + 1 || top < box.top - 2 || bottom > box.bottom + 2);
  }).slice(0, 1).map((e) => `${i + 1}: ${e.outerHTML.slice(0, 90)}`);
})"""


@pytest.fixture
def show(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    tab = context.new_page()
    yield tab
    context.close()


def all_slides(tab: Page) -> int:
    """Lay all of them out, one below the other."""
    tab.evaluate("document.documentElement.classList.add('measuring')")
    return tab.locator(".slide").count()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_slides(language, editions, show, browser):
    making = browser.new_page()
    file = write_deck(making, editions[language], ADAM)
    making.close()
    wrong: list[str] = []
    show.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
    show.on("pageerror", lambda error: wrong.append(str(error)))
    show.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    show.goto(file.as_uri())
    show.wait_for_selector("[data-slides=ready]")
    count = show.locator(".slide").count()
    sections = [heading for heading in Notebook(CHAPTERS / f"{ADAM}.ipynb").headings(language)]
    assert count > len(sections) / 2
    assert show.locator("figure.slider").count() and show.locator(".figure").count() >= 5
    assert show.locator(".claim").count() >= 5 and show.locator(".math .eqno").count() >= 5

    now = "[...document.querySelectorAll('.slide')].findIndex(e => e.classList.contains('now')) + 1"
    for key, place in (("ArrowRight", 2), (" ", 3), ("ArrowLeft", 2), ("End", count), ("PageDown", count), ("Home", 1)):
        show.keyboard.press(key)
        assert show.evaluate(now) == place, key
        assert show.locator(".slide:visible").count() == 1
        assert show.locator("nav output").inner_text() == f"{place} / {count}"
    show.goto(f"{file.as_uri()}#4")
    show.wait_for_function(f"{now} === 4")

    light = show.evaluate("getComputedStyle(document.body).backgroundColor")
    show.keyboard.press("d")
    assert show.evaluate("getComputedStyle(document.body).backgroundColor") != light
    for whole in (True, False):
        show.keyboard.press("f")
        show.wait_for_function("whole => Boolean(document.fullscreenElement) === whole", arg=whole)

    number = show.evaluate("""[...document.querySelectorAll('.slide')]
      .findIndex(e => e.querySelector('figure.slider'))""") + 1
    show.evaluate(f"go({number - 1})")
    knob = show.locator("figure.slider input[type=range]").first
    knob.focus()
    seen = []
    for key in ("Home", "End", "ArrowLeft"):
        show.keyboard.press(key)
        show.wait_for_timeout(60)
        seen.append(show.locator("figure.slider svg").first.evaluate("e => e.outerHTML"))
    assert len(set(seen)) == 3 and show.evaluate(now) == number, "the keys are the knob's"
    show.keyboard.press("Escape")
    show.keyboard.press("ArrowRight")
    assert show.evaluate(now) == number + 1

    all_slides(show)
    assert show.evaluate(TOO_SMALL) == []
    assert show.evaluate(TOO_LARGE) == []
    show.evaluate("document.documentElement.classList.remove('measuring')")
    printed = file.with_suffix(".pdf")
    show.pdf(path=printed, prefer_css_page_size=True, print_background=True)
    assert len(PdfReader(printed).pages) == count
    assert wrong == []


def test_a_tall_figure_stands_beside_its_heading(editions, show, browser):
    making = browser.new_page()
    file = write_deck(making, editions["en"], "optimizers/unified-view")
    making.close()
    show.goto(file.as_uri())
    show.wait_for_selector("[data-slides=ready]")
    all_slides(show)
    assert show.locator(".figure:not(.tall)").count()
    assert show.evaluate(TOO_LARGE) == [] == show.evaluate(TOO_SMALL)
    for slide in show.locator(".tall").all():
        picture, heading, caption = (
            slide.locator(part).bounding_box() for part in ("svg.plot", "header", "figcaption"))
        assert picture["height"] > 660, "of 720"
        assert picture["x"] + picture["width"] <= min(heading["x"], caption["x"])
        assert heading["y"] + heading["height"] <= caption["y"]
