"""A new chapter is begun with all its parts (press/skeleton.py)."""

import re

import pytest

from press.contents import contents, faults, plan
from press.execute import canonical, parse
from press.lint import SECTIONS, lint
from press.notebook import Notebook
from press.skeleton import PARTS, begin, skeleton

#: A book that is half written, which ours will not always be.
TOC = """\
format: jb-book
root: chapters/preface
parts:
  - caption: 数 · Numbers
    chapters:
      - file: chapters/numbers/two
      - file: chapters/numbers/four
  - caption: 附录 · Back matter
    chapters:
      - file: chapters/back/glossary
meta:
  planned:
    - caption: 数 · Numbers
      chapters:
        - chapters/numbers/one: "一 · One"
        - chapters/numbers/two
        - chapters/numbers/three: "三 · Three"
        - chapters/numbers/four
        - chapters/numbers/five: "五 · Five"
    - caption: 字母 · Letters
      chapters:
        - chapters/letters/alpha: "甲 · Alpha"
"""


@pytest.fixture
def book(tmp_path):
    (tmp_path / "_toc.yml").write_text(TOC, encoding="utf-8")
    (tmp_path / "chapters").mkdir()
    return tmp_path


def test_the_parts_are_those_that_lint_asks_for():
    kept = [part[:3] for part in PARTS if part[:3] in SECTIONS]
    assert kept == SECTIONS


def test_a_skeleton_has_the_form_of_a_chapter(tmp_path):
    text = skeleton("Focal Loss · Focal loss")
    (tmp_path / "focal.md").write_text(text, encoding="utf-8")
    path = tmp_path / "focal.ipynb"
    path.write_text(canonical(parse(text)), encoding="utf-8")
    assert Notebook(path).headings("en")[:2] == ["Focal loss", "Card"]
    # What is missing is what only its author can write.
    assert {fault.rule for fault in lint(path)} == {"executed", "contents"}
    assert {fault.message for fault in lint(path) if fault.rule == "contents"} == {
        "no slider", "no claim",
    }  # fmt: skip


@pytest.mark.parametrize("name", [
    "numbers/one",  # before all of its part that is written
    "numbers/three",  # between
    "numbers/five",  # after it
    "letters/alpha",  # in a part of which nothing is
])  # fmt: skip
def test_a_planned_chapter_gets_its_line(name, book):
    before = (book / "_toc.yml").read_text(encoding="utf-8")
    numbers = [e.number for p in plan(contents(book)["meta"]) for e in p.entries]
    path = begin(name, book)
    assert path == book / "chapters" / f"{name}.md" and path.exists()
    assert faults(contents(book)) == [], "the plan and what is written agree"
    after = (book / "_toc.yml").read_text(encoding="utf-8")
    changed = set(before.splitlines()) ^ set(after.splitlines())
    assert all(name in line or "caption" in line for line in changed)
    assert [e.number for p in plan(contents(book)["meta"]) for e in p.entries] == numbers
    files = re.findall(r"- file: chapters/(\S+)", after)
    planned = re.findall(r"- chapters/([a-z/]+)", after)
    assert [f for f in planned if f in files] == [f for f in files if f in planned], "in order"
    with pytest.raises(ValueError, match="is written already"):
        begin(name, book)


def test_only_what_is_planned_can_be_begun(book):
    with pytest.raises(ValueError, match="numbers/two is written already"):
        begin("numbers/two", book)
    with pytest.raises(ValueError, match="numbers/thre is not in the plan.*numbers/three"):
        begin("numbers/thre", book)
    assert not list((book / "chapters").iterdir())
    toc = (book / "_toc.yml").read_text(encoding="utf-8")
    (book / "_toc.yml").write_text(re.sub(r"(- chapters/[a-z/]+): .*", r"\1", toc), encoding="utf-8")
    with pytest.raises(ValueError, match="nothing is left"):
        begin("numbers/three", book)


def test_both_languages_say_what_to_write():
    for name, _, en, *hints in PARTS:
        assert (hints == [None, None]) == (name in ("card", "exercises", "references")), name
        assert not re.search("[\u3000-\u9fff]", f"{en} {hints[1]}")
