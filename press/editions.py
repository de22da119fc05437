"""One notebook, two editions: the Sphinx extension that makes single-language pages.

A chapter's Markdown cells come in pairs tagged ``lang-zh`` and ``lang-en``; code and figures are
shared. The edition being built is Sphinx's ``language``. Before Sphinx reads a notebook, the other
language is taken out of it (`Notebook.edition`), so everything downstream (contents, search, cross
references) sees a book in one language. The two editions of a page have the same file name and the
same section anchors (`Notebook.anchors`), so that a reader can change language without losing the
place.
"""

import functools
import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import imagesize
import pybtex.plugin
from docutils import nodes
from PIL import Image
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinxcontrib.bibtex.plugin import register_plugin
from sphinxcontrib.bibtex.style.referencing import PersonStyle
from sphinxcontrib.bibtex.style.referencing.foot import FootReferenceStyle

from minigrad.lab.sliders import SCRIPT

from .cards import card, slider_picture
from .notebook import ROOT, TWIN, Notebook
from .search import Chinese

STATIC = Path(__file__).parent / "theme"
LOCALE = {"zh": "zh_CN", "en": "en"}  # Sphinx's names of the languages

# What the frame of a page says (what Sphinx itself says, it translates).
WORDS = {
    "zh": {
        "contents": "目录",
        "here": "本页内容",
        "skip": "跳到正文",
        "search": "搜索",
        "search_hint": "搜索全书…",
        "results": "{n} 个结果",
        "no_results": "没有找到。换一个词试试？",
        "needs_script": "搜索需要启用 JavaScript。",
        "switch": "English",
        "switch_label": "Read this page in English",
        "theme": "切换浅色与深色",
        "minutes": "{n} 分钟读完",
        "run": "自己运行",
        "download": "下载 Notebook",
        "source": "源文件",
        "install": "它要用到 minigrad 和本书的辅助程序，安装一次就够了（Python 3.11 以上）。",
        "install_here": "在本书的文件夹里：",
        "install_colab": "在 Colab 里，先在新的一格中运行这一行，行首加 %。",
        "previous": "上一章",
        "next": "下一章",
        "copy_code": "复制",
        "copied": "已复制",
        "permalink": "本处的永久链接",
        "show_code": "显示代码",
        "hide_code": "收起代码",
        "licence": "文字 CC BY 4.0 · 代码 BSD-3-Clause",
    },
    "en": {
        "contents": "Contents",
        "here": "On this page",
        "skip": "Skip to main content",
        "search": "Search",
        "search_hint": "Search the book…",
        "results": "Pages found: {n}",
        "no_results": "Nothing found. Try another word?",
        "needs_script": "Searching needs JavaScript.",
        "switch": "中文",
        "switch_label": "阅读本页的中文版",
        "theme": "Light or dark",
        "minutes": "{n} minutes to read",
        "run": "Run it yourself",
        "download": "Download the notebook",
        "source": "Source",
        "install": "It needs minigrad and the book’s helpers: install them once (Python ≥ 3.11).",
        "install_here": "In the book’s folder:",
        "install_colab": "In Colab, first run this line in a new cell, with a % in front.",
        "previous": "Previous",
        "next": "Next",
        "copy_code": "Copy",
        "copied": "Copied",
        "permalink": "Permanent link to this place",
        "show_code": "Show code",
        "hide_code": "Hide code",
        "licence": "Text CC BY 4.0 · code BSD-3-Clause",
    },
}

logger = logging.getLogger(__name__)


def one_language(words: str, language: str) -> str:
    """Take one half of ``"中文 · English"``; words that are not in that form stay as they are.

    >>> one_language("优化器 · Optimizers", "en")
    'Optimizers'
    """
    chinese, dot, english = words.partition(" · ")
    return words if not dot else chinese if language == "zh" else english


# --- Sphinx: configuration ---------------------------------------------------------------------


def edition(app: Sphinx) -> str:
    return "zh" if app.config.language.startswith("zh") else "en"


