"""Pages that are gathered when the book is built, so that nobody has to type them.

Directives, each used on a page of its own in ``chapters/back`` (the first in the preface):

- ``{parts}``: the map of the book, with the chapters that are only planned;
- ``{claims}``: the ledger, every claim of the book with its measured verdict and its scale;
- ``{terms}``: the glossary, with the place where each term is first used;
- ``{works}``: the bibliography, with the places where each work is cited;
- ``{names} minigrad.optim``: the index of a module, a sentence on each public name;
- ``{api} minigrad.optim``: the reference of a module, from its docstrings;
- ``{benchmarks} training``: what the last whole run of ``make bench`` measured.

They go through the chapters in the order of ``_toc.yml``: a new chapter appears in them by itself.
Part of the extension :mod:`press.editions`.
"""

from sphinx.application import Sphinx

from . import reference
from .benchmarks import Benchmarks
from .gathering import outdated
from .ledger import Ledger
from .names import Names, summarize
from .parts import Parts
from .terms import Terms
from .works import Works


def add_look(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Their style sheet, and their script where there is a list to filter."""
    if doctree and pagename.startswith("back/"):
        app.add_css_file("back.css")
        if "data-filter" in context["body"]:
            app.add_js_file("filter.js", loading_method="defer")


def setup(app: Sphinx) -> dict:
    app.add_directive("parts", Parts)
    app.add_directive("claims", Ledger)
    app.add_directive("terms", Terms)
    app.add_directive("works", Works)
    app.add_directive("benchmarks", Benchmarks)
    app.add_directive("names", Names)
    reference.setup(app)
    app.connect("autodoc-process-docstring", summarize)  # after ours of the reference
    app.connect("env-get-outdated", outdated)
    app.connect("html-page-context", add_look)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
