"""Words in code, and in what it shows, are in both languages (`press.bilingual`)."""

import ast
import html
import re

from minigrad.lab.words import half

from .. import bilingual
from ..bilingual import shown, texts
from ..markdown import HAN
from .registry import rule

#: What is no English word in a Chinese line: functions, units, names of methods that begin small.
LATIN = set(
    "abs arccos arg argmax argmin cos cosh det diag div erf exp inf log ln logit logits max min "
    "log-cosh matmul mod nan ndtr one-hot sigmoid sign sin sinh softmax softplus sqrt sum tan "
    "tanh tr True False None dampening epoch float lr minigrad ms kB MB GB".split()
)
#: Names that are the whole of a line; beside 汉字 every capitalised word counts as a name.
NAMES = set(
    "Adam Adamax Nadam Lion Lookahead Sophia Shampoo Muon Adafactor Adadelta Adagrad Nesterov "
    "Newton Powell Beale Rosenbrock Xavier Glorot He Kaiming LeCun Laplace Leaky Hard Smooth "
    "Swish Mish Huber Huffman Keras Caffe Re Im".split()
)


def _lines(text):
    """The lines of a text; an English half on a line of its own belongs to the one before."""
    return re.sub(r" ·\n\s*", " · ", text).splitlines()


def _tree(source):
    try:
        return ast.parse(source)
    except SyntaxError:  # a magic, say, which has a rule of its own
        return ast.Module(body=[], type_ignores=[])


def explanations(source):
    """The lines of a cell's comments and docstrings."""
    docstrings = {
        (node.lineno, node.col_offset)
        for node in ast.walk(_tree(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for group in texts(source):
        before = source[: group[0].start]
        place = before.count("\n") + 1, len(before.rpartition("\n")[2].encode())
        pragma = shown(group).startswith(("fmt:", "noqa", "type:"))
        if place in docstrings or group[0].is_comment and not pragma:
            yield from _lines(shown(group))


def shown_words(book):
    """``(number, line)`` of everything to read in the outputs, both halves.

    The code that a cell prints is left out, minigrad's own and what minigrad has written, which is
    in English in both editions.
    """
    shows = re.compile(r"inspect\.get|print\(source\)|\.source\b")
    code = {i for i, cell in book.code if shows.search(cell.source)}
    for kind in ("stdout", "stderr"):
        for i, text in book.outputs(kind):
            yield from ((i, line) for line in text.splitlines() if i not in code)
    for i, text in book.outputs("text/plain"):
        if text.startswith(("figure\n", "slider: ")):  # the words of a picture
            yield from ((i, line) for line in text.splitlines()[1:])
    for i, text in book.outputs("text/html"):
        text = re.sub(r"<(script|style)\b.*?</\1>|<picture>.*?</picture>", "", text, flags=re.S)
        text = re.sub(  # what is said in one element for each language, as one line
            r'<(\w+) data-lang="zh"[^>]*>([^<]*)</\1>\s*<\1 data-lang="en"[^>]*>([^<]*)</\1>',
            r">\2 · \3<", text,
        )  # fmt: skip
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
                yield i, f"a dot inside a value of {cell.source[group[0].start : group[-1].end]!r}"
        zh, en = (texts(bilingual.source(cell.source, language)) for language in ("zh", "en"))
        for one, two in zip(zh, en):
            values = [sorted(v for token in group for v in token.fields) for group in (one, two)]
            if values[0] != values[1]:
                yield i, f"not the same values in both halves: {shown(one)!r} and {shown(two)!r}"
        for node in ast.walk(_tree(cell.source)):
            keys = {getattr(key, "value", None) for key in getattr(node, "keys", ())}
            keys = sorted(key for key in keys if isinstance(key, str))
            for language in ("zh", "en"):
                names = [half(key, language) for key in keys]
                if twice := {name for name in names if names.count(name) > 1}:
                    yield i, f"two keys are one in the half {language}: {', '.join(sorted(twice))}"


@rule
def untranslated(book):
    """Words in comments and outputs, and Chinese anywhere in the code, are in both languages."""
    for i, cell in book.code:
        for line in explanations(bilingual.source(cell.source, "zh")):
            if words := english(line):
                yield i, f"{', '.join(words)}: English in the Chinese half, {line.strip()!r}"
        for group in texts(bilingual.source(cell.source, "en")):
            if re.search(HAN, shown(group)):
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