def _digest(files: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()


# Jupyter Book loads these for its own theme; here the frame does what is needed of it.
UNUSED = ("sphinx_book_theme", "sphinx_comments", "sphinx_copybutton", "sphinx_thebe",
          "sphinx_togglebutton")  # fmt: skip


def configure(app: Sphinx, config) -> None:
    """Settings that follow from the edition, and paths that follow from where this file is."""
    for listener in [one for many in app.events.listeners.values() for one in many]:
        if listener.handler.__module__.split(".")[0] in UNUSED:
            app.disconnect(listener.id)
    here = lambda path: os.path.relpath(Path(config.book_root, path), app.srcdir)  # noqa: E731
    language, words = edition(app), WORDS[edition(app)]
    config.book_frame = _digest(file for file in STATIC.rglob("*") if file.is_file())
    config.book_reader = _digest(Path(__file__).parent.glob("*.py"))
    config.html_title = config.project = one_language(config.html_title, language)
    config.html_short_title = config.html_title
    theme = config.html_theme_options
    config.book_repository = (theme.get("repository_url") or "").rstrip("/")
    config.book_branch = theme.get("repository_branch") or "main"
    config.html_theme_options = {}  # Jupyter Book's, for a theme that is not used
    config.html_static_path = [here(file) for file in STATIC.iterdir() if file.is_file()]
    config.html_favicon = here(STATIC / "logo.svg")
    config.templates_path = [here(STATIC / "templates")]
    config.bibtex_bibfiles = [here(file) for file in config.bibtex_bibfiles]
    config.nb_code_prompt_show = words["show_code"]
    config.nb_code_prompt_hide = words["hide_code"]
    config.nb_ipywidgets_js = {}
    config.bibtex_foot_reference_style = f"book-{language}"


def name_parts(app: Sphinx, config) -> None:
    """Keep the edition's half of the parts' captions and of given titles in ``_toc.yml``."""
    for document in config.external_site_map.values():
        document.title = document.title and one_language(document.title, edition(app))
        for part in document.subtrees:
            part.caption = part.caption and one_language(part.caption, edition(app))


# --- Sphinx: reading ---------------------------------------------------------------------------


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    if app.env.doc2path(docname).endswith(".ipynb"):
        book = Notebook(app.env.doc2path(docname), source[0])
        app.env.temp_data["book_anchors"] = book.anchors
        app.env.metadata[docname]["minutes"] = book.minutes
        source[0] = book.edition(edition(app))


class Citation(FootReferenceStyle):
    """{footcite:t}: Kingma and Ba [1], and in a Chinese sentence Kingma 与 Ba [1]."""

    def __init__(self, **person) -> None:
        super().__init__(person=PersonStyle(**person), text_reference_sep=" ")


class ChineseCitation(Citation):
    def __init__(self) -> None:
        super().__init__(sep="、", sep2=" 与 ", last_sep=" 与 ", other=" 等")


class TwinAnchors(SphinxTransform):
    """Give every section the anchor that its twin in the other edition has."""

    default_priority = 840  # before Sphinx collects labels, contents and titles

    def apply(self) -> None:
        anchors = self.env.temp_data.get("book_anchors")
        if anchors is None:
            return
        sections = [  # those that a directive made (press/backmatter.py) have theirs
            node for node in self.document.findall(nodes.section) if "made" not in node["classes"]
        ]
        if len(sections) != len(anchors):
            logger.warning(
                "%d sections in this edition but %d English headings: headings of twin cells must"
                " match", len(sections), len(anchors), location=self.env.docname, type="book",
            )
        taken = {id for node in self.document.findall(nodes.Element) for id in node.get("ids", ())
                 if not isinstance(node, nodes.section)}
        for section, anchor in zip(sections, anchors):
            anchor = f"{anchor}-section" if anchor in taken else anchor
            others = [id for id in section["ids"] if id != anchor]
            section["ids"] = [anchor, *others]
            self.document.ids[anchor] = section


class FigureAnchors(SphinxTransform):
    """Give figures and sliders the address ``figure-`` and section, the same in both editions."""

    default_priority = TwinAnchors.default_priority + 1

    def apply(self) -> None:
        for output in self.document.findall(nodes.container):
            if "cell_output" in output["classes"] and _is_figure(output):
                section = output.parent
                while section is not None and not isinstance(section, nodes.section):
                    section = section.parent
                anchor = base = f"figure-{section['ids'][0]}" if section else "figure"
                n = 1
                while anchor in self.document.ids:
                    anchor = f"{base}-{(n := n + 1)}"
                output["ids"].append(anchor)
                self.document.ids[anchor] = output


def _is_figure(output: nodes.Element) -> bool:
    return output.next_node(nodes.image) is not None or any(
        'class="slider"' in raw.astext() for raw in output.findall(nodes.raw)
    )


def name_part(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Say above a chapter's title which part it is in; readers see it, and so does the search."""
    for document in app.config.external_site_map.values():
        for part in document.subtrees:
            if part.caption and docname in part.items:
                title = doctree.next_node(nodes.title)
                title.parent.insert(0, nodes.paragraph("", part.caption, classes=["part"]))


def size_images(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Tell the browser a figure's size, so that nothing jumps when it is loaded (late)."""
    for image in doctree.findall(nodes.image):
        file = Path(app.srcdir, image["uri"])
        image["loading"] = "lazy"
        image["classes"].append("no-scaled-link")
        if "width" not in image and "height" not in image and file.is_file():
            width, height = imagesize.get(file)
            scale = 2 if "jupyter_execute" in file.parts else 1  # figures have two pixels for one
            if width > 0:
                image["width"], image["height"] = str(width // scale), str(height // scale)


# --- Sphinx: writing ---------------------------------------------------------------------------


SYMBOLS = {
    "sum": "∑", "prod": "∏", "int": "∫", "partial": "∂", "nabla": "∇", "sqrt": "√", "infty": "∞",
    "cdot": "·", "times": "×", "odot": "⊙", "pm": "±", "to": "→", "in": "∈", "top": "ᵀ",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ll": "≪", "gg": "≫", "ne": "≠", "approx": "≈",
    "mid": "|", "lVert": "‖", "rVert": "‖", "|": "‖", "dots": "…", "ldots": "…", "cdots": "…",
    "epsilon": "ϵ", "varepsilon": "ε",
} | {name: name for name in "log ln exp max min tanh sin cos det lim arg".split()}  # fmt: skip


def plain_tex(text: str) -> str:
    """Make the formulas in a line of text readable without typesetting.

    >>> plain_tex(r"1-\\beta_1^t \\le \\max_i \\hat x_i")
    '1-β_1^t ≤ max_i x_i'
    """

    def symbol(command: re.Match) -> str:
        name, space = command.groups()
        try:
            return (SYMBOLS.get(name) or unicodedata.lookup(f"GREEK SMALL LETTER {name}")) + space
        except KeyError:
            return ""

    return re.sub(r"[{}]", "", re.sub(r"\\([a-zA-Z]+|.)( ?)", symbol, text))


def readable(node: nodes.Element) -> str:
    """The text of a node without the numbers of its citations, formulas as they can be read."""
    words = (text.astext() for text in node.findall(nodes.Text)
             if not isinstance(text.parent, nodes.footnote_reference))  # fmt: skip
    return re.sub(r"\s+", " ", plain_tex("".join(words))).strip()


def first_paragraph(doctree: nodes.document) -> str:
    """What a page begins with, after its title and card: its description."""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section) and "part" not in paragraph["classes"]:
            return readable(paragraph)
    return ""


def shorten(text: str, length: int) -> str:
    """At most ``length`` characters of a text, whole sentences if there is one.

    >>> shorten("It converges. It does not always.", 20), shorten("It converges slowly.", 15)
    ('It converges.', 'It converges…')
    """
    if len(text) <= length:
        return text
    kept = text[:length]
    end = max(kept.rfind("。"), kept.rfind(". "), kept.rfind("? "), kept.rfind("？"))
    return kept[: end + 1] if end > length / 3 else kept.rpartition(" ")[0] + "…"


def page_text(doctree: nodes.document) -> list[list[str]]:
    """``[anchor, title, text]`` of each section or described object: what search results show."""
    places: dict[nodes.Element, list[str]] = {}
    for node in doctree.findall(nodes.Element):
        if isinstance(node, nodes.section):
            places[node] = []
        elif isinstance(node, addnodes.desc) and node[0].get("ids"):
            places[node] = []
        elif (
            isinstance(node, nodes.TextElement)
            and not isinstance(node.parent, nodes.TextElement)
            and not isinstance(node, nodes.FixedTextElement | nodes.math_block | nodes.title)
            and "part" not in node["classes"]
        ):
            place = node.parent
            while place is not None and place not in places:
                place = place.parent
            if place is not None and not isinstance(node, addnodes.desc_signature):
                places[place].append(readable(node))
    found = []
    for place, words in places.items():
        if isinstance(place, nodes.section):
            anchor, title = place["ids"][0], place.next_node(nodes.title).astext()
        else:
            anchor = title = place[0]["ids"][0]
        text = " ".join(words)
        if not found:  # the page itself, which is found by its title: what it begins with
            text = text or first_paragraph(doctree)
        found.append([anchor, title, text])
    return found


def finish_page(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Give the template what it needs, and the page nothing that it does not use."""
    language = edition(app)
    up = "../" * pagename.count("/")
    context.update(
        slider=False, words=WORDS[language], edition=language, twin=None, notebook=None, card=None,
        minutes=app.env.metadata.get(pagename, {}).get("minutes"),
        root_title=app.env.titles[app.config.root_doc].astext(),
    )
    if app.config.book_twin:
        context["twin"] = f"{up}../{TWIN[language]}/{pagename}.html"
        context["home"] = f"{up}index.html"
    context["base"] = app.config.html_baseurl.rstrip("/")

    ours = {"book.css", "book.js", "theme.js"}
    name = lambda asset: os.path.basename(str(getattr(asset, "filename", asset) or ""))  # noqa: E731
    for assets in ("css_files", "script_files"):
        context[assets] = [asset for asset in context[assets] if name(asset) in ours]

    if doctree is None:
        return
    body = context["body"].replace(f"<script>\n{SCRIPT}</script>", "")  # once, as a file
    context["slider"] = 'class="slider"' in body
    label = f'aria-label="{WORDS[language]["permalink"]}"'
    for pattern, better in (
        # Sphinx writes sizes as a style that cannot shrink with the screen.
        (r'style="width: (\d+)px; height: (\d+)px;"', r'width="\1" height="\2"'),
        (r'<summary aria-label="[^"]*">', "<summary>"),  # it hid the words of the summary
        (r'(class="headerlink" href="[^"]*") title="[^"]*"', rf'\1 {label}'),
        (r'(<div class="cell_output[^>]* id="(figure-[^"]*)">)',
         rf'\1<a class="headerlink" href="#\2" {label}>#</a>'),
        (r'(<div [^>]*id="(claim-[^"]*)".*?)(</p>)',
         rf'\1<a class="headerlink" href="#\2" {label}>#</a>\3'),
        # Markdown cannot write a table without a head; an empty one is none.
        (r"<thead>\s*<tr[^>]*>(\s*<th[^>]*>(<p></p>)?</th>)+\s*</tr>\s*</thead>", ""),
        (r"<table\b", '<div class="scroll"><table'),
        (r"</table>", "</table></div>"),
        # A browser would break the line between a formula and the comma after it.
        (r'([（“「]*<span class="math [^>]*>[^<]*</span>[，。；：、？！）”」,.;:?!)]+)',
         r'<span class="tie">\1</span>'),
    ):
        body = re.sub(pattern, better, body)
    context["body"] = body
    context["description"] = shorten(first_paragraph(doctree), 160)

    text = Path(app.outdir, "_text", f"{pagename}.js")
    text.parent.mkdir(parents=True, exist_ok=True)
    arguments = json.dumps([pagename, page_text(doctree)], ensure_ascii=False)[1:-1]
    text.write_text(f"Search.setText({arguments})\n", encoding="utf-8")

    source = Path(app.env.doc2path(pagename))
    if source.suffix == ".ipynb":
        book = Notebook(source)
        if book.code:
            download = Path(app.outdir, f"{pagename}.ipynb")
            download.parent.mkdir(parents=True, exist_ok=True)
            download.write_text(book.edition(language), encoding="utf-8")
            context["notebook"] = download.name
            root = app.config.book_root if app.config.book_twin else app.srcdir
            path = source.relative_to(root).as_posix()
            context.update(
                repository_links(app.config.book_repository, app.config.book_branch, path)
            )
    target = Path(app.outdir, f"{pagename}.png")
    target.unlink(missing_ok=True)
    if context["base"] and (picture := first_picture(app, doctree, body)):
        context["card"] = f"{pagename}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(card(picture))


def repository_links(repository: str, branch: str, path: str) -> dict:
    """Where a page's source is, where it can be run, and how to install what it needs."""
    found = {"source": None, "places": [], "repository": repository}
    if repository:
        found["source"] = f"{repository}/blob/{branch}/{path}"
    if github := re.fullmatch(r"https://github\.com/([^/]+/[^/]+?)(?:\.git)?", repository):
        tree = f"{quote(branch, safe='')}?urlpath=lab/tree/{quote(path)}"
        found["places"] = [
            ("Colab", f"https://colab.research.google.com/github/{github[1]}/blob/{branch}/{path}"),
            ("Binder", f"https://mybinder.org/v2/gh/{github[1]}/{tree}"),
        ]
    return found


def first_picture(app: Sphinx, doctree: nodes.document, body: str) -> Image.Image | None:
    """The first figure of a page, or what its first slider shows."""
    sources = {name: file for file, name in app.builder.images.items()}  # writing renames them
    for image in doctree.findall(nodes.image):
        file = sources.get(Path(image["uri"]).name, "")
        if file.endswith(".png"):
            return Image.open(Path(app.srcdir, file))
    return slider_picture(body)


def add_scripts(app: Sphinx, error: Exception | None) -> None:
    """Put beside the pages what moves the sliders, and MathJax: the two combined files, the fonts,
    TeX's rarer extensions."""
    if error or app.builder.format != "html":
        return
    Path(app.outdir, "_static", "slider.js").write_text(SCRIPT, encoding="utf-8")
    package = Path(__import__("sphinx-mathjax-offline").__file__).parent / "static" / "mathjax"
    wanted = [
        "tex-chtml.js", "tex-svg.js", "output/chtml/fonts/woff-v2/*", "input/tex/extensions/*",
    ]
    for file in (file for pattern in wanted for file in package.glob(pattern)):
        target = Path(app.outdir, "_static", "mathjax", file.relative_to(package))
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())


def setup(app: Sphinx) -> dict:
    app.add_config_value("book_root", str(ROOT), "env")  # where _config.yml is
    app.add_config_value("book_reader", "", "env")  # when this changes, chapters are read again,
    app.add_config_value("book_frame", "", "html")  # and when this changes, written again
    app.add_config_value("book_repository", "", "html")
    app.add_config_value("book_branch", "", "html")
    app.add_config_value("book_slider", "", "")  # the chapter whose slider the landing page shows
    app.add_config_value("book_twin", False, "html")  # is the other edition built beside this one?
    app.setup_extension("press.backmatter")
    app.add_search_language(Chinese)
    for language, style in (("zh", ChineseCitation), ("en", Citation)):
        register_plugin(
            "sphinxcontrib.bibtex.style.referencing", f"book-{language}", style, force=True
        )
    # For every citation pybtex seeks its plugins among all installed packages: a third of the time.
    pybtex.plugin.entry_points = functools.cache(pybtex.plugin.entry_points)
    app.add_transform(TwinAnchors)
    app.add_transform(FigureAnchors)
    app.connect("config-inited", configure, priority=100)
    app.connect("config-inited", name_parts, priority=950)  # after the contents were parsed (900)
    app.connect("source-read", read_source)
    app.connect("doctree-resolved", name_part)
    app.connect("doctree-resolved", size_images)
    app.connect("html-page-context", finish_page, priority=900)
    app.connect("build-finished", add_scripts)
    app.add_css_file("book.css")
    app.add_js_file("theme.js")
    app.add_js_file("book.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
