"""What links to other pages lead to, in the page itself, for ``theme/previews.js`` to show.

Hover over the number of another chapter's equation, over a term, or over a link to a chapter, and
see what it is. Nothing is fetched, so that it works from disk: a chapter's page has what its own
links lead to, each once, in a ``<template>``, which is neither read nor searched.

What can be shown of a page is noted when it is read (`note`): its equations, its claims, what it
is in one line. Terms are marked here too (`mark_terms`): in the paragraph in which the book first
uses one, it is a link to its entry in the glossary. A page is written again when what it shows of
others has changed (`outdated`).
"""

import hashlib
import html
import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from .claims import claim
from .numbers import chapter_number
from .plain import first_paragraph, readable, shorten

#: Lines of a card that say where a thing is from; the next one says what it is.
SOURCES = {"Paper", "Papers", "Source", "Sources", "论文", "出处"}

#: Where a paragraph stands that is read as one.
PROSE = nodes.section | nodes.list_item | claim


class brought(nodes.General, nodes.Element):
    """What a link leads to; ``target`` is the link's address, as it stands in the page."""


# -- What can be shown of a page


def note(app: Sphinx, doctree: nodes.document) -> None:
    """Note what other pages may show of this one, by its address there."""
    places: dict[str, nodes.Element] = {}
    for equation in doctree.findall(nodes.math_block):
        for anchor in equation["ids"]:
            places[anchor] = formula(equation)
    for box in doctree.findall(claim):
        if "made" not in box.parent["classes"]:
            places[box["ids"][0]] = claim("", *map(paragraph, box), verdict=box["verdict"])
    places[""] = in_one_line(doctree)
    app.env.metadata[app.env.docname]["shown"] = places


def in_one_line(doctree: nodes.document) -> nodes.paragraph:
    """What a chapter is about, as its card says it, or how a page begins."""
    card = doctree.next_node(nodes.table)
    rows = [[*row.findall(nodes.entry)] for row in card.findall(nodes.row)] if card else []
    for before, row in zip(rows, rows[1:]):
        if before[0].astext().strip() in SOURCES:
            label = nodes.inline("", row[0].astext().strip(), classes=["where"])
            return nodes.paragraph("", "", label, nodes.Text(" "), *bare(row[1]))
    return nodes.paragraph("", shorten(first_paragraph(doctree), 160))


def bare(node: nodes.Node) -> Iterator[nodes.Node]:
    """Text as it can stand on any page: words, formulas and code, without links and notes."""
    if isinstance(node, nodes.Text):
        yield nodes.Text(node.astext())
    elif isinstance(node, nodes.math | nodes.literal):
        yield type(node)("", node.astext())
    elif isinstance(node, nodes.strong):
        yield nodes.strong("", "", *(one for child in node.children for one in bare(child)))
    elif not isinstance(node, nodes.footnote_reference):
        for child in node.children:
            yield from bare(child)


def paragraph(node: nodes.Node) -> nodes.Element:
    if isinstance(node, nodes.math_block):
        return formula(node)
    return nodes.paragraph("", "", *bare(node))


def formula(node: nodes.math_block) -> nodes.math_block:
    tex = node.astext()
    return nodes.math_block(tex, tex, number=None, nowrap=node.get("nowrap", False))


# -- Terms


def glossary(app: Sphinx) -> tuple[str, dict[str, dict]]:
    """The glossary's page and its terms, by their address there (`press.backmatter.terms`)."""
    pages = ((page, known["terms"]) for page, known in app.env.metadata.items() if "terms" in known)
    return next(pages, ("", {}))


def spelled(form: str) -> str:
    r"""The pattern of one form of a term.

    >>> [bool(re.search(spelled(form), text)) for form, text in [
    ...     ("learning rate", "Learning-rates"), ("norm", "normal"), ("KL 散度", "KL散度")]]
    [True, False, True]
    """
    words = [re.escape(word) for word in re.split(r"[-–\s]+", form)]
    if not form.isascii():
        return r"\s*".join(words)
    said = r"[-–\s]+".join(words)
    return rf"\b(?:{said})s?\b" if form.isupper() else rf"\b(?i:{said})(?:s|es)?\b"


def due_on(app: Sphinx, docname: str) -> dict[str, str | None]:
    """The terms that the book first uses on this page, and the place there."""
    _, terms = glossary(app)
    return {name: term["anchor"] for name, term in terms.items() if term["page"] == docname}


