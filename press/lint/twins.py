"""Twin cells say the same things."""

import re

from ..markdown import (
    blocks,
    citations,
    equations,
    headings,
    labels,
    links,
    math_numbers,
    numbers,
    roles,
    without_code,
)
from .registry import difference, rule


def other(book, what, found):
    """The twins in one of which `found` finds something that is not in the other."""
    for i, zh, en in book.pairs:
        here = set(found(zh)), set(found(en))
        if here[0] != here[1]:
            yield i, f"{what}: " + difference(*here)


@rule
def twin_headings(book):
    """Twins have the same headings, by level."""
    for i, zh, en in book.pairs:
        levels = [[level for level, _ in headings(text)] for text in (zh, en)]
        if levels[0] != levels[1]:
            yield i, f"heading levels {levels[0]} in Chinese, {levels[1]} in English"


@rule
def twin_labels(book):
    """Twins define and refer to the same labels."""
    for i, zh, en in book.pairs:
        defined = labels(zh), labels(en)
        if defined[0] != defined[1]:
            yield i, f"labels {defined[0]} in Chinese, {defined[1]} in English"
    places = "eq", "ref", "numref", "see"
    yield from other(book, "references to labels", lambda text: roles(text, *places))


@rule
def twin_equations(book):
    """Twins have the same displayed equations in the same order, words inside them apart."""
    for i, zh, en in book.pairs:
        one, two = ([tex for tex, _ in equations(text)] for text in (zh, en))
        if one != two:
            yield i, "equations differ: " + (difference(one, two) or "in their order")


@rule
def twin_numbers(book):
    """Twins say the same numbers."""
    for i, zh, en in book.pairs:
        if numbers(zh) != numbers(en):
            yield i, "numbers: " + difference(numbers(zh), numbers(en))
        if math_numbers(zh) != math_numbers(en):
            yield i, "numbers in formulas: " + difference(math_numbers(zh), math_numbers(en))


@rule
def twin_citations(book):
    """Twins cite the same works."""
    return other(book, "citations", citations)


@rule
def twin_links(book):
    """Twins link to the same places."""
    return other(book, "links", links)


@rule
def twin_blocks(book):
    """Twins have the same code blocks, directives, folded parts, list items and table rows."""
    for i, zh, en in book.pairs:
        if blocks(zh) != blocks(en):
            yield i, "code blocks or directives differ"
        for what, pattern in {
            "folded parts": r"<details>",
            "list items": r"^ *(?:[-*+]|\d+[.)]) ",
            "table rows": r"^ *\|",
        }.items():
            counts = [len(re.findall(pattern, without_code(text), re.M)) for text in (zh, en)]
            if counts[0] != counts[1]:
                yield i, f"{counts[0]} {what} in Chinese, {counts[1]} in English"
