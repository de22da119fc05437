"""What may be wrong with a built book: functions that look at its files and say it in words.

Tests call them on the whole book and on small ones, and plant faults that they must notice.
"""

import re
from functools import cache, lru_cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

from bs4 import BeautifulSoup
from pybtex.database import parse_file

from minigrad.lab.claims import VERDICTS

from .backmatter.reference import public, public_modules
from .backmatter.terms import alphabetical
from .bilingual import TWIN
from .glossary import glossary
from .markdown import citations
from .notebook import Notebook, claims, notebooks

# -- Pages, parsed once


@lru_cache(maxsize=16)  # large pages, each linked to from many lines; not to be changed
def _parsed(path: Path, changed: int) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def parsed(path: Path) -> BeautifulSoup:
    return _parsed(path, path.stat().st_mtime_ns)


def page(site: Path, address: str) -> BeautifulSoup:
    return parsed(site / address)


def target(site: Path, address: str, link):
    """The element that a link on a page leads to, or None."""
    file, anchor = urldefrag(urljoin((site / address).as_uri(), link["href"]))
    there = Path(unquote(file.removeprefix("file://")))
    if not there.is_file():
        return None
    return parsed(there).find(id=anchor) if anchor else parsed(there).article


# -- The back matter


def missing_claims(site: Path, chapters: Path) -> list[str]:
    """Claims that the ledger lacks, shows with another verdict, or does not link to."""
    found = []
    for edition in TWIN:
        address = f"{edition}/back/claims.html"
        ledger = page(site, address)
        for claim in claims(chapters):
            shown = ledger.find(id=f"claim-{claim.name}")
            if shown is None:
                found.append(f"{edition}: claim {claim.name} is missing")
            elif (
                shown["data-verdict"] != claim.verdict
                or not shown.strong.text == (VERDICTS[claim.verdict][edition])
            ):
                found.append(f"{edition}: claim {claim.name} has the wrong verdict")
            else:
                there = target(site, address, shown.select("a:not(.headerlink)")[-1])
                if there is None or there.get("id") != f"claim-{claim.name}":
                    found.append(f"{edition}: claim {claim.name} links to nothing")
        counts = [int(number.text) for number in ledger.select(".verdicts b")]
        verdicts = [claim.verdict for claim in claims(chapters)]
        if counts != [len(verdicts), *map(verdicts.count, VERDICTS)]:
            found.append(f"{edition}: the numbers of verdicts are {counts}")
    return found


def missing_terms(site: Path) -> list[str]:
    """Terms of the glossary that its page lacks or does not explain, and terms out of order."""
    found = []
    for edition in TWIN:
        names = page(site, f"{edition}/back/glossary.html").select(".terms dt")
        straight = lambda element: element.text.replace("’", "'")  # noqa: E731
        shown = {(straight(name.strong), straight(name.span)): straight(name.find_next("dd"))
                 for name in names}  # fmt: skip
        for row in glossary():
            if (pair := (row[edition], row[TWIN[edition]])) not in shown:
                found.append(f"{edition}: the term {row['en']} is missing")
            elif row[f"is_{edition}"] not in shown[pair]:
                found.append(f"{edition}: the term {row['en']} is not explained")
        order = [alphabetical(name, edition) for name, _ in shown]
        if order != sorted(order):
            found.append(f"{edition}: the terms are not in order")
    return found


def undocumented(site: Path) -> list[str]:
    """Public names without an entry in the reference (signature, words, a link to the source), or
    without a line of its index that leads there."""
    found = []
    for edition in TWIN:
        pages = [parsed(path) for path in sorted((site / edition / "back").glob("api*.html"))]
        entries = {one["id"]: one.parent for page in pages for one in page.select("dt.sig[id]")}
        address = f"{edition}/back/api.html"
        links = parsed(site / address).select(".names dt a")
        index = [target(site, address, link) for link in links]
        indexed = {entry.get("id") for entry in index if entry}
        for module in public_modules().values():
            for name, home in public(module).items():
                entry = entries.get(home)
                if entry is None:
                    found.append(f"{edition}: {module.__name__}.{name} has no entry {home}")
                elif home not in indexed:
                    found.append(f"{edition}: {home} is not in the index")
                elif len(entry.dd.text) < 20 or not entry.select("dt .viewcode-link"):
                    found.append(f"{edition}: {home} is not described")
    return found


def bibliography_faults(root: Path) -> list[str]:
    """References that no chapter cites, and citations of none."""
    known = set(parse_file(str(root / "chapters" / "references.bib"), "bibtex").entries)
    cited = {
        key for path in notebooks(root / "chapters") for _, text in Notebook(path).source("en")
        for key in citations(text)
    }  # fmt: skip
    return [f"{key} is cited nowhere" for key in sorted(known - cited)] + [
        f"{key} is cited but not in references.bib" for key in sorted(cited - known)
    ]


