"""What stands beside the two editions: landing pages, the page for wrong addresses, sitemap, feeds.

Some of it must name the site by its full address. That is ``html.baseurl``; while it is empty,
nothing that needs it is written, rather than something wrong.
"""

import datetime
import re
from pathlib import Path

import jinja2
import yaml
from bs4 import BeautifulSoup

from minigrad.lab.claims import VERDICTS

from . import figures
from .bilingual import TWIN, in_language
from .cite import bibtex, citation, released
from .editions import THEME
from .notebook import Notebook
from .pages import mistakes
from .words import TAGS, one_language, words

NEWS = 3  # entries on the landing page; the feed has all


def changes(root: Path) -> list[dict]:
    """The entries of ``chapters/news.yml``, newest first; none if there is no such file.

    Raises:
        ValueError: an entry lacks its date or a language, or has those of another; or the dates
            are not in order.
    """
    file = root / "chapters" / "news.yml"
    entries = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else []
    for entry in entries:
        dated = isinstance(entry.get("date"), datetime.date)
        if not (dated and entry.get("zh") and entry.get("en")):
            raise ValueError(f"news.yml: needs date (YYYY-MM-DD), zh and en, got {entry}")
        entry.setdefault("page", "index")
    dates = [entry["date"] for entry in entries]
    if len({(entry["date"], entry["page"]) for entry in entries}) < len(entries):
        raise ValueError("news.yml: two entries have the same date and page; make them one")
    if dates != sorted(dates, reverse=True):
        raise ValueError(f"news.yml: the newest entry comes first, got {[*map(str, dates)]}")
    return entries


def orders(root: Path, outlines: dict) -> list[dict]:
    """The orders of reading of ``chapters/orders.yml``, each with its lines of the contents."""
    file = root / "chapters" / "orders.yml"
    found = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else []
    lines = {
        language: {line["page"]: line for part in outline["parts"] for line in part["lines"]}
        for language, outline in outlines.items()
    }
    for order in found:
        order["lines"] = {
            language: [known[page] for page in order["chapters"]]
            for language, known in lines.items()
        }
    return found


def slider_of(root: Path, config: dict) -> dict | None:
    """What moves on the first page: the first slider of the chapter that ``_config.yml`` names."""
    page = config["sphinx"]["config"].get("book_slider")
    if not page:
        return None
    for html in Notebook(root / "chapters" / f"{page}.ipynb").sliders:
        figure = BeautifulSoup(html, "html.parser").select_one("figure.slider")
        return {"html": str(figure), "page": page, "id": figure["id"]}
    raise ValueError(f"_config.yml: book_slider names {page}, which has no slider")


def claims_of(root: Path, config: dict) -> list[dict]:
    """The claims that ``_config.yml`` names for the first page, as ``chapter#claim-name``."""
    shown = []
    for place in config["sphinx"]["config"].get("book_claims") or ():
        page, _, anchor = place.partition("#claim-")
        found = [one for one in Notebook(root / "chapters" / f"{page}.ipynb").claims
                 if one.name == anchor]  # fmt: skip
        if not found or re.search(r"[$`\[]", found[0].zh + found[0].en):
            raise ValueError(f"_config.yml: book_claims names {place}, which is no plain sentence")
        verdict = VERDICTS[found[0].verdict]
        shown.append({
            "place": f"{page}.html#claim-{anchor}", "verdict": found[0].verdict,
            "zh": (verdict["zh"], found[0].zh),
            "en": (verdict["en"], re.sub(r"(?<=\w)'", "’", found[0].en)),
        })  # fmt: skip
    return shown


def counts(out: Path) -> dict[str, int]:
    """How many claims of each verdict the ledger has, and of all."""
    ledger = out / "zh" / "back" / "claims.html"
    text = ledger.read_text(encoding="utf-8") if ledger.exists() else ""
    found = re.findall(r'data-verdict="(\w+)"', text)
    return {verdict: found.count(verdict) for verdict in VERDICTS} | {"all": len(found)}


def _in_page(shown: str, language: str | None = None) -> str:
    """A slider as a part of a page in one language, or in both."""
    shown = in_language(shown, language) if language else shown
    return figures.inline(figures.in_edition(shown, language))


def publish(root: Path, out: Path, config: dict, outlines: dict) -> None:
    """Write what stands beside the editions in ``out``; see `press.build.outline`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(THEME / "templates"), autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    for left in filter(Path.is_file, out.iterdir()):
        left.unlink()
    base = config["html"]["baseurl"].rstrip("/")
    news, slider = changes(root), slider_of(root, config)

    author = {language: one_language(config["author"], language) for language in TWIN}
    said = {language: words("page", language) | words("landing", language) for language in TWIN}

    def write(template: str, target: str, **context) -> None:
        page = environment.get_template(template).render(
            base=base, editions=outlines, words=said, tags=TAGS, author=author, **context
        )
        (out / target).write_text(page, encoding="utf-8")

    repository = config["repository"]["url"].rstrip("/")
    cited = {
        language: citation(root) and bibtex(
            citation(root), "", title=outlines[language]["title"],
            url=base and f"{base}/{language}/index.html",
        )
        for language in TWIN
    }  # fmt: skip
    common = {
        "orders": orders(root, outlines), "news": news[:NEWS], "repository": repository,
        "claims": claims_of(root, config), "counts": counts(out),
        "cite": cited, "released": released(root), "edit": None,
        "mistake": mistakes(repository, ""),
    }  # fmt: skip
    for own, other in TWIN.items():
        write(
            "landing.html", f"{own}/index.html", shown=[own],
            prefix={own: "", other: f"../{other}/"},
            slider=slider and slider | {"html": _in_page(slider["html"], own)}, **common,
        )
    write(
        "landing.html", "index.html", shown=[*TWIN],
        slider=slider and slider | {"html": _in_page(slider["html"])},
        prefix={language: f"{language}/" for language in TWIN}, **common,
    )
    write("404.html", "404.html", missing={lang: words("missing", lang) for lang in TWIN})
    (out / "_up").mkdir(exist_ok=True)
    for depth in range(5):  # see the template
        (out / "_up" / f"{depth}.css").write_text(f".up{depth} {{ display: block !important; }}\n")
    write("robots.txt", "robots.txt")
    (out / ".nojekyll").touch()  # Pages would leave out folders that begin with an underscore
    if base:
        pages = ["index", *outlines["en"]["pages"]]
        write("sitemap.xml", "sitemap.xml", pages=pages)
        for language in TWIN:
            if news:
                write("feed.xml", f"{language}/feed.xml", language=language, news=news)
