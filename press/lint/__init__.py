"""The rules that every chapter keeps: ``python -m press.lint [paths…]``.

A rule is a function marked ``@rule``; it takes a :class:`Notebook` and yields ``(cell number or
None, what is wrong)``. Its name is what a fault is reported under, its docstring what it demands.
``tests/press/test_lint.py`` plants a fault for each.
"""

from ..notebook import Notebook
from . import chinese, figures, measured, running, structure, twins, words  # noqa: F401  their rules
from .registry import RULES, Fault
from .structure import SECTIONS

__all__ = ["RULES", "SECTIONS", "Fault", "lint"]


def lint(path):
    """The faults of one notebook, at the lines of its text."""
    book = Notebook(path)
    text = book.path.with_suffix(".md")
    places = lines(text.read_text(encoding="utf-8"), book) if text.exists() else {}
    return [
        Fault(text, places.get(cell), name, message)
        for name, function in RULES.items()
        for cell, message in function(book)
    ]


def lines(text, book):
    """The line of a chapter's text at which each of its cells begins, by number."""
    found, position = {}, 0
    for i, cell in book.cells:
        if (place := text.find(cell.source, position)) >= 0:
            found[i] = text.count("\n", 0, place) + 1
            position = place + len(cell.source)
    return found
