"""The back matter is complete (press/backmatter): every claim, term, reference and public name.

The checks (press/audit.py) return what is missing; tests/site asks them about the whole book. Here
they look at a small book with the real pages of the back matter; then things are taken away from its
pages, and the checks must notice.
"""

import gzip
import json
import re
import shutil

import pytest
from pybtex.database import parse_string

import minigrad
from benchmarks.report import RESULTS
from minigrad.lab.claims import CLAIM
from press.audit import (
    bibliography_faults,
    missing_claims,
    missing_terms,
    missing_works,
    page,
    target,
    undocumented,
)
from press.backmatter.gathering import Chapter
from press.backmatter.names import chinese
from press.backmatter.reference import chapters, docstring, inline, public, public_modules
from press.backmatter.terms import alphabetical, first_use, forms
from press.backmatter.works import initial
from press.contents import contents, listed
from press.glossary import glossary
from press.markdown import citations
from press.notebook import CHAPTERS, ROOT, TWIN, Notebook
from small_book import code, markdown, notebook, opened, run_build, shown, write_book

BACK = ("claims", "glossary", "api", "bibliography")


# --- The book as it is -------------------------------------------------------------------------


def test_every_reference_is_cited_and_every_citation_known():
    assert bibliography_faults(ROOT) == []


def test_every_public_name_has_a_docstring_and_a_home():
    for module in public_modules().values():
        for name, home in public(module).items():
            words = getattr(module, name).__doc__ or ""
            assert words.strip(), f"{module.__name__}.{name} ({home}) has no docstring"
    homes = {home for module in public_modules().values() for home in public(module).values()}
    assert {"minigrad.Tensor", "minigrad.optim.Adam", "minigrad.norms.LayerNorm"} <= homes
    assert "minigrad.nn.LayerNorm" not in homes and "minigrad.init.he_normal" not in homes


def test_the_reference_covers_every_module_with_public_names():
    listed = set(public_modules())
    assert {"minigrad", "minigrad.optim", "minigrad.losses"} <= listed
    back = ROOT / "chapters" / "back"
    pages = [path.read_text(encoding="utf-8") for path in back.glob("api-*.md")]
    index = (back / "api.md").read_text(encoding="utf-8")
    for module in listed:
        mine = [page for page in pages if f"```{{api}} {module}\n" in page]
        assert len(mine) == 1 and mine[0].count("{api}") == 2, f"{module}: a page, in both languages"
        assert index.count(f"```{{names}} {module}\n") == 2, f"{module}: in the index"


def test_every_public_name_is_summed_up_in_chinese():
    homes = {home for module in public_modules().values() for home in public(module).values()}
    assert homes == set(chinese())
    for name, words in chinese().items():
        assert words.endswith(("。", "？")) and len(words) < 120, name
        assert re.search(r"[\u4e00-\u9fff]|\$", words), name


@pytest.mark.parametrize("entry, letter", [
    ({"author": "van den Oord, Aaron"}, "V"), ({"author": "{\\'{E}}mile Borel"}, "B"),
    ({"author": "{\\L}ojasiewicz, S."}, "L"), ({"editor": "Ömer, A."}, "O"), ({}, "…"),
])  # fmt: skip
def test_a_work_stands_under_its_first_author_s_letter(entry, letter):
    fields = "".join(f"{key} = {{{value}}}, " for key, value in entry.items())
    works = parse_string(f"@misc{{key, {fields} title = {{T}}}}", "bibtex")
    assert initial(works.entries["key"]) == letter


# --- Pieces ------------------------------------------------------------------------------------

SMALL = notebook(
    markdown("zh", "# 题\n\n动量 {footcite:p}`a`。\n\n## 一\n\n偏差修正、动量与熵。"),
    markdown("en", "# Title\n\nMomentum {footcite:p}`a`.\n\n## One\n\nThe bias correction, momentum."),
    code("1"),
    markdown("zh", "又 {footcite:t}`b, c`。\n\n```python\n# 不是标题\n```\n\n### 二\n\n`熵` 与熵。"),
    markdown("en", "And {footcite:t}`b, c`.\n\n```python\n# none\n```\n\n### Two\n\nEntropies."),
)