def mark_terms(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Where the book first uses a term, the term leads to the glossary."""
    page, terms = glossary(app)
    due = due_on(app, docname)
    if not due:
        return
    # The longest form counts, so that the entropy in cross-entropy is none.
    forms = [(form, name) for name, term in terms.items() for form in term["forms"]]
    forms.sort(key=lambda pair: -len(pair[0]))
    pattern = re.compile("|".join(f"({spelled(form)})" for form, _ in forms))
    # To look for every form everywhere took a third of the build: most texts have none that is due.
    any_due = re.compile("|".join(spelled(form) for form, name in forms if name in due))
    uri, begun = app.builder.get_relative_uri(docname, page), {None}
    for node in list(doctree.findall(nodes.Element)):
        if isinstance(node, nodes.section):
            begun.update(node["ids"])
        elif isinstance(node, nodes.paragraph) and isinstance(node.parent, PROSE):
            for text in [*filter(in_words, node.findall(nodes.Text))]:
                if not due:
                    return
                if not any_due.search(text):
                    continue
                done, found = 0, []
                for match in pattern.finditer(text):
                    name = forms[match.lastindex - 1][1]
                    if name in due and due[name] in begun:
                        del due[name]
                        link = nodes.reference(
                            "", match[0], refuri=f"{uri}#{name}", internal=True, classes=["term"]
                        )
                        found += [nodes.Text(text[done : match.start()]), link]
                        done = match.end()
                if found:
                    text.parent.replace(text, [*found, nodes.Text(text[done:])])


def in_words(text: nodes.Text) -> bool:
    """Whether a text is a word among others, and no link, formula or code."""
    inside = text.parent
    while isinstance(inside, nodes.emphasis | nodes.strong):
        inside = inside.parent
    return isinstance(inside, nodes.paragraph)


# -- What a page refers to


def bring(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Put into a chapter's page what its links lead to on other pages."""
    found: dict[str, brought] = {}
    context["brought"] = ""
    if doctree is None:
        return
    links = (link.get("refuri", "") for link in doctree.findall(nodes.reference))
    links = links if chapter_number(app, pagename) else ()
    places = {one: place(pagename, one) for one in links if one[:1] != "#"}
    for address, there in places.items():
        if shown := preview(app, *there):
            found[address] = brought("", *shown, target=address)
    if found:
        whole = nodes.container("", *found.values())
        context["brought"] = app.builder.render_partial(whole)["fragment"]
    inside = [there for there in places.values() if there[0] in app.env.found_docs]
    file = Path(app.doctreedir, f"{pagename}.previews")
    file.write_text(json.dumps([inside, shown_on(app, pagename, inside)]), encoding="utf-8")


def place(pagename: str, address: str) -> tuple[str, str]:
    """The page and the place there that an address leads to, as it stands on a page.

    >>> place("losses/ranking", "../optimizers/adam.html#card")
    ('optimizers/adam', 'card')
    """
    page, _, anchor = address.partition("#")
    name = posixpath.normpath(posixpath.join(posixpath.dirname(pagename), page))
    return name.removesuffix(".html"), anchor


def preview(app: Sphinx, name: str, anchor: str) -> list[nodes.Element]:
    """What to show of a place in the book, if anything."""
    known, number = app.env.metadata.get(name, {}), chapter_number(app, name)
    if term := known.get("terms", {}).get(anchor):
        title = nodes.paragraph("", "", nodes.strong("", term["name"]))
        if app.config.book_edition == "zh":  # whose readers meet the English word too
            title += [nodes.Text(" "), nodes.inline("", term["twin"], classes=["where"])]
        return [title, nodes.paragraph("", term["is"])]
    if not (number and "shown" in known):
        return []
    title = f"{number} {readable(app.env.titles[name])}"
    if anchor in known["shown"] and anchor:
        return [known["shown"][anchor].deepcopy(), nodes.paragraph("", title, classes=["where"])]
    sections = {ref["anchorname"].lstrip("#"): readable(ref)
                for ref in app.env.tocs[name].findall(nodes.reference)}  # fmt: skip
    title += f" › {sections[anchor]}" if sections.get(anchor) and anchor else ""
    return [nodes.paragraph("", "", nodes.strong("", title)), known["shown"][""].deepcopy()]


# -- Which pages to write again


def shown_on(app: Sphinx, pagename: str, places: Iterable[Iterable[str]]) -> str:
    """The state of what a page shows of these places, and of the glossary."""
    shown = [node.pformat() for there in places for node in preview(app, *there)]
    due = due_on(app, pagename)
    forms = [term["forms"] for term in glossary(app)[1].values()] if due else []
    return hashlib.sha256(repr([shown, due, forms]).encode()).hexdigest()


def outdated(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The pages that show what others no longer say; Sphinx would write only those read again."""
    found = []
    for page in env.found_docs:
        file = Path(app.doctreedir, f"{page}.previews")
        if file.exists():
            places, before = json.loads(file.read_text(encoding="utf-8"))
            found += [page] if shown_on(app, page, places) != before else []
    return found


def _open(translator, node: brought) -> None:
    translator.body.append(f'<template data-for="{html.escape(node["target"])}">')


def _close(translator, node: brought) -> None:
    translator.body.append("</template>\n")


def setup(app: Sphinx) -> dict:
    app.add_node(brought, html=(_open, _close))
    app.connect("doctree-read", note)
    app.connect("doctree-resolved", mark_terms, priority=501)  # after the links are there
    app.connect("env-updated", outdated)
    app.connect("html-page-context", bring)  # before the frame asks what the page needs
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
