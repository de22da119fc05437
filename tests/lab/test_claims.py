"""What was measured, from the cell to the sentence (minigrad/lab/claims.py, press/records.py)."""

import json
import re

import nbformat
import numpy as np
import pytest

from minigrad.lab import claim, record
from minigrad.lab.claims import CLAIM, NUMBERS, VERDICTS
from minigrad.lab.experiments import compare, interval
from press.notebook import Notebook, claims
from press.records import misplaced, references, resolve, sentences, shown


@pytest.fixture
def handed(monkeypatch):
    """What cells hand over: mime bundles."""
    found = []
    monkeypatch.setattr(
        "minigrad.lab.claims.display",
        lambda thing: found.append(thing._repr_mimebundle_() | {"text/plain": repr(thing)}),
    )
    return found


# -- The cell


def test_a_claim_hands_over_its_verdict_and_numbers(handed):
    claim("it-holds", np.True_, ratio=np.sqrt(10), steps=np.int64(15012))
    assert handed == [{
        CLAIM: {"name": "it-holds", "verdict": "holds", "numbers": {"ratio": 3.162, "steps": 15012}},
        "text/plain": "成立 · holds  it-holds: ratio = 3.162, steps = 15012",
    }]  # fmt: skip
    assert json.loads(json.dumps(handed)) == handed


@pytest.mark.parametrize("verdict, key", [
    (True, "holds"), (False, "fails"), (np.False_, "fails"), ("when", "when"), ("undecided", "undecided"),
])  # fmt: skip
def test_the_four_verdicts(verdict, key, handed):
    claim("a", verdict, smallest=0.012341)
    assert handed[0][CLAIM] == {"name": "a", "verdict": key, "numbers": {"smallest": 0.01234}}
    assert key in VERDICTS


@pytest.mark.parametrize("name, verdict, numbers, message", [
    ("Not Kebab", True, {}, "hyphens"), ("a_b", True, {}, "hyphens"), ("", True, {}, "hyphens"),
    (1, True, {}, "hyphens"), ("a", "yes", {}, "verdict"), ("a", 1, {}, "verdict"),
    ("a", None, {}, "verdict"), ("a", np.array([True]), {}, "verdict"),
    ("a", "undecided", {}, "smallest effect"), ("a", True, {"x": np.nan}, "x must be finite"),
    ("a", True, {"x": np.inf}, "x must be finite"),
])  # fmt: skip
def test_claim_refuses(name, verdict, numbers, message, handed):
    with pytest.raises(ValueError, match=message):
        claim(name, verdict, **numbers)
    assert not handed


@pytest.mark.parametrize("value", [True, np.True_, None, 1j, [1.0, 2.0], np.ones(3)])
def test_what_is_no_number_is_refused(value, handed):
    with pytest.raises(TypeError, match="record: x must be a number, an interval or text"):
        record(x=value)
    assert not handed


def test_record_needs_a_number(handed):
    with pytest.raises(ValueError, match="nothing to record"):
        record()


@pytest.mark.parametrize("value, kept", [
    (1 / 3, 0.3333), (-1e-20 / 3, -3.333e-21), (123456.7, 123500.0), (-0.0, 0.0), (2, 2),
    (np.float32(0.1), 0.1), (np.array(0.25), 0.25), (10**20, 10**20), ("2/3", "2/3"),
])  # fmt: skip
def test_what_differs_between_processors_is_not_kept(value, kept, handed):
    record(x=value)
    (got,) = handed[0][NUMBERS].values()
    assert got == kept and type(got) is type(kept) and str(got) == str(kept)