def test_passages_run_from_heading_to_heading():
    found = [(anchor, citations(zh)) for anchor, zh, en in opened(SMALL).passages()]
    assert found == [
        (None, []), ("title", ["a"]), ("one", []), ("one", ["b", "c"]), ("two", []),
    ]  # fmt: skip


def test_a_term_is_first_used_where_both_languages_use_it(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(SMALL), encoding="utf-8")
    chapter = Chapter("a", path)
    for zh, en, anchor in (
        ("动量", "momentum", "title"), ("偏差修正", "bias-correction", "one"),
        ("熵", "entropy", None), ("熵", "entropies", "two"), ("鞍点 / 熵", "x (entropies)", "two"),
    ):  # fmt: skip
        place = first_use({"zh": zh, "en": en}, [chapter])
        assert place == (None if anchor is None else (chapter, anchor)), (zh, en)


def test_chinese_terms_are_sorted_by_pinyin():
    terms = ["指数移动平均", "熵", "动量", "重球法", "KL 散度", "参数", "logits（对数几率）", "鞍点", "L2 正则化"]
    assert sorted(terms, key=lambda term: alphabetical(term, "zh")) == [
        "鞍点", "参数", "动量", "KL 散度", "L2 正则化", "logits（对数几率）", "熵", "指数移动平均", "重球法",
    ]  # fmt: skip
    for row in glossary():
        for language in TWIN:
            initial = alphabetical(row[language], language)[0][0]
            assert initial.isascii() and initial.isalpha(), row


def test_every_term_is_explained_in_one_sentence_of_each_language():
    for row in glossary():
        zh, en = row["is_zh"] or "", row["is_en"] or ""
        assert re.fullmatch(r"[^。]*[\u4e00-\u9fff][^。]*。", zh), row
        assert re.fullmatch(r"[A-Z][^\u4e00-\u9fff]*[a-z0-9)%βηκ]\.", en) and ". " not in en, row
        assert not re.search(f"(?i)^(an? |the )?{re.escape(row['en'])}\\b", en), "not in its own words"


def test_a_name_is_that_of_one_term():
    """Its own or another; and other names are neither empty nor said twice."""
    named = [(name.lower(), row["en"]) for row in glossary() for name in {
        *forms(row["en"]), *forms(row["zh"]), *row["also"]}]  # fmt: skip
    terms = {}
    for name, term in named:
        assert name == name.strip() != "" and terms.setdefault(name, term) == term, name
    for row in glossary():
        assert len({*map(str.lower, row["also"])}) == len(row["also"]), row


def test_every_term_has_a_place_in_the_book():
    """Where it is first used, or where it is explained, which is there."""
    anchors = {chapter: Notebook(CHAPTERS / f"{chapter}.ipynb").anchors
               for chapter in {row["at"].partition("#")[0] for row in glossary()} - {""}}  # fmt: skip
    for row in glossary():
        page, _, anchor = row["at"].partition("#")
        assert not anchor or anchor in anchors[page], row
    names = [name for name in listed(contents()) if not name.startswith("back/")]
    chapters = [Chapter(name, CHAPTERS / f"{name}.ipynb") for name in names]
    homeless = [row["en"] for row in glossary() if not (row["at"] or first_use(row, chapters))]
    assert homeless == []


@pytest.mark.parametrize("text, rst", [
    ("`lr` and `x = 1`", ":py:obj:`lr` and ``x = 1``"),
    ("`.grad`", "``.grad``"),
    ("of $x^2$s", r"of :math:`x^2`\ s"),
    ("n$x$", r"n\ :math:`x`"),
    (r"$1/\text{fan\_in}$", r":math:`1/\text{fan_in}`"),
    ("`lr`（率）$x$（`eps`）", r":py:obj:`lr`\ （率）\ :math:`x`\ （:py:obj:`eps`）"),
    ("|x| * trunc_", r"\|x\| \* trunc\_"),
    ("a\n$$b\n  = c$$", "a\n\n\n.. math::\n\n   b\n     = c\n\n"),
])  # fmt: skip
def test_prose_of_docstrings(text, rst):
    assert inline(text) == rst


def test_the_chapters_of_a_name():
    assert chapters(minigrad.optim.Adamax, "") == ["optimizers/adam"], "as its module says"
    assert chapters(minigrad.optim.Optimizer, "") == ["optimizers/"], "as its package says"
    assert chapters(minigrad.optim.Adam, "Derived in `chapters/a/b.ipynb`.") == ["a/b"]
    for module in public_modules().values():
        for name in public(module):
            thing = getattr(module, name)
            assert chapters(thing, thing.__doc__ or ""), f"{name}: neither it nor its module says"


