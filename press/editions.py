"""One notebook, two editions: the Sphinx extension that makes single-language pages.

A chapter's Markdown cells come in pairs tagged ``lang-zh`` and ``lang-en``; code and figures are
shared. The edition being built is Sphinx's ``language``. Before Sphinx reads a notebook, the other
language is taken out of it (`Notebook.edition`), so everything downstream (contents, search, cross
references) sees a book in one language. The two editions of a page have the same file name and the
same section anchors (`Notebook.anchors`), so that a reader can change language in place.
"""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinxcontrib.bibtex.plugin import register_plugin
from sphinxcontrib.bibtex.style.referencing import PersonStyle
from sphinxcontrib.bibtex.style.referencing.foot import FootReferenceStyle

from .anchors import FigureAnchors, TwinAnchors
from .bilingual import TWIN
from .cite import citation
from .contents import plan
from .folds import page
from .notebook import ROOT, Notebook
from .words import one_language, words

THEME = Path(__file__).parent / "theme"

#: Modules that are at work when pages are written: when one changes, no chapter is read again.
WRITING = {"cards", "cite", "mathematics", "pages", "plain", "search", "shelf", "sidebar"}

#: What the press has from elsewhere: when it changes, chapters are read again.
BORROWED = {"benchmarks.report", "minigrad.lab.claims", "minigrad.lab.figures",
            "minigrad.lab.tables", "minigrad.lab.words"}  # fmt: skip


# --- Configuration -----------------------------------------------------------------------------


def _digest(files: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()


def configure(app: Sphinx, config) -> None:
    """Settings that follow from the edition, and paths that follow from where this file is."""
    here = lambda path: os.path.relpath(Path(config.book_root, path), app.srcdir)  # noqa: E731
    config.book_edition = language = "zh" if config.language.startswith("zh") else "en"
    used = {name.removeprefix("press."): Path(module.__file__)
            for name, module in sys.modules.items()
            if name.startswith("press.") or name in BORROWED}  # fmt: skip
    writing = [file for name, file in used.items() if name in WRITING]
    config.book_frame = _digest([*writing, *(THEME / "templates").iterdir()])
    reading = [file for name, file in used.items() if name not in WRITING | {"build", "landing"}]
    config.book_reader = _digest([*reading, THEME.parent / "words.yml"])
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


# --- Writing -----------------------------------------------------------------------------------


def what_pages_say_of_others(app: Sphinx) -> str:
    """Titles, numbers and addresses, which other pages show, and the frame around them."""
    env, config = app.env, app.config
    chapters = [
        (page, env.titles[page].pformat(),
         *map(env.metadata[page].get, ("headings", "places", "runnable")))
        for page in sorted(env.found_docs)
    ]  # fmt: skip
    equations, names = env.get_domain("math").equations, env.get_domain("py").objects
    contents = Path(app.srcdir, config.external_toc_path).read_text(encoding="utf-8")
    places = [sorted(equations.items()), sorted((name, one[:2]) for name, one in names.items())]
    said = [chapters, places, contents, config.book_frame, config.book_reader,
            citation(Path(config.book_root))]  # fmt: skip
    return hashlib.sha256(repr(said).encode()).hexdigest()


def note(app: Sphinx) -> Path:
    return Path(app.doctreedir, "shared.sha256")


def write_all_again(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """All pages, if what they say of each other has changed; Sphinx sees one page at a time. Also
    if the last build did not come to its end: it may have read pages without writing them."""
    before = note(app).read_text() if note(app).exists() else None
    note(app).unlink(missing_ok=True)
    if before == what_pages_say_of_others(app):
        return []
    shutil.rmtree(Path(app.outdir, "_modules"), ignore_errors=True)  # or viewcode would keep it
    return env.found_docs


def note_what_was_written(app: Sphinx, error: Exception | None) -> None:
    if not error:
        note(app).write_text(what_pages_say_of_others(app))


# --- Citations ---------------------------------------------------------------------------------


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
    app.connect("env-updated", write_all_again)
    app.connect("build-finished", note_what_was_written)
    for part in ("jupyterbook", "mathematics", "claims", "numbers", "folds", "previews", "pages",
                 "sidebar", "cite", "search", "backmatter"):  # fmt: skip
        app.setup_extension(f"press.{part}")
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
