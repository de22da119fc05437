"""Pages that are gathered when the book is built, so that nobody has to type them.

Directives, each used on a page of its own in ``chapters/back`` (the first in the preface):

- ``{parts}``: the map of the book, with the chapters that are only planned;
- ``{claims}``: the ledger, every claim of the book with its measured verdict;
- ``{terms}``: the glossary, with the place where each term is first used;
- ``{works}``: the bibliography, with the places where each work is cited;
- ``{api} minigrad.optim``: the reference of a module, from its docstrings;
- ``{benchmarks} training``: what the last whole run of ``make bench`` measured.

They go through the chapters in the order of ``_toc.yml``: a new chapter appears in them by itself.
Part of the extension :mod:`press.editions`.
"""

from sphinx.application import Sphinx

from . import reference
from .benchmarks import Benchmarks
from .ledger import Ledger
from .parts import Parts
from .terms import Terms
from .works import Works


def setup(app: Sphinx) -> dict:
    app.add_directive("parts", Parts)
    app.add_directive("claims", Ledger)
    app.add_directive("terms", Terms)
    app.add_directive("works", Works)
    app.add_directive("benchmarks", Benchmarks)
    reference.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
