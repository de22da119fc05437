"""The rules that every chapter's notebook keeps: ``python -m press.lint [paths…]``.

A rule is a function below that is marked ``@rule``; it takes a :class:`Notebook` and yields
``(cell number or None, what is wrong)``. Its name is what a fault is reported under, its docstring
what it demands. ``tests/press/test_lint.py`` plants a fault for each.
"""

import argparse
import ast
import gzip
import html
import re
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from minigrad.lab.words import half, width

from . import bilingual
from .bilingual import shown, texts
from .execute import canonical, parse, source
from .figures import inline, is_figure
from .glossary import glossary
from .markdown import (
    HAN,
    WIDE,
    blocks,
    citations,
    equations,
    headings,
    labels,
    links,
    math_numbers,
    numbers,
    outside_formulas,
    prose,
    roles,
    typed_decimals,
    without_code,
)
from .notebook import CHAPTERS, Notebook, languages, notebooks, tags
from .records import misplaced, references, sentences
from .records import shown as shown_number

COLUMNS = 88  # a line of code that fits the page
BOTH = 120  # with its words in both languages
BYTES = 1_000_000
PICTURES = 220_000  # compressed; of the 400 kB that a page may weigh
SLIDER = 50_000  # likewise

#: The parts of a chapter, in order, as (name, 中文, English): what a level-2 heading begins with.
SECTIONS = [
    ("card", "卡片", "Card"),
    ("problem", "问题", "The problem"),
    ("predict", "先猜", "Predict"),
    ("derivation", "推导", "Derivation"),
    ("from-scratch", "从零实现", "From scratch"),
    ("conventions", "约定之争", "Conventions"),
    ("experiment", "实验", "Experiment"),
    ("slider", "动手", "Slider"),
    ("claims", "传言与实测", "Claims"),
    ("breaks", "何时失灵", "When it breaks"),
    ("summary", "小结", "Summary"),
    ("exercises", "练习", "Exercises"),
    ("references", "参考文献", "References"),
]

#: Rules that a chapter which is older than they are may switch off, like a part it has not.
SWITCHES = ("typed-numbers",)

RULES = {}


def rule(function):
    """Register a rule under its name."""
    RULES[function.__name__.replace("_", "-")] = function
    return function


@dataclass(frozen=True)
class Fault:
    """One violation: the text and the line where, and of which rule."""

    path: Path
    line: int | None
    rule: str
    message: str

    def __str__(self):
        where = "" if self.line is None else f"{self.line}:"
        return f"{self.path}:{where} [{self.rule}] {self.message}"


def _difference(zh, en):
    """What only one of two collections has, in words."""
    zh, en = Counter(zh), Counter(en)
    only = [(name, sorted(map(str, (a - b).elements())))
            for name, a, b in (("Chinese", zh, en), ("English", en, zh))]  # fmt: skip
    return "; ".join(f"only in {name}: {', '.join(items)}" for name, items in only if items)


def omits(book):
    """What the chapter leaves out, and why: ``book.omits`` of its metadata."""
    return book.node.metadata.get("book", {}).get("omits", {})


# -- Execution


@rule
def in_step(book):
    """The notebook has the cells of the text beside it."""
    text = book.path.with_suffix(".md")
    if not text.exists():
        yield None, f"no {text.name} beside it, which is the source"
        return
    about, wanted = source(parse(text.read_text(encoding="utf-8")))
    said, got = source(book.node)
    if about != said:
        yield None, f"{text.name} has other metadata `book`: run `make notebooks`"
    for i, (one, other) in enumerate(zip_longest(wanted, got)):
        if one != other:
            yield i, f"is not what {text.name} says: run `make notebooks`"
            break


@rule
def executed(book):
    """Every code cell was run (nbval passes a cell without a count, whatever it does)."""
    for i, cell in book.code:
        if not cell.source.strip():
            yield i, "empty code cell"
        elif cell.execution_count is None:
            yield i, "never executed: run `make notebooks`"
        elif "print(" in cell.source.split("def ")[0] and not cell.outputs:
            yield i, "prints but has no output: run `make notebooks`"


@rule
def canonical_form(book):
    """The file is what the executor writes."""
    if canonical(book.node) != book.text:
        yield None, "not in canonical form: run `make notebooks`"