def test_a_docstring_in_parts():
    text = docstring("""\
Sum.

$$s = \\sum x$$

Shape: any
    of them.
Parameters
----------
x, y: numbers,
    at least $1$.
z: another.

Raises
------
ValueError: none given. TypeError: no number.

Returns
-------
A number.

Memory: none.
Reference: Gauss 1801. Derived in `chapters/a/b.ipynb`.

Example
-------
>>> f(1, *[2])
3
""".replace("of them.\nParameters", "of them.\n\nParameters"), {"Raises": "异常"})  # fmt: skip
    assert ".. math::\n\n   s = \\sum x\n" in text
    assert ":Shape:\n    any\n" in text
    assert ":Parameters:\n    ``x, y``\n        numbers,\n        at least :math:`1`.\n" in text
    assert "    ``z``\n        another." in text
    assert ":异常:\n    ``ValueError``\n        none given.\n    ``TypeError``\n        no n" in text
    assert ":Returns:\n    A number." in text
    assert ":Reference:\n    Gauss 1801.\n" in text and "Derived" not in text
    assert text.endswith("\n\n>>> f(1, *[2])\n3") and "Example" not in text


# --- A small book ------------------------------------------------------------------------------


def claim(name: str, verdict: str, **numbers) -> dict:
    """What `minigrad.lab.claim` displays."""
    return shown(**{CLAIM: {"name": name, "verdict": verdict, "numbers": numbers}, "text/plain": name})


def said(*names: str) -> list[dict]:
    """The twin cells with the sentences of claims."""
    zh = (f"{{claim}}`{name}` 说法 {name}，$x^2 < 1$，{{num}}`.ratio:.2f` 倍，参见 [开头](../first.ipynb) "
          "{footcite:p}`gauss1801`。" for name in names)  # fmt: skip
    en = (f"{{claim}}`{name}` What {name} says & means, {{num}}`.ratio:.2f` times, see "
          "[there](../first.ipynb) {footcite:p}`gauss1801`." for name in names)  # fmt: skip
    return [markdown("zh", "\n\n".join(zh)), markdown("en", "\n\n".join(en))]


CHAPTER = notebook(
    markdown("zh", "# 第二章\n\n偏差修正见 `minigrad.optim.Adam` 与 `minigrad.nn.LayerNorm()`。"),
    markdown("en", "# The second chapter\n\nThe bias correction of `minigrad.optim.Adam`, and\n"
             "`minigrad.nn.LayerNorm()`."),
    code("claim()", [claim("one-holds", "holds", ratio=3.162)]),
    *said("one-holds", "one-fails", "two-holds"),
    code("claim()", [claim("one-fails", "fails", ratio=-1.0), claim("two-holds", "holds", ratio=2)]),
    markdown("zh", "## 引用\n\n见 {footcite:p}`gauss1801`。\n\n```{footbibliography}\n```"),
    markdown("en", "## Citing\n\nSee {footcite:p}`gauss1801`.\n\n```{footbibliography}\n```"),
)  # fmt: skip
GAUSS = "@book{gauss1801, author = {Gauss, Carl}, title = {Disquisitiones}, publisher = {F}, year = 1801}"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    pages = [*BACK, *(path.stem for path in sorted((ROOT / "chapters" / "back").glob("api-*.md")))]
    back = "".join(f"  - file: chapters/back/{name}\n" for name in pages)
    folder = write_book(
        tmp_path_factory.mktemp("book"), CHAPTER, f"- caption: 附录 · Back matter\n  chapters:\n{back}"
    )
    shutil.copytree(ROOT / "chapters" / "back", folder / "chapters" / "back")
    (folder / "chapters" / "references.bib").write_text(GAUSS, encoding="utf-8")
    run = run_build(folder, "--strict")
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture
def site(book):
    return book / "_build" / "html"


CHECKS = {
    "claims": lambda site, book: missing_claims(site, book / "chapters"),
    "glossary": lambda site, book: missing_terms(site),
    "api": lambda site, book: undocumented(site),
    "bibliography": missing_works,
}


