"""The contents beside every page, and where its previous and its next page lead."""

import re

from sphinx.application import Sphinx

from .bilingual import TWIN
from .contents import Entry, Part, outline
from .plain import plain_tex, readable
from .words import words


def title(app: Sphinx, entry: Entry) -> str:
    return entry.title or readable(app.env.titles[entry.name])


def twin(app: Sphinx, entry: Entry) -> str:
    """A title in the other language, by which it can be found too; chapters have one."""
    heading = app.env.metadata[entry.name].get("headings", {}).get(TWIN[app.config.book_edition])
    plain = re.sub(r"\$([^$]+)\$", lambda formula: plain_tex(formula[1]), heading or "")
    return "" if entry.title else re.sub(r"[`*]", "", plain)


def list_parts(app: Sphinx, page: str) -> list[dict]:
    """The contents for the templates: parts with lines, those of `page` marked."""
    parts = []
    for part in outline(app.config.external_site_map, app.config.book_edition):
        lines = [
            {"page": entry.name, "number": entry.number, "title": title(app, entry),
             "twin": twin(app, entry), "planned": entry.title, "here": entry.name == page,
             "link": app.builder.get_relative_uri(page, entry.name) or "#"}
            for entry in part.entries
        ]  # fmt: skip
        here = any(line["here"] for line in lines)
        parts.append({"caption": caption(part), "lines": lines, "here": here})
    return parts


def neighbour(app: Sphinx, page: str, step: int) -> dict | None:
    """The written page before (−1) or after (1) a page, and in words what it is."""
    said = words("page", app.config.book_edition)
    parts = outline(app.config.external_site_map, app.config.book_edition)
    pages = [(part, entry) for part in parts for entry in part.entries if not entry.title]
    place = next((i for i, (_, entry) in enumerate(pages) if entry.name == page), None)
    if place is None or not 0 <= place + step < len(pages):
        return None
    (here, _), (part, entry) = pages[place], pages[place + step]
    way = "next" if step > 0 else "previous"
    kind = "chapter" if part is here and part.number else "part" if part.number else "page"
    there = caption(part) if part is not here else ""
    return {
        "what": " · ".join(filter(None, [said[f"{way}_{kind}"], there])),
        "link": app.builder.get_relative_uri(page, entry.name),
        "title": f"{entry.number} {title(app, entry)}".strip(),
    }  # fmt: skip


def caption(part: Part) -> str:
    return f"{part.number or ''} {part.caption}".strip()


def fill(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    context["parts"] = list_parts(app, pagename)
    context["turn"] = {
        way: neighbour(app, pagename, step) for way, step in (("prev", -1), ("next", 1))
    }


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", fill, priority=901)
    app.add_css_file("contents.css")
    for script in ("contents.js", "find.js"):
        app.add_js_file(script, loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
