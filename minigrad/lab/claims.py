"""What a cell hands to the prose: the verdict of a claim, and numbers.

The sentences stand in the chapter's text, in both languages, and take verdict and numbers from here
when the book is made (``press/records.py``), so that they cannot say what the run does not.
"""

import re
from numbers import Integral, Real

import numpy as np
from IPython.display import display

from .words import own

#: What each verdict is called on the page.
VERDICTS = {
    "holds": {"zh": "成立", "en": "Holds"},
    "when": {"zh": "有条件成立", "en": "Holds when…"},
    "fails": {"zh": "不成立", "en": "Does not hold"},
    "undecided": {"zh": "未定", "en": "Not decided"},
}
#: How many digits of a measured number are kept. The next ones differ between processors.
DIGITS = 4
#: What a record is called among the outputs of a cell.
CLAIM = "application/vnd.book.claim+json"
NUMBERS = "application/vnd.book.numbers+json"


def claim(name, verdict, smallest=None, **numbers):
    """Hand the verdict of a claim to its sentence, and numbers that were measured.

    The sentence stands in the text, twice: a paragraph that begins with ``{claim}`name```, before
    or after the cell. There the verdict is put, and the permanent anchor ``claim-<name>``; numbers
    are taken over with ``{num}`name.ratio:.2f```. The ledger gathers all claims of the book.

    Args:
        name: lower-case words and hyphens, unique in the book, never changed once published.
        verdict: ``True`` (成立, holds), ``False`` (不成立, does not hold), ``"when"`` (有条件成立,
            holds when…; the sentence says when) or ``"undecided"`` (未定, not decided: the interval
            includes both). Computed by the cell, not typed.
        smallest: the smallest effect that could have been seen; an undecided claim must say it.
        numbers: as in :func:`record`.

    Raises:
        ValueError: a name of another form, another verdict, or undecided without ``smallest``.
        TypeError, ValueError: as :func:`record` does.

    >>> claim("first-step", True, ratio=np.sqrt(10))
    成立 · holds  first-step: ratio = 3.162
    """
    if not (isinstance(name, str) and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)):
        raise ValueError(f"claim: the name must be words joined by hyphens, got {name!r}")
    if isinstance(verdict, (bool, np.bool_)):
        key = "holds" if verdict else "fails"
    elif isinstance(verdict, str) and verdict in ("when", "undecided"):
        key = verdict
    else:
        raise ValueError(
            f'claim({name!r}): the verdict must be True, False, "when" or "undecided", '
            f"got {verdict!r}"
        )
    if smallest is not None:
        numbers = {"smallest": smallest} | numbers
    elif key == "undecided":
        raise ValueError(
            f"claim({name!r}): an undecided claim must say the smallest effect that could have "
            "been seen: smallest=…"
        )
    numbers = _kept(f"claim({name!r})", numbers)
    words = VERDICTS[key]
    said = own(f"{words['zh']} · {words['en'].lower().rstrip('…')}") + f"  {name}"
    said += f": {_listed(numbers)}" if numbers else ""
    display(_Handed(CLAIM, {"name": name, "verdict": key, "numbers": numbers}, said))


def record(**numbers):
    """Hand numbers to the prose of the chapter, which takes them over with ``{num}`ratio:.2f```.

    Args:
        numbers: what the cell has computed, each under a name that is used once in the chapter. An
            integer is kept as it is; any other number with four digits, since what comes after them
            differs between processors. An interval or comparison of :mod:`minigrad.lab.experiments`
            is shown with its ±. Text is shown as it is: for more digits, or another form.

    Raises:
        TypeError: what is neither a number nor an interval nor text.
        ValueError: no numbers, or one that is not finite.

    >>> record(ratio=np.sqrt(10), steps=15012, method="Adam")
    ratio = 3.162, steps = 15012, method = Adam
    """
    if not numbers:
        raise ValueError("record: nothing to record; give numbers, record(ratio=…)")
    numbers = _kept("record", numbers)
    display(_Handed(NUMBERS, numbers, _listed(numbers)))


class _Handed:
    """What is handed over, for the press; to people it is a line of text."""

    def __init__(self, kind, data, words):
        self.bundle, self.words = {kind: data}, words

    def __repr__(self):
        return self.words

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.bundle


def _listed(numbers):
    return ", ".join(f"{name} = {_said(value)}" for name, value in numbers.items())


def _said(value):
    if not isinstance(value, list):
        return str(value)
    center, *ends = value
    return f"{center} ± {ends[0]}" if len(ends) == 1 else f"{center} [{ends[0]}, {ends[1]}]"


def _kept(caller, numbers):
    return {name: _number(f"{caller}: {name}", value) for name, value in numbers.items()}


def _number(label, value):
    """What is kept of a number: JSON that is the same on every machine."""
    value = getattr(value, "difference", value)  # of a comparison
    if isinstance(value, str):
        return value
    if all(hasattr(value, end) for end in ("center", "low", "high")):
        center, low, high = (_number(label, float(end)) for end in value)
        below, above = (abs(float(end) - float(value.center)) for end in value[1:])
        if np.isclose(below, above, rtol=1e-6, atol=0):
            return [center, _number(label, (below + above) / 2)]
        return [center, low, high]
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(
            f"{label} must be a number, an interval or text, got {type(value).__name__}"
            + (f" of shape {np.shape(value)}" if np.shape(value) else "")
        )
    if isinstance(value, Integral):
        return int(value)
    if not np.isfinite(value):
        raise ValueError(f"{label} must be finite, got {value}")
    return float(f"{float(value):.{DIGITS}g}") + 0.0  # no minus before a zero
