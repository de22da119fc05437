"""Words in both languages: ``中文 · English``.

A chapter's code is shared by the two editions of the book, so a word in it is written once, in both
languages: in a comment, a label of a figure, the name of a check, a printed line. Plain Jupyter
shows both. An edition, and a downloaded notebook, has its own half only.

The rule is about lines. Left of ``" · "`` stands Chinese, right of it English. What a mark (✓)
before them and what follows two spaces, or a colon, belong to both:

>>> half("✓ 第一步 · first step: 3.16 η", "zh"), half("✓ 第一步 · first step: 3.16 η", "en")
('✓ 第一步：3.16 η', '✓ first step: 3.16 η')

Where the Chinese half has a colon of its own, the English one is not shared either:

>>> half("η = 0.1：太大 · η = 0.1: too large", "en")
'η = 0.1: too large'

A line that would be too long ends with the dot, and its English is the next line. A product is
written without spaces, ``η·λ``.
"""

import re
import unicodedata

_kept = None  # the language of the words that are not the chapter's; None: both

HAN = "[\u3400-\u9fff]"
_PAIR = re.compile(
    rf"^[^\S\n]*(?:[✓✗] )?(?P<zh>[^\n]*?{HAN}[^\n]*?)(?P<dot> ·(?: |\n[^\S\n]*))(?P<en>[^\n]*)",
    re.MULTILINE,
)


def cuts(text, language):
    """What to change to keep the half of ``language``: ``[(start, end, replacement), …]``."""
    found = []
    for pair in _PAIR.finditer(text):
        shared = re.search("  " if "：" in pair["zh"] else ": |:$|  ", pair["en"])
        tail = pair.start("en") + shared.start() if shared else pair.end()
        if language == "en":
            found.append((pair.start("zh"), pair.start("en"), ""))
        elif shared and shared[0] != "  ":
            found.append((pair.end("zh"), tail + len(shared[0]), "："))
        else:
            found.append((pair.end("zh"), tail, ""))
    return found


def half(text, language):
    """The Chinese (``"zh"``) or English (``"en"``) half of every line that has two.

    >>> half("学习率 · learning rate", "zh"), half("$η$", "zh")
    ('学习率', '$η$')
    """
    for start, end, new in reversed(cuts(text, language)):
        text = text[:start] + new + text[end:]
    return text


def language(name):
    """Say in which language the laboratory's own words are, such as names of methods in legends.

    A chapter begins with ``language("中文 · English")``, and shows both. An edition has its
    half of that literal, as of any other, and shows one.

    >>> language("中文"), own("步长 · step")
    (None, '步长')
    >>> language("中文 · English"), own("步长 · step")
    (None, '步长 · step')
    """
    global _kept
    names = {"中文": "zh", "English": "en", "中文 · English": None}
    if name not in names:
        raise ValueError(f"language: one of {[*names]}, got {name!r}")
    _kept = names[name]


def own(text):
    """Words of the laboratory itself, in the language that the chapter has asked for."""
    return half(text, _kept) if _kept else text


def width(text):
    """The columns that a text takes in a monospaced font, where 汉字 are two wide.

    >>> width("步长 m̂")
    6
    """
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def typeset(text):
    """A text whose numbers are set as in print: a true minus sign, powers of ten.

    >>> typeset("-0.70 ± 0.24"), typeset("1e-09"), typeset("2.5e+04"), typeset("(-inf, 3)")
    ('−0.70 ± 0.24', '10⁻⁹', '2.5×10⁴', '(−inf, 3)')

    A hyphen stays one, and so does a minus sign that stands before a letter:

    >>> typeset("64-64-10"), typeset("L-BFGS"), typeset("-x")
    ('64-64-10', 'L-BFGS', '-x')
    """

    def power(number):
        ten = "10" + str(int(number["exponent"])).translate(_SUPERSCRIPTS)
        return ten if number["mantissa"] == "1" else f"{number['mantissa']}×{ten}"

    text = re.sub(
        r"(?<![\w.])(?P<mantissa>\d+(?:\.\d+)?)e(?P<exponent>[+-]?\d+)(?![\w.])", power, text
    )
    return re.sub(r"(?<![\w.)\]])-(?=\.?\d|inf\b)", "−", text)
