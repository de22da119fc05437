"""One notebook, two editions: the Sphinx extension that makes single-language pages.

A chapter's Markdown cells come in pairs tagged ``lang-zh`` and ``lang-en``; code and figures are
shared. The edition being built is Sphinx's ``language``. Before Sphinx reads a notebook, the other
language is taken out of it (`Notebook.edition`), so everything downstream (contents, search, cross
references) sees a book in one language. The two editions of a page have the same file name and the
same section anchors (`Notebook.anchors`), so that a reader can change language in place.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinxcontrib.bibtex.plugin import register_plugin
from sphinxcontrib.bibtex.style.referencing import PersonStyle
from sphinxcontrib.bibtex.style.referencing.foot import FootReferenceStyle

from .anchors import FigureAnchors, TwinAnchors
from .bilingual import TWIN
from .contents import plan
from .folds import page
from .notebook import ROOT, Notebook
from .words import one_language, words

THEME = Path(__file__).parent / "theme"


# --- Configuration -----------------------------------------------------------------------------


def _digest(files: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()


def configure(app: Sphinx, config) -> None:
    """Settings that follow from the edition, and paths that follow from where this file is."""
    here = lambda path: os.path.relpath(Path(config.book_root, path), app.srcdir)  # noqa: E731
    config.book_edition = language = "zh" if config.language.startswith("zh") else "en"
    config.book_frame = _digest(file for file in THEME.rglob("*") if file.is_file())
    code = Path(__file__).parent
    config.book_reader = _digest([*code.rglob("*.py"), code / "words.yml"])
    config.html_title = config.project = one_language(config.html_title, language)
    config.html_short_title = config.html_title
    config.author = one_language(config.author, language)
    files = [file for file in THEME.iterdir() if file.is_file()]
    config.html_static_path = [*map(here, files), here(THEME / "fonts")]
    config.html_favicon = here(THEME / "logo.svg")
    config.templates_path = [here(THEME / "templates")]
    config.bibtex_bibfiles = [here(file) for file in config.bibtex_bibfiles]
    config.bibtex_foot_reference_style = f"book-{language}"
    config.nb_code_prompt_show = words("page", language)["show_code"]
    config.nb_code_prompt_hide = words("page", language)["hide_code"]
    theme = config.html_theme_options  # where Jupyter Book puts them
    config.book_repository = (theme.get("repository_url") or "").rstrip("/")
    config.book_branch = theme.get("repository_branch") or "main"


def read_contents(app: Sphinx, config) -> None:
    """The numbers of chapters, and the edition's half of captions and titles in ``_toc.yml``."""
    parts = plan(config.external_site_map.meta)
    config.book_numbers = {one.name: one.number for part in parts for one in part.entries}
    for document in config.external_site_map.values():
        document.title = document.title and one_language(document.title, config.book_edition)
        for part in document.subtrees:
            part.caption = part.caption and one_language(part.caption, config.book_edition)


# --- Reading -----------------------------------------------------------------------------------


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Hand Sphinx the edition's notebook, and note what is known of both editions."""
    if app.env.doc2path(docname).endswith(".ipynb"):
        book = Notebook(app.env.doc2path(docname), source[0])
        app.env.temp_data["book_anchors"] = book.anchors
        app.env.metadata[docname]["minutes"] = book.minutes
        app.env.metadata[docname]["runnable"] = bool(book.code)
        app.env.metadata[docname]["headings"] = {one: book.headings(one)[0] for one in TWIN}
        source[0] = page(book, app.config.book_edition)


class Citation(FootReferenceStyle):
    """{footcite:t}: Kingma and Ba [1], and in a Chinese sentence Kingma 与 Ba [1]."""

    def __init__(self, **person) -> None:
        super().__init__(person=PersonStyle(**person), text_reference_sep=" ")


class ChineseCitation(Citation):
    def __init__(self) -> None:
        super().__init__(sep="、", sep2=" 与 ", last_sep=" 与 ", other=" 等")


def setup(app: Sphinx) -> dict:
    app.add_config_value("book_root", str(ROOT), "env")  # where _config.yml is
    app.add_config_value("book_edition", "", "env")  # "zh" or "en", by Sphinx's language
    app.add_config_value("book_numbers", {}, "env")  # {"optimizers/adam": "8.7"}, as planned
    app.add_config_value("book_reader", "", "env")  # when this changes, chapters are read again,
    app.add_config_value("book_frame", "", "html")  # and when this changes, written again
    app.add_config_value("book_repository", "", "html")
    app.add_config_value("book_branch", "", "html")
    app.add_config_value("book_slider", "", "")  # the chapter whose slider the landing page shows
    app.add_config_value("book_claims", [], "")  # the claims that it shows
    app.add_config_value("book_twin", False, "html")  # is the other edition built beside this one?
    for language, style in (("zh", ChineseCitation), ("en", Citation)):
        register_plugin(
            "sphinxcontrib.bibtex.style.referencing", f"book-{language}", style, force=True
        )
    app.add_transform(TwinAnchors)
    app.add_transform(FigureAnchors)
    app.connect("config-inited", configure, priority=100)
    app.connect("config-inited", read_contents, priority=950)  # after Sphinx has (900)
    app.connect("source-read", read_source)
    for part in ("jupyterbook", "mathematics", "claims", "numbers", "folds", "previews", "pages",
                 "sidebar", "cite", "search", "backmatter"):  # fmt: skip
        app.setup_extension(f"press.{part}")
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