@rule
def small(book):
    """The file is below 1 MB, and its figures leave room in a page of 400 kB."""
    size = len(book.text.encode())
    if size >= BYTES:
        yield None, f"{size / 1e6:.2f} MB, must be below {BYTES / 1e6} MB"
    weights = Counter({i: len(text) * 3 // 4 for i, text in book.outputs("image/png")})
    for i, text in book.outputs("text/html"):
        if is_figure(text):
            weights[i] += len(gzip.compress(inline(text).encode()))
            if 'class="slider"' in text and weights[i] > SLIDER:
                size = f"{weights[i] // 1000} kB, at most {SLIDER // 1000}"
                yield i, f"the slider has {size}: fewer frames"
    if weights.total() > PICTURES:
        heavy = ", ".join(f"cell-{i} {n // 1000} kB" for i, n in weights.most_common(3))
        yield None, f"{weights.total() // 1000} kB of figures, at most {PICTURES // 1000}: {heavy}"


@rule
def reproducible(book):
    """Nothing that nbval cannot compare: live widgets, magics, global or unseeded randomness."""
    banned = {
        r"\binteract(ive)?\(|@interact": "use minigrad.lab.sliders",
        r"\bOutput\(|\bclear_output\b": "nbval sees a different output",
        r"^ *[%!]": "magics and shell commands depend on the machine",
        r"\bNBVAL_": "use tags",
        r"\bnp\.random\.(?!default_rng\b|Generator\b)": "global state; use default_rng(seed)",
        r"\bdefault_rng\(\)": "no seed",
        r"^ *(import random|from random import)\b": "use np.random.default_rng(seed)",
        r"\btqdm\b": "minigrad.lab.training.progress, which leaves no trace in the output",
    }
    for i, cell in book.code:
        for pattern, why in banned.items():
            if found := re.search(pattern, cell.source, re.M):
                yield i, f"`{found[0].strip()}` is banned: {why}"
        for tag in set(tags(cell)) & {"nbval-skip", "raises-exception", "skip-execution"}:
            yield i, f"tag {tag} is banned: every cell is run and compared"


@rule
def clean_output(book):
    """No errors, warnings, object addresses or paths in the outputs."""
    dirty = re.compile(
        r"\b0x[0-9a-f]{5,}|(?<![\w.])/(?:home|root|usr|tmp|work|Users)/|site-packages"
    )
    for i, cell in book.code:
        if any(output.output_type == "error" for output in cell.outputs):
            yield i, "an exception in the output: catch it and print what matters"
    for i, text in book.outputs("stderr"):
        yield i, f"text on stderr: {text.strip()[:60]!r}"
    for kind in ("stdout", "text/plain", "text/html"):
        for i, text in book.outputs(kind):
            text = re.sub(r'"data:image/[^"]*"', "", text)
            if found := dirty.search(text):
                yield i, f"an address or path in the output: …{text[found.start() :][:40]!r}"
            elif re.match(r"Text\(|\[?<matplotlib|<Axes|\(<Figure", text):
                yield i, f"the repr {text[:30]!r} is shown: end the cell with plt.show()"


@rule
def measured_times(book):
    """Times are shown in cells tagged ``nbval-ignore-output`` and in no others."""
    for i, cell in book.code:
        clock = re.search(r"\bperf_counter(_ns)?\(|\btime\.time\(|\btimeit\b", cell.source)
        ignored = "nbval-ignore-output" in tags(cell)
        if clock and cell.outputs and not ignored:
            yield i, f"`{clock[0]}…` in a cell with output needs the tag nbval-ignore-output"
        if ignored and not clock:
            yield i, "nbval-ignore-output is for measured times only"


@rule
def code_width(book):
    """Lines of code are at most 88 columns wide in an edition, 120 with both languages."""
    for i, cell in book.code:
        for language, most in (("zh", COLUMNS), ("en", COLUMNS), ("", BOTH)):
            code = bilingual.source(cell.source, language) if language else cell.source
            for line in code.splitlines():
                if width(line) > most:
                    yield i, f"{width(line)} columns, at most {most}: {line[:40]}…"


@rule
def solutions(book):
    """A folded cell (``hide-cell``) is a solution and is tagged so."""
    for i, cell in book.code:
        if ("solution" in tags(cell)) != ("hide-cell" in tags(cell)):
            yield i, "the tags solution and hide-cell go together"


# -- Figures


@rule
def alt_text(book):
    """Every figure has alternative text in both languages."""
    for i, cell in book.code:
        figure, alt = i in book.figures, cell.metadata.get("alt")
        if figure and not _in_both(alt):
            yield i, 'a figure without metadata "alt": {"zh": "…", "en": "…"}'
        elif alt is not None and not figure:
            yield i, "alt text, but no figure in the output"
    for i, cell in book.markdown:
        if re.search(r"!\[\s*\]\(|<img(?![^>]*\balt=\"[^\"]+\")", without_code(cell.source)):
            yield i, "an image without alternative text"


def _in_both(texts):
    return isinstance(texts, dict) and all(texts.get(x, "").strip() for x in ("zh", "en"))


@rule
def caption(book):
    """Captions are in both languages, and a slider says what to try."""
    for i, cell in book.code:
        said = cell.metadata.get("caption")
        if said is not None and not (i in book.figures and _in_both(said)):
            yield i, 'a caption is for figures, metadata "caption": {"zh": "…", "en": "…"}'
    for i, text in book.outputs("text/html"):
        if 'class="slider"' in text and "<figcaption>" not in text:
            yield i, 'a slider without caption={"zh": "…", "en": "…"}, what to try'


@rule
def html_languages(book):
    """HTML output says everything in both languages."""
    for i, text in book.outputs("text/html"):
        zh, en = (text.count(f'data-lang="{x}"') for x in ("zh", "en"))
        if zh != en:
            yield i, f"{zh} elements with data-lang zh, {en} with en"


# -- Structure


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
    shown = "".join(text for _, text in book.outputs("text/html"))
    if 'class="slider"' not in shown and "slider" not in omitted:
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


# -- What was measured (`press.records`)


@rule
def claimed(book):
    """Every claim has its sentence, a paragraph in both twins, and every sentence its claim."""
    said = {"zh": Counter(), "en": Counter()}
    for i, *twins in book.pairs:
        names = [[name for name, words in sentences(text) if words] for text in twins]
        for language, found in zip(said, names):
            said[language].update(found)
        if Counter(names[0]) != Counter(names[1]):
            yield i, "sentences of claims: " + _difference(*names)
        for text in twins:
            for name in misplaced(text):
                yield i, f"{{claim}}`{name}` must begin a paragraph or an item of a list"
            for name in {name for name, _ in sentences(text)} - {*book.records.verdicts}:
                yield i, f"{{claim}}`{name}`, but no cell says claim({name!r}, …)"
    for name in book.records.verdicts:
        for language, found in said.items():
            if found[name] != 1:
                yield None, f"claim {name!r} has {found[name]} sentences in {language}, must have 1"


@rule
def run_numbers(book):
    """Numbers taken from the run exist, in the format that is asked for, and stand in words."""
    for name in book.records.repeated:
        yield None, f"{name!r} is recorded twice: give the second one another name"
    for i, *twins in book.pairs:
        used = [Counter(references(text)) for text in twins]
        if used[0] != used[1]:
            yield i, "numbers of the run: " + _difference(
                *([f"{name}:{form}" for name, form in found.elements()] for found in used)
            )
        for name, form in used[0] | used[1]:
            if name not in book.records.numbers:
                yield i, f"{{num}}`{name}` is recorded by no cell"
                continue
            try:
                shown_number(book.records.numbers[name], form)
            except ValueError as error:
                yield i, f"{{num}}`{name}:{form}`: {error}"
        for text, found in zip(twins, used):
            for name, _ in found - Counter(references(outside_formulas(text))):
                yield i, f"{{num}}`{name}` stands in a formula, heading, code or tag"


@rule
def typed_numbers(book):
    """Measured numbers are not typed: a decimal comes from the run, or it is cited."""
    if not book.is_chapter or "typed-numbers" in omits(book):
        return
    for i, *twins in book.pairs:
        for number in dict.fromkeys(n for text in twins for n in typed_decimals(text)):
            yield i, f"{number} is typed: record it and take it over with {{num}}`…`, or cite it"


# -- The two languages


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
        used = [set(roles(text, "eq", "ref", "numref")) for text in (zh, en)]
        if used[0] != used[1]:
            yield i, "references to labels: " + _difference(*used)


@rule
def twin_equations(book):
    """Twins have the same displayed equations in the same order, words inside them apart."""
    for i, zh, en in book.pairs:
        one, two = ([tex for tex, _ in equations(text)] for text in (zh, en))
        if one != two:
            yield i, "equations differ: " + (_difference(one, two) or "in their order")


@rule
def twin_numbers(book):
    """Twins say the same numbers."""
    for i, zh, en in book.pairs:
        if numbers(zh) != numbers(en):
            yield i, "numbers: " + _difference(numbers(zh), numbers(en))
        if math_numbers(zh) != math_numbers(en):
            yield i, "numbers in formulas: " + _difference(math_numbers(zh), math_numbers(en))


@rule
def twin_citations(book):
    """Twins cite the same works."""
    for i, zh, en in book.pairs:
        cited = set(citations(zh)), set(citations(en))
        if cited[0] != cited[1]:
            yield i, "citations: " + _difference(*cited)


@rule
def twin_links(book):
    """Twins link to the same places."""
    for i, zh, en in book.pairs:
        linked = set(links(zh)), set(links(en))
        if linked[0] != linked[1]:
            yield i, "links: " + _difference(*linked)


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


# -- Chinese

@rule
def chinese_punctuation(book):
    """Chinese text has full-width punctuation, English text has none."""
    for i, text in book.source("zh"):
        for found in re.finditer(rf"{HAN}[,;:!?.()](?!\w)|{HAN}\(|[,;!?()]{HAN}", prose(text)):
            yield i, f"half-width punctuation in {_around(found)}"
    for i, text in book.source("en"):
        plain = re.sub(r"[（(][^（）()]*" + HAN + r"[^（）()]*[)）]", "", prose(text))
        for found in re.finditer(r"[，。；：！？、（）]", plain):
            yield i, f"full-width punctuation in {_around(found)}"


@rule
def chinese_spacing(book):
    """A space between 汉字 and Latin letters, digits or formulas; none beside wide punctuation."""
    for i, text in book.source("zh"):
        text = prose(text)
        for found in re.finditer(rf"{HAN}[A-Za-z0-9Ͱ-Ͽ]|[A-Za-z0-9Ͱ-Ͽ]{HAN}", text):
            yield i, f"a space is missing in {_around(found)}"
        for found in re.finditer(rf"\S[^\S\n]+[{WIDE[:9]}]|[{WIDE[:9]}][^\S\n]+\S", text):
            if not re.search(r"[|#>-]", found[0]):
                yield i, f"a space beside full-width punctuation in {_around(found)}"
        for found in re.finditer(rf"(?:{HAN}\n{HAN}|[{WIDE}]\n{HAN}|{HAN}\n[{WIDE}])", text):
            yield i, f"a line break inside a paragraph becomes a space in {_around(found)}"


def _around(found):
    return repr(found.string[max(0, found.start() - 8) : found.end() + 8].strip())


@rule
def terms(book):
    """Terms are those of the glossary."""
    rows = glossary()
    good = [term for row in rows for term in row["zh"].split(" / ")] + ["动力学", "动力系统"]
    good = re.compile("|".join(sorted(map(re.escape, good), key=len, reverse=True)))
    for i, text in book.source("zh"):
        text = good.sub("", text)
        for row in rows:
            for bad in row["avoid"]:
                if bad in text:
                    yield i, f"{bad} should be {row['zh']} ({row['en']})"


# -- Words in code and in what it shows (`press.bilingual`)

#: Chapters whose code is in English still.
ENGLISH = {
    "preface", "notation", "computational-graph", "tensor-engine", "gradient-checking",
    "speed",
}  # fmt: skip
#: What is no English word in a Chinese line: functions, units, names of methods that begin small.
LATIN = set(
    "abs arccos arg argmax argmin cos cosh det diag div erf exp inf log ln logit logits max min "
    "matmul mod nan ndtr one-hot sigmoid sign sin sinh softmax softplus sqrt sum tan tanh tr "
    "True False None dampening epoch float lr minigrad ms kB MB GB".split()
)
#: Names that are the whole of a line; beside 汉字 every capitalised word counts as a name.
NAMES = set(
    "Adam Adamax Nadam Lion Sophia Shampoo Muon Adafactor Adadelta Adagrad Nesterov Newton Powell "
    "Beale Rosenbrock Xavier Glorot He Kaiming LeCun Leaky Hard Swish Mish Huber Huffman Keras "
    "Caffe Re Im".split()
)
#: Functions that show words, and at which place they are given.
_LABELS = {
    "annotate": 0, "check": 0, "check_close": 0, "print": 0, "set_label": 0, "set_title": 0,
    "set_xlabel": 0, "set_ylabel": 0, "suptitle": 0, "supxlabel": 0, "supylabel": 0, "text": 2,
}  # fmt: skip
_LABEL_OPTIONS = {"label", "title", "xlabel", "ylabel"}


def _lines(text):
    """The lines of a text; an English half on a line of its own belongs to the one before."""
    return re.sub(r" ·\n\s*", " · ", text).splitlines()


def _tree(source):
    try:
        return ast.parse(source)
    except SyntaxError:  # a magic, say, which has a rule of its own
        return ast.Module(body=[], type_ignores=[])


def code_words(source):
    """The lines of a cell's comments, and of its literals that are meant to be read."""
    read = set()
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in _LABELS:
                read |= _literals(node.args[_LABELS[name] : _LABELS[name] + 1])
            read |= _literals(word.value for word in node.keywords if word.arg in _LABEL_OPTIONS)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            read |= _literals([node.value])  # a docstring
    for group, place in _placed(source):
        pragma = group[0].is_comment and shown(group).startswith(("fmt:", "noqa", "type:"))
        if place in read or group[0].is_comment and not pragma:
            yield from _lines(shown(group))


def _literals(nodes):
    """Where the literals in some expressions begin, as (line, column)."""
    return {
        (one.lineno, one.col_offset)
        for node in nodes
        for one in ast.walk(node)
        if isinstance(one, ast.Constant | ast.JoinedStr)
    }


def _placed(source):
    """The texts of a cell and where they begin."""
    for group in texts(source):
        before = source[: group[0].start]
        yield group, (before.count("\n") + 1, len(before.rpartition("\n")[2].encode()))


def _given_twice(source):
    """Where literals begin that are given in both languages: ``zh=…, en=…`` or a dict of them."""
    found = set()
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Call):
            found |= _literals(word.value for word in node.keywords if word.arg in ("zh", "en"))
        elif isinstance(node, ast.Dict):
            if {getattr(key, "value", None) for key in node.keys} == {"zh", "en"}:
                found |= _literals(node.values)
    return found


def shown_words(book):
    """``(number, line)`` of everything to read in the outputs, both halves."""
    for kind in ("stdout", "stderr"):
        for i, text in book.outputs(kind):
            yield from ((i, line) for line in text.splitlines())
    for i, text in book.outputs("text/plain"):
        if text.startswith(("figure\n", "slider: ")):  # the words of a picture
            yield from ((i, line) for line in text.splitlines()[1:])
    for i, text in book.outputs("text/html"):
        if "data-lang" not in text:
            text = re.sub(r"<(script|style)\b.*?</\1>|<svg.*?</svg>", "", text, flags=re.S)
            yield from ((i, html.unescape(words)) for words in re.findall(r">([^<>]+)<", text))


def english(line):
    """The English words of a Chinese line: no formulas, code, function or unit, and no names."""
    line = re.sub(r"\$[^$]*\$|`[^`]*`|(?<!\w)'[^']*'(?!\w)|\w+\([^()]*\)", " ", line)
    names = "[A-Z]" if re.search(HAN, line) else "[A-Z].*[A-Z]"
    found = []
    for word in re.split(r"[\s，。；：（）、“”…|\ufffc]+", line):
        word = re.sub(r"^[(\[“‘'\"]+|[)\]”’'\",.;:!?]+$", "", word)
        plain = re.fullmatch(r"[A-Za-z]+(?:[-'’/][A-Za-z]+)*", word)
        if plain and (re.search(r"[a-z]{3}", word, re.I) or word in _SHORT):
            if not (re.match(names, word) or word in LATIN or word in NAMES):
                found.append(word)
    return found


_SHORT = set("of at is in to an as by no or if on it be we so".split())


@rule
def halves(book):
    """Words in code and outputs are ``中文 · English``: one dot a line, no Chinese on its right."""
    if book.path.stem in ENGLISH:
        return
    for i, cell in book.code:
        lines = [line for group in texts(cell.source) for line in _lines(shown(group))]
        lines += [line for number, line in shown_words(book) if number == i]
        for line in dict.fromkeys(lines):
            left, dot, right = line.partition(" · ")
            if not dot:
                continue
            if " · " in right:
                yield i, f"more than one dot in {line!r}: one a line; a product is written η·λ"
            elif not re.search(HAN, left) or re.search(HAN, right):
                yield i, f"Chinese stands left of the dot and none right of it: {line!r}"
        for group in texts(cell.source):
            if any(" · " in field for token in group for field in token.fields):
                yield i, f"a dot inside a value of {cell.source[group[0].start:group[-1].end]!r}"
        zh, en = (texts(bilingual.source(cell.source, language)) for language in ("zh", "en"))
        for one, two in zip(zh, en):
            values = [sorted(v for token in group for v in token.fields) for group in (one, two)]
            if values[0] != values[1]:
                yield i, f"not the same values in both halves: {shown(one)!r} and {shown(two)!r}"


@rule
def untranslated(book):
    """Words in comments, labels and outputs are in both languages."""
    if book.path.stem in ENGLISH:
        return
    for i, cell in book.code:
        for line in code_words(bilingual.source(cell.source, "zh")):
            if words := english(line):
                yield i, f"{', '.join(words)}: English in the Chinese half, {line.strip()!r}"
        en = bilingual.source(cell.source, "en")
        for group, place in _placed(en):
            if re.search(HAN, shown(group)) and place not in _given_twice(en):
                yield i, f"Chinese in the English half: {shown(group)!r}"
    for i, line in shown_words(book):
        if words := english(half(line, "zh")):
            yield i, f"{', '.join(words)}: English in the Chinese half of the output, {line!r}"
        if re.search(HAN, half(line, "en")):
            yield i, f"Chinese in the English half of the output, {line!r}"


@rule
def language_said(book):
    """A page that uses the laboratory says ``language("中文 · English")``, for its words too."""
    code = "\n".join(cell.source for _, cell in book.code)
    if "minigrad.lab" in code and 'language("中文 · English")' not in code:
        if book.path.stem not in ENGLISH:
            yield None, 'language("中文 · English") is not said where it begins'


@rule
def printed_whole(book):
    """Words in both languages are printed alone: values stand inside the f-string."""
    for i, cell in book.code:
        for node in ast.walk(_tree(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
                words = [a for a in node.args if " · " in ast.unparse(a)]
                if words and len(node.args) > 1:
                    yield i, f"print one text with its values in it: {ast.unparse(words[0])}"


# -- All of it


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


def main(arguments=None):
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m press.lint", description="Check notebooks.")
    parser.add_argument("paths", nargs="*", type=Path, help="chapters or folders (chapters/)")
    given = parser.parse_args(arguments).paths or [CHAPTERS]
    paths = notebooks(*(path if path.is_dir() else path.with_suffix(".ipynb") for path in given))
    faults = 0
    for path in paths:
        found = lint(path)
        faults += len(found)
        book = Notebook(path)
        facts = {
            "faults": len(found),
            "汉字": sum(len(re.findall(HAN, prose(text))) for _, text in book.source("zh")),
            "code cells": len(book.code),
            "figures": len(book.figures),
            "claims": len(book.claims),
            "sliders": sum('class="slider"' in text for _, text in book.outputs("text/html")),
            "kB": len(book.text.encode()) // 1000,
        }
        summary = ", ".join(f"{n} {what}" for what, n in facts.items())
        print(*found, f"{path.with_suffix('.md')}: {summary}", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
