"""Full-text search that understands Chinese and loads only what a question needs.

Chinese is written without spaces, so it is indexed by pairs of neighbouring characters, and a
question is cut up in the same way: 优化器 becomes 优化 化器, and a section that has both is about
优化器. No dictionary is needed, and none can be wrong. (The last character of a run stands alone
too, so that every character begins an entry.)

Beside the pages lies ``_search/``, all scripts, so that a book opened from disk can be searched:
``places.js``, the titles of pages and sections; ``w0.js`` …, where each word stands, cut up by how
words begin; ``t0.js`` …, the sections' text; ``numbers.js``, what is called 8.7.3;
``spellings.js``, for a question with a slip in it; ``names.js``, what else the terms of the
glossary are called, and where they are explained; ``formulas.js``, for a question that is one.
``theme/search.js`` asks for them. ``terms.js``, the glossary's, is for the filter of the contents.
"""

import hashlib
import html
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from .backmatter.terms import forms
from .contents import outline
from .folds import check_line
from .markdown import HAN
from .numbers import chapter_number, named
from .plain import first_paragraph, plain_tex, readable
from .previews import glossary
from .sidebar import twin

TOKENS = re.compile(rf"({HAN}+)|((?:(?!{HAN})\w)+)")  # a run of Han characters, or another word
COMPOUND = re.compile(r"[a-z]+(?:-[a-z]+)+")  # is written in one word too
SHARDS = 128
LINE = 90  # characters of a formula that are read in a sentence
FILE = 24_000  # characters of text, about; one section may have more


def split(text: str) -> list[str]:
    """Cut ``text`` into the words it is indexed under.

    >>> split("Adam优化器, lr=0.1, 2019")
    ['adam', '优化', '化器', '器', 'lr', '2019']
    >>> split("cross-entropy")
    ['cross', 'entropy', 'crossentropy']
    """
    words = []
    for han, other in TOKENS.findall(text.lower()):
        if han:
            words += [*map("".join, zip(han, han[1:])), han[-1]]
        elif not other.isdecimal() or len(other) == 4:  # numbers are everywhere; a year says more
            words.append(other)
    return words + [word.replace("-", "") for word in COMPOUND.findall(text.lower())]


def shard(word: str) -> int:
    """The number of the file that a word is in: by its first Han character, or two of others."""
    number = 0
    for letter in word[: 1 if re.match(HAN, word) else 2]:
        number = 31 * number + ord(letter)
    return number % SHARDS


# -- The text of a page


def sections(doctree: nodes.document) -> list[list]:
    """``[anchor, title, text, code, formulas]`` of each section or described object; code with its
    output, formulas as `formulas_of` says."""
    places: dict[nodes.Element, tuple[list[str], list[str], dict[str, str]]] = {}
    for node in doctree.findall(nodes.Element):
        if isinstance(node, nodes.section) or (
            isinstance(node, addnodes.desc) and node[0].get("ids")
        ):
            places[node] = [], [], {}
            continue
        place = node.parent
        while place is not None and place not in places:
            place = place.parent
        if place is None:
            continue
        text, code, formulas = places[place]
        if isinstance(node, nodes.math | nodes.math_block):
            if said := searched(node.astext()):
                formulas[said] = (node["ids"] or [""])[0] or formulas.get(said, "")
        if isinstance(node, nodes.raw):
            code += shown(node.astext(), "table")
            text += shown(node.astext(), "figcaption")
        elif isinstance(node, nodes.math_block):
            text.append(formula(node.astext()))
        elif isinstance(node, nodes.literal_block | check_line):
            code.append(" ".join(node.astext().split()))
        elif (
            isinstance(node, nodes.TextElement)
            and not isinstance(node.parent, nodes.TextElement)
            and not isinstance(node, nodes.FixedTextElement | nodes.title)
            and not isinstance(node, addnodes.desc_signature)
            and "part" not in node["classes"]
        ):
            cell = isinstance(node.parent, nodes.entry)
            text.append(readable(node) + " ·" * cell)
    found = []
    for place, (text, code, formulas) in places.items():
        if isinstance(place, nodes.section):
            anchor, title = place["ids"][0], readable(place.next_node(nodes.title))
        else:
            anchor = title = place[0]["ids"][0]
        if not found:  # the page itself, which is found by its title: what it begins with
            text = text or [first_paragraph(doctree)]
        found.append([anchor, title, " ".join(text), " ".join(code), [*formulas.items()]])
    return found