def test_the_small_book_is_complete(site, book):
    assert [fault for check in CHECKS.values() for fault in check(site, book)] == []
    assert bibliography_faults(book) == []


@pytest.mark.parametrize("address, old, new, complaint", [
    ("zh/back/claims.html", 'id="claim-one-holds"', 'id="x"', "zh: claim one-holds is missing"),
    ("en/back/claims.html", 'data-verdict="fails"', 'data-verdict="holds"', "one-fails has the wrong"),
    ("zh/back/claims.html", "#claim-two-holds", "#claim-one-holds", "two-holds links to nothing"),
    ("zh/back/claims.html", "<b>3</b>", "<b>4</b>", "the numbers of verdicts are [4, 2, 0, 1, 0]"),
    ("zh/back/glossary.html", "鞍点", "安点", "the term saddle point is missing"),
    ("en/back/glossary.html", ">ablation<", ">zablation<", "en: the terms are not in order"),
    ("en/back/glossary.html", "Removing one part", "One", "en: the term ablation is not explained"),
    ("en/back/api-optim.html", 'id="minigrad.optim.Adam"', 'id="y"', "minigrad.optim.Adam has no entry"),
    ("zh/back/api-norms.html", 'id="minigrad.norms.LayerNorm"', "", "minigrad.nn.LayerNorm has no entry"),
    ("zh/back/api.html", "#minigrad.optim.Adam\"", "#minigrad.optim.AdamW\"", "minigrad.optim.Adam is not in the index"),
    ("zh/back/bibliography.html", 'class="cited"', 'class="x"', "gauss1801"),
    ("en/back/bibliography.html", 'id="gauss1801"', 'id="euler"', "en: gauss1801 is missing"),
])  # fmt: skip
def test_missing_entries_are_reported(site, book, tmp_path, address, old, new, complaint):
    site = shutil.copytree(site, tmp_path / "html", ignore=shutil.ignore_patterns("_*"))
    path = site / address
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    found = CHECKS[path.stem.partition("-")[0]](site, book)
    assert any(complaint in fault for fault in found), found


def test_uncited_and_unknown_references_are_reported(book, tmp_path):
    chapters = shutil.copytree(book / "chapters", tmp_path / "chapters")
    extra = GAUSS.replace("gauss1801", "gauss1809")
    (chapters / "references.bib").write_text(GAUSS + extra, encoding="utf-8")
    assert bibliography_faults(tmp_path) == ["gauss1809 is cited nowhere"]
    (chapters / "references.bib").write_text(extra, encoding="utf-8")
    assert bibliography_faults(tmp_path) == [
        "gauss1809 is cited nowhere", "gauss1801 is cited but not in references.bib",
    ]  # fmt: skip


def test_a_public_name_without_a_docstring_is_reported(site, monkeypatch):
    monkeypatch.setattr(minigrad, "__all__", [*minigrad.__all__, "autograd", "apply"])
    monkeypatch.setattr(minigrad, "apply", minigrad.autograd.tensor.apply, raising=False)
    assert "en: minigrad.apply has no entry minigrad.apply" in undocumented(site)


def test_the_ledger_is_grouped_and_each_text_in_its_language(site):
    for edition, other, title in (("zh", "What", "第二章"), ("en", "说法", "The second chapter")):
        ledger = page(site, f"{edition}/back/claims.html")
        part = ledger.select_one("section.made")
        assert [part.h2.contents[0], part.h3.contents[0]] == [
            {"zh": "部分", "en": "Part"}[edition], title,
        ]  # fmt: skip
        assert [line["id"] for line in part.select(".claim")] == [
            "claim-one-holds", "claim-one-fails", "claim-two-holds",
        ]  # fmt: skip
        assert other not in part.text
    line = page(site, "zh/back/claims.html").select_one(".claim")
    assert line.select_one(".math mjx-container")["data-tex"] == "x^2 < 1"
    assert line.select_one(".scale").text == "不含随机，算一次即知 · 看实测"
    assert line.text.strip().startswith("结论 1.2.1 成立 说法 one-holds，") and "，3.16 倍，参见 开头（Gauss，1801）。" in line.text
    assert "What" not in line.text
    assert [link["href"] for link in line.select("a:not(.headerlink)")] == [
        "../first.html", "bibliography.html#gauss1801", "../part/second.html#claim-one-holds",
    ]  # fmt: skip
    assert "(Gauss, 1801)" in page(site, "en/back/claims.html").select_one(".claim").text
    ids = [[s["id"] for s in page(site, f"{e}/back/claims.html").select("section[id]")] for e in TWIN]
    assert ids[0] == ids[1], "the switch of languages keeps the place"


