"""Words in code, and in what it shows, are in both languages (`press.bilingual`)."""

import ast
import html
import re

from minigrad.lab.words import half

from .. import bilingual
from ..bilingual import shown, texts
from ..markdown import HAN
from .registry import rule

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
