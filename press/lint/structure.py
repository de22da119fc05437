"""A chapter is a sequence of pairs and has all its parts."""

import re
from collections import Counter

from .. import folds
from ..markdown import equations, headings
from ..notebook import languages, tags
from .registry import omits, rule

#: The parts of a chapter, in order, as (name, 中文, English): what a level-2 heading begins with.
SECTIONS = [
    ("card", "卡片", "Card"),
    ("problem", "问题", "The problem"),
    ("idea", "想法", "The idea"),
    ("predict", "先猜", "Predict"),
    ("derivation", "推导", "Derivation"),
    ("from-scratch", "从零实现", "From scratch"),
    ("conventions", "约定之争", "Conventions"),
    ("experiment", "实验", "Experiment"),
    ("slider", "动手", "Slider"),
    ("claims", "传言与实测", "Claims"),
    ("breaks", "何时失灵", "When it breaks"),
    ("practice", "怎样用", "In practice"),
    ("summary", "小结", "Summary"),
    ("exercises", "练习", "Exercises"),
    ("references", "参考文献", "References"),
]

#: Rules that a chapter which is older than they are may switch off, like a part it has not.
SWITCHES = ("typed-numbers",)


@rule
def paired(book):
    """Markdown comes in adjacent pairs, ``lang-zh`` then ``lang-en``; code has no language."""
    expected = "zh"
    for i, cell in book.cells:
        found = languages(cell)
        if cell.cell_type != "markdown":
            if found:
                yield i, f"only Markdown cells have a language, this {cell.cell_type} cell {found}"
            if expected == "en":
                yield i - 1, "its lang-en twin must follow directly"
                expected = "zh"
        elif len(found) != 1 or found[0] not in ("zh", "en"):
            yield i, f"a Markdown cell needs one tag, lang-zh or lang-en; it has {tags(cell)}"
        elif found != [expected]:
            yield i, f"expected lang-{expected} here, got lang-{found[0]}"
            expected = "en" if found == ["zh"] else "zh"
        else:
            expected = "en" if expected == "zh" else "zh"
    if expected == "en":
        yield book.cells[-1][0], "its lang-en twin must follow directly"


@rule
def title(book):
    """One title, at the top, and no level skipped after it."""
    for language in ("zh", "en"):
        levels = [(i, level) for i, text in book.source(language) for level, _ in headings(text)]
        if not levels or levels[0][1] != 1 or sum(level == 1 for _, level in levels) != 1:
            yield 0, f"needs exactly one level-1 heading, first, in {language}"
        for (_, before), (i, level) in zip(levels, levels[1:]):
            if level > before + 1:
                yield i, f"heading of level {level} after one of level {before}"


@rule
def sections(book):
    """A chapter's parts are there, in order; one left out has its reason in the metadata."""
    if not book.is_chapter:
        return
    omitted = omits(book)
    for name in set(omitted) - {name for name, *_ in SECTIONS} - {*SWITCHES}:
        yield None, f"metadata book.omits: no part or switch is called {name!r}"
    for name, reason in omitted.items():
        if not str(reason).strip():
            yield None, f"metadata book.omits: {name!r} needs a reason"
    for language, column in (("zh", 1), ("en", 2)):
        words = [(i, w) for i, t in book.source(language) for level, w in headings(t) if level == 2]
        at = 0
        for part in SECTIONS:
            if part[0] in omitted:
                continue
            found = [n for n, (_, w) in enumerate(words) if w.startswith(part[column])]
            if not found:
                yield None, f"no part `## {part[column]}` (or its reason in metadata book.omits)"
            elif found[0] < at:
                yield words[found[0]][0], f"`## {part[column]}` stands too early"
            else:
                at = found[0]


@rule
def contents(book):
    """A chapter has a slider, claims, folded answers and solutions, and a bibliography."""
    if not book.is_chapter:
        return
    omitted = omits(book)
    if not book.sliders and "slider" not in omitted:
        yield None, "no slider"
    if not book.records.verdicts and "claims" not in omitted:
        yield None, "no claim"
    part, folded = None, Counter()
    for _, cell in book.cells:
        if languages(cell) == ["zh"]:
            for level, words in headings(cell.source):
                if level == 2:
                    part = next((name for name, zh, _ in SECTIONS if words.startswith(zh)), None)
            folded[part] += cell.source.count("<details>")
        folded[part] += "solution" in tags(cell)
    if not folded["predict"] and "predict" not in omitted:
        yield None, "the answer to the prediction must be folded (<details>)"
    if folded["exercises"] < 4 and "exercises" not in omitted:
        yield None, f"{folded['exercises']} folded solutions in the exercises, at least 4"
    for language in ("zh", "en"):
        text = "\n".join(text for _, text in book.source(language))
        if "{footcite" in text and "{footbibliography}" not in text:
            yield None, f"citations but no ```{{footbibliography}}``` in {language}"


@rule
def checked(book):
    """Every labelled equation is checked by a cell, which prints ✓ and the label."""
    printed = "\n".join(text for _, text in book.outputs("stdout"))
    checks = re.findall(r"^✓ (\S+)", printed, re.M)
    labels = [(i, label) for i, zh, _ in book.pairs for _, label in equations(zh) if label]
    for i, label in labels:
        if label not in checks:
            yield i, f"equation {label} is labelled but no cell prints `✓ {label}`"
    for label, count in Counter(label for _, label in labels).items():
        if count > 1:
            yield None, f"label {label} is used {count} times"
    known = {label for _, label in labels}
    for label in sorted({label for label in checks if label.startswith("eq:")} - known):
        yield None, f"`✓ {label}` is printed but no equation has this label"


@rule
def long_cells(book):
    """No code is shown that is longer than a screen."""
    for i, cell in book.code:
        lines = cell.source.count("\n") + 1
        if lines > folds.SCREEN and i not in folds.folded(book):
            yield i, f"{lines} lines are shown, at most {folds.SCREEN} fit a screen: split the cell"
