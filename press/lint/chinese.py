"""Chinese as it is set: punctuation, spaces, the terms of the glossary."""

import re

from ..glossary import glossary
from ..markdown import HAN, WIDE, prose
from .registry import rule


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
