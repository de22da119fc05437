"""See `press.handouts`."""

import argparse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import Browser

from ..bilingual import TWIN
from ..notebook import ROOT
from .chromium import tabs
from .pdf import chapter_pdf, edition_pdfs
from .slides import write_deck
from .sources import Edition


def made(browser: Browser, edition: Edition, arguments: argparse.Namespace) -> Iterator[Path]:
    """Make what is asked for, file by file."""
    if arguments.kind == "slides":
        tab = browser.new_page(color_scheme="light")
        for name in [arguments.chapter] if arguments.chapter else edition.pages:
            yield write_deck(tab, edition, name)
    elif arguments.chapter:
        yield chapter_pdf(browser, edition, arguments.chapter, not arguments.without_answers)
    else:
        yield from edition_pdfs(browser, edition, not arguments.without_answers)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make PDFs or slides of the built book.")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of _config.yml")
    parser.add_argument("--baseurl", default="", help="address at which the book is published")
    parser.add_argument("--chapter", default="", help="part/name; without it, all of them")
    parser.add_argument("--edition", choices=[*TWIN], help="without it, both")
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("slides", help="_build/slides: an HTML file for each chapter")
    paper = kinds.add_parser("pdf", help="_build/pdf: every chapter, and the book")
    paper.add_argument("--without-answers", action="store_true", help="leave the answers out")
    arguments = parser.parse_args()

    def make(language: str) -> None:
        edition = Edition(language, arguments.root.resolve(), arguments.baseurl)
        if arguments.chapter and arguments.chapter not in edition.pages:
            raise ValueError(f"There is no chapter {arguments.chapter} (as it stands in _toc.yml).")
        with tabs() as browser:
            for file in made(browser, edition, arguments):
                size = file.stat().st_size / 1e6
                print(f"{file.relative_to(edition.root)}  {size:.1f} MB", flush=True)

    with ThreadPoolExecutor() as pool:  # each edition has a browser of its own
        try:
            list(pool.map(make, [arguments.edition] if arguments.edition else TWIN))
        except (FileNotFoundError, ValueError) as error:
            raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