def searched(tex: str) -> str:
    """A formula as it is searched: in Unicode, without spaces; nothing if it is but a letter.

    >>> searched(r"\\frac{1}{\\sqrt d}"), searched(r"\\beta_1"), searched("n = 3")
    ('1/√d', '', 'n=3')
    """
    said = re.sub(r"\s|[.,;，。；]$", "", plain_tex(tex).strip())
    return said if re.search(r"\w.*[-+/=√·^<>≤≥≈∝].*|√.*\w", said) and len(said) > 2 else ""


def formula(tex: str) -> str:
    """A formula that stands by itself, in the text of a sentence: one line, or that there is one.

    >>> formula(r"v_t = \\beta v_{t-1} + g_t^2 ,"), formula(r"a &= b \\\\ c &= d")
    ('v_t = β v_(t-1) + g_t^2,', '…')
    """
    said = re.sub(r" ([.,;，。；])$", r"\1", " ".join(plain_tex(tex).split()))
    return said if len(said) <= LINE and r"\\" not in tex else "…"


def shown(raw: str, tag: str) -> list[str]:
    """The text of some elements of HTML."""
    found = re.findall(rf"<{tag}\b.*?</{tag}>", raw, re.S)
    return [" ".join(html.unescape(re.sub("<[^>]*>", " ", one)).split()) for one in found]