def missing_works(site: Path, root: Path) -> list[str]:
    """Works that the bibliography lacks, or that do not say who cites them."""
    found = []
    for edition in TWIN:
        works = page(site, f"{edition}/back/bibliography.html")
        for key in parse_file(str(root / "chapters" / "references.bib"), "bibtex").entries:
            work = works.find(id=key)
            if work is None or not work.select(".cited a"):
                found.append(f"{edition}: {key} is missing, or does not say where it is cited")
    return found


# -- Links


class Outline(HTMLParser):
    """The ids of a page, and its links: far quicker than a tree of the whole page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[tuple[str, dict]] = []
        # What a formula is drawn by is the half of a page, and has neither.
        self.feed(re.sub("(?s)(<mjx-container[^>]*>).*?(?=</mjx-container>)", r"\1", text))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if "href" in attributes or "src" in attributes:
            self.links.append((tag, attributes))

    handle_startendtag = handle_starttag


@cache
def outline(path: Path) -> Outline:
    return Outline(path.read_text(encoding="utf-8"))


def broken_links(site: Path, base: str = "") -> list[str]:
    """Links and sources in the site's pages that lead nowhere, or out of the site for a resource.

    What begins with ``base``, where the site is published, is a link within it.
    """
    broken = []
    for path in sorted(site.rglob("*.html")):
        ids = outline(path).ids
        broken += [f"{path.name}: two elements with id {i}" for i in set(ids) if ids.count(i) > 1]
        for tag, attributes in outline(path).links:
            target = attributes.get("href") or attributes.get("src") or ""
            if path == site / "404.html" and target.startswith("../"):
                continue  # for addresses further down, see its template
            if base and target.startswith(f"{base}/"):
                target = f"{site.as_uri()}{target.removeprefix(base)}"
            elif target.startswith(("data:", "mailto:")) or re.match(r"[a-z]+:|//", target):
                if tag != "a" and not target.startswith("data:"):
                    broken.append(f"{path.relative_to(site)}: outside resource {target}")
                continue
            file, anchor = urldefrag(urljoin(path.as_uri(), target))
            there = Path(unquote(file.removeprefix("file://").split("?")[0]))
            there = there / "index.html" if there.is_dir() else there
            if not there.is_file():
                broken.append(f"{path.relative_to(site)}: no file {target}")
            elif anchor and there.suffix == ".html" and unquote(anchor) not in outline(there).ids:
                broken.append(f"{path.relative_to(site)}: no anchor {target}")
    return broken


def unlinked(site: Path) -> list[str]:
    """Pages to which no other leads; a form leads to the search."""
    pages = sorted({*site.rglob("*.html")} - {site / "index.html"})
    led: set[str] = set()
    for path in pages:
        links = (attributes.get("href", "") for _, attributes in outline(path).links)
        led |= {urldefrag(urljoin(path.as_uri(), link))[0] for link in links} - {path.as_uri()}
    return [path.relative_to(site).as_posix() for path in pages
            if path.as_uri() not in led and path.stem not in ("404", "search")]  # fmt: skip


# -- The two languages


def words_of(text: str) -> set[tuple[str, ...]]:
    """Six English words in a row, or ten Han characters: enough to tell whose sentence it is."""
    text = re.sub(r"\$[^$]*\$|`[^`]*`|\{[^}]*\}|\(http[^)]*\)", " | ", text)
    latin = re.findall(r"[A-Za-z]+|[^\sA-Za-z]+", text)
    runs = {tuple(latin[i : i + 6]) for i in range(len(latin) - 5)}
    han = {(run[i : i + 10],) for run in re.findall(r"[\u4e00-\u9fff]{10,}", text)
           for i in range(len(run) - 9)}  # fmt: skip
    return {run for run in runs if all(word.isalpha() and word.isascii() for word in run)} | han


@lru_cache(maxsize=2)
def _own_words(book: Notebook, language: str) -> set[tuple[str, ...]]:
    kept = Notebook(book.path, book.edition(language))
    prose = [cell.source for _, cell in kept.cells]
    shown = "\n".join(html for _, html in kept.outputs("text/html"))
    return words_of("\n".join(prose + re.split(r"<[^>]*>", shown)))


def foreign_words(book: Notebook, edition: str, text: str) -> set[tuple[str, ...]]:
    """Sentences of the other language that are found in a page's text."""
    return (_own_words(book, TWIN[edition]) - _own_words(book, edition)) & words_of(text)