def test_a_name_in_prose_leads_to_the_reference(site):
    for edition in TWIN:
        links = page(site, f"{edition}/part/second.html").select("article p > a:has(code)")
        assert [link.text for link in links] == ["minigrad.optim.Adam", "minigrad.nn.LayerNorm()"]
        for link, name in zip(links, ["minigrad.optim.Adam", "minigrad.norms.LayerNorm"]):
            there = target(site, f"{edition}/part/second.html", link)
            assert there.name == "dt" and there["id"] == name


def test_a_term_leads_to_where_it_is_first_used(site):
    glossary_page = page(site, "en/back/glossary.html")
    link = glossary_page.select_one("#term-bias-correction + dd a")
    assert link.text == "The second chapter"
    assert link["href"] == "../part/second.html#the-second-chapter"
    assert not glossary_page.select("#term-saddle-point + dd a")


def test_the_glossary_says_what_else_a_term_is_called(site):
    for edition, said in (("zh", "又称：MSE、L2 loss"), ("en", "Also: MSE; L2 loss")):
        told = page(site, f"{edition}/back/glossary.html").select_one("#term-mean-squared-error + dd").text
        assert said in told and ("平方损失" in told) == (edition == "zh")


def test_a_term_is_marked_where_the_book_first_uses_it(site):
    """Its meaning is in the page, for previews.js."""
    for edition, term, meaning in (("zh", "偏差修正", "偏差"), ("en", "bias correction", "zero")):
        soup = page(site, f"{edition}/part/second.html")
        link = next(link for link in soup.select("article a.term") if link.text == term)
        assert link["href"] == "../back/glossary.html#term-bias-correction"
        (shown,) = soup.select(f"template[data-for='{link['href']}']")
        assert term in shown.text and meaning in shown.text


def test_an_entry_of_the_reference(site):
    for edition, labels in (("zh", "参数"), ("en", "Parameters")):
        entry = page(site, f"{edition}/back/api-optim.html").find(id="minigrad.optim.Adam").parent
        text = re.sub(r"\s+", " ", entry.text)
        assert "minigrad.optim.Adam(params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8" in text
        assert labels in text and "weight_decay" in text and "Kingma & Ba 2015" in text
        assert entry.select("div.math") and not re.search(r"\$|:math:|:py:obj:|-----", text)
        assert entry.select(".highlight pre")[0].text.startswith(">>> from minigrad import Tensor")
        assert 'optim.html#' not in text and "“" not in text, "quotation marks of code stay"
        words = entry.select('[lang="en"]')
        assert bool(words) == (edition == "zh") == ("自适应矩估计。" in entry.dd.p.text)
        source = target(site, f"{edition}/back/api-optim.html", entry.select_one("a:has(.viewcode-link)"))
        assert "class Adam(Optimizer)" in source.text


def test_a_planned_chapter_is_named_and_not_linked(site):
    for edition, words in (("zh", "《亚当》（待写）"), ("en", "Adam (planned)")):
        entry = page(site, f"{edition}/back/api-optim.html").find(id="minigrad.optim.Adam").parent
        assert [one.text for one in entry.select(".planned")] == [words]


def test_the_reference_is_light(site):
    for edition in TWIN:
        for file in (site / edition / "back").glob("api*.html"):
            assert len(gzip.compress(file.read_bytes())) < 60_000, file


