"""What was measured is taken over from the run (`press.records`), not typed."""

from collections import Counter

from ..markdown import outside_formulas, typed_decimals
from ..records import misplaced, references, sentences
from ..records import shown as shown_number
from .registry import difference, omits, rule


@rule
def claimed(book):
    """Every claim has its sentence, a paragraph in both twins, and every sentence its claim."""
    said = {"zh": Counter(), "en": Counter()}
    for i, *twins in book.pairs:
        names = [[name for name, words in sentences(text) if words] for text in twins]
        for language, found in zip(said, names):
            said[language].update(found)
        if Counter(names[0]) != Counter(names[1]):
            yield i, "sentences of claims: " + difference(*names)
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
            yield i, "numbers of the run: " + difference(
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
