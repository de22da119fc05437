"""What is in a piece of a chapter's Markdown: headings, equations, links, prose, numbers."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

HAN = r"[\u3400-\u9fff\uf900-\ufaff]"  # for regular expressions of Python and JavaScript
WIDE = "，。；：！？、（）《》「」“”…"  # full-width punctuation

_FENCE = re.compile(r"^ *(`{3,}|~{3,})(?P<info>[^\n`]*)\n(?P<body>.*?)^ *\1[`~]* *$", re.M | re.S)
_FENCED = re.compile(r"^(`{3,}|~{3,}|:{3,}).*?^\1", re.M | re.S)
_DISPLAY = re.compile(r"\$\$(?P<tex>.+?)\$\$(?:[ \t]*\((?P<label>[\w:.-]+)\))?", re.S)
_INLINE = re.compile(r"(?<![\\$])\$(?![\s$])(?P<tex>[^$\n]+?)(?<!\\)\$")
_ROLE = re.compile(r"\{(?P<role>[\w:-]+)\}`(?P<content>[^`]+)`")
_LINK = re.compile(r"\[(?P<words>[^\]\n]*)\]\((?P<target>[^)\s]+)\)")


def without_code(text: str) -> str:
    """Text without literal code blocks; what a directive encloses stays."""

    def keep(match: re.Match) -> str:
        if not match["info"].startswith("{"):
            return "\n"
        return "\n" + re.sub(r"^:[\w-]+:.*\n", "", match["body"], flags=re.M) + "\n"

    return _FENCE.sub(keep, text)


def blocks(text: str) -> list[tuple[str, str]]:
    """``(info, body)`` of each fenced block; the body of a directive is text and left out."""
    found = ((m["info"].strip(), m["body"]) for m in _FENCE.finditer(text))
    return [(info, "" if info.startswith("{") else body) for info, body in found]


def headings(text: str) -> list[tuple[int, str]]:
    """``(level, words)`` of each heading; those inside fenced blocks begin no section."""
    found = re.findall(r"^(#{1,6}) +(.+?)[ #]*$", _FENCED.sub("", text), re.M)
    return [(len(marks), words) for marks, words in found]


def sections(text: str) -> list[str]:
    """The text cut before each heading: what stands before the first (maybe ""), then section by
    section. Code blocks are left out."""
    return re.split(r"(?m)^(?=#{1,6} )", without_code(text))


def equations(text: str) -> list[tuple[str, str]]:
    """``(normalised TeX, label or "")`` of each displayed equation; words in it do not count."""
    return [(_tex(m["tex"]), m["label"] or "") for m in _DISPLAY.finditer(without_code(text))]


def tagged(text: str, tag: Callable[[str], str]) -> str:
    """The text with ``\\tag{…}`` in its equations in the place of labels.

    >>> print(tagged("$$ a $$ and $$ b $$ (eq:b)", lambda label: "3"))
    $$ a $$ and $$ b \\tag{3} $$
    """

    def equation(match: re.Match) -> str:
        tex, label = match["tex"], match["label"]
        end = tex[len(tex.rstrip()) :]
        return rf"$${tex.rstrip()} \tag{{{tag(label)}}}{end}$$" if label else match[0]

    return _DISPLAY.sub(equation, text)


def _tex(tex: str) -> str:
    tex = re.sub(r"\\text\w*\{[^{}]*\}", "", tex)
    tex = re.sub(r"\\[,;:!> ]|\\q?quad|~|\s", "", tex)
    return tex.rstrip(".,;，。；")


def labels(text: str) -> list[str]:
    """What a piece of text gives a label to: equations, then other places."""
    return [label for _, label in equations(text)] + re.findall(r"^\(([\w:.-]+)\)=$", text, re.M)


def roles(text: str, *names: str) -> list[str]:
    """What stands in roles such as ``{eq}`…```, given their names, in order."""
    return [m["content"] for m in _ROLE.finditer(text) if m["role"] in names]


def links(text: str) -> list[str]:
    """Where the links of a text lead."""
    return [m["target"] for m in _LINK.finditer(without_code(text))]


def citations(text: str) -> list[str]:
    """The keys of the works that are cited, in order.

    >>> citations("see {footcite:p}`kingma2015adam, reddi2018convergence`")
    ['kingma2015adam', 'reddi2018convergence']
    """
    found = roles(text, "footcite", "footcite:p", "footcite:t")
    return [key.strip() for keys in found for key in keys.split(",")]


def outside_formulas(text: str) -> str:
    """Text without formulas, code, headings, comments and tags: where words may stand."""
    text = _DISPLAY.sub("\n", re.sub(r"^#{1,6} .*$", "", without_code(text), flags=re.M))
    text = re.sub(r"<!--.*?-->|</?[A-Za-z][^>\n]*>", "", _INLINE.sub("X", text), flags=re.S)
    code = re.compile(_ROLE.pattern + r"|(?P<code>`+)[^`].*?(?P=code)")
    return code.sub(lambda match: "X" if match["code"] else match[0], text)


#: What is said of a number that names a place or a version: Section 2.1, 第 2.1 节, NumPy 2.4.
_NAMED = re.compile(
    r"(?:Sections?|Figures?|Tables?|Equations?|Theorems?|Lemma|Propositions?|Corollary|Chapters?|"
    r"Algorithms?|Appendix|Exercises?|versions?|Python|NumPy|SciPy|PyTorch|JAX|TensorFlow|Keras|"
    r"[§图表式版])\W*$", re.I,
)  # fmt: skip


def typed_decimals(text: str) -> list[str]:
    """The decimals in the prose, except in sentences that cite and in names of places.

    >>> typed_decimals("After 3.1 s, $x = 0.1$. They say 0.9 {footcite:p}`k`. See Section 2.1.")
    ['3.1']
    """
    found, text = [], _DISPLAY.sub("\n", without_code(text))
    for sentence in re.split(r"(?<=[。！？；])|(?<=[.!?;])\s|\n", text):
        if "{footcite" in sentence:
            continue
        words = prose(sentence)
        for match in re.finditer(r"(?<![\w.])\d+\.\d+(?![\w.]\w|\w)", words):
            place = _NAMED.search(words[: match.start()]) or re.match(
                r"\s*[节章图表式版]", words[match.end() :]
            )
            if not place:
                found.append(match[0])
    return found


def prose(text: str) -> str:
    """What is left to read: code, formulas, markup and addresses replaced or dropped.

    A formula, code or reference becomes ``X``, since typography treats it as a Latin word.
    """
    text = _DISPLAY.sub("\n\n", without_code(text))
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r" ?\{footcite(:p)?\}`[^`]+`", "", text)  # becomes a raised number
    text = _ROLE.sub("X", text)
    text = re.sub(r"(`+)[^`].*?\1", "X", text)
    text = _INLINE.sub("X", text)
    text = re.sub(r"</?[A-Za-z][^>\n]*>", "", text)
    text = re.sub(r"^\([\w:.-]+\)=$", "", text, flags=re.M)
    text = re.sub(r"https?://[^\s)]+", "X", _LINK.sub(lambda m: m["words"], text))
    # Markdown needs the space in `**词。** 词`, or the stars stay stars; the reader sees none.
    text = re.sub(rf"(?<=[{WIDE}])(\*+) ", r"\1", text)
    return re.sub(r"\*+|(?<!\w)_+|_+(?!\w)|!(?=\[)", "", text)


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_NUMBER = re.compile(r"(?<![A-Za-zͰ-Ͽ_\d.])\d+(?:\.\d+)?")


def numbers(text: str) -> Counter:
    """The numbers of the prose, as often as each is said; 1,000 is 1000, and L2 has none."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", prose(text))
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda m: " " + m[0].translate(_SUPERSCRIPTS), text)
    text = unicodedata.normalize("NFKC", re.sub(r"[₀-₉]", "", text))
    text = re.sub(r"^ *\d+[.)] ", "", text, flags=re.M)  # the numbers of a list
    return Counter(_NUMBER.findall(text))


def math_numbers(text: str) -> set[str]:
    """The set of numbers in inline formulas (how often one is repeated is a matter of style)."""
    found = (_tex(m["tex"]) for m in _INLINE.finditer(_DISPLAY.sub("", without_code(text))))
    return {number for tex in found for number in re.findall(r"\d+(?:\.\d+)?", tex)}