def keep(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Keep a page's text where the next build finds it too, if the page has not changed."""
    if doctree is not None:
        file = Path(app.doctreedir, f"{pagename}.text")
        file.write_text(json.dumps(sections(doctree), ensure_ascii=False), encoding="utf-8")


# -- The index


def index(places: Iterable[str]) -> dict[str, list[int]]:
    """The numbers of the places where each word stands."""
    found = defaultdict(list)
    for n, text in enumerate(places):
        for word in {*split(text)}:
            if len(word) <= 40:
                found[word].append(n)
    return found


def spellings(words: dict[str, list[int]]) -> str:
    """The words by which a slip can be mended, the commonest first."""
    known = [word for word in words if re.fullmatch("[a-z]{4,}", word) and len(words[word]) > 1]
    return " ".join(sorted(known, key=lambda word: (-len(words[word]), word)))


def scripts(
    pages: list[list], texts: list[list[list]], names: Iterable[tuple[str, str, list[str]]]
) -> dict[str, object]:
    """What each script of the search holds, by its name.

    Args:
        pages: ``[name, title, number, title in the other language, part]``.
        texts: the sections of each.
        names: ``(page#anchor, a term, all its names)`` of what is explained there.
    """
    places = [(i, *place[:4]) for i, page in enumerate(texts) for place in page]
    first = {i: n for n, (i, *_) in reversed([*enumerate(places)])}
    there = {f"{pages[i][0]}#{anchor}": n for n, (i, anchor, *_) in enumerate(places)}
    there |= {pages[i][0]: n for i, n in first.items()}
    called = [[there[at], term, all_] for at, term, all_ in names if at in there]
    also = defaultdict(list)
    for n, _, all_ in called:
        also[n] += all_
    words = index(
        " ".join([title, text, code, *also[n], *(pages[i][3:] if first[i] == n else ())])
        for n, (i, _, title, text, code) in enumerate(places)
    )
    files: dict[str, dict] = {f"w{k}": {} for k in range(SHARDS)}
    for word, numbers in sorted(words.items()):
        files[f"w{shard(word)}"][word] = [b - a for a, b in zip([0, *numbers], numbers)]
    cuts, held = [], FILE
    for n, (_, _, _, text, code) in enumerate(places):
        if held + len(text + code) > FILE:
            cuts.append(n)
            held = 0
        held += len(text + code)
    for k, (start, end) in enumerate(zip(cuts, [*cuts[1:], len(places)])):
        files[f"t{k}"] = [[text, code] for *_, text, code in places[start:end]]
    files["spellings"], files["names"] = spellings(words), called
    titles = [[i, anchor, "" if title == anchor else title] for i, anchor, title, *_ in places]
    return files | {"places": {"pages": pages, "places": titles, "cuts": cuts}}


def numbered(app: Sphinx, pages: list[str]) -> dict[str, list]:
    """``[number of the page, anchor, name]`` of what has a number such as 8.7.3."""
    found = defaultdict(list)
    places = {page: i for i, page in enumerate(pages)}
    for label, (page, n) in app.env.get_domain("math").equations.items():
        if page in places:  # it is not if the plan of the book does not know it
            number = f"{chapter_number(app, page)}.{n}"
            anchor = f"equation-{nodes.make_id(label)}"
            found[number].append((places[page], anchor, f"({number})"))
    for page, i in places.items():
        chapter = chapter_number(app, page)
        for place, n in app.env.metadata[page].get("places", {}).items():
            said = named(place, chapter, n, app.config.book_edition)
            found[f"{chapter}.{n}"].append((i, place, said))
    return found


def names(terms: Iterable[dict]) -> list[tuple[str, str, list[str]]]:
    """What the glossary's terms are called, and where they are explained: ``(page#anchor, term,
    names)``. Of one that is not explained anywhere, its other names lead to its first use."""
    found = []
    for term in terms:
        at = term["at"] or "#".join(filter(None, (term["page"], term["anchor"])))
        own = [*forms(term["name"]), *forms(term["twin"])] if term["at"] else []
        if all_ := [*dict.fromkeys([*own, *term["also"]])]:
            found.append((at, term["name"], all_))
    return found


def formulas(app: Sphinx, pages: list[str], texts: list[list[list]]) -> list[list]:
    """``[place, formulas]`` of each section that has some: a text each, or for one with a number
    ``[text, anchor, number]``."""
    numbers = {  # the preface has equations, and no number
        (page, f"equation-{nodes.make_id(label)}"):
            f"({'.'.join(filter(None, [chapter_number(app, page), str(n)]))})"
        for label, (page, n) in app.env.get_domain("math").equations.items()
    }  # fmt: skip
    places = [(page, place[4]) for page, text in zip(pages, texts) for place in text]
    found = []
    for n, (page, said) in enumerate(places):
        lines = [
            [text, anchor, numbers[page, anchor]] if (page, anchor) in numbers else text
            for text, anchor in said
        ]  # fmt: skip
        found += [[n, lines]] if lines else []
    return found


def write_index(app: Sphinx, error: Exception | None) -> None:
    """Write ``_search/``, unless no page has changed."""
    if error or app.builder.format != "html":
        return
    parts = outline(app.config.external_site_map, app.config.book_edition)
    pages = [
        [one.name, readable(app.env.titles[one.name]), one.number, twin(app, one), part.caption]
        for part in parts for one in part.entries if not one.title
    ]  # fmt: skip
    listed = [page for page, *_ in pages]
    texts = [Path(app.doctreedir, f"{page}.text").read_text("utf-8") for page in listed]
    numbers = numbered(app, listed)
    page, terms = glossary(app)
    known = [[term["name"], term["twin"], f"{page}.html#{place}", *term["also"]]
             for place, term in terms.items()]  # fmt: skip
    called = names(terms.values())
    whole = json.dumps([pages, texts, known, called, numbers, app.config.book_reader])
    state = hashlib.sha256(whole.encode()).hexdigest()
    folder, before = Path(app.outdir, "_search"), Path(app.doctreedir, "search.sha256")
    if folder.exists() and before.exists() and before.read_text() == state:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    read = [json.loads(text) for text in texts]
    files = scripts(pages, read, called)
    files |= {"numbers": numbers, "formulas": formulas(app, listed, read)}
    for name, content in files.items():
        data = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        (folder / f"{name}.js").write_text(f'Search.give("{name}",{data})\n', encoding="utf-8")
    data = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
    (folder / "terms.js").write_text(f"Contents.terms({data})\n", encoding="utf-8")
    before.write_text(state)


def no_index_of_sphinx(app: Sphinx) -> None:
    app.builder.search = False


def setup(app: Sphinx) -> dict:
    app.connect("builder-inited", no_index_of_sphinx)
    app.connect("html-page-context", keep, priority=901)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