def whole(text):
    """With spaces at which no line is broken."""
    return re.sub(" ([±×]) ", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", text)


def test_intervals_keep_their_ends(handed):
    rng = np.random.default_rng(0)
    a = rng.normal(size=20)
    comparison = compare(a, a + 0.1 + 0.01 * rng.normal(size=20), matters=0.05)
    mean, factor = interval(a), interval(np.exp(a), of="geometric")
    record(difference=comparison, mean=mean, factor=factor)
    numbers = handed[0][NUMBERS]
    for got, want in (("difference", comparison), ("mean", mean), ("factor", factor)):
        assert shown(numbers[got], ".2f").replace("−", "-") == whole(f"{want:.2f}")
    assert [len(value) for value in numbers.values()] == [2, 2, 3]
    assert "mean = " in handed[0]["text/plain"] and "±" in handed[0]["text/plain"]


# -- The prose


@pytest.mark.parametrize("value, form, text", [
    (3.162, ".2f", "3.16"), (3.162, "", "3.162"), (0.1106, ".1%", "11.1%"), (-2, "", "−2"),
    (-0.06, "+.2f", "−0.06"), (0.06, "+.2f", "+0.06"), (15012, ",", "15,012"), (15012, ".1e", "1.5 × 10⁴"),
    (1e-12, ".0e", "10⁻¹²"), (2.2e-16, "", "2.2 × 10⁻¹⁶"), (0.0, ".3f", "0.000"), (100.0, ".1f", "100.0"),
    ([0.1, 0.0123], ".1%", "10.0% ± 1.2%"), ([0.1, 0.01], "+.2f", "+0.10 ± 0.01"), ("1:2", "", "1:2"),
])  # fmt: skip
def test_numbers_are_shown_as_in_an_f_string(value, form, text):
    assert shown(value, form) == whole(text)


@pytest.mark.parametrize("value, form", [
    (3.162, ".4f"), (123500.0, ".0f"), ([0.1234, 0.1], ".5f"), (3.162, "d"), ("a", ".2f"),
])  # fmt: skip
def test_formats_that_do_not_fit(value, form):
    with pytest.raises(ValueError):
        shown(value, form)


def test_a_sentence_is_a_paragraph_or_an_item():
    text = "{claim}`a` One\nline.\n\nNo claim.\n\n- {claim}`b` An item\n- not it\n\n1. {claim}`c` Last"
    assert sentences(text) == [("a", "One line."), ("b", "An item"), ("c", "Last")]
    assert misplaced(text) == []
    assert misplaced("So {claim}`a` holds.\n\n| {claim}`b` | x |") == ["a", "b"]
    assert references("{num}`.x`\n\n{claim}`a` {num}`.x:.2f` {num}`b.x`") == [
        (".x", ""), ("a.x", ".2f"), ("b.x", ""),
    ]  # fmt: skip


def written(path, *cells):
    """A notebook of twins, given as (Chinese, English), and of lists of what cells handed over."""
    made = []
    for cell in cells:
        if isinstance(cell, tuple):
            made += [nbformat.v4.new_markdown_cell(text, metadata={"tags": [f"lang-{language}"]})
                     for language, text in zip(("zh", "en"), cell)]  # fmt: skip
        else:
            outputs = [nbformat.v4.new_output("display_data", data=data) for data in cell]
            made.append(nbformat.v4.new_code_cell(outputs=outputs))
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return Notebook(path)


SAID = (
    "# 题\n\n{claim}`it-holds` 步长是 {num}`.ratio:.2f` 倍，共 {num}`steps` 步。\n\n没有 {num}`gone`。",
    "# Title\n\n{claim}`it-holds` Steps are {num}`.ratio:.2f`\ntimes too long, for {num}`steps` steps."
    "\n\nNo {num}`gone`.",
)


def test_a_notebook_of_one_edition_says_what_was_measured(tmp_path, handed):
    record(steps=12)
    claim("it-holds", True, ratio=3.16227)
    book = written(tmp_path / "a.ipynb", handed[:1], SAID, handed[1:])
    zh, en = (json.loads(book.edition(language)) for language in ("zh", "en"))
    assert zh["cells"][1]["source"] == (
        '# 题\n\n<a id="claim-it-holds" class="holds"></a>**成立** 步长是 3.16 倍，共 12 步。\n\n没有 ⟨gone⟩。'
    )
    assert "**Holds** Steps are 3.16\ntimes too long, for 12 steps." in en["cells"][1]["source"]
    assert not re.search(r"\{(claim|num)\}", json.dumps([zh, en]))
    assert resolve("{claim}`other` x", book.records, "en") == "⟨other⟩ x"


def test_claims_are_gathered_from_notebooks(tmp_path, handed):
    record(steps=12)
    claim("it-holds", True, ratio=3.16227)
    claim("not-so", False)
    claim("silent", True)  # lint complains
    one = written(tmp_path / "a.ipynb", handed[:2], SAID)
    (tmp_path / "b").mkdir()
    written(tmp_path / "b" / "c.ipynb", ("{claim}`not-so` 否", "{claim}`not-so` no"), handed[2:])
    first, second = claims(tmp_path)
    assert (first.name, first.verdict, first.notebook) == ("it-holds", "holds", one.path)
    assert first.zh == "步长是 3.16 倍，共 12 步。"
    assert first.en == "Steps are 3.16 times too long, for 12 steps."
    assert (second.name, second.verdict, second.zh, second.en) == ("not-so", "fails", "否", "no")
    (tmp_path / "d.ipynb").write_bytes(one.path.read_bytes())
    with pytest.raises(ValueError, match="it-holds.*unique"):
        claims(tmp_path)
