"""What the cells of a chapter hand to its prose (`minigrad.lab.claims`), put into the prose.

Two roles stand in the text of a chapter; in a notebook of one edition, hence on the pages, in the
ledger, the search and the downloads, they have become plain words:

- ``{claim}`adam-step-bound``` at the head of a paragraph makes it the sentence of that claim, and
  becomes its verdict.
- ``{num}`steps:,``` becomes a number that was recorded, in the format of an f-string, and
  ``{num}`adam-step-bound.ratio:.2f``` one of that claim; in its sentence ``{num}`.ratio:.2f```
  will do.

They are words of the prose: formulas, code and HTML have none.
"""

import re
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from minigrad.lab.claims import CLAIM, DIGITS, NUMBERS, VERDICTS
from minigrad.lab.words import typeset

KINDS = (CLAIM, NUMBERS)  # among the outputs of a cell
NBSP = "\N{NO-BREAK SPACE}"

_NUM = re.compile(r"\{num\}`(?P<name>[^`:]*)(?::(?P<format>[^`]*))?`")
_HEAD = re.compile(r"\{claim\}`(?P<name>[^`]*)`")
_SENTENCE = re.compile(
    r"^[ \t]*(?:(?:[-*+]|\d+[.)]|>)[ \t]+)?" + _HEAD.pattern + r"[ \t]*(?P<words>.*?)"
    r"(?=\n[ \t]*\n|\n[ \t]*(?:[-*+]|\d+[.)])[ \t]|\Z)",
    re.MULTILINE | re.DOTALL,
)  # fmt: skip


@dataclass(frozen=True)
class Records:
    """What a notebook has handed over: ``{claim: verdict}``, ``{name: number}``, and names that
    were handed over more than once."""

    verdicts: dict[str, str]
    numbers: dict[str, Any]
    repeated: list[str]


def gather(cells: list[NotebookNode]) -> Records:
    """The records among the outputs of a notebook's cells."""
    verdicts: dict[str, str] = {}
    numbers: dict[str, Any] = {}
    repeated = []
    for cell in cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            found = dict(data.get(NUMBERS, {}))
            if claim := data.get(CLAIM):
                repeated += [claim["name"]] * (claim["name"] in verdicts)
                verdicts[claim["name"]] = claim["verdict"]
                found |= {f"{claim['name']}.{key}": v for key, v in claim["numbers"].items()}
            else:
                repeated += [name for name in found if name in numbers]
            numbers |= found
    return Records(verdicts, numbers, repeated)


def sentences(text: str) -> list[tuple[str, str]]:
    """``(name, words)`` of the claims whose sentence stands in a piece of Markdown.

    >>> sentences("{claim}`a-b` It is so.\\n\\n- {claim}`c` And so.\\n- Or not.")
    [('a-b', 'It is so.'), ('c', 'And so.')]
    """
    return [(m["name"], " ".join(m["words"].split())) for m in _SENTENCE.finditer(text)]


def misplaced(text: str) -> list[str]:
    """The claims whose role does not stand at the head of a paragraph or of an item of a list."""
    return _HEAD.findall(_SENTENCE.sub("", text))


def references(text: str) -> list[tuple[str, str]]:
    """``(name, format)`` of the numbers that a piece of Markdown takes over.

    >>> references("{claim}`a-b` All {num}`.n`. But\\n\\n{num}`ratio:.2f` are not.")
    [('a-b.n', ''), ('ratio', '.2f')]
    """
    return [(m["name"], m["format"] or "") for m in _NUM.finditer(_named(text))]


def _named(text: str) -> str:
    """Markdown in which the numbers of a claim are called by their whole names."""
    return _SENTENCE.sub(lambda m: m[0].replace("{num}`.", f"{{num}}`{m['name']}."), text)


def numbered(text: str, records: Records) -> str:
    """A piece of Markdown with numbers in place of their role.

    What does not exist stays visible, ``⟨name⟩``; lint complains of it.
    """

    def number(match: re.Match) -> str:
        try:
            return shown(records.numbers[match["name"]], match["format"] or "")
        except (KeyError, ValueError):
            return f"⟨{match['name']}⟩"

    return _NUM.sub(number, _named(text))


def resolve(text: str, records: Records, language: str) -> str:
    """A piece of Markdown with numbers and verdicts in place of their roles."""

    def verdict(match: re.Match) -> str:
        name = match["name"]
        if name not in records.verdicts:
            return f"⟨{name}⟩"
        key = records.verdicts[name]
        return f'<a id="claim-{name}" class="{key}"></a>**{VERDICTS[key][language]}**'

    return _HEAD.sub(verdict, numbered(text, records))


def shown(value: Any, form: str) -> str:
    r"""A recorded number as it is read; no line is broken at its ± or ×.

    >>> shown(-0.06123, ".2f"), shown(15012, ","), shown(2.2e-16, ".1g"), shown(1e-5, ".0e")
    ('−0.06', '15,012', '2\xa0×\xa010⁻¹⁶', '10⁻⁵')
    >>> shown([-0.061, 0.0123], ".2f"), shown([1.3, 1.2, 1.7], ".1f"), shown("3.14159", "")
    ('−0.06\xa0±\xa00.01', '1.3 [1.2, 1.7]', '3.14159')

    Raises:
        ValueError: if the format does not fit, or asks for more digits than were kept.
    """
    if isinstance(value, list):
        center, *ends = (shown(number, form if n == 0 else form.replace("+", ""))
                         for n, number in enumerate(value))  # fmt: skip
        if len(ends) == 1:
            return f"{center}{NBSP}±{NBSP}{ends[0]}"
        return f"{center} [{ends[0]}, {ends[1]}]"
    text = format(value, form)
    significant = re.sub(r"\D", "", text.partition("e")[0]).lstrip("0")
    if isinstance(value, float) and len(significant) > DIGITS:
        raise ValueError(f"{text}: of {value} only {DIGITS} digits are kept")
    if isinstance(value, str):
        return text
    return typeset(text).replace("×", f"{NBSP}×{NBSP}")
