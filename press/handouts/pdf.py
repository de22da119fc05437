"""The book on paper: each page of it, and the whole of an edition with title page and contents."""

from collections.abc import Iterator
from pathlib import Path

import jinja2
from playwright.sync_api import Browser, Page

from ..words import TAGS, words
from .binding import NOWHERE, Printed, bind
from .chromium import opened
from .sources import Edition

HERE = Path(__file__).parent
PAPER = {"width": 658, "height": 900}  # px: what A4 leaves between the margins of print.css
PLAIN = "search"  # the page whose frame title pages are printed in: it has the least beside it


class Printer:
    """A tab that prints pages of an edition."""

    def __init__(self, browser: Browser, edition: Edition, answers: bool) -> None:
        self.edition, self.answers = edition, answers
        context = browser.new_context(viewport=PAPER, color_scheme="light", reduced_motion="reduce")
        self.tab: Page = context.new_page()
        self.tab.emulate_media(media="print")

    def lay_out(self, name: str, numerals: str = "decimal", body: str = "") -> None:
        """Open a page and make it what is printed; `body` stands in place of its article."""
        edition = self.edition
        opened(self.tab, self.edition.file(name))
        if body:
            self.tab.locator("article").evaluate("(it, body) => { it.innerHTML = body }", body)
        self.tab.add_style_tag(path=HERE / "print.css")
        self.headings = self.tab.evaluate(
            (HERE / "print.js").read_text(encoding="utf-8"),
            {"answers": self.answers, "numerals": numerals, "nowhere": NOWHERE,
             "running": edition.title, "chapter": "" if body else edition.label(name),
             "credit": f"{edition.credit} · CC BY 4.0"},
        )  # fmt: skip
        if not body:  # in the outline a chapter has its number
            self.headings[0][2] = edition.label(name)

    def print(self, name: str, first: int = 1) -> Printed:
        """What is laid out, as PDF whose pages are numbered from `first`."""
        self.tab.add_style_tag(content=f"html {{ counter-reset: page {first - 1}; }}")
        pdf = self.tab.pdf(prefer_css_page_size=True, print_background=True, tagged=True)
        return Printed(name, pdf, self.headings)


def chapter_pdf(browser: Browser, edition: Edition, name: str, answers: bool = True) -> Path:
    """Print one page of an edition."""
    printer = Printer(browser, edition, answers)
    printer.lay_out(name)
    return _write(edition, name, answers, [(None, [printer.print(name)])], edition.label(name))


def edition_pdfs(browser: Browser, edition: Edition, answers: bool = True) -> Iterator[Path]:
    """Print every page of an edition, then the whole."""
    printer = Printer(browser, edition, answers)
    parts: list[tuple[str | None, list[Printed]]] = []
    listed, first = [], 1
    for part in edition.parts:
        caption, names = part["caption"], [entry["page"] for entry in part["pages"]]
        chapters = [
            {"label": edition.label(name), "address": f"{NOWHERE}{name}.html"} for name in names
        ]
        parts.append((caption, []))
        listed.append({"caption": caption, "chapters": chapters})
        if caption:
            printer.lay_out(PLAIN, body=_filled("part.html", caption=caption, chapters=chapters))
            parts[-1][1].append(printer.print(caption, first))
            first += 1
        for name, entry in zip(names, chapters):
            label = edition.label(name)
            printer.lay_out(name)
            yield _write(edition, name, answers, [(None, [printer.print(name)])], label)
            parts[-1][1].append(chapter := printer.print(name, first))
            entry["page"] = first
            first += chapter.length
    printer.lay_out(PLAIN, "lower-roman", _front(edition, listed, answers))
    yield _write(edition, "book", answers, parts, edition.title, printer.print("front"))


def _filled(template: str, **values) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template(template).render(values)


def _front(edition: Edition, parts: list[dict], answers: bool) -> str:
    """The title page and the contents."""
    return _filled(
        "front.html", title=edition.title, author=edition.author, version=edition.version,
        parts=parts, answers=answers, base=edition.base,
        about=words("landing", edition.language)["about"],
        words=words("page", edition.language) | words("handouts", edition.language),
    )  # fmt: skip


def _write(edition: Edition, name: str, answers: bool, parts, title: str, front=None) -> Path:
    target = edition.target("pdf", f"{name}{'' if answers else '-without-answers'}.pdf")
    writer = bind(parts, title, edition.author, TAGS[edition.language], edition.base, front)
    writer.write(target)
    return target