def test_the_pages_follow_a_new_chapter_by_themselves(book, tmp_path):
    """One notebook and one line of _toc.yml: an incremental build puts it into the back matter."""
    folder = shutil.copytree(book, tmp_path / "book")
    new = notebook(
        markdown("zh", "# 第三章\n\n鞍点与偏差修正 {footcite:p}`gauss1801`。\n\n```{footbibliography}\n```"),
        markdown("en", "# The third chapter\n\nA saddle point and the bias correction\n"
                 "{footcite:p}`gauss1801`.\n\n```{footbibliography}\n```"),
        *said("new"),
        code("claim()", [claim("new", "when", ratio=1.5)]),
    )  # fmt: skip
    (folder / "chapters" / "optimizers").mkdir()
    path = folder / "chapters" / "optimizers" / "adam.ipynb"
    path.write_text(json.dumps(new), encoding="utf-8")
    toc = folder / "_toc.yml"
    line = "  - file: chapters/part/second\n"
    text = toc.read_text(encoding="utf-8")
    toc.write_text(text.replace(line, line + "  - file: chapters/optimizers/adam\n"), encoding="utf-8")
    run = run_build(folder)
    assert run.returncode == 0, run.stdout + run.stderr
    site = folder / "_build" / "html"
    assert [fault for check in CHECKS.values() for fault in check(site, folder)] == []
    assert page(site, "zh/back/claims.html").find(id="claim-new")
    assert page(site, "en/back/glossary.html").select("#term-saddle-point + dd a")
    cited = page(site, "en/back/bibliography.html").select("#gauss1801 .cited a")
    assert [link.text for link in cited] == ["The second chapter", "The third chapter"]
    entry = page(site, "zh/back/api-optim.html").find(id="minigrad.optim.Adam").parent
    assert entry.select_one('a[href="../optimizers/adam.html"]').text == "第三章"


# --- the benchmarks

QUOTED = {  # minigrad's time over another's, on the networks, as the READMEs say it
    "PyTorch": ("takes {} to {} of PyTorch's time", "是 PyTorch 的 {} 到 {} 倍"),
    "PyTorch fused": ("{} to {} of PyTorch's with its fused", "PyTorch 用融合优化器时的 {} 到 {} 倍"),
    "NumPy plainly": ("takes {} to {} of what the same step", "用时是它的 {} 到 {} 倍"),
    "NumPy by hand": ("{} to {} of the least that NumPy", "极限相比，则是 {} 到 {} 倍"),
}


@pytest.mark.parametrize("other", QUOTED)
def test_the_readmes_quote_the_benchmarks_that_are_committed(other):
    training = json.loads(RESULTS.read_text(encoding="utf-8"))["workloads"]["training"]
    ratios = [w["ratios"][other][0] for name, w in training.items() if name != "two-numbers"]
    for readme, words in zip(("README.md", "README.zh.md"), QUOTED[other]):
        text = re.sub(r"\s+", " ", (ROOT / readme).read_text(encoding="utf-8"))
        assert words.format(f"{min(ratios):.1f}", f"{max(ratios):.1f}") in text


def test_what_the_pages_say_of_the_contestants_is_what_was_measured():
    """The prose of `back/speed`, and a sentence of `autograd/compiling-the-tape`."""
    workloads = json.loads(RESULTS.read_text(encoding="utf-8"))["workloads"]
    training, product = workloads["training"], workloads["second_order"]["hvp"]
    networks = {name: w for name, w in training.items() if name != "two-numbers"}
    plainly = {name: w["ratios"]["NumPy plainly"][0] for name, w in networks.items()}
    slower = {name: f"{ratio:.2f}" for name, ratio in plainly.items() if ratio > 1.02}
    assert slower == {"transformer": "1.07", "iris": "1.30"}
    assert all(w["ratios"]["JAX compiled"][0] > 1 for w in training.values())
    compiled = {name: w["compiled"]["JAX compiled"] for name, w in training.items()}
    ahead = {name for name, (_, _, high) in compiled.items() if high < 1}
    behind = {name for name, (_, low, _) in compiled.items() if low > 1}
    assert (ahead, behind) == ({"iris", "deep", "two-numbers"}, {"transformer"})
    assert product["compiled"]["JAX compiled"][1] > 1
    torch = {  # a step with its loss compiled over one without, both with the fused optimizer
        name: w["ratios"]["PyTorch fused"][0] / w["ratios"]["PyTorch compiled"][0]
        for name, w in networks.items()
    }
    assert {name for name, ratio in torch.items() if ratio > 1.02} == {"iris", "digits"}
    hand = {  # NumPy's time by hand over JAX's
        name: w["ratios"]["JAX compiled"][0] / w["ratios"]["NumPy by hand"][0]
        for name, w in networks.items()
    }
    assert {name: f"{ratio:.2f}" for name, ratio in hand.items() if ratio > 1.02} == {"transformer": "1.09"}
    assert hand["iris"] < 0.9 and hand["deep"] < 0.9
